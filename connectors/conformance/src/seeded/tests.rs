//! The well-made connector passes every case, and each flaw is found by its case.

use super::{Flaw, Seeded};
use crate::{Case, Outcome, run_all, run_case};

#[test]
fn a_connector_without_a_flaw_passes_every_case() {
    let results = run_all(&Seeded::start(Flaw::None).unwrap());
    assert_eq!(results.len(), Case::ALL.len());
    let not_passed: Vec<String> = results
        .iter()
        .filter(|result| result.outcome != Outcome::Passed)
        .map(|result| format!("{}: {:?}", result.case.name(), result.outcome))
        .collect();
    let times: Vec<_> = results
        .iter()
        .map(|r| (r.case.name(), r.milliseconds))
        .collect();
    println!("{times:?}");
    assert!(not_passed.is_empty(), "\n{}\n", not_passed.join("\n"));
}

#[test]
fn every_flaw_is_found_by_the_case_that_must_find_it() {
    let mut missed = Vec::new();
    for (flaw, case) in Flaw::ALL {
        let subject = Seeded::start(*flaw).unwrap();
        match run_case(&subject, *case).outcome {
            Outcome::Failed(why) => println!("{flaw:?}: {}: {why}", case.name()),
            other => missed.push(format!("{flaw:?} by {}: {other:?}", case.name())),
        }
    }
    assert!(missed.is_empty(), "\n{}\n", missed.join("\n"));
    // a case that no flaw fails has not been shown to be able to fail
    for case in Case::ALL {
        assert!(
            Flaw::ALL.iter().any(|(_, finds)| finds == case),
            "no flaw for {}",
            case.name()
        );
    }
}
