//! Add, check, read, rehearse, export, verify.

use crate::company::*;
use lastkey_tests::labs::Slapd;
use serde_json::{Value, json};

#[test]
fn a_directory_and_a_roster_go_the_whole_path() {
    let (lab, desk) = start();
    add(
        &desk,
        "dir",
        &lab.ldaps_url(),
        &lab.ca_path(),
        Slapd::READER_DN,
        Slapd::READER_PASSWORD,
    );
    let check = desk.lines(0, &["source", "check", "dir"]);
    assert_eq!(check[0]["signed_in_as"], Slapd::READER_DN);
    import_roster(&desk);
    import_the_rest(&desk);
    let report = &desk.lines(0, &["sync", "dir"])[0];
    assert_eq!(report["state"], "complete", "{report}");
    // 4 people, 4 groups, 6 memberships, 4 passwords
    assert_eq!(report["totals"]["received"], 18, "{report}");
    assert_eq!(report["totals"]["stored"], 18, "{report}");
    let again = &desk.lines(0, &["sync", "dir"])[0];
    assert_eq!(again["totals"]["unchanged"], 18, "{again}");
    assert_eq!(again["totals"]["stored"], 0, "{again}");
    load_plan(&desk);

    // A little later than the reads, and well within the time that they stay fresh.
    let at = chrono::Utc::now() + chrono::TimeDelta::minutes(10);
    let text = |moment: chrono::DateTime<chrono::Utc>| {
        moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let closes = text(at + chrono::TimeDelta::hours(1));
    let answer = &desk.lines(
        0,
        &[
            "rehearse",
            "leaver",
            "--identity",
            "0007",
            "--at",
            &text(at),
        ],
    )[0];
    let ann = format!("corp-ldap:{}", uuid(1));
    let item = |kind: &str, id: String, on: Value| json!([kind, "corp-ldap", id, on, closes]);
    let residual: Vec<Value> = answer["residual"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            json!([
                i["kind"],
                i["system"],
                i["id"],
                i["on_account"],
                i["closes_at"]
            ])
        })
        .collect();
    assert_eq!(
        residual,
        [
            item("account", uuid(1), Value::Null),
            item("credential", format!("{}:password", uuid(1)), Value::Null),
            item("entitlement", uuid(101), json!(ann)),
            item("entitlement", uuid(102), json!(ann)),
            item("entitlement", uuid(103), json!(ann)),
        ],
        "{answer:#}"
    );
    assert_eq!(answer["verdict"], "pass", "{answer:#}");
    let nested = &answer["residual"][4];
    assert_eq!(nested["basis"], "observed", "{nested}");
    let path = nested["path"].to_string();
    for step in [uuid(1), uuid(101), uuid(102), uuid(103)] {
        assert!(path.contains(&step), "`{step}` explains: {path}");
    }

    let reached = desk.expect(0, &["reach", "--identity", "0007", "--json"]);
    for group in [101, 102, 103] {
        assert!(reached.contains(&uuid(group)), "{reached}");
    }
    assert!(!reached.contains(&uuid(104)), "zoe's group: {reached}");
    let of_password = format!("corp-ldap:{}:password", uuid(4));
    let reached = desk.expect(0, &["reach", "--credential", &of_password, "--json"]);
    assert!(
        reached.contains(&uuid(104)) && !reached.contains(&uuid(101)),
        "{reached}"
    );

    let identities = desk.lines(0, &["identities", "--where", "id=0010"]);
    assert_eq!(identities[0]["display_name"], "Zoë Zahn", "{identities:?}");
    assert_eq!(desk.lines(0, &["grants"]).len(), 6);
    assert_eq!(desk.lines(0, &["entitlements"]).len(), 4);
    assert_eq!(accounts(&desk), ["ann", "bob", "kim", "zoe"]);

    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    assert!(desk.expect(0, &["verify", &package]).contains("intact"));
    desk.expect(0, &["store", "check"]);
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
}

#[test]
fn starttls_takes_the_same_path() {
    let (lab, desk) = start();
    add(
        &desk,
        "dir",
        &lab.ldap_url(),
        &lab.ca_path(),
        Slapd::READER_DN,
        Slapd::READER_PASSWORD,
    );
    desk.expect(0, &["source", "check", "dir"]);
    let report = &desk.lines(0, &["sync", "dir"])[0];
    assert_eq!(report["state"], "complete", "{report}");
    assert_eq!(report["totals"]["stored"], 18, "{report}");
}

#[test]
fn whoever_is_removed_between_two_complete_reads_is_gone() {
    let (lab, desk) = start();
    read_all(&lab, &desk);
    lab.modify(&format!("dn: uid=zoe,{PEOPLE}\nchangetype: delete\n"));
    let report = &desk.lines(0, &["sync", "dir"])[0];
    assert_eq!(report["state"], "complete", "{report}");
    assert_eq!(accounts(&desk), ["ann", "bob", "kim"]);
}
