//! What would a leaver leave behind? The slow, obvious answer, to hold the engine against.
//!
//! Written from docs/semantics.md (sections Access and A leaver), and where that leaves a
//! choice from docs/decisions/0002-semantics-readings.md, not from the engine's code:
//! names are text, every question is a scan over rows, every fixed point is iterated
//! until nothing changes, and closing times are found by trying every moment at which
//! anything closes. It shares the engine's value types and none of its reasoning.
//!
//! A `Reading` other than `Reading::ToTheLetter` is wrong on purpose: it proves that the
//! comparison notices such a mistake.

mod closing;
mod compare;
mod ends;
mod examples;
mod forgotten;
mod paths;
mod radius;
mod reach;
mod residual;
mod story;
mod verdict;
mod world;

pub use compare::{difference, radius_difference};
pub use paths::Item;
pub use radius::{From, blast_radius};
pub use residual::{Answer, rehearse};
pub use story::{Happens, Listed, Story, begun};
pub use world::{Begun, Reading, World};
