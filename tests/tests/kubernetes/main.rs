//! The Kubernetes connector against a real API server: what it reads, that it works out rights as
//! the server does, what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod access;
mod contexts;
mod estate;
mod fingerprints;
mod reading;
mod trouble;
