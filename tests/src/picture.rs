//! What a store answers, as texts and rows that can be compared with those of another store.

use crate::window::Room;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The tables that hold facts.
pub const TABLES: [&str; 11] = [
    "identities",
    "accounts",
    "entitlements",
    "grants",
    "credentials",
    "locations",
    "readers",
    "controls",
    "owners",
    "sessions",
    "tasks",
];

/// What together names a row, whatever else it says.
const NAMES: [&str; 17] = [
    "source",
    "system",
    "id",
    "path",
    "entitlement_id",
    "principal_type",
    "principal_system",
    "principal_id",
    "credential_system",
    "credential_id",
    "account_id",
    "object_type",
    "object_id",
    "owner_id",
    "role",
    "means",
    "step",
];

/// The rows of one table, each once for each time that it is there.
pub type Rows = BTreeMap<String, usize>;

/// All tables at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture(pub BTreeMap<String, Rows>);

impl Picture {
    /// The tables that hold something.
    pub fn filled(&self) -> Vec<&str> {
        let filled = self.0.iter().filter(|(_, rows)| !rows.is_empty());
        filled.map(|(table, _)| table.as_str()).collect()
    }
}

/// A store in a room and the key file that opens it.
pub struct Looker<'a> {
    pub room: &'a Room,
}

impl Looker<'_> {
    /// Runs `lastkey` on the room's store.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let (store, key) = (self.room.path(STORE), self.room.path(KEY));
        let (store, key) = (store.display().to_string(), key.display().to_string());
        let mut all = vec!["--store", &store, "--key-file", &key];
        all.extend(arguments);
        self.room.lastkey(&all)
    }

    /// What a command answers with --json; its status must be one of these.
    #[track_caller]
    pub fn texts(&self, arguments: &[&str], statuses: &[i32]) -> String {
        let mut all = arguments.to_vec();
        all.push("--json");
        let (status, out, err) = self.run(&all);
        assert!(
            statuses.contains(&status),
            "lastkey {arguments:?}: status {status}\n{err}"
        );
        out
    }

    /// The same, line by line.
    #[track_caller]
    pub fn lines(&self, arguments: &[&str], statuses: &[i32]) -> Vec<Value> {
        self.texts(arguments, statuses)
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// Sources with the state of their latest read.
    #[track_caller]
    pub fn sources(&self) -> Vec<Value> {
        let list = self.lines(&["source", "list"], &[0]);
        let rows = list.first().and_then(Value::as_array);
        rows.cloned().unwrap_or_default()
    }
}

/// The store's name in a room.
pub const STORE: &str = "s.lastkey";
/// The key file's name in a room.
pub const KEY: &str = "key";

/// A row as text; which later sync first saw it depends on how often reading was tried.
pub fn settled(row: &str, known: u64) -> String {
    const MARK: &str = "\"first_sync\":";
    let Some((before, after)) = row.split_once(MARK) else {
        return row.to_owned();
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after) = after.split_at_checked(digits).unwrap_or((after, ""));
    match number.parse::<u64>() {
        Ok(sync) if sync > known => format!("{before}{MARK}\"new\"{after}"),
        Ok(_) | Err(_) => row.to_owned(),
    }
}

/// What names the row that this text stands for.
pub fn name_of(row: &str) -> String {
    let row: Map<String, Value> = serde_json::from_str(row).expect("a row");
    let named = NAMES.iter().filter_map(|key| {
        let value = row.get(*key).filter(|value| !value.is_null())?;
        Some(format!("{key}={value}"))
    });
    named.collect::<Vec<_>>().join(" ")
}

/// Replaces moments with parts of a second: those of reads. Moments of a rehearsal have none.
pub fn without_read_times(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("20") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        match read_time(from) {
            Some(length) => {
                out.push_str("(read)");
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                out.push_str("20");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    out + rest
}

/// The length of `2026-11-21T02:32:57.471067194Z` at the beginning of the text.
fn read_time(text: &str) -> Option<usize> {
    const SHAPE: &str = "dddd-dd-ddTdd:dd:dd.";
    let head = text.get(..SHAPE.len())?;
    let fits = head.chars().zip(SHAPE.chars()).all(|(c, s)| match s {
        'd' => c.is_ascii_digit(),
        other => c == other,
    });
    let end = text.find('Z')?;
    (fits && end <= SHAPE.len() + 9).then_some(end + 1)
}

/// What differs between two tables, the first few.
pub fn differences(left: &Rows, right: &Rows) -> Vec<String> {
    let mut found = Vec::new();
    for (row, count) in left {
        let other = right.get(row).copied().unwrap_or(0);
        if other != *count {
            found.push(format!("{count} and {other} times: {row}"));
        }
    }
    for (row, count) in right.iter().filter(|(row, _)| !left.contains_key(*row)) {
        found.push(format!("0 and {count} times: {row}"));
    }
    found.truncate(6);
    found
}

/// Fails with the first few differences.
#[track_caller]
pub fn same(left: &Picture, right: &Picture, what: &str) {
    for (table, rows) in &left.0 {
        let differ = differences(rows, right.0.get(table).unwrap_or(&Rows::new()));
        assert!(
            differ.is_empty(),
            "{what}: {table} differ:\n{}",
            differ.join("\n")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_reads_are_taken_out_and_others_stay() {
        let text = r#"{"a":"2026-11-21T02:32:57.471067194Z","b":"2026-12-01T00:00:00Z","c":2012}"#;
        let wanted = r#"{"a":"(read)","b":"2026-12-01T00:00:00Z","c":2012}"#;
        assert_eq!(without_read_times(text), wanted);
    }

    #[test]
    fn a_row_that_differs_in_anything_is_told() {
        let rows = |texts: &[&str]| texts.iter().map(|t| ((*t).to_owned(), 1)).collect::<Rows>();
        assert_eq!(
            differences(&rows(&["a", "b"]), &rows(&["b", "a"])),
            Vec::<String>::new()
        );
        assert_eq!(
            differences(&rows(&["a"]), &rows(&["b"])),
            ["1 and 0 times: a", "0 and 1 times: b"]
        );
    }
}
