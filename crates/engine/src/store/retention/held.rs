//! Which moments are evidence: what stood then must not be deleted, and why.

use super::super::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// So long after a leaver its revocation can still be measured.
const LEAVERS: TimeDelta = TimeDelta::days(730);

impl Store {
    /// The syncs whose states are evidence, with the first reason of each.
    pub(super) async fn evidence_moments(
        &self,
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<i64, String>, StoreError> {
        let mut reasons: Vec<(String, String)> = Vec::new();
        let packages: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT at, payload ->> 'package' FROM log WHERE what = 'package exported' ORDER BY seq",
        )
        .fetch_all(self.readers())
        .await?;
        for (at, package) in packages {
            let package = package.unwrap_or_default();
            reasons.push((
                at.clone(),
                format!("the package `{package}` was exported at {at}"),
            ));
        }
        let decided: Vec<(String, String)> = sqlx::query_as(
            "SELECT d.at, 'decision ' || d.id || ' (' || d.what || ') stands since ' || d.at
             FROM decisions d LEFT JOIN decisions u ON u.undoes = d.id
             WHERE d.undoes IS NULL AND u.id IS NULL
             UNION ALL
             SELECT d.at, 'owner decision ' || d.id || ' (' || d.what || ') stands since ' || d.at
             FROM owner_decisions d LEFT JOIN owner_decisions u ON u.undoes = d.id
             WHERE d.undoes IS NULL AND u.id IS NULL",
        )
        .fetch_all(self.readers())
        .await?;
        reasons.extend(decided);
        let mut moments = BTreeMap::new();
        for (at, why) in reasons {
            if let Some(sync) = self.sync_at(moment(&at)?).await? {
                moments.entry(sync.id.sql()).or_insert(why);
            }
        }
        // What a leaver held stood after the sync before the one that showed it gone.
        let leavers: Vec<(Option<i64>, String, String)> = sqlx::query_as(
            "SELECT (SELECT max(y.id) FROM syncs y WHERE y.id < e.read), e.identity, s.name
             FROM lifecycle_events e JOIN sources s ON s.id = e.source
             WHERE e.event = 'leaver' AND e.latest > ?1 ORDER BY e.id",
        )
        .bind(super::super::events::kept(now - LEAVERS))
        .fetch_all(self.readers())
        .await?;
        for (before, identity, source) in leavers {
            if let Some(before) = before {
                moments.entry(before).or_insert_with(|| {
                    format!(
                        "the revocation of leaver `{identity}` of {source} is measured from what stood then"
                    )
                });
            }
        }
        Ok(moments)
    }
}

fn moment(text: &str) -> Result<DateTime<Utc>, StoreError> {
    super::super::moments::moment(text)
}
