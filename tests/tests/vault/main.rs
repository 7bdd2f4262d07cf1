//! The vault connector against a real OpenBao: what it reads, what it works out, what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod capabilities;
mod engines;
mod estate;
mod fingerprints;
mod odd;
mod reading;
mod rights;
mod trouble;
mod ways;
