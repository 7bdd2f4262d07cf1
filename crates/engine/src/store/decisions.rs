//! Table `decisions`: whose account an account is, and which records are one person, as people
//! decided.
//!
//! Append-only: a decision is undone by another row. Accounts are named by system and native id,
//! records by their source's name and native id, so that decisions survive every sync. Each is in
//! the log as well.

use super::log::append;
use super::{Store, StoreError, links};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use sqlx::SqliteConnection;

pub(super) const MIGRATION: &str = "
CREATE TABLE decisions (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  other_scope TEXT,
  other_name TEXT,
  why TEXT NOT NULL,
  seen TEXT NOT NULL,
  undoes INTEGER UNIQUE
) STRICT;
CREATE INDEX decisions_by_name ON decisions (scope, name);
CREATE INDEX decisions_by_what ON decisions (what, id);
CREATE TRIGGER decisions_stay BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_stand BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
";

/// A record of an identity, as people name it: its source's name and its own id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName {
    pub source: String,
    pub id: String,
}

impl std::fmt::Display for RecordName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.source, self.id)
    }
}

/// An account, as people name it: system and native id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName {
    pub system: String,
    pub id: String,
}

impl std::fmt::Display for AccountName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.system, self.id)
    }
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The account is this identity's.
    Of(AccountName, RecordName),
    /// The account is no identity's: shared, of a system, of nobody.
    Nobodys(AccountName),
    /// Both records are one person.
    Same(RecordName, RecordName),
    /// They are two persons.
    Apart(RecordName, RecordName),
}

impl Decision {
    /// The word in the table.
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Of(..) => "account of",
            Decision::Nobodys(_) => "account of nobody",
            Decision::Same(..) => "same person",
            Decision::Apart(..) => "two persons",
        }
    }

    fn names(&self) -> (&str, &str, Option<&str>, Option<&str>) {
        match self {
            Decision::Of(account, record) => (
                &account.system,
                &account.id,
                Some(&record.source),
                Some(&record.id),
            ),
            Decision::Nobodys(account) => (&account.system, &account.id, None, None),
            Decision::Same(a, b) | Decision::Apart(a, b) => {
                (&a.source, &a.id, Some(&b.source), Some(&b.id))
            }
        }
    }

    fn of_row(row: &DecisionRecord) -> Option<Decision> {
        let other = || {
            Some(RecordName {
                source: row.other_scope.clone()?,
                id: row.other_name.clone()?,
            })
        };
        let account = || AccountName {
            system: row.scope.clone(),
            id: row.name.clone(),
        };
        let record = || RecordName {
            source: row.scope.clone(),
            id: row.name.clone(),
        };
        match row.what.as_str() {
            "account of" => Some(Decision::Of(account(), other()?)),
            "account of nobody" => Some(Decision::Nobodys(account())),
            "same person" => Some(Decision::Same(record(), other()?)),
            "two persons" => Some(Decision::Apart(record(), other()?)),
            _ => None,
        }
    }
}

/// A decision with its reason and what was known of both sides at the time.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDecision {
    pub decision: Decision,
    pub why: String,
    /// JSON; see `correlate::Seen`.
    pub seen: serde_json::Value,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DecisionRecord {
    pub id: i64,
    pub at: String,
    pub who: String,
    pub what: String,
    pub scope: String,
    pub name: String,
    pub other_scope: Option<String>,
    pub other_name: Option<String>,
    pub why: String,
    pub seen: String,
    /// The decision that this row undoes.
    pub undoes: Option<i64>,
    /// The row that undid this one.
    pub undone_by: Option<i64>,
}

impl DecisionRecord {
    /// What it says; None for a row that undoes another.
    pub fn decision(&self) -> Option<Decision> {
        Decision::of_row(self)
    }
}

const SELECT: &str = "SELECT d.id, d.at, d.who, d.what, d.scope, d.name, d.other_scope, d.other_name,
 d.why, d.seen, d.undoes, u.id AS undone_by FROM decisions d LEFT JOIN decisions u ON u.undoes = d.id";

impl Store {
    /// Keeps decisions, all or none, and makes what follows from them anew. Their numbers.
    pub async fn decide(
        &self,
        decisions: &[NewDecision],
        now: DateTime<Utc>,
    ) -> Result<Vec<i64>, StoreError> {
        let mut writing = self.begin().await?;
        let mut numbers = Vec::with_capacity(decisions.len());
        for new in decisions {
            let (scope, name, other_scope, other_name) = new.decision.names();
            let number = sqlx::query(
                "INSERT INTO decisions (at, who, what, scope, name, other_scope, other_name, why, seen)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )
            .bind(rfc3339(now))
            .bind(self.operator())
            .bind(new.decision.word())
            .bind(scope)
            .bind(name)
            .bind(other_scope)
            .bind(other_name)
            .bind(&new.why)
            .bind(new.seen.to_string())
            .execute(&mut *writing.tx)
            .await?
            .last_insert_rowid();
            let payload = serde_json::json!({
                "decision": number, "says": new.decision.word(), "of": format!("{scope}:{name}"),
                "to": other_scope.zip(other_name).map(|(scope, name)| format!("{scope}:{name}")),
                "why": new.why,
            });
            append(&mut writing.tx, self.operator(), "decided", &payload, now).await?;
            numbers.push(number);
        }
        links::mark_stale(&mut writing.tx).await?;
        writing.commit().await?;
        self.derive_if_stale().await?;
        Ok(numbers)
    }

    /// Takes a decision back; what stood before it stands again.
    pub async fn undo_decision(
        &self,
        number: i64,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let not_to_undo = || StoreError::BadQuery {
            what: "decision to undo".to_owned(),
            value: number.to_string(),
        };
        let mut writing = self.begin().await?;
        let found: Option<DecisionRecord> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} WHERE d.id = ?1")))
                .bind(number)
                .fetch_optional(&mut *writing.tx)
                .await?;
        let found = found
            .filter(|d| d.undoes.is_none() && d.undone_by.is_none())
            .ok_or_else(not_to_undo)?;
        sqlx::query(
            "INSERT INTO decisions (at, who, what, scope, name, why, seen, undoes)
             VALUES (?1, ?2, 'undone', ?3, ?4, ?5, '{}', ?6)",
        )
        .bind(rfc3339(now))
        .bind(self.operator())
        .bind(&found.scope)
        .bind(&found.name)
        .bind(why)
        .bind(number)
        .execute(&mut *writing.tx)
        .await?;
        let payload = serde_json::json!({"decision": number, "why": why});
        append(
            &mut writing.tx,
            self.operator(),
            "decision undone",
            &payload,
            now,
        )
        .await?;
        links::mark_stale(&mut writing.tx).await?;
        writing.commit().await?;
        self.derive_if_stale().await
    }

    /// A window of the decisions, the latest first, and how many there are.
    pub async fn decisions(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<DecisionRecord>, u64), StoreError> {
        let (total,): (i64,) = sqlx::query_as("SELECT count(*) FROM decisions")
            .fetch_one(self.readers())
            .await?;
        let sql = format!("{SELECT} ORDER BY d.id DESC LIMIT ?1 OFFSET ?2");
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(limit)
            .bind(offset.cast_signed())
            .fetch_all(self.readers())
            .await?;
        Ok((rows, total.cast_unsigned()))
    }

    /// A window of the decisions after one of them, in the order in which they were taken.
    pub(super) async fn decisions_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let sql = format!("{SELECT} WHERE d.id > ?1 ORDER BY d.id LIMIT ?2");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(after)
            .bind(limit)
            .fetch_all(self.readers())
            .await?)
    }

    /// The decisions in force about an account or a record, the latest first.
    pub async fn decisions_about(
        &self,
        scope: &str,
        name: &str,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE ((d.scope = ?1 AND d.name = ?2) OR (d.other_scope = ?1 AND d.other_name = ?2))
             AND d.undoes IS NULL AND u.id IS NULL ORDER BY d.id DESC"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(scope)
            .bind(name)
            .fetch_all(self.readers())
            .await?)
    }
}

/// What a set of decisions is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Accounts,
    Persons,
}

/// Every decision about an account that was ever taken, and what undid any, in that order.
pub(super) async fn ever_of_accounts(
    connection: &mut SqliteConnection,
) -> Result<Vec<DecisionRecord>, StoreError> {
    let sql = format!("{SELECT} ORDER BY d.id");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?)
}

/// Every decision in force, in the order in which they were taken.
pub(super) async fn in_force(
    connection: &mut SqliteConnection,
    about: About,
) -> Result<Vec<DecisionRecord>, StoreError> {
    let words = match about {
        About::Accounts => "('account of', 'account of nobody')",
        About::Persons => "('same person', 'two persons')",
    };
    let sql = format!("{SELECT} WHERE d.what IN {words} AND u.id IS NULL ORDER BY d.id");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?)
}
