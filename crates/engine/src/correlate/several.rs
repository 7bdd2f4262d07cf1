//! Several people whom an account leads to, or led to before.
//!
//! A placeholder may stand in thousands of accounts and be the value of thousands of people. What
//! one value leads to is therefore found once and stands once; every account that has the value
//! refers to it. Nothing here grows with accounts times people.

use super::identities::{Identities, Match};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A record: row of its source and id.
type Record = (i64, String);

/// People, in parts that others may refer to as well. Somebody may stand in two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Several {
    parts: Vec<Part>,
}

/// Some of several people; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// One record of each that is listed, by number.
    Listed(Arc<[u32]>),
    /// Records that had a value; they may be listed or not.
    Records(Arc<[Record]>),
}

impl Part {
    /// Where it stands: the same for all that refer to it, for as long as any of them does.
    pub fn place(&self) -> usize {
        match self {
            Part::Listed(numbers) => place(numbers),
            Part::Records(records) => place(records),
        }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        match self {
            Part::Listed(numbers) => numbers.len(),
            Part::Records(records) => records.len(),
        }
    }

    fn alone(self) -> Several {
        Several { parts: vec![self] }
    }
}

fn place<T>(shared: &Arc<[T]>) -> usize {
    Arc::as_ptr(shared).cast::<T>() as usize
}

/// More than so many are found once for all accounts with the value.
pub(super) const FEW: usize = 8;

impl Several {
    pub(super) fn listed(numbers: Arc<[u32]>) -> Several {
        let parts = match numbers.is_empty() {
            true => Vec::new(),
            false => vec![Part::Listed(numbers)],
        };
        Several { parts }
    }

    pub(super) fn records(records: Arc<[Record]>) -> Several {
        let parts = match records.is_empty() {
            true => Vec::new(),
            false => vec![Part::Records(records)],
        };
        Several { parts }
    }

    /// With others; what both refer to once.
    pub fn and(mut self, more: Several) -> Several {
        for part in more.parts {
            if !self.has(&part) {
                self.parts.push(part);
            }
        }
        self
    }

    fn has(&self, part: &Part) -> bool {
        self.parts.iter().any(|own| own.place() == part.place())
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

impl From<Part> for Several {
    fn from(part: Part) -> Several {
        part.alone()
    }
}

/// What was found once for many accounts. Whatever is found is kept with what it was found of, so
/// that no other takes its place meanwhile.
#[derive(Default)]
pub(super) struct Once(Mutex<Found>);

#[derive(Default)]
struct Found {
    members: HashMap<usize, (Part, Arc<HashSet<u64>>)>,
    less: HashMap<(usize, usize), (Part, Part, Several)>,
    people: HashMap<usize, (Arc<[Record]>, Several)>,
}

impl Once {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identities {
    /// Everybody of them once, by one record each of those that are listed, and the others.
    pub fn everybody(&self, several: &Several) -> (Vec<u32>, Vec<Record>) {
        let (mut listed, mut others) = (Vec::new(), Vec::new());
        let (mut leads, mut records) = (HashSet::new(), HashSet::new());
        for part in several.parts() {
            match part {
                Part::Listed(numbers) => {
                    listed.extend(numbers.iter().filter(|n| leads.insert(self.lead(**n))));
                }
                Part::Records(all) => {
                    for (source, id) in all.iter() {
                        match self.listed(*source, id) {
                            Some(number) if leads.insert(self.lead(number)) => listed.push(number),
                            None if records.insert((*source, id)) => {
                                others.push((*source, id.clone()));
                            }
                            Some(_) | None => {}
                        }
                    }
                }
            }
        }
        (listed, others)
    }

    /// Whoever fits now, and those who did before.
    pub fn either(&self, now: u32, before: Several) -> Several {
        Several::listed([now].into()).and(before)
    }

    /// The records that an account led to before, as they are told: those of whoever it leads to now
    /// only where they were somebody else's.
    pub fn told_before<'k>(
        &'k self,
        now: u32,
        before: &'k Several,
    ) -> impl Iterator<Item = (i64, &'k str)> {
        let lead = self.lead(now);
        let mut told = HashSet::new();
        let records = before.parts().iter().flat_map(move |part| {
            let (numbers, records): (&[u32], &[Record]) = match part {
                Part::Listed(numbers) => (numbers, &[]),
                Part::Records(records) => (&[], records),
            };
            let numbers = numbers.iter().filter(move |n| self.lead(**n) != lead);
            let numbers = numbers.map(|n| (self.source(*n), self.id(*n)));
            numbers.chain(records.iter().map(|(source, id)| (*source, id.as_str())))
        });
        records.filter(move |record| told.insert(*record))
    }

    /// Everybody whom it names, each by the first of the person's records that are listed.
    pub fn whose(&self, found: &Match) -> Several {
        let one = |number: u32| Several::listed([self.lead(number)].into());
        match found {
            Match::One { identity, .. } => one(*identity),
            Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
                self.as_people(candidates)
            }
            Match::HandedOn {
                identity, before, ..
            } => one(*identity).and(self.as_people(before)),
            Match::Gone { source, id, .. } => self.whose_record(*source, id),
            Match::Nobodys | Match::None => Several::default(),
        }
    }

    pub(super) fn whose_record(&self, source: i64, id: &str) -> Several {
        match self.listed(source, id) {
            Some(number) => Several::listed([self.lead(number)].into()),
            None => Several::records([(source, id.to_owned())].into()),
        }
    }

    /// The same with whoever is listed by number.
    fn as_people(&self, several: &Several) -> Several {
        let mut people = Several::default();
        for part in several.parts() {
            people = people.and(match part {
                Part::Listed(_) => part.clone().alone(),
                Part::Records(records) => self.records_as_people(records),
            });
        }
        people
    }

    fn records_as_people(&self, records: &Arc<[Record]>) -> Several {
        let look = || {
            let mut people = Several::default();
            let (mut listed, mut leads) = (Vec::new(), HashSet::new());
            // In the order in which they are named.
            let close = |people: Several, listed: &mut Vec<u32>| {
                people.and(Several::listed(std::mem::take(listed).into()))
            };
            for (source, id) in records.iter() {
                match self.listed(*source, id).map(|number| self.lead(number)) {
                    Some(lead) if leads.insert(lead) => listed.push(lead),
                    Some(_) => {}
                    None => {
                        let record = (*source, id.clone());
                        people = close(people, &mut listed).and(Several::records([record].into()));
                    }
                }
            }
            close(people, &mut listed)
        };
        if records.len() <= self.few {
            return look();
        }
        if let Some((_, people)) = self.once.found().people.get(&place(records)) {
            return people.clone();
        }
        let people = look();
        let kept = (records.clone(), people.clone());
        self.once.found().people.insert(place(records), kept);
        people
    }

    /// Those who are not among others. Of many, a few others may still be among them: whoever tells
    /// of everybody tells of each once.
    pub(super) fn less(&self, several: Several, others: &Several) -> Several {
        let mut left = several;
        for other in others.parts() {
            let parts = left.parts.into_iter();
            left = parts.fold(Several::default(), |all, part| {
                all.and(self.less_part(part, other))
            });
        }
        left
    }

    fn less_part(&self, own: Part, other: &Part) -> Several {
        if own.place() == other.place() {
            return Several::default();
        }
        match (&own, other) {
            (Part::Listed(_), Part::Listed(_)) | (Part::Records(_), Part::Records(_)) => {}
            (Part::Listed(_), Part::Records(_)) | (Part::Records(_), Part::Listed(_)) => {
                return own.alone();
            }
        }
        match (own.count() > self.few, other.count() > self.few) {
            // Somebody is left of them.
            (true, false) => own.alone(),
            (false, _) => self.without(&own, &self.members_of(other)),
            (true, true) => {
                let both = (own.place(), other.place());
                if let Some((.., rest)) = self.once.found().less.get(&both) {
                    return rest.clone();
                }
                let rest = self.without(&own, &self.members_of(other));
                let kept = (own, other.clone(), rest.clone());
                self.once.found().less.insert(both, kept);
                rest
            }
        }
    }

    fn without(&self, own: &Part, members: &HashSet<u64>) -> Several {
        match own {
            Part::Listed(numbers) => {
                let rest = numbers.iter().copied();
                Several::listed(
                    rest.filter(|n| !members.contains(&self.member(*n)))
                        .collect(),
                )
            }
            Part::Records(records) => {
                let there = |record: &&Record| members.contains(&self.hasher.hash_one(record));
                let rest = records.iter().filter(|record| !there(record));
                Several::records(rest.cloned().collect())
            }
        }
    }

    fn member(&self, number: u32) -> u64 {
        u64::from(self.lead(number))
    }

    fn members_of(&self, part: &Part) -> Arc<HashSet<u64>> {
        let look = || -> Arc<HashSet<u64>> {
            Arc::new(match part {
                Part::Listed(numbers) => numbers.iter().map(|n| self.member(*n)).collect(),
                Part::Records(records) => {
                    let hash = |record: &Record| self.hasher.hash_one(record);
                    records.iter().map(hash).collect()
                }
            })
        };
        if part.count() <= self.few {
            return look();
        }
        let mut found = self.once.found();
        let entry = found.members.entry(part.place());
        entry.or_insert_with(|| (part.clone(), look())).1.clone()
    }
}
