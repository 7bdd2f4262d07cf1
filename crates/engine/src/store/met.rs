//! What a sync has met of one kind so far, in memory; and, where a read can be resumed, beside
//! it in the store: tables `checkpoints` and `met`.

use super::blocks::{self, Block, Columns, Which};
use super::names::{End, NumberSet};
use super::objects::ContentHash;
use super::unseen::Unfinished;
use super::{Store, StoreError, SyncId};
use lastkey_contract::{AsTheyAre, Cursor, Kind, Known, Places, Stamp};
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(super) const MIGRATION: &str = "
CREATE TABLE checkpoints (
  sync INTEGER NOT NULL,
  kind TEXT NOT NULL,
  cursor TEXT NOT NULL,
  PRIMARY KEY (sync, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE met (
  sync INTEGER NOT NULL,
  kind TEXT NOT NULL,
  page INTEGER NOT NULL,
  ids BLOB NOT NULL,
  PRIMARY KEY (sync, kind, page)
) STRICT, WITHOUT ROWID;
";

/// One stored current version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub id: i64,
    pub hash: ContentHash,
    pub born_sync: i64,
    pub key: i64,
    stamp: Option<i64>,
    /// Another current version with the same key.
    next: Option<u32>,
    /// Another current version with the same stamp.
    twin: Option<u32>,
    /// Whether this sync has met it, changed it or seen it go.
    pub met: bool,
}

/// Which stored versions are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of the source and kind: a full read.
    All,
    /// Only those that pages ask about: an incremental read.
    Asked,
}

/// Whether what this sync itself stored before counts as met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnRows {
    /// It did: the read goes on where it was cut short.
    Met,
    /// Not yet: the kind is read anew, and has to be met again.
    NotYet,
}

/// What a sync has met of one kind of its source.
#[derive(Debug)]
pub(crate) struct Met {
    pub(super) kind: Kind,
    scope: Scope,
    own: OwnRows,
    versions: Vec<Version>,
    /// The place of one version of each key.
    by_key: HashMap<i64, u32, AsTheyAre>,
    /// The place of one version of each stamp.
    by_stamp: Arc<Places>,
    /// Keys that this sync stored anew, where a second row of a key is one too many.
    fresh: NumberSet,
    /// Stored versions under parents of which the read says that it shows all.
    whole: HashSet<i64>,
    /// Parent and row of each current object, sorted; made when an incremental read first asks.
    children: Option<Vec<(i64, i64)>>,
    /// Systems that this sync has been allowed to speak for.
    pub(super) claimed: HashSet<String>,
    pub(super) pages: i64,
}

impl Met {
    fn new(kind: Kind, scope: Scope, own: OwnRows) -> Self {
        Met {
            kind,
            scope,
            own,
            versions: Vec::new(),
            by_key: HashMap::default(),
            by_stamp: Arc::default(),
            fresh: NumberSet::default(),
            whole: HashSet::new(),
            children: None,
            claimed: HashSet::new(),
            pages: 0,
        }
    }

    /// Learns an object of a block.
    fn learn_one(&mut self, block: &Block, place: usize, met: bool) -> Result<(), StoreError> {
        let (Some(key), Some(hash)) = (block.keys.get(place), block.hashes.get(place)) else {
            return Err(StoreError::damaged("a block of objects lacks a key"));
        };
        self.versions.push(Version {
            id: block.row(place),
            hash: *hash,
            born_sync: block.born(place),
            key: *key,
            stamp: block.stamp(place),
            next: None,
            twin: None,
            met,
        });
        Ok(())
    }

    /// Chains the versions of each stamp and of each key, once all are learned.
    fn chain(&mut self) {
        let stamped = self.versions.iter().filter(|v| v.stamp.is_some()).count();
        let mut by_stamp = Places::with_capacity_and_hasher(stamped, AsTheyAre);
        let mut by_key = HashMap::with_capacity_and_hasher(self.versions.len(), AsTheyAre);
        for (place, version) in (0u32..).zip(&mut self.versions) {
            version.next = by_key.insert(version.key, place);
            version.twin = version
                .stamp
                .and_then(|stamp| by_stamp.insert(stamp, place));
        }
        self.by_stamp = Arc::new(by_stamp);
        self.by_key = by_key;
    }

    /// What is known of the source's records, for a connector that can tell them apart.
    pub(crate) fn known(&self, keys: (u64, u64)) -> Option<Known> {
        // Also of nothing: what is read now is stamped for the next time.
        (self.scope == Scope::All).then(|| Known::new(keys, Arc::clone(&self.by_stamp)))
    }

    /// A version read from a record with this stamp that was not met yet; failing that, any.
    pub(super) fn stamped(&self, stamp: Stamp) -> Option<(usize, &Version)> {
        let mut any = None;
        let mut at = self.by_stamp.get(&stamp.0).copied();
        while let Some(place) = at {
            let version = self.versions.get(place as usize)?;
            any = Some((place as usize, version));
            if !version.met {
                return any;
            }
            at = version.twin;
        }
        any
    }

    /// The places of the stored versions of a key.
    fn places(&self, key: i64) -> impl Iterator<Item = (usize, &Version)> {
        let mut at = self.by_key.get(&key).copied();
        std::iter::from_fn(move || {
            let place = at? as usize;
            let version = self.versions.get(place)?;
            at = version.next;
            Some((place, version))
        })
    }

    /// A stored version of this key that was not met yet and holds exactly this.
    pub(super) fn equal(&self, key: i64, hash: &ContentHash) -> Option<usize> {
        self.places(key)
            .find(|(_, v)| !v.met && v.hash == *hash)
            .map(|(place, _)| place)
    }

    /// The oldest stored version of this key that was not met yet.
    pub(super) fn open(&self, key: i64) -> Option<usize> {
        self.places(key)
            .filter(|(_, v)| !v.met)
            .min_by_key(|(_, v)| v.id)
            .map(|(place, _)| place)
    }

    /// Whether this sync has had a row with this key already.
    pub(super) fn has_had(&self, key: i64) -> bool {
        self.fresh.contains(&key) || self.places(key).any(|(_, v)| v.met)
    }

    pub(super) fn note_fresh(&mut self, key: i64) {
        if !self.kind.may_repeat() {
            self.fresh.insert(key);
        }
    }

    /// Marks a version as met; gives it back.
    pub(super) fn meet(&mut self, place: usize) -> Option<Version> {
        let version = self.versions.get_mut(place)?;
        version.met = true;
        Some(*version)
    }

    /// Takes back what a page that was not stored had marked.
    pub(super) fn unmeet(&mut self, places: &[usize], fresh: &[i64]) {
        for place in places {
            if let Some(version) = self.versions.get_mut(*place) {
                version.met = false;
            }
        }
        for key in fresh {
            self.fresh.remove(key);
        }
    }

    /// The rows that a read to its end has shown to be gone: after a full read all that were not
    /// met, after an incremental one those under parents that it showed whole.
    pub(super) fn missing(&self) -> Vec<i64> {
        let mut missing: Vec<i64> = self
            .versions
            .iter()
            .filter(|v| !v.met)
            .map(|v| v.id)
            .filter(|id| match self.scope {
                Scope::All => true,
                Scope::Asked => self.whole.contains(id),
            })
            .collect();
        missing.sort_unstable();
        missing
    }

    /// What a read of everything has shown so far of what was known before it; None of a read of
    /// changes, which says nothing of what did not change.
    pub(super) fn so_far(&self) -> Option<Unfinished> {
        match self.scope {
            Scope::Asked => None,
            Scope::All => {
                let mut shown: Vec<i64> = self
                    .versions
                    .iter()
                    .filter(|v| v.met)
                    .map(|v| v.id)
                    .collect();
                shown.sort_unstable();
                Some(Unfinished {
                    shown,
                    missing: self.missing(),
                })
            }
        }
    }

    /// The places of stored versions of a key that were not met.
    pub(super) fn open_places(&self, key: i64) -> Vec<usize> {
        self.places(key)
            .filter(|(_, v)| !v.met)
            .map(|(place, _)| place)
            .collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.versions.len() as u64
    }

    pub(super) fn scope(&self) -> Scope {
        self.scope
    }
}

/// Which end of a kind names its parent, for reads that say "these are all of it".
pub(super) fn parent_end(kind: Kind) -> End {
    match kind {
        Kind::Grant | Kind::Location | Kind::Reader | Kind::Control => End::To,
        Kind::Identity
        | Kind::Account
        | Kind::Entitlement
        | Kind::Credential
        | Kind::Owner
        | Kind::Session
        | Kind::Task => End::From,
    }
}

impl Store {
    /// What the sync has met of a kind so far: nothing for one that begins, what its pages
    /// stored for one that is resumed.
    pub(crate) async fn met(
        &self,
        sync: SyncId,
        source: i64,
        kind: Kind,
        scope: Scope,
    ) -> Result<Met, StoreError> {
        self.load_met(sync, source, Met::new(kind, scope, OwnRows::Met))
            .await
    }

    /// The same for a kind that this sync reads anew: nothing has been met yet. What was stored
    /// stays, and has to be met again.
    pub(crate) async fn met_anew(
        &self,
        sync: SyncId,
        source: i64,
        kind: Kind,
        scope: Scope,
    ) -> Result<Met, StoreError> {
        let mut writing = self.begin().await?;
        forget(&mut writing.tx, sync, Some(kind)).await?;
        writing.commit().await?;
        self.load_met(sync, source, Met::new(kind, scope, OwnRows::NotYet))
            .await
    }

    async fn load_met(&self, sync: SyncId, source: i64, mut met: Met) -> Result<Met, StoreError> {
        let kind = met.kind;
        let pages: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT page, ids FROM met WHERE sync = ?1 AND kind = ?2 ORDER BY page")
                .bind(sync.sql())
                .bind(kind.word())
                .fetch_all(self.readers())
                .await?;
        let mut seen = HashSet::new();
        for (page, ids) in pages {
            met.pages = page + 1;
            seen.extend(unpack(&ids));
        }
        if met.scope == Scope::Asked {
            return Ok(met);
        }
        let which = Which::now(kind).of_source(source);
        let mut connection = self.readers().acquire().await?;
        load_marks(&mut connection, &mut met, sync, &which, &seen).await?;
        Ok(met)
    }

    /// Where a resumed read of a kind goes on.
    pub(crate) async fn checkpoint(
        &self,
        sync: SyncId,
        kind: Kind,
    ) -> Result<Option<Cursor>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT cursor FROM checkpoints WHERE sync = ?1 AND kind = ?2")
                .bind(sync.sql())
                .bind(kind.word())
                .fetch_optional(self.readers())
                .await?;
        Ok(row.map(|(cursor,)| Cursor(cursor)))
    }
}

/// Loads what stands, before an incremental page is held against it: all marks of the kind at
/// once, which takes less than looking for a few. `whole` are parents of which the page shows all.
pub(super) async fn ask(
    connection: &mut SqliteConnection,
    met: &mut Met,
    sync: SyncId,
    source: i64,
    whole: &[i64],
) -> Result<(), StoreError> {
    let children = match met.children.take() {
        Some(children) => children,
        None => {
            let which = Which::now(met.kind).of_source(source);
            load_marks(&mut *connection, met, sync, &which, &HashSet::new()).await?;
            children(connection, met.kind, &which).await?
        }
    };
    for parent in whole {
        met.whole.extend(children_of(&children, *parent));
    }
    met.children = Some(children);
    Ok(())
}

/// Learns what stands.
async fn load_marks(
    connection: &mut SqliteConnection,
    met: &mut Met,
    sync: SyncId,
    which: &Which,
    seen: &HashSet<i64>,
) -> Result<(), StoreError> {
    blocks::each(connection, which, Columns::Marks, |block| {
        // What this sync itself wrote before it was cut short was met by it.
        let own = met.own == OwnRows::Met && block.first_sync == sync.sql();
        block.places().try_for_each(|place| {
            let was_met = own || seen.contains(&block.row(place));
            met.learn_one(block, place, was_met)
        })
    })
    .await?;
    met.chain();
    Ok(())
}

/// Parent and row of each object, sorted.
async fn children(
    connection: &mut SqliteConnection,
    kind: Kind,
    which: &Which,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut children = Vec::new();
    blocks::each(connection, which, Columns::References, |block| {
        let parents = match parent_end(kind) {
            End::From | End::Key => &block.froms,
            End::To => &block.tos,
        };
        children.extend(
            block
                .places()
                .filter_map(|place| Some((Block::reference(parents, place)?, block.row(place)))),
        );
        Ok(())
    })
    .await?;
    children.sort_unstable();
    Ok(children)
}

fn children_of(children: &[(i64, i64)], parent: i64) -> impl Iterator<Item = i64> {
    let first = children.partition_point(|(one, _)| *one < parent);
    children
        .get(first..)
        .unwrap_or_default()
        .iter()
        .take_while(move |(one, _)| *one == parent)
        .map(|(_, row)| *row)
}

/// Notes what a page met and where the next one starts.
pub(super) async fn put_checkpoint(
    connection: &mut SqliteConnection,
    met: &Met,
    sync: SyncId,
    ids: &[i64],
    cursor: Option<&Cursor>,
) -> Result<(), StoreError> {
    let Some(cursor) = cursor else {
        // The mark of an earlier page would lead back to rows that were met since.
        return forget(connection, sync, Some(met.kind)).await;
    };
    sqlx::query("INSERT OR REPLACE INTO checkpoints (sync, kind, cursor) VALUES (?1, ?2, ?3)")
        .bind(sync.sql())
        .bind(met.kind.word())
        .bind(cursor.0.as_str())
        .execute(&mut *connection)
        .await?;
    if !ids.is_empty() {
        sqlx::query("INSERT OR REPLACE INTO met (sync, kind, page, ids) VALUES (?1, ?2, ?3, ?4)")
            .bind(sync.sql())
            .bind(met.kind.word())
            .bind(met.pages)
            .bind(pack(ids))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Forgets how to resume a kind (or, without one, the whole sync).
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    sync: SyncId,
    kind: Option<Kind>,
) -> Result<(), StoreError> {
    for table in ["checkpoints", "met"] {
        let sql = format!("DELETE FROM {table} WHERE sync = ?1 AND (?2 IS NULL OR kind = ?2)");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(sync.sql())
            .bind(kind.map(Kind::word))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Rows as differences to the one before, seven bits a byte: rows of one page lie close together.
pub(super) fn pack(ids: &[i64]) -> Vec<u8> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let mut bytes = Vec::with_capacity(ids.len() * 2);
    let mut before = 0i64;
    for id in sorted {
        let mut rest = id.wrapping_sub(before).cast_unsigned();
        before = id;
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes
}

pub(super) fn unpack(bytes: &[u8]) -> Vec<i64> {
    let (mut ids, mut before, mut value, mut shift) = (Vec::new(), 0i64, 0u64, 0u32);
    for byte in bytes {
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            before = before.wrapping_add(value.cast_signed());
            ids.push(before);
            (value, shift) = (0, 0);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rows_come_back() {
        for ids in [vec![], vec![1], vec![7, 3, 300, 1_000_000, i64::MAX]] {
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            assert_eq!(unpack(&pack(&ids)), sorted);
        }
        assert!(pack(&(1..=1000).collect::<Vec<_>>()).len() <= 1001);
    }
}
