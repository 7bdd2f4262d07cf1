//! Each dependency on somebody else's crate says what it is for.

use super::{File, files, finds, none};

/// A dependency needs a comment on its line, or above it in the same group of lines.
fn unexplained(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    let mut section = String::new();
    let mut explained = false;
    for (number, line) in file.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line.to_owned();
            explained = false;
        } else if line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if section.contains("dependencies") && line.contains('=') {
            let ours = line.contains(".workspace = true") || line.contains("workspace = true }");
            if !ours && !explained && !line.contains('#') {
                problems.push(format!(
                    "{}:{number}: say what it is for: {line}",
                    file.path
                ));
            }
        }
    }
    problems
}

#[test]
fn each_dependency_has_its_purpose_beside_it() {
    let manifests: Vec<File> = files()
        .into_iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
        .collect();
    assert!(manifests.len() >= 9, "{}", manifests.len());
    none(manifests.iter().flat_map(unexplained).collect());
}

#[test]
fn a_dependency_without_a_purpose_is_found() {
    finds(
        unexplained(&File::example(
            "x/Cargo.toml",
            "[package]\nname = \"x\"\n\n[dependencies]\nserde.workspace = true\nldap3 = \"0.12\"\n\n# the client\nzip = \"9\"\ntoml = \"1\"\n\ncsv = \"1\" # rows\n",
        )),
        &["x/Cargo.toml:6: say what it is for: ldap3 = \"0.12\""],
    );
}
