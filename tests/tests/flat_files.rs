//! Flat files from the command line: hostile texts, zips, and a series of rosters with its dates.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "flat_files/recipes.rs"]
mod recipes;

use lastkey_tests::desk::Desk;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

// ------------------------------------------------------------------ the hostile estate

/// Names that somebody else chose.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "\u{9b}31mred",
        "\u{202e}gpj.exe",
        "\u{2066}isolated\u{2069}",
        "a\u{200b}n\u{200d}n\u{feff}",
        "\u{e0041}tag",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>&amp;",
        "=HYPERLINK(\"http://example.org\",\"x\")",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "|cmd",
        "%0a",
        "＝1+1",
        "'=quoted",
        "two\nerror: lines",
        "cr\rhere",
        "tab\there",
        "back\\u{202e}slash",
        "O'Neil \"Zoë\" – محمد 李",
        "$(reboot) `id` ; DROP TABLE accounts;--",
        "../../etc/passwd",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(64 * 1024));
    names
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Every hostile text as id and as name of an account, an identity and an entitlement.
fn estate(desk: &Desk) -> String {
    let mut identities = "id,kind,display_name,status\n".to_owned();
    let mut accounts = "system,id,name,identity_id,email\n".to_owned();
    let mut entitlements = "system,id,name,kind\n".to_owned();
    let mut grants = "system,principal_type,principal_id,entitlement_id\n".to_owned();
    for text in hostile().iter().map(|text| quoted(text)) {
        identities += &format!("{text},person,{text},active\n");
        accounts += &format!("ad,{text},{text},{text},{text}\n");
        entitlements += &format!("ad,{text},{text},group\n");
        grants += &format!("ad,account,{text},{text}\n");
    }
    desk.write("in/identities.csv", identities);
    desk.write("in/accounts.csv", accounts);
    desk.write("in/entitlements.csv", entitlements);
    desk.write("in/grants.csv", grants);
    desk.room.path("in").display().to_string()
}

/// Whether a terminal would act on it instead of showing it.
fn acts(c: char) -> bool {
    c != '\n' && c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn harmless(text: &str, place: &str) {
    if let Some(c) = text.chars().find(|c| acts(*c)) {
        panic!("{place} lets {c:?} through");
    }
    assert!(
        !text.lines().any(|line| line.starts_with("error: lines")),
        "{place}: a name writes a line of its own"
    );
}

#[track_caller]
fn defused(csv: &[u8], place: &str) -> u64 {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(csv);
    let mut cells = 0;
    for row in rows.records() {
        for cell in row.unwrap().iter() {
            cells += 1;
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '|', '%', '＝', '\t', '\r']),
                "{place}: a spreadsheet would run `{cell}`"
            );
            harmless(cell, place);
        }
    }
    cells
}

#[test]
fn a_hostile_estate_is_kept_as_it_is_and_shown_without_its_sting() {
    let desk = Desk::new();
    let folder = estate(&desk);
    let report = &desk.lines(0, &["import", &folder, "--as", "hostile"])[0];
    assert_eq!(report["state"], "complete", "{report}");
    let names = hostile();
    for (table, keys) in [
        ("identities", ["id", "display_name"]),
        ("accounts", ["id", "name"]),
        ("entitlements", ["id", "name"]),
        ("grants", ["principal_id", "entitlement_id"]),
    ] {
        let rows = desk.lines(0, &[table]);
        for key in keys {
            let mut got: Vec<&str> = rows.iter().map(|row| row[key].as_str().unwrap()).collect();
            let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
            got.sort_unstable();
            wanted.sort_unstable();
            assert!(got == wanted, "{table}.{key} is exact: {got:?}");
        }
        harmless(&desk.expect(0, &[table]), table);
        let csv = desk.expect(0, &[table, "--csv"]);
        assert!(defused(csv.as_bytes(), table) > 48, "{table}");
    }
    for name in &names {
        if name.len() < 1_000 {
            // A name may begin like an option: it is given in one word.
            let who = format!("--identity={name}");
            let (status, out, err) = desk.run(&["rehearse", "leaver", &who]);
            assert_eq!(status, 1, "{name:?}: {err}");
            harmless(&format!("{out}{err}"), "rehearse");
            let (status, out, err) = desk.run(&["reach", &who]);
            assert_eq!(status, 0, "{name:?}: {err}");
            harmless(&format!("{out}{err}"), "reach");
        }
    }
    let (_, out, err) = desk.run(&["rehearse", "leaver", "--all"]);
    harmless(&format!("{out}{err}"), "rehearse --all");
    let (_, out, err) = desk.run(&["rehearse", "leaver", "--identity", "\u{1b}[2Jnobody"]);
    assert!(err.contains("there is no identity"), "{err}");
    harmless(&format!("{out}{err}"), "an error text");

    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    desk.expect(0, &["verify", &package]);
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&package).unwrap()).unwrap();
    let mut cells = 0;
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        if name.ends_with(".csv") {
            cells += defused(&bytes, &name);
        }
    }
    assert!(cells > 500, "{cells}");
    desk.expect(0, &["store", "check"]);
}

/// By the last day of the year 9999 many systems say that there is no end.
#[test]
fn a_time_at_the_end_of_all_years_is_kept_and_the_store_stays_whole() {
    let desk = Desk::new();
    let last = "9999-12-31";
    desk.write(
        "e/identities.csv",
        format!("id,kind,end_date\nu1,person,{last}\nu2,person,0000-01-01\n"),
    );
    desk.write(
        "e/accounts.csv",
        format!("system,id,identity_id,expires_at\nad,a1,u1,{last}\n"),
    );
    desk.write(
        "e/grants.csv",
        format!("system,principal_type,principal_id,entitlement_id,expires_at\nad,account,a1,g,{last}T23:59:59-01:00\n"),
    );
    let credentials = format!("system,id,kind,account_id,expires_at\nad,c1,token,a1,{last}\n");
    let folder = desk.write("e/credentials.csv", &credentials);
    let folder = folder.rsplit_once('/').unwrap().0.to_owned();
    for zone in ["America/New_York", "UTC", "Pacific/Auckland"] {
        let zone = format!("timezone={zone}");
        let report = &desk.lines(0, &["import", &folder, "--as", "e", "--set", &zone])[0];
        assert_eq!(report["state"], "complete", "{report}");
        for table in ["identities", "accounts", "grants", "credentials"] {
            assert!(!desk.lines(0, &[table]).is_empty(), "{zone} {table}");
        }
        desk.expect(0, &["store", "check"]);
        desk.expect(0, &["reach", "--identity", "u1"]);
        desk.expect(1, &["rehearse", "leaver", "--identity", "u1"]);
    }
    desk.expect(0, &["diff", "1", "3"]);
}

#[test]
fn a_nul_and_a_cell_over_64_kb_are_named_and_the_rest_is_read() {
    let desk = Desk::new();
    let long = "x".repeat(64 * 1024 + 1);
    desk.write(
        "in/accounts.csv",
        format!("system,id,name\nad,ann,Ann\nad,a\0b,Nul\nad,big,{long}\nad,bob,Bob\n"),
    );
    let folder = desk.room.path("in").display().to_string();
    let (status, out, err) = desk.run(&["import", &folder, "--as", "w", "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status, 1, "{out}{err}");
    assert_eq!(report["totals"]["reported"], 4, "{report}");
    assert_eq!(report["state"], "incomplete", "{report}");
    let journal = desk.expect(0, &["journal", "w"]);
    assert!(journal.contains("longer than 64 kB"), "{journal}");
    harmless(&journal, "journal");
    harmless(&desk.expect(0, &["accounts"]), "accounts");
    let ids: Vec<String> = desk
        .lines(0, &["accounts"])
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        ids.contains(&"ann".to_owned()) && ids.contains(&"bob".to_owned()),
        "{ids:?}"
    );
    assert!(
        !ids.contains(&"big".to_owned()) && !ids.contains(&"a".to_owned()),
        "{ids:?}"
    );
    desk.expect(0, &["store", "check"]);
}

// ------------------------------------------------------------------ zips

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..=bytes.len() - from.len())
        .filter(|at| &bytes[*at..at + from.len()] == from)
        .collect();
    assert_eq!(places.len(), 2, "in the header and in the listing");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn a_zip_is_read_like_its_folder_and_one_that_lies_is_refused() {
    const GOOD: &str = "system,id\nad,ann\n";
    let desk = Desk::new();
    let good = desk.write("good.zip", zipped(&[("estate/accounts.csv", GOOD)]));
    desk.expect(0, &["import", &good, "--as", "w"]);
    assert_eq!(desk.lines(0, &["accounts"]).len(), 1);

    let twice = zipped(&[("accounts.csv", GOOD), ("accountz.csv", GOOD)]);
    let mut encrypted = zipped(&[("accounts.csv", GOOD)]);
    encrypted[6] |= 1;
    let listing = encrypted
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .unwrap();
    encrypted[listing + 8] |= 1;
    for (name, bytes, wanted) in [
        (
            "up.zip",
            zipped(&[("../accounts.csv", GOOD)]),
            "whose name leaves the archive",
        ),
        (
            "twice.zip",
            replaced(twice, b"accountz.csv", b"accounts.csv"),
            "lists one name twice",
        ),
        ("encrypted.zip", encrypted, "encrypted entry `accounts.csv`"),
        ("text.zip", GOOD.as_bytes().to_vec(), "not a zip"),
    ] {
        let path = desk.write(name, bytes);
        let told = desk.trouble(3, &["import", &path, "--as", "w"], wanted);
        assert!(told.contains("hint: "), "{told}");
        assert_eq!(
            desk.lines(0, &["accounts"]).len(),
            1,
            "{name} removes nobody"
        );
        desk.expect(0, &["store", "check"]);
    }
    desk.expect(0, &["import", &good, "--as", "w"]);
}

// ------------------------------------------------------------------ mapping and dates

#[test]
fn other_column_names_values_and_fixed_columns_are_mapped() {
    let desk = Desk::new();
    let extract = desk.write(
        "core.csv",
        "USER-ID,HOLDER,STAT\n007,0007,A\n249043822,0008,X\n",
    );
    desk.expect(
        0,
        &[
            "import", &extract, "--as", "core", "--file", "accounts", "--map",
            "system==core-bank,id=USER-ID,identity_id=HOLDER,enabled=STAT,enabled.A=true,enabled.X=false",
        ],
    );
    let rows = desk.lines(0, &["accounts"]);
    let told: Vec<Value> = rows
        .iter()
        .map(|r| serde_json::json!([r["system"], r["id"], r["identity_id"], r["enabled"]]))
        .collect();
    assert_eq!(
        told,
        [
            serde_json::json!(["core-bank", "007", "0007", true]),
            serde_json::json!(["core-bank", "249043822", "0008", false]),
        ]
    );
    desk.trouble(
        2,
        &[
            "import",
            &extract,
            "--as",
            "x",
            "--map",
            "id=USER-ID,colour=HOLDER",
        ],
        "colour",
    );
    desk.trouble(
        3,
        &["import", &extract, "--as", "x", "--map", "id=NOBODY"],
        "NOBODY",
    );
}

#[test]
fn a_series_of_rosters_tells_who_came_moved_and_left_and_when() {
    let desk = Desk::new();
    let header = "id,kind,display_name,status,department,start_date,end_date\n";
    let ann = |unit: &str| format!("ann,person,Ann,active,{unit},,\n");
    let bob = "bob,person,Bob,active,Sales,,\n";
    let eve = |status: &str, end: &str| format!("eve,person,Eve,{status},Sales,,{end}\n");
    let kim = "kim,person,Kim,active,Ops,2026-01-15,\n";
    let rosters = [
        ("2026-01", [&ann("Sales"), bob, &eve("active", ""), ""]),
        (
            "2026-02",
            [&ann("Ops"), bob, &eve("active", "2026-02-20"), kim],
        ),
        (
            "2026-03",
            [&ann("Ops"), "", &eve("inactive", "2026-02-20"), kim],
        ),
    ];
    for (month, rows) in rosters {
        let text = format!("{header}{}", rows.concat());
        desk.write(&format!("rosters/{month}.csv"), text);
    }
    let folder = desk.room.path("rosters").display().to_string();
    desk.expect(
        0,
        &[
            "import",
            &folder,
            "--as",
            "hr",
            "--series",
            "--set",
            "timezone=Europe/Zurich",
        ],
    );
    let events: BTreeMap<(String, String), Value> = desk
        .lines(0, &["events"])
        .into_iter()
        .map(|e| {
            let word = |key: &str| e[key].as_str().unwrap().to_owned();
            (
                (word("identity"), word("event")),
                serde_json::json!([e["earliest"], e["latest"], e["changed"]]),
            )
        })
        .collect();
    let wanted: BTreeMap<(String, String), Value> = [
        // between the two rosters that show it, whose days begin in Zurich
        (
            "ann",
            "mover",
            serde_json::json!([
                "2025-12-31T23:00:00Z",
                "2026-01-31T23:00:00Z",
                ["department"]
            ]),
        ),
        (
            "bob",
            "leaver",
            serde_json::json!(["2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z", []]),
        ),
        // the last day is inclusive, and ends in Zurich
        (
            "eve",
            "leaver",
            serde_json::json!(["2026-02-20T23:00:00Z", "2026-02-20T23:00:00Z", []]),
        ),
        // the first day begins in Zurich
        (
            "kim",
            "joiner",
            serde_json::json!(["2026-01-14T23:00:00Z", "2026-01-14T23:00:00Z", []]),
        ),
    ]
    .into_iter()
    .map(|(who, what, when)| ((who.to_owned(), what.to_owned()), when))
    .collect();
    assert_eq!(events, wanted);

    desk.write("odd/roster.csv", header);
    let odd = desk.room.path("odd").display().to_string();
    desk.trouble(
        3,
        &["import", &odd, "--as", "odd", "--series"],
        "`roster.csv` has no date in its name",
    );
}

#[test]
fn what_cannot_be_read_says_what_to_write_instead() {
    let desk = Desk::new();
    let rows = [
        "1,person,perhaps,",
        "2,person,active,20.11.2026",
        "3,person,active,",
    ];
    desk.write(
        "in/identities.csv",
        [
            &b"id,kind,status,start_date\n4,person,\xff,\n"[..],
            rows.join("\n").as_bytes(),
            b"\n",
        ]
        .concat(),
    );
    desk.write(
        "in/accounts.csv",
        "system,id,enabled\nad,a,true\nad,b,maybe\n",
    );
    let folder = desk.room.path("in").display().to_string();
    let said = desk.expect(1, &["import", &folder, "--as", "x"]);
    for told in [
        "`status` is not one of the known words (active, inactive, pending, on_leave; say what another one stands for with --map 'identities.status.OTHER=active')",
        "`start_date` is neither a date nor an RFC 3339 time (write 2026-11-20 or",
        "`enabled` is not a boolean (true, yes, 1, false, no, 0;",
        "the row is not UTF-8 (save the file as CSV UTF-8)",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let mapped = [
        "import",
        &folder,
        "--as",
        "x",
        "--map",
        "accounts.enabled.maybe=false",
    ];
    assert!(!desk.expect(1, &mapped).contains("boolean"), "as it says");
    // A file alone that is nearly ours.
    desk.write("lone/acounts.csv", "system,id\nad,a\n");
    let lone = desk.room.path("lone").display().to_string();
    let told = desk.trouble(
        3,
        &["import", &lone, "--as", "y"],
        "holds none of the files",
    );
    assert!(
        told.contains("`acounts.csv`: did you mean `accounts.csv`?"),
        "{told}"
    );
    // Filters that no row can pass are no empty answer.
    desk.trouble(
        2,
        &["accounts", "--where", "foo=1"],
        "there is no column `foo` in this table: accounts have system, id, name, kind,",
    );
    let maybe = ["accounts", "--where", "enabled=maybe"];
    let told = desk.trouble(2, &maybe, "`maybe` is not allowed for `enabled`");
    assert!(told.contains("say true or false"), "{told}");
    assert_eq!(
        desk.lines(0, &["accounts", "--where", "enabled=false"])
            .len(),
        1
    );
}

/// What a source's single file holds is known from the first time on.
#[test]
fn a_single_file_is_imported_again_without_saying_what_its_rows_are() {
    let desk = Desk::new();
    let first = desk.write("first.csv", "login\na1\n");
    let again = desk.write("again.csv", "login\na1\na2\n");
    let map = ["--map", "id=login,system==corp"];
    // Nothing is known of it yet: what is said of a mapping for persons names the way out.
    let unsaid = [&["import", &first, "--as", "ad"], &map[..]].concat();
    let said = desk.trouble(2, &unsaid, "`system` is not a column of identities.csv");
    assert!(said.contains("such as --file accounts"), "{said}");
    assert!(
        !std::path::Path::new(&desk.store).exists(),
        "no store is made for it"
    );
    desk.expect(0, &[&unsaid[..], &["--file", "accounts"]].concat());
    desk.trouble(
        2,
        &[&["import", &first, "--as", "other"], &map[..]].concat(),
        "not a column",
    );
    let read = desk.lines(0, &[&["import", &again, "--as", "ad"], &map[..]].concat());
    assert_eq!(read[0]["kinds"][0]["kind"], "account", "{read:?}");
    assert_eq!(desk.lines(0, &["accounts"]).len(), 2);
    // A header that is missing is mapped as it is said here.
    let roster = desk.write("roster.csv", "uid,kind\n1,person\n");
    let said = desk.trouble(3, &["import", &roster, "--as", "hr"], "has no column `id`");
    assert!(said.contains("--map 'id=HEADER'"), "{said}");
}

/// With a recipe or a mapping the sentence about the file itself is the same as without.
#[test]
fn a_file_in_another_encoding_or_with_other_separators_says_so_whatever_it_is_read_by() {
    let desk = Desk::new();
    let semicolons = desk.write("semicolons.csv", "uid;Name\n1;Ann\n");
    let utf_16: Vec<u8> = "\u{feff}uid,Name\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf_16 = desk.write("utf16.csv", utf_16);
    let latin = desk.write("latin.csv", &b"uid,Stra\xdfe\n1,x\n"[..]);
    let check = |file: &str, how: &[&str], says: &str, hint: &str| {
        let import = [&["import", file, "--as", "x"], how].concat();
        let said = desk.trouble(3, &import, says);
        assert!(said.contains(hint), "{import:?}: {said}");
    };
    let (commas, utf_8) = ("save the file with commas", "UTF-8");
    let recipe = ["--recipe", "cyberark"];
    let map = ["--map", "id=uid"];
    check(
        &semicolons,
        &recipe,
        "`semicolons.csv` has one column",
        commas,
    );
    check(&semicolons, &map, "has no column `uid`", commas);
    check(&utf_16, &recipe, "`utf16.csv` is UTF-16", utf_8);
    check(&utf_16, &map, "`utf16.csv` is UTF-16", utf_8);
    check(
        &latin,
        &recipe,
        "`latin.csv` has a header that is not UTF-8",
        utf_8,
    );
    check(
        &latin,
        &map,
        "the header of `latin.csv` is not UTF-8",
        utf_8,
    );
}

/// Whoever has to mend a file needs both lines.
#[test]
fn rows_of_one_key_are_named_with_their_lines() {
    let desk = Desk::new();
    desk.write(
        "in/accounts.csv",
        "system,id,name\nad,a1,One\nad,a2,\"Two\nlines\"\nad,a1,Other\nad,a3,Three\nad,a1,One\n",
    );
    let folder = desk.room.path("in").display().to_string();
    let (status, out, _) = desk.run(&["import", &folder, "--as", "ad"]);
    assert_eq!(status, 1, "{out}");
    let gap = "ad: account: 2 accounts skipped: second row with key `ad:a1` \
               (accounts.csv:2 and accounts.csv:5 and accounts.csv:7)";
    assert!(out.lines().any(|line| line == gap), "{out}");
}
