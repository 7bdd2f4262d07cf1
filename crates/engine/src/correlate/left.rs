//! What records had before, by the values that rules go by: whoever leaves or is renamed keeps their
//! accounts, and a mail, a login or an id may be given to somebody else.

use super::rules::Rule;
use super::seen::Seen;
use super::values::{AccountKeys, Compare, IdentityKeys, Take, folded};
use std::cmp::Reverse;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

/// Values that a record had, and has no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    pub keys: IdentityKeys,
    pub standing: Standing,
    /// When it was first seen that it has them no more.
    pub until: Option<String>,
}

impl Past {
    pub fn new(keys: IdentityKeys, standing: Standing, until: Option<String>) -> Self {
        Past {
            keys,
            standing,
            until,
        }
    }
}

/// How a record stands to values that it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No source lists it now: its last values.
    Gone,
    /// It has had others since.
    Before,
    /// Its id seems to have been given to somebody else since.
    Another,
}

impl Standing {
    pub fn word(self) -> &'static str {
        match self {
            Standing::Gone => "gone",
            Standing::Before => "before",
            Standing::Another => "another",
        }
    }
}

/// What records had before.
#[derive(Default)]
pub(super) struct Left {
    records: Arc<[Past]>,
    hasher: RandomState,
    /// Places in `records`, by the number of what is taken and the hash of its value.
    by_value: HashMap<(usize, u64), Vec<usize>>,
}

impl Left {
    pub fn new(records: Arc<[Past]>, takes: &[(Take, Compare)]) -> Self {
        let mut left = Left::default();
        for (place, record) in records.iter().enumerate() {
            for (number, (take, compare)) in takes.iter().enumerate() {
                if let Some(value) = record.keys.take(take, *compare) {
                    let key = (number, left.hasher.hash_one(value.as_str()));
                    left.by_value.entry(key).or_default().push(place);
                }
            }
        }
        left.records = records;
        left
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What records had before, and those that are not listed had last.
    pub fn records(&self) -> &[Past] {
        &self.records
    }

    /// How many records had the value that most had.
    pub fn most(&self) -> usize {
        self.by_value.values().map(Vec::len).max().unwrap_or(0)
    }

    /// Whether some record had the value before.
    pub fn had(&self, taken: usize, value: &str) -> bool {
        self.by_value
            .contains_key(&(taken, self.hasher.hash_one(value)))
    }

    /// Whether a rule's values were those of more than so many.
    pub fn more_than(
        &self,
        few: usize,
        rule: &Rule,
        taken: &[usize],
        account: &AccountKeys,
    ) -> bool {
        let had = self.had_by(rule, taken, account);
        had.map(Vec::len).sum::<usize>() > few
    }

    fn had_by<'l>(
        &'l self,
        rule: &Rule,
        taken: &[usize],
        account: &AccountKeys,
    ) -> impl Iterator<Item = &'l Vec<usize>> {
        let takes = rule.account.iter();
        let values = takes.filter_map(|take| account.take(take, rule.compare));
        let hashes = values.map(|value| self.hasher.hash_one(value.as_str()));
        let keys = hashes.flat_map(|hash| taken.iter().map(move |t| (*t, hash)));
        let found = keys.filter_map(|key| self.by_value.get(&key));
        // Of one account there are few.
        found.collect::<Vec<_>>().into_iter()
    }

    /// Everybody whom a rule by values would have led to, by their places: `taken` are the numbers of
    /// what it takes of identities, `is_of` says whether it is about a source.
    pub fn fitting(
        &self,
        rule: &Rule,
        taken: &[usize],
        is_of: impl Fn(i64) -> bool,
        account: &AccountKeys,
    ) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::new();
        places.extend(self.had_by(rule, taken, account).flatten());
        places.sort_unstable();
        places.dedup();
        places.retain(|place| {
            self.records.get(*place).is_some_and(|past| {
                is_of(past.keys.source)
                    && (rule.kinds.is_empty() || rule.kinds.contains(&past.keys.kind))
                    && agrees(rule, account, &past.keys)
            })
        });
        places
    }

    /// The records at some places.
    pub fn at<'l>(&'l self, places: &'l [usize]) -> impl Iterator<Item = &'l Past> {
        places.iter().filter_map(|place| self.records.get(*place))
    }
}

fn agrees(rule: &Rule, account: &AccountKeys, record: &IdentityKeys) -> bool {
    rule.agree.iter().all(|(ours, theirs)| {
        let ours = account.take(ours, Compare::Folded);
        let theirs = record.take(theirs, Compare::Folded);
        ours.is_none() || theirs.is_none() || ours == theirs
    })
}

/// Of several, the one who began last.
pub(super) fn last_of<'l>(records: &[&'l Past]) -> Option<&'l Past> {
    let began = |past: &Past| Seen::of_identity(&past.keys).since;
    let last = records
        .iter()
        .max_by_key(|past| (began(past), past.keys.source, past.keys.id.as_str()));
    last.copied()
}

/// The records, the one who began last first.
pub(super) fn records_of(records: &[&Past]) -> Vec<(i64, String)> {
    let began = |past: &Past| Seen::of_identity(&past.keys).since;
    let mut sorted: Vec<&Past> = records.to_vec();
    sorted.sort_by_key(|past| Reverse((began(past), past.keys.source, past.keys.id.as_str())));
    let mut there = HashSet::new();
    let records = sorted
        .into_iter()
        .map(|past| (past.keys.source, past.keys.id.clone()));
    records
        .filter(|record| there.insert(record.clone()))
        .collect()
}

/// Whether an account was made when the record had the values no more.
pub(super) fn is_later(account: &AccountKeys, before: &Past) -> bool {
    match (&Seen::of_account(account).since, &before.until) {
        (Some(since), Some(until)) => since >= until,
        (None, _) | (_, None) => false,
    }
}

/// Whether an account is clearly of whoever has its values now, and not of the one who had them
/// before: it was made after that one had them no more, or it is called like its holder of now and
/// not like the other.
pub(super) fn is_clearly_of(account: &AccountKeys, holder: &Seen, before: &Past) -> bool {
    let own = Seen::of_account(account);
    let called = |seen: &Seen| seen.name.as_deref().map(|name| folded(name.trim()));
    let name = called(&own);
    is_later(account, before)
        || name.is_some()
            && name == called(holder)
            && name != called(&Seen::of_identity(&before.keys))
}
