//! Records that the engine has as they are: then a connector need not look at them again.
//!
//! A stamp is a number that a record has as long as nothing of it changes, nor of how it is
//! understood. A connector that can tell a record's stamp without understanding it (a row of a
//! file) leaves out what the engine knows, and says where it stood.

use crate::places::{NO_NUMBER, Places};
use siphasher::sip::SipHasher13;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, OnceLock};

/// The number of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp(pub i64);

/// Records of a page that the engine has as they are, one after the other in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Same {
    /// How many of the page's other records stood before them.
    pub before: u32,
    /// The place of the first of them in the engine's list.
    pub first: u32,
    pub count: u32,
}

impl Same {
    /// One more record, at this place of the engine's list; `before` others stood before it.
    pub fn note(runs: &mut Vec<Same>, before: u32, place: u32) {
        match runs.last_mut() {
            Some(run) if run.before == before && run.first + run.count == place => run.count += 1,
            _ => runs.push(Same {
                before,
                first: place,
                count: 1,
            }),
        }
    }

    /// The places of these records.
    pub fn places(self) -> std::ops::Range<u32> {
        self.first..self.first.saturating_add(self.count)
    }
}

/// Numbers that are hashes already; tables of them need no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsTheyAre;

impl BuildHasher for AsTheyAre {
    type Hasher = AsItIs;
    fn build_hasher(&self) -> AsItIs {
        AsItIs(0)
    }
}

/// Gives back the number itself.
#[derive(Debug)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_i64(&mut self, number: i64) {
        self.0 = number.cast_unsigned();
    }
}

/// The stamps of the records that the engine has of one kind of a source, in the order in which
/// it stored them; `NO_NUMBER` for those that have none.
#[derive(Debug, Default)]
pub struct Stamps {
    list: Vec<i64>,
    places: OnceLock<Places>,
}

impl Stamps {
    pub fn new(list: Vec<i64>) -> Stamps {
        Stamps {
            list,
            places: OnceLock::new(),
        }
    }

    /// The stamp at a place.
    pub fn at(&self, place: u32) -> Option<Stamp> {
        self.list.get(place as usize).copied().map(Stamp)
    }

    /// Where records with this stamp stand, in order.
    pub fn find(&self, stamp: Stamp) -> impl Iterator<Item = u32> {
        // Where nothing has changed nobody asks.
        let places = self.places.get_or_init(|| Places::of(&self.list));
        places.find(&self.list, stamp.0)
    }
}

/// What the engine knows of one kind of a source.
#[derive(Clone)]
pub struct Known {
    keys: (u64, u64),
    stamps: Arc<Stamps>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} records)", self.stamps.list.len())
    }
}

impl Known {
    /// These records, stamped with these keys.
    pub fn new(keys: (u64, u64), stamps: Arc<Stamps>) -> Known {
        Known { keys, stamps }
    }

    /// What stamps records that are understood in one way: all that says how goes into it.
    pub fn stamping(&self, understood: &[u8]) -> Stamping {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_usize(understood.len());
        hasher.write(understood);
        Stamping(hasher)
    }

    /// Where the engine has a record with this stamp. Records mostly come in the order in which
    /// they came before: `next` is the place after that of the last one that was found.
    pub fn place(&self, stamp: Stamp, next: u32) -> Option<u32> {
        match self.stamps.at(next) {
            Some(there) if there == stamp && stamp.0 != NO_NUMBER => Some(next),
            _ => self.stamps.find(stamp).next(),
        }
    }
}

/// Stamps records by their bytes.
#[derive(Clone)]
pub struct Stamping(SipHasher13);

impl fmt::Debug for Stamping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stamping(hidden)")
    }
}

impl Stamping {
    /// The stamp of a record.
    pub fn of(&self, record: &[u8]) -> Stamp {
        let mut hasher = self.0;
        hasher.write(record);
        Stamp(hasher.finish().cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(known: &Known, understood: &[u8], record: &[u8]) -> Stamp {
        known.stamping(understood).of(record)
    }

    #[test]
    fn a_stamp_is_of_the_record_and_of_how_it_is_understood() {
        let known = Known::new((1, 2), Arc::default());
        let one = stamp(&known, b"map", b"row");
        assert_eq!(one, stamp(&known, b"map", b"row"));
        assert_ne!(one, stamp(&known, b"ma", b"prow"));
        assert_ne!(one, stamp(&known, b"map", b"row "));
        let other = Known::new((1, 3), Arc::default());
        assert_ne!(one, stamp(&other, b"map", b"row"), "another store");
        assert_eq!(known.place(one, 0), None);
    }

    #[test]
    fn a_record_is_found_where_it_is_expected_and_elsewhere() {
        let known = Known::new((1, 2), Arc::new(Stamps::new(vec![5, 6, NO_NUMBER, 5])));
        assert_eq!(known.place(Stamp(5), 0), Some(0));
        assert_eq!(known.place(Stamp(5), 3), Some(3));
        assert_eq!(known.place(Stamp(5), 1), Some(0));
        assert_eq!(known.place(Stamp(6), 9), Some(1));
        assert_eq!(known.place(Stamp(7), 0), None);
        assert_eq!(known.place(Stamp(NO_NUMBER), 2), None, "none is no stamp");
    }

    #[test]
    fn records_one_after_the_other_are_one_run() {
        let mut runs = Vec::new();
        for (before, place) in [(0, 4), (0, 5), (0, 7), (2, 8), (2, 9)] {
            Same::note(&mut runs, before, place);
        }
        let told: Vec<_> = runs.iter().map(|run| (run.before, run.places())).collect();
        assert_eq!(told, [(0, 4..6), (0, 7..8), (2, 8..10)]);
    }
}
