//! What a page tells of its rows beside their facts: counted, with a few examples.

use crate::map::Problem;
use lastkey_contract::{Kind, Note, NoteKind};
use std::collections::BTreeMap;

/// Rows that could not be read, counted by reason.
#[derive(Default)]
pub struct Failures(BTreeMap<String, (u64, Vec<String>)>);

impl Failures {
    /// A row that is no fact for one of its cells.
    pub fn cell(&mut self, place: &str, problem: Problem, says: &str) {
        let Problem {
            column,
            class,
            value,
        } = problem;
        let example = match value {
            Some(value) => format!("{place}:{column}: {value} {class}"),
            None => format!("{place}:{column}: {class}"),
        };
        self.row(format!("`{column}` {class}{says}"), example);
    }

    pub fn row(&mut self, reason: String, example: String) {
        let (count, examples) = self.0.entry(reason).or_default();
        *count += 1;
        if examples.len() < Note::MAX_EXAMPLES {
            examples.push(example);
        }
    }

    pub fn notes(self, about: Kind) -> impl Iterator<Item = Note> {
        self.0
            .into_iter()
            .map(move |(reason, (count, examples))| Note {
                kind: NoteKind::Failed,
                about,
                reason,
                count,
                examples,
            })
    }
}

/// Logins that were hidden, counted by the place of their column.
#[derive(Default)]
pub struct Logins(BTreeMap<usize, (u64, String)>);

impl Logins {
    /// Counts the cells of a row that had one.
    pub fn note(&mut self, hidden: &[usize], place: &str) {
        for at in hidden {
            let first = || (0, place.to_owned());
            self.0.entry(*at).or_insert_with(first).0 += 1;
        }
    }

    pub fn notes(self, about: Kind, names: &[String]) -> impl Iterator<Item = Note> {
        self.0.into_iter().map(move |(at, (count, first))| {
            let column = names.get(at).map_or("", String::as_str);
            Note {
                kind: NoteKind::Drift,
                about,
                reason: format!("the column `{column}` has logins in its values, which are hidden"),
                count,
                examples: vec![format!("{first}:{column}")],
            }
        })
    }
}

/// A value that is read is kept; one of a secret must not be.
pub fn withheld_column(name: &str) -> String {
    format!("the column `{name}` seems to hold secret values and is not read")
}
