//! Who may do something on a path: pure, from the policies and who holds which of them together.
//!
//! A policy that allows it is named as the principal, so that groups and grants say who holds it.
//! Where policies held together say otherwise than each alone (a deny or a nearer rule in
//! another policy, a template), the accounts are named one by one, and a policy that would say
//! too much is not named. So every account's answer is the server's own.

use crate::policy::{Acl, Asked, Capabilities, Holder, Limits, Policy};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Policies that are held together, and by which accounts.
#[derive(Clone, Debug, Default)]
pub struct Together {
    pub policies: BTreeSet<String>,
    pub accounts: BTreeSet<String>,
    /// Whom templates are filled in for.
    pub holder: Option<Holder>,
}

/// Who may do something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Policies by name, with the limits under which each allows it.
    pub policies: BTreeMap<String, Limits>,
    /// Accounts by id, with the policies by which they hold it.
    pub accounts: BTreeMap<String, (BTreeSet<String>, Limits)>,
}

/// The policies of a vault with their holders.
pub struct Reach {
    alone: BTreeMap<String, Acl>,
    classes: Vec<Class>,
    /// What could not be decided: the policy, and why.
    pub undecided: Vec<(String, String)>,
}

struct Class {
    policies: BTreeSet<String>,
    accounts: BTreeSet<String>,
    acl: Acl,
    /// Whether the whole can say otherwise than its parts.
    differs: bool,
}

impl Reach {
    /// `texts` are the policies by name, at the server's time `now`.
    pub fn new(texts: &BTreeMap<String, String>, held: Vec<Together>, now: DateTime<Utc>) -> Reach {
        let mut undecided = Vec::new();
        let mut policies: BTreeMap<&str, Policy> = BTreeMap::new();
        for (name, text) in texts {
            match name.as_str() {
                Policy::ROOT => {
                    policies.insert(name, Policy::root());
                }
                _ => match Policy::parse(name, text) {
                    Ok(policy) => {
                        policies.insert(name, policy);
                    }
                    Err(why) => undecided.push((name.clone(), why)),
                },
            }
        }
        let mut alone = BTreeMap::new();
        for (name, policy) in &policies {
            match Acl::new([policy], None, now) {
                Ok(acl) => {
                    alone.insert((*name).to_owned(), acl);
                }
                Err(why) => undecided.push(((*name).to_owned(), why)),
            }
        }
        let mut classes = Vec::new();
        for Together {
            policies: names,
            accounts,
            holder,
        } in merged(held, &policies)
        {
            let parts: Vec<&Policy> = names
                .iter()
                .filter_map(|n| policies.get(n.as_str()))
                .collect();
            match Acl::new(parts.iter().copied(), holder.as_ref(), now) {
                Ok(acl) => classes.push(Class {
                    differs: differs(&parts),
                    policies: names,
                    accounts,
                    acl,
                }),
                Err(why) => {
                    let templated = parts
                        .iter()
                        .filter(|p| p.templated())
                        .map(|p| p.name.as_str());
                    undecided.push((templated.collect::<Vec<_>>().join(", "), why));
                }
            }
        }
        Reach {
            alone,
            classes,
            undecided,
        }
    }

    /// Who has any of `wanted` on a path.
    pub fn who(&self, path: &str, wanted: Capabilities) -> Who {
        let mut who = Who::default();
        for (name, acl) in &self.alone {
            let (can, limits) = acl.on(path, Asked::Otherwise);
            if can.allow(wanted) {
                who.policies.insert(name.clone(), limits);
            }
        }
        let claims = |policies: &BTreeMap<String, Limits>, class: &Class| {
            class
                .policies
                .iter()
                .any(|name| policies.contains_key(name))
        };
        let mut said_too_much: BTreeSet<&String> = BTreeSet::new();
        let mut left_out: Vec<&Class> = Vec::new();
        for class in self.classes.iter().filter(|class| class.differs) {
            let really = class.acl.on(path, Asked::Otherwise).0.allow(wanted);
            match (really, claims(&who.policies, class)) {
                (true, false) => left_out.push(class),
                (false, true) => said_too_much.extend(
                    class
                        .policies
                        .iter()
                        .filter(|n| who.policies.contains_key(*n)),
                ),
                (true, true) | (false, false) => {}
            }
        }
        let claimed = who.policies.clone();
        who.policies.retain(|name, _| !said_too_much.contains(name));
        if !said_too_much.is_empty() {
            // Whoever holds such a policy and may all the same is named.
            left_out.extend(self.classes.iter().filter(|class| {
                claims(&claimed, class)
                    && !claims(&who.policies, class)
                    && class.acl.on(path, Asked::Otherwise).0.allow(wanted)
            }));
        }
        for class in left_out {
            let (_, limits) = class.acl.on(path, Asked::Otherwise);
            for account in &class.accounts {
                let (by, under) = who.accounts.entry(account.clone()).or_default();
                by.extend(class.policies.iter().cloned());
                *under = under.with(limits);
            }
        }
        who
    }
}

/// Classes of one set of policies are one, unless a template makes them differ.
fn merged(held: Vec<Together>, policies: &BTreeMap<&str, Policy>) -> Vec<Together> {
    let mut classes: BTreeMap<(BTreeSet<String>, Option<String>), Together> = BTreeMap::new();
    for together in held {
        let templated = together
            .policies
            .iter()
            .filter_map(|name| policies.get(name.as_str()))
            .any(Policy::templated);
        let holder = together.holder.filter(|_| templated);
        let key = (
            together.policies.clone(),
            holder.as_ref().map(|h| h.id.clone()),
        );
        let class = classes.entry(key).or_insert_with(|| Together {
            policies: together.policies,
            accounts: BTreeSet::new(),
            holder,
        });
        class.accounts.extend(together.accounts);
    }
    classes.into_values().collect()
}

/// Whether policies held together can say otherwise than each alone: one has a template, or a
/// rule of one lies over a rule of another and allows less.
fn differs(parts: &[&Policy]) -> bool {
    if parts.iter().any(|policy| policy.templated()) {
        return true;
    }
    fn head(path: &str) -> &str {
        let path = path.trim_start_matches('/');
        path.split(['*', '+']).next().unwrap_or_default()
    }
    parts.iter().enumerate().any(|(at, one)| {
        one.rules.iter().any(|rule| {
            parts.iter().enumerate().any(|(other_at, other)| {
                at != other_at
                    && other.rules.iter().any(|wider| {
                        let (a, b) = (head(&rule.path), head(&wider.path));
                        let allows_less = rule.can.has(Capabilities::DENY)
                            || rule.can.with(wider.can) != rule.can;
                        allows_less && (a.starts_with(b) || b.starts_with(a))
                    })
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(policies: &str, account: &str) -> Together {
        Together {
            policies: policies.split(' ').map(str::to_owned).collect(),
            accounts: BTreeSet::from([account.to_owned()]),
            holder: Some(Holder {
                id: account.to_owned(),
                name: account.to_owned(),
                ..Holder::default()
            }),
        }
    }

    fn reach(held: Vec<Together>) -> Reach {
        let texts = [
            ("all", r#"path "s/*" { capabilities = ["read"] }"#),
            ("notdb", r#"path "s/db/*" { capabilities = ["deny"] }"#),
            ("near", r#"path "s/db/*" { capabilities = ["list"] }"#),
            (
                "own",
                r#"path "s/own/{{identity.entity.name}}" { capabilities = ["read"] }"#,
            ),
            ("odd", "path {"),
            ("root", ""),
        ];
        let texts = texts.map(|(n, t)| (n.to_owned(), t.to_owned()));
        Reach::new(&BTreeMap::from(texts), held, DateTime::UNIX_EPOCH)
    }

    #[track_caller]
    fn check(held: &[(&str, &str)], path: &str, policies: &str, accounts: &str) {
        let held = held.iter().map(|(p, a)| together(p, a)).collect();
        let who = reach(held).who(path, Capabilities::READ);
        let join = |names: Vec<&String>| {
            names
                .into_iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(join(who.policies.keys().collect()), policies, "{path}");
        assert_eq!(join(who.accounts.keys().collect()), accounts, "{path}");
    }

    #[test]
    fn policies_are_named_where_nothing_contradicts() {
        check(&[("all", "a"), ("near", "b")], "s/db/x", "all root", "");
        check(&[("all notdb", "a")], "s/web", "all root", "");
    }

    #[test]
    fn accounts_are_named_where_another_policy_takes_it_away() {
        check(&[("all notdb", "a"), ("all", "b")], "s/db/x", "root", "b");
        check(
            &[("all near", "a"), ("all own", "b")],
            "s/db/x",
            "root",
            "b",
        );
    }

    #[test]
    fn templates_name_their_holders() {
        check(
            &[("own", "ann"), ("own", "bob")],
            "s/own/ann",
            "all root",
            "ann",
        );
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let undecided = reach(Vec::new()).undecided;
        assert_eq!(undecided.len(), 1);
        assert_eq!(undecided[0].0, "odd");
    }
}
