//! The command line as scripts use it: the four worked worlds to the letter, and every
//! kind of trouble with one sentence and the right exit status.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use lastkey_tests::window::{Room, program};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// What the expected answers name of an item.
fn named(item: &Value) -> Vec<Value> {
    ["kind", "system", "id", "on_account", "closes_at"]
        .map(|key| item[key].clone())
        .to_vec()
}

#[test]
fn the_worked_worlds_come_out_to_the_letter() {
    for world in [
        "worked-example",
        "rotated-in-time",
        "rotated-too-early",
        "federated",
    ] {
        let desk = Desk::new();
        let folder = examples().join(world);
        desk.expect(
            0,
            &["import", &folder.display().to_string(), "--as", "world"],
        );
        let plan = folder.join("plan.toml").display().to_string();
        desk.expect(0, &["plan", "load", &plan]);
        let at = "2026-06-01T00:00:00Z";
        let out = desk.expect(
            1,
            &[
                "rehearse",
                "leaver",
                "--identity",
                "ann",
                "--at",
                at,
                "--json",
            ],
        );
        let got: Value = serde_json::from_str(&out).unwrap();
        let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        let wanted: Value = serde_json::from_str(&text).unwrap();
        for key in ["identity", "event", "at"] {
            assert_eq!(got[key], wanted[key], "{world}: {key}");
        }
        let items = |answer: &Value| -> Vec<Vec<Value>> {
            answer["residual"]
                .as_array()
                .unwrap()
                .iter()
                .map(named)
                .collect()
        };
        assert_eq!(items(&got), items(&wanted), "{world}");
    }
}

#[test]
fn wrong_use_is_named_and_exits_2() {
    let desk = Desk::new();
    desk.trouble(
        2,
        &["source", "add", "mainframe", "x"],
        "`mainframe` is not a kind of source",
    );
    desk.trouble(
        2,
        &["source", "add", "flat-files", "x", "--set", "path"],
        "is not KEY=VALUE",
    );
    desk.trouble(
        2,
        &["source", "add", "flat-files", "x", "--set", "pfad=/x"],
        "`pfad` is not a setting",
    );
    desk.trouble(
        2,
        &["source", "add", "flat-files", "x"],
        "`path` is missing",
    );
    assert!(!Path::new(&desk.store).exists(), "wrong use makes no store");
    let bare = desk
        .room
        .command(&program("lastkey"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&bare.stderr);
    assert_eq!(bare.status.code(), Some(3), "{err}");
    assert!(err.contains("there is no display"), "{err}");
    let plan = desk.write(
        "p.toml",
        "[[step]]\non = \"leaver\"\nsystem = \"ad\"\ndoes = \"disable_acount\"\nwithin = \"1h\"\n",
    );
    desk.trouble(2, &["plan", "load", &plan], "line 4");
    let world = examples().join("federated").display().to_string();
    desk.expect(0, &["import", &world, "--as", "w"]);
    desk.trouble(
        2,
        &["rehearse", "leaver", "--identity", "bob"],
        "there is no identity `bob`",
    );
    desk.trouble(
        2,
        &["rehearse", "leaver", "--identity", "ann", "--at", "soon"],
        "`soon` is not a time",
    );
    desk.trouble(
        2,
        &["rehearse", "leaver", "--vendor", "ann"],
        "not a vendor",
    );
    desk.trouble(2, &["reach", "--credential", "pg"], "is not SYSTEM:ID");
    desk.trouble(2, &["accounts", "--where", "colour=red"], "colour");
    // No object can have such a value: that there is none would be no answer.
    for (table, filter, said) in [
        (
            "identities",
            "kind=robot",
            "`robot` is no kind of identities: there are person, vendor, workload, agent",
        ),
        (
            "grants",
            "assignment=maybe",
            "`maybe` is no assignment of grants",
        ),
        (
            "events",
            "event=wedding",
            "`wedding` is no event of the lifecycle",
        ),
    ] {
        desk.trouble(2, &[table, "--where", filter], said);
    }
    desk.trouble(2, &["sync", "nobody"], "`nobody`");
}

#[test]
fn a_filter_finds_a_value_with_spaces_around_it() {
    let desk = Desk::new();
    desk.write(
        "odd/grants.csv",
        "system,principal_type,principal_id,entitlement_id,reason\n\
         ad,account,a1,g1,\" temporary \"\nad,account,a2,g1,temporary\n",
    );
    desk.write(
        "odd/accounts.csv",
        "system,id,name\nad,a1,\" ann\"\nad,a2,ann\n",
    );
    let odd = desk.room.path("odd").display().to_string();
    desk.expect(0, &["import", &odd, "--as", "odd"]);
    for (table, filter, column, one) in [
        ("grants", "reason= temporary ", "principal_id", "a1"),
        ("grants", "reason=temporary", "principal_id", "a2"),
        ("accounts", "name= ann", "id", "a1"),
        ("accounts", "name=ann", "id", "a2"),
    ] {
        let rows = desk.lines(0, &[table, "--where", filter]);
        let found: Vec<_> = rows.iter().map(|row| &row[column]).collect();
        assert_eq!(found, [one], "{filter}");
    }
}

#[test]
fn what_is_not_there_exits_3_and_makes_nothing() {
    let desk = Desk::new();
    desk.trouble(3, &["identities"], "there is no store at");
    desk.trouble(
        3,
        &["import", "/nowhere/at/all", "--as", "x"],
        "there is no `/nowhere/at/all`",
    );
    desk.trouble(3, &["plan", "load", "/nowhere.toml"], "cannot be read");
    desk.trouble(3, &["verify", "/nowhere.zip"], "nowhere.zip");
    assert!(!Path::new(&desk.store).exists());
}

#[test]
fn a_wrong_key_a_loose_key_and_a_damaged_store_exit_4() {
    let desk = Desk::new();
    let world = examples().join("federated").display().to_string();
    desk.expect(0, &["import", &world, "--as", "w"]);
    let wrong = desk.write_secret("wrong", "quite another key");
    let with_key = |key: &str| {
        desk.room
            .lastkey(&["--store", &desk.store, "--key-file", key, "identities"])
    };
    let (status, _, err) = with_key(&wrong);
    assert_eq!(status, 4, "{err}");
    assert!(err.contains("does not open this store"), "{err}");
    let (status, _, err) = with_key(&desk.write("loose", Desk::KEY));
    assert_eq!(status, 4, "{err}");
    assert!(err.contains("0600"), "{err}");

    let whole = std::fs::read(&desk.store).unwrap();
    let mut damaged = whole.clone();
    for byte in &mut damaged[4096..4200] {
        *byte ^= 0x55;
    }
    std::fs::write(&desk.store, &damaged).unwrap();
    let (status, out, err) = desk.run(&["store", "check"]);
    assert_eq!(status, 4, "{out}{err}");
    std::fs::write(&desk.store, &whole).unwrap();
    desk.expect(0, &["store", "check"]);
}

#[test]
fn a_bad_row_is_named_and_the_rest_is_read_but_nothing_is_claimed_complete() {
    let desk = Desk::new();
    desk.write(
        "in/accounts.csv",
        "system,id,enabled\nad,ann,true\nad,bob,perhaps\nAD!,eve,true\nad,dan,false\n",
    );
    let folder = desk.room.path("in").display().to_string();
    let out = desk.expect(1, &["import", &folder, "--as", "w", "--json"]);
    let report: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(report["state"], "incomplete", "{report}");
    assert_eq!(report["totals"]["reported"], 4, "{report}");
    assert_eq!(report["totals"]["stored"], 2, "{report}");
    assert_eq!(report["totals"]["failed"], 2, "{report}");
    let journal = desk.expect(0, &["journal", "w"]);
    assert!(
        journal.contains("accounts.csv:3"),
        "file and line are named:\n{journal}"
    );
    assert!(
        journal.contains("perhaps"),
        "the value is named:\n{journal}"
    );
    // A later read without bob and dan removes nobody: the read is not complete.
    desk.write(
        "in/accounts.csv",
        "system,id,enabled\nad,ann,true\nad,bob,perhaps\n",
    );
    desk.expect(1, &["import", &folder, "--as", "w"]);
    let accounts = desk.expect(0, &["accounts", "--json"]);
    assert!(
        accounts.contains("\"dan\""),
        "absence is not claimed from a partial read:\n{accounts}"
    );
    desk.write("in/accounts.csv", "system,id,enabled\nad,ann,true\n");
    desk.expect(0, &["import", &folder, "--as", "w"]);
    let accounts = desk.expect(0, &["accounts", "--json"]);
    assert!(
        !accounts.contains("\"dan\""),
        "a complete read removes:\n{accounts}"
    );
}

#[test]
fn no_keychain_and_no_key_file_exits_4_and_makes_nothing() {
    let room = Room::new();
    let store = room.path("s.lastkey");
    let done = room
        .command(&lastkey_tests::window::program("lastkey"))
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .env("XDG_RUNTIME_DIR", room.path("runtime"))
        .args(["--store", &store.display().to_string(), "demo"])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(4), "{err}");
    assert!(err.contains("--key-file"), "{err}");
    let beside: Vec<_> = std::fs::read_dir(room.path(""))
        .unwrap()
        .flatten()
        .collect();
    assert!(beside.is_empty(), "nothing is created: {beside:?}");
}

#[test]
fn the_practice_estate_is_rehearsed_exported_and_verified_without_a_display() {
    let desk = Desk::new();
    desk.expect(0, &["demo"]);
    let lines = desk.expect(0, &["rehearse", "leaver", "--all", "--json"]);
    let mut verdicts = std::collections::BTreeMap::<String, u32>::new();
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        *verdicts
            .entry(row["verdict"].as_str().unwrap().to_owned())
            .or_default() += 1;
        assert!(row["worst"].as_array().unwrap().len() <= 20, "{row}");
    }
    assert!(verdicts.values().sum::<u32>() > 3_000, "{verdicts:?}");
    assert!(verdicts.get("fail").is_some_and(|n| *n > 0), "{verdicts:?}");
    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let out = desk.expect(0, &["verify", &package]);
    assert!(out.contains("intact"), "{out}");
    let next = desk.room.path("next.zip").display().to_string();
    desk.expect(0, &["export", "--out", &next, "--extends", &package]);
    desk.expect(0, &["verify", &next, "--extends", &package]);
    desk.expect(1, &["verify", &package, "--extends", &next]);
    desk.expect(0, &["store", "check"]);
    let everyone: Value =
        serde_json::from_str(&desk.expect(0, &["rehearse", "everyone", "--json"])).unwrap();
    for (verdict, count) in &verdicts {
        assert_eq!(everyone[verdict.as_str()], *count, "{verdict}");
    }
    sign_ins_are_covered(&desk);
    // Once more: nothing new, and the totals add up.
    let again = desk.expect(0, &["demo", "--json"]);
    let reports: Value = serde_json::from_str(&again).unwrap();
    for report in reports.as_array().unwrap() {
        assert_eq!(report["totals"]["stored"], 0, "{report}");
    }

    // One byte that differs is told, with exit 1.
    let mut bytes = std::fs::read(&package).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&package, bytes).unwrap();
    let out = desk.expect(1, &["verify", &package]);
    assert!(out.contains("broken"), "{out}");
}

/// By the active plan and by an empty one the same sign-ins are counted, and the empty one closes none.
fn sign_ins_are_covered(desk: &Desk) {
    let empty = desk.write("empty.toml", "");
    let sign_ins = |more: &[&str]| -> Vec<(String, u64, u64)> {
        let asked = [&["plan", "coverage", "--json"], more].concat();
        let coverage: Value = serde_json::from_str(&desk.expect(0, &asked)).unwrap();
        let cells = coverage["cells"].as_array().unwrap().iter();
        let cells = cells.filter(|cell| cell["thing"] == "sign_in");
        let cells = cells.map(|cell| {
            let count = |how: &str| cell[how].as_u64().unwrap();
            let all = ["in_time", "late", "never", "unknown"].map(count);
            let name = format!("{} {}", cell["event"], cell["system"]);
            (name, all.iter().sum(), count("in_time"))
        });
        cells.collect()
    };
    let (active, without) = (sign_ins(&[]), sign_ins(&["--plan", &empty]));
    let counted = |cells: &[(String, u64, u64)]| -> Vec<(String, u64)> {
        let cells = cells.iter();
        cells.map(|(name, all, _)| (name.clone(), *all)).collect()
    };
    assert_eq!(counted(&active), counted(&without));
    let closed = |cells: &[(String, u64, u64)]| cells.iter().map(|cell| cell.2).sum::<u64>();
    assert!(closed(&active) > 3_000, "{active:?}");
    assert!(closed(&without) < 100, "{without:?}");
}

#[test]
fn a_full_disk_is_said_and_what_was_there_stays() {
    // A file size limit stands for the disk: the kernel refuses the write in the same way.
    let desk = Desk::new();
    let world = examples().join("federated").display().to_string();
    desk.expect(0, &["import", &world, "--as", "w"]);
    let mut rows = String::from("system,id,name\n");
    for n in 0..60_000 {
        rows.push_str(&format!(
            "big,account-{n:06},a name that takes some room {n}\n"
        ));
    }
    desk.write("big/accounts.csv", &rows);
    let big = desk.room.path("big").display().to_string();
    let program = lastkey_tests::window::program("lastkey")
        .display()
        .to_string();
    let script = format!(
        "ulimit -f 2048; trap '' XFSZ; exec '{program}' --store '{}' --key-file '{}' import '{big}' --as big",
        desk.store, desk.key
    );
    let done = desk
        .room
        .command(Path::new("bash"))
        .args(["-c", &script])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{err}");
    assert!(
        err.contains("full") || err.contains("written") || err.contains("stored"),
        "{err}"
    );
    desk.expect(0, &["store", "check"]);
    let accounts = desk.expect(0, &["accounts", "--where", "system=ad", "--json"]);
    assert!(accounts.contains("ann"), "{accounts}");
    let sources = desk.expect(0, &["source", "list", "--json"]);
    let sources: Value = serde_json::from_str(&sources).unwrap();
    let big = sources
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["name"] == "big")
        .unwrap();
    assert_ne!(big["state"], "complete", "{big}");
}

#[test]
fn the_same_state_gives_the_same_package_and_a_lost_signing_key_is_said() {
    let desk = Desk::new();
    let world = examples().join("federated").display().to_string();
    desk.expect(0, &["import", &world, "--as", "w"]);
    let export = |name: &str| {
        let package = desk.room.path(name).display().to_string();
        let at = "2026-06-01T00:00:00Z";
        desk.expect(0, &["export", "--out", &package, "--at", at]);
        let manifest = desk.in_package(&package, "manifest.json");
        let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert!(manifest["made_at"].take().is_string());
        manifest
    };
    assert_eq!(
        export("a.zip"),
        export("b.zip"),
        "every file has the same hash; only the time and what is signed with it differ"
    );
    std::fs::remove_file(format!("{}.sealed", desk.store)).unwrap();
    let package = desk.room.path("c.zip").display().to_string();
    desk.trouble(
        4,
        &["export", "--out", &package],
        "the signing key of this store is gone",
    );
    assert!(!Path::new(&package).exists());
}

#[test]
fn the_least_rights_of_each_kind_are_printed_and_written_and_made_from_the_settings() {
    let desk = Desk::new();
    let ldap = [
        "source",
        "script",
        "ldap",
        "--set",
        "base_dn=dc=corp,dc=example",
    ];
    let said = desk.expect(0, &ldap);
    assert!(said.starts_with("==> lastkey-reader.ldif <=="), "{said}");
    assert!(said.contains("dc=corp,dc=example"), "{said}");
    let vault = ["source", "script", "vault", "--set", "mounts=team/kv"];
    let texts = desk.lines(0, &vault);
    let texts = texts[0].as_array().unwrap();
    assert_eq!(texts.len(), 3, "{texts:?}");

    // One alone is exactly its text, so that it can be redirected; all can be written.
    let only = desk.expect(0, &[&vault[..], &["--only", "lastkey-reader.hcl"]].concat());
    assert_eq!(only, texts[0]["text"].as_str().unwrap());
    assert!(only.contains("team/kv"), "{only}");
    std::fs::create_dir(desk.room.path("rights")).unwrap();
    let folder = desk.room.path("rights").display().to_string();
    let write = [&vault[..], &["--to", &folder]].concat();
    desk.expect(0, &write);
    for text in texts {
        let path = desk
            .room
            .path("rights")
            .join(text["file_name"].as_str().unwrap());
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            text["text"].as_str().unwrap()
        );
    }
    desk.trouble(3, &write, "cannot be written");

    let none = desk.expect(0, &["source", "script", "flat-files"]);
    assert!(none.contains("has no script"), "{none}");
    let wrong = [&vault[..], &["--set", "mount=x"]].concat();
    desk.trouble(2, &wrong, "`mount` is not a setting of vault");
    let wrong = [&vault[..], &["--only", "reader"]].concat();
    desk.trouble(2, &wrong, "vault has no script `reader`");
    desk.trouble(
        2,
        &["source", "script", "fax"],
        "`fax` is not a kind of source",
    );
    assert!(
        !Path::new(&desk.store).exists(),
        "no store is made for a text"
    );
}

/// A verdict that nobody read to its end is no pass: `set -o pipefail` sees it.
#[test]
fn a_reader_that_closes_the_pipe_gets_no_status_of_a_pass() {
    let desk = Desk::linked();
    let mut running = std::process::Command::new(program("lastkey"))
        .args([
            "--store",
            &desk.store,
            "--key-file",
            &desk.key,
            "identities",
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(running.stdout.take());
    assert_eq!(running.wait().unwrap().code(), Some(141));
}
