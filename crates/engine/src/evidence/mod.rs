//! How is it proved to someone else? The content of an audit package, from the engine's values.
//!
//! Format, signature and verifier are `lastkey_verify`. Everything is streamed and nothing is
//! cut: a table has every row that it was given, or there is no package. Secret values cannot
//! get in, for no input type holds one; fingerprints leave as pseudonyms of this package, and
//! attributes that the product does not know stay at home. Cells are safe to open in a
//! spreadsheet (`cells`). Nothing here reads the store or the clock.

mod cells;
mod content;
mod decided;
mod leavers;
mod linked;
mod package;
mod rehearsed;
mod spool;
mod tables;
mod tried;

pub use content::{
    CompletenessRow, ConfirmedOwner, DecidedOn, DecisionLine, EvidenceError, LinkedAccountRow,
    PackageContent, PlanText, PopulationRow, PopulationTable, Rehearsed, Rows, TriedLine,
};
pub use package::write_package;

#[cfg(test)]
mod tests;
