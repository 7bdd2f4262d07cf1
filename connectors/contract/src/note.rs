//! Notes: what a read could not take in, so that silence never claims completeness.

use crate::kind::Kind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What sort of note it is, and so what it does to completeness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Objects that were seen and left out, with the reason. They count as skipped.
    Skipped,
    /// Objects that were seen and could not be understood. They count as failed.
    Failed,
    /// The system cut its answer: there may be more. Absence cannot be claimed.
    Clipped,
    /// The answer ends without the mark of its end (a last row without a line end): whole perhaps,
    /// and also what an answer looks like that was cut off. The engine holds what would go.
    OpenEnd,
    /// A column or attribute nobody knows, kept as attribute.
    Drift,
    /// A reference to something that this read did not contain.
    Dangling,
    /// A fact for the person: no effect on completeness.
    Remark,
}

impl NoteKind {
    /// The word for journals and exports.
    pub fn word(self) -> &'static str {
        match self {
            NoteKind::Skipped => "skipped",
            NoteKind::Failed => "failed",
            NoteKind::Clipped => "clipped",
            NoteKind::OpenEnd => "open_end",
            NoteKind::Drift => "drift",
            NoteKind::Dangling => "dangling",
            NoteKind::Remark => "remark",
        }
    }

    /// Whether absence may still be claimed for the kind after such a note.
    pub fn keeps_completeness(self) -> bool {
        match self {
            NoteKind::Skipped | NoteKind::Failed | NoteKind::Clipped => false,
            NoteKind::OpenEnd | NoteKind::Drift | NoteKind::Dangling | NoteKind::Remark => true,
        }
    }
}

/// One note about one kind: the reason, how many objects, and up to a few examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub kind: NoteKind,
    pub about: Kind,
    /// One sentence in lower case.
    pub reason: String,
    pub count: u64,
    /// At most ten: ids, or `file:line:column`. Never values of secrets.
    pub examples: Vec<String>,
}

impl Note {
    /// How many examples a note carries at most.
    pub const MAX_EXAMPLES: usize = 10;
}

/// Notes of one page on their way, each reason once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(BTreeMap<(NoteKind, String), (u64, Vec<String>)>);

impl Notes {
    /// Notes one object.
    pub fn add(&mut self, kind: NoteKind, reason: &str, example: Option<String>) {
        self.add_many(kind, reason, 1, example);
    }

    /// Notes as many objects; an example is kept once.
    pub fn add_many(&mut self, kind: NoteKind, reason: &str, count: u64, example: Option<String>) {
        self.join(kind, reason.to_owned(), count, example);
    }

    /// Takes in what was noted apart.
    pub fn take(&mut self, other: Notes) {
        for ((kind, reason), (count, examples)) in other.0 {
            self.join(kind, reason, count, examples);
        }
    }

    fn join(
        &mut self,
        kind: NoteKind,
        reason: String,
        count: u64,
        examples: impl IntoIterator<Item = String>,
    ) {
        let (total, known) = self.0.entry((kind, reason)).or_default();
        *total += count;
        for example in examples {
            if known.len() < Note::MAX_EXAMPLES && !known.contains(&example) {
                known.push(example);
            }
        }
    }

    /// How many objects were seen and are not among the records.
    pub fn lost(&self) -> u64 {
        let lost = |kind: &NoteKind| matches!(kind, NoteKind::Skipped | NoteKind::Failed);
        self.0
            .iter()
            .filter(|((kind, _), _)| lost(kind))
            .map(|(_, (count, _))| count)
            .sum()
    }

    /// The notes, as notes about a kind.
    pub fn about(self, about: Kind) -> Vec<Note> {
        self.0
            .into_iter()
            .map(|((kind, reason), (count, examples))| Note {
                kind,
                about,
                reason,
                count,
                examples,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_noted_once_with_a_few_examples() {
        let mut notes = Notes::default();
        for number in 0..12 {
            notes.add(NoteKind::Skipped, "closed", Some(number.to_string()));
            notes.add(NoteKind::Skipped, "closed", Some("0".to_owned()));
        }
        let mut apart = Notes::default();
        apart.add_many(NoteKind::Skipped, "closed", 5, Some("more".to_owned()));
        apart.add(NoteKind::Failed, "odd", None);
        apart.add_many(NoteKind::Clipped, "closed", 7, None);
        notes.take(apart);
        assert_eq!(notes.lost(), 24 + 5 + 1, "what is clipped was not seen");
        let notes = notes.about(Kind::Account);
        let found: Vec<(NoteKind, u64, usize)> = notes
            .iter()
            .map(|note| (note.kind, note.count, note.examples.len()))
            .collect();
        let wanted = [
            (NoteKind::Skipped, 29, Note::MAX_EXAMPLES),
            (NoteKind::Failed, 1, 0),
            (NoteKind::Clipped, 7, 0),
        ];
        assert_eq!(found, wanted);
    }
}
