//! What would this event leave behind? Events, offboarding plan, simulated world, residual access over time.
//!
//! `semantics.md` (docs/semantics.md) is the reference, to the letter. Pure: a rehearsal
//! receives a snapshot value, a plan and a moment, and gives back a value; the same
//! inputs give the same bytes. Nothing outside is touched or reachable.

mod allowed;
pub mod assertions;
mod assumed;
mod breaks;
mod closing;
mod curve;
mod departure;
pub mod events;
mod everyone;
#[cfg(test)]
mod examples;
mod explain;
mod limits;
mod missing;
mod outcome;
mod plan;
pub(crate) mod plan_text;
mod reached_by_plan;
mod rehearse;
mod role;
pub mod saved;
pub mod simulated;
mod values;

pub(crate) use closing::that_revoke;
pub use curve::decay_curve;
pub use departure::Leaver;
pub(crate) use departure::{Kinds, counts};
pub use everyone::{
    Again, Departed, Everyone, Keeping, Kept, Left, Ranks, StepTried, WorstSecret, WorstSystem,
    everyone, everyone_again, try_steps,
};
pub(crate) use explain::duration_words;
pub use limits::is_late;
pub(crate) use limits::{Afterwards, limit};
pub(crate) use missing::readers_unread;
pub use missing::{WeakRead, Weakness, holding_unread, shows_system, unread_beside, weak_reads};
pub use outcome::{
    Basis, Break, Breaks, Closing, ItemKind, Link, Rehearsal, ResidualItem, Severity, Verdict,
};
pub use plan::{How, Limit, Plan, PlanError, Step, StepAction, SystemTraits};
pub use reached_by_plan::{Cell, Reached, Thing, reached_by_plan};
pub use rehearse::{RehearsalSettings, rehearse_all, rehearse_leaver};
pub use role::{
    ComingGrant, Judge, RoleChange, RoleRehearsal, held_like, rehearse_lost, rehearse_role,
};
