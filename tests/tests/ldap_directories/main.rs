//! The LDAP connector against OpenLDAP and 389 DS alike: one company, one set of cases, two real
//! servers; then what only one of them has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod alike;
mod changes;
mod handshakes;
mod harness;
mod hostile;
mod odds;
mod only_389;
mod random_changes;
mod rights;
