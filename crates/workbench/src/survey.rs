//! Everyone's rehearsal in short: the worst leavers, systems and secrets, and the step that would close
//! most. With a plan that is not the active one: what it would change.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::{check_plan, off_thread};
use crate::stop::Stop;
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::when::rfc3339;
use lastkey_engine::access::Graph;
use lastkey_engine::lifecycle::{
    Everyone, Leaver, Plan, RehearsalSettings, Verdict, WorstSecret, WorstSystem, rehearse_leaver,
    try_steps,
};
use lastkey_engine::views::{RehearsedRow, departed_row, worst_first};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread::available_parallelism;
use ts_rs::TS;

/// How many of each are named.
const WORST: usize = 20;
/// How many of the indeterminate ones are asked why, and how many causes are named.
const LOOKED_AT: usize = 24;
const CAUSES: usize = 5;
/// How many steps are tried out.
const TRIED: usize = 5;

/// What is asked beside the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Try out which step more would close most.
    Tried,
    NotAsked,
}

/// Everyone's rehearsal in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Survey {
    pub at: String,
    pub identities: u64,
    pub fail: u64,
    pub indeterminate: u64,
    pub pass: u64,
    /// Items that are open after their limit, over all.
    pub late: u64,
    /// Items that never close, over all.
    pub never: u64,
    /// Accounts that may work and stayed with people whom no source lists now: nobody's rehearsal
    /// tells of them.
    pub stayed: u64,
    /// Why it cannot be said of the indeterminate ones: what most often is missing, the most frequent
    /// first, of some of them.
    pub unknown: Vec<Unknown>,
    pub leavers: Vec<RehearsedRow>,
    pub systems: Vec<WorstSystem>,
    pub secrets: Vec<WorstSecret>,
    /// Steps that would close most, the first the most; None where that was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepView>>,
}

/// Something that is missing to say how identities would fare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Unknown {
    pub fact: String,
    /// Of how many it is missing, of those looked at.
    pub identities: u64,
    pub looked_at: u64,
}

/// A step that was tried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StepView {
    pub does: &'static str,
    pub system: String,
    pub within_seconds: i64,
    /// How many items fewer would be late.
    pub closes: u64,
    /// How many identities fewer would fail.
    pub mends: u64,
    /// How many more would pass.
    pub passes: u64,
}

impl Workbench {
    /// Everyone's rehearsal in short, by the active plan or by the text of another.
    pub async fn survey(
        &self,
        at: DateTime<Utc>,
        plan: Option<&str>,
        steps: Steps,
        stop: &Stop,
    ) -> Result<Survey, Failure> {
        let plan = match plan {
            Some(text) => check_plan(text)?,
            None => self.plan().await?.0,
        };
        let (graph, all) = self.everyone_by(plan.clone(), at, stop).await?;
        let stop = stop.clone();
        let survey = off_thread(move || surveyed(&graph, &all, &plan, at, steps, &stop)).await?;
        let mut survey =
            survey.ok_or_else(|| Failure::not_possible("the rehearsal was stopped"))?;
        for row in &mut survey.leavers {
            let found = self.store.find_identity(&row.identity).await?;
            row.display_name = found.into_iter().next().and_then(|one| one.display_name);
        }
        Ok(survey)
    }
}

fn surveyed(
    graph: &Graph,
    all: &Everyone,
    plan: &Plan,
    at: DateTime<Utc>,
    steps: Steps,
    stop: &Stop,
) -> Option<Survey> {
    let settings = RehearsalSettings::default();
    let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let goes_on = || !stop.is_stopped();
    let tried = match steps {
        Steps::Tried => Some(try_steps(
            graph,
            plan,
            at,
            &settings,
            threads,
            &goes_on,
            (all, TRIED),
        )?),
        Steps::NotAsked => None,
    };
    let views = tried.map(|tried| {
        let views = tried.into_iter().map(|one| StepView {
            does: one.does.word(),
            system: one.system,
            within_seconds: one.within.num_seconds(),
            closes: one.closes,
            mends: one.mends,
            passes: one.passes,
        });
        views.collect()
    });
    Some(Survey {
        at: rfc3339(at),
        identities: u64::try_from(all.departed.len()).unwrap_or(u64::MAX),
        fail: all.count(Verdict::Fail),
        indeterminate: all.count(Verdict::Indeterminate),
        pass: all.count(Verdict::Pass),
        late: all.late(),
        never: all.never(),
        stayed: graph.stayed_with_nobody(at),
        unknown: unknown(graph, all, plan, at),
        leavers: worst_leavers(graph, all),
        systems: all.ranks.worst_systems(graph, WORST),
        secrets: all.ranks.worst_secrets(graph, WORST),
        steps: views,
    })
}

/// What is missing of some of the indeterminate ones, taken evenly from all.
fn unknown(graph: &Graph, all: &Everyone, plan: &Plan, at: DateTime<Utc>) -> Vec<Unknown> {
    let ids = graph.identity_ids().zip(&all.departed);
    let open = ids.filter(|(_, departed)| departed.verdict == Verdict::Indeterminate);
    let open: Vec<IdentityId> = open.map(|(id, _)| id).collect();
    let each = open.len().div_ceil(LOOKED_AT).max(1);
    let settings = RehearsalSettings::default();
    let (mut facts, mut looked_at) = (BTreeMap::<String, u64>::new(), 0);
    for id in open.into_iter().step_by(each) {
        let one = rehearse_leaver(graph, plan, &Leaver::Identity(id), at, &settings);
        looked_at += 1;
        for fact in one.missing_facts {
            *facts.entry(fact).or_default() += 1;
        }
    }
    let mut unknown: Vec<Unknown> = facts
        .into_iter()
        .map(|(fact, identities)| Unknown {
            fact,
            identities,
            looked_at,
        })
        .collect();
    unknown.sort_by_key(|one| Reverse(one.identities));
    unknown.truncate(CAUSES);
    unknown
}

/// Who leaves something, worst first; without names.
fn worst_leavers(graph: &Graph, all: &Everyone) -> Vec<RehearsedRow> {
    let rows = graph.identity_ids().zip(&all.departed);
    let rows = rows.filter(|(_, departed)| departed.left.late() > 0);
    let rows = rows.map(|(id, departed)| {
        let kind = graph.identity_kind(&id).map(|kind| kind.to_string());
        departed_row(id.as_str(), departed, None, kind.unwrap_or_default())
    });
    let mut rows: Vec<RehearsedRow> = rows.collect();
    rows.sort_by(worst_first);
    rows.truncate(WORST);
    rows
}
