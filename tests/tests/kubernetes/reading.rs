//! What is read of a company, with the least rights of the connector's own script.

use crate::estate::*;
use lastkey_contract::{Kind, NoteKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn values(facts: &lastkey_conformance::Facts, kind: Kind) -> Vec<Value> {
    let facts = facts[&kind].iter();
    facts
        .map(|fact| serde_json::to_value(fact).unwrap())
        .collect()
}

#[test]
fn a_cluster_is_read_with_the_least_rights() {
    let Some(lab) = lab("a cluster is read") else {
        return;
    };
    let estate = Estate::found(lab);
    let (facts, notes) = read_all(estate.connector(&[]));

    // Nothing is hidden from the reader, and what is not there is told.
    let cut: Vec<_> = notes
        .iter()
        .filter(|n| !n.kind.keeps_completeness())
        .collect();
    assert!(cut.is_empty(), "{cut:?}");
    let dangling: BTreeSet<&str> = notes
        .iter()
        .filter(|note| note.kind == NoteKind::Dangling)
        .flat_map(|note| note.examples.iter().map(String::as_str))
        .collect();
    let gone = ["site/gone", "site/is-not-there: Pod lost (mounted)"];
    for gone in gone {
        assert!(dangling.contains(gone), "{gone} is not in {dangling:?}");
    }

    let accounts = by_id(&facts[&Kind::Account], "id");
    let web = &accounts["system:serviceaccount:shop:web"];
    assert_eq!(web["kind"], "service");
    assert_eq!(web["enabled"], true);
    assert_eq!(
        web["attributes"]["eks.amazonaws.com/role-arn"],
        "arn:aws:iam::1:role/web"
    );
    assert!(
        accounts["ann"]["enabled"].is_null(),
        "of users nothing is kept"
    );
    assert_eq!(accounts["frank"]["attributes"]["known_by"], "certificates");
    assert!(!accounts.contains_key("system:serviceaccount:site:is-not-there"));

    let entitlements = by_id(&facts[&Kind::Entitlement], "id");
    let whole = &entitlements["clusterrole/whole/site"];
    assert_eq!(whole["attributes"]["gathers"], "part");
    assert_eq!(whole["attributes"]["rules"], "list secrets");
    assert_eq!(
        entitlements["clusterrole/cluster-admin"]["privileged"],
        true
    );
    assert_eq!(entitlements["clusterrole/read-secrets"]["privileged"], true);
    assert_eq!(
        entitlements["clusterrole/read-secrets/shop"]["privileged"],
        false
    );
    assert_eq!(entitlements["group/system:masters"]["privileged"], true);

    let locations = by_id(&facts[&Kind::Location], "path");
    let db = &locations["shop/db"];
    assert_eq!(db["kind"], "kubernetes_secret");
    assert_eq!(db["attributes"]["type"], "Opaque");
    assert_eq!(db["attributes"]["keys"], "password, user");
    assert_eq!(db["attributes"]["keys_in_all"], "2");
    assert_eq!(
        db["attributes"]["used_by"],
        "CronJob dump (mounted), Deployment web (password in DB_PASSWORD)"
    );
    assert_eq!(
        locations["shop/pull"]["attributes"]["used_by"],
        "ServiceAccount web (pulls images)"
    );
    assert!(locations["shop/web"]["attributes"]["copy"].is_string());
    assert_eq!(
        locations["site/from-vault"]["attributes"]["upstream"],
        "vault https://vault.example.org kv: prod/db#password"
    );
    assert_eq!(
        locations["shop/old-ci-token"]["credential_id"],
        "secret/shop/old-ci-token"
    );

    let credentials = by_id(&facts[&Kind::Credential], "id");
    let token = &credentials["secret/shop/old-ci-token"];
    assert_eq!(token["account_id"], "system:serviceaccount:shop:old-ci");
    assert!(
        token["expires_at"].is_null() && token["created_at"].is_string()
            || token["created_at"].is_object()
    );
    let frank = &credentials["csr/frank"];
    assert_eq!(
        (&frank["kind"], &frank["account_id"]),
        (&json!("certificate"), &json!("frank"))
    );
    assert_eq!(frank["attributes"]["groups"], "shop-team, night-shift");
    assert!(!frank["expires_at"].is_null());

    let weaker: BTreeSet<(String, String)> = values(&facts, Kind::Reader)
        .iter()
        .filter(|reader| reader["attributes"]["evidence"] == "weaker")
        .map(|reader| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&reader["path"]), text(&reader["principal"]["id"]))
        })
        .collect();
    let deploys = |path: &str| (path.to_owned(), "role/shop/deploy".to_owned());
    assert!(weaker.contains(&deploys("shop/db")));
    assert!(!weaker.contains(&deploys("site/from-vault")));

    let controls: BTreeSet<(String, String, String)> = values(&facts, Kind::Control)
        .iter()
        .map(|control| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (
                text(&control["account_id"]),
                text(&control["principal"]["id"]),
                text(&control["means"]),
            )
        })
        .collect();
    let control = |account: &str, by: &str, means: &str| {
        (account.to_owned(), by.to_owned(), means.to_owned())
    };
    let build = "system:serviceaccount:site:build";
    assert!(controls.contains(&control(build, "role/site/issue", "mint_credential")));
    assert!(controls.contains(&control(
        "system:serviceaccount:shop:web",
        "role/shop/deploy",
        "assume"
    )));
    assert!(controls.contains(&control("ann", "clusterrole/cluster-admin", "impersonate")));
    assert!(!controls.contains(&control("ann", "role/site/issue", "mint_credential")));

    no_value_came(&estate, &format!("{facts:?} {notes:?}"));
}

/// Values stand nowhere, and were never asked for.
fn no_value_came(estate: &Estate, told: &str) {
    for canary in CANARIES {
        assert!(
            !told.contains(canary),
            "{canary} stands among what was read"
        );
    }
    let own = "system:serviceaccount:lastkey:reader";
    let log = estate.lab.audited();
    let odd: Vec<_> = log
        .iter()
        .filter(|request| request.by == own)
        .filter(|request| {
            !matches!(request.verb.as_str(), "list") && request.path.contains("secrets")
        })
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
    let lists: Vec<_> = log
        .iter()
        .filter(|request| request.by == own && request.path.contains("/secrets?"))
        .collect();
    assert!(!lists.is_empty());
    assert!(
        lists
            .iter()
            .all(|request| request.path.contains("includeObject=Metadata"))
    );
}

#[test]
fn the_check_says_what_is_missing_and_what_is_too_much() {
    let Some(lab) = lab("the check") else {
        return;
    };
    let estate = Estate::found(lab);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let check = |token: &str, extra: &[(&str, &str)]| {
        runtime.block_on(estate.by(token, extra).check()).unwrap()
    };
    let report = check(&estate.token, &[]);
    assert!(report.rights_known);
    assert_eq!(report.missing_rights, [], "the script's rights suffice");
    assert_eq!(report.excess_rights, [], "and are no more");
    assert_eq!(
        report.signed_in_as.as_deref(),
        Some("system:serviceaccount:lastkey:reader")
    );
    assert_eq!(report.server.as_deref(), Some("Kubernetes v1.37.2"));

    let report = check(estate.lab.nobody(), &[]);
    let names: Vec<&str> = report
        .missing_rights
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(names.len(), 18, "{names:?}");
    assert!(names.contains(&"list secrets"));
    let report = check(estate.lab.admin(), &[]);
    assert_eq!(report.missing_rights, []);
    assert!(report.excess_rights.iter().any(|right| right.name == "* *"));

    // Of some namespaces, and without the list of Secrets, less is needed.
    let extra = [("namespaces", "shop"), ("secrets", "referenced")];
    estate.lab.root(
        "DELETE",
        &format!("{RBAC}/clusterrolebindings/lastkey-reader"),
        &Value::Null,
    );
    estate.lab.root(
        "DELETE",
        &format!("{RBAC}/clusterroles/lastkey-reader"),
        &Value::Null,
    );
    let token = reader(&estate.lab, &extra);
    let report = check(&token, &extra);
    assert_eq!(report.missing_rights, []);
    let (facts, notes) = read_all(estate.by(&token, &extra));
    let paths: Vec<String> = by_id(&facts[&Kind::Location], "path").into_keys().collect();
    assert_eq!(paths, ["shop/db", "shop/pull"], "only what something names");
    let clipped: Vec<_> = notes
        .iter()
        .filter(|n| n.kind == NoteKind::Clipped)
        .collect();
    assert!(clipped.iter().any(|note| note.about == Kind::Location));
    assert!(
        clipped
            .iter()
            .all(|note| note.reason.contains("as configured")),
        "{clipped:?}"
    );
}
