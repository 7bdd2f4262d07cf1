//! Where does each secret stand, who can read it there, and what does it open?
//!
//! Credentials and places become secrets: what has one fingerprint is one secret, and so is what a
//! source names at a place by its id. What only has one name is suspected to be one, is marked as
//! such, and is never joined (docs/decisions/credential-locations.md). Pure; no value and no
//! fingerprint leaves this module. Readers take windows.

mod estate;
mod gather;
mod known;
mod naming;
mod query;
mod readers;
mod same;
mod secrets;
mod shown;
#[cfg(test)]
mod tests;
mod types;

pub use estate::{Estate, OfEstate};
pub use gather::{AttributesTold, CredentialTold, Gathering, PlaceTold};
pub use known::Known;
pub use query::{SECRET_FILTERS, SECRET_ORDERS, WrongQuery};
pub use secrets::Secrets;
pub use types::*;
