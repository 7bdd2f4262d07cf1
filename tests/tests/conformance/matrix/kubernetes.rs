//! What happens to a login of a cluster, and what a cluster holds back from it.

use super::{Fault, Struck};
use crate::kubernetes::estate::{Estate, RBAC, binding, service};
use lastkey_contract::Connector;
use serde_json::{Value, json};
use std::sync::Arc;

fn fault(
    name: &str,
    estate: &Arc<Estate>,
    act: impl FnOnce(&Estate) -> Box<dyn Connector> + 'static,
) -> Fault {
    let estate = Arc::clone(estate);
    Fault {
        name: name.to_owned(),
        start: Box::new(move || Struck {
            connector: act(&estate),
            lift: Box::new(|| ()),
            lives: Box::new(()),
        }),
    }
}

/// The reader's role without one sort of object, for a service account of its own.
fn without(estate: &Estate, sort: &str) -> Box<dyn Connector> {
    let path = format!("{RBAC}/clusterroles/lastkey-reader");
    let whole = estate.lab.root("GET", &path, &Value::Null);
    let name = format!("without-{sort}");
    let mut rules = whole["rules"].clone();
    for rule in rules.as_array_mut().unwrap() {
        let list = rule["resources"].as_array_mut().unwrap();
        list.retain(|each| each != sort);
        if list.is_empty() {
            list.push(json!("nothing"));
        }
    }
    let role = json!({ "metadata": { "name": name }, "rules": rules });
    let ours = service("lastkey", &name);
    let bound = binding("", &name, ("ClusterRole", &name), &[ours]);
    let account = json!({ "metadata": { "name": name } });
    estate
        .lab
        .make("/api/v1/namespaces/lastkey/serviceaccounts", &account);
    estate.lab.make(&format!("{RBAC}/clusterroles"), &role);
    estate
        .lab
        .make(&format!("{RBAC}/clusterrolebindings"), &bound);
    let token = estate.lab.token("lastkey", &name);
    // The server learns of a binding in its own time.
    let list = "/api/v1/serviceaccounts";
    while sort != "serviceaccounts"
        && estate.lab.ask(&token, "GET", list, &Value::Null).status != 200
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    estate.by(&token, &[])
}

/// What a cluster does to its readers.
pub fn of_a_cluster(estate: &Arc<Estate>) -> Vec<Fault> {
    let mut all = vec![
        fault("no token at all", estate, |estate| {
            lastkey_kubernetes::configure(&estate.settings(&[]), None).unwrap()
        }),
        fault(
            "Secrets only where something names them",
            estate,
            |estate| estate.connector(&[("secrets", "referenced")]),
        ),
    ];
    for sort in [
        "secrets",
        "serviceaccounts",
        "rolebindings",
        "clusterrolebindings",
        "certificatesigningrequests",
        "externalsecrets",
    ] {
        let name = format!("a login that may not list {sort}");
        all.push(fault(&name, estate, move |estate| without(estate, sort)));
    }
    all
}

/// A path without its query: each list is asked for by a path of its own.
pub fn shape(path: &str) -> String {
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    path.to_owned()
}
