//! The page loop: one kind read to its end; while a page is asked for, the one before is made
//! ready and the one before that is stored.

use super::columns::lost;
use super::journal::Journal;
use super::reader::{Answer, Ended, Marks, Reader, Running, stopped};
use super::tally::Tally;
use super::{Company, Removals};
use crate::store::{
    Base, Hold, KindRecord, Met, NewJournalRow, PagePart, ReadEnd, ReadMode, Rows, Scope,
    SourceRecord, Store, StoreError,
};
use lastkey_contract::{
    ConnectorError, Cursor, ErrorKind, Kind, KindCapability, Page, PageRequest,
};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How one kind will be read.
#[derive(Clone, Debug)]
pub(super) struct KindPlan {
    pub kind: Kind,
    pub limit: u32,
    pub marks: Marks,
    /// What an incremental read starts from; None reads everything.
    pub base: Option<Base>,
    /// What an interrupted sync had of it.
    pub before: Before,
}

/// What this sync had of a kind before its process ended.
#[derive(Clone, Debug)]
pub(super) enum Before {
    /// Not a page.
    Nothing,
    /// Everything up to this page mark.
    UpTo(Cursor, Box<KindRecord>),
    /// Pages without a mark that still works.
    NoMark,
}

impl KindPlan {
    pub(super) fn new(capability: &KindCapability, page_limit: u32) -> Self {
        KindPlan {
            kind: capability.kind,
            limit: page_limit.min(capability.max_page).max(1),
            marks: if capability.cursor_survives_reconnect {
                Marks::OutliveConnection
            } else {
                Marks::DieWithConnection
            },
            base: None,
            before: Before::Nothing,
        }
    }
}

/// What every kind of one sync is read with.
pub(super) struct Kinds<'a> {
    pub store: &'a Store,
    pub source: &'a SourceRecord,
    pub journal: &'a Journal<'a>,
    pub cancel: watch::Receiver<bool>,
    /// When this sync began, as it stands in the store.
    pub started: String,
    /// Which removals are held of a read whose end is beyond doubt.
    pub hold: Hold,
    pub removals: Removals,
    /// How often one kind may be read anew.
    pub restarts: u32,
    pub company: Company,
    /// The lists of identities, which are made while other kinds are read.
    pub lists: Option<Running<Result<(), StoreError>>>,
}

/// One pass over a kind.
struct Pass {
    tally: Tally,
    met: Met,
    base: Option<Base>,
    cursor: Option<Cursor>,
    /// Whether a later process may go on from its pages.
    resumable: bool,
}

/// A page that can be stored.
struct Ready {
    page: Page,
    rows: Rows,
}

/// One that is being made ready.
type Making = JoinHandle<Result<Ready, StoreError>>;

async fn ready(making: Making) -> Result<Ready, Ended> {
    match making.await {
        Ok(ready) => Ok(ready?),
        // It is never told to stop, so that a panic alone ends it otherwise; that goes on here.
        Err(lost) => match lost.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Ended::Cancelled),
        },
    }
}

/// How a pass ended.
enum PassEnd {
    ToItsEnd,
    /// The kind has to be read anew, for this reason.
    Anew(String),
    /// Everything has to be read, for this reason.
    Full(String),
}

impl Kinds<'_> {
    /// Reads a kind to its end, or says why not.
    pub(super) async fn read(
        &mut self,
        plan: &KindPlan,
        reader: &mut Reader<'_>,
    ) -> Result<(), Ended> {
        self.journal.begins(plan.kind);
        let mut pass = self.first_pass(plan).await?;
        let mut restarts = 0;
        loop {
            let end = self.pass(plan, &mut pass, reader).await;
            let (why, base) = match end {
                Ok(PassEnd::ToItsEnd) => {
                    pass.tally.read_to_end();
                    let mut lines = pass.tally.shortfall();
                    if !pass.tally.second.is_empty() {
                        let places = reader.places(plan.kind, &pass.tally.second).await?;
                        lines.extend(pass.tally.second_at(&places));
                    }
                    return self.finish(pass, lines).await;
                }
                Ok(PassEnd::Anew(why)) => (why, pass.base.clone()),
                Ok(PassEnd::Full(why)) => (why, None),
                Err(Ended::Failed(error)) => {
                    return self.failed(pass, plan.kind, error).await;
                }
                Err(Ended::Cancelled) => {
                    self.store.note_unseen(self.journal.sync, &pass.met).await?;
                    return Err(Ended::Cancelled);
                }
                Err(other) => return Err(other),
            };
            restarts += 1;
            if restarts > self.restarts {
                let error = ConnectorError::new(
                    ErrorKind::CursorLost,
                    self.source.name.as_str(),
                    format!("read {}", plan.kind.plural()),
                    format!(
                        "{} were begun anew {} times and not read to their end: {why}",
                        plan.kind.plural(),
                        self.restarts
                    ),
                )
                .hint("sync again when the source is quieter");
                return self.failed(pass, plan.kind, error).await;
            }
            pass = self.again(plan, base, &why).await?;
        }
    }

    async fn first_pass(&self, plan: &KindPlan) -> Result<Pass, Ended> {
        let (kind, sync, source) = (plan.kind, self.journal.sync, self.source.id);
        match &plan.before {
            Before::Nothing => {
                let base = plan.base.clone();
                let met = self.store.met(sync, source, kind, scope(&base)).await?;
                if let Some(base) = &base {
                    let text = format!(
                        "asking only for what changed; the full read was at {}",
                        base.full_at.format("%Y-%m-%dT%H:%M:%SZ")
                    );
                    self.journal.line("note", Some(kind), text).await?;
                }
                Ok(Pass {
                    tally: self.tally(kind, base.as_ref()),
                    met,
                    base,
                    cursor: None,
                    resumable: plan.marks == Marks::OutliveConnection,
                })
            }
            Before::UpTo(cursor, record) => {
                let text = format!(
                    "{} go on after the {} that were received",
                    kind.plural(),
                    record.totals.received
                );
                self.journal.line("resume", Some(kind), text).await?;
                let open = self.store.open_ends(sync, kind).await?;
                Ok(Pass {
                    tally: Tally::resumed(record, open.unwrap_or_default()),
                    met: self.store.met(sync, source, kind, Scope::All).await?,
                    base: None,
                    cursor: Some(cursor.clone()),
                    resumable: true,
                })
            }
            Before::NoMark => {
                let why = "the read was cut off, and its page mark does not work any more";
                self.again(plan, plan.base.clone(), why).await
            }
        }
    }

    /// A declared new beginning: the tally starts anew, what was stored stays.
    async fn again(&self, plan: &KindPlan, base: Option<Base>, why: &str) -> Result<Pass, Ended> {
        let kind = plan.kind;
        let how = match &base {
            Some(_) => "",
            None if plan.base.is_some() => ", all of them",
            None => "",
        };
        let text = format!("{} are read anew{how}: {why}", kind.plural());
        self.journal.line("restart", Some(kind), text).await?;
        self.journal.begins(kind);
        let met = self
            .store
            .met_anew(self.journal.sync, self.source.id, kind, scope(&base))
            .await?;
        Ok(Pass {
            tally: self.tally(kind, base.as_ref()),
            met,
            base,
            cursor: None,
            resumable: false,
        })
    }

    fn tally(&self, kind: Kind, base: Option<&Base>) -> Tally {
        match base {
            None => Tally::new(kind, ReadMode::Full, self.started.clone()),
            Some(base) => Tally::new(
                kind,
                ReadMode::Incremental,
                lastkey_contract::when::rfc3339(base.full_at),
            ),
        }
    }

    async fn pass(
        &mut self,
        plan: &KindPlan,
        pass: &mut Pass,
        reader: &mut Reader<'_>,
    ) -> Result<PassEnd, Ended> {
        let this = &*self;
        let since = pass.base.as_ref().map(|base| base.watermark.clone());
        let first = pass.cursor.take();
        let known = pass.met.known(
            self.store
                .names()?
                .stamp_keys(&this.journal.redactor.sought()),
        );
        // One page is asked for, one is made ready, one is stored. A stop, or a failure of the
        // store, drops the other side; a failure of the source lets the pages before be stored.
        let (hand_over, mut taken_over) = mpsc::channel::<Making>(1);
        let asking = async move {
            let mut passed: HashSet<Cursor> = HashSet::new();
            let mut cursor = first;
            loop {
                let request = PageRequest {
                    cursor: cursor.clone(),
                    limit: plan.limit,
                    since: since.clone(),
                };
                let page = match reader
                    .read(plan.kind, &request, plan.marks, known.as_ref())
                    .await
                {
                    Ok(Answer::Page(page)) => *page,
                    Ok(Answer::PlaceLost(why)) => return Ok(Ok(PassEnd::Anew(why))),
                    Ok(Answer::WatermarkLost(why)) => return Ok(Ok(PassEnd::Full(why))),
                    Err(Ended::Failed(error)) => return Ok(Err(Ended::Failed(error))),
                    Err(other) => return Err(other),
                };
                let next = page.next.clone();
                // The other side ends before this one only by an error, which drops this one.
                let _ = hand_over.send(this.make_ready(plan.kind, page)?).await;
                let Some(next) = next else {
                    return Ok(Ok(PassEnd::ToItsEnd));
                };
                if !passed.insert(next.clone()) || cursor.as_ref() == Some(&next) {
                    return Ok(Err(this.same_mark_twice(plan.kind)));
                }
                cursor = Some(next);
            }
        };
        let storing = async {
            while let Some(making) = taken_over.recv().await {
                this.store_page(pass, ready(making).await?).await?;
            }
            Ok(())
        };
        let (end, ()) = tokio::try_join!(asking, storing)?;
        end
    }

    fn same_mark_twice(&self, kind: Kind) -> Ended {
        Ended::Failed(ConnectorError::new(
            ErrorKind::Protocol,
            self.source.name.as_str(),
            format!("read {}", kind.plural()),
            format!(
                "the source gave the same page mark twice while reading {}",
                kind.plural()
            ),
        ))
    }

    /// Begins to make a page ready to be stored, on another thread: without secrets, and as rows.
    fn make_ready(&self, kind: Kind, page: Page) -> Result<Making, StoreError> {
        let redactor = Arc::clone(&self.journal.redactor);
        let names = self.store.names()?;
        Ok(tokio::task::spawn_blocking(move || {
            let page = redactor.marks(page, kind);
            let rows = Rows::of(&page, names)?;
            if !redactor.stands_in(rows.texts()) {
                return Ok(Ready { page, rows });
            }
            let page = redactor.page(page);
            let rows = Rows::of(&page, names)?;
            Ok(Ready { page, rows })
        }))
    }

    /// Stores a page with its notes and the running totals, unless the read is stopped first.
    async fn store_page(&self, pass: &mut Pass, ready: Ready) -> Result<(), Ended> {
        let Ready { page, rows } = ready;
        let kind = pass.tally.kind;
        // Facts of another kind than asked for would be stored under the wrong name.
        if let Some(stray) = page.records.iter().find(|fact| fact.kind() != kind) {
            return Err(Ended::Failed(ConnectorError::new(
                ErrorKind::Bug,
                self.source.name.as_str(),
                format!("read {}", kind.plural()),
                format!(
                    "the connector answered {} with a fact of kind {}",
                    kind.plural(),
                    stray.kind()
                ),
            )));
        }
        let incremental = pass.base.is_some();
        let part = PagePart {
            sync: self.journal.sync,
            source: self.source,
            kind,
            records: &page.records,
            rows: &rows,
            same: &page.same,
            gone: if incremental { &page.gone } else { &[] },
            whole: if incremental { &page.whole } else { &[] },
            checkpoint: page
                .next
                .as_ref()
                .filter(|_| pass.resumable && !incremental),
        };
        let (tally, redactor) = (&mut pass.tally, &self.journal.redactor);
        let storing = self
            .store
            .apply_page(&part, &mut pass.met, self.journal.now(), |applied| {
                let lines = tally.take(&page, applied, redactor);
                (tally.record(), lines)
            });
        let mut cancel = self.cancel.clone();
        // A page that is dropped here is undone by the store; what stands there is the truth.
        tokio::select! {
            biased;
            () = stopped(&mut cancel) => return Err(Ended::Cancelled),
            stored = storing => stored?,
        };
        self.journal
            .received(pass.tally.received, pass.tally.expected);
        Ok(())
    }

    /// Which columns the files lack that those of the complete read before had; none where somebody
    /// accepts that.
    async fn lost_columns(&self, kind: Kind) -> Result<Vec<String>, Ended> {
        if self.removals == Removals::Accept {
            return Ok(Vec::new());
        }
        let sync = self.journal.sync;
        let now = self.store.told_columns(sync, kind).await?;
        let before = match now.is_empty() {
            true => None,
            false => {
                self.store
                    .complete_before(self.source.id, kind, sync)
                    .await?
            }
        };
        Ok(match before {
            Some(before) => lost(&self.store.told_columns(before, kind).await?, &now),
            None => Vec::new(),
        })
    }

    /// Which removals are not believed unasked. An answer without the mark of its end may be cut
    /// off: then none is, and where no whole read before ended so, the read itself is not.
    async fn hold(&self, tally: &Tally) -> Result<Hold, Ended> {
        if tally.open_ends.is_empty() || self.removals == Removals::Accept {
            return Ok(self.hold);
        }
        let (sync, kind) = (self.journal.sync, tally.kind);
        let before = self
            .store
            .complete_before(self.source.id, kind, sync)
            .await?;
        let Some(before) = before else {
            return Ok(Hold::Whole);
        };
        Ok(match self.store.open_ends(before, kind).await? {
            Some(before) if before.len() < tally.open_ends.len() => Hold::Whole,
            Some(_) | None => Hold::Each,
        })
    }

    async fn finish(&mut self, pass: Pass, mut lines: Vec<NewJournalRow>) -> Result<(), Ended> {
        let record = pass.tally.record();
        let mut lost = Vec::new();
        let end = match (record.complete, record.mode) {
            (false, _) => ReadEnd::Unfinished,
            (true, ReadMode::Full) => {
                lost = self.lost_columns(record.kind).await?;
                let hold = match lost.is_empty() {
                    true => self.hold(&pass.tally).await?,
                    false => Hold::Whole,
                };
                ReadEnd::Full { hold }
            }
            (true, ReadMode::Incremental) => ReadEnd::Incremental,
        };
        let finishing = self.store.finish_kind(
            self.journal.sync,
            &pass.met,
            end,
            self.journal.now(),
            |gone| {
                let (record, line) = ended_record(record, gone, &lost, &pass.tally.open_ends);
                lines.extend(line);
                (record, lines)
            },
        );
        let mut cancel = self.cancel.clone();
        tokio::select! {
            biased;
            () = stopped(&mut cancel) => return Err(Ended::Cancelled),
            finished = finishing => finished.map(|_| ())?,
        }
        if pass.tally.kind == Kind::Identity && self.lists_at_once().await? {
            // Lists show who there is before the rest is read.
            let store = self.store.clone();
            let making = tokio::spawn(async move { store.roster_if_stale().await });
            self.lists = Some(Running(making));
        }
        Ok(())
    }

    /// Whether lists are made while other kinds are read. Where several sources are read, the rows
    /// of those that are not at their end may move yet, and lists that were made of them would have
    /// to be made anew as a whole: they wait, unless nobody is listed so far.
    async fn lists_at_once(&self) -> Result<bool, StoreError> {
        Ok(match self.company {
            Company::Alone => true,
            Company::Others => self.store.roster_size().await? == 0,
        })
    }

    /// Ends once the lists are made that are in the making.
    pub(super) async fn lists_made(&mut self) -> Result<(), StoreError> {
        let Some(mut making) = self.lists.take() else {
            return Ok(());
        };
        match (&mut making.0).await {
            Ok(made) => made,
            Err(lost) => match lost.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The process is ending; the next start makes up leeway.
                Err(_) => Ok(()),
            },
        }
    }

    /// Ends a kind that could not be read to its end.
    async fn failed(
        &mut self,
        mut pass: Pass,
        kind: Kind,
        error: ConnectorError,
    ) -> Result<(), Ended> {
        let gap = self.journal.redactor.clean(&error.message);
        // Said in the gap already, where the same page mark came twice.
        pass.tally.gap(gap);
        self.finish(pass, Vec::new()).await?;
        Err(Ended::Failed(ConnectorError {
            operation: format!("read {}", kind.plural()),
            ..error
        }))
    }
}

fn scope(base: &Option<Base>) -> Scope {
    match base {
        Some(_) => Scope::Asked,
        None => Scope::All,
    }
}

/// The record of a kind once it is known what went, and the line about removals that were held.
fn ended_record(
    mut record: KindRecord,
    gone: Result<u64, crate::store::Held>,
    lost: &[String],
    open_ends: &[String],
) -> (KindRecord, Option<NewJournalRow>) {
    match gone {
        Ok(gone) => {
            record.totals.removed += gone;
            (record, None)
        }
        Err(held) => {
            let why = lost.iter().chain(open_ends);
            let why: String = why.map(|one| format!("{one}; ")).collect();
            let gap = match held.would_remove {
                0 if !lost.is_empty() => why.trim_end_matches("; ").to_owned(),
                0 => format!(
                    "{why}no whole read before ended so, and rows may be missing until somebody accepts that it is whole"
                ),
                some => format!(
                    "{why}{some} of {} {} would be removed, which is held until somebody accepts it",
                    held.current,
                    record.kind.plural()
                ),
            };
            let line = NewJournalRow {
                what: "hold",
                kind: Some(record.kind),
                text: gap.clone(),
                count: held.would_remove,
                examples: Vec::new(),
            };
            record.complete = false;
            record.gaps.push(gap);
            record.held = Some(held);
            (record, Some(line))
        }
    }
}
