//! Reads of a source by the moment that they show: what a series of dated files has brought.

use super::syncs::LATEST_SHOWN;
use super::{SourceRecord, Store, StoreError, SyncState};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use std::collections::BTreeSet;

/// What the store has of one date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatedReads {
    /// SHA-256 of the contents of each read that showed this moment and came to its end.
    pub contents: Vec<BTreeSet<String>>,
    /// Whether a read was begun that shows a later moment; nothing older is read then.
    pub overtaken_by: Option<DateTime<Utc>>,
}

impl Store {
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

    /// What reads of a source there are that show this moment, and whether later ones are there.
    pub async fn dated_reads(
        &self,
        source: &SourceRecord,
        at: DateTime<Utc>,
    ) -> Result<DatedReads, StoreError> {
        let mut reader = self.readers().begin().await?;
        let shown: Vec<(i64,)> = sqlx::query_as(
            "SELECT id FROM syncs WHERE source = ?1 AND read_at = ?2 AND state IN (?3, ?4) ORDER BY id",
        )
        .bind(source.id)
        .bind(rfc3339(at))
        .bind(SyncState::Complete.word())
        .bind(SyncState::Incomplete.word())
        .fetch_all(&mut *reader)
        .await?;
        let mut contents = Vec::with_capacity(shown.len());
        for (sync,) in shown {
            let lists: Vec<String> =
                sqlx::query_scalar("SELECT content_sha256 FROM sync_kinds WHERE sync = ?1")
                    .bind(sync)
                    .fetch_all(&mut *reader)
                    .await?;
            let mut all = BTreeSet::new();
            for list in lists {
                all.extend(serde_json::from_str::<Vec<String>>(&list)?);
            }
            contents.push(all);
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
            contents,
            overtaken_by,
        })
    }
}
