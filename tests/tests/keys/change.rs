//! Changing keys, killed at every step; backups and restores.

use super::{recovery_key, with_secret, world};
use lastkey_tests::bus::{Bus, Keyring, finish, secret_file};
use lastkey_tests::desk::Desk;
use lastkey_tests::window::program;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

/// The boundaries between the steps, in order; from `rekey-switched` on the new key holds.
const STEPS: [&str; 9] = [
    "rekey-begun",
    "rekey-announced",
    "rekey-kept",
    "rekey-copied",
    "rekey-copy-done",
    "rekey-sealed",
    "rekey-switched",
    "rekey-sealed-switched",
    "rekey-taken",
];
const OLD_HOLDS: usize = 6;

/// Runs `lastkey` and expects it to be killed at a step.
#[track_caller]
fn killed(command: &mut Command, step: &str) {
    let done = command
        .env("LASTKEY_DIES_AT", step)
        .output()
        .expect("lastkey starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.signal(), Some(9), "{step}: {said}");
}

/// The source's secret is at hand: it fails at the network, and not for want of a secret.
#[track_caller]
fn secret_is_there(answer: (i32, String, String)) {
    let (status, out, err) = answer;
    assert_eq!(status, 3, "{out}{err}");
    assert!(err.contains("127.0.0.1"), "{err}");
}

#[test]
fn a_change_of_key_files_killed_at_any_step_leaves_exactly_one_key() {
    for (index, step) in STEPS.iter().enumerate() {
        let desk = Desk::new();
        desk.expect(0, &["import", &world(), "--as", "w"]);
        let secret = desk.write_secret("secret", "canary-secret-77");
        desk.expect(0, &with_secret("directory", &secret));
        let new = desk.write_secret("new-key", "the key file that comes after");
        let run = |key: &str, rest: &[&str]| {
            let mut all = vec!["--store", desk.store.as_str(), "--key-file", key];
            all.extend(rest);
            desk.room.lastkey(&all)
        };
        let before = run(&desk.key, &["identities", "--json"]).1;
        let mut rekey = desk.room.command(&program("lastkey"));
        rekey
            .args(["--store", &desk.store, "--key-file", &desk.key])
            .args(["store", "rekey", "--new-key-file", &new]);
        killed(&mut rekey, step);

        let (holds, other) = if index < OLD_HOLDS {
            (&desk.key, &new)
        } else {
            (&new, &desk.key)
        };
        let (status, out, err) = run(other, &["identities"]);
        assert_eq!(status, 4, "{step}: {out}{err}");
        let (status, out, err) = run(holds, &["store", "check"]);
        assert_eq!(status, 0, "{step}: {out}{err}");
        assert_eq!(run(holds, &["identities", "--json"]).1, before, "{step}");
        secret_is_there(run(holds, &["source", "check", "directory"]));
        let (status, _, err) = run(other, &["identities"]);
        assert_eq!(status, 4, "{step}: {err}");
        for name in [".rekey", ".sealed.rekey", ".keys.new"] {
            assert!(
                !Path::new(&format!("{}{name}", desk.store)).exists(),
                "{step}: nothing half-done stays: {name}"
            );
        }
        // And again, this time to the end.
        let (status, out, err) = run(holds, &["store", "rekey"]);
        assert_eq!(status, 0, "{step}: {out}{err}");
        let recovery = desk.write_secret("recovery", &recovery_key(&err));
        assert_eq!(run(&recovery, &["identities", "--json"]).1, before);
        secret_is_there(run(holds, &["source", "check", "directory"]));
    }
}

#[test]
fn a_change_in_the_keychain_killed_at_any_step_leaves_one_entry_and_all_secrets() {
    let bus = Bus::with(Keyring::Unlocked);
    for step in STEPS {
        let room = lastkey_tests::window::Room::new();
        let (status, out, err) = bus.lastkey(&room, &["import", &world(), "--as", "w"]);
        assert_eq!(status, 0, "{out}{err}");
        let long = secret_file(&room.path("long"), &"canary-secret-78-".repeat(90));
        let short = secret_file(&room.path("short"), "canary-secret-79");
        for (name, file) in [("long", &long), ("short", &short)] {
            let (status, out, err) = bus.lastkey(&room, &with_secret(name, file));
            assert_eq!(status, 0, "{out}{err}");
        }
        let before = bus.entries().len();
        let mut rekey = room.command(&program("lastkey"));
        bus.bring_to(&mut rekey);
        killed(rekey.args(["store", "rekey"]), step);
        let (status, out, err) = bus.lastkey(&room, &["store", "check"]);
        assert_eq!(status, 0, "{step}: {out}{err}");
        if step != STEPS[0] && step != STEPS[8] {
            assert!(err.contains("was cut short"), "{step}: {err}");
        }
        assert_eq!(bus.entries().len(), before, "{step}: {:?}", bus.entries());
        for name in ["long", "short"] {
            secret_is_there(bus.lastkey(&room, &["source", "check", name]));
        }
        for entry in bus.entries() {
            bus.remove(&entry);
        }
    }
}

#[test]
fn a_change_of_keys_is_in_the_log_and_says_what_compares_no_more() {
    let desk = Desk::new();
    desk.expect(0, &["import", &world(), "--as", "w"]);
    let said = desk.expect(0, &["store", "rekey"]);
    assert!(said.contains("compare with no new ones"), "{said}");
    desk.expect(0, &["store", "check"]);
}

#[test]
fn keys_are_not_changed_under_a_program_that_has_the_store_open() {
    let desk = Desk::new();
    desk.expect(0, &["import", &world(), "--as", "w"]);
    let before = std::fs::read(format!("{}.keys", desk.store)).unwrap();
    // Somebody shares the lock, as everyone does who has the store open.
    let open = std::fs::File::open(format!("{}.open", desk.store)).unwrap();
    open.lock_shared().unwrap();
    desk.trouble(3, &["store", "rekey"], "another program has the store open");
    assert_eq!(
        before,
        std::fs::read(format!("{}.keys", desk.store)).unwrap()
    );
    drop(open);
    desk.expect(0, &["store", "rekey"]);
}

#[test]
fn a_backup_opens_with_its_recovery_key_alone_and_nothing_is_overwritten() {
    let desk = Desk::new();
    let (status, _, err) = desk.run(&["import", &world(), "--as", "w"]);
    assert_eq!(status, 0, "{err}");
    let recovery = desk.write_secret("recovery", &recovery_key(&err));
    let secret = desk.write_secret("secret", "canary-secret-80");
    desk.expect(0, &with_secret("directory", &secret));
    let wanted = desk.expect(0, &["identities", "--json"]);
    let backup = desk.room.path("away/backup.lastkey").display().to_string();
    desk.expect(0, &["store", "backup", &backup]);
    desk.trouble(3, &["store", "backup", &backup], "already");
    for path in super::files(&desk.room.path("away")) {
        for word in ["canary", "SQLite format", "Ann"] {
            assert!(!super::holds(&path, word), "`{word}` in {}", path.display());
        }
    }

    let other = desk.write_secret("other-key", "the key file of another machine");
    let there = desk.room.path("there/s.lastkey").display().to_string();
    let at = |rest: &[&str]| {
        let mut all = vec!["--store", there.as_str(), "--key-file", other.as_str()];
        all.extend(rest);
        desk.room.lastkey(&all)
    };
    let (status, _, err) = at(&["store", "restore", &backup]);
    assert_eq!(status, 4, "{err}");
    let whole = ["store", "restore", &backup, "--recovery-key", &recovery];
    // Cut short, it is begun anew.
    for step in ["restore-copied", "restore-unpacked"] {
        let mut restore = desk.room.command(&program("lastkey"));
        restore
            .args(["--store", &there, "--key-file", &other])
            .args(whole);
        killed(&mut restore, step);
        assert!(!Path::new(&there).exists());
    }
    let (status, out, err) = at(&whole);
    assert_eq!(status, 0, "{out}{err}");
    let (status, _, err) = at(&whole);
    assert_eq!(status, 3, "never over a store: {err}");
    assert_eq!(at(&["identities", "--json"]).1, wanted);
    secret_is_there(at(&["source", "check", "directory"]));
    assert_eq!(at(&["store", "check"]).0, 0);

    // A byte of the backup that is not what was written is noticed.
    let mut bytes = std::fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&backup, bytes).unwrap();
    let third = desk.room.path("third.lastkey").display().to_string();
    let mut restore = desk.room.command(&program("lastkey"));
    restore
        .args(["--store", &third, "--key-file", &other])
        .args(whole);
    let (status, _, err) = finish(&mut restore);
    assert_eq!(status, 4, "{err}");
    assert!(err.contains("damaged"), "{err}");
}
