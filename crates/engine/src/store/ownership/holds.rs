//! For which moments the derived tables hold: until the next of the last days that were looked at.

use chrono::{DateTime, Utc};
use lastkey_contract::When;
use lastkey_contract::when::rfc3339;

/// From the latest last day that had passed to the next one that had not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holds {
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

impl Holds {
    /// Takes in the last day of somebody who was looked at.
    pub fn note(&mut self, end: Option<When>, now: DateTime<Utc>) {
        let Some(end) = end.map(|end| end.as_expiry()) else {
            return;
        };
        if end <= now {
            self.from = self.from.max(Some(end));
        } else {
            self.until = Some(self.until.map_or(end, |until| until.min(end)));
        }
    }

    pub fn at(self, now: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// As the entry of `meta` has it: never empty.
    pub fn words(self) -> String {
        let word = |at: Option<DateTime<Utc>>| at.map(rfc3339).unwrap_or_default();
        format!("{}/{}", word(self.from), word(self.until))
    }

    /// None where it is no such entry: what was derived is stale, or of an earlier version.
    pub fn of(words: &str) -> Option<Holds> {
        let moment = |word: &str| match word {
            "" => Some(None),
            word => Some(Some(DateTime::parse_from_rfc3339(word).ok()?.to_utc())),
        };
        let (from, until) = words.trim_end_matches(super::FOLLOWED).split_once('/')?;
        Some(Holds {
            from: moment(from)?,
            until: moment(until)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn day(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn ends(text: &str) -> When {
        When::parse(&format!("{text}T23:59:59Z")).unwrap()
    }

    #[test]
    fn what_was_derived_holds_from_one_last_day_to_the_next() {
        let now = day("2026-03-10T08:00:00Z");
        let mut holds = Holds::default();
        assert!(
            holds.at(day("1970-01-01T00:00:00Z")),
            "nobody has a last day"
        );
        for day in ["2026-03-01", "2026-03-09", "2026-03-20", "2026-04-01"] {
            holds.note(Some(ends(day)), now);
        }
        let holds = Holds::of(&holds.words()).unwrap();
        let before = TimeDelta::seconds(-1);
        for (at, holding) in [
            (ends("2026-03-09").as_expiry() + before, false),
            (ends("2026-03-09").as_expiry(), true),
            (now, true),
            (ends("2026-03-20").as_expiry() + before, true),
            (ends("2026-03-20").as_expiry(), false),
        ] {
            assert_eq!(holds.at(at), holding, "{at}");
        }
        for stale in ["", "2026-03-10"] {
            assert_eq!(Holds::of(stale), None, "`{stale}`");
        }
    }
}
