//! What is killed: each phase is a store as it stands before, a command, and what the command
//! does when nobody disturbs it.

use crate::answers::Answers;
use crate::estate::{Days, PLAN};
use lastkey_tests::kill::{Measured, measure};
use lastkey_tests::picture::{KEY, Picture, Rows, STORE};
use lastkey_tests::window::{Room, program};
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Makes the store.
    Store,
    /// Reads sources into it.
    Facts,
    /// Writes a package.
    Package,
    /// Changes the keys.
    Keys,
    /// Nothing: it only answers.
    Nothing,
}

/// A command and its world.
pub struct Phase {
    pub name: &'static str,
    pub changes: Changes,
    pub arguments: Vec<String>,
    before: Room,
    /// The newest sync before.
    pub known: u64,
    /// All tables, now and as of each sync there was before.
    pub earlier: Vec<(Option<u64>, Picture)>,
    /// What is there after an undisturbed run, and where.
    pub after: Undisturbed,
}

/// The command, left alone.
pub struct Undisturbed {
    pub room: Room,
    pub measured: Measured,
    pub answer: String,
    pub tables: Picture,
    pub events: Rows,
    pub rehearsals: Vec<String>,
}

/// When rehearsals are played: soon enough that what was read is fresh.
pub fn moment() -> String {
    static MOMENT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let soon = chrono::Utc::now() + chrono::TimeDelta::hours(6);
        soon.format("%Y-%m-%dT%H:%M:00Z").to_string()
    });
    MOMENT.clone()
}

impl Phase {
    /// Runs the command once in peace. `before` is a room with or without a store.
    pub fn new(name: &'static str, changes: Changes, before: Room, arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let (known, earlier) = match changes {
            Changes::Store => (0, Vec::new()),
            Changes::Facts | Changes::Package | Changes::Keys | Changes::Nothing => {
                past(&Answers::of(&copy(&before)))
            }
        };
        let room = copy(&before);
        let measured = measure(command(&room, &arguments), room.path("").as_path());
        // A rehearsal in which somebody keeps access ends with 1.
        assert!(matches!(measured.status, 0 | 1), "{name}: {}", said(&room));
        let answer = std::fs::read_to_string(room.path("out")).unwrap();
        let answers = Answers::of(&room);
        let after = Undisturbed {
            measured,
            answer,
            tables: answers.picture(None, known),
            events: answers.events(),
            rehearsals: answers.rehearsals(&moment()),
            room,
        };
        Self {
            name,
            changes,
            arguments,
            before,
            known,
            earlier,
            after,
        }
    }

    /// The world before, once more.
    pub fn room(&self) -> Room {
        copy(&self.before)
    }

    /// Whether the command writes anything but its answer.
    pub fn writes(&self) -> bool {
        match self.changes {
            Changes::Store | Changes::Facts | Changes::Package | Changes::Keys => true,
            Changes::Nothing => false,
        }
    }

    pub fn command(&self, room: &Room) -> Command {
        command(room, &self.arguments)
    }
}

/// The newest sync, and all tables now and as of each sync.
fn past(answers: &Answers) -> (u64, Vec<(Option<u64>, Picture)>) {
    let known = answers.newest_sync();
    let mut past: Vec<_> = (1..=known)
        .map(|n| (Some(n), answers.picture(Some(n), known)))
        .collect();
    past.push((None, answers.picture(None, known)));
    (known, past)
}

/// `lastkey` on the room's store, its words into files beside it.
pub fn command(room: &Room, arguments: &[String]) -> Command {
    let file = |name: &str| std::fs::File::create(room.path(name)).expect("a file for its words");
    let mut command = room.command(&program("lastkey"));
    command
        .arg("--store")
        .arg(room.path(STORE))
        .arg("--key-file")
        .arg(room.path(KEY))
        .current_dir(room.path(""))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(file("out"))
        .stderr(file("err"));
    command
}

/// What the latest command in the room said on stderr.
pub fn said(room: &Room) -> String {
    std::fs::read_to_string(room.path("err")).unwrap_or_default()
}

/// A room with the same files.
pub fn copy(room: &Room) -> Room {
    let new = Room::in_memory();
    copy_folder(&room.path(""), &new.path(""));
    new
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder");
    for entry in std::fs::read_dir(from).expect("the folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().expect("its type").is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("the copy")),
        }
    }
}

/// A room with a key file and no store.
pub fn empty_room() -> Room {
    let room = Room::in_memory();
    write_key(&room, "a key file for tests");
    room
}

fn write_key(room: &Room, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(room.path(KEY), text).expect("the key file");
    std::fs::set_permissions(room.path(KEY), std::fs::Permissions::from_mode(0o600))
        .expect("its mode");
}

/// Runs a command in a room and expects this status; gives back what it said on stderr.
#[track_caller]
pub fn run(room: &Room, status: i32, arguments: &[&str]) -> String {
    let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
    let got = command(room, &arguments)
        .status()
        .expect("lastkey starts")
        .code();
    assert_eq!(got, Some(status), "lastkey {arguments:?}\n{}", said(room));
    said(room)
}

/// The import that makes the source. Its pages are small, here and ever after, so that a kind has
/// many of them, between which it can be cut off.
fn first_import(folder: &str) -> [&str; 6] {
    ["import", folder, "--as", "estate", "--set", "page=150"]
}

/// A store that read the estate on its first day, with a plan.
pub fn room_of_day_one(days: &Days) -> Room {
    let room = empty_room();
    run(&room, 0, &first_import(&text(&days.day(1))));
    std::fs::write(room.path("plan.toml"), PLAN).unwrap();
    run(&room, 0, &["plan", "load", &text(&room.path("plan.toml"))]);
    room
}

/// A store with secrets: the signing key and a password of a directory that is not there.
fn room_with_secrets(days: &Days) -> Room {
    let room = room_of_day_one(days);
    run(
        &room,
        0,
        &[
            "export",
            "--out",
            "package.zip",
            "--replace",
            "--at",
            &moment(),
        ],
    );
    std::fs::write(room.path("secret"), "a password").unwrap();
    let arguments = "source add ldap dir --set url=ldaps://127.0.0.1:1 --set base_dn=dc=x --set system=dir --set bind_dn=cn=x --secret-file secret";
    run(&room, 0, &arguments.split(' ').collect::<Vec<_>>());
    room
}

pub fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A store that read the estate on two days.
pub fn room_of_day_two(days: &Days) -> Room {
    let room = room_of_day_one(days);
    run(&room, 0, &["import", &text(&days.day(2)), "--as", "estate"]);
    room
}

/// Reads of flat files.
pub fn reads(days: &Days) -> Vec<Phase> {
    vec![
        Phase::new(
            "first read, making the store",
            Changes::Store,
            empty_room(),
            &first_import(&text(&days.day(1))),
        ),
        Phase::new(
            "read again, nothing changed",
            Changes::Facts,
            room_of_day_one(days),
            &["sync", "estate"],
        ),
        Phase::new(
            "read again, much changed",
            Changes::Facts,
            room_of_day_two(days),
            &["import", &text(&days.day(3)), "--as", "estate"],
        ),
    ]
}

/// What is done with what was read, and with the keys.
pub fn work(days: &Days) -> Vec<Phase> {
    let at = moment();
    let export = ["export", "--out", "package.zip", "--replace", "--at", &at];
    let room = room_of_day_two(days);
    let exported = copy(&room);
    run(&exported, 0, &export);
    vec![
        Phase::new(
            "rehearse everyone",
            Changes::Nothing,
            copy(&room),
            &["rehearse", "leaver", "--all", "--at", &at, "--json"],
        ),
        Phase::new("first export", Changes::Package, room, &export),
        Phase::new(
            "export over an older package",
            Changes::Package,
            exported,
            &export,
        ),
        Phase::new(
            "change the keys",
            Changes::Keys,
            room_with_secrets(days),
            &["store", "rekey"],
        ),
    ]
}
