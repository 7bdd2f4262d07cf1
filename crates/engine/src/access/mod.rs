//! Who can reach what, and by which path? Compact in-memory graph over a snapshot.
//!
//! The words are defined in docs/semantics (section Access). Pure: no store, no clock.

mod snapshot;

pub use snapshot::{ReadState, Snapshot};
