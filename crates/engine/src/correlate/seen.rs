//! What tells one holder of an id from the next.

use super::values::{AccountKeys, IdentityKeys, folded};
use serde::{Deserialize, Serialize};

/// Name and beginning, as somebody saw them, or as an earlier version had them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub name: Option<String>,
    /// When the holder began, as the fact has it.
    pub since: Option<String>,
}

impl Seen {
    pub fn of_account(account: &AccountKeys) -> Seen {
        Seen {
            name: account.name.clone(),
            since: text(account.created_at.as_ref()),
        }
    }

    pub fn of_identity(identity: &IdentityKeys) -> Seen {
        Seen {
            name: identity.display_name.clone(),
            since: text(identity.start_date.as_ref()),
        }
    }

    /// Whether the same id now seems to be held by somebody else: both the name and the beginning
    /// are known and differ. A name alone changes by marriage, a beginning alone by rehire.
    pub fn is_another(&self, now: &Seen) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => folded(a.trim()) != folded(b.trim()),
            (None, _) | (_, None) => false,
        };
        differ(&self.name, &now.name) && differ(&self.since, &now.since)
    }
}

/// An account as somebody saw it who decided whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSeen {
    #[serde(flatten)]
    pub seen: Seen,
    /// What it said of whose it is; not kept with decisions of earlier versions.
    pub said: Option<Said>,
    /// The same as other sources told of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<AccountSeen>,
}

/// What an account says of whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub identity_id: Option<String>,
    pub email: Option<String>,
}

impl AccountSeen {
    pub fn of(account: &AccountKeys) -> AccountSeen {
        AccountSeen {
            seen: Seen::of_account(account),
            said: Some(Said::of(account)),
            beside: Vec::new(),
        }
    }

    /// The account as it was seen in the row that says the same now; the first row where none does.
    pub fn in_row(&self, account: &AccountKeys) -> &AccountSeen {
        let mut rows = std::iter::once(self).chain(&self.beside);
        rows.find(|row| !row.says_otherwise(account))
            .unwrap_or(self)
    }

    /// Whether it says something else of whose it is now.
    pub fn says_otherwise(&self, account: &AccountKeys) -> bool {
        self.said
            .as_ref()
            .is_some_and(|said| *said != Said::of(account))
    }
}

impl Said {
    fn of(account: &AccountKeys) -> Said {
        Said {
            identity_id: account.identity_id.clone(),
            email: account.email.clone(),
        }
    }
}

fn text(value: Option<&serde_json::Value>) -> Option<String> {
    Some(value?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: (&str, &str), now: (&str, &str), expected: bool) {
        let known = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        let seen = |(name, since): (&str, &str)| Seen {
            name: known(name),
            since: known(since),
        };
        assert_eq!(
            seen(before).is_another(&seen(now)),
            expected,
            "{before:?} {now:?}"
        );
    }

    #[test]
    fn another_holder_has_another_name_and_another_beginning() {
        check(("Ann Smith", "2010"), ("Bob Jones", "2024"), true);
        check(("Ann Smith", "2010"), ("Ann Miller", "2010"), false);
        check(("Ann Smith", "2010"), ("ann smith ", "2024"), false);
        check(("Ann Smith", ""), ("Bob Jones", "2024"), false);
        check(("", "2010"), ("Bob Jones", "2024"), false);
    }
}
