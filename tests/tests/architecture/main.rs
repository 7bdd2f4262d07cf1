//! The rules of the workspace, as tests: who may depend on whom, where SQL and the window's host
//! live, what stands at the top, how long a file may be, what no file may hold.
//!
//! Each rule is a function from plain values to sentences about what breaks it, so that each is
//! also shown to find a breach.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod dependencies;
mod manifests;
mod scripts;
mod sources;
mod top_level;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ stands in the checkout")
        .to_path_buf()
}

/// What a command prints, run at the top of the checkout.
fn output(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("{program} starts: {error}"));
    assert!(
        done.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A file of the checkout that is tracked, or would be after `git add`.
struct File {
    path: String,
    /// None where it is not text.
    text: Option<String>,
}

impl File {
    fn example(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: Some(text.to_owned()),
        }
    }
    fn ends_with(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }
    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .as_deref()
            .unwrap_or_default()
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

fn files() -> Vec<File> {
    let listed = output(
        "git",
        &[
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    );
    let files: Vec<File> = listed
        .split('\0')
        .filter(|path| !path.is_empty() && root().join(path).is_file())
        .map(|path| File {
            path: path.to_owned(),
            text: std::fs::read(root().join(path))
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok()),
        })
        .collect();
    assert!(files.len() > 30, "the checkout has files: {}", files.len());
    files
}

/// Fails with every problem, one to a line.
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n  {}\n", problems.join("\n  "));
}

/// The rule finds exactly this in the example.
fn finds(problems: Vec<String>, expected: &[&str]) {
    assert_eq!(problems, expected);
}
