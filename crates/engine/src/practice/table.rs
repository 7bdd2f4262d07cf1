//! Rows of flat files, and how they are written: RFC 4180, columns in the order of the import format.

use super::EstateFile;
use lastkey_contract::Kind;
use std::collections::BTreeMap;

/// One row: column to value. A column that is not there is an empty cell, which means not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row(BTreeMap<&'static str, String>);

impl Row {
    pub(super) fn of(cells: &[(&'static str, &str)]) -> Row {
        cells.iter().fold(Row::default(), |row, (column, value)| {
            row.with(column, *value)
        })
    }

    /// The row with this cell; an empty value empties the cell.
    pub(super) fn with(mut self, column: &'static str, value: impl Into<String>) -> Row {
        let value = value.into();
        if value.is_empty() {
            self.0.remove(column);
        } else {
            self.0.insert(column, value);
        }
        self
    }

    pub(super) fn get(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }
}

/// Every row of the estate, by folder and file stem.
#[derive(Default)]
pub(super) struct Tables(BTreeMap<(&'static str, String), Vec<Row>>);

impl Tables {
    pub(super) fn add(&mut self, folder: &'static str, stem: &str, row: Row) {
        self.0
            .entry((folder, stem.to_owned()))
            .or_default()
            .push(row);
    }

    /// Changes every row whose `column` has this value.
    pub(super) fn change(
        &mut self,
        (folder, stem): (&'static str, &str),
        (column, value): (&str, &str),
        cells: &[(&'static str, &str)],
    ) {
        let rows = self.0.entry((folder, stem.to_owned())).or_default();
        for row in rows.iter_mut().filter(|row| row.get(column) == value) {
            *row = cells
                .iter()
                .fold(std::mem::take(row), |row, (column, value)| {
                    row.with(column, *value)
                });
        }
    }

    /// Drops every row that has all these cells.
    pub(super) fn drop_where(&mut self, folder: &'static str, stem: &str, cells: &[(&str, &str)]) {
        if let Some(rows) = self.0.get_mut(&(folder, stem.to_owned())) {
            rows.retain(|row| {
                !cells
                    .iter()
                    .all(|(column, value)| row.get(column) == *value)
            });
        }
    }

    /// The cell of the first row whose `column` has this value; empty if there is none.
    pub(super) fn cell(
        &self,
        (folder, stem): (&'static str, &str),
        (column, value): (&str, &str),
        wanted: &str,
    ) -> String {
        let rows = self.0.get(&(folder, stem.to_owned()));
        rows.into_iter()
            .flatten()
            .find(|row| row.get(column) == value)
            .map_or(String::new(), |row| row.get(wanted).to_owned())
    }

    pub(super) fn files(&self) -> Vec<EstateFile> {
        self.0
            .iter()
            .map(|((folder, stem), rows)| EstateFile {
                path: format!("{folder}/{stem}.csv"),
                text: written(&columns(stem), rows),
            })
            .collect()
    }
}

fn written(columns: &[&str], rows: &[Row]) -> String {
    let used: Vec<&str> = columns
        .iter()
        .copied()
        // The format requires `system` in the header, also where every cell is empty (owners).
        .filter(|column| *column == "system" || rows.iter().any(|row| !row.get(column).is_empty()))
        .collect();
    let mut text = used.join(",");
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = used.iter().map(|column| cell(row.get(column))).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn cell(value: &str) -> String {
    if value.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// The columns of a file by its stem. A stem that is no kind of file is a roster: identities.
fn columns(stem: &str) -> Vec<&'static str> {
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind.plural() == stem)
        .unwrap_or(Kind::Identity);
    let mut columns = crate::store::columns(kind).to_vec();
    if kind == Kind::Account {
        // Known to nobody but the practice estate: they come as attributes.
        columns.extend(["re_enabled_at", "re_enabled_by"]);
    }
    columns
}
