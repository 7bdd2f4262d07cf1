//! What exists, with its changes counted, so that it can be read since one of them.

use crate::subject::Facts;
use lastkey_contract::{Fact, Kind};
use std::collections::BTreeMap;

/// Objects by kind and key, each with the number of its last change, and what was removed.
#[derive(Clone, Debug, Default)]
pub struct World {
    objects: BTreeMap<Kind, BTreeMap<String, Object>>,
    removed: Vec<Removed>,
    /// The number of the last change.
    changes: u64,
}

#[derive(Clone, Debug)]
struct Object {
    fact: Fact,
    changed: u64,
}

#[derive(Clone, Debug)]
struct Removed {
    kind: Kind,
    key: String,
    at: u64,
}

/// A part of the objects of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub facts: Vec<Fact>,
    pub gone: Vec<String>,
    /// The key after which the next part starts.
    pub next: Option<String>,
    pub total: u64,
}

impl World {
    /// A world of these facts.
    pub fn new(facts: Facts) -> World {
        let mut world = World::default();
        for (kind, facts) in facts {
            world.objects.entry(kind).or_default();
            for fact in facts {
                world.put(fact);
            }
        }
        world
    }

    /// Adds an object, or changes it.
    pub fn put(&mut self, fact: Fact) {
        self.changes += 1;
        let object = Object {
            changed: self.changes,
            fact,
        };
        let kind = object.fact.kind();
        self.removed
            .retain(|removed| (removed.kind, &removed.key) != (kind, &object.fact.key()));
        self.objects
            .entry(kind)
            .or_default()
            .insert(object.fact.key(), object);
    }

    /// Removes an object, if it is there.
    pub fn remove(&mut self, kind: Kind, key: &str) {
        let gone = self.objects.get_mut(&kind).and_then(|of| of.remove(key));
        if gone.is_some() {
            self.changes += 1;
            self.removed.push(Removed {
                kind,
                key: key.to_owned(),
                at: self.changes,
            });
        }
    }

    /// The kinds that it has, also those without objects.
    pub fn kinds(&self) -> Vec<Kind> {
        self.objects.keys().copied().collect()
    }

    /// Everything.
    pub fn facts(&self) -> Facts {
        self.objects
            .iter()
            .map(|(kind, of)| {
                (
                    *kind,
                    of.values().map(|object| object.fact.clone()).collect(),
                )
            })
            .collect()
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// At most so many objects after a key, of those that changed since a change.
    pub(super) fn part(&self, kind: Kind, after: Option<&str>, limit: usize, since: u64) -> Part {
        let Some(of) = self.objects.get(&kind) else {
            return Part::default();
        };
        let mut rest = of
            .iter()
            .filter(|(_, object)| object.changed > since)
            .skip_while(|(key, _)| after.is_some_and(|after| key.as_str() <= after))
            .peekable();
        let mut part = Part {
            total: of.len().try_into().unwrap_or(u64::MAX),
            ..Part::default()
        };
        let mut last = None;
        while part.facts.len() < limit {
            let Some((key, object)) = rest.next() else {
                break;
            };
            part.facts.push(object.fact.clone());
            last = Some(key.clone());
        }
        if rest.peek().is_some() {
            part.next = last;
        }
        if since > 0 && part.next.is_none() {
            part.gone = self
                .removed
                .iter()
                .filter(|removed| removed.kind == kind && removed.at > since)
                .map(|removed| removed.key.clone())
                .collect();
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::super::company;
    use super::*;

    #[test]
    fn parts_follow_each_other_and_changes_can_be_asked_for() {
        let mut world = World::new(company("corp"));
        let first = world.part(Kind::Account, None, 3, 0);
        assert_eq!((first.facts.len(), first.total), (3, 7));
        let rest = world.part(Kind::Account, first.next.as_deref(), 100, 0);
        assert_eq!((rest.facts.len(), rest.next.as_deref()), (4, None));
        let mark = world.changes();
        let key = first.facts[0].key();
        world.remove(Kind::Account, &key);
        world.put(first.facts[1].clone());
        let since = world.part(Kind::Account, None, 100, mark);
        assert_eq!(since.facts, [first.facts[1].clone()]);
        assert_eq!(since.gone, std::slice::from_ref(&key));
        world.put(first.facts[0].clone());
        assert!(world.part(Kind::Account, None, 100, mark).gone.is_empty());
    }
}
