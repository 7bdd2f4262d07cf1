//! What a read lacks, and why.

use crate::api::Hidden;
use lastkey_contract::{NoteKind, Notes};

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

    /// Notes it.
    pub fn tell(self, notes: &mut Notes) {
        notes.add_many(self.kind, &self.reason, self.count, self.example);
    }
}
