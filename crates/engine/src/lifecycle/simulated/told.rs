//! What complete reads would tell of the events, moment by moment.
//!
//! Of each moment the sources are taken to be read completely just before and at it. What is told is
//! what lifecycle events always are (`lifecycle::events`): the same comparison, of simulated records.

use super::happens::SimulatedEvent;
use super::registers::{RecordOf, SimulatedWorld, Tells};
use crate::lifecycle::events::{
    Compared, FoundEvent, Having, Outline, Step, Told, events_between, not_marked,
};
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::{Identity, LifecycleEvent};
use std::collections::{BTreeMap, BTreeSet};

/// Something that a source would tell.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub person: IdentityId,
    pub record: RecordOf,
    pub found: FoundEvent,
    /// When a read shows it, or when a last day has passed.
    pub noticed: DateTime<Utc>,
}

impl Trigger {
    /// When the process begins: once it is noticed, and not before the date that the source gives.
    pub fn fires_at(&self) -> DateTime<Utc> {
        self.noticed.max(self.found.latest)
    }
}

/// A record that events of a moment are shown by, before and after.
#[derive(Clone, Debug)]
pub(super) struct Touched {
    pub person: IdentityId,
    pub record: RecordOf,
    pub before: Option<Identity>,
    pub after: Option<Identity>,
    /// What the records of other sources of truth said when this one stepped.
    pub others: Vec<(RecordOf, Identity)>,
    pub told: Told,
}

/// What happens at one moment, and what is told of it and of the time until the next.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub at: DateTime<Utc>,
    pub touched: Vec<Touched>,
    pub triggers: Vec<Trigger>,
}

/// Plays events, which are in the order of their times, into the world; of each the place of its
/// moment, and the moments.
pub(super) fn play(
    world: &mut SimulatedWorld<'_>,
    events: &[SimulatedEvent],
) -> (Vec<usize>, Vec<Moment>) {
    let (mut places, mut moments) = (Vec::new(), Vec::new());
    let persons: BTreeSet<&IdentityId> = events.iter().map(|event| &event.identity).collect();
    let mut rest = events;
    while let Some(first) = rest.first() {
        let count = rest.partition_point(|event| event.at <= first.at);
        let (now, later) = rest.split_at(count.max(1));
        let until = later.first().map(|next| next.at);
        places.extend(now.iter().map(|_| moments.len()));
        moments.push(moment(world, now, first.at, until, &persons));
        rest = later;
    }
    (places, moments)
}

fn moment(
    world: &mut SimulatedWorld<'_>,
    now: &[SimulatedEvent],
    at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    persons: &BTreeSet<&IdentityId>,
) -> Moment {
    let passed_before = last_days(world, persons, |end| end < at);
    let mut afterwards: BTreeMap<(IdentityId, RecordOf), Option<Identity>> = BTreeMap::new();
    for event in now {
        for record in &event.records {
            let key = (event.identity.clone(), record.clone());
            let here = match afterwards.get(&key) {
                Some(changed) => changed.clone(),
                None => world.record(&event.identity, record).cloned(),
            };
            // Whoever comes back is listed as they were last.
            let here = here.or_else(|| match event.event {
                LifecycleEvent::Joiner | LifecycleEvent::Rehire => {
                    let last = world.as_it_was_last(&event.identity, record)?;
                    Some(event.back(last))
                }
                _ => None,
            });
            afterwards.insert(key, here.and_then(|here| event.shown_by(&here)));
        }
    }
    let mut steps: Vec<(Step, IdentityId, RecordOf, Option<Identity>)> = afterwards
        .into_iter()
        .map(|((person, record), after)| {
            let step = Step::of(world.record(&person, &record), after.as_ref());
            (step, person, record, after)
        })
        .collect();
    steps.sort_by(|a, b| (a.0, &a.2).cmp(&(b.0, &b.2)));
    let (mut touched, mut triggers) = (Vec::new(), Vec::new());
    for (_, person, record, after) in steps {
        let one = step(world, person, record, after);
        if world.tells(&one.record.source) == Tells::WhoExists {
            triggers.extend(found(world, &one, at));
        }
        world.change(&one.person, &one.record, one.after.clone());
        touched.push(one);
    }
    let mut passing = last_days(world, persons, |end| until.is_none_or(|next| end < next));
    passing.retain(|one| !passed_before.iter().any(|before| before.found == one.found));
    for trigger in &mut passing {
        trigger.noticed = trigger.noticed.max(at);
    }
    triggers.extend(passing);
    Moment {
        at,
        touched,
        triggers,
    }
}

/// A record about to be changed, with what is compared.
fn step(
    world: &SimulatedWorld<'_>,
    person: IdentityId,
    record: RecordOf,
    after: Option<Identity>,
) -> Touched {
    let before = world.record(&person, &record).cloned();
    let told = match world.having(&record.source) {
        Some(having) => Told::of(&having, &changed(having, before.as_ref(), after.as_ref())),
        None => Told::everything(),
    };
    Touched {
        others: others(world, &person, &record),
        person,
        record,
        before,
        after,
        told,
    }
}

fn changed(mut having: Having, before: Option<&Identity>, after: Option<&Identity>) -> Having {
    before.iter().for_each(|i| having.take(&Outline::of(i)));
    after.iter().for_each(|i| having.add(&Outline::of(i)));
    having
}

/// The person's records of other sources of truth.
fn others(
    world: &SimulatedWorld<'_>,
    person: &IdentityId,
    record: &RecordOf,
) -> Vec<(RecordOf, Identity)> {
    let others = world
        .records(person)
        .filter(|(of, _)| *of != record && world.tells(&of.source) == Tells::WhoExists);
    others.map(|(of, one)| (of.clone(), one.clone())).collect()
}

fn found(
    world: &SimulatedWorld<'_>,
    one: &Touched,
    at: DateTime<Utc>,
) -> impl Iterator<Item = Trigger> {
    let others: Vec<&Identity> = one.others.iter().map(|(_, other)| other).collect();
    let found = events_between(&Compared {
        before: one.before.as_ref(),
        after: one.after.as_ref(),
        earlier: world.earlier(&one.record),
        others: &others,
        told: one.told,
        read_before: at,
        read_after: at,
    });
    let (person, record) = (one.person.clone(), one.record.clone());
    found.into_iter().map(move |found| Trigger {
        person: person.clone(),
        record: record.clone(),
        found,
        noticed: at,
    })
}

/// The last days of who is listed as there, if they end at a time that is wanted.
fn last_days(
    world: &SimulatedWorld<'_>,
    persons: &BTreeSet<&IdentityId>,
    wanted: impl Fn(DateTime<Utc>) -> bool,
) -> Vec<Trigger> {
    let mut passing = Vec::new();
    for person in persons {
        for (of, record) in world.records(person) {
            if world.tells(&of.source) != Tells::WhoExists {
                continue;
            }
            let others = others(world, person, of);
            let others: Vec<&Identity> = others.iter().map(|(_, other)| other).collect();
            let Some(found) = not_marked(record, &others) else {
                continue;
            };
            if wanted(found.latest) {
                passing.push(Trigger {
                    person: (*person).clone(),
                    record: of.clone(),
                    noticed: found.latest,
                    found,
                });
            }
        }
    }
    passing
}
