//! The top of the checkout holds a short list and no code.

use super::{File, files, finds, none};
use std::collections::BTreeSet;

const ENTRIES: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitattributes",
    ".gitignore",
    ".taurignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "GLOSSARY.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "bench",
    "clippy.toml",
    "connectors",
    "crates",
    "deny.toml",
    "docs",
    "frameworks",
    "icons",
    "run",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "src-tauri",
    "tauri.conf.json",
    "test",
    "tests",
    "ui",
];

fn strangers(files: &[File]) -> Vec<String> {
    let top: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .collect();
    top.into_iter()
        .filter(|entry| !ENTRIES.contains(entry))
        .map(|entry| {
            format!("`{entry}` has no place at the top; ENTRIES in this test lists what has")
        })
        .collect()
}

/// Links of a page to files of the checkout that are not there.
fn dead_links(page: &File, there: &BTreeSet<String>) -> Vec<String> {
    let folder: Vec<&str> = page.path.split('/').collect();
    let folder = &folder[..folder.len() - 1];
    let mut problems = Vec::new();
    let mut in_code = false;
    for (number, line) in page.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            let target = part.split([')', '#', ' ']).next().unwrap_or_default();
            if target.is_empty() || target.contains(':') {
                continue;
            }
            let mut steps: Vec<&str> = folder.to_vec();
            for step in target.split('/') {
                match step {
                    "." | "" => {}
                    ".." => {
                        steps.pop();
                    }
                    name => steps.push(name),
                }
            }
            let path = steps.join("/");
            let folder_of_files = format!("{path}/");
            let found = there.contains(&path)
                || there
                    .range(folder_of_files.clone()..)
                    .next()
                    .is_some_and(|next| next.starts_with(&folder_of_files));
            if !found {
                problems.push(format!("{}:{number}: `{target}` is not there", page.path));
            }
        }
    }
    problems
}

#[test]
fn the_top_holds_only_what_is_listed() {
    none(strangers(&files()));
}

#[test]
fn links_between_pages_lead_somewhere() {
    let files = files();
    let there: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
    let pages: Vec<&File> = files
        .iter()
        .filter(|file| file.ends_with(&[".md"]))
        .collect();
    assert!(pages.len() >= 5, "{}", pages.len());
    none(
        pages
            .into_iter()
            .flat_map(|page| dead_links(page, &there))
            .collect(),
    );
}

/// Pages of the documentation that its index does not name.
fn unlisted(files: &[File]) -> Vec<String> {
    let index = files
        .iter()
        .find(|file| file.path == "docs/README.md")
        .and_then(|file| file.text.as_deref())
        .unwrap_or_default();
    files
        .iter()
        .filter(|file| file.ends_with(&[".md"]) && file.path != "docs/README.md")
        .filter_map(|file| file.path.strip_prefix("docs/"))
        .filter(|page| !index.contains(&format!("({page})")))
        .map(|page| format!("docs/README.md does not name `{page}`"))
        .collect()
}

#[test]
fn the_index_names_every_page() {
    none(unlisted(&files()));
}

#[test]
fn a_page_that_the_index_forgot_is_found() {
    finds(
        unlisted(&[
            File::example("docs/README.md", "[a](guide/a.md)"),
            File::example("docs/guide/a.md", ""),
            File::example("docs/guide/b.md", ""),
            File::example("README.md", ""),
        ]),
        &["docs/README.md does not name `guide/b.md`"],
    );
}

#[test]
fn a_stranger_at_the_top_and_a_dead_link_are_found() {
    finds(
        strangers(&[
            File::example("docs/a.md", ""),
            File::example("notes.txt", ""),
        ]),
        &["`notes.txt` has no place at the top; ENTRIES in this test lists what has"],
    );
    let there: BTreeSet<String> = ["docs/a.md", "docs/guide/b.md", "README.md"]
        .map(str::to_owned)
        .into();
    finds(
        dead_links(
            &File::example(
                "docs/a.md",
                "[b](guide/b.md) [guide](guide) [up](../README.md#tour) [out](https://example.org)\n[c](c.md)\n```\n[no](link.md)\n```\n![picture](guide/p.png)",
            ),
            &there,
        ),
        &[
            "docs/a.md:2: `c.md` is not there",
            "docs/a.md:6: `guide/p.png` is not there",
        ],
    );
}
