//! What was not looked into is told, and what cannot be scanned is an error.

use crate::planted::{Planted, check, locations, read};
use lastkey_contract::{ErrorKind, Kind, NoteKind};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn what_was_not_looked_into_is_told() {
    let planted = Planted::new(&[
        ("a/.env", "A_TOKEN=carrier-pigeon\n"),
        ("node_modules/x/.env", "A_TOKEN=carrier-pigeon\n"),
        (".git/objects/aa/bb", "A_TOKEN=carrier-pigeon\n"),
        ("broken.tfstate", "{\"a\": "),
        ("left/.env", "A_TOKEN=carrier-pigeon\n"),
    ]);
    planted.file("picture.png", b"\x89PNG\0\0carrier");
    planted.file("large.txt", "x y\n".repeat(300_000).as_bytes());
    let outside = planted.folder.path().join("outside.env");
    fs::write(&outside, "A_TOKEN=carrier-pigeon\n").unwrap();
    symlink(&outside, planted.top().join("out.env")).unwrap();
    symlink(planted.top().join("a"), planted.top().join("in")).unwrap();
    symlink(planted.top(), planted.top().join("loop")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(planted.top().join("socket")).unwrap();
    let settings = [("largest_mib", "1"), ("exclude", "left/")];
    check(&planted, &settings, &[("env-file", "a/.env#A_TOKEN")]);
    let (_, notes) = locations(planted.connector(&settings).as_ref());
    let notes: BTreeMap<&str, (NoteKind, u64)> = notes
        .iter()
        .map(|note| (note.reason.as_str(), (note.kind, note.count)))
        .collect();
    let says = |word: &str| {
        let found = notes.iter().find(|(reason, _)| reason.contains(word));
        found
            .map(|(_, told)| *told)
            .unwrap_or_else(|| panic!("{word}: {notes:?}"))
    };
    assert_eq!(says("larger than"), (NoteKind::Skipped, 1));
    assert_eq!(says("not of the form"), (NoteKind::Clipped, 1));
    assert_eq!(says("no text"), (NoteKind::Remark, 1));
    assert_eq!(says("links that lead out"), (NoteKind::Remark, 1));
    assert_eq!(says("sockets"), (NoteKind::Remark, 1));
    assert_eq!(says("caches"), (NoteKind::Remark, 1));
    assert_eq!(says("packed history"), (NoteKind::Remark, 1));
    assert_eq!(says("exclude"), (NoteKind::Remark, 1));
    let (_, of_readers) = read(planted.connector(&settings).as_ref(), Kind::Reader, 10);
    assert_eq!(of_readers[0].kind, NoteKind::Clipped);
    // Of a tree nothing but the packed history is left out.
    let tree = [("scan", "tree"), ("exclude", "left/")];
    let all = [
        ("env-file", "a/.env#A_TOKEN"),
        ("env-file", "node_modules/x/.env#A_TOKEN"),
    ];
    check(&planted, &tree, &all);
}

#[test]
fn gitignore_counts_where_it_is_wanted() {
    let planted = Planted::new(&[
        (".gitignore", ".env\n"),
        (".env", "A_TOKEN=carrier-pigeon\n"),
        ("b.env", "B_TOKEN=carrier-pigeon\n"),
    ]);
    let both = [("env-file", ".env#A_TOKEN"), ("env-file", "b.env#B_TOKEN")];
    check(&planted, &[], &both);
    check(&planted, &[("gitignore", "yes")], &both[1..]);
}

#[test]
fn a_folder_that_cannot_be_listed_leaves_the_read_incomplete() {
    let planted = Planted::new(&[
        ("shut/.env", "A_TOKEN=carrier-pigeon\n"),
        ("b.env", "B_TOKEN=carrier-pigeon\n"),
    ]);
    let shut = planted.top().join("shut");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    let listed = fs::read_dir(&shut).is_ok();
    let (_, notes) = locations(planted.connector(&[]).as_ref());
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
    // Who may list everything (root) is refused nothing.
    let skipped = notes
        .iter()
        .filter(|note| note.kind == NoteKind::Skipped)
        .count();
    assert_eq!(skipped, usize::from(!listed), "{notes:?}");
}

#[test]
fn what_cannot_be_scanned_is_an_error() {
    let planted = Planted::new(&[("file", "x")]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (pairs, says) in [
        ([("folder", "/no/such/folder")].as_slice(), "does not exist"),
        (&[("folder", &planted.shown("file"))], "is not a folder"),
        (&[("accounts_folder", "/no/such/folder")], "does not exist"),
    ] {
        let connector = planted.connector(pairs);
        for error in [
            runtime.block_on(connector.check()).unwrap_err(),
            runtime.block_on(connector.connect()).err().unwrap(),
        ] {
            assert!(error.message.contains(says), "{error}");
            assert_eq!(error.kind, ErrorKind::ConfigInvalid);
            assert!(error.hint.is_some());
        }
    }
}
