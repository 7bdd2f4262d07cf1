//! Versions as comparing moments needs them: what they are of, their content's hash, and the
//! syncs between which they stood.

use super::super::objects::ContentHash;
use super::super::{StoreError, SyncId};
use super::visit::{Block, Columns, by_id, window_since};
use super::which::{At, Which};
use super::{block_of, of_rows, place_of, row_of};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Mark {
    pub row: i64,
    pub source: i64,
    pub key: i64,
    pub hash: ContentHash,
    pub first: i64,
    pub ended: Option<i64>,
}

/// Syncs after the first of the two and up to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Span {
    pub after: i64,
    pub upto: i64,
}

impl Span {
    pub fn of(after: SyncId, upto: SyncId) -> Span {
        Span {
            after: after.sql(),
            upto: upto.sql(),
        }
    }

    pub fn holds(self, sync: i64) -> bool {
        self.after < sync && sync <= self.upto
    }
}

/// How many blocks with their marks are in memory at once.
const MANY: usize = 128;

fn mark(block: &Block, place: usize) -> Result<Mark, StoreError> {
    let (Some(key), Some(hash)) = (block.keys.get(place), block.hashes.get(place)) else {
        return Err(StoreError::damaged("a block of objects lacks a key"));
    };
    Ok(Mark {
        row: block.row(place),
        source: block.source,
        key: *key,
        hash: *hash,
        first: block.first_sync,
        ended: block.ended_sync(place),
    })
}

/// Every version of a kind that ended within the span: one by one, or with its whole source.
pub(in super::super) async fn ended_in(
    connection: &mut SqliteConnection,
    kind: Kind,
    span: Span,
    mut take: impl FnMut(Mark),
) -> Result<(), StoreError> {
    let of_kind: Vec<(i64, Option<i64>)> =
        sqlx::query_as("SELECT id, ended_sync FROM blocks WHERE kind = ?1")
            .bind(kind.word())
            .fetch_all(&mut *connection)
            .await?;
    let ids: HashSet<i64> = of_kind.iter().map(|(id, _)| *id).collect();
    let ends: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM block_ends WHERE ended_sync > ?1 AND ended_sync <= ?2")
            .bind(span.after)
            .bind(span.upto)
            .fetch_all(&mut *connection)
            .await?;
    let touched = ends.into_iter().map(block_of).filter(|id| ids.contains(id));
    let whole = of_kind
        .iter()
        .filter(|(_, ended)| ended.is_some_and(|e| span.holds(e)));
    let mut touched: Vec<i64> = touched.chain(whole.map(|(id, _)| *id)).collect();
    touched.sort_unstable();
    touched.dedup();
    for part in touched.chunks(MANY) {
        for block in by_id(&mut *connection, part, Columns::Marks, At::Ever).await? {
            for place in block.places() {
                if block.ended_sync(place).is_some_and(|e| span.holds(e)) {
                    take(mark(&block, place)?);
                }
            }
        }
    }
    Ok(())
}

/// The next versions of a kind that were stored within the span and stand at its end, after the
/// block `after`, which moves on; empty at the end.
pub(in super::super) async fn stored_in(
    connection: &mut SqliteConnection,
    kind: Kind,
    span: Span,
    after: &mut i64,
) -> Result<Vec<Mark>, StoreError> {
    let which = Which {
        at: At::Sync(span.upto),
        ..Which::now(kind)
    };
    loop {
        let blocks =
            window_since(&mut *connection, &which, Columns::Marks, *after, span.after).await?;
        let Some(last) = blocks.last() else {
            return Ok(Vec::new());
        };
        *after = last.id;
        let mut marks = Vec::new();
        for block in &blocks {
            for place in block.places() {
                marks.push(mark(block, place)?);
            }
        }
        // Blocks all of whose objects have ended say nothing, and are not the end.
        if !marks.is_empty() {
            return Ok(marks);
        }
    }
}

/// Every version, whenever it stood, of the keys with these numbers; by source and key, oldest
/// first.
pub(in super::super) async fn of_keys(
    connection: &mut SqliteConnection,
    kind: Kind,
    keys: &HashSet<i64>,
) -> Result<Vec<Mark>, StoreError> {
    let mut marks = Vec::new();
    super::each(connection, &Which::ever(kind), Columns::Marks, |block| {
        for (place, key) in block.keys.iter().enumerate() {
            if keys.contains(key) {
                marks.push(mark(block, place)?);
            }
        }
        Ok(())
    })
    .await?;
    marks.sort_by_key(|mark| (mark.source, mark.key, mark.first, mark.row));
    Ok(marks)
}

/// The versions of some rows.
pub(in super::super) async fn marks_of(
    connection: &mut SqliteConnection,
    rows: &[i64],
) -> Result<Vec<Mark>, StoreError> {
    let mut places: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for row in rows {
        let places = places.entry(block_of(*row)).or_default();
        places.push(place_of(*row));
    }
    let ids: Vec<i64> = places.keys().copied().collect();
    let mut marks = Vec::with_capacity(rows.len());
    for part in ids.chunks(MANY) {
        for block in by_id(&mut *connection, part, Columns::Marks, At::Ever).await? {
            for place in places.get(&block.id).into_iter().flatten() {
                marks.push(mark(&block, *place)?);
            }
        }
    }
    Ok(marks)
}

/// The facts of some rows, as JSON.
pub(in super::super) async fn facts_of(
    connection: &mut SqliteConnection,
    rows: &[i64],
) -> Result<HashMap<i64, String>, StoreError> {
    let mut facts = HashMap::with_capacity(rows.len());
    of_rows(connection, rows, Columns::Facts, |block, place| {
        facts.insert(row_of(block.id, place), block.fact(place)?.to_owned());
        Ok(())
    })
    .await?;
    Ok(facts)
}
