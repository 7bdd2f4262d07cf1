//! Whom a source of truth tells to leave about now: by an end that its reads showed, or by a last day
//! that lies ahead.

use super::super::blocks::{self, Columns, Which};
use super::super::events::endings::turns;
use super::super::outline::IdentityOutline;
use super::super::{Store, StoreError};
use super::heads::is_return;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{IdentityKind, IdentityStatus, LifecycleEvent};
use lastkey_contract::{Kind, SourceName, When};
use std::collections::BTreeMap;

/// Whom a source tells to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldToLeave {
    /// As the source has it.
    pub identity: String,
    pub event: LifecycleEvent,
    /// At the latest.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Whoever leaves between two moments by what a source tells; whoever came back since is left out.
    pub async fn told_to_leave(
        &self,
        source: &SourceName,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<Vec<ToldToLeave>, StoreError> {
        self.find_events().await?;
        let source = self.source(source).await?.id;
        let mut reading = self.readers().begin().await?;
        let mut told: BTreeMap<String, ToldToLeave> = BTreeMap::new();
        for turn in turns(&mut reading, now).await? {
            if turn.source != source {
                continue;
            }
            match is_return(&turn) {
                true => told.remove(&turn.identity),
                false => told.insert(
                    turn.identity.clone(),
                    ToldToLeave {
                        identity: turn.identity,
                        event: turn.event,
                        at: turn.latest,
                    },
                ),
            };
        }
        blocks::each(
            &mut reading,
            &Which::now(Kind::Identity),
            Columns::Outlined,
            |block| {
                for place in block.places().filter(|_| block.source == source) {
                    let outline: IdentityOutline<'_> = block.outline(place)?;
                    let ended = outline.status == Some(IdentityStatus::Inactive);
                    let Some(at) = last_day(&outline).filter(|_| !ended) else {
                        continue;
                    };
                    if (from..=until).contains(&at) {
                        let one = ToldToLeave {
                            identity: outline.id.to_string(),
                            event: end_of(outline.kind),
                            at,
                        };
                        told.insert(one.identity.clone(), one);
                    }
                }
                Ok(())
            },
        )
        .await?;
        told.retain(|_, one| (from..=until).contains(&one.at));
        Ok(told.into_values().collect())
    }
}

/// The end of the last day; one before the first day is of an earlier time.
fn last_day(outline: &IdentityOutline<'_>) -> Option<DateTime<Utc>> {
    let day = |text: &str| When::parse(text);
    let end = day(outline.end_date.as_deref()?)?.latest();
    let start = outline.start_date.as_deref().and_then(day);
    start
        .is_none_or(|start| start.earliest() < end)
        .then_some(end)
}

/// The event that ends somebody of a kind.
pub(super) fn end_of(kind: IdentityKind) -> LifecycleEvent {
    match kind {
        IdentityKind::Person => LifecycleEvent::Leaver,
        IdentityKind::Vendor => LifecycleEvent::VendorExit,
        IdentityKind::Workload => LifecycleEvent::WorkloadRetired,
        IdentityKind::Agent => LifecycleEvent::AgentRetired,
    }
}
