//! Who should hold what? The access policy, written in Cedar.
//!
//! A policy text is checked whole against our schema and either stands or is refused with line and
//! column. Of each identity and entitlement it says whether holding is permitted, should be
//! (`@birthright`), is not permitted, or that no policy speaks for the system; the ids of the
//! policies that decided are the reason. Attributes that nobody knows are absent, never made up,
//! and an answer that their absence brought about says so. Pure: nothing is read, kept or changed.

mod asked;
mod compare;
#[cfg(test)]
mod compare_tests;
mod crowd;
mod decide;
mod holdings;
mod matrix;
mod needs;
mod review;
mod rules;
mod suggest;
#[cfg(test)]
mod suggest_tests;
mod suggest_text;
#[cfg(test)]
mod tests;
mod text;
mod workbook;

pub use asked::{Holder, Holding, as_named};
pub use compare::{Change, ChangeCount, ChangeLine, Differences, compare};
pub use crowd::Crowd;
pub use decide::{Decider, Decision, Entitlements, Held, HolderClass, HoldingClass};
pub use matrix::{matrix_of_policy, policy_of_matrix};
pub use review::{Catalogue, HeldLine, MissingGrant, PolicyWord, Review, review};
pub use rules::{AccessPolicy, Effect, Rule};
pub use suggest::{Colleagues, Exception, NotCounted, Suggested, Suggestion, Wanted, suggest};
pub use suggest_text::policy_of_suggestions;
pub use text::PolicyError;
pub use workbook::{NoWorkbook, policy_of_workbook, workbook_of_policy};

/// What a policy may ask about, in Cedar's own language for it.
pub const SCHEMA: &str = include_str!("schema.cedarschema");
