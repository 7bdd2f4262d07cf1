//! Tables narrowed by dates: a day is found by the date that is shown of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_engine::views::ListQuery;
use lastkey_tests::desk::Desk;
use lastkey_workbench::{KeySource, OpenOptions, WhenMissing, Workbench};

/// Two sources whose days begin at different moments.
fn two_zones() -> Desk {
    let desk = Desk::new();
    for (source, zone) in [("near", "UTC"), ("far", "Europe/Zurich")] {
        let people = format!(
            "id,kind,end_date\n{source}1,person,2026-11-10\n{source}2,person,2026-11-11\n\
             {source}3,person,2026-11-10T08:30:00Z\n{source}4,person,\n"
        );
        desk.write(&format!("{source}/identities.csv"), people);
        let accounts =
            format!("system,id,last_used_at\n{source},a1,2026-11-10\n{source},a2,2026-11-09\n");
        desk.write(&format!("{source}/accounts.csv"), accounts);
        let folder = desk.room.path(source).display().to_string();
        let zone = format!("timezone={zone}");
        desk.expect(0, &["import", &folder, "--as", source, "--set", &zone]);
    }
    desk
}

#[test]
fn a_day_is_found_by_its_date_in_whatever_zone_it_was_written() {
    let desk = two_zones();
    let check = |table: &str, filter: &str, expected: &[&str]| {
        let rows = desk.lines(0, &[table, "--where", filter]);
        let mut ids: Vec<String> = rows
            .iter()
            .map(|row| {
                let of = |column: &str| row[column].as_str().unwrap_or_default().to_owned();
                format!("{}{}", of("system"), of("id"))
            })
            .collect();
        ids.sort();
        assert_eq!(ids, expected, "{table} {filter}");
    };
    check("identities", "end_date=2026-11-10", &["far1", "near1"]);
    check("identities", "end_date=2026-11-12", &[]);
    let moment = "end_date=2026-11-10T08:30:00Z";
    check("identities", moment, &["far3", "near3"]);
    // As --json shows it.
    let day = "end_date=2026-11-10T00:00:00Z/2026-11-11T00:00:00Z";
    check("identities", day, &["near1"]);
    check("accounts", "last_used_at=2026-11-10", &["fara1", "neara1"]);
    // The table shows what was asked for.
    let shown = desk.expect(0, &["accounts", "--where", "last_used_at=2026-11-10"]);
    assert_eq!(shown.matches("2026-11-10").count(), 2, "{shown}");

    let options = OpenOptions {
        store_path: desk.store.clone().into(),
        key_source: KeySource::KeyFile(desk.key.clone().into()),
        when_missing: WhenMissing::Refuse,
    };
    // The window's list of people.
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let bench = Workbench::open(&options).await.unwrap().workbench;
        for (filter, expected) in [
            ("end_date=2026-11-10", vec!["far1", "near1"]),
            ("end_date=2026-11-11", vec!["far2", "near2"]),
            ("end_date=2026-11-12", vec![]),
            (moment, vec!["far3", "near3"]),
        ] {
            let query = serde_json::json!({
                "offset": 0, "limit": 100, "sort": "id", "descending": false, "search": "",
                "filters": [filter],
            });
            let query: ListQuery = serde_json::from_value(query).unwrap();
            let window = bench.identities(&query).await.unwrap();
            let mut ids: Vec<String> = window.rows.into_iter().map(|row| row.id).collect();
            ids.sort();
            assert_eq!(ids, expected, "{filter}");
        }
        bench.closing().close().await;
    });
}
