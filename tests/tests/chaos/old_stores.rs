//! Stores made by older versions, with the answers that those versions gave. They open, and
//! answer the same; killed while they are brought to the newer layout, they do so at the next start.

use crate::answers::Answers;
use crate::phases::{Changes, Phase, run};
use lastkey_tests::picture::{KEY, Looker, STORE, TABLES};
use lastkey_tests::window::Room;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The moment of the old rehearsals.
const AT: &str = "2026-11-21T06:00:00Z";

fn corpus(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(version)
}

/// A copy of an old store in a room.
pub fn room_of(version: &str) -> Room {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::in_memory();
    let keys = format!("{STORE}.keys");
    for (from, to) in [
        ("store.lastkey", STORE),
        ("store.lastkey.keys", &keys),
        ("key", KEY),
    ] {
        std::fs::copy(corpus(version).join(from), room.path(to)).expect("the old store");
        std::fs::set_permissions(room.path(to), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    room
}

/// The commands that first meet an old store.
pub fn phases() -> Vec<Phase> {
    let phase = |what, version| {
        Phase::new(
            what,
            Changes::Nothing,
            room_of(version),
            &["accounts", "--json"],
        )
    };
    vec![
        phase("bring an old store to the new layout", "version-1"),
        phase("bring a store of layout 2 to the new one", "version-2"),
        phase("bring a store of layout 3 to the new one", "version-3"),
        phase("bring a store of layout 4 to the new one", "version-4"),
        phase("bring a store of layout 5 to the new one", "version-5"),
        phase("bring a store of layout 6 to the new one", "version-6"),
        phase("bring a store of layout 7 to the new one", "version-7"),
        phase("bring a store of layout 8 to the new one", "version-8"),
        phase("bring a store of layout 9 to the new one", "version-9"),
    ]
}

fn answers(version: &str, name: &str) -> Vec<Value> {
    let path = corpus(version).join("answers").join(name);
    // A table that held nothing has no file.
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What old versions said of the sync that first saw an object as it was then; now it is the one that
/// first saw the object.
const MEANS_ANOTHER_THING: &str = "first_sync";

/// Rows with only the columns that the old version knew and filled, each counted.
fn counted(rows: &[Value], columns: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for row in rows {
        // Sorted by name, however the program orders them.
        let row: BTreeMap<&String, &Value> = row
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, value)| !value.is_null() && columns.contains(*key))
            .filter(|(key, _)| *key != MEANS_ANOTHER_THING)
            .collect();
        let text = serde_json::to_string(&row).unwrap();
        *counted.entry(text).or_default() += 1;
    }
    counted
}

#[track_caller]
fn same_rows(old: &[Value], new: &[Value], what: &str) {
    let keys = old
        .iter()
        .flat_map(|row| row.as_object().unwrap().keys().cloned());
    let columns: BTreeSet<String> = keys.collect();
    assert_eq!(old.len(), new.len(), "{what}");
    let (old, new) = (counted(old, &columns), counted(new, &columns));
    for (row, count) in &old {
        assert_eq!(new.get(row), Some(count), "{what}: {row}");
    }
}

/// Everything that the old answer said stands in the new one; there may be more.
#[track_caller]
fn stands_in(old: &Value, new: &Value, what: &str) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let found = new.get(key).unwrap_or(&Value::Null);
                stands_in(value, found, &format!("{what}.{key}"));
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            assert_eq!(old.len(), new.len(), "{what}");
            for (number, (old, new)) in old.iter().zip(new).enumerate() {
                stands_in(old, new, &format!("{what}[{number}]"));
            }
        }
        (old, new) => assert_eq!(old, new, "{what}"),
    }
}

/// Events with their bounds cut after the sixth digit: they are kept that finely.
fn to_the_microsecond(mut events: Vec<Value>) -> Vec<Value> {
    for event in &mut events {
        for bound in ["earliest", "latest"] {
            let at = event[bound].as_str().unwrap().to_owned();
            let (seconds, fraction) = at.trim_end_matches('Z').split_once('.').unwrap();
            let digits = fraction.get(..6).unwrap_or(fraction);
            event[bound] = format!("{seconds}.{digits}Z").into();
        }
    }
    events
}

/// A store of this version, in which so many people are, opens, answers as it did, and reads on.
#[track_caller]
fn opens_and_answers_as_before(version: &str, people: usize) {
    let room = room_of(version);
    run(&room, 0, &["store", "check"]);
    let open = Answers::of(&room);
    for table in TABLES {
        let rows = |as_of| -> Vec<Value> {
            let rows = open.rows(table, as_of);
            rows.into_iter().map(Value::Object).collect()
        };
        same_rows(
            &answers(version, &format!("{table}.jsonl")),
            &rows(None),
            table,
        );
        for sync in 1..=4 {
            let name = format!("{table}-as-of-{sync}");
            let old = answers(version, &format!("{name}.jsonl"));
            same_rows(&old, &rows(Some(sync)), &name);
        }
    }
    drop(open);
    let looker = Looker { room: &room };
    let now = looker.lines(&["journal"], &[0]);
    same_rows(&answers(version, "journal.jsonl"), &now, "journal");
    let now = to_the_microsecond(looker.lines(&["events"], &[0]));
    let old = to_the_microsecond(answers(version, "events.jsonl"));
    same_rows(&old, &now, "events");
    let sources = std::fs::read_to_string(corpus(version).join("answers/sources.json")).unwrap();
    let sources: Value = serde_json::from_str(&sources).unwrap();
    stands_in(&sources, &Value::Array(looker.sources()), "sources");
    let mut rehearsals = looker.lines(&["rehearse", "leaver", "--all", "--at", AT], &[0, 1]);
    for line in &mut rehearsals {
        // Of the worst items, the first three were kept.
        line["worst"].as_array_mut().unwrap().truncate(3);
    }
    let mut old = answers(version, "rehearsals.jsonl");
    assert_eq!(old.len(), people);
    // What a claim needs is asked otherwise than then, and in other words: that something is missing
    // stays, and the verdict is compared.
    for (old, new) in old.iter_mut().zip(&mut rehearsals) {
        let missing = [old, new].map(|line| line["missing_facts"].take());
        let [old, new] = missing.map(|all| all.as_array().is_some_and(|all| !all.is_empty()));
        assert_eq!(old, new, "whether anything is missing");
    }
    stands_in(&Value::Array(old), &Value::Array(rehearsals), "rehearsals");
    run(&room, 0, &["store", "check"]);
    reads_on(&room, &looker);
}

/// What an old store held can be compared with what a source brings from now on.
#[track_caller]
fn reads_on(room: &Room, looker: &Looker<'_>) {
    let before = looker.lines(&["identities"], &[0]).len();
    std::fs::create_dir_all(room.path("later")).unwrap();
    let rows = "id,kind,display_name\nnew1,person,New One\nnew2,person,New Two\n";
    std::fs::write(room.path("later/identities.csv"), rows).unwrap();
    let folder = room.path("later").display().to_string();
    run(room, 0, &["import", &folder, "--as", "later"]);
    assert_eq!(looker.lines(&["identities"], &[0]).len(), before + 2);
    let told = looker.lines(&["diff", "5", "now"], &[0]);
    let added = told.iter().filter(|row| row["what"] == "added").count();
    assert_eq!((added, told.len()), (2, 3), "{told:?}");
    // A source whose files are gone fails, and takes nothing away.
    run(room, 3, &["sync", "estate"]);
    assert_eq!(looker.lines(&["identities"], &[0]).len(), before + 2);
    run(room, 0, &["store", "check"]);
}

#[test]
fn a_store_of_version_1_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-1", 122);
}

#[test]
fn a_store_of_version_2_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-2", 19);
}

#[test]
fn a_store_of_version_3_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-3", 19);
}

#[test]
fn a_store_of_version_4_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-4", 19);
}

#[test]
fn a_store_of_version_5_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-5", 19);
}

#[test]
fn a_store_of_version_6_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-6", 19);
}

#[test]
fn a_store_of_version_7_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-7", 19);
}

#[test]
fn a_store_of_version_8_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-8", 19);
}

#[test]
fn a_store_of_version_9_opens_and_answers_as_before() {
    opens_and_answers_as_before("version-9", 19);
}
