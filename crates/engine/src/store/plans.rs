//! Table `plans`: every offboarding plan that was loaded; the latest counts.

use super::log::{append, sha256_hex};
use super::{Store, StoreError};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;

pub(super) const MIGRATION: &str = "
CREATE TABLE plans (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  steps INTEGER NOT NULL,
  loaded_at TEXT NOT NULL
) STRICT;
";

/// A plan as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PlanRecord {
    pub name: String,
    pub text: String,
    pub sha256: String,
    pub steps: i64,
    pub loaded_at: String,
}

impl Store {
    /// Keeps a plan; the caller has parsed it and counted its steps.
    pub async fn save_plan(
        &self,
        name: &str,
        text: &str,
        steps: u64,
        now: DateTime<Utc>,
    ) -> Result<PlanRecord, StoreError> {
        let plan = PlanRecord {
            name: name.to_owned(),
            text: text.to_owned(),
            sha256: sha256_hex(text.as_bytes()),
            steps: steps.cast_signed(),
            loaded_at: rfc3339(now),
        };
        let mut writing = self.begin().await?;
        sqlx::query(
            "INSERT INTO plans (name, text, sha256, steps, loaded_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&plan.name)
        .bind(&plan.text)
        .bind(&plan.sha256)
        .bind(plan.steps)
        .bind(&plan.loaded_at)
        .execute(&mut *writing.tx)
        .await?;
        let payload = serde_json::json!({"name": name, "sha256": plan.sha256});
        append(
            &mut writing.tx,
            self.operator(),
            "plan loaded",
            &payload,
            now,
        )
        .await?;
        writing.commit().await?;
        Ok(plan)
    }

    /// The plan that counts: the latest one.
    pub async fn plan(&self) -> Result<Option<PlanRecord>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT name, text, sha256, steps, loaded_at FROM plans ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(self.readers())
        .await?)
    }
}
