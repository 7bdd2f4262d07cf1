//! Table `checks`: the latest answer of each source about our own rights.

use super::{Store, StoreError};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{CheckReport, SourceName};

pub(super) const MIGRATION: &str = "
CREATE TABLE checks (
  source INTEGER PRIMARY KEY REFERENCES sources (id),
  at TEXT NOT NULL,
  report TEXT NOT NULL
) STRICT;
";

/// The latest check of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRecord {
    pub at: String,
    pub report: CheckReport,
}

impl Store {
    /// Keeps the answer of a check in place of the one before.
    pub async fn save_check(
        &self,
        source: &SourceName,
        report: &CheckReport,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let source = self.source(source).await?;
        let mut writing = self.begin().await?;
        sqlx::query(
            "INSERT INTO checks (source, at, report) VALUES (?1, ?2, ?3)
             ON CONFLICT (source) DO UPDATE SET at = excluded.at, report = excluded.report",
        )
        .bind(source.id)
        .bind(rfc3339(now))
        .bind(serde_json::to_string(report)?)
        .execute(&mut *writing.tx)
        .await?;
        writing.commit().await
    }

    /// The latest check of a source, by the source's row.
    pub(crate) async fn last_check(&self, source: i64) -> Result<Option<CheckRecord>, StoreError> {
        let row: Option<(String, String)> =
            sqlx::query_as("SELECT at, report FROM checks WHERE source = ?1")
                .bind(source)
                .fetch_optional(self.readers())
                .await?;
        row.map(|(at, report)| {
            Ok(CheckRecord {
                at,
                report: serde_json::from_str(&report)?,
            })
        })
        .transpose()
    }
}
