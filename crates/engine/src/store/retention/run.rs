//! Deleting what no rule keeps and no evidence holds, or telling what that would be.

use super::super::log::append;
use super::super::moments::{moment, shows};
use super::super::{Store, StoreError, SyncId, SyncRecord, blocks, links};
use super::belongings::{belongings, changed_accounts, forgotten_prints, stray_credentials};
use super::{ALL_KINDS, RetentionRule};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::Kind;
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};
use ts_rs::TS;

/// What a rule came to for one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RetentionResult {
    pub kind: String,
    /// Versions that ended at or before this sync are no longer kept by the rule.
    pub upto: u64,
    /// How many versions go.
    pub versions: u64,
    /// How many stay because they are evidence.
    pub held: u64,
    /// How many stay because they are packed together with what is kept.
    pub packed_with_kept: u64,
}

/// What retention deleted, or would delete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RetentionReport {
    pub kinds: Vec<RetentionResult>,
    /// Syncs whose journal goes.
    pub journals: u64,
    /// The moments that are evidence, by sync: how many versions each keeps, and why.
    pub evidence: Vec<Evidence>,
    /// How many versions of identities stay because they say whose a current account is.
    pub held_for_accounts: u64,
}

/// A moment that is kept whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Evidence {
    pub sync: u64,
    pub versions: u64,
    pub why: String,
}

/// Whether it is done, or only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Delete,
    OnlyTell,
}

impl Store {
    /// What retention would delete now, and what keeps the rest.
    pub async fn retention_preview(
        &self,
        now: DateTime<Utc>,
    ) -> Result<RetentionReport, StoreError> {
        self.retain(now, Doing::OnlyTell).await
    }

    /// Deletes what no rule keeps and no evidence holds; the log says how much.
    pub async fn run_retention(&self, now: DateTime<Utc>) -> Result<RetentionReport, StoreError> {
        self.retain(now, Doing::Delete).await
    }

    async fn retain(
        &self,
        now: DateTime<Utc>,
        doing: Doing,
    ) -> Result<RetentionReport, StoreError> {
        let _lease = self.lease().await?;
        let rules = self.retention().await?;
        let cutoffs = self.cutoffs(&rules, now).await?;
        let mut report = RetentionReport::default();
        if cutoffs.is_empty() {
            return Ok(report);
        }
        let moments = self.evidence_moments(now).await?;
        let evidence: Vec<i64> = moments.keys().copied().collect();
        let mut held: BTreeMap<i64, u64> = BTreeMap::new();
        let mut writing = self.begin().await?;
        let connection = &mut *writing.tx;
        for (kind, upto) in &cutoffs {
            let mut kept = if *kind == Kind::Identity {
                belongings(&mut *connection, self.names()?).await?
            } else if *kind == Kind::Account {
                changed_accounts(&mut *connection).await?
            } else {
                HashSet::new()
            };
            kept.extend(stray_credentials(&mut *connection, *kind).await?);
            kept.extend(forgotten_prints(&mut *connection, *kind).await?);
            let found =
                blocks::forgettable(&mut *connection, *kind, *upto, &evidence, &kept).await?;
            report.held_for_accounts += found.of_kept;
            for (moment, count) in &found.held {
                *held.entry(*moment).or_default() += count;
            }
            report.kinds.push(RetentionResult {
                kind: kind.word().to_owned(),
                upto: upto.cast_unsigned(),
                versions: found.versions,
                held: found.held.values().sum::<u64>() + found.of_kept,
                packed_with_kept: found.packed_with_kept,
            });
            if doing == Doing::Delete && found.versions > 0 {
                blocks::forget(&mut *connection, &found.blocks).await?;
                put_horizon(&mut *connection, *kind, *upto).await?;
                // What links were made of may be less now.
                links::look_at_all(&mut *connection).await?;
            }
        }
        report.evidence = moments
            .iter()
            .filter_map(|(sync, why)| {
                Some(Evidence {
                    sync: sync.cast_unsigned(),
                    versions: *held.get(sync)?,
                    why: why.clone(),
                })
            })
            .collect();
        // Of kinds that have no rule everything is kept, and the journals that tell of it.
        let oldest = match cutoffs.len() == Kind::ALL.len() {
            true => cutoffs.values().copied().min().unwrap_or(0),
            false => 0,
        };
        report.journals = journals(&mut *connection, oldest, &evidence, doing).await?;
        if doing == Doing::OnlyTell {
            return Ok(report);
        }
        sqlx::query("DELETE FROM kept_moments")
            .execute(&mut *connection)
            .await?;
        for (sync, why) in &moments {
            sqlx::query("INSERT INTO kept_moments (sync, reason) VALUES (?1, ?2)")
                .bind(sync)
                .bind(why)
                .execute(&mut *connection)
                .await?;
        }
        let payload = serde_json::to_value(&report)?;
        let who = self.operator();
        append(&mut *connection, who, "retention run", &payload, now).await?;
        writing.commit().await?;
        Ok(report)
    }

    /// For each kind that has a rule, the last sync that it no longer keeps; none where there is none.
    async fn cutoffs(
        &self,
        rules: &[RetentionRule],
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<Kind, i64>, StoreError> {
        let by_word: HashMap<&str, &RetentionRule> = rules
            .iter()
            .map(|rule| (rule.kind.as_str(), rule))
            .collect();
        let mut syncs = Vec::new();
        loop {
            let window = self.syncs(syncs.len() as u64, 1_000).await?;
            if window.is_empty() {
                break;
            }
            syncs.extend(window);
        }
        syncs.reverse();
        let mut cutoffs = BTreeMap::new();
        for kind in Kind::ALL {
            let rule = by_word.get(kind.word()).or_else(|| by_word.get(ALL_KINDS));
            let Some(rule) = rule else { continue };
            if let Some(SyncId(sync)) = last_passed(&syncs, rule, now)? {
                cutoffs.insert(kind, sync.cast_signed());
            }
        }
        Ok(cutoffs)
    }
}

/// The last of the oldest syncs, in a row, that a rule no longer keeps.
fn last_passed(
    syncs: &[SyncRecord],
    rule: &RetentionRule,
    now: DateTime<Utc>,
) -> Result<Option<SyncId>, StoreError> {
    let newest = rule.syncs.map_or(0, |count| count as usize);
    let mut last = None;
    for (n, sync) in syncs.iter().enumerate() {
        let kept_by_count = n + newest >= syncs.len() && newest > 0;
        let at = shows(sync)?.unwrap_or(moment(&sync.started_at)?);
        let days = rule.days.map(|days| TimeDelta::days(i64::from(days)));
        let kept_by_age = days.is_some_and(|days| at + days > now);
        if kept_by_count || kept_by_age || shows(sync)?.is_none() {
            break;
        }
        last = Some(sync.id);
    }
    Ok(last)
}

async fn put_horizon(
    connection: &mut SqliteConnection,
    kind: Kind,
    upto: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO horizons (kind, sync) VALUES (?1, ?2)
         ON CONFLICT (kind) DO UPDATE SET sync = max(sync, excluded.sync)",
    )
    .bind(kind.word())
    .bind(upto)
    .execute(connection)
    .await?;
    Ok(())
}

/// The journals of syncs before one that is kept, but for those of evidence and of the latest reads:
/// how many there are, or were. That a sync was begun anew stays: it explains its versions;
/// so do the columns of the last complete read: the next is measured by them.
async fn journals(
    connection: &mut SqliteConnection,
    before: i64,
    evidence: &[i64],
    doing: Doing,
) -> Result<u64, StoreError> {
    const OLD: &str = "sync < ?1 AND sync NOT IN (SELECT value FROM json_each(?2))
        AND sync NOT IN (SELECT max(id) FROM syncs GROUP BY source)
        AND sync NOT IN (SELECT id FROM syncs WHERE state = 'interrupted')
        AND what NOT IN ('restart', 'resume')
        AND NOT (what = 'columns' AND sync = (
          SELECT max(y.id) FROM syncs y JOIN sync_kinds k ON k.sync = y.id
          WHERE y.source = (SELECT source FROM syncs WHERE id = journal.sync)
            AND k.kind = journal.kind AND k.complete = 1))";
    let evidence = serde_json::to_string(evidence)?;
    let sql = format!("SELECT count(DISTINCT sync) FROM journal WHERE {OLD}");
    let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(before)
        .bind(&evidence)
        .fetch_one(&mut *connection)
        .await?;
    if doing == Doing::Delete {
        let sql = format!("DELETE FROM journal WHERE {OLD}");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(before)
            .bind(&evidence)
            .execute(connection)
            .await?;
    }
    Ok(count.cast_unsigned())
}
