//! What would this event leave behind? Events, offboarding plan, simulated world, residual access over time.
//!
//! `semantics.md` (docs/semantics.md) is the reference, to the letter. Pure: a rehearsal
//! receives a snapshot value, a plan and a moment, and gives back a value; the same
//! inputs give the same bytes. Nothing outside is touched or reachable.

mod outcome;
mod plan;

pub use outcome::{
    Basis, Break, Breaks, Closing, ItemKind, Link, Rehearsal, ResidualItem, Severity, Verdict,
};
pub use plan::{How, Limit, Plan, PlanError, Step, StepAction, SystemTraits};
