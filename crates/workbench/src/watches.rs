//! Watches: whoever leaves is read at intervals until all of theirs is closed or its limit has passed.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::moment_of;
use crate::sources::Tell;
use crate::stop::Stop;
use crate::syncs::SyncHow;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use lastkey_contract::facts::{IdentityKind, LifecycleEvent};
use lastkey_contract::when::rfc3339;
use lastkey_engine::measured::{ClosedBy, LeaverTimeline, Measured, MeasuredLeaver, timeline};
use lastkey_engine::store::{LeaversQuery, PolicyStanding, WatchRecord};
use lastkey_engine::watching::{Shown, Standing, Watched, next_read, shown};
use serde::Serialize;
use ts_rs::TS;

/// A watch as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct WatchView {
    #[ts(type = "number")]
    pub id: i64,
    pub identity: String,
    pub name: Option<String>,
    pub event: String,
    pub at: String,
    pub said_by: String,
    pub started: String,
    /// `running`, `overdue`, `closed`, `undecided`, `stopped`.
    pub state: String,
    pub next_read: Option<String>,
    pub last_read: Option<String>,
    /// How many things are not proved closed, of how many.
    #[ts(type = "number")]
    pub open: u64,
    #[ts(type = "number")]
    pub things: u64,
    pub verdict: Option<String>,
    pub why: String,
}

/// What a read changed of a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchChange {
    pub before: String,
    pub now: WatchView,
}

impl WatchChange {
    /// Whether somebody has to be told: something is open beyond its limit, and was not before.
    pub fn became_overdue(&self) -> bool {
        let overdue = Standing::Overdue.word();
        self.now.state == overdue && self.before != overdue
    }
}

/// Days; an event further away is a slip of the pen.
const A_SPAN: i64 = 3_650;

impl Workbench {
    /// Announces that somebody leaves, at a moment (now where none is given), and watches them from here
    /// on. The first read is due at once.
    pub async fn start_watch(
        &self,
        identity: &str,
        event: Option<&str>,
        at: Option<&str>,
    ) -> Result<WatchView, Failure> {
        let now = Utc::now();
        let at = at.map(|text| moment_of("--at", text)).transpose()?;
        let too_far = |at: &DateTime<Utc>| (now - *at).abs() > TimeDelta::days(A_SPAN);
        if let Some(at) = at.filter(too_far) {
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            return Err(Failure::bad_input(format!(
                "--at: {at} is more than ten years from now, and nothing is watched for so long"
            )));
        }
        let person = self.known_person(identity).await?;
        let kind = IdentityKind::from_word(&person.kind);
        let event = match event {
            Some(word) => {
                let event = ending(word)?;
                crate::events::fits_kind(event, kind, identity)?;
                event
            }
            None => match kind {
                Some(IdentityKind::Vendor) => LifecycleEvent::VendorExit,
                Some(IdentityKind::Workload) => LifecycleEvent::WorkloadRetired,
                Some(IdentityKind::Agent) => LifecycleEvent::AgentRetired,
                Some(IdentityKind::Person) | None => LifecycleEvent::Leaver,
            },
        };
        let whose = (person.source_name.as_str(), person.id.as_str());
        let at = match event {
            LifecycleEvent::Mover => Some(self.moved_at(&person.shown_id(), at).await?),
            _ => at,
        };
        let event = (event, at.unwrap_or(now));
        let said_by = self.store.operator().to_owned();
        match self.store.start_watch(whose, event, &said_by, now).await? {
            Some(id) => self.watch(id).await,
            None => Err(
                Failure::bad_input(format!("`{identity}` is watched already"))
                    .hint("`lastkey watch list` shows who is"),
            ),
        }
    }

    /// When somebody moved who is to be watched: what they may not hold any more is judged by what a
    /// source of truth tells of them already.
    async fn moved_at(
        &self,
        identity: &str,
        at: Option<DateTime<Utc>>,
    ) -> Result<DateTime<Utc>, Failure> {
        self.policy_of(PolicyStanding::Active).await?;
        let told = self.told_move(identity).await?;
        let told = told.ok_or_else(|| {
            Failure::bad_input(format!("no source of truth tells that `{identity}` moved")).hint(
                "watch them once it does; `lastkey rehearse mover` says before what would stay",
            )
        })?;
        Ok(at.unwrap_or(told))
    }

    /// All watches, those that go on first.
    pub async fn watches(&self) -> Result<Vec<WatchView>, Failure> {
        let mut views = Vec::new();
        for one in self.store.watches().await? {
            views.push(self.watch_view(one).await?);
        }
        Ok(views)
    }

    /// One watch.
    pub async fn watch(&self, id: i64) -> Result<WatchView, Failure> {
        let record = self.watch_record(id).await?;
        self.watch_view(record).await
    }

    /// Ends a watch by hand.
    pub async fn stop_watch(&self, id: i64) -> Result<WatchView, Failure> {
        match self.store.stop_watch(id, Utc::now()).await? {
            true => self.watch(id).await,
            false => match self.watch_record(id).await {
                Ok(_) => Err(Failure::bad_input(format!("watch {id} has ended already"))),
                Err(failure) => Err(failure),
            },
        }
    }

    /// When the next read of anybody who is watched is due; None where nobody is.
    pub async fn next_watch(&self) -> Result<Option<DateTime<Utc>>, Failure> {
        let all = self.store.watches().await?;
        let on = all.iter().filter(|one| one.standing.goes_on());
        Ok(on.map(|one| one.next_read).min())
    }

    /// Whether a read of anybody is due.
    pub async fn is_watch_due(&self) -> Result<bool, Failure> {
        Ok(self
            .next_watch()
            .await?
            .is_some_and(|next| next <= Utc::now()))
    }

    /// Reads for whoever is due, tries their probes, and says what has changed of them. With `also` one
    /// watch is read whether it is due or not.
    pub async fn read_watches(
        &self,
        also: Option<i64>,
        tell: Tell<'_>,
        stop: &Stop,
    ) -> Result<Vec<WatchChange>, Failure> {
        let began = Utc::now();
        let all = self.store.watches().await?;
        let due = |one: &WatchRecord| one.next_read <= began || also == Some(one.id);
        let due: Vec<WatchRecord> = all
            .into_iter()
            .filter(|one| one.standing.goes_on() && due(one))
            .collect();
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let sources = self.store.sources().await?;
        let wanted = sources
            .iter()
            .map(|one| (one.name.to_string(), stop.clone()));
        let wanted: Vec<(String, Stop)> = wanted.collect();
        // A source that cannot be read widens the bounds of what stands there, and says so there.
        self.sync_many(&wanted, SyncHow::default(), tell, &|_| {})
            .await?;
        if stop.is_stopped() {
            return Err(Failure::not_possible("the read was stopped"));
        }
        let mut changes = Vec::new();
        for one in due {
            self.try_probes_of(&identity(&one)).await?;
            let before = one.standing.word().to_owned();
            let measured = self.measured_watch(&one).await?;
            let ended = Utc::now();
            let leaver = measured.as_ref().map(|one| &one.leaver);
            let seen = confirmed(shown(leaver, one.at, ended), &one, leaver);
            let next = next_read(
                Watched {
                    event: one.at,
                    limits: &seen.limits,
                    last: Some((began, ended)),
                },
                ended,
            );
            self.store
                .keep_watch(one.id, &seen, (began, ended), next)
                .await?;
            let now = self.watch(one.id).await?;
            changes.push(WatchChange { before, now });
        }
        Ok(changes)
    }

    /// Somebody who is watched, measured from the announced moment, with what it was found from.
    pub async fn watch_timeline(&self, id: i64) -> Result<Option<LeaverTimeline>, Failure> {
        let record = self.watch_record(id).await?;
        self.measured_watch(&record).await
    }

    /// Of somebody who was announced here, whatever sources tell of them.
    pub(crate) async fn watch_timelines_of(
        &self,
        identity_text: &str,
    ) -> Result<Vec<LeaverTimeline>, Failure> {
        let mut all = Vec::new();
        for one in self.store.watches().await? {
            if identity(&one) == identity_text || one.identity == identity_text {
                all.extend(self.measured_watch(&one).await?);
            }
        }
        Ok(all)
    }

    async fn measured_watch(&self, of: &WatchRecord) -> Result<Option<LeaverTimeline>, Failure> {
        let (plan, plan_name) = self.plan().await?;
        let whose = identity(of);
        let query = LeaversQuery {
            since: None,
            before: None,
            identity: Some(&whose),
            movers: false,
            announced: Some((of.event, of.at)),
        };
        let now = Utc::now();
        let mut found = Vec::new();
        self.store
            .each_past_leaver(&query, now, |window| {
                found.extend(window);
                Ok::<(), Failure>(())
            })
            .await?;
        if of.event == LifecycleEvent::Mover {
            found = self.after_moves(found).await?;
        }
        let first = found.into_iter().next();
        Ok(first.map(|left| timeline(left, &plan, plan_name, now)))
    }

    async fn watch_record(&self, id: i64) -> Result<WatchRecord, Failure> {
        let mut all = self.store.watches().await?.into_iter();
        all.find(|one| one.id == id).ok_or_else(|| {
            Failure::bad_input(format!("there is no watch {id}"))
                .hint("`lastkey watch list` shows all")
        })
    }

    async fn watch_view(&self, record: WatchRecord) -> Result<WatchView, Failure> {
        let whose = identity(&record);
        let found = self.store.find_identity(&whose).await?;
        Ok(WatchView {
            id: record.id,
            name: found.into_iter().next().and_then(|one| one.display_name),
            identity: whose,
            event: record.event.word().to_owned(),
            at: rfc3339(record.at),
            said_by: record.said_by,
            started: record.started,
            state: record.standing.word().to_owned(),
            next_read: record.standing.goes_on().then(|| rfc3339(record.next_read)),
            last_read: record.last.map(|(_, ended)| rfc3339(ended)),
            open: record.open,
            things: record.things,
            verdict: record.verdict,
            why: record.why,
        })
    }
}

/// What a refused try alone closed may be a fault that passes: a watch ends by it once the next read and
/// try say the same.
fn confirmed(seen: Shown, before: &WatchRecord, leaver: Option<&MeasuredLeaver>) -> Shown {
    let lost = seen.things == 0 && before.things > 0;
    if lost && before.standing == Standing::Overdue {
        return Shown {
            standing: Standing::Overdue,
            why: format!(
                "nothing of theirs is known any more; before: {}",
                before.why
            ),
            ..seen
        };
    }
    let refused = |item: &Measured| item.closed_by == Some(ClosedBy::Refused);
    let by_a_try = leaver.is_some_and(|leaver| leaver.items.iter().any(refused));
    let was_open = before.last.is_none() || before.open > 0;
    if seen.standing != Standing::Closed || !by_a_try || !was_open {
        return seen;
    }
    Shown {
        standing: Standing::Running,
        why: "all is closed, by a try that was refused: the next one has to say the same"
            .to_owned(),
        ..seen
    }
}

fn identity(of: &WatchRecord) -> String {
    format!("{}:{}", of.source, of.identity)
}

fn ending(word: &str) -> Result<LifecycleEvent, Failure> {
    let all = [
        LifecycleEvent::Leaver,
        LifecycleEvent::Mover,
        LifecycleEvent::VendorExit,
        LifecycleEvent::WorkloadRetired,
        LifecycleEvent::AgentRetired,
    ];
    let known = LifecycleEvent::from_word(word).filter(|event| all.contains(event));
    known.ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|event| event.word()).collect();
        Failure::bad_input(format!("`{word}` is no event after which access closes"))
            .hint(format!("one of {}", words.join(", ")))
    })
}
