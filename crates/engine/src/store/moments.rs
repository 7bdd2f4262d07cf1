//! Which sync's state stands for a moment in time.

use super::{Store, StoreError, SyncId, SyncRecord, SyncState};
use crate::views::MomentView;
use chrono::{DateTime, Utc};
use lastkey_contract::SourceName;
use lastkey_contract::when::rfc3339;
use std::collections::BTreeMap;

/// A source whose reads up to a sync show more than a moment that was asked for: it was read later,
/// and a dated read of another source came in after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLater {
    pub source: SourceName,
    /// The first of its reads that show more.
    pub sync: SyncId,
    pub shows: DateTime<Utc>,
    /// Its latest read that does not; none where it had not been read by then.
    pub upto: Option<SyncId>,
}

/// Syncs are looked at newest first, in windows of so many.
const WINDOW: u32 = 1_000;

impl Store {
    /// The latest sync whose state was there at a moment: one that had ended by then, or a dated
    /// read of that date or before. None where nothing was there yet.
    pub async fn sync_at(&self, at: DateTime<Utc>) -> Result<Option<SyncRecord>, StoreError> {
        self.latest_sync_that(|_, shown| shown <= at).await
    }

    /// The latest sync of which this holds, by the moment from which on its state counts.
    pub async fn latest_sync_that(
        &self,
        holds: impl Fn(&SyncRecord, DateTime<Utc>) -> bool,
    ) -> Result<Option<SyncRecord>, StoreError> {
        let mut offset = 0;
        loop {
            let syncs = self.syncs(offset, WINDOW).await?;
            if syncs.is_empty() {
                return Ok(None);
            }
            offset += syncs.len() as u64;
            for sync in syncs {
                if shows(&sync)?.is_some_and(|moment| holds(&sync, moment)) {
                    return Ok(Some(sync));
                }
            }
        }
    }

    /// The sources of which the state after a sync holds what was read after a moment, by name;
    /// `holds` says of which reads the moment is no earlier.
    pub async fn read_later(
        &self,
        sync: SyncId,
        holds: impl Fn(&SyncRecord, DateTime<Utc>) -> bool,
    ) -> Result<Vec<ReadLater>, StoreError> {
        let mut by_then: BTreeMap<SourceName, SyncId> = BTreeMap::new();
        let mut later: BTreeMap<SourceName, ReadLater> = BTreeMap::new();
        let mut offset = 0;
        loop {
            let syncs = self.syncs(offset, WINDOW).await?;
            if syncs.is_empty() {
                break;
            }
            offset += syncs.len() as u64;
            for one in syncs.into_iter().filter(|one| one.id <= sync) {
                let Some(shows) = shows(&one)? else { continue };
                if by_then.contains_key(&one.source) {
                    continue;
                }
                if holds(&one, shows) {
                    by_then.insert(one.source, one.id);
                    continue;
                }
                let source = one.source.clone();
                let read = ReadLater {
                    source: one.source,
                    sync: one.id,
                    shows,
                    upto: None,
                };
                later.insert(source, read);
            }
        }
        let with_upto = |read: ReadLater| ReadLater {
            upto: by_then.get(&read.source).copied(),
            ..read
        };
        Ok(later.into_values().map(with_upto).collect())
    }

    /// The moment that a sync shows; of one under way, when it began.
    pub async fn shown_at(&self, sync: SyncId) -> Result<DateTime<Utc>, StoreError> {
        let sync = self.sync_record(sync).await?;
        match shows(&sync)? {
            Some(at) => Ok(at),
            None => moment(&sync.started_at),
        }
    }
}

/// Whether a sync took in what was dated before it began.
pub fn is_dated(sync: &SyncRecord) -> Result<bool, StoreError> {
    Ok(moment(&sync.read_at)? < moment(&sync.started_at)?)
}

/// A sync as a moment that can be looked at.
pub fn moment_view(sync: &SyncRecord) -> Result<MomentView, StoreError> {
    let at = shows(sync)?;
    Ok(MomentView {
        sync: sync.id.0,
        source: Some(sync.source.to_string()),
        state: Some(sync.state.word().to_owned()),
        at: at.map(rfc3339),
        dated: is_dated(sync)?,
    })
}

/// The moment from which on a sync's state counts; none while it runs.
pub(super) fn shows(sync: &SyncRecord) -> Result<Option<DateTime<Utc>>, StoreError> {
    if sync.state == SyncState::Running {
        return Ok(None);
    }
    let (started, read) = (moment(&sync.started_at)?, moment(&sync.read_at)?);
    match (&sync.ended_at, read < started) {
        // A dated read shows its date, whenever it was taken in.
        (_, true) => Ok(Some(read)),
        (Some(ended), false) => Ok(Some(moment(ended)?)),
        (None, false) => Ok(Some(started)),
    }
}

pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, StoreError> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| StoreError::damaged(format!("time `{text}` of a sync")))
}
