//! What tries of a credential prove, and when it may be tried again. Pure.
//!
//! A refusal counts only if the same secret was let in before (the positive control), and a try that
//! does not say proves nothing. No credential is tried so often that a server could lock its account.

mod pace;
mod proof;
mod same;
#[cfg(test)]
mod tests;

pub use pace::{BETWEEN_TRIES, Lockout, may_try, refused_since};
pub use proof::{Standing, control, proved, standing};
pub use same::one_writing;

use chrono::{DateTime, Utc};
use lastkey_contract::Answer;

/// One try, by what counts of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// It was asked at this moment at the earliest, ...
    pub from: DateTime<Utc>,
    /// ... and answered by this one.
    pub until: DateTime<Utc>,
    pub answer: Answer,
}

/// What a try proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proves {
    /// It was let in at some moment from `from` to `until`.
    Open,
    /// It was not let in by `until`, and had been before.
    Closed,
    /// Nothing.
    Nothing,
}

impl Proves {
    pub fn word(self) -> &'static str {
        match self {
            Proves::Open => "open",
            Proves::Closed => "closed",
            Proves::Nothing => "nothing",
        }
    }
}
