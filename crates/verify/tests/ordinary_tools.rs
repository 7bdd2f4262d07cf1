//! The page in the package, followed to the letter with unzip, sha256sum and openssl.
//! The commands are taken from the page itself, so that it cannot drift.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_verify::{MadeBy, PackageHeader, PackageKey, PackageWriter, Period, Sealed, Snapshot};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn make(path: &Path) -> Sealed {
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
    let mut package = PackageWriter::create(path, header).unwrap();
    package
        .add("population/accounts.csv", b"system,id\ncrm,ann\n", Some(1))
        .unwrap();
    package.add("scope.json", b"{}\n", None).unwrap();
    package.seal(&PackageKey::from_seed(&[7; 32])).unwrap()
}

/// The commands of the page, by the number of their section.
fn commands() -> Vec<String> {
    let page = lastkey_verify::layout::HOW_TO_CHECK_TEXT;
    let found: Vec<String> = page
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect();
    assert_eq!(found.len(), 7, "the page has seven sections with commands");
    found
}

/// Runs the page in a folder with `package.zip`; `after_unpacking` runs after its first section.
fn follow(folder: &Path, after_unpacking: &str) -> Output {
    let mut script = "set -e\n".to_owned();
    for (section, command) in commands().iter().enumerate() {
        script.push_str(command);
        if section == 0 {
            script.push_str(after_unpacking);
            script.push('\n');
        }
    }
    Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn the_page_leads_to_a_verified_signature_and_the_fingerprint() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = make(&folder.path().join("package.zip"));
    let done = follow(folder.path(), "");
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(text.contains("population/accounts.csv: OK"), "{text}");
    assert!(text.contains("Signature Verified Successfully"), "{text}");
    assert_eq!(
        text.lines().last(),
        Some(sealed.signer.as_str()),
        "openssl shows the same fingerprint"
    );
    let page = fs::read_to_string(folder.path().join("package/HOW-TO-CHECK.md")).unwrap();
    assert_eq!(page, lastkey_verify::layout::HOW_TO_CHECK_TEXT);
}

/// Each section finds what it says that it finds.
#[test]
fn the_page_stops_at_whatever_was_changed() {
    let changes = [
        ("content", "printf x >> population/accounts.csv"),
        ("added", "printf x > added.csv"),
        ("dropped", "rm scope.json"),
        ("list", "sed -i /scope.json/d SHA256SUMS; rm scope.json"),
        ("statement", "printf '\\n' >> statement.json"),
        ("signed bytes", "printf x >> statement.pae"),
        ("signature", "printf '%064d' 0 > signature.bin"),
        (
            "key",
            "openssl genpkey -algorithm ed25519 | openssl pkey -pubout > public-key.pem",
        ),
    ];
    for (why, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        make(&folder.path().join("package.zip"));
        let done = follow(folder.path(), change);
        assert!(
            !done.status.success(),
            "{why}: {}",
            String::from_utf8_lossy(&done.stdout)
        );
    }
}

#[test]
fn unzip_finds_nothing_to_complain_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.zip");
    make(&path);
    let done = Command::new("unzip").arg("-t").arg(&path).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success() && text.contains("No errors detected"),
        "{text}"
    );
    assert!(
        done.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
