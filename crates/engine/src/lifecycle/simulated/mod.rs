//! The simulated world: events played one after the other on what was read, as values.
//!
//! A world lends what was read and lays changes over it; nothing is written to what it lends, and
//! nothing outside is touched. Of each event it says whether a source of truth would have told of
//! it, when, and why not, and of whoever leaves what would still work then. How the text of
//! docs/semantics.md is read here: docs/decisions/simulated-events.md.

mod handed_on;
mod happens;
mod played;
mod registers;
#[cfg(test)]
mod tests;
mod told;
mod why_not;

pub use handed_on::{HandedOn, OwnersChanged};
pub use happens::{NewValue, Shown, SimulatedEvent, TextColumn, day_in};
pub use played::{EventOutcome, EventsRehearsal, Noticed, PolicySays, ToldEvent, rehearse_events};
pub use registers::{PersonRecords, RecordOf, Register, Registers, SimulatedWorld, Tells};
