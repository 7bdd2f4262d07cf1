//! Everybody as two policies together can tell them apart: whoever is alike is asked about once.

use super::asked::{Class, Holder};
use super::rules::AccessPolicy;
use crate::access::graph::Graph;
use lastkey_contract::facts::Identity;
use std::collections::HashMap;

/// People, put together where both policies have to say the same of them.
pub struct Crowd {
    /// The rules of both: nobody is asked by it, it tells whom to keep apart.
    pub(super) both: AccessPolicy,
    alike: HashMap<Class, usize>,
    pub(super) groups: Vec<Alike>,
}

/// People who are alike.
pub(super) struct Alike {
    /// The first who came.
    pub holder: Holder,
    /// The graph's rows of all of them, ascending.
    pub rows: Vec<u32>,
}

impl Crowd {
    /// Nobody yet.
    pub fn new(before: &AccessPolicy, after: &AccessPolicy) -> Crowd {
        let rules = before.rules().iter().chain(after.rules());
        Crowd {
            both: AccessPolicy::new(rules.cloned().collect(), Vec::new()),
            alike: HashMap::new(),
            groups: Vec::new(),
        }
    }

    /// One more; whoever the graph does not have is left out.
    pub fn add(&mut self, graph: &Graph, person: &Identity) {
        let Some(row) = graph.identity(&person.id) else {
            return;
        };
        let holder = Holder::from(person);
        let next = self.groups.len();
        let class = Class::of_holder(&holder, &self.both.mentions);
        let at = *self.alike.entry(class).or_insert(next);
        match self.groups.get_mut(at) {
            Some(group) => group.rows.push(row),
            None => self.groups.push(Alike {
                holder,
                rows: vec![row],
            }),
        }
    }

    /// How many there are.
    pub fn people(&self) -> usize {
        self.groups.iter().map(|group| group.rows.len()).sum()
    }

    /// Those first of whom one stands first in the graph.
    pub(super) fn in_order(&mut self) {
        for group in &mut self.groups {
            group.rows.sort_unstable();
        }
        self.alike.clear();
        self.groups.sort_by_key(|group| group.rows.first().copied());
    }
}
