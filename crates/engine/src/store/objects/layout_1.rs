//! The first layout, a table of objects, and how it becomes the second: every version is written
//! anew in the form that `canonical` gives it, and goes into the blocks.

use super::super::names::Names;
use super::super::{StoreError, blocks, links, people};
use super::layout_2::{OldRow, take_over};
use sqlx::SqliteConnection;

pub(in super::super) const MIGRATION: &str = "
CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES sources (id),
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  system TEXT,
  from_ref TEXT,
  to_ref TEXT,
  hash TEXT NOT NULL,
  payload TEXT NOT NULL,
  born_sync INTEGER NOT NULL,
  first_sync INTEGER NOT NULL,
  ended_sync INTEGER,
  ending TEXT
) STRICT;
CREATE UNIQUE INDEX objects_now ON objects (kind, key, source, ordinal) WHERE ended_sync IS NULL;
CREATE INDEX objects_by_source ON objects (source, kind, id);
CREATE INDEX objects_history ON objects (source, kind, key);
CREATE INDEX objects_from ON objects (kind, from_ref) WHERE ended_sync IS NULL AND from_ref IS NOT NULL;
CREATE INDEX objects_to ON objects (kind, to_ref) WHERE ended_sync IS NULL AND to_ref IS NOT NULL;
CREATE INDEX objects_fingerprint ON objects (json_extract(payload, '$.fingerprint')) WHERE ended_sync IS NULL AND kind = 'location';
CREATE INDEX objects_first ON objects (first_sync);
CREATE INDEX objects_ended ON objects (ended_sync) WHERE ended_sync IS NOT NULL;
CREATE TABLE carried (
  system TEXT NOT NULL,
  kind TEXT NOT NULL,
  source INTEGER NOT NULL REFERENCES sources (id),
  supplement INTEGER NOT NULL,
  PRIMARY KEY (system, kind, source)
) STRICT, WITHOUT ROWID;
";

const WINDOW: i64 = 5_000;

/// Makes the second layout out of the first. Every version keeps its syncs and its ending.
pub(in super::super) async fn to_layout_2(
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let names = Names::of_store(&mut *connection).await?;
    sqlx::raw_sql(
        "DROP INDEX objects_now; DROP INDEX objects_by_source; DROP INDEX objects_history;
         DROP INDEX objects_from; DROP INDEX objects_to; DROP INDEX objects_fingerprint;
         DROP INDEX objects_first; DROP INDEX objects_ended;
         ALTER TABLE objects RENAME TO objects_1;",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::raw_sql(blocks::TABLES)
        .execute(&mut *connection)
        .await?;
    let mut after = 0i64;
    loop {
        let rows: Vec<OldRow> = sqlx::query_as(
            "SELECT id, source, kind, payload, born_sync, first_sync, ended_sync, ending
             FROM objects_1 WHERE id > ?1 ORDER BY id LIMIT ?2",
        )
        .bind(after)
        .bind(WINDOW)
        .fetch_all(&mut *connection)
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.0;
        take_over(&mut *connection, rows, names).await?;
    }
    sqlx::raw_sql("DROP TABLE objects_1")
        .execute(&mut *connection)
        .await?;
    // Both name objects by their rows, which are other ones now.
    people::make_anew(&mut *connection).await?;
    links::forget(connection).await
}
