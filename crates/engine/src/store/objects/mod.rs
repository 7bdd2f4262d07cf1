//! Table `objects`: every version of every object of every source.
//!
//! A version is visible at a sync S if it was first stored at or before S and had
//! not ended by then. Objects that stand for themselves are here, with their key as text, which
//! lists sort by; grants, credentials and others, of which there are millions, are in `blocks`. The
//! two references make lookups along facts quick (see `names`).

pub(super) mod layout_1;

use super::names::Names;
use super::{StoreError, SyncId, blocks, canonical, people};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Fact, Principal};
use sha2::{Digest, Sha256};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

pub(super) const LAYOUT_2: &str = "
CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  from_number INTEGER,
  to_number INTEGER,
  hash BLOB NOT NULL,
  payload TEXT NOT NULL,
  born_sync INTEGER NOT NULL,
  first_sync INTEGER NOT NULL,
  ended_sync INTEGER,
  ending TEXT
) STRICT;
CREATE INDEX objects_by_key ON objects (kind, key, source, ended_sync);
CREATE INDEX objects_by_source ON objects (source, kind);
CREATE INDEX objects_from ON objects (kind, from_number, source) WHERE ended_sync IS NULL AND from_number IS NOT NULL;
CREATE INDEX objects_to ON objects (kind, to_number, source) WHERE ended_sync IS NULL AND to_number IS NOT NULL;
CREATE INDEX objects_fingerprint ON objects (json_extract(payload, '$.fingerprint')) WHERE ended_sync IS NULL AND kind = 'location';
CREATE INDEX objects_ended ON objects (ended_sync) WHERE ended_sync IS NOT NULL;
";

/// What content was, without the content: the first 16 bytes of the payload's SHA-256.
pub(super) type ContentHash = [u8; 16];

/// A version of an object to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectRow {
    /// Kept where the kind is not kept in blocks.
    pub key: String,
    pub key_number: i64,
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub hash: ContentHash,
    /// The fact as JSON (see `canonical`).
    pub payload: String,
}

impl ObjectRow {
    /// The row of a fact.
    pub fn of(fact: &Fact, names: Names) -> Result<ObjectRow, StoreError> {
        let payload = canonical::payload(fact)?;
        let mut hash = ContentHash::default();
        for (to, from) in hash.iter_mut().zip(Sha256::digest(payload.as_bytes())) {
            *to = from;
        }
        let key = fact.key();
        let key_number = names.of(&key);
        let (from, to) = names.references(fact);
        Ok(ObjectRow {
            key,
            key_number,
            from,
            to,
            hash,
            payload,
        })
    }
}

/// The separator of `Fact::key`.
pub(crate) const UNIT: &str = "\u{1f}";

/// The form in which references and keys name an object of a system.
pub(crate) fn named(system: &str, id: &str) -> String {
    format!("{system}{UNIT}{id}")
}

/// The form in which references name a principal.
pub(crate) fn principal_ref(p: &Principal) -> String {
    format!(
        "{}{UNIT}{}",
        p.kind,
        named(p.system.as_str(), p.id.as_str())
    )
}

/// A current version as a page compares with it: row, key, content, and the syncs that first
/// saw the object and this version of it.
pub(super) type CurrentRow = (i64, String, Vec<u8>, i64, i64);

pub(super) const CURRENT: &str = "SELECT id, key, hash, born_sync, first_sync FROM objects";

/// A new version, and the sync that first saw the object.
#[derive(Clone, Copy)]
pub(super) struct NewVersion<'a> {
    pub born_sync: i64,
    pub row: &'a ObjectRow,
}

pub(super) async fn next_id(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let (id,): (i64,) = sqlx::query_as("SELECT coalesce(max(id), 0) + 1 FROM objects")
        .fetch_one(connection)
        .await?;
    Ok(id)
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    sync: SyncId,
    source: i64,
    kind: Kind,
    first_id: i64,
    versions: &[NewVersion<'_>],
) -> Result<(), StoreError> {
    let mut id = first_id;
    for part in same_sizes(versions) {
        // What is the same in every row stands in the text: two numbers and a word of ours. The
        // rest has no number of its own, for SQLite looks numbered values up one by one.
        let row = format!(
            "({source}, '{}', {}, ?, ?, ?, ?, ?, ?, ?)",
            kind.word(),
            sync.sql()
        );
        let mut sql = String::from(
            "INSERT INTO objects (source, kind, first_sync, id, key, from_number, to_number, hash, payload, born_sync) VALUES ",
        );
        sql.push_str(&vec![row; part.len()].join(", "));
        let mut insert = sqlx::query(sqlx::AssertSqlSafe(sql));
        for v in part {
            insert = insert
                .bind(id)
                .bind(v.row.key.as_str())
                .bind(v.row.from)
                .bind(v.row.to)
                .bind(v.row.hash.as_slice())
                .bind(v.row.payload.as_str())
                .bind(v.born_sync);
            id += 1;
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The list in parts of few different sizes, so that few different statements are prepared.
pub(super) fn same_sizes<T>(list: &[T]) -> impl Iterator<Item = &[T]> {
    const SIZES: [usize; 3] = [256, 16, 1];
    let mut rest = list;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| rest.len() >= *size)?;
        let (part, after) = rest.split_at(size);
        rest = after;
        Some(part)
    })
}

/// Why a version ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// A newer one takes its place.
    Changed,
    /// A read showed that it is gone.
    Removed,
}

impl Ending {
    pub(super) fn word(self) -> &'static str {
        match self {
            Ending::Changed => "changed",
            Ending::Removed => "removed",
        }
    }
}

/// Ends versions of a kind.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    sync: SyncId,
    kind: Kind,
    ids: &[i64],
    ending: Ending,
) -> Result<(), StoreError> {
    if blocks::hold(kind) {
        return blocks::end(connection, sync, ids, ending).await;
    }
    for part in same_sizes(ids) {
        let mut update = QueryBuilder::<Sqlite>::new("UPDATE objects SET ending = ");
        update.push_bind(ending.word());
        update.push(", ended_sync = ");
        update.push_bind(sync.sql());
        update.push(" WHERE id IN (");
        let mut list = update.separated(", ");
        for id in part {
            list.push_bind(*id);
        }
        update.push(")");
        update.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Undoes a sync: its versions go, what it ended is current again.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(), StoreError> {
    blocks::take_back(&mut *connection, sync).await?;
    people::drop_first_of(&mut *connection, sync).await?;
    sqlx::query("DELETE FROM objects WHERE first_sync = ?1")
        .bind(sync.sql())
        .execute(&mut *connection)
        .await?;
    let reopened: Vec<(i64,)> =
        sqlx::query_as("SELECT id FROM objects WHERE ended_sync = ?1 AND kind = 'identity'")
            .bind(sync.sql())
            .fetch_all(&mut *connection)
            .await?;
    sqlx::query("UPDATE objects SET ended_sync = NULL, ending = NULL WHERE ended_sync = ?1")
        .bind(sync.sql())
        .execute(&mut *connection)
        .await?;
    let ids: Vec<i64> = reopened.into_iter().map(|(id,)| id).collect();
    people::put_from_objects(connection, &ids).await
}
