//! What secrets engines beside key-value stores give: roles, certificates, keys, changing passwords.

use crate::estate::*;
use lastkey_contract::facts::{Assignment, Credential, CredentialKind, Entitlement};
use lastkey_contract::{Fact, Kind, NoteKind};
use lastkey_tests::labs::PostgreSql;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

struct Engines {
    estate: Estate,
    serials: [String; 2],
}

fn engines(case: &str) -> Option<&'static Engines> {
    static ENGINES: OnceLock<Option<Engines>> = OnceLock::new();
    let engines = ENGINES.get_or_init(|| {
        let estate = Estate::found(lab(case)?);
        let serials = with_engines(&estate.lab);
        Some(Engines { estate, serials })
    });
    if engines.is_none() {
        lastkey_tests::labs::not_run("openbao", case, "the server is not on this machine");
    }
    engines.as_ref()
}

/// All of a kind, read with the script's own rights, and nothing missing.
fn whole(estate: &Estate, kind: Kind) -> Vec<Fact> {
    let pages = read(estate.connector(&[]).as_ref(), kind, 6).unwrap();
    assert_eq!(gaps(&pages), Vec::new(), "{kind}");
    let facts = facts(&pages);
    let said = format!("{facts:?}");
    for canary in CANARIES {
        assert!(!said.contains(canary), "{kind}: {canary}");
    }
    for material in ["BEGIN", "PRIVATE"] {
        assert!(!said.contains(material), "{kind}: {material}");
    }
    facts
}

fn credentials(estate: &Estate) -> BTreeMap<String, Credential> {
    whole(estate, Kind::Credential)
        .into_iter()
        .map(|fact| match fact {
            Fact::Credential(c) => (c.id.to_string(), c),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn roles_of_engines_say_whom_they_make_and_for_how_long() {
    let Some(Engines { estate, .. }) = engines("roles of secrets engines") else {
        return;
    };
    let held: BTreeMap<String, Entitlement> = whole(estate, Kind::Entitlement)
        .into_iter()
        .map(|fact| match fact {
            Fact::Entitlement(e) => (e.id.to_string(), e),
            other => panic!("{other:?}"),
        })
        .collect();
    let check = |id: &str, told: &[(&str, &str)]| {
        let found = held
            .get(id)
            .unwrap_or_else(|| panic!("{id}: {:?}", held.keys()));
        for (key, value) in told {
            let found = found.attributes.get(*key).map(String::as_str);
            assert_eq!(found, Some(*value), "{id} {key}");
        }
    };
    check(
        "database/roles/app",
        &[
            ("engine", "database"),
            ("db_name", "shop"),
            ("default_ttl", "3600 s"),
            ("max_ttl", "86400 s"),
            (
                "makes",
                "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' IN ROLE ops; SELECT '(hidden)'",
            ),
        ],
    );
    check(
        "kubernetes/roles/deployer",
        &[
            ("service_account_name", "deployer"),
            ("allowed_kubernetes_namespaces", "prod"),
            ("token_max_ttl", "3600 s"),
        ],
    );
    check(
        "ldap/role/temp",
        &[
            ("max_ttl", "7200 s"),
            (
                "makes",
                "dn: cn={{.Username}},ou=people\nobjectClass: person\nuserpassword: (hidden)",
            ),
        ],
    );
    check(
        "pki/roles/web",
        &[("allowed_domains", "example.org"), ("max_ttl", "259200 s")],
    );
    check("rabbitmq/roles/queue", &[("tags", "administrator")]);
    check(
        "ssh/roles/admin",
        &[
            ("allowed_users", "root,deploy"),
            ("default_user", "deploy"),
            ("ttl", "1800 s"),
        ],
    );
    let pages = read(estate.connector(&[]).as_ref(), Kind::Entitlement, 500).unwrap();
    let unkept = notes(&pages);
    let unkept = unkept.iter().find(|n| n.reason.contains("are not kept"));
    assert_eq!(unkept.unwrap().examples, ["pki/roles/unkept"]);
}

#[test]
fn who_may_use_a_role_is_whom_the_server_lets_use_it() {
    let Some(Engines { estate, .. }) = engines("who may use roles of secrets engines") else {
        return;
    };
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for fact in whole(estate, Kind::Grant) {
        let Fact::Grant(grant) = fact else {
            panic!("{fact:?}")
        };
        if grant.entitlement_id.as_str().contains("/role")
            && grant.assignment == Some(Assignment::Eligible)
        {
            let users = users.entry(grant.entitlement_id.to_string()).or_default();
            users.insert(grant.principal.id);
        }
    }
    let of = |role: &str| users[role].iter().map(String::as_str).collect::<Vec<_>>();
    let maker = ["policy/admin", "policy/maker", "policy/root"];
    let all_powerful = ["policy/admin", "policy/root"];
    assert_eq!(of("database/roles/app"), maker);
    assert_eq!(of("pki/roles/web"), maker);
    assert_eq!(of("ssh/roles/admin"), all_powerful);
    assert_eq!(of("kubernetes/roles/deployer"), all_powerful);
    // As the server says about a token with each policy.
    let can = |policy: &str, path: &str| {
        let body = json!({ "policies": [policy], "ttl": "1h", "no_default_policy": true });
        let made = estate.lab.write("auth/token/create-orphan", body);
        let accessor = made["auth"]["accessor"].as_str().unwrap().to_owned();
        let body = json!({ "accessor": accessor, "paths": [path] });
        let said = estate.lab.write("sys/capabilities-accessor", body);
        estate.lab.write(
            "auth/token/revoke-accessor",
            json!({ "accessor": accessor }),
        );
        said["data"][path]
            .as_array()
            .unwrap()
            .iter()
            .any(|word| word == "read" || word == "update")
    };
    for (policy, path, wanted) in [
        ("maker", "database/creds/app", true),
        ("maker", "pki/issue/web", true),
        ("maker", "ssh/sign/admin", false),
        ("db-read", "database/creds/app", false),
        ("exporter", "transit/export/signing-key/leaves", true),
    ] {
        assert_eq!(can(policy, path), wanted, "{policy} {path}");
    }
}

#[test]
fn certificates_tell_their_ends_and_revocations() {
    let Some(Engines { estate, serials }) = engines("certificates of a PKI engine") else {
        return;
    };
    let found = credentials(estate);
    let certificates: Vec<&Credential> = found
        .values()
        .filter(|c| c.kind == CredentialKind::Certificate)
        .collect();
    assert_eq!(
        certificates.len(),
        3,
        "two, and the issuer's own: {certificates:#?}"
    );
    let of = |serial: &String| &found[&format!("pki/cert/{serial}")];
    let (old, new) = (of(&serials[0]), of(&serials[1]));
    assert!(old.revoked_at.is_some() && old.enabled == Some(false));
    assert_eq!((new.revoked_at, new.enabled), (None, None));
    assert_eq!(new.name.as_deref(), Some("CN=new.example.org"));
    let said = |key: &str| new.attributes[key].as_str();
    assert_eq!(
        (said("issuer"), said("serial")),
        ("CN=Lab issuer", serials[1].as_str())
    );
    let names: BTreeSet<&str> = said("names").split(' ').collect();
    assert_eq!(
        names,
        BTreeSet::from(["new.example.org", "shop.example.org"])
    );
    let hours =
        (new.expires_at.unwrap().earliest() - new.created_at.unwrap().earliest()).num_hours();
    assert_eq!(hours, 72, "as the role says");
    let issuers: Vec<_> = certificates
        .iter()
        .filter(|c| c.attributes.contains_key("ca"))
        .collect();
    assert_eq!(issuers[0].name.as_deref(), Some("CN=Lab issuer"));
}

#[test]
fn keys_tell_whether_they_can_leave_and_who_can_take_them() {
    let Some(Engines { estate, .. }) = engines("keys of a transit engine") else {
        return;
    };
    let found = credentials(estate);
    let told = |id: &str, key: &str| found[id].attributes[key].clone();
    for (key, kept, leaves) in [
        ("type", "aes256-gcm96", "ecdsa-p256"),
        ("latest_version", "2", "1"),
        ("versions", "2", "1"),
        ("exportable", "false", "true"),
        ("allow_plaintext_backup", "false", "true"),
        ("deletion_allowed", "false", "true"),
    ] {
        assert_eq!(told("transit/keys/kept", key), kept, "{key}");
        assert_eq!(told("transit/keys/leaves", key), leaves, "{key}");
    }
    let kept = &found["transit/keys/kept"];
    assert!(kept.rotated_at.is_some() && kept.created_at.is_some() && kept.account_id.is_none());
    assert_eq!(found["transit/keys/leaves"].rotated_at, None);

    let at = "transit/export/signing-key/leaves";
    let places: Vec<(String, String)> = whole(estate, Kind::Location)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Location(l) => Some((l.path.to_string(), l.credential_id?.to_string())),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places, [(at.to_owned(), "transit/keys/leaves".to_owned())]);
    let readers: BTreeSet<String> = whole(estate, Kind::Reader)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Reader(r) => (r.path.as_str() == at).then_some(r.principal.id),
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted = ["policy/admin", "policy/exporter", "policy/root"];
    assert_eq!(readers, wanted.map(str::to_owned).into());
}

#[test]
fn a_password_that_the_vault_changes_stands_at_a_place() {
    let Some(lab) = lab("passwords that the vault changes") else {
        return;
    };
    let database = PostgreSql::start("");
    database.sql(
        "CREATE ROLE vault LOGIN SUPERUSER PASSWORD 'canary-plain-7f3a9c'; CREATE ROLE app LOGIN",
    );
    let estate = Estate::found(lab);
    let lab = &estate.lab;
    lab.write("sys/mounts/database", json!({ "type": "database" }));
    let url = format!(
        "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=require",
        database.port()
    );
    let shop = json!({ "plugin_name": "postgresql-database-plugin", "allowed_roles": "*",
        "connection_url": url, "username": "vault", "password": CANARIES[0] });
    lab.write("database/config/shop", shop);
    let app = json!({ "db_name": "shop", "username": "app", "rotation_period": "24h" });
    lab.write("database/static-roles/app", app);
    let policy = r#"path "database/static-creds/+" { capabilities = ["read"] }"#;
    lab.root(
        "PUT",
        "sys/policies/acl/app-login",
        json!({ "policy": policy }),
    );

    let at = "database/static-creds/app";
    let place = whole(&estate, Kind::Location)
        .into_iter()
        .find_map(|fact| match fact {
            Fact::Location(l) => (l.path.as_str() == at).then_some(l),
            other => panic!("{other:?}"),
        });
    let place = place.unwrap();
    assert!(place.last_rotated_at.is_some());
    assert_eq!(place.attributes["username"], "app");
    assert_eq!(place.attributes["rotation_period"], "86400 s");
    let readers: BTreeSet<String> = whole(&estate, Kind::Reader)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Reader(r) => (r.path.as_str() == at).then_some(r.principal.id),
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted = ["policy/admin", "policy/app-login", "policy/root"];
    assert_eq!(readers, wanted.map(str::to_owned).into());
    // The password is none of what was read, and the login works with it.
    let value = lab.root("GET", at, json!({}));
    let password = value["data"]["password"].as_str().unwrap();
    assert!(!format!("{place:?}").contains(password));
}

#[test]
fn a_path_that_is_closed_is_no_absence() {
    let Some(lab) = lab("closed paths of secrets engines") else {
        return;
    };
    let estate = Estate::found(lab);
    with_engines(&estate.lab);
    for (path, kind, sort, says) in [
        (
            "database/roles",
            Kind::Entitlement,
            NoteKind::Clipped,
            "may not list a path",
        ),
        (
            "database/roles/app",
            Kind::Entitlement,
            NoteKind::Clipped,
            "nothing but its name",
        ),
        (
            "pki/roles",
            Kind::Grant,
            NoteKind::Clipped,
            "may not list a path",
        ),
        (
            "pki/certs",
            Kind::Credential,
            NoteKind::Clipped,
            "may not list a path",
        ),
        (
            "transit/keys",
            Kind::Credential,
            NoteKind::Clipped,
            "may not list a path",
        ),
        (
            "transit/keys/leaves",
            Kind::Credential,
            NoteKind::Skipped,
            "may not read a key",
        ),
        (
            "transit/keys/leaves",
            Kind::Location,
            NoteKind::Clipped,
            "nothing but its name",
        ),
        (
            "transit/keys/leaves",
            Kind::Reader,
            NoteKind::Clipped,
            "nothing but its name",
        ),
        (
            "database/static-roles",
            Kind::Location,
            NoteKind::Clipped,
            "may not list a path",
        ),
        (
            "sys/policies/acl/maker",
            Kind::Grant,
            NoteKind::Clipped,
            "is not known whole",
        ),
    ] {
        let pages = read(without(&estate, path).as_ref(), kind, 500).unwrap();
        let notes = notes(&pages);
        let noted = notes
            .iter()
            .any(|n| n.kind == sort && n.reason.contains(says));
        assert!(noted, "{path} {kind}: {notes:#?}");
    }
}

#[test]
fn the_script_reaches_no_material() {
    let Some(Engines { estate, serials }) = engines("the script and secrets engines") else {
        return;
    };
    let report = run(estate.connector(&[]).check()).unwrap();
    assert_eq!(report.missing_rights, Vec::new());
    assert_eq!(report.excess_rights, Vec::new());
    let body = json!({ "type": "batch", "ttl": "1h", "policies": ["lastkey-reader"], "no_default_policy": true });
    let made = estate.lab.write("auth/token/create-orphan", body);
    let token = made["auth"]["client_token"].as_str().unwrap();
    let asks =
        |method: &str, path: &str| estate.lab.ask(token, "", method, path, &Value::Null).status;
    assert_eq!(asks("GET", "transit/keys/leaves"), 200);
    assert_eq!(asks("GET", &format!("pki/cert/{}", serials[1])), 200);
    for (method, path) in [
        ("GET", "transit/export/signing-key/leaves"),
        ("GET", "transit/backup/leaves"),
        ("POST", "transit/keys/kept/rotate"),
        ("GET", "database/creds/app"),
        ("GET", "database/config/shop"),
        ("POST", "pki/issue/web"),
        ("POST", "ssh/sign/admin"),
        ("POST", "kubernetes/creds/deployer"),
        ("GET", "ldap/config"),
        ("POST", "auth/token/create/ci"),
    ] {
        assert_eq!(asks(method, path), 403, "{method} {path}");
    }
}
