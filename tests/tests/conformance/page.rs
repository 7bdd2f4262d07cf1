//! What ran, kept beside the tests, and the page in `docs/connectors` that is made from it.
//!
//! `LASTKEY_BLESS=1` writes both anew from the run at hand.

use lastkey_conformance::{Case, CaseResult, Outcome};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn recorded() -> PathBuf {
    checkout().join("tests/tests/conformance/recorded")
}

fn page() -> PathBuf {
    checkout().join("docs/connectors/README.md")
}

pub fn blessing() -> bool {
    std::env::var_os("LASTKEY_BLESS").is_some_and(|value| value == "1")
}

fn lines(results: &[CaseResult]) -> String {
    let mut text = String::new();
    for result in results {
        let timeless = CaseResult {
            milliseconds: 0,
            ..result.clone()
        };
        let line = serde_json::to_string(&timeless).expect("a result is JSON");
        writeln!(text, "{line}").expect("a string takes everything");
    }
    text
}

fn parsed(text: &str) -> Vec<CaseResult> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a recorded result"))
        .collect()
}

/// The server without the parts of its version that change with every update of a machine.
fn product(server: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in server.split(' ') {
        match word.split_once('.') {
            Some((major, _)) if major.bytes().all(|b| b.is_ascii_digit()) => words.push(major),
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// Whether the outcomes are those that are recorded; the server may be another patch version.
pub fn holds_against(results: &[CaseResult]) {
    let name = &results[0].connector;
    let file = recorded().join(format!("{name}.jsonl"));
    if blessing() {
        fs::create_dir_all(recorded()).unwrap();
        fs::write(&file, lines(results)).unwrap();
        fs::create_dir_all(page().parent().unwrap()).unwrap();
        fs::write(page(), made()).unwrap();
        return;
    }
    let told = |results: &[CaseResult]| -> Vec<String> {
        results
            .iter()
            .map(|r| {
                format!(
                    "{} on {}: {:?}",
                    r.case.name(),
                    product(&r.server),
                    r.outcome
                )
            })
            .collect()
    };
    let text = fs::read_to_string(&file)
        .unwrap_or_else(|_| panic!("nothing is recorded for {name}; run with LASTKEY_BLESS=1"));
    assert_eq!(
        told(results),
        told(&parsed(&text)),
        "the outcomes of {name} are not those recorded; run with LASTKEY_BLESS=1 and look"
    );
}

/// The page, from what is recorded.
fn made() -> String {
    let mut runs: BTreeMap<String, Vec<CaseResult>> = BTreeMap::new();
    for entry in fs::read_dir(recorded()).unwrap().flatten() {
        let results = parsed(&fs::read_to_string(entry.path()).unwrap());
        runs.insert(results[0].connector.clone(), results);
    }
    let mut text = String::from(
        "# What every connector must do\n\n\
         Made from the results of the conformance suite (`connectors/conformance`), which runs with\n\
         `./test`; retry is off except where it is the subject. Written anew with\n\
         `LASTKEY_BLESS=1 cargo test -p lastkey-tests --test conformance`.\n\n\
         | connector | ran against |\n|---|---|\n",
    );
    for (name, results) in &runs {
        writeln!(text, "| {name} | {} |", results[0].server).unwrap();
    }
    text.push_str(
        "\nNot tried: `vault` against HashiCorp Vault; `aws` against AWS itself; `github` against github.com or an Enterprise Server; `kubernetes` against OpenShift or the clouds' own.\n",
    );
    text.push_str("\n| case | what must hold |");
    for name in runs.keys() {
        write!(text, " {name} |").unwrap();
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(runs.len()));
    text.push('\n');
    let mut reasons: Vec<String> = Vec::new();
    for case in Case::ALL {
        write!(text, "| {} | {} |", case.name(), case.says()).unwrap();
        for results in runs.values() {
            let outcome = results.iter().find(|r| r.case == *case).map(|r| &r.outcome);
            let cell = match outcome {
                Some(Outcome::Passed) => "passed".to_owned(),
                Some(Outcome::NotApplicable(why)) => {
                    let at = reasons
                        .iter()
                        .position(|known| known == why)
                        .unwrap_or_else(|| {
                            reasons.push(why.clone());
                            reasons.len() - 1
                        });
                    format!("n/a ({})", at + 1)
                }
                Some(Outcome::Failed(_)) => "FAILED".to_owned(),
                Some(Outcome::NotRun(_)) | None => "NOT RUN".to_owned(),
            };
            write!(text, " {cell} |").unwrap();
        }
        text.push('\n');
    }
    text.push_str("\nNot applicable, because:\n\n");
    for (at, why) in reasons.iter().enumerate() {
        writeln!(text, "{}. {why}", at + 1).unwrap();
    }
    text
}

#[test]
fn the_page_is_made_from_what_is_recorded() {
    if blessing() {
        return;
    }
    assert_eq!(
        fs::read_to_string(page()).unwrap(),
        made(),
        "docs/connectors/README.md is not current; run with LASTKEY_BLESS=1"
    );
}

#[test]
fn patch_versions_do_not_count() {
    assert_eq!(product("OpenLDAP 2.5.13"), "OpenLDAP 2");
    assert_eq!(product("its own, in memory"), "its own, in memory");
}
