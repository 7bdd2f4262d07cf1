//! What must hold after a kill, and after the next run.

use crate::answers::Answers;
use crate::matrix::{Judged, Outcome, Then};
use crate::phases::{Changes, Phase, copy_folder, moment, said};
use lastkey_engine::lifecycle::Verdict;
use lastkey_tests::kill::files_below;
use lastkey_tests::picture::{Looker, Rows, STORE, differences, name_of, same};
use lastkey_tests::window::Room;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the gaps of an interrupted read say.
const TOLD: &str = "the program ended while it was reading";

/// What a command was cut off by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Killed,
    FullDisk,
}

/// Judges the room right after a command was cut off, runs it again, and judges the end.
#[track_caller]
pub fn judge(phase: &Phase, room: &Room, cause: Cause) -> Judged {
    let begun = begun(phase, room);
    let answer = std::fs::read_to_string(room.path("out")).unwrap_or_default();
    let outcome = match phase.changes {
        Changes::Store => after_making(phase, room, cause),
        Changes::Facts => after_reading(phase, room, cause),
        Changes::Package => after_export(phase, room, begun),
        Changes::Keys => after_rekey(phase, room),
        Changes::Nothing => after_answer(phase, room, &answer, begun),
    };
    let status = phase.command(room).status().expect("lastkey starts").code();
    assert_eq!(
        status,
        Some(phase.after.measured.status),
        "the next run: {}",
        said(room)
    );
    let answers = Answers::of(room);
    let then = match (outcome, cause) {
        (Outcome::Interrupted, Cause::Killed) => gone_on(phase, &answers),
        (Outcome::AsBefore | Outcome::Interrupted | Outcome::Done, _) => None,
    };
    the_end(phase, room, answers);
    Judged { outcome, then }
}

/// Whether it was at its work: something stands in the log, or a file lies about that an
/// undisturbed run leaves nowhere.
fn begun(phase: &Phase, room: &Room) -> bool {
    let log = room.path(&format!("{STORE}-wal"));
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        return true;
    }
    let known = names(&phase.after.room);
    names(room).iter().any(|name| !known.contains(name))
}

/// How the read went on that was cut off: the journal must say the one or the other.
#[track_caller]
fn gone_on(phase: &Phase, answers: &Answers) -> Option<Then> {
    match phase.changes {
        Changes::Store | Changes::Facts => {}
        Changes::Package | Changes::Keys | Changes::Nothing => return None,
    }
    let cut_off = phase.known + 1;
    let source = newest_source(answers, answers.newest_sync());
    let journal = answers.journal(source["name"].as_str().unwrap());
    let says = |sync: u64, word: &str, start: &str| {
        let mut lines = journal.iter();
        lines.any(|(s, what, text)| *s == sync && what == word && text.starts_with(start))
    };
    if says(cut_off, "resume", "going on with the read of") {
        assert_eq!(answers.newest_sync(), cut_off, "one read, one sync");
        return Some(Then::WentOn);
    }
    let anew = "the read that was cut off is begun anew: ";
    assert!(
        says(cut_off + 1, "restart", anew),
        "it neither goes on nor says that it begins anew: {journal:#?}"
    );
    Some(Then::BeganAnew)
}

/// Opens with the real program, every page, total and the log's chain whole.
#[track_caller]
pub fn whole(room: &Room) {
    let (status, out, err) = Looker { room }.run(&["store", "check"]);
    assert_eq!(status, 0, "the store does not check: {out}{err}");
}

#[track_caller]
fn after_making(phase: &Phase, room: &Room, cause: Cause) -> Outcome {
    let (status, _, err) = Looker { room }.run(&["source", "list", "--json"]);
    match status {
        // Nothing was made, or only begun to be made: said in one sentence, with what to do.
        3 => {
            assert!(err.contains("there is no store"), "{err}");
            assert!(err.contains("\"hint\":\""), "{err}");
            Outcome::AsBefore
        }
        0 => {
            whole(room);
            match (Looker { room }).sources().is_empty() {
                true => Outcome::AsBefore,
                false => after_reading(phase, room, cause),
            }
        }
        other => panic!("status {other} after a kill while the store was made: {err}"),
    }
}

#[track_caller]
fn after_reading(phase: &Phase, room: &Room, cause: Cause) -> Outcome {
    whole(room);
    let answers = Answers::of(room);
    let newest = answers.newest_sync();
    let now = answers.picture(None, phase.known);
    let before = phase
        .earlier
        .last()
        .map(|(_, picture)| picture.clone())
        .unwrap_or_default();
    if newest == phase.known {
        same(&now, &before, "a read that left no trace changed facts");
        return Outcome::AsBefore;
    }
    assert_eq!(newest, phase.known + 1, "one command, one sync");
    let source = newest_source(&answers, newest);
    let kinds = source["kinds"].as_array().unwrap();
    let tables = |which: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
        let those = kinds.iter().filter(|kind| which(kind));
        those
            .map(|kind| plural(kind["kind"].as_str().unwrap()))
            .collect()
    };
    let complete = tables(&|kind| kind["complete"] == true);
    let told_what_is_gone = tables(&|kind| kind["mode"] == "incremental");
    for (table, rows) in &now.0 {
        if complete.contains(table) {
            let differ = differences(rows, &phase.after.tables.0[table]);
            assert!(
                differ.is_empty(),
                "{table} are called complete and are not:\n{}",
                differ.join("\n")
            );
        } else {
            let gone = match told_what_is_gone.contains(table) {
                true => Gone::AsTold,
                false => Gone::Nothing,
            };
            let after = &phase.after.tables.0[table];
            nothing_lost(table, rows, before.0.get(table), after, gone);
        }
    }
    if source["state"] == "complete" {
        same(&now, &phase.after.tables, "a read that is called complete");
        return Outcome::Done;
    }
    let message = source["message"].as_str().unwrap_or_default();
    let said_why = match (source["state"].as_str(), cause) {
        (Some("incomplete"), _) => message == TOLD,
        (Some("failed"), Cause::FullDisk) => ["full", "could not be written"]
            .iter()
            .any(|words| message.contains(words)),
        (_, Cause::Killed | Cause::FullDisk) => false,
    };
    assert!(said_why, "{source:#}");
    let journal = answers.journal(source["name"].as_str().unwrap());
    let mut of_it = journal.iter().filter(|(sync, _, _)| *sync == newest);
    assert!(
        of_it.any(|(_, _, text)| text.contains(message)),
        "the journal does not say that the read was cut off: {journal:?}"
    );
    for kind in kinds.iter().filter(|kind| kind["complete"] == false) {
        assert!(kind["gaps"][0].is_string(), "{kind:#}");
        if kind["mode"] != "incremental" {
            assert_eq!(kind["totals"]["removed"], 0, "{kind:#}");
        }
    }
    if complete.len() < kinds.len() {
        no_pass(&answers);
    }
    Outcome::Interrupted
}

fn newest_source(answers: &Answers, newest: u64) -> Value {
    let sources = answers.sources();
    sources
        .into_iter()
        .find(|row| row["last_sync"] == newest)
        .unwrap()
}

fn plural(kind: &str) -> String {
    match kind {
        "identity" => "identities".to_owned(),
        other => format!("{other}s"),
    }
}

/// What may be gone although a read did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    Nothing,
    /// What the source itself called gone, in a read of changes.
    AsTold,
}

/// Each row is one of before or one of after, and none of before is gone for being unseen.
#[track_caller]
fn nothing_lost(table: &str, now: &Rows, before: Option<&Rows>, after: &Rows, gone: Gone) {
    let nothing = Rows::new();
    let before = before.unwrap_or(&nothing);
    for (row, count) in now {
        let allowed = before.get(row).max(after.get(row)).copied().unwrap_or(0);
        assert!(
            *count <= allowed,
            "{table}: {count} times, and {allowed} times before or after: {row}"
        );
    }
    let names = |rows: &Rows| {
        let mut names = BTreeMap::<String, usize>::new();
        for (row, count) in rows {
            *names.entry(name_of(row)).or_default() += count;
        }
        names
    };
    let (there, later) = (names(now), names(after));
    for (name, count) in names(before) {
        let now = there.get(&name).copied().unwrap_or(0);
        let least = match gone {
            Gone::Nothing => count,
            Gone::AsTold => count.min(later.get(&name).copied().unwrap_or(0)),
        };
        assert!(
            now >= least,
            "{table}: a read that did not end removed `{name}`"
        );
    }
}

/// A store with a half-read source passes nobody whose access it does not show: who has items
/// fails, who has none is not known to have none.
#[track_caller]
fn no_pass(answers: &Answers) {
    for (identity, verdict, missing) in answers.verdicts(&moment()) {
        assert_ne!(verdict, Verdict::Pass, "`{identity}` passes");
        assert_ne!(missing, 0, "nothing is missing for `{identity}`");
    }
}

#[track_caller]
fn after_export(phase: &Phase, room: &Room, begun: bool) -> Outcome {
    whole(room);
    unchanged(phase, room, "an export changed facts");
    let package = room.path("package.zip");
    let there = package.exists();
    if there {
        intact(&package, room);
    }
    let old = std::fs::read(phase.room().path("package.zip")).ok();
    let now = there.then(|| std::fs::read(&package).unwrap());
    match (old == now, begun) {
        (true, true) => Outcome::Interrupted,
        (true, false) => Outcome::AsBefore,
        (false, _) => Outcome::Done,
    }
}

/// What the store answers is what it answered before.
#[track_caller]
fn unchanged(phase: &Phase, room: &Room, what: &str) {
    let now = Answers::of(room).picture(None, phase.known);
    same(&now, &phase.earlier.last().unwrap().1, what);
}

#[track_caller]
fn intact(package: &Path, room: &Room) {
    let (status, out, err) = room.lastkey(&["verify", &package.display().to_string(), "--json"]);
    // Killed before the signer was put on the list of trusted ones, it is intact all the same.
    assert!(
        matches!(status, 0 | 1) && out.contains("\"state\":\"intact"),
        "{status}: {out}{err}"
    );
}

/// One of both keys is in force, the secrets open with it, and a change that was cut short is told.
#[track_caller]
fn after_rekey(phase: &Phase, room: &Room) -> Outcome {
    let looker = Looker { room };
    let (status, out, err) = looker.run(&["store", "check"]);
    assert_eq!(status, 0, "the store does not check: {out}{err}");
    let told = format!("{out}{err}").contains("a change of keys was cut short");
    unchanged(phase, room, "a change of keys changed facts");
    secrets_open(room);
    let key_of = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("key "));
        line.expect("the key is named").to_owned()
    };
    let before = phase.room();
    let (_, before, _) = Looker { room: &before }.run(&["store", "check"]);
    match (told, key_of(&out) == key_of(&before)) {
        (true, _) => Outcome::Interrupted,
        (false, true) => Outcome::AsBefore,
        (false, false) => Outcome::Done,
    }
}

/// The password of a source and the signing key are there under the key in force.
#[track_caller]
fn secrets_open(room: &Room) {
    let looker = Looker { room };
    let (status, _, err) = looker.run(&["source", "check", "dir"]);
    assert_eq!(
        status, 3,
        "its password opens, and nothing listens there: {err}"
    );
    let package = room.path("signed.zip").display().to_string();
    let (status, _, err) = looker.run(&["export", "--out", &package, "--replace"]);
    assert_eq!(status, 0, "the signing key opens: {err}");
    let signer = |package: &str| {
        let (_, out, _) = room.lastkey(&["verify", package, "--json"]);
        let report: Value = serde_json::from_str(&out).expect("a report");
        report["signer"].as_str().expect("a signer").to_owned()
    };
    let first = room.path("package.zip").display().to_string();
    assert_eq!(signer(&package), signer(&first), "the same key signs");
    std::fs::remove_file(package).unwrap();
}

#[track_caller]
fn after_answer(phase: &Phase, room: &Room, answer: &str, begun: bool) -> Outcome {
    whole(room);
    unchanged(phase, room, "an answer changed facts");
    // A line that was said whole is true; the last one may be cut.
    let true_ones: BTreeSet<&str> = phase.after.answer.lines().collect();
    let whole_lines = answer.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole_lines.lines() {
        assert!(true_ones.contains(line), "said and not so: {line}");
    }
    match answer {
        "" if !begun => Outcome::AsBefore,
        all if all == phase.after.answer => Outcome::Done,
        _ => Outcome::Interrupted,
    }
}

/// The end state equals that of an undisturbed run, and nothing lies about.
#[track_caller]
fn the_end(phase: &Phase, room: &Room, answers: Answers) {
    let undisturbed = &phase.after;
    same(
        &answers.picture(None, phase.known),
        &undisturbed.tables,
        "the end differs",
    );
    let past = phase.earlier.iter().filter(|(as_of, _)| as_of.is_some());
    for (as_of, picture) in past {
        let now = answers.picture_of(&picture.filled(), *as_of, phase.known);
        same(&now, picture, "the past changed");
    }
    let differ = differences(&answers.events(), &undisturbed.events);
    assert!(differ.is_empty(), "events differ:\n{}", differ.join("\n"));
    let rehearsals = answers.rehearsals(&moment());
    for (now, then) in rehearsals.iter().zip(&undisturbed.rehearsals) {
        assert_eq!(now, then, "a rehearsal differs");
    }
    assert_eq!(rehearsals.len(), undisturbed.rehearsals.len());
    drop(answers);
    whole(room);
    if phase.changes == Changes::Keys {
        secrets_open(room);
    }
    if phase.changes == Changes::Package {
        intact(&room.path("package.zip"), room);
    }
    assert_eq!(
        names(room),
        names(&undisturbed.room),
        "files that lie about"
    );
}

/// The names of all files, but for those that SQLite makes and takes away by itself.
fn names(room: &Room) -> BTreeSet<String> {
    let root = room.path("");
    let relative = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    let ours = |name: &String| ![format!("{STORE}-wal"), format!("{STORE}-shm")].contains(name);
    files_below(&root)
        .iter()
        .map(|path| relative(path))
        .filter(ours)
        .collect()
}

/// For whoever looks at a room that failed: it is kept.
pub fn keep(room: &Room) -> String {
    static KEPT: AtomicU32 = AtomicU32::new(0);
    let number = KEPT.fetch_add(1, Ordering::Relaxed);
    let name = format!("lastkey-chaos-{}-{number}", std::process::id());
    let kept = std::env::temp_dir().join(name);
    copy_folder(&room.path(""), &kept);
    kept.display().to_string()
}
