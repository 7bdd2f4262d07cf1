//! Table `watches`: who is watched while access is closed, and how each stands. Survives a restart.

use super::log::append;
use super::moments::moment;
use super::{Store, StoreError};
use crate::watching::{Shown, Standing};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::LifecycleEvent;
use lastkey_contract::when::rfc3339;

pub(super) const MIGRATION: &str = "
CREATE TABLE watches (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  identity TEXT NOT NULL,
  event TEXT NOT NULL,
  at TEXT NOT NULL,
  said_by TEXT NOT NULL,
  started TEXT NOT NULL,
  standing TEXT NOT NULL,
  ended TEXT,
  next_read TEXT NOT NULL,
  last_began TEXT,
  last_ended TEXT,
  things INTEGER NOT NULL,
  open INTEGER NOT NULL,
  verdict TEXT,
  why TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX watches_of_one ON watches (source, identity) WHERE ended IS NULL;
";

/// Somebody who is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRecord {
    pub id: i64,
    pub source: String,
    pub identity: String,
    pub event: LifecycleEvent,
    pub at: DateTime<Utc>,
    /// Who announced it: a person here, or the source of truth.
    pub said_by: String,
    pub started: String,
    pub standing: Standing,
    pub ended: Option<String>,
    pub next_read: DateTime<Utc>,
    pub last: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub things: u64,
    pub open: u64,
    pub verdict: Option<String>,
    pub why: String,
}

#[derive(sqlx::FromRow)]
struct WatchRow {
    id: i64,
    source: String,
    identity: String,
    event: String,
    at: String,
    said_by: String,
    started: String,
    standing: String,
    ended: Option<String>,
    next_read: String,
    last_began: Option<String>,
    last_ended: Option<String>,
    things: i64,
    open: i64,
    verdict: Option<String>,
    why: String,
}

impl TryFrom<WatchRow> for WatchRecord {
    type Error = StoreError;

    fn try_from(row: WatchRow) -> Result<WatchRecord, StoreError> {
        let last = match (&row.last_began, &row.last_ended) {
            (Some(began), Some(ended)) => Some((moment(began)?, moment(ended)?)),
            _ => None,
        };
        Ok(WatchRecord {
            id: row.id,
            source: row.source,
            identity: row.identity,
            event: LifecycleEvent::from_word(&row.event).unwrap_or(LifecycleEvent::Leaver),
            at: moment(&row.at)?,
            said_by: row.said_by,
            started: row.started,
            standing: Standing::from_word(&row.standing).unwrap_or(Standing::Running),
            ended: row.ended,
            next_read: moment(&row.next_read)?,
            last,
            things: u64::try_from(row.things).unwrap_or_default(),
            open: u64::try_from(row.open).unwrap_or_default(),
            verdict: row.verdict,
            why: row.why,
        })
    }
}

impl Store {
    /// Begins to watch somebody; None where they are watched already.
    pub async fn start_watch(
        &self,
        (source, identity): (&str, &str),
        (event, at): (LifecycleEvent, DateTime<Utc>),
        said_by: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<i64>, StoreError> {
        let mut writing = self.begin().await?;
        let there: Option<i64> = sqlx::query_scalar(
            "SELECT id FROM watches WHERE source = ?1 AND identity = ?2 AND ended IS NULL",
        )
        .bind(source)
        .bind(identity)
        .fetch_optional(&mut *writing.tx)
        .await?;
        if there.is_some() {
            return Ok(None);
        }
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO watches (source, identity, event, at, said_by, started, standing,
               next_read, things, open, why)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6, 0, 0, 'it was not read yet') RETURNING id",
        )
        .bind(source)
        .bind(identity)
        .bind(event.word())
        .bind(rfc3339(at))
        .bind(said_by)
        .bind(rfc3339(now))
        .bind(Standing::Running.word())
        .fetch_one(&mut *writing.tx)
        .await?;
        let payload = serde_json::json!({
            "watch": id, "identity": format!("{source}:{identity}"), "event": event.word(),
            "at": rfc3339(at), "said_by": said_by,
        });
        append(
            &mut writing.tx,
            self.operator(),
            "watch started",
            &payload,
            now,
        )
        .await?;
        writing.commit().await?;
        Ok(Some(id))
    }

    /// All of them, those that go on first, then the latest.
    pub async fn watches(&self) -> Result<Vec<WatchRecord>, StoreError> {
        let rows: Vec<WatchRow> = sqlx::query_as(
            "SELECT id, source, identity, event, at, said_by, started, standing, ended, next_read,
               last_began, last_ended, things, open, verdict, why
             FROM watches ORDER BY ended IS NOT NULL, id DESC",
        )
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(WatchRecord::try_from).collect()
    }

    /// Keeps what a read has shown of somebody, and when to read next. What was stopped meanwhile stays
    /// stopped.
    pub async fn keep_watch(
        &self,
        id: i64,
        shown: &Shown,
        (began, ended): (DateTime<Utc>, DateTime<Utc>),
        next_read: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        let before: Option<String> =
            sqlx::query_scalar("SELECT standing FROM watches WHERE id = ?1 AND ended IS NULL")
                .bind(id)
                .fetch_optional(&mut *writing.tx)
                .await?;
        let Some(before) = before else {
            return Ok(());
        };
        let over = (!shown.standing.goes_on()).then(|| rfc3339(ended));
        sqlx::query(
            "UPDATE watches SET standing = ?2, ended = ?3, next_read = ?4, last_began = ?5,
               last_ended = ?6, things = ?7, open = ?8, verdict = ?9, why = ?10 WHERE id = ?1",
        )
        .bind(id)
        .bind(shown.standing.word())
        .bind(over)
        .bind(rfc3339(next_read))
        .bind(rfc3339(began))
        .bind(rfc3339(ended))
        .bind(i64::try_from(shown.things).unwrap_or(i64::MAX))
        .bind(i64::try_from(shown.open).unwrap_or(i64::MAX))
        .bind(shown.verdict.map(|verdict| verdict.word()))
        .bind(&shown.why)
        .execute(&mut *writing.tx)
        .await?;
        if before != shown.standing.word() {
            let payload = serde_json::json!({
                "watch": id, "from": before, "to": shown.standing.word(), "why": shown.why,
            });
            append(
                &mut writing.tx,
                self.operator(),
                "watch changed",
                &payload,
                ended,
            )
            .await?;
        }
        writing.commit().await
    }

    /// Ends a watch by hand; false where none of that number goes on.
    pub async fn stop_watch(&self, id: i64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut writing = self.begin().await?;
        let stopped = sqlx::query(
            "UPDATE watches SET standing = ?2, ended = ?3 WHERE id = ?1 AND ended IS NULL",
        )
        .bind(id)
        .bind(Standing::Stopped.word())
        .bind(rfc3339(now))
        .execute(&mut *writing.tx)
        .await?;
        if stopped.rows_affected() == 0 {
            return Ok(false);
        }
        let payload = serde_json::json!({"watch": id});
        append(
            &mut writing.tx,
            self.operator(),
            "watch stopped",
            &payload,
            now,
        )
        .await?;
        writing.commit().await?;
        Ok(true)
    }
}
