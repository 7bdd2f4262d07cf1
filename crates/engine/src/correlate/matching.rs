//! Whose an account is: as somebody decided, or by the rules of its source.

use super::identities::{AccountDecision, Doubt, Identities, Match, ReadyRule};
use super::left::{Past, Standing, last_of, records_of};
use super::rules::Confidence;
use super::seen::Seen;
use super::several::Several;
use super::values::{AccountKeys, Compare};
use std::hash::BuildHasher;
use std::sync::Arc;

impl Identities {
    /// Whose account it is by what it has now: as somebody decided, or by the first of its source's
    /// rules that fits.
    pub(super) fn owner_now(&self, account: &AccountKeys) -> Match {
        if !self.ground.decisions.is_empty() {
            let key = (account.system.clone(), account.id.clone());
            if let Some(decision) = self.ground.decisions.get(&key) {
                return self.decided(account, decision);
            }
        }
        self.by_rules(account)
    }

    /// Whose it is by the first of its source's rules that fits.
    pub(super) fn by_rules(&self, account: &AccountKeys) -> Match {
        let mut possible = Match::None;
        let mut doubtful = |candidates: Arc<[u32]>, rule, doubt| {
            if possible == Match::None {
                possible = Match::Possible {
                    candidates: Several::listed(candidates),
                    rule,
                    doubt,
                };
            }
        };
        let rules = self.ready.get(&account.source).unwrap_or(&self.otherwise);
        for (place, ready) in rules.iter().enumerate() {
            let led = self.led(place, ready, account);
            if led.fitting.is_empty() {
                // Whoever left keeps the account: a mail or a login may be somebody else's by now.
                let gone = self.gone(ready, account);
                match gone.or_else(|| self.whose_they_were(ready, &led)) {
                    Some(gone) => return gone,
                    None => continue,
                }
            }
            if ready.rule.confidence == Confidence::Possible {
                doubtful(led.fitting, ready.name, Doubt::Suggested);
                continue;
            }
            return match *led.agreeing {
                [] => {
                    doubtful(led.fitting, ready.name, Doubt::Differs);
                    continue;
                }
                [one] if self.is_anothers(account, one) => Match::Possible {
                    candidates: Several::listed(led.agreeing),
                    rule: ready.name,
                    doubt: Doubt::Reused,
                },
                [one] => {
                    let before = self.before(&led, account, one);
                    match before.is_empty() {
                        true => Match::One {
                            identity: one,
                            rule: ready.name,
                        },
                        false => Match::HandedOn {
                            identity: one,
                            before,
                            rule: ready.name,
                            doubt: Doubt::Left,
                        },
                    }
                }
                [_, _, ..] => Match::Ambiguous {
                    candidates: self.with_earlier(&led, account),
                    rule: ready.name,
                },
            };
        }
        possible
    }

    /// Who is listed and could be whom an account's identity id names, who is gone: its other values
    /// lead there. A roster that numbers people anew gives one person another id.
    pub fn could_be_again(&self, account: &AccountKeys, gone: &Match) -> Option<Several> {
        let Match::Gone { rule, source, id } = gone else {
            return None;
        };
        // Somebody decided it of a record of a source that was removed: whoever has the id now may be
        // the same.
        if *rule == 0 && self.name_of_source(*source).is_empty() {
            let again = self.listed_under(id);
            return (!again.is_empty()).then(|| Several::listed(again.into()));
        }
        account.identity_id.as_ref()?;
        let by_values = AccountKeys {
            identity_id: None,
            ..account.clone()
        };
        // What somebody decided is not in doubt.
        match (*rule != 0).then(|| self.by_rules(&by_values))? {
            Match::One { identity, .. } | Match::HandedOn { identity, .. } => {
                Some(Several::listed([identity].into()))
            }
            Match::Ambiguous { candidates, .. } => Some(candidates),
            Match::Possible { .. } | Match::Gone { .. } | Match::Nobodys | Match::None => None,
        }
    }

    /// Records to which a rule's values would have led before, by their places.
    pub(super) fn left(&self, ready: &ReadyRule, account: &AccountKeys) -> Vec<usize> {
        if self.left.is_empty() {
            return Vec::new();
        }
        let is_of = |source| ready.sources.is_empty() || ready.sources.contains(&source);
        self.left
            .fitting(&ready.rule, &ready.indexes, is_of, account)
    }

    /// Whoever had the values, where a source lists them now.
    pub(super) fn still(&self, past: &Past) -> Option<u32> {
        match past.standing {
            Standing::Gone | Standing::Before => self.listed(past.keys.source, &past.keys.id),
            Standing::Another => None,
        }
    }

    /// What those who are listed were called before, by one record each: under an earlier name of a
    /// record, or by one of theirs that is not listed now.
    pub fn called_before(&self) -> impl Iterator<Item = (u32, &str)> {
        self.left.records().iter().filter_map(|past| {
            let name = past.keys.display_name.as_deref()?;
            Some((self.lead(self.still(past)?), name))
        })
    }

    /// Where nobody fits by what is listed: who did, or is listed with other values.
    pub(super) fn whose_it_was(&self, ready: &ReadyRule, left: &[&Past]) -> Option<Match> {
        if ready.rule.confidence == Confidence::Possible {
            return None;
        }
        let (mut there, mut away) = (Vec::new(), Vec::new());
        for past in left {
            match self.still(past) {
                Some(number) => there.push(number),
                None => away.push(*past),
            }
        }
        let rule = ready.name;
        let candidates = self.one_each(there);
        Some(match (candidates.as_slice(), last_of(&away)) {
            ([], None) => return None,
            ([], Some(last)) => {
                let (source, id) = (last.keys.source, last.keys.id.clone());
                match self.record(source, &id) {
                    // Its id is somebody else's now, or perhaps not.
                    Some(holder) => Match::Possible {
                        candidates: Several::listed([holder].into()),
                        rule,
                        doubt: Doubt::Reused,
                    },
                    None => Match::Gone { source, id, rule },
                }
            }
            ([one], None) => Match::One {
                identity: *one,
                rule,
            },
            ([one], Some(_)) => Match::HandedOn {
                identity: *one,
                before: Several::records(records_of(&away).into()),
                rule,
                doubt: Doubt::Left,
            },
            ([_, _, ..], _) => Match::Ambiguous {
                candidates: Several::listed(candidates.into()),
                rule,
            },
        })
    }

    fn decided(&self, account: &AccountKeys, decision: &AccountDecision) -> Match {
        let target = decision.to.as_ref().map(|(s, id)| self.listed(*s, id));
        let doubt = |identity: Option<u32>| Match::Possible {
            candidates: Several::listed(identity.into_iter().collect()),
            rule: 0,
            doubt: Doubt::Reused,
        };
        let seen = decision.account_seen.in_row(account);
        let another = seen.seen.is_another(&Seen::of_account(account));
        if (another || seen.says_otherwise(account))
            && let Some(found) = self.since_decided(account, decision)
        {
            return found;
        }
        if another {
            return doubt(target.flatten());
        }
        match (target, &decision.to) {
            (None, _) | (_, None) => Match::Nobodys,
            (Some(None), Some((source, id))) => Match::Gone {
                source: *source,
                id: id.clone(),
                rule: 0,
            },
            (Some(Some(identity)), Some(_)) => {
                let now = self.seen.get(&identity);
                match now.is_some_and(|now| decision.identity_seen.is_another(now)) {
                    true => doubt(Some(identity)),
                    false => Match::One { identity, rule: 0 },
                }
            }
        }
    }

    /// The record, or else another one of the same person that is listed.
    pub fn listed(&self, source: i64, id: &str) -> Option<u32> {
        let others = self.persons.with(source, id);
        self.record(source, id).or_else(|| {
            others
                .iter()
                .find_map(|(source, id)| self.record(*source, id))
        })
    }

    fn gone(&self, ready: &ReadyRule, account: &AccountKeys) -> Option<Match> {
        let text = account.identity_id.as_deref()?;
        if self.ground.gone.is_empty() || !ready.rule.is_of_identity_id() {
            return None;
        }
        let bare = self.ground.gone.get(text).map(|sources| (text, sources));
        let (id, sources) = bare.or_else(|| {
            let (_, id) = text.split_once(':')?;
            Some((id, self.ground.gone.get(id)?))
        })?;
        let of_text = |source: &&i64| {
            let name = self.ground.source_names.get(*source);
            id == text
                || text.strip_suffix(id).and_then(|t| t.strip_suffix(':'))
                    == name.map(|n| n.as_str())
        };
        let source = *sources
            .iter()
            .find(|source| **source == account.source)
            .or_else(|| sources.iter().find(of_text))?;
        let rule = ready.name;
        Some(match self.listed(source, id) {
            Some(identity) => Match::One { identity, rule },
            None => Match::Gone {
                source,
                id: id.to_owned(),
                rule,
            },
        })
    }

    /// Everybody whom a rule's values lead to.
    pub(super) fn fitting(&self, ready: &ReadyRule, account: &AccountKeys) -> Vec<u32> {
        let rule = &ready.rule;
        let mut found: Vec<u32> = Vec::new();
        if rule.is_of_identity_id() {
            if let Some(id) = account.identity_id.as_deref() {
                found = self.named(id, account.source);
            }
        } else {
            for take in &rule.account {
                let Some(value) = account.take(take, rule.compare) else {
                    continue;
                };
                let hash = self.hasher.hash_one(value.as_str());
                for index in &ready.indexes {
                    found.extend(
                        self.indexes
                            .get(*index)
                            .into_iter()
                            .flat_map(|i| i.find(hash)),
                    );
                }
            }
        }
        if !rule.sources.is_empty() {
            found.retain(|n| ready.sources.contains(&self.source(*n)));
        }
        if !rule.kinds.is_empty() {
            let kind = |n: u32| self.kinds.get(n as usize);
            found.retain(|n| kind(*n).is_some_and(|kind| rule.kinds.contains(kind)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn agrees(&self, ready: &ReadyRule, account: &AccountKeys, identity: u32) -> bool {
        ready
            .rule
            .agree
            .iter()
            .zip(&ready.compared)
            .all(|((of_account, _), column)| {
                let column = self.compared.get(*column);
                let theirs = column.and_then(|c| c.get(identity as usize)).copied();
                match (account.take(of_account, Compare::Folded), theirs) {
                    (None, _) | (_, None | Some(0)) => true,
                    (Some(ours), Some(theirs)) => self.hasher.hash_one(ours.as_str()) == theirs,
                }
            })
    }

    /// Whether the account may be of whoever had the id before: it is not called like its holder of
    /// now, and was made before that one began, or while the other was still seen to have the id.
    fn is_anothers(&self, account: &AccountKeys, identity: u32) -> bool {
        let Some(last_seen) = self.reused.get(&identity) else {
            return false;
        };
        let Some(holder) = self.seen.get(&identity) else {
            return true;
        };
        let own = Seen::of_account(account);
        let younger = own.since.is_some()
            && own.since >= holder.since
            && holder.since.is_some()
            && own.since > *last_seen;
        let called = |name: &Option<String>| name.as_deref().map(super::values::folded);
        let alike = own.name.is_some() && called(&own.name) == called(&holder.name);
        !younger && !alike
    }
}
