//! Which reads of which sources tell of lifecycle events.

use super::super::{StoreError, sources::says_who_exists};
use super::{kept, moment};
use crate::lifecycle::events::Having;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

/// A complete read of a source's identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub sync: i64,
    /// The moment that it shows.
    pub at: DateTime<Utc>,
}

/// A read that was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub read: Read,
    pub having: Having,
}

/// What is to be done next for the sources; None once all is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// The source is no source of truth any more.
    Forget { source: i64 },
    Look {
        source: i64,
        before: Option<Known>,
        after: Read,
    },
}

pub(super) async fn next(connection: &mut SqliteConnection) -> Result<Option<Next>, StoreError> {
    let sources: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, settings FROM sources ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
    for (source, settings) in sources {
        let known = latest_known(&mut *connection, source).await?;
        if !says_who_exists(&serde_json::from_str(&settings)?) {
            if known.is_some() {
                return Ok(Some(Next::Forget { source }));
            }
            continue;
        }
        let after: Option<(i64, String)> = sqlx::query_as(
            "SELECT y.id, y.read_at FROM syncs y JOIN sync_kinds k ON k.sync = y.id
             WHERE y.source = ?1 AND k.kind = 'identity' AND k.complete = 1
             AND y.ended_at IS NOT NULL AND y.id > ?2
             -- Of what retention deleted, nobody would be a joiner a second time.
             AND y.id >= coalesce((SELECT sync FROM horizons WHERE kind = 'identity'), 0)
             ORDER BY y.id LIMIT 1",
        )
        .bind(source)
        .bind(known.map_or(i64::MIN, |known| known.read.sync))
        .fetch_optional(&mut *connection)
        .await?;
        if let Some((sync, at)) = after {
            return Ok(Some(Next::Look {
                source,
                before: known,
                after: Read {
                    sync,
                    at: moment(&at)?,
                },
            }));
        }
    }
    Ok(None)
}

pub(super) async fn latest_known(
    connection: &mut SqliteConnection,
    source: i64,
) -> Result<Option<Known>, StoreError> {
    let row: Option<(i64, String, String)> = sqlx::query_as(
        "SELECT read, at, attributes FROM lifecycle_reads WHERE source = ?1 ORDER BY read DESC LIMIT 1",
    )
    .bind(source)
    .fetch_optional(connection)
    .await?;
    row.map(record).transpose()
}

fn record((sync, at, having): (i64, String, String)) -> Result<Known, StoreError> {
    Ok(Known {
        read: Read {
            sync,
            at: moment(&at)?,
        },
        having: Having::parse(&having)
            .ok_or_else(|| StoreError::damaged(format!("attributes `{having}` of a read")))?,
    })
}

/// All reads of a source that were looked at, oldest first.
pub(super) async fn known(
    connection: &mut SqliteConnection,
    source: i64,
) -> Result<Vec<Known>, StoreError> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT read, at, attributes FROM lifecycle_reads WHERE source = ?1 ORDER BY read",
    )
    .bind(source)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(record).collect()
}

pub(super) async fn looked_at(
    connection: &mut SqliteConnection,
    source: i64,
    read: Read,
    having: &Having,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lifecycle_reads (source, read, at, attributes) VALUES (?1, ?2, ?3, ?4)",
    )
    .bind(source)
    .bind(read.sync)
    .bind(kept(read.at))
    .bind(having.to_text())
    .execute(connection)
    .await?;
    Ok(())
}
