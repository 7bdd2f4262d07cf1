//! Windows of facts of one kind, for tables on the command line.

use super::blocks::{self, At, Columns, Which};
use super::{Store, StoreError, SyncId, as_written};
use lastkey_contract::Kind;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What a table is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableQuery {
    /// Column and value; all must hold. `source` and `system` are columns too.
    pub filters: Vec<(String, String)>,
    /// As it was after this sync; None for now.
    pub as_of: Option<SyncId>,
    pub offset: u64,
    pub limit: u32,
}

/// A window of rows with the columns of import-format.md, and `source` and `first_sync`.
#[derive(Clone, Debug, PartialEq)]
pub struct FactTable {
    pub rows: Vec<Map<String, Value>>,
    /// How many rows match.
    pub matching: u64,
}

/// The columns of each kind, in the order of import-format.md.
pub fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Identity => &[
            "id",
            "kind",
            "display_name",
            "email",
            "status",
            "department",
            "title",
            "manager_id",
            "employer_id",
            "location",
            "start_date",
            "end_date",
            "leaver_kind",
            "purpose",
            "allowed_tools",
        ],
        Kind::Account => &[
            "system",
            "id",
            "name",
            "kind",
            "identity_id",
            "email",
            "enabled",
            "local_sign_in",
            "signs_in_through_system",
            "signs_in_through_id",
            "mfa",
            "privileged",
            "environment",
            "created_at",
            "created_by",
            "last_used_at",
            "last_interactive_at",
            "disabled_at",
            "expires_at",
        ],
        Kind::Entitlement => &["system", "id", "name", "kind", "privileged", "environment"],
        Kind::Grant => &[
            "system",
            "principal_type",
            "principal_id",
            "entitlement_id",
            "principal_system",
            "assignment",
            "granted_at",
            "granted_by",
            "approved_by",
            "ticket",
            "reason",
            "last_used_at",
            "expires_at",
        ],
        Kind::Credential => &[
            "system",
            "id",
            "kind",
            "account_id",
            "name",
            "enabled",
            "environment",
            "created_at",
            "created_by",
            "rotated_at",
            "revoked_at",
            "expires_at",
            "last_used_at",
            "fingerprint",
        ],
        Kind::Location => &[
            "system",
            "path",
            "credential_system",
            "credential_id",
            "kind",
            "environment",
            "fingerprint",
            "last_rotated_at",
        ],
        Kind::Reader => &[
            "system",
            "path",
            "principal_type",
            "principal_id",
            "principal_system",
        ],
        Kind::Control => &[
            "system",
            "account_id",
            "principal_type",
            "principal_id",
            "principal_system",
            "means",
        ],
        Kind::Owner => &["object_type", "system", "object_id", "owner_id", "role"],
        Kind::Session => &[
            "system",
            "account_id",
            "id",
            "started_at",
            "last_seen_at",
            "expires_at",
        ],
        Kind::Task => &[
            "id",
            "system",
            "event",
            "identity_id",
            "account_id",
            "action",
            "status",
            "retries",
            "requested_at",
            "approved_by",
            "closed_at",
            "closed_by",
            "override",
            "ticket",
        ],
    }
}

/// Where a column stands in the stored fact.
fn path(column: &str) -> String {
    match column {
        "principal_type" => "$.principal.kind".to_owned(),
        "principal_system" => "$.principal.system".to_owned(),
        "principal_id" => "$.principal.id".to_owned(),
        _ => format!("$.{column}"),
    }
}

impl Store {
    /// A window of the facts of a kind, in the order in which they were stored.
    pub async fn table(&self, kind: Kind, query: &TableQuery) -> Result<FactTable, StoreError> {
        let known = columns(kind);
        if let Some((column, _)) = query
            .filters
            .iter()
            .find(|(c, _)| c != "source" && !known.contains(&c.as_str()))
        {
            return Err(StoreError::BadQuery {
                what: "filter".to_owned(),
                value: column.clone(),
            });
        }
        if let Some(sync) = query.as_of {
            self.sync_record(sync).await?;
            self.refuse_before_horizon(sync, Some(kind)).await?;
        }
        let names = self.source_names().await?;
        let name_of = |source: i64| names.get(&source).cloned().unwrap_or_default();
        let (of_source, filters): (Vec<_>, Vec<_>) = query
            .filters
            .iter()
            .partition(|(column, _)| column == "source");
        let which = Which {
            at: At::of(query.as_of),
            ..Which::now(kind)
        };
        let from = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = query.limit as usize;
        // Without a filter no fact has to be looked at but those of the window.
        let columns_read = match filters.is_empty() {
            true => Columns::Nothing,
            false => Columns::Facts,
        };
        let mut matching = 0usize;
        let mut window: Vec<i64> = Vec::new();
        let mut connection = self.readers().acquire().await?;
        blocks::each(&mut connection, &which, columns_read, |block| {
            let mut sources = of_source.iter();
            if sources.any(|(_, value)| name_of(block.source) != *value) {
                return Ok(());
            }
            for place in block.places() {
                if !filters.is_empty() && !all_hold(&filters, block.fact(place)?)? {
                    continue;
                }
                if matching >= from && window.len() < limit {
                    window.push(block.row(place));
                }
                matching += 1;
            }
            Ok(())
        })
        .await?;
        let mut found: HashMap<i64, Map<String, Value>> = HashMap::new();
        blocks::of_rows(&mut connection, &window, Columns::Facts, |block, place| {
            let fact: Value = serde_json::from_str(block.fact(place)?)?;
            let source = name_of(block.source);
            let shown = row(columns(kind), &fact, source, block.first_sync);
            found.insert(block.row(place), shown);
            Ok(())
        })
        .await?;
        Ok(FactTable {
            rows: window.iter().filter_map(|row| found.remove(row)).collect(),
            matching: matching as u64,
        })
    }
}

/// Whether a fact has all these values in these columns.
fn all_hold(filters: &[&(String, String)], fact: &str) -> Result<bool, StoreError> {
    // Looked at as text before it is taken apart: nearly none has it.
    let stands = |value: &str| fact.contains(&as_written(value));
    if !filters.iter().all(|(_, value)| stands(value)) {
        return Ok(false);
    }
    let fact: Value = serde_json::from_str(fact)?;
    Ok(filters.iter().all(|(column, value)| {
        fact.pointer(&pointer(column))
            .is_some_and(|found| is(found, value))
    }))
}

/// Whether a fact of a source has all these values in these columns.
pub(super) fn holds_all(filters: &[(String, String)], source: &str, fact: &Value) -> bool {
    filters.iter().all(|(column, value)| match column.as_str() {
        "source" => source == value,
        other => fact
            .pointer(&pointer(other))
            .is_some_and(|found| is(found, value)),
    })
}

/// Whether a value is what a filter asks for, as text.
fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => text == wanted,
        Value::Bool(yes) => wanted == if *yes { "true" } else { "false" },
        Value::Number(number) => number.to_string() == wanted,
        Value::Array(_) | Value::Object(_) => {
            serde_json::to_string(value).is_ok_and(|text| text == wanted)
        }
    }
}

/// Where a column stands in the fact as JSON.
fn pointer(column: &str) -> String {
    path(column).replacen('$', "", 1).replace('.', "/")
}

/// The stored fact with every column of its kind, then its attributes under `attributes`.
fn row(columns: &[&str], fact: &Value, source: String, first_sync: i64) -> Map<String, Value> {
    let mut row = Map::new();
    for column in columns {
        let value = fact
            .pointer(&pointer(column))
            .cloned()
            .unwrap_or(Value::Null);
        row.insert((*column).to_owned(), value);
    }
    if let Some(attributes) = fact.get("attributes") {
        row.insert("attributes".to_owned(), attributes.clone());
    }
    row.insert("source".to_owned(), source.into());
    row.insert("first_sync".to_owned(), first_sync.into());
    row
}
