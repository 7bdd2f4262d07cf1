//! Table `log`: who did what, append-only, each entry chained to the one before.
//!
//! An entry hashes the payload's hash and not the payload, so that personal data
//! can be erased without breaking the chain.

use super::{Store, StoreError};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

pub(super) const MIGRATION: &str = "
CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  payload TEXT,
  payload_sha256 TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER log_stays BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
";

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LogEntry {
    pub seq: i64,
    pub at: String,
    pub who: String,
    pub what: String,
    /// JSON; None where it was erased.
    pub payload: Option<String>,
    pub payload_sha256: String,
    pub previous: String,
    pub hash: String,
}

impl LogEntry {
    fn expected_hash(&self) -> String {
        chain_hash(
            &self.previous,
            self.seq,
            &self.at,
            &self.who,
            &self.what,
            &self.payload_sha256,
        )
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn chain_hash(previous: &str, seq: i64, at: &str, who: &str, what: &str, payload: &str) -> String {
    // Length before each part, so that no two entries have one text.
    let mut text = String::new();
    for part in [previous, &seq.to_string(), at, who, what, payload] {
        text.push_str(&format!("{}:{part}", part.len()));
    }
    sha256_hex(text.as_bytes())
}

pub(super) async fn append(
    connection: &mut SqliteConnection,
    who: &str,
    what: &str,
    payload: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let last: Option<(i64, String)> =
        sqlx::query_as("SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let (seq, previous) = last.map_or((1, String::new()), |(seq, hash)| (seq + 1, hash));
    let at = rfc3339(now);
    let payload = payload.to_string();
    let payload_sha256 = sha256_hex(payload.as_bytes());
    let hash = chain_hash(&previous, seq, &at, who, what, &payload_sha256);
    sqlx::query(
        "INSERT INTO log (seq, at, who, what, payload, payload_sha256, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(seq)
    .bind(at)
    .bind(who)
    .bind(what)
    .bind(payload)
    .bind(payload_sha256)
    .bind(previous)
    .bind(hash)
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Appends an entry: what the operator did. Never a secret in the payload.
    pub async fn log(
        &self,
        what: &str,
        payload: &serde_json::Value,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        append(&mut writing.tx, self.operator(), what, payload, now).await?;
        writing.commit().await
    }

    /// The number of the latest entry; it grows with everything that is decided.
    pub async fn log_head(&self) -> Result<u64, StoreError> {
        let (head,): (i64,) = sqlx::query_as("SELECT coalesce(max(seq), 0) FROM log")
            .fetch_one(self.readers())
            .await?;
        Ok(head.cast_unsigned())
    }

    /// Who signed the latest package of this store, if one was ever exported.
    pub async fn last_signer(&self) -> Result<Option<String>, StoreError> {
        Ok(self.latest_export().await?.and_then(|(_, signer)| signer))
    }

    /// When the latest package of this store was exported, if one ever was.
    pub async fn exported_at(&self) -> Result<Option<String>, StoreError> {
        Ok(self.latest_export().await?.map(|(at, _)| at))
    }

    async fn latest_export(&self) -> Result<Option<(String, Option<String>)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT at, payload ->> 'signer' FROM log WHERE what = 'package exported'
             ORDER BY seq DESC LIMIT 1",
        )
        .fetch_optional(self.readers())
        .await?)
    }

    /// A window of the log, oldest first.
    pub async fn log_window(&self, offset: u64, limit: u32) -> Result<Vec<LogEntry>, StoreError> {
        Ok(
            sqlx::query_as("SELECT * FROM log ORDER BY seq LIMIT ?1 OFFSET ?2")
                .bind(limit)
                .bind(offset.cast_signed())
                .fetch_all(self.readers())
                .await?,
        )
    }

    /// What is wrong with the chain; empty if it holds.
    pub(super) async fn log_problems(&self) -> Result<Vec<String>, StoreError> {
        let mut problems = Vec::new();
        let (mut previous, mut next_seq) = (String::new(), 1);
        loop {
            let entries: Vec<LogEntry> =
                sqlx::query_as("SELECT * FROM log WHERE seq >= ?1 ORDER BY seq LIMIT 1000")
                    .bind(next_seq)
                    .fetch_all(self.readers())
                    .await?;
            if entries.is_empty() {
                return Ok(problems);
            }
            for entry in entries {
                let seq = entry.seq;
                if seq != next_seq {
                    problems.push(format!(
                        "the log jumps from entry {} to {seq}",
                        next_seq - 1
                    ));
                }
                if entry.previous != previous {
                    problems.push(format!("log entry {seq} does not follow the one before"));
                }
                if entry.hash != entry.expected_hash() {
                    problems.push(format!("log entry {seq} was changed"));
                }
                let payload = entry.payload.as_deref().map(str::as_bytes);
                if payload.is_some_and(|p| sha256_hex(p) != entry.payload_sha256) {
                    problems.push(format!("the payload of log entry {seq} was changed"));
                }
                previous = entry.hash;
                next_seq = seq + 1;
            }
        }
    }
}
