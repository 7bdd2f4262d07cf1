//! Tables `probes` and `tries`: which credentials may be tried, by whose consent, and what came of each
//! try. Secrets are not here.

use super::log::append;
use super::moments::moment;
use super::{Store, StoreError};
use crate::evidence::TriedLine;
use crate::probes::{Lockout, Try, may_try, one_writing, proved};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Answer, Tried};
use sqlx::SqliteConnection;
use std::collections::HashSet;

pub(super) const MIGRATION: &str = "
CREATE TABLE probes (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  how TEXT NOT NULL,
  system TEXT NOT NULL,
  account TEXT NOT NULL,
  asked_as TEXT NOT NULL,
  credential TEXT,
  identity TEXT,
  consent TEXT NOT NULL,
  consent_by TEXT NOT NULL,
  consent_at TEXT NOT NULL,
  lockout_after INTEGER,
  lockout_within INTEGER,
  asked_by TEXT NOT NULL,
  removed_at TEXT
) STRICT;
CREATE UNIQUE INDEX probes_by_name ON probes (name) WHERE removed_at IS NULL;
CREATE TABLE tries (
  id INTEGER PRIMARY KEY,
  probe INTEGER NOT NULL REFERENCES probes (id),
  began TEXT NOT NULL,
  ended TEXT NOT NULL,
  answer TEXT NOT NULL,
  raw TEXT NOT NULL,
  why TEXT,
  who TEXT NOT NULL
) STRICT;
CREATE INDEX tries_by_probe ON tries (probe, id);
";

/// What somebody consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProbe {
    pub name: String,
    pub source: String,
    pub how: String,
    /// The account that the credential signs in to, as facts name it.
    pub system: String,
    pub account: String,
    /// What the system is told as the account.
    pub asked_as: String,
    /// Which credential of that system it is, where facts name it.
    pub credential: Option<String>,
    /// Whose it is; none of a canary.
    pub identity: Option<String>,
    /// `canary`, or the words of the consent.
    pub consent: String,
    /// None where nothing can be locked.
    pub lockout: Option<Lockout>,
    /// Of how its source was asked when the probe was added.
    pub asked_by: String,
}

/// A probe that may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRecord {
    pub id: i64,
    pub of: NewProbe,
    pub consent_by: String,
    pub consent_at: String,
    /// In the order of their times.
    pub tries: Vec<TryRecord>,
}

/// One try as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TryRecord {
    pub of: Try,
    pub raw: String,
    pub why: Option<String>,
}

#[derive(sqlx::FromRow)]
struct ProbeRow {
    id: i64,
    name: String,
    source: String,
    how: String,
    system: String,
    account: String,
    asked_as: String,
    credential: Option<String>,
    identity: Option<String>,
    consent: String,
    consent_by: String,
    consent_at: String,
    lockout_after: Option<u32>,
    lockout_within: Option<i64>,
    asked_by: String,
}

#[derive(sqlx::FromRow)]
struct TryRow {
    probe: i64,
    began: String,
    ended: String,
    answer: String,
    raw: String,
    why: Option<String>,
}

impl Store {
    /// Keeps a probe with its consent. False where one of that name is there.
    pub async fn add_probe(&self, new: &NewProbe, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut writing = self.begin().await?;
        let there: Option<i64> =
            sqlx::query_scalar("SELECT id FROM probes WHERE name = ?1 AND removed_at IS NULL")
                .bind(&new.name)
                .fetch_optional(&mut *writing.tx)
                .await?;
        if there.is_some() {
            return Ok(false);
        }
        let lockout = new.lockout;
        let within = lockout.and_then(|lockout| lockout.within);
        sqlx::query(
            "INSERT INTO probes (name, source, how, system, account, asked_as, credential, identity,
               consent, consent_by, consent_at, lockout_after, lockout_within, asked_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )
        .bind(&new.name)
        .bind(&new.source)
        .bind(&new.how)
        .bind(&new.system)
        .bind(&new.account)
        .bind(&new.asked_as)
        .bind(&new.credential)
        .bind(&new.identity)
        .bind(&new.consent)
        .bind(self.operator())
        .bind(rfc3339(now))
        .bind(lockout.map(|lockout| lockout.after))
        .bind(within.map(|within| within.num_seconds()))
        .bind(&new.asked_by)
        .execute(&mut *writing.tx)
        .await?;
        let payload = serde_json::json!({
            "name": new.name, "source": new.source, "how": new.how,
            "account": format!("{}:{}", new.system, new.account),
            "identity": new.identity, "consent": new.consent,
        });
        let who = self.operator();
        append(&mut writing.tx, who, "probe consented", &payload, now).await?;
        writing.commit().await?;
        Ok(true)
    }

    /// Takes the consent back; its tries stay. False where there is none of that name.
    pub async fn remove_probe(&self, name: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut writing = self.begin().await?;
        let removed =
            sqlx::query("UPDATE probes SET removed_at = ?1 WHERE name = ?2 AND removed_at IS NULL")
                .bind(rfc3339(now))
                .bind(name)
                .execute(&mut *writing.tx)
                .await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        let payload = serde_json::json!({"name": name});
        let who = self.operator();
        append(&mut writing.tx, who, "probe removed", &payload, now).await?;
        writing.commit().await?;
        Ok(true)
    }

    /// Those that may be tried, by name.
    pub async fn probes(&self) -> Result<Vec<ProbeRecord>, StoreError> {
        let mut reading = self.readers().begin().await?;
        let all = all(&mut reading).await?;
        Ok(all
            .into_iter()
            .filter(|(removed, _)| !removed)
            .map(|(_, probe)| probe)
            .collect())
    }

    /// The tries of an account by any probe, also those that were removed, in the order of their times:
    /// a server counts them all, by whatever name the account has here.
    pub async fn tries_of(&self, of: &NewProbe) -> Result<Vec<Try>, StoreError> {
        let mut reading = self.readers().begin().await?;
        tries_of(&mut reading, of).await
    }

    /// Begins a try, where the account may be tried: from here on it counts as one that was not answered.
    /// Else why it may not. No other try can begin in between, of whatever process.
    pub async fn begin_try(
        &self,
        probe: &ProbeRecord,
        now: DateTime<Utc>,
    ) -> Result<Result<i64, String>, StoreError> {
        let mut writing = self.begin().await?;
        let tries = tries_of(&mut writing.tx, &probe.of).await?;
        if let Err(why) = may_try(&tries, probe.of.lockout, now) {
            return Ok(Err(why));
        }
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO tries (probe, began, ended, answer, raw, why, who)
             VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6) RETURNING id",
        )
        .bind(probe.id)
        .bind(rfc3339(now))
        .bind(Answer::Indeterminate.word())
        .bind("no answer was kept")
        .bind("what was asked may have been counted, and the answer was not kept")
        .bind(self.operator())
        .fetch_one(&mut *writing.tx)
        .await?;
        writing.commit().await?;
        Ok(Ok(id))
    }

    /// Keeps what came of a try that was begun.
    pub async fn keep_try(
        &self,
        (probe, id): (&ProbeRecord, i64),
        until: DateTime<Utc>,
        tried: &Tried,
    ) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        sqlx::query("UPDATE tries SET ended = ?2, answer = ?3, raw = ?4, why = ?5 WHERE id = ?1")
            .bind(id)
            .bind(rfc3339(until))
            .bind(tried.answer.word())
            .bind(&tried.raw)
            .bind(&tried.why)
            .execute(&mut *writing.tx)
            .await?;
        let payload = serde_json::json!({
            "name": probe.of.name, "answer": tried.answer.word(), "raw": tried.raw,
        });
        append(
            &mut writing.tx,
            self.operator(),
            "probe tried",
            &payload,
            until,
        )
        .await?;
        writing.commit().await
    }
}

/// The tries of all probes that are told the server as the same account, or are of the same one, in the
/// order of their times.
async fn tries_of(
    connection: &mut SqliteConnection,
    of: &NewProbe,
) -> Result<Vec<Try>, StoreError> {
    let probes: Vec<(i64, String, String, String, String)> =
        sqlx::query_as("SELECT id, source, system, account, asked_as FROM probes")
            .fetch_all(&mut *connection)
            .await?;
    let (account, asked_as) = (one_writing(&of.account), one_writing(&of.asked_as));
    let same = probes
        .into_iter()
        .filter(|(_, source, system, own, asked)| {
            (*system == of.system && one_writing(own) == account)
                || (*source == of.source && one_writing(asked) == asked_as)
        });
    let same: HashSet<i64> = same.map(|(id, ..)| id).collect();
    let rows: Vec<TryRow> =
        sqlx::query_as("SELECT probe, began, ended, answer, raw, why FROM tries ORDER BY id")
            .fetch_all(connection)
            .await?;
    let rows = rows.into_iter().filter(|row| same.contains(&row.probe));
    let tries = rows.map(|row| Ok(try_record(row)?.of));
    let mut tries = tries.collect::<Result<Vec<Try>, StoreError>>()?;
    tries.sort_by_key(|one| one.until);
    Ok(tries)
}

/// All that ever were, by name; whether each was removed.
pub(super) async fn all(
    connection: &mut SqliteConnection,
) -> Result<Vec<(bool, ProbeRecord)>, StoreError> {
    let removed: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM probes WHERE removed_at IS NOT NULL ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
    let rows: Vec<ProbeRow> = sqlx::query_as(
        "SELECT id, name, source, how, system, account, asked_as, credential, identity, consent,
           consent_by, consent_at, lockout_after, lockout_within, asked_by
         FROM probes ORDER BY name, id",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tries: Vec<TryRow> = sqlx::query_as(
        "SELECT probe, began, ended, answer, raw, why FROM tries ORDER BY probe, id",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let of = tries.extract_if(.., |one| one.probe == row.id);
        let of = of.map(try_record).collect::<Result<Vec<_>, _>>()?;
        let is_removed = removed.binary_search(&row.id).is_ok();
        all.push((is_removed, record(row, of)));
    }
    Ok(all)
}

impl Store {
    /// Every try that was ever made, also of probes that were removed, in the order of their times.
    pub async fn tried_lines(&self) -> Result<Vec<TriedLine>, StoreError> {
        let mut reading = self.readers().acquire().await?;
        let mut lines = Vec::new();
        for (_, probe) in all(&mut reading).await? {
            let tries: Vec<Try> = probe.tries.iter().map(|one| one.of).collect();
            let of = &probe.of;
            let each = probe.tries.iter().zip(proved(&tries));
            lines.extend(each.map(|(one, proves)| TriedLine {
                probe: of.name.clone(),
                how: of.how.clone(),
                system: of.system.clone(),
                account: of.account.clone(),
                credential: of.credential.clone(),
                identity: of.identity.clone(),
                consent: of.consent.clone(),
                consent_by: probe.consent_by.clone(),
                consent_at: probe.consent_at.clone(),
                from: one.of.from,
                until: one.of.until,
                answer: one.of.answer,
                proves,
                raw: one.raw.clone(),
                why: one.why.clone(),
            }));
        }
        lines.sort_by_key(|one| (one.until, one.from));
        Ok(lines)
    }
}

fn try_record(row: TryRow) -> Result<TryRecord, StoreError> {
    Ok(TryRecord {
        of: Try {
            from: moment(&row.began)?,
            until: moment(&row.ended)?,
            // What an older or newer program wrote otherwise proves nothing.
            answer: Answer::from_word(&row.answer).unwrap_or(Answer::Indeterminate),
        },
        raw: row.raw,
        why: row.why,
    })
}

fn record(row: ProbeRow, tries: Vec<TryRecord>) -> ProbeRecord {
    ProbeRecord {
        id: row.id,
        of: NewProbe {
            name: row.name,
            source: row.source,
            how: row.how,
            system: row.system,
            account: row.account,
            asked_as: row.asked_as,
            credential: row.credential,
            identity: row.identity,
            consent: row.consent,
            lockout: row.lockout_after.map(|after| Lockout {
                after,
                within: row.lockout_within.and_then(TimeDelta::try_seconds),
            }),
            asked_by: row.asked_by,
        },
        consent_by: row.consent_by,
        consent_at: row.consent_at,
        tries,
    }
}
