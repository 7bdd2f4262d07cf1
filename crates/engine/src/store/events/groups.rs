//! Events of people with records in several sources: each person anew, over all its reads, where a
//! read or a decision has changed something of it.

use super::super::StoreError;
use super::super::blocks::Mark;
use super::super::names::Names;
use super::super::turns;
use super::find::{new_event, new_listed};
use super::said::{Reads, fill};
use super::sources::{Known, known};
use super::{NewEvent, Said, put};
use crate::lifecycle::events::{Compared, Earlier, Step, Told, events_between};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Marks all records of a source as changed: no person has a number below zero.
pub(super) const MARK_SOURCE: &str =
    "UPDATE lifecycle_groups SET person = -abs(person) WHERE source = ?1";
/// How many people are looked at in one transaction.
const WINDOW: i64 = 2_000;

/// Records that count otherwise than they were looked at: in another person, in one at last, or in
/// none any more, and then with no person.
const CHANGED: &str = "
 SELECT p.source, p.id, p.person FROM person_records p
 LEFT JOIN lifecycle_groups g ON g.source = p.source AND g.id = p.id WHERE g.person IS NOT p.person
 UNION ALL
 SELECT g.source, g.id, NULL FROM lifecycle_groups g
 LEFT JOIN person_records p ON p.source = g.source AND p.id = g.id WHERE p.person IS NULL";

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Something,
    Nothing,
}

/// A record: source and id.
type Record = (i64, String);

/// The numbers of the keys of a source's records that belong to people with several.
pub(super) async fn grouped(
    connection: &mut SqliteConnection,
    source: i64,
    names: Names,
) -> Result<HashSet<i64>, StoreError> {
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM person_records WHERE source = ?1")
        .bind(source)
        .fetch_all(connection)
        .await?;
    Ok(ids.iter().map(|id| names.key(Kind::Identity, id)).collect())
}

/// Marks records as changed.
pub(super) async fn mark(
    connection: &mut SqliteConnection,
    source: i64,
    ids: &[&str],
) -> Result<(), StoreError> {
    for id in ids {
        sqlx::query(
            "UPDATE lifecycle_groups SET person = -abs(person) WHERE source = ?1 AND id = ?2",
        )
        .bind(source)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn due(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let sql = format!("SELECT EXISTS ({CHANGED})");
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(connection)
        .await?)
}

/// Looks at the next people of whom something has changed.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    names: Names,
) -> Result<Left, StoreError> {
    let sql = format!("{CHANGED} LIMIT {WINDOW}");
    let changed: Vec<(i64, String, Option<i64>)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(&mut *connection)
        .await?;
    if changed.is_empty() {
        return Ok(Left::Nothing);
    }
    let mut people: BTreeMap<i64, Vec<Record>> = BTreeMap::new();
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for (source, id, person) in changed {
        // Whomever it was counted with before is another person now, too.
        let with = with(&mut *connection, source, &id).await?;
        for person in with.into_iter().chain(person) {
            people.entry(person).or_default();
        }
        if person.is_none() {
            drop_group(&mut *connection, source, &id).await?;
            groups.push(vec![(source, id)]);
        }
    }
    for (person, records) in &mut people {
        *records = sqlx::query_as(
            "SELECT source, id FROM person_records WHERE person = ?1 ORDER BY source, id",
        )
        .bind(person)
        .fetch_all(&mut *connection)
        .await?;
        for (source, id) in records {
            sqlx::query(
                "INSERT INTO lifecycle_groups (source, id, person) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source, id) DO UPDATE SET person = excluded.person",
            )
            .bind(*source)
            .bind(id.as_str())
            .bind(person)
            .execute(&mut *connection)
            .await?;
        }
    }
    groups.extend(people.into_values());
    look_at(connection, &groups, names).await?;
    Ok(Left::Something)
}

/// The people that a record was counted with when it was last looked at.
async fn with(
    connection: &mut SqliteConnection,
    source: i64,
    id: &str,
) -> Result<Vec<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT p.person FROM lifecycle_groups g
         JOIN lifecycle_groups o ON abs(o.person) = abs(g.person)
         JOIN person_records p ON p.source = o.source AND p.id = o.id
         WHERE g.source = ?1 AND g.id = ?2",
    )
    .bind(source)
    .bind(id)
    .fetch_all(connection)
    .await?)
}

async fn drop_group(
    connection: &mut SqliteConnection,
    source: i64,
    id: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM lifecycle_groups WHERE source = ?1 AND id = ?2")
        .bind(source)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// What tells the records of a person apart whatever order they came in: the name and number of the
/// source, and the id.
pub(super) type Name<'a> = (&'a str, i64, &'a str);

/// One record of a person through time.
pub(super) struct Course<'a> {
    pub name: Name<'a>,
    pub reads: &'a [Known],
    pub forms: Vec<(Mark, Identity)>,
}

/// What a record does at the moment of a read.
struct Turn<'a> {
    at: DateTime<Utc>,
    step: Step,
    name: Name<'a>,
}

impl Course<'_> {
    fn at(&self, sync: i64) -> Option<&Identity> {
        let form = self.forms.iter().find(|(v, _)| turns::stood_at(v, sync));
        form.map(|(_, identity)| identity)
    }

    /// What the last complete read shows by another record's turn. At one and the same moment the
    /// records step in an order of their own, and not in that in which their sources were read.
    fn by(&self, turn: &Turn<'_>) -> Option<&Identity> {
        let last = self.reads.iter().rfind(|read| read.read.at <= turn.at)?;
        let now = self.at(last.read.sync);
        if last.read.at < turn.at {
            return now;
        }
        // Of the first read nobody can tell whether anything happened at its moment.
        let Some(past) = self.reads.iter().rfind(|read| read.read.at < turn.at) else {
            return now;
        };
        let before = self.at(past.read.sync);
        match (Step::of(before, now), self.name) < (turn.step, turn.name) {
            true => now,
            false => before,
        }
    }
}

async fn look_at(
    connection: &mut SqliteConnection,
    groups: &[Vec<Record>],
    names: Names,
) -> Result<(), StoreError> {
    let mut keys: BTreeMap<i64, HashSet<i64>> = BTreeMap::new();
    for (source, id) in groups.iter().flatten() {
        keys.entry(*source)
            .or_default()
            .insert(names.key(Kind::Identity, id));
    }
    let mut reads: HashMap<i64, Vec<Known>> = HashMap::new();
    let mut versions: HashMap<(i64, i64), Vec<Mark>> = HashMap::new();
    let mut rows = Vec::new();
    for (source, keys) in &keys {
        reads.insert(*source, known(&mut *connection, *source).await?);
        let until = i64::MAX;
        let found = turns::versions(&mut *connection, Kind::Identity, *source, until, keys).await?;
        rows.extend(found.values().flatten().map(|version| version.row));
        versions.extend(found.into_iter().map(|(key, list)| ((*source, key), list)));
    }
    let mut facts: HashMap<i64, Identity> = turns::facts(&mut *connection, &rows).await?;
    let sources: HashMap<i64, String> = sqlx::query_as("SELECT id, name FROM sources")
        .fetch_all(&mut *connection)
        .await?
        .into_iter()
        .collect();
    for group in groups {
        let courses: Vec<Course<'_>> = group
            .iter()
            .map(|(source, id)| {
                let reads = reads.get(source).map(Vec::as_slice).unwrap_or_default();
                let mut forms: Vec<(Mark, Identity)> = versions
                    .remove(&(*source, names.key(Kind::Identity, id)))
                    .into_iter()
                    .flatten()
                    .filter_map(|version| Some((version, facts.remove(&version.row)?)))
                    .collect();
                fill(&mut forms, &Reads::of(reads));
                let of = sources.get(source).map_or("", String::as_str);
                Course {
                    name: (of, *source, id.as_str()),
                    reads,
                    forms,
                }
            })
            .collect();
        for (place, (source, id)) in group.iter().enumerate() {
            sqlx::query("DELETE FROM lifecycle_events WHERE identity = ?1 AND source = ?2 AND owner IS NULL")
                .bind(id)
                .bind(source)
                .execute(&mut *connection)
                .await?;
            let events = events_of(&courses, place);
            put(&mut *connection, *source, &events).await?;
        }
    }
    Ok(())
}

/// The events of one record of a person, beside the others.
pub(super) fn events_of(courses: &[Course<'_>], place: usize) -> Vec<NewEvent> {
    let Some(own) = courses.get(place) else {
        return Vec::new();
    };
    let others_by = |turn: &Turn<'_>| -> Vec<&Identity> {
        let others = courses.iter().enumerate().filter(|(n, _)| *n != place);
        others.filter_map(|(_, course)| course.by(turn)).collect()
    };
    let mut events = Vec::new();
    for (before, after) in own.reads.iter().zip(own.reads.iter().skip(1)) {
        let (old, new) = (own.at(before.read.sync), own.at(after.read.sync));
        // Most reads show nothing new of anybody.
        if old == new {
            continue;
        }
        let turn = Turn {
            at: after.read.at,
            step: Step::of(old, new),
            name: own.name,
        };
        let forms = own
            .forms
            .iter()
            .filter(|(v, _)| v.first <= before.read.sync);
        let found = events_between(&Compared {
            before: old,
            after: new,
            earlier: forms.fold(Earlier::Never, |earlier, (_, form)| earlier.and(form)),
            others: &others_by(&turn),
            told: Told::of(&before.having, &after.having),
            read_before: before.read.at,
            read_after: after.read.at,
        });
        if let Some(last) = new.or(old) {
            let new = |found| new_event(last, found, after.read.sync, Said::Happened);
            events.extend(found.into_iter().map(new));
        }
    }
    if let Some(latest) = own.reads.last()
        && let Some(identity) = own.at(latest.read.sync)
    {
        let others: Vec<&Identity> = courses
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != place)
            .filter_map(|(_, course)| course.at(course.reads.last()?.read.sync))
            .collect();
        events.extend(new_listed(identity, &others, latest.read.sync));
    }
    events
}
