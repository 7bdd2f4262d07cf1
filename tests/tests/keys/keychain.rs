//! Each state of a keychain, made with a real bus and a real keyring.

use super::{recovery_key, with_secret, world};
use lastkey_tests::bus::{Bus, Keyring, finish, secret_file};
use lastkey_tests::window::{Room, program};

/// Exit 4, one sentence, a hint, and the state as a word in `--json`.
#[track_caller]
fn refused(bus: &Bus, room: &Room, arguments: &[&str], state: &str, sentence: &str) {
    let (status, _, err) = bus.lastkey(room, arguments);
    assert_eq!(status, 4, "{arguments:?}\n{err}");
    assert!(err.contains(sentence), "`{sentence}` is not said:\n{err}");
    assert!(err.lines().any(|l| l.starts_with("hint: ")), "{err}");
    let mut json = arguments.to_vec();
    json.push("--json");
    let (status, _, err) = bus.lastkey(room, &json);
    assert_eq!(status, 4, "{err}");
    let failure: serde_json::Value = serde_json::from_str(err.trim()).unwrap();
    assert_eq!(failure["state"], state, "{failure}");
    assert_eq!(failure["kind"], "key");
}

/// A store in the keychain of an unlocked keyring.
fn made(bus: &Bus, room: &Room) -> String {
    let (status, out, err) = bus.lastkey(room, &["import", &world(), "--as", "w"]);
    assert_eq!(status, 0, "{out}{err}");
    recovery_key(&err)
}

fn root_entry(bus: &Bus) -> String {
    let entries = bus.entries();
    let roots: Vec<_> = entries.iter().filter(|e| e.contains(":root:")).collect();
    assert_eq!(roots.len(), 1, "one root key: {entries:?}");
    roots[0].clone()
}

#[test]
fn without_a_bus_without_a_service_and_without_a_keyring_nothing_is_made() {
    let import = ["import", &world(), "--as", "w"];
    let room = Room::new();
    let mut alone = room.command(&program("lastkey"));
    alone
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
        .args(["--json"])
        .args(import);
    let (status, _, err) = finish(&mut alone);
    assert_eq!(status, 4, "{err}");
    let failure: serde_json::Value = serde_json::from_str(err.trim()).unwrap();
    assert_eq!(failure["state"], "keychain_no_bus", "{failure}");
    assert!(
        failure["hint"].as_str().unwrap().contains("--key-file"),
        "{failure}"
    );

    let bus = Bus::start();
    refused(
        &bus,
        &room,
        &import,
        "keychain_no_service",
        "no service on the bus keeps secrets",
    );
    let bus = Bus::with(Keyring::NeverMade);
    refused(
        &bus,
        &room,
        &import,
        "keychain_no_keyring",
        "has no unlocked keyring",
    );
    assert!(!room.store().exists());
    assert!(!room.path("data/lastkey/store.lastkey.keys").exists());
}

#[test]
fn a_locked_keyring_whose_prompt_nobody_answers_opens_nothing_and_unlocked_it_opens() {
    let bus = Bus::with(Keyring::Unlocked);
    let room = Room::new();
    made(&bus, &room);
    bus.lock();
    refused(
        &bus,
        &room,
        &["identities"],
        "keychain_refused",
        "the prompt to unlock it was dismissed",
    );
    let elsewhere = Room::new();
    refused(
        &bus,
        &elsewhere,
        &["import", &world(), "--as", "w"],
        "keychain_refused",
        "the keychain is locked",
    );
    assert!(!elsewhere.store().exists());
}

#[test]
fn an_entry_that_is_gone_damaged_or_another_stores_is_told_apart_and_recovered() {
    let bus = Bus::with(Keyring::Unlocked);
    let room = Room::new();
    let recovery = made(&bus, &room);
    let (status, out, err) = bus.lastkey(&room, &["store", "check", "--json"]);
    assert_eq!(status, 0, "{out}{err}");
    let check: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(check["keychain"], "keychain_present", "{check}");
    assert_eq!(check["key_kept_in"], "keychain");

    let look = ["identities"];
    let root = root_entry(&bus);
    bus.remove(&root);
    refused(
        &bus,
        &room,
        &look,
        "keychain_absent",
        "holds no key for this store",
    );
    bus.plant(&root, "no key at all");
    refused(&bus, &room, &look, "keychain_damaged", "is damaged");
    bus.remove(&root);
    bus.plant(&root, &"ab".repeat(32));
    refused(
        &bus,
        &room,
        &look,
        "keychain_wrong",
        "is the key of another one",
    );

    let wrong = secret_file(&room.path("wrong"), &recovery.replace("1-", "1-0"));
    let recover = |file: &str| bus.lastkey(&room, &["store", "recover", "--recovery-key", file]);
    let (status, _, err) = recover(&wrong);
    assert_eq!(status, 4, "{err}");
    let right = secret_file(&room.path("recovery"), &recovery);
    let (status, out, err) = recover(&right);
    assert_eq!(status, 0, "{out}{err}");
    let (status, out, err) = bus.lastkey(&room, &look);
    assert_eq!(status, 0, "{out}{err}");
    assert!(root_entry(&bus) != root, "the planted entry is left alone");
}

#[test]
fn each_secret_has_an_entry_of_its_own_and_goes_with_its_source() {
    let bus = Bus::with(Keyring::Unlocked);
    let room = Room::new();
    made(&bus, &room);
    let short = secret_file(&room.path("short"), "canary-short-secret-41\n");
    let long = secret_file(&room.path("long"), &"canary-long-secret-42-".repeat(80));
    for (name, file) in [("one", &short), ("two", &short), ("three", &long)] {
        let (status, out, err) = bus.lastkey(&room, &with_secret(name, file));
        assert_eq!(status, 0, "{out}{err}");
    }
    let entries = bus.entries().join("\n");
    for (name, there) in [
        ("source:one", true),
        ("source:two", true),
        ("source:three", false),
    ] {
        assert_eq!(entries.contains(name), there, "{name}:\n{entries}");
    }
    let (_, out, _) = bus.lastkey(&room, &["store", "check", "--json"]);
    let check: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        check["sealed"],
        serde_json::json!(["source:three"]),
        "{check}"
    );
    assert_eq!(check["leftovers"], serde_json::json!([]), "{check}");
    for path in super::files(&room.path("data")) {
        assert!(!super::holds(&path, "canary-"), "{}", path.display());
    }

    for name in ["one", "three"] {
        let (status, out, err) = bus.lastkey(&room, &["source", "remove", name]);
        assert_eq!(status, 0, "{out}{err}");
    }
    let entries = bus.entries().join("\n");
    assert!(!entries.contains("source:one"), "{entries}");
    // What somebody else left behind is named.
    let ours = root_entry(&bus);
    let prefix = ours.split(":root:").next().unwrap();
    bus.plant(&format!("{prefix}:source:gone"), "left behind");
    let (status, out, _) = bus.lastkey(&room, &["store", "check"]);
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("`source:gone` belongs to no source"), "{out}");
    assert!(out.contains("in .sealed      no secret"), "{out}");
}

#[test]
fn behind_a_passphrase_neither_the_keychain_nor_the_passphrase_opens_alone() {
    let bus = Bus::with(Keyring::Unlocked);
    let room = Room::new();
    let right = secret_file(&room.path("right"), "four words of mine\n");
    let wrong = secret_file(&room.path("wrong"), "four words of yours");
    let behind = |file: &str, rest: &[&str]| {
        let mut all = vec!["--passphrase-file", file];
        all.extend(rest);
        bus.lastkey(&room, &all)
    };
    let (status, out, err) = behind(&right, &["import", &world(), "--as", "w"]);
    assert_eq!(status, 0, "{out}{err}");
    let recovery = secret_file(&room.path("recovery"), &recovery_key(&err));
    assert_eq!(behind(&right, &["identities"]).0, 0);
    refused(
        &bus,
        &room,
        &["identities"],
        "passphrase_needed",
        "needs its passphrase",
    );
    refused(
        &bus,
        &room,
        &["--passphrase-file", &wrong, "identities"],
        "passphrase_wrong",
        "the passphrase does not open this store",
    );
    bus.remove(&root_entry(&bus));
    refused(
        &bus,
        &room,
        &["--passphrase-file", &right, "identities"],
        "keychain_absent",
        "holds no key",
    );
    let (status, out, err) = behind(&right, &["store", "recover", "--recovery-key", &recovery]);
    assert_eq!(status, 0, "{out}{err}");
    // And away with the passphrase: new keys, in the keychain alone.
    let (status, out, err) = behind(&right, &["store", "rekey", "--to-keychain"]);
    assert_eq!(status, 0, "{out}{err}");
    let (status, out, err) = bus.lastkey(&room, &["identities"]);
    assert_eq!(status, 0, "{out}{err}");
    assert_eq!(
        behind(&right, &["store", "rekey", "--new-passphrase-file", &wrong]).0,
        0
    );
    assert_eq!(behind(&wrong, &["identities"]).0, 0);
    assert_eq!(behind(&right, &["identities"]).0, 4);
    root_entry(&bus);
}

/// `lastkey identities` with somebody at its terminal, who types this; all that is then shown.
fn at_a_terminal(bus: &Bus, room: &Room, typed: &str) -> (bool, String) {
    use std::io::Write;
    let program = lastkey_tests::window::program("lastkey");
    let mut command = room.command(std::path::Path::new("script"));
    bus.bring_to(&mut command);
    // `script` gives a terminal to what it runs, and its exit status back (-e).
    let line = format!("'{}' identities --json", program.display());
    let mut child = command
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("`script` is part of every Linux");
    let mut shown = child.stdout.take().unwrap();
    let mut said = Vec::new();
    let mut part = [0u8; 1024];
    let mut typing = child.stdin.take();
    loop {
        let count = std::io::Read::read(&mut shown, &mut part).unwrap_or(0);
        if count == 0 {
            break;
        }
        said.extend_from_slice(&part[..count]);
        // Only when it asks: whatever comes before would be shown by the terminal itself.
        if String::from_utf8_lossy(&said).contains("Passphrase of this store: ")
            && let Some(mut keys) = typing.take()
        {
            keys.write_all(format!("{typed}\n").as_bytes()).unwrap();
            keys.flush().unwrap();
            // The terminal stays open until the program has read the line.
            std::mem::forget(keys);
        }
    }
    let ended = child.wait().unwrap();
    (ended.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_terminal_with_somebody_at_it_asks_for_the_passphrase_and_does_not_show_it() {
    let bus = Bus::with(Keyring::Unlocked);
    let room = Room::new();
    let file = secret_file(&room.path("passphrase"), "four words of mine");
    let add = ["--passphrase-file", &file, "import", &world(), "--as", "w"];
    let (status, out, err) = bus.lastkey(&room, &add);
    assert_eq!(status, 0, "{out}{err}");
    let (opened, said) = at_a_terminal(&bus, &room, "four words of mine");
    assert!(opened && said.contains("\"ann\""), "{said}");
    assert!(!said.contains("four words"), "it is not shown: {said}");
    let (opened, said) = at_a_terminal(&bus, &room, "four words of yours");
    assert!(
        !opened && said.contains("does not open this store"),
        "{said}"
    );
    assert!(!said.contains("four words"), "it is not shown: {said}");
}
