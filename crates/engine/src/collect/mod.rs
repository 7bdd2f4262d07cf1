//! How does it get in? Page loop, retry, pace, checkpoint, journal, completeness verdict.
//!
//! Promises: a page is stored whole or not at all; only a kind that was read to its end, with
//! nothing skipped, failed or clipped, removes what it did not meet, and too much at once only
//! on a person's word; every retry, wait, restart, skip and cut is in the journal; a read that
//! was cut off goes on or says that it begins anew; a read stops within a second of being told
//! to. Never: a write to a source, a secret in the store.
//!
//! - `begin`: anew, or where a sync that was cut off had come to
//! - `course`: what happens in which order, and what each ending means
//! - `kinds`: the page loop of one kind, storing one page while the next is asked for
//! - `reader`: the connection to the source: `patience` for retries, `pace` for its pace
//! - `tally`: totals and completeness of one kind
//! - `redact`: takes the source's own secrets out of what it sent, in each `disguise`
//! - `fingerprints`: values reduced on their way in, where somebody has agreed
//! - `rules`: the settings of a source that belong to the engine

mod begin;
mod columns;
mod course;
mod disguise;
mod fingerprints;
mod journal;
mod kinds;
mod pace;
mod patience;
mod reader;
mod redact;
mod rules;
mod tally;

#[cfg(test)]
pub(crate) mod seeded;
#[cfg(test)]
pub(crate) mod tests;

use crate::store::{
    CheckRecord, KindRecord, NewJournalRow, SourceRecord, Store, StoreError, SyncId, SyncState,
};
use crate::views::{FailureView, SyncProgress, SyncReport, Totals, check_view, freshness};
use begin::{Begun, Offered, begin};
use chrono::{DateTime, TimeDelta, Utc};
use course::Read;
pub use fingerprints::{CONSENT, Fingerprinting, Prints};
use journal::Journal;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Connector, Kind, Secret, SourceName};
use reader::stopped;
pub use redact::Redactor;
pub use rules::{CheckFirst, OWN_SETTINGS, Pace, Rules, age_words};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// What time it is.
pub type Clock = dyn Fn() -> DateTime<Utc> + Send + Sync;
/// Who is shown the progress.
pub type ProgressSink = dyn Fn(SyncProgress) + Send + Sync;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What changed, where that can be known; else everything.
    AsNeeded,
    /// Everything.
    Full,
}

/// What becomes of removals that are too many to be believed unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removals {
    Hold,
    /// A person has accepted them.
    Accept,
}

/// When links, events and lists are made of what a sync has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deriving {
    /// Before it reports.
    AtOnce,
    /// After others that are read with it. Where records are joined to persons it is made at once
    /// all the same: what happens to a person is told by who was one then.
    Later,
}

/// Whether other sources are read with this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    Alone,
    /// What is made of what all of them hold is made once, when the last has been read: lists, and
    /// what is said of facts that name what nothing holds (`Store::say_references`).
    Others,
}

/// How a sync goes about it.
#[derive(Clone, Debug)]
pub struct SyncSettings {
    /// The moment that a dated read shows; None means its own start.
    pub read_date: Option<DateTime<Utc>>,
    /// The moment that freshness is measured at; None means the clock's.
    pub today: Option<DateTime<Utc>>,
    pub depth: Depth,
    pub removals: Removals,
    pub deriving: Deriving,
    pub company: Company,
    /// How many records a page is asked for, clamped to what the connector can.
    pub page_limit: u32,
    /// How long one request may take before it counts as timed out.
    pub request_timeout: Duration,
    /// How often a request is tried in all.
    pub tries: u32,
    /// How many further tries a sync has, over all its requests.
    pub retries: u32,
    /// The first wait between tries is up to this; the bound doubles, up to `longest_wait`.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// How long one request waits in all, for its turn or for another try.
    pub patience: Duration,
    /// How often one kind may be read anew within a sync.
    pub restarts: u32,
    /// How old the last page of a read that was cut off may be, for it to be gone on with.
    pub resume_within: TimeDelta,
    /// Decides the jitter in tests.
    pub seed: Option<u64>,
    /// Values that must never be written: wherever one appears in a text, it is taken out.
    pub secrets: Vec<Secret>,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            read_date: None,
            today: None,
            depth: Depth::AsNeeded,
            removals: Removals::Hold,
            deriving: Deriving::AtOnce,
            company: Company::Alone,
            page_limit: 20_000,
            request_timeout: Duration::from_secs(60),
            tries: 6,
            retries: 200,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            patience: Duration::from_secs(300),
            restarts: 2,
            resume_within: TimeDelta::hours(1),
            seed: None,
            secrets: Vec::new(),
        }
    }
}

/// Reads one source. A failure of the source is an outcome in the report; only a
/// failure of the store is an error. `cancel` turning true stops the read.
pub async fn sync(
    store: &Store,
    source: &SourceName,
    connector: &dyn Connector,
    clock: &Clock,
    progress: &ProgressSink,
    cancel: watch::Receiver<bool>,
    settings: &SyncSettings,
) -> Result<SyncReport, StoreError> {
    let source = store.source(source).await?;
    let mut stop = cancel.clone();
    let _lease = tokio::select! {
        biased;
        () = stopped(&mut stop) => return Err(StoreError::Stopped),
        lease = store.lease() => lease?,
    };
    let mut capabilities = connector.capabilities();
    capabilities.sort_by_key(|c| c.kind);
    capabilities.dedup_by_key(|c| c.kind);
    let offered = Offered {
        connector,
        capabilities: &capabilities,
    };
    let begun = begin(store, &source, &offered, settings, clock(), &cancel).await?;
    let journal = Journal {
        store,
        sync: begun.id,
        clock,
        redactor: Arc::new(Redactor::new(&settings.secrets)),
        source: &source.name,
        progress,
        shown: Mutex::default(),
    };
    let mut read = Read {
        store,
        source: &source,
        begun: &begun,
        journal: &journal,
        cancel,
        settings,
        rules: Rules::kept(&source.settings),
        failures: Vec::new(),
        cancelled: false,
        check: None,
    };
    let outcome = read.all(connector, &capabilities).await;
    let ending = Ending {
        failures: read.failures,
        cancelled: read.cancelled,
        check: read.check,
    };
    finish(store, &source, &begun, clock, settings, outcome, ending).await
}

/// A read that could not even begin, for a reason outside of the source (a secret that is not
/// there): it stands among the syncs like any other that failed.
pub async fn not_begun(
    store: &Store,
    source: &SourceName,
    failure: FailureView,
    clock: &Clock,
    settings: &SyncSettings,
) -> Result<SyncReport, StoreError> {
    let source = store.source(source).await?;
    let kinds: Vec<Kind> = match store.latest_sync(source.id).await? {
        Some(latest) => {
            let kinds = store.sync_kinds(latest.id).await?;
            kinds.iter().map(|k| k.kind).collect()
        }
        None => Vec::new(),
    };
    let started = clock();
    let id = store
        .begin_sync(&source, &kinds, settings.read_date, "", started)
        .await?;
    let begun = Begun {
        id,
        started,
        resumed: None,
        anew: None,
        settings_sha256: String::new(),
    };
    let line = NewJournalRow::plain("error", None, failure.message.clone());
    store.write_journal(id, &[line], started).await?;
    let ending = Ending {
        failures: vec![failure],
        cancelled: false,
        check: None,
    };
    finish(store, &source, &begun, clock, settings, Ok(()), ending).await
}

/// What a read came to.
struct Ending {
    failures: Vec<FailureView>,
    cancelled: bool,
    check: Option<CheckRecord>,
}

/// Ends the sync with the state that it earned, and reports.
async fn finish(
    store: &Store,
    source: &SourceRecord,
    begun: &Begun,
    clock: &Clock,
    settings: &SyncSettings,
    outcome: Result<(), StoreError>,
    ending: Ending,
) -> Result<SyncReport, StoreError> {
    let id = begun.id;
    let cancelled = ending.cancelled;
    let failure = match &outcome {
        Ok(()) => ending.failures.into_iter().next(),
        Err(error) => Some(error.view()),
    };
    if let Err(StoreError::SecondAuthority { .. }) = &outcome {
        store.take_back(id).await?;
    }
    let kinds = store.sync_kinds(id).await?;
    let state = match (&failure, cancelled) {
        (_, true) => SyncState::Cancelled,
        (Some(_), false) => SyncState::Failed,
        (None, false) if kinds.iter().all(|k| k.complete) => SyncState::Complete,
        (None, false) => SyncState::Incomplete,
    };
    let ended = clock();
    let told = failure
        .as_ref()
        .map(|f| (f.message.as_str(), f.hint.as_deref()));
    // A failure of the store is said here; one of the source stands in the journal already.
    let line = match &outcome {
        Err(error) => NewJournalRow::plain("error", None, error.to_string()),
        Ok(()) => NewJournalRow::plain("end", None, format!("the read ended {}", state.word())),
    };
    let closing = close(store, id, state, line, told, ended).await;
    // What stopped the read is the answer; that it could not be noted either
    // is said by the next start, which finds the sync interrupted.
    outcome?;
    closing?;
    if cancelled {
        // Whoever stops a read waits for no more than the stop. The next start makes up leeway.
        let store = store.clone();
        tokio::spawn(async move { store.derive_if_stale().await });
    } else if settings.deriving == Deriving::AtOnce {
        store
            .settle_after_read(settings.today.unwrap_or(ended))
            .await?;
    } else if store.joins_persons().await? {
        store.derive_if_stale().await?;
    }
    let states = store.read_states(i64::MAX).await?;
    let complete_at = crate::views::complete_since(&states, &source.name);
    let (fresh, _) = freshness(
        &source.settings,
        complete_at,
        settings.today.unwrap_or(ended),
    );
    Ok(SyncReport {
        sync: id.0,
        source: source.name.to_string(),
        started_at: rfc3339(begun.started),
        ended_at: rfc3339(ended),
        state: state.word().to_owned(),
        totals: sum(&kinds),
        kinds: kinds.iter().map(KindRecord::view).collect(),
        read_at: store.sync_record(id).await?.read_at,
        freshness: fresh.to_owned(),
        complete_at: complete_at.map(rfc3339),
        resumed: begun.resumed.is_some(),
        anew: begun.anew.clone(),
        check: ending.check.map(check_view),
        failure,
    })
}

async fn close(
    store: &Store,
    id: SyncId,
    state: SyncState,
    line: NewJournalRow,
    told: Option<(&str, Option<&str>)>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    store.write_journal(id, &[line], now).await?;
    store.end_sync(id, state, told, now).await
}

pub(crate) fn sum(kinds: &[KindRecord]) -> Totals {
    kinds.iter().fold(Totals::default(), |mut sum, kind| {
        let Totals {
            reported,
            received,
            stored,
            unchanged,
            skipped,
            failed,
            removed,
        } = kind.totals;
        sum.reported += reported;
        sum.received += received;
        sum.stored += stored;
        sum.unchanged += unchanged;
        sum.skipped += skipped;
        sum.failed += failed;
        sum.removed += removed;
        sum
    })
}
