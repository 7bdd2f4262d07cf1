//! Access that is closed properly, late, only on paper, and opened again, in a real directory: what is
//! claimed of it by reads, and what still lets somebody in. Faults end indeterminate.

use crate::company::*;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_tests::desk::Desk;
use lastkey_tests::labs::Slapd;
use serde_json::Value;
use std::time::Duration;

/// Tries of one account are at least a minute apart.
const A_MINUTE: Duration = Duration::from_secs(61);

fn ago(minutes: i64) -> String {
    let at = Utc::now() - TimeDelta::minutes(minutes);
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// Somebody's own password, tried by their consent.
fn may_try(desk: &Desk, uid: &str, n: u32, identity: &str) {
    let secret = desk.write_secret(&format!("{uid}.password"), &format!("kept-by-slapd-{n}"));
    let dn = format!("uid={uid},{PEOPLE}");
    let account = format!("corp-ldap:{}", uuid(n));
    let credential = format!("{account}:password");
    desk.expect(
        0,
        &[
            "probe",
            "add",
            uid,
            "--source",
            "dir",
            "--account",
            &account,
            "--as",
            &dn,
            "--credential",
            &credential,
            "--identity",
            identity,
            "--consent",
            "asked and agreed, ticket 4711",
            "--secret-file",
            &secret,
        ],
    );
    std::fs::remove_file(secret).unwrap();
    let tried = &desk.lines(1, &["probe", "try", uid])[0];
    assert_eq!(tried["verdict"], "works", "{tried}");
}

fn watch(desk: &Desk, identity: &str, at: &str) -> i64 {
    let started = &desk.lines(0, &["watch", "start", "--identity", identity, "--at", at])[0];
    started["id"].as_i64().unwrap()
}

/// Reads now for one who is watched: how it stands, and what is known of the account.
fn read(desk: &Desk, watch: i64) -> (Value, Value) {
    let id = watch.to_string();
    let (_, out, err) = desk.run(&["watch", "read", &id, "--json"]);
    assert!(err.is_empty(), "{err}");
    assert!(!out.is_empty());
    let (_, out, _) = desk.run(&["watch", "show", &id, "--json"]);
    let mut lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    let view: Value = lines.next().unwrap();
    let shown: Value = lines.next().unwrap();
    let items = shown["items"].as_array().unwrap();
    let account = items.iter().find(|item| item["kind"] == "account");
    (view, account.unwrap().clone())
}

fn lock(lab: &Slapd, uid: &str) {
    lab.modify(&format!(
        "dn: uid={uid},{PEOPLE}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"
    ));
}

/// The bounds hold the true time, which lies between two moments.
#[track_caller]
fn holds(account: &Value, event: &str, (before, after): (DateTime<Utc>, DateTime<Utc>)) {
    let event: DateTime<Utc> = event.parse().unwrap();
    let seconds = |name: &str| account[name].as_i64().unwrap();
    let (least, most) = (
        (before - event).num_seconds(),
        (after - event).num_seconds(),
    );
    assert!(
        seconds("lower_seconds") <= most,
        "{least}..{most}: {account}"
    );
    assert!(
        seconds("upper_seconds") >= least,
        "{least}..{most}: {account}"
    );
    assert!(
        moment(&account["closed"]) >= before - TimeDelta::seconds(1),
        "{account}"
    );
}

#[test]
fn closed_properly_late_on_paper_and_opened_again_are_told_apart() {
    let (mut lab, desk) = start();
    read_all(&lab, &desk);
    let (ten, late) = (ago(10), ago(25 * 60));
    for (uid, n, identity) in [("ann", 1, "0007"), ("bob", 2, "0008"), ("kim", 3, "0009")] {
        may_try(&desk, uid, n, identity);
    }
    let ann = watch(&desk, "0007", &ten);
    let bob = watch(&desk, "0008", &late);
    let kim = watch(&desk, "0009", &ten);
    let zoe = watch(&desk, "0010", &ten);
    let states = |desk: &Desk| -> Vec<Value> {
        let (_, out, _) = desk.run(&["watch", "list", "--json"]);
        let lines = out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut all: Vec<Value> = lines.collect();
        all.sort_by_key(|one| one["id"].as_i64());
        all.into_iter().map(|one| one["state"].clone()).collect()
    };
    // Bob's limit of a day has passed with the account open; the others' has not.
    desk.expect(1, &["watch", "run", "--once"]);
    assert_eq!(states(&desk), ["running", "overdue", "running", "running"]);

    let before = Utc::now();
    lab.modify(&format!("dn: uid=ann,{PEOPLE}\nchangetype: delete\n"));
    lock(&lab, "bob");
    lock(&lab, "zoe");
    // Written down, and the directory lets them in all the same.
    lab.modify(&format!(
        "dn: uid=kim,{PEOPLE}\nchangetype: modify\nadd: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\nshadowExpire: 1\n"
    ));
    let after = Utc::now();
    std::thread::sleep(A_MINUTE);

    let (view, account) = read(&desk, ann);
    assert_eq!(view["state"], "closed", "{view} {account}");
    assert_eq!(account["state"], "closed in time", "{account}");
    assert_eq!(account["probed"], "rejected", "{account}");
    holds(&account, &ten, (before, after));
    let tries = desk.lines(0, &["probe", "list"]);
    let of_ann = tries.iter().find(|one| one["name"] == "ann").unwrap();
    assert_eq!(of_ann["verdict"], "dead", "{of_ann}");

    let (view, account) = read(&desk, bob);
    assert_eq!(view["state"], "closed", "{view} {account}");
    assert_eq!(account["state"], "closed late", "{account}");
    // A lock can pass by itself: that it is refused proves nothing.
    assert_eq!(account["probed"], "indeterminate", "{account}");
    holds(&account, &late, (before, after));

    let (view, account) = read(&desk, kim);
    assert_eq!(view["state"], "running", "{view} {account}");
    assert_eq!(account["gap"], "closed_on_paper", "{account}");
    assert_eq!(account["probed"], "accepted", "{account}");
    assert_eq!(account["verdict"], "indeterminate", "{account}");
    assert!(account["closed"].is_null(), "{account}");
    assert!(lab.sign_in(&format!("uid=kim,{PEOPLE}"), "kept-by-slapd-3"));

    let (view, account) = read(&desk, zoe);
    assert_eq!(view["state"], "closed", "{view} {account}");
    assert_eq!(account["state"], "closed in time", "{account}");
    // Nobody may try that password: nothing was.
    assert!(account["probed"].is_null(), "{account}");
    lab.modify(&format!(
        "dn: uid=zoe,{PEOPLE}\nchangetype: modify\ndelete: pwdAccountLockedTime\n"
    ));
    let again = watch(&desk, "0010", &ten);
    let (view, account) = read(&desk, again);
    assert_eq!(view["state"], "running", "{view} {account}");
    assert_eq!(account["gap"], "re_enabled", "{account}");

    faults(&mut lab, &desk, again);
    canary(&desk);
}

/// The server is gone: nothing is closed by that, and nothing is dead.
fn faults(lab: &mut Slapd, desk: &Desk, watch: i64) {
    let dn = Slapd::READER_DN;
    let secret = desk.write_secret("reader.password", Slapd::READER_PASSWORD);
    desk.expect(
        0,
        &[
            "probe",
            "add",
            "reader",
            "--source",
            "dir",
            "--account",
            "corp-ldap:reader",
            "--as",
            dn,
            "--canary",
            "--secret-file",
            &secret,
        ],
    );
    std::fs::remove_file(secret).unwrap();
    lab.stop();
    let tried = &desk.lines(1, &["probe", "try", "reader"])[0];
    assert_eq!(tried["verdict"], "indeterminate", "{tried}");
    assert_eq!(tried["last"]["answer"], "indeterminate", "{tried}");
    let id = watch.to_string();
    let (_, _, _) = desk.run(&["watch", "read", &id]);
    let view = &desk.lines(0, &["watch", "show", &id])[0];
    assert_eq!(view["state"], "running", "{view}");
    assert_eq!(view["verdict"], "indeterminate", "{view}");
}

/// No password that was tried is in the store's folder or in what is printed.
fn canary(desk: &Desk) {
    let mut printed = String::new();
    for words in [
        &["probe", "list"][..],
        &["watch", "list"],
        &["store", "log"],
    ] {
        let (_, out, err) = desk.run(words);
        printed.push_str(&out);
        printed.push_str(&err);
    }
    let secrets = ["kept-by-slapd-1", "kept-by-slapd-3", Slapd::READER_PASSWORD];
    for secret in secrets {
        assert!(!printed.contains(secret), "{secret} is printed");
    }
    for entry in std::fs::read_dir(desk.room.path("")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in secrets {
            let there = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!there, "{secret} is in {}", path.display());
        }
    }
}
