//! What the values of an account lead to by one rule: everybody who has them, and whoever had them
//! before. Found once for all accounts whose values many people have, or had.

use super::identities::{Identities, Match, ReadyRule};
use super::left::{Past, is_clearly_of, is_later, records_of};
use super::seen::Seen;
use super::several::Several;
use super::values::{AccountKeys, Compare, folded};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What a rule finds for an account, and for any other one with the same values.
#[derive(Clone)]
pub(super) struct Led {
    /// Everybody who has the values.
    pub(super) fitting: Arc<[u32]>,
    /// Those of them of whom agrees what should.
    pub(super) agreeing: Arc<[u32]>,
    had: Option<Arc<Had>>,
}

/// Those who had the values before, by their places among all of them.
struct Had {
    places: Vec<usize>,
    /// When it was seen that some of them had them no more: each moment once, in order.
    moments: Vec<String>,
    /// Whose accounts are where nobody has the values now.
    was: OnceLock<Option<Match>>,
    /// The others of the past, by what of an account it depends on.
    others: Mutex<HashMap<Made, Several>>,
}

/// What of an account it depends on who of those had its values before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Made {
    /// How many moments had passed when it was made.
    after: usize,
    /// Whether it is called like whoever has the values now.
    like_holder: bool,
}

impl Had {
    fn made(&self, account: &AccountKeys, holder: Option<&Seen>) -> Made {
        let since = Seen::of_account(account).since;
        let called = |name: &Option<String>| name.as_deref().map(|name| folded(name.trim()));
        let like =
            |holder: &Seen| account.name.is_some() && called(&account.name) == called(&holder.name);
        Made {
            after: since.map_or(0, |since| {
                self.moments.partition_point(|until| *until <= since)
            }),
            like_holder: holder.is_some_and(like),
        }
    }

    fn others(&self, made: Made, find: impl FnOnce() -> Several) -> Several {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.entry(made).or_insert_with(find).clone()
    }
}

impl Identities {
    /// What a rule, the one at a place among those of the account's source, finds for it.
    pub(super) fn led(&self, place: usize, ready: &ReadyRule, account: &AccountKeys) -> Led {
        if !self.leads_to_many(ready, account) {
            return self.look(ready, account);
        }
        let key = self.values_by(place, ready, account);
        let known = || self.led.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(led) = known().get(&key) {
            return led.clone();
        }
        let led = self.look(ready, account);
        known().insert(key, led.clone());
        led
    }

    fn look(&self, ready: &ReadyRule, account: &AccountKeys) -> Led {
        let fitting = self.fitting(ready, account);
        let agreeing = match ready.rule.agree.is_empty() {
            true => None,
            false => {
                let agreeing = fitting.iter().copied();
                let agreeing = agreeing.filter(|n| self.agrees(ready, account, *n));
                Some(self.one_each(agreeing.collect()).into())
            }
        };
        let fitting: Arc<[u32]> = self.one_each(fitting).into();
        Led {
            agreeing: agreeing.unwrap_or_else(|| fitting.clone()),
            fitting,
            had: self.had(ready, account),
        }
    }

    fn had(&self, ready: &ReadyRule, account: &AccountKeys) -> Option<Arc<Had>> {
        let places = self.left(ready, account);
        if places.is_empty() {
            return None;
        }
        let pasts = self.left.at(&places);
        let mut moments: Vec<String> = pasts.filter_map(|past| past.until.clone()).collect();
        moments.sort_unstable();
        moments.dedup();
        Some(Arc::new(Had {
            places,
            moments,
            was: OnceLock::new(),
            others: Mutex::default(),
        }))
    }

    /// Whether more than a few have the values that a rule takes of an account, or had them.
    fn leads_to_many(&self, ready: &ReadyRule, account: &AccountKeys) -> bool {
        if self.most <= self.few || ready.rule.is_of_identity_id() {
            return false;
        }
        let values = ready.rule.account.iter();
        let values = values.filter_map(|take| account.take(take, ready.rule.compare));
        let has = |value: String| -> usize {
            let hash = self.hasher.hash_one(value.as_str());
            let indexes = ready.indexes.iter();
            let indexes = indexes.filter_map(|index| self.indexes.get(*index));
            indexes
                .map(|index| index.find(hash).take(self.few.saturating_add(1)).count())
                .sum()
        };
        values.map(has).sum::<usize>() > self.few
            || !self.left.is_empty()
                && self
                    .left
                    .more_than(self.few, &ready.rule, &ready.indexes, account)
    }

    /// A number of all that a rule by values takes of an account.
    pub(super) fn values_by(&self, place: usize, ready: &ReadyRule, account: &AccountKeys) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        (account.source, place).hash(&mut hasher);
        for take in &ready.rule.account {
            account.take(take, ready.rule.compare).hash(&mut hasher);
        }
        for (of_account, _) in &ready.rule.agree {
            account.take(of_account, Compare::Folded).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Where nobody has the values: whoever did, or is listed with others.
    pub(super) fn whose_they_were(&self, ready: &ReadyRule, led: &Led) -> Option<Match> {
        let had = led.had.as_ref()?;
        let was = had.was.get_or_init(|| {
            let pasts: Vec<&Past> = self.left.at(&had.places).collect();
            self.whose_it_was(ready, &pasts)
        });
        was.clone()
    }

    /// Others who had the same values before and may be whose account it is, the latest first.
    pub(super) fn before(&self, led: &Led, account: &AccountKeys, identity: u32) -> Several {
        let Some(had) = &led.had else {
            return Several::default();
        };
        let holder = self.seen.get(&identity).cloned().unwrap_or_default();
        had.others(had.made(account, Some(&holder)), || {
            let lead = self.lead(identity);
            let mut left: Vec<&Past> = self.left.at(&had.places).collect();
            left.retain(|past| {
                self.still(past).is_none_or(|n| self.lead(n) != lead)
                    && !is_clearly_of(account, &holder, past)
            });
            Several::records(records_of(&left).into())
        })
    }

    /// Everybody who has the values, with whoever is listed, has others by now, and had the same
    /// before: several who have them now do not make it theirs.
    pub(super) fn with_earlier(&self, led: &Led, account: &AccountKeys) -> Several {
        let Some(had) = &led.had else {
            return Several::listed(led.agreeing.clone());
        };
        had.others(had.made(account, None), || {
            let left = self.left.at(&had.places);
            let before = left
                .filter(|past| !is_later(account, past))
                .filter_map(|past| self.still(past));
            let all = led.agreeing.iter().copied().chain(before);
            Several::listed(self.one_each(all.collect()).into())
        })
    }
}
