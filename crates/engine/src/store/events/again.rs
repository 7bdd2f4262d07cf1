//! Sources that were removed and read anew under their name: what both tell of is told once.

use super::super::StoreError;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// A source that was removed, and one that was added under its name afterwards.
#[derive(sqlx::FromRow)]
pub(super) struct Again {
    removed: i64,
    anew: i64,
    /// The first and the last moment that complete reads of the new one show; none without such.
    first: Option<String>,
    last: Option<String>,
}

pub(super) async fn read_anew(connection: &mut SqliteConnection) -> Result<Vec<Again>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT o.id AS removed, n.id AS anew,
           (SELECT min(at) FROM lifecycle_reads WHERE source = n.id) AS first,
           (SELECT max(at) FROM lifecycle_reads WHERE source = n.id) AS last
         FROM sources o JOIN sources n ON n.name = o.name AND n.id > o.id
         WHERE o.removed_at IS NOT NULL ORDER BY o.id, n.id",
    )
    .fetch_all(connection)
    .await?)
}

impl Again {
    /// Leaves out events `e` of the removed source: those that lie between reads of the new one,
    /// which told what there is to tell of that time, and those that it tells of as well, if by
    /// other reads. What only the removed source can have seen stays.
    pub(super) fn leave_out(&self, sql: &mut QueryBuilder<Sqlite>) {
        sql.push(" AND NOT (e.source = ");
        sql.push_bind(self.removed);
        sql.push(" AND (");
        if let (Some(first), Some(last)) = (&self.first, &self.last) {
            sql.push("(e.owner IS NULL AND e.earliest >= ");
            sql.push_bind(first.clone());
            sql.push(" AND e.latest <= ");
            sql.push_bind(last.clone());
            sql.push(") OR ");
        }
        sql.push(
            "EXISTS (SELECT 1 FROM lifecycle_events d WHERE d.identity = e.identity AND d.source = ",
        );
        sql.push_bind(self.anew);
        // At the same time: ends that only touch are of one change and the next.
        sql.push(
            " AND d.event = e.event AND d.owner IS e.owner
             AND ((d.earliest < e.latest AND d.latest > e.earliest)
               OR (d.earliest = e.earliest AND d.latest = e.latest)))))",
        );
    }
}
