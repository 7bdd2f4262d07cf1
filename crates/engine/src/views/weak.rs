//! What lowers the claims: reads that are missing, incomplete or too old, by source and kind.

use crate::lifecycle::{WeakRead, Weakness};
use crate::store::{Store, StoreError};
use lastkey_contract::SourceName;
use lastkey_contract::when::rfc3339;
use serde::Serialize;
use std::collections::HashMap;
use ts_rs::TS;

/// One read that claims of absence cannot rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct WeakReadView {
    pub source: String,
    /// The word of the kind; None where nothing of the source was ever read.
    pub kind: Option<String>,
    /// `never` read completely, `incomplete` the last time, `stale`.
    pub state: String,
    /// Why the latest read is not complete; one sentence each.
    pub gaps: Vec<String>,
    /// The moment that the last complete read shows.
    pub complete_at: Option<String>,
    /// The latest run of the source.
    pub sync: Option<u64>,
}

/// With the run of each source that a screen leads to.
pub async fn weak_reads(store: &Store, weak: &[WeakRead]) -> Result<Vec<WeakReadView>, StoreError> {
    let mut latest: HashMap<SourceName, Option<u64>> = HashMap::new();
    let mut views = Vec::new();
    for read in weak {
        let sync = match latest.get(&read.source) {
            Some(sync) => *sync,
            None => {
                let sync = match store.find_source(&read.source).await? {
                    Some(source) => store.latest_sync(source.id).await?.map(|sync| sync.id.0),
                    None => None,
                };
                latest.insert(read.source.clone(), sync);
                sync
            }
        };
        views.push(WeakReadView {
            source: read.source.to_string(),
            kind: read.kind.map(|kind| kind.word().to_owned()),
            state: match read.weakness {
                Weakness::Never => "never",
                Weakness::Incomplete => "incomplete",
                Weakness::Stale => "stale",
            }
            .to_owned(),
            gaps: read.gaps.clone(),
            complete_at: read.complete_at.map(rfc3339),
            sync,
        });
    }
    Ok(views)
}
