//! A real directory and a roster beside it, from the command line: the whole path, every kind
//! of trouble on it, and the secrets that must not be found anywhere afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod company;
mod living;
mod secrets;
mod trouble;
mod whole_path;
