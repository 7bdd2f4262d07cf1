//! The second layout, which kept grants, credentials and a few others in blocks and the rest in a
//! table `objects`, and how it becomes the third: everything in blocks, under new numbers.

use super::super::blocks::{self, Columns, Which};
use super::super::names::Names;
use super::super::{StoreError, links, people};
use super::{NewVersion, ObjectRow};
use lastkey_contract::{Fact, Kind};
use sqlx::SqliteConnection;

const WINDOW: i64 = 5_000;

/// Row, source, kind, payload, and the syncs of its birth, first sight and end with the reason.
pub(super) type OldRow = (
    i64,
    i64,
    String,
    String,
    i64,
    i64,
    Option<i64>,
    Option<String>,
);

/// Makes the third layout out of the second. Every version keeps its syncs and its ending. Does
/// nothing to a store that has no table `objects`: it came from the first layout just now.
pub(in super::super) async fn to_layout_3(
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let (tables,): (i64,) = sqlx::query_as(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'objects'",
    )
    .fetch_one(&mut *connection)
    .await?;
    if tables == 0 {
        return Ok(());
    }
    sqlx::raw_sql(
        "DROP INDEX blocks_by_first; DROP INDEX block_ends_by_sync;
         ALTER TABLE blocks RENAME TO blocks_2;
         ALTER TABLE block_ends RENAME TO block_ends_2;",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::raw_sql(blocks::TABLES)
        .execute(&mut *connection)
        .await?;
    // Nothing is known of the stamps that their objects had.
    sqlx::raw_sql(
        "INSERT INTO blocks (id, source, kind, size, first_sync, ended_sync, ending, froms, tos,
                             keys, hashes, born, stamps, facts)
         SELECT id, source, kind, size, first_sync, ended_sync, ending, froms, tos,
                keys, hashes, born, x'', facts FROM blocks_2;
         INSERT INTO block_ends (id, ended_sync, ending)
         SELECT id, ended_sync, ending FROM block_ends_2;
         DROP TABLE blocks_2; DROP TABLE block_ends_2;",
    )
    .execute(&mut *connection)
    .await?;
    let names = Names::of_store(&mut *connection).await?;
    for kind in Kind::ALL {
        number_anew(&mut *connection, kind, names).await?;
    }
    let mut after = 0i64;
    loop {
        let rows: Vec<OldRow> = sqlx::query_as(
            "SELECT id, source, kind, payload, born_sync, first_sync, ended_sync, ending
             FROM objects WHERE id > ?1 ORDER BY id LIMIT ?2",
        )
        .bind(after)
        .bind(WINDOW)
        .fetch_all(&mut *connection)
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.0;
        take_over(&mut *connection, rows, names).await?;
    }
    // What a read that was cut off had met it named by rows, which are other ones now: it begins
    // anew where it would have gone on.
    sqlx::raw_sql("DROP TABLE objects; DELETE FROM checkpoints; DELETE FROM met;")
        .execute(&mut *connection)
        .await?;
    people::make_anew(&mut *connection).await?;
    links::forget(connection).await
}

/// Puts versions of a table into the blocks.
pub(super) async fn take_over(
    connection: &mut SqliteConnection,
    rows: Vec<OldRow>,
    names: Names,
) -> Result<(), StoreError> {
    let rows: Vec<(OldRow, ObjectRow)> = rows
        .into_iter()
        .map(|old| {
            let fact: Fact = serde_json::from_str(&old.3)?;
            let new = ObjectRow::of(&fact, names)?;
            Ok((old, new))
        })
        .collect::<Result<_, StoreError>>()?;
    let packed = rows
        .iter()
        .map(|((_, source, kind, _, born, first, ended, ending), row)| {
            Ok(blocks::OldVersion {
                version: NewVersion {
                    born_sync: *born,
                    row,
                },
                source: *source,
                kind: Kind::from_word(kind)
                    .ok_or_else(|| StoreError::damaged(format!("kind `{kind}` of an object")))?,
                first_sync: *first,
                end: ended.map(|sync| (sync, ending.clone().unwrap_or_default())),
            })
        })
        .collect::<Result<_, StoreError>>()?;
    blocks::take_over(connection, packed).await
}

/// Gives the keys and references of a kind's blocks the numbers of today.
async fn number_anew(
    connection: &mut SqliteConnection,
    kind: Kind,
    names: Names,
) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let window =
            blocks::window(&mut *connection, &Which::ever(kind), Columns::Facts, after).await?;
        let Some(last) = window.last() else {
            return Ok(());
        };
        after = last.id;
        for block in &window {
            let rows = block
                .places()
                .map(|place| {
                    let fact: Fact = serde_json::from_str(block.fact(place)?)?;
                    ObjectRow::of(&fact, names)
                })
                .collect::<Result<Vec<_>, StoreError>>()?;
            blocks::number_anew(&mut *connection, block.id, &rows).await?;
        }
    }
}
