//! What accounts themselves had before: one whose own mail or login was cleared or changed in its
//! system may still be whose it was, and nobody passes for such a change.

use super::identities::{AccountDecision, Doubt, Identities, Match};
use super::seen::Seen;
use super::values::AccountKeys;
use std::hash::BuildHasher;

/// What follows the name of a rule where it goes by a value that the account has no more.
pub const EARLIER_VALUE: &str = " (earlier value)";

/// The rule that a link's rule names, where it goes by a value that the account has no more.
pub fn by_earlier_value(rule: &str) -> Option<&str> {
    rule.strip_suffix(EARLIER_VALUE)
}

/// Whose an account was by values that it had.
pub(super) struct Before {
    found: Match,
    /// When it was first seen that it has them no more.
    until: Option<String>,
}

/// Somebody whose account it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whose {
    /// The first of the person's records that are listed.
    There(u32),
    /// Source row and id.
    Away(i64, String),
}

impl Identities {
    /// Whose account it is: by what it has now, and by what it had before.
    pub fn owner_of(&self, account: &AccountKeys) -> Match {
        let now = self.owner_now(account);
        if self.before.is_empty() || self.is_decided(account) {
            return now;
        }
        let Some(before) = self.before.get(&self.number_of(account)) else {
            return now;
        };
        let made = Seen::of_account(account).since;
        let then = before
            .iter()
            // An account that was made later is another one under the same id.
            .filter(|before| made.is_none() || before.until.is_none() || made < before.until)
            .fold(Match::None, |then, before| {
                self.after(account.source, then, before.found.clone())
            });
        self.after(account.source, then, now)
    }

    /// Whether something that it had before says whose it is, or that it is in doubt.
    pub fn rests_on_its_past(&self, account: &AccountKeys) -> bool {
        // A decision can be undone.
        self.is_decided(account)
            || !self.before.is_empty() && self.owner_of(account) != self.owner_now(account)
    }

    /// Notes what an account had before, in the order in which it had it. Whoever is asked for is
    /// to be known by then.
    pub fn remember(&mut self, before: &AccountKeys, until: Option<String>) {
        if self.is_decided(before) {
            return;
        }
        let found = self.owner_now(before);
        if found != Match::None {
            let number = self.number_of(before);
            let all = self.before.entry(number).or_default();
            all.push(Before { found, until });
        }
    }

    fn number_of(&self, account: &AccountKeys) -> u64 {
        let AccountKeys {
            source, system, id, ..
        } = account;
        self.hasher.hash_one((source, system, id))
    }

    fn is_decided(&self, account: &AccountKeys) -> bool {
        !self.ground.decisions.is_empty() && {
            let key = (account.system.clone(), account.id.clone());
            self.ground.decisions.contains_key(&key)
        }
    }

    /// Whose it is after it was somebody's: what leads to nobody now leaves it whose it was, what
    /// leads to somebody else leaves both, unless the system itself says whose it is.
    fn after(&self, source: i64, then: Match, now: Match) -> Match {
        if now == Match::None {
            return self.once(then);
        }
        if self.says_itself(source, &now) {
            return now;
        }
        let of_now = self.whose(&now);
        let mut others = self.whose(&then);
        others.retain(|whose| !of_now.contains(whose));
        if others.is_empty() {
            return now;
        }
        let there = |others: &[Whose]| -> Vec<u32> {
            let there = others.iter().filter_map(|whose| match whose {
                Whose::There(number) => Some(*number),
                Whose::Away(..) => None,
            });
            there.collect()
        };
        let records = |others: Vec<Whose>| others.into_iter().map(|whose| self.record_of(whose));
        match now {
            Match::One { identity, rule } => Match::HandedOn {
                identity,
                before: records(others).collect(),
                rule,
                doubt: Doubt::Changed,
            },
            Match::HandedOn {
                identity,
                mut before,
                rule,
                doubt,
            } => {
                before.extend(records(others));
                Match::HandedOn {
                    identity,
                    before,
                    rule,
                    doubt,
                }
            }
            Match::Gone { source, id, rule } => match there(&others).first() {
                Some(first) => {
                    others.retain(|whose| *whose != Whose::There(*first));
                    let mut before = vec![(source, id)];
                    before.extend(records(others));
                    Match::HandedOn {
                        identity: *first,
                        before,
                        rule,
                        doubt: Doubt::Changed,
                    }
                }
                None => Match::Gone { source, id, rule },
            },
            Match::Ambiguous {
                mut candidates,
                rule,
            } => {
                candidates.extend(there(&others));
                Match::Ambiguous { candidates, rule }
            }
            Match::Possible {
                mut candidates,
                rule,
                doubt,
            } => {
                candidates.extend(there(&others));
                Match::Possible {
                    candidates,
                    rule,
                    doubt,
                }
            }
            Match::Nobodys | Match::None => now,
        }
    }

    /// What was found by values that the account has no more.
    fn once(&self, mut found: Match) -> Match {
        match &mut found {
            Match::One { rule, .. }
            | Match::Ambiguous { rule, .. }
            | Match::Possible { rule, .. }
            | Match::HandedOn { rule, .. }
            | Match::Gone { rule, .. } => *rule = self.earlier(*rule),
            Match::Nobodys | Match::None => {}
        }
        found
    }

    /// The number of a rule's name where it goes by an earlier value.
    fn earlier(&self, rule: u16) -> u16 {
        match usize::from(rule) < self.named_rules {
            true => rule.saturating_add(u16::try_from(self.named_rules).unwrap_or(u16::MAX)),
            false => rule,
        }
    }

    /// Whether that is what the account's system says itself.
    fn says_itself(&self, source: i64, found: &Match) -> bool {
        let (Match::One { rule, .. } | Match::Gone { rule, .. }) = found else {
            return false;
        };
        let rules = self.ready.get(&source).unwrap_or(&self.otherwise);
        let ready = rules.iter().find(|ready| ready.name == *rule);
        ready.is_some_and(|ready| ready.rule.is_of_identity_id())
    }

    fn whose(&self, found: &Match) -> Vec<Whose> {
        let there = |number: &u32| Whose::There(self.lead(*number));
        let record = |source: i64, id: &str| self.whose_record(source, id);
        match found {
            Match::One { identity, .. } => vec![there(identity)],
            Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
                candidates.iter().map(there).collect()
            }
            Match::HandedOn {
                identity, before, ..
            } => {
                let before = before.iter().map(|(source, id)| record(*source, id));
                std::iter::once(there(identity)).chain(before).collect()
            }
            Match::Gone { source, id, .. } => vec![record(*source, id)],
            Match::Nobodys | Match::None => Vec::new(),
        }
    }

    /// Where an account that has changed since somebody decided whose it is leads to somebody else by
    /// now: both, in doubt.
    pub(super) fn since_decided(
        &self,
        account: &AccountKeys,
        decision: &AccountDecision,
    ) -> Option<Match> {
        let decided: Vec<Whose> = decision
            .to
            .iter()
            .map(|(source, id)| self.whose_record(*source, id))
            .collect();
        let mut others = self.whose(&self.by_rules(account));
        others.retain(|whose| !decided.contains(whose));
        if others.is_empty() {
            return None;
        }
        let mut all = decided;
        all.extend(others);
        let there = |whose: &Whose| match whose {
            Whose::There(number) => Some(*number),
            Whose::Away(..) => None,
        };
        let identity = all.iter().find_map(there);
        let Some(identity) = identity else {
            // Nobody of them is listed: the latest word counts.
            let (source, id) = self.record_of(all.pop()?);
            return Some(Match::Gone {
                source,
                id,
                rule: 0,
            });
        };
        all.retain(|whose| *whose != Whose::There(identity));
        Some(Match::HandedOn {
            identity,
            before: all.into_iter().map(|whose| self.record_of(whose)).collect(),
            rule: 0,
            doubt: Doubt::Decided,
        })
    }

    fn whose_record(&self, source: i64, id: &str) -> Whose {
        match self.listed(source, id) {
            Some(number) => Whose::There(self.lead(number)),
            None => Whose::Away(source, id.to_owned()),
        }
    }

    fn record_of(&self, whose: Whose) -> (i64, String) {
        match whose {
            Whose::There(number) => (self.source(number), self.id(number).to_owned()),
            Whose::Away(source, id) => (source, id),
        }
    }
}
