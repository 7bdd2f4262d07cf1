//! Owners and holders of accounts whom no source lists now: who they were, by the last version.

use super::super::StoreError;
use super::super::blocks::{self, At, Columns, Which};
use super::super::ground::source_rows;
use super::super::names::NumberSet;
use super::super::outline::IdentityOutline;
use super::asked::Asked;
use super::known::{Known, id_numbers, record_number};
use super::meant::person;
use crate::ownership::OwnerState;
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

impl Known {
    /// Whom owner lines name and whose accounts were asked for, of those whom no source lists now.
    /// Whoever managed them is in their last version.
    pub(super) async fn read_gone(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &Asked,
        numbers: &mut HashMap<i64, usize>,
    ) -> Result<(), StoreError> {
        let mut owners = NumberSet::default();
        for line in self.lines.values().flatten() {
            if self.people.referred(&line.owner_id, line.source).is_empty() {
                owners.extend(id_numbers(self.names, &line.owner_id));
            }
        }
        let holders = asked.records.iter();
        let holders: NumberSet = holders.filter_map(|r| self.gone.get(r)).copied().collect();
        if owners.is_empty() && holders.is_empty() {
            return Ok(());
        }
        let live: HashSet<i64> = source_rows(&mut *reading, At::Now)
            .await?
            .rows
            .into_values()
            .collect();
        // The last row of each, and none of those that are listed.
        let mut last: HashMap<(i64, i64), Option<i64>> = HashMap::new();
        let ever = Which::ever(Kind::Identity);
        blocks::each(&mut *reading, &ever, Columns::Keys, |block| {
            for place in block.places() {
                let Some(key) = block.keys.get(place) else {
                    continue;
                };
                let owner = owners.contains(key);
                if owner {
                    self.once.insert(*key);
                }
                if !live.contains(&block.source) || !(owner || holders.contains(key)) {
                    continue;
                }
                let row = block.row(place);
                let newest = last.entry((block.source, *key)).or_insert(Some(row));
                *newest = match block.ended_sync(place) {
                    Some(_) => newest.map(|newest| newest.max(row)),
                    None => None,
                };
            }
            Ok(())
        })
        .await?;
        let mut rows: Vec<i64> = last.into_values().flatten().collect();
        rows.sort_unstable();
        let (names, sources, people) = (self.names, &self.sources, &mut self.people);
        blocks::of_rows(&mut *reading, &rows, Columns::Outlined, |block, place| {
            let one: IdentityOutline<'_> = block.outline(place)?;
            let record = record_number(names, block.source, &one.id);
            let person = person(sources, block.source, &one, OwnerState::Absent);
            numbers.insert(record, people.add_gone(person));
            Ok(())
        })
        .await
    }
}
