//! Tables `departures` and `departure_parts`: everyone's rehearsal as it was asked last, kept so that the
//! next one rehearses only whom a change concerns.
//!
//! Derived: whatever is not of this state, plan and program is made anew. Nothing is proved by it.

use super::{Store, StoreError};

pub(super) const MIGRATION: &str = "
CREATE TABLE departures (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  sync INTEGER NOT NULL,
  log INTEGER NOT NULL,
  plan_sha256 TEXT NOT NULL,
  program TEXT NOT NULL
) STRICT;
CREATE TABLE departure_parts (
  part INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;
";

/// How many bytes a part has at most.
const A_PART: usize = 1 << 22;

/// What everyone's rehearsal was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeparturesOf {
    /// The state of the store: a number of the latest read, and of the log.
    pub state: (u64, u64),
    /// Empty where no plan is loaded.
    pub plan_sha256: String,
    /// The version of the program.
    pub program: String,
}

impl Store {
    /// Keeps everyone's rehearsal in the place of the one before.
    pub async fn keep_departures(&self, of: &DeparturesOf, bytes: &[u8]) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        for sql in ["DELETE FROM departures", "DELETE FROM departure_parts"] {
            sqlx::query(sql).execute(&mut *writing.tx).await?;
        }
        let (sync, log) = of.state;
        sqlx::query(
            "INSERT INTO departures (one, sync, log, plan_sha256, program) VALUES (1, ?1, ?2, ?3, ?4)",
        )
        .bind(i64::try_from(sync).unwrap_or(i64::MAX))
        .bind(i64::try_from(log).unwrap_or(i64::MAX))
        .bind(&of.plan_sha256)
        .bind(&of.program)
        .execute(&mut *writing.tx)
        .await?;
        for (part, bytes) in (0i64..).zip(bytes.chunks(A_PART)) {
            sqlx::query("INSERT INTO departure_parts (part, bytes) VALUES (?1, ?2)")
                .bind(part)
                .bind(bytes)
                .execute(&mut *writing.tx)
                .await?;
        }
        writing.commit().await?;
        Ok(())
    }

    /// What everyone's rehearsal that is kept was made of.
    pub async fn departures_of(&self) -> Result<Option<DeparturesOf>, StoreError> {
        let row: Option<(i64, i64, String, String)> =
            sqlx::query_as("SELECT sync, log, plan_sha256, program FROM departures")
                .fetch_optional(self.readers())
                .await?;
        let number = |number| u64::try_from(number).unwrap_or_default();
        Ok(row.map(|(sync, log, plan_sha256, program)| DeparturesOf {
            state: (number(sync), number(log)),
            plan_sha256,
            program,
        }))
    }

    /// The kept rehearsal itself, where it is still the one that was made of this.
    pub async fn departures(&self, of: &DeparturesOf) -> Result<Option<Vec<u8>>, StoreError> {
        let parts = sqlx::query_scalar("SELECT bytes FROM departure_parts ORDER BY part");
        let parts: Vec<Vec<u8>> = parts.fetch_all(self.readers()).await?;
        // Another process may have kept another one in between.
        let same = self.departures_of().await?.is_some_and(|now| now == *of);
        Ok(same.then(|| parts.concat()))
    }
}
