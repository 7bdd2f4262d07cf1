//! The identities that differ between complete reads, for lifecycle events.

use super::blocks::At;
use super::{Store, StoreError, every};
use crate::lifecycle::events::{Compared, Earlier, FoundEvent, Told, events_between, not_marked};
use crate::views::EventRow;
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use lastkey_contract::when::rfc3339;
use std::collections::{BTreeMap, HashSet};

/// A version of an identity record and the syncs between which it was visible.
struct Version {
    identity: Identity,
    first: i64,
    ended: Option<i64>,
}

impl Version {
    fn visible(&self, sync: i64) -> bool {
        self.first <= sync && self.ended.is_none_or(|ended| ended > sync)
    }
}

impl Store {
    /// Lifecycle events that complete reads of identities show, oldest first; all of
    /// them or those of one identity record (source and id).
    pub async fn lifecycle_events(
        &self,
        only: Option<(&str, &str)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<EventRow>, StoreError> {
        let mut events = Vec::new();
        for (source, name) in self.source_names().await? {
            if only.is_some_and(|(wanted, _)| wanted != name) {
                continue;
            }
            let reads: Vec<(i64, String)> = sqlx::query_as(
                "SELECT y.id, y.read_at FROM syncs y JOIN sync_kinds k ON k.sync = y.id
                 WHERE y.source = ?1 AND k.kind = 'identity' AND k.complete = 1 ORDER BY y.id",
            )
            .bind(source)
            .fetch_all(self.readers())
            .await?;
            let reads: Vec<(i64, DateTime<Utc>)> = reads
                .into_iter()
                .filter_map(|(sync, at)| Some((sync, moment(&at)?)))
                .collect();
            let Some((first_read, _)) = reads.first() else {
                continue;
            };
            let histories = self
                .identity_histories(source, *first_read, only.map(|(_, id)| id))
                .await?;
            for (id, versions) in &histories {
                for found in events_of(versions, &reads, now) {
                    events.push((found, id.clone(), name.clone()));
                }
            }
        }
        events.sort_by(|(a, a_id, a_source), (b, b_id, b_source)| {
            (a.latest, a_id, a_source, a.event.word()).cmp(&(
                b.latest,
                b_id,
                b_source,
                b.event.word(),
            ))
        });
        Ok(events
            .into_iter()
            .map(|(found, identity, source)| EventRow {
                event: found.event.word().to_owned(),
                identity,
                source,
                earliest: rfc3339(found.earliest),
                latest: rfc3339(found.latest),
                changed: found.changed.iter().map(|c| (*c).to_owned()).collect(),
            })
            .collect())
    }

    /// All versions of the identities that ever differed from the first complete read,
    /// or that have an end date.
    async fn identity_histories(
        &self,
        source: i64,
        first_read: i64,
        only: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<Version>>, StoreError> {
        let mut histories: BTreeMap<String, Vec<Version>> = BTreeMap::new();
        let mut tell = HashSet::new();
        let mut connection = self.readers().acquire().await?;
        every::each(
            &mut connection,
            Kind::Identity,
            Some(source),
            At::Ever,
            |standing| {
                let identity: Identity = serde_json::from_str(standing.fact)?;
                let id = identity.id.to_string();
                if only.is_some_and(|wanted| wanted != id) {
                    return Ok(());
                }
                let (first, ended) = (standing.first_sync, standing.ended_sync);
                if first > first_read
                    || ended.is_some_and(|ended| ended > first_read)
                    || identity.end_date.is_some()
                {
                    tell.insert(id.clone());
                }
                histories.entry(id).or_default().push(Version {
                    identity,
                    first,
                    ended,
                });
                Ok(())
            },
        )
        .await?;
        histories.retain(|id, _| tell.contains(id));
        Ok(histories)
    }
}

fn events_of(
    versions: &[Version],
    reads: &[(i64, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Vec<FoundEvent> {
    let at = |sync: i64| {
        versions
            .iter()
            .find(|v| v.visible(sync))
            .map(|v| &v.identity)
    };
    let mut events = Vec::new();
    for ((sync_before, read_before), (sync_after, read_after)) in
        reads.iter().zip(reads.iter().skip(1))
    {
        events.extend(events_between(&Compared {
            before: at(*sync_before),
            after: at(*sync_after),
            earlier: versions
                .iter()
                .filter(|v| v.first <= *sync_before)
                .fold(Earlier::Never, |earlier, v| earlier.and(&v.identity)),
            others: &[],
            told: Told::everything(),
            read_before: *read_before,
            read_after: *read_after,
        }));
    }
    if let Some(current) = versions.iter().find(|v| v.ended.is_none()) {
        events.extend(not_marked(&current.identity, &[]).filter(|found| found.latest <= now));
    }
    events
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|t| t.with_timezone(&Utc))
}
