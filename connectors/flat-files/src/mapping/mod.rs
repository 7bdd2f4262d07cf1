//! Column mapping: how a file with other column names becomes one of ours.
//!
//! A mapping renames columns, fixes cells and replaces values. It is saved as plain settings
//! (`map.id=user_id`, `fixed.kind=person`, `value.status.On leave=on_leave`), suggested from
//! header and samples, and typed on the command line with `--map`.

mod command_line;
mod suggest;

pub use command_line::parse_cli;
pub use suggest::{Suggestion, suggest};

use std::collections::BTreeMap;

/// The mapping of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    renamed: BTreeMap<&'static str, String>,
    fixed: BTreeMap<&'static str, String>,
    replaced: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl Mapping {
    pub(crate) fn rename(&mut self, column: &'static str, header: &str) {
        self.renamed.insert(column, header.to_owned());
    }
    pub(crate) fn fix(&mut self, column: &'static str, value: &str) {
        self.fixed.insert(column, value.to_owned());
    }
    pub(crate) fn replace(&mut self, column: &'static str, from: &str, to: &str) {
        self.replaced
            .entry(column)
            .or_default()
            .insert(from.to_owned(), to.to_owned());
    }

    /// The header that stands for a column, where one was named.
    pub fn header_of(&self, column: &str) -> Option<&str> {
        self.renamed.get(column).map(String::as_str)
    }
    /// The value that every row has in a column, where one was fixed.
    pub fn fixed_value(&self, column: &str) -> Option<&str> {
        self.fixed.get(column).map(String::as_str)
    }
    /// The replacements of a column's values; exact, and before anything is parsed.
    pub fn replacements(&self, column: &str) -> Option<&BTreeMap<String, String>> {
        self.replaced.get(column)
    }
    /// Whether some column takes its cells from this header by a rename.
    pub fn uses_header(&self, header: &str) -> bool {
        self.renamed.values().any(|h| h == header)
    }
}
