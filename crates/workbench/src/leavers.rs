//! Past leavers: what was claimed, what was observed, and what follows by the plan's limits.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::moment_from_text;
use chrono::{DateTime, Days, NaiveDate, Utc};
use lastkey_engine::measured::{Counting, MeasuredLeaver, Shares, measure};
use lastkey_engine::store::LeaversQuery;

/// Which past leavers, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaversAsked {
    /// A time, or a date in UTC: whoever may have left then or later.
    pub since: Option<String>,
    /// A time, or a date in UTC, which counts whole: whoever may have left by then.
    pub until: Option<String>,
    /// An id, or `source:id`.
    pub identity: Option<String>,
}

impl Workbench {
    /// Hands over the past leavers, measured, in windows; gives back the shares of all of them. The
    /// limits are those of the plan that is loaded, else the presets.
    pub async fn each_measured_leaver(
        &self,
        asked: &LeaversAsked,
        mut take: impl FnMut(Vec<MeasuredLeaver>) -> Result<(), Failure>,
    ) -> Result<Shares, Failure> {
        let since = asked.since.as_deref().map(moment_from_text).transpose()?;
        let before = asked.until.as_deref().map(end_of).transpose()?;
        if let (Some(since), Some(before)) = (since, before)
            && before <= since
        {
            return Err(Failure::bad_input("--until is before --since"));
        }
        if let Some(identity) = &asked.identity
            && self.store.find_identity(identity).await?.is_empty()
            && self.store.records_once(identity).await?.is_empty()
        {
            return Err(
                Failure::bad_input(format!("there is no identity `{identity}`"))
                    .hint("see `lastkey identities` for ids"),
            );
        }
        let (plan, _) = self.plan().await?;
        let query = LeaversQuery {
            since,
            before,
            identity: asked.identity.as_deref(),
        };
        let mut counting = Counting::default();
        self.store
            .each_past_leaver(&query, self.now(), |window| {
                let measured: Vec<MeasuredLeaver> = window
                    .into_iter()
                    .map(|left| measure(left, &plan))
                    .collect();
                measured.iter().for_each(|leaver| counting.add(leaver));
                take(measured)
            })
            .await?;
        Ok(counting.done())
    }
}

/// The moment itself, or the end of a date.
fn end_of(text: &str) -> Result<DateTime<Utc>, Failure> {
    let at = moment_from_text(text)?;
    let next = match text.parse::<NaiveDate>() {
        Ok(_) => at.checked_add_days(Days::new(1)),
        Err(_) => Some(at),
    };
    next.ok_or_else(|| Failure::bad_input(format!("`{text}` is not a time")))
}
