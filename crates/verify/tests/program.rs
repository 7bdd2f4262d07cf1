//! The program `lastkey-verify`: its words and its exit statuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_verify::{MadeBy, PackageHeader, PackageKey, PackageWriter, Period, Snapshot};
use std::path::Path;
use std::process::Command;

fn make(path: &Path) -> String {
    let header = PackageHeader {
        made_at: "2026-03-01T12:00:00Z".to_owned(),
        made_by: MadeBy {
            tool: "lastkey".to_owned(),
            version: "0.1.0".to_owned(),
        },
        previous: None,
        scope: "everything".to_owned(),
        period: Period::default(),
        snapshot: Snapshot::default(),
    };
    let package = PackageWriter::create(path, header).unwrap();
    package
        .seal(&PackageKey::from_seed(&[7; 32]))
        .unwrap()
        .signer
        .to_string()
}

#[test]
fn each_answer_has_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.zip");
    let signer = make(&path);
    let package = path.to_str().unwrap();
    let broken_path = folder.path().join("broken.zip");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60] ^= 4;
    std::fs::write(&broken_path, bytes).unwrap();
    let broken = broken_path.to_str().unwrap();
    let upper = signer.to_uppercase();
    let other = PackageKey::from_seed(&[8; 32]).fingerprint().to_string();
    let absent = folder.path().join("absent.zip");
    let absent = absent.to_str().unwrap();
    let cases: [(&[&str], i32, &str, &str); 12] = [
        (&[package, "--signer", &upper], 0, "intact\nsigned by  ", ""),
        (&[package], 1, "intact, signer unknown\n", ""),
        (&[package, "--signer", &other], 1, "not by", ""),
        (
            &[package, "--extends", package],
            1,
            "does not say that it continues",
            "",
        ),
        (&[broken], 1, "broken\n", ""),
        (&[broken, "--json"], 1, "\"file\": \"HOW-TO-CHECK.md\"", ""),
        (
            &[package, "--signer", &signer, "--json"],
            0,
            "\"state\": \"intact\"",
            "",
        ),
        (&[], 2, "", "which package?"),
        (&[package, "--signer"], 2, "", "needs a value"),
        (&[package, "--signer", "abc"], 2, "", "is not a fingerprint"),
        (&[absent], 3, "", "cannot be read"),
        (&[package, "--extends", absent], 3, "", "cannot be read"),
    ];
    for (args, status, out, err) in cases {
        let done = Command::new(env!("CARGO_BIN_EXE_lastkey-verify"))
            .args(args)
            .output()
            .unwrap();
        let (stdout, stderr) = (
            String::from_utf8(done.stdout).unwrap(),
            String::from_utf8(done.stderr).unwrap(),
        );
        assert_eq!(
            done.status.code(),
            Some(status),
            "{args:?}: {stdout}{stderr}"
        );
        assert!(stdout.contains(out), "{args:?}: {stdout}");
        assert!(stderr.contains(err), "{args:?}: {stderr}");
        assert_eq!(stderr.is_empty(), status < 2, "{args:?}: {stderr}");
    }
}
