//! Tables of lifecycle events: what complete reads of the sources of truth show to have happened.
//!
//! Derived (`find`): made after each sync from the reads that have come since, so that a list of
//! them costs no more than its window. `lifecycle_reads` says which reads have been looked at and
//! how many identities had each attribute then; `lifecycle_groups` which records counted as one
//! person. Promises: no event from a partial read, none from a source that is no source of truth.

mod again;
pub(super) mod endings;
mod find;
mod groups;
mod meant;
#[cfg(test)]
mod order_tests;
mod owner_lines;
pub(super) mod owners;
#[cfg(test)]
mod owners_tests;
mod registers;
mod said;
mod sources;
#[cfg(test)]
mod tests;

use super::ownership::NO_SOURCE;
use super::{Store, StoreError, SyncId};
use crate::lifecycle::events::FoundEvent;
use chrono::{DateTime, SecondsFormat, Utc};
use lastkey_contract::facts::IdentityStatus;
use lastkey_contract::when::{rfc3339, within_years};
pub use owners::OwnerChange;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{HashMap, HashSet};

pub(super) const MIGRATION: &str = "
CREATE TABLE lifecycle_events (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL,
  identity TEXT NOT NULL,
  name TEXT,
  event TEXT NOT NULL,
  earliest TEXT NOT NULL,
  latest TEXT NOT NULL,
  changed TEXT NOT NULL,
  read INTEGER NOT NULL,
  listed INTEGER NOT NULL
) STRICT;
CREATE INDEX lifecycle_events_by_time ON lifecycle_events (latest, identity, source, listed);
CREATE INDEX lifecycle_events_by_identity ON lifecycle_events (identity, source);
CREATE TABLE lifecycle_reads (
  source INTEGER NOT NULL,
  read INTEGER NOT NULL,
  at TEXT NOT NULL,
  attributes TEXT NOT NULL,
  PRIMARY KEY (source, read)
) STRICT, WITHOUT ROWID;
CREATE TABLE lifecycle_groups (
  source INTEGER NOT NULL,
  id TEXT NOT NULL,
  person INTEGER NOT NULL,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
";

/// The status that was said last of records that say none now, by source and the number of their
/// id; of sources of truth, and as their complete reads showed it.
pub(super) async fn status_said_last(
    connection: &mut SqliteConnection,
    silent: HashMap<i64, HashSet<i64>>,
) -> Result<HashMap<(i64, i64), IdentityStatus>, StoreError> {
    let mut all = HashMap::new();
    for (source, keys) in silent {
        let reads = said::Reads::of(&sources::known(&mut *connection, source).await?);
        let said = said::last_said(&mut *connection, source, &reads, keys).await?;
        all.extend(
            said.into_iter()
                .map(|(key, status)| ((source, key), status)),
        );
    }
    Ok(all)
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    pub source: String,
    pub identity: String,
    /// What the identity was called then.
    pub name: Option<String>,
    pub event: String,
    pub earliest: String,
    pub latest: String,
    pub changed: Vec<String>,
    /// Of a change of owner.
    pub owner: Option<OwnerChange>,
}

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventsQuery<'a> {
    pub event: Option<&'a str>,
    pub identity: Option<&'a str>,
    pub source: Origin<'a>,
    /// An attribute or mark that must be among those that changed.
    pub changed: Option<&'a str>,
    /// Whatever may have happened at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Whatever may have happened before this moment.
    pub before: Option<DateTime<Utc>>,
    /// In identity, name or event.
    pub search: &'a str,
    pub order: Order,
    pub offset: u64,
    pub limit: u32,
}

/// Who says that something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Origin<'a> {
    #[default]
    Any,
    Source(&'a str),
    /// A decision of people.
    People,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    OldestFirst,
    NewestFirst,
}

/// Whether an event has happened or will have, should the record be listed as it is until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Happened,
    WhileListed,
}

/// An event to be kept.
struct NewEvent {
    identity: String,
    name: Option<String>,
    found: FoundEvent,
    read: i64,
    said: Said,
    owner: Option<OwnerChange>,
}

/// Who is listed beyond the end of the last day is told of once that has passed.
const TOLD: &str = "(e.listed = 0 OR (e.latest <= ";

impl Store {
    /// A window of events, how many match, and how many there are.
    pub(crate) async fn events(
        &self,
        query: &EventsQuery<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<EventRecord>, u64, u64), StoreError> {
        const COUNT: &str = "SELECT count(*) FROM lifecycle_events e WHERE ";
        let mut reader = self.readers().begin().await?;
        let again = again::read_anew(&mut reader).await?;
        let restrict = |sql: &mut QueryBuilder<Sqlite>| {
            sql.push(TOLD);
            sql.push_bind(kept(now));
            sql.push(" AND e.source IN (SELECT id FROM sources WHERE removed_at IS NULL)))");
            again.iter().for_each(|one| one.leave_out(sql));
        };
        let narrow = |sql: &mut QueryBuilder<Sqlite>| {
            restrict(sql);
            let named = match query.source {
                Origin::Source(name) => Some(name),
                Origin::Any | Origin::People => None,
            };
            let same = [
                (" AND e.event = ", query.event, ""),
                (" AND e.identity = ", query.identity, ""),
                (
                    " AND e.source IN (SELECT id FROM sources WHERE name = ",
                    named,
                    ")",
                ),
            ];
            if query.source == Origin::People {
                sql.push(" AND e.source = ");
                sql.push_bind(NO_SOURCE);
            }
            for (condition, value, end) in same {
                if let Some(value) = value {
                    sql.push(condition);
                    sql.push_bind(value.to_owned());
                    sql.push(end);
                }
            }
            if let Some(changed) = query.changed {
                sql.push(" AND instr(',' || e.changed || ',', ");
                sql.push_bind(format!(",{changed},"));
                sql.push(") > 0");
            }
            if let Some(since) = query.since {
                sql.push(" AND e.latest >= ");
                sql.push_bind(kept(since));
            }
            if let Some(before) = query.before {
                sql.push(" AND e.earliest < ");
                sql.push_bind(kept(before));
            }
            let words = query.search.trim().to_lowercase();
            if !words.is_empty() {
                sql.push(" AND instr(lower(e.identity || ' ' || coalesce(e.name, '') || ' ' || e.event), ");
                sql.push_bind(words);
                sql.push(") > 0");
            }
        };
        let mut count = QueryBuilder::<Sqlite>::new(COUNT);
        restrict(&mut count);
        let total: i64 = count.build_query_scalar().fetch_one(&mut *reader).await?;
        let mut count = QueryBuilder::<Sqlite>::new(COUNT);
        narrow(&mut count);
        let matching: i64 = count.build_query_scalar().fetch_one(&mut *reader).await?;
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT coalesce((SELECT name FROM sources WHERE id = e.source), ''), e.identity, e.name, e.event,
             e.earliest, e.latest, e.changed, e.owner FROM lifecycle_events e WHERE ",
        );
        narrow(&mut select);
        select.push(match query.order {
            Order::OldestFirst => " ORDER BY e.latest, e.identity, e.source, e.listed, e.id LIMIT ",
            Order::NewestFirst => {
                " ORDER BY e.latest DESC, e.identity DESC, e.source DESC, e.listed DESC, e.id DESC LIMIT "
            }
        });
        select.push_bind(query.limit);
        select.push(" OFFSET ");
        select.push_bind(query.offset.cast_signed());
        type Row = (
            String,
            String,
            Option<String>,
            String,
            String,
            String,
            String,
            Option<String>,
        );
        let rows: Vec<Row> = select.build_query_as().fetch_all(&mut *reader).await?;
        let rows = rows
            .into_iter()
            .map(
                |(source, identity, name, event, earliest, latest, changed, owner)| {
                    Ok(EventRecord {
                        source,
                        identity,
                        name,
                        event,
                        earliest: rfc3339(moment(&earliest)?),
                        latest: rfc3339(moment(&latest)?),
                        changed: changed
                            .split(',')
                            .filter(|word| !word.is_empty())
                            .map(str::to_owned)
                            .collect(),
                        owner: owner.as_deref().map(serde_json::from_str).transpose()?,
                    })
                },
            )
            .collect::<Result<_, StoreError>>()?;
        Ok((rows, matching.cast_unsigned(), total.cast_unsigned()))
    }
}

/// A moment as these tables keep it: as long as any other, so that texts stand in the order of time.
pub(super) fn kept(at: DateTime<Utc>) -> String {
    within_years(at).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

fn moment(text: &str) -> Result<DateTime<Utc>, StoreError> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| StoreError::damaged(format!("moment `{text}` of an event")))
}

async fn put(
    connection: &mut SqliteConnection,
    source: i64,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    for part in events.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO lifecycle_events (source, identity, name, event, earliest, latest, changed, read, listed, owner) ",
        );
        let mut rows = Vec::with_capacity(part.len());
        for new in part {
            let owner = new.owner.as_ref().map(serde_json::to_string).transpose()?;
            rows.push((new, owner));
        }
        insert.push_values(rows, |mut values, (new, owner)| {
            values
                .push_bind(source)
                .push_bind(new.identity.as_str())
                .push_bind(new.name.as_deref())
                .push_bind(new.found.event.word())
                .push_bind(kept(new.found.earliest))
                .push_bind(kept(new.found.latest))
                .push_bind(new.found.changed.join(","))
                .push_bind(new.read)
                .push_bind(i64::from(new.said == Said::WhileListed))
                .push_bind(owner);
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Drops all that was found of a source; it is looked at anew.
async fn forget_source(connection: &mut SqliteConnection, source: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM lifecycle_events WHERE source = ?1 AND owner IS NULL",
        "DELETE FROM lifecycle_reads WHERE source = ?1",
        groups::MARK_SOURCE,
    ] {
        sqlx::query(sql)
            .bind(source)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Drops what rests on a sync that is taken back.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(), StoreError> {
    owners::take_back(&mut *connection, sync).await?;
    let source: Option<i64> =
        sqlx::query_scalar("SELECT source FROM lifecycle_reads WHERE read = ?1")
            .bind(sync.sql())
            .fetch_optional(&mut *connection)
            .await?;
    match source {
        Some(source) => forget_source(connection, source).await,
        None => Ok(()),
    }
}
