//! Tables `blocks` and `block_ends`: every version of every object, kept by the thousand.
//!
//! A version is visible at a sync S if it was first stored at or before S and had not ended by
//! then. A block holds what one page stored anew of one kind: the objects' numbers column by column,
//! their facts compressed together. It is written once and never changed, but for its stamps, which
//! say nothing of an object; what of it has ended since stands beside it. An object's row is its
//! block's and its place there, so rows grow in the order in which they were stored. There is no
//! index: a question along a reference goes through the column of that reference, eight bytes an
//! object.

mod again;
mod anew;
mod apart;
mod forget;
mod form;
mod gather;
mod marks;
mod tally;
#[cfg(test)]
mod tests;
mod visit;
mod which;

pub(super) use again::Again;
pub(super) use anew::{number_anew, stamp_anew};
pub(super) use apart::{Listing, apart};
pub(super) use forget::{forget, forgettable};
pub(super) use form::{numbers, read_numbers};
pub(super) use gather::{Gathering, Moved};
pub(super) use marks::{Mark, Span, ended_in, facts_of, marks_of, of_keys, stored_in};
pub(super) use tally::{Standing, Tally, standing};
pub(super) use visit::{
    Block, Columns, all, at_most, by_id, each, each_after, of_rows, versions_of, window,
};
pub(super) use which::{At, Which};

use super::objects::{Ending, NewVersion};
use super::{StoreError, SyncId};
use lastkey_contract::Kind;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::HashSet;

pub(super) const TABLES: &str = "
CREATE TABLE blocks (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL,
  kind TEXT NOT NULL,
  size INTEGER NOT NULL,
  first_sync INTEGER NOT NULL,
  ended_sync INTEGER,
  ending TEXT,
  froms BLOB NOT NULL,
  tos BLOB NOT NULL,
  keys BLOB NOT NULL,
  hashes BLOB NOT NULL,
  born BLOB NOT NULL,
  stamps BLOB NOT NULL,
  facts BLOB NOT NULL
) STRICT;
CREATE INDEX blocks_by_first ON blocks (first_sync);
CREATE TABLE block_ends (
  id INTEGER PRIMARY KEY,
  ended_sync INTEGER NOT NULL,
  ending TEXT NOT NULL
) STRICT;
CREATE INDEX block_ends_by_sync ON block_ends (ended_sync);
";

/// Beside a block what graphs, links and lists are made of (see `outline`): a fraction of its
/// facts, and nothing else has to be decrypted. Of a block of an earlier layout there is none.
pub(super) const OUTLINES: &str = "
CREATE TABLE IF NOT EXISTS outlines (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
";

/// Which blocks are of a kind, and of a source: whoever reads one kind of one source goes by none of
/// the others. They are no part of the layout: without them the same is found, more slowly, and the
/// next read makes them.
const INDEXES: &str = "
CREATE INDEX IF NOT EXISTS blocks_by_kind ON blocks (kind);
CREATE INDEX IF NOT EXISTS blocks_by_source ON blocks (source, kind);
";

/// Makes sure of the indexes.
pub(super) async fn index(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql(INDEXES).execute(connection).await?;
    Ok(())
}

/// A row is its block and, in these lowest bits, the place there.
pub(super) const PLACE_BITS: u32 = 12;
/// At most so many objects in a block: one is unpacked whole to read a single fact.
const MOST: usize = 1024;
/// A block that holds so much text takes no more.
const MOST_TEXT: usize = 1 << 20;

const _: () = assert!(MOST <= 1 << PLACE_BITS);

pub(super) fn row_of(block: i64, place: usize) -> i64 {
    block << PLACE_BITS | place as i64
}

/// The block that a row is in.
pub(super) fn block_of(row: i64) -> i64 {
    row >> PLACE_BITS
}

/// Every row of a block is before this one.
pub(super) fn first_row_after(block: i64) -> i64 {
    row_of(block + 1, 0)
}

pub(super) fn place_of(row: i64) -> usize {
    (row & ((1 << PLACE_BITS) - 1)) as usize
}

/// Writes new versions; gives their rows, in their order.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    sync: SyncId,
    source: i64,
    kind: Kind,
    versions: &[NewVersion<'_>],
) -> Result<Vec<i64>, StoreError> {
    let mut rows = Vec::with_capacity(versions.len());
    let mut rest = versions;
    while !rest.is_empty() {
        let mut text = 0usize;
        let size = rest
            .iter()
            .take(MOST)
            .take_while(|v| {
                let goes_on = text < MOST_TEXT;
                text += v.row.payload.len();
                goes_on
            })
            .count();
        let (part, after) = rest.split_at(size.max(1));
        rest = after;
        let content = Content::of(sync.sql(), part);
        let block = write(connection, sync.sql(), source, kind.word(), content).await?;
        rows.extend((0..part.len()).map(|place| row_of(block, place)));
    }
    Ok(rows)
}

/// The columns of a block as they are written.
struct Content {
    size: usize,
    froms: Vec<u8>,
    tos: Vec<u8>,
    keys: Vec<u8>,
    hashes: Vec<u8>,
    born: Vec<u8>,
    stamps: Vec<u8>,
    facts: Vec<u8>,
    outlines: Option<Vec<u8>>,
}

impl Content {
    fn of(first_sync: i64, part: &[NewVersion<'_>]) -> Content {
        let outlines: Option<Vec<&[u8]>> = part.iter().map(|v| v.row.outline.as_deref()).collect();
        Content {
            size: part.len(),
            froms: form::references(part.iter().map(|v| v.row.from)),
            tos: form::references(part.iter().map(|v| v.row.to)),
            keys: form::numbers(part.iter().map(|v| v.row.key_number)),
            hashes: form::hashes(part.iter().map(|v| &v.row.hash)),
            born: match part.iter().any(|v| v.born_sync != first_sync) {
                true => form::numbers(part.iter().map(|v| v.born_sync)),
                // Nearly always: they were seen first when they were stored first.
                false => Vec::new(),
            },
            stamps: form::references(part.iter().map(|v| v.row.stamp)),
            facts: form::texts(part.iter().map(|v| v.row.payload.as_bytes())),
            outlines: outlines.map(|outlines| form::outlines(&outlines)),
        }
    }
}

/// Writes one block; gives its id.
async fn write(
    connection: &mut SqliteConnection,
    first_sync: i64,
    source: i64,
    kind: &'static str,
    content: Content,
) -> Result<i64, StoreError> {
    let written = sqlx::query(
        "INSERT INTO blocks (source, kind, size, first_sync, froms, tos, keys, hashes, born, stamps, facts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )
    .bind(source)
    .bind(kind)
    .bind(content.size as i64)
    .bind(first_sync)
    .bind(content.froms)
    .bind(content.tos)
    .bind(content.keys)
    .bind(content.hashes)
    .bind(content.born)
    .bind(content.stamps)
    .bind(content.facts)
    .execute(&mut *connection)
    .await?;
    let block = written.last_insert_rowid();
    if let Some(outlines) = content.outlines {
        sqlx::query("INSERT INTO outlines (id, bytes) VALUES (?1, ?2)")
            .bind(block)
            .bind(outlines)
            .execute(&mut *connection)
            .await?;
    }
    Ok(block)
}

/// A version of an earlier layout, with how it ended.
pub(super) struct OldVersion<'a> {
    pub version: NewVersion<'a>,
    pub source: i64,
    pub kind: Kind,
    pub first_sync: i64,
    pub end: Option<(i64, String)>,
}

/// Takes over versions of an earlier layout, in their order.
pub(super) async fn take_over(
    connection: &mut SqliteConnection,
    versions: Vec<OldVersion<'_>>,
) -> Result<(), StoreError> {
    let alike = |a: &OldVersion<'_>, b: &OldVersion<'_>| {
        (a.source, a.kind, a.first_sync) == (b.source, b.kind, b.first_sync)
    };
    for group in versions.chunk_by(alike) {
        for part in group.chunks(MOST) {
            let Some(first) = part.first() else { continue };
            let rows: Vec<NewVersion<'_>> = part.iter().map(|old| old.version).collect();
            let block = write(
                connection,
                first.first_sync,
                first.source,
                first.kind.word(),
                Content::of(first.first_sync, &rows),
            )
            .await?;
            for (place, old) in part.iter().enumerate() {
                if let Some((ended_sync, ending)) = &old.end {
                    put_end(connection, row_of(block, place), *ended_sync, ending).await?;
                }
            }
        }
    }
    Ok(())
}

async fn put_end(
    connection: &mut SqliteConnection,
    row: i64,
    ended_sync: i64,
    ending: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO block_ends (id, ended_sync, ending) VALUES (?1, ?2, ?3)")
        .bind(row)
        .bind(ended_sync)
        .bind(ending)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends versions.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    sync: SyncId,
    rows: &[i64],
    ending: Ending,
) -> Result<(), StoreError> {
    for part in rows.chunks(1000) {
        let mut insert =
            QueryBuilder::<Sqlite>::new("INSERT INTO block_ends (id, ended_sync, ending) ");
        insert.push_values(part, |mut values, row| {
            values
                .push_bind(*row)
                .push_bind(sync.sql())
                .push_bind(ending.word());
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Ends all that a source holds.
pub(super) async fn end_source(
    connection: &mut SqliteConnection,
    sync: SyncId,
    source: i64,
    ending: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE blocks SET ended_sync = ?2, ending = ?3 WHERE source = ?1 AND ended_sync IS NULL",
    )
    .bind(source)
    .bind(sync.sql())
    .bind(ending)
    .execute(connection)
    .await?;
    Ok(())
}

/// Undoes a sync: its blocks go, what it ended is current again.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM block_ends WHERE ended_sync = ?1",
        "DELETE FROM block_ends WHERE EXISTS
           (SELECT 1 FROM blocks b WHERE b.first_sync = ?1 AND b.id = block_ends.id >> 12)",
        "DELETE FROM outlines WHERE id IN (SELECT id FROM blocks WHERE first_sync = ?1)",
        "DELETE FROM blocks WHERE first_sync = ?1",
        "UPDATE blocks SET ended_sync = NULL, ending = NULL WHERE ended_sync = ?1",
    ] {
        sqlx::query(sql)
            .bind(sync.sql())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The rows of a kind that a sync ended, one by one or with their source, in order.
pub(super) async fn ended_by(
    connection: &mut SqliteConnection,
    kind: Kind,
    sync: SyncId,
) -> Result<Vec<i64>, StoreError> {
    let mut rows: Vec<i64> = sqlx::query_scalar(
        "SELECT e.id FROM block_ends e JOIN blocks b ON b.id = e.id >> 12
         WHERE e.ended_sync = ?1 AND b.kind = ?2",
    )
    .bind(sync.sql())
    .bind(kind.word())
    .fetch_all(&mut *connection)
    .await?;
    let whole: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, size FROM blocks WHERE ended_sync = ?1 AND kind = ?2")
            .bind(sync.sql())
            .bind(kind.word())
            .fetch_all(&mut *connection)
            .await?;
    let before: HashSet<i64> = sqlx::query_scalar(
        "SELECT e.id FROM block_ends e JOIN blocks b ON b.id = e.id >> 12
         WHERE b.ended_sync = ?1 AND b.kind = ?2",
    )
    .bind(sync.sql())
    .bind(kind.word())
    .fetch_all(connection)
    .await?
    .into_iter()
    .collect();
    for (block, size) in whole {
        let all = (0..usize::try_from(size).unwrap_or(0)).map(|place| row_of(block, place));
        rows.extend(all.filter(|row| !before.contains(row)));
    }
    rows.sort_unstable();
    Ok(rows)
}

/// How many current objects of a kind there are.
pub(super) async fn count(
    connection: &mut SqliteConnection,
    kind: Kind,
) -> Result<u64, StoreError> {
    let (held, ended): (i64, i64) = sqlx::query_as(
        "SELECT coalesce(sum(size), 0),
         (SELECT count(*) FROM block_ends e JOIN blocks o ON o.id = e.id >> 12
          WHERE o.kind = ?1 AND o.ended_sync IS NULL)
         FROM blocks WHERE kind = ?1 AND ended_sync IS NULL",
    )
    .bind(kind.word())
    .fetch_one(connection)
    .await?;
    Ok((held - ended).cast_unsigned())
}

/// What is wrong with the blocks, one sentence each.
pub(super) async fn problems(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    let mut odd = 0u64;
    let every = Which {
        kind: None,
        source: None,
        at: At::Ever,
    };
    each(connection, &every, Columns::All, |block| {
        odd += u64::from(!block.is_whole());
        Ok(())
    })
    .await?;
    if odd > 0 {
        problems.push(format!("{odd} blocks of objects do not hold what they say"));
    }
    let (stray, backwards): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM block_ends e LEFT JOIN blocks b ON b.id = e.id >> 12
                 WHERE b.id IS NULL OR e.id & 4095 >= b.size),
         (SELECT count(*) FROM block_ends e JOIN blocks b ON b.id = e.id >> 12
          WHERE e.ended_sync < b.first_sync OR (e.ended_sync = b.first_sync AND b.first_sync NOT IN
                 (SELECT sync FROM journal WHERE what = 'restart')))
         + (SELECT count(*) FROM blocks WHERE ended_sync < first_sync)",
    )
    .fetch_one(connection)
    .await?;
    if stray > 0 {
        problems.push(format!("{stray} endings belong to no object"));
    }
    if backwards > 0 {
        problems.push(format!("{backwards} versions ended before they began"));
    }
    Ok(problems)
}
