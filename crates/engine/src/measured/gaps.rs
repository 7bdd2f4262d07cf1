//! Where claim and observation part.

use super::claims::{Claim, Claimed};
use super::reads::Reopened;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::TaskStatus;
use serde::{Serialize, Serializer};

/// A gap between what was claimed and what was seen; of several the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// Shown as closed, and let in after that.
    OnPaper,
    /// It was closed, and seen open again.
    ReEnabled,
    /// Somebody overrode the step; seen open after that.
    Overridden,
    /// Skipped or failed, the case closed all the same; seen open after that.
    NotDoneAndClosed,
    /// Reported as done after retries; seen open after that.
    RetriedAndReported,
    /// Claimed done; still open.
    DoneAndOpen,
    /// Claimed done before it was: seen open after that, closed since.
    ClaimedTooEarly,
    /// Open beyond its limit, and nobody claims anything about it.
    NoClaim,
    /// Closed, and nobody claims to have done it.
    ClosedUnclaimed,
}

impl Gap {
    pub const ALL: [Gap; 9] = [
        Gap::OnPaper,
        Gap::ReEnabled,
        Gap::Overridden,
        Gap::NotDoneAndClosed,
        Gap::RetriedAndReported,
        Gap::DoneAndOpen,
        Gap::ClaimedTooEarly,
        Gap::NoClaim,
        Gap::ClosedUnclaimed,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Gap::OnPaper => "closed_on_paper",
            Gap::ReEnabled => "re_enabled",
            Gap::Overridden => "overridden",
            Gap::NotDoneAndClosed => "not_done_and_closed",
            Gap::RetriedAndReported => "retried_and_reported",
            Gap::DoneAndOpen => "done_and_open",
            Gap::ClaimedTooEarly => "claimed_too_early",
            Gap::NoClaim => "no_claim",
            Gap::ClosedUnclaimed => "closed_unclaimed",
        }
    }

    /// For people.
    pub fn in_words(self) -> &'static str {
        match self {
            Gap::OnPaper => "shown as closed while it still worked",
            Gap::ReEnabled => "closed and open again",
            Gap::Overridden => "overridden, and open after that",
            Gap::NotDoneAndClosed => "not done, the case closed all the same",
            Gap::RetriedAndReported => "reported as done after retries, and open after that",
            Gap::DoneAndOpen => "claimed done, and open after that",
            Gap::ClaimedTooEarly => "claimed done before it was closed",
            Gap::NoClaim => "open, and nobody claims anything",
            Gap::ClosedUnclaimed => "closed, and nobody claims to have done it",
        }
    }
}

impl Serialize for Gap {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

/// What was seen of a thing.
pub(super) struct Observed {
    /// Last seen open.
    pub open: Option<DateTime<Utc>>,
    pub closed: Option<DateTime<Utc>>,
    pub reopened: Option<Reopened>,
    pub on_paper: bool,
    /// Proved open beyond the limit, and not proved closed.
    pub overdue: bool,
    /// It closed by itself: by no expiry, and not with its account.
    pub by_somebody: bool,
}

/// The gap at a thing. `beside`: somebody claims something about the account that it belongs to.
pub(super) fn gap<'c>(
    seen: &Observed,
    claimed: Claimed,
    about: impl Iterator<Item = &'c Claim> + Clone,
    beside: bool,
) -> Option<Gap> {
    let still_open = seen.closed.is_none();
    if seen.on_paper {
        return Some(Gap::OnPaper);
    }
    if seen.reopened.is_some() {
        return Some(Gap::ReEnabled);
    }
    // Of a claim that says no time it is not known whether it came before; what is open beyond
    // its limit contradicts it all the same.
    let open_after = |claim: &Claim| match (seen.open, claim.closed()) {
        (Some(open), Some(closed)) => open > closed,
        (Some(_), None) => {
            let settled = claim.status == Some(TaskStatus::Done) || claim.overridden.is_some();
            settled && seen.overdue
        }
        (None, _) => false,
    };
    let any = |is: &dyn Fn(&Claim) -> bool| about.clone().any(|one| open_after(one) && is(one));
    let done = |claim: &Claim| claim.status == Some(TaskStatus::Done);
    let not_done = |claim: &Claim| match claim.status {
        Some(TaskStatus::Skipped | TaskStatus::Failed) => claim.closed_at.is_some(),
        Some(TaskStatus::Done | TaskStatus::Pending) | None => false,
    };
    let is_overridden = |claim: &Claim| claim.overridden.is_some();
    if any(&is_overridden) && still_open {
        return Some(Gap::Overridden);
    }
    if any(&not_done) && still_open {
        return Some(Gap::NotDoneAndClosed);
    }
    if any(&|claim| done(claim) && claim.retries.is_some_and(|n| n > 0)) && still_open {
        return Some(Gap::RetriedAndReported);
    }
    if any(&done) {
        return Some(match still_open {
            true => Gap::DoneAndOpen,
            false => Gap::ClaimedTooEarly,
        });
    }
    let nothing = claimed == Claimed::Nothing;
    if nothing && seen.overdue {
        return Some(Gap::NoClaim);
    }
    let unclaimed = nothing && !beside && seen.by_somebody && !still_open;
    unclaimed.then_some(Gap::ClosedUnclaimed)
}
