//! Table `objects`: every version of every object of every source.
//!
//! A version is visible at a sync S if it was first stored at or before S and had
//! not ended by then. The two references make lookups along facts quick:
//! see `references`.

use super::{StoreError, SyncId, people};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Fact, Principal};
use serde_json::Value;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

pub(super) const MIGRATION: &str = "
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

/// A version of an object to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    pub kind: Kind,
    pub key: String,
    pub system: Option<String>,
    pub from_ref: Option<String>,
    pub to_ref: Option<String>,
    /// SHA-256 of the payload.
    pub hash: String,
    /// The fact as JSON: known values only, keys sorted.
    pub payload: String,
}

impl ObjectRow {
    /// The row of a fact.
    pub fn of(fact: &Fact) -> Result<ObjectRow, StoreError> {
        let mut payload = String::new();
        canonical(&serde_json::to_value(fact)?, &mut payload);
        let (from_ref, to_ref) = references(fact);
        Ok(ObjectRow {
            kind: fact.kind(),
            key: fact.key(),
            system: fact.system().map(|s| s.as_str().to_owned()),
            from_ref,
            to_ref,
            hash: super::log::sha256_hex(payload.as_bytes()),
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

/// Whom a fact comes from (account to identity, grant to principal, credential to
/// account, location to credential, owner line to owner) and where it leads to.
fn references(fact: &Fact) -> (Option<String>, Option<String>) {
    match fact {
        Fact::Identity(x) => (
            x.manager_id.as_ref().map(|i| i.to_string()),
            x.employer_id.as_ref().map(|i| i.to_string()),
        ),
        Fact::Account(x) => (
            x.identity_id.as_ref().map(|i| i.to_string()),
            x.signs_in_through_id.as_ref().map(|id| {
                let system = x.signs_in_through_system.as_ref().unwrap_or(&x.system);
                named(system.as_str(), id.as_str())
            }),
        ),
        Fact::Entitlement(_) => (None, None),
        Fact::Grant(x) => (
            Some(principal_ref(&x.principal)),
            Some(named(x.system.as_str(), x.entitlement_id.as_str())),
        ),
        Fact::Credential(x) => (
            x.account_id
                .as_ref()
                .map(|id| named(x.system.as_str(), id.as_str())),
            x.fingerprint.as_ref().map(|f| f.to_string()),
        ),
        Fact::Location(x) => (
            x.credential_id.as_ref().map(|id| {
                let system = x.credential_system.as_ref().unwrap_or(&x.system);
                named(system.as_str(), id.as_str())
            }),
            Some(named(x.system.as_str(), x.path.as_str())),
        ),
        Fact::Reader(x) => (
            Some(principal_ref(&x.principal)),
            Some(named(x.system.as_str(), x.path.as_str())),
        ),
        Fact::Control(x) => (
            Some(principal_ref(&x.principal)),
            Some(named(x.system.as_str(), x.account_id.as_str())),
        ),
        Fact::Owner(x) => (
            Some(x.owner_id.to_string()),
            Some(format!(
                "{}{UNIT}{}",
                x.object_type,
                named(
                    x.system.as_ref().map_or("", |s| s.as_str()),
                    x.object_id.as_str()
                )
            )),
        ),
        Fact::Session(x) => (Some(named(x.system.as_str(), x.account_id.as_str())), None),
        Fact::Task(x) => (
            x.identity_id.as_ref().map(|i| i.to_string()),
            x.account_id
                .as_ref()
                .map(|id| named(x.system.as_str(), id.as_str())),
        ),
    }
}

/// One text per value whatever the build: keys sorted, unknown values left out, so
/// that a new field of a fact changes no hash.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().filter(|(_, v)| !v.is_null()).collect();
            keys.sort_by_key(|(k, _)| k.as_str());
            out.push('{');
            for (n, (key, value)) in keys.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (n, value) in values.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                canonical(value, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

/// A current version as a page compares with it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Current {
    pub id: i64,
    pub key: String,
    pub ordinal: i64,
    pub hash: String,
    pub born_sync: i64,
    /// Whether this sync has met it already.
    pub seen: bool,
}

/// What is current under the given keys.
pub(super) async fn current(
    connection: &mut SqliteConnection,
    sync: SyncId,
    source: i64,
    kind: Kind,
    keys: &[&str],
) -> Result<Vec<Current>, StoreError> {
    let mut found = Vec::new();
    for part in keys.chunks(1000) {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT o.id, o.key, o.ordinal, o.hash, o.born_sync,
             EXISTS (SELECT 1 FROM temp.seen n WHERE n.sync = ",
        );
        select.push_bind(sync.sql());
        select.push(" AND n.object = o.id) AS seen FROM objects o WHERE o.ended_sync IS NULL AND o.source = ");
        select.push_bind(source);
        select.push(" AND o.kind = ");
        select.push_bind(kind.word());
        select.push(" AND o.key IN (");
        let mut list = select.separated(", ");
        for key in part {
            list.push_bind(*key);
        }
        select.push(") ORDER BY o.ordinal");
        found.extend(
            select
                .build_query_as::<Current>()
                .fetch_all(&mut *connection)
                .await?,
        );
    }
    Ok(found)
}

/// A new version: its row, its id, its place among equals, and the sync that first saw the object.
pub(super) struct NewVersion<'a> {
    pub id: i64,
    pub ordinal: i64,
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
    versions: &[NewVersion<'_>],
) -> Result<(), StoreError> {
    for part in versions.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO objects (id, source, kind, key, ordinal, system, from_ref, to_ref, hash, payload, born_sync, first_sync) ",
        );
        insert.push_values(part, |mut values, v| {
            values
                .push_bind(v.id)
                .push_bind(source)
                .push_bind(v.row.kind.word())
                .push_bind(v.row.key.as_str())
                .push_bind(v.ordinal)
                .push_bind(v.row.system.as_deref())
                .push_bind(v.row.from_ref.as_deref())
                .push_bind(v.row.to_ref.as_deref())
                .push_bind(v.row.hash.as_str())
                .push_bind(v.row.payload.as_str())
                .push_bind(v.born_sync)
                .push_bind(sync.sql());
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Ends versions because newer ones take their place.
pub(super) async fn end_changed(
    connection: &mut SqliteConnection,
    sync: SyncId,
    ids: &[i64],
) -> Result<(), StoreError> {
    for part in ids.chunks(1000) {
        let mut update =
            QueryBuilder::<Sqlite>::new("UPDATE objects SET ending = 'changed', ended_sync = ");
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

/// Notes that this sync has met these versions.
pub(super) async fn mark_seen(
    connection: &mut SqliteConnection,
    sync: SyncId,
    ids: &[i64],
) -> Result<(), StoreError> {
    for part in ids.chunks(1000) {
        let mut insert =
            QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO temp.seen (sync, object) ");
        insert.push_values(part, |mut values, id| {
            values.push_bind(sync.sql()).push_bind(*id);
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// The versions that a sync has met: in memory, for as long as the sync runs.
pub(super) async fn make_seen(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql(
        "CREATE TEMP TABLE IF NOT EXISTS seen
         (sync INTEGER, object INTEGER, PRIMARY KEY (sync, object)) WITHOUT ROWID",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends what a complete read did not meet; how many.
pub(super) async fn end_missing(
    connection: &mut SqliteConnection,
    sync: SyncId,
    source: i64,
    kind: Kind,
) -> Result<u64, StoreError> {
    make_seen(&mut *connection).await?;
    let ended = sqlx::query(
        "UPDATE objects SET ended_sync = ?1, ending = 'removed'
         WHERE source = ?2 AND kind = ?3 AND ended_sync IS NULL
         AND NOT EXISTS (SELECT 1 FROM temp.seen n WHERE n.sync = ?1 AND n.object = objects.id)",
    )
    .bind(sync.sql())
    .bind(source)
    .bind(kind.word())
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if kind == Kind::Identity {
        people::drop_ended(connection, sync).await?;
    }
    Ok(ended)
}

/// Undoes a sync: its versions go, what it ended is current again.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(), StoreError> {
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
