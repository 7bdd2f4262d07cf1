//! How does it get in? Page loop, retry, journal, completeness verdict.
//!
//! Promises: a page is stored whole or not at all; only a kind that was read to
//! its end, with nothing skipped, failed or clipped, removes what it did not
//! meet; every retry, wait, skip and cut is in the journal; a read stops within a
//! second of being told to. Never: a write to a source, a secret in the store.

mod dangling;
mod redact;
mod request;
mod rules;
mod tally;

#[cfg(test)]
pub(crate) mod seeded;
#[cfg(test)]
pub(crate) mod tests;

use crate::store::{
    KindRecord, Met, NewJournalRow, PagePart, ReadEnd, Scope, SourceRecord, Store, StoreError,
    SyncId, SyncState,
};
use crate::views::{FailureView, SyncProgress, SyncReport, Totals};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{
    Connector, ConnectorError, Cursor, ErrorKind, Kind, Page, PageRequest, Secret, Session,
    SourceName,
};
pub use redact::Redactor;
use request::{Ended, Patience, Requests};
pub use rules::{CheckFirst, OWN_SETTINGS, Pace, Rules, Threshold, age_words};
use std::collections::HashSet;
use std::time::Duration;
use tally::Tally;
use tokio::sync::watch;
use tokio::time::Instant;

/// What time it is.
pub type Clock = dyn Fn() -> DateTime<Utc> + Send + Sync;
/// Who is shown the progress.
pub type ProgressSink = dyn Fn(SyncProgress) + Send + Sync;

/// How a sync goes about it.
#[derive(Clone, Debug)]
pub struct SyncSettings {
    /// The moment that a dated read shows; None means its own start.
    pub read_date: Option<DateTime<Utc>>,
    /// How many records a page is asked for, clamped to what the connector can.
    pub page_limit: u32,
    /// How long one request may take before it counts as timed out.
    pub request_timeout: Duration,
    /// How often a request is tried in all.
    pub tries: u32,
    /// The first wait between tries; it doubles, up to `longest_wait`.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// Values that must never be written: wherever one appears in a text, it is taken out.
    pub secrets: Vec<Secret>,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            read_date: None,
            page_limit: 5_000,
            request_timeout: Duration::from_secs(60),
            tries: 3,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            secrets: Vec::new(),
        }
    }
}

/// Progress goes out at most ten times a second.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

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
    let _lease = store.lease().await?;
    let mut capabilities = connector.capabilities();
    capabilities.sort_by_key(|c| c.kind);
    capabilities.dedup_by_key(|c| c.kind);
    let kinds: Vec<Kind> = capabilities.iter().map(|c| c.kind).collect();
    let started = clock();
    let id = store
        .begin_sync(&source, &kinds, settings.read_date, "", started)
        .await?;
    let mut read = Read {
        store,
        source: &source,
        id,
        clock,
        settings,
        redactor: Redactor::new(&settings.secrets),
        progress,
        told: None,
        pages: 0,
        received: 0,
        failures: Vec::new(),
        cancelled: false,
    };
    let limits: Vec<(Kind, u32)> = capabilities
        .iter()
        .map(|c| (c.kind, settings.page_limit.min(c.max_page).max(1)))
        .collect();
    let outcome = read.all(connector, &limits, cancel).await;
    let (failures, cancelled) = (read.failures, read.cancelled);
    finish(
        store, &source, id, started, clock, outcome, failures, cancelled,
    )
    .await
}

/// Ends the sync with the state that it earned, and reports.
#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one ending, used once"
)]
async fn finish(
    store: &Store,
    source: &SourceRecord,
    id: SyncId,
    started: DateTime<Utc>,
    clock: &Clock,
    outcome: Result<(), StoreError>,
    failures: Vec<FailureView>,
    cancelled: bool,
) -> Result<SyncReport, StoreError> {
    let failure = match &outcome {
        Ok(()) => failures.into_iter().next(),
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
    Ok(SyncReport {
        sync: id.0,
        source: source.name.to_string(),
        started_at: rfc3339(started),
        ended_at: rfc3339(ended),
        state: state.word().to_owned(),
        totals: sum(&kinds),
        kinds: kinds.iter().map(KindRecord::view).collect(),
        read_at: store.sync_record(id).await?.read_at,
        freshness: String::new(),
        resumed: false,
        check: None,
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
    store.end_sync(id, state, told, now).await?;
    store.correlate_if_stale().await
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

/// One sync while it runs.
struct Read<'a> {
    store: &'a Store,
    source: &'a SourceRecord,
    id: SyncId,
    clock: &'a Clock,
    settings: &'a SyncSettings,
    redactor: Redactor<'a>,
    progress: &'a ProgressSink,
    told: Option<Instant>,
    pages: u64,
    /// Of all kinds so far.
    received: u64,
    failures: Vec<FailureView>,
    cancelled: bool,
}

/// Whether the next kind is read.
enum Next {
    GoOn,
    Stop,
}

impl Read<'_> {
    async fn all(
        &mut self,
        connector: &dyn Connector,
        kinds: &[(Kind, u32)],
        cancel: watch::Receiver<bool>,
    ) -> Result<(), StoreError> {
        self.line("start", None, format!("reading `{}`", self.source.name))
            .await?;
        let mut requests = Requests::new(cancel, Patience::of(self.settings));
        let mut connector = connector;
        let connected = requests.run(&mut connector, |c| c.connect()).await;
        self.waits(None, requests.take_waits()).await?;
        let mut session = match connected {
            Ok(session) => session,
            Err(ended) => return self.ended(None, ended).await.map(|_| ()),
        };
        self.tell(None, &Tally::new(Kind::Identity), Show::IfDue);
        for (kind, limit) in kinds {
            match self
                .kind(*kind, *limit, &mut session, &mut requests)
                .await?
            {
                Next::GoOn => {}
                Next::Stop => break,
            }
        }
        drop(session);
        let broken = dangling::lines(self.store, self.source).await?;
        self.store
            .write_journal(self.id, &broken, (self.clock)())
            .await?;
        self.tell(None, &Tally::new(Kind::Identity), Show::Done);
        Ok(())
    }

    async fn kind(
        &mut self,
        kind: Kind,
        limit: u32,
        session: &mut Box<dyn Session>,
        requests: &mut Requests,
    ) -> Result<Next, StoreError> {
        let mut tally = Tally::new(kind);
        let mut met = self
            .store
            .met(self.id, self.source.id, kind, Scope::All)
            .await?;
        let mut cursor: Option<Cursor> = None;
        let mut passed: HashSet<Cursor> = HashSet::new();
        loop {
            let request = PageRequest {
                cursor: cursor.clone(),
                limit,
                since: None,
            };
            let answer = requests
                .run(session, |session| session.read_page(kind, request.clone()))
                .await;
            self.waits(Some(kind), requests.take_waits()).await?;
            let page = match answer {
                Ok(page) => page,
                Err(ended) => {
                    tally.gap(match &ended {
                        Ended::Cancelled => "the read was stopped".to_owned(),
                        Ended::Failed(error) => self.redactor.clean(&error.message),
                    });
                    self.finish_kind(&mut tally, &met, &[]).await?;
                    return self.ended(Some(kind), ended).await;
                }
            };
            let next = page.next.clone();
            self.page(&mut tally, &mut met, page).await?;
            self.tell(Some(kind), &tally, Show::IfDue);
            match next {
                None => {
                    tally.read_to_end();
                    let lines = tally.shortfall();
                    self.finish_kind(&mut tally, &met, &lines).await?;
                    self.tell(Some(kind), &tally, Show::IfDue);
                    return Ok(Next::GoOn);
                }
                Some(next) => {
                    if !passed.insert(next.clone()) {
                        tally.gap("the source gave the same page mark twice".to_owned());
                        self.finish_kind(&mut tally, &met, &[]).await?;
                        let error = ConnectorError::new(
                            ErrorKind::Protocol,
                            self.source.name.as_str(),
                            format!("read {}", kind.plural()),
                            format!(
                                "the source gave the same page mark twice while reading {}",
                                kind.plural()
                            ),
                        );
                        return self.ended(Some(kind), Ended::Failed(error)).await;
                    }
                    cursor = Some(next);
                }
            }
        }
    }

    /// Stores a page with its notes and the running totals.
    async fn page(
        &mut self,
        tally: &mut Tally,
        met: &mut Met,
        page: Page,
    ) -> Result<(), StoreError> {
        self.pages += 1;
        let part = PagePart {
            sync: self.id,
            source: self.source,
            kind: tally.kind,
            records: &page.records,
            gone: &[],
            whole: &[],
            checkpoint: None,
        };
        // Facts of another kind than asked for would be stored under the wrong name.
        if let Some(stray) = page.records.iter().find(|f| f.kind() != tally.kind) {
            return Err(StoreError::File(format!(
                "the connector answered {} with a fact of kind {}",
                tally.kind.plural(),
                stray.kind()
            )));
        }
        let before = tally.clone();
        let (redactor, number) = (&self.redactor, self.pages);
        let stored = self
            .store
            .apply_page(&part, met, (self.clock)(), |applied| {
                let lines = tally.take(&page, applied, redactor, number);
                (tally.record(), lines)
            })
            .await;
        match stored {
            Ok(_) => {
                self.received += tally.received.saturating_sub(before.received);
                Ok(())
            }
            Err(error) => {
                // The page was undone, and so are its totals.
                *tally = before;
                Err(error)
            }
        }
    }

    async fn finish_kind(
        &self,
        tally: &mut Tally,
        met: &Met,
        lines: &[NewJournalRow],
    ) -> Result<(), StoreError> {
        let mut record = tally.record();
        let end = if record.complete {
            ReadEnd::Full { hold: None }
        } else {
            ReadEnd::Unfinished
        };
        let record = self
            .store
            .finish_kind(self.id, met, end, (self.clock)(), |removed| {
                record.totals.removed = removed.unwrap_or(0);
                (record, lines.to_vec())
            })
            .await?;
        tally.removed = record.totals.removed;
        Ok(())
    }

    /// What a request's ending means for the rest of the read.
    async fn ended(&mut self, kind: Option<Kind>, ended: Ended) -> Result<Next, StoreError> {
        match ended {
            Ended::Cancelled => {
                self.cancelled = true;
                self.line("cancel", kind, "the read was stopped".to_owned())
                    .await?;
                Ok(Next::Stop)
            }
            Ended::Failed(error) => {
                // On what it failed is part of the sentence.
                let mut message = if error.message.contains(&error.system) {
                    self.redactor.clean(&error.message)
                } else {
                    self.redactor
                        .clean(&format!("{}, at `{}`", error.message, error.system))
                };
                if let Some(request) = &error.request_id {
                    message.push_str(&format!(" (request {})", self.redactor.clean(request)));
                }
                self.line("error", kind, message.clone()).await?;
                self.failures.push(FailureView {
                    kind: match error.kind {
                        ErrorKind::ConfigInvalid => "bad_input",
                        ErrorKind::AuthRejected
                        | ErrorKind::Forbidden
                        | ErrorKind::TlsUntrusted
                        | ErrorKind::RateLimited
                        | ErrorKind::Unavailable
                        | ErrorKind::TimedOut
                        | ErrorKind::Protocol
                        | ErrorKind::CursorLost
                        | ErrorKind::Unsupported
                        | ErrorKind::Cancelled
                        | ErrorKind::Bug => "not_possible",
                    }
                    .to_owned(),
                    message,
                    hint: error.hint.map(|hint| self.redactor.clean(&hint)),
                });
                // A refusal of one kind says nothing about the next one.
                Ok(match error.kind {
                    ErrorKind::Forbidden | ErrorKind::Unsupported => Next::GoOn,
                    ErrorKind::ConfigInvalid
                    | ErrorKind::AuthRejected
                    | ErrorKind::TlsUntrusted
                    | ErrorKind::RateLimited
                    | ErrorKind::Unavailable
                    | ErrorKind::TimedOut
                    | ErrorKind::Protocol
                    | ErrorKind::CursorLost
                    | ErrorKind::Cancelled
                    | ErrorKind::Bug => Next::Stop,
                })
            }
        }
    }

    async fn waits(&self, kind: Option<Kind>, waits: Vec<request::Wait>) -> Result<(), StoreError> {
        let lines: Vec<NewJournalRow> = waits
            .into_iter()
            .map(|wait| {
                let text = format!(
                    "tried again after {} ms: {}",
                    wait.waited.as_millis(),
                    self.redactor.clean(&wait.error.message)
                );
                NewJournalRow::plain("retry", kind, text)
            })
            .collect();
        self.store
            .write_journal(self.id, &lines, (self.clock)())
            .await
    }

    async fn line(
        &self,
        what: &'static str,
        kind: Option<Kind>,
        text: String,
    ) -> Result<(), StoreError> {
        let line = NewJournalRow::plain(what, kind, text);
        self.store
            .write_journal(self.id, &[line], (self.clock)())
            .await
    }

    fn tell(&mut self, kind: Option<Kind>, tally: &Tally, show: Show) {
        let now = Instant::now();
        let due = self.told.is_none_or(|at| now - at >= PROGRESS_EVERY);
        let tell = match show {
            Show::IfDue => due,
            Show::Done => true,
        };
        if !tell {
            return;
        }
        self.told = Some(now);
        (self.progress)(SyncProgress {
            source: self.source.name.to_string(),
            kind: kind.map(|k| k.word().to_owned()),
            received: match show {
                Show::IfDue => tally.received,
                Show::Done => self.received,
            },
            expected: tally.expected,
            pages: self.pages,
            waiting: None,
            done: matches!(show, Show::Done),
        });
    }
}

/// When progress is shown.
enum Show {
    IfDue,
    Done,
}
