//! Writes the journal of one sync as it happens, and tells of its progress.

use super::{Clock, ProgressSink, Redactor};
use crate::store::{NewJournalRow, Store, StoreError, SyncId};
use crate::views::SyncProgress;
use chrono::{DateTime, Utc};
use lastkey_contract::{Kind, SourceName};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Progress goes out at most ten times a second.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// The journal of one sync.
pub(super) struct Journal<'a> {
    pub store: &'a Store,
    pub sync: SyncId,
    pub clock: &'a Clock,
    pub redactor: Arc<Redactor>,
    pub source: &'a SourceName,
    pub progress: &'a ProgressSink,
    pub shown: Mutex<Shown>,
}

/// What was shown last.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    at: Option<Instant>,
    kind: Option<Kind>,
    /// Of the kind being read.
    received: u64,
    expected: Option<u64>,
    pages: u64,
    /// Of the kinds before it.
    before: u64,
}

impl Journal<'_> {
    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    pub(super) async fn write(&self, lines: &[NewJournalRow]) -> Result<(), StoreError> {
        self.store.write_journal(self.sync, lines, self.now()).await
    }

    pub(super) async fn line(
        &self,
        what: &'static str,
        kind: Option<Kind>,
        text: impl Into<String>,
    ) -> Result<(), StoreError> {
        self.write(&[NewJournalRow::plain(what, kind, text)]).await
    }

    /// Another kind begins.
    pub(super) fn begins(&self, kind: Kind) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.before += shown.received;
        (shown.kind, shown.received, shown.expected) = (Some(kind), 0, None);
    }

    /// So much of the kind was received.
    pub(super) fn received(&self, received: u64, expected: Option<u64>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.pages += 1;
        (shown.received, shown.expected) = (received, expected);
        let now = Instant::now();
        if shown.at.is_none_or(|at| now - at >= PROGRESS_EVERY) {
            shown.at = Some(now);
            self.show(&shown, None);
        }
    }

    /// The read waits: shown at once, because nothing else will be for a while.
    pub(super) fn waits(&self, why: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if shown.at.is_none_or(|at| now - at >= PROGRESS_EVERY) {
            shown.at = Some(now);
            self.show(&shown, Some(why.to_owned()));
        }
    }

    /// The read has ended.
    pub(super) fn done(&self) {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        (self.progress)(SyncProgress {
            source: self.source.to_string(),
            kind: None,
            received: shown.before + shown.received,
            expected: None,
            pages: shown.pages,
            waiting: None,
            done: true,
        });
    }

    fn show(&self, shown: &Shown, waiting: Option<String>) {
        (self.progress)(SyncProgress {
            source: self.source.to_string(),
            kind: shown.kind.map(|kind| kind.word().to_owned()),
            received: shown.received,
            expected: shown.expected,
            pages: shown.pages,
            waiting,
            done: false,
        });
    }
}
