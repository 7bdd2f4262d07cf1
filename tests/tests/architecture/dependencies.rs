//! Dependencies point one way.

use super::{finds, none, output, root};
use serde_json::Value;

/// A package of the workspace with what it names in its manifest.
struct Package {
    name: String,
    /// The folder below the top, empty for the window's own package.
    folder: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    only_for_tests: bool,
}

/// Our own packages that a package may build on.
///
/// contract <- connectors/*, engine; verify <- engine; engine + connectors + verify + contract <-
/// workbench; workbench + engine + verify + contract <- cli and the window; everything <- tests.
fn may_use(package: &Package, other: &str, only_for_tests: bool) -> bool {
    const CONNECTORS: [&str; 9] = [
        "lastkey-aws",
        "lastkey-flat-files",
        "lastkey-github",
        "lastkey-kubernetes",
        "lastkey-ldap",
        "lastkey-postgresql",
        "lastkey-ssh",
        "lastkey-vault",
        "lastkey-workstation",
    ];
    let connector = |name: &str| CONNECTORS.contains(&name);
    let known = |names: &[&str]| names.contains(&other);
    match package.name.as_str() {
        "lastkey-contract" | "lastkey-verify" | "lastkey-aws-policy" | "lastkey-yaml" => false,
        "lastkey-tls" => known(&["lastkey-contract"]),
        "lastkey-http" => known(&["lastkey-contract", "lastkey-tls"]),
        "lastkey-engine" => known(&["lastkey-contract", "lastkey-verify"]),
        "lastkey-conformance" => known(&["lastkey-contract", "lastkey-engine"]),
        "lastkey-workbench" => {
            known(&["lastkey-contract", "lastkey-engine", "lastkey-verify"]) || connector(other)
        }
        "lastkey-cli" | "lastkey-window" => known(&[
            "lastkey-contract",
            "lastkey-engine",
            "lastkey-verify",
            "lastkey-workbench",
        ]),
        "lastkey-tests" => true,
        _ if package.folder.starts_with("connectors/") => {
            known(&[
                "lastkey-contract",
                "lastkey-http",
                "lastkey-tls",
                "lastkey-aws-policy",
                "lastkey-yaml",
            ]) || (only_for_tests && other == "lastkey-conformance")
        }
        _ => false,
    }
}

/// Crates of others that have one home.
const HOMES: &[(&str, &[&str], &str)] = &[
    (
        "tauri",
        &["lastkey-window"],
        "a second user of Tauri builds it twice, and the programs stay apart",
    ),
    (
        "tauri-build",
        &["lastkey-window"],
        "the window alone is a Tauri app",
    ),
    ("sqlx", &["lastkey-engine"], "SQL stays in engine::store"),
    (
        "libsqlite3-sys",
        &["lastkey-engine"],
        "SQL stays in engine::store",
    ),
    (
        "keyring",
        &["lastkey-workbench"],
        "the engine gets keys as bytes",
    ),
    (
        "ldap3",
        &["lastkey-ldap"],
        "vendor types stop in the connector",
    ),
    (
        "tokio-postgres",
        &["lastkey-postgresql"],
        "vendor types stop in the connector",
    ),
    (
        "russh",
        &["lastkey-ssh"],
        "vendor types stop in the connector",
    ),
    ("clap", &["lastkey-cli"], "the command line is the cli's"),
];

fn broken_directions(packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let ours = packages.iter().any(|other| other.name == dependency.name);
            if ours && !may_use(package, &dependency.name, dependency.only_for_tests) {
                problems.push(format!(
                    "`{}` may not depend on `{}`",
                    package.name, dependency.name
                ));
            }
            for (name, homes, why) in HOMES {
                let at_home =
                    homes.contains(&package.name.as_str()) || package.name == "lastkey-tests";
                if dependency.name == *name && !at_home {
                    problems.push(format!(
                        "`{}` may not depend on `{name}`: {why}",
                        package.name
                    ));
                }
            }
        }
    }
    problems
}

/// What the pure crates may not reach, at any depth: networks, windows, keychains. (tokio's own
/// sockets come along with sqlx; that nobody opens one is a rule in `sources`.)
const IMPURE: &[&str] = &[
    "tauri",
    "wry",
    "tao",
    "keyring",
    "ldap3",
    "reqwest",
    "hyper",
    "ureq",
    "curl",
    "isahc",
    "rustls",
    "native-tls",
    "tokio-rustls",
    "tungstenite",
    "quinn",
    "tonic",
    "zbus",
];

fn impure(package: &str, reached: &[String]) -> Vec<String> {
    reached
        .iter()
        .filter(|name| IMPURE.contains(&name.as_str()))
        .map(|name| format!("`{package}` reaches `{name}`"))
        .collect()
}

fn workspace() -> Vec<Package> {
    let text = output(
        env!("CARGO"),
        &[
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ],
    );
    let metadata: Value = serde_json::from_str(&text).expect("cargo metadata is JSON");
    let root = root();
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let manifest = std::path::Path::new(package["manifest_path"].as_str().unwrap());
            Package {
                name: package["name"].as_str().unwrap().to_owned(),
                folder: manifest
                    .parent()
                    .unwrap()
                    .strip_prefix(&root)
                    .expect("members stand in the checkout")
                    .to_string_lossy()
                    .into_owned(),
                dependencies: package["dependencies"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|dependency| Dependency {
                        name: dependency["name"].as_str().unwrap().to_owned(),
                        only_for_tests: dependency["kind"].as_str() == Some("dev"),
                    })
                    .collect(),
            }
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let packages = workspace();
    assert!(
        packages
            .iter()
            .any(|package| package.name == "lastkey-engine")
    );
    none(broken_directions(&packages));
}

#[test]
fn the_pure_crates_reach_no_network_window_or_keychain() {
    for package in [
        "lastkey-aws-policy",
        "lastkey-contract",
        "lastkey-engine",
        "lastkey-verify",
    ] {
        let tree = output(
            env!("CARGO"),
            &[
                "tree",
                "--offline",
                "--prefix",
                "none",
                "-e",
                "normal",
                "-f",
                "{lib}",
                "-p",
                package,
            ],
        );
        let reached: Vec<String> = tree.lines().map(|line| line.replace('_', "-")).collect();
        assert!(
            reached.contains(&"serde".to_owned()),
            "{package}: {reached:?}"
        );
        none(impure(package, &reached));
    }
}

#[test]
fn a_broken_direction_is_found() {
    let package = |name: &str, folder: &str, uses: &[(&str, bool)]| Package {
        name: name.to_owned(),
        folder: folder.to_owned(),
        dependencies: uses
            .iter()
            .map(|(name, only_for_tests)| Dependency {
                name: (*name).to_owned(),
                only_for_tests: *only_for_tests,
            })
            .collect(),
    };
    let with = |name: &str, folder: &str, uses: &[(&str, bool)]| {
        let mut packages = vec![package(name, folder, uses)];
        for (used, _) in uses {
            if used.starts_with("lastkey-") {
                packages.push(package(used, "elsewhere", &[]));
            }
        }
        broken_directions(&packages)
    };
    finds(
        with(
            "lastkey-engine",
            "crates/engine",
            &[("lastkey-ldap", false)],
        ),
        &["`lastkey-engine` may not depend on `lastkey-ldap`"],
    );
    finds(
        with(
            "lastkey-contract",
            "connectors/contract",
            &[("lastkey-engine", true)],
        ),
        &["`lastkey-contract` may not depend on `lastkey-engine`"],
    );
    finds(
        with(
            "lastkey-vault",
            "connectors/vault",
            &[("lastkey-conformance", false)],
        ),
        &["`lastkey-vault` may not depend on `lastkey-conformance`"],
    );
    finds(
        with(
            "lastkey-vault",
            "connectors/vault",
            &[("lastkey-conformance", true), ("lastkey-contract", false)],
        ),
        &[],
    );
    finds(
        with(
            "lastkey-cli",
            "crates/cli",
            &[("lastkey-flat-files", false)],
        ),
        &["`lastkey-cli` may not depend on `lastkey-flat-files`"],
    );
    finds(
        with("lastkey-cli", "crates/cli", &[("tauri", false)]),
        &[
            "`lastkey-cli` may not depend on `tauri`: a second user of Tauri builds it twice, and the programs stay apart",
        ],
    );
    finds(
        with("lastkey-new", "crates/new", &[("lastkey-contract", false)]),
        &["`lastkey-new` may not depend on `lastkey-contract`"],
    );
    finds(
        impure("lastkey-engine", &["serde".to_owned(), "hyper".to_owned()]),
        &["`lastkey-engine` reaches `hyper`"],
    );
}
