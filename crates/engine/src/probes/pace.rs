//! When a credential may be tried: never so often that a server could lock the account.

use super::Try;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::Answer;
use lastkey_contract::when::rfc3339;

/// Tries of one account are at least so far apart.
pub const BETWEEN_TRIES: TimeDelta = TimeDelta::seconds(60);

/// How a server counts refused tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// It locks the account at so many in a row.
    pub after: u32,
    /// It forgets them after so long; None: only when it lets somebody in.
    pub within: Option<TimeDelta>,
}

impl Lockout {
    /// As strict as servers are in practice.
    pub const STRICTEST: Lockout = Lockout {
        after: 3,
        within: None,
    };
}

/// Whether an account may be tried now; else one sentence that says why not. `tries` are those of all
/// probes of the account, in the order of their times; no `lockout` where nothing can be locked.
pub fn may_try(tries: &[Try], lockout: Option<Lockout>, now: DateTime<Utc>) -> Result<(), String> {
    if let Some(last) = tries.iter().map(|one| one.until).max() {
        let again = last.checked_add_signed(BETWEEN_TRIES).unwrap_or(last);
        // A clock that was set back gives no leave.
        if now < again {
            return Err(format!(
                "the account was tried at {}: it may be tried again from {}",
                rfc3339(last),
                rfc3339(again)
            ));
        }
    }
    let Some(lockout) = lockout else {
        return Ok(());
    };
    let refused = refused_since(tries, lockout, now);
    // One try less than locks: somebody else may mistype once, too.
    match refused.saturating_add(2) > lockout.after.max(2) {
        false => Ok(()),
        true => Err(match lockout.within {
            Some(within) => format!(
                "it was not let in {refused} times within {} min: one more could lock the account, which \
                 locks at {}",
                within.num_minutes(),
                lockout.after
            ),
            None => format!(
                "it was not let in {refused} times since it was last: one more could lock the account, \
                 which locks at {}",
                lockout.after
            ),
        }),
    }
}

/// How many tries a server may still count. One that did not say may have been counted.
pub fn refused_since(tries: &[Try], lockout: Lockout, now: DateTime<Utc>) -> u32 {
    let mut later = now;
    let mut refused = 0;
    for one in tries.iter().rev() {
        // A server forgets once nothing was refused for that long, not each by its own age.
        let forgotten = lockout
            .within
            .is_some_and(|within| later - one.until > within);
        if one.answer == Answer::Accepted || forgotten {
            break;
        }
        refused += 1;
        later = one.until;
    }
    refused
}
