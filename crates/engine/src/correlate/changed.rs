//! What accounts themselves had before: one whose own mail or login was cleared or changed in its
//! system may still be whose it was, and nobody passes for such a change.

use super::identities::{AccountDecision, Doubt, Identities, Match};
use super::seen::Seen;
use super::several::{Part, Several};
use super::values::AccountKeys;
use crate::lifecycle::Basis;
use std::hash::BuildHasher;

/// Whose an account is, and how that is known.
pub type Owned = (u32, Basis);

/// What follows the name of a rule where it goes by a value that the account has no more.
pub const EARLIER_VALUE: &str = " (earlier value)";

/// The rule that a link's rule names, where it goes by a value that the account has no more.
pub fn by_earlier_value(rule: &str) -> Option<&str> {
    rule.strip_suffix(EARLIER_VALUE)
}

/// Whose an account was by values that it had.
pub(super) struct Before {
    /// The row of the source that told so; none where that source lists the account no more: then it
    /// counts whoever else lists it.
    source: Option<i64>,
    found: Match,
    /// When it was first seen that it has them no more.
    until: Option<String>,
    /// When it was made, as it was told then.
    made: Option<String>,
}

impl Identities {
    /// Of an account of which somebody decided whose it is: the number of the decision, and whose it could
    /// be by the rules alone.
    pub fn but_for_decision(&self, account: &AccountKeys) -> Option<(i64, Several)> {
        if self.ground.decisions.is_empty() {
            return None;
        }
        let key = (account.system.clone(), account.id.clone());
        let decision = self.ground.decisions.get(&key)?;
        Some((decision.number, self.whose(&self.by_rules(account))))
    }

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
            .filter(|before| before.source.is_none_or(|one| one == account.source))
            // An account that was made later is another one under the same id; one that was said
            // to be made then all along is not.
            .filter(|before| {
                made.is_none()
                    || before.until.is_none()
                    || made < before.until
                    || made == before.made
            })
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
        self.remember_by(Some(before.source), before, until);
    }

    /// The same of what a source told that lists the account no more: it counts for every row of it.
    pub fn remember_of_all(&mut self, before: &AccountKeys, until: Option<String>) {
        self.remember_by(None, before, until);
    }

    fn remember_by(&mut self, source: Option<i64>, before: &AccountKeys, until: Option<String>) {
        if self.is_decided(before) {
            return;
        }
        let found = self.owner_now(before);
        if found != Match::None {
            let number = self.number_of(before);
            let all = self.before.entry(number).or_default();
            let made = Seen::of_account(before).since;
            all.push(Before {
                source,
                found,
                until,
                made,
            });
        }
    }

    fn number_of(&self, account: &AccountKeys) -> u64 {
        self.hasher.hash_one((&account.system, &account.id))
    }

    /// Takes whom another row of an account leads to, with how that is known: the first stands. Whom
    /// it leads to where that is somebody else.
    pub fn owned_too(&self, owner: &mut Option<Owned>, found: Owned) -> Option<u32> {
        match owner {
            Some((first, _)) if self.lead(*first) != self.lead(found.0) => return Some(found.0),
            Some((_, basis)) => *basis = found.1.min(*basis),
            None => *owner = Some(found),
        }
        None
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
        let others = self.less(self.whose(&then), &self.whose(&now));
        if others.is_empty() {
            return now;
        }
        match now {
            Match::One { identity, rule } => Match::HandedOn {
                identity,
                before: others,
                rule,
                doubt: Doubt::Changed,
            },
            Match::HandedOn {
                identity,
                before,
                rule,
                doubt,
            } => Match::HandedOn {
                identity,
                before: before.and(others),
                rule,
                doubt,
            },
            Match::Gone { source, id, rule } => match first_listed(&others) {
                Some(first) => {
                    let gone = Several::records([(source, id)].into());
                    let first_one = Several::listed([first].into());
                    Match::HandedOn {
                        identity: first,
                        before: gone.and(self.less(others, &first_one)),
                        rule,
                        doubt: Doubt::Changed,
                    }
                }
                None => Match::Gone { source, id, rule },
            },
            Match::Ambiguous { candidates, rule } => Match::Ambiguous {
                candidates: candidates.and(only_listed(&others)),
                rule,
            },
            Match::Possible {
                candidates,
                rule,
                doubt,
            } => Match::Possible {
                candidates: candidates.and(only_listed(&others)),
                rule,
                doubt,
            },
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

    /// Where an account that has changed since somebody decided whose it is leads to somebody else by
    /// now: both, in doubt.
    pub(super) fn since_decided(
        &self,
        account: &AccountKeys,
        decision: &AccountDecision,
    ) -> Option<Match> {
        let decided = decision.to.iter();
        let decided = decided.fold(Several::default(), |all, (source, id)| {
            all.and(self.whose_record(*source, id))
        });
        let others = self.less(self.whose(&self.by_rules(account)), &decided);
        if others.is_empty() {
            return None;
        }
        let all = decided.and(others);
        let Some(identity) = first_listed(&all) else {
            // Nobody of them is listed: the latest word counts.
            let (_, records) = self.everybody(&all);
            let (source, id) = records.last()?.clone();
            return Some(Match::Gone {
                source,
                id,
                rule: 0,
            });
        };
        Some(Match::HandedOn {
            identity,
            before: self.less(all, &Several::listed([identity].into())),
            rule: 0,
            doubt: Doubt::Decided,
        })
    }
}

/// The first of them who is listed.
fn first_listed(several: &Several) -> Option<u32> {
    several.parts().iter().find_map(|part| match part {
        Part::Listed(numbers) => numbers.first().copied(),
        Part::Records(_) => None,
    })
}

/// Those of them who are listed.
fn only_listed(several: &Several) -> Several {
    let parts = several.parts().iter();
    parts.fold(Several::default(), |all, part| match part {
        Part::Listed(numbers) => all.and(Several::listed(numbers.clone())),
        Part::Records(_) => all,
    })
}
