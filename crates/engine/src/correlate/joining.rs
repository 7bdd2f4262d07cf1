//! Joining records into persons: as somebody decided, then by each confirmed rule in turn.
//!
//! A rule joins records that have one value, and doubts where it cannot be right: two records that
//! one source lists at the same time, or two whose names and beginnings both differ. Whoever has a
//! mail after somebody left is not that person: a rule by mail joins nobody who is gone.

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
    /// Source row and id; no more than a few of many.
    pub records: Vec<(i64, String)>,
    pub count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubtedJoin {
    /// One source lists two of them at once.
    TwiceInOneSource,
    /// Their names and their beginnings differ.
    Differ,
}

impl DoubtedJoin {
    pub fn word(self) -> &'static str {
        match self {
            DoubtedJoin::TwiceInOneSource => "one source lists several with this value",
            DoubtedJoin::Differ => "names and start dates differ",
        }
    }
}

/// How many records a doubt names.
const NAMED: usize = 20;

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
    decided: HashMap<(i64, String), u32>,
    sources: Vec<i64>,
    ids: Texts,
    listed: Vec<Listed>,
    /// Hashes of name and beginning; 0 where not known.
    holders: Vec<(u64, u64)>,
    /// By rule.
    values: Vec<Vec<Value>>,
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
            rules,
            source_names,
            hasher: RandomState::new(),
            decided: HashMap::new(),
            sources: Vec::new(),
            ids: Texts::default(),
            listed: Vec::new(),
            holders: Vec::new(),
        };
        for (source, id) in decisions.iter().flat_map(|d| &d.records) {
            if !records.decided.contains_key(&(*source, id.clone())) {
                let number = records.push(*source, id, Listed::Once, (0, 0));
                records.decided.insert((*source, id.clone()), number);
            }
        }
        records
    }

    /// Whether only what decisions name is needed.
    pub fn needs_no_more(&self) -> bool {
        self.rules.rules.is_empty() && self.decided.is_empty()
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
        let known = self.decided.get(&key).copied();
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
        let source = self.source_names.get(&record.source);
        let source = source.map_or("", String::as_str);
        for (rule, values) in self.rules.rules.iter().zip(&mut self.values) {
            let Some(take) = rule.take(source, record.kind) else {
                continue;
            };
            if listed == Listed::Once && take.column == Column::Email {
                continue;
            }
            if let Some(value) = record.take(take, rule.compare) {
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
        let number = |record: &(i64, String)| self.decided.get(record).copied();
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
        let mut doubts = Vec::new();
        let all = std::mem::take(&mut self.values);
        for (n, mut values) in all.into_iter().enumerate() {
            values.sort_unstable();
            for equal in values.chunk_by(|a, b| a.hash == b.hash) {
                let records: Vec<u32> = equal.iter().map(|v| v.record).collect();
                if let Some(reason) = self.doubt(&records, &mut groups) {
                    doubts.push(self.told(n, reason, &records));
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
        let persons = groups.several();
        (
            persons.into_iter().map(|g| self.person(g, &how)).collect(),
            doubts,
        )
    }

    /// Why records of one value are not one person.
    fn doubt(&self, records: &[u32], groups: &mut Groups) -> Option<DoubtedJoin> {
        let listed = |r: &u32| self.listed.get(*r as usize) == Some(&Listed::Now);
        let source = |r: u32| self.sources.get(r as usize);
        let mut lowest: HashSet<u32> = HashSet::new();
        let mut seen: HashMap<Option<&i64>, u32> = HashMap::new();
        for record in records.iter().copied() {
            let group = groups.lowest(record);
            lowest.insert(group);
            // Somebody may have decided that the two are one.
            if listed(&record)
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
        let holder = |r: &u32| self.holders.get(*r as usize).copied().unwrap_or((0, 0));
        let differ = |a: u64, b: u64| a != 0 && b != 0 && a != b;
        let first = holder(records.first()?);
        records
            .iter()
            .map(holder)
            .any(|h| differ(h.0, first.0) && differ(h.1, first.1))
            .then_some(DoubtedJoin::Differ)
    }

    fn told(&self, rule: usize, reason: DoubtedJoin, records: &[u32]) -> PersonDoubt {
        let rule = self.rules.rules.get(rule);
        let named = records.iter().take(NAMED);
        PersonDoubt {
            rule: rule.map_or_else(String::new, |rule| rule.name.clone()),
            reason,
            records: named.map(|r| self.record(*r)).collect(),
            count: records.len() as u64,
        }
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

#[cfg(test)]
mod tests {
    use super::super::rules_text::parse_person_rules;
    use super::*;

    const BY_NUMBER: &str = "[[rule]]\nname = \"number\"\nrecord = \"attributes.n\"";
    const BY_MAIL: &str = "[[rule]]\nname = \"mail\"\nrecord = \"email\"";

    fn record(name: &str) -> (i64, String) {
        let (source, id) = name.split_once(':').unwrap();
        (source.parse().unwrap(), id.to_owned())
    }

    /// `1:u1 value name since`, with `-` before it where it is gone.
    fn keys(text: &str) -> (IdentityKeys, Listed) {
        let (text, listed) = match text.strip_prefix('-') {
            Some(text) => (text, Listed::Once),
            None => (text, Listed::Now),
        };
        let words: Vec<&str> = text.split(' ').collect();
        let (source, id) = record(words[0]);
        let mut keys = IdentityKeys::named(source, &id, Some(words[1]));
        keys.attributes.insert("n".to_owned(), words[1].to_owned());
        keys.display_name = words.get(2).map(|n| (*n).to_owned());
        keys.start_date = words.get(3).map(|n| (*n).into());
        (keys, listed)
    }

    fn check(rules: &str, decisions: &[(Says, &str, &str)], all: &[&str], expected: &[&str]) {
        let decisions: Vec<PersonDecision> = decisions
            .iter()
            .map(|(says, a, b)| PersonDecision {
                says: *says,
                records: [record(a), record(b)],
            })
            .collect();
        let names = (1..5).map(|n| (n, format!("s{n}"))).collect();
        let rules = parse_person_rules(rules).unwrap();
        let mut records = Records::new(rules, names, &decisions);
        for text in all {
            let (keys, listed) = keys(text);
            records.add(&keys, listed);
        }
        let (persons, doubts) = records.join(&decisions);
        let mut found: Vec<String> = persons
            .iter()
            .map(|person| {
                let records = person.records.iter();
                let records: Vec<String> = records
                    .map(|(s, id, how)| format!("{s}:{id} {how}"))
                    .collect();
                records.join(", ")
            })
            .collect();
        found.extend(doubts.iter().map(|d| {
            let records: Vec<String> = d
                .records
                .iter()
                .map(|(s, id)| format!("{s}:{id}"))
                .collect();
            format!("{} ({}): {}", records.join(" "), d.rule, d.reason.word())
        }));
        assert_eq!(found, expected, "{all:?}");
    }

    #[test]
    fn records_with_one_value_are_one_person_in_the_order_of_their_sources() {
        let all = ["1:a x", "2:b X", "3:c y"];
        check(BY_NUMBER, &[], &all, &["1:a number, 2:b number"]);
        let ordered = format!("precedence = [\"s2\"]\n{BY_NUMBER}");
        check(&ordered, &[], &all, &["2:b number, 1:a number"]);
        check("", &[], &all, &[]);
    }

    #[test]
    fn decisions_go_before_rules() {
        let all = ["1:a x", "2:b x", "3:c y"];
        let apart = (Says::Apart, "2:b", "1:a");
        check(BY_NUMBER, &[apart], &all, &[]);
        let same = (Says::Same, "1:a", "3:c");
        let joined = ["1:a decision, 2:b number, 3:c decision"];
        check(BY_NUMBER, &[same], &all, &joined);
        check(
            BY_NUMBER,
            &[same, apart],
            &all,
            &["1:a decision, 3:c decision"],
        );
        let never_listed = (Says::Same, "1:a", "4:z");
        check("", &[never_listed], &[], &["1:a decision, 4:z decision"]);
    }

    #[test]
    fn two_that_one_source_lists_at_once_are_two_until_somebody_decides() {
        let all = ["1:a x", "1:b x", "2:c x"];
        let doubt = "1:a 1:b 2:c (number): one source lists several with this value";
        check(BY_NUMBER, &[], &all, &[doubt]);
        let same = (Says::Same, "1:a", "1:b");
        let joined = "1:a decision, 1:b decision, 2:c number";
        check(BY_NUMBER, &[same], &all, &[joined]);
    }

    #[test]
    fn a_rehire_under_a_new_id_is_the_same_person_and_a_mail_given_on_is_not() {
        let rehired = ["-1:a x Ann 2010", "1:b x Ann 2024"];
        check(BY_NUMBER, &[], &rehired, &["1:b number, 1:a number"]);
        check(BY_MAIL, &[], &rehired, &[]);
        let elsewhere = ["1:a x Ann 2010", "2:b x Ann 2024"];
        check(BY_MAIL, &[], &elsewhere, &["1:a mail, 2:b mail"]);
    }

    #[test]
    fn another_name_and_another_beginning_are_another_person() {
        let all = ["1:a x Ann 2010", "2:b x Bob 2024"];
        let doubt = "1:a 2:b (number): names and start dates differ";
        check(BY_NUMBER, &[], &all, &[doubt]);
        let married = ["1:a x Ann 2010", "2:b x Mia 2010"];
        check(BY_NUMBER, &[], &married, &["1:a number, 2:b number"]);
        let same = (Says::Same, "1:a", "2:b");
        let joined = "1:a decision, 2:b decision";
        check(BY_NUMBER, &[same], &all, &[joined]);
    }
}
