//! How much at once is unusual, so that a person is asked before it counts?
//!
//! One threshold for all that can change much at once: a read that would remove many objects, a plan
//! that would change many answers. What passes it is held: the first step says what would happen, in
//! figures, with a code of exactly that; the second gives the code back. Where anything has changed in
//! between the code is another one, and it is asked again.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

/// A share of what is there, above which a change at once is not believed without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Threshold {
    /// Percent of what is there; more than that is unusual.
    pub percent: u8,
    /// Fewer than this may always change.
    pub at_least: u64,
    /// Where fewer than this are there, all may change.
    pub of_at_least: u64,
}

impl Threshold {
    /// A fifth, of ten and more of at least twenty.
    pub const USUAL: Threshold = Threshold {
        percent: 20,
        at_least: 10,
        of_at_least: 20,
    };

    /// Whether so many at once are unusual.
    pub fn is_passed(self, number: u64, of: u64) -> bool {
        let share = u64::from(self.percent).saturating_mul(of);
        of >= self.of_at_least && number >= self.at_least && number.saturating_mul(100) > share
    }
}

/// How many of how many would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Figure {
    /// In words: `identities whose answer changes`.
    pub what: String,
    pub number: u64,
    pub of: u64,
    pub unusual: bool,
}

/// A change that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct HeldChange {
    /// What is to be done: `load the plan …`.
    pub what: String,
    pub figures: Vec<Figure>,
    /// Names exactly this change of exactly this state.
    pub code: String,
}

impl HeldChange {
    /// `state` is everything that the figures depend on.
    pub fn new(what: String, figures: Vec<Figure>, state: &[&str]) -> Self {
        let mut digest = Sha256::new();
        let numbers = figures
            .iter()
            .map(|one| format!("{} {}/{}", one.what, one.number, one.of));
        let numbers: Vec<String> = numbers.collect();
        let parts = state
            .iter()
            .copied()
            .chain(numbers.iter().map(String::as_str));
        for part in parts.chain([what.as_str()]) {
            // Length before each part, so that no two states have one text.
            digest.update(format!("{}:{part}", part.len()));
        }
        let digest = digest.finalize();
        let code = digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        HeldChange {
            what,
            figures,
            code,
        }
    }

    /// Whether a person has to be asked.
    pub fn is_unusual(&self) -> bool {
        self.figures.iter().any(|figure| figure.unusual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: u64, of: u64, expected: bool) {
        let found = Threshold::USUAL.is_passed(number, of);
        assert_eq!(found, expected, "{number} of {of}");
    }

    #[test]
    fn share_and_count_both_have_to_be_passed() {
        check(10, 20, true);
        check(9, 20, false);
        check(10, 19, false);
        check(10, 50, false);
        check(11, 50, true);
        check(0, 0, false);
        check(u64::MAX, u64::MAX, false);
    }

    #[test]
    fn another_state_or_another_figure_has_another_code() {
        let figure = |number| Figure {
            what: "identities".to_owned(),
            number,
            of: 30,
            unusual: true,
        };
        let code = |number, state: &[&str]| {
            HeldChange::new("load".to_owned(), vec![figure(number)], state).code
        };
        let one = code(10, &["a", "b"]);
        assert_eq!(one, code(10, &["a", "b"]));
        assert_ne!(one, code(11, &["a", "b"]));
        assert_ne!(one, code(10, &["a", "c"]));
        assert_ne!(code(10, &["ab", ""]), code(10, &["a", "b"]));
    }
}
