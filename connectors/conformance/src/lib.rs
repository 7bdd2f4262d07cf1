//! What every connector must do, run against the real server where one can be had.
//!
//! A connector's run is a [`Subject`]: its connector in each situation that a case needs. Each
//! [`Case`] is one small function with a stable name; it passes, fails, makes no sense for the
//! connector for a reason, or does not run for want of a server. [`proxy`] stands between a
//! connector and its server and does what goes wrong in the world; [`seeded`] is a well-made
//! connector that passes every case, and can be made to fail each.
//!
//! Promises: retry is off except where it is the subject. Never: a case that did not run and is
//! counted as passed.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod case;
mod cases;
mod memory;
mod outcome;
pub mod proxy;
mod run;
pub mod seeded;
mod subject;

pub use case::Case;
pub use cases::ground::read_to_end;
pub use outcome::{Missing, Outcome};
pub use run::{CaseResult, results_folder, run_all, run_case, write_results};
pub use subject::{Answer, Facts, Network, Scene, SetUp, Subject, Trust, odd_texts};
