//! What did past leavers really keep, and for how long? Measured from dated reads, beside what the
//! provisioning process claimed.
//!
//! `docs/semantics.md`, "Measured revocation", is the reference; where it leaves a choice,
//! `docs/decisions/measured-revocation.md` says which one was made. Pure: facts, reads, plan and
//! moment are handed in. Promises: both ends of every time; a read that did not come to its end
//! proves nothing gone; what was not read is indeterminate and says what would decide it.

mod claims;
mod columns;
mod gaps;
mod held;
mod in_words;
mod lanes;
#[cfg(test)]
mod leaving_tests;
mod measure;
mod moved;
mod probed;
mod reads;
mod shares;
mod steps;
#[cfg(test)]
mod steps_tests;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod tried_tests;
mod why;
mod words;

pub use claims::{Claim, Claimed};
pub use columns::{ITEM_COLUMNS, item_cells};
pub use gaps::Gap;
pub use held::{Held, HeldKind, Left, Names};
pub use lanes::{Lanes, LeaverTimeline, SeenAt, timeline};
pub use measure::{Decides, Measured, MeasuredLeaver, State, measure};
pub use moved::AfterMove;
pub use probed::Probed;
pub use reads::{ClosedBy, Read, Reopened, Says, Told, Unread, Version, Whose};
pub use shares::{Counting, Share, Shares, TimeBand, Times, wilson};
pub use steps::{StepCounting, StepMeasured, as_measured};
pub use words::{at_least, at_most};
