//! Accounts of which a supplement tells beside their system's own source: lists, explanations and
//! packages say which rows are the supplement's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::{Value, json};
use std::io::Read;

/// A directory that speaks for `corp`, and a report that adds to it.
fn with_a_report() -> Desk {
    let desk = Desk::linked();
    let report = desk.write(
        "report/accounts.csv",
        "system,id,name,last_used_at\ncorp,a1,ann.smith,2026-03-01T00:00:00Z\ncorp,a5,backup,\n",
    );
    let folder = report.trim_end_matches("/accounts.csv");
    let path = format!("path={folder}");
    desk.expect(
        0,
        &[
            "source",
            "add",
            "flat-files",
            "report",
            "--set",
            &path,
            "--set",
            "supplement=true",
        ],
    );
    desk.expect(0, &["sync", "report"]);
    desk
}

fn of<'v>(rows: &'v [Value], column: &str, of: &str) -> Vec<(&'v Value, &'v Value)> {
    let mine = rows.iter().filter(|row| row[column] == of);
    mine.map(|row| (&row["source"], &row["supplement"]))
        .collect()
}

#[test]
fn rows_of_a_supplement_are_marked_wherever_accounts_are_listed() {
    let desk = with_a_report();
    let of_ann = [
        (&json!("ad"), &json!(false)),
        (&json!("report"), &json!(true)),
    ];
    let listed = desk.lines(0, &["link", "list", "--of", "hr:u1"]);
    assert_eq!(of(&listed, "account", "corp:a1"), of_ann);
    let told = desk.lines(0, &["link", "explain", "corp:a1"]);
    assert_eq!(of(&told, "account", "corp:a1"), of_ann);
    let rows = desk.lines(0, &["accounts"]);
    assert_eq!(of(&rows, "id", "a1"), of_ann);
    let text = desk.expect(0, &["link", "explain", "corp:a5"]);
    assert!(
        text.contains("as the supplement `report` tells of it"),
        "{text}"
    );
    let text = desk.expect(0, &["link", "list", "--unmatched"]);
    assert!(text.contains("report (supplement)"), "{text}");
}

#[test]
fn counts_of_accounts_say_how_many_rows_are_of_supplements() {
    let desk = with_a_report();
    let counts = desk.lines(0, &["link", "list"]).remove(0);
    let open = counts.as_array().unwrap().iter();
    let open: Vec<&Value> = open.filter(|c| c["state"] == "not connected").collect();
    assert_eq!(open[0]["supplements"], 1, "{counts}");
    let text = desk.expect(0, &["link", "list"]);
    assert!(
        text.contains("not connected (1 of them in supplements)"),
        "{text}"
    );
    let without = Desk::linked().expect(0, &["link", "list"]);
    assert!(!without.contains("supplement"), "{without}");
}

#[test]
fn a_package_says_which_source_is_a_supplement() {
    let desk = with_a_report();
    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&package).unwrap()).unwrap();
    let mut rows = |name: &str| -> Vec<Value> {
        let mut text = String::new();
        let mut file = archive.by_name(name).unwrap();
        file.read_to_string(&mut text).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows = reader.deserialize::<serde_json::Map<String, Value>>();
        rows.map(|row| Value::Object(row.unwrap())).collect()
    };
    let links = rows("links/links.csv");
    let (no, yes) = (json!(false), json!(true));
    let both = [(&json!("ad"), &no), (&json!("report"), &yes)];
    assert_eq!(of(&links, "account_id", "a1"), both);
    let sheet = rows("population/completeness.csv");
    assert!(
        of(&sheet, "source", "report")
            .iter()
            .all(|(_, is)| **is == yes)
    );
    assert!(of(&sheet, "source", "ad").iter().all(|(_, is)| **is == no));
}
