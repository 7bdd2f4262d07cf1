//! The differences of a span as a list that can be entered anywhere: found once, without facts, so
//! that any window of them costs the facts of that window alone.
//!
//! Holds row numbers, 32 bytes for each difference, and goes stale with the next sync or retention.

use super::walk::{BATCH, Found, Walk};
use super::{DiffQuery, Span, Store, StoreError, Unread};
use crate::views::{DiffCount, DiffRow, Difference};
use lastkey_contract::Kind;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroI64;
use std::ops::ControlFlow;

/// Every difference between two moments, in the order in which `diff` tells them.
pub struct DiffList {
    query: DiffQuery,
    sources: HashMap<i64, String>,
    kinds: Vec<(Kind, Vec<Kept>)>,
}

/// Which of the differences are wanted; everything where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    pub kind: Option<Kind>,
    pub what: Option<Difference>,
    pub source: Option<String>,
}

/// A difference as it is kept. No row has the number 0.
#[derive(Clone, Copy)]
struct Kept {
    before: Option<NonZeroI64>,
    after: Option<NonZeroI64>,
    sync: i64,
    source: u32,
    what: Difference,
}

impl Kept {
    fn of(found: &Found) -> Result<Kept, StoreError> {
        Ok(Kept {
            before: found.before.and_then(NonZeroI64::new),
            after: found.after.and_then(NonZeroI64::new),
            sync: found.sync,
            source: u32::try_from(found.source)
                .map_err(|_| StoreError::damaged(format!("source number {}", found.source)))?,
            what: found.what,
        })
    }

    fn found(self) -> Found {
        Found {
            what: self.what,
            source: i64::from(self.source),
            before: self.before.map(NonZeroI64::get),
            after: self.after.map(NonZeroI64::get),
            sync: self.sync,
        }
    }
}

impl DiffList {
    /// How many objects differ, by kind and source.
    pub fn counts(&self) -> Vec<DiffCount> {
        let mut counts: BTreeMap<(Kind, String), DiffCount> = BTreeMap::new();
        for (kind, kept) in &self.kinds {
            let mut of_source: HashMap<u32, DiffCount> = HashMap::new();
            for one in kept {
                of_source.entry(one.source).or_default().take(one.what);
            }
            for (source, count) in of_source {
                let source = self.name(source);
                let count = DiffCount {
                    kind: kind.word().to_owned(),
                    source: source.clone(),
                    ..count
                };
                counts.insert((*kind, source), count);
            }
        }
        counts.into_values().collect()
    }

    /// How many there are, and how many of them are wanted.
    pub fn amounts(&self, narrow: &Narrow) -> (u64, u64) {
        let all: usize = self.kinds.iter().map(|(_, kept)| kept.len()).sum();
        (all as u64, self.wanted(narrow).count() as u64)
    }

    fn name(&self, source: u32) -> String {
        let name = self.sources.get(&i64::from(source));
        name.cloned().unwrap_or_default()
    }

    fn wanted<'a>(&'a self, narrow: &'a Narrow) -> impl Iterator<Item = (Kind, Kept)> + 'a {
        let source = narrow.source.as_ref().map(|wanted| {
            let found = self.sources.iter().find(|(_, name)| *name == wanted);
            found.and_then(|(number, _)| u32::try_from(*number).ok())
        });
        self.kinds
            .iter()
            .filter(|(kind, _)| narrow.kind.is_none_or(|wanted| wanted == *kind))
            .flat_map(|(kind, kept)| kept.iter().map(|one| (*kind, *one)))
            .filter(move |(_, one)| {
                narrow.what.is_none_or(|what| what == one.what)
                    && source.is_none_or(|source| source == Some(one.source))
            })
    }
}

impl Store {
    /// Finds every difference between two moments; filters of the query are left aside.
    pub async fn diff_list(&self, query: &DiffQuery) -> Result<DiffList, StoreError> {
        self.check_moments(query).await?;
        let sources = self.source_names().await?;
        let unread = self.unread(query).await?;
        let mut kinds = Vec::new();
        let mut reading = self.readers().begin().await?;
        let walk = Walk {
            query,
            span: Span::of(query.from, query.to),
            sources: &sources,
            proofs: HashMap::new(),
        };
        for kind in query.kinds() {
            let of_kind: Vec<&Unread> = unread.iter().filter(|u| u.kind == kind).collect();
            let mut finding = walk.begin(&mut reading, kind).await?;
            let mut kept = Vec::new();
            while let Some(found) = walk.next(&mut reading, &mut finding, &of_kind).await? {
                for one in &found {
                    kept.push(Kept::of(one)?);
                }
            }
            if !kept.is_empty() {
                kept.shrink_to_fit();
                kinds.push((kind, kept));
            }
        }
        drop(reading);
        Ok(DiffList {
            query: DiffQuery {
                filters: Vec::new(),
                ..query.clone()
            },
            sources,
            kinds,
        })
    }

    /// A window of the differences that are wanted.
    pub async fn diff_list_window(
        &self,
        list: &DiffList,
        narrow: &Narrow,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<DiffRow>, StoreError> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let window = list.wanted(narrow).skip(from).take(limit as usize);
        let mut rows = Vec::new();
        self.told(list, window.collect(), |row| rows.push(row))
            .await?;
        Ok(rows)
    }

    /// A window of those wanted differences whose id or name holds a text, whatever its case, and
    /// how many they are. Reads the facts of all that are wanted.
    pub async fn diff_list_search(
        &self,
        list: &DiffList,
        narrow: &Narrow,
        text: &str,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<DiffRow>, u64), StoreError> {
        let text = text.to_lowercase();
        let (mut rows, mut matching) = (Vec::new(), 0u64);
        let mut wanted = list.wanted(narrow);
        loop {
            let batch: Vec<(Kind, Kept)> = wanted.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok((rows, matching));
            }
            self.told(list, batch, |row| {
                if !is_called(&row, &text) {
                    return;
                }
                if matching >= offset && rows.len() < limit as usize {
                    rows.push(row);
                }
                matching += 1;
            })
            .await?;
        }
    }

    async fn told(
        &self,
        list: &DiffList,
        window: Vec<(Kind, Kept)>,
        mut take: impl FnMut(DiffRow),
    ) -> Result<(), StoreError> {
        let mut reading = self.readers().begin().await?;
        let mut walk = Walk {
            query: &list.query,
            span: Span::of(list.query.from, list.query.to),
            sources: &list.sources,
            proofs: HashMap::new(),
        };
        let mut take = |row: DiffRow| -> Result<ControlFlow<()>, StoreError> {
            take(row);
            Ok(ControlFlow::Continue(()))
        };
        for of_kind in window.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((kind, _)) = of_kind.first() else {
                continue;
            };
            let batch = of_kind.iter().map(|(_, one)| one.found()).collect();
            let _whole = walk.give(&mut reading, *kind, batch, &mut take).await?;
        }
        Ok(())
    }
}

/// Whether the id or a name of an object holds a text that is in lower case.
fn is_called(row: &DiffRow, text: &str) -> bool {
    let named = ["display_name", "name", "email"]
        .into_iter()
        .filter_map(|column| row.fact.get(column)?.as_str());
    std::iter::once(row.id.as_str())
        .chain(named)
        .any(|name| name.to_lowercase().contains(text))
}
