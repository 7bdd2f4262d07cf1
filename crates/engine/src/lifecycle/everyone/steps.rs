//! Which single step more would close most? Tried out, not guessed: everyone is rehearsed with it.

use super::{Everyone, everyone};
use crate::access::Graph;
use crate::lifecycle::departure::{Departure, Kinds};
use crate::lifecycle::limits::due;
use crate::lifecycle::plan::{Plan, Step};
use crate::lifecycle::{RehearsalSettings, StepAction, Verdict};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::LifecycleEvent;
use std::cmp::Reverse;
use std::num::NonZero;

/// What a step more would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTried {
    pub does: StepAction,
    pub system: String,
    pub within: TimeDelta,
    /// How many items fewer would be open after their limit.
    pub closes: u64,
    /// How many identities fewer would fail.
    pub mends: u64,
    /// How many more would pass: of the others it would only be undecided.
    pub passes: u64,
}

impl Everyone {
    /// How many items are open after their limit, over all.
    pub fn late(&self) -> u64 {
        self.departed.iter().map(|one| one.left.late()).sum()
    }

    /// How many never close, over all.
    pub fn never(&self) -> u64 {
        self.departed.iter().map(|one| one.left.never()).sum()
    }

    /// How many identities have a verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        let of = self.departed.iter().filter(|one| one.verdict == verdict);
        u64::try_from(of.count()).unwrap_or(u64::MAX)
    }
}

/// The most promising steps, each within the strictest and the widest limit of its system, and what
/// they would close: those that close most first; steps that close nothing are left out. None where
/// `goes_on` said no.
pub fn try_steps(
    graph: &Graph,
    plan: &Plan,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
    threads: NonZero<usize>,
    goes_on: &(dyn Fn() -> bool + Sync),
    (now, most): (&Everyone, usize),
) -> Option<Vec<StepTried>> {
    let (late, failing) = (now.late(), now.count(Verdict::Fail));
    let passing = now.count(Verdict::Pass);
    let mut tried = Vec::new();
    for (does, system) in now.ranks.candidates(graph, most) {
        let mut best: Option<StepTried> = None;
        for within in limits(graph, plan, &system, at) {
            let mut with = plan.clone();
            with.steps.push(Step {
                on: LifecycleEvent::Leaver,
                system: Some(system.as_str().into()),
                does,
                how: None,
                within,
                identity_kind: None,
                account_kind: None,
                leaver_kind: None,
                privileged: None,
                line: 0,
            });
            let then = everyone(graph, &with, at, settings, threads, goes_on)?;
            let one = StepTried {
                does,
                system: system.clone(),
                within,
                closes: late.saturating_sub(then.late()),
                mends: failing.saturating_sub(then.count(Verdict::Fail)),
                passes: then.count(Verdict::Pass).saturating_sub(passing),
            };
            let better = best.as_ref().is_none_or(|best| one.closes > best.closes);
            if better && one.closes > 0 {
                best = Some(one);
            }
        }
        tried.extend(best);
    }
    tried.sort_by_key(|one| Reverse((one.closes, one.mends)));
    Some(tried)
}

/// The strictest and the widest limit that holds for anybody in a system.
fn limits(graph: &Graph, plan: &Plan, system: &str, at: DateTime<Utc>) -> Vec<TimeDelta> {
    let mut seen: Vec<Kinds> = Vec::new();
    let mut limits = Vec::new();
    for identity in 0..graph.identities.len() {
        let kinds = Kinds::of(graph, Some(identity));
        if seen.contains(&kinds) {
            continue;
        }
        seen.push(kinds);
        let departure = Departure::of_nobody(kinds, kinds.steps(graph, plan, at));
        let flags = [Some(false), None, Some(true)];
        limits.extend(flags.map(|flag| due(plan, &departure, system, flag, at).within));
    }
    let mut both: Vec<TimeDelta> = limits.iter().min().copied().into_iter().collect();
    both.extend(limits.iter().max());
    both.dedup();
    both
}
