//! Roles, groups and users of every auth method that the server has, and what becomes of tokens.

use crate::estate::*;
use lastkey_contract::facts::{Assignment, Credential, Entitlement, Grant};
use lastkey_contract::{Connector, Fact, Kind, NoteKind};
use lastkey_tests::labs::OpenBao;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The company with every auth method, which the cases share.
fn ways(case: &str) -> Option<&'static Estate> {
    static ESTATE: OnceLock<Option<Estate>> = OnceLock::new();
    let estate = ESTATE.get_or_init(|| {
        let estate = Estate::found(lab(case)?);
        with_ways(&estate.lab);
        with_ivy(&estate.lab);
        Some(estate)
    });
    if estate.is_none() {
        lastkey_tests::labs::not_run("openbao", case, "the server is not on this machine");
    }
    estate.as_ref()
}

/// Somebody who signs in by LDAP.
fn with_ivy(lab: &OpenBao) {
    let methods = lab.root("GET", "sys/auth", json!({}));
    let entity = lab.write("identity/entity", json!({ "name": "ivy" }));
    let alias = json!({
        "name": "ivy",
        "canonical_id": entity["data"]["id"],
        "mount_accessor": methods["data"]["ldap/"]["accessor"],
    });
    lab.write("identity/entity-alias", alias);
}

/// All of a kind, read with the script's own rights, and nothing missing.
fn whole(connector: &dyn Connector, kind: Kind) -> Vec<Fact> {
    let pages = read(connector, kind, 7).unwrap();
    assert_eq!(gaps(&pages), Vec::new(), "{kind}");
    facts(&pages)
}

#[test]
fn roles_of_every_method_say_who_may_take_them() {
    let Some(estate) = ways("roles of every auth method") else {
        return;
    };
    let held: BTreeMap<String, Entitlement> =
        whole(estate.connector(&[]).as_ref(), Kind::Entitlement)
            .into_iter()
            .map(|fact| match fact {
                Fact::Entitlement(e) => (e.id.to_string(), e),
                other => panic!("{other:?}"),
            })
            .collect();
    for (id, told) in [
        (
            "auth/token/roles/ci",
            vec![
                ("auth", "token"),
                ("allowed_policies", "db-read"),
                ("allowed_policies_glob", "o*"),
                ("orphan", "true"),
                ("token_period", "3600 s"),
            ],
        ),
        (
            "auth/cert/certs/web",
            vec![("allowed_common_names", "web.example.org")],
        ),
        ("auth/jwt/role/ci", vec![("bound_audiences", "x")]),
        ("auth/kerberos/groups/desk", vec![("auth", "kerberos")]),
        (
            "auth/kubernetes/role/app",
            vec![
                ("bound_service_account_names", "app"),
                ("bound_service_account_namespaces", "prod"),
                ("token_ttl", "600 s"),
            ],
        ),
        ("auth/ldap/groups/dba", vec![("auth", "ldap")]),
        ("auth/ldap/users/ivy", vec![("groups", "dba")]),
        ("auth/radius/users/rob", vec![("auth", "radius")]),
    ] {
        let found = held
            .get(id)
            .unwrap_or_else(|| panic!("{id}: {:?}", held.keys()));
        for (key, value) in told {
            assert_eq!(
                found.attributes.get(key).map(String::as_str),
                Some(value),
                "{id} {key}"
            );
        }
    }
}

fn grants(estate: &Estate) -> Vec<Grant> {
    whole(estate.connector(&[]).as_ref(), Kind::Grant)
        .into_iter()
        .map(|fact| match fact {
            Fact::Grant(grant) => grant,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn roles_lead_to_policies_and_are_led_to() {
    let Some(estate) = ways("grants of roles") else {
        return;
    };
    let grants = grants(estate);
    let name = |id: &str| match id {
        id if id == estate.ann => "ann".to_owned(),
        id => id.to_owned(),
    };
    let pairs: Vec<(String, String)> = grants
        .iter()
        .map(|g| (name(&g.principal.id), g.entitlement_id.to_string()))
        .collect();
    let has = |who: &str, what: &str| pairs.iter().any(|(w, e)| w == who && e == what);
    for (who, what) in [
        ("auth/token/roles/ci", "policy/db-read"),
        ("auth/token/roles/ci", "policy/own-home"),
        ("auth/token/roles/ci", "policy/default"),
        ("policy/ci-minter", "auth/token/roles/ci"),
        ("policy/admin", "auth/token/roles/ci"),
        ("policy/root", "auth/token/roles/ci"),
        ("auth/ldap/users/ivy", "policy/minter"),
        ("auth/ldap/users/ivy", "auth/ldap/groups/dba"),
        ("auth/ldap/groups/dba", "policy/db-read"),
        ("auth/kerberos/groups/desk", "policy/helpdesk"),
        ("auth/radius/users/rob", "policy/old"),
        ("auth/kubernetes/role/app", "policy/db-read"),
        ("auth/cert/certs/web", "policy/db-read"),
    ] {
        assert!(has(who, what), "{who} {what}: {pairs:#?}");
    }
    assert!(
        !has("auth/token/roles/ci", "policy/old"),
        "it is disallowed"
    );
    assert!(!has("policy/minter", "auth/token/roles/ci"));
    let asked = grants.iter().find(|g| g.principal.id == "policy/ci-minter");
    assert_eq!(asked.unwrap().assignment, Some(Assignment::Eligible));
    let ivy = grants
        .iter()
        .find(|g| g.entitlement_id.as_str() == "auth/ldap/users/ivy")
        .unwrap();
    let entity = estate
        .lab
        .root("GET", "identity/entity/name/ivy", json!({}));
    assert_eq!(json!(ivy.principal.id), entity["data"]["id"]);
}

#[test]
fn the_server_gives_what_a_token_role_is_said_to_lead_to() {
    let Some(estate) = ways("tokens of a role") else {
        return;
    };
    let minter = estate.lab.write(
        "auth/token/create-orphan",
        json!({ "policies": ["ci-minter"], "ttl": "1h" }),
    );
    let minter = minter["auth"]["client_token"].as_str().unwrap();
    let mint = |policy: &str| {
        let body = json!({ "policies": [policy] });
        estate
            .lab
            .ask(minter, "", "POST", "auth/token/create/ci", &body)
            .status
    };
    assert_eq!((mint("db-read"), mint("own-home")), (200, 200));
    assert!(mint("old") >= 400 && mint("helpdesk") >= 400);
}

#[track_caller]
fn refused(estate: &Estate, path: &str, kind: Kind, says: &str, sort: NoteKind) {
    let pages = read(without(estate, path).as_ref(), kind, 500).unwrap();
    let notes = notes(&pages);
    assert!(
        notes
            .iter()
            .any(|n| n.kind == sort && n.reason.contains(says)),
        "{path}: {notes:#?}"
    );
}

#[test]
fn a_path_that_is_closed_is_no_absence() {
    let case = "closed paths of auth methods";
    let Some(estate) = lab(case).map(Estate::found) else {
        return;
    };
    with_ways(&estate.lab);
    with_ivy(&estate.lab);
    let may_not_list = "may not list a path";
    refused(
        &estate,
        "auth/token/roles",
        Kind::Entitlement,
        may_not_list,
        NoteKind::Clipped,
    );
    refused(
        &estate,
        "auth/ldap/users",
        Kind::Grant,
        may_not_list,
        NoteKind::Clipped,
    );
    let name_alone = "nothing but its name is known";
    refused(
        &estate,
        "auth/token/roles/ci",
        Kind::Entitlement,
        name_alone,
        NoteKind::Clipped,
    );
    let role = "may not read a way to sign in";
    refused(
        &estate,
        "auth/token/roles/ci",
        Kind::Grant,
        role,
        NoteKind::Skipped,
    );
    let whose = "whether the token outlives it is not known";
    refused(
        &estate,
        "identity/entity/id/*",
        Kind::Credential,
        whose,
        NoteKind::Clipped,
    );
    let users = "who may use a role is not known whole";
    refused(
        &estate,
        "identity/entity/id",
        Kind::Grant,
        users,
        NoteKind::Clipped,
    );
}

#[test]
fn audit_devices_are_told_by_the_check() {
    let Some(estate) = ways("audit devices") else {
        return;
    };
    let remarks = run(estate.connector(&[]).check()).unwrap().remarks;
    assert!(
        remarks.iter().any(|r| r.ends_with("lab/ (file)")),
        "{remarks:#?}"
    );
    let refused = run(without(estate, "sys/audit").check()).unwrap();
    let unknown = |r: &String| r.contains("may not list the audit devices");
    assert!(refused.remarks.iter().any(unknown), "{refused:#?}");
    let missing = |r: &lastkey_contract::Right| r.name == "read on sys/audit";
    assert!(refused.missing_rights.iter().any(missing), "{refused:#?}");
}

#[test]
fn tokens_that_outlive_their_entity_are_told() {
    let case = "tokens and their entities";
    let Some(estate) = lab(case).map(Estate::found) else {
        return;
    };
    let lab = &estate.lab;
    let signed_in = |user: &str| {
        let path = format!("auth/userpass/login/{user}");
        let made = lab.write(&path, json!({ "password": "pw-of-people-canary" }));
        let text = |key: &str| made["auth"][key].as_str().unwrap().to_owned();
        (text("accessor"), text("client_token"))
    };
    let (of_ann, ann) = signed_in("ann");
    let (of_bob, bob) = signed_in("bob");
    let (of_zoe, zoe) = signed_in("zoe");
    let entity = |id: &str| format!("identity/entity/id/{id}");
    lab.write(&entity(&estate.ann), json!({ "disabled": true }));
    lab.root("DELETE", &entity(&estate.bob), json!({}));
    let wrapped = lab.wrapped("auth/approle/role/deploy/secret-id", json!({}));
    let wrapping = wrapped["wrap_info"]["accessor"].as_str().unwrap();

    let pages = read(estate.connector(&[]).as_ref(), Kind::Credential, 500).unwrap();
    assert_eq!(gaps(&pages), Vec::new());
    let told: BTreeMap<String, Credential> = facts(&pages)
        .into_iter()
        .map(|fact| match fact {
            Fact::Credential(c) => (c.id.to_string(), c),
            other => panic!("{other:?}"),
        })
        .collect();
    let is = |accessor: &str| {
        let entity = told[accessor].attributes.get("entity").map(String::as_str);
        (told[accessor].enabled, entity)
    };
    assert_eq!(is(&of_ann), (Some(false), Some("disabled")));
    assert_eq!(is(&of_bob), (Some(false), Some("gone")));
    assert_eq!(is(&of_zoe), (Some(true), None));
    let outlives = |n: &&lastkey_contract::Note| n.reason.contains("outlives its entity");
    let notes = notes(&pages);
    assert_eq!(notes.iter().find(outlives).unwrap().examples, [of_bob]);
    // As the server says itself.
    let looks = |token: &str| lab.ask(token, "", "GET", "auth/token/lookup-self", &Value::Null);
    assert_eq!(
        [ann, bob, zoe].map(|token| looks(&token).status),
        [403, 403, 200]
    );
    let wraps = &told[wrapping].attributes;
    assert_eq!(wraps["wraps"], "auth/approle/role/deploy/secret-id");
    assert_eq!(
        (wraps["orphan"].as_str(), wraps["uses_left"].as_str()),
        ("true", "1")
    );
}
