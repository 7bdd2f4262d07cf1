//! Whose account is this, and how do we know?
//!
//! Pure: by identity id, then by mail, then by login; unique matches only. An
//! ambiguous account belongs to nobody, and that is said. What the system itself
//! says (the identity id) is observed; mail and login are assumed.

mod persons;

pub(crate) use persons::Groups;
pub use persons::Persons;

use crate::lifecycle::Basis;
use std::collections::{BTreeSet, HashMap};
use unicode_normalization::UnicodeNormalization;

/// What is known of an identity for matching. The source is a number that tells sources apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityKeys {
    pub source: i64,
    pub source_name: String,
    pub id: String,
    pub email: Option<String>,
}

/// What is known of an account for matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountKeys {
    pub source: i64,
    pub id: String,
    pub name: Option<String>,
    pub identity_id: Option<String>,
    pub email: Option<String>,
}

/// By which rule an account was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    IdentityId,
    Mail,
    Login,
}

impl Rule {
    /// The words on screens.
    pub fn word(self) -> &'static str {
        match self {
            Rule::IdentityId => "identity id",
            Rule::Mail => "mail",
            Rule::Login => "login",
        }
    }

    /// The rule with these words.
    pub fn from_word(word: &str) -> Option<Rule> {
        [Rule::IdentityId, Rule::Mail, Rule::Login]
            .into_iter()
            .find(|r| r.word() == word)
    }

    /// How a match by this rule is known.
    pub fn basis(self) -> Basis {
        match self {
            Rule::IdentityId => Basis::Observed,
            Rule::Mail | Rule::Login => Basis::Assumed,
        }
    }
}

/// What was found for one account; numbers count the identities given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    One { identity: usize, rule: Rule },
    Ambiguous { candidates: Vec<usize>, rule: Rule },
    None,
}

/// Compared form of mail and login: NFKC, case-folded.
pub fn folded(text: &str) -> String {
    // Of nearly all names and addresses this is the same, and much quicker.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Identities by the things that name them.
pub struct Identities<'a> {
    all: &'a [IdentityKeys],
    by_id: HashMap<&'a str, Vec<usize>>,
    by_mail: HashMap<String, BTreeSet<usize>>,
    by_login: HashMap<String, BTreeSet<usize>>,
}

impl<'a> Identities<'a> {
    pub fn new(all: &'a [IdentityKeys]) -> Self {
        let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_mail: HashMap<String, BTreeSet<usize>> = HashMap::new();
        let mut by_login: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (n, identity) in all.iter().enumerate() {
            by_id.entry(identity.id.as_str()).or_default().push(n);
            by_login.entry(folded(&identity.id)).or_default().insert(n);
            if let Some(mail) = identity.email.as_deref().map(folded) {
                if let Some((local, _)) = mail.rsplit_once('@') {
                    by_login.entry(local.to_owned()).or_default().insert(n);
                }
                by_login.entry(mail.clone()).or_default().insert(n);
                by_mail.entry(mail).or_default().insert(n);
            }
        }
        Self {
            all,
            by_id,
            by_mail,
            by_login,
        }
    }

    /// The identities that a reference of a source can mean: the bare id, its own
    /// source before others; or `source:id`.
    pub fn named(&self, text: &str, source: i64) -> Vec<usize> {
        if let Some(bare) = self.by_id.get(text) {
            let own = bare
                .iter()
                .find(|n| self.all.get(**n).is_some_and(|i| i.source == source));
            return own.map_or_else(|| bare.clone(), |n| vec![*n]);
        }
        let Some((name, id)) = text.split_once(':') else {
            return Vec::new();
        };
        let of_source = |n: &&usize| self.all.get(**n).is_some_and(|i| i.source_name == name);
        self.by_id
            .get(id)
            .into_iter()
            .flatten()
            .filter(of_source)
            .copied()
            .collect()
    }

    /// Whose account it is.
    pub fn owner_of(&self, account: &AccountKeys) -> Match {
        let by_id = account
            .identity_id
            .as_deref()
            .map(|id| self.named(id, account.source))
            .unwrap_or_default();
        if !by_id.is_empty() {
            return verdict(by_id, Rule::IdentityId);
        }
        let mail = account.email.as_deref().map(folded);
        let by_mail = mail.and_then(|m| self.by_mail.get(&m));
        if let Some(found) = by_mail {
            return verdict(found.iter().copied().collect(), Rule::Mail);
        }
        let logins = [Some(account.id.as_str()), account.name.as_deref()];
        let by_login: BTreeSet<usize> = logins
            .into_iter()
            .flatten()
            .filter_map(|login| self.by_login.get(&folded(login)))
            .flatten()
            .copied()
            .collect();
        verdict(by_login.into_iter().collect(), Rule::Login)
    }
}

fn verdict(found: Vec<usize>, rule: Rule) -> Match {
    match found.as_slice() {
        [] => Match::None,
        [identity] => Match::One {
            identity: *identity,
            rule,
        },
        [_, _, ..] => Match::Ambiguous {
            candidates: found,
            rule,
        },
    }
}

/// One answer per account, in the accounts' order.
pub fn correlate(identities: &[IdentityKeys], accounts: &[AccountKeys]) -> Vec<Match> {
    let identities = Identities::new(identities);
    accounts.iter().map(|a| identities.owner_of(a)).collect()
}

#[cfg(test)]
mod tests;
