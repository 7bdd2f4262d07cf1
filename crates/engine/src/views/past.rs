//! Differences between moments, and the history of one object, as screens and lines show them.

use super::{AccountLine, EntitlementLine, FactLine};
use crate::store::{Horizon, RetentionRule};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use ts_rs::TS;

/// What became of an object between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Difference {
    Added,
    Changed,
    /// A read proved that it is gone.
    Removed,
    /// A read that was not complete did not show it: it still counts as current.
    #[serde(rename = "disappeared_without_proof")]
    Unproved,
}

impl Difference {
    pub const ALL: [Difference; 4] = [
        Difference::Added,
        Difference::Changed,
        Difference::Removed,
        Difference::Unproved,
    ];

    /// As JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Difference::Added => "added",
            Difference::Changed => "changed",
            Difference::Removed => "removed",
            Difference::Unproved => "disappeared_without_proof",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Difference::Added => "added",
            Difference::Changed => "changed",
            Difference::Removed => "removed",
            Difference::Unproved => "disappeared without proof",
        }
    }
}

/// One column with both values; none where it had none.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ChangedColumn {
    /// A column of import-format.md, or `attributes.NAME`.
    pub column: String,
    #[ts(type = "unknown")]
    pub before: Value,
    #[ts(type = "unknown")]
    pub after: Value,
}

/// One object that differs.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct DiffRow {
    pub what: Difference,
    pub kind: String,
    pub source: String,
    /// None for identities.
    pub system: Option<String>,
    /// As `lastkey history` takes it.
    pub id: String,
    /// The sync that showed it; of what disappeared without proof, the one that did not.
    pub sync: u64,
    /// What changed; empty for the other kinds of difference.
    pub changed: Vec<ChangedColumn>,
    /// What proves a removal, or why there is no proof.
    pub why: Option<String>,
    /// The later fact, or the last one before a removal.
    #[ts(type = "Record<string, unknown>")]
    pub fact: Map<String, Value>,
}

/// A kind of a source whose latest read between the two moments was not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct UnfinishedRead {
    pub kind: String,
    pub source: String,
    pub sync: u64,
    pub why: String,
    /// Whether it showed anything: only then objects can be named that it did not show.
    pub showed_something: bool,
}

/// The past of one object.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ObjectHistory {
    pub kind: String,
    pub source: String,
    pub system: Option<String>,
    pub id: String,
    /// Whether it is there now.
    pub current: bool,
    /// What happened, oldest first.
    pub lines: Vec<HistoryLine>,
}

/// One change of an object, and between which reads it happened.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct HistoryLine {
    pub what: Difference,
    /// The sync that showed it; of what disappeared without proof, the one that did not.
    pub sync: u64,
    /// The last read before it that vouches for the state before; none for the first read.
    pub earliest_sync: Option<u64>,
    /// When that read began.
    pub earliest: Option<String>,
    /// The end of the read that showed it, or the date of a dated one.
    pub latest: Option<String>,
    pub changed: Vec<ChangedColumn>,
    /// What proves a removal, or why there is no proof; of a change, which version beside it was
    /// deleted.
    pub why: Option<String>,
    /// The fact from then on, or the last one before a removal.
    #[ts(type = "Record<string, unknown>")]
    pub fact: Map<String, Value>,
}

/// How many objects of one kind, source and system differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DiffCount {
    pub kind: String,
    pub source: String,
    pub system: Option<String>,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    pub disappeared_without_proof: u64,
}

impl DiffCount {
    /// Counts a row that is of this kind, source and system.
    pub fn take(&mut self, what: Difference) {
        match what {
            Difference::Added => self.added += 1,
            Difference::Changed => self.changed += 1,
            Difference::Removed => self.removed += 1,
            Difference::Unproved => self.disappeared_without_proof += 1,
        }
    }
}

/// A sync whose state can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct MomentView {
    /// 0 is the empty store before the first sync.
    pub sync: u64,
    pub source: Option<String>,
    /// As a run's.
    pub state: Option<String>,
    /// What it shows: the end of the read, or the date of a dated one.
    pub at: Option<String>,
    /// Whether it shows a date of its own, whenever it was taken in.
    pub dated: bool,
}

impl MomentView {
    /// The store before its first sync.
    pub fn empty() -> MomentView {
        MomentView {
            sync: 0,
            source: None,
            state: None,
            at: None,
            dated: false,
        }
    }
}

/// An earlier moment that is often asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EarlierMoment {
    pub days: u32,
    pub sync: u64,
}

/// What differs between two moments, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DiffView {
    pub from: MomentView,
    pub to: MomentView,
    /// The only source that is compared; all where there is none.
    pub source: Option<String>,
    /// By kind and source; `system` is none.
    pub counts: Vec<DiffCount>,
    /// Of which kinds not all that went is known.
    pub unfinished: Vec<UnfinishedRead>,
    /// States of days before the later moment.
    pub earlier: Vec<EarlierMoment>,
    pub took_ms: u64,
}

/// One row of a table of the past.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct FactRow {
    /// By column of import-format.md; `source` and `first_sync` too.
    #[ts(type = "Record<string, unknown>")]
    pub values: Map<String, Value>,
}

/// An identity as it stood after an earlier sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct IdentityThen {
    pub source: String,
    pub id: String,
    pub kind: String,
    pub display_name: Option<String>,
    pub status: Option<String>,
    pub facts: Vec<FactLine>,
    /// Those that are linked to it now and those that named it then, as they stood then.
    pub accounts: Vec<AccountLine>,
    pub entitlements: Vec<EntitlementLine>,
    /// How many there are in all, where a list was cut to its first 500.
    pub account_count: u64,
    pub entitlement_count: u64,
}

/// What is kept of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RetentionView {
    /// None keeps everything.
    pub rules: Vec<RetentionRule>,
    /// How far back each kind is whole, where something of it was deleted.
    pub whole_from: Vec<Horizon>,
    /// The kinds that can have a rule of their own.
    pub kinds: Vec<String>,
}

/// The columns of a stored fact: a principal's three each by itself, attributes by their names.
fn columns(fact: &Value) -> BTreeMap<String, Value> {
    let mut columns = BTreeMap::new();
    for (name, value) in fact.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("fact", _) | (_, Value::Null) => {}
            ("principal", Value::Object(parts)) => {
                for (part, value) in parts {
                    let column = match part.as_str() {
                        "kind" => "principal_type".to_owned(),
                        other => format!("principal_{other}"),
                    };
                    columns.insert(column, value.clone());
                }
            }
            ("attributes", Value::Object(parts)) => {
                for (part, value) in parts {
                    columns.insert(format!("attributes.{part}"), value.clone());
                }
            }
            (_, value) => {
                columns.insert(name.clone(), value.clone());
            }
        }
    }
    columns
}

/// Every column in which two stored facts differ, with both values.
pub(crate) fn changed_columns(before: &Value, after: &Value) -> Vec<ChangedColumn> {
    let (mut before, after) = (columns(before), columns(after));
    let mut changed: Vec<ChangedColumn> = after
        .into_iter()
        .filter_map(|(column, after)| {
            let before = before.remove(&column).unwrap_or(Value::Null);
            (before != after).then_some(ChangedColumn {
                column,
                before,
                after,
            })
        })
        .collect();
    changed.extend(before.into_iter().map(|(column, before)| ChangedColumn {
        column,
        before,
        after: Value::Null,
    }));
    changed.sort_by(|a, b| a.column.cmp(&b.column));
    changed
}

/// A stored fact as lines show it: its columns that hold something.
pub(crate) fn shown_fact(fact: &Value) -> Map<String, Value> {
    columns(fact).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_names_each_column_with_both_values() {
        let before = json!({"fact": "grant", "system": "ad", "reason": "r", "principal": {"kind": "account", "id": "a"},
            "attributes": {"x": "1", "y": "1"}});
        let after = json!({"fact": "grant", "system": "ad", "ticket": "t", "principal": {"kind": "account", "id": "b"},
            "attributes": {"x": "2", "y": "1"}});
        let told: Vec<String> = changed_columns(&before, &after)
            .iter()
            .map(|c| format!("{} {} {}", c.column, c.before, c.after))
            .collect();
        assert_eq!(
            told,
            [
                "attributes.x \"1\" \"2\"",
                "principal_id \"a\" \"b\"",
                "reason \"r\" null",
                "ticket null \"t\"",
            ]
        );
        assert_eq!(changed_columns(&after, &after), []);
    }
}
