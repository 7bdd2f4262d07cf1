//! Records that no source lists now, by the values that rules go by: whoever leaves keeps their
//! accounts, and a mail or a login may be given to somebody else.

use super::rules::Rule;
use super::seen::Seen;
use super::values::{AccountKeys, Compare, IdentityKeys, Take, folded};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

/// Records that were listed once, with their last values.
#[derive(Default)]
pub(super) struct Left {
    records: Arc<[IdentityKeys]>,
    hasher: RandomState,
    /// Places in `records`, by the number of what is taken and the hash of its value.
    by_value: HashMap<(usize, u64), Vec<usize>>,
}

impl Left {
    pub fn new(records: Arc<[IdentityKeys]>, takes: &[(Take, Compare)]) -> Self {
        let mut left = Left::default();
        for (place, record) in records.iter().enumerate() {
            for (number, (take, compare)) in takes.iter().enumerate() {
                if let Some(value) = record.take(take, *compare) {
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

    /// Whether somebody who left had the value.
    pub fn had(&self, taken: usize, value: &str) -> bool {
        self.by_value
            .contains_key(&(taken, self.hasher.hash_one(value)))
    }

    /// Everybody whom a rule by values would have led to: `taken` are the numbers of what it takes
    /// of identities, `is_of` says whether it is about a source.
    pub fn fitting<'l>(
        &'l self,
        rule: &Rule,
        taken: &[usize],
        is_of: impl Fn(i64) -> bool,
        account: &AccountKeys,
    ) -> Vec<&'l IdentityKeys> {
        let mut places: Vec<usize> = Vec::new();
        for take in &rule.account {
            let Some(value) = account.take(take, rule.compare) else {
                continue;
            };
            let hash = self.hasher.hash_one(value.as_str());
            let found = taken.iter().filter_map(|t| self.by_value.get(&(*t, hash)));
            places.extend(found.flatten());
        }
        places.sort_unstable();
        places.dedup();
        let records = places.into_iter().filter_map(|p| self.records.get(p));
        records
            .filter(|record| is_of(record.source))
            .filter(|record| rule.kinds.is_empty() || rule.kinds.contains(&record.kind))
            .filter(|record| agrees(rule, account, record))
            .collect()
    }
}

fn agrees(rule: &Rule, account: &AccountKeys, record: &IdentityKeys) -> bool {
    rule.agree.iter().all(|(ours, theirs)| {
        let ours = account.take(ours, Compare::Folded);
        let theirs = record.take(theirs, Compare::Folded);
        ours.is_none() || theirs.is_none() || ours == theirs
    })
}

/// Of several who left, the one who began last.
pub(super) fn last_of<'l>(records: &[&'l IdentityKeys]) -> Option<&'l IdentityKeys> {
    let began = |record: &IdentityKeys| Seen::of_identity(record).since;
    let last = records
        .iter()
        .max_by_key(|r| (began(r), r.source, r.id.as_str()));
    last.copied()
}

/// Whether an account is clearly of its holder of now, and not of the one who had the same value
/// before: it is not older than its holder, or it is called like that one and not like the other.
pub(super) fn is_clearly_of(account: &AccountKeys, holder: &Seen, before: &Seen) -> bool {
    let own = Seen::of_account(account);
    let younger = own.since.is_some() && holder.since.is_some() && own.since >= holder.since;
    let called = |seen: &Seen| seen.name.as_deref().map(|name| folded(name.trim()));
    let name = called(&own);
    younger || name.is_some() && name == called(holder) && name != called(before)
}
