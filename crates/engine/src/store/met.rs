//! What a sync has met of one kind so far, in memory; and, where a read can be resumed, beside
//! it in the store: tables `checkpoints` and `met`.

use super::blocks::{self, Block, Columns, Gathering, Which};
use super::names::{End, NumberSet};
use super::objects::ContentHash;
use super::spans::{self, Run, packed, unpacked};
use super::standing::Standing;
use super::unseen::Unfinished;
use super::{Store, StoreError, SyncId};
use lastkey_contract::{Cursor, Kind, Known, NO_NUMBER, Same, Stamp};
use sqlx::SqliteConnection;
use std::collections::HashSet;

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
    /// The versions that stood before it, with those that it has met, changed or seen go.
    pub(super) standing: Standing,
    /// Keys that this sync stored anew, where a second row of a key is one too many.
    fresh: NumberSet,
    /// Stored versions under parents of which the read says that it shows all.
    whole: HashSet<i64>,
    /// Parent and row of each current object, sorted; made when an incremental read first asks.
    children: Option<Vec<(i64, i64)>>,
    /// Systems that this sync has been allowed to speak for.
    pub(super) claimed: HashSet<String>,
    pub(super) pages: i64,
    /// Small blocks that this pass has written.
    pub(super) small: Gathering,
    /// Versions that are as they were, but were read from other records than before: each with
    /// the stamp of the one that it was read from now.
    restamped: Vec<(u32, Stamp)>,
}

/// What a page marked as met, to be taken back if it is not stored.
#[derive(Default)]
pub(super) struct Marks {
    places: Vec<u32>,
    runs: Vec<Run<u32>>,
    fresh: Vec<i64>,
    /// The rows of unchanged versions, for resuming.
    pub unchanged: Vec<Run<i64>>,
}

impl Met {
    fn new(kind: Kind, scope: Scope, own: OwnRows) -> Self {
        Met {
            kind,
            scope,
            own,
            standing: Standing::default(),
            fresh: NumberSet::default(),
            whole: HashSet::new(),
            children: None,
            claimed: HashSet::new(),
            pages: 0,
            small: Gathering::default(),
            restamped: Vec::new(),
        }
    }

    /// What is known of the source's records, for a connector that can tell them apart.
    pub(crate) fn known(&self, keys: (u64, u64)) -> Option<Known> {
        // Also of nothing: what is read now is stamped for the next time.
        (self.scope == Scope::All).then(|| Known::new(keys, self.standing.stamps()))
    }

    /// Meets records that are as they were, up to the first that was met before; gives how many.
    pub(super) fn meet_same(&mut self, same: Same, marks: &mut Marks) -> u32 {
        let met = self.standing.meet_run(same.places());
        if !met.is_empty() {
            self.standing
                .rows_of(met.clone(), |rows| marks.unchanged.push(rows));
            marks.runs.push(met.clone());
        }
        met.end - met.start
    }

    /// A version read from a record with this stamp that was not met yet.
    pub(super) fn stamped(&self, stamp: Stamp) -> Option<u32> {
        let mut places = self.standing.stamped(stamp);
        places.find(|place| !self.standing.is_met(*place))
    }

    /// Meets a version that is as it was.
    pub(super) fn meet_unchanged(&mut self, place: u32, marks: &mut Marks) {
        if let Some(row) = self.meet(place, marks) {
            marks.unchanged.push(row..row + 1);
        }
    }

    /// Notes what record a version was read from: a file may be written another way and say the
    /// same, and is to be known the next time.
    pub(super) fn read_from(&mut self, place: u32, stamp: Option<i64>) {
        let stamp = stamp.map(Stamp).filter(|stamp| stamp.0 != NO_NUMBER);
        if let Some(stamp) = stamp.filter(|stamp| self.standing.stamp(place) != Some(*stamp)) {
            self.restamped.push((place, stamp));
        }
    }

    /// Rows with the stamps of the records that they were read from now, in order.
    pub(super) fn restamped(&self) -> Vec<(i64, i64)> {
        let of = |(place, stamp): &(u32, Stamp)| Some((self.standing.row(*place)?, stamp.0));
        let mut rows: Vec<(i64, i64)> = self.restamped.iter().filter_map(of).collect();
        rows.sort_unstable();
        rows
    }

    /// Marks a version as met; gives its row.
    pub(super) fn meet(&mut self, place: u32, marks: &mut Marks) -> Option<i64> {
        let row = self.standing.row(place)?;
        self.standing.meet(place);
        marks.places.push(place);
        Some(row)
    }

    /// A stored version of this key that was not met yet and holds exactly this.
    pub(super) fn equal(&self, key: i64, hash: &ContentHash) -> Option<u32> {
        self.open_places(key)
            .find(|place| self.standing.hash(*place) == Some(hash))
    }

    /// The stored versions of this key that were not met yet, oldest first.
    pub(super) fn open_places(&self, key: i64) -> impl Iterator<Item = u32> {
        let places = self.standing.with_key(key);
        places.filter(|place| !self.standing.is_met(*place))
    }

    /// Whether this sync has had a row with this key already.
    pub(super) fn has_had(&self, key: i64) -> bool {
        let met = |place| self.standing.is_met(place);
        self.fresh.contains(&key) || self.standing.with_key(key).any(met)
    }

    /// Notes that a row with this key is new, where no second one may follow.
    pub(super) fn note_fresh(&mut self, key: i64, marks: &mut Marks) {
        if self.fresh.insert(key) {
            marks.fresh.push(key);
        }
    }

    /// Takes back what a page that was not stored had marked.
    pub(super) fn unmeet(&mut self, marks: &Marks) {
        let single = marks.places.iter().map(|place| *place..*place + 1);
        for run in marks.runs.iter().cloned().chain(single) {
            self.standing.unmeet(run);
        }
        for key in &marks.fresh {
            self.fresh.remove(key);
        }
    }

    /// The rows that a read to its end has shown to be gone: after a full read all that were not
    /// met, after an incremental one those under parents that it showed whole.
    pub(super) fn missing(&self) -> Vec<i64> {
        let mut missing = Vec::new();
        self.standing.each_unmet(|rows| match self.scope {
            Scope::All => missing.extend(rows),
            Scope::Asked => missing.extend(rows.filter(|row| self.whole.contains(row))),
        });
        missing
    }

    /// What a read of everything has shown so far of what was known before it; None of a read of
    /// changes, which says nothing of what did not change.
    pub(super) fn so_far(&self) -> Option<Unfinished> {
        match self.scope {
            Scope::Asked => None,
            Scope::All => {
                let mut shown = Vec::new();
                self.standing.each_met(|rows| shown.extend(rows));
                Some(Unfinished {
                    shown,
                    missing: self.missing(),
                })
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.standing.len() as u64
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
        let mut seen = Vec::new();
        for (page, ids) in pages {
            met.pages = page + 1;
            seen.extend(unpacked(&ids));
        }
        spans::sort(&mut seen);
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
            load_marks(&mut *connection, met, sync, &which, &[]).await?;
            children(connection, met.kind, &which).await?
        }
    };
    for parent in whole {
        met.whole.extend(children_of(&children, *parent));
    }
    met.children = Some(children);
    Ok(())
}

/// Learns what stands. `seen` are rows that were met, sorted.
async fn load_marks(
    connection: &mut SqliteConnection,
    met: &mut Met,
    sync: SyncId,
    which: &Which,
    seen: &[Run<i64>],
) -> Result<(), StoreError> {
    let mut making = Standing::making(about(&mut *connection, which).await?);
    blocks::each(connection, which, Columns::Marks, |block| {
        making.learn(block)?;
        // What this sync itself wrote before it was cut short was met by it.
        if met.own == OwnRows::Met && block.first_sync == sync.sql() {
            making.meet_last(block.places().count());
        } else if !seen.is_empty() {
            making.meet_last_of(block, |row| spans::has(seen, row));
        }
        Ok(())
    })
    .await?;
    met.standing = making.made();
    Ok(())
}

/// About how many stand: as many as the reads before counted at most. Looking would take longer
/// than it saves.
async fn about(connection: &mut SqliteConnection, which: &Which) -> Result<usize, StoreError> {
    let (most,): (i64,) = sqlx::query_as(
        "SELECT coalesce(max(found), 0) FROM
         (SELECT k.stored + k.unchanged AS found FROM sync_kinds k JOIN syncs y ON y.id = k.sync
          WHERE y.source = ?1 AND k.kind = ?2 ORDER BY y.id DESC LIMIT 3)",
    )
    .bind(which.source)
    .bind(which.kind.map(Kind::word))
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(most).unwrap_or(0))
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
    ids: &[Run<i64>],
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
            .bind(packed(ids))
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
