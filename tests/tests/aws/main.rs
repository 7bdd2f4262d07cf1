//! The AWS connector against moto, which checks keys and weighs policies, and against a contract server
//! of our own for what moto leaves out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod command_line;
mod contract;
mod estate;
mod over;
mod reading;
mod roles;
mod trouble;
