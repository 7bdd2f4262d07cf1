//! Tables `rehearsals` and `rehearsal_items`: rehearsals that were saved under a name.
//!
//! Items are kept by the thousand, compressed together, as they are only ever read whole.

use super::log::append;
use super::{Store, StoreError};
use crate::lifecycle::saved::{FactsState, KeptItem, KeptRehearsal};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;

pub(super) const MIGRATION: &str = "
CREATE TABLE rehearsals (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  items INTEGER NOT NULL,
  kept TEXT NOT NULL
) STRICT;
CREATE TABLE rehearsal_items (
  rehearsal INTEGER NOT NULL REFERENCES rehearsals (id),
  part INTEGER NOT NULL,
  items BLOB NOT NULL,
  PRIMARY KEY (rehearsal, part)
) STRICT, WITHOUT ROWID;
";

/// How many items are kept together.
const TOGETHER: usize = 1_000;

/// Entries of the log that no answer depends on, or whose part is told apart: plan and policy.
const OF_NO_FACTS: &str = "'plan loaded', 'policy drafted', 'policy loaded', 'rehearsal saved', \
     'rehearsal removed', 'assertions loaded', 'assertions removed', 'guard set', \
     'mass change confirmed', 'package exported', \
     'store backed up', 'store restored', 'store created', 'recovery key made', 'key kept anew'";

/// A saved rehearsal without its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedRehearsal {
    pub name: String,
    pub saved_at: String,
    pub saved_by: String,
    /// How many items it has.
    pub items: u64,
    /// Its items are left out.
    pub kept: KeptRehearsal,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    at: String,
    who: String,
    items: i64,
    kept: String,
}

impl Row {
    fn read(self) -> Result<(i64, SavedRehearsal), StoreError> {
        let kept =
            serde_json::from_str(&self.kept).map_err(|error| unreadable(&self.name, &error))?;
        let saved = SavedRehearsal {
            name: self.name,
            saved_at: self.at,
            saved_by: self.who,
            items: self.items.cast_unsigned(),
            kept,
        };
        Ok((self.id, saved))
    }
}

fn unreadable(name: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::damaged(format!(
        "the saved rehearsal `{name}` cannot be read: {error}"
    ))
}

impl Store {
    /// Keeps a rehearsal under a name that none has; false where one has it.
    pub async fn save_rehearsal(
        &self,
        name: &str,
        kept: &KeptRehearsal,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let text = serde_json::to_string(kept).map_err(|error| unreadable(name, &error))?;
        let mut writing = self.begin().await?;
        let taken: Option<(i64,)> = sqlx::query_as("SELECT id FROM rehearsals WHERE name = ?1")
            .bind(name)
            .fetch_optional(&mut *writing.tx)
            .await?;
        if taken.is_some() {
            return Ok(false);
        }
        let (id,): (i64,) = sqlx::query_as(
            "INSERT INTO rehearsals (name, at, who, items, kept) VALUES (?1, ?2, ?3, ?4, ?5)
             RETURNING id",
        )
        .bind(name)
        .bind(rfc3339(now))
        .bind(self.operator())
        .bind(i64::try_from(kept.items.len()).unwrap_or(i64::MAX))
        .bind(text)
        .fetch_one(&mut *writing.tx)
        .await?;
        for (part, items) in (0i64..).zip(kept.items.chunks(TOGETHER)) {
            let text = serde_json::to_vec(items).map_err(|error| unreadable(name, &error))?;
            sqlx::query("INSERT INTO rehearsal_items (rehearsal, part, items) VALUES (?1, ?2, ?3)")
                .bind(id)
                .bind(part)
                .bind(lz4_flex::compress_prepend_size(&text))
                .execute(&mut *writing.tx)
                .await?;
        }
        let payload = serde_json::json!({
            "name": name, "question": kept.question, "verdict": kept.verdict,
            "items": kept.items.len(),
        });
        let tx = &mut writing.tx;
        append(tx, self.operator(), "rehearsal saved", &payload, now).await?;
        writing.commit().await?;
        Ok(true)
    }

    /// All that are saved, the latest first, without items.
    pub async fn saved_rehearsals(&self) -> Result<Vec<SavedRehearsal>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM rehearsals ORDER BY id DESC")
            .fetch_all(self.readers())
            .await?;
        rows.into_iter()
            .map(|row| row.read().map(|(_, saved)| saved))
            .collect()
    }

    /// The one of a name, with its items.
    pub async fn saved_rehearsal(&self, name: &str) -> Result<Option<SavedRehearsal>, StoreError> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM rehearsals WHERE name = ?1")
            .bind(name)
            .fetch_optional(self.readers())
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let (id, mut saved) = row.read()?;
        let parts: Vec<(Vec<u8>,)> =
            sqlx::query_as("SELECT items FROM rehearsal_items WHERE rehearsal = ?1 ORDER BY part")
                .bind(id)
                .fetch_all(self.readers())
                .await?;
        for (packed,) in parts {
            let text = lz4_flex::decompress_size_prepended(&packed)
                .map_err(|error| unreadable(name, &error))?;
            let items: Vec<KeptItem> =
                serde_json::from_slice(&text).map_err(|error| unreadable(name, &error))?;
            saved.kept.items.extend(items);
        }
        // A part that is missing would look like items that are gone.
        match u64::try_from(saved.kept.items.len()) == Ok(saved.items) {
            true => Ok(Some(saved)),
            false => Err(unreadable(name, &"some of its items are missing")),
        }
    }

    /// Removes one; false where there is none of the name. The log keeps that it was there.
    pub async fn remove_rehearsal(
        &self,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut writing = self.begin().await?;
        sqlx::query(
            "DELETE FROM rehearsal_items
             WHERE rehearsal = (SELECT id FROM rehearsals WHERE name = ?1)",
        )
        .bind(name)
        .execute(&mut *writing.tx)
        .await?;
        let removed = sqlx::query("DELETE FROM rehearsals WHERE name = ?1")
            .bind(name)
            .execute(&mut *writing.tx)
            .await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        let payload = serde_json::json!({"name": name});
        let tx = &mut writing.tx;
        append(tx, self.operator(), "rehearsal removed", &payload, now).await?;
        writing.commit().await?;
        Ok(true)
    }

    /// Which state of the facts answers are of: the latest, or the one after a sync; decisions are
    /// those of now.
    pub async fn facts_state(&self, after: Option<u64>) -> Result<FactsState, StoreError> {
        let sync = match after {
            Some(sync) => sync,
            None => self.newest_sync().await?.map_or(0, |sync| sync.id.0),
        };
        let counted = format!("SELECT count(*) FROM log WHERE what NOT IN ({OF_NO_FACTS})");
        let (decisions,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(counted))
            .fetch_one(self.readers())
            .await?;
        Ok(FactsState {
            sync,
            decisions: decisions.cast_unsigned(),
        })
    }
}
