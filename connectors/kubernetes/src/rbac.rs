//! Who may do what, by the rules of role-based access control as the API server applies them.
//!
//! Pure: roles and bindings go in, answers come out; `tests/tests/kubernetes` holds them against the
//! server's own answers. The rules of an aggregated role are those that stand in it: it is by them
//! that the server decides. What webhooks and the node authorizer allow beside it is not known here.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The group whose members the server lets through before any rule is asked.
pub const MASTERS: &str = "system:masters";
/// Everybody who has signed in.
pub const AUTHENTICATED: &str = "system:authenticated";
/// Everybody who has not.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// All service accounts; those of a namespace with `:NAMESPACE` behind it.
pub const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

/// One rule of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    pub verbs: Vec<String>,
    pub api_groups: Vec<String>,
    pub resources: Vec<String>,
    pub resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs")]
    pub non_resource_urls: Vec<String>,
}

/// What somebody asks to do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    pub verb: &'a str,
    /// The API group; empty for the core.
    pub group: &'a str,
    pub resource: &'a str,
    /// Empty for the resource itself.
    pub subresource: &'a str,
    /// None for all namespaces, and for what stands in none.
    pub namespace: Option<&'a str>,
    /// Empty for all of them.
    pub name: &'a str,
}

fn holds(list: &[String], word: &str) -> bool {
    list.iter().any(|each| each == "*" || each == word)
}

impl Rule {
    /// Whether the rule allows it, wherever the role is bound.
    pub fn allows(&self, ask: &Ask<'_>) -> bool {
        holds(&self.verbs, ask.verb)
            && holds(&self.api_groups, ask.group)
            && self.has_resource(ask.resource, ask.subresource)
            && self.has_name(ask.name)
    }

    /// Whether it allows a path that is no resource, such as `/metrics`.
    pub fn allows_path(&self, verb: &str, path: &str) -> bool {
        let fits = |url: &String| match url.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => url == path,
        };
        holds(&self.verbs, verb) && self.non_resource_urls.iter().any(fits)
    }

    fn has_resource(&self, resource: &str, subresource: &str) -> bool {
        self.resources
            .iter()
            .any(|each| match each.split_once('/') {
                _ if each == "*" => true,
                None => subresource.is_empty() && each == resource,
                Some((of, sub)) => {
                    !subresource.is_empty() && sub == subresource && (of == "*" || of == resource)
                }
            })
    }

    fn has_name(&self, name: &str) -> bool {
        self.resource_names.is_empty() || self.resource_names.iter().any(|each| each == name)
    }

    /// The rule on one line, as a reviewer reads it.
    pub fn line(&self) -> String {
        let of = match self.non_resource_urls.is_empty() {
            true => self.resources.join(","),
            false => self.non_resource_urls.join(","),
        };
        let mut line = format!("{} {of}", self.verbs.join(","));
        let groups: Vec<&str> = self
            .api_groups
            .iter()
            .map(String::as_str)
            .filter(|group| !group.is_empty())
            .collect();
        if !groups.is_empty() {
            line.push_str(&format!(" of {}", groups.join(",")));
        }
        if !self.resource_names.is_empty() {
            line.push_str(&format!(" named {}", self.resource_names.join(",")));
        }
        line
    }
}

/// Who a binding names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub namespace: Option<String>,
}

/// A subject, understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A user by name; a service account is one as well.
    User(String),
    Group(String),
}

/// The user name of a service account.
pub fn service_account(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// Namespace and name of the service account with this user name.
pub fn of_service_account(user: &str) -> Option<(&str, &str)> {
    user.strip_prefix("system:serviceaccount:")?
        .split_once(':')
        .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
}

/// The role that a binding gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct RoleRef {
    pub kind: String,
    pub name: String,
}

/// A binding: of a namespace, or of the whole cluster where None.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub namespace: Option<String>,
    pub name: String,
    pub role: RoleRef,
    pub subjects: Vec<Subject>,
}

impl Binding {
    /// Who a subject of this binding is; None for a kind that is none, and for a service account
    /// without a namespace, which the server passes over.
    pub fn who(&self, subject: &Subject) -> Option<Who> {
        match subject.kind.as_str() {
            "User" => Some(Who::User(subject.name.clone())),
            "Group" => Some(Who::Group(subject.name.clone())),
            "ServiceAccount" => {
                let own = subject.namespace.as_deref().filter(|n| !n.is_empty());
                let namespace = own.or(self.namespace.as_deref())?;
                Some(Who::User(service_account(namespace, &subject.name)))
            }
            _ => None,
        }
    }
}

/// A role where it is bound: what somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// A cluster role in the whole cluster.
    Everywhere(String),
    /// A cluster role in one namespace: the role, the namespace.
    Within(String, String),
    /// A role of a namespace: the namespace, the role.
    Local(String, String),
}

impl Held {
    /// The id of the entitlement. Names of roles and namespaces hold no `/`.
    pub fn id(&self) -> String {
        match self {
            Held::Everywhere(role) => format!("clusterrole/{role}"),
            Held::Within(role, namespace) => format!("clusterrole/{role}/{namespace}"),
            Held::Local(namespace, role) => format!("role/{namespace}/{role}"),
        }
    }

    /// The namespace that it ends at; None in the whole cluster.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Held::Everywhere(_) => None,
            Held::Within(_, namespace) | Held::Local(namespace, _) => Some(namespace),
        }
    }

    /// Whether it counts for something in a namespace, or in none.
    pub fn reaches(&self, namespace: Option<&str>) -> bool {
        self.namespace().is_none() || self.namespace() == namespace
    }

    /// What a binding gives; None for a role of a kind that is none, or a role of a namespace bound
    /// in the whole cluster, which the server refuses.
    pub fn of(binding: &Binding) -> Option<Held> {
        let role = binding.role.name.clone();
        match (binding.role.kind.as_str(), &binding.namespace) {
            ("ClusterRole", None) => Some(Held::Everywhere(role)),
            ("ClusterRole", Some(namespace)) => Some(Held::Within(role, namespace.clone())),
            ("Role", Some(namespace)) => Some(Held::Local(namespace.clone(), role)),
            _ => None,
        }
    }
}

/// Roles and bindings of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Rules of the cluster roles, by name.
    pub cluster_roles: BTreeMap<String, Vec<Rule>>,
    /// Rules of the roles, by namespace and name.
    pub roles: BTreeMap<(String, String), Vec<Rule>>,
    pub bindings: Vec<Binding>,
}

impl Access {
    /// The rules of what is held; None where the role is not there.
    pub fn rules(&self, held: &Held) -> Option<&[Rule]> {
        match held {
            Held::Everywhere(role) | Held::Within(role, _) => self.cluster_roles.get(role),
            Held::Local(namespace, role) => self.roles.get(&(namespace.clone(), role.clone())),
        }
        .map(Vec::as_slice)
    }

    /// Whether what is held allows it.
    pub fn held_allows(&self, held: &Held, ask: &Ask<'_>) -> bool {
        let rules = self.rules(held).unwrap_or_default();
        held.reaches(ask.namespace) && rules.iter().any(|rule| rule.allows(ask))
    }

    /// Whether a user in these groups may do it. The groups are all of them, `system:authenticated`
    /// and those of service accounts included.
    pub fn allows(&self, user: &str, groups: &[&str], ask: &Ask<'_>) -> bool {
        if groups.contains(&MASTERS) {
            return true;
        }
        let named = |binding: &Binding| {
            let subjects = binding.subjects.iter();
            subjects
                .filter_map(|subject| binding.who(subject))
                .any(|who| match who {
                    Who::User(name) => name == user,
                    Who::Group(name) => groups.contains(&name.as_str()),
                })
        };
        self.bindings.iter().any(|binding| {
            Held::of(binding).is_some_and(|held| self.held_allows(&held, ask)) && named(binding)
        })
    }
}

/// A selector of labels, as an aggregation rule has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Selector {
    pub match_labels: BTreeMap<String, String>,
    pub match_expressions: Vec<Expression>,
}

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Expression {
    pub key: String,
    pub operator: String,
    #[serde(default)]
    pub values: Vec<String>,
}

impl Selector {
    /// Whether labels fit; a selector without conditions fits all.
    pub fn fits(&self, labels: &BTreeMap<String, String>) -> bool {
        let fits = |it: &Expression| {
            let value = labels.get(&it.key);
            let listed = value.is_some_and(|value| it.values.contains(value));
            match it.operator.as_str() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        };
        let mut all = self.match_labels.iter();
        all.all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(value: serde_json::Value) -> Rule {
        serde_json::from_value(value).unwrap()
    }

    fn ask<'a>(verb: &'a str, what: &'a str, name: &'a str) -> Ask<'a> {
        let (group, what) = what.split_once(':').unwrap_or(("", what));
        let (resource, subresource) = what.split_once('/').unwrap_or((what, ""));
        Ask {
            verb,
            group,
            resource,
            subresource,
            namespace: Some("shop"),
            name,
        }
    }

    #[track_caller]
    fn check(value: serde_json::Value, verb: &str, what: &str, name: &str, allowed: bool) {
        let found = rule(value.clone()).allows(&ask(verb, what, name));
        assert_eq!(found, allowed, "{verb} {what} {name} by {value}");
    }

    #[test]
    fn a_rule_allows_what_the_server_says_it_does() {
        let all = json!({"verbs":["*"],"apiGroups":["*"],"resources":["*"]});
        check(all.clone(), "get", "secrets", "", true);
        check(all.clone(), "create", "serviceaccounts/token", "x", true);
        check(all, "impersonate", "users", "ann", true);
        let read = json!({"verbs":["get"],"apiGroups":[""],"resources":["secrets"]});
        check(read.clone(), "get", "secrets", "db", true);
        check(read.clone(), "list", "secrets", "", false);
        check(read.clone(), "get", "secrets/x", "db", false);
        check(read, "get", "apps:secrets", "db", false);
        let named = json!({"verbs":["get","list"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["db"]});
        check(named.clone(), "get", "secrets", "db", true);
        check(named.clone(), "get", "secrets", "web", false);
        check(named.clone(), "list", "secrets", "", false);
        check(named, "list", "secrets", "db", true);
        let sub = json!({"verbs":["create"],"apiGroups":["*"],"resources":["*/token","pods/*"]});
        check(sub.clone(), "create", "serviceaccounts/token", "", true);
        check(sub.clone(), "create", "serviceaccounts", "", false);
        check(sub, "create", "pods/exec", "", false);
        check(json!({}), "get", "secrets", "", false);
    }

    #[test]
    fn paths_end_with_a_star_or_not() {
        let paths = rule(json!({"verbs":["get"],"nonResourceURLs":["/healthz","/api/*"]}));
        for (path, allowed) in [
            ("/healthz", true),
            ("/healthz/x", false),
            ("/api/v1", true),
            ("/apis", false),
        ] {
            assert_eq!(paths.allows_path("get", path), allowed, "{path}");
        }
        assert!(!paths.allows_path("post", "/healthz"));
    }

    fn binding(namespace: Option<&str>, role: (&str, &str), subject: serde_json::Value) -> Binding {
        Binding {
            namespace: namespace.map(str::to_owned),
            name: "b".to_owned(),
            role: RoleRef {
                kind: role.0.to_owned(),
                name: role.1.to_owned(),
            },
            subjects: vec![serde_json::from_value(subject).unwrap()],
        }
    }

    #[test]
    fn a_binding_counts_in_its_namespace_only() {
        let read = rule(json!({"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}));
        let ann = json!({"kind":"User","name":"ann"});
        for (namespace, role, asked, allowed) in [
            (None, ("ClusterRole", "r"), Some("shop"), true),
            (None, ("ClusterRole", "r"), None, true),
            (Some("shop"), ("ClusterRole", "r"), Some("shop"), true),
            (Some("shop"), ("ClusterRole", "r"), Some("site"), false),
            (Some("shop"), ("ClusterRole", "r"), None, false),
            (Some("shop"), ("Role", "r"), Some("shop"), true),
            (None, ("Role", "r"), Some("shop"), false),
            (Some("shop"), ("ClusterRole", "gone"), Some("shop"), false),
        ] {
            let access = Access {
                cluster_roles: BTreeMap::from([("r".to_owned(), vec![read.clone()])]),
                roles: BTreeMap::from([(("shop".to_owned(), "r".to_owned()), vec![read.clone()])]),
                bindings: vec![binding(namespace, role, ann.clone())],
            };
            let ask = Ask {
                namespace: asked,
                ..ask("get", "secrets", "db")
            };
            let found = access.allows("ann", &[AUTHENTICATED], &ask);
            assert_eq!(found, allowed, "{namespace:?} {role:?} {asked:?}");
            assert!(!access.allows("bob", &[AUTHENTICATED], &ask));
            assert!(access.allows("bob", &[MASTERS], &ask));
        }
    }

    #[test]
    fn a_service_account_is_a_user_of_its_own_name() {
        let user = |namespace, subject| {
            let binding = binding(namespace, ("ClusterRole", "r"), subject);
            let subject = binding.subjects[0].clone();
            binding.who(&subject)
        };
        let named = |name: &str| Some(Who::User(name.to_owned()));
        let here = json!({"kind":"ServiceAccount","name":"web"});
        let there = json!({"kind":"ServiceAccount","name":"web","namespace":"site"});
        assert_eq!(
            user(Some("shop"), here.clone()),
            named("system:serviceaccount:shop:web")
        );
        assert_eq!(user(None, here), None);
        assert_eq!(user(None, there), named("system:serviceaccount:site:web"));
        assert_eq!(user(None, json!({"kind":"Robot","name":"web"})), None);
        let parts = of_service_account("system:serviceaccount:shop:web");
        assert_eq!(parts, Some(("shop", "web")));
        assert_eq!(of_service_account("system:serviceaccount:shop"), None);
        assert_eq!(of_service_account("ann"), None);
    }

    #[test]
    fn selectors_fit_labels() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let fits = |value| {
            serde_json::from_value::<Selector>(value)
                .unwrap()
                .fits(&labels)
        };
        assert!(fits(json!({})));
        assert!(fits(json!({"matchLabels":{"a":"1"}})));
        assert!(!fits(json!({"matchLabels":{"a":"1","b":"1"}})));
        for (operator, key, values, yes) in [
            ("In", "a", json!(["1", "2"]), true),
            ("In", "b", json!(["1"]), false),
            ("NotIn", "a", json!(["1"]), false),
            ("NotIn", "b", json!(["1"]), true),
            ("Exists", "a", json!([]), true),
            ("DoesNotExist", "a", json!([]), false),
            ("Odd", "a", json!([]), false),
        ] {
            let one = json!({"matchExpressions":[{"key":key,"operator":operator,"values":values}]});
            assert_eq!(fits(one.clone()), yes, "{one}");
        }
    }

    #[test]
    fn a_rule_reads_as_a_line() {
        let line = |value| rule(value).line();
        assert_eq!(
            line(
                json!({"verbs":["get","list"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["db"]})
            ),
            "get,list secrets named db"
        );
        assert_eq!(
            line(json!({"verbs":["*"],"apiGroups":["apps"],"resources":["deployments"]})),
            "* deployments of apps"
        );
        assert_eq!(
            line(json!({"verbs":["get"],"nonResourceURLs":["/metrics"]})),
            "get /metrics"
        );
    }
}
