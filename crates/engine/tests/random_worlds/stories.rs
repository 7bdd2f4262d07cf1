//! Random stories of one person's records, and the same as the engine takes them.

use super::dice::Dice;
use crate::leaver_reference::{Happens, Listed, Story, World};
use chrono::TimeDelta;
use lastkey_contract::facts::{Identity, IdentityStatus, LifecycleEvent};
use lastkey_contract::{IdentityId, SourceName, When};
use lastkey_engine::lifecycle::events::{Having, Outline};
use lastkey_engine::lifecycle::simulated::{
    NewValue, PersonRecords, RecordOf, Register, Registers, Shown, SimulatedEvent, Tells,
    TextColumn,
};

/// The story with this number: the leaving on day 0, and up to five more things around it.
pub fn story(seed: u64, number: u64) -> Story {
    let mut dice = Dice::new(seed ^ 0x7374_6f72, number);
    let count = dice.between(1, 3);
    let records: Vec<Listed> = (0..count)
        .map(|_| Listed {
            of_truth: dice.chance(80),
            active: Some(dice.chance(85)),
            end: dice.chance(40).then(|| dice.between(0, 9) as i64 - 1),
        })
        .collect();
    let leaves = [
        Happens::TurnsInactive,
        Happens::TurnsInactive,
        Happens::Goes,
        Happens::GetsAnEnd,
        Happens::Nothing,
    ];
    let mut days = vec![(0, dice.between(0, count - 1), dice.pick(&leaves))];
    for _ in 0..dice.between(0, 5) {
        let day = dice.between(0, 12) as i64 - 3;
        let later = [
            Happens::TurnsInactive,
            Happens::Goes,
            Happens::ChangesDepartment,
            Happens::ChangesDepartment,
            Happens::TurnsActive,
        ];
        let mut what = dice.pick(&later);
        if day < 0 && dice.chance(40) {
            what = Happens::IsExtended(dice.between(0, 9) as i64);
        }
        if !days.iter().any(|(taken, _, _)| *taken == day) {
            days.push((day, dice.between(0, count - 1), what));
        }
    }
    days.sort_by_key(|(day, _, _)| *day);
    Story { records, days }
}

fn record_of(number: usize) -> RecordOf {
    RecordOf {
        source: SourceName::new(format!("s{number}")),
        id: "p".to_owned(),
    }
}

fn on(world: &World, day: i64) -> chrono::DateTime<chrono::Utc> {
    world.at + TimeDelta::days(day)
}

/// What the sources of a story list of the world's leaver.
pub fn registers(world: &World, identity: &Identity, story: &Story) -> Registers {
    let mut registers = Registers::default();
    let mut records = Vec::new();
    for (number, listed) in story.records.iter().enumerate() {
        let mut fact = identity.clone();
        fact.id = IdentityId::new("p");
        fact.status = Some(match listed.active {
            Some(true) => IdentityStatus::Active,
            Some(false) | None => IdentityStatus::Inactive,
        });
        fact.start_date = None;
        fact.end_date = listed.end.map(|day| When::At(on(world, day)));
        fact.department = Some("before".to_owned());
        let mut having = Having::default();
        // Two more have a department, too.
        for _ in 0..3 {
            having.add(&Outline::of(&fact));
        }
        let register = Register {
            tells: match listed.of_truth {
                true => Tells::WhoExists,
                false => Tells::OfNobody,
            },
            having: Some(having),
            gaps: Vec::new(),
        };
        registers.sources.insert(record_of(number).source, register);
        records.push((record_of(number), fact));
    }
    let id = world.leaver.clone();
    let person = PersonRecords {
        id,
        records,
        once: Vec::new(),
    };
    registers.persons.insert(world.leaver.clone(), person);
    registers
}

/// The events of a story.
pub fn events(world: &World, story: &Story) -> Vec<SimulatedEvent> {
    let event = |(day, which, what): &(i64, usize, Happens)| {
        let (event, shown, set) = match what {
            Happens::TurnsInactive => (LifecycleEvent::Leaver, Shown::Status, None),
            Happens::Goes => (LifecycleEvent::Leaver, Shown::Gone, None),
            Happens::GetsAnEnd => (LifecycleEvent::Leaver, Shown::EndDate, None),
            Happens::Nothing => (LifecycleEvent::Leaver, Shown::Nothing, None),
            Happens::ChangesDepartment => {
                let text = Some(format!("on day {day}"));
                let value = NewValue::Text(TextColumn::Department, text);
                (LifecycleEvent::Mover, Shown::Status, Some(value))
            }
            Happens::IsExtended(end) => {
                let value = NewValue::EndDate(Some(When::At(on(world, *end))));
                (LifecycleEvent::Extension, Shown::Status, Some(value))
            }
            Happens::TurnsActive => (LifecycleEvent::Rehire, Shown::Status, None),
        };
        SimulatedEvent {
            at: on(world, *day),
            identity: world.leaver.clone(),
            event,
            records: vec![record_of(*which)],
            shown,
            set: set.into_iter().collect(),
            handed_on: None,
        }
    };
    story.days.iter().map(event).collect()
}
