//! Settings, the check, and that nothing but reading is asked.

use super::*;

#[test]
fn the_audit_log_tells_the_last_use_and_keys_of_members_are_read_where_wanted() {
    let mut world = company();
    for login in ["olga", "omar", "anna", "ben", "cleo", "dan"] {
        world.list(&format!("/users/{login}/keys"), Vec::new());
    }
    let key = serde_json::json!({ "id": 5, "key": PUBLIC_KEY });
    world.list("/users/anna/keys", vec![key]);
    let behind = Behind::tls(world);
    let more = [("audit_log", "yes"), ("member_keys", "yes")];
    let connector = behind.connector("example", APP, &more);
    let accounts = facts(&read(connector.as_ref(), Kind::Account).unwrap());
    let used: Vec<String> = accounts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Account(a) => a.last_used_at.map(|at| format!("{} {at}", a.id)),
            _ => None,
        })
        .collect();
    assert_eq!(used, ["11 2026-11-18T11:06:40Z"]);
    let keys = facts(&read(connector.as_ref(), Kind::Credential).unwrap());
    let own = keys
        .iter()
        .find(|fact| line(fact).starts_with("ssh-key/5 of 21 ssh_key"))
        .unwrap();
    let Fact::Credential(own) = own else {
        panic!("{own:?}")
    };
    assert!(own.attributes["key_sha256"].starts_with("SHA256:"));
}

#[test]
fn some_repositories_alone_are_read_where_they_are_named() {
    let behind = Behind::tls(company());
    let connector = behind.connector("example", APP, &[("repositories", "example/Tools")]);
    for kind in [Kind::Entitlement, Kind::Grant, Kind::Location] {
        let pages = read(connector.as_ref(), kind).unwrap();
        let text = format!("{:?}", facts(&pages));
        assert!(
            complete(&pages) && !text.contains("repository/62"),
            "{kind}"
        );
    }
    let connector = behind.connector("example", APP, &[("repositories", "nowhere")]);
    let error = read(connector.as_ref(), Kind::Grant).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConfigInvalid);
}

fn checked(world: World, token: &str) -> CheckReport {
    let behind = Behind::tls(world);
    run(behind.connector("example", token, &[]).check()).unwrap()
}

#[test]
fn the_check_says_who_we_are_and_what_is_missing_or_too_much() {
    let report = checked(company(), APP);
    assert_eq!(
        report.signed_in_as.as_deref(),
        Some("an installed GitHub App")
    );
    assert!(report.missing_rights.is_empty() && report.excess_rights.is_empty());
    assert!(!report.rights_known && !report.remarks.is_empty() && report.warnings.is_empty());
    let report = checked(company(), CLASSIC);
    assert_eq!(
        report.signed_in_as.as_deref(),
        Some("olga, by a classic token")
    );
    let names: Vec<&str> = report
        .excess_rights
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["scope repo", "scope admin:org", "scope delete_repo"]
    );
    assert!(report.rights_known);
    let report = checked(company(), FEW);
    let names: Vec<&str> = report
        .missing_rights
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    for name in [
        "Members: read (organisation)",
        "Secrets: read (repository)",
        "Administration: read (repository)",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let told = format!("{:?}", report.missing_rights);
    assert!(
        told.contains("`members=read`") && told.contains("leave_out=custom_roles"),
        "{told}"
    );
    assert!(!report.warnings.is_empty());
}

#[test]
fn an_organisation_that_is_not_there_is_a_setting() {
    let behind = Behind::tls(company());
    let connector = behind.connector("exampel", APP, &[]);
    let error = run(connector.check()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConfigInvalid, "{error}");
    assert!(error.message.contains("exampel"));
}

#[test]
fn nothing_but_reading_is_asked_and_no_secret_comes_back() {
    let behind = Behind::tls(company());
    let connector = behind.connector("example", APP, &[]);
    let mut shown = format!("{:?}", run(connector.check()).unwrap());
    for capability in connector.capabilities() {
        shown.push_str(&format!(
            "{:?}",
            read(connector.as_ref(), capability.kind).unwrap()
        ));
    }
    assert!(behind.running.writes().is_empty());
    for secret in [APP, LAST_EIGHT] {
        assert!(!shown.contains(secret));
    }
    let asked = behind.running.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.method == "GET" && !asked.target.contains(APP))
    );
}
