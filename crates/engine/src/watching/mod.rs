//! When is somebody who leaves looked at again, and when is it over? Pure.
//!
//! Reads come closer together towards the event, follow one another quickly after it, and then farther
//! and farther apart. No limit lies between two reads that could not decide it: one ends before each
//! limit, and one begins after it.

#[cfg(test)]
mod tests;

use crate::lifecycle::Verdict;
use crate::measured::{MeasuredLeaver, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// Two reads are at least so far apart.
const CLOSEST: TimeDelta = TimeDelta::minutes(1);
/// And at most so far.
const FARTHEST: TimeDelta = TimeDelta::hours(6);
/// So long before a limit a read begins that is to end before it, if reads are quick.
const BEFORE_LIMIT: TimeDelta = TimeDelta::minutes(2);
/// So long after the last limit a watch goes on where nothing decides.
const LAST: TimeDelta = TimeDelta::days(30);

/// What a schedule goes by.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'w> {
    pub event: DateTime<Utc>,
    /// Of what is not closed yet.
    pub limits: &'w [TimeDelta],
    /// When the last read began and ended; none yet.
    pub last: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// When to read next; at once where nothing was read yet.
pub fn next_read(of: Watched<'_>, now: DateTime<Utc>) -> DateTime<Utc> {
    let Some((began, ended)) = of.last else {
        return now;
    };
    let took = (ended - began).max(TimeDelta::zero());
    let later = |at: DateTime<Utc>, by: TimeDelta| at.checked_add_signed(by).unwrap_or(at);
    // A read that takes long is not begun again at once.
    let earliest = later(ended, CLOSEST.max(took.checked_mul(2).unwrap_or(FARTHEST)));
    let far = (of.event - ended).abs() / 2;
    let by_distance = later(ended, far.clamp(CLOSEST, FARTHEST));
    let quick = BEFORE_LIMIT.max(took.checked_mul(2).unwrap_or(BEFORE_LIMIT));
    let limits = of.limits.iter().map(|limit| later(of.event, *limit));
    let around = limits.flat_map(|limit| {
        let before = later(limit, -quick);
        let after = later(limit, TimeDelta::seconds(1));
        [before, after]
    });
    // The event itself: what is read just after it shows what it did.
    let moments = around.chain([later(of.event, TimeDelta::seconds(1))]);
    let next = moments
        .filter(|at| *at > ended)
        .chain([by_distance])
        .min()
        .unwrap_or(by_distance);
    next.max(earliest)
}

/// How a watch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Something is not closed, and no limit is known to have passed on it.
    Running,
    /// Something is open beyond its limit.
    Overdue,
    /// All is closed.
    Closed,
    /// Long after the last limit something is still not decided.
    Undecided,
    /// Somebody stopped it.
    Stopped,
}

impl Standing {
    pub const ALL: [Standing; 5] = [
        Standing::Running,
        Standing::Overdue,
        Standing::Closed,
        Standing::Undecided,
        Standing::Stopped,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Standing::Running => "running",
            Standing::Overdue => "overdue",
            Standing::Closed => "closed",
            Standing::Undecided => "undecided",
            Standing::Stopped => "stopped",
        }
    }

    pub fn from_word(word: &str) -> Option<Standing> {
        Standing::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Whether it is read on.
    pub fn goes_on(self) -> bool {
        matches!(self, Standing::Running | Standing::Overdue)
    }
}

/// What a read has shown of somebody who is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub standing: Standing,
    pub things: u64,
    /// How many of them are not proved closed.
    pub open: u64,
    pub verdict: Option<Verdict>,
    /// One sentence.
    pub why: String,
    /// Of what is not closed.
    pub limits: Vec<TimeDelta>,
}

fn closed_in_words(leaver: &MeasuredLeaver) -> String {
    let late = leaver.items.iter().filter(|item| item.state == State::Late);
    match (late.count(), leaver.missing_facts.first()) {
        (0, None) if leaver.verdict == Verdict::Pass => "all is closed, in time".to_owned(),
        (0, Some(fact)) => format!("all that is known is closed; not known: {fact}"),
        (0, None) => "all is closed; of something it is not known whether in time".to_owned(),
        (late, _) => format!("all is closed, {late} of them beyond the limit"),
    }
}

/// How it stands after a read; before the event nothing is judged.
pub fn shown(leaver: Option<&MeasuredLeaver>, event: DateTime<Utc>, now: DateTime<Utc>) -> Shown {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let Some(leaver) = leaver else {
        return Shown {
            standing: Standing::Running,
            things: 0,
            open: 0,
            verdict: None,
            why: "nothing of theirs is known yet".to_owned(),
            limits: Vec::new(),
        };
    };
    let items = &leaver.items;
    let open: Vec<_> = items.iter().filter(|item| item.closed.is_none()).collect();
    let mut limits: Vec<TimeDelta> = open.iter().map(|item| item.limit).collect();
    limits.sort();
    limits.dedup();
    let things = number(items.len());
    let before = now < event;
    let overdue = open.iter().find(|item| item.state == State::StillOpen);
    let longest = items.iter().map(|item| item.limit).max();
    let over = event
        .checked_add_signed(longest.unwrap_or_default())
        .and_then(|at| at.checked_add_signed(LAST));
    let (standing, why) = match (overdue, open.first()) {
        _ if before => (Standing::Running, "it has not happened yet".to_owned()),
        (Some(worst), _) => (
            Standing::Overdue,
            format!(
                "{} {}:{}: {}",
                worst.kind.word(),
                worst.system,
                worst.id,
                worst.why
            ),
        ),
        (None, None) if items.is_empty() && leaver.closed_before == 0 => (
            Standing::Running,
            "nothing of theirs is known: is the identity connected to its accounts?".to_owned(),
        ),
        (None, None) => (Standing::Closed, closed_in_words(leaver)),
        (None, Some(first)) if over.is_some_and(|over| now > over) => {
            (Standing::Undecided, first.why.clone())
        }
        (None, Some(first)) => (
            Standing::Running,
            format!(
                "{} {}:{}: {}",
                first.kind.word(),
                first.system,
                first.id,
                first.why
            ),
        ),
    };
    Shown {
        standing,
        things,
        open: number(open.len()),
        verdict: (!before).then_some(leaver.verdict),
        why,
        limits,
    }
}
