//! Every fact of a kind at a moment, wherever it is kept, in the order in which it was stored.
//!
//! Whoever reads many facts goes through here: whether a kind is kept in rows or in blocks is
//! nobody else's concern. Flat memory: a window of rows or a few blocks at once.

use super::blocks::{self, At, Columns, Which};
use super::{StoreError, many};
use lastkey_contract::Kind;
use serde_json::value::RawValue;
use sqlx::SqliteConnection;

/// One fact that stands at the moment that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'t> {
    /// Its row in `objects`, or in the blocks.
    pub row: i64,
    pub source: i64,
    /// The sync that stored this version.
    pub first_sync: i64,
    /// The fact as JSON.
    pub fact: &'t str,
}

/// Visible at the sync ?3, or whatever was ever stored where ?4 (see `objects`).
const VISIBLE: &str = "first_sync <= ?3 AND (?4 OR ended_sync IS NULL OR ended_sync > ?3)";

/// Takes every fact of a kind.
pub(super) async fn each(
    connection: &mut SqliteConnection,
    kind: Kind,
    source: Option<i64>,
    at: At,
    mut take: impl FnMut(Standing<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if blocks::hold(kind) {
        let which = Which {
            kind: Some(kind),
            source,
            at,
        };
        return blocks::each(connection, &which, Columns::Facts, |block| {
            block.places().try_for_each(|place| {
                take(Standing {
                    row: block.row(place),
                    source: block.source,
                    first_sync: block.first_sync,
                    fact: block.fact(place)?,
                })
            })
        })
        .await;
    }
    let sql = many::joined(
        &["id", "source", "first_sync", "payload"],
        &format!(
            "SELECT id, source, first_sync, payload FROM objects NOT INDEXED
             WHERE id > ?1 AND kind = ?2 AND {VISIBLE} AND (?5 IS NULL OR source = ?5)
             ORDER BY id LIMIT ?6"
        ),
    );
    let mut after = 0i64;
    loop {
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.clone()))
            .bind(after)
            .bind(kind.word())
            .bind(at.limit())
            .bind(at == At::Ever)
            .bind(source)
            .bind(many::FACTS)
            .fetch_one(&mut *connection)
            .await?;
        let rows: Vec<(i64, i64, i64, &RawValue)> = many::rows(&text)?;
        let Some((last, _, _, _)) = rows.last() else {
            return Ok(());
        };
        after = *last;
        for (row, source, first_sync, fact) in rows {
            take(Standing {
                row,
                source,
                first_sync,
                fact: fact.get(),
            })?;
        }
    }
}
