//! Who can reach what, and by which path? Compact in-memory graph over a snapshot.
//!
//! The words are defined in docs/semantics (section Access). Pure: no store, no clock.

mod build;
pub(crate) mod columns;
mod coming;
mod doubtful;
mod forgotten;
pub(crate) mod graph;
pub(crate) mod holding;
mod known_account;
pub(crate) mod making;
mod maybe;
mod nodes;
mod owners;
pub(crate) mod paths;
mod places;
mod reach;
pub(crate) mod reached;
mod snapshot;

pub(crate) use build::{
    account_row, expiry, is_production, membership, revocation, signs_in_through, terms,
};
pub(crate) use columns::Texts;
pub use doubtful::PerhapsOne;
pub use forgotten::{ForgottenPrint, Printed};

pub use graph::Graph;
pub(crate) use graph::{AccountRow, CredentialRow, EntitlementRow, IdentityRow};
pub use known_account::KnownAccount;
pub(crate) use maybe::{Group, MaybeAccounts};
pub use reach::{Gone, Reach, ReachFrom, ReachItem, ReachLink, reach};
pub(crate) use reach::{Met, met};
pub use snapshot::{AmbiguousAccount, InDoubt, ReadState, Snapshot, Unmatched};
