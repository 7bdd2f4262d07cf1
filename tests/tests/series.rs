//! The settings of a dated series: which others its rosters can be read with, and which are refused;
//! and rosters that stop saying who is there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_engine::views::NewSource;
use lastkey_tests::desk::Desk;
use lastkey_workbench::{KeySource, OpenOptions, WhenMissing, Workbench};

/// Two rosters; somebody moves.
fn two() -> (Desk, String) {
    let desk = Desk::new();
    let header = "id,kind,display_name,status,department";
    for (day, department) in [("2026-01", "Sales"), ("2026-02", "Ops")] {
        let text = format!("{header}\nann,person,Ann,active,{department}\n");
        desk.write(&format!("rosters/{day}.csv"), text);
    }
    let folder = desk.room.path("rosters").display().to_string();
    (desk, folder)
}

/// The window changes a source by this.
#[test]
fn settings_of_a_series_that_make_its_rosters_say_something_else_are_refused_in_the_window() {
    let (desk, folder) = two();
    let import = ["import", &folder, "--as", "hr", "--series"];
    desk.expect(0, &[&import[..], &["--set", "hold_above=100"]].concat());
    let options = OpenOptions {
        store_path: desk.store.clone().into(),
        key_source: KeySource::KeyFile(desk.key.clone().into()),
        when_missing: WhenMissing::Refuse,
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let bench = Workbench::open(&options).await.unwrap().workbench;
        let kept = bench.sources().await.unwrap()[0].settings.clone();
        let with = |key: &str, value: &str| {
            let mut settings = kept.clone();
            settings.insert(key.to_owned(), value.to_owned());
            NewSource {
                kind: "flat-files".to_owned(),
                name: "hr".to_owned(),
                settings,
                secret: None,
            }
        };
        let said = "rosters of `hr` were read with other settings before";
        for (key, value) in [("timezone", "Europe/Zurich"), ("map.title", "department")] {
            let problem = bench.review_change(with(key, value)).await.unwrap();
            let problem = problem.expect("a problem");
            assert!(problem.message.starts_with(said), "{problem:?}");
            assert_eq!(problem.field.as_deref(), Some(key));
            let refused = bench.change_source(with(key, value)).await.unwrap_err();
            assert!(refused.message.starts_with(said), "{refused:?}");
        }
        // What changes no row is changed.
        let other = with("fresh_for", "90d");
        assert_eq!(bench.review_change(other.clone()).await.unwrap(), None);
        bench.change_source(other).await.unwrap();
        let now = bench.sources().await.unwrap()[0].settings.clone();
        assert_eq!(now["fresh_for"], "90d");
        bench.closing().close().await;
    });
}

/// A word that the export of a series begins to use, said in either way, is added to the mapping
/// that stands.
#[test]
fn a_word_for_another_value_of_a_series_is_said_alone() {
    for word in [
        ["--map", "status.Parental=on_leave"],
        ["--set", "value.status.Parental=on_leave"],
    ] {
        let desk = Desk::new();
        let of = |status: &str| format!("uid,Name,status\nann,Ann,Employed\nbob,Bob,{status}\n");
        desk.write("rosters/2026-01.csv", of("Employed"));
        let folder = desk.room.path("rosters").display().to_string();
        let import = ["import", &folder, "--as", "hr", "--series"];
        let map = ["--map", "id=uid,display_name=Name,status.Employed=active"];
        desk.expect(0, &[&import[..], &map].concat());
        desk.write("rosters/2026-02.csv", of("Parental"));
        desk.expect(1, &import);
        let read = desk.lines(0, &[&import[..], &word].concat());
        assert_eq!(read.len(), 1, "{word:?}: the one that lacked the word");
        assert_eq!(
            told(&desk),
            ["leave_start bob 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z"],
            "{word:?}"
        );
        let settings = desk.lines(0, &["source", "list"]).remove(0);
        assert_eq!(settings[0]["settings"]["map.id"], "uid", "{settings}");
    }
}

#[test]
fn a_series_without_a_mapping_goes_on_with_one_that_gives_the_same_columns() {
    let (desk, folder) = two();
    let import = ["import", &folder, "--as", "hr", "--series"];
    let whole = ["--set", "hold_above=100"];
    desk.expect(0, &[&import[..], &whole].concat());
    let before = desk.lines(0, &["events"]);
    let next = std::fs::read_to_string(desk.room.path("rosters/2026-02.csv")).unwrap();
    desk.write(
        "rosters/2026-03.csv",
        next.replacen("department", "Org Unit", 1),
    );
    let mapped = ["--map", "id=id,department=Org Unit"];
    assert_eq!(
        desk.lines(0, &[&import[..], &mapped].concat()).len(),
        1,
        "the new one"
    );
    assert_eq!(desk.lines(0, &["events"]), before, "nobody moves");
}

#[test]
fn another_mapping_of_rosters_that_were_read_is_refused() {
    let (desk, folder) = two();
    let import = [
        "import",
        &folder,
        "--as",
        "hr",
        "--series",
        "--set",
        "hold_above=100",
    ];
    desk.expect(0, &import);
    let mut other = import.to_vec();
    other.extend(["--map", "title=department"]);
    desk.trouble(
        3,
        &other,
        "rosters of `hr` were read with other settings before",
    );
}

/// Events as lines, sorted: event, who, from when, until when.
fn told(desk: &Desk) -> Vec<String> {
    let lines = desk.lines(0, &["events"]);
    let mut told: Vec<String> = lines
        .iter()
        .map(|e| {
            let words = ["event", "identity", "earliest", "latest"];
            words.map(|word| e[word].as_str().unwrap()).join(" ")
        })
        .collect();
    told.sort();
    told
}

#[test]
fn a_blank_or_missing_status_brings_nobody_back() {
    let desk = Desk::new();
    let header = "id,kind,display_name,status\n";
    let of = |ann: &str, bob: &str, eve: &str| {
        format!("{header}ann,person,Ann,{ann}\nbob,person,Bob,{bob}\neve,person,Eve,{eve}\n")
    };
    let named_anew = of("inactive", "on_leave", "inactive").replace("status", "state");
    for (name, text) in [
        ("2026-01", of("inactive", "on_leave", "active")),
        ("2026-02", of("", "", "")),
        ("2026-03", of("", "active", "inactive")),
        ("2026-04", of("active", "active", "inactive")),
        ("2026-05", named_anew),
        ("2026-06", of("active", "active", "")),
    ] {
        desk.write(&format!("rosters/{name}.csv"), text);
    }
    let folder = desk.room.path("rosters").display().to_string();
    let import = ["import", &folder, "--as", "hr", "--series"];
    let reports = desk.lines(1, &import);
    let states: Vec<_> = reports.iter().map(|report| &report["state"]).collect();
    let (whole, not) = ("complete", "incomplete");
    assert_eq!(states, [whole, whole, whole, whole, not, whole]);
    let happened = [
        "leave_end bob 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z",
        "leaver eve 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z",
        "rehire ann 2026-03-01T00:00:00Z 2026-04-01T00:00:00Z",
    ];
    assert_eq!(told(&desk), happened);
    // Of an export whose columns come and go the read counts, and still tells of nobody.
    let optional = ["--set", "columns=optional"];
    let again = ["import", &folder, "--as", "again", "--series"];
    desk.expect(0, &[&again[..], &optional].concat());
    let of_again = desk.lines(0, &["events", "--where", "source=again"]);
    assert_eq!(of_again.len(), happened.len(), "{of_again:?}");
}
