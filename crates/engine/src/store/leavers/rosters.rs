//! From when to when sources of truth show who was there: outside it nobody knows who left.

use super::super::ground::source_rows;
use super::super::lineage::Lineage;
use super::super::sources::says_who_exists;
use super::super::{Store, StoreError, blocks::At};
use super::pasts::Reads;
use chrono::{DateTime, Utc};
use lastkey_contract::{Kind, SourceName};

/// A source of truth, and its first and last read of identities that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterSpan {
    pub source: SourceName,
    pub first: DateTime<Utc>,
    pub last: DateTime<Utc>,
}

impl Store {
    /// Of each source that says who exists; those of which no read came to its end are left out.
    pub async fn roster_spans(&self, now: DateTime<Utc>) -> Result<Vec<RosterSpan>, StoreError> {
        let sources = self.sources().await?;
        let mut reading = self.readers().begin().await?;
        let rows = source_rows(&mut reading, At::Now).await?;
        let lineage = Lineage::new(&rows);
        let reads = Reads::of(&mut reading, &lineage, now).await?;
        let mut spans = Vec::new();
        for source in sources.iter().filter(|one| says_who_exists(&one.settings)) {
            if let Some((first, last)) =
                reads.span((lineage.first(source.id), source.id), Kind::Identity)
            {
                spans.push(RosterSpan {
                    source: source.name.clone(),
                    first,
                    last,
                });
            }
        }
        Ok(spans)
    }
}
