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

pub use features::features;
pub use print::print;
pub use shares::FEATURES;
pub use shrink::shrink;

use crate::leaver_reference::World;
use dice::Dice;

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
        at: facts::event_time(),
    }
}
