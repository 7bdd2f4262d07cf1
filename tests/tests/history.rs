//! What was, as scripts ask for it: two moments beside each other, one object's past.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use lastkey_workbench::{KeySource, OpenOptions, WhenMissing, Workbench};
use serde_json::Value;

fn accounts(desk: &Desk, rows: &[&str]) {
    let header = "system,id,name,identity_id,enabled\n";
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    desk.write("ad/accounts.csv", format!("{header}{rows}"));
}

#[test]
fn a_diff_names_exactly_what_changed_and_history_says_between_which_reads() {
    let desk = Desk::new();
    let folder = desk.room.path("ad").display().to_string();
    accounts(
        &desk,
        &[
            "corp,a1,ann,u1,true",
            "corp,a2,bob,u2,true",
            "corp,a3,cy,u3,true",
        ],
    );
    desk.expect(0, &["import", &folder, "--as", "ad"]);
    accounts(
        &desk,
        &[
            "corp,a1,ann,u1,false",
            "corp,a3,cy,u3,true",
            "corp,a4,di,u4,true",
        ],
    );
    desk.expect(0, &["sync", "ad"]);
    let told = desk.lines(0, &["diff", "1", "now"]);
    assert_eq!(told[0]["what"], "count");
    for word in ["added", "changed", "removed"] {
        assert_eq!(told[0][word], 1, "{told:?}");
    }
    let rows: Vec<String> = told[1..]
        .iter()
        .map(|row| format!("{} {} {}", row["what"], row["id"], row["changed"]))
        .collect();
    assert_eq!(
        rows,
        [
            r#""changed" "corp:a1" [{"column":"enabled","before":true,"after":false}]"#,
            r#""added" "corp:a4" []"#,
            r#""removed" "corp:a2" []"#,
        ]
    );
    let text = desk.expect(
        0,
        &["diff", "1", "2", "--kind", "accounts", "--where", "id=a1"],
    );
    assert!(
        text.contains("~ account corp:a1 [ad, sync 2] enabled: true -> false"),
        "{text}"
    );
    let before = desk.lines(0, &["diff", "0", "1", "--counts"]);
    assert_eq!((before.len(), &before[0]["added"]), (1, &3.into()));
    let same = desk.expect(0, &["diff", "2", "2"]);
    assert!(same.contains("nothing differs"), "{same}");

    let past = &desk.lines(0, &["history", "account", "corp:a2"])[0];
    assert_eq!(past["current"], false);
    let words: Vec<&str> = past["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["what"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["added", "removed"]);
    assert_eq!(past["lines"][1]["earliest_sync"], 1);

    desk.trouble(2, &["diff", "2", "1"], "sync 2 came after sync 1");
    desk.trouble(2, &["diff", "1", "9"], "there is no sync 9");
    desk.trouble(
        2,
        &["diff", "1", "yesterday"],
        "`yesterday` is neither a sync nor a time",
    );
    desk.trouble(
        2,
        &["diff", "1", "2", "--kind", "people"],
        "`people` is not a kind",
    );
    desk.trouble(
        2,
        &["history", "account", "corp:a9"],
        "no account `corp:a9` was ever read",
    );
}

#[test]
fn a_state_is_asked_for_by_number_time_or_date() {
    let desk = Desk::new();
    let people = |count: usize| {
        let rows = (0..count).map(|n| format!("p{n},person,Person {n},active\n"));
        format!("id,kind,display_name,status\n{}", rows.collect::<String>())
    };
    desk.write("series/2025-01-01.csv", people(5));
    desk.write("series/2025-02-01.csv", people(6));
    let folder = desk.room.path("series").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "hr", "--series"]);
    let at = |text: &str| desk.lines(0, &["identities", "--as-of", text]).len();
    for (text, count) in [
        ("1", 5),
        ("2025-01-01", 5),
        ("2025-01-31T23:59:59Z", 5),
        ("2025-02-01", 6),
        ("2025-02-01T00:00:00Z", 6),
        ("now", 6),
    ] {
        assert_eq!(at(text), count, "{text}");
    }
    let told = desk.lines(0, &["diff", "2025-01-15", "2025-03-01"]);
    assert_eq!((told.len(), &told[1]["id"]), (2, &"p5".into()));
    desk.trouble(
        2,
        &["identities", "--as-of", "2024-12-31"],
        "nothing had been read by `2024-12-31`",
    );
    desk.trouble(2, &["identities", "--as-of", "0"], "there is no sync 0");
}

#[test]
fn the_date_of_a_roster_is_one_of_its_sources_zone() {
    let desk = Desk::new();
    let people = |count: usize| {
        let rows = (0..count).map(|n| format!("p{n},person,Person {n},active\n"));
        format!("id,kind,display_name,status\n{}", rows.collect::<String>())
    };
    for (day, count) in [("2025-01-01", 3), ("2025-01-02", 4), ("2025-01-03", 5)] {
        desk.write(&format!("series/{day}.csv"), people(count));
    }
    let folder = desk.room.path("series").display().to_string();
    for (name, zone) in [
        ("east", "Pacific/Auckland"),
        ("west", "America/Los_Angeles"),
    ] {
        let zone = format!("timezone={zone}");
        let import = ["import", &folder, "--as", name, "--series", "--set", &zone];
        let table = desk.expect(0, &import);
        let shows: Vec<&str> = (table.lines().skip(1))
            .filter_map(|line| line.split_whitespace().nth(2))
            .collect();
        assert!(shows[0] < shows[1] && shows[1] < shows[2], "{table}");
        for (day, count) in [("2025-01-01", 3), ("2025-01-02", 4), ("2025-01-03", 5)] {
            let at = desk.lines(0, &["identities", "--as-of", day]);
            let own = at.iter().filter(|row| row["source"] == name).count();
            assert_eq!(own, count, "{name} {day}");
        }
        desk.expect(0, &["source", "remove", name]);
    }
    desk.trouble(
        2,
        &["identities", "--as-of", "2099-01-01"],
        "`2099-01-01` is in the future",
    );
    let none = desk.expect(0, &["grants"]);
    assert_eq!(none, "no grants yet: no source has brought any\n");
    let none = desk.expect(0, &["identities", "--where", "id=p9", "--as-of", "1"]);
    assert_eq!(none, "none of the identities is one of these\n");
}

#[test]
fn a_table_of_a_date_shows_nothing_that_was_read_later_whatever_came_in_first() {
    let roster = "id,kind,display_name,status\np1,person,Ann,active\n";
    let accounts = "system,id,name,identity_id\nad,a1,ann,p1\n";
    for directory_first in [true, false] {
        let desk = Desk::new();
        desk.write("series/2025-01-01.csv", roster);
        desk.write("ad/accounts.csv", accounts);
        let (series, ad) = (desk.room.path("series"), desk.room.path("ad"));
        let (series, ad) = (series.display().to_string(), ad.display().to_string());
        let mut imports = [
            vec!["import", &ad, "--as", "ad"],
            vec!["import", &series, "--as", "hr", "--series"],
        ];
        if !directory_first {
            imports.reverse();
        }
        for import in &imports {
            desk.expect(0, import);
        }
        let of_date = |kind: &str| desk.lines(0, &[kind, "--as-of", "2025-06-01"]).len();
        assert_eq!((of_date("identities"), of_date("accounts")), (1, 0));
        let after_both = |kind: &str| desk.lines(0, &[kind, "--as-of", "2"]).len();
        assert_eq!((after_both("identities"), after_both("accounts")), (1, 1));
        // What goes by a whole state says that it holds what was read later.
        for asked in [
            &["link", "list", "--as-of", "2025-06-01"][..],
            &["diff", "2025-06-01", "now"],
        ] {
            let (_, _, told) = desk.run(asked);
            assert_eq!(
                told.contains("`ad` was read after 2025-06-01: sync 1 shows "),
                directory_first,
                "{told}"
            );
        }
        let reach = ["reach", "--identity", "p1", "--as-of", "2025-06-01"];
        if directory_first {
            let refused = "is not the state after any sync: `ad` was read later";
            desk.trouble(3, &reach, refused);
            desk.expect(0, &["reach", "--identity", "p1", "--as-of", "2"]);
        } else {
            desk.expect(0, &reach);
        }
        // Read again, the directory is still not of that date.
        desk.expect(0, &["import", &ad, "--as", "ad"]);
        assert_eq!((of_date("identities"), of_date("accounts")), (1, 0));
    }
}

#[test]
fn a_table_of_a_date_shows_of_each_source_what_it_had_brought_by_then() {
    let desk = Desk::new();
    let header = "id,kind,display_name,status\n";
    let (ann, bob) = ("p1,person,Ann,active\n", "p2,person,Bob,active\n");
    let files = [
        ("hr/2025-01-01.csv", format!("{header}{ann}")),
        ("vendors/2025-01-01.csv", format!("{header}{ann}")),
        ("vendors/2025-09-01.csv", format!("{header}{bob}")),
    ];
    for (name, text) in &files {
        desk.write(name, text);
    }
    for source in ["vendors", "hr"] {
        let folder = desk.room.path(source).display().to_string();
        let whole = "hold_above=100";
        let import = [
            "import", &folder, "--as", source, "--series", "--set", whole,
        ];
        desk.expect(0, &import);
    }
    let shown = || -> Vec<String> {
        let rows = desk.lines(0, &["identities", "--as-of", "2025-06-01"]);
        let word = |row: &Value, column: &str| row[column].as_str().unwrap().to_owned();
        let of = |row: &Value| format!("{}:{}", word(row, "source"), word(row, "id"));
        rows.iter().map(of).collect()
    };
    assert_eq!(shown(), ["hr:p1", "vendors:p1"]);
    let (status, rows, told) = desk.run(&["identities", "--as-of", "2025-06-01"]);
    assert_eq!(status, 0, "{rows}");
    assert!(told.contains("of `vendors`: after sync 1"), "{told}");
    let vendors = [
        "identities",
        "--as-of",
        "2025-06-01",
        "--where",
        "source=vendors",
    ];
    assert_eq!(desk.lines(0, &vendors).len(), 1);
}

#[test]
fn what_a_read_that_failed_left_out_is_one_line_and_none_once_its_source_is_gone() {
    let desk = Desk::new();
    let folder = desk.room.path("ad").display().to_string();
    accounts(&desk, &["corp,a1,ann,u1,true", "corp,a2,bob,u2,true"]);
    desk.write("ad/entitlements.csv", "system,id\ncorp,g\n");
    desk.write(
        "ad/owners.csv",
        "object_type,system,object_id,owner_id,role\n",
    );
    desk.expect(0, &["import", &folder, "--as", "ad"]);
    std::fs::rename(desk.room.path("ad"), desk.room.path("away")).unwrap();
    desk.expect(3, &["sync", "ad"]);
    let told = desk.expect(0, &["diff", "1"]);
    let lines: Vec<&str> = told
        .lines()
        .filter(|l| l.contains("not all that went"))
        .collect();
    assert_eq!(
        lines,
        [
            "not all that went is known of accounts, entitlements, owners of ad: sync 2: they were read before and are not offered any more"
        ]
    );
    let grants = desk.write(
        "grants.csv",
        "system,principal_type,principal_id,entitlement_id\ncorp,account,a1,g\n",
    );
    desk.expect(0, &["import", &grants, "--as", "more", "--file", "grants"]);
    let told = desk.expect(0, &["diff", "2"]);
    let holds = "+ grant corp:g:account:corp:a1: account corp:a1 holds corp:g [more, sync 3]";
    assert!(told.contains(holds), "{told}");
    desk.expect(0, &["source", "remove", "ad"]);
    let told = desk.expect(0, &["diff", "1"]);
    assert!(!told.contains("not all that went"), "{told}");

    // An object that changed is the one that was first seen when it was first seen.
    std::fs::rename(desk.room.path("away"), desk.room.path("ad")).unwrap();
    desk.expect(0, &["import", &folder, "--as", "again"]);
    accounts(
        &desk,
        &[
            "corp,a1,ann,u1,false",
            "corp,a2,bob,u2,true",
            "corp,a3,cy,u3,true",
        ],
    );
    desk.expect(0, &["sync", "again"]);
    let first: Vec<String> = (desk.lines(0, &["accounts"]).iter())
        .map(|row| format!("{} {}", row["id"].as_str().unwrap(), row["first_sync"]))
        .collect();
    assert_eq!(first, ["a2 5", "a1 5", "a3 6"]);
}

#[test]
fn what_a_broken_file_left_out_is_told_apart_from_what_is_gone() {
    let desk = Desk::new();
    let folder = desk.room.path("ad").display().to_string();
    accounts(
        &desk,
        &[
            "corp,a1,ann,u1,true",
            "corp,a2,bob,u2,true",
            "corp,a3,cy,u3,true",
        ],
    );
    desk.expect(0, &["import", &folder, "--as", "ad"]);
    accounts(&desk, &["corp,a1,ann,u1,true", ",a9,nobody,,true"]);
    desk.expect(1, &["sync", "ad"]);
    let told = desk.lines(0, &["diff", "1", "2"]);
    assert_eq!(told[0]["disappeared_without_proof"], 2, "{told:?}");
    assert_eq!(told[0]["removed"], 0);
    assert_eq!(told[1]["what"], "unfinished_read");
    let why = told[2]["why"].as_str().unwrap();
    assert!(
        why.contains("accounts.csv:3:"),
        "the file and the line: {why}"
    );
    let rows: Vec<(&str, &str)> = told[2..]
        .iter()
        .map(|row| (row["what"].as_str().unwrap(), row["id"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ("disappeared_without_proof", "corp:a2"),
            ("disappeared_without_proof", "corp:a3"),
        ]
    );
    assert_eq!(desk.lines(0, &["accounts"]).len(), 3, "they still count");
}

#[test]
fn retention_deletes_only_what_it_says_and_what_was_before_is_refused() {
    let desk = Desk::new();
    let folder = desk.room.path("ad").display().to_string();
    for round in 0..4 {
        accounts(&desk, &[&format!("corp,a{round},ann,u1,true")]);
        match round {
            0 => desk.expect(0, &["import", &folder, "--as", "ad"]),
            _ => desk.expect(0, &["sync", "ad"]),
        };
    }
    let shown = desk.expect(0, &["retention", "show"]);
    assert!(shown.contains("everything is kept"), "{shown}");
    desk.trouble(2, &["retention", "set"], "required");
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    let told = &desk.lines(0, &["retention", "run", "--dry-run"])[0];
    assert_eq!(desk.lines(0, &["accounts", "--as-of", "1"]).len(), 1);
    assert_eq!(&desk.lines(0, &["retention", "run"])[0], told);
    let of_accounts = told["kinds"].as_array().unwrap().iter();
    let of_accounts = of_accounts.filter(|kind| kind["kind"] == "account");
    let gone: Vec<&serde_json::Value> = of_accounts.map(|kind| &kind["versions"]).collect();
    assert_eq!(gone, [2]);
    desk.trouble(
        2,
        &["accounts", "--as-of", "1"],
        "the past is whole from sync 3 on",
    );
    desk.trouble(2, &["diff", "2", "4"], "was deleted in part");
    assert_eq!(desk.lines(0, &["accounts", "--as-of", "3"]).len(), 1);
    assert_eq!(desk.lines(0, &["accounts"]).len(), 1);
    desk.expect(0, &["store", "check"]);
    desk.expect(0, &["retention", "set", "--kind", "grant", "--days", "9"]);
    desk.expect(0, &["retention", "off"]);
    let shown = desk.expect(0, &["retention", "show"]);
    assert!(shown.contains("everything is kept"), "{shown}");
}

#[test]
fn an_identity_of_an_earlier_moment_has_the_accounts_and_the_person_of_then() {
    let desk = Desk::new();
    let people = "id,kind,display_name,email\nu1,person,Ann,ann@x.org\nu2,person,Bob,bob@x.org\n";
    desk.write("hr/identities.csv", people);
    let header = "system,id,name,email,created_at\n";
    let accounts = |rows: &str| desk.write("ad/accounts.csv", format!("{header}{rows}"));
    let ann = "corp,a1,x,ann@x.org,2020-01-01\n";
    accounts(&format!("{ann}corp,a2,y,bob@x.org,2020-01-01\n"));
    for source in ["hr", "ad"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    // Nothing leads to the account that is gone but the mail that it had.
    accounts(ann);
    desk.expect(0, &["sync", "ad", "--accept-removals"]);
    let options = OpenOptions {
        store_path: desk.store.clone().into(),
        key_source: KeySource::KeyFile(desk.key.clone().into()),
        when_missing: WhenMissing::Refuse,
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let bench = Workbench::open(&options).await.unwrap().workbench;
        for (sync, of_ann, of_bob) in [(2, 1, 1), (3, 1, 0)] {
            for (id, count) in [("u1", of_ann), ("hr:u2", of_bob)] {
                let then = bench.identity_then(id, sync).await.unwrap();
                assert_eq!(
                    then[0].account_count, count,
                    "{id} after sync {sync}: {then:?}"
                );
            }
        }
        bench.closing().close().await;
    });
}

#[test]
fn a_history_whose_older_versions_were_deleted_does_not_begin_with_an_addition() {
    let desk = Desk::new();
    let write = |people: &str| {
        let text = format!("id,kind,display_name,email\n{people}\n");
        desk.write("hr/identities.csv", text);
    };
    write("h1,person,Ann,ann@b.x");
    let folder = desk.room.path("hr").display().to_string();
    desk.expect(0, &["import", &folder, "--as", "hr"]);
    let bob = "h2,person,Bob,bob@b.x";
    write(&format!("h1,person,Ann,ann@b.x\n{bob}"));
    desk.expect(0, &["sync", "hr"]);
    write(&format!("h1,person,Ann,ann2@b.x\n{bob}"));
    desk.expect(0, &["sync", "hr"]);
    desk.expect(0, &["sync", "hr"]);
    let told = |id: &str| -> Vec<String> {
        let past = desk.lines(0, &["history", "identity", id]).remove(0);
        let lines = past["lines"].as_array().unwrap().iter();
        lines
            .map(|line| {
                let why = line["why"].as_str().unwrap_or("-");
                format!("{} {} {why}", line["what"].as_str().unwrap(), line["sync"])
            })
            .collect()
    };
    assert_eq!(told("h1"), ["added 1 -", "changed 3 -"]);
    desk.expect(0, &["retention", "set", "--syncs", "1"]);
    desk.expect(0, &["retention", "run"]);
    assert_eq!(
        told("h1"),
        ["changed 3 older versions, from sync 1 on, were deleted"]
    );
    assert_eq!(told("h2"), ["added 2 -"]);
    let (_, _, said) = desk.run(&["identities", "--where", "person=hr:h1"]);
    assert!(
        said.contains("`person` is shown, and cannot be asked"),
        "{said}"
    );
}
