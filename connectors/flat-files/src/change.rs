//! What another way of reading does to rows that were read before, and whether a file can be read
//! by its mapping at all.

use crate::first_line::{bound, header_of};
use crate::header::Shape;
use crate::mapping::Mapping;
use crate::place::survey;
use crate::settings::Source;
use crate::words::words;
use lastkey_contract::{ConnectorError, Kind, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// What other settings do to rows that were read with those of before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Each row says what it said.
    Nothing,
    /// Words are known that were not, or the other way round: rows with them were or are no facts.
    Words,
    /// The same rows say something else; what they were read by before, as one would type it.
    Rows(Vec<String>),
}

/// Compares two ways of reading one place. A column whose header is no longer there was named
/// anew by whoever exports it, and is the same column.
pub fn change(before: &Settings, after: &Settings) -> Result<Change, ConnectorError> {
    let (old, new) = (
        Source::from_settings(before)?,
        Source::from_settings(after)?,
    );
    let mut others = Vec::new();
    let recipe = |source: &Source| source.recipe.map(|recipe| recipe.name.clone());
    if old.clock.zone != new.clock.zone {
        others.push(format!("timezone={}", old.clock.zone));
    }
    if old.clock.written() != new.clock.written() {
        others.push(format!("time_format={}", old.clock.written()));
    }
    if recipe(&old) != recipe(&new) {
        others.push(format!("recipe={}", recipe(&old).unwrap_or_default()));
    } else if old.system != new.system {
        others.push(format!("system={}", old.system));
    }
    if old.single != new.single {
        others.push(format!("file={}", old.single.plural()));
    }
    let mut of_words = false;
    for kind in Kind::ALL {
        let (was, is) = (old.mapping(kind), new.mapping(kind));
        if was == is {
            continue;
        }
        let (old_names, names) = (names(&old, kind), names(&new, kind));
        for column in crate::columns(kind) {
            let name = column.name;
            let (from, to) = (stands(&was, &old_names, name), stands(&is, &names, name));
            let renamed = from.is_some_and(|from| to.is_some() && !names.contains(from));
            if was.header_of(name) != is.header_of(name) && from != to && !renamed {
                others.push(match was.header_of(name) {
                    Some(from) => format!("{name}={from}"),
                    None => format!("no other header for {name}"),
                });
            }
            if was.fixed_value(name) != is.fixed_value(name) {
                others.push(match was.fixed_value(name) {
                    Some(value) => format!("{name}=={value}"),
                    None => format!("no fixed value for {name}"),
                });
            }
            let (was, is) = (was.replacements(name), is.replacements(name));
            let texts = |all: Option<&BTreeMap<String, String>>| {
                all.into_iter()
                    .flat_map(|all| all.keys().cloned())
                    .collect::<BTreeSet<String>>()
            };
            for text in texts(was).union(&texts(is)) {
                let of = |all: Option<&BTreeMap<String, String>>| {
                    all.and_then(|all| all.get(text)).cloned()
                };
                let no_word =
                    words(kind, name).is_some_and(|known| !known.contains(&text.as_str()));
                match (of(was), of(is)) {
                    (was, is) if was == is => {}
                    (None, _) | (_, None) if no_word => of_words = true,
                    (Some(was), _) => others.push(format!("{name}.{text}={was}")),
                    (None, _) => others.push(format!("no other word for {name}.{text}")),
                }
            }
        }
    }
    Ok(match (others.is_empty(), of_words) {
        (false, _) => Change::Rows(others),
        (true, true) => Change::Words,
        (true, false) => Change::Nothing,
    })
}

/// Whether the files there can be read as what they are said to be: a single file, and those of a
/// folder that a mapping is given for.
pub fn fits(settings: &Settings) -> Result<(), ConnectorError> {
    let source = Source::from_settings(settings)?;
    for (kind, stored) in &survey(&source)?.files {
        let asked = stored.shape == Shape::Single || source.mapping(*kind) != Mapping::default();
        if asked && stored.rows.is_none() {
            bound(&source, *kind, stored, &header_of(&source, stored)?)?;
        }
    }
    Ok(())
}

/// The header that a column's cells stand under: the one that is named, or its own.
fn stands<'m>(mapping: &'m Mapping, names: &BTreeSet<String>, column: &'m str) -> Option<&'m str> {
    let own = || names.contains(column) && !mapping.uses_header(column);
    mapping
        .header_of(column)
        .or_else(|| own().then_some(column))
}

/// The headers of the files that speak of a kind. What cannot be opened has none here: reading it
/// says why.
fn names(source: &Source, kind: Kind) -> BTreeSet<String> {
    let files = survey(source).map(|found| found.of(kind));
    let headers = files.iter().flatten().map(|one| header_of(source, one));
    headers
        .flatten()
        .flat_map(|cells| cells.iter().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &[(&str, &str)], after: &[(&str, &str)], expected: Change) {
        let header = "User,Dept,Job,State";
        check_headers((header, before), (header, after), expected);
    }

    /// What settings do to a file, measured by those that another was read with.
    #[track_caller]
    fn check_headers(
        before: (&str, &[(&str, &str)]),
        after: (&str, &[(&str, &str)]),
        expected: Change,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let settings = |file: &str, (header, given): (&str, &[(&str, &str)])| {
            let path = folder.path().join(file);
            std::fs::write(&path, format!("{header}\n")).unwrap();
            let mut all: BTreeMap<String, String> = given
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            all.insert("path".to_owned(), path.display().to_string());
            Settings(all)
        };
        let (before_it, after_it) = (
            settings("2026-10-01.csv", before),
            settings("2026-11-01.csv", after),
        );
        let told = change(&before_it, &after_it).unwrap();
        assert_eq!(told, expected, "{before:?} -> {after:?}");
    }

    #[test]
    fn what_makes_rows_say_something_else_is_told_from_what_does_not() {
        let rows = |texts: &[&str]| Change::Rows(texts.iter().map(|t| (*t).to_owned()).collect());
        let id = ("map.id", "User");
        check(&[id], &[id], Change::Nothing);
        check(&[id], &[id, ("timezone", "UTC")], Change::Nothing);
        check(&[id], &[id, ("last_line_end", "optional")], Change::Nothing);
        let zone = ("timezone", "Europe/Zurich");
        check(&[id, zone], &[id], rows(&["timezone=Europe/Zurich"]));
        // A header that is gone has another name now; one that is there is another column.
        let moved = ("map.department", "Job");
        check(
            &[id, ("map.department", "Dept")],
            &[id, moved],
            rows(&["department=Dept"]),
        );
        check(
            &[id, ("map.department", "Unit")],
            &[id, moved],
            Change::Nothing,
        );
        check(
            &[id],
            &[id, moved],
            rows(&["no other header for department"]),
        );
        check(&[id, moved], &[id], rows(&["department=Job"]));
        // A word more makes facts of rows that were none.
        let active = ("value.status.Active", "active");
        check(&[id], &[id, active], Change::Words);
        check(&[id, active], &[id], Change::Words);
        check(
            &[id, active],
            &[id, ("value.status.Active", "inactive")],
            rows(&["status.Active=active"]),
        );
        check(
            &[id],
            &[id, ("value.status.active", "inactive")],
            rows(&["no other word for status.active"]),
        );
        check(
            &[id],
            &[id, ("value.department.Ops", "Sales")],
            rows(&["no other word for department.Ops"]),
        );
        check(
            &[id],
            &[id, ("fixed.kind", "vendor")],
            rows(&["no fixed value for kind"]),
        );
    }

    #[test]
    fn a_mapping_of_what_had_none_may_give_the_same_columns() {
        let own = "id,department,title";
        let check = |header: &str, after: &[(&str, &str)], expected: Change| {
            check_headers((own, &[]), (header, after), expected);
        };
        let rows = |text: &str| Change::Rows(vec![text.to_owned()]);
        check(own, &[("map.id", "id")], Change::Nothing);
        check(
            own,
            &[("map.id", "id"), ("map.department", "department")],
            Change::Nothing,
        );
        // Whoever exports the file has named a column anew.
        check(
            "id,Unit,title",
            &[("map.department", "Unit")],
            Change::Nothing,
        );
        // The column is still there: another one would take its place.
        check(
            "id,department,title,Unit",
            &[("map.department", "Unit")],
            rows("no other header for department"),
        );
        // There was none: everybody would get one.
        check(
            "id,department,title,Site",
            &[("map.location", "Site")],
            rows("no other header for location"),
        );
    }
}
