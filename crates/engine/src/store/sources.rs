//! Table `sources`: what is read. A removed source keeps its history.

use super::blocks::At;
use super::log::append;
use super::read_states::all_read_states;
use super::{Store, StoreError, blocks, links};
use crate::access::ReadState;
use crate::collect::Rules;
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Kind, Settings, SourceName, SystemName};
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::{BTreeSet, HashMap, HashSet};

pub(super) const MIGRATION: &str = "
CREATE TABLE sources (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_at TEXT NOT NULL,
  removed_at TEXT
) STRICT;
CREATE UNIQUE INDEX sources_by_name ON sources (name) WHERE removed_at IS NULL;
";

/// When somebody said of a removed source that its systems are there no more.
pub(super) const RETIREMENT: &str = "ALTER TABLE sources ADD COLUMN retired_at TEXT;";

/// What goes with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Its systems are still there: what of them no other source reads is not known.
    OfSource,
    /// Its systems are retired: nobody has anything there.
    WithSystems,
}

/// A source as it is kept; its secret is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRecord {
    pub id: i64,
    pub name: SourceName,
    /// The connector's word.
    pub kind: String,
    pub settings: Settings,
    pub created_at: String,
}

/// A source that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemovedSource {
    pub name: String,
    /// The connector's word.
    pub kind: String,
    pub removed_at: String,
    /// When somebody said that its systems are there no more.
    pub retired_at: Option<String>,
}

impl SourceRecord {
    /// Whether it may carry objects that another source speaks for.
    pub fn is_supplement(&self) -> bool {
        is_supplement(&self.settings)
    }
}

fn is_supplement(settings: &Settings) -> bool {
    let set = settings.get("supplement");
    set.is_some_and(|v| matches!(v, "true" | "yes" | "1"))
}

/// The rows of sources that only add to what others have, removed ones too.
pub(super) async fn supplements(
    connection: &mut SqliteConnection,
) -> Result<HashSet<i64>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, settings FROM sources")
        .fetch_all(connection)
        .await?;
    let mut all = HashSet::new();
    for (id, settings) in rows {
        if is_supplement(&serde_json::from_str(&settings)?) {
            all.insert(id);
        }
    }
    Ok(all)
}

/// Whether a source says who exists, where it gives identities at all.
pub(super) fn says_who_exists(settings: &Settings) -> bool {
    !settings
        .get("source_of_truth")
        .is_some_and(|v| matches!(v, "false" | "no" | "0"))
}

type Row = (i64, String, String, String, String);
const COLUMNS: &str =
    "SELECT id, name, kind, settings, created_at FROM sources WHERE removed_at IS NULL";

fn record((id, name, kind, settings, created_at): Row) -> Result<SourceRecord, StoreError> {
    Ok(SourceRecord {
        id,
        name: name.into(),
        kind,
        settings: serde_json::from_str(&settings)?,
        created_at,
    })
}

/// The colon is left out, so that `source:id` splits at the first one.
fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=64).contains(&length)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

async fn sources(connection: &mut SqliteConnection) -> Result<Vec<SourceRecord>, StoreError> {
    let sql = format!("{COLUMNS} ORDER BY name");
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(record).collect()
}

/// How long reads count as fresh, in seconds, for sources that say so themselves.
pub(super) async fn fresh_for_by_source(
    connection: &mut SqliteConnection,
) -> Result<HashMap<i64, u64>, StoreError> {
    let own = sources(connection).await?.into_iter().filter_map(|source| {
        source.settings.get("fresh_for")?;
        let limit = Rules::kept(&source.settings).fresh_for.num_seconds();
        Some((source.id, limit.max(0).cast_unsigned()))
    });
    Ok(own.collect())
}

impl Store {
    /// Whether a source can be called that: well-formed, and no other source has the name.
    pub async fn name_is_free(&self, name: &SourceName) -> Result<(), StoreError> {
        if !is_name(name.as_str()) {
            return Err(StoreError::BadName(name.to_string()));
        }
        match self.find_source(name).await? {
            Some(_) => Err(StoreError::SourceExists(name.to_string())),
            None => Ok(()),
        }
    }

    /// Adds a source; its name must be free.
    pub async fn add_source(
        &self,
        name: &SourceName,
        kind: &str,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<SourceRecord, StoreError> {
        self.name_is_free(name).await?;
        let mut writing = self.begin().await?;
        let id = sqlx::query(
            "INSERT INTO sources (name, kind, settings, created_at) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(name.as_str())
        .bind(kind)
        .bind(serde_json::to_string(settings)?)
        .bind(rfc3339(now))
        .execute(&mut *writing.tx)
        .await?
        .last_insert_rowid();
        let payload = serde_json::json!({"source": name, "kind": kind, "settings": settings});
        append(
            &mut writing.tx,
            self.operator(),
            "source added",
            &payload,
            now,
        )
        .await?;
        writing.commit().await?;
        Ok(SourceRecord {
            id,
            name: name.clone(),
            kind: kind.to_owned(),
            settings: settings.clone(),
            created_at: rfc3339(now),
        })
    }

    /// Replaces the settings of a source.
    pub async fn set_source_settings(
        &self,
        name: &SourceName,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.change_source(name, settings, "source changed", now)
            .await
    }

    /// Changes a source's settings, under another name in the log where somebody consented to
    /// something, or took it back.
    pub async fn change_source(
        &self,
        name: &SourceName,
        settings: &Settings,
        what: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let source = self.source(name).await?;
        let mut writing = self.begin().await?;
        sqlx::query("UPDATE sources SET settings = ?2 WHERE id = ?1")
            .bind(source.id)
            .bind(serde_json::to_string(settings)?)
            .execute(&mut *writing.tx)
            .await?;
        // What was read of it before counts by that as well.
        sqlx::query(
            "UPDATE carried SET supplement = ?2 WHERE source = ?1 AND (?2 OR NOT EXISTS
               (SELECT 1 FROM carried c WHERE c.system = carried.system AND c.kind = carried.kind
                AND c.source <> ?1 AND c.supplement = 0))",
        )
        .bind(source.id)
        .bind(is_supplement(settings))
        .execute(&mut *writing.tx)
        .await?;
        let payload = serde_json::json!({"source": name, "settings": settings});
        append(&mut writing.tx, self.operator(), what, &payload, now).await?;
        writing.commit().await?;
        // Whether it is a source of truth may be another thing now.
        self.find_events().await
    }

    /// Notes that the secret of a source was replaced; what it was or is stands nowhere.
    pub async fn note_secret_replaced(
        &self,
        name: &SourceName,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let payload = serde_json::json!({"source": name});
        let mut writing = self.begin().await?;
        append(
            &mut writing.tx,
            self.operator(),
            "source secret replaced",
            &payload,
            now,
        )
        .await?;
        writing.commit().await
    }

    /// Every source that was not removed, by name.
    pub async fn sources(&self) -> Result<Vec<SourceRecord>, StoreError> {
        sources(&mut *self.readers().acquire().await?).await
    }

    pub async fn find_source(&self, name: &SourceName) -> Result<Option<SourceRecord>, StoreError> {
        let sql = format!("{COLUMNS} AND name = ?1");
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(name.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.map(record).transpose()
    }

    pub async fn source(&self, name: &SourceName) -> Result<SourceRecord, StoreError> {
        self.find_source(name)
            .await?
            .ok_or_else(|| StoreError::NoSource(name.to_string()))
    }

    /// Removes a source: its objects are gone from now on, its history stays.
    /// A sync of its own marks the moment.
    pub async fn remove_source(
        &self,
        name: &SourceName,
        removal: Removal,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let source = self.source(name).await?;
        let mut writing = self.begin().await?;
        let retired_at = match removal {
            Removal::OfSource => None,
            Removal::WithSystems => Some(rfc3339(now)),
        };
        let sync = sqlx::query(
            "INSERT INTO syncs (source, state, started_at, ended_at, read_at)
             VALUES (?1, 'removal', ?2, ?2, ?2)",
        )
        .bind(source.id)
        .bind(rfc3339(now))
        .execute(&mut *writing.tx)
        .await?
        .last_insert_rowid();
        blocks::end_source(
            &mut writing.tx,
            super::SyncId(sync.cast_unsigned()),
            source.id,
            "source removed",
        )
        .await?;
        super::people::drop_ended(&mut writing.tx, super::SyncId(sync.cast_unsigned())).await?;
        sqlx::query("UPDATE sources SET removed_at = ?2, retired_at = ?3 WHERE id = ?1")
            .bind(source.id)
            .bind(rfc3339(now))
            .bind(&retired_at)
            .execute(&mut *writing.tx)
            .await?;
        links::mark_stale(&mut writing.tx).await?;
        let payload = match retired_at {
            None => serde_json::json!({"source": name}),
            Some(_) => serde_json::json!({"source": name, "systems": "retired"}),
        };
        append(
            &mut writing.tx,
            self.operator(),
            "source removed",
            &payload,
            now,
        )
        .await?;
        writing.commit().await?;
        self.derive_if_stale().await
    }

    /// The sources that were removed, the last one first.
    pub async fn removed_sources(&self) -> Result<Vec<RemovedSource>, StoreError> {
        let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
            "SELECT name, kind, removed_at, retired_at FROM sources
             WHERE removed_at IS NOT NULL ORDER BY removed_at DESC, id DESC",
        )
        .fetch_all(self.readers())
        .await?;
        let removed = rows
            .into_iter()
            .map(|(name, kind, removed_at, retired_at)| RemovedSource {
                name,
                kind,
                removed_at,
                retired_at,
            });
        Ok(removed.collect())
    }

    /// How many identities a source lists of whom no other source has a record.
    pub async fn listed_only_by(&self, name: &SourceName) -> Result<u64, StoreError> {
        let source = self.source(name).await?;
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM people p WHERE p.source = ?1 AND NOT EXISTS
               (SELECT 1 FROM person_records r JOIN person_records o ON o.person = r.person
                WHERE r.source = p.source AND r.id = p.id AND o.source <> ?1
                  AND EXISTS (SELECT 1 FROM sources s
                              WHERE s.id = o.source AND s.removed_at IS NULL))",
        )
        .bind(source.id)
        .fetch_one(self.readers())
        .await?;
        Ok(count.cast_unsigned())
    }

    /// That the systems of sources of this name, which were removed before, are there no more.
    pub async fn retire(&self, name: &SourceName, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        let found: Vec<(i64, Option<String>)> = sqlx::query_as(
            "SELECT id, retired_at FROM sources WHERE name = ?1 AND removed_at IS NOT NULL",
        )
        .bind(name.as_str())
        .fetch_all(&mut *writing.tx)
        .await?;
        if found.is_empty() {
            return Err(StoreError::NoSource(name.to_string()));
        }
        if found.iter().all(|(_, retired_at)| retired_at.is_some()) {
            return Ok(());
        }
        sqlx::query(
            "UPDATE sources SET retired_at = ?2
             WHERE name = ?1 AND removed_at IS NOT NULL AND retired_at IS NULL",
        )
        .bind(name.as_str())
        .bind(rfc3339(now))
        .execute(&mut *writing.tx)
        .await?;
        let payload = serde_json::json!({"source": name, "systems": "retired"});
        let operator = self.operator();
        append(&mut writing.tx, operator, "systems retired", &payload, now).await?;
        writing.commit().await
    }

    /// The systems of which it tells something that no other source tells: of a kind, or in addition.
    pub async fn told_only_by(&self, name: &SourceName) -> Result<Vec<SystemName>, StoreError> {
        let mut reading = self.readers().begin().await?;
        let reads = all_read_states(&mut reading, At::Now).await?;
        let (own, others): (Vec<&ReadState>, Vec<&ReadState>) =
            reads.iter().partition(|read| read.source == *name);
        let told = |kind: Kind, system: &SystemName| {
            let mut others = others
                .iter()
                .filter(|read| !read.removed && !read.supplement);
            others.any(|read| read.kind == kind && read.is_of(system.as_str()))
        };
        let mut only: BTreeSet<&SystemName> = BTreeSet::new();
        // Of tickets and of sessions nothing else depends on what was told of them.
        let needed = |read: &&&ReadState| !matches!(read.kind, Kind::Task | Kind::Session);
        for read in own.iter().filter(needed) {
            let systems = read.systems.iter();
            only.extend(systems.filter(|system| read.supplement || !told(read.kind, system)));
        }
        Ok(only.into_iter().cloned().collect())
    }
}
