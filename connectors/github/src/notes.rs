//! Notes of one page, each reason once.

use crate::api::Hidden;
use lastkey_contract::{Kind, Note, NoteKind};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Notes(BTreeMap<(NoteKind, String), (u64, Vec<String>)>);

/// One note on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    pub kind: NoteKind,
    pub reason: String,
    pub count: u64,
    pub example: Option<String>,
}

impl Lack {
    pub fn new(kind: NoteKind, reason: impl Into<String>, example: impl Into<String>) -> Lack {
        Lack {
            kind,
            reason: reason.into(),
            count: 1,
            example: Some(example.into()),
        }
    }

    /// Something that GitHub does not show: then absence cannot be claimed.
    pub fn hidden(hidden: Hidden, what: &str, example: impl Into<String>) -> Lack {
        let reason = match hidden {
            Hidden::Refused => format!("this token may not read {what}"),
            Hidden::Absent => {
                format!("GitHub shows no {what}: the plan lacks them, or this token may not know")
            }
        };
        Lack::new(NoteKind::Clipped, reason, example)
    }
}

impl Notes {
    pub fn add(&mut self, lack: Lack) {
        let (count, examples) = self.0.entry((lack.kind, lack.reason)).or_default();
        *count += lack.count;
        if examples.len() < Note::MAX_EXAMPLES {
            examples.extend(lack.example.filter(|e| !examples.contains(e)));
        }
    }

    /// Takes in what was noted apart.
    pub fn take(&mut self, other: Notes) {
        for ((kind, reason), (times, examples)) in other.0 {
            let (count, known) = self.0.entry((kind, reason)).or_default();
            *count += times;
            for example in examples {
                if known.len() < Note::MAX_EXAMPLES && !known.contains(&example) {
                    known.push(example);
                }
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
