//! Table `meta`: what the store is. Key and text.

use super::log::append;
use super::{Store, StoreError};
use crate::mass::Threshold;
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use sqlx::SqliteConnection;

pub(super) const MIGRATION: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

pub(super) async fn fill(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut writing = store.begin().await?;
    put(&mut writing.tx, "store_id", &random_hex()?).await?;
    put(&mut writing.tx, "salt", &random_hex()?).await?;
    put(&mut writing.tx, "created_at", &rfc3339(now)).await?;
    writing.commit().await?;
    store
        .log("store created", &serde_json::json!({}), now)
        .await?;
    Ok(())
}

pub(super) async fn fill_if_empty(store: &Store) -> Result<(), StoreError> {
    match store.meta("store_id").await? {
        Some(_) => Ok(()),
        None => fill(store, Utc::now()).await,
    }
}

/// 16 random bytes as hex.
pub(super) fn random_hex() -> Result<String, StoreError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| StoreError::File(format!("no random numbers: {e}")))?;
    Ok(super::log::hex(&bytes))
}

pub(super) async fn put(
    connection: &mut SqliteConnection,
    key: &str,
    value: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(key)
    .bind(value)
    .execute(connection)
    .await?;
    Ok(())
}

/// An entry as it stands on this connection.
pub(super) async fn get(
    connection: &mut SqliteConnection,
    key: &str,
) -> Result<Option<String>, StoreError> {
    let found = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    Ok(found)
}

impl Store {
    pub(super) async fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT value FROM meta WHERE key = ?1")
            .bind(key)
            .fetch_optional(self.readers())
            .await?;
        Ok(row.map(|(value,)| value))
    }

    async fn required(&self, key: &str) -> Result<String, StoreError> {
        self.meta(key).await?.ok_or_else(|| StoreError::Damaged {
            path: self.path().to_owned(),
            reason: format!("`{key}` is missing"),
        })
    }

    /// The store's own random name, 32 hex digits.
    pub async fn store_id(&self) -> Result<String, StoreError> {
        self.required("store_id").await
    }

    /// The salt of redactions and pseudonyms, 32 hex digits.
    pub async fn salt(&self) -> Result<String, StoreError> {
        self.required("salt").await
    }

    /// When the store was made.
    pub async fn created_at(&self) -> Result<String, StoreError> {
        self.required("created_at").await
    }

    /// The fixed reference date of a practice estate; None for a real one.
    pub async fn practice_date(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let text = self.meta("practice_date").await?;
        Ok(text
            .and_then(|t| DateTime::parse_from_rfc3339(&t).ok())
            .map(|t| t.with_timezone(&Utc)))
    }

    /// Above which a change at once is held: the usual, unless another is set; None: nothing is.
    pub async fn mass_threshold(&self) -> Result<Option<Threshold>, StoreError> {
        match self.meta("mass_threshold").await? {
            None => Ok(Some(Threshold::USUAL)),
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| StoreError::damaged(format!("the guard's threshold: {error}"))),
        }
    }

    /// Sets it.
    pub async fn set_mass_threshold(
        &self,
        threshold: Option<Threshold>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let payload = serde_json::json!(threshold);
        let mut writing = self.begin().await?;
        put(&mut writing.tx, "mass_threshold", &payload.to_string()).await?;
        let (tx, who) = (&mut writing.tx, self.operator());
        append(tx, who, "guard set", &payload, now).await?;
        writing.commit().await
    }

    /// Marks the store as a practice estate with this reference date.
    pub async fn set_practice_date(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        put(&mut writing.tx, "practice_date", &rfc3339(at)).await?;
        writing.commit().await
    }
}
