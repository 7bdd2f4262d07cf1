//! Reading sources: one, or several at once.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::sources::Tell;
use crate::stop::Stop;
use chrono::{DateTime, Utc};
use futures_util::future::join;
use futures_util::stream::{FuturesUnordered, StreamExt};
use lastkey_contract::SourceName;
use lastkey_engine::collect::{Company, Depth, Deriving, Removals, SyncSettings, not_begun, sync};
use lastkey_engine::store::StoreError;
use lastkey_engine::views::SyncReport;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many sources are read at once: enough to wait for several servers, few enough that each
/// has its share of the one writer.
const AT_ONCE: usize = 4;

/// How sources are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncHow {
    pub depth: Depth,
    pub removals: Removals,
    pub deriving: Deriving,
    pub company: Company,
}

impl Default for SyncHow {
    fn default() -> Self {
        Self {
            depth: Depth::AsNeeded,
            removals: Removals::Hold,
            deriving: Deriving::AtOnce,
            company: Company::Alone,
        }
    }
}

/// Of several sources that are read at once, how many are still being read, and when links and
/// lists were last made.
struct Together {
    left: AtomicUsize,
    made: Mutex<Instant>,
}

/// How long links and lists may be of before, while others are still being read: making them
/// takes seconds where there are a million of each.
const MAKE_AFTER: Duration = Duration::from_secs(60);

impl Together {
    fn one_ended(&self) -> Ended {
        let last = self.left.fetch_sub(1, Ordering::Relaxed) == 1;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if last {
            Ended::Last
        } else if made.elapsed() > MAKE_AFTER {
            *made = Instant::now();
            Ended::Late
        } else {
            Ended::Between
        }
    }
}

/// How one of several ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Between,
    /// Long after links and lists were last made.
    Late,
    /// After all others.
    Last,
}

/// What became of one source: its report, or why there is none.
pub struct SyncOutcome {
    pub source: String,
    pub result: Result<SyncReport, Failure>,
}

impl Workbench {
    /// Reads one source.
    pub async fn sync(
        &self,
        name: &str,
        tell: Tell<'_>,
        stop: &Stop,
    ) -> Result<Vec<SyncReport>, Failure> {
        let report = self
            .sync_as_of(name, tell, stop, SyncHow::default(), None)
            .await?;
        self.watch_whom_sources_tell().await?;
        Ok(vec![report])
    }

    /// Reads several sources at once, each with a stop of its own. The outcomes stand in the order
    /// of the names; one source that fails does not disturb the others. `ended` hears of each as
    /// it ends. A name that is not known is wrong use, before anything is read.
    pub async fn sync_many(
        &self,
        wanted: &[(String, Stop)],
        how: SyncHow,
        tell: Tell<'_>,
        ended: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Vec<SyncOutcome>, Failure> {
        for (name, _) in wanted {
            self.store.source(&SourceName::new(name.as_str())).await?;
        }
        type Reading<'a> = Pin<Box<dyn Future<Output = (usize, SyncOutcome)> + Send + 'a>>;
        let together = Together {
            left: AtomicUsize::new(wanted.len()),
            made: Mutex::new(Instant::now()),
        };
        let together = &together;
        let how = SyncHow {
            deriving: Deriving::Later,
            company: match wanted {
                [_] => Company::Alone,
                _ => Company::Others,
            },
            ..how
        };
        let mut waiting = wanted.iter().enumerate().map(|(place, (name, stop))| {
            let reading: Reading<'_> = Box::pin(async move {
                let mut result = self.sync_as_of(name, tell, stop, how, None).await;
                // Whoever stops a read waits for no more than the stop.
                let stopped = matches!(&result, Ok(report) if report.state == "cancelled");
                let ended_as = together.one_ended();
                if ended_as != Ended::Between
                    && !stopped
                    && let Err(error) = self.make_after(ended_as).await
                {
                    result = result.and(Err(error.into()));
                }
                ended(name);
                let source = name.clone();
                (place, SyncOutcome { source, result })
            });
            reading
        });
        let mut running: FuturesUnordered<Reading<'_>> = waiting.by_ref().take(AT_ONCE).collect();
        let mut outcomes = Vec::new();
        while let Some(outcome) = running.next().await {
            outcomes.push(outcome);
            running.extend(waiting.next());
        }
        outcomes.sort_by_key(|(place, _)| *place);
        self.watch_whom_sources_tell().await?;
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    /// Makes what lists that are opened later would have to wait for: those of owners where a read
    /// has left them.
    pub async fn ready_lists(&self) -> Result<(), Failure> {
        self.store.settle_ownership(self.now()).await?;
        Ok(())
    }

    /// Makes what is made of what several sources hold.
    async fn make_after(&self, ended: Ended) -> Result<(), StoreError> {
        match ended {
            // Neither needs anything of the other.
            Ended::Last => {
                let making = self.store.settle_after_read(self.now());
                let (made, said) = join(making, self.store.say_references(Utc::now())).await;
                made.and(said)
            }
            // What is still being read may hold what seems to be missing.
            Ended::Between | Ended::Late => self.store.derive_if_stale().await,
        }
    }

    pub(crate) async fn sync_as_of(
        &self,
        name: &str,
        tell: Tell<'_>,
        stop: &Stop,
        how: SyncHow,
        read_date: Option<DateTime<Utc>>,
    ) -> Result<SyncReport, Failure> {
        let source = SourceName::new(name);
        let read_date = match read_date.or_else(|| self.practice_date()) {
            Some(date) => Some(date),
            None => self.roster_date(&source).await?,
        };
        let mut settings = SyncSettings {
            read_date,
            today: self.practice_date(),
            depth: how.depth,
            removals: how.removals,
            deriving: how.deriving,
            company: how.company,
            ..SyncSettings::default()
        };
        let (connector, secrets) = match self.reading_connector(&source).await {
            Ok(found) => found,
            // A scheduled read that finds no secret stands among the reads, not only on a screen.
            Err(failure) if self.store.find_source(&source).await?.is_some() => {
                let view = failure.into();
                return Ok(not_begun(&self.store, &source, view, &Utc::now, &settings).await?);
            }
            Err(failure) => return Err(failure),
        };
        settings.secrets = secrets;
        Ok(sync(
            &self.store,
            &source,
            connector.as_ref(),
            &Utc::now,
            tell,
            stop.listen(),
            &settings,
        )
        .await?)
    }
}
