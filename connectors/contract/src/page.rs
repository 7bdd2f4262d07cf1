//! A page: the unit of retry, checkpoint, evidence and cancellation.

use crate::facts::Fact;
use crate::note::Note;
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
    /// A watermark of an earlier read, where the connector can read incrementally.
    pub since: Option<String>,
}

/// One page of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub records: Vec<Fact>,
    /// How many objects the system sent for this page: records, skipped and failed together.
    pub received: u64,
    /// None when this was the last page.
    pub next: Option<Cursor>,
    /// How many objects the system says there are in all, where it says so.
    pub expected_total: Option<u64>,
    pub notes: Vec<Note>,
    /// What was asked, for the evidence: a filter, a file name. Never a secret.
    pub query: Option<String>,
    /// Where the next incremental read can start, on the last page.
    pub watermark: Option<String>,
    /// SHA-256 (hex) of the raw answer, where the connector has it in one piece (a file).
    pub content_sha256: Option<String>,
}
