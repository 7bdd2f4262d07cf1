//! How each step of a plan went in the past: what it would have closed, and when that was closed.
//!
//! A thing counts for the step that the plan says closes it first; which plan counted at the time is
//! not asked. So a step has the times of what it is meant for, whoever did it then.

use super::held::{Held, HeldKind, Left};
use super::measure::{Measured, MeasuredLeaver};
use super::reads::ClosedBy;
use crate::lifecycle::{Plan, Step, StepAction, counts, that_revoke};
use lastkey_contract::facts::CredentialKind;
use serde::Serialize;
use std::collections::BTreeMap;
use ts_rs::TS;

/// A step of the plan beside what was measured of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StepMeasured {
    /// Its place in the plan, from 0, and its line in the text.
    pub step: u32,
    pub line: u32,
    pub does: &'static str,
    pub system: Option<String>,
    /// For what it holds, in words: the event, and every condition.
    pub of: String,
    /// What the plan says.
    #[ts(type = "number")]
    pub within_seconds: i64,
    /// How many things it is measured by.
    #[ts(type = "number")]
    pub cases: u64,
    /// Of them closed within what the plan says, for certain; later than that; neither is known.
    #[ts(type = "number")]
    pub in_time: u64,
    #[ts(type = "number")]
    pub late: u64,
    #[ts(type = "number")]
    pub undecided: u64,
    /// Nine of ten were closed within this for certain; None where that is not so.
    #[ts(type = "number | null")]
    pub nine_of_ten_seconds: Option<i64>,
    /// By the month of the event, `2026-11`: how many of how many in time.
    #[ts(type = "{ [month in string]: [number, number] }")]
    pub months: BTreeMap<String, (u64, u64)>,
}

/// Which step of a plan closes a thing first, by its place; None where none does, or where that depends
/// on what is not known.
pub(super) fn step_of(
    plan: &Plan,
    left: &Left,
    held: &Held,
    account: Option<&Held>,
) -> Option<u32> {
    let does: &[StepAction] = match (held.kind, held.credential) {
        (HeldKind::Account, _) => &[StepAction::DisableAccount, StepAction::DeleteAccount],
        (HeldKind::Credential, Some(kind)) => that_revoke(kind),
        (HeldKind::Session, _) => that_revoke(CredentialKind::Token),
        (HeldKind::Entitlement | HeldKind::Location | HeldKind::Control, _) => {
            &[StepAction::RemoveGrants]
        }
        (HeldKind::Credential, None) => &[],
    };
    let account = match held.kind {
        HeldKind::Account => Some(held),
        HeldKind::Credential
        | HeldKind::Session
        | HeldKind::Entitlement
        | HeldKind::Location
        | HeldKind::Control => account,
    };
    let met = |step: &Step| {
        let facts = [
            step.identity_kind.map(|kind| Some(kind) == left.kind),
            step.leaver_kind.map(|kind| Some(kind) == left.leaver_kind),
            step.account_kind
                .map(|kind| Some(kind) == account.and_then(|one| one.account)),
            step.privileged
                .map(|flag| Some(flag) == account.and_then(|one| one.privileged)),
        ];
        facts.iter().flatten().all(|met| *met)
    };
    let fits = |step: &Step| {
        let here = step.system.as_ref();
        let here = here.is_none_or(|system| system.as_str() == held.names.system);
        counts(step.on, left.event) && here && does.contains(&step.does) && met(step)
    };
    let steps = (0..).zip(&plan.steps).filter(|(_, step)| fits(step));
    let first = steps.min_by_key(|(place, step)| (step.within, *place));
    first.map(|(place, _)| place)
}

/// For what a step holds: `leaver, involuntary, privileged`.
fn in_words(step: &Step) -> String {
    let words = [
        Some(step.on.word()),
        step.leaver_kind.map(|kind| kind.word()),
        step.identity_kind.map(|kind| kind.word()),
        step.account_kind.map(|kind| kind.word()),
        step.privileged.map(|flag| match flag {
            true => "privileged",
            false => "not privileged",
        }),
    ];
    let words: Vec<String> = words
        .into_iter()
        .flatten()
        .map(|word| word.replace('_', " "))
        .collect();
    words.join(", ")
}

/// The counts so far; leavers are added as they are measured by the same plan.
#[derive(Clone, Debug)]
pub struct StepCounting {
    steps: Vec<StepMeasured>,
    /// By step: within how many seconds each was closed for certain.
    uppers: Vec<Vec<i64>>,
}

impl StepCounting {
    pub fn new(plan: &Plan) -> Self {
        let steps = (0..).zip(&plan.steps).map(|(place, step)| StepMeasured {
            step: place,
            line: step.line,
            does: step.does.word(),
            system: step.system.as_ref().map(ToString::to_string),
            of: in_words(step),
            within_seconds: step.within.num_seconds(),
            cases: 0,
            in_time: 0,
            late: 0,
            undecided: 0,
            nine_of_ten_seconds: None,
            months: BTreeMap::new(),
        });
        StepCounting {
            steps: steps.collect(),
            uppers: vec![Vec::new(); plan.steps.len()],
        }
    }

    pub fn add(&mut self, leaver: &MeasuredLeaver) {
        let month = leaver.latest.format("%Y-%m").to_string();
        for item in &leaver.items {
            self.add_item(item, &month);
        }
    }

    fn add_item(&mut self, item: &Measured, month: &str) {
        // What closed with its account tells nothing of its own step.
        if item.closed_by == Some(ClosedBy::Account) {
            return;
        }
        let place = item.step.and_then(|step| usize::try_from(step).ok());
        let of =
            place.and_then(|place| Some((self.steps.get_mut(place)?, self.uppers.get_mut(place)?)));
        let Some((step, uppers)) = of else {
            return;
        };
        let upper = item.upper.map(|upper| upper.num_seconds());
        let in_month = step.months.entry(month.to_owned()).or_default();
        step.cases += 1;
        in_month.1 += 1;
        if upper.is_some_and(|upper| upper <= step.within_seconds) {
            step.in_time += 1;
            in_month.0 += 1;
        } else if item.lower.num_seconds() > step.within_seconds {
            step.late += 1;
        } else {
            step.undecided += 1;
        }
        uppers.push(upper.unwrap_or(i64::MAX));
    }

    /// Each step of the plan, in its order.
    pub fn done(mut self) -> Vec<StepMeasured> {
        for (step, uppers) in self.steps.iter_mut().zip(&mut self.uppers) {
            uppers.sort_unstable();
            let place = (uppers.len() * 9).div_ceil(10).checked_sub(1);
            let nine = place.and_then(|place| uppers.get(place)).copied();
            step.nine_of_ten_seconds = nine.filter(|seconds| *seconds != i64::MAX);
        }
        self.steps
    }
}

/// The plan as it was measured: each step within the time in which nine of ten things were closed; one
/// of which that cannot be said closes nothing that one could rely on; one that nothing tells of stays
/// as planned.
pub fn as_measured(plan: &Plan, measured: &[StepMeasured]) -> Plan {
    let mut places = 0u32..;
    let mut by_measure = plan.clone();
    by_measure.steps.retain_mut(|step| {
        let place = places.next();
        let told = measured
            .iter()
            .find(|one| Some(one.step) == place && one.cases > 0);
        let Some(told) = told else {
            return true;
        };
        let seconds = told.nine_of_ten_seconds;
        match seconds.and_then(chrono::TimeDelta::try_seconds) {
            Some(within) => {
                step.within = within;
                true
            }
            None => false,
        }
    });
    by_measure
}
