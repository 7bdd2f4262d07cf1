//! Ended in the middle of anything, Lastkey tells the truth afterwards: killed at any moment,
//! cut off from power, or with a disk that is full (docs/cut-off.md).
//!
//! `./test` runs a seeded slice; LASTKEY_LONG=1 runs all moments, LASTKEY_KILLS a number of one's
//! own. Where something fails, the seed and the moment are part of the sentence.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod answers;
mod estate;
mod full_disk;
mod judge;
mod live;
mod matrix;
mod old_stores;
mod phases;
mod power_cut;
mod sweep;
