//! Trouble on the way: one sentence, the right exit status, the store whole, and nothing claimed.

use crate::company::*;
use lastkey_tests::desk::Desk;
use lastkey_tests::labs::{HangingServer, Relay, Seed, Slapd, Then};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

/// A source that cannot be read, beside everything read completely before from `dir`. Checking
/// and reading both say `wanted`; what was known stays.
#[track_caller]
fn refused(lab: &Slapd, desk: &Desk, name: &str, wanted: &str) {
    let begun = Instant::now();
    let told = desk.trouble(3, &["source", "check", name], wanted);
    assert!(told.contains("hint: "), "{told}");
    let told = desk.trouble(3, &["sync", name], wanted);
    assert!(told.contains("hint: "), "{told}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{name}");
    assert_eq!(state(desk, name), "failed");
    assert_eq!(accounts(desk), ["ann", "bob", "kim", "zoe"]);
    let journal = desk.expect(0, &["journal", name]);
    assert!(journal.contains(wanted), "{journal}");
    desk.expect(0, &["store", "check"]);
    let _ = lab;
}

/// A directory read completely: a leaver passes.
fn calm() -> (Slapd, Desk) {
    let (lab, desk) = start();
    read_all(&lab, &desk);
    let answer = rehearse(&desk, 0, "0007");
    assert_eq!(answer["verdict"], "pass", "{answer:#}");
    (lab, desk)
}

fn add_wrong_password(lab: &Slapd, desk: &Desk) {
    add(
        desk,
        "wrong-password",
        &lab.ldaps_url(),
        &lab.ca_path(),
        Slapd::READER_DN,
        "not the password",
    );
}

#[test]
fn a_source_that_lets_nobody_in_is_named() {
    let (lab, desk) = calm();
    let (dn, right) = (Slapd::READER_DN, Slapd::READER_PASSWORD);
    add_wrong_password(&lab, &desk);
    refused(
        &lab,
        &desk,
        "wrong-password",
        "refused the name or the password",
    );
    for (name, url) in [
        ("other-ca", lab.ldaps_url()),
        ("other-ca-starttls", lab.ldap_url()),
    ] {
        add(&desk, name, &url, &lab.other_ca_path(), dn, right);
        refused(&lab, &desk, name, "not trusted");
    }
    let hanging = HangingServer::start();
    for scheme in ["ldaps", "ldap"] {
        let (name, url) = (
            format!("hangs-{scheme}"),
            format!("{scheme}://127.0.0.1:{}", hanging.port()),
        );
        add_with(
            &desk,
            &name,
            &url,
            &lab.ca_path(),
            dn,
            right,
            &["timeout=1"],
        );
        refused(&lab, &desk, &name, "did not answer in time");
    }
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    add(
        &desk,
        "not-there",
        &format!("ldaps://{closed}"),
        &lab.ca_path(),
        dn,
        right,
    );
    refused(&lab, &desk, "not-there", "cannot be reached");
}

/// The directory locks after three refusals, so a second try of ours would lock somebody out.
#[test]
fn a_wrong_password_is_tried_once_in_a_sync() {
    let (lab, desk) = calm();
    add_wrong_password(&lab, &desk);
    let refusals = || lab.log().matches("RESULT tag=97 err=49").count();
    let before = refusals();
    for syncs in 1..=2 {
        desk.trouble(
            3,
            &["sync", "wrong-password"],
            "refused the name or the password",
        );
        assert_eq!(refusals() - before, syncs, "{}", lab.log());
    }
    assert!(
        lab.sign_in(Slapd::READER_DN, Slapd::READER_PASSWORD),
        "two syncs lock nobody"
    );
    desk.expect(0, &["sync", "dir"]);
}

/// After a read of `dir` that failed or was cut: nothing is lost, nothing is claimed.
#[track_caller]
fn nothing_is_claimed(desk: &Desk, known: &[&str], expected_state: &str) {
    assert_eq!(state(desk, "dir"), expected_state);
    assert_eq!(accounts(desk), known);
    let answer = rehearse(desk, 1, "0007");
    assert_eq!(answer["verdict"], "indeterminate", "{answer:#}");
    assert!(
        missing(&answer).contains("accounts of `corp-ldap` is not complete"),
        "{}",
        missing(&answer)
    );
    assert_eq!(
        answer["residual"].as_array().unwrap().len(),
        5,
        "{answer:#}"
    );
    desk.expect(0, &["store", "check"]);
}

#[test]
fn a_directory_that_is_gone_the_next_time_makes_the_verdict_unknown() {
    let (mut lab, desk) = calm();
    lab.stop();
    desk.trouble(3, &["sync", "dir"], "cannot be reached");
    nothing_is_claimed(&desk, &["ann", "bob", "kim", "zoe"], "failed");
    // Another source's read does not heal it.
    desk.expect(0, &["sync", "hr"]);
    nothing_is_claimed(&desk, &["ann", "bob", "kim", "zoe"], "failed");
    lab.run();
    desk.expect(0, &["sync", "dir"]);
    assert_eq!(rehearse(&desk, 0, "0007")["verdict"], "pass");
}

#[test]
fn a_cut_answer_claims_no_absence_and_a_whole_one_does() {
    let (mut lab, desk) = calm();
    lab.modify(&format!("dn: uid=zoe,{PEOPLE}\nchangetype: delete\n"));
    lab.set_size_limit(Some(2));
    let told = desk.expect(1, &["sync", "dir"]);
    assert!(told.contains("cut its answer at its size limit"), "{told}");
    nothing_is_claimed(&desk, &["ann", "bob", "kim", "zoe"], "incomplete");
    lab.set_size_limit(None);
    desk.expect(0, &["sync", "dir"]);
    assert_eq!(accounts(&desk), ["ann", "bob", "kim"]);
    assert_eq!(rehearse(&desk, 0, "0007")["verdict"], "pass");
}

#[test]
fn too_few_rights_are_named_and_claim_nothing() {
    let (lab, desk) = start();
    add(
        &desk,
        "dir",
        &lab.ldaps_url(),
        &lab.ca_path(),
        Slapd::BLIND_DN,
        Slapd::BLIND_PASSWORD,
    );
    import_roster(&desk);
    import_the_rest(&desk);
    let told = desk.expect(1, &["source", "check", "dir"]);
    assert!(
        told.contains("missing right search pwdChangedTime or userPassword"),
        "{told}"
    );
    let told = desk.expect(1, &["sync", "dir"]);
    assert!(told.contains("passwords cannot be listed"), "{told}");
    assert_eq!(state(&desk, "dir"), "incomplete");
    load_plan(&desk);
    let answer = rehearse(&desk, 1, "0007");
    assert_eq!(answer["verdict"], "indeterminate", "{answer:#}");
    assert!(
        missing(&answer).contains("credentials of `corp-ldap`"),
        "{}",
        missing(&answer)
    );
    desk.expect(0, &["store", "check"]);
}

/// A directory of so many people that a read takes several pages, behind a relay.
fn behind_a_relay(then: Then) -> (Slapd, Desk, Relay) {
    let mut ldif = ldif();
    for n in 1_000..6_000 {
        ldif += &person(&format!("p{n}"), n, &format!("{n}"));
    }
    let lab = Slapd::start(Seed {
        ldif,
        size_limit: None,
    });
    let desk = Desk::new();
    let relay = Relay::start(lab.ldaps_port(), then);
    add_with(
        &desk,
        "dir",
        &format!("ldaps://127.0.0.1:{}", relay.port()),
        &lab.ca_path(),
        Slapd::READER_DN,
        Slapd::READER_PASSWORD,
        &["timeout=1"],
    );
    import_roster(&desk);
    import_the_rest(&desk);
    desk.expect(0, &["sync", "dir"]);
    load_plan(&desk);
    assert_eq!(rehearse(&desk, 0, "0007")["verdict"], "pass");
    (lab, desk, relay)
}

#[track_caller]
fn broken_off(then: Then, first: &str, wanted: &[&str]) {
    let (lab, desk, relay) = behind_a_relay(then);
    let known = accounts(&desk);
    assert_eq!(known.len(), 5_004);
    lab.modify(&format!("dn: uid=p5999,{PEOPLE}\nchangetype: delete\n"));
    // Past the first answers of 2,000 people, before the end of the third.
    relay.let_through(1_000_000);
    let (status, out, err) = desk.run(&["sync", "dir", "--json"]);
    assert_eq!(status, 3, "{out}{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let said = report["failure"]["message"].as_str().unwrap();
    assert!(wanted.iter().any(|one| said.contains(one)), "{report}");
    // What broke off was tried again before it was given up, and that is said.
    let (_, journal, _) = desk.run(&["journal", "--json"]);
    assert!(journal.contains(first), "{journal}");
    let received = report["totals"]["received"].as_u64().unwrap();
    assert!(received < 5_004, "in the middle: {report}");
    assert_eq!(report["totals"]["removed"], 0, "{report}");
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    nothing_is_claimed(&desk, &known, "failed");
    relay.let_through(u64::MAX);
    desk.expect(0, &["sync", "dir"]);
    assert_eq!(accounts(&desk).len(), 5_003);
    assert_eq!(rehearse(&desk, 0, "0007")["verdict"], "pass");
}

#[test]
fn a_directory_that_is_killed_mid_read_loses_nothing() {
    // The relay still takes connections and closes them: at once, or after the first greeting.
    broken_off(
        Then::Closes,
        "closed the connection",
        &["cannot be reached", "closed the connection"],
    );
}

#[test]
fn a_directory_that_falls_silent_mid_read_loses_nothing() {
    broken_off(
        Then::FallsSilent,
        "did not answer in time",
        &["did not answer in time"],
    );
}

#[test]
fn settings_that_cannot_count_are_wrong_use_and_make_nothing() {
    let desk = Desk::new();
    let secret = desk.write_secret("s", "x");
    let ldap = |pairs: &[&str], wanted: &str| {
        let mut all = vec!["source", "add", "ldap", "dir", "--secret-file", &secret];
        for pair in pairs {
            all.extend(["--set", pair]);
        }
        desk.trouble(2, &all, wanted);
    };
    let (base, system) = ("base_dn=dc=x", "system=corp");
    ldap(&["url=ldap://127.0.0.1", base, system], "in clear");
    ldap(&["url=ldaps://127.0.0.1", system], "`base_dn` is missing");
    ldap(
        &["url=ldaps://127.0.0.1", base, system, "timeout=soon"],
        "`soon` is not a timeout",
    );
    ldap(
        &["url=ldaps://127.0.0.1", base, system, "verify=no"],
        "`verify` is not a setting",
    );
    desk.trouble(
        3,
        &[
            "source",
            "add",
            "ldap",
            "dir",
            "--secret-file",
            "/nowhere/at/all",
        ],
        "`/nowhere/at/all` cannot be read",
    );
    if Path::new(&desk.store).exists() {
        let list = desk.lines(0, &["source", "list"]);
        assert_eq!(list[0].as_array().unwrap().len(), 0, "{list:?}");
    }
}

#[test]
fn two_processes_do_not_write_at_once() {
    let (lab, desk) = calm();
    let hanging = HangingServer::start();
    add_with(
        &desk,
        "hangs",
        &format!("ldaps://127.0.0.1:{}", hanging.port()),
        &lab.ca_path(),
        Slapd::READER_DN,
        Slapd::READER_PASSWORD,
        &["timeout=120"],
    );
    let mut first = desk
        .room
        .command(&lastkey_tests::window::program("lastkey"))
        .args([
            "--store",
            &desk.store,
            "--key-file",
            &desk.key,
            "sync",
            "hangs",
        ])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while state(&desk, "hangs") != "reading" {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the first never began"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let begun = Instant::now();
    let pid = first.id().to_string();
    desk.trouble(3, &["sync", "hr"], &pid);
    let waited = begun.elapsed();
    assert!(
        (Duration::from_secs(9)..Duration::from_secs(25)).contains(&waited),
        "waits 10 s: {waited:?}"
    );
    // Whoever reads is not held up.
    assert_eq!(accounts(&desk), ["ann", "bob", "kim", "zoe"]);
    first.kill().unwrap();
    first.wait().unwrap();
    desk.expect(0, &["sync", "hr"]);
    assert_ne!(state(&desk, "hangs"), "reading", "its end is told");
    desk.expect(0, &["store", "check"]);
}
