//! Whether an owner is there to answer, and what an object's owner lines amount to.

use chrono::{DateTime, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::{IdentityStatus, OwnerRole};

/// Whether an owner is there to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerState {
    Present,
    OnLeave,
    /// Named before the first day.
    NotYet,
    /// The source of truth says inactive.
    Left,
    /// The last day has passed, and the source of truth still says otherwise.
    Ended,
    /// A source had this identity, and none has it now.
    Absent,
    /// The id seems to have been given to somebody else since the owner was confirmed.
    InDoubt,
    /// No source ever had it.
    Unknown,
}

impl OwnerState {
    pub const ALL: [OwnerState; 8] = [
        OwnerState::Present,
        OwnerState::OnLeave,
        OwnerState::NotYet,
        OwnerState::Left,
        OwnerState::Ended,
        OwnerState::Absent,
        OwnerState::InDoubt,
        OwnerState::Unknown,
    ];

    /// The word in files and on screens.
    pub fn word(self) -> &'static str {
        match self {
            OwnerState::Present => "present",
            OwnerState::OnLeave => "on_leave",
            OwnerState::NotYet => "not_yet",
            OwnerState::Left => "left",
            OwnerState::Ended => "ended",
            OwnerState::Absent => "absent",
            OwnerState::InDoubt => "in_doubt",
            OwnerState::Unknown => "unknown",
        }
    }

    pub const WORDS: &'static [&'static str] = &[
        "present", "on_leave", "not_yet", "left", "ended", "absent", "in_doubt", "unknown",
    ];

    pub fn from_word(word: &str) -> Option<OwnerState> {
        OwnerState::ALL.into_iter().find(|s| s.word() == word)
    }

    /// The state of an identity that a source has. The last day is inclusive, and no status
    /// counts as active.
    pub fn of(
        status: Option<IdentityStatus>,
        end_date: Option<When>,
        now: DateTime<Utc>,
    ) -> OwnerState {
        let over = end_date.is_some_and(|end| end.as_expiry() <= now);
        match status {
            Some(IdentityStatus::Inactive) => OwnerState::Left,
            _ if over => OwnerState::Ended,
            Some(IdentityStatus::OnLeave) => OwnerState::OnLeave,
            Some(IdentityStatus::Pending) => OwnerState::NotYet,
            Some(IdentityStatus::Active) | None => OwnerState::Present,
        }
    }

    /// What to say behind `who`.
    pub fn says(self) -> &'static str {
        match self {
            OwnerState::Present => "is there",
            OwnerState::OnLeave => "is on leave",
            OwnerState::NotYet => "has not begun yet",
            OwnerState::Left => "left",
            OwnerState::Ended => "is past the last day",
            OwnerState::Absent => "is in no source any more",
            OwnerState::InDoubt => {
                "may be somebody else by now: the id seems to have been given on"
            }
            OwnerState::Unknown => "is in no source",
        }
    }

    /// Whether somebody else has to answer from now on.
    pub fn is_gone(self) -> bool {
        match self {
            OwnerState::Left
            | OwnerState::Ended
            | OwnerState::Absent
            | OwnerState::InDoubt
            | OwnerState::Unknown => true,
            OwnerState::Present | OwnerState::OnLeave | OwnerState::NotYet => false,
        }
    }
}

/// What the owner lines of an object amount to, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    Owned,
    /// Every owner is on leave, or not there yet.
    OwnerAway,
    OwnerLeft,
    /// It names owners, and of none is it known who is meant.
    OwnerUnknown,
    NoOwner,
}

impl Standing {
    pub const ALL: [Standing; 5] = [
        Standing::Owned,
        Standing::OwnerAway,
        Standing::OwnerLeft,
        Standing::OwnerUnknown,
        Standing::NoOwner,
    ];

    /// The word in files and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Owned => "owned",
            Standing::OwnerAway => "owner_away",
            Standing::OwnerLeft => "owner_left",
            Standing::OwnerUnknown => "owner_unknown",
            Standing::NoOwner => "no_owner",
        }
    }

    pub const WORDS: &'static [&'static str] = &[
        "owned",
        "owner_away",
        "owner_left",
        "owner_unknown",
        "no_owner",
    ];

    pub fn from_word(word: &str) -> Option<Standing> {
        Standing::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// What lines amount to. A custodian knows a credential and does not answer for it.
pub fn standing(lines: impl IntoIterator<Item = (OwnerRole, OwnerState)>) -> Standing {
    lines
        .into_iter()
        .filter(|(role, _)| *role != OwnerRole::Custodian)
        .map(|(_, state)| match state {
            OwnerState::Present => Standing::Owned,
            OwnerState::OnLeave | OwnerState::NotYet => Standing::OwnerAway,
            OwnerState::Left | OwnerState::Ended | OwnerState::Absent => Standing::OwnerLeft,
            OwnerState::InDoubt | OwnerState::Unknown => Standing::OwnerUnknown,
        })
        .min()
        .unwrap_or(Standing::NoOwner)
}
