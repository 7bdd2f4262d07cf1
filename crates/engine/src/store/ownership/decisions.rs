//! Table `owner_decisions`: what somebody confirmed or rejected. Each is in the log as well.

use super::super::blocks::At;
use super::super::log::append;
use super::super::names::Names;
use super::super::{RecordName, Store, StoreError};
use super::given_on::{Confirmed, GivenOn};
use super::known::Holder;
use crate::lifecycle::Basis;
use crate::ownership::{ObjectName, OwnerState};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{ObjectType, OwnerRole};
use lastkey_contract::when::rfc3339;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::HashMap;

/// So many decisions stand in one entry of the log.
const IN_ONE_ENTRY: usize = 200;
/// More decisions than these at once: the lists are made anew instead of line by line.
const LINE_BY_LINE: usize = 500;

/// Who answers for what, in which role: what a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnedBy {
    /// The system of an identity is its source's name.
    pub object: ObjectName,
    pub owner: RecordName,
    pub role: OwnerRole,
}

/// What was decided of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerVerdict {
    Confirmed,
    Rejected,
}

impl OwnerVerdict {
    /// The word in tables and files.
    pub fn word(self) -> &'static str {
        match self {
            OwnerVerdict::Confirmed => "confirmed",
            OwnerVerdict::Rejected => "rejected",
        }
    }

    pub fn from_word(word: &str) -> Option<OwnerVerdict> {
        match word {
            "confirmed" => Some(OwnerVerdict::Confirmed),
            "rejected" => Some(OwnerVerdict::Rejected),
            _ => None,
        }
    }
}

/// A decision to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOwnerDecision {
    pub about: OwnedBy,
    pub verdict: OwnerVerdict,
    pub why: String,
    /// What was suggested at the time, in words; empty if nothing was.
    pub basis: String,
    /// Whether the owner is there, and how people call them: for the lists.
    pub owner_state: OwnerState,
    pub owner_name: Option<String>,
    /// The owner as lists name them: bare where unique, else `source:id`.
    pub owner_shown: String,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwnerDecision {
    pub id: i64,
    /// The number of everything that was decided at once.
    pub batch: i64,
    pub at: String,
    /// The latest sync when it was taken.
    pub since_sync: i64,
    pub who: String,
    /// `confirmed`, `rejected` or `undone`.
    pub what: String,
    pub object_type: String,
    pub object_system: String,
    pub object_id: String,
    pub owner_source: String,
    pub owner_id: String,
    pub role: String,
    pub why: String,
    pub basis: String,
    pub undoes: Option<i64>,
    /// The row that undid this one.
    pub undone_by: Option<i64>,
}

impl OwnerDecision {
    /// What it is about; None where the store is of a newer version.
    pub fn about(&self) -> Option<OwnedBy> {
        Some(OwnedBy {
            object: ObjectName::new(
                ObjectType::from_word(&self.object_type)?,
                self.object_system.as_str(),
                self.object_id.as_str(),
            ),
            owner: RecordName {
                source: self.owner_source.clone(),
                id: self.owner_id.clone(),
            },
            role: OwnerRole::from_word(&self.role)?,
        })
    }
}

pub(super) const SELECT: &str =
    "SELECT d.id, d.batch, d.at, d.since_sync, d.who, d.what, d.object_type, d.object_system, d.object_id,
 d.owner_source, d.owner_id, d.role, d.why, d.basis, d.undoes, u.id AS undone_by
 FROM owner_decisions d LEFT JOIN owner_decisions u ON u.undoes = d.id";

/// What counts now: of each line the latest decision that was not undone, by this sync.
pub(super) async fn in_force(
    connection: &mut SqliteConnection,
    until_sync: i64,
) -> Result<HashMap<OwnedBy, OwnerDecision>, StoreError> {
    let sql = format!(
        "{SELECT} AND u.since_sync <= ?1
         WHERE d.since_sync <= ?1 AND d.undoes IS NULL AND u.id IS NULL ORDER BY d.id"
    );
    let rows: Vec<OwnerDecision> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(until_sync)
        .fetch_all(connection)
        .await?;
    Ok(latest(rows))
}

/// A window of all decisions after one of them, in the order in which they were taken.
pub(in super::super) async fn decisions_after(
    connection: &mut SqliteConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<OwnerDecision>, StoreError> {
    let sql = format!("{SELECT} WHERE d.id > ?1 ORDER BY d.id LIMIT ?2");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Every decision on an object, in the order in which they were taken. An identity without a
/// source is that of any source.
pub(in super::super) async fn decisions_on(
    connection: &mut SqliteConnection,
    object: &ObjectName,
) -> Result<Vec<OwnerDecision>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE d.object_type = ?1 AND d.object_id = ?3
         AND (d.object_system = ?2 OR (?2 = '' AND d.object_type = 'identity')) ORDER BY d.id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(object.kind.word())
        .bind(&object.system)
        .bind(&object.id)
        .fetch_all(connection)
        .await?)
}

fn latest(rows: Vec<OwnerDecision>) -> HashMap<OwnedBy, OwnerDecision> {
    let mut of: HashMap<OwnedBy, OwnerDecision> = HashMap::new();
    for row in rows {
        if let Some(about) = row.about() {
            of.insert(about, row);
        }
    }
    of
}

impl Store {
    /// Keeps decisions, all or none. The number of the batch.
    pub async fn decide_owners(
        &self,
        decisions: &[NewOwnerDecision],
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let mut writing = self.begin().await?;
        let (next, sync): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT coalesce(max(id), 0) + 1 FROM owner_decisions),
             (SELECT coalesce(max(id), 0) FROM syncs)",
        )
        .fetch_one(&mut *writing.tx)
        .await?;
        for part in decisions.chunks(500) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO owner_decisions (batch, at, since_sync, who, what, object_type, object_system,
                 object_id, owner_source, owner_id, role, why, basis) ",
            );
            insert.push_values(part, |mut values, new| {
                let OwnedBy {
                    object,
                    owner,
                    role,
                } = &new.about;
                values
                    .push_bind(next)
                    .push_bind(rfc3339(now))
                    .push_bind(sync)
                    .push_bind(self.operator())
                    .push_bind(new.verdict.word())
                    .push_bind(object.kind.word())
                    .push_bind(object.system.as_str())
                    .push_bind(object.id.as_str())
                    .push_bind(owner.source.as_str())
                    .push_bind(owner.id.as_str())
                    .push_bind(role.word())
                    .push_bind(new.why.as_str())
                    .push_bind(new.basis.as_str());
            });
            insert.build().execute(&mut *writing.tx).await?;
        }
        for part in decisions.chunks(IN_ONE_ENTRY) {
            let said: Vec<serde_json::Value> = part.iter().map(said).collect();
            let payload = serde_json::json!({ "batch": next, "decisions": said });
            append(
                &mut writing.tx,
                self.operator(),
                "owners decided",
                &payload,
                now,
            )
            .await?;
        }
        if decisions.len() > LINE_BY_LINE {
            super::mark_stale(&mut writing.tx).await?;
        } else {
            for new in decisions {
                let confirmed_by = (self.operator(), rfc3339(now));
                super::record::follow(&mut writing.tx, self.names()?, new, &confirmed_by).await?;
            }
            super::mark_followed(&mut writing.tx).await?;
        }
        writing.commit().await?;
        self.find_events().await?;
        Ok(next)
    }

    /// Takes decisions back; what stood before them stands again. How many were undone.
    pub async fn undo_owner_decisions(
        &self,
        numbers: &[i64],
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut writing = self.begin().await?;
        let mut undone = 0;
        for number in numbers {
            let done = sqlx::query(
                "INSERT INTO owner_decisions (batch, at, since_sync, who, what, object_type, object_system,
                   object_id, owner_source, owner_id, role, why, basis, undoes)
                 SELECT d.batch, ?2, (SELECT coalesce(max(id), 0) FROM syncs), ?3, 'undone', d.object_type,
                   d.object_system, d.object_id, d.owner_source, d.owner_id, d.role, ?4, '', d.id
                 FROM owner_decisions d WHERE d.id = ?1 AND d.undoes IS NULL
                 AND NOT EXISTS (SELECT 1 FROM owner_decisions u WHERE u.undoes = d.id)",
            )
            .bind(number)
            .bind(rfc3339(now))
            .bind(self.operator())
            .bind(why)
            .execute(&mut *writing.tx)
            .await?;
            undone += done.rows_affected();
        }
        for part in numbers.chunks(IN_ONE_ENTRY) {
            let payload = serde_json::json!({ "decisions": part, "why": why });
            let what = "owner decisions undone";
            append(&mut writing.tx, self.operator(), what, &payload, now).await?;
        }
        super::mark_stale(&mut writing.tx).await?;
        writing.commit().await?;
        self.find_events().await?;
        Ok(undone)
    }

    /// A window of all decisions, the latest first, and how many there are.
    pub async fn owner_decisions(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<OwnerDecision>, u64), StoreError> {
        let total: i64 = sqlx::query_scalar("SELECT count(*) FROM owner_decisions")
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

    /// The decisions of a batch that were not undone.
    pub async fn owner_batch(&self, batch: i64) -> Result<Vec<OwnerDecision>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE d.batch = ?1 AND d.undoes IS NULL AND u.id IS NULL ORDER BY d.id"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(batch)
            .fetch_all(self.readers())
            .await?)
    }

    /// What counts of the decisions about an object, by line.
    pub async fn owner_decisions_about(
        &self,
        object: &ObjectName,
    ) -> Result<Vec<OwnerDecision>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE d.object_type = ?1 AND d.object_system = ?2 AND d.object_id = ?3
             AND d.undoes IS NULL AND u.id IS NULL ORDER BY d.id"
        );
        let rows: Vec<OwnerDecision> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(object.kind.word())
            .bind(&object.system)
            .bind(&object.id)
            .fetch_all(self.readers())
            .await?;
        let mut rows: Vec<OwnerDecision> = latest(rows).into_values().collect();
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }

    /// The decisions that count and name somebody as an owner, by object.
    pub(super) async fn owner_decisions_of(
        &self,
        owner: &RecordName,
    ) -> Result<Vec<OwnerDecision>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE d.owner_id = ?1 AND d.owner_source = ?2
             AND d.undoes IS NULL AND u.id IS NULL ORDER BY d.id"
        );
        let rows: Vec<OwnerDecision> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(&owner.id)
            .bind(&owner.source)
            .fetch_all(self.readers())
            .await?;
        let mut rows: Vec<OwnerDecision> = latest(rows).into_values().collect();
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }
}

fn said(new: &NewOwnerDecision) -> serde_json::Value {
    serde_json::json!({
        "says": new.verdict.word(),
        "object": new.about.object.argument(),
        "owner": new.about.owner.to_string(),
        "role": new.about.role.word(),
        "why": new.why,
        "basis": new.basis,
    })
}

/// Who is confirmed as an owner at a moment, in a fixed order. Where the id seems to have been
/// given to somebody else since, nobody said so of whoever has it: it is assumed.
pub(in super::super) async fn confirmed_owners(
    connection: &mut SqliteConnection,
    names: Names,
    at: At,
) -> Result<Vec<(OwnedBy, Basis)>, StoreError> {
    let mut decided = in_force(&mut *connection, at.limit()).await?;
    decided.retain(|_, decision| decision.what == OwnerVerdict::Confirmed.word());
    let decisions: Vec<Confirmed<'_>> = decided.values().map(Confirmed::of).collect();
    let given_on = GivenOn::find(connection, names, &decisions, at).await?;
    let basis = |decision: &OwnerDecision| match given_on.holder(decision.id) {
        Holder::Same => Basis::Attested,
        Holder::Another => Basis::Assumed,
    };
    let confirmed = decided.iter();
    let confirmed = confirmed.map(|(about, decision)| (about.clone(), basis(decision)));
    let mut confirmed: Vec<(OwnedBy, Basis)> = confirmed.collect();
    confirmed.sort();
    Ok(confirmed)
}
