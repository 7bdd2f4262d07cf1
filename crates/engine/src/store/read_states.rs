//! How completely each source was read at a moment, and which were not read at all.

use super::blocks::{self, At, Columns, Which};
use super::sources::{fresh_for_by_source, supplements};
use super::{StoreError, SyncId};
use crate::access::ReadState;
use chrono::{DateTime, Utc};
use lastkey_contract::{Kind, SourceName};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

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

/// What of a system only a source told that was removed, in one kind.
struct OnlyTold {
    source: i64,
    name: String,
    kind: Kind,
    system: String,
    complete_at: Option<DateTime<Utc>>,
}

/// What sources told that were removed by then, of systems that nobody said are retired.
async fn told_once(
    connection: &mut SqliteConnection,
    at: i64,
) -> Result<Vec<OnlyTold>, StoreError> {
    type Row = (i64, String, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT s.id, s.name, c.kind, c.system, max(y.read_at) FROM carried c
         JOIN sources s ON s.id = c.source
         LEFT JOIN sync_kinds k ON k.kind = c.kind AND k.complete = 1
           AND k.sync IN (SELECT id FROM syncs WHERE source = s.id AND id <= ?1)
         LEFT JOIN syncs y ON y.id = k.sync
         WHERE s.retired_at IS NULL AND c.system <> '' AND EXISTS
           (SELECT 1 FROM syncs r WHERE r.source = s.id AND r.state = 'removal' AND r.id <= ?1)
         GROUP BY s.id, c.kind, c.system ORDER BY s.name, s.id, c.kind, c.system",
    )
    .bind(at)
    .fetch_all(connection)
    .await?;
    let told = rows
        .into_iter()
        .filter_map(|(source, name, kind, system, read_at)| {
            let read_at = read_at.and_then(|at| DateTime::parse_from_rfc3339(&at).ok());
            Some(OnlyTold {
                source,
                name,
                kind: Kind::from_word(&kind)?,
                system,
                complete_at: read_at.map(|at| at.with_timezone(&Utc)),
            })
        });
    Ok(told.collect())
}

/// Whether a source that was removed listed something of a kind to the last that no other one lists
/// now. Where its versions were deleted that is not known, and so it may have.
async fn lost(
    connection: &mut SqliteConnection,
    (source, kind): (i64, Kind),
    at: At,
) -> Result<bool, StoreError> {
    let removal: Option<i64> = sqlx::query_scalar(
        "SELECT max(id) FROM syncs WHERE source = ?1 AND state = 'removal' AND id <= ?2",
    )
    .bind(source)
    .bind(at.limit())
    .fetch_one(&mut *connection)
    .await?;
    let mut ended: HashSet<i64> = HashSet::new();
    let of_source = Which::ever(kind).of_source(source);
    blocks::each(&mut *connection, &of_source, Columns::Keys, |block| {
        let places = block.places();
        let last = places.filter(|place| block.ended_sync(*place) == removal);
        ended.extend(last.filter_map(|place| block.keys.get(place)));
        Ok(())
    })
    .await?;
    if ended.is_empty() {
        return Ok(true);
    }
    let now = Which {
        at,
        ..Which::now(kind)
    };
    blocks::each(connection, &now, Columns::Keys, |block| {
        for key in block.places().filter_map(|place| block.keys.get(place)) {
            ended.remove(key);
        }
        Ok(())
    })
    .await?;
    Ok(!ended.is_empty())
}

/// What only sources told that were removed by then: whoever had something there may have it still.
/// A source that speaks for the same kind of the system has all of it; what a supplement had added is
/// covered only where somebody lists it.
async fn told_by_removed(
    connection: &mut SqliteConnection,
    at: At,
    reads: &[ReadState],
) -> Result<Vec<ReadState>, StoreError> {
    let told = told_once(&mut *connection, at.limit()).await?;
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let supplements = supplements(&mut *connection).await?;
    let mut losses: HashMap<(i64, Kind), bool> = HashMap::new();
    let mut states: BTreeMap<(String, Kind), ReadState> = BTreeMap::new();
    for one in told {
        match one.kind {
            Kind::Identity | Kind::Session | Kind::Task => continue,
            Kind::Account
            | Kind::Entitlement
            | Kind::Grant
            | Kind::Credential
            | Kind::Location
            | Kind::Reader
            | Kind::Control
            | Kind::Owner => {}
        }
        let mut of_kind = reads.iter().filter(|read| read.kind == one.kind);
        let told_by_another = of_kind.any(|read| read.is_of(&one.system) && !read.supplement);
        if told_by_another && !supplements.contains(&one.source) {
            continue;
        }
        let of = (one.source, one.kind);
        let loses = match losses.get(&of) {
            Some(loses) => *loses,
            None => {
                let loses = lost(&mut *connection, of, at).await?;
                losses.insert(of, loses);
                loses
            }
        };
        if !loses {
            continue;
        }
        let key = (one.name.clone(), one.kind);
        let state = states.entry(key).or_insert_with(|| ReadState {
            source: one.name.as_str().into(),
            kind: one.kind,
            systems: Vec::new(),
            supplement: false,
            complete_at: one.complete_at,
            gaps: Vec::new(),
            fresh_for_seconds: None,
            removed: true,
        });
        let system = &one.system;
        state.gaps.push(format!(
            "the source was removed, and no other one tells what it told of `{system}`"
        ));
        state.systems.push(system.as_str().into());
        state.complete_at = state.complete_at.min(one.complete_at);
    }
    Ok(states.into_values().collect())
}

/// The same with what only sources told that were removed.
pub(super) async fn all_read_states(
    connection: &mut SqliteConnection,
    at: At,
) -> Result<Vec<ReadState>, StoreError> {
    let mut reads = read_states(&mut *connection, at.limit()).await?;
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
