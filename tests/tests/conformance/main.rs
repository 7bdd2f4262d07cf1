//! The conformance suite, run for each connector against its real server, and the page that tells
//! what ran.
//!
//! A connector's file here is its [`Subject`]: see `flat_files.rs` for one without a network and
//! `ldap.rs` for one with a server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod aws;
mod flat_files;
mod github;
mod kubernetes;
mod ldap;
mod matrix;
mod not_run;
mod page;
mod postgresql;
mod seeded;
mod vault;
mod whole;
mod workstation;

use lastkey_conformance::{Outcome, Subject, results_folder, run_all, write_results};

/// Runs every case. None may fail; the outcomes are those that the page tells.
fn conforms(subject: &dyn Subject) {
    let results = run_all(subject);
    let file = write_results(&results_folder(), &results).expect("results can be written");
    println!("{}: {}", subject.name(), file.display());
    let mut failed = Vec::new();
    let mut missing = Vec::new();
    for result in &results {
        println!(
            "{} {} ms: {:?}",
            result.case.name(),
            result.milliseconds,
            result.outcome
        );
        match &result.outcome {
            Outcome::Passed | Outcome::NotApplicable(_) => {}
            Outcome::Failed(why) => failed.push(format!("{}: {why}", result.case.name())),
            Outcome::NotRun(what) => missing.push(what.clone()),
        }
    }
    assert!(
        failed.is_empty(),
        "{} does not conform:\n  {}\n",
        subject.name(),
        failed.join("\n  ")
    );
    match missing.first() {
        Some(missing) => not_run::allowed(&subject.name(), missing),
        None => page::holds_against(&results),
    }
}
