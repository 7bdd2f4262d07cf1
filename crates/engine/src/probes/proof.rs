//! What tries prove, one after the other.

use super::{Proves, Try};
use chrono::{DateTime, Utc};
use lastkey_contract::Answer;
use lastkey_contract::when::rfc3339;

/// How a credential stands by its tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The last try let it in.
    Works,
    /// The last try refused it, and one before had let it in.
    Dead,
    /// The last try does not say, or there is no positive control.
    Indeterminate,
    NeverTried,
}

impl Standing {
    pub fn word(self) -> &'static str {
        match self {
            Standing::Works => "works",
            Standing::Dead => "dead",
            Standing::Indeterminate => "indeterminate",
            Standing::NeverTried => "never tried",
        }
    }
}

/// What each try proves, in the order of their times; all are of one secret.
pub fn proved(tries: &[Try]) -> impl Iterator<Item = Proves> {
    let mut control = false;
    tries.iter().map(move |one| match one.answer {
        Answer::Accepted => {
            control = true;
            Proves::Open
        }
        Answer::Rejected if control => Proves::Closed,
        Answer::Rejected | Answer::Indeterminate => Proves::Nothing,
    })
}

/// When it was let in last: the positive control.
pub fn control(tries: &[Try]) -> Option<DateTime<Utc>> {
    let accepted = |one: &&Try| one.answer == Answer::Accepted;
    tries.iter().rev().find(accepted).map(|one| one.until)
}

/// How it stands, and why in one sentence.
pub fn standing(tries: &[Try]) -> (Standing, String) {
    let Some(last) = tries.last() else {
        let why = "it was never tried: the positive control is missing";
        return (Standing::NeverTried, why.to_owned());
    };
    let at = rfc3339(last.until);
    match (last.answer, control(tries)) {
        (Answer::Accepted, _) => (Standing::Works, format!("it was let in at {at}")),
        (Answer::Rejected, Some(before)) => (
            Standing::Dead,
            format!("it was let in at {} and refused at {at}", rfc3339(before)),
        ),
        (Answer::Rejected, None) => (
            Standing::Indeterminate,
            format!(
                "it was refused at {at} and never let in before: a wrong secret is refused as well"
            ),
        ),
        (Answer::Indeterminate, _) => (
            Standing::Indeterminate,
            format!("the try at {at} does not say"),
        ),
    }
}
