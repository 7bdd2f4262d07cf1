//! Everything Lastkey knows and decides. No window, no network, no vendor names.
//!
//! Modules stand in the order in which data flows; each first file says what it
//! is for, what it promises and what it never does. SQL stays in `store`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod access;
pub mod collect;
pub mod correlate;
pub mod evidence;
pub mod lifecycle;
pub mod locations;
pub mod mass;
pub mod measured;
pub mod only_values;
pub mod ownership;
pub mod policy;
pub mod practice;
pub mod probes;
pub mod store;
pub mod views;
pub mod watching;
