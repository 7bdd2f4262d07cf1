//! The same questions of an earlier state: reach and rehearsals as of a sync.
//!
//! Facts are those of that moment; plan, rules and decisions are those of now.

use crate::bench::Workbench;
use crate::failure::Failure;
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_engine::access::Graph;
use lastkey_engine::store::SyncId;
use std::collections::BTreeSet;

/// An earlier state, and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Then {
    pub sync: SyncId,
    pub at: DateTime<Utc>,
}

impl Workbench {
    /// Looks at the state after a sync from here on (its number, a time or a date; None: the
    /// latest). What counts as now is the moment that the sync shows.
    pub async fn look_back(mut self, as_of: Option<&str>) -> Result<Workbench, Failure> {
        let Some(sync) = self.as_of(as_of).await?.map(SyncId) else {
            return Ok(self);
        };
        if let Some(text) = as_of {
            self.require_one_state(text, sync).await?;
        }
        let at = self.store.shown_at(sync).await?;
        self.then = Some(Then { sync, at });
        self.forget().await;
        Ok(self)
    }

    /// Refuses a time or a date whose state is not the one after the sync that was found for it: a
    /// verdict of then may not rest on what was read later, and of sources that were, the state after
    /// a sync tells nothing else.
    pub(crate) async fn require_one_state(&self, text: &str, sync: SyncId) -> Result<(), Failure> {
        match self.read_later(Some(text)).await?.first() {
            None => Ok(()),
            Some(later) => Err(Failure::not_possible(format!(
                "what was known at `{text}` is not the state after any sync: `{}` was read later, and \
                 that came in before sync {}",
                later.source, sync.0
            ))
            .hint(format!(
                "give the number {} to ask of all that there was after that sync",
                sync.0
            ))),
        }
    }

    /// The sync whose state is looked at, where it is not the latest.
    pub fn looking_at(&self) -> Option<u64> {
        self.then.map(|then| then.sync.0)
    }

    /// The one identity of an earlier state that a text names, as it is named there, and what it
    /// was called.
    pub(crate) async fn known_identity_then(
        &self,
        text: &str,
        sync: SyncId,
        graph: &Graph,
    ) -> Result<(IdentityId, Option<String>), Failure> {
        let listed = self.store.records_listed(text, sync).await?;
        let mut found: BTreeSet<String> = BTreeSet::new();
        let records: Vec<_> = listed.iter().map(|(record, _)| record.clone()).collect();
        for all in self.store.records_of_then(&records, sync).await? {
            // Whichever record of its person leads there.
            let names = all
                .into_iter()
                .flat_map(|record| [record.to_string(), record.id]);
            found.extend(
                names
                    .map(IdentityId::new)
                    .find(|name| graph.identity_kind(name).is_some())
                    .map(|name| name.to_string()),
            );
        }
        let name = listed.into_iter().find_map(|(_, name)| name);
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok((IdentityId::new(one), name)),
            (None, _) => Err(Failure::bad_input(format!(
                "no identity `{text}` was listed after sync {}",
                sync.0
            ))
            .hint("see `lastkey identities --as-of` for ids")),
            (Some(one), Some(other)) => {
                let all: Vec<String> = [one, other].into_iter().chain(found).collect();
                Err(
                    Failure::bad_input(format!("`{text}` names {} identities", all.len()))
                        .hint(format!("say which: {}", all.join(", "))),
                )
            }
        }
    }
}
