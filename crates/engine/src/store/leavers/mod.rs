//! Past leavers with what they held, and all that dated reads and claims tell of it: what measuring
//! revocation goes by (`crate::measured`).
//!
//! Promises: what a source told that was removed, and what lies before the horizon of retention,
//! proves nothing gone. Who left is in memory, some hundred bytes each; what they held for a window
//! of them at a time, for each of which every version of every account is gone through once.

mod claims;
mod corrected;
mod earlier_decisions;
mod earlier_rules;
mod heads;
mod held;
mod joined;
mod lacking;
mod pasts;
mod privileged;
mod rosters;
mod secrets;
mod speakers;
#[cfg(test)]
mod tests;
mod things;
mod told;
mod tried;

pub use joined::JoinedSince;
pub use rosters::{GivenOn, RosterSpan};
pub use told::ToldToLeave;

use super::{Store, StoreError};
use crate::measured::Left;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::LifecycleEvent;

/// Which past leavers.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeaversQuery<'a> {
    /// Whoever may have left at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Whoever may have left before this moment.
    pub before: Option<DateTime<Utc>>,
    /// An id, or `source:id`.
    pub identity: Option<&'a str>,
    /// Whoever moved, by their last move, in place of whoever left.
    pub movers: bool,
    /// What was announced of that `source:id`, in place of what sources tell.
    pub announced: Option<(LifecycleEvent, DateTime<Utc>)>,
}

/// So many leavers are gathered at once.
const WINDOW: usize = 5_000;

impl Store {
    /// Hands over past leavers in windows, with what they held and what was claimed of it.
    pub async fn each_past_leaver<E: From<StoreError>>(
        &self,
        query: &LeaversQuery<'_>,
        now: DateTime<Utc>,
        mut take: impl FnMut(Vec<Left>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.find_events().await?;
        self.derive_if_stale().await?;
        let names = self.names()?;
        let mut reading = self.readers().begin().await.map_err(StoreError::from)?;
        let heads = heads::heads(&mut reading, names, query, now).await?;
        if heads.is_empty() {
            return Ok(());
        }
        let ground = held::Ground::read(&mut reading, names, now).await?;
        for window in heads.chunks(WINDOW) {
            take(held::gather(&mut reading, &ground, window).await?)?;
        }
        Ok(())
    }
}
