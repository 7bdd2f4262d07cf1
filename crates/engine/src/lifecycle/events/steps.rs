//! In which order the records of one person step where sources show the same moment.
//!
//! The moment itself does not say which record stepped first, and the order in which sources happened
//! to be read must not. Promises: a person who is there before and after a moment has not left and not
//! come at it; one who is not there after it has left by one record alone, and has come by one alone.

use super::{Standing, standing};
use lastkey_contract::facts::Identity;

/// What a record does at a moment; in the order in which it counts for the person's other records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Comes without being there yet, or stays as it is.
    Stays,
    /// Is back from leave: before others begin, who would say that the person was at work already.
    Back,
    Begins,
    /// Is not to come any more, or only later: once it is seen who has come in its place.
    Withdrawn,
    /// Ends: once it is seen who goes on.
    Ends,
    /// Goes on leave: once nobody else is at work.
    Away,
    /// Is not even listed as gone any more: whoever begins at the same moment comes back.
    Unlisted,
}

impl Step {
    pub fn of(before: Option<&Identity>, after: Option<&Identity>) -> Step {
        use Standing::{Absent, Active, Inactive, OnLeave, Pending};
        match (standing(before), standing(after)) {
            (OnLeave, Active) => Step::Back,
            (Absent | Pending | Inactive, Active | OnLeave) => Step::Begins,
            (Pending, Inactive | Absent) | (Active | OnLeave, Pending) => Step::Withdrawn,
            (Active | OnLeave, Inactive | Absent) => Step::Ends,
            (Active, OnLeave) => Step::Away,
            (Inactive, Absent | Pending) => Step::Unlisted,
            (Absent, Absent | Pending | Inactive)
            | (Pending, Pending)
            | (Active, Active)
            | (OnLeave, OnLeave)
            | (Inactive, Inactive) => Step::Stays,
        }
    }
}
