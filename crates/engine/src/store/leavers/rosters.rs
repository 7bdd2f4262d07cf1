//! From when to when sources of truth show who was there: outside it nobody knows who left.

use super::super::events::endings::{Turn, given_on};
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

/// A record whose id may be another person's since some moment of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenOn {
    /// `source:id`.
    pub record: String,
    pub earliest: DateTime<Utc>,
    pub latest: DateTime<Utc>,
}

impl Store {
    /// Ids that a source of truth may have given to somebody else: whether who had them left is not known.
    pub async fn ids_given_on(&self, now: DateTime<Utc>) -> Result<Vec<GivenOn>, StoreError> {
        self.find_events().await?;
        let mut reading = self.readers().begin().await?;
        let rows = source_rows(&mut reading, At::Now).await?;
        let turns = given_on(&mut reading, now).await?;
        let of = |turn: Turn| {
            let source = rows.names.get(&turn.source).map_or("", String::as_str);
            GivenOn {
                record: format!("{source}:{}", turn.identity),
                earliest: turn.earliest,
                latest: turn.latest,
            }
        };
        Ok(turns.into_iter().map(of).collect())
    }

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
