//! The estate is what it says: the same bytes, whole references, and every planted defect.

use super::{Estate, PRACTICE_DATE, Shows, Size, estate, page};
use lastkey_contract::SystemName;
use lastkey_contract::facts::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Rows = Vec<BTreeMap<String, String>>;

const SYSTEMS: [&str; 5] = ["corp-ad", "vault", "cloud", "code-host", "ledger-db"];

fn tables(estate: &Estate) -> BTreeMap<String, Rows> {
    estate
        .files
        .iter()
        .map(|file| {
            let mut reader = csv::Reader::from_reader(file.text.as_bytes());
            let rows = reader.deserialize().map(|row| row.unwrap()).collect();
            (file.path.clone(), rows)
        })
        .collect()
}

fn rows<'a>(tables: &'a BTreeMap<String, Rows>, path: &str) -> &'a [BTreeMap<String, String>] {
    tables.get(path).map_or(&[], Vec::as_slice)
}

fn cell<'a>(row: &'a BTreeMap<String, String>, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

fn digest(estate: &Estate) -> String {
    let mut hash = Sha256::new();
    for file in &estate.files {
        hash.update(file.path.as_bytes());
        hash.update([0]);
        hash.update(file.text.as_bytes());
        hash.update([0]);
    }
    hash.update(estate.plan.as_bytes());
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The checked-in text of a file of this repository, written anew under LASTKEY_BLESS=1.
fn blessed(path: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    if std::env::var_os("LASTKEY_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn the_bytes_are_the_same_each_time_and_on_each_machine() {
    let first = digest(&estate(Size::Small));
    assert_eq!(first, digest(&estate(Size::Small)), "two runs differ");
    let recorded = blessed(
        "crates/engine/src/practice/small.sha256",
        &format!("{first}\n"),
    );
    assert_eq!(
        recorded.trim(),
        first,
        "LASTKEY_BLESS=1 records a wanted change"
    );
}

#[test]
fn the_page_is_current() {
    let text = page(&estate(Size::Small));
    assert!(
        blessed("docs/practice-estate.md", &text) == text,
        "docs/practice-estate.md is old; LASTKEY_BLESS=1 writes it anew"
    );
}

#[test]
fn every_planted_defect_is_in_the_files() {
    let estate = estate(Size::Small);
    let tables = tables(&estate);
    let ids: Vec<String> = estate.defects.iter().map(|d| d.id.to_owned()).collect();
    let wanted: Vec<String> = (1..=40).map(|n| format!("PE-{n:02}")).collect();
    assert_eq!(ids, wanted);
    for defect in &estate.defects {
        assert!(
            !defect.subjects.is_empty() && !defect.proofs.is_empty(),
            "{}",
            defect.id
        );
        for proof in &defect.proofs {
            assert!(
                tables.contains_key(&proof.file),
                "{}: {}",
                defect.id,
                proof.file
            );
            let found = rows(&tables, &proof.file)
                .iter()
                .filter(|row| {
                    proof
                        .row
                        .iter()
                        .all(|(column, want)| want.holds(cell(row, column)))
                })
                .count();
            assert_eq!(found, proof.count, "{}: {proof:?}", defect.id);
        }
        for subject in &defect.subjects {
            let known = estate.files.iter().any(|f| f.text.contains(&subject.id));
            assert!(known, "{}: {subject:?}", defect.id);
        }
        match &defect.shows {
            Shows::Now { command, expected } => {
                assert!(command.starts_with("lastkey ") && !expected.is_empty())
            }
            Shows::Needs { capability } => assert!(!capability.is_empty(), "{}", defect.id),
        }
    }
}

#[test]
fn the_company_has_the_size_that_is_said() {
    let estate = estate(Size::Small);
    let tables = tables(&estate);
    let mut people = BTreeSet::new();
    let rosters: Vec<&String> = tables
        .keys()
        .filter(|path| path.starts_with("hr/"))
        .collect();
    assert_eq!(rosters.len(), 14);
    for path in rosters {
        people.extend(
            rows(&tables, path)
                .iter()
                .map(|row| cell(row, "id").to_owned()),
        );
    }
    assert_eq!(people.len(), 2_400);
    let count = |path: &str, column: &str, value: &str| {
        rows(&tables, path)
            .iter()
            .filter(|row| cell(row, column) == value)
            .count()
    };
    assert_eq!(count("vendor-register/identities.csv", "kind", "vendor"), 3);
    assert_eq!(
        count("vendor-register/identities.csv", "kind", "person"),
        64
    );
    assert_eq!(
        count("workload-registry/identities.csv", "kind", "workload"),
        560
    );
    assert_eq!(
        count("workload-registry/identities.csv", "kind", "agent"),
        40
    );
    assert_eq!(count("corp-ad/accounts.csv", "kind", "service"), 300);
    let latest = rows(&tables, "hr/2026-11-20.csv");
    assert!(
        latest.iter().any(|row| cell(row, "id").starts_with('0')),
        "ids with leading zeros"
    );
    assert!(
        latest
            .iter()
            .any(|row| cell(row, "display_name").chars().count() == 60),
        "a name of 60 characters"
    );
    assert!(
        count("hr/2026-11-20.csv", "display_name", "Ewa Brandt") >= 2,
        "two people with one name"
    );
    for status in ["active", "inactive", "pending", "on_leave"] {
        assert!(count("hr/2026-11-20.csv", "status", status) > 0, "{status}");
    }
    assert_eq!(estate.reference_date, PRACTICE_DATE);
    for source in &estate.sources {
        assert!(
            tables
                .keys()
                .any(|path| path.starts_with(&format!("{}/", source.name))),
            "{}",
            source.name
        );
    }
}

#[test]
fn every_cell_of_a_closed_set_holds_one_of_its_words() {
    let estate = estate(Size::Small);
    for (path, rows) in tables(&estate) {
        let stem = path
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches(".csv")
            .to_owned();
        for row in &rows {
            for (column, value) in row.iter().filter(|(_, value)| !value.is_empty()) {
                let fits = match (stem.as_str(), column.as_str()) {
                    ("accounts", "kind") => AccountKind::from_word(value).is_some(),
                    ("entitlements", "kind") => EntitlementKind::from_word(value).is_some(),
                    ("credentials", "kind") => CredentialKind::from_word(value).is_some(),
                    ("locations", "kind") => LocationKind::from_word(value).is_some(),
                    (_, "kind") => IdentityKind::from_word(value).is_some(),
                    ("tasks", "status") => TaskStatus::from_word(value).is_some(),
                    (_, "status") => IdentityStatus::from_word(value).is_some(),
                    (_, "leaver_kind") => LeaverKind::from_word(value).is_some(),
                    (_, "principal_type") => PrincipalType::from_word(value).is_some(),
                    (_, "assignment") => Assignment::from_word(value).is_some(),
                    (_, "means") => ControlMeans::from_word(value).is_some(),
                    (_, "object_type") => ObjectType::from_word(value).is_some(),
                    (_, "role") => OwnerRole::from_word(value).is_some(),
                    (_, "event") => LifecycleEvent::from_word(value).is_some(),
                    (_, "enabled" | "privileged" | "mfa" | "local_sign_in") => {
                        ["true", "false"].contains(&value.as_str())
                    }
                    (
                        _,
                        "system"
                        | "principal_system"
                        | "credential_system"
                        | "signs_in_through_system",
                    ) => SystemName::is_well_formed(value),
                    (_, "start_date" | "end_date") => {
                        chrono::NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok()
                    }
                    (_, name) if name.ends_with("_at") => {
                        chrono::DateTime::parse_from_rfc3339(value).is_ok()
                    }
                    _ => true,
                };
                assert!(fits, "{path}: {column} `{value}`");
            }
        }
    }
}

#[test]
fn references_hold_but_for_the_planted_one() {
    let estate = estate(Size::Small);
    let tables = tables(&estate);
    let mut known = BTreeSet::new();
    let mut add = |kind: &'static str, system: &str, id: &str| {
        assert!(
            known.insert((kind, system.to_owned(), id.to_owned())),
            "twice: {kind} {system} {id}"
        );
    };
    for path in [
        "hr/2026-11-20.csv",
        "vendor-register/identities.csv",
        "workload-registry/identities.csv",
    ] {
        rows(&tables, path)
            .iter()
            .for_each(|row| add("identity", "", cell(row, "id")));
    }
    for system in SYSTEMS {
        for (stem, kind) in [
            ("accounts", "account"),
            ("entitlements", "entitlement"),
            ("credentials", "credential"),
        ] {
            rows(&tables, &format!("{system}/{stem}.csv"))
                .iter()
                .for_each(|row| add(kind, system, cell(row, "id")));
        }
        let paths: BTreeSet<&str> = rows(&tables, &format!("{system}/locations.csv"))
            .iter()
            .map(|row| cell(row, "path"))
            .collect();
        paths
            .into_iter()
            .for_each(|path| add("location", system, path));
    }
    let mut dangling = Vec::new();
    let mut refer = |kind: &str, system: &str, id: &str| {
        let kind = [
            "identity",
            "account",
            "entitlement",
            "credential",
            "location",
        ]
        .into_iter()
        .find(|k| *k == kind)
        .unwrap();
        if !id.is_empty() && !known.contains(&(kind, system.to_owned(), id.to_owned())) {
            dangling.push(format!("{kind} {system}:{id}"));
        }
    };
    for (path, rows) in &tables {
        if path.starts_with("hr/") && path != "hr/2026-11-20.csv" {
            continue;
        }
        for row in rows {
            let system = cell(row, "system");
            let or = |column: &str| {
                if cell(row, column).is_empty() {
                    system
                } else {
                    cell(row, column)
                }
            };
            for column in ["identity_id", "manager_id", "employer_id", "owner_id"] {
                refer("identity", "", cell(row, column));
            }
            refer("account", system, cell(row, "account_id"));
            refer(
                "account",
                or("signs_in_through_system"),
                cell(row, "signs_in_through_id"),
            );
            refer("entitlement", system, cell(row, "entitlement_id"));
            refer(
                "credential",
                or("credential_system"),
                cell(row, "credential_id"),
            );
            if !cell(row, "principal_id").is_empty() {
                refer(
                    cell(row, "principal_type"),
                    or("principal_system"),
                    cell(row, "principal_id"),
                );
            }
            if !cell(row, "object_id").is_empty() {
                refer(cell(row, "object_type"), system, cell(row, "object_id"));
            }
            if path.ends_with("readers.csv") {
                refer("location", system, cell(row, "path"));
            }
        }
    }
    assert_eq!(dangling, ["credential ledger-db:pw-app_retired_export"]);
}

#[test]
fn rosters_tell_of_joiners_movers_leavers_and_those_who_came_back() {
    let estate = estate(Size::Small);
    let tables = tables(&estate);
    let rosters: Vec<&Rows> = tables
        .iter()
        .filter(|(path, _)| path.starts_with("hr/"))
        .map(|(_, rows)| rows)
        .collect();
    let (mut joined, mut moved, mut left, mut back, mut away) = (0, 0, 0, 0, 0);
    for pair in rosters.windows(2) {
        let before: BTreeMap<&str, _> = pair[0].iter().map(|row| (cell(row, "id"), row)).collect();
        for row in pair[1] {
            let now = cell(row, "status");
            match before.get(cell(row, "id")) {
                None => joined += 1,
                Some(old) => {
                    let then = cell(old, "status");
                    moved += usize::from(cell(old, "department") != cell(row, "department"));
                    left += usize::from(then != "inactive" && now == "inactive");
                    back += usize::from(then == "inactive" && now == "active");
                    away += usize::from(then == "active" && now == "on_leave");
                }
            }
        }
    }
    assert!(
        joined > 100 && moved > 60 && left > 120 && back > 3 && away > 15,
        "{joined} joined, {moved} moved, {left} left, {back} back, {away} away"
    );
}

#[test]
fn the_plan_is_toml_and_names_systems_that_are_there() {
    let plan: toml::Table = toml::from_str(&estate(Size::Small).plan).unwrap();
    for table in ["step", "system"] {
        for entry in plan[table].as_array().unwrap() {
            let name = entry
                .get("system")
                .or(entry.get("name"))
                .and_then(|v| v.as_str());
            assert!(name.is_some_and(|name| SYSTEMS.contains(&name)), "{entry}");
        }
    }
}
