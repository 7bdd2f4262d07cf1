//! A page: the unit of retry, checkpoint, evidence and cancellation.

use crate::facts::Fact;
use crate::note::Note;
use crate::stamp::{Same, Stamp};
use serde::{Deserialize, Serialize};

/// Where the next page starts: the connector's own text, opaque to the engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// What one page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// None for the first page.
    pub cursor: Option<Cursor>,
    /// How many records at most; the connector clamps it to its own bounds.
    pub limit: u32,
    /// A watermark of an earlier read, where the connector can read incrementally: only what
    /// changed since then is answered. One that the system no longer knows is `CursorLost`.
    pub since: Option<String>,
}

/// What a system still allows, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Requests left until it starts anew.
    pub remaining: u64,
    /// Milliseconds until it starts anew.
    pub resets_in_ms: u64,
}

/// Which columns of ours a file tells of, once each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The file's name.
    pub of: String,
    /// Those that its own header says.
    pub own: Vec<String>,
    /// Those that somebody's mapping says.
    pub given: Vec<String>,
}

/// One page of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub records: Vec<Fact>,
    /// The stamps of the records, one for each; empty where the connector has none.
    pub stamps: Vec<Stamp>,
    /// Records that the engine has as they are, in their order.
    pub same: Vec<Same>,
    /// How many objects the system sent for this page: records, the same ones, skipped and failed
    /// together.
    pub received: u64,
    /// None when this was the last page.
    pub next: Option<Cursor>,
    /// How many objects the system says there are in all, where it says so.
    pub expected_total: Option<u64>,
    pub notes: Vec<Note>,
    /// On the first page of a file whose columns must not get lost: which it has. The engine keeps
    /// them, and doubts a read that lacks one which the complete read before had.
    pub columns: Option<Columns>,
    /// What was asked, for the evidence: a filter, a file name. Never a secret.
    pub query: Option<String>,
    /// Where the next incremental read can start, on the last page.
    pub watermark: Option<String>,
    /// SHA-256 (hex) of the raw answer, where the connector has it in one piece (a file).
    pub content_sha256: Option<String>,
    /// Of an incremental read only: keys (`Fact::key`) that the system says are gone. They count
    /// in no bucket of their own; the engine counts what it ends as removed.
    pub gone: Vec<String>,
    /// Of an incremental read only: parents whose objects of this kind are all in this read, so
    /// that others stored under them are gone: `system` U+001F `id` of the entitlement for
    /// grants, of the account for credentials and sessions, of the path for locations and readers.
    pub whole: Vec<String>,
    /// What the system still allows, where it says so.
    pub quota: Option<Quota>,
}
