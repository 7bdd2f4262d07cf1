//! The group is as large as it says, hangs together, and is in order.

use super::{Extent, StreamedFile, files};
use crate::practice::{Size, estate};
use std::collections::{BTreeMap, BTreeSet, HashSet};

type Rows = Vec<BTreeMap<String, String>>;

fn text(file: &StreamedFile) -> String {
    let mut out = Vec::new();
    file.write_to(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Every file of a hundredth, read back.
fn small() -> BTreeMap<&'static str, Rows> {
    files(Extent::hundredth())
        .iter()
        .map(|file| {
            let text = text(file);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let rows = reader.deserialize().map(|row| row.unwrap()).collect();
            (file.path, rows)
        })
        .collect()
}

fn cell<'a>(row: &'a BTreeMap<String, String>, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn total(files: &[StreamedFile], stem: &str) -> u64 {
    let end = format!("/{stem}.csv");
    let of_stem = files.iter().filter(|file| file.path.ends_with(&end));
    of_stem.map(|file| file.rows).sum()
}

#[test]
fn the_large_estate_has_a_million_of_each_and_3_400_000_grants() {
    let estate = estate(Size::Large);
    let own = |path: &str| -> u64 {
        let of_path = estate.files.iter().filter(|file| file.path.ends_with(path));
        let rows = of_path
            .map(|file| file.text.lines().count() - 1)
            .sum::<usize>();
        u64::try_from(rows).unwrap()
    };
    let identities = own("hr/2026-11-20.csv") + own("/identities.csv");
    assert_eq!(
        identities + total(&estate.streamed, "identities"),
        1_000_000
    );
    assert_eq!(
        own("/accounts.csv") + total(&estate.streamed, "accounts"),
        1_000_000
    );
    assert_eq!(
        own("/grants.csv") + total(&estate.streamed, "grants"),
        3_400_000
    );
    assert!(total(&estate.streamed, "entitlements") >= 50_000);
    assert!(
        Extent::FULL.nested_applications() > 20_000,
        "application groups nest"
    );
}

#[test]
fn every_file_has_the_rows_that_it_says() {
    let rows = small();
    for file in files(Extent::hundredth()) {
        assert_eq!(
            u64::try_from(rows[file.path].len()).unwrap(),
            file.rows,
            "{}",
            file.path
        );
    }
}

#[test]
fn writing_twice_gives_the_same_bytes() {
    for file in files(Extent::hundredth()) {
        assert_eq!(text(&file), text(&file), "{}", file.path);
    }
}

#[test]
fn every_reference_has_its_end_and_every_key_stands_once() {
    let rows = small();
    let mut known: HashSet<(&str, String, String)> = HashSet::new();
    for (path, rows) in &rows {
        let (kind, column) = match path.rsplit('/').next().unwrap() {
            "identities.csv" => ("identity", "id"),
            "accounts.csv" => ("account", "id"),
            "entitlements.csv" => ("entitlement", "id"),
            "credentials.csv" => ("credential", "id"),
            "locations.csv" => ("location", "path"),
            _ => continue,
        };
        for row in rows {
            let key = (
                kind,
                cell(row, "system").to_owned(),
                cell(row, column).to_owned(),
            );
            assert!(known.insert(key.clone()), "{path}: twice {key:?}");
        }
    }
    let refer = |path: &str, kind: &'static str, system: &str, id: &str| {
        let key = (kind, system.to_owned(), id.to_owned());
        assert!(id.is_empty() || known.contains(&key), "{path}: no {key:?}");
    };
    for (path, rows) in &rows {
        for row in rows {
            let system = cell(row, "system");
            let or = |column: &str| match cell(row, column) {
                "" => system.to_owned(),
                other => other.to_owned(),
            };
            for column in ["identity_id", "manager_id", "employer_id", "owner_id"] {
                refer(path, "identity", "", cell(row, column));
            }
            refer(path, "account", system, cell(row, "account_id"));
            let through = or("signs_in_through_system");
            refer(path, "account", &through, cell(row, "signs_in_through_id"));
            refer(path, "entitlement", system, cell(row, "entitlement_id"));
            let of = or("credential_system");
            refer(path, "credential", &of, cell(row, "credential_id"));
            let principal = match cell(row, "principal_type") {
                "entitlement" => "entitlement",
                _ => "account",
            };
            refer(
                path,
                principal,
                &or("principal_system"),
                cell(row, "principal_id"),
            );
            match cell(row, "object_type") {
                "identity" => refer(path, "identity", "", cell(row, "object_id")),
                "account" => refer(path, "account", system, cell(row, "object_id")),
                other => assert_eq!(other, "", "{path}"),
            }
            if path.ends_with("readers.csv") {
                refer(path, "location", system, cell(row, "path"));
            }
        }
    }
}

#[test]
fn nothing_of_the_group_is_a_defect_that_the_company_plants() {
    let rows = small();
    let roster = &rows["group-hr/identities.csv"];
    let status: BTreeMap<&str, &str> = roster
        .iter()
        .map(|row| (cell(row, "id"), cell(row, "status")))
        .collect();
    let mut mails = BTreeMap::new();
    for row in roster {
        mails.insert(cell(row, "email"), cell(row, "id"));
        let ended = !cell(row, "end_date").is_empty();
        assert_eq!(ended, cell(row, "status") == "inactive", "{row:?}");
        assert!(
            cell(row, "start_date") < cell(row, "end_date") || !ended,
            "{row:?}"
        );
        let lead = status.get(cell(row, "manager_id")).copied();
        assert!(
            matches!(lead, None | Some("active")),
            "who leads is there: {row:?}"
        );
    }
    assert_eq!(mails.len(), roster.len(), "a mail is one person's");

    let mut disabled = HashSet::new();
    let mut privileged = HashSet::new();
    for (path, rows) in rows
        .iter()
        .filter(|(path, _)| path.ends_with("/accounts.csv"))
    {
        for row in rows {
            let key = (cell(row, "system").to_owned(), cell(row, "id").to_owned());
            let person = match cell(row, "identity_id") {
                "" => mails.get(cell(row, "email")).copied(),
                id => Some(id),
            };
            if let Some(status) = person.and_then(|id| status.get(id)) {
                let there = matches!(*status, "active" | "on_leave");
                assert_eq!(cell(row, "enabled") == "true", there, "{path}: {row:?}");
            }
            let disabled_at = cell(row, "disabled_at");
            assert_eq!(
                disabled_at.is_empty(),
                cell(row, "enabled") == "true",
                "{path}"
            );
            if cell(row, "enabled") == "false" {
                disabled.insert(key.clone());
            }
            if cell(row, "privileged") == "true" {
                assert_eq!(cell(row, "mfa"), "true", "{path}: {row:?}");
                privileged.insert(key);
            }
            assert!(cell(row, "last_used_at") > "2025-09", "{path}: {row:?}");
        }
    }
    let mut rights = HashSet::new();
    for row in rows["group-ad/entitlements.csv"].iter() {
        if cell(row, "privileged") == "true" {
            rights.insert(cell(row, "id"));
        }
    }
    for (path, rows) in rows
        .iter()
        .filter(|(path, _)| path.ends_with("/grants.csv"))
    {
        for row in rows {
            let principal = (
                cell(row, "system").to_owned(),
                cell(row, "principal_id").to_owned(),
            );
            assert!(
                !disabled.contains(&principal),
                "{path}: a leaver holds {row:?}"
            );
            if rights.contains(cell(row, "entitlement_id")) {
                let fits = match cell(row, "principal_type") {
                    "entitlement" => rights.contains(cell(row, "principal_id")),
                    _ => privileged.contains(&principal),
                };
                assert!(fits, "{path}: privilege by the way: {row:?}");
            }
        }
    }
    let owned: BTreeSet<&str> = rows
        .iter()
        .filter(|(path, _)| path.ends_with("/owners.csv"))
        .flat_map(|(_, rows)| rows)
        .map(|row| {
            assert_eq!(status[cell(row, "owner_id")], "active", "{row:?}");
            cell(row, "object_id")
        })
        .collect();
    for (path, column) in [
        ("group-registry/identities.csv", "id"),
        ("group-ad/credentials.csv", "account_id"),
    ] {
        for row in &rows[path] {
            assert!(
                owned.contains(cell(row, column)),
                "{path}: nobody owns {row:?}"
            );
        }
    }
    for (path, rows) in rows
        .iter()
        .filter(|(path, _)| path.ends_with("/credentials.csv"))
    {
        for row in rows {
            assert!(cell(row, "rotated_at") > "2026-08", "{path}: {row:?}");
        }
    }
}

#[test]
fn the_company_stands_in_the_group_unchanged() {
    let (small, large) = (estate(Size::Small), estate(Size::Large));
    assert_eq!(small.files, large.files);
    assert_eq!(small.defects, large.defects);
    assert!(large.plan.starts_with(&small.plan));
    let names: BTreeSet<&str> = large.sources.iter().map(|source| source.name).collect();
    assert_eq!(names.len(), large.sources.len());
    for file in &large.streamed {
        assert!(
            names.contains(file.path.split('/').next().unwrap()),
            "{}",
            file.path
        );
    }
}

#[test]
fn the_groups_plan_is_a_plan() {
    let plan = estate(Size::Large).plan;
    let problems = crate::lifecycle::Plan::parse(&plan);
    assert!(problems.is_ok(), "{problems:?}");
}
