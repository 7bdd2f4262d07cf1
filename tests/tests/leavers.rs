//! Past leavers, measured: on the practice estate every planted gap is found and none beside; on dated
//! rosters with extracts of accounts the times are those of a script of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_engine::practice::{Size, estate};
use lastkey_tests::desk::Desk;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::Command;

/// What planted defects are as gaps; of PE-24 the identity is planted, and the account that it has.
const GAPS: [(&str, &str, &str); 11] = [
    ("PE-01", "account", "no_claim"),
    ("PE-02", "credential", "no_claim"),
    ("PE-09", "account", "no_claim"),
    ("PE-18", "account", "done_and_open"),
    ("PE-19", "account", "done_and_open"),
    ("PE-20", "account", "retried_and_reported"),
    ("PE-21", "account", "not_done_and_closed"),
    ("PE-22", "account", "re_enabled"),
    ("PE-24", "account", "no_claim"),
    ("PE-33", "account", "overridden"),
    ("PE-34", "credential", "no_claim"),
];

#[test]
fn every_planted_gap_is_found_and_none_beside() {
    let desk = Desk::new();
    let folder = desk.room.path("estate").display().to_string();
    desk.expect(0, &["demo", "--dir", &folder]);
    let leavers = desk.lines(1, &["leavers"]);
    // A name is no id: whom it may mean is said.
    let named = ["leavers", "--identity", "Nakamura"];
    let said = desk.trouble(2, &named, "there is no identity `Nakamura`");
    assert!(
        said.contains("say the id: 001009 (Amélie Nakamura)"),
        "{said}"
    );
    let mut found: Vec<[String; 3]> = Vec::new();
    let mut open: Vec<[String; 2]> = Vec::new();
    for leaver in &leavers {
        let who = leaver["identity"].as_str().unwrap();
        for item in leaver["items"].as_array().unwrap() {
            let word = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
            let what = format!("{} {}:{}", word("kind"), word("system"), word("id"));
            if !item["gap"].is_null() {
                found.push([word("gap"), what, who.to_owned()]);
            }
            if item["verdict"] == "fail" {
                let door = item["on_account"].as_str().unwrap_or_default();
                open.push([who.to_owned(), format!("{} {door}", word("id"))]);
            }
        }
    }
    let defects = estate(Size::Small).defects;
    let mut planted: Vec<[String; 3]> = Vec::new();
    let mut matrix: BTreeMap<&str, String> = BTreeMap::new();
    for (id, kind, gap) in GAPS {
        let defect = defects.iter().find(|one| one.id == id).unwrap();
        let of_kind = |kind: &str| {
            let subjects = defect.subjects.iter().filter(|one| one.kind == kind);
            subjects.cloned().collect::<Vec<_>>()
        };
        let who = of_kind("identity")[0].id.clone();
        let mut things: Vec<String> = of_kind(kind)
            .iter()
            .map(|one| format!("{kind} {}:{}", one.system, one.id))
            .collect();
        if things.is_empty() {
            let mail = &desk.lines(0, &["identities", "--where", &format!("id={who}")])[0]["email"];
            let same = format!("email={}", mail.as_str().unwrap());
            let rows = desk.lines(0, &["accounts", "--where", &same]);
            let name = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
            let names = rows
                .iter()
                .map(|r| format!("{kind} {}:{}", name(r, "system"), name(r, "id")));
            things.extend(names);
        }
        assert!(!things.is_empty(), "{id}");
        for what in things {
            let source = found
                .iter()
                .find(|one| one[1] == what)
                .map(|one| one[2].clone());
            let source = source.unwrap_or_default();
            assert!(source.ends_with(&who), "{id}: {what} of {source}");
            let line = matrix.entry(id).or_default();
            line.push_str(&format!("{gap} {what}; "));
            planted.push([gap.to_owned(), what, source]);
        }
    }
    for (id, line) in &matrix {
        println!("{id}  {line}");
    }
    planted.sort();
    found.sort();
    assert_eq!(found, planted, "found against planted");
    // What is open beyond its limit belongs to one of these, too.
    for [who, what] in &open {
        let of = planted.iter().any(|one| one[2] == *who);
        assert!(of, "{who} keeps {what}, and nothing of theirs is planted");
    }
    // Whoever was first read after they had left does not pass: what was gone by then nobody knows.
    assert!(leavers.iter().all(|leaver| leaver["verdict"] != "pass"));
    let one = desk.expect(1, &["leavers", "--identity", "079767"]);
    assert!(one.contains("code-host:rosa.papadopoulos2"), "{one}");
    assert!(one.contains("claimed done, and open after that"), "{one}");
    in_a_package(&desk, &[], &leavers);
    let period = ["--since", "2026-09-01", "--until", "2026-09-30"];
    let asked = [&["leavers"], period.as_slice()].concat();
    let september = desk.lines(1, &asked);
    assert!(!september.is_empty() && september.len() < leavers.len());
    in_a_package(&desk, &period, &september);
    // The registers were first read at six: who had left between midnight and then nobody knows.
    let (status, nobody, unknown) = desk.run(&["leavers", "--since", "2026-11-20"]);
    assert_eq!(status, 1, "{nobody}{unknown}");
    let first =
        "`vendor-register` was first read as of 2026-11-20T06:00:00Z: who left before is not known";
    assert!(unknown.contains(first), "{unknown}");
    desk.expect(0, &["leavers", "--since", "2026-11-20T06:00:00Z"]);
    desk.trouble(
        2,
        &["leavers", "--identity", "nobody"],
        "there is no identity `nobody`",
    );
    desk.trouble(2, &["leavers", "--since", "soon"], "`soon` is not a time");
    // A period that ends before anything was read.
    let (status, _, unknown) = desk.run(&["leavers", "--until", "2020-01-01"]);
    assert_eq!(status, 1, "{unknown}");
    assert!(unknown.contains(first), "{unknown}");
}

/// A package of a period says of past leavers what `lastkey leavers` says of them.
fn in_a_package(desk: &Desk, period: &[&str], leavers: &[Value]) {
    let package = desk.room.path("leavers.zip").display().to_string();
    let export = ["export", "--out", &package, "--replace"];
    desk.expect(0, &[&export, period].concat());
    let file = |name: &str| desk.in_package(&package, &format!("leavers/{name}"));
    let table = desk.expect(1, &[&["leavers", "--csv"], period].concat());
    assert!(table.starts_with("identity,name,event,"), "{table}");
    assert_eq!(file("items.csv"), table);
    let word = |leaver: &Value, key: &str| leaver[key].as_str().unwrap().to_owned();
    let summary = file("summary.csv");
    let mut rows = csv::Reader::from_reader(summary.as_bytes());
    let rows = rows.records().map(Result::unwrap);
    let told: Vec<[String; 2]> = rows.map(|row| [row[0].into(), row[5].into()]).collect();
    let each = leavers.iter();
    let measured = each.map(|one| [word(one, "identity"), word(one, "verdict")]);
    assert_eq!(told, measured.collect::<Vec<_>>());
    let count = |verdict| {
        leavers
            .iter()
            .filter(|one| one["verdict"] == verdict)
            .count()
    };
    let (fail, unsure, of) = (count("fail"), count("indeterminate"), leavers.len());
    let answer = format!(
        "**No.** Something was seen open after its limit, of {fail} of {of} leavers. \
         Of {unsure} of {of} leavers it is not known."
    );
    let page = file("was-it-in-time.md");
    assert_eq!(page.lines().nth(2).unwrap(), answer);
}

fn script(name: &str, arguments: &[&Path]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let done = Command::new("python3")
        .arg(folder.join(name))
        .args(arguments)
        .output()
        .expect("python3 starts");
    let trouble = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name}: {trouble}");
    String::from_utf8(done.stdout).expect("text")
}

#[test]
fn times_are_those_that_a_script_of_its_own_measures() {
    let desk = Desk::new();
    let (rosters, extracts) = (desk.room.path("rosters"), desk.room.path("extracts"));
    script("rosters.py", &[&rosters]);
    script("extracts.py", &[&rosters, &extracts]);
    let wanted = script("revocation.py", &[&rosters, &extracts]);
    let map = "id=Personnel No,display_name=Full Name,email=Work E-Mail,status=Employment Status,\
        start_date=Hire Date,end_date=Last Working Day,status.Active=active,\
        status.Terminated=inactive,status.Future hire=pending,status.Leave=on_leave";
    let zone = ["--set", "timezone=Europe/Zurich"];
    let people = rosters.display().to_string();
    let people = ["import", &people, "--as", "hr", "--series", "--map", map];
    assert_eq!(desk.lines(0, &[&people[..], &zone].concat()).len(), 18);
    let accounts = extracts.display().to_string();
    let accounts = [
        "import", &accounts, "--as", "core", "--series", "--file", "accounts",
    ];
    let beside = ["--set", "source_of_truth=false", "--set", "hold_above=100"];
    let (_, reads, trouble) = desk.run(&[&accounts[..], &zone, &beside, &["--json"]].concat());
    let reads: Vec<Value> = reads
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(reads.len() > 30, "{trouble}");
    let cut = reads
        .iter()
        .filter(|read| read["state"] == "incomplete")
        .count();
    assert!(cut >= 3, "{cut} extracts with a row that cannot be read");

    let wanted: Vec<&str> = wanted.lines().collect();
    for state in [
        "closed in time",
        "closed late",
        "still open",
        "indeterminate",
    ] {
        let count = wanted.iter().filter(|line| line.ends_with(state)).count();
        assert!(count >= 20, "too few to prove it: {count} {state}");
    }
    let leavers = desk.lines(1, &["leavers"]);
    let mut told: Vec<String> = Vec::new();
    let mut no_shows: HashSet<String> = HashSet::new();
    for leaver in &leavers {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let who = word(&leaver["identity"]).replace("hr:", "");
        if leaver["marks"].to_string().contains("no_show") {
            no_shows.insert(who.clone());
        }
        for item in leaver["items"].as_array().unwrap() {
            told.push(format!(
                "{who} {} {} {} {} {} {}",
                word(&leaver["earliest"]),
                word(&leaver["latest"]),
                word(&item["id"]),
                item["lower_seconds"],
                item["upper_seconds"]
                    .as_i64()
                    .map_or("-".to_owned(), |n| n.to_string()),
                word(&item["state"]),
            ));
        }
    }
    told.retain(|line| !no_shows.contains(line.split(' ').next().unwrap()));
    // Who was inactive in the first roster left before anything was read.
    let marked = leavers
        .iter()
        .filter(|one| one["marks"].to_string().contains("inactive_when"));
    let before: HashSet<String> = marked.map(|one| one["identity"].to_string()).collect();
    told.retain(|line| {
        let who = format!("\"hr:{}\"", line.split(' ').next().unwrap());
        !before.contains(&who)
    });
    told.sort();
    let all: HashSet<&str> = told.iter().map(String::as_str).collect();
    let known: HashSet<&str> = wanted.iter().copied().collect();
    let lacks: Vec<&&str> = wanted.iter().filter(|line| !all.contains(**line)).collect();
    let more: Vec<&String> = told
        .iter()
        .filter(|line| !known.contains(line.as_str()))
        .collect();
    assert_eq!((lacks, more), (Vec::new(), Vec::new()));
    assert_eq!(told.len(), wanted.len(), "each once");
}
