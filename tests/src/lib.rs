//! Labs, conformance runs, window tests, architecture rules.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

#[expect(
    clippy::expect_used,
    reason = "a bus that cannot be had must fail the test loudly"
)]
pub mod bus;

#[expect(
    clippy::expect_used,
    reason = "a desk that cannot be laid must fail the test loudly"
)]
pub mod desk;

pub mod dice;

pub mod dom;

#[expect(
    clippy::expect_used,
    reason = "a place that cannot be looked into must fail the test loudly"
)]
pub mod hunt;

#[expect(
    clippy::expect_used,
    reason = "a program that cannot be started or ended must fail the test loudly"
)]
pub mod kill;

pub mod not_run;

#[expect(
    clippy::expect_used,
    reason = "a store that does not open must fail the test loudly"
)]
pub mod opened;

#[expect(
    clippy::expect_used,
    reason = "a store that does not answer must fail the test loudly"
)]
pub mod picture;

#[expect(
    clippy::expect_used,
    reason = "a vault that cannot be filled must fail the test loudly"
)]
pub mod safe;

#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "labs serve tests: a lab that cannot start must fail the test loudly"
)]
pub mod labs;

#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a window that does not do as asked must fail the test loudly"
)]
pub mod window;
