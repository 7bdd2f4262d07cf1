//! Table `unseen`: which objects an unfinished read did not show although they were current.
//!
//! A read that was cut short, clipped or held removes nothing. That something was not in it is
//! still worth knowing: a diff tells it apart from what was proved gone. Kept as the shorter of two
//! lists, those that were shown and those that were not, packed: a bit more than a byte each.

use super::blocks::{self, At, Columns, Which};
use super::spans::{pack, unpack};
use super::{StoreError, SyncId};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::HashSet;

pub(super) const MIGRATION: &str = "
CREATE TABLE unseen (
  sync INTEGER NOT NULL,
  kind TEXT NOT NULL,
  list TEXT NOT NULL,
  rows BLOB NOT NULL,
  PRIMARY KEY (sync, kind)
) STRICT;
";

/// What an unfinished read met and did not meet of what was known before, both sorted.
pub(super) struct Unfinished {
    pub shown: Vec<i64>,
    pub missing: Vec<i64>,
}

const SHOWN: &str = "shown";
const MISSING: &str = "missing";

pub(super) async fn put(
    connection: &mut SqliteConnection,
    sync: SyncId,
    kind: Kind,
    unfinished: &Unfinished,
) -> Result<(), StoreError> {
    let (list, rows) = match unfinished.missing.len() <= unfinished.shown.len() {
        true => (MISSING, &unfinished.missing),
        false => (SHOWN, &unfinished.shown),
    };
    sqlx::query("INSERT OR REPLACE INTO unseen (sync, kind, list, rows) VALUES (?1, ?2, ?3, ?4)")
        .bind(sync.sql())
        .bind(kind.word())
        .bind(list)
        .bind(pack(rows))
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets what a sync did not show of a kind (or, without one, of anything).
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    sync: SyncId,
    kind: Option<Kind>,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM unseen WHERE sync = ?1 AND (?2 IS NULL OR kind = ?2)")
        .bind(sync.sql())
        .bind(kind.map(Kind::word))
        .execute(connection)
        .await?;
    Ok(())
}

/// Which of some rows, that stood when an unfinished sync read, it did not show; none where that was
/// not noted.
pub(super) async fn left_out(
    connection: &mut SqliteConnection,
    sync: i64,
    kind: Kind,
    stood: &[i64],
) -> Result<Vec<i64>, StoreError> {
    let told = shown_or_not(connection, sync, kind, stood).await?;
    Ok(told.map_or_else(Vec::new, |(_, left_out)| left_out))
}

/// Which of them it did show; none where that was not noted.
pub(super) async fn shown(
    connection: &mut SqliteConnection,
    sync: i64,
    kind: Kind,
    stood: &[i64],
) -> Result<Vec<i64>, StoreError> {
    let told = shown_or_not(connection, sync, kind, stood).await?;
    Ok(told.map_or_else(Vec::new, |(shown, _)| shown))
}

/// Some rows that stood then, parted into those that it showed and those that it did not.
async fn shown_or_not(
    connection: &mut SqliteConnection,
    sync: i64,
    kind: Kind,
    stood: &[i64],
) -> Result<Option<(Vec<i64>, Vec<i64>)>, StoreError> {
    let Some((list, rows)) = noted(connection, sync, kind).await? else {
        return Ok(None);
    };
    let stood = stood.iter().copied();
    let (listed, others) = stood.partition(|row| rows.binary_search(row).is_ok());
    Ok(Some(match list {
        List::Shown => (listed, others),
        List::Missing => (others, listed),
    }))
}

/// Which of the two lists was kept.
enum List {
    Shown,
    Missing,
}

async fn noted(
    connection: &mut SqliteConnection,
    sync: i64,
    kind: Kind,
) -> Result<Option<(List, Vec<i64>)>, StoreError> {
    let found: Option<(String, Vec<u8>)> =
        sqlx::query_as("SELECT list, rows FROM unseen WHERE sync = ?1 AND kind = ?2")
            .bind(sync)
            .bind(kind.word())
            .fetch_optional(connection)
            .await?;
    let Some((word, rows)) = found else {
        return Ok(None);
    };
    let list = match word.as_str() {
        SHOWN => List::Shown,
        MISSING => List::Missing,
        _ => return Err(StoreError::damaged(format!("list `{word}` of unseen rows"))),
    };
    Ok(Some((list, unpack(&rows))))
}

/// The rows that a source's unfinished sync did not show of a kind, sorted; None where it was not
/// noted. Rows that stood when it read and have ended since may be among them.
pub(super) async fn of_sync(
    connection: &mut SqliteConnection,
    sync: i64,
    source: i64,
    kind: Kind,
) -> Result<Option<Vec<i64>>, StoreError> {
    let Some((list, rows)) = noted(&mut *connection, sync, kind).await? else {
        return Ok(None);
    };
    let shown: HashSet<i64> = match list {
        List::Missing => return Ok(Some(rows)),
        List::Shown => rows.into_iter().collect(),
    };
    let which = Which {
        at: At::Sync(sync),
        ..Which::now(kind).of_source(source)
    };
    let mut missing = Vec::new();
    blocks::each(connection, &which, Columns::Nothing, |block| {
        // What the sync itself stored it showed.
        if block.first_sync != sync {
            let rows = block.places().map(|place| block.row(place));
            missing.extend(rows.filter(|row| !shown.contains(row)));
        }
        Ok(())
    })
    .await?;
    Ok(Some(missing))
}
