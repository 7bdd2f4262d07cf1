//! What does a screen need? Windows of rows, details, progress: the types that cross to the window.
//!
//! Plain values with serde names; ts-rs writes their TypeScript twins into `ui/src/wire`.
//! Times are RFC 3339 text with Z (a bare date of a source: `from/until`).

mod events;
mod identity;
mod lists;
mod names;
mod rehearsed;
mod types;

pub use events::events;
pub use identity::{IdentityLookup, identity};
pub(crate) use lists::complete_since;
pub use lists::{StatusSetting, check_view, freshness, identities, journal, sources, status};
pub use names::Names;
pub use rehearsed::{rehearsed_window, summarise, summary_json};
pub use types::*;
