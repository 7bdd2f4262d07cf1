//! Small random worlds, the same for the same seed: facts, plan, leaver.
//!
//! Small, so that every strange constellation turns up often: few systems, few ids that
//! are used again and again across systems and kinds, times close to the event. A world
//! that shows a disagreement is shrunk row by row and printed as flat files and plan.

mod dice;
mod facts;
mod features;
mod plans;
mod print;
mod reads;
mod secrets;
mod shares;
mod shrink;
pub mod stories;

pub use features::features;
pub use print::print;
pub use shares::FEATURES;
pub use shrink::{candidates, shrink};

use crate::leaver_reference::World;
use dice::Dice;
use lastkey_contract::facts::LifecycleEvent;
use std::collections::BTreeSet;

/// The same world, in which the leaver moves and may hold some things no more.
pub fn moving(seed: u64, number: u64) -> World {
    let mut world = world(seed, number);
    let mut dice = Dice::new(seed ^ 0x6d6f_7665, number);
    for step in &mut world.plan.steps {
        if step.on == LifecycleEvent::Leaver && dice.chance(85) {
            step.on = LifecycleEvent::Mover;
        }
    }
    for limit in &mut world.plan.limits {
        if limit.on == LifecycleEvent::Leaver && dice.chance(85) {
            limit.on = LifecycleEvent::Mover;
        }
    }
    let grants = world.snapshot.grants.iter();
    let held: BTreeSet<_> = grants
        .map(|grant| (grant.system.to_string(), grant.entitlement_id.to_string()))
        .collect();
    world.lost = Some(held.into_iter().filter(|_| dice.chance(50)).collect());
    world
}

/// The world with this number in the series of this seed.
pub fn world(seed: u64, number: u64) -> World {
    let mut dice = Dice::new(seed, number);
    // every sixth is larger, for longer chains
    let size = if number % 6 == 5 { 2 } else { 1 };
    let (snapshot, leaver) = facts::snapshot(&mut dice, size);
    let plan = plans::plan(&mut dice);
    World {
        snapshot,
        plan,
        leaver,
        lost: None,
        begun: None,
        at: facts::event_time(),
    }
}
