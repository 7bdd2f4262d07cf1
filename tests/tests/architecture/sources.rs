//! What source files may hold, and how long they may be.

use super::{File, files, finds, none};

/// Longest file of code.
const LIMIT: usize = 600;
/// Files that may be longer, each with the reason.
const LONG: &[(&str, &str)] = &[
    (
        "connectors/flat-files/tests/lab.rs",
        "the conformance cases of one connector, one after the other, through one check",
    ),
    (
        "tests/tests/ldap_lab.rs",
        "the conformance cases of one connector against one server, through one check",
    ),
    (
        "crates/verify/src/verify_tests.rs",
        "one truth table of what breaks a package and how the breach is named",
    ),
];

fn too_long(files: &[File], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        if !file.ends_with(&[".rs", ".ts", ".svelte", ".sh", ".py", ".css"]) || is_generated(file) {
            continue;
        }
        let length = file.lines().count();
        let reason = allowed.iter().find(|(path, _)| *path == file.path);
        match reason {
            None if length > LIMIT => problems.push(format!(
                "{}: {length} lines; look for the second concept in it",
                file.path
            )),
            Some(_) if length <= LIMIT => problems.push(format!(
                "{}: {length} lines; it needs no exception any more",
                file.path
            )),
            _ => {}
        }
    }
    for (path, _) in allowed {
        if !files.iter().any(|file| file.path == *path) {
            problems.push(format!("{path}: has an exception and is not there"));
        }
    }
    problems
}

fn is_generated(file: &File) -> bool {
    file.path.starts_with("ui/src/wire/")
}

/// Lines that hold one of the needles, in the files that the rule is about.
fn holding(
    files: &[File],
    about: impl Fn(&File) -> bool,
    needles: &[String],
    why: &str,
) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| about(file)) {
        for (number, line) in file.lines() {
            for needle in needles {
                if line.contains(needle.as_str()) {
                    problems.push(format!("{}:{number}: `{needle}`: {why}", file.path));
                }
            }
        }
    }
    problems
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn sql_outside_the_store(files: &[File]) -> Vec<String> {
    holding(
        files,
        |file| {
            file.ends_with(&[".rs"])
                && !file.path.starts_with("crates/engine/src/store/")
                && !file.path.starts_with("tests/")
        },
        &words(&[
            "sqlx::",
            "libsqlite3_sys::",
            "\"SELECT ",
            "\"INSERT INTO ",
            "\"DELETE FROM ",
            "\"CREATE TABLE ",
            "\"PRAGMA ",
        ]),
        "SQL stays in crates/engine/src/store",
    )
}

fn host_outside_its_folder(files: &[File]) -> Vec<String> {
    holding(
        files,
        |file| {
            file.path.starts_with("ui/src/")
                && file.ends_with(&[".ts", ".svelte", ".js"])
                && !file.path.starts_with("ui/src/host/")
        },
        &words(&["@tauri-apps", "__TAURI"]),
        "only ui/src/host speaks to the host",
    )
}

fn network_in_pure_crates(files: &[File]) -> Vec<String> {
    holding(
        files,
        |file| {
            file.ends_with(&[".rs"])
                && [
                    "crates/engine/src/",
                    "crates/verify/src/",
                    "connectors/aws-policy/src/",
                    "connectors/contract/src/",
                ]
                .iter()
                .any(|folder| file.path.starts_with(folder))
        },
        &words(&["std::net::", "tokio::net::", "TcpStream", "UdpSocket"]),
        "the pure crates open no connection",
    )
}

fn unfinished(files: &[File]) -> Vec<String> {
    let mut problems = holding(
        files,
        |file| file.ends_with(&[".rs"]) && !is_this_test(file),
        &words(&[
            "todo!",
            "unimplemented!",
            "#[ignore",
            "should_panic(expected = \"not implemented",
        ]),
        "nothing is left undone or ignored",
    );
    problems.extend(holding(
        files,
        |file| file.path.starts_with("ui/") && file.ends_with(&[".ts", ".js", ".svelte"]),
        &words(&[
            "it.skip",
            "test.skip",
            "describe.skip",
            "it.only",
            "test.only",
            "describe.only",
            "it.todo",
            "test.todo",
        ]),
        "no test is left out",
    ));
    problems
}

/// Paths and names of one person's machine, and hosts that packages do not come from.
fn private_places(files: &[File]) -> Vec<String> {
    // put together here, so that this file does not hold them itself
    let needles: Vec<String> = [
        ["/work/", "main"],
        ["/work/", "shared"],
        ["/work/", "wt"],
        ["/ro", "ot/"],
        ["/home", "/runner"],
        ["cla", "ude"],
        ["anth", "ropic"],
        ["artif", "actory"],
    ]
    .map(|parts| parts.concat())
    .into();
    let mut problems = holding(
        files,
        |_| true,
        &needles,
        "nothing of one machine belongs here",
    );
    for file in files {
        for (number, line) in file.lines() {
            let elsewhere = match file.path.rsplit('/').next() {
                Some("Cargo.lock") => {
                    line.starts_with("source = ")
                        && line
                            != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
                }
                Some("package-lock.json") => {
                    line.contains("\"resolved\":")
                        && !line.contains("\"https://registry.npmjs.org/")
                }
                _ => false,
            };
            if elsewhere {
                problems.push(format!(
                    "{}:{number}: not from the public registry: {}",
                    file.path,
                    line.trim()
                ));
            }
        }
    }
    problems
}

fn is_this_test(file: &File) -> bool {
    file.path == "tests/tests/architecture/sources.rs"
}

/// The first file of a folder of Rust says what the folder is for.
fn unexplained_folders(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.ends_with(&["/lib.rs", "/mod.rs", "/main.rs"]))
        .filter(|file| {
            let first = file
                .lines()
                .map(|(_, line)| line)
                .find(|line| !line.trim().is_empty());
            !first.is_some_and(|line| line.starts_with("//!"))
        })
        .map(|file| format!("{}: begin with what it is for", file.path))
        .collect()
}

#[test]
fn files_are_short() {
    none(too_long(&files(), LONG));
}

#[test]
fn sql_stays_in_the_store() {
    none(sql_outside_the_store(&files()));
}

#[test]
fn one_folder_speaks_to_the_host() {
    none(host_outside_its_folder(&files()));
}

#[test]
fn pure_crates_open_no_connection() {
    none(network_in_pure_crates(&files()));
}

#[test]
fn nothing_is_unfinished_or_ignored() {
    none(unfinished(&files()));
}

#[test]
fn nothing_private_is_in_the_files() {
    none(private_places(&files()));
}

#[test]
fn folders_say_what_they_are_for() {
    none(unexplained_folders(&files()));
}

#[test]
fn a_long_file_is_found() {
    let long = "x\n".repeat(LIMIT + 1);
    let files = [
        File::example("a.rs", &long),
        File::example("b.rs", &long),
        File::example("c.rs", "x\n"),
        File::example("d.csv", &long),
        File::example("ui/src/wire/all.ts", &long),
    ];
    finds(
        too_long(
            &files,
            &[
                ("b.rs", "one table"),
                ("c.rs", "was long"),
                ("e.rs", "gone"),
            ],
        ),
        &[
            "a.rs: 601 lines; look for the second concept in it",
            "c.rs: 1 lines; it needs no exception any more",
            "e.rs: has an exception and is not there",
        ],
    );
}

#[test]
fn a_line_in_the_wrong_place_is_found() {
    finds(
        sql_outside_the_store(&[
            File::example(
                "crates/engine/src/store/rows.rs",
                "sqlx::query(\"SELECT 1\")",
            ),
            File::example("crates/engine/src/views/rows.rs", "\nsqlx::query(q)"),
            File::example("crates/cli/src/main.rs", "let q = \"SELECT 1\";"),
        ]),
        &[
            "crates/engine/src/views/rows.rs:2: `sqlx::`: SQL stays in crates/engine/src/store",
            "crates/cli/src/main.rs:1: `\"SELECT `: SQL stays in crates/engine/src/store",
        ],
    );
    finds(
        host_outside_its_folder(&[
            File::example(
                "ui/src/host/bridge.ts",
                "import { invoke } from '@tauri-apps/api/core'",
            ),
            File::example(
                "ui/src/areas/tests/Page.svelte",
                "import { invoke } from '@tauri-apps/api/core'",
            ),
        ]),
        &["ui/src/areas/tests/Page.svelte:1: `@tauri-apps`: only ui/src/host speaks to the host"],
    );
    finds(
        network_in_pure_crates(&[
            File::example(
                "connectors/ldap/src/session.rs",
                "use tokio::net::TcpSocket;",
            ),
            File::example("crates/verify/src/lib.rs", "use std::net::IpAddr;"),
        ]),
        &["crates/verify/src/lib.rs:1: `std::net::`: the pure crates open no connection"],
    );
    finds(
        unfinished(&[
            File::example("crates/cli/src/main.rs", "fn x() {\n    todo!()\n}"),
            File::example("ui/src/a.test.ts", "it.skip('x', () => {})"),
        ]),
        &[
            "crates/cli/src/main.rs:2: `todo!`: nothing is left undone or ignored",
            "ui/src/a.test.ts:1: `it.skip`: no test is left out",
        ],
    );
    finds(
        private_places(&[
            File::example(
                "Cargo.lock",
                "source = \"registry+https://example.org/index\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"",
            ),
            File::example(
                "ui/package-lock.json",
                "  \"resolved\": \"https://example.org/x.tgz\"",
            ),
        ]),
        &[
            "Cargo.lock:1: not from the public registry: source = \"registry+https://example.org/index\"",
            "ui/package-lock.json:1: not from the public registry: \"resolved\": \"https://example.org/x.tgz\"",
        ],
    );
    let machine = ["/ro", "ot/x"].concat();
    assert_eq!(
        private_places(&[File::example("README.md", &machine)]).len(),
        1
    );
    finds(
        unexplained_folders(&[
            File::example("a/src/lib.rs", "\n//! What it is.\n"),
            File::example("b/src/lib.rs", "pub mod x;\n"),
        ]),
        &["b/src/lib.rs: begin with what it is for"],
    );
}
