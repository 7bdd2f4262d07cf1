//! Tables `assertions` and `assertion_runs`: what must hold of rehearsals, and what came of it each time.

use super::log::{append, sha256_hex};
use super::{Store, StoreError};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;

pub(super) const MIGRATION: &str = "
CREATE TABLE assertions (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  number INTEGER NOT NULL
) STRICT;
CREATE TABLE assertion_runs (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  verdict TEXT NOT NULL,
  report TEXT NOT NULL
) STRICT;
";

/// A file of assertions as it was loaded; one that holds none says that none count.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AssertionsRecord {
    pub at: String,
    pub who: String,
    pub name: String,
    pub text: String,
    pub sha256: String,
    pub number: i64,
}

/// What came of them once.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AssertionRun {
    pub id: i64,
    pub at: String,
    pub who: String,
    pub verdict: String,
    /// JSON.
    pub report: String,
}

impl Store {
    /// Keeps assertions that count from now on; the caller has parsed them.
    pub async fn save_assertions(
        &self,
        name: &str,
        text: &str,
        number: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        let sha256 = sha256_hex(text.as_bytes());
        sqlx::query(
            "INSERT INTO assertions (at, who, name, text, sha256, number)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(rfc3339(now))
        .bind(self.operator())
        .bind(name)
        .bind(text)
        .bind(&sha256)
        .bind(number.cast_signed())
        .execute(&mut *writing.tx)
        .await?;
        let what = match number {
            0 => "assertions removed",
            _ => "assertions loaded",
        };
        let payload = serde_json::json!({"name": name, "sha256": sha256, "number": number});
        append(&mut writing.tx, self.operator(), what, &payload, now).await?;
        writing.commit().await
    }

    /// Those that count; None where none do.
    pub async fn assertions(&self) -> Result<Option<AssertionsRecord>, StoreError> {
        let latest: Option<AssertionsRecord> = sqlx::query_as(
            "SELECT at, who, name, text, sha256, number FROM assertions ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(self.readers())
        .await?;
        Ok(latest.filter(|one| one.number > 0))
    }

    /// Keeps what came of them.
    pub async fn save_assertion_run(
        &self,
        verdict: &str,
        report: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        sqlx::query(
            "INSERT INTO assertion_runs (at, who, verdict, report) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(rfc3339(now))
        .bind(self.operator())
        .bind(verdict)
        .bind(report)
        .execute(&mut *writing.tx)
        .await?;
        writing.commit().await
    }

    /// A window of what came of them, the latest first.
    pub async fn assertion_runs(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<AssertionRun>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, at, who, verdict, report FROM assertion_runs
             ORDER BY id DESC LIMIT ?1 OFFSET ?2",
        )
        .bind(limit)
        .bind(offset.cast_signed())
        .fetch_all(self.readers())
        .await?)
    }
}
