//! Many rows in one: SQLite joins them into one JSON text.
//!
//! Each row of a result crosses from the thread that runs SQLite to ours, which costs more than
//! reading it; hundreds of thousands are joined over there and taken apart here.

use super::StoreError;
use serde::Deserialize;

/// How many facts, or keys, are joined at most: a text of SQLite's holds a gigabyte, and there are
/// facts of a megabyte and keys of a hundred kilobytes.
pub(super) const FACTS: i64 = 500;
pub(super) const KEYS: i64 = 4_000;

/// The columns of each row as a JSON array, all rows as one text. Columns are SQL expressions
/// that give JSON: numbers, payloads, or what `json_quote` makes of a text.
pub(super) fn joined(columns: &[&str], rows: &str) -> String {
    let row = columns.join(" || ',' || ");
    format!("SELECT '[' || coalesce(group_concat('[' || {row} || ']'), '') || ']' FROM ({rows})")
}

/// The rows of the text that a query made by `joined` gives.
pub(super) fn rows<'t, T: Deserialize<'t>>(text: &'t str) -> Result<Vec<T>, StoreError> {
    Ok(serde_json::from_str(text)?)
}
