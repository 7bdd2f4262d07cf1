//! Tables `retention`, `horizons` and `kept_moments`: how long the past is kept, how far back it is
//! whole, and which moments before that are kept whole as evidence.
//!
//! Off unless an admin sets it. Deletes versions that ended long ago and the journals of old syncs;
//! never anything current, never the log, a decision or a sync's own record. What an exported
//! package, a standing decision or a leaver rests on keeps the versions that stood at that moment.

mod belongings;
mod held;
mod run;
#[cfg(test)]
mod tests;

pub use run::{RetentionReport, RetentionResult};

use super::log::append;
use super::{Store, StoreError, SyncId};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use serde::Serialize;
use sqlx::SqliteConnection;
use ts_rs::TS;

pub(super) const MIGRATION: &str = "
CREATE TABLE retention (kind TEXT PRIMARY KEY, days INTEGER, syncs INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE horizons (kind TEXT PRIMARY KEY, sync INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE kept_moments (sync INTEGER PRIMARY KEY, reason TEXT NOT NULL) STRICT;
";

/// The word for all kinds that have no rule of their own.
pub const ALL_KINDS: &str = "all";

/// How long versions that have ended are kept. Where both are given, both must have passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RetentionRule {
    /// A kind, or `all`.
    pub kind: String,
    pub days: Option<u32>,
    /// How many of the latest syncs.
    pub syncs: Option<u32>,
}

/// How far back a kind is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Horizon {
    pub kind: String,
    /// From after this sync on.
    pub sync: u64,
}

impl Store {
    /// The rules that are set; none keeps everything.
    pub async fn retention(&self) -> Result<Vec<RetentionRule>, StoreError> {
        let rows: Vec<(String, Option<u32>, Option<u32>)> =
            sqlx::query_as("SELECT kind, days, syncs FROM retention ORDER BY kind")
                .fetch_all(self.readers())
                .await?;
        Ok(rows
            .into_iter()
            .map(|(kind, days, syncs)| RetentionRule { kind, days, syncs })
            .collect())
    }

    /// How far back each kind is whole, where something of it was deleted.
    pub async fn horizons(&self) -> Result<Vec<Horizon>, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT kind, sync FROM horizons ORDER BY kind")
                .fetch_all(self.readers())
                .await?;
        Ok(rows
            .into_iter()
            .map(|(kind, sync)| Horizon {
                kind,
                sync: sync.cast_unsigned(),
            })
            .collect())
    }

    /// Sets a rule, or takes it back where it says neither days nor syncs. Deletes nothing yet.
    pub async fn set_retention(
        &self,
        kind: Option<Kind>,
        days: Option<u32>,
        syncs: Option<u32>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let word = kind.map_or(ALL_KINDS, Kind::word);
        let mut writing = self.begin().await?;
        sqlx::query("DELETE FROM retention WHERE kind = ?1")
            .bind(word)
            .execute(&mut *writing.tx)
            .await?;
        if days.is_some() || syncs.is_some() {
            sqlx::query("INSERT INTO retention (kind, days, syncs) VALUES (?1, ?2, ?3)")
                .bind(word)
                .bind(days)
                .bind(syncs)
                .execute(&mut *writing.tx)
                .await?;
        }
        let payload = serde_json::json!({"kind": word, "days": days, "syncs": syncs});
        let who = self.operator();
        append(&mut writing.tx, who, "retention set", &payload, now).await?;
        writing.commit().await
    }

    /// The same, by itself.
    pub(super) async fn refuse_before_horizon(
        &self,
        sync: SyncId,
        kind: Option<Kind>,
    ) -> Result<(), StoreError> {
        refuse_before_horizon(&mut *self.readers().acquire().await?, sync, kind).await
    }
}

/// Refuses a moment of which something may have been deleted; of one kind, or of any.
pub(super) async fn refuse_before_horizon(
    connection: &mut SqliteConnection,
    sync: SyncId,
    kind: Option<Kind>,
) -> Result<(), StoreError> {
    match lost_before(connection, sync, kind).await? {
        None => Ok(()),
        Some(horizon) => Err(StoreError::BeforeHorizon {
            sync: sync.0,
            horizon: horizon.cast_unsigned(),
        }),
    }
}

/// The sync from which on the state is whole again, if that of this one is not.
async fn lost_before(
    connection: &mut SqliteConnection,
    sync: SyncId,
    kind: Option<Kind>,
) -> Result<Option<i64>, StoreError> {
    let (horizon,): (Option<i64>,) = sqlx::query_as(
        "SELECT max(sync) FROM horizons WHERE (?2 IS NULL OR kind = ?2) AND sync > ?1
         AND NOT EXISTS (SELECT 1 FROM kept_moments WHERE sync = ?1)",
    )
    .bind(sync.sql())
    .bind(kind.map(Kind::word))
    .fetch_one(connection)
    .await?;
    Ok(horizon)
}
