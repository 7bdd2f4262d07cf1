//! The words of `lastkey rehearsal`.

use clap::Subcommand;

/// Saved rehearsals; `lastkey rehearse … --save NAME` saves one.
#[derive(Debug, Subcommand)]
pub enum Saved {
    /// All that are saved, the latest first
    List,
    /// One of them, item by item
    Show { name: String },
    /// What differs between two of one question, or between one and now, item by item, and why
    Compare {
        before: String,
        /// The later one (default: the same question asked now)
        after: Option<String>,
    },
    /// Remove one
    Remove { name: String },
}
