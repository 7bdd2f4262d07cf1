//! The answer of a rehearsal of events: whether each would be noticed, when, why not, and what is
//! left of whoever leaves.

use super::handed_on::{self, Change, OwnersChanged};
use super::happens::SimulatedEvent;
use super::registers::{RecordOf, SimulatedWorld};
use super::told::{Moment, Trigger, play};
use super::why_not::why_not;
use crate::access::Graph;
use crate::lifecycle::departure::is_ending;
use crate::lifecycle::departure::{DueStep, Kinds};
use crate::lifecycle::outcome::{Rehearsal, Verdict};
use crate::lifecycle::plan::{Plan, StepAction};
use crate::lifecycle::rehearse::{RehearsalSettings, Stage};
use crate::lifecycle::{Leaver, RoleRehearsal, limits};
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::{Identity, LifecycleEvent};
use lastkey_contract::when::rfc3339;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use ts_rs::TS;

/// Whether anything would have told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Noticed {
    Yes,
    /// Later than it happened.
    Late,
    No,
    /// What a source tells is not known.
    Unknown,
}

impl Noticed {
    /// The word as it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Noticed::Yes => "yes",
            Noticed::Late => "late",
            Noticed::No => "no",
            Noticed::Unknown => "unknown",
        }
    }
}

/// What one source would tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ToldEvent {
    #[serde(serialize_with = "event_word")]
    #[ts(type = "string")]
    pub event: LifecycleEvent,
    /// The record that shows it, `source:id`.
    pub record: String,
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub earliest: DateTime<Utc>,
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub latest: DateTime<Utc>,
    /// When a read shows it, or a last day has passed.
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub noticed_at: DateTime<Utc>,
    pub changed: Vec<&'static str>,
}

/// One event, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EventOutcome {
    #[serde(serialize_with = "event_word")]
    #[ts(type = "string")]
    pub event: LifecycleEvent,
    pub identity: String,
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub at: DateTime<Utc>,
    /// The records that show it, `source:id`.
    pub shown_by: Vec<String>,
    pub noticed: Noticed,
    /// When the plan's steps begin; null where nothing begins them.
    #[serde(serialize_with = "perhaps_moment")]
    #[ts(type = "string | null")]
    pub begins_at: Option<DateTime<Utc>>,
    /// All that is told at that moment of that identity, whether it was asked for or not.
    pub told: Vec<ToldEvent>,
    /// Why it is not noticed, or not at once.
    pub why_not: Vec<String>,
    pub missing_facts: Vec<String>,
    /// The worse of whether it is noticed and of what is left.
    pub verdict: Verdict,
    /// What whoever leaves would leave behind, and where an access policy is asked whoever moves; null
    /// of other events.
    pub rehearsal: Option<Rehearsal>,
    /// Of a change of owners: who owns it before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub owners: Option<OwnersChanged>,
    /// Of a mover, where an access policy is asked: what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub policy: Option<PolicySays>,
}

/// What an access policy says of whoever has moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PolicySays {
    /// What they hold and may not hold, `system:id` each.
    pub may_not_hold: Vec<String>,
    /// Birthrights that they do not hold and that no step of the plan brings.
    pub lacks: Vec<String>,
    /// Birthrights that the plan's steps bring, and when.
    pub comes: Vec<String>,
    /// How much they hold where no policy speaks for the system.
    #[ts(type = "number")]
    pub no_policy: u64,
}

impl EventOutcome {
    /// The same with what a policy says of whoever has moved: the worse verdict counts.
    pub fn with_policy(mut self, of_role: RoleRehearsal) -> EventOutcome {
        let name = |system: &str, id: &str| format!("{system}:{id}");
        let held = of_role.extra_grants.iter();
        let lacks = of_role.missing_grants.iter();
        let comes = of_role.coming_grants.iter();
        self.policy = Some(PolicySays {
            may_not_hold: held.map(|one| name(&one.system, &one.id)).collect(),
            lacks: lacks.map(|one| name(&one.system, &one.id)).collect(),
            comes: comes
                .map(|one| format!("{} at {}", name(&one.system, &one.id), one.at.to_text()))
                .collect(),
            no_policy: of_role.no_policy,
        });
        self.verdict = worst([self.verdict, of_role.rehearsal.verdict]);
        self.rehearsal = Some(of_role.rehearsal);
        self
    }
}

impl EventsRehearsal {
    /// Of these events, in the order of their times.
    pub fn of(events: Vec<EventOutcome>) -> EventsRehearsal {
        let verdicts = events.iter().map(|one| one.verdict);
        EventsRehearsal {
            verdict: worst(verdicts),
            events,
        }
    }
}

/// The events in the order of their times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EventsRehearsal {
    pub events: Vec<EventOutcome>,
    /// The worst of all.
    pub verdict: Verdict,
}

/// Plays events one after the other in the order of their times (of equal times, in the order
/// given), and says of each what comes of it.
pub fn rehearse_events(
    mut world: SimulatedWorld<'_>,
    plan: &Plan,
    events: &[SimulatedEvent],
    settings: &RehearsalSettings,
) -> EventsRehearsal {
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.at);
    let (places, moments) = play(&mut world, &events);
    let mut now = Cow::Borrowed(world.graph);
    let outcomes: Vec<EventOutcome> = events
        .iter()
        .zip(places)
        .map(|(event, place)| {
            if let Some(hands) = &event.handed_on {
                let next = handed_on::after(&now, event);
                let after = next.as_ref().unwrap_or(&now);
                let answer = changed_owners(event, handed_on::change(event, hands, &now, after));
                if let Some(next) = next {
                    now = Cow::Owned(next);
                }
                return answer;
            }
            let before = &now;
            let all = All {
                graph: before,
                world: &world,
                plan,
                settings,
                moments: moments.get(place..).unwrap_or(&[]),
                so_far: moments.get(..=place).unwrap_or(&[]),
            };
            all.outcome(event)
        })
        .collect();
    EventsRehearsal::of(outcomes)
}

/// What comes of a change of owners.
fn changed_owners(event: &SimulatedEvent, change: Change) -> EventOutcome {
    let told = ToldEvent {
        event: event.event,
        record: change.owners.object.clone(),
        earliest: event.at,
        latest: event.at,
        noticed_at: event.at,
        changed: vec!["owner"],
    };
    let is_told = change.noticed == Noticed::Yes;
    EventOutcome {
        event: event.event,
        identity: event.identity.to_string(),
        at: event.at,
        shown_by: Vec::new(),
        noticed: change.noticed,
        begins_at: is_told.then_some(event.at),
        told: is_told.then_some(told).into_iter().collect(),
        why_not: change.why_not,
        missing_facts: change.missing_facts,
        verdict: of_notice(change.noticed),
        rehearsal: None,
        owners: Some(change.owners),
        policy: None,
    }
}

fn of_notice(noticed: Noticed) -> Verdict {
    match noticed {
        Noticed::Yes | Noticed::Late => Verdict::Pass,
        Noticed::No => Verdict::Fail,
        Noticed::Unknown => Verdict::Indeterminate,
    }
}

/// One event's moment with what comes after it.
struct All<'a> {
    /// Who owns what by then.
    graph: &'a Graph,
    world: &'a SimulatedWorld<'a>,
    plan: &'a Plan,
    settings: &'a RehearsalSettings,
    moments: &'a [Moment],
    /// The event's moment with what came before it.
    so_far: &'a [Moment],
}

impl All<'_> {
    fn outcome(&self, event: &SimulatedEvent) -> EventOutcome {
        let here: Vec<&Trigger> = self.of_person(event, 1);
        let trigger = self.trigger(event);
        let mut missing_facts: Vec<String> = event
            .records
            .iter()
            .filter_map(|record| self.world.unknown_of(&record.source))
            .collect();
        missing_facts.dedup();
        let noticed = match trigger {
            _ if !missing_facts.is_empty() => Noticed::Unknown,
            Some(trigger) if trigger.fires_at() > event.at => Noticed::Late,
            Some(_) => Noticed::Yes,
            None => Noticed::No,
        };
        let why_not = match noticed {
            Noticed::Yes | Noticed::Unknown => Vec::new(),
            Noticed::Late | Noticed::No => self
                .moments
                .first()
                .map(|moment| why_not(self.world, event, moment, trigger))
                .unwrap_or_default(),
        };
        let rehearsal = is_ending(event.event).then(|| self.leaves(event, noticed));
        // What is shown with it may tell of a leaving as well, and that begins the steps for leavers.
        let ends_too = here.iter().find(|one| is_ending(one.found.event));
        let ends_too = ends_too.filter(|_| is_coming(event.event));
        let mut why_not = why_not;
        let mut verdicts = vec![of_notice(noticed)];
        if let Some(ends) = ends_too {
            verdicts.push(Verdict::Fail);
            why_not.push(format!(
                "what `{}` shows is told as {} too, dated {}: the steps for that would begin",
                ends.record,
                ends.found.event.word(),
                rfc3339(ends.found.latest)
            ));
        }
        verdicts.extend(rehearsal.as_ref().map(|rehearsal| rehearsal.verdict));
        let mut told = here;
        if let Some(trigger) = trigger
            && !told.iter().any(|one| std::ptr::eq(*one, trigger))
        {
            told.push(trigger);
        }
        EventOutcome {
            event: event.event,
            identity: event.identity.to_string(),
            at: event.at,
            shown_by: event.records.iter().map(RecordOf::to_string).collect(),
            noticed,
            begins_at: trigger.map(Trigger::fires_at),
            told: told.into_iter().map(told_event).collect(),
            why_not,
            missing_facts,
            verdict: worst(verdicts),
            rehearsal,
            owners: None,
            policy: None,
        }
    }

    /// What is told of the event's identity within so many moments from its own on, until it is back.
    fn of_person(&self, event: &SimulatedEvent, moments: usize) -> Vec<&Trigger> {
        let mut told: Vec<&Trigger> = Vec::new();
        for (number, moment) in self.moments.iter().take(moments).enumerate() {
            let of_person = moment
                .triggers
                .iter()
                .filter(|t| t.person == event.identity);
            for trigger in of_person {
                let back = number > 0 && is_coming(trigger.found.event);
                if back && is_ending(event.event) {
                    return told;
                }
                told.push(trigger);
            }
        }
        told
    }

    /// What tells of the event itself.
    fn trigger(&self, event: &SimulatedEvent) -> Option<&Trigger> {
        // Whoever has left stays gone, and may be noticed later; of the rest only a read at that
        // moment tells.
        let moments = match is_ending(event.event) {
            true => usize::MAX,
            false => 1,
        };
        let told = self.of_person(event, moments).into_iter();
        let wanted = told.filter(|one| match is_ending(event.event) {
            true => is_ending(one.found.event),
            false => one.found.event == event.event,
        });
        wanted.min_by_key(|one| one.fires_at())
    }

    /// What whoever leaves would leave behind, by the steps that something begins.
    fn leaves(&self, event: &SimulatedEvent, noticed: Noticed) -> Rehearsal {
        let graph = self.graph;
        let identity = graph.identity(&event.identity);
        let mut kinds = Kinds::of(graph, identity);
        let mut records = self.world.records(&event.identity).peekable();
        if records.peek().is_some() {
            kinds.leaver_kind = records.find_map(|(_, record)| record.leaver_kind);
        }
        let mut steps: Vec<DueStep> = Vec::new();
        // A leaving begins the plan once: what tells of it again tells of the same one.
        let of_leaving = self.trigger(event).into_iter();
        let of_more = self.of_person(event, usize::MAX).into_iter();
        let of_more = of_more.filter(|trigger| !is_ending(trigger.found.event));
        for trigger in of_leaving.chain(of_more) {
            let of = match is_ending(trigger.found.event) {
                true => kinds,
                false => Kinds {
                    event: trigger.found.event,
                    ..kinds
                },
            };
            let begun = of.steps(graph, self.plan, trigger.fires_at());
            // Of whoever stays by another record only what the policy forbids is taken, and no
            // policy is asked here.
            let counts =
                |step: &&DueStep| is_ending(of.event) || step.does != StepAction::RemoveGrants;
            steps.extend(begun.iter().filter(counts));
        }
        if noticed == Noticed::Unknown && steps.is_empty() {
            steps.extend(kinds.steps(graph, self.plan, event.at).iter());
        }
        let mut stage = Stage::new(graph, self.plan, event.at, self.settings);
        let leaver = Leaver::Identity(event.identity.clone());
        let mut rehearsal = stage.rehearse_with(&leaver, kinds, steps.into());
        let mut unknown: Vec<String> = Vec::new();
        if noticed == Noticed::Unknown {
            let of_records = event.records.iter();
            unknown.extend(of_records.filter_map(|record| self.world.unknown_of(&record.source)));
        }
        if kinds.event == LifecycleEvent::VendorExit && self.employers_changed(&event.identity) {
            unknown.push(format!(
                "who works for `{}` is taken as it was read, and an event before changes an employer",
                event.identity
            ));
        }
        if !unknown.is_empty() {
            rehearsal.missing_facts.extend(unknown);
            rehearsal.missing_facts.sort();
            rehearsal.missing_facts.dedup();
            rehearsal.verdict = limits::verdict(&rehearsal.residual, &rehearsal.missing_facts);
        }
        rehearsal
    }
}

impl All<'_> {
    /// Whether by an event up to this one somebody else may work for another employer than was read.
    fn employers_changed(&self, vendor: &IdentityId) -> bool {
        let mut touched = self.so_far.iter().flat_map(|moment| &moment.touched);
        touched.any(|one| {
            let others = one.others.iter().map(|(_, other)| other);
            let mut of_person = others.chain(&one.before).chain(&one.after);
            one.person != *vendor
                && of_person.any(|record| record.employer_id.is_some())
                && match (&one.before, &one.after) {
                    (Some(before), Some(after)) => {
                        let stands =
                            |record: &Identity| (record.status, record.start_date, record.end_date);
                        // Of several records those decide that hold.
                        before.employer_id != after.employer_id
                            || (!one.others.is_empty() && stands(before) != stands(after))
                    }
                    (None, Some(after)) => after.employer_id.is_some() || !one.others.is_empty(),
                    // Whoever worked for somebody by the only record is still counted with them.
                    (Some(_), None) => !one.others.is_empty(),
                    (None, None) => false,
                }
        })
    }
}

fn is_coming(event: LifecycleEvent) -> bool {
    matches!(event, LifecycleEvent::Joiner | LifecycleEvent::Rehire)
}

fn told_event(trigger: &Trigger) -> ToldEvent {
    ToldEvent {
        event: trigger.found.event,
        record: trigger.record.to_string(),
        earliest: trigger.found.earliest,
        latest: trigger.found.latest,
        noticed_at: trigger.noticed,
        changed: trigger.found.changed.clone(),
    }
}

/// A fail outranks what is not known, and that a pass.
fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Pass => 0,
        Verdict::Indeterminate => 1,
        Verdict::Fail => 2,
    };
    verdicts
        .into_iter()
        .max_by_key(rank)
        .unwrap_or(Verdict::Pass)
}

fn moment<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

fn perhaps_moment<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    at.map(rfc3339).serialize(serializer)
}

fn event_word<S: Serializer>(event: &LifecycleEvent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(event.word())
}
