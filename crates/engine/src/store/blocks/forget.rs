//! Versions that may be deleted, block by block: a block goes whole or stays whole.

use super::super::StoreError;
use super::visit::{Block, Columns};
use super::which::Which;
use super::{first_row_after, row_of};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashSet};

/// What of a kind may go.
#[derive(Debug, Default)]
pub(in super::super) struct Forgettable {
    pub blocks: Vec<i64>,
    pub versions: u64,
    /// Versions that stay because a moment holds them, by the first such moment.
    pub held: BTreeMap<i64, u64>,
    /// Versions that stay because they are of a record that is kept.
    pub of_kept: u64,
    /// Versions that nothing holds, in blocks that stay.
    pub packed_with_kept: u64,
}

/// The blocks all of whose versions ended by a sync, stood at none of these moments, in order, and
/// are of none of these records (source row and number of the key).
pub(in super::super) async fn forgettable(
    connection: &mut SqliteConnection,
    kind: Kind,
    upto: i64,
    moments: &[i64],
    kept: &HashSet<(i64, i64)>,
) -> Result<Forgettable, StoreError> {
    // A later block must never get the number of one that is gone.
    let (newest,): (Option<i64>,) = sqlx::query_as("SELECT max(id) FROM blocks")
        .fetch_one(&mut *connection)
        .await?;
    let mut found = Forgettable::default();
    let columns = match kept.is_empty() {
        true => Columns::Nothing,
        false => Columns::Keys,
    };
    let is_kept = |block: &Block, place: usize| {
        let key = block.keys.get(place);
        key.is_some_and(|key| kept.contains(&(block.source, *key)))
    };
    super::each(connection, &Which::ever(kind), columns, |block| {
        let (mut all, mut free) = (0u64, 0u64);
        for place in block.places() {
            all += 1;
            let Some(ended) = block.ended_sync(place).filter(|ended| *ended <= upto) else {
                continue;
            };
            let first = moments.partition_point(|moment| *moment < block.first_sync);
            match moments.get(first).filter(|moment| **moment < ended) {
                Some(moment) => *found.held.entry(*moment).or_default() += 1,
                None if is_kept(block, place) => found.of_kept += 1,
                None => free += 1,
            }
        }
        if free == all && newest != Some(block.id) {
            found.blocks.push(block.id);
            found.versions += free;
        } else {
            found.packed_with_kept += free;
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Deletes blocks with what is noted of them.
pub(in super::super) async fn forget(
    connection: &mut SqliteConnection,
    blocks: &[i64],
) -> Result<(), StoreError> {
    for block in blocks {
        sqlx::query("DELETE FROM block_ends WHERE id >= ?1 AND id < ?2")
            .bind(row_of(*block, 0))
            .bind(first_row_after(*block))
            .execute(&mut *connection)
            .await?;
        remove(&mut *connection, *block).await?;
    }
    Ok(())
}

/// Deletes a block with its outlines.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    block: i64,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM outlines WHERE id = ?1",
        "DELETE FROM blocks WHERE id = ?1",
    ] {
        sqlx::query(statement)
            .bind(block)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
