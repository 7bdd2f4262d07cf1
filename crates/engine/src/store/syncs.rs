//! Tables `syncs` and `sync_kinds`: every read of a source, and its totals per kind.

use super::log::append;
use super::resume::{Held, ReadMode};
use super::sources::says_who_exists;
use super::{Store, StoreError, links};
use crate::views::{HeldView, KindTotals, Totals};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Kind, SourceName};
use sqlx::SqliteConnection;

pub(super) const MIGRATION: &str = "
CREATE TABLE syncs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source INTEGER NOT NULL REFERENCES sources (id),
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  read_at TEXT NOT NULL,
  failure TEXT,
  hint TEXT
) STRICT;
CREATE INDEX syncs_by_source ON syncs (source, id);
CREATE TABLE sync_kinds (
  sync INTEGER NOT NULL REFERENCES syncs (id),
  kind TEXT NOT NULL,
  reported INTEGER NOT NULL DEFAULT 0,
  received INTEGER NOT NULL DEFAULT 0,
  stored INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  removed INTEGER NOT NULL DEFAULT 0,
  complete INTEGER NOT NULL DEFAULT 0,
  gaps TEXT NOT NULL DEFAULT '[]',
  queries TEXT NOT NULL DEFAULT '[]',
  content_sha256 TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (sync, kind)
) STRICT, WITHOUT ROWID;
";

/// The number of a sync; later syncs have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId(pub u64);

impl SyncId {
    pub(super) fn sql(self) -> i64 {
        self.0.cast_signed()
    }
}

impl Store {
    /// How often the source of truth that was read completely most often was.
    pub async fn complete_rosters(&self) -> Result<u64, StoreError> {
        let reads: Vec<(i64, String)> = sqlx::query_as(
            "SELECT count(*), s.settings FROM sync_kinds k JOIN syncs y ON y.id = k.sync
             JOIN sources s ON s.id = y.source
             WHERE k.kind = ?1 AND k.complete = 1 GROUP BY s.id",
        )
        .bind(Kind::Identity.word())
        .fetch_all(self.readers())
        .await?;
        let mut most = 0;
        for (count, settings) in reads {
            if says_who_exists(&serde_json::from_str(&settings)?) {
                most = most.max(count);
            }
        }
        Ok(most.cast_unsigned())
    }
}

/// How a sync stands or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    Running,
    Complete,
    Incomplete,
    Failed,
    Cancelled,
    /// Its process ended before it did.
    Interrupted,
    /// Not a read: the source was removed.
    Removal,
}

impl SyncState {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            SyncState::Running => "running",
            SyncState::Complete => "complete",
            SyncState::Incomplete => "incomplete",
            SyncState::Failed => "failed",
            SyncState::Cancelled => "cancelled",
            SyncState::Interrupted => "interrupted",
            SyncState::Removal => "removal",
        }
    }

    pub(crate) fn from_word(word: &str) -> Result<SyncState, StoreError> {
        [
            SyncState::Running,
            SyncState::Complete,
            SyncState::Incomplete,
            SyncState::Failed,
            SyncState::Cancelled,
            SyncState::Interrupted,
            SyncState::Removal,
        ]
        .into_iter()
        .find(|s| s.word() == word)
        .ok_or_else(|| StoreError::damaged(format!("sync state `{word}`")))
    }
}

/// One sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRecord {
    pub id: SyncId,
    pub source: SourceName,
    pub state: SyncState,
    pub started_at: String,
    pub ended_at: Option<String>,
    /// The moment that the read shows: its start, or the date of a dated read.
    pub read_at: String,
    pub failure: Option<String>,
    pub hint: Option<String>,
}

/// Totals and completeness of one kind in one sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindRecord {
    pub kind: Kind,
    pub totals: Totals,
    pub complete: bool,
    pub gaps: Vec<String>,
    /// What was asked of the source, each once.
    pub queries: Vec<String>,
    /// SHA-256 of raw answers, where the connector had them in one piece.
    pub content_sha256: Vec<String>,
    pub mode: ReadMode,
    /// When the full read began that this one rests on; its own start where it is full.
    pub full_at: Option<String>,
    /// Where an incremental read can start, once this one is complete.
    pub watermark: Option<String>,
    /// How many objects the source says there are, where it says so.
    pub expected: Option<u64>,
    /// Removals that wait for a person's word.
    pub held: Option<Held>,
}

impl KindRecord {
    /// A kind that was not read, and why.
    pub(crate) fn not_read(kind: Kind, gap: String) -> Self {
        Self {
            kind,
            totals: Totals::default(),
            complete: false,
            gaps: vec![gap],
            queries: Vec::new(),
            content_sha256: Vec::new(),
            mode: ReadMode::Full,
            full_at: None,
            watermark: None,
            expected: None,
            held: None,
        }
    }

    pub fn view(&self) -> KindTotals {
        KindTotals {
            kind: self.kind.word().to_owned(),
            totals: self.totals,
            complete: self.complete,
            gaps: self.gaps.clone(),
            mode: self.mode.word().to_owned(),
            full_at: self.full_at.clone(),
            held: self.held.map(|held| HeldView {
                would_remove: held.would_remove,
                current: held.current,
            }),
        }
    }
}

type SyncRow = (
    i64,
    String,
    String,
    String,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
);

const SYNC: &str =
    "SELECT y.id, s.name, y.state, y.started_at, y.ended_at, y.read_at, y.failure, y.hint
 FROM syncs y JOIN sources s ON s.id = y.source";

fn sync_record(row: SyncRow) -> Result<SyncRecord, StoreError> {
    let (id, source, state, started_at, ended_at, read_at, failure, hint) = row;
    Ok(SyncRecord {
        id: SyncId(id.cast_unsigned()),
        source: source.into(),
        state: SyncState::from_word(&state)?,
        started_at,
        ended_at,
        read_at,
        failure,
        hint,
    })
}

#[derive(sqlx::FromRow)]
pub(super) struct KindRow {
    kind: String,
    reported: i64,
    received: i64,
    stored: i64,
    unchanged: i64,
    skipped: i64,
    failed: i64,
    removed: i64,
    complete: bool,
    gaps: String,
    queries: String,
    content_sha256: String,
    mode: String,
    full_at: Option<String>,
    watermark: Option<String>,
    expected: Option<i64>,
    would_remove: Option<i64>,
    held_of: Option<i64>,
}

/// The columns of `KindRow`.
const KIND: &str =
    "kind, reported, received, stored, unchanged, skipped, failed, removed, complete,
 gaps, queries, content_sha256, mode, full_at, watermark, expected, would_remove, held_of";

pub(super) fn kind_record(row: KindRow) -> Result<KindRecord, StoreError> {
    let KindRow {
        kind,
        reported,
        received,
        stored,
        unchanged,
        skipped,
        failed,
        removed,
        complete,
        gaps,
        queries,
        content_sha256,
        mode,
        full_at,
        watermark,
        expected,
        would_remove,
        held_of,
    } = row;
    Ok(KindRecord {
        kind: Kind::from_word(&kind)
            .ok_or_else(|| StoreError::damaged(format!("kind `{kind}` of a sync")))?,
        totals: Totals {
            reported: reported.cast_unsigned(),
            received: received.cast_unsigned(),
            stored: stored.cast_unsigned(),
            unchanged: unchanged.cast_unsigned(),
            skipped: skipped.cast_unsigned(),
            failed: failed.cast_unsigned(),
            removed: removed.cast_unsigned(),
        },
        complete,
        gaps: serde_json::from_str(&gaps)?,
        queries: serde_json::from_str(&queries)?,
        content_sha256: serde_json::from_str(&content_sha256)?,
        mode: ReadMode::from_word(&mode)?,
        full_at,
        watermark,
        expected: expected.map(i64::cast_unsigned),
        held: would_remove
            .zip(held_of)
            .map(|(would_remove, current)| Held {
                would_remove: would_remove.cast_unsigned(),
                current: current.cast_unsigned(),
            }),
    })
}

pub(super) async fn put_kind(
    connection: &mut SqliteConnection,
    sync: SyncId,
    record: &KindRecord,
) -> Result<(), StoreError> {
    let t = &record.totals;
    sqlx::query(
        "INSERT OR REPLACE INTO sync_kinds
         (sync, kind, reported, received, stored, unchanged, skipped, failed, removed, complete, gaps,
          queries, content_sha256, mode, full_at, watermark, expected, would_remove, held_of)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
    )
    .bind(sync.sql())
    .bind(record.kind.word())
    .bind(t.reported.cast_signed())
    .bind(t.received.cast_signed())
    .bind(t.stored.cast_signed())
    .bind(t.unchanged.cast_signed())
    .bind(t.skipped.cast_signed())
    .bind(t.failed.cast_signed())
    .bind(t.removed.cast_signed())
    .bind(record.complete)
    .bind(serde_json::to_string(&record.gaps)?)
    .bind(serde_json::to_string(&record.queries)?)
    .bind(serde_json::to_string(&record.content_sha256)?)
    .bind(record.mode.word())
    .bind(record.full_at.as_deref())
    .bind(record.watermark.as_deref())
    .bind(record.expected.map(u64::cast_signed))
    .bind(record.held.map(|held| held.would_remove.cast_signed()))
    .bind(record.held.map(|held| held.current.cast_signed()))
    .execute(connection)
    .await?;
    Ok(())
}

/// The moment that a source's latest read shows. One that failed, and read no kind to its end, says
/// nothing of a date.
pub(super) const LATEST_SHOWN: &str = "SELECT y.read_at FROM syncs y WHERE y.source = ?1
   AND (y.state <> 'failed'
     OR EXISTS (SELECT 1 FROM sync_kinds k WHERE k.sync = y.id AND k.complete = 1))
   ORDER BY y.id DESC LIMIT 1";

impl Store {
    /// Opens a sync: every kind that will be read starts as not read.
    pub(crate) async fn begin_sync(
        &self,
        source: &super::SourceRecord,
        kinds: &[Kind],
        read_at: Option<DateTime<Utc>>,
        settings_sha256: &str,
        now: DateTime<Utc>,
    ) -> Result<SyncId, StoreError> {
        let read = read_at.unwrap_or(now);
        let mut writing = self.begin().await?;
        super::blocks::index(&mut writing.tx).await?;
        super::people::index(&mut writing.tx).await?;
        let latest: Option<(String,)> = sqlx::query_as(LATEST_SHOWN)
            .bind(source.id)
            .fetch_optional(&mut *writing.tx)
            .await?;
        if let (Some(given), Some((latest,))) = (read_at, latest) {
            let before = DateTime::parse_from_rfc3339(&latest).is_ok_and(|l| given < l);
            if before {
                return Err(StoreError::ReadTooOld {
                    source_name: source.name.to_string(),
                    given: rfc3339(given),
                    latest,
                });
            }
        }
        let id = sqlx::query(
            "INSERT INTO syncs (source, state, started_at, read_at, settings_sha256)
             VALUES (?1, 'running', ?2, ?3, ?4)",
        )
        .bind(source.id)
        .bind(rfc3339(now))
        .bind(rfc3339(read))
        .bind(settings_sha256)
        .execute(&mut *writing.tx)
        .await?
        .last_insert_rowid();
        let sync = SyncId(id.cast_unsigned());
        // What was read before and is offered no more (a file that is gone, a folder that cannot
        // be opened) was not read this time: its facts stay, and this sync does not vouch for them.
        let lost = kinds_of_latest(&mut writing.tx, source.id, sync).await?;
        let lost = lost.into_iter().filter(|kind| !kinds.contains(kind));
        let offered = kinds
            .iter()
            .map(|kind| (*kind, format!("{} were not read", kind.plural())));
        let gaps = offered.chain(lost.map(|kind| {
            let gap = format!(
                "{} were read before and are not offered any more",
                kind.plural()
            );
            (kind, gap)
        }));
        for (kind, gap) in gaps {
            let record = KindRecord::not_read(kind, gap);
            put_kind(&mut writing.tx, sync, &record).await?;
        }
        writing.commit().await?;
        Ok(sync)
    }

    /// Ends a sync with its state; the log gets an entry.
    pub(crate) async fn end_sync(
        &self,
        sync: SyncId,
        state: SyncState,
        failure: Option<(&str, Option<&str>)>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        sqlx::query(
            "UPDATE syncs SET state = ?2, ended_at = ?3, failure = ?4, hint = ?5 WHERE id = ?1",
        )
        .bind(sync.sql())
        .bind(state.word())
        .bind(rfc3339(now))
        .bind(failure.map(|(text, _)| text))
        .bind(failure.and_then(|(_, hint)| hint))
        .execute(&mut *writing.tx)
        .await?;
        super::ownership::end_following(&mut writing.tx).await?;
        super::met::forget(&mut writing.tx, sync, None).await?;
        let payload = serde_json::json!({"sync": sync.0, "state": state.word()});
        append(
            &mut writing.tx,
            self.operator(),
            "source read",
            &payload,
            now,
        )
        .await?;
        writing.commit().await
    }

    /// Takes back all that a sync stored, as if it had never read.
    pub(crate) async fn take_back(&self, sync: SyncId) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        links::look_at_all(&mut writing.tx).await?;
        let people = super::people::done_by(&mut writing.tx, sync).await?;
        super::blocks::take_back(&mut writing.tx, sync).await?;
        super::people::take_back(&mut writing.tx, &people).await?;
        super::unseen::forget(&mut writing.tx, sync, None).await?;
        super::events::take_back(&mut writing.tx, sync).await?;
        sqlx::query(
            "UPDATE sync_kinds SET reported = 0, received = 0, stored = 0, unchanged = 0, skipped = 0,
             failed = 0, removed = 0, complete = 0, gaps = '[\"nothing of this sync was stored\"]'
             WHERE sync = ?1",
        )
        .bind(sync.sql())
        .execute(&mut *writing.tx)
        .await?;
        writing.commit().await
    }

    pub async fn sync_record(&self, sync: SyncId) -> Result<SyncRecord, StoreError> {
        let sql = format!("{SYNC} WHERE y.id = ?1");
        let row: Option<SyncRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(sync.sql())
            .fetch_optional(self.readers())
            .await?;
        row.map_or(Err(StoreError::NoSync(sync.0)), sync_record)
    }

    /// The latest read of a source, by the source's row.
    pub(crate) async fn latest_sync(&self, source: i64) -> Result<Option<SyncRecord>, StoreError> {
        let sql = format!("{SYNC} WHERE y.source = ?1 ORDER BY y.id DESC LIMIT 1");
        let row: Option<SyncRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(source)
            .fetch_optional(self.readers())
            .await?;
        row.map(sync_record).transpose()
    }

    /// The latest sync of all, ended or not.
    pub async fn newest_sync(&self) -> Result<Option<SyncRecord>, StoreError> {
        let sql = format!("{SYNC} ORDER BY y.id DESC LIMIT 1");
        let row: Option<SyncRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_optional(self.readers())
            .await?;
        row.map(sync_record).transpose()
    }

    /// A window of syncs, newest first.
    pub async fn syncs(&self, offset: u64, limit: u32) -> Result<Vec<SyncRecord>, StoreError> {
        let sql = format!("{SYNC} ORDER BY y.id DESC LIMIT ?1 OFFSET ?2");
        let rows: Vec<SyncRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(limit)
            .bind(offset.cast_signed())
            .fetch_all(self.readers())
            .await?;
        rows.into_iter().map(sync_record).collect()
    }

    /// A window of the syncs that have ended, of one source or of all, newest first; how many
    /// there are.
    pub async fn ended_syncs(
        &self,
        source: Option<&SourceName>,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<SyncRecord>, u64), StoreError> {
        const ENDED: &str = "y.state <> 'running' AND (?1 IS NULL OR s.name = ?1)";
        let counted =
            format!("SELECT count(*) FROM syncs y JOIN sources s ON s.id = y.source WHERE {ENDED}");
        let source = source.map(|name| name.as_str());
        let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(counted))
            .bind(source)
            .fetch_one(self.readers())
            .await?;
        let sql = format!("{SYNC} WHERE {ENDED} ORDER BY y.id DESC LIMIT ?2 OFFSET ?3");
        let rows: Vec<SyncRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(source)
            .bind(limit)
            .bind(offset.cast_signed())
            .fetch_all(self.readers())
            .await?;
        let syncs = rows
            .into_iter()
            .map(sync_record)
            .collect::<Result<_, _>>()?;
        Ok((syncs, total.cast_unsigned()))
    }

    /// The kinds of a sync, in reading order.
    pub async fn sync_kinds(&self, sync: SyncId) -> Result<Vec<KindRecord>, StoreError> {
        let mut reader = self.readers().acquire().await?;
        kinds_of(&mut reader, sync).await
    }
}

/// The kinds of a sync, in reading order, as this connection sees them.
pub(super) async fn kinds_of(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<Vec<KindRecord>, StoreError> {
    let sql = format!("SELECT {KIND} FROM sync_kinds WHERE sync = ?1");
    let rows: Vec<KindRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(sync.sql())
        .fetch_all(connection)
        .await?;
    let mut kinds: Vec<KindRecord> = rows
        .into_iter()
        .map(kind_record)
        .collect::<Result<_, _>>()?;
    kinds.sort_by_key(|k| k.kind);
    Ok(kinds)
}

/// The kinds that the source's sync before this one had to read.
async fn kinds_of_latest(
    connection: &mut SqliteConnection,
    source: i64,
    before: SyncId,
) -> Result<Vec<Kind>, StoreError> {
    let words: Vec<(String,)> = sqlx::query_as(
        "SELECT kind FROM sync_kinds WHERE sync =
           (SELECT max(id) FROM syncs WHERE source = ?1 AND id < ?2) ORDER BY kind",
    )
    .bind(source)
    .bind(before.sql())
    .fetch_all(connection)
    .await?;
    words
        .into_iter()
        .map(|(word,)| {
            Kind::from_word(&word)
                .ok_or_else(|| StoreError::damaged(format!("kind `{word}` of a sync")))
        })
        .collect()
}
