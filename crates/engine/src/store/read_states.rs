//! How completely each source was read at a moment, and which were not read at all.

use super::sources::{fresh_for_by_source, supplements};
use super::{StoreError, SyncId};
use crate::access::ReadState;
use chrono::{DateTime, Utc};
use lastkey_contract::{Kind, SourceName};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap};

/// How completely each source was read, at a sync.
pub(super) async fn read_states(
    connection: &mut SqliteConnection,
    at: i64,
) -> Result<Vec<ReadState>, StoreError> {
    // Of each kind of a source only the latest read, and the latest complete one: a source may
    // have been read any number of times.
    type Row = (i64, String, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT s.id, s.name, l.kind, k.gaps, w.read_at
             FROM (SELECT y.source AS source, k.kind AS kind, max(y.id) AS sync,
                          max(CASE WHEN k.complete = 1 THEN y.id END) AS whole
                   FROM syncs y JOIN sync_kinds k ON k.sync = y.id
                   WHERE y.id <= ?1 GROUP BY y.source, k.kind) l
             JOIN sources s ON s.id = l.source
             JOIN sync_kinds k ON k.sync = l.sync AND k.kind = l.kind
             LEFT JOIN syncs w ON w.id = l.whole
             WHERE NOT EXISTS
               (SELECT 1 FROM syncs r WHERE r.source = s.id AND r.state = 'removal' AND r.id <= ?1)
             ORDER BY s.id",
    )
    .bind(at)
    .fetch_all(&mut *connection)
    .await?;
    let mut carried: HashMap<(i64, String), Vec<String>> = HashMap::new();
    let systems: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT source, kind, system FROM carried ORDER BY system")
            .fetch_all(&mut *connection)
            .await?;
    for (source, kind, system) in systems {
        carried.entry((source, kind)).or_default().push(system);
    }
    let supplements = supplements(&mut *connection).await?;
    let fresh_for = fresh_for_by_source(connection).await?;
    let mut states: BTreeMap<(String, Kind), ReadState> = BTreeMap::new();
    for (source, name, kind_word, gaps, complete_at) in rows {
        let Some(kind) = Kind::from_word(&kind_word) else {
            continue;
        };
        let systems = carried.get(&(source, kind_word)).into_iter().flatten();
        let state = ReadState {
            source: name.as_str().into(),
            kind,
            systems: systems.map(|system| system.as_str().into()).collect(),
            supplement: supplements.contains(&source),
            complete_at: complete_at
                .and_then(|at| DateTime::parse_from_rfc3339(&at).ok())
                .map(|t| t.with_timezone(&Utc)),
            gaps: serde_json::from_str(&gaps)?,
            fresh_for_seconds: fresh_for.get(&source).copied(),
        };
        states.insert((name, kind), state);
    }
    Ok(states.into_values().collect())
}

/// Sources of today that no sync has opened. Of an earlier moment none is named: when a
/// source was added says the log, not the state then.
pub(super) async fn never_read(
    connection: &mut SqliteConnection,
    as_of: Option<SyncId>,
) -> Result<Vec<SourceName>, StoreError> {
    if as_of.is_some() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT s.name FROM sources s WHERE s.removed_at IS NULL AND NOT EXISTS
           (SELECT 1 FROM syncs y JOIN sync_kinds k ON k.sync = y.id WHERE y.source = s.id)
         ORDER BY s.name",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(name,)| name.into()).collect())
}
