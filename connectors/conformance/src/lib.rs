//! What every connector must do, run against the real server where one can be had.
//!
//! [`proxy`] stands between a connector and its server and does what goes wrong in the world.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod proxy;
