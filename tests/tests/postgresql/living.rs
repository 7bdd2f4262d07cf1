//! A role that may not log in any more while its session goes on, one that is closed, and what trying
//! their passwords says beside that.

use super::{AtWork, PASSWORD, start};
use chrono::{TimeDelta, Utc};
use lastkey_tests::desk::Desk;
use lastkey_tests::labs::PostgreSql;
use serde_json::Value;
use std::time::Duration;

/// Tries of one account are at least a minute apart.
const A_MINUTE: Duration = Duration::from_secs(61);

fn read_all(lab: &PostgreSql) -> Desk {
    let desk = Desk::new();
    desk.write(
        "hr/identities.csv",
        "id,kind,status\nann,person,active\nbob,person,active\n",
    );
    let folder = desk.room.path("hr").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "hr"]);
    let secret = desk.write_secret("db.secret", PASSWORD);
    let (port, ca) = (
        format!("port={}", lab.port()),
        format!("ca_file={}", lab.ca_path().display()),
    );
    desk.expect(
        0,
        &[
            "source",
            "add",
            "postgresql",
            "db",
            "--set",
            "address=127.0.0.1",
            "--set",
            &port,
            "--set",
            &ca,
            "--set",
            "system=corp-db",
            "--set",
            "username=lastkey",
            "--secret-file",
            &secret,
        ],
    );
    std::fs::remove_file(secret).unwrap();
    desk.expect(0, &["sync", "db"]);
    desk
}

/// The account of a role, `corp-db:NUMBER`.
fn account(desk: &Desk, role: &str) -> String {
    let all = desk.lines(0, &["accounts"]);
    let one = all.iter().find(|one| one["name"] == role).unwrap();
    format!("corp-db:{}", one["id"].as_str().unwrap())
}

fn may_try(desk: &Desk, role: &str) {
    let secret = desk.write_secret("role.secret", &format!("{role}-canary-Bassoon-12"));
    desk.expect(
        0,
        &[
            "probe",
            "add",
            role,
            "--source",
            "db",
            "--account",
            &account(desk, role),
            "--as",
            role,
            "--identity",
            role,
            "--consent",
            "asked and agreed",
            "--secret-file",
            &secret,
        ],
    );
    std::fs::remove_file(secret).unwrap();
    let tried = &desk.lines(1, &["probe", "try", role])[0];
    assert_eq!(tried["verdict"], "works", "{tried}");
}

fn watch(desk: &Desk, identity: &str) -> String {
    let ago =
        (Utc::now() - TimeDelta::minutes(10)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let started = &desk.lines(0, &["watch", "start", "--identity", identity, "--at", &ago])[0];
    started["id"].to_string()
}

/// How a watch stands after a read, and its things.
fn read(desk: &Desk, id: &str) -> (Value, Vec<Value>) {
    let (_, _, err) = desk.run(&["watch", "read", id, "--json"]);
    assert!(err.is_empty(), "{err}");
    let (_, out, _) = desk.run(&["watch", "show", id, "--json"]);
    let mut lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    let view: Value = lines.next().unwrap();
    let shown: Value = lines.next().unwrap();
    (view, shown["items"].as_array().unwrap().clone())
}

fn of_kind<'a>(items: &'a [Value], kind: &str) -> &'a Value {
    let found = items.iter().find(|item| item["kind"] == kind);
    found.unwrap_or_else(|| panic!("{kind} in {items:?}"))
}

#[test]
fn a_session_that_is_left_open_is_no_closed_access() {
    let lab = start();
    for role in ["ann", "bob"] {
        lab.sql(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{role}-canary-Bassoon-12'"
        ));
    }
    let desk = read_all(&lab);
    for role in ["ann", "bob"] {
        may_try(&desk, role);
    }
    let at_work = AtWork::as_role(&lab, "ann");
    let (ann, bob) = (watch(&desk, "ann"), watch(&desk, "bob"));
    desk.expect(0, &["watch", "run", "--once"]);
    lab.sql("ALTER ROLE ann NOLOGIN; ALTER ROLE bob NOLOGIN");
    std::thread::sleep(A_MINUTE);

    let (view, items) = read(&desk, &bob);
    assert_eq!(view["state"], "closed", "{view} {items:?}");
    let account = of_kind(&items, "account");
    assert_eq!(account["state"], "closed in time", "{account}");
    assert_eq!(account["probed"], "rejected", "{account}");

    // The login is refused, and whoever is in goes on.
    let (view, items) = read(&desk, &ann);
    assert_eq!(view["state"], "running", "{view} {items:?}");
    assert_eq!(of_kind(&items, "account")["state"], "closed in time");
    assert_eq!(of_kind(&items, "account")["probed"], "rejected");
    let session = of_kind(&items, "session");
    assert!(session["closed"].is_null(), "{session}");
    assert_eq!(session["verdict"], "indeterminate", "{session}");

    drop(at_work);
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ann'";
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    lab.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ann'");
    while lab.sql(gone) != "0" {
        assert!(std::time::Instant::now() < deadline, "{}", lab.log());
    }
    let (view, items) = read(&desk, &ann);
    assert_eq!(view["state"], "closed", "{view} {items:?}");
    assert_eq!(of_kind(&items, "session")["state"], "closed in time");
}
