//! The least rights as ready texts: a reader for the cluster, and one for fingerprints.

use crate::needs::{Need, needs};
use crate::settings::Cluster;
use lastkey_contract::{Script, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const RBAC: &str = "rbac.authorization.k8s.io";
/// Where the readers' service accounts stand.
const HOME: &str = "lastkey";

/// The texts, made from the settings as far as they are given.
pub fn scripts(settings: &Settings) -> Vec<Script> {
    // What is not filled in yet must not take away what is.
    let mut filled = settings.clone();
    // The rights are the same wherever the server is found.
    filled
        .0
        .retain(|key, _| !matches!(key.as_str(), "kubeconfig" | "context"));
    for (key, stand_in) in [("address", "https://kubernetes.invalid"), ("system", "s")] {
        if filled.get(key).is_none() {
            filled.0.insert(key.to_owned(), stand_in.to_owned());
        }
    }
    let cluster = Cluster::from_settings(&filled).ok();
    let needs = needs(cluster.as_ref());
    let only: Option<Vec<&str>> = cluster
        .as_ref()
        .and_then(|cluster| cluster.namespaces.as_ref())
        .map(|names| names.iter().map(String::as_str).collect());
    let values = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }]);
    vec![
        Script {
            title: "Least rights for reading".to_owned(),
            usage: "run `kubectl apply -f lastkey-reader.json`, then `kubectl create token reader --namespace lastkey --duration 24h`, and give what it prints as the token".to_owned(),
            file_name: "lastkey-reader.json".to_owned(),
            text: text(&reading(&needs, only.as_deref())),
        },
        Script {
            title: "A login of its own for fingerprints".to_owned(),
            usage: "only where fingerprints are switched on: it reads values; run `kubectl apply -f lastkey-values.json`, then `kubectl create token values --namespace lastkey --duration 24h`".to_owned(),
            file_name: "lastkey-values.json".to_owned(),
            text: text(&account("values", &[("lastkey-values", values, Scope::Within)], only.as_deref())),
        },
    ]
}

/// Where rules count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// In the namespaces that are read.
    Within,
    /// In the whole cluster: what stands in no namespace.
    Cluster,
}

fn text(items: &[Value]) -> String {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    format!("{list:#}\n")
}

fn reading(needs: &[Need], only: Option<&[&str]>) -> Vec<Value> {
    let rules = |wanted: &dyn Fn(&&Need) -> bool| {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for need in needs.iter().filter(wanted) {
            groups.entry(need.group).or_default().push(need.resource);
        }
        let each = groups.into_iter();
        Value::Array(
            each.map(|(group, resources)| json!({ "apiGroups": [group], "resources": resources, "verbs": ["list"] }))
                .collect(),
        )
    };
    match only {
        None => account(
            "reader",
            &[("lastkey-reader", rules(&|_| true), Scope::Cluster)],
            None,
        ),
        Some(_) => account(
            "reader",
            &[
                (
                    "lastkey-reader",
                    rules(&|need| need.namespaced),
                    Scope::Within,
                ),
                (
                    "lastkey-reader-cluster",
                    rules(&|need| !need.namespaced),
                    Scope::Cluster,
                ),
            ],
            only,
        ),
    }
}

/// A service account with these cluster roles.
fn account(name: &str, roles: &[(&str, Value, Scope)], only: Option<&[&str]>) -> Vec<Value> {
    let mut items = vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": HOME } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": name, "namespace": HOME }, "automountServiceAccountToken": false }),
    ];
    let subject = json!([{ "kind": "ServiceAccount", "name": name, "namespace": HOME }]);
    for (role, rules, scope) in roles {
        let version = format!("{RBAC}/v1");
        items.push(json!({ "apiVersion": version, "kind": "ClusterRole",
            "metadata": { "name": role }, "rules": rules }));
        let given = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": role });
        match only.filter(|_| *scope == Scope::Within) {
            Some(only) => items.extend(only.iter().map(|namespace| {
                json!({ "apiVersion": version, "kind": "RoleBinding",
                    "metadata": { "name": role, "namespace": namespace },
                    "roleRef": given, "subjects": subject })
            })),
            None => items.push(json!({ "apiVersion": version, "kind": "ClusterRoleBinding",
                "metadata": { "name": role }, "roleRef": given, "subjects": subject })),
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(pairs: &[(&str, &str)]) -> Vec<Value> {
        let pairs = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let all = scripts(&Settings(pairs.collect()));
        assert_eq!(all.len(), 2);
        let list: Value = serde_json::from_str(&all[0].text).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    fn resources(items: &[Value]) -> String {
        let roles = items.iter().filter(|item| item["kind"] == "ClusterRole");
        let rules = roles.flat_map(|role| role["rules"].as_array().unwrap());
        let rules: Vec<&Value> = rules.collect();
        assert!(rules.iter().all(|rule| rule["verbs"] == json!(["list"])));
        rules
            .iter()
            .map(|rule| rule["resources"].to_string())
            .collect()
    }

    #[test]
    fn nothing_is_asked_for_but_lists() {
        let all = items(&[]);
        assert!(resources(&all).contains("\"secrets\""));
        assert!(resources(&all).contains("\"clusterroles\""));
        let kinds: Vec<&Value> = all.iter().map(|item| &item["kind"]).collect();
        assert_eq!(
            kinds,
            [
                "Namespace",
                "ServiceAccount",
                "ClusterRole",
                "ClusterRoleBinding"
            ]
        );
    }

    #[test]
    fn what_is_left_out_needs_no_right() {
        let all = items(&[("secrets", "referenced"), ("leave_out", "workloads")]);
        let named = resources(&all);
        assert!(!named.contains("\"secrets\"") && !named.contains("\"pods\""));
        assert!(named.contains("\"externalsecrets\""));
    }

    #[test]
    fn of_some_namespaces_nothing_is_given_elsewhere() {
        let all = items(&[("namespaces", "shop,site")]);
        let bound: Vec<&str> = all
            .iter()
            .filter(|item| item["kind"] == "RoleBinding")
            .map(|item| item["metadata"]["namespace"].as_str().unwrap())
            .collect();
        assert_eq!(bound, ["shop", "site"]);
        let everywhere = all
            .iter()
            .find(|item| item["metadata"]["name"] == "lastkey-reader-cluster");
        assert!(
            !everywhere.unwrap()["rules"]
                .to_string()
                .contains("\"secrets\"")
        );
    }
}
