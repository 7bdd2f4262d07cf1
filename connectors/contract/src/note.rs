//! Notes: what a read could not take in, so that silence never claims completeness.

use crate::kind::Kind;
use serde::{Deserialize, Serialize};

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
