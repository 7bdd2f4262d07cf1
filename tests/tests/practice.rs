//! The large practice estate against its own plan: each planted defect that shows today is found,
//! and of the group around the company nothing outlives its limit. A hundredth of the group; all
//! of it under LASTKEY_LONG.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_engine::lifecycle::Verdict;
use lastkey_engine::practice::{Estate, Shows, Size, estate, hundredth_of_the_large};
use lastkey_tests::desk::Desk;
use lastkey_workbench::{
    KeySource, OpenOptions, Steps, Stop, WhenMissing, Workbench, summary_line,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// Whoever was rehearsed, by what is said of each in one line.
type Lines = BTreeMap<String, Value>;

async fn read_into(desk: &Desk, estate: Estate) -> Workbench {
    let options = OpenOptions {
        store_path: PathBuf::from(&desk.store),
        key_source: KeySource::KeyFile(PathBuf::from(&desk.key)),
        when_missing: WhenMissing::Create,
    };
    let bench = Workbench::open(&options).await.unwrap().workbench;
    let folder = desk.room.path("estate");
    bench.demo_of(estate, &folder, &|_| {}).await.unwrap();
    bench
}

/// Rehearses everyone, and gives back the lines of who is not of the group. Of the group everybody
/// passes: its plan holds its limits, and all that a pass needs was read.
async fn everyone(bench: &Workbench, group: &HashSet<String>) -> Lines {
    let mut company = Lines::new();
    let (mut passed, mut rows) = (0, Vec::new());
    let at = bench.now();
    bench
        .rehearse_everyone(at, &Stop::default(), &mut |rehearsal, row| {
            let id = rehearsal.identity.to_string();
            rows.push(row.clone());
            if group.contains(&id) {
                let answer = (rehearsal.verdict, row.late, row.never);
                let line = summary_line(rehearsal);
                assert_eq!(answer, (Verdict::Pass, 0, 0), "{line}");
                passed += 1;
            } else {
                company.insert(id, summary_line(rehearsal));
            }
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(passed, group.len(), "everybody of the group is rehearsed");
    let stop = Stop::default();
    let at_once = bench.rehearse_all_at_once(at, &stop).await.unwrap();
    let differs = rows.iter().zip(&at_once).find(|(alone, row)| alone != row);
    assert_eq!(differs, None, "everyone at once is everyone one by one");
    assert_eq!(rows.len(), at_once.len());
    let survey = bench
        .survey(at, None, Steps::NotAsked, &stop)
        .await
        .unwrap();
    let counted = |verdict| rows.iter().filter(|row| row.verdict == verdict).count() as u64;
    assert_eq!(
        [survey.fail, survey.indeterminate, survey.pass],
        [Verdict::Fail, Verdict::Indeterminate, Verdict::Pass].map(counted)
    );
    assert_eq!(survey.late, rows.iter().map(|row| row.late).sum::<u64>());
    let worst = survey.leavers.first().unwrap();
    assert_eq!(worst.verdict, Verdict::Fail, "{worst:?}");
    company
}

fn rows(path: &Path) -> impl Iterator<Item = BTreeMap<String, String>> + use<> {
    let reader = csv::Reader::from_path(path).unwrap();
    reader.into_deserialize().map(|row| row.unwrap())
}

/// Everybody and everything that the group's sources of truth list.
fn listed(estate: &Path) -> HashSet<String> {
    ["group-hr", "group-vendors", "group-registry"]
        .iter()
        .flat_map(|source| rows(&estate.join(source).join("identities.csv")))
        .map(|mut row| row.remove("id").unwrap())
        .collect()
}

#[test]
fn every_planted_defect_is_found_and_none_in_the_group() {
    let desk = Desk::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let large = match std::env::var_os("LASTKEY_LONG") {
        Some(_) => estate(Size::Large),
        None => hundredth_of_the_large(),
    };
    let defects = large.defects.clone();
    let folder = desk.room.path("estate");
    let company = runtime.block_on(async {
        let bench = read_into(&desk, large).await;
        let group = listed(&folder);
        assert!(group.len() > 9_000, "{}", group.len());
        let answers = everyone(&bench, &group).await;
        bench.closing().close().await;
        answers
    });

    // The group adds nothing to the company and takes nothing away.
    let alone = Desk::new();
    let small = runtime.block_on(async {
        let bench = read_into(&alone, estate(Size::Small)).await;
        let answers = everyone(&bench, &HashSet::new()).await;
        bench.closing().close().await;
        answers
    });
    let names = |lines: &Lines| lines.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&company), names(&small));
    for (id, line) in &small {
        assert_eq!(company.get(id), Some(line), "{id}");
    }

    let mut shown = 0;
    for defect in &defects {
        if let Shows::Now { command, expected } = &defect.shows {
            shows(&desk, defect.id, command, expected);
            shown += 1;
        }
    }
    assert!(shown > 20, "{shown}");
}

/// Runs what the page of the practice estate says, and looks for what it says.
#[track_caller]
fn shows(desk: &Desk, defect: &str, command: &str, expected: &str) {
    // The last of several; the first word is the program.
    let last = command.rsplit("; ").next().unwrap();
    let words: Vec<&str> = last.split(' ').skip(1).collect();
    let answer = desk.run(&words).1;
    let named: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    match words[0] {
        "rehearse" => {
            assert!(!named.is_empty(), "{defect}");
            let mut words = words.clone();
            words.push("--json");
            let answer: Value = serde_json::from_str(&desk.run(&words).1).unwrap();
            for name in named {
                let found = match name.split_once(' ').unwrap() {
                    ("identity", _) => answer["breaks"].to_string().contains(name),
                    (kind, thing) => answer["residual"].as_array().unwrap().iter().any(|item| {
                        let is = |key: &str| item[key].as_str().unwrap();
                        let never =
                            !expected.contains("never closes") || is("closes_at") == "never";
                        is("kind") == kind
                            && format!("{}:{}", is("system"), is("id")) == thing
                            && never
                    }),
                };
                assert!(found, "{defect}: no `{name}` in {answer}");
            }
        }
        "reach" => {
            assert!(!named.is_empty(), "{defect}");
            for part in named.iter().flat_map(|name| name.split('…')) {
                assert!(answer.contains(part), "{defect}: no `{part}` in {answer}");
            }
        }
        "leavers" => {
            let said = expected.split(": ").last().unwrap();
            for part in named.iter().chain([&said]) {
                assert!(answer.contains(part), "{defect}: no `{part}` in {answer}");
            }
        }
        _ if expected == "no line" => assert_eq!(answer, "", "{defect}"),
        _ => {
            let subject = words.last().unwrap().rsplit('=').next().unwrap();
            assert!(answer.contains(subject), "{defect}: {answer}");
        }
    }
}
