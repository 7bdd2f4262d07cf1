//! Trying credentials against real servers: what they take, what they refuse in plain words, and
//! everything else, which must be indeterminate; and that no secret comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod by_hand;
mod consent;
mod harness;
mod ldap;
mod postgresql;
mod samba;
mod ssh;
mod vault;
