//! Tables of facts of one kind, for the command line and packages: windows of rows, and whole
//! tables in one pass.
//!
//! A window costs what it holds: how many rows each block has is counted once for each state of
//! the file (`remembered`), so that the last window is found as fast as the first. A filter on ids
//! is looked up among the numbers of names (`looked_up`); any other goes through all facts of its
//! kind, once for each state, and says the first rows at once where a table is read in one pass.

mod columns;
mod filters;
mod looked_up;
#[cfg(test)]
mod tests;

pub use columns::columns;
pub(super) use filters::{day, day_of, holds_all, require_in_any, require_word};

use super::blocks::{self, At, Block, Columns, Tally, Which};
use super::remembered::Moment;
use super::sources::supplements;
use super::{Store, StoreError, SyncId};
use filters::Filters;
use futures_util::future::join;
use lastkey_contract::Kind;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a table is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableQuery {
    /// Column and value; all must hold. `source` and `system` are columns too.
    pub filters: Vec<(String, String)>,
    /// As it was after this sync; None for now.
    pub as_of: Option<SyncId>,
    pub offset: u64,
    pub limit: u32,
}

/// A window of rows with the columns of import-format.md, and `source`, `first_sync` and, where
/// several sources may tell of one thing, `supplement`.
#[derive(Clone, Debug, PartialEq)]
pub struct FactTable {
    pub rows: Vec<Map<String, Value>>,
    /// How many rows match.
    pub matching: u64,
}

/// How many blocks with their facts are in memory at once.
const MANY: usize = 16;

/// A kind at a moment, narrowed by filters.
struct Asked<'a> {
    kind: Kind,
    at: At,
    filters: Filters<'a>,
    sources: HashMap<i64, String>,
    /// Sources that only add to what others have.
    beside: HashSet<i64>,
}

impl Asked<'_> {
    /// Whether anything of a source may match.
    fn source(&self, source: i64) -> bool {
        let name = self.sources.get(&source).map_or("", String::as_str);
        self.filters.sources.iter().all(|wanted| *wanted == name)
    }

    /// The places of a block, whose facts are there, that match.
    fn matching(&self, block: &Block) -> Result<Vec<usize>, StoreError> {
        if self.filters.columns.is_empty() {
            return Ok(block.places().collect());
        }
        // A look at the whole text, before any fact is looked at: nearly no block has a rare value.
        if !self.filters.may_be_in(block) {
            return Ok(Vec::new());
        }
        let mut matching = Vec::new();
        for place in block.places() {
            if self.filters.hold(block.fact(place)?)? {
                matching.push(place);
            }
        }
        Ok(matching)
    }

    fn row(&self, block: &Block, place: usize) -> Result<Map<String, Value>, StoreError> {
        let fact: Value = serde_json::from_str(block.fact(place)?)?;
        let source = self.sources.get(&block.source).cloned().unwrap_or_default();
        let mut row = row(columns(self.kind), fact, source, block.born(place));
        if self.kind.may_be_told_by_several() {
            row.insert(
                "supplement".to_owned(),
                self.beside.contains(&block.source).into(),
            );
        }
        Ok(row)
    }
}

impl Store {
    /// A window of the facts of a kind, in the order in which they were stored.
    pub async fn table(&self, kind: Kind, query: &TableQuery) -> Result<FactTable, StoreError> {
        let asked = self.asked(kind, query).await?;
        let mut moment = self.moment().await?;
        let tally = self.tally(&mut moment, &asked, &query.filters).await?;
        let (blocks, mut before) = tally.window(query.offset, u64::from(query.limit));
        let mut rows = Vec::new();
        for part in blocks.chunks(MANY) {
            for block in blocks::by_id(&mut moment.tx, part, Columns::Facts, asked.at).await? {
                for place in asked.matching(&block)? {
                    if before > 0 {
                        before -= 1;
                    } else if rows.len() < query.limit as usize {
                        rows.push(asked.row(&block, place)?);
                    }
                }
            }
        }
        Ok(FactTable {
            rows,
            matching: tally.total(),
        })
    }

    /// Every row of a table in one pass, in the order in which they were stored; the rows of each
    /// block as soon as it is read, of one moment whatever a sync stores meanwhile. Which part of
    /// the table a query asks for does not count here.
    pub async fn each_row<E: From<StoreError>>(
        &self,
        kind: Kind,
        query: &TableQuery,
        mut take: impl FnMut(Vec<Map<String, Value>>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let asked = self.asked(kind, query).await?;
        let mut moment = self.moment().await?;
        let mut give = |block: &Block| -> Result<ControlFlow<()>, E> {
            let places = asked.matching(block)?;
            if places.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            let rows = places.into_iter().map(|place| asked.row(block, place));
            take(rows.collect::<Result<_, StoreError>>()?)
        };
        if let Some(found) = self.looked_up(&mut moment.tx, &asked).await? {
            for part in found.blocks().chunks(MANY) {
                for block in blocks::by_id(&mut moment.tx, part, Columns::Facts, asked.at).await? {
                    if give(&block)?.is_break() {
                        return Ok(());
                    }
                }
            }
            return Ok(());
        }
        let which = Which {
            at: asked.at,
            ..Which::now(kind)
        };
        let mut window = blocks::window(&mut moment.tx, &which, Columns::Facts, 0).await?;
        while let Some(last) = window.last() {
            // The next ones are read while these are handed over.
            let next = blocks::window(&mut moment.tx, &which, Columns::Facts, last.id);
            let given = async {
                for block in window.iter().filter(|block| asked.source(block.source)) {
                    if give(block)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok::<_, E>(ControlFlow::Continue(()))
            };
            let (next, given) = join(next, given).await;
            if given?.is_break() {
                return Ok(());
            }
            window = next?;
        }
        Ok(())
    }

    async fn asked<'a>(&self, kind: Kind, query: &'a TableQuery) -> Result<Asked<'a>, StoreError> {
        let filters = Filters::of(kind, &query.filters)?;
        if let Some(sync) = query.as_of {
            self.sync_record(sync).await?;
            self.refuse_before_horizon(sync, Some(kind)).await?;
        }
        Ok(Asked {
            kind,
            at: At::of(query.as_of),
            filters,
            sources: self.source_names().await?,
            beside: supplements(&mut *self.readers().acquire().await?).await?,
        })
    }

    /// How many rows of each block match.
    async fn tally(
        &self,
        moment: &mut Moment<'_>,
        asked: &Asked<'_>,
        filters: &[(String, String)],
    ) -> Result<Arc<Tally>, StoreError> {
        if let Some(tally) = moment.tally(asked.kind, asked.at, filters) {
            return Ok(tally);
        }
        let tally = Arc::new(self.counted(moment, asked).await?);
        moment.keep_tally(asked.kind, asked.at, filters, &tally);
        Ok(tally)
    }

    async fn counted(
        &self,
        moment: &mut Moment<'_>,
        asked: &Asked<'_>,
    ) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        if asked.filters.columns.is_empty() {
            let standing = moment.standing(asked.at).await?;
            for one in standing.iter().filter(|one| one.kind == asked.kind) {
                if asked.source(one.source) {
                    tally.add(one.block, one.rows);
                }
            }
            return Ok(tally);
        }
        if let Some(found) = self.looked_up(&mut moment.tx, asked).await? {
            return Ok(found);
        }
        let which = Which {
            at: asked.at,
            ..Which::now(asked.kind)
        };
        blocks::each(&mut moment.tx, &which, Columns::Facts, |block| {
            if asked.source(block.source) {
                tally.add(block.id, asked.matching(block)?.len());
            }
            Ok(())
        })
        .await?;
        Ok(tally)
    }
}

/// The stored fact with every column of its kind, then its attributes under `attributes`.
fn row(columns: &[&str], mut fact: Value, source: String, first_sync: i64) -> Map<String, Value> {
    let mut row = Map::with_capacity(columns.len() + 3);
    for column in columns {
        let (field, within) = columns::path(column);
        let found = fact.get_mut(field).and_then(|found| match within {
            Some(within) => found.get_mut(within),
            None => Some(found),
        });
        let value = found.map(Value::take).unwrap_or_default();
        row.insert((*column).to_owned(), value);
    }
    if let Some(attributes) = fact.get_mut("attributes") {
        row.insert("attributes".to_owned(), attributes.take());
    }
    row.insert("source".to_owned(), source.into());
    row.insert("first_sync".to_owned(), first_sync.into());
    row
}
