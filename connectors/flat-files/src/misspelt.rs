//! Names that are nearly those of our files: a file that nobody reads must not look as if it was.

use crate::columns::file_name;
use crate::header::{From, Header};
use lastkey_contract::Kind;
use strsim::levenshtein;

/// Whether a name looks as that of a table, so that passing over it has to be said. What programs
/// leave beside the files of people begins with a sign of its own.
pub fn is_table(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let ends = [".csv", ".json", ".tsv"];
    ends.iter().any(|end| last.ends_with(end)) && !last.starts_with(['.', '~'])
}

/// The name that was meant, as far as anybody can tell.
pub fn known_as(name: &str) -> Option<String> {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let stem = last.split('.').next().unwrap_or_default();
    let by_distance = Kind::ALL.into_iter().map(|kind| {
        let one = levenshtein(stem, kind.word());
        (levenshtein(stem, kind.plural()).min(one), kind)
    });
    let (nearest, kind) = by_distance.min_by_key(|(far, _)| *far)?;
    let within = Kind::ALL
        .into_iter()
        .find(|kind| stem.contains(kind.plural()));
    match nearest <= stem.chars().count() / 4 + 1 {
        true => Some(file_name(kind)),
        false => within.map(file_name),
    }
}

/// The column that a name was meant for, as far as anybody can tell: one that the file lacks.
pub fn column_known_as<'h>(header: &'h Header, name: &str) -> Option<&'h str> {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let lacks = header.bound.iter().filter(|b| b.from == From::Nowhere);
    let far = |column: &str| levenshtein(&wanted, &plain(column));
    let nearest = lacks.map(|b| b.name).min_by_key(|column| far(column))?;
    (far(nearest) <= nearest.chars().count() / 5).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_ours_is_told_from_one_that_is_not() {
        for (name, known) in [
            ("grant.csv", "grants.csv"),
            ("identites.csv", "identities.csv"),
            ("Accounts.csv", "accounts.csv"),
            ("acounts.CSV", "accounts.csv"),
            ("export/entitlments.csv", "entitlements.csv"),
            ("grants.csv.csv", "grants.csv"),
            ("grants-2026-11.csv", "grants.csv"),
            ("person.json", ""),
            ("report.csv", ""),
            ("summary.csv", ""),
            ("task.csv", "tasks.csv"),
        ] {
            assert_eq!(known_as(name).unwrap_or_default(), known, "{name}");
        }
        for (name, table) in [
            ("grant.csv", true),
            ("grants.json", true),
            ("README.md", false),
            ("notes.txt", false),
            ("__MACOSX/._grants.csv", false),
            ("~$grants.csv", false),
        ] {
            assert_eq!(is_table(name), table, "{name}");
        }
    }
}
