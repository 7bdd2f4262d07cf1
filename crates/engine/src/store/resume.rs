//! What a later sync goes on from: a read that was cut off, or the watermark of one that was complete.

use super::syncs::{KindRecord, put_kind};
use super::{Store, StoreError, SyncId, SyncState, journal, links};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::when::rfc3339;

pub(super) const MIGRATION: &str = "
ALTER TABLE syncs ADD COLUMN settings_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE sync_kinds ADD COLUMN mode TEXT NOT NULL DEFAULT 'full';
ALTER TABLE sync_kinds ADD COLUMN full_at TEXT;
ALTER TABLE sync_kinds ADD COLUMN watermark TEXT;
ALTER TABLE sync_kinds ADD COLUMN expected INTEGER;
ALTER TABLE sync_kinds ADD COLUMN would_remove INTEGER;
ALTER TABLE sync_kinds ADD COLUMN held_of INTEGER;
";

/// What an interrupted read says of each kind that it had not finished.
pub(crate) const CUT_OFF: &str = "the program ended while it was reading";

/// Whether a read asked for everything, or for what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    Full,
    Incremental,
}

impl ReadMode {
    /// The word in the store and in views.
    pub fn word(self) -> &'static str {
        match self {
            ReadMode::Full => "full",
            ReadMode::Incremental => "incremental",
        }
    }

    pub(super) fn from_word(word: &str) -> Result<ReadMode, StoreError> {
        match word {
            "full" => Ok(ReadMode::Full),
            "incremental" => Ok(ReadMode::Incremental),
            _ => Err(StoreError::damaged(format!("read mode `{word}`"))),
        }
    }
}

/// Removals that were not done: too many at once to be believed unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub would_remove: u64,
    /// How many objects of the kind there are.
    pub current: u64,
}

/// A complete read of a kind that an incremental one can start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub watermark: String,
    /// When the full read began that all increments since rest on.
    pub full_at: DateTime<Utc>,
}

/// A read that was cut off by the end of its process.
#[derive(Clone, Debug)]
pub(crate) struct Interrupted {
    pub sync: SyncId,
    pub started_at: DateTime<Utc>,
    pub read_at: DateTime<Utc>,
    pub settings_sha256: String,
    /// When it last stored a page; its start if it never did.
    pub last_page_at: DateTime<Utc>,
    pub kinds: Vec<KindRecord>,
}

impl Store {
    /// The source's latest sync, if its process ended before it did.
    pub(crate) async fn interrupted(&self, source: i64) -> Result<Option<Interrupted>, StoreError> {
        let row: Option<(i64, String, String, String, String)> = sqlx::query_as(
            "SELECT id, state, started_at, read_at, settings_sha256 FROM syncs
             WHERE source = ?1 ORDER BY id DESC LIMIT 1",
        )
        .bind(source)
        .fetch_optional(self.readers())
        .await?;
        let Some((id, state, started_at, read_at, settings_sha256)) = row else {
            return Ok(None);
        };
        if state != SyncState::Interrupted.word() {
            return Ok(None);
        }
        let sync = SyncId(id.cast_unsigned());
        // The journal has a line for each page, in the page's own transaction.
        let (last_line,): (Option<String>,) = sqlx::query_as(
            "SELECT max(at) FROM journal WHERE sync = ?1 AND what IN ('start', 'page', 'resume')",
        )
        .bind(id)
        .fetch_one(self.readers())
        .await?;
        let started_at = moment(&started_at)?;
        let last_page_at = last_line.map_or(Ok(started_at), |at| moment(&at))?;
        let mut kinds = self.sync_kinds(sync).await?;
        for kind in &mut kinds {
            kind.gaps.retain(|gap| gap != CUT_OFF);
        }
        Ok(Some(Interrupted {
            sync,
            started_at,
            read_at: moment(&read_at)?,
            settings_sha256,
            last_page_at,
            kinds,
        }))
    }

    /// Opens an interrupted sync again; its kinds stand as they stood.
    pub(crate) async fn resume_sync(&self, interrupted: &Interrupted) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        sqlx::query(
            "UPDATE syncs SET state = 'running', ended_at = NULL, failure = NULL, hint = NULL
             WHERE id = ?1",
        )
        .bind(interrupted.sync.sql())
        .execute(&mut *writing.tx)
        .await?;
        for record in &interrupted.kinds {
            put_kind(&mut writing.tx, interrupted.sync, record).await?;
        }
        links::mark_stale(&mut writing.tx).await?;
        writing.commit().await
    }

    /// Says of a kind that its read was cut short, with a line in the journal. What the sync wrote
    /// last stands: it is read here, after whatever was undone.
    pub(crate) async fn cut_short(
        &self,
        sync: SyncId,
        kind: Kind,
        gap: &str,
        line: journal::NewJournalRow,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        let mut kinds = super::syncs::kinds_of(&mut writing.tx, sync).await?;
        for record in kinds.iter_mut().filter(|k| k.kind == kind && !k.complete) {
            record.gaps.insert(0, gap.to_owned());
            put_kind(&mut writing.tx, sync, record).await?;
        }
        journal::put(&mut writing.tx, sync, &[line], now).await?;
        writing.commit().await
    }

    /// What a kind can be read from incrementally: only the last read that brought anything
    /// counts, only if it was complete, left a watermark, and asked with the same settings.
    pub(crate) async fn base(
        &self,
        source: i64,
        kind: Kind,
        before: SyncId,
        settings_sha256: &str,
    ) -> Result<Option<Base>, StoreError> {
        type Row = (bool, Option<String>, Option<String>, String);
        let row: Option<Row> = sqlx::query_as(
            "SELECT k.complete, k.watermark, k.full_at, y.settings_sha256
             FROM sync_kinds k JOIN syncs y ON y.id = k.sync
             WHERE y.source = ?1 AND k.kind = ?2 AND y.id < ?3
             AND (k.complete = 1 OR k.received > 0 OR k.removed > 0)
             ORDER BY y.id DESC LIMIT 1",
        )
        .bind(source)
        .bind(kind.word())
        .bind(before.sql())
        .fetch_optional(self.readers())
        .await?;
        match row {
            Some((true, Some(watermark), Some(full_at), settings))
                if settings == settings_sha256 =>
            {
                Ok(Some(Base {
                    watermark,
                    full_at: moment(&full_at)?,
                }))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// What a process that ended in the middle left running is interrupted, and so incomplete.
    pub(super) async fn close_interrupted(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let running: Vec<(i64,)> = sqlx::query_as("SELECT id FROM syncs WHERE state = 'running'")
            .fetch_all(self.readers())
            .await?;
        for (id,) in running {
            let sync = SyncId(id.cast_unsigned());
            let mut writing = self.begin().await?;
            // Read inside the transaction: what the sync wrote last is what counts.
            let mut kinds = super::syncs::kinds_of(&mut writing.tx, sync).await?;
            for record in kinds.iter_mut().filter(|k| !k.complete) {
                record.gaps.retain(|gap| gap != CUT_OFF);
                record.gaps.insert(0, CUT_OFF.to_owned());
                put_kind(&mut writing.tx, sync, record).await?;
            }
            sqlx::query(
                "UPDATE syncs SET state = 'interrupted', ended_at = ?2, failure = ?3,
                 hint = 'sync again: it goes on where it can' WHERE id = ?1",
            )
            .bind(id)
            .bind(rfc3339(now))
            .bind(CUT_OFF)
            .execute(&mut *writing.tx)
            .await?;
            links::mark_stale(&mut writing.tx).await?;
            let row = journal::NewJournalRow::plain("error", None, CUT_OFF);
            journal::put(&mut writing.tx, sync, &[row], now).await?;
            writing.commit().await?;
        }
        Ok(())
    }
}

fn moment(text: &str) -> Result<DateTime<Utc>, StoreError> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| StoreError::damaged(format!("time `{text}` of a sync")))
}
