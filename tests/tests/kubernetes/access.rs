//! Who may do what, held against the server's own answers.

use crate::estate::*;
use lastkey_contract::Kind;
use lastkey_kubernetes::rbac::{Access, Ask, Binding, RoleRef, Rule, Subject, of_service_account};
use lastkey_tests::labs::Kubernetes;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
    fn some<'a>(&mut self, of: &[&'a str], most: usize) -> Vec<&'a str> {
        let count = 1 + self.roll(most);
        (0..count).map(|_| of[self.roll(of.len())]).collect()
    }
}

const VERBS: [&str; 9] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "delete",
    "impersonate",
    "bind",
    "escalate",
];
/// Group, resource and what is below it.
const WHAT: [(&str, &str, &str); 9] = [
    ("", "secrets", ""),
    ("", "pods", ""),
    ("", "pods", "exec"),
    ("", "serviceaccounts", ""),
    ("", "serviceaccounts", "token"),
    ("", "users", ""),
    ("apps", "deployments", ""),
    ("apps", "deployments", "scale"),
    ("rbac.authorization.k8s.io", "clusterroles", ""),
];
const SPACES: [&str; 3] = ["", "shop", "site"];
const NAMES: [&str; 3] = ["", "db", "web"];

/// Users with their groups.
const SUBJECTS: [(&str, &[&str]); 7] = [
    ("ann", &["system:authenticated"]),
    ("bob", &["system:authenticated", "shop-team"]),
    (
        "carol",
        &["system:authenticated", "night-shift", "shop-team"],
    ),
    (
        "system:serviceaccount:shop:web",
        &[
            "system:authenticated",
            "system:serviceaccounts",
            "system:serviceaccounts:shop",
        ],
    ),
    (
        "system:serviceaccount:site:build",
        &[
            "system:authenticated",
            "system:serviceaccounts",
            "system:serviceaccounts:site",
        ],
    ),
    ("root", &["system:masters"]),
    ("system:anonymous", &["system:unauthenticated"]),
];

/// Roles and bindings of every sort, by dice.
fn random(dice: &mut Dice) -> Vec<Value> {
    let rules = |dice: &mut Dice| -> Vec<Value> {
        let count = 1 + dice.roll(3);
        (0..count)
            .map(|_| {
                let what = ["secrets", "pods", "pods/exec", "*/scale", "*/token", "serviceaccounts", "users", "deployments", "clusterroles", "secrets/*"];
                let (mut verbs, mut what) = (dice.some(&VERBS, 3), dice.some(&what, 3));
                let mut groups = dice.some(&["", "apps", "rbac.authorization.k8s.io"], 3);
                for list in [&mut verbs, &mut what, &mut groups] {
                    if dice.roll(6) == 0 {
                        list.push("*");
                    }
                }
                let names = match dice.roll(3) {
                    0 => dice.some(&["db", "web", "else"], 2),
                    _ => Vec::new(),
                };
                json!({ "verbs": verbs, "apiGroups": groups, "resources": what, "resourceNames": names })
            })
            .collect()
    };
    let mut made = Vec::new();
    for number in 0..14 {
        let (namespace, shared) = (SPACES[dice.roll(3)], dice.roll(2) == 0);
        let name = format!("random-{number}");
        let of = match (namespace, shared) {
            ("", _) | (_, true) => "",
            (namespace, false) => namespace,
        };
        let kind = match of {
            "" => "ClusterRole",
            _ => "Role",
        };
        made.push(role(of, &name, &rules(dice)));
        let everybody = [
            user("ann"),
            user("bob"),
            user("system:serviceaccount:shop:web"),
            group("shop-team"),
            group("night-shift"),
            group("system:authenticated"),
            group("system:unauthenticated"),
            group("system:serviceaccounts"),
            group("system:serviceaccounts:site"),
            service("shop", "web"),
            service("site", "build"),
        ];
        let subjects: Vec<Value> = (0..1 + dice.roll(2))
            .map(|_| everybody[dice.roll(everybody.len())].clone())
            .collect();
        made.push(binding(namespace, &name, (kind, &name), &subjects));
    }
    made
}

fn items(lab: &Kubernetes, what: &str) -> Vec<Value> {
    let list = lab.root("GET", &format!("{RBAC}/{what}"), &Value::Null);
    list["items"].as_array().unwrap().clone()
}

/// Roles and bindings as the server lists them.
fn access(lab: &Kubernetes) -> Access {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rules = |value: &Value| -> Vec<Rule> {
        match &value["rules"] {
            Value::Null => Vec::new(),
            rules => serde_json::from_value(rules.clone()).unwrap(),
        }
    };
    let mut access = Access::default();
    for value in items(lab, "clusterroles") {
        let name = text(&value["metadata"]["name"]);
        access.cluster_roles.insert(name, rules(&value));
    }
    for value in items(lab, "roles") {
        let meta = &value["metadata"];
        let key = (text(&meta["namespace"]), text(&meta["name"]));
        access.roles.insert(key, rules(&value));
    }
    for value in [
        items(lab, "clusterrolebindings"),
        items(lab, "rolebindings"),
    ]
    .concat()
    {
        let role: RoleRef = serde_json::from_value(value["roleRef"].clone()).unwrap();
        let subjects: Vec<Subject> = match &value["subjects"] {
            Value::Null => Vec::new(),
            subjects => serde_json::from_value(subjects.clone()).unwrap(),
        };
        access.bindings.push(Binding {
            namespace: value["metadata"]["namespace"].as_str().map(str::to_owned),
            name: text(&value["metadata"]["name"]),
            role,
            subjects,
        });
    }
    access
}

#[test]
fn rights_are_worked_out_as_the_server_does() {
    let Some(lab) = lab("rights held against the server") else {
        return;
    };
    let mut dice = Dice(7);
    let spaces = ["shop", "site"].map(
        |name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
    );
    lab.apply(&json!({ "items": spaces }));
    lab.apply(&json!({ "items": random(&mut dice) }));
    let access = access(&lab);
    let (mut asked, mut allowed) = (0, 0);
    let mut wrong = Vec::new();
    for (user, groups) in SUBJECTS {
        for verb in VERBS {
            for (group, resource, subresource) in WHAT {
                for namespace in SPACES {
                    // One of the names in turn: a third of three thousand and more questions.
                    let name = NAMES[dice.roll(3)];
                    let attributes = json!({ "verb": verb, "group": group, "resource": resource,
                        "subresource": subresource, "namespace": namespace, "name": name });
                    let says = server_says(&lab, user, groups, &attributes);
                    let ask = Ask {
                        verb,
                        group,
                        resource,
                        subresource,
                        namespace: Some(namespace).filter(|n| !n.is_empty()),
                        name,
                    };
                    asked += 1;
                    allowed += usize::from(says);
                    if access.allows(user, groups, &ask) != says {
                        wrong.push(format!("{user} {ask:?}: the server says {says}"));
                    }
                }
            }
        }
    }
    assert!(asked >= 1_000, "only {asked} questions");
    assert!(
        allowed > asked / 20 && allowed < asked - asked / 20,
        "{allowed} of {asked} are allowed, which tells nothing"
    );
    println!("{asked} answers held against the server, {allowed} of them yes");
    assert_eq!(wrong, Vec::<String>::new());
}

/// What is reached from an account by grants alone.
fn held(grants: &BTreeMap<String, BTreeSet<String>>, account: &str) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    let mut next = vec![format!("account {account}")];
    while let Some(at) = next.pop() {
        for entitlement in grants.get(&at).into_iter().flatten() {
            if held.insert(entitlement.clone()) {
                next.push(format!("entitlement {entitlement}"));
            }
        }
    }
    held
}

/// The groups of an account as the facts tell them, and those that everybody of its sort is in.
fn groups_of(held: &BTreeSet<String>, account: &str) -> Vec<String> {
    let mut groups: BTreeSet<String> = held
        .iter()
        .filter_map(|id| id.strip_prefix("group/"))
        .map(str::to_owned)
        .collect();
    groups.insert(match account {
        "system:anonymous" => "system:unauthenticated".to_owned(),
        _ => "system:authenticated".to_owned(),
    });
    if let Some((namespace, _)) = of_service_account(account) {
        groups.insert("system:serviceaccounts".to_owned());
        groups.insert(format!("system:serviceaccounts:{namespace}"));
    }
    groups.into_iter().collect()
}

#[test]
fn whoever_reads_a_secret_by_the_facts_reads_it_by_the_server() {
    let Some(lab) = lab("readers held against the server") else {
        return;
    };
    let estate = Estate::found(lab);
    let mut dice = Dice(11);
    estate.lab.apply(&json!({ "items": random(&mut dice) }));
    let (facts, _) = read_all(estate.connector(&[]));
    let of = |kind: Kind| -> Vec<Value> {
        let facts = facts[&kind].iter();
        facts
            .map(|fact| serde_json::to_value(fact).unwrap())
            .collect()
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut grants: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for grant in of(Kind::Grant) {
        let principal = &grant["principal"];
        let who = format!("{} {}", text(&principal["kind"]), text(&principal["id"]));
        grants
            .entry(who)
            .or_default()
            .insert(text(&grant["entitlement_id"]));
    }
    let readers = of(Kind::Reader);
    let strong = readers
        .iter()
        .filter(|reader| reader["attributes"]["evidence"].is_null());
    let mut by_path: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for reader in strong {
        let path = by_path.entry(text(&reader["path"])).or_default();
        path.insert(text(&reader["principal"]["id"]));
    }
    let mut wrong = Vec::new();
    let (mut asked, mut yes) = (0, 0);
    for account in of(Kind::Account) {
        let account = text(&account["id"]);
        let held = held(&grants, &account);
        let groups = groups_of(&held, &account);
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        for location in of(Kind::Location) {
            let path = text(&location["path"]);
            let (namespace, name) = path.split_once('/').unwrap();
            let says = ["get", "list", "watch"].into_iter().any(|verb| {
                asked += 1;
                let attributes = json!({ "verb": verb, "group": "", "resource": "secrets",
                    "namespace": namespace, "name": name });
                server_says(&estate.lab, &account, &groups, &attributes)
            });
            yes += usize::from(says);
            let known = by_path.get(&path).cloned().unwrap_or_default();
            if says == held.is_disjoint(&known) {
                wrong.push(format!("{account} and {path}: the server says {says}"));
            }
        }
    }
    assert!(yes > 20 && asked > 2 * yes, "{yes} of {asked} tell nothing");
    assert_eq!(wrong, Vec::<String>::new());
}
