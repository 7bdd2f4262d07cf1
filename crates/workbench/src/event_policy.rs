//! What the access policy says of whoever has moved in a composed world.

use crate::bench::Workbench;
use crate::event_text::EventWords;
use crate::failure::Failure;
use crate::roles::RoleRequest;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::LifecycleEvent;
use lastkey_engine::lifecycle::simulated::{
    EventOutcome, EventsRehearsal, Noticed, Registers, Shown, SimulatedEvent,
};
use lastkey_engine::lifecycle::{Plan, RoleChange, Verdict};
use lastkey_engine::policy::AccessPolicy;
use lastkey_engine::store::PolicyStanding;

/// Whether an event brings somebody who was not there.
pub(crate) fn brings(event: LifecycleEvent) -> bool {
    matches!(event, LifecycleEvent::Joiner | LifecycleEvent::Rehire)
}

/// One event in the order of the answers: how its identity is afterwards.
pub(crate) struct Asked {
    event: LifecycleEvent,
    identity: String,
    at: DateTime<Utc>,
    /// Columns that this event and those before it have changed.
    set: Vec<(String, String)>,
    is_listed: bool,
    /// Several sources tell of the person: which of them decides is not reckoned.
    is_told_by_several: bool,
}

impl Asked {
    /// All of them, in the order of their times.
    pub(crate) fn of(
        words: &[EventWords],
        events: &[SimulatedEvent],
        registers: &Registers,
    ) -> Vec<Asked> {
        let mut all: Vec<(&EventWords, &SimulatedEvent)> = words.iter().zip(events).collect();
        all.sort_by_key(|(_, event)| event.at);
        let mut asked: Vec<Asked> = Vec::with_capacity(all.len());
        for (words, event) in all {
            let identity = event.identity.to_string();
            let before = asked.iter().rev().find(|one| one.identity == identity);
            let mut set = before.map_or_else(Vec::new, |one| one.set.clone());
            if let (Some(status), Shown::Status) = (status(event.event), event.shown) {
                set.push(("status".to_owned(), status.to_owned()));
            }
            set.extend(words.set.iter().cloned());
            let person = registers.persons.get(&event.identity);
            asked.push(Asked {
                event: event.event,
                identity,
                at: event.at,
                set,
                is_listed: person.is_some_and(|person| !person.records.is_empty()),
                is_told_by_several: person.is_some_and(|person| person.records.len() > 1),
            });
        }
        asked
    }
}

/// The status that an event gives.
fn status(event: LifecycleEvent) -> Option<&'static str> {
    match event {
        LifecycleEvent::Leaver
        | LifecycleEvent::VendorExit
        | LifecycleEvent::WorkloadRetired
        | LifecycleEvent::AgentRetired => Some("inactive"),
        LifecycleEvent::Joiner | LifecycleEvent::Rehire | LifecycleEvent::LeaveEnd => {
            Some("active")
        }
        LifecycleEvent::LeaveStart => Some("on_leave"),
        LifecycleEvent::Mover
        | LifecycleEvent::OwnerChange
        | LifecycleEvent::Extension
        | LifecycleEvent::Renamed => None,
    }
}

fn at_best_indeterminate(mut outcome: EventOutcome) -> EventOutcome {
    if outcome.verdict == Verdict::Pass {
        outcome.verdict = Verdict::Indeterminate;
    }
    outcome
}

/// Movers of whom no policy is asked.
fn unasked(played: EventsRehearsal) -> EventsRehearsal {
    let of_each = played.events.into_iter().map(|mut outcome| {
        if outcome.event != LifecycleEvent::Mover {
            return outcome;
        }
        outcome
            .missing_facts
            .push("no access policy is loaded: what they may still hold is not asked".to_owned());
        at_best_indeterminate(outcome)
    });
    EventsRehearsal::of(of_each.collect())
}

impl Workbench {
    /// The answers with what the active policy says of each mover; where none is loaded, that is said.
    pub(crate) async fn with_policy(
        &self,
        played: EventsRehearsal,
        asked: Vec<Asked>,
        plan: Plan,
    ) -> Result<EventsRehearsal, Failure> {
        let moves = asked.iter().any(|one| one.event == LifecycleEvent::Mover);
        let active = match moves {
            true => self.store.policy(PolicyStanding::Active).await?,
            false => None,
        };
        let Some(active) = active else {
            return Ok(match moves {
                true => unasked(played),
                false => played,
            });
        };
        let policy = AccessPolicy::parse(&active.text)?;
        let mut outcomes: Vec<EventOutcome> = Vec::with_capacity(asked.len());
        for (mut outcome, one) in played.events.into_iter().zip(asked) {
            if one.event != LifecycleEvent::Mover {
                outcomes.push(outcome);
                continue;
            }
            if !one.is_listed {
                outcome.missing_facts.push(format!(
                    "no source lists `{}` now: what they may hold is not asked",
                    one.identity
                ));
                outcomes.push(at_best_indeterminate(outcome));
                continue;
            }
            if one.is_told_by_several {
                outcome.missing_facts.push(format!(
                    "several sources tell of `{}`: the policy is asked as if what changes here decided",
                    one.identity
                ));
                outcome = at_best_indeterminate(outcome);
            }
            let set = one.set.into_iter().filter_map(|(name, value)| {
                let name = name.strip_prefix("attributes.").unwrap_or(&name).to_owned();
                policy.knows_of_identities(&name).then_some((name, value))
            });
            let request = RoleRequest {
                identity: one.identity,
                change: RoleChange::Mover,
                like: None,
                set: set.collect(),
                at: Some(one.at),
                standing: PolicyStanding::Active,
            };
            // Where nobody notices, no step begins.
            let mut by = plan.clone();
            if outcome.noticed == Noticed::No {
                by.steps.clear();
            }
            let of_role = self.rehearse_role_by(request, &active.text, by).await?;
            outcomes.push(outcome.with_policy(of_role));
        }
        Ok(EventsRehearsal::of(outcomes))
    }
}
