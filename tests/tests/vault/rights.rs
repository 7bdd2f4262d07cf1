//! Our own rights: the script is enough and not too much, and the server's log shows it.

use crate::estate::*;
use lastkey_contract::{CheckReport, Kind, NoteKind, Secret};
use serde_json::json;

fn check(settings: &lastkey_contract::Settings, secret: &str) -> CheckReport {
    let connector =
        lastkey_vault::configure(settings, Some(Secret::new(secret.to_owned()))).unwrap();
    run(connector.check()).unwrap()
}

#[test]
fn the_script_gives_enough_and_nothing_more() {
    let Some(estate) = shared("least rights of a vault") else {
        return;
    };
    let report = check(&estate.settings(&[]), &estate.secret_id);
    assert_eq!(report.missing_rights, Vec::new());
    assert_eq!(report.excess_rights, Vec::new());
    assert!(report.rights_known);
    assert_eq!(report.server.as_deref(), Some("OpenBao 2.4.0"));
    assert_eq!(report.signed_in_as.as_deref(), Some("approle"));
    // The login itself cannot read a value, nor change a thing.
    let login = json!({ "role_id": estate.role_id, "secret_id": estate.secret_id });
    let made = estate.lab.write("auth/approle/login", login);
    let token = made["auth"]["client_token"].as_str().unwrap();
    for (method, path) in [
        ("GET", "secret/data/db/prod"),
        ("GET", "team/old/mail"),
        ("POST", "secret/data/db/prod"),
        ("DELETE", "secret/metadata/db/prod"),
        ("POST", "sys/policies/acl/x"),
        ("POST", "auth/userpass/users/x"),
        ("POST", "auth/approle/role/deploy/secret-id"),
        ("GET", "auth/approle/role/deploy/role-id"),
        ("POST", "auth/token/create"),
    ] {
        let status = estate
            .lab
            .ask(token, "", method, path, &json!({ "data": {} }))
            .status;
        assert_eq!(status, 403, "{method} {path}");
    }
}

#[test]
fn a_script_for_named_mounts_is_enough_too() {
    let Some(lab) = lab("least rights for named stores") else {
        return;
    };
    lab.write(
        "sys/mounts/team/kv",
        json!({ "type": "kv", "options": { "version": "1" } }),
    );
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    lab.write("team/kv/a/b", json!({ "v": "x" }));
    let named = [("mounts", "team/kv")];
    let (role_id, secret_id) = least_rights(&lab, &named);
    let settings = settings(&lab, &role_id, &named);
    let report = check(&settings, &secret_id);
    assert_eq!(
        (report.missing_rights, report.excess_rights),
        (Vec::new(), Vec::new())
    );
    let connector = lastkey_vault::configure(&settings, Some(Secret::new(secret_id))).unwrap();
    let pages = read(connector.as_ref(), Kind::Location, 10).unwrap();
    assert_eq!((facts(&pages).len(), gaps(&pages)), (1, Vec::new()));
}

#[test]
fn too_much_and_too_little_are_named() {
    let Some(estate) = shared("rights in excess and missing") else {
        return;
    };
    let token = |policies: &[&str]| {
        let body = json!({ "policies": policies, "ttl": "1h" });
        let made = estate.lab.write("auth/token/create-orphan", body);
        let text = |key: &str| made["auth"][key].as_str().unwrap().to_owned();
        (text("client_token"), text("accessor"))
    };
    let by_token = estate.settings(&[("auth", "token"), ("role_id", "")]);
    let end = |accessor: String| {
        estate.lab.write(
            "auth/token/revoke-accessor",
            json!({ "accessor": accessor }),
        )
    };

    let (value, accessor) = token(&["lastkey-reader", "db-read", "helpdesk"]);
    let report = check(&by_token, &value);
    let names: Vec<&str> = report
        .excess_rights
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    assert!(names.contains(&"read on secret/data/db/*"), "{names:?}");
    assert!(
        names
            .iter()
            .any(|n| n.starts_with("update on auth/userpass")),
        "{names:?}"
    );
    assert!(
        report.remarks.iter().any(|r| r.contains("ends at")),
        "{:?}",
        report.remarks
    );
    end(accessor);

    let report = check(&by_token, estate.lab.root_token());
    assert_eq!(report.excess_rights[0].name, "root");

    let (value, accessor) = token(&["db-read"]);
    let report = check(&by_token, &value);
    let names: Vec<&str> = report
        .missing_rights
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    for name in [
        "list on identity/entity/id",
        "sudo on auth/token/accessors",
        "read on sys/mounts",
        "list on sys/policies/acl",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    // What it may not see is never absence.
    let connector = lastkey_vault::configure(&by_token, Some(Secret::new(value))).unwrap();
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Reader,
        Kind::Control,
        Kind::Location,
    ] {
        let pages = read(connector.as_ref(), kind, 50).unwrap();
        assert!(
            gaps(&pages).iter().any(|n| n.kind == NoteKind::Clipped),
            "{kind} claims to be whole"
        );
    }
    end(accessor);
}

#[test]
fn the_servers_own_log_shows_no_write_and_no_value() {
    // A server of its own: other cases ask for what they must not get.
    let Some(estate) = lab("the server's own log").map(Estate::found) else {
        return;
    };
    let connector = estate.connector(&[]);
    run(connector.check()).unwrap();
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
        Kind::Control,
    ] {
        read(connector.as_ref(), kind, 50).unwrap();
    }
    let ours: Vec<_> = estate
        .lab
        .audited(0)
        .into_iter()
        .filter(|r| r.by == "approle")
        .collect();
    assert!(
        ours.len() > 100,
        "only {} requests of ours are in the log",
        ours.len()
    );
    const QUESTIONS: [&str; 3] = [
        "sys/capabilities-self",
        "auth/token/lookup-accessor",
        "/secret-id-accessor/lookup",
    ];
    for request in ours {
        let question = QUESTIONS.iter().any(|q| request.path.ends_with(q));
        assert!(
            matches!(request.operation.as_str(), "read" | "list")
                || (question && request.operation == "update"),
            "{request:?}"
        );
        let value = request.path.starts_with("secret/data/")
            || (request.path.starts_with("team/old/") && request.operation == "read");
        assert!(!value, "a value was asked for: {request:?}");
    }
}

#[test]
fn every_way_to_sign_in() {
    let Some(estate) = shared("ways to sign in to a vault") else {
        return;
    };
    let user = json!({ "password": "reader-pw-canary", "token_policies": ["lastkey-reader"], "token_type": "batch" });
    estate
        .lab
        .write("sys/auth/people", json!({ "type": "userpass" }));
    estate.lab.write("auth/people/users/reader", user);
    let by_user = estate.settings(&[
        ("auth", "userpass"),
        ("auth_mount", "people"),
        ("username", "reader"),
        ("role_id", ""),
    ]);
    let report = check(&by_user, "reader-pw-canary");
    estate.lab.root("DELETE", "sys/auth/people", json!({}));
    assert_eq!(report.signed_in_as.as_deref(), Some("people-reader"));
    assert_eq!(report.missing_rights, Vec::new());
}

#[test]
fn a_policy_that_cuts_lists_hides_nothing() {
    let Some(lab) = lab("lists that a policy cuts") else {
        return;
    };
    let versioned = json!({ "type": "kv", "options": { "version": "2" } });
    lab.write("sys/mounts/kv", versioned);
    upgraded(&lab, "kv");
    for name in ["a", "b", "c", "d/1", "d/2", "d/3", "e"] {
        lab.write(&format!("kv/metadata/{name}"), json!({ "max_versions": 3 }));
    }
    let fixed = ["sys/mounts", "sys/auth", "auth/token/lookup-self"]
        .map(|path| format!("path \"{path}\" {{ capabilities = [\"read\"] }}\n"))
        .concat();
    let own = "path \"sys/policies/acl/*\" { capabilities = [\"read\"] }\n";
    for readable in ["", own] {
        let text = format!(
            "path \"kv/metadata/*\" {{ capabilities = [\"list\", \"read\"] pagination_limit = 2 }}\n{fixed}{readable}"
        );
        lab.root("PUT", "sys/policies/acl/cut", json!({ "policy": text }));
        let body = json!({ "policies": ["cut"], "ttl": "1h" });
        let made = lab.write("auth/token/create-orphan", body);
        let token = made["auth"]["client_token"].as_str().unwrap();
        let cut = lab.ask(token, "", "LIST", "kv/metadata/", &json!({}));
        let keys = &cut.body["data"]["keys"];
        assert_eq!(keys, &json!(["a", "b"]), "the server cuts in silence");
        let settings = settings(&lab, "", &[("auth", "token"), ("role_id", "")]);
        let secret = Some(Secret::new(token.to_owned()));
        let connector = lastkey_vault::configure(&settings, secret).unwrap();
        let pages = read(connector.as_ref(), Kind::Location, 50).unwrap();
        assert_eq!(facts(&pages).len(), 7, "{readable}");
    }
}
