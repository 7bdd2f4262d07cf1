//! Writing what was made: only those parts that are not there as they are.

use super::{PART, StoreError};
use sqlx::SqliteConnection;

/// Name, bytes, and bytes for each number of every order.
pub(super) async fn put_orders(
    connection: &mut SqliteConnection,
    orders: &[(&'static str, Vec<u8>, usize)],
) -> Result<(), StoreError> {
    for (name, bytes, width) in orders {
        let stored: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT part, bytes FROM roster_orders WHERE name = ?1 ORDER BY part")
                .bind(name)
                .fetch_all(&mut *connection)
                .await?;
        let mut stored = stored.into_iter().peekable();
        let mut all = 0i64;
        for (part, bytes) in (0i64..).zip(bytes.chunks(PART * width)) {
            all = part + 1;
            let there = stored.next_if(|(one, _)| *one == part);
            if there.is_some_and(|(_, there)| there == bytes) {
                continue;
            }
            sqlx::query(
                "INSERT INTO roster_orders (name, part, bytes) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name, part) DO UPDATE SET bytes = excluded.bytes",
            )
            .bind(name)
            .bind(part)
            .bind(bytes)
            .execute(&mut *connection)
            .await?;
        }
        sqlx::query("DELETE FROM roster_orders WHERE name = ?1 AND part >= ?2")
            .bind(name)
            .bind(all)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The parts of the words, each with its first one. They follow one another as they were written:
/// where one is another, all that come after it are written anew.
pub(super) async fn put_words(
    connection: &mut SqliteConnection,
    parts: &[(Vec<u8>, Vec<u8>)],
) -> Result<(), StoreError> {
    let mut after = 0i64;
    let mut rest = parts.iter().peekable();
    loop {
        let stored: Option<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT id, first, bytes FROM roster_words WHERE id > ?1 ORDER BY id LIMIT 1",
        )
        .bind(after)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((id, first, bytes)) = stored else {
            break;
        };
        if rest
            .next_if(|one| **one == (first.clone(), bytes.clone()))
            .is_none()
        {
            break;
        }
        after = id;
    }
    sqlx::query("DELETE FROM roster_words WHERE id > ?1")
        .bind(after)
        .execute(&mut *connection)
        .await?;
    for (first, bytes) in rest {
        sqlx::query("INSERT INTO roster_words (first, bytes) VALUES (?1, ?2)")
            .bind(first)
            .bind(bytes)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
