//! What no source tells: nobody passes by it, and the rehearsal says which it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

fn brought(desk: &Desk, source: &str, file: &str, text: &str) {
    desk.write(&format!("{source}/{file}.csv"), text);
    let folder = desk.room.path(source).display().to_string();
    let all = ["import", &folder, "--as", source, "--set", "hold_above=100"];
    desk.expect(0, &all);
}

/// Two people with an account each in a directory of which everything is read, and which the plan
/// closes in an hour.
fn desk() -> Desk {
    let desk = Desk::new();
    brought(&desk, "hr", "identities", "id,kind\nu1,person\nu2,person\n");
    desk.nothing_else("corp");
    let accounts =
        "system,id,identity_id,enabled,local_sign_in\nad,a1,u1,true,true\nad,a2,u2,true,true\n";
    brought(&desk, "corp", "accounts", accounts);
    let plan =
        "[[step]]\non = \"leaver\"\nsystem = \"ad\"\ndoes = \"disable_account\"\nwithin = \"1h\"\n";
    let plan = desk.write("plan.toml", plan);
    desk.expect(0, &["plan", "load", &plan]);
    desk
}

/// The verdict of a leaver, and each sentence of what is missing.
fn told(desk: &Desk, who: &str) -> (String, Vec<String>) {
    let (_, out, err) = desk.run(&["rehearse", "leaver", "--identity", who, "--json"]);
    let line: Value = serde_json::from_str(out.lines().next().unwrap_or(&err)).unwrap();
    let missing = line["missing_facts"].as_array().unwrap().iter();
    let missing = missing.map(|one| one.as_str().unwrap().to_owned());
    (
        line["verdict"].as_str().unwrap().to_owned(),
        missing.collect(),
    )
}

#[track_caller]
fn check(desk: &Desk, who: &str, verdict: &str, missing: &[&str]) {
    let (found, sentences) = told(desk, who);
    assert_eq!(
        (&*found, &*sentences),
        (
            verdict,
            &*missing
                .iter()
                .map(|one| (*one).to_owned())
                .collect::<Vec<_>>()
        ),
        "{who}"
    );
}

#[test]
fn an_account_that_holds_something_where_nobody_reads_accounts_could_be_anybodys() {
    let desk = desk();
    check(&desk, "u1", "pass", &[]);
    let grants = "system,principal_type,principal_id,entitlement_id\npg,account,app,superuser\n";
    brought(&desk, "roles", "grants", grants);
    let unread = "no source reads accounts of `pg`";
    for who in ["u1", "u2"] {
        let (verdict, missing) = told(&desk, who);
        assert_eq!(verdict, "indeterminate");
        assert!(missing.iter().any(|one| one == unread), "{missing:?}");
    }
    // Once its accounts are read, it is known who has one.
    desk.write("roles/credentials.csv", "system,id,kind,account_id\n");
    desk.write("roles/entitlements.csv", "system,id\npg,superuser\n");
    brought(
        &desk,
        "roles",
        "accounts",
        "system,id,kind\npg,app,system\n",
    );
    check(&desk, "u1", "pass", &[]);
}

#[test]
fn a_credential_that_nobody_says_is_enabled_is_named_as_what_is_missing() {
    let desk = desk();
    let keys = |enabled: &str| {
        let rows = format!("system,id,kind,account_id,enabled\nad,k1,api_key,a1,{enabled}\n");
        brought(&desk, "corp", "credentials", &rows);
    };
    keys("");
    let said = ["no source tells whether credential `ad:k1` is enabled"];
    check(&desk, "u1", "indeterminate", &said);
    check(&desk, "u2", "pass", &[]);
    keys("true");
    let (verdict, missing) = told(&desk, "u1");
    assert_eq!((&*verdict, missing.len()), ("fail", 0));
    keys("false");
    check(&desk, "u1", "pass", &[]);
    let many = (0..8).map(|key| format!("ad,k{key},api_key,a1,\n"));
    let rows = format!(
        "system,id,kind,account_id,enabled\n{}",
        many.collect::<String>()
    );
    brought(&desk, "corp", "credentials", &rows);
    let (_, missing) = told(&desk, "u1");
    assert_eq!(missing.len(), 6, "{missing:?}");
    let rest = "no source tells whether 3 more credentials of `ad` are enabled";
    assert!(missing.iter().any(|one| one == rest), "{missing:?}");
}

#[test]
fn whoever_reads_where_nobody_tells_what_stands_does_not_pass() {
    let desk = desk();
    let readers =
        "system,path,principal_type,principal_system,principal_id\nsafe,/a,account,ad,a1\n";
    brought(&desk, "acl", "readers", readers);
    desk.write("acl/accounts.csv", "system,id\n");
    desk.write(
        "acl/grants.csv",
        "system,principal_type,principal_id,entitlement_id\n",
    );
    desk.write("acl/credentials.csv", "system,id,kind\n");
    let places = |rows: &str| {
        let text = format!("system,path,credential_system,credential_id\n{rows}");
        brought(&desk, "acl", "locations", &text);
    };
    let said = ["no source tells what secrets stand at locations of `safe`"];
    places("");
    check(&desk, "u1", "indeterminate", &said);
    check(&desk, "u2", "pass", &[]);
    places("safe,/a,,\nsafe,/b,,\n");
    check(&desk, "u1", "indeterminate", &said);
    // It tells what stands at /b, and so that nothing does at /a.
    desk.write(
        "acl/credentials.csv",
        "system,id,kind,enabled\nsafe,s1,api_key,true\n",
    );
    places("safe,/a,,\nsafe,/b,,s1\n");
    check(&desk, "u1", "pass", &[]);
    places("safe,/a,,s1\nsafe,/b,,\n");
    assert_eq!(told(&desk, "u1").0, "fail");
}

/// Two people of whom one reads a vault where a secret stands that is another's password as well.
fn with_copies() -> (Desk, impl Fn(&Desk, &str, &str)) {
    let desk = desk();
    let readers =
        "system,path,principal_type,principal_system,principal_id\nsafe,/a,account,ad,a1\n";
    desk.write("safe/readers.csv", readers);
    desk.write("safe/accounts.csv", "system,id\n");
    desk.write(
        "safe/grants.csv",
        "system,principal_type,principal_id,entitlement_id\n",
    );
    let told = |desk: &Desk, place: &str, key: &str| {
        let keys = "system,id,kind,enabled,fingerprint,rotated_at\n";
        desk.write(
            "safe/credentials.csv",
            format!("{keys}safe,s1,api_key,true,{key}\n"),
        );
        let places = "system,path,credential_system,credential_id,fingerprint,last_rotated_at\n";
        brought(
            desk,
            "safe",
            "locations",
            &format!("{places}{place}\nsafe,/b,,s1,,\n"),
        );
    };
    (desk, told)
}

#[test]
fn a_source_that_tells_a_fingerprint_no_more_frees_nobody() {
    let (desk, brought) = with_copies();
    brought(&desk, "safe,/a,,,f1,", "f1,");
    assert_eq!(told(&desk, "u1").0, "fail", "u1 reads the same secret");
    check(&desk, "u2", "pass", &[]);
    let knew = [
        "whoever read `safe:/a` knew credential `safe:s1` by its fingerprint, which a source tells no more",
    ];
    // Of the credential, of the place, of both, and the copy itself.
    for (place, key) in [
        ("safe,/a,,,f1,", ","),
        ("safe,/a,,,,", "f1,"),
        ("safe,/a,,,,", ","),
        ("safe,/c,,,,", ","),
    ] {
        brought(&desk, "safe,/a,,,f1,", "f1,");
        brought(&desk, place, key);
        check(&desk, "u1", "indeterminate", &knew);
        check(&desk, "u2", "pass", &[]);
    }
    // Another value; a rotation since then; a copy that is gone while others are told.
    brought(&desk, "safe,/a,,,f1,", "f2,");
    check(&desk, "u1", "pass", &[]);
    brought(&desk, "safe,/a,,,f1,", "f1,");
    brought(&desk, "safe,/a,,,f1,", ",2026-05-01T00:00:00Z");
    check(&desk, "u1", "pass", &[]);
    brought(&desk, "safe,/a,,,f1,", "f1,");
    brought(&desk, "safe,/c,,,f9,", "f1,");
    check(&desk, "u1", "pass", &[]);
}

#[test]
fn retention_keeps_the_fingerprint_that_a_doubt_rests_on() {
    let (desk, brought) = with_copies();
    brought(&desk, "safe,/a,,,f1,", "f1,");
    brought(&desk, "safe,/a,,,f1,", ",");
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    for name in ["x", "y"] {
        let text = format!("id,kind,display_name\nm1,workload,{name}\n");
        desk.write("more/identities.csv", text);
        let folder = desk.room.path("more").display().to_string();
        desk.expect(0, &["import", &folder, "--as", "more"]);
    }
    desk.expect(0, &["retention", "run"]);
    assert_eq!(told(&desk, "u1").0, "indeterminate");
    desk.expect(0, &["store", "check"]);
}
