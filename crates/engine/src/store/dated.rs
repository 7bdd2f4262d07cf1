//! Reads of a source by the moment that they show: what a series of dated files has brought.

use super::syncs::LATEST_SHOWN;
use super::{SourceRecord, Store, StoreError, SyncState};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use std::collections::BTreeSet;

/// What the store has of one date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatedReads {
    /// Each read that showed this moment and came to its end.
    pub reads: Vec<DatedRead>,
    /// Whether a read was begun that shows a later moment; nothing older is read then.
    pub overtaken_by: Option<DateTime<Utc>>,
}

/// One read of a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedRead {
    /// SHA-256 of each of its contents.
    pub contents: BTreeSet<String>,
    /// Complete or incomplete.
    pub state: SyncState,
}

impl Store {
    /// Whether a source was ever read to an end, complete or with gaps.
    pub async fn was_ever_read(&self, source: &SourceRecord) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM syncs WHERE source = ?1 AND state IN (?2, ?3))",
        )
        .bind(source.id)
        .bind(SyncState::Complete.word())
        .bind(SyncState::Incomplete.word())
        .fetch_one(self.readers())
        .await?;
        Ok(found)
    }

    /// Whether a read of a source has shown this moment, however it ended.
    pub async fn was_read_as_of(
        &self,
        source: &SourceRecord,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM syncs WHERE source = ?1 AND read_at = ?2)",
        )
        .bind(source.id)
        .bind(rfc3339(at))
        .fetch_one(self.readers())
        .await?;
        Ok(found)
    }

    /// The moments that only incomplete reads of a source show, before the latest complete one:
    /// what was read later does not make them whole. Oldest first.
    pub async fn left_incomplete(&self, source: &SourceRecord) -> Result<Vec<String>, StoreError> {
        let found = sqlx::query_scalar(
            "SELECT DISTINCT read_at FROM syncs s WHERE source = ?1 AND state = ?2
               AND read_at < (SELECT max(read_at) FROM syncs WHERE source = ?1 AND state = ?3)
               AND NOT EXISTS (SELECT 1 FROM syncs c
                 WHERE c.source = ?1 AND c.state = ?3 AND c.read_at = s.read_at)
             ORDER BY read_at",
        )
        .bind(source.id)
        .bind(SyncState::Incomplete.word())
        .bind(SyncState::Complete.word())
        .fetch_all(self.readers())
        .await?;
        Ok(found)
    }

    /// What reads of a source there are that show this moment, and whether later ones are there.
    pub async fn dated_reads(
        &self,
        source: &SourceRecord,
        at: DateTime<Utc>,
    ) -> Result<DatedReads, StoreError> {
        let mut reader = self.readers().begin().await?;
        let shown: Vec<(i64, bool)> = sqlx::query_as(
            "SELECT id, state = ?3 FROM syncs WHERE source = ?1 AND read_at = ?2 AND state IN (?3, ?4) ORDER BY id",
        )
        .bind(source.id)
        .bind(rfc3339(at))
        .bind(SyncState::Complete.word())
        .bind(SyncState::Incomplete.word())
        .fetch_all(&mut *reader)
        .await?;
        let mut reads = Vec::with_capacity(shown.len());
        for (sync, complete) in shown {
            let lists: Vec<String> =
                sqlx::query_scalar("SELECT content_sha256 FROM sync_kinds WHERE sync = ?1")
                    .bind(sync)
                    .fetch_all(&mut *reader)
                    .await?;
            let mut contents = BTreeSet::new();
            for list in lists {
                contents.extend(serde_json::from_str::<Vec<String>>(&list)?);
            }
            let state = match complete {
                true => SyncState::Complete,
                false => SyncState::Incomplete,
            };
            reads.push(DatedRead { contents, state });
        }
        let latest: Option<String> = sqlx::query_scalar(LATEST_SHOWN)
            .bind(source.id)
            .fetch_optional(&mut *reader)
            .await?;
        let overtaken_by = latest
            .and_then(|latest| DateTime::parse_from_rfc3339(&latest).ok())
            .map(|latest| latest.with_timezone(&Utc))
            .filter(|latest| at < *latest);
        Ok(DatedReads {
            reads,
            overtaken_by,
        })
    }
}
