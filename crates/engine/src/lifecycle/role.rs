//! A joiner and a mover: what they lack, what they hold and may not, and until when.
//!
//! The policy decides with the attributes after the event. What is held and not permitted for
//! certain closes by the plan's steps; where nobody knows enough to decide, nothing is claimed.

use super::departure::{Departure, after};
use super::outcome::{Basis, Closing, Rehearsal, Verdict};
use super::plan::{Plan, StepAction};
use super::rehearse::{RehearsalSettings, Stage};
use crate::access::graph::Graph;
use crate::policy::{
    Catalogue, Decider, Held, HeldLine, Holder, MissingGrant, PolicyWord, Review, review,
};
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::LifecycleEvent;
use serde::Serialize;
use std::collections::BTreeSet;

/// Who comes or changes, as they are afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    Joiner,
    Mover,
}

impl RoleChange {
    fn event(self) -> LifecycleEvent {
        match self {
            RoleChange::Joiner => LifecycleEvent::Joiner,
            RoleChange::Mover => LifecycleEvent::Mover,
        }
    }
}

/// The answer of a joiner's or a mover's rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleRehearsal {
    /// Of a mover what may no longer be reached and works after the event; of a joiner nothing.
    #[serde(flatten)]
    pub rehearsal: Rehearsal,
    /// Birthrights that are not held once the plan's steps are done.
    pub missing_grants: Vec<MissingGrant>,
    /// Birthrights that the plan's steps bring, and when.
    pub coming_grants: Vec<ComingGrant>,
    /// What is held and not permitted.
    pub extra_grants: Vec<HeldLine>,
    /// What is held where no policy speaks for the system: neither pass nor fail.
    pub no_policy: u64,
    /// Of whoever is to come like somebody else: what that one holds, with the policy's word on the
    /// one who comes. Nothing of it comes by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub like_holds: Vec<HeldLine>,
}

/// A birthright that a step of the plan grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComingGrant {
    pub system: String,
    pub id: String,
    pub at: Closing,
    pub because: Vec<String>,
}

/// A policy with what it knows of the entitlements of one graph.
pub struct Judge<'a, 'p> {
    pub decider: &'a mut Decider<'p>,
    pub catalogue: &'a Catalogue,
}

/// What a joiner lacks and holds too much, or what stays open after a mover has moved. `holder` has
/// the attributes after the event.
pub fn rehearse_role(
    graph: &Graph,
    plan: &Plan,
    judge: &mut Judge<'_, '_>,
    change: RoleChange,
    holder: &Holder,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
) -> RoleRehearsal {
    let review = review(graph, judge.decider, judge.catalogue, holder, at);
    let id = IdentityId::new(holder.id.as_str());
    let mut stage = Stage::new(graph, plan, at, settings);
    let departure = stage.of_role((&id, change.event()), lost(graph, &review));
    let brought = Brought {
        graph,
        plan,
        departure: &departure,
        at,
    };
    let (mut missing_grants, mut coming_grants) = (Vec::new(), Vec::new());
    for grant in review.missing_grants.clone() {
        match brought.when(&grant.system) {
            Some(at) => coming_grants.push(ComingGrant {
                system: grant.system,
                id: grant.id,
                at,
                because: grant.policy.because,
            }),
            None => missing_grants.push(grant),
        }
    }
    let systems: BTreeSet<&str> = missing_grants
        .iter()
        .map(|grant| grant.system.as_str())
        .collect();
    let unread = stage.unread(&systems);
    let mut rehearsal = stage.play(departure, &id);
    if change == RoleChange::Joiner {
        rehearsal.residual.clear();
        rehearsal.breaks.clear();
    }
    let extra_grants: Vec<HeldLine> = review
        .held
        .iter()
        .filter(|line| line.policy.policy == Held::NotPermitted.word())
        .cloned()
        .collect();
    let sure_extra = change == RoleChange::Joiner
        && extra_grants
            .iter()
            .any(|line| is_sure(&line.policy) && line.basis != Basis::Assumed);
    let speaks_for = |line: &&HeldLine| line.policy.policy != Held::NoPolicy.word();
    if !review.held.is_empty() && review.held.iter().filter(speaks_for).count() == 0 {
        rehearsal
            .missing_facts
            .push("no policy speaks for anything that they hold".to_owned());
    }
    rehearsal.missing_facts.extend(unread);
    rehearsal.missing_facts.extend(undecided(&review));
    rehearsal.missing_facts.sort();
    rehearsal.missing_facts.dedup();
    // What was not read may be held.
    let sure_missing = rehearsal.missing_facts.is_empty() && !missing_grants.is_empty();
    let doubtful =
        !missing_grants.is_empty() || (change == RoleChange::Joiner && !extra_grants.is_empty());
    let of_items = super::limits::verdict(&rehearsal.residual, &rehearsal.missing_facts);
    rehearsal.verdict = match of_items {
        Verdict::Fail => Verdict::Fail,
        Verdict::Indeterminate | Verdict::Pass if sure_missing || sure_extra => Verdict::Fail,
        Verdict::Pass if doubtful => Verdict::Indeterminate,
        other => other,
    };
    let no_policy = review.held.iter();
    let no_policy = no_policy.filter(|line| line.policy.policy == Held::NoPolicy.word());
    RoleRehearsal {
        no_policy: u64::try_from(no_policy.count()).unwrap_or(u64::MAX),
        rehearsal,
        missing_grants,
        coming_grants,
        extra_grants,
        like_holds: Vec::new(),
    }
}

/// What somebody holds, with the policy's word on another one who is to come like them.
pub fn held_like(
    graph: &Graph,
    judge: &mut Judge<'_, '_>,
    (like, holder): (&str, &Holder),
    at: DateTime<Utc>,
) -> Vec<HeldLine> {
    let in_their_place = Holder {
        id: like.to_owned(),
        ..holder.clone()
    };
    review(graph, judge.decider, judge.catalogue, &in_their_place, at).held
}

/// What stays open after a mover has moved who may hold nothing of `lost` (system and id) any more:
/// the part of a mover's rehearsal that no policy is needed for.
pub fn rehearse_lost(
    graph: &Graph,
    plan: &Plan,
    id: &IdentityId,
    lost: &BTreeSet<(String, String)>,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
) -> Rehearsal {
    let mut stage = Stage::new(graph, plan, at, settings);
    let rows = (0..graph.entitlements.len()).filter(|row| {
        let system = graph.systems.at(graph.entitlements.at(*row).system);
        let id = graph.entitlement_ids.at(*row);
        lost.contains(&(system.to_owned(), id.to_owned()))
    });
    let departure = stage.of_role((id, LifecycleEvent::Mover), rows.collect());
    stage.play(departure, id)
}

/// The rows of what is held and certainly not permitted.
fn lost(graph: &Graph, review: &Review) -> BTreeSet<u32> {
    let rows = graph.entitlements.len();
    let lines = review.held.iter();
    let lost = lines
        .filter(|line| line.policy.policy == Held::NotPermitted.word() && is_sure(&line.policy));
    lost.map(|line| line.row)
        .filter(|row| *row < rows)
        .collect()
}

/// Whether nothing that nobody knows could have changed the answer.
fn is_sure(word: &PolicyWord) -> bool {
    word.unknown.is_empty()
}

/// What the policy could not decide, one sentence each.
fn undecided(review: &Review) -> Vec<String> {
    let mut facts = Vec::new();
    for line in &review.held {
        let name = format!("{}:{}", line.system, line.id);
        if line.policy.policy == Held::Undecided.word() {
            let error = line.policy.error.clone().unwrap_or_default();
            facts.push(format!(
                "whether `{name}` may be held is undecided: {error}"
            ));
        }
        for unknown in &line.policy.unknown {
            facts.push(format!(
                "the {unknown} is not known, on which it hangs whether `{name}` may be held"
            ));
        }
    }
    for unknown in &review.unknown_for_birthrights {
        facts.push(format!(
            "the {unknown} is not known, on which it hangs what should be held"
        ));
    }
    facts
}

/// What the plan's steps bring.
struct Brought<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    departure: &'a Departure,
    at: DateTime<Utc>,
}

impl Brought<'_> {
    /// When the plan grants birthrights in a system; None where no step does.
    fn when(&self, system: &str) -> Option<Closing> {
        let steps = self.plan.steps.iter().filter(|step| {
            step.on == self.departure.event
                && step.does == StepAction::GrantBirthright
                && step
                    .system
                    .as_ref()
                    .is_none_or(|name| name.as_str() == system)
                && step.leaver_kind.is_none()
                && (step.identity_kind.is_none() || step.identity_kind == self.departure.kind)
        });
        // A condition on an account needs one of theirs in the system that meets it.
        let fits = steps.filter(|step| {
            (step.account_kind.is_none() && step.privileged.is_none())
                || self.departure.accounts.iter().any(|account| {
                    let row = self.graph.accounts.at(*account);
                    self.graph.systems.at(row.system) == system
                        && (step.account_kind.is_none() || step.account_kind == row.kind)
                        && (step.privileged.is_none() || step.privileged == row.privileged)
                })
        });
        fits.map(|step| after(self.at, step.within)).min()
    }
}
