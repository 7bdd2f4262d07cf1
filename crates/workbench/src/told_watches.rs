//! Watches that sources of truth start by themselves: whoever they tell to leave is watched.

use crate::bench::Workbench;
use crate::failure::Failure;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::SourceName;
use lastkey_engine::store::{ToldToLeave, WatchRecord};
use std::collections::HashMap;

/// How long before a last day a watch begins, and how long after an end was told it still does.
const AROUND: TimeDelta = TimeDelta::days(7);

impl Workbench {
    /// Watches whoever leaves by what the sources tell that are set to; where one of them tells another
    /// day now, or none any more, the watch that it began ends.
    pub(crate) async fn watch_whom_sources_tell(&self) -> Result<(), Failure> {
        for source in self.store.sources().await? {
            let wanted = source.settings.get("watch_leavers");
            if wanted.is_some_and(|text| matches!(text, "true" | "yes" | "1")) {
                self.watch_whom_it_tells(&source.name).await?;
            }
        }
        Ok(())
    }

    async fn watch_whom_it_tells(&self, source: &SourceName) -> Result<(), Failure> {
        let now = self.now();
        let said_by = format!("source {source}");
        let all = self.store.watches().await?;
        let of_it: Vec<WatchRecord> = all
            .into_iter()
            .filter(|one| one.source == source.as_str())
            .collect();
        let begun = |one: &&WatchRecord| one.standing.goes_on() && one.said_by == said_by;
        let oldest = of_it.iter().filter(begun).map(|one| one.at).min();
        let from = oldest.unwrap_or(now).min(now - AROUND);
        let told = self.store.told_to_leave(source, (from, now + AROUND), now);
        let told = told.await?;
        let days: HashMap<&str, DateTime<Utc>> = told
            .iter()
            .map(|one| (one.identity.as_str(), one.at))
            .collect();
        for one in of_it.iter().filter(begun) {
            if days.get(one.identity.as_str()) != Some(&one.at) {
                self.store.stop_watch(one.id, Utc::now()).await?;
            }
        }
        for one in told.iter().filter(|one| one.at >= now - AROUND) {
            let known = of_it.iter().any(|watch| is_of(watch, one));
            if !known {
                let whose = (source.as_str(), one.identity.as_str());
                let event = (one.event, one.at);
                // Whom somebody watches already by hand is watched.
                self.store
                    .start_watch(whose, event, &said_by, Utc::now())
                    .await?;
            }
        }
        Ok(())
    }
}

/// Whether a watch, also one that has ended, is of what is told.
fn is_of(watch: &WatchRecord, told: &ToldToLeave) -> bool {
    watch.identity == told.identity && watch.at == told.at
}
