//! Tables `persons` and `person_records`: who has records in several sources.
//!
//! Derived from decisions and rules, but for the numbers: a person keeps the number that it was
//! first given, which stays with the record that led it then, through splits and merges.
//! A record that stands alone is a person of its own and has no row.

use super::decisions::{About, Decision, RecordName, in_force};
use super::{Store, StoreError};
use crate::correlate::{Groups, Persons};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, HashMap};

pub(super) const MIGRATION: &str = "
CREATE TABLE persons (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (source, record)
) STRICT;
CREATE TABLE person_records (
  source INTEGER NOT NULL,
  id TEXT NOT NULL,
  person INTEGER NOT NULL,
  place INTEGER NOT NULL,
  how TEXT NOT NULL,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_records_by_person ON person_records (person, place);
";

impl Store {
    /// Who has several records, as decisions and rules have it now.
    pub async fn persons(&self) -> Result<Persons, StoreError> {
        let rows: Vec<(i64, String, u32, u32)> =
            sqlx::query_as("SELECT source, id, person, place FROM person_records")
                .fetch_all(self.readers())
                .await?;
        Ok(Persons::new(rows))
    }
}

/// Makes the persons anew from what is decided.
pub(super) async fn settle(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let sources: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, name FROM sources WHERE removed_at IS NULL ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
    let source_of: HashMap<&str, i64> = sources.iter().map(|(id, n)| (n.as_str(), *id)).collect();
    // Of each pair the latest decision counts.
    let mut pairs: BTreeMap<(RecordName, RecordName), (i64, Decision)> = BTreeMap::new();
    for row in in_force(connection, About::Persons).await? {
        let Some(decision) = row.decision() else {
            continue;
        };
        if let Decision::Same(a, b) | Decision::Apart(a, b) = &decision {
            let pair = (a.min(b).clone(), a.max(b).clone());
            pairs.insert(pair, (row.id, decision));
        }
    }
    let mut numbers: BTreeMap<(i64, &str), u32> = BTreeMap::new();
    for (a, b) in pairs.keys() {
        for record in [a, b] {
            if let Some(source) = source_of.get(record.source.as_str()) {
                numbers.insert((*source, record.id.as_str()), 0);
            }
        }
    }
    for (number, slot) in (0..).zip(numbers.values_mut()) {
        *slot = number;
    }
    let number = |record: &RecordName| {
        let source = source_of.get(record.source.as_str())?;
        numbers.get(&(*source, record.id.as_str())).copied()
    };
    let mut ordered: Vec<&(i64, Decision)> = pairs.values().collect();
    ordered.sort_by_key(|(id, _)| *id);
    let apart: Vec<(u32, u32)> = ordered
        .iter()
        .filter_map(|(_, decision)| match decision {
            Decision::Apart(a, b) => Some((number(a)?, number(b)?)),
            Decision::Same(..) | Decision::Of(..) | Decision::Nobodys(_) => None,
        })
        .collect();
    let mut groups = Groups::new(u32::try_from(numbers.len()).unwrap_or(u32::MAX), &apart);
    for (_, decision) in ordered {
        if let Decision::Same(a, b) = decision
            && let (Some(a), Some(b)) = (number(a), number(b))
        {
            groups.join(a, b);
        }
    }
    let records: Vec<(i64, &str)> = numbers.keys().copied().collect();
    let groups: Vec<Vec<(i64, &str)>> = groups
        .several()
        .into_iter()
        .map(|group| {
            let of = |n: u32| records.get(n as usize).copied();
            group.into_iter().filter_map(of).collect()
        })
        .collect();
    let names: HashMap<i64, &str> = sources.iter().map(|(id, n)| (*id, n.as_str())).collect();
    write(connection, &groups, &names).await
}

/// Replaces the rows; each group's records stand in the order of their places.
async fn write(
    connection: &mut SqliteConnection,
    groups: &[Vec<(i64, &str)>],
    source_names: &HashMap<i64, &str>,
) -> Result<(), StoreError> {
    let known: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT id, source, record FROM persons ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
    let mut next = known.last().map_or(1, |(id, _, _)| id + 1);
    let known: HashMap<(&str, &str), i64> = known
        .iter()
        .map(|(id, source, record)| ((source.as_str(), record.as_str()), *id))
        .collect();
    let name_of = |source: i64| source_names.get(&source).copied().unwrap_or_default();
    let mut rows: Vec<(i64, &str, i64, i64)> = Vec::new();
    let mut fresh: Vec<(i64, &str, &str)> = Vec::new();
    for group in groups {
        let numbers = group
            .iter()
            .filter_map(|(source, id)| known.get(&(name_of(*source), *id)));
        let person = match (numbers.min(), group.first()) {
            (Some(number), _) => *number,
            (None, Some((source, id))) => {
                fresh.push((next, name_of(*source), id));
                next += 1;
                next - 1
            }
            (None, None) => continue,
        };
        for (place, (source, id)) in (0..).zip(group) {
            rows.push((*source, id, person, place));
        }
    }
    sqlx::query("DELETE FROM person_records")
        .execute(&mut *connection)
        .await?;
    for part in fresh.chunks(1000) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO persons (id, source, record) ");
        insert.push_values(part, |mut values, (id, source, record)| {
            values.push_bind(*id).push_bind(*source).push_bind(*record);
        });
        insert.build().execute(&mut *connection).await?;
    }
    for part in rows.chunks(1000) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO person_records (source, id, person, place, how) ",
        );
        insert.push_values(part, |mut values, (source, id, person, place)| {
            values
                .push_bind(*source)
                .push_bind(*id)
                .push_bind(*person)
                .push_bind(*place)
                .push_bind("decision");
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}
