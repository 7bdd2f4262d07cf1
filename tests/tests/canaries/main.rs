//! Secrets leave no trace: wherever one can enter, it is looked for everywhere afterwards, in
//! the store decrypted, in files, in what was said, in packages, however it may be written down.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod entrances;
mod traces;
mod vaults;
