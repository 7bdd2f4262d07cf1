//! What an audit package needs: every current object by window, how completely each source
//! was read, and the names of identities.

use super::blocks::{self, Columns, Which};
use super::{Store, StoreError, SyncId};
use crate::evidence::{CompletenessRow, PopulationRow};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use std::collections::HashMap;

impl Store {
    /// A window of the current objects of a kind after the row `after`, in the order in which
    /// they were stored; each with its row, to go on from.
    pub async fn population(
        &self,
        kind: Kind,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, PopulationRow)>, StoreError> {
        let names = self.source_names().await?;
        let mut connection = self.readers().acquire().await?;
        let which = Which::now(kind);
        let mut population = Vec::new();
        let mut before = blocks::block_of(after) - 1;
        loop {
            let window = blocks::window(&mut connection, &which, Columns::Facts, before).await?;
            let Some(last) = window.last() else {
                return Ok(population);
            };
            before = last.id;
            for block in &window {
                for place in block.places().filter(|place| block.row(*place) > after) {
                    if population.len() as u64 >= u64::from(limit) {
                        return Ok(population);
                    }
                    let row = PopulationRow {
                        fact: serde_json::from_str(block.fact(place)?)?,
                        source: names.get(&block.source).map_or("", String::as_str).into(),
                        first_sync: block.born(place).cast_unsigned(),
                    };
                    population.push((block.row(place), row));
                }
            }
        }
    }

    /// How many current objects of a kind there are.
    pub async fn population_size(&self, kind: Kind) -> Result<u64, StoreError> {
        blocks::count(&mut *self.readers().acquire().await?, kind).await
    }

    /// The latest read of each source, kind by kind.
    pub async fn completeness(&self) -> Result<Vec<CompletenessRow>, StoreError> {
        let mut rows = Vec::new();
        for source in self.sources().await? {
            let Some(sync) = self.latest_sync(source.id).await? else {
                continue;
            };
            for kind in self.sync_kinds(sync.id).await? {
                let totals = kind.totals;
                rows.push(CompletenessRow {
                    source: source.name.to_string(),
                    supplement: source.is_supplement(),
                    kind: kind.kind,
                    sync: sync.id.0,
                    started_at: moment(&sync.started_at)?,
                    ended_at: sync.ended_at.as_deref().map(moment).transpose()?,
                    reported: Some(totals.reported),
                    received: totals.received,
                    stored: totals.stored,
                    unchanged: totals.unchanged,
                    skipped: totals.skipped,
                    failed: totals.failed,
                    removed: totals.removed,
                    complete: kind.complete,
                    gaps: kind.gaps,
                    queries: kind.queries,
                    content_sha256: kind.content_sha256,
                });
            }
        }
        Ok(rows)
    }

    /// The latest sync of each source, `source:number`.
    pub async fn latest_syncs(&self) -> Result<Vec<String>, StoreError> {
        let mut syncs = Vec::new();
        for source in self.sources().await? {
            if let Some(sync) = self.latest_sync(source.id).await? {
                let SyncId(number) = sync.id;
                syncs.push(format!("{}:{number}", source.name));
            }
        }
        Ok(syncs)
    }

    /// Display name and kind of every current identity, by its shown id.
    pub async fn identity_names(
        &self,
    ) -> Result<HashMap<String, (Option<String>, String)>, StoreError> {
        let rows: Vec<(String, String, Option<String>, String, i64)> = sqlx::query_as(
            "SELECT s.name, p.id, p.display_name, p.kind,
             (SELECT count(DISTINCT coalesce(r.person, -d.object)) FROM people d
              LEFT JOIN person_records r ON r.source = d.source AND r.id = d.id WHERE d.id = p.id)
             FROM people p JOIN sources s ON s.id = p.source",
        )
        .fetch_all(self.readers())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(source, id, name, kind, namesakes)| {
                let shown = if namesakes > 1 {
                    format!("{source}:{id}")
                } else {
                    id
                };
                (shown, (name, kind))
            })
            .collect())
    }

    /// Of everybody's name as it is shown, which can become another when a namesake comes, the one that
    /// stays: `source:id`.
    pub async fn lasting_names(&self) -> Result<HashMap<String, String>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT s.name, p.id FROM people p JOIN sources s ON s.id = p.source")
                .fetch_all(self.readers())
                .await?;
        let mut lasting = HashMap::new();
        for (source, id) in rows {
            let whole = format!("{source}:{id}");
            // Of namesakes only the whole name is shown.
            lasting.insert(whole.clone(), whole.clone());
            lasting.insert(id, whole);
        }
        Ok(lasting)
    }
}

fn moment(text: &str) -> Result<DateTime<Utc>, StoreError> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| StoreError::damaged(format!("the time `{text}`")))
}
