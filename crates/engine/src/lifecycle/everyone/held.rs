//! What an account of the leaver's holds: counted, and where it leads on.

use super::ground::{Ground, Likes, Sort};
use crate::access::columns::Column;
use crate::access::reached::closed_at;
use crate::lifecycle::Closing;
use crate::lifecycle::departure::Departure;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// What was found on one account.
#[derive(Default)]
pub(super) struct Found {
    /// How many entitlements of a sort close when.
    pub counts: Vec<(Sort, Closing, u32)>,
    /// Entitlements that lead on to locations or accounts, and until when they are held.
    pub leads: Vec<(u32, Closing)>,
    /// Something that has to be known of them is missing.
    pub lacks: bool,
}

/// Whether inner grants that end by themselves were met.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grants {
    Lasting,
    Ending,
}

/// Goes down from accounts to what they hold; its room is used again.
pub(super) struct Descent {
    /// By entitlement: the walk that met it last.
    met: Column<u32>,
    walk: u32,
    /// By sort.
    counts: Column<u32>,
    counted: Vec<Sort>,
    down: Vec<u32>,
    /// Direct grants: until when, and of what.
    direct: Vec<(Closing, u32)>,
    pub found: Found,
}

impl Descent {
    pub(super) fn new(ground: &Ground<'_>) -> Self {
        Descent {
            met: Column::filled(0, ground.graph.entitlements.len()),
            walk: 0,
            counts: Column::filled(0, ground.sorts()),
            counted: Vec::new(),
            down: Vec::new(),
            direct: Vec::new(),
            found: Found::default(),
        }
    }

    /// Fills `found` with what an account holds that is open until `value`.
    pub(super) fn descend(
        &mut self,
        ground: &Ground<'_>,
        like: &Likes,
        account: u32,
        value: Closing,
    ) {
        self.clear();
        let graph = ground.graph;
        let mut levels = false;
        for grant in graph.account_grants.row(account) {
            let mut until = graph.terms.at(grant.terms).expires;
            if closed_at(until, ground.at) {
                continue;
            }
            for step in &like.removals {
                let system = graph.entitlements.at(grant.entitlement).system;
                if Departure::holds(graph, step, system, account) {
                    until = until.min(step.closes);
                }
            }
            levels |= self
                .direct
                .first()
                .is_some_and(|(first, _)| *first != until);
            self.direct.push((until, grant.entitlement));
        }
        if levels {
            self.direct.sort_unstable_by_key(|one| Reverse(*one));
        }
        if self.count(ground, value) == Grants::Ending {
            self.found.counts.clear();
            self.found.leads.clear();
            self.count_by_time(ground, value);
        }
    }

    fn clear(&mut self) {
        self.found.counts.clear();
        self.found.leads.clear();
        self.found.lacks = false;
        self.direct.clear();
        self.walk = match self.walk.checked_add(1) {
            Some(walk) => walk,
            None => {
                self.met = Column::filled(0, self.met.len());
                1
            }
        };
    }

    /// From those that are held longest: whatever is met first is held that long.
    fn count(&mut self, ground: &Ground<'_>, value: Closing) -> Grants {
        let mut grants = Grants::Lasting;
        let direct = std::mem::take(&mut self.direct);
        let mut level = None;
        for (until, entitlement) in &direct {
            let until = value.min(*until);
            if let Some(before) = level
                && before != until
            {
                self.put(before);
            }
            level = Some(until);
            if self.meet(*entitlement) {
                self.down.push(*entitlement);
            }
            while let Some(here) = self.down.pop() {
                let held = ground.held.at(here);
                let count = self.counts.at_mut(held.sort.0);
                if *count == 0 {
                    self.counted.push(held.sort);
                }
                *count += 1;
                self.found.lacks |= held.lacks;
                if held.leads_on {
                    self.found.leads.push((here, until));
                }
                if held.ends {
                    grants = Grants::Ending;
                }
                for inner in ground.inner.row(here) {
                    if *self.met.at(*inner) != self.walk {
                        *self.met.at_mut(*inner) = self.walk;
                        self.down.push(*inner);
                    }
                }
            }
        }
        if let Some(level) = level {
            self.put(level);
        }
        self.direct = direct;
        grants
    }

    fn meet(&mut self, entitlement: u32) -> bool {
        let met = self.met.at_mut(entitlement);
        let first = *met != self.walk;
        *met = self.walk;
        first
    }

    fn put(&mut self, level: Closing) {
        for sort in self.counted.drain(..) {
            let count = std::mem::take(self.counts.at_mut(sort.0));
            self.found.counts.push((sort, level, count));
        }
    }

    /// The same where grants between entitlements end by themselves: always on from what is held
    /// longest.
    fn count_by_time(&mut self, ground: &Ground<'_>, value: Closing) {
        let graph = ground.graph;
        let mut met = HashSet::new();
        let mut heap: BinaryHeap<(Closing, u32)> = self.direct.iter().copied().collect();
        while let Some((until, here)) = heap.pop() {
            if !met.insert(here) {
                continue;
            }
            let held = ground.held.at(here);
            self.found.counts.push((held.sort, value.min(until), 1));
            if held.leads_on {
                self.found.leads.push((here, value.min(until)));
            }
            for grant in graph.entitlement_grants.row(here) {
                let expires = graph.terms.at(grant.terms).expires;
                if !closed_at(expires, ground.at) && !met.contains(&grant.entitlement) {
                    heap.push((until.min(expires), grant.entitlement));
                }
            }
        }
    }
}
