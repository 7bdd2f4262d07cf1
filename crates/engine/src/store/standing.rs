//! The current versions of one kind of a source, in memory, in the order in which they were stored:
//! column by column, with a bit for each that a read has met. A read of what has not changed goes
//! through them in runs.

use super::StoreError;
use super::blocks::Block;
use super::objects::ContentHash;
use super::spans::Run;
use lastkey_contract::{NO_NUMBER, Places, Stamp, Stamps};
use std::sync::{Arc, OnceLock};

/// Versions, each at a place.
#[derive(Debug, Default)]
pub(super) struct Standing {
    keys: Vec<i64>,
    hashes: Vec<ContentHash>,
    stamps: Arc<Stamps>,
    /// Versions whose rows follow one another, by their first place.
    stretches: Vec<Stretch>,
    met: Bits,
    /// Where each key stands; made when somebody first asks for one.
    by_key: OnceLock<Places>,
}

/// Versions in places and rows one after the other, all first seen by one sync.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    place: u32,
    row: i64,
    born: i64,
}

/// Versions that are still being learned.
pub(super) struct Making {
    standing: Standing,
    stamps: Vec<i64>,
}

impl Making {
    /// Learns what stands of a block.
    pub fn learn(&mut self, block: &Block) -> Result<(), StoreError> {
        let damaged = || StoreError::damaged("a block of objects lacks a key");
        let standing = &mut self.standing;
        for run in block.runs() {
            let keys = block.keys.get(run.clone()).ok_or_else(damaged)?;
            let hashes = block.hashes.get(run.clone()).ok_or_else(damaged)?;
            for place in run.clone() {
                let at = standing.keys.len() + (place - run.start);
                let at = u32::try_from(at).map_err(|_| damaged())?;
                let (row, born) = (block.row(place), block.born(place));
                let goes_on = |last: &Stretch| {
                    last.born == born && last.row + i64::from(at - last.place) == row
                };
                if !standing.stretches.last().is_some_and(goes_on) {
                    let stretch = Stretch {
                        place: at,
                        row,
                        born,
                    };
                    standing.stretches.push(stretch);
                }
                self.stamps.push(block.stamp(place).unwrap_or(NO_NUMBER));
            }
            standing.keys.extend_from_slice(keys);
            standing.hashes.extend_from_slice(hashes);
        }
        Ok(())
    }

    /// Meets the last so many.
    pub fn meet_last(&mut self, count: usize) {
        let end = self.standing.keys.len();
        self.standing.met.grow(end);
        for place in end.saturating_sub(count)..end {
            self.standing.met.set(place as u32);
        }
    }

    /// Meets those of a block, which was learned last, whose rows are so.
    pub fn meet_last_of(&mut self, block: &Block, is_met: impl Fn(i64) -> bool) {
        let end = self.standing.keys.len();
        self.standing.met.grow(end);
        let first = end.saturating_sub(block.places().count());
        for (place, in_block) in (first..end).zip(block.places()) {
            if is_met(block.row(in_block)) {
                self.standing.met.set(place as u32);
            }
        }
    }

    pub fn made(self) -> Standing {
        let mut standing = self.standing;
        standing.met.grow(standing.keys.len());
        standing.stamps = Arc::new(Stamps::new(self.stamps));
        standing
    }
}

impl Standing {
    /// Nothing yet, with room for about so many: memory that grows by doubling is touched twice.
    pub fn making(room: usize) -> Making {
        let standing = Standing {
            keys: Vec::with_capacity(room),
            hashes: Vec::with_capacity(room),
            ..Standing::default()
        };
        Making {
            standing,
            stamps: Vec::with_capacity(room),
        }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn stamps(&self) -> Arc<Stamps> {
        Arc::clone(&self.stamps)
    }

    /// The stamp of the record that a version was read from.
    pub fn stamp(&self, place: u32) -> Option<Stamp> {
        self.stamps.at(place).filter(|stamp| stamp.0 != NO_NUMBER)
    }

    /// The places of versions read from records with this stamp, in order.
    pub fn stamped(&self, stamp: Stamp) -> impl Iterator<Item = u32> {
        self.stamps.find(stamp)
    }

    /// The places of the versions of a key, in order.
    pub fn with_key(&self, key: i64) -> impl Iterator<Item = u32> {
        let places = self.by_key.get_or_init(|| Places::of(&self.keys));
        places.find(&self.keys, key)
    }

    pub fn hash(&self, place: u32) -> Option<&ContentHash> {
        self.hashes.get(place as usize)
    }

    fn stretch(&self, place: u32) -> Option<(usize, Stretch)> {
        let after = self.stretches.partition_point(|one| one.place <= place);
        let at = after.checked_sub(1)?;
        self.stretches.get(at).map(|stretch| (at, *stretch))
    }

    pub fn row(&self, place: u32) -> Option<i64> {
        let (_, stretch) = self.stretch(place)?;
        Some(stretch.row + i64::from(place - stretch.place))
    }

    /// The sync that first saw the object.
    pub fn born(&self, place: u32) -> Option<i64> {
        self.stretch(place).map(|(_, stretch)| stretch.born)
    }

    /// Hands over the rows of some places, run by run.
    pub fn rows_of(&self, places: Run<u32>, mut take: impl FnMut(Run<i64>)) {
        let Some((mut at, _)) = self.stretch(places.start) else {
            return;
        };
        let mut place = places.start;
        while place < places.end
            && let Some(stretch) = self.stretches.get(at)
        {
            at += 1;
            let next = self.stretches.get(at).map_or(u32::MAX, |next| next.place);
            let end = next.min(places.end);
            let row = stretch.row + i64::from(place - stretch.place);
            take(row..row + i64::from(end - place));
            place = end;
        }
    }

    pub fn is_met(&self, place: u32) -> bool {
        self.met.has(place)
    }

    pub fn meet(&mut self, place: u32) {
        self.met.set(place);
    }

    /// Meets the versions of a run up to the first that was met before; gives those.
    pub fn meet_run(&mut self, places: Run<u32>) -> Run<u32> {
        let room = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let mut end = places.start;
        while end < places.end.min(room) && !self.met.has(end) {
            self.met.set(end);
            end += 1;
        }
        places.start..end
    }

    pub fn unmeet(&mut self, places: Run<u32>) {
        places.for_each(|place| self.met.clear(place));
    }

    /// Hands over the rows of what was not met, run by run in order.
    pub fn each_unmet(&self, take: impl FnMut(Run<i64>)) {
        self.each(|place| !self.met.has(place), take);
    }

    /// Hands over the rows of what was met, run by run in order.
    pub fn each_met(&self, take: impl FnMut(Run<i64>)) {
        self.each(|place| self.met.has(place), take);
    }

    fn each(&self, is_so: impl Fn(u32) -> bool, mut take: impl FnMut(Run<i64>)) {
        let all = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let mut place = 0;
        while place < all {
            let end = (place..all).find(|one| !is_so(*one)).unwrap_or(all);
            if end > place {
                self.rows_of(place..end, &mut take);
            }
            place = end + 1;
        }
    }
}

/// A bit for each place.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn grow(&mut self, places: usize) {
        self.0.resize(places.div_ceil(64), 0);
    }

    fn has(&self, place: u32) -> bool {
        let word = self.0.get(place as usize / 64).copied().unwrap_or(0);
        word >> (place % 64) & 1 == 1
    }

    fn set(&mut self, place: u32) {
        if let Some(word) = self.0.get_mut(place as usize / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn clear(&mut self, place: u32) {
        if let Some(word) = self.0.get_mut(place as usize / 64) {
            *word &= !(1 << (place % 64));
        }
    }
}
