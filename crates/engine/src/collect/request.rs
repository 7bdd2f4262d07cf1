//! One request to a source: its time limit, its retries, and how it is stopped.

use super::SyncSettings;
use lastkey_contract::{ConnectorError, ErrorKind};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::watch;

/// How often and how patiently.
pub(super) struct Patience {
    timeout: Duration,
    tries: u32,
    first_wait: Duration,
    longest_wait: Duration,
}

impl Patience {
    pub(super) fn of(settings: &SyncSettings) -> Self {
        Self {
            timeout: settings.request_timeout,
            tries: settings.tries.max(1),
            first_wait: settings.first_wait,
            longest_wait: settings.longest_wait,
        }
    }

    /// What the source asks for, or twice as long as the last time; never longer than the cap.
    fn wait(&self, failed_tries: u32, error: &ConnectorError) -> Duration {
        let doubled = self
            .first_wait
            .saturating_mul(2u32.saturating_pow(failed_tries.saturating_sub(1)));
        let asked = error.retry_after_ms.map(Duration::from_millis);
        asked.unwrap_or(doubled).min(self.longest_wait)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Ended {
    Cancelled,
    Failed(ConnectorError),
}

/// A wait before another try, for the journal.
#[derive(Debug)]
pub(super) struct Wait {
    pub error: ConnectorError,
    pub waited: Duration,
}

pub(super) struct Requests {
    cancel: watch::Receiver<bool>,
    patience: Patience,
    waits: Vec<Wait>,
}

/// The future of one try, borrowing what the tries share.
type Try<'t, T> = Pin<Box<dyn Future<Output = Result<T, ConnectorError>> + Send + 't>>;

impl Requests {
    pub(super) fn new(cancel: watch::Receiver<bool>, patience: Patience) -> Self {
        Self {
            cancel,
            patience,
            waits: Vec::new(),
        }
    }

    /// The waits since the last call.
    pub(super) fn take_waits(&mut self) -> Vec<Wait> {
        std::mem::take(&mut self.waits)
    }

    /// The answer, after as many tries as allowed. Stopping drops the running try.
    pub(super) async fn run<S, T>(
        &mut self,
        shared: &mut S,
        mut attempt: impl for<'t> FnMut(&'t mut S) -> Try<'t, T>,
    ) -> Result<T, Ended> {
        let mut failed_tries = 0;
        loop {
            let answer = tokio::select! {
                biased;
                () = stopped(&mut self.cancel) => return Err(Ended::Cancelled),
                answer = tokio::time::timeout(self.patience.timeout, attempt(shared)) => answer,
            };
            let error = match answer {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if error.kind == ErrorKind::Cancelled => {
                    return Err(Ended::Cancelled);
                }
                Ok(Err(error)) => error,
                Err(_) => self.timed_out(),
            };
            failed_tries += 1;
            if !error.kind.may_retry() || failed_tries >= self.patience.tries {
                return Err(Ended::Failed(error));
            }
            let waited = self.patience.wait(failed_tries, &error);
            self.waits.push(Wait { error, waited });
            tokio::select! {
                biased;
                () = stopped(&mut self.cancel) => return Err(Ended::Cancelled),
                () = tokio::time::sleep(waited) => {}
            }
        }
    }

    fn timed_out(&self) -> ConnectorError {
        let seconds = self.patience.timeout.as_secs_f32();
        ConnectorError::new(
            ErrorKind::TimedOut,
            "source",
            "read",
            format!("the source did not answer within {seconds} s"),
        )
        .hint("check that the server is up and reachable, and sync again")
    }
}

/// Ends when the read is told to stop; never, if nobody can tell it any more.
async fn stopped(cancel: &mut watch::Receiver<bool>) {
    if cancel.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
