//! Each text is a recipe, says nothing that cannot count, and the page is current.

use super::{NAMES, TEXTS, letters, page, recipes, suggest_recipes};
use crate::columns::{Need, columns};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_text_is_a_recipe() {
    for text in TEXTS {
        let read: Result<super::Recipe, _> = toml::from_str(text);
        assert!(read.is_ok(), "{read:?}");
    }
    let names: Vec<&str> = recipes()
        .iter()
        .map(|recipe| recipe.name.as_str())
        .collect();
    assert_eq!(names, NAMES);
}

#[test]
fn recipes_name_columns_that_there_are_and_fill_those_that_are_needed() {
    for recipe in recipes() {
        for file in &recipe.files {
            let place = format!("{}, {}", recipe.name, file.called);
            assert!(
                !file.columns.is_empty() && !file.facts.is_empty(),
                "{place}"
            );
            assert_eq!(file.record.is_some(), !file.fields.is_empty(), "{place}");
            for facts in &file.facts {
                let ours: BTreeSet<&str> = columns(facts.kind).iter().map(|c| c.name).collect();
                let named = facts
                    .take
                    .keys()
                    .chain(facts.set.keys())
                    .chain(facts.words.keys())
                    .chain(facts.passed.keys());
                for name in named {
                    assert!(ours.contains(name.as_str()), "{place}: `{name}`");
                }
                for column in columns(facts.kind) {
                    let filled = facts.take.contains_key(column.name)
                        || facts.set.contains_key(column.name)
                        || column.name == "system";
                    assert!(
                        filled || column.need != Need::Required,
                        "{place}: {}",
                        column.name
                    );
                }
                for only in &facts.only {
                    // What it is and what it is not are told apart, however they are written.
                    let written = |word: &String| {
                        let said = crate::words::truth(word);
                        said.map_or(word.to_lowercase(), |said| said.to_string())
                    };
                    let is: BTreeSet<String> = only.is.iter().map(written).collect();
                    let not: BTreeSet<String> = only.not.iter().map(written).collect();
                    assert!(!is.is_empty() && !not.is_empty(), "{place}");
                    assert!(is.is_disjoint(&not), "{place}: {}", only.column);
                }
                if file.record.is_some() {
                    let needed = facts.take.values().flatten();
                    for name in needed.chain(facts.only.iter().map(|only| &only.column)) {
                        assert!(
                            file.fields.contains_key(name),
                            "{place}: no place of `{name}`"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn no_two_extracts_of_all_recipes_are_known_by_the_same_header() {
    let files: Vec<_> = recipes().iter().flat_map(|recipe| &recipe.files).collect();
    for one in &files {
        let header: Vec<String> = one.columns.iter().map(|c| letters(c)).collect();
        let known: Vec<&str> = files
            .iter()
            .filter(|file| file.known_by(&header))
            .map(|file| file.called.as_str())
            .collect();
        assert_eq!(known, [one.called.as_str()]);
    }
}

#[test]
fn a_header_is_recognised_however_it_is_written() {
    let check = |header: &[&str], expected: &[&str]| {
        let header: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
        let found = suggest_recipes(&header);
        let found: Vec<&str> = found.iter().map(|recipe| recipe.name.as_str()).collect();
        assert_eq!(found, expected, "{header:?}");
    };
    check(
        &["EMPLOYEE_ID", "worker status", "Hire-Date", "Legal Name"],
        &["workday"],
    );
    check(&["BNAME", "UFLAG", "USTYP"], &["sap"]);
    check(&["id", "kind", "display_name"], &[]);
}

#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipes.md");
    if std::env::var_os("LASTKEY_BLESS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page(),
        "docs/recipes.md is old; LASTKEY_BLESS=1 writes it anew"
    );
}
