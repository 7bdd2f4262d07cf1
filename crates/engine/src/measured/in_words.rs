//! A past leaver's thing in words: when they left, what was claimed of it, and what was observed.

use super::claims::Claimed;
use super::measure::{Measured, MeasuredLeaver, State};
use super::shares::Share;
use super::words::{at_least, at_most};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::when::rfc3339;

impl MeasuredLeaver {
    /// When the event was; `moment` writes a time.
    pub fn left_in_words(&self, moment: impl Fn(&str) -> String) -> String {
        let latest = moment(&rfc3339(self.latest));
        match self.earliest {
            Some(earliest) if earliest == self.latest => latest,
            Some(earliest) => format!("{} to {latest}", moment(&rfc3339(earliest))),
            None => format!("by {latest}"),
        }
    }

    /// What was claimed of one of their things; `moment` writes a time.
    pub fn claimed_in_words(&self, item: &Measured, moment: impl Fn(&str) -> String) -> String {
        let word = item.claimed.word();
        let claims = item
            .claims
            .iter()
            .filter_map(|place| self.claims.get(*place));
        let by_word = match item.claimed {
            Claimed::Nothing | Claimed::NotRead => None,
            Claimed::Done
            | Claimed::Failed
            | Claimed::Skipped
            | Claimed::Pending
            | Claimed::Unsaid => {
                claims.min_by_key(|one| one.status.map(|s| s.word()) != Some(word))
            }
        };
        let Some(claim) = by_word else {
            return word.to_owned();
        };
        let at = claim.closed_at.map(|at| match at.date() {
            Some(date) => format!(" {date}"),
            None => format!(" {}", moment(&rfc3339(at.earliest()))),
        });
        let by = claim.closed_by.as_ref().map(|by| format!(" by {by}"));
        let retries = match claim.retries {
            None | Some(0) => None,
            Some(1) => Some(", 1 retry".to_owned()),
            Some(many) => Some(format!(", {many} retries")),
        };
        let told = [at, by, retries].into_iter().flatten();
        format!("{word}{}", told.collect::<String>())
    }
}

impl Measured {
    /// What it is, by kind and name.
    pub fn in_words(&self) -> String {
        // A name first: of an id that says nothing a table shows no more than the beginning.
        let called = |id: String, name: &Option<String>| match name {
            Some(name) => format!("{name} ({id})"),
            None => id,
        };
        let on = self.on_account.as_ref().map(|account| {
            let account = called(account.to_string(), &self.on_account_name);
            format!(" on {account}")
        });
        let id = called(format!("{}:{}", self.system, self.id), &self.name);
        format!("{} {id}{}", self.kind.word(), on.unwrap_or_default())
    }

    /// Both ends of the time that it was open.
    pub fn observed_in_words(&self) -> String {
        let lower = at_least(self.lower);
        if let (Some(again), None) = (self.reopened, self.closed) {
            let day = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
            let (closed, open) = (day(again.closed), day(again.open));
            return format!("closed by {closed}, open again by {open}, {lower} after");
        }
        match (self.upper.map(at_most), self.closed, self.last_open) {
            (Some(_), _, _) if self.upper == Some(TimeDelta::zero()) => {
                "closed before they left".to_owned()
            }
            (Some(upper), _, _) if self.lower.is_zero() => format!("closed within {upper}"),
            (Some(upper), _, _) => format!("closed after {lower} to {upper}"),
            (None, Some(_), _) => format!("closed after {lower} or more"),
            (None, None, Some(_)) => format!("open for {lower}, not seen closed"),
            (None, None, None) => "not read".to_owned(),
        }
    }

    /// What follows, and where claim and observation part.
    pub fn verdict_in_words(&self) -> String {
        let state = match self.state {
            State::Indeterminate => format!("{}: {}", self.state.word(), self.why),
            State::InTime | State::Late | State::StillOpen => self.state.word().to_owned(),
        };
        match self.gap {
            Some(gap) => format!("{state}; {}", gap.in_words()),
            None => state,
        }
    }
}

impl Share {
    /// The share of what is decided, with its interval.
    pub fn decided_in_words(&self) -> String {
        match self.share.zip(self.interval) {
            None => "none is decided".to_owned(),
            Some((share, (low, high))) => {
                format!("{} ({} to {})", percent(share), percent(low), percent(high))
            }
        }
    }

    /// What the share would be if everything were decided.
    pub fn ends_in_words(&self) -> String {
        let ends = self.at_least.zip(self.at_most);
        ends.map_or(String::new(), |(low, high)| {
            format!("{} to {}", percent(low), percent(high))
        })
    }
}

fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}
