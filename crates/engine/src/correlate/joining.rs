//! Joining records into persons: as somebody decided, then by each confirmed rule in turn.
//!
//! A rule joins records that have one value, and doubts where it cannot be right: two records that
//! one source lists at the same time, or two whose names and beginnings both differ. Whoever has a
//! mail after somebody left is not that person: a rule by mail joins nobody who is gone. That they
//! were one as long as both were listed stays a doubt.

use super::persons::{Groups, Joining};
use super::rules::{DECISION, PersonRules};
use super::values::{Column, IdentityKeys, folded};
use crate::access::columns::Texts;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;

/// Whether a source lists a record now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listed {
    Now,
    Once,
}

/// What somebody decided of two records, each by source row and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonDecision {
    pub says: Says,
    pub records: [(i64, String); 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Same,
    Apart,
}

/// Records of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedPerson {
    /// Source row, id and what joined it, in the order in which their attributes count.
    pub records: Vec<(i64, String, String)>,
}

/// Records that a rule would join and must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonDoubt {
    pub rule: String,
    pub reason: DoubtedJoin,
    /// Source row and id.
    pub records: Vec<(i64, String)>,
    /// Places of two of them that somebody decided to be apart.
    pub apart: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubtedJoin {
    /// One source lists two of them at once.
    TwiceInOneSource,
    /// Their names and their beginnings differ.
    Differ,
    /// Somebody decided that two of them are apart, and a third could be either.
    DecidedApart,
    /// One of them had the value once and has it no more.
    LetGo,
    /// One of them left with a mail that another source lists, or gave it on to another one of its
    /// source.
    Parted,
    /// They were decided to be one, and the id of one seems to be somebody else's since.
    GivenOn,
}

impl DoubtedJoin {
    pub fn word(self) -> &'static str {
        match self {
            DoubtedJoin::TwiceInOneSource => "one source lists several with this value",
            DoubtedJoin::Differ => "names and start dates differ",
            DoubtedJoin::DecidedApart => "two with this value were decided to be apart",
            DoubtedJoin::LetGo => "one had this value before and has it no more",
            DoubtedJoin::Parted => "one had this mail until it left or gave it on",
            DoubtedJoin::GivenOn => {
                "they were decided to be one, and one of them seems to be somebody else now"
            }
        }
    }
}

/// More records of one source than so many with one value, and it names nobody: a placeholder.
const SHARED: usize = 8;

/// One value of a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Value {
    hash: u64,
    record: u32,
}

/// Records, gathered one by one.
pub struct Records {
    rules: PersonRules,
    source_names: HashMap<i64, String>,
    hasher: RandomState,
    /// Records that decisions name, and those that had other values before.
    numbered: HashMap<(i64, String), u32>,
    sources: Vec<i64>,
    ids: Texts,
    listed: Vec<Listed>,
    /// Hashes of name and beginning; 0 where not known.
    holders: Vec<(u64, u64)>,
    /// By rule.
    values: Vec<Vec<Value>>,
    /// By rule: what records had before, whether they have it now or not.
    before: Vec<Vec<Value>>,
}

impl Records {
    /// Begins with the records that decisions name: they count whether they are listed or not.
    pub fn new(
        rules: PersonRules,
        source_names: HashMap<i64, String>,
        decisions: &[PersonDecision],
    ) -> Self {
        let mut records = Self {
            values: vec![Vec::new(); rules.rules.len()],
            before: vec![Vec::new(); rules.rules.len()],
            rules,
            source_names,
            hasher: RandomState::new(),
            numbered: HashMap::new(),
            sources: Vec::new(),
            ids: Texts::default(),
            listed: Vec::new(),
            holders: Vec::new(),
        };
        for (source, id) in decisions.iter().flat_map(|d| &d.records) {
            records.number(*source, id);
        }
        records
    }

    /// The number of a record that may be named before it is added.
    fn number(&mut self, source: i64, id: &str) -> u32 {
        let key = (source, id.to_owned());
        if let Some(number) = self.numbered.get(&key) {
            return *number;
        }
        let number = self.push(source, id, Listed::Once, (0, 0));
        self.numbered.insert(key, number);
        number
    }

    /// What a record had before. Comes before any record is added.
    pub fn add_before(&mut self, record: &IdentityKeys) {
        if self.rules.rules.is_empty() {
            return;
        }
        let number = self.number(record.source, &record.id);
        let (mut values, mut before) = (Vec::new(), std::mem::take(&mut self.before));
        values.resize_with(before.len(), Vec::new);
        self.take_values(record, Listed::Now, number, (&mut before, &mut values));
        self.before = before;
    }

    /// Whether only what decisions name is needed.
    pub fn needs_no_more(&self) -> bool {
        self.rules.rules.is_empty() && self.numbered.is_empty()
    }

    fn push(&mut self, source: i64, id: &str, listed: Listed, holder: (u64, u64)) -> u32 {
        self.sources.push(source);
        self.listed.push(listed);
        self.holders.push(holder);
        self.ids.push(id)
    }

    /// Adds a record as it is, or was last.
    pub fn add(&mut self, record: &IdentityKeys, listed: Listed) {
        let key = (record.source, record.id.clone());
        let known = self.numbered.get(&key).copied();
        if known.is_none() && self.rules.rules.is_empty() {
            return;
        }
        let hash = |text: Option<&str>| text.map_or(0, |text| self.hasher.hash_one(text));
        let name = record.display_name.as_deref().map(|n| folded(n.trim()));
        let since = record.start_date.as_ref().and_then(|d| d.as_str());
        let holder = (hash(name.as_deref()), hash(since));
        let number = match known {
            Some(number) => {
                if let Some(slot) = self.listed.get_mut(number as usize) {
                    *slot = listed;
                }
                if let Some(slot) = self.holders.get_mut(number as usize) {
                    *slot = holder;
                }
                number
            }
            None => self.push(record.source, &record.id, listed, holder),
        };
        let mut values = std::mem::take(&mut self.values);
        let mut before = std::mem::take(&mut self.before);
        self.take_values(record, listed, number, (&mut values, &mut before));
        (self.values, self.before) = (values, before);
    }

    /// What rules take of a record, by rule; with what it has no more, the mails of those who left.
    fn take_values(
        &self,
        record: &IdentityKeys,
        listed: Listed,
        number: u32,
        (values, before): (&mut [Vec<Value>], &mut [Vec<Value>]),
    ) {
        let source = self.source_names.get(&record.source);
        let source = source.map_or("", String::as_str);
        let taking = values.iter_mut().zip(before);
        for (rule, (values, before)) in self.rules.rules.iter().zip(taking) {
            let Some(take) = rule.take(source, record.kind) else {
                continue;
            };
            if let Some(value) = record.take(take, rule.compare) {
                let has_left = listed == Listed::Once && take.column == Column::Email;
                let values = if has_left { &mut *before } else { &mut *values };
                values.push(Value {
                    hash: self.hasher.hash_one(value.as_str()),
                    record: number,
                });
            }
        }
    }

    /// The persons with several records, and where a rule was not followed.
    pub fn join(mut self, decisions: &[PersonDecision]) -> (Vec<JoinedPerson>, Vec<PersonDoubt>) {
        let count = self.ids.len();
        let number = |record: &(i64, String)| self.numbered.get(record).copied();
        let pair = |decision: &PersonDecision| {
            let [a, b] = &decision.records;
            Some((number(a)?, number(b)?))
        };
        let of = |says: Says| decisions.iter().filter(move |d| d.says == says);
        let apart: Vec<(u32, u32)> = of(Says::Apart).filter_map(pair).collect();
        let mut groups = Groups::new(count, &apart);
        let mut how: BTreeMap<u32, usize> = BTreeMap::new();
        for (a, b) in of(Says::Same).filter_map(pair) {
            groups.join(a, b);
            how.insert(a, 0);
            how.insert(b, 0);
        }
        let mut doubts: Vec<(usize, DoubtedJoin, Vec<u32>)> = Vec::new();
        let mut all = std::mem::take(&mut self.values);
        for (n, values) in all.iter_mut().enumerate() {
            values.sort_unstable();
            for equal in values.chunk_by(|a, b| a.hash == b.hash) {
                let records: Vec<u32> = equal.iter().map(|v| v.record).collect();
                if let Some(reason) = self.doubt(&records, &mut groups) {
                    doubts.push((n, reason, records));
                    continue;
                }
                for two in records.windows(2) {
                    let [a, b] = two else { continue };
                    if groups.join(*a, *b) == Joining::Joined {
                        how.entry(*a).or_insert(n + 1);
                        how.entry(*b).or_insert(n + 1);
                    }
                }
            }
        }
        let before = std::mem::take(&mut self.before);
        for (n, (values, before)) in all.iter().zip(before).enumerate() {
            let let_go = self.let_go(n, values, before, &mut groups);
            doubts.extend(let_go.into_iter().map(|(reason, r)| (n, reason, r)));
        }
        drop(all);
        let told = doubts
            .into_iter()
            .filter_map(|(rule, reason, records)| self.told(rule, reason, &records, &mut groups));
        let doubts = told.collect();
        let persons = groups.several();
        (
            persons.into_iter().map(|g| self.person(g, &how)).collect(),
            doubts,
        )
    }

    /// Why records of one value are not one person.
    fn doubt(&self, records: &[u32], groups: &mut Groups) -> Option<DoubtedJoin> {
        let source = |r: u32| self.sources.get(r as usize);
        let mut lowest: HashSet<u32> = HashSet::new();
        let mut seen: HashMap<Option<&i64>, u32> = HashMap::new();
        for record in records.iter().copied() {
            let group = groups.lowest(record);
            lowest.insert(group);
            // Somebody may have decided that the two are one.
            if self.is_listed(record)
                && seen
                    .insert(source(record), group)
                    .is_some_and(|other| other != group)
            {
                return Some(DoubtedJoin::TwiceInOneSource);
            }
        }
        if lowest.len() < 2 {
            return None;
        }
        let apart = |person: &u32| {
            let foes = groups.kept_from(*person);
            foes.iter().any(|foe| lowest.contains(foe))
        };
        if lowest.iter().any(apart) {
            // Of two nothing is open.
            return (lowest.len() > 2).then_some(DoubtedJoin::DecidedApart);
        }
        let first = *records.first()?;
        records
            .iter()
            .any(|record| self.differ(*record, first))
            .then_some(DoubtedJoin::Differ)
    }

    /// Whether both the names and the beginnings of two are known and differ.
    fn differ(&self, a: u32, b: u32) -> bool {
        let holder = |r: u32| self.holders.get(r as usize).copied().unwrap_or((0, 0));
        let differ = |a: u64, b: u64| a != 0 && b != 0 && a != b;
        let (a, b) = (holder(a), holder(b));
        differ(a.0, b.0) && differ(a.1, b.1)
    }

    /// Records of which one had a value before, and others have it or had it as well.
    fn let_go(
        &self,
        rule: usize,
        values: &[Value],
        mut before: Vec<Value>,
        groups: &mut Groups,
    ) -> Vec<(DoubtedJoin, Vec<u32>)> {
        before.sort_unstable();
        before.dedup();
        before.retain(|value| values.binary_search(value).is_err());
        let mut found = Vec::new();
        for equal in before.chunk_by(|a, b| a.hash == b.hash) {
            let Some(hash) = equal.first().map(|value| value.hash) else {
                continue;
            };
            let from = values.partition_point(|value| value.hash < hash);
            let having = values.get(from..).unwrap_or_default().iter();
            let having = having.take_while(|value| value.hash == hash);
            let mut having: Vec<u32> = having.map(|value| value.record).collect();
            let mut had: Vec<u32> = equal.iter().map(|value| value.record).collect();
            self.without_placeholders(&mut had, &mut having);
            let several = |records: &[u32], groups: &mut Groups| {
                let persons: HashSet<u32> = records.iter().map(|r| groups.lowest(*r)).collect();
                persons.len() > 1
            };
            for record in &had {
                if !self.is_given_on(rule, *record, &having) {
                    continue;
                }
                // Whoever has the mail now in its own source is another; who else had it may not be.
                let others = had.iter().filter(|other| self.is_listed(**other));
                let others = others.chain(&having).copied().filter(|other| {
                    self.source(*other) != self.source(*record) && !self.differ(*other, *record)
                });
                let records: Vec<u32> = [*record].into_iter().chain(others).collect();
                if several(&records, groups) {
                    found.push((DoubtedJoin::Parted, records));
                }
            }
            had.retain(|record| !self.is_given_on(rule, *record, &having));
            if had.is_empty() {
                continue;
            }
            had.extend(having);
            if several(&had, groups) {
                found.push((DoubtedJoin::LetGo, had));
            }
        }
        found
    }

    /// Lets go of those whose source gave the value to so many that it never told who is who.
    fn without_placeholders(&self, had: &mut Vec<u32>, having: &mut Vec<u32>) {
        if had.len() + having.len() <= SHARED {
            return;
        }
        let mut count: HashMap<i64, usize> = HashMap::new();
        for record in had.iter().chain(&*having) {
            *count.entry(self.source(*record)).or_default() += 1;
        }
        let few = |record: &u32| {
            count
                .get(&self.source(*record))
                .is_none_or(|n| *n <= SHARED)
        };
        had.retain(few);
        having.retain(few);
    }

    /// Whether a mail that a record had is somebody else's now: the record has left, or its own
    /// source gives the mail to another.
    fn is_given_on(&self, rule: usize, record: u32, having: &[u32]) -> bool {
        let another =
            |other: &u32| self.source(*other) == self.source(record) && self.is_listed(*other);
        self.is_mail(rule, record) && (!self.is_listed(record) || having.iter().any(another))
    }

    fn source(&self, record: u32) -> i64 {
        self.sources.get(record as usize).copied().unwrap_or(0)
    }

    fn is_listed(&self, record: u32) -> bool {
        self.listed.get(record as usize) == Some(&Listed::Now)
    }

    /// Whether a rule goes by the mail of a record.
    fn is_mail(&self, rule: usize, record: u32) -> bool {
        let source = self.sources.get(record as usize);
        let source = source.and_then(|source| self.source_names.get(source));
        let rule = self.rules.rules.get(rule);
        rule.is_some_and(|rule| rule.takes_mail(source.map_or("", String::as_str)))
    }

    /// A doubt, unless everything about it is decided.
    fn told(
        &self,
        rule: usize,
        reason: DoubtedJoin,
        records: &[u32],
        groups: &mut Groups,
    ) -> Option<PersonDoubt> {
        let mut persons: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, record) in records.iter().enumerate() {
            let person = groups.lowest(*record);
            persons.entry(person).or_default().push(place);
        }
        let mut apart = Vec::new();
        let mut kept = 0;
        for (person, places) in &persons {
            for foe in groups.kept_from(*person) {
                // Each pair once.
                let others = persons.get(&foe).filter(|_| person < &foe);
                kept += usize::from(others.is_some());
                for other in others.into_iter().flatten() {
                    apart.extend(places.iter().map(|place| (*place, *other)));
                }
            }
        }
        let pairs = persons
            .len()
            .saturating_mul(persons.len().saturating_sub(1))
            / 2;
        if pairs <= kept {
            return None;
        }
        let rule = self.rules.rules.get(rule);
        Some(PersonDoubt {
            rule: rule.map_or_else(String::new, |rule| rule.name.clone()),
            reason,
            records: records.iter().map(|r| self.record(*r)).collect(),
            apart,
        })
    }

    fn record(&self, number: u32) -> (i64, String) {
        let source = self.sources.get(number as usize).copied().unwrap_or(0);
        (source, self.ids.at(number).to_owned())
    }

    fn person(&self, group: Vec<u32>, how: &BTreeMap<u32, usize>) -> JoinedPerson {
        let trust = |source: i64| {
            let name = self.source_names.get(&source);
            let mut named = self.rules.precedence.iter();
            named.position(|p| Some(p) == name).unwrap_or(usize::MAX)
        };
        let mut records: Vec<_> = group
            .into_iter()
            .map(|number| {
                let (source, id) = self.record(number);
                let listed = self.listed.get(number as usize).copied();
                let by = match how.get(&number) {
                    Some(0) | None => DECISION.to_owned(),
                    Some(rule) => {
                        let rule = self.rules.rules.get(rule - 1);
                        rule.map_or_else(String::new, |rule| rule.name.clone())
                    }
                };
                (
                    (trust(source), source, listed, id.clone()),
                    (source, id, by),
                )
            })
            .collect();
        records.sort();
        JoinedPerson {
            records: records.into_iter().map(|(_, record)| record).collect(),
        }
    }
}
