//! How completely each source was read at a moment, and which were not read at all.

use super::sources::{fresh_for_by_source, supplements};
use super::{StoreError, SyncId};
use crate::access::ReadState;
use crate::lifecycle::shows_system;
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
            removed: false,
        };
        states.insert((name, kind), state);
    }
    Ok(states.into_values().collect())
}

/// What only sources told that were removed by then, of systems that nobody said are retired: whoever
/// had something there may have it still.
async fn told_by_removed(
    connection: &mut SqliteConnection,
    at: i64,
    reads: &[ReadState],
) -> Result<Vec<ReadState>, StoreError> {
    type Row = (String, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT s.name, c.kind, c.system, max(y.read_at) FROM carried c
         JOIN sources s ON s.id = c.source
         LEFT JOIN sync_kinds k ON k.kind = c.kind AND k.complete = 1
           AND k.sync IN (SELECT id FROM syncs WHERE source = s.id AND id <= ?1)
         LEFT JOIN syncs y ON y.id = k.sync
         WHERE s.retired_at IS NULL AND c.system <> '' AND EXISTS
           (SELECT 1 FROM syncs r WHERE r.source = s.id AND r.state = 'removal' AND r.id <= ?1)
         GROUP BY s.name, c.kind, c.system ORDER BY s.name, c.kind, c.system",
    )
    .bind(at)
    .fetch_all(connection)
    .await?;
    let mut states: BTreeMap<(String, Kind), ReadState> = BTreeMap::new();
    for (name, kind_word, system, complete_at) in rows {
        let Some(kind) = Kind::from_word(&kind_word).filter(|kind| shows_system(*kind)) else {
            continue;
        };
        let mut of_kind = reads.iter().filter(|read| shows_system(read.kind));
        if of_kind.any(|read| read.is_of(&system) && !read.supplement) {
            continue;
        }
        let complete_at = complete_at.and_then(|at| DateTime::parse_from_rfc3339(&at).ok());
        let complete_at = complete_at.map(|at| at.with_timezone(&Utc));
        let state = states
            .entry((name.clone(), kind))
            .or_insert_with(|| ReadState {
                source: name.as_str().into(),
                kind,
                systems: Vec::new(),
                supplement: false,
                complete_at,
                gaps: Vec::new(),
                fresh_for_seconds: None,
                removed: true,
            });
        state.gaps.push(format!(
            "the source was removed, and no other one reads `{system}`"
        ));
        state.systems.push(system.as_str().into());
        state.complete_at = state.complete_at.min(complete_at);
    }
    Ok(states.into_values().collect())
}

/// The same with what only sources told that were removed.
pub(super) async fn all_read_states(
    connection: &mut SqliteConnection,
    at: i64,
) -> Result<Vec<ReadState>, StoreError> {
    let mut reads = read_states(&mut *connection, at).await?;
    let removed = told_by_removed(connection, at, &reads).await?;
    reads.extend(removed);
    Ok(reads)
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
