//! The way to one source: its connection, its pace, its time limits, its retries, its stop.

use super::journal::Journal;
use super::pace::{Pacer, Slow};
use super::patience::{After, Dice, Patience, ends_connection, seconds};
use crate::store::StoreError;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, ErrorKind, Kind, Known, Page, PageRequest, Session,
};
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Waits shorter than this are not worth a line in the journal.
const WORTH_A_LINE: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Ended {
    Cancelled,
    Failed(ConnectorError),
    Store(StoreError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Ended::Store(error)
    }
}

/// What a request for a page brought.
#[derive(Debug)]
pub(super) enum Answer {
    Page(Box<Page>),
    /// The place within the kind is lost: it has to be read anew, for this reason.
    PlaceLost(String),
    /// The source does not know any more what changed since the last read.
    WatermarkLost(String),
}

/// Whether a page mark works in a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    OutliveConnection,
    DieWithConnection,
}

/// One source being read.
pub(super) struct Reader<'a> {
    pub connector: &'a dyn Connector,
    pub journal: &'a Journal<'a>,
    pub cancel: watch::Receiver<bool>,
    pub patience: Patience,
    pub pacer: Pacer,
    /// Tries of this sync beyond each request's first.
    pub retries_left: u32,
    pub dice: Dice,
    pub session: Option<Box<dyn Session>>,
}

/// The tries of one request.
#[derive(Default)]
struct Tries {
    failed: u32,
    waited: Duration,
}

impl Reader<'_> {
    /// Signs in, looks, changes nothing.
    pub(super) async fn check(&mut self) -> Result<CheckReport, Ended> {
        let mut tries = Tries::default();
        loop {
            self.keep_pace(None).await?;
            let connector = self.connector;
            match self.limited(connector.check()).await? {
                Ok(report) => return Ok(report),
                Err(error) => self.failed(None, &mut tries, error).await?,
            }
        }
    }

    /// Opens a connection if none is open.
    pub(super) async fn connect(&mut self) -> Result<(), Ended> {
        let mut tries = Tries::default();
        while self.session.is_none() {
            if let Err(error) = self.connect_once(None).await? {
                self.failed(None, &mut tries, error).await?;
            }
        }
        Ok(())
    }

    /// A page, after as many tries as allowed. Stopping drops the running try.
    pub(super) async fn read(
        &mut self,
        kind: Kind,
        request: &PageRequest,
        marks: Marks,
        known: Option<&Known>,
    ) -> Result<Answer, Ended> {
        let mut tries = Tries::default();
        loop {
            if self.session.is_none() {
                let connected = self.connect_once(Some(kind)).await?;
                if let Err(error) = connected {
                    self.failed(Some(kind), &mut tries, error).await?;
                    continue;
                }
                if request.cursor.is_some() && marks == Marks::DieWithConnection {
                    return Ok(Answer::PlaceLost(
                        "the connection was lost, and the page mark with it".to_owned(),
                    ));
                }
            }
            if let (Some(known), Some(session)) = (known, &mut self.session) {
                session.knows(kind, known.clone());
            }
            self.keep_pace(Some(kind)).await?;
            let error = match self.attempt(kind, request.clone()).await? {
                Ok(page) => {
                    self.pacer.heard(page.quota, Instant::now());
                    return Ok(Answer::Page(Box::new(page)));
                }
                Err(error) => error,
            };
            if error.kind == ErrorKind::CursorLost {
                let text = self.journal.redactor.clean(&error.message);
                if request.cursor.is_some() {
                    return Ok(Answer::PlaceLost(text));
                }
                if request.since.is_some() {
                    return Ok(Answer::WatermarkLost(text));
                }
            }
            if ends_connection(error.kind, tries.failed + 1) {
                self.session = None;
            }
            self.failed(Some(kind), &mut tries, error).await?;
        }
    }

    /// Where records of these keys stand, as far as the source can name places. It is asked once: a
    /// read that is at its end does not hang on it.
    pub(super) async fn places(
        &mut self,
        kind: Kind,
        keys: &[String],
    ) -> Result<Vec<(String, String)>, Ended> {
        let Some(mut session) = self.session.take() else {
            return Ok(Vec::new());
        };
        match self.limited(session.places(kind, keys)).await? {
            Ok(places) => {
                self.session = Some(session);
                Ok(places)
            }
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn connect_once(
        &mut self,
        kind: Option<Kind>,
    ) -> Result<Result<(), ConnectorError>, Ended> {
        self.keep_pace(kind).await?;
        let connector = self.connector;
        let answer = self.limited(connector.connect()).await?;
        Ok(answer.map(|session| self.session = Some(session)))
    }

    /// One try at a page, on a thread of its own, so that storing goes on meanwhile.
    async fn attempt(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Result<Page, ConnectorError>, Ended> {
        let Some(mut session) = self.session.take() else {
            return Err(Ended::Failed(self.defect("read")));
        };
        let mut running = Running(tokio::spawn(async move {
            let answer = session.read_page(kind, request).await;
            (session, answer)
        }));
        let answer = self.limited(async { Ok((&mut running.0).await) }).await?;
        match answer {
            Ok(Ok((session, answer))) => {
                self.session = Some(session);
                Ok(answer)
            }
            // The task came to a bad end: the connection is gone with it.
            Ok(Err(_)) => Ok(Err(self.defect(&format!("read {}", kind.plural())))),
            Err(error) => Ok(Err(error)),
        }
    }

    /// An answer within the time limit, unless the read is stopped.
    async fn limited<T>(
        &mut self,
        answer: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<Result<T, ConnectorError>, Ended> {
        self.pacer.started(Instant::now());
        let timeout = self.patience.timeout;
        let answer = tokio::select! {
            biased;
            () = stopped(&mut self.cancel) => return Err(Ended::Cancelled),
            answer = tokio::time::timeout(timeout, answer) => answer,
        };
        match answer {
            Ok(Err(error)) if error.kind == ErrorKind::Cancelled => Err(Ended::Cancelled),
            Ok(answer) => Ok(answer),
            Err(_) => Ok(Err(self.timed_out())),
        }
    }

    /// Waits as the source's pace and allowance demand.
    async fn keep_pace(&mut self, kind: Option<Kind>) -> Result<(), Ended> {
        let Some(Slow { wait, why }) = self.pacer.wait(Instant::now()) else {
            return Ok(());
        };
        if wait > self.patience.in_all() {
            return Err(Ended::Failed(ConnectorError::new(
                ErrorKind::RateLimited,
                self.journal.source.as_str(),
                "wait",
                format!(
                    "the next request would have to wait {} s, longer than the {} s that a read waits: {why}",
                    seconds(wait),
                    seconds(self.patience.in_all())
                ),
            )
            .hint("sync again later")));
        }
        if wait >= WORTH_A_LINE {
            let text = format!("waiting {} s: {why}", seconds(wait));
            self.journal.waits(&text);
            self.journal.line("wait", kind, text).await?;
        }
        self.sleep(wait).await
    }

    /// After a failed try: waits for the next one, or ends.
    async fn failed(
        &mut self,
        kind: Option<Kind>,
        tries: &mut Tries,
        error: ConnectorError,
    ) -> Result<(), Ended> {
        tries.failed += 1;
        let after = self
            .patience
            .after(tries.failed, tries.waited, &error, self.dice.roll());
        let wait = match after {
            After::Wait(wait) if self.retries_left > 0 => wait,
            After::Wait(_) => {
                let message = format!("{}; this sync has used up all its tries", error.message);
                return Err(Ended::Failed(ConnectorError { message, ..error }));
            }
            After::GiveUp(None) => return Err(Ended::Failed(error)),
            After::GiveUp(Some(why)) => {
                let message = format!("{why}: {}", error.message);
                let hint = error.hint.or_else(|| Some("sync again later".to_owned()));
                return Err(Ended::Failed(ConnectorError {
                    message,
                    hint,
                    retry_after_ms: None,
                    ..error
                }));
            }
        };
        self.retries_left -= 1;
        tries.waited += wait;
        let asked = match error.retry_after_ms {
            Some(_) => " as the source asks",
            None => "",
        };
        let text = format!(
            "waiting {} ms{asked} before try {} of {}: {}",
            wait.as_millis(),
            tries.failed + 1,
            self.patience.tries(),
            self.journal.redactor.clean(&error.message)
        );
        self.journal.waits(&text);
        self.journal.line("retry", kind, text).await?;
        self.sleep(wait).await
    }

    async fn sleep(&mut self, wait: Duration) -> Result<(), Ended> {
        tokio::select! {
            biased;
            () = stopped(&mut self.cancel) => Err(Ended::Cancelled),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    fn timed_out(&self) -> ConnectorError {
        let text = format!(
            "the source did not answer within {} s",
            seconds(self.patience.timeout)
        );
        ConnectorError::new(
            ErrorKind::TimedOut,
            self.journal.source.as_str(),
            "read",
            text,
        )
        .hint("check that the server is up and reachable, and sync again")
    }

    fn defect(&self, operation: &str) -> ConnectorError {
        ConnectorError::new(
            ErrorKind::Bug,
            self.journal.source.as_str(),
            operation,
            "reading ended in a defect of lastkey",
        )
    }
}

/// Work on its own thread, which ends with whoever waits for it.
#[derive(Debug)]
pub(super) struct Running<T>(pub JoinHandle<T>);

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends when the read is told to stop; never, if nobody can tell it any more.
pub(super) async fn stopped(cancel: &mut watch::Receiver<bool>) {
    if cancel.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
