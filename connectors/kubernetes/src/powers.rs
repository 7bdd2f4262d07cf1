//! What the rules of a role amount to, where a reviewer has to know it: Secrets that it reads,
//! accounts that it takes over, and ways to more rights. Pure.

use crate::rbac::{Ask, Rule};
use std::collections::BTreeSet;

/// Which objects of a sort a right is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Over {
    #[default]
    None,
    Named(BTreeSet<String>),
    All,
}

impl Over {
    pub fn has(&self, name: &str) -> bool {
        match self {
            Over::None => false,
            Over::Named(names) => names.contains(name),
            Over::All => true,
        }
    }

    fn of(rules: &[Rule], verb: &str, group: &str, resource: &str, subresource: &str) -> Over {
        let mut names = BTreeSet::new();
        for rule in rules {
            let of_any = Rule {
                resource_names: Vec::new(),
                ..rule.clone()
            };
            let ask = Ask {
                verb,
                group,
                resource,
                subresource,
                namespace: None,
                name: "",
            };
            if !of_any.allows(&ask) {
                continue;
            }
            if rule.resource_names.is_empty() {
                return Over::All;
            }
            names.extend(rule.resource_names.iter().cloned());
        }
        match names.is_empty() {
            true => Over::None,
            false => Over::Named(names),
        }
    }
}

/// How Secrets are read.
const READING: [&str; 3] = ["get", "list", "watch"];

/// What makes pods, and by which group.
const POD_MAKERS: [(&str, &str); 8] = [
    ("", "pods"),
    ("", "replicationcontrollers"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
];

/// What a role amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// Secrets by the verb that reads them.
    pub secrets: [Over; 3],
    pub impersonates_users: Over,
    pub impersonates_services: Over,
    pub makes_tokens: Over,
    /// Whether it can write a Secret that is filled with a token, and read it.
    pub makes_token_secrets: bool,
    /// Sorts of objects by which it can run a pod of its own making.
    pub runs_pods: Vec<&'static str>,
    /// Whether it can look around in pods that run.
    pub enters_pods: bool,
    /// Ways to take every right there is, or to read everything, in words.
    pub ways_up: Vec<&'static str>,
}

impl Powers {
    pub fn of(rules: &[Rule]) -> Powers {
        let over = |verb: &str, group: &str, what: &str| {
            let (resource, subresource) = what.split_once('/').unwrap_or((what, ""));
            Over::of(rules, verb, group, resource, subresource)
        };
        let may = |verb: &str, group: &str, what: &str| over(verb, group, what) != Over::None;
        let makes_pods = |(group, resource): &(&str, &str)| {
            let verbs = match *resource {
                // Of a pod that is there, what it mounts cannot be changed.
                "pods" | "jobs" => &["create"][..],
                _ => &["create", "update", "patch"][..],
            };
            verbs.iter().any(|verb| may(verb, group, resource))
        };
        let makers = POD_MAKERS.iter().filter(|maker| makes_pods(maker));
        let rbac = "rbac.authorization.k8s.io";
        let roles = ["roles", "clusterroles"];
        let bindings = ["rolebindings", "clusterrolebindings"];
        let any = |verbs: &[&str], what: &[&str]| {
            let mut all = verbs.iter().flat_map(|v| what.iter().map(move |w| (v, w)));
            all.any(|(verb, what)| may(verb, rbac, what))
        };
        let approves = may(
            "update",
            "certificates.k8s.io",
            "certificatesigningrequests/approval",
        ) || may(
            "patch",
            "certificates.k8s.io",
            "certificatesigningrequests/approval",
        );
        let enters = ["pods/exec", "pods/attach"];
        let enters_pods = enters
            .iter()
            .any(|what| may("create", "", what) || may("get", "", what))
            || may("update", "", "pods/ephemeralcontainers")
            || may("patch", "", "pods/ephemeralcontainers");
        let everything = rules.iter().any(|rule| {
            let all = |list: &[String]| list.iter().any(|each| each == "*");
            all(&rule.verbs)
                && all(&rule.api_groups)
                && all(&rule.resources)
                && rule.resource_names.is_empty()
        });
        let reads_all = READING
            .iter()
            .any(|verb| over(verb, "", "secrets") == Over::All);
        let impersonates = ["users", "groups", "serviceaccounts"];
        let ways = [
            (everything, "everything"),
            (any(&["bind"], &roles), "binds any role"),
            (any(&["escalate"], &roles), "escalates roles"),
            (
                any(&["create", "update", "patch"], &bindings),
                "changes bindings",
            ),
            (
                impersonates.iter().any(|what| may("impersonate", "", what)),
                "impersonates",
            ),
            (may("create", "", "serviceaccounts/token"), "makes tokens"),
            (approves, "approves certificates"),
            (
                may("create", "", "nodes/proxy") || may("get", "", "nodes/proxy"),
                "enters nodes",
            ),
            (reads_all, "reads Secrets"),
        ];
        Powers {
            secrets: READING.map(|verb| over(verb, "", "secrets")),
            impersonates_users: over("impersonate", "", "users"),
            impersonates_services: over("impersonate", "", "serviceaccounts"),
            makes_tokens: over("create", "", "serviceaccounts/token"),
            makes_token_secrets: may("create", "", "secrets") && reads_all,
            runs_pods: makers.map(|(_, resource)| *resource).collect(),
            enters_pods,
            ways_up: ways
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, word)| word)
                .collect(),
        }
    }

    /// The verbs by which a Secret of this name is read.
    pub fn reads_secret(&self, name: &str) -> Vec<&'static str> {
        let all = READING.into_iter().zip(&self.secrets);
        all.filter(|(_, over)| over.has(name))
            .map(|(verb, _)| verb)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn powers(rules: Value) -> Powers {
        let rules: Vec<Rule> = serde_json::from_value(rules).unwrap();
        Powers::of(&rules)
    }

    #[track_caller]
    fn check(rules: Value, ways: &[&str]) {
        assert_eq!(powers(rules.clone()).ways_up, ways, "{rules}");
    }

    #[test]
    fn ways_to_more_rights_are_told() {
        check(
            json!([{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}]),
            &[
                "everything",
                "binds any role",
                "escalates roles",
                "changes bindings",
                "impersonates",
                "makes tokens",
                "approves certificates",
                "enters nodes",
                "reads Secrets",
            ],
        );
        check(
            json!([{"verbs":["get","list"],"apiGroups":[""],"resources":["pods","configmaps"]}]),
            &[],
        );
        check(
            json!([{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["db"]}]),
            &[],
        );
        check(
            json!([{"verbs":["impersonate"],"apiGroups":[""],"resources":["groups"]}]),
            &["impersonates"],
        );
        check(
            json!([{"verbs":["escalate"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"]}]),
            &["escalates roles"],
        );
    }

    #[test]
    fn secrets_are_read_by_name_or_all() {
        let both = powers(json!([
            {"verbs":["get","watch"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["db"]},
            {"verbs":["list"],"apiGroups":["*"],"resources":["*"]},
        ]));
        assert_eq!(both.reads_secret("db"), ["get", "list", "watch"]);
        assert_eq!(both.reads_secret("web"), ["list"]);
        assert!(powers(json!([])).reads_secret("db").is_empty());
    }

    #[test]
    fn pods_are_run_through_whatever_makes_them() {
        let update = powers(
            json!([{"verbs":["patch"],"apiGroups":["apps"],"resources":["deployments","pods"]}]),
        );
        assert_eq!(update.runs_pods, ["deployments"]);
        let patch = powers(json!([{"verbs":["patch"],"apiGroups":[""],"resources":["pods"]}]));
        assert!(patch.runs_pods.is_empty() && !patch.enters_pods);
        let exec = powers(json!([{"verbs":["create"],"apiGroups":[""],"resources":["pods/exec"]}]));
        assert!(exec.enters_pods && exec.runs_pods.is_empty());
    }
}
