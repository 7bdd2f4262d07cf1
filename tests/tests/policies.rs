//! The access policy from the command line: the worked example of its page, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use std::collections::BTreeMap;

/// The fenced blocks of a page, by their name: "csv accounts.csv" is `accounts.csv`.
fn blocks(page: &str) -> BTreeMap<String, String> {
    let mut blocks = BTreeMap::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else {
            continue;
        };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, name)) = fence.split_once(' ') {
            blocks.insert(name.to_owned(), body.join("\n") + "\n");
        }
    }
    blocks
}

fn example() -> (Desk, BTreeMap<String, String>) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let page = std::fs::read_to_string(format!("{root}/docs/access-policy.md")).unwrap();
    let blocks = blocks(&page);
    let desk = Desk::new();
    for (name, text) in &blocks {
        if name.ends_with(".csv") {
            desk.write(&format!("estate/{name}"), text);
        }
    }
    desk.write("policy.cedar", &blocks["policy.cedar"]);
    (desk, blocks)
}

#[test]
fn the_worked_example_of_the_page_says_what_the_page_says() {
    let (desk, blocks) = example();
    let path = |name: &str| desk.room.path(name).display().to_string();
    desk.expect(0, &["import", &path("estate"), "--as", "estate"]);
    let file = path("policy.cedar");
    let checked = desk.expect(0, &["policy", "check", &file]);
    assert!(checked.contains("can be used: 5 rules"), "{checked}");
    desk.trouble(3, &["policy", "show"], "no access policy is loaded");
    desk.expect(0, &["policy", "load", &file]);
    assert_eq!(desk.expect(0, &["policy", "show"]), blocks["policy.cedar"]);
    for who in ["ann", "ben", "cho", "dia", "robot"] {
        let told = desk.expect(0, &["policy", "who", "--identity", who]);
        assert_eq!(told, blocks[who], "{who}");
    }
    let ann = &desk.lines(0, &["policy", "who", "--identity", "ann"])[0];
    assert_eq!(ann["held"][2]["policy"], "not_permitted");
    assert_eq!(ann["held"][2]["because"][0], "nobody-is-admin");
}

#[test]
fn a_policy_with_a_mistake_changes_nothing_and_a_draft_decides_nothing() {
    let (desk, _) = example();
    let path = |name: &str| desk.room.path(name).display().to_string();
    desk.expect(0, &["import", &path("estate"), "--as", "estate"]);
    desk.expect(0, &["policy", "load", &path("policy.cedar")]);
    desk.write(
        "wrong.cedar",
        "permit (principal, action, resource)\nwhen { principal.titel == \"x\" };\n",
    );
    let wrong = path("wrong.cedar");
    for command in ["load", "check"] {
        desk.trouble(2, &["policy", command, &wrong], "line 2, column 8");
        desk.trouble(2, &["policy", command, &wrong], "did you mean `title`?");
    }
    desk.write(
        "open.cedar",
        "@id(\"all\") permit (principal, action, resource);\n",
    );
    desk.expect(0, &["policy", "load", "--draft", &path("open.cedar")]);
    let ben = |how: &[&str]| {
        let who = [&["policy", "who", "--identity", "ben"], how].concat();
        desk.lines(0, &who)[0]["held"][0]["policy"].clone()
    };
    assert_eq!(ben(&[]), "not_permitted");
    assert_eq!(ben(&["--draft"]), "permitted");
    desk.expect(0, &["policy", "activate"]);
    assert_eq!(ben(&[]), "permitted");
    desk.trouble(3, &["policy", "show", "--draft"], "no draft");
    let history = desk.lines(0, &["policy", "show", "--history"]);
    let standings: Vec<&str> = history
        .iter()
        .map(|p| p["standing"].as_str().unwrap())
        .collect();
    assert_eq!(standings, ["active", "draft", "active"]);
    assert!(
        history[0]["who"]
            .as_str()
            .is_some_and(|who| !who.is_empty())
    );
}

#[test]
fn what_a_draft_would_change_is_what_the_page_says() {
    let (desk, blocks) = example();
    let path = |name: &str| desk.room.path(name).display().to_string();
    desk.expect(0, &["import", &path("estate"), "--as", "estate"]);
    desk.trouble(3, &["policy", "diff"], "no draft");
    desk.write("draft.cedar", &blocks["draft.cedar"]);
    desk.expect(0, &["policy", "load", "--draft", &path("draft.cedar")]);
    let alone = &desk.lines(0, &["policy", "diff"])[0];
    assert_eq!(alone["active"], serde_json::Value::Null);
    assert_eq!(alone["counts"][3]["pairs"], 0);
    assert_eq!(alone["lines"][0]["before"]["policy"], "no_policy");
    desk.expect(0, &["policy", "load", &path("policy.cedar")]);
    assert_eq!(desk.expect(0, &["policy", "diff"]), blocks["diff"]);
    let two = &desk.lines(0, &["policy", "diff", "--limit", "2"])[0];
    let all = &desk.lines(0, &["policy", "diff"])[0];
    assert_eq!(two["counts"], all["counts"]);
    let lines = all["lines"].as_array().unwrap();
    assert_eq!(two["lines"].as_array().unwrap(), &lines[..2]);
    assert_eq!(two["truncated"], lines.len() - 2);
    desk.expect(0, &["policy", "activate"]);
    desk.trouble(3, &["policy", "diff"], "no draft");
}

#[test]
fn a_policy_to_begin_with_is_printed_and_taken_as_a_draft() {
    let (desk, blocks) = example();
    let path = |name: &str| desk.room.path(name).display().to_string();
    desk.expect(0, &["import", &path("estate"), "--as", "estate"]);
    let suggest = ["policy", "suggest", "--min-support", "2"];
    let text = desk.expect(0, &suggest);
    assert_eq!(text, blocks["suggest"]);
    desk.trouble(3, &["policy", "show", "--draft"], "no draft");
    desk.write("start.cedar", &text);
    desk.expect(0, &["policy", "load", "--draft", &path("start.cedar")]);
    let ben = ["policy", "who", "--identity", "ben", "--draft"];
    assert_eq!(desk.lines(0, &ben)[0]["held"][0]["policy"], "permitted");
    let found = &desk.lines(0, &suggest)[0];
    assert_eq!(found["text"], text);
    assert_eq!(found["suggestions"][0]["hold"], 3);
    assert_eq!(found["not_counted"]["outsiders"], 1);
    let typo = ["policy", "suggest", "--attribute", "departmnt"];
    desk.trouble(2, &typo, "no attribute `departmnt`");
}

#[test]
fn what_was_not_read_is_said_of_a_suggestion() {
    let desk = Desk::linked();
    let text = desk.expect(0, &["policy", "suggest"]);
    assert!(
        text.contains("// Missing: no source reads grants of `corp`"),
        "{text}"
    );
    assert!(text.contains("accounts are nobody's for certain"), "{text}");
    assert!(!text.contains("permit"), "{text}");
}

const PLAN: &str = r#"
[[step]]
on = "mover"
system = "erp"
does = "remove_grants"
within = "4h"

[[step]]
on = "joiner"
system = "ad"
does = "grant_birthright"
within = "1h"
"#;

#[test]
fn a_mover_keeps_what_no_step_takes_and_a_joiner_gets_what_a_step_brings() {
    let (desk, _) = example();
    let path = |name: &str| desk.room.path(name).display().to_string();
    desk.expect(0, &["import", &path("estate"), "--as", "estate"]);
    let ann = [
        "rehearse",
        "mover",
        "--identity",
        "ann",
        "--set",
        "department=Sales",
    ];
    desk.trouble(3, &ann, "no access policy is loaded");
    desk.expect(0, &["policy", "load", &path("policy.cedar")]);
    let at = ["--at", "2026-11-21T06:00:00Z"];
    let mover = || desk.lines(1, &[&ann[..], &at].concat())[0].clone();
    let names = |list: &serde_json::Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| {
            format!(
                "{}:{}",
                one["system"].as_str().unwrap(),
                one["id"].as_str().unwrap()
            )
        })
        .collect()
    };
    let closes = |answer: &serde_json::Value| -> Vec<String> {
        let items = answer["residual"].as_array().unwrap().iter();
        items
            .map(|item| item["closes_at"].as_str().unwrap().to_owned())
            .collect()
    };
    let answer = mover();
    assert_eq!(names(&answer["extra_grants"]), ["erp:admin", "erp:ledger"]);
    assert_eq!(names(&answer["residual"]), ["erp:admin", "erp:ledger"]);
    assert_eq!(closes(&answer), ["never", "never"]);
    assert_eq!(answer["missing_grants"], serde_json::json!([]));
    desk.write("plan.toml", PLAN);
    desk.expect(0, &["plan", "load", &path("plan.toml")]);
    assert_eq!(
        closes(&mover()),
        ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"]
    );
    let ben = ["rehearse", "joiner", "--identity", "ben"];
    let answer = &desk.lines(1, &[&ben[..], &at].concat())[0];
    assert_eq!(answer["verdict"], "fail");
    assert_eq!(names(&answer["coming_grants"]), ["ad:staff"]);
    assert_eq!(answer["coming_grants"][0]["at"], "2026-11-21T07:00:00Z");
    assert_eq!(names(&answer["extra_grants"]), ["erp:ledger"]);
    // Whoever is to come like Ann is given what is everybody's of her kind; her own things are named.
    let new = ["rehearse", "joiner", "--identity", "new1", "--like", "ann"];
    let (status, out, err) = desk.run(&[&new[..], &at, &["--json", "--save", "new"]].concat());
    let answer: serde_json::Value = serde_json::from_str(&out).expect(&err);
    assert_eq!(status, i32::from(answer["verdict"] != "pass"), "{answer:#}");
    assert_eq!(answer["identity"], "new1");
    assert_eq!(names(&answer["coming_grants"]), ["ad:staff"]);
    assert_eq!(answer["extra_grants"], serde_json::json!([]));
    assert_eq!(answer["residual"], serde_json::json!([]));
    let held = names(&answer["like_holds"]);
    assert!(held.contains(&"erp:ledger".to_owned()), "{held:?}");
    let listed = ["rehearse", "joiner", "--identity", "ben", "--like", "ann"];
    desk.trouble(2, &listed, "`ben` is listed already");
    let moved = ["rehearse", "mover", "--identity", "new1", "--like", "ann"];
    desk.trouble(2, &moved, "only a joiner comes like somebody else");
    let nobody = [
        "rehearse",
        "joiner",
        "--identity",
        "new1",
        "--like",
        "nobody",
    ];
    desk.trouble(2, &nobody, "there is no identity `nobody`");
    let typo = [
        "rehearse",
        "mover",
        "--identity",
        "ann",
        "--set",
        "departmnt=Sales",
    ];
    desk.trouble(2, &typo, "asks nothing about `departmnt`");
}

#[test]
fn a_value_of_several_lines_stays_one_value() {
    let desk = Desk::new();
    desk.made();
    let matrix = desk.write("lines.csv", "department,ad:e2\n\"Op\ns\",x\n");
    let text = desk.expect(0, &["policy", "matrix", "read", &matrix]);
    assert!(text.contains("== \"Op\\u{a}s\""), "{text}");
    let policy = desk.write("lines.cedar", &text);
    desk.expect(0, &["policy", "load", &policy]);
    let back = desk.expect(0, &["policy", "matrix", "write"]);
    assert!(back.contains("\"Op\ns\""), "{back}");
}

#[test]
fn a_policy_that_nobody_could_read_is_refused_with_its_place() {
    let desk = Desk::new();
    let deep = format!(
        "permit (principal, action, resource)\nwhen {{ {}true{} }};\n",
        "(".repeat(1_000),
        ")".repeat(1_000)
    );
    let parts: Vec<String> = (0..5_000)
        .map(|n| format!("principal.kind == \"x{n}\""))
        .collect();
    let long = format!(
        "permit (principal, action, resource)\nwhen {{ {} }};\n",
        parts.join(" || ")
    );
    for (name, text, wanted) in [
        (
            "deep.cedar",
            deep,
            "more than 100 brackets stand in each other",
        ),
        ("long.cedar", long, "the rule joins more than 1000 parts"),
    ] {
        let file = desk.write(name, text);
        desk.trouble(2, &["policy", "check", &file], wanted);
    }
    let several = format!(
        "permit (principal, action, resource)\nwhen {{ {} }};\n",
        parts[..300].join(" || ")
    );
    let file = desk.write("several.cedar", several);
    desk.expect(0, &["policy", "check", &file]);
}

#[test]
fn a_role_matrix_comes_back() {
    let (desk, blocks) = example();
    let path = |name: &str| desk.room.path(name).display().to_string();
    desk.write("matrix.csv", &blocks["matrix.table"]);
    let text = desk.expect(0, &["policy", "matrix", "read", &path("matrix.csv")]);
    desk.write("matrix.cedar", &text);
    let load = ["policy", "load", &path("matrix.cedar")];
    desk.trouble(3, &load, "there is no store");
    desk.made();
    desk.expect(0, &["policy", "load", &path("matrix.cedar")]);
    let back = desk.expect(0, &["policy", "matrix", "write"]);
    assert_eq!(back, blocks["matrix.table"]);
    let book = path("Matrix.XLSX");
    let write = ["policy", "matrix", "write", "--out", &book];
    desk.expect(0, &write);
    desk.trouble(3, &write, "cannot be written");
    assert_eq!(desk.expect(0, &["policy", "matrix", "read", &book]), text);
    let csv = path("again.csv");
    desk.expect(0, &["policy", "matrix", "write", "--out", &csv]);
    assert_eq!(desk.expect(0, &["policy", "matrix", "read", &csv]), text);
    let old = ["policy", "matrix", "read", &path("matrix.xls")];
    desk.trouble(2, &old, "a matrix is CSV or XLSX");
    desk.write("cut.xlsx", "no workbook");
    let cut = ["policy", "matrix", "read", &path("cut.xlsx")];
    desk.trouble(2, &cut, "the workbook cannot be read");
    desk.expect(0, &["policy", "load", &path("policy.cedar")]);
    desk.trouble(3, &["policy", "matrix", "write"], "no matrix can say what");
}
