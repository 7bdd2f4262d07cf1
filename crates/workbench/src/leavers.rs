//! Past leavers: what was claimed, what was observed, and what follows by the plan's limits.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::moment_of;
use chrono::{DateTime, Days, NaiveDate, Utc};
use lastkey_contract::IdentityId;
use lastkey_engine::lifecycle::{ItemKind, Leaver, ResidualItem};
use lastkey_engine::measured::{
    Counting, Left, MeasuredLeaver, Shares, StepCounting, StepMeasured, as_measured, measure,
};
use lastkey_engine::store::{LeaversQuery, PolicyStanding};
use lastkey_engine::views::RehearsalView;
use serde::Serialize;
use std::collections::HashSet;

/// Which past leavers, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaversAsked {
    /// A time, or a date in UTC: whoever may have left then or later.
    pub since: Option<String>,
    /// A time, or a date in UTC, which counts whole: whoever may have left by then.
    pub until: Option<String>,
    /// An id, or `source:id`.
    pub identity: Option<String>,
    /// Whoever moved, by what the active policy lets them hold now, in place of whoever left.
    pub movers: bool,
}

impl Workbench {
    /// Hands over the past leavers, measured, in windows; gives back the shares of all of them. The
    /// limits are those of the plan that is loaded, else the presets.
    pub async fn each_measured_leaver(
        &self,
        asked: &LeaversAsked,
        mut take: impl FnMut(Vec<MeasuredLeaver>) -> Result<(), Failure>,
    ) -> Result<Shares, Failure> {
        let Period { since, before } = Period::of(asked.since.as_deref(), asked.until.as_deref())?;
        self.require_leaver(asked).await?;
        let (plan, _) = self.plan().await?;
        let query = LeaversQuery {
            since,
            before,
            identity: asked.identity.as_deref(),
            movers: asked.movers,
            announced: None,
        };
        let mut counting = Counting::default();
        let mut measured = |window: Vec<Left>| {
            let each = window.into_iter().map(|left| measure(left, &plan));
            let measured: Vec<MeasuredLeaver> = each.collect();
            measured.iter().for_each(|leaver| counting.add(leaver));
            take(measured)
        };
        if asked.movers {
            self.policy_of(PolicyStanding::Active).await?;
            let mut moved = Vec::new();
            self.store
                .each_past_leaver(&query, self.now(), |window| {
                    moved.extend(window);
                    Ok::<(), Failure>(())
                })
                .await?;
            measured(self.after_moves(moved).await?)?;
        } else {
            self.store
                .each_past_leaver(&query, self.now(), measured)
                .await?;
        }
        Ok(counting.done())
    }
}

impl Workbench {
    /// What keeps anybody from saying of all who left in the period that they lost access in time: one
    /// sentence each, of the period as a whole.
    pub async fn not_known_of(&self, asked: &LeaversAsked) -> Result<Vec<String>, Failure> {
        let period = Period::of(asked.since.as_deref(), asked.until.as_deref())?;
        self.leaver_caveats(period).await
    }

    /// Whoever is asked for must be known, now or once.
    pub(crate) async fn require_leaver(&self, asked: &LeaversAsked) -> Result<(), Failure> {
        let Some(identity) = &asked.identity else {
            return Ok(());
        };
        let unknown = self.store.find_identity(identity).await?.is_empty()
            && self.store.records_once(identity).await?.is_empty();
        match unknown {
            false => Ok(()),
            true => Err(self.no_identity(identity).await),
        }
    }
}

/// Of what the plan closes in time, and past leavers show that it does not.
const UNRELIABLE: &str =
    "the plan's own step, if it were done in time as a rule (`lastkey plan measured`)";

type Thing = (ItemKind, String, String, Option<String>);

fn thing(item: &ResidualItem) -> Thing {
    let (system, id) = (item.system.clone(), item.id.clone());
    (item.kind, system, id, item.on_account.clone())
}

/// One leaver by the plan as it is written, and as past leavers show that it goes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BothSides {
    pub planned: RehearsalView,
    /// By the steps that one can rely on, each within what nine of ten took.
    pub measured: RehearsalView,
    pub steps: Vec<StepMeasured>,
}

impl Workbench {
    /// How each step of the plan that is loaded went in the past.
    pub async fn measured_steps(&self) -> Result<Vec<StepMeasured>, Failure> {
        let (plan, _) = self.plan().await?;
        let mut counting = StepCounting::new(&plan);
        let everybody = LeaversAsked::default();
        let count = |leavers: Vec<MeasuredLeaver>| {
            leavers.iter().for_each(|leaver| counting.add(leaver));
            Ok(())
        };
        self.each_measured_leaver(&everybody, count).await?;
        Ok(counting.done())
    }

    /// Rehearses one identity leaving by the plan, and by what was measured of its steps.
    pub async fn rehearse_both_sides(
        &self,
        id: &str,
        at: Option<DateTime<Utc>>,
    ) -> Result<BothSides, Failure> {
        let steps = self.measured_steps().await?;
        let (plan, _) = self.plan().await?;
        let at = at.unwrap_or_else(|| self.now());
        let planned = self.rehearse_leaver(id, Some(at)).await?;
        let leaver = Leaver::Identity(IdentityId::new(id));
        let by_measure = (as_measured(&plan, &steps), planned.plan_name.clone());
        let mut measured = self.rehearse(leaver, Some(at), by_measure).await?;
        // What the plan closes in time needs no other step: the step that it has did not do it.
        let in_time: HashSet<Thing> = (planned.rehearsal.residual.iter())
            .filter(|item| item.closes_at <= item.limit_at)
            .map(thing)
            .collect();
        for item in &mut measured.rehearsal.residual {
            item.reason = (item.reason).replace(" ends by the plan: ", " ends, as measured of ");
            if item.closes_at > item.limit_at && in_time.contains(&thing(item)) {
                item.would_close = Some(UNRELIABLE.to_owned());
            }
        }
        Ok(BothSides {
            planned,
            measured,
            steps,
        })
    }
}

/// From when until before when somebody may have left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Period {
    pub since: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
}

impl Period {
    pub(crate) fn of(since: Option<&str>, until: Option<&str>) -> Result<Period, Failure> {
        let since = since.map(|text| moment_of("--since", text)).transpose()?;
        let before = until.map(end_of).transpose()?;
        match (since, before) {
            (Some(since), Some(before)) if before <= since => {
                Err(Failure::bad_input("--until is before --since"))
            }
            _ => Ok(Period { since, before }),
        }
    }
}

/// The moment itself, or the end of a date.
fn end_of(text: &str) -> Result<DateTime<Utc>, Failure> {
    let at = moment_of("--until", text)?;
    let next = match text.parse::<NaiveDate>() {
        Ok(_) => at.checked_add_days(Days::new(1)),
        Err(_) => Some(at),
    };
    next.ok_or_else(|| Failure::bad_input(format!("`{text}` is not a time")))
}
