//! Everybody who left, and came back: what measuring revocation begins with.

use super::super::StoreError;
use super::{TOLD, again, kept, moment};
use crate::lifecycle::events::ANOTHER;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::LifecycleEvent;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// An end or a return, as a source of truth tells of it.
pub(in super::super) struct Turn {
    pub source: i64,
    pub identity: String,
    pub name: Option<String>,
    pub event: LifecycleEvent,
    pub earliest: DateTime<Utc>,
    pub latest: DateTime<Utc>,
    /// The sync that told of it.
    pub read: i64,
    pub changed: Vec<String>,
}

/// Every move, by source and identity, in the order in which reads told of them.
pub(in super::super) async fn moves(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> Result<Vec<Turn>, StoreError> {
    told(connection, now, "e.event = 'mover'").await
}

/// Every record whose id may be another person's since, in the order in which reads told of them.
pub(in super::super) async fn given_on(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> Result<Vec<Turn>, StoreError> {
    let which = format!("e.event = 'renamed' AND e.changed LIKE '%{ANOTHER}%'");
    told(connection, now, &which).await
}

/// Every end, and every return of who ever ended, by source and identity, in the order in which reads
/// told of them. A row for each: of all who ever left, some hundred bytes each are in memory.
pub(in super::super) async fn turns(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> Result<Vec<Turn>, StoreError> {
    const ENDS: &str = "('leaver', 'vendor_exit', 'workload_retired', 'agent_retired')";
    let which = format!(
        "(e.event IN {ENDS} OR (e.event IN ('rehire', 'joiner') AND EXISTS
           (SELECT 1 FROM lifecycle_events x
            WHERE x.identity = e.identity AND x.source = e.source AND x.event IN {ENDS})))"
    );
    told(connection, now, &which).await
}

async fn told(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
    which: &str,
) -> Result<Vec<Turn>, StoreError> {
    let again = again::read_anew(&mut *connection).await?;
    let mut select = QueryBuilder::<Sqlite>::new(
        "SELECT e.source, e.identity, e.name, e.event, e.earliest, e.latest, e.read, e.changed
         FROM lifecycle_events e WHERE e.owner IS NULL AND ",
    );
    select.push(TOLD).push_bind(kept(now));
    select.push(" AND e.source IN (SELECT id FROM sources WHERE removed_at IS NULL)))");
    again.iter().for_each(|one| one.leave_out(&mut select));
    select.push(format!(
        " AND {which}
         ORDER BY e.source, e.identity, e.read, e.listed, e.latest, e.id"
    ));
    type Row = (
        i64,
        String,
        Option<String>,
        String,
        String,
        String,
        i64,
        String,
    );
    let rows: Vec<Row> = select.build_query_as().fetch_all(connection).await?;
    let turn = |(source, identity, name, event, earliest, latest, read, changed): Row| {
        Ok(Turn {
            source,
            identity,
            name,
            event: LifecycleEvent::from_word(&event)
                .ok_or_else(|| StoreError::damaged(format!("event `{event}`")))?,
            earliest: moment(&earliest)?,
            latest: moment(&latest)?,
            read,
            changed: changed
                .split(',')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    };
    rows.into_iter().map(turn).collect()
}
