//! How many rows of each block a table has, so that a window of it is found without reading what
//! stands before.

use super::super::StoreError;
use super::PLACE_BITS;
use super::which::At;
use lastkey_contract::Kind;
use sqlx::SqliteConnection;

/// Blocks in the order in which they were stored, each with how many of its rows count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Tally {
    counts: Vec<(i64, u64)>,
    total: u64,
}

impl Tally {
    /// Adds rows of a block, which must not come before those already added.
    pub fn add(&mut self, block: i64, rows: usize) {
        let rows = rows as u64;
        self.total += rows;
        match self.counts.last_mut().filter(|(last, _)| *last == block) {
            Some((_, count)) => *count += rows,
            None if rows > 0 => self.counts.push((block, rows)),
            None => {}
        }
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// Every block that has one.
    pub fn blocks(&self) -> Vec<i64> {
        self.counts.iter().map(|(block, _)| *block).collect()
    }

    /// The blocks that hold the rows from a place on, at most so many, and how many rows of the
    /// first of them come before that place.
    pub fn window(&self, from: u64, limit: u64) -> (Vec<i64>, u64) {
        let end = from.saturating_add(limit);
        let (mut at, mut before, mut blocks) = (0u64, 0, Vec::new());
        for (block, count) in &self.counts {
            if at >= end {
                break;
            }
            if at + count > from {
                if blocks.is_empty() {
                    before = from - at;
                }
                blocks.push(*block);
            }
            at += count;
        }
        (blocks, before)
    }
}

/// A block and how many of its objects stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Standing {
    pub block: i64,
    pub source: i64,
    pub kind: Kind,
    pub rows: usize,
}

/// Every block of which anything stands, in the order in which they were stored.
pub(in super::super) async fn standing(
    connection: &mut SqliteConnection,
    at: At,
) -> Result<Vec<Standing>, StoreError> {
    let rows: Vec<(i64, i64, String, i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT b.id, b.source, b.kind, b.size,
         (SELECT count(*) FROM block_ends e WHERE e.id >= b.id << {PLACE_BITS}
          AND e.id < (b.id + 1) << {PLACE_BITS} AND e.ended_sync <= ?1)
         FROM blocks b WHERE b.first_sync <= ?1 AND (b.ended_sync IS NULL OR b.ended_sync > ?1)
         ORDER BY b.id"
    )))
    .bind(at.limit())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(block, source, kind, size, ended)| {
            let kind = Kind::from_word(&kind)
                .ok_or_else(|| StoreError::damaged(format!("kind `{kind}` of a block")))?;
            Ok(Standing {
                block,
                source,
                kind,
                rows: usize::try_from(size - ended).unwrap_or(0),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_hold_what_a_plain_list_holds(
            counts in proptest::collection::vec(0usize..6, 0..30),
            from in 0u64..120,
            limit in 0u64..40,
        ) {
            let mut tally = Tally::default();
            let mut plain: Vec<i64> = Vec::new();
            for (block, count) in (1i64..).zip(&counts) {
                tally.add(block, *count);
                plain.extend(std::iter::repeat_n(block, *count));
            }
            prop_assert_eq!(tally.total(), plain.len() as u64);
            let (blocks, before) = tally.window(from, limit);
            // What the window's blocks hold, without what comes before and what comes after.
            let held = plain.iter().filter(|block| blocks.contains(block));
            let found: Vec<i64> = held.skip(before as usize).take(limit as usize).copied().collect();
            let wanted: Vec<i64> =
                plain.iter().skip(from as usize).take(limit as usize).copied().collect();
            prop_assert_eq!(found, wanted);
            // And no block is read for nothing but those at the ends.
            prop_assert!(blocks.len() as u64 <= limit.max(1));
        }
    }
}
