//! Thousands of cases at random, held against an independent evaluator of AWS policies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod case;
mod conditions;
#[path = "../../../../tests/src/dice.rs"]
#[allow(dead_code)]
mod dice;
mod differences;
mod make;
#[path = "../../../../tests/src/not_run.rs"]
mod not_run;

use case::Case;
use dice::Dice;
use differences::DIFFERENCES;
use lastkey_aws_policy::{Decision, Reason, Why};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const CASES: usize = 8_000;

/// What the judge says to each, or None where the machine has no judge.
fn judged(cases: &[Case]) -> Option<Vec<Value>> {
    let cache = std::env::var_os("LASTKEY_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/lastkey"));
    let program = cache.or_else(home)?.join("tools/iam-judge/judge.mjs");
    if !program.is_file() {
        return None;
    }
    let mut judge = Command::new("node")
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let mut lines = String::new();
    for case in cases {
        lines.push_str(&format!("{}\n", case.simulation()));
    }
    let mut input = judge.stdin.take().expect("its input");
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = judge.wait_with_output().expect("the judge ends");
    writer.join().unwrap().expect("the judge reads all cases");
    assert!(output.status.success(), "the judge failed");
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), cases.len());
    Some(answers)
}

#[test]
fn the_judge_agrees() {
    let mut dice = Dice::of(7);
    let cases: Vec<Case> = (0..CASES).map(|_| make::case(&mut dice)).collect();
    let Some(answers) = judged(&cases) else {
        let why = "the evaluator comes from npm, and this machine could not fetch it";
        not_run::not_run(
            "iam-judge",
            "AWS policies against an independent evaluator",
            why,
        );
        return;
    };
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        if let Some(problem) = compare(case, answer, &mut counts) {
            wrong.push(format!("{problem}\n{}", case.simulation()));
        }
    }
    println!("{counts:#?}");
    let beside = counts.explained.get(BESIDE_AN_UNCLEAR_RULE).copied();
    assert!(
        beside.unwrap_or_default() * 500 <= CASES,
        "too many of them"
    );
    assert!(counts.undecided * 25 <= CASES, "too many undecided");
    if std::env::var_os("LASTKEY_SEED").is_none() {
        let seen =
            |difference: &&differences::Difference| !counts.explained.contains_key(difference.name);
        let unseen: Vec<&str> = DIFFERENCES
            .iter()
            .filter(seen)
            .map(|one| one.name)
            .collect();
        assert!(unseen.is_empty(), "no longer differ: {unseen:?}");
        let unseen: Vec<&&str> = UNCLEAR
            .iter()
            .filter(|rule| !counts.unclear.contains_key(**rule))
            .collect();
        assert!(unseen.is_empty(), "no longer unclear: {unseen:?}");
    }
    let shown = wrong.len().min(3);
    assert!(
        wrong.is_empty(),
        "{} cases differ:\n{}",
        wrong.len(),
        wrong[..shown].join("\n\n")
    );
}

#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    both_allow: usize,
    both_deny: usize,
    undecided: usize,
    unclear: BTreeMap<String, usize>,
    explained: BTreeMap<&'static str, usize>,
    with_hidden_keys: usize,
    decided_with_hidden_keys: usize,
}

/// Read as the judge does, the case turns on something that AWS does not document.
const BESIDE_AN_UNCLEAR_RULE: &str = "beside an unclear rule";

/// Decided, or open for nothing but what AWS does not document.
fn open_for_rules_only(decision: &Decision) -> bool {
    match decision {
        Decision::Undecided { reasons } => {
            !reasons.is_empty() && reasons.iter().all(|reason| !rule(reason).is_empty())
        }
        Decision::Allowed { .. } | Decision::Denied(_) => true,
    }
}

/// What is unclear, by the words of our crate; empty for other reasons, and for rules that are not
/// in this list.
fn rule(reason: &Reason) -> &'static str {
    let Why::Unclear(what) = &reason.why else {
        return "";
    };
    UNCLEAR
        .iter()
        .find(|rule| what.contains(**rule))
        .copied()
        .unwrap_or_default()
}

/// The rules that the generator meets; the README has them with AWS's words.
const UNCLEAR: &[&str] = &[
    "which has no value",
    "beside this resource",
    "a grant to everyone",
    "the principal is named in part",
    "is absent in `ForAnyValue",
    "cannot be compared in `BinaryEquals",
];

/// What is wrong with our answer, if anything.
fn compare(case: &Case, answer: &Value, counts: &mut Counts) -> Option<String> {
    counts.cases += 1;
    let theirs = match answer["result"].as_str() {
        Some("Allowed") => true,
        Some("ExplicitlyDenied" | "ImplicitlyDenied") => false,
        _ => return Some(format!("the judge refuses: {answer}")),
    };
    if answer["ignored"] != serde_json::json!([]) {
        return Some(format!("the judge leaves out {}", answer["ignored"]));
    }
    let all_told = Case {
        hidden: Default::default(),
        ..case.clone()
    };
    let ours = all_told.ours();
    if !case.hidden.is_empty() {
        counts.with_hidden_keys += 1;
        let partly = case.ours();
        if !partly.is_undecided() {
            counts.decided_with_hidden_keys += 1;
            if !ours.is_undecided() && partly.is_allowed() != ours.is_allowed() {
                return Some(format!(
                    "with {:?} hidden: {partly}; all told: {ours}",
                    case.hidden
                ));
            }
        }
    }
    let mut as_judge = all_told.clone();
    let mut changed = Vec::new();
    for difference in DIFFERENCES {
        if (difference.read_as_the_judge)(&mut as_judge) {
            changed.push(difference);
        }
    }
    let read_so = as_judge.ours();
    if !read_so.is_undecided() && read_so.is_allowed() != theirs {
        return Some(format!(
            "the judge: {answer}; read as the judge: {read_so}; ours: {ours}"
        ));
    }
    match (&ours, theirs) {
        (Decision::Undecided { reasons }, _) => {
            if !open_for_rules_only(&ours) {
                return Some(format!("all was told, and yet {ours}"));
            }
            counts.undecided += 1;
            let rules: BTreeSet<&str> = reasons.iter().map(rule).collect();
            for rule in rules {
                *counts.unclear.entry(rule.to_owned()).or_default() += 1;
            }
        }
        (Decision::Allowed { .. }, true) => counts.both_allow += 1,
        (Decision::Denied(_), false) => counts.both_deny += 1,
        (Decision::Allowed { .. }, false) | (Decision::Denied(_), true) => {
            if changed.is_empty() || !open_for_rules_only(&read_so) {
                return Some(format!("the judge: {answer}; ours: {ours}; not explained"));
            }
            let alone = changed.iter().find(|difference| {
                let mut one = all_told.clone();
                (difference.read_as_the_judge)(&mut one);
                let read_so = one.ours();
                !read_so.is_undecided() && read_so.is_allowed() == theirs
            });
            let name = match alone {
                Some(difference) => difference.name,
                None if read_so.is_undecided() => BESIDE_AN_UNCLEAR_RULE,
                None => "several at once",
            };
            *counts.explained.entry(name).or_default() += 1;
        }
    }
    None
}
