//! The verdict on one thing in one sentence.

use super::held::Left;
use super::measure::{Measured, State};
use super::reads::{Reopened, Trace};
use super::words::{at_least, at_most};
use crate::lifecycle::duration_words;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A moment in a sentence.
fn seconds_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The verdict in one sentence.
pub(super) fn why(left: &Left, item: &Measured, trace: &Trace) -> String {
    let (limit, lower) = (duration_words(item.limit), at_least(item.lower));
    let upper = item.upper.map(at_most);
    let unread = item.unread.map(|unread| {
        let (from, until) = (seconds_text(unread.from), seconds_text(unread.until));
        match unread.reads {
            1 => format!("; the read from {from} did not come to its end"),
            n => format!("; {n} reads from {from} to {until} did not come to their end"),
        }
    });
    let told = match (item.state, item.last_open, item.closed, upper) {
        (State::InTime, ..) if item.upper == Some(TimeDelta::zero()) => {
            format!("closed before they left, the limit is {limit}")
        }
        (State::InTime, _, _, upper) => {
            let upper = upper.unwrap_or_default();
            format!("closed within {upper}, the limit is {limit}")
        }
        (State::Late, _, _, upper) => {
            let by = upper.map_or(String::new(), |upper| format!(", closed within {upper}"));
            format!("open for more than {lower}{by}; the limit is {limit}")
        }
        (State::StillOpen, _, _, _) => {
            let since = match item.reopened {
                Some(Reopened { closed, .. }) => {
                    format!("open again after it was closed by {}", seconds_text(closed))
                }
                None => "not seen closed".to_owned(),
            };
            format!("open for more than {lower}, and {since}; the limit is {limit}")
        }
        (State::Indeterminate, ..) if trace.back_open && item.closed.is_none() => {
            "they came back before a read showed it closed".to_owned()
        }
        (State::Indeterminate, Some(open), Some(closed), _) => format!(
            "last seen open at {}, proved closed by {}: the reads are too far apart for {limit}",
            seconds_text(open),
            seconds_text(closed)
        ),
        (State::Indeterminate, None, Some(closed), _) => format!(
            "proved closed by {}, and no read before shows since when: the limit is {limit}",
            seconds_text(closed)
        ),
        (State::Indeterminate, Some(open), None, _) => format!(
            "last seen open at {}, and no complete read since that tells: the limit is {limit}",
            seconds_text(open)
        ),
        (State::Indeterminate, None, None, _) => {
            "no read shows it open or closed in that time".to_owned()
        }
    };
    let dated = match (item.state, left.earliest) {
        (State::Indeterminate, None) => "; when they left at the earliest is not known".to_owned(),
        (State::Indeterminate, Some(earliest)) if earliest < left.latest => format!(
            "; when they left is known to {} only",
            at_most(left.latest - earliest)
        ),
        _ => String::new(),
    };
    format!("{told}{}{dated}", unread.unwrap_or_default())
}
