//! What is changed in blocks that were written: stamps, and numbers where the store's layout changes.

use super::super::StoreError;
use super::super::objects::ObjectRow;
use super::visit::{Columns, by_id};
use super::which::At;
use super::{block_of, form, place_of};
use sqlx::SqliteConnection;

/// Gives objects other stamps, in the order of their rows: all that is ever changed in a block.
pub(in super::super) async fn stamp_anew(
    connection: &mut SqliteConnection,
    stamps: &[(i64, i64)],
) -> Result<(), StoreError> {
    let of_block = |(a, _): &(i64, i64), (b, _): &(i64, i64)| block_of(*a) == block_of(*b);
    for anew in stamps.chunk_by(of_block) {
        let Some(block) = anew.first().map(|(row, _)| block_of(*row)) else {
            continue;
        };
        let read = by_id(&mut *connection, &[block], Columns::Marks, At::Ever).await?;
        for block in read {
            let mut column: Vec<Option<i64>> = block.places().map(|n| block.stamp(n)).collect();
            for (row, stamp) in anew {
                if let Some(old) = column.get_mut(place_of(*row)) {
                    *old = Some(*stamp);
                }
            }
            sqlx::query("UPDATE blocks SET stamps = ?2 WHERE id = ?1")
                .bind(block.id)
                .bind(form::references(column.into_iter()))
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Gives the objects of a block other numbers, all of them in their order.
pub(in super::super) async fn number_anew(
    connection: &mut SqliteConnection,
    block: i64,
    rows: &[ObjectRow],
) -> Result<(), StoreError> {
    sqlx::query("UPDATE blocks SET keys = ?2, froms = ?3, tos = ?4 WHERE id = ?1")
        .bind(block)
        .bind(form::numbers(rows.iter().map(|row| row.key_number)))
        .bind(form::references(rows.iter().map(|row| row.from)))
        .bind(form::references(rows.iter().map(|row| row.to)))
        .execute(connection)
        .await?;
    Ok(())
}
