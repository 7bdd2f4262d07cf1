//! What opens a store, from outside: every state of a real keychain, changes of keys that are
//! killed at every step, backups, and nothing in clear in any file or core dump.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod change;
mod keychain;
mod traces;

use std::path::{Path, PathBuf};

/// A small world to read.
fn world() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/federated");
    path.display().to_string()
}

/// The recovery key in what was said.
fn recovery_key(said: &str) -> String {
    let line = said
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("lastkey-recovery-1-"));
    line.unwrap_or_else(|| panic!("a recovery key is shown:\n{said}"))
        .to_owned()
}

/// An LDAP source with a secret; it is not connected to.
fn with_secret<'a>(name: &'a str, file: &'a str) -> Vec<&'a str> {
    vec![
        "source",
        "add",
        "ldap",
        name,
        "--set",
        "url=ldaps://127.0.0.1:9",
        "--set",
        "bind_dn=cn=reader,dc=example",
        "--set",
        "base_dn=dc=example",
        "--set",
        "system=corp",
        "--secret-file",
        file,
    ]
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(_) | Err(_) => found.push(entry.path()),
        }
    }
    found
}

/// Whether a file holds the text.
fn holds(path: &Path, text: &str) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}
