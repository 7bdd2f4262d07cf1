//! Everyone's rehearsal by the active plan: kept after each sync, so that the next one rehearses only
//! whom a change concerns.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::{State, check_plan, off_thread};
use crate::stop::Stop;
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_engine::access::Graph;
use lastkey_engine::lifecycle::{
    self, Again, Departed, Keeping, Kept, Plan, RehearsalSettings, Verdict, everyone,
    everyone_again,
};
use lastkey_engine::store::{DeparturesOf, StoreError};
use lastkey_engine::views::{self, ListQuery, RehearsedRow, RowWindow, rehearsed_window};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

/// Everyone's rehearsal as it was played last.
pub(crate) struct Remembered {
    of: DeparturesOf,
    played: Arc<Again>,
    /// As the list of everyone shows them, once it was asked for.
    rows: Option<Arc<Vec<RehearsedRow>>>,
}

/// The answers of before.
enum Before {
    Played(Arc<Again>),
    Read(Box<Kept>),
}

impl Before {
    fn kept(&self) -> &Kept {
        match self {
            Before::Played(played) => &played.kept,
            Before::Read(kept) => kept,
        }
    }
}

/// The plan that counts; none asks nothing.
#[derive(Clone, Debug, Default)]
struct ActivePlan {
    plan: Plan,
    sha256: String,
}

impl ActivePlan {
    /// What everyone's rehearsal by it is made of.
    fn departures(&self, state: State) -> DeparturesOf {
        DeparturesOf {
            state,
            plan_sha256: self.sha256.clone(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Everyone's rehearsal after a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EveryoneSince {
    pub now: Verdicts,
    /// As it was kept before; None where nothing was.
    pub before: Option<Verdicts>,
    /// Whom the changes concerned; the others' answers were kept.
    pub rehearsed: u64,
}

/// How many rehearsals end how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    pub fail: u64,
    pub indeterminate: u64,
    pub pass: u64,
}

impl Verdicts {
    fn of<'a>(departed: impl Iterator<Item = &'a Departed>) -> Self {
        let mut verdicts = Verdicts::default();
        for one in departed {
            match one.verdict {
                Verdict::Fail => verdicts.fail += 1,
                Verdict::Indeterminate => verdicts.indeterminate += 1,
                Verdict::Pass => verdicts.pass += 1,
            }
        }
        verdicts
    }

    pub fn all(&self) -> u64 {
        self.fail + self.indeterminate + self.pass
    }
}

impl Workbench {
    /// Everyone at once, in numbers: a row of each identity, in id order.
    pub async fn rehearse_all_at_once(
        &self,
        at: DateTime<Utc>,
        stop: &Stop,
    ) -> Result<Vec<RehearsedRow>, Failure> {
        let (plan, _) = self.plan().await?;
        let (graph, all) = self.everyone_by(plan, at, stop).await?;
        self.rows_of(&graph, all.departed.iter()).await
    }

    /// The same by any plan, without names: in the order of the graph's identities.
    pub(crate) async fn everyone_by(
        &self,
        plan: Plan,
        at: DateTime<Utc>,
        stop: &Stop,
    ) -> Result<(Arc<Graph>, lifecycle::Everyone), Failure> {
        let active = self.active_plan().await?;
        if plan == active.plan && self.then.is_none() {
            let mut remembered = self.everyone.lock().await;
            let before = self.answers_before(remembered.as_ref(), &active).await?;
            let asked = (active, before);
            let (graph, played) = self.again(&mut remembered, asked, at, stop).await?;
            return Ok((graph, played.everyone()));
        }
        let (_, graph) = self.graph().await?;
        let stop = stop.clone();
        let asked = graph.clone();
        let all = off_thread(move || {
            let settings = RehearsalSettings::default();
            let goes_on = || !stop.is_stopped();
            everyone(&asked, &plan, at, &settings, threads(), &goes_on)
        })
        .await?
        .ok_or_else(stopped)?;
        Ok((graph, all))
    }

    /// Everyone's rehearsal by window, worst first. With `secret=SYSTEM:ID` those who know another's
    /// secret after its limit, with `keeps_in=SYSTEM` those who keep something there.
    pub async fn rehearsals(&self, query: &ListQuery) -> Result<RowWindow<RehearsedRow>, Failure> {
        let active = self.active_plan().await?;
        let of = active.departures(self.state().await?);
        let mut remembered = self.everyone.lock().await;
        let known = remembered.as_ref().filter(|known| known.of == of);
        let rows = match known.and_then(|known| known.rows.clone()) {
            Some(rows) => rows,
            None => {
                let stop = Stop::default();
                let now = self.now();
                let before = self.answers_before(remembered.as_ref(), &active).await?;
                let asked = (active, before);
                let (graph, played) = self.again(&mut remembered, asked, now, &stop).await?;
                self.keep_departures(remembered.as_ref()).await?;
                let rows = Arc::new(self.rows_of(&graph, played.kept.departed()).await?);
                if let Some(remembered) = remembered.as_mut() {
                    remembered.rows = Some(rows.clone());
                }
                rows
            }
        };
        let mut query = query.clone();
        let mut wanted: Vec<Keeping> = Vec::new();
        query.filters.retain(|filter| {
            let keeping = match filter.split_once('=') {
                Some(("secret", text)) => Keeping::Secret(text.to_owned()),
                Some(("keeps_in", system)) => Keeping::In(system.to_owned()),
                Some(_) | None => return true,
            };
            wanted.push(keeping);
            false
        });
        let played = remembered.as_ref().map(|known| known.played.clone());
        drop(remembered);
        if wanted.is_empty() {
            return Ok(rehearsed_window(&rows, &query));
        }
        let played = played.ok_or_else(|| {
            Failure::not_possible("something was read while everyone was rehearsed")
                .hint("open the list again")
        })?;
        let masks: Vec<Vec<bool>> = wanted
            .iter()
            .map(|one| played.kept.who_keeps(one))
            .collect();
        let keeps = |place: usize| {
            let mut of = masks.iter().map(|mask| mask.get(place).copied());
            of.all(|one| one.unwrap_or_default())
        };
        let rows = rows.iter().enumerate().filter(|(place, _)| keeps(*place));
        let rows: Vec<RehearsedRow> = rows.map(|(_, row)| row.clone()).collect();
        Ok(rehearsed_window(&rows, &query))
    }

    /// When the remembered rehearsals of everyone were played, if they were.
    pub async fn rehearsed_at(&self) -> Option<String> {
        let remembered = self.everyone.lock().await;
        remembered
            .as_ref()
            .and_then(|known| known.played.kept.at())
            .map(rfc3339)
    }

    /// Rehearses whom the changes since the last time concern, and keeps everyone's answer; None where
    /// no plan says what would happen.
    pub async fn rehearse_after_sync(&self, stop: &Stop) -> Result<Option<EveryoneSince>, Failure> {
        let active = self.active_plan().await?;
        if active.sha256.is_empty() || self.then.is_some() {
            return Ok(None);
        }
        let mut remembered = self.everyone.lock().await;
        let before = self.answers_before(remembered.as_ref(), &active).await?;
        let fared = (before.kept().at()).map(|_| Verdicts::of(before.kept().departed()));
        let now = self.now();
        let asked = (active, before);
        let (_, played) = self.again(&mut remembered, asked, now, stop).await?;
        self.keep_departures(remembered.as_ref()).await?;
        Ok(Some(EveryoneSince {
            now: Verdicts::of(played.kept.departed()),
            before: fared,
            rehearsed: played.rehearsed,
        }))
    }

    /// What is remembered or kept of the last time.
    async fn answers_before(
        &self,
        remembered: Option<&Remembered>,
        active: &ActivePlan,
    ) -> Result<Before, Failure> {
        Ok(match remembered {
            Some(known) => Before::Played(known.played.clone()),
            None => Before::Read(Box::new(match self.kept_before(active).await? {
                Some(kept) => kept,
                None => Kept::nothing(new_key()?),
            })),
        })
    }

    /// Everyone by the active plan, with what is remembered or kept of the last time; remembers it
    /// where it is not of another time than now.
    async fn again(
        &self,
        remembered: &mut Option<Remembered>,
        (active, before): (ActivePlan, Before),
        at: DateTime<Utc>,
        stop: &Stop,
    ) -> Result<(Arc<Graph>, Arc<Again>), Failure> {
        let (state, graph) = self.graph().await?;
        let of = active.departures(state);
        let before_at = before.kept().at();
        let (asked, stop) = (graph.clone(), stop.clone());
        let plan = active.plan;
        let again = off_thread(move || {
            let settings = RehearsalSettings::default();
            let goes_on = || !stop.is_stopped();
            let then = before.kept();
            everyone_again(&asked, &plan, at, &settings, threads(), &goes_on, then)
        });
        let played = Arc::new(again.await?.ok_or_else(stopped)?);
        let of_now = at <= self.now() && before_at.is_none_or(|before| before <= at);
        if of_now {
            *remembered = Some(Remembered {
                of,
                played: played.clone(),
                rows: None,
            });
        }
        Ok((graph, played))
    }

    /// The plan that counts, read once: its text and what is asked by it are of one moment.
    async fn active_plan(&self) -> Result<ActivePlan, Failure> {
        let Some(record) = self.store.plan().await? else {
            return Ok(ActivePlan::default());
        };
        Ok(ActivePlan {
            plan: check_plan(&record.text)?,
            sha256: record.sha256,
        })
    }

    /// What the store keeps of the last time, where that was by this plan and program.
    async fn kept_before(&self, active: &ActivePlan) -> Result<Option<Kept>, Failure> {
        let Some(of) = self.store.departures_of().await? else {
            return Ok(None);
        };
        if of != active.departures(of.state) {
            return Ok(None);
        }
        let bytes = self.store.departures(&of).await?;
        Ok(bytes.and_then(|bytes| Kept::from_bytes(&bytes, active.plan.clone())))
    }

    /// Keeps what is remembered in the store, unless that has it.
    async fn keep_departures(&self, remembered: Option<&Remembered>) -> Result<(), Failure> {
        let Some(known) = remembered else {
            return Ok(());
        };
        if self.then.is_some() || self.store.departures_of().await?.as_ref() == Some(&known.of) {
            return Ok(());
        }
        let played = known.played.clone();
        let bytes = off_thread(move || played.kept.to_bytes()).await?;
        let Some(bytes) = bytes else {
            return Ok(());
        };
        match self.store.keep_departures(&known.of, &bytes).await {
            // Whoever writes now keeps it in the end; what is not kept is found anew.
            Err(StoreError::Busy(_)) => Ok(()),
            kept => Ok(kept?),
        }
    }

    async fn rows_of<'d>(
        &self,
        graph: &Graph,
        departed: impl Iterator<Item = &'d Departed>,
    ) -> Result<Vec<RehearsedRow>, Failure> {
        let mut names = self.store.identity_names().await?;
        let rows = graph.identity_ids().zip(departed);
        let rows = rows.map(|(id, departed)| {
            let (name, kind) = names.remove(id.as_str()).unwrap_or_default();
            views::departed_row(id.as_str(), departed, name, kind)
        });
        Ok(rows.collect())
    }
}

fn threads() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

fn stopped() -> Failure {
    Failure::not_possible("the rehearsal was stopped")
}

fn new_key() -> Result<[u8; 16], Failure> {
    let mut key = [0; 16];
    getrandom::fill(&mut key)
        .map_err(|error| Failure::not_possible(format!("no random key can be made: {error}")))?;
    Ok(key)
}
