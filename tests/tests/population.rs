//! The population of a package is files that Lastkey imports: what they say is the same again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

/// The rows of a table without where and when they were read.
fn rows(desk: &Desk, table: &str) -> Vec<Value> {
    let mut rows = desk.lines(0, &[table]);
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        for own in ["source", "first_sync", "attributes"] {
            row.remove(own);
        }
    }
    rows
}

#[test]
fn the_population_of_a_package_imports_again_with_dates_that_have_no_time() {
    let desk = Desk::new();
    desk.write(
        "all/identities.csv",
        "id,kind,display_name,start_date,end_date\nu1,person,Ann,2010-01-01,2026-03-31\n",
    );
    desk.write(
        "all/accounts.csv",
        "system,id,identity_id,created_at,expires_at\n\
         corp,a1,u1,2010-01-01,2027-01-01\ncorp,a2,u1,2010-01-01T08:00:00Z,\n",
    );
    let folder = desk.room.path("all").display().to_string();
    let zone = ["--set", "timezone=Europe/Berlin"];
    desk.expect(
        0,
        &[&["import", &folder, "--as", "all"], &zone[..]].concat(),
    );
    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let unpacked = desk.room.path("p").display().to_string();
    let done = std::process::Command::new("unzip")
        .args(["-q", &package, "-d", &unpacked])
        .status();
    assert!(done.unwrap().success());
    let again = Desk::new();
    let population = format!("{unpacked}/population");
    again.expect(0, &["import", &population, "--as", "again"]);
    for table in ["identities", "accounts"] {
        assert_eq!(rows(&desk, table), rows(&again, table));
    }
    let table = desk.expect(0, &["accounts"]);
    assert!(table.contains(" 2027-01-01 "), "{table}");
    assert!(
        !table.contains("/2027"),
        "a day is shown as the day: {table}"
    );
}
