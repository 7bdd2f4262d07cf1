//! Who is known, and who holds what: made once from the lists, without asking again. Pure.

use crate::certificates::Certified;
use crate::objects::{Role, RoleBinding, ServiceAccount};
use crate::powers::Powers;
use crate::rbac::{
    AUTHENTICATED, Access, Binding, Held, MASTERS, SERVICE_ACCOUNTS, UNAUTHENTICATED, Who,
    of_service_account, service_account,
};
use lastkey_contract::{Kind, NoteKind, Notes};
use std::collections::{BTreeMap, BTreeSet};

/// The user whom nobody signed in.
pub const ANONYMOUS: &str = "system:anonymous";

/// The lists that this is made of. Whatever was not shown is empty here and noted by whoever asked.
#[derive(Debug, Default)]
pub struct Lists {
    pub service_accounts: Vec<ServiceAccount>,
    pub roles: Vec<Role>,
    pub cluster_roles: Vec<Role>,
    pub role_bindings: Vec<RoleBinding>,
    pub cluster_role_bindings: Vec<RoleBinding>,
    pub certificates: Vec<Certified>,
    pub shown: Shown,
}

/// Which lists were shown to their end: only then is something that they lack not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub service_accounts: bool,
    pub roles: bool,
    pub cluster_roles: bool,
    /// None where all namespaces are read.
    pub namespaces: Option<BTreeSet<String>>,
}

impl Shown {
    fn is_read(&self, namespace: &str) -> bool {
        let only = self.namespaces.as_ref();
        only.is_none_or(|only| only.contains(namespace))
    }
}

/// An account, and why it is known.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Where it is a service account that is listed.
    pub service: Option<ServiceAccount>,
    /// The bindings that name it.
    pub bound_by: BTreeSet<String>,
    /// The signing requests that made it a certificate.
    pub certified_by: BTreeSet<String>,
}

/// Everybody, and what each holds.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub people: BTreeMap<String, Person>,
    /// Groups that a binding or a certificate names, with the bindings.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Who holds what, by which bindings.
    pub holders: BTreeMap<Held, BTreeMap<Who, BTreeSet<String>>>,
    pub powers: BTreeMap<Held, Powers>,
    pub access: Access,
    /// Of each aggregated cluster role those whose rules are gathered in it.
    pub gathers: BTreeMap<String, BTreeSet<String>>,
    pub certificates: Vec<Certified>,
    notes: BTreeMap<Kind, Notes>,
}

impl Standing {
    pub fn of(lists: Lists) -> Standing {
        let mut made = Standing {
            certificates: lists.certificates,
            ..Standing::default()
        };
        made.take_roles(lists.roles, lists.cluster_roles);
        for account in lists.service_accounts {
            let user = service_account(account.metadata.namespace(), &account.metadata.name);
            made.people.entry(user).or_default().service = Some(account);
        }
        let bindings = lists.cluster_role_bindings.into_iter().map(|b| (None, b));
        let within = lists
            .role_bindings
            .into_iter()
            .map(|b| (Some(b.metadata.namespace().to_owned()), b));
        for (namespace, binding) in bindings.chain(within) {
            made.bind(
                Binding {
                    namespace,
                    name: binding.metadata.name,
                    role: binding.role_ref,
                    subjects: binding.subjects,
                },
                &lists.shown,
            );
        }
        made.bind_masters();
        for certified in made.certificates.clone() {
            let person = made.people.entry(certified.user.clone()).or_default();
            person.certified_by.insert(certified.request.clone());
            for group in certified.groups {
                made.groups.entry(group).or_default();
            }
        }
        if made.groups.contains_key(UNAUTHENTICATED) {
            made.people.entry(ANONYMOUS.to_owned()).or_default();
        }
        made.powers = made
            .holders
            .keys()
            .map(|held| {
                (
                    held.clone(),
                    Powers::of(made.access.rules(held).unwrap_or(&[])),
                )
            })
            .collect();
        made
    }

    /// What is to be noted about a kind.
    pub fn notes(&self, kind: Kind) -> Notes {
        self.notes.get(&kind).cloned().unwrap_or_default()
    }

    fn note(&mut self, about: Kind, kind: NoteKind, reason: &str, example: String) {
        let notes = self.notes.entry(about).or_default();
        notes.add(kind, reason, Some(example));
    }

    fn take_roles(&mut self, roles: Vec<Role>, cluster_roles: Vec<Role>) {
        for role in roles {
            let key = (
                role.metadata.namespace().to_owned(),
                role.metadata.name.clone(),
            );
            self.access.roles.insert(key, role.rules);
        }
        for role in &cluster_roles {
            let name = &role.metadata.name;
            if let Some(aggregation) = &role.aggregation_rule {
                let selectors = &aggregation.cluster_role_selectors;
                let others = cluster_roles.iter().filter(|other| {
                    let labels = &other.metadata.labels;
                    other.metadata.name != *name
                        && selectors.iter().any(|selector| selector.fits(labels))
                });
                let fit: Vec<&Role> = others.collect();
                let mut selected = fit.iter().flat_map(|other| &other.rules);
                if selected.any(|rule| !role.rules.contains(rule)) {
                    let reason = "an aggregated cluster role does not hold yet what its labels select; it is read as it stands, as the server decides by it";
                    self.note(Kind::Entitlement, NoteKind::Remark, reason, name.clone());
                }
                let names = fit.iter().map(|other| other.metadata.name.clone());
                self.gathers.insert(name.clone(), names.collect());
            }
        }
        for role in cluster_roles {
            let name = role.metadata.name;
            self.access.cluster_roles.insert(name, role.rules);
        }
    }

    fn bind(&mut self, binding: Binding, shown: &Shown) {
        let name = match &binding.namespace {
            None => binding.name.clone(),
            Some(namespace) => format!("{namespace}/{}", binding.name),
        };
        let Some(held) = Held::of(&binding) else {
            let reason = "a binding names a role of a sort that is not known, and gives nothing";
            self.note(Kind::Grant, NoteKind::Drift, reason, name);
            return;
        };
        let listed = match &held {
            Held::Everywhere(_) | Held::Within(_, _) => shown.cluster_roles,
            Held::Local(_, _) => shown.roles,
        };
        if listed && self.access.rules(&held).is_none() {
            let reason =
                "a binding gives a role that is not there: whoever makes one of that name fills it";
            self.note(Kind::Grant, NoteKind::Dangling, reason, name.clone());
        }
        let holders = self.holders.entry(held).or_default();
        let mut odd = 0;
        let mut named = Vec::new();
        for subject in &binding.subjects {
            match binding.who(subject) {
                None => odd += 1,
                Some(who) => {
                    holders.entry(who.clone()).or_default().insert(name.clone());
                    named.push(who);
                }
            }
        }
        if odd > 0 {
            let reason = "a binding names a subject of a sort that is not known, or a service account without a namespace, and gives it nothing";
            self.note(Kind::Grant, NoteKind::Drift, reason, name.clone());
        }
        for who in named {
            match who {
                Who::Group(group) => {
                    self.groups.entry(group).or_default().insert(name.clone());
                }
                Who::User(user) => self.meet(user, &name, shown),
            }
        }
        self.access.bindings.push(binding);
    }

    /// An account that a binding names.
    fn meet(&mut self, user: String, binding: &str, shown: &Shown) {
        if let Some((namespace, _)) = of_service_account(&user) {
            let gone = shown.service_accounts && shown.is_read(namespace);
            if gone && !self.people.contains_key(&user) {
                let reason = "a binding names a service account that is not there: whoever makes one of that name holds the role";
                self.note(
                    Kind::Grant,
                    NoteKind::Dangling,
                    reason,
                    format!("{binding}: {user}"),
                );
                return;
            }
        }
        let person = self.people.entry(user).or_default();
        person.bound_by.insert(binding.to_owned());
    }

    /// The server lets this group through whatever the bindings say.
    fn bind_masters(&mut self) {
        self.groups.entry(MASTERS.to_owned()).or_default();
        let held = Held::Everywhere("cluster-admin".to_owned());
        let holders = self.holders.entry(held).or_default();
        holders.entry(Who::Group(MASTERS.to_owned())).or_default();
    }

    /// The groups that an account is in by what it is, as far as something names them.
    pub fn groups_by_nature(&self, user: &str) -> Vec<String> {
        let mut groups = Vec::new();
        if user == ANONYMOUS {
            groups.push(UNAUTHENTICATED.to_owned());
        } else {
            groups.push(AUTHENTICATED.to_owned());
        }
        if let Some((namespace, _)) = of_service_account(user) {
            groups.push(SERVICE_ACCOUNTS.to_owned());
            groups.push(format!("{SERVICE_ACCOUNTS}:{namespace}"));
        }
        groups.retain(|group| self.groups.contains_key(group));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn all<T: serde::de::DeserializeOwned>(values: &[Value]) -> Vec<T> {
        let each = values.iter().cloned();
        each.map(|value| serde_json::from_value(value).unwrap())
            .collect()
    }

    fn lists() -> Lists {
        Lists {
            service_accounts: all(&[json!({"metadata":{"name":"web","namespace":"shop"}})]),
            cluster_roles: all(&[
                json!({"metadata":{"name":"all"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"to":"all"}}]},"rules":[]}),
                json!({"metadata":{"name":"part","labels":{"to":"all"}},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}]}),
            ]),
            cluster_role_bindings: all(&[
                json!({"metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"part"},"subjects":[
                    {"kind":"User","name":"ann"},{"kind":"Group","name":"system:serviceaccounts:shop"},
                    {"kind":"ServiceAccount","name":"gone","namespace":"shop"},
                    {"kind":"ServiceAccount","name":"far","namespace":"site"},
                    {"kind":"ServiceAccount","name":"nowhere"}]}),
                json!({"metadata":{"name":"c"},"roleRef":{"kind":"ClusterRole","name":"lost"}}),
            ]),
            shown: Shown {
                service_accounts: true,
                roles: true,
                cluster_roles: true,
                namespaces: Some(BTreeSet::from(["shop".to_owned()])),
            },
            ..Lists::default()
        }
    }

    fn reasons(standing: &Standing, kind: Kind) -> Vec<String> {
        let notes = standing.notes(kind).about(kind);
        notes.into_iter().flat_map(|note| note.examples).collect()
    }

    #[test]
    fn people_are_those_who_are_listed_or_named() {
        let made = Standing::of(lists());
        let people: Vec<&str> = made.people.keys().map(String::as_str).collect();
        let expected = [
            "ann",
            "system:serviceaccount:shop:web",
            "system:serviceaccount:site:far",
        ];
        assert_eq!(people, expected);
        let groups: Vec<&str> = made.groups.keys().map(String::as_str).collect();
        assert_eq!(groups, [MASTERS, "system:serviceaccounts:shop"]);
    }

    #[test]
    fn what_is_not_there_is_noted_and_what_was_not_read_is_not_gone() {
        let made = Standing::of(lists());
        let met = reasons(&made, Kind::Grant);
        assert!(met.contains(&"b: system:serviceaccount:shop:gone".to_owned()));
        assert!(met.contains(&"c".to_owned()) && met.contains(&"b".to_owned()));
        assert_eq!(met.len(), 3);
        let unread = Lists {
            shown: Shown::default(),
            ..lists()
        };
        let made = Standing::of(unread);
        assert!(made.people.contains_key("system:serviceaccount:shop:gone"));
        assert_eq!(reasons(&made, Kind::Grant), ["b"]);
    }

    #[test]
    fn an_aggregated_role_that_lags_behind_is_told() {
        let made = Standing::of(lists());
        assert_eq!(reasons(&made, Kind::Entitlement), ["all"]);
        assert_eq!(made.gathers["all"], BTreeSet::from(["part".to_owned()]));
        assert!(!made.gathers.contains_key("part"));
    }

    #[test]
    fn everybody_is_in_the_groups_of_their_nature() {
        let made = Standing::of(lists());
        let groups = made.groups_by_nature("system:serviceaccount:shop:web");
        assert_eq!(groups, ["system:serviceaccounts:shop"]);
        assert!(made.groups_by_nature("ann").is_empty());
    }

    #[test]
    fn masters_hold_everything_without_a_binding() {
        let made = Standing::of(lists());
        let held = Held::Everywhere("cluster-admin".to_owned());
        let who = Who::Group(MASTERS.to_owned());
        assert!(made.holders[&held][&who].is_empty());
    }
}
