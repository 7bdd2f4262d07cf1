//! What stays open too long for most: in which systems, by whose secrets, for want of which step.

use crate::access::columns::Column;
use crate::access::graph::Graph;
use crate::lifecycle::StepAction;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use ts_rs::TS;

/// Counted over all leavers.
#[derive(Clone, Debug)]
pub struct Ranks {
    systems: BTreeMap<u32, Kept>,
    /// Known secrets of others, by credential: how many leavers still know one after its limit.
    secrets: Column<u64>,
    /// By what a step would do in which system: how many late items have a path that starts there.
    starts: BTreeMap<(StepAction, u32), u64>,
}

/// What stays open after its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub leavers: u64,
    pub late: u64,
}

/// A system in which leavers keep something after its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct WorstSystem {
    pub system: String,
    /// How many keep something there.
    pub leavers: u64,
    /// How many items that is, over all of them.
    pub late: u64,
}

/// A secret that leavers know, and that works for them after its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct WorstSecret {
    pub system: String,
    pub id: String,
    /// How many it keeps connected.
    pub leavers: u64,
}

impl Ranks {
    pub(super) fn new(graph: &Graph) -> Self {
        Ranks {
            systems: BTreeMap::new(),
            secrets: Column::filled(0, graph.credentials.len()),
            starts: BTreeMap::new(),
        }
    }

    /// Where most leavers keep something, of several the most items, then by name.
    pub fn worst_systems(&self, graph: &Graph, most: usize) -> Vec<WorstSystem> {
        let mut systems: Vec<(&u32, &Kept)> = self.systems.iter().collect();
        systems.sort_by_key(|(row, kept)| (Reverse((kept.leavers, kept.late)), **row));
        let worst = systems
            .into_iter()
            .take(most)
            .map(|(row, kept)| WorstSystem {
                system: graph.systems.at(*row).to_owned(),
                leavers: kept.leavers,
                late: kept.late,
            });
        worst.collect()
    }

    /// Which secrets keep most leavers connected, then by system and id.
    pub fn worst_secrets(&self, graph: &Graph, most: usize) -> Vec<WorstSecret> {
        let secrets = (0..).zip(self.secrets.values().iter().copied());
        let mut secrets: Vec<(u32, u64)> = secrets.filter(|(_, leavers)| *leavers > 0).collect();
        secrets.sort_by_key(|(row, leavers)| (Reverse(*leavers), *row));
        let worst = secrets.into_iter().take(most).map(|(row, leavers)| {
            let system = graph.credentials.at(row).system;
            WorstSecret {
                system: graph.systems.at(system).to_owned(),
                id: graph.credential_ids.at(row).to_owned(),
                leavers,
            }
        });
        worst.collect()
    }

    /// Steps that are worth trying, with their systems: those first at whose accounts or secrets the
    /// paths of most late items start. Only a rehearsal tells what each would close.
    pub fn candidates(&self, graph: &Graph, most: usize) -> Vec<(StepAction, String)> {
        let mut starts: Vec<(&(StepAction, u32), &u64)> = self.starts.iter().collect();
        starts.sort_by_key(|(of, late)| (Reverse(**late), **of));
        let starts = starts.into_iter().take(most);
        let named = starts.map(|((does, row), _)| (*does, graph.systems.at(*row).to_owned()));
        named.collect()
    }

    pub(super) fn add(&mut self, more: &Ranks) {
        for (system, kept) in &more.systems {
            let here = self.systems.entry(*system).or_default();
            here.leavers += kept.leavers;
            here.late += kept.late;
        }
        for (secret, leavers) in (0..self.secrets.len()).zip(more.secrets.values()) {
            *self.secrets.at_mut(secret) += leavers;
        }
        for (start, late) in &more.starts {
            *self.starts.entry(*start).or_default() += late;
        }
    }

    /// One leaver more, who keeps this.
    pub(super) fn keep(&mut self, late: &Late) {
        self.keep_of(late, 1);
    }

    /// So many leavers more, of whom each keeps this.
    pub(super) fn keep_of(&mut self, late: &Late, leavers: u64) {
        for (system, items) in &late.systems {
            let here = self.systems.entry(*system).or_default();
            here.leavers += leavers;
            here.late += items * leavers;
        }
        for secret in &late.secrets {
            *self.secrets.at_mut(*secret) += leavers;
        }
        for (start, items) in &late.starts {
            *self.starts.entry(*start).or_default() += items * leavers;
        }
    }
}

/// What one leaver keeps after its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Late {
    /// By system: how many items. Each system once.
    pub systems: Vec<(u32, u64)>,
    /// Others' secrets, each once.
    pub secrets: Vec<u32>,
    pub starts: Vec<((StepAction, u32), u64)>,
}

impl Late {
    pub(super) fn is_empty(&self) -> bool {
        self.systems.is_empty()
    }

    pub(super) fn items(&mut self, system: u32, count: u64) {
        add_to(&mut self.systems, system, count);
    }

    pub(super) fn start(&mut self, does: StepAction, system: u32, count: u64) {
        add_to(&mut self.starts, (does, system), count);
    }

    pub(super) fn add(&mut self, more: &Late) {
        for (system, count) in &more.systems {
            add_to(&mut self.systems, *system, *count);
        }
        self.secrets.extend(&more.secrets);
        for (start, count) in &more.starts {
            add_to(&mut self.starts, *start, *count);
        }
    }
}

/// These are few.
fn add_to<K: PartialEq>(all: &mut Vec<(K, u64)>, key: K, count: u64) {
    match all.iter_mut().find(|(one, _)| *one == key) {
        Some((_, here)) => *here += count,
        None => all.push((key, count)),
    }
}
