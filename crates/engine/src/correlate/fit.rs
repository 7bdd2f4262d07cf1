//! How one rule stands to one account, and to one identity: for explanations.

use super::rules::Rule;
use super::values::{AccountKeys, Compare, IdentityKeys, Take};

/// A value with where it was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub from: String,
    pub value: String,
}

/// Values that are equal, or that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub account: Taken,
    pub identity: Taken,
}

/// How a rule stands between an account and an identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    pub equal: Vec<Pair>,
    /// What should agree and does not.
    pub differs: Vec<Pair>,
}

/// What a rule goes by of an account.
pub fn values(rule: &Rule, account: &AccountKeys) -> Vec<Taken> {
    let takes = rule.account.iter();
    takes
        .filter_map(|take| of_account(account, take, rule.compare))
        .collect()
}

/// What an account has in the columns of a rule, where the rule takes nothing of it: the whole value,
/// and what would have been taken.
pub fn left_out(rule: &Rule, account: &AccountKeys) -> Vec<Taken> {
    let takes = rule.account.iter();
    let left = takes.filter(|take| account.take(take, rule.compare).is_none());
    left.filter_map(|take| {
        Some(Taken {
            from: take.words("name"),
            value: account.take(&Take::whole(take.column.clone()), Compare::Exact)?,
        })
    })
    .collect()
}

fn of_account(account: &AccountKeys, take: &Take, compare: Compare) -> Option<Taken> {
    Some(Taken {
        from: take.words("name"),
        value: account.take(take, compare)?,
    })
}

fn of_identity(identity: &IdentityKeys, take: &Take, compare: Compare) -> Option<Taken> {
    Some(Taken {
        from: take.words("display_name"),
        value: identity.take(take, compare)?,
    })
}

/// How a rule stands between an account and an identity.
pub fn fit(rule: &Rule, account: &AccountKeys, identity: &IdentityKeys, source: &str) -> Fit {
    let theirs: Vec<Taken> = rule
        .identity
        .iter()
        .filter_map(|take| of_identity(identity, take, rule.compare))
        .collect();
    let full = format!("{source}:{}", identity.id);
    let mut fit = Fit::default();
    for own in values(rule, account) {
        let named_in_full = rule.is_of_identity_id() && own.value == full;
        for taken in &theirs {
            if taken.value == own.value || named_in_full {
                fit.equal.push(Pair {
                    account: own.clone(),
                    identity: taken.clone(),
                });
            }
        }
    }
    for (take, other) in &rule.agree {
        let pair = of_account(account, take, Compare::Folded).zip(of_identity(
            identity,
            other,
            Compare::Folded,
        ));
        if let Some((account, identity)) = pair.filter(|(a, b)| a.value != b.value) {
            fit.differs.push(Pair { account, identity });
        }
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::super::{default_rules, parse_rules};
    use super::*;

    fn account(id: &str, email: &str) -> AccountKeys {
        serde_json::from_value(serde_json::json!({
            "system": "ad", "id": id, "email": email, "identity_id": "hr:u1", "name": "Bob",
        }))
        .unwrap()
    }

    fn check(rule: &Rule, email: &str, equal: &[&str], differs: &[&str]) {
        let mut ann = IdentityKeys::named(1, "u1", Some("Ann@x.org"));
        ann.display_name = Some("Ann".to_owned());
        let fit = fit(rule, &account("ann", email), &ann, "hr");
        let told = |pairs: &[Pair]| -> Vec<String> {
            let words = pairs.iter().map(|p| {
                let (a, i) = (&p.account, &p.identity);
                format!("{} {} / {} {}", a.from, a.value, i.from, i.value)
            });
            words.collect()
        };
        assert_eq!(told(&fit.equal), equal, "{}", rule.name);
        assert_eq!(told(&fit.differs), differs, "{}", rule.name);
    }

    #[test]
    fn equal_values_stand_with_where_they_were_taken_from() {
        let rules = default_rules();
        check(&rules[0], "", &["identity_id hr:u1 / id u1"], &[]);
        let mail = "email ann@x.org / email ann@x.org";
        check(&rules[1], "ann@X.org", &[mail], &[]);
        check(&rules[2], "", &["id ann / email before @ ann"], &[]);
        let text = "[[rule]]\nname = \"m\"\naccount = \"email\"\nidentity = \"email\"\n\
                    agree = [{ account = \"name\", identity = \"display_name\" }]";
        let rule = parse_rules(text).unwrap().remove(0);
        let differ = ["name bob / display_name ann"];
        check(&rule, "ann@x.org", &[mail], &differ);
    }
}
