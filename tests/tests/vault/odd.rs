//! Vaults as nobody would make them: odd names, policies without end, templates of nobody,
//! namespaces, and things that go away at the wrong moment.

use crate::capabilities::{Asker, compare, holders};
use crate::estate::*;
use lastkey_contract::{Connector, Fact, Kind, NoteKind, PageRequest};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Paths of stores that a vault takes, with their versions.
const STORES: [(&str, &str); 12] = [
    ("a b", "1"),
    ("ünï/kv", "2"),
    ("100%", "1"),
    ("x+y", "2"),
    ("q?z#1", "1"),
    ("st*r", "1"),
    ("+", "1"),
    ("deep/er/and/deeper", "2"),
    ("\"q\"", "1"),
    ("data", "2"),
    ("metadata", "1"),
    ("..x", "1"),
];

fn paths(connector: &dyn Connector, kind: Kind) -> BTreeSet<String> {
    facts(&read(connector, kind, 500).unwrap())
        .into_iter()
        .map(|fact| match fact {
            Fact::Location(location) => location.path.to_string(),
            Fact::Reader(reader) => reader.path.to_string(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn stores_with_odd_names_are_read() {
    let Some(lab) = lab("stores with odd names") else {
        return;
    };
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    for (store, version) in STORES {
        let at = encoded(store);
        let body = json!({ "type": "kv", "options": { "version": version } });
        lab.write(&format!("sys/mounts/{at}"), body);
        if version == "2" {
            upgraded(&lab, &at);
        }
        let data = if version == "2" { "/data" } else { "" };
        let body = json!({ "data": { "v": "x" } });
        lab.write(&format!("{at}{data}/folder/s%20ecret"), body);
    }
    let secret = |store: &str| format!("{store}/folder/s ecret");
    let all: BTreeSet<String> = STORES.iter().map(|(store, _)| secret(store)).collect();

    // The script that knows no paths reaches stores of one part; the others are named as missing.
    let connector = by_approle(&lab, &[], least_rights(&lab, &[]));
    let missing: Vec<String> = run(connector.check())
        .unwrap()
        .missing_rights
        .into_iter()
        .map(|right| right.name)
        .collect();
    assert_eq!(
        missing,
        [
            "read on deep/er/and/deeper/metadata/*",
            "read on ünï/kv/metadata/*"
        ]
    );
    assert_eq!(paths(connector.as_ref(), Kind::Location), all);
    let pages = read(connector.as_ref(), Kind::Location, 500).unwrap();
    let lost = gaps(&pages);
    assert!(
        lost.len() == 1 && lost[0].kind == NoteKind::Clipped && lost[0].count == 2,
        "{lost:?}"
    );
    // Whoever holds the root policy reads every one of them.
    assert_eq!(paths(connector.as_ref(), Kind::Reader), all);

    let named = STORES.map(|(store, _)| store).join(", ");
    let named = [("mounts", named.as_str())];
    let connector = by_approle(&lab, &named, least_rights(&lab, &named));
    let report = run(connector.check()).unwrap();
    assert_eq!(report.missing_rights, Vec::new());
    let pages = read(connector.as_ref(), Kind::Location, 500).unwrap();
    assert_eq!(gaps(&pages), Vec::new());
    assert_eq!(facts(&pages).len(), STORES.len());
}

#[test]
fn a_thousand_rules_and_templates_of_nobody() {
    let Some(lab) = lab("policies without end") else {
        return;
    };
    let many: String = (0..1_000)
        .map(|n| {
            let path = match n % 4 {
                0 => format!("s/+/x{n}/*"),
                1 => format!("s/{n}/+"),
                2 => format!("s/{}*", "a".repeat(n / 10)),
                _ => format!("s/exact/{n}"),
            };
            format!("path \"{path}\" {{ capabilities = [\"read\"] }}\n")
        })
        .collect();
    let nobody = "path \"s/{{identity.entity.aliases.auth_nowhere_1.name}}/*\" { capabilities = [\"read\"] }\n\
        path \"s/{{identity.groups.names.nobody.id}}/x\" { capabilities = [\"read\"] }\n\
        path \"s/{{identity.entity.metadata.none}}\" { capabilities = [\"list\"] }\n\
        path \"s/{{identity.nothing}}/x\" { capabilities = [\"list\"] }\n\
        path \"s/known\" { capabilities = [\"update\"] }\n";
    let texts = [("many", many), ("nobody", nobody.to_owned())];
    for (name, text) in &texts {
        let body = json!({ "policy": text });
        lab.root("PUT", &format!("sys/policies/acl/{name}"), body);
    }
    let mut paths: Vec<String> = (0..200)
        .flat_map(|n| {
            [
                format!("s/{n}/x{n}/y"),
                format!("s/{n}/y"),
                format!("s/exact/{n}"),
                format!("s/{}", "a".repeat(n)),
            ]
        })
        .collect();
    paths.extend(["s//x", "s/known", "s/nobody/x", "s/<no value>"].map(str::to_owned));
    let names: Vec<&str> = texts.iter().map(|(name, _)| *name).collect();
    let policies: Vec<(String, String)> = texts
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.clone()))
        .collect();
    let body = json!({ "policies": names, "no_default_policy": true, "ttl": "1h" });
    let lone = lab.write("auth/token/create", body);
    let mut askers = vec![(
        lone["auth"]["client_token"].as_str().unwrap().to_owned(),
        None,
    )];
    for (token, holder) in holders(&lab) {
        let path = format!("identity/entity/id/{}", holder.id);
        lab.write(&path, json!({ "policies": names }));
        askers.push((token, Some(holder)));
    }
    for (token, holder) in askers {
        let asker = Asker {
            token,
            holder,
            policies: policies.clone(),
        };
        assert_eq!(compare(&lab, &asker, &paths), paths.len());
    }
}

#[test]
fn a_namespace_has_its_own_least_rights() {
    let Some(lab) = lab("least rights in a namespace") else {
        return;
    };
    lab.write("sys/namespaces/team", json!({}));
    let inside = |method: &str, path: &str, body: Value| {
        let answered = lab.ask(lab.root_token(), "team", method, path, &body);
        assert!(answered.status < 300, "{path}: {answered:?}");
    };
    inside("POST", "sys/namespaces/payments", json!({}));
    inside("POST", "sys/auth/approle", json!({ "type": "approle" }));
    let kv = json!({ "type": "kv", "options": { "version": "1" } });
    inside("POST", "sys/mounts/kv", kv);
    inside("POST", "kv/a", json!({ "v": "x" }));
    let here = [("namespace", "/team/")];
    let login = least_rights_in(&lab, "team", &here);
    let connector = by_approle(&lab, &here, login.clone());
    let report = run(connector.check()).unwrap();
    assert_eq!(
        (report.missing_rights, report.excess_rights),
        (Vec::new(), Vec::new())
    );
    for kind in [Kind::Account, Kind::Grant, Kind::Location, Kind::Reader] {
        let pages = read(connector.as_ref(), kind, 500).unwrap();
        assert_eq!(gaps(&pages), Vec::new(), "{kind}");
    }
    assert_eq!(paths(connector.as_ref(), Kind::Location).len(), 1);
    // A login of one namespace is none of another.
    for other in ["", "team/payments"] {
        let elsewhere = by_approle(&lab, &[("namespace", other)], login.clone());
        let error = run(elsewhere.check()).unwrap_err();
        assert!(error.hint.is_some(), "`{other}`: {error}");
    }
}

#[test]
fn an_approle_removed_between_pages_takes_nothing_along() {
    let Some(lab) = lab("AppRoles removed between pages") else {
        return;
    };
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    for role in ["a", "b", "c"] {
        let path = format!("auth/approle/role/{role}");
        lab.write(&path, json!({ "token_policies": "none" }));
        lab.write(&format!("{path}/secret-id"), json!({}));
    }
    let connector = by_approle(&lab, &[], least_rights(&lab, &[]));
    run(async {
        let mut session = connector.connect().await.unwrap();
        let request = |cursor, limit| PageRequest {
            cursor,
            limit,
            since: None,
        };
        // What each AppRole gives is known from here on.
        let whole = request(None, 500);
        session.read_page(Kind::Grant, whole).await.unwrap();
        let first = session.read_page(Kind::Credential, request(None, 1));
        let first = first.await.unwrap();
        lab.root("DELETE", "auth/approle/role/b", json!({}));
        let rest = session.read_page(Kind::Credential, request(first.next.clone(), 500));
        let rest = rest.await.unwrap();
        let read = facts(&[first, rest]);
        let of = |role: &str| {
            let account = format!("auth/approle/role/{role}");
            let has = |fact: &&Fact| match fact {
                Fact::Credential(c) => c.account_id.as_ref().is_some_and(|a| a.as_str() == account),
                _ => false,
            };
            read.iter().filter(has).count()
        };
        assert_eq!((of("a"), of("b"), of("c")), (1, 0, 1));
    });
}
