//! Tables `persons` and `person_records`: who has records in several sources.
//!
//! Derived from decisions and rules, but for the numbers: a person keeps the number that it was
//! first given, which stays with the record that led it then, through splits and merges.
//! A record that stands alone is a person of its own and has no row.

use super::blocks::At;
use super::decisions::{About, Decision, RecordName, in_force};
use super::ground::{SeenThen, SourceRows, source_rows};
use super::link_gather::persons_then;
use super::{Store, StoreError, SyncId, link_rules, links, roster};
use crate::access::PerhapsOne;
use crate::correlate::{
    DECISION, DoubtedJoin, Identities, JoinedPerson, PersonDecision, PersonDoubt, Persons, Says,
    Seen,
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, HashMap, HashSet};

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
CREATE TABLE person_doubts (
  id INTEGER PRIMARY KEY,
  rule TEXT NOT NULL,
  reason TEXT NOT NULL,
  records TEXT NOT NULL,
  count INTEGER NOT NULL
) STRICT;
";

async fn listed(connection: &mut SqliteConnection) -> Result<Persons, StoreError> {
    let rows: Vec<(i64, String, u32, u32)> =
        sqlx::query_as("SELECT source, id, person, place FROM person_records")
            .fetch_all(connection)
            .await?;
    Ok(Persons::new(rows))
}

/// Records of persons with several that no source lists now: what names them leads to the person.
pub(super) async fn not_listed(
    connection: &mut SqliteConnection,
) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT r.source, r.id FROM person_records r
         WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.source = r.source AND p.id = r.id)",
    )
    .fetch_all(connection)
    .await?)
}

/// Who has several records at a moment: of an earlier one found anew from the facts of then, by the
/// rules and decisions of now. A person that was joined then may be two by now. Of now as well, where
/// a read has ended and nobody has been joined since. With that, which records could be one person's.
pub(super) async fn at_moment(
    connection: &mut SqliteConnection,
    at: At,
) -> Result<(Persons, Vec<PersonDoubt>), StoreError> {
    let made = match at {
        At::Now | At::Ever => links::are_made(connection).await?,
        At::Sync(_) => false,
    };
    if made {
        // The list of doubts names no more than a few of many.
        let doubted: Option<i64> = sqlx::query_scalar("SELECT id FROM person_doubts LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
        if doubted.is_none() && !any_removed(connection).await? {
            return Ok((listed(connection).await?, Vec::new()));
        }
    }
    let then = source_rows(connection, at).await?;
    persons_then(connection, at, &then).await
}

/// Whether any source was removed: what it told last still counts, and no table has that.
async fn any_removed(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let sources = source_rows(connection, At::Now).await?;
    Ok(!sources.removed.is_empty())
}

impl Store {
    /// Whether any rule or decision says which records are one person.
    pub(crate) async fn joins_persons(&self) -> Result<bool, StoreError> {
        let mut connection = self.readers().acquire().await?;
        let (_, rules) = link_rules::in_force(&mut connection).await?;
        if !rules.rules.is_empty() {
            return Ok(true);
        }
        let sources = source_rows(&mut connection, At::Now).await?;
        Ok(!decided(&mut connection, &sources).await?.is_empty())
    }

    /// Who has several records, as decisions and rules have it now.
    pub async fn persons(&self) -> Result<Persons, StoreError> {
        listed(&mut *self.readers().acquire().await?).await
    }

    /// The records of each record's person as of a sync, those first whose attributes went first.
    pub async fn records_of_then(
        &self,
        records: &[RecordName],
        sync: SyncId,
    ) -> Result<Vec<Vec<RecordName>>, StoreError> {
        let at = At::of(Some(sync));
        let mut reading = self.readers().begin().await?;
        let (persons, _) = at_moment(&mut reading, at).await?;
        let sources = source_rows(&mut reading, at).await?;
        drop(reading);
        let of = |record: &RecordName| {
            let Some(source) = sources.rows.get(&record.source) else {
                return vec![record.clone()];
            };
            let is_there = |(of, id): &(i64, &str)| {
                !sources.removed.contains_key(of) || (of, *id) == (source, record.id.as_str())
            };
            let all = persons.with(*source, &record.id).into_iter();
            all.filter(is_there)
                .map(|(source, id)| RecordName {
                    source: sources.names.get(&source).cloned().unwrap_or_default(),
                    id: id.to_owned(),
                })
                .collect()
        };
        Ok(records.iter().map(of).collect())
    }

    /// The records of a record's person, those first whose attributes go first, and what joined
    /// each; only itself, joined by nothing, where the person has no other.
    pub async fn records_of(
        &self,
        record: &RecordName,
    ) -> Result<Vec<(RecordName, Option<String>)>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT o.name, r.id, r.how FROM sources s
             JOIN person_records m ON m.source = s.id AND m.id = ?2
             JOIN person_records r ON r.person = m.person JOIN sources o ON o.id = r.source
             WHERE s.name = ?1 AND s.removed_at IS NULL ORDER BY r.place",
        )
        .bind(&record.source)
        .bind(&record.id)
        .fetch_all(self.readers())
        .await?;
        if rows.is_empty() {
            return Ok(vec![(record.clone(), None)]);
        }
        let named = |(source, id, how)| (RecordName { source, id }, Some(how));
        Ok(rows.into_iter().map(named).collect())
    }

    /// The rows of current records that do not go first among those of their person, each with
    /// the row of the one that does.
    pub(super) async fn second_records(&self) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows: Vec<(u32, i64)> = sqlx::query_as(
            "SELECT r.person, p.object FROM person_records r
             JOIN people p ON p.source = r.source AND p.id = r.id ORDER BY r.person, r.place",
        )
        .fetch_all(self.readers())
        .await?;
        let of_one = rows.chunk_by(|(a, _), (b, _)| a == b);
        Ok(of_one
            .filter_map(<[_]>::split_first)
            .flat_map(|((_, lead), others)| others.iter().map(|(_, object)| (*object, *lead)))
            .collect())
    }
}

/// The decisions about persons, of each pair the latest, with what was known of both.
pub(super) async fn decided(
    connection: &mut SqliteConnection,
    sources: &SourceRows,
) -> Result<Vec<(PersonDecision, SeenThen)>, StoreError> {
    let mut pairs: BTreeMap<(RecordName, RecordName), (i64, Vec<PersonDecision>, SeenThen)> =
        BTreeMap::new();
    // A name may be of a source that is there and of some that were removed: what is decided of a
    // record holds of whichever of them listed it.
    let mut rows: HashMap<&str, Vec<i64>> = HashMap::new();
    let live: HashSet<i64> = sources.rows.values().copied().collect();
    for (row, name) in &sources.names {
        if live.contains(row) || sources.removed.contains_key(row) {
            rows.entry(name).or_default().push(*row);
        }
    }
    for rows in rows.values_mut() {
        rows.sort_unstable();
    }
    for row in in_force(connection, About::Persons).await? {
        let (a, b, says) = match row.decision() {
            Some(Decision::Same(a, b)) => (a, b, Says::Same),
            Some(Decision::Apart(a, b)) => (a, b, Says::Apart),
            Some(Decision::Of(..) | Decision::Nobodys(_)) | None => continue,
        };
        let of = |record: &RecordName| -> Vec<(i64, String)> {
            let rows = rows.get(record.source.as_str()).into_iter().flatten();
            rows.map(|row| (*row, record.id.clone())).collect()
        };
        let (first, second) = (of(&a), of(&b));
        let each = first.iter().flat_map(|first| {
            let both = second.iter().map(|second| [first.clone(), second.clone()]);
            both.map(|records| PersonDecision { says, records })
        });
        let each: Vec<PersonDecision> = each.collect();
        let pair = (a.clone().min(b.clone()), a.max(b));
        pairs.insert(pair, (row.id, each, SeenThen::of(&row.seen)));
    }
    let mut decided: Vec<_> = pairs.into_values().collect();
    decided.sort_by_key(|(id, _, _)| *id);
    let each = decided.into_iter().flat_map(|(_, each, seen)| {
        let each = each.into_iter();
        each.map(move |one| (one, seen.clone()))
    });
    Ok(each.collect())
}

/// The decisions that hold, and those of which a record seems to be somebody else's by now: that two
/// are one is open again then.
pub(super) fn still_held(
    decided: Vec<(PersonDecision, SeenThen)>,
    now: &HashMap<(i64, String), Seen>,
) -> (Vec<PersonDecision>, Vec<PersonDoubt>) {
    let (mut held, mut open) = (Vec::new(), Vec::new());
    for (decision, then) in decided {
        let [a, b] = &decision.records;
        let another = |record: &(i64, String), then: &Seen| {
            now.get(record).is_some_and(|now| then.is_another(now))
        };
        match another(a, &then.identity) || another(b, &then.other) {
            false => held.push(decision),
            true if decision.says == Says::Same => open.push(PersonDoubt {
                rule: DECISION.to_owned(),
                reason: DoubtedJoin::GivenOn,
                records: decision.records.to_vec(),
                apart: Vec::new(),
            }),
            true => {}
        }
    }
    (held, open)
}

/// Without the records of sources that were removed.
pub(super) fn still_there(joined: Vec<JoinedPerson>, sources: &HashSet<i64>) -> Vec<JoinedPerson> {
    let left = joined.into_iter().map(|JoinedPerson { mut records }| {
        records.retain(|(source, _, _)| sources.contains(source));
        JoinedPerson { records }
    });
    left.filter(|person| person.records.len() > 1).collect()
}

/// Who has several records, under numbers that hold for no longer than this.
pub(super) fn numbered(joined: &[JoinedPerson]) -> Persons {
    let all = (0..).zip(joined).flat_map(|(person, joined)| {
        let records = (0..).zip(&joined.records);
        records.map(move |(place, (source, id, _))| (*source, id.clone(), person, place))
    });
    Persons::new(all)
}

/// A doubt with whom its records are of, by `whose`.
pub(super) fn perhaps_one<T: Ord>(
    known: &Identities,
    doubt: &PersonDoubt,
    whose: impl Fn(u32) -> T,
) -> PerhapsOne<T> {
    let records = doubt.records.iter().map(|(source, id)| {
        let name = format!("{}:{id}", known.name_of_source(*source));
        (name, known.listed(*source, id).map(&whose))
    });
    PerhapsOne::new(records.collect(), &doubt.apart)
}

/// How many records the list of doubts names.
const NAMED: usize = 20;

/// Replaces what differs.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    joined: Vec<JoinedPerson>,
    doubts: &[PersonDoubt],
    sources: &SourceRows,
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
    let name_of = |source: i64| sources.names.get(&source).map_or("", String::as_str);
    let mut rows: Vec<(i64, String, u32, u32, String)> = Vec::new();
    let mut fresh: Vec<(i64, String, String)> = Vec::new();
    for JoinedPerson { records } in joined {
        let numbers = records
            .iter()
            .filter_map(|(source, id, _)| known.get(&(name_of(*source), id.as_str())));
        let person = match (numbers.min(), records.first()) {
            (Some(number), _) => *number,
            (None, Some((source, id, _))) => {
                fresh.push((next, name_of(*source).to_owned(), id.clone()));
                next += 1;
                next - 1
            }
            (None, None) => continue,
        };
        let person = u32::try_from(person).unwrap_or(u32::MAX);
        for (place, (source, id, how)) in (0..).zip(records) {
            rows.push((source, id, person, place, how));
        }
    }
    rows.sort_unstable();
    let stored: Vec<(i64, String, u32, u32, String)> = sqlx::query_as(
        "SELECT source, id, person, place, how FROM person_records ORDER BY source, id",
    )
    .fetch_all(&mut *connection)
    .await?;
    if stored != rows {
        // Lists show each person once.
        roster::changed(connection).await?;
        for part in fresh.chunks(1000) {
            let mut insert =
                QueryBuilder::<Sqlite>::new("INSERT INTO persons (id, source, record) ");
            insert.push_values(part, |mut values, (id, source, record)| {
                values
                    .push_bind(*id)
                    .push_bind(source.as_str())
                    .push_bind(record.as_str());
            });
            insert.build().execute(&mut *connection).await?;
        }
        sqlx::query("DELETE FROM person_records")
            .execute(&mut *connection)
            .await?;
        for part in rows.chunks(1000) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO person_records (source, id, person, place, how) ",
            );
            insert.push_values(part, |mut values, (source, id, person, place, how)| {
                values
                    .push_bind(*source)
                    .push_bind(id.as_str())
                    .push_bind(*person)
                    .push_bind(*place)
                    .push_bind(how.as_str());
            });
            insert.build().execute(&mut *connection).await?;
        }
    }
    sqlx::query("DELETE FROM person_doubts")
        .execute(&mut *connection)
        .await?;
    for doubt in doubts {
        let names = doubt.records.iter().take(NAMED);
        let names: Vec<String> = names
            .map(|(s, id)| format!("{}:{id}", name_of(*s)))
            .collect();
        sqlx::query(
            "INSERT INTO person_doubts (rule, reason, records, count) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(&doubt.rule)
        .bind(doubt.reason.word())
        .bind(serde_json::to_string(&names)?)
        .bind(i64::try_from(doubt.records.len()).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
