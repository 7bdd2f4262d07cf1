//! Sources that had one name after each other: one was removed, and another was added under its
//! name. What the earlier one told of an object is what the object had before.

use super::ground::SourceRows;
use std::collections::{BTreeMap, HashMap};

/// The sources of names that were given more than once; of a moment.
#[derive(Default)]
pub(super) struct Lineage {
    /// By source row, its place in `names`.
    of: HashMap<i64, usize>,
    /// The rows of each name in order, and the one that is there.
    names: Vec<(Vec<i64>, Option<i64>)>,
}

impl Lineage {
    pub fn new(sources: &SourceRows) -> Lineage {
        let mut named: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for (row, name) in &sources.names {
            named.entry(name).or_default().push(*row);
        }
        let mut lineage = Lineage::default();
        for (name, mut rows) in named {
            if rows.len() > 1 {
                rows.sort_unstable();
                let place = lineage.names.len();
                lineage.of.extend(rows.iter().map(|row| (*row, place)));
                let there = sources.rows.get(name).copied();
                lineage.names.push((rows, there));
            }
        }
        lineage
    }

    fn name(&self, source: i64) -> Option<&(Vec<i64>, Option<i64>)> {
        self.names.get(*self.of.get(&source)?)
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The first source of its name.
    pub fn first(&self, source: i64) -> i64 {
        let first = self.name(source).and_then(|(rows, _)| rows.first());
        first.copied().unwrap_or(source)
    }

    /// The source that has its name now.
    pub fn now(&self, source: i64) -> i64 {
        self.name(source)
            .and_then(|(_, now)| *now)
            .unwrap_or(source)
    }

    /// All sources of its name.
    pub fn all(&self, source: i64) -> Vec<i64> {
        let all = self.name(source).map(|(rows, _)| rows.clone());
        all.unwrap_or_else(|| vec![source])
    }
}
