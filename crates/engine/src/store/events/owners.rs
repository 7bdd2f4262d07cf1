//! Changes of owners: what complete reads of owner lines and decisions of people show. How the text
//! is read where it leaves a choice: docs/decisions/lifecycle-events.md.
//!
//! Table `owner_reads` says which reads of owner lines have been looked at and, without a source,
//! up to which decision. Promises: an event only where the owners in a role are others than before,
//! taken over all sources and decisions; none about what has appeared or gone itself.

use super::super::names::{Names, NumberSet};
use super::super::ownership::{
    NO_SOURCE, OwnerDecision, OwnerVerdict, decisions_after, decisions_on,
};
use super::super::{StoreError, SyncId, turns};
use super::meant::Meant;
use super::owner_lines::{Lines, Told, lines, object_numbers, object_of, owners_in, there};
use super::{NewEvent, Said, kept, moment, put};
use crate::lifecycle::events::FoundEvent;
use crate::ownership::ObjectName;
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::{LifecycleEvent, ObjectType, Owner, OwnerRole};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(in super::super) const MIGRATION: &str = "
ALTER TABLE lifecycle_events ADD COLUMN owner TEXT;
CREATE TABLE owner_reads (
  source INTEGER NOT NULL,
  read INTEGER NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (source, read)
) STRICT, WITHOUT ROWID;
";

/// How many decisions are looked at in one transaction.
const WINDOW: u32 = 5_000;

/// Whose owner changed, and from whom to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChange {
    /// In the form in which arguments name it: `credential:SYSTEM:ID`.
    pub object: String,
    pub role: String,
    /// With their sources, where it is known who is meant; none where nobody had the role.
    pub before: Vec<String>,
    pub after: Vec<String>,
    /// Who decided it; none where a source says so.
    pub by: Option<String>,
}

/// What is to be looked at next.
#[derive(Clone, Debug)]
pub(super) enum Due {
    Read {
        source: i64,
        before: Option<(i64, DateTime<Utc>)>,
        after: (i64, DateTime<Utc>),
    },
    /// Decisions after this one.
    Decisions { after: i64 },
}

pub(super) async fn due(connection: &mut SqliteConnection) -> Result<Option<Due>, StoreError> {
    let read: Option<(i64, i64, String)> = sqlx::query_as(
        "SELECT y.source, y.id, y.read_at FROM syncs y JOIN sync_kinds k ON k.sync = y.id
         WHERE k.kind = 'owner' AND k.complete = 1 AND y.ended_at IS NOT NULL
         AND y.id > coalesce((SELECT max(o.read) FROM owner_reads o WHERE o.source = y.source), 0)
         AND y.id >= coalesce((SELECT sync FROM horizons WHERE kind = 'owner'), 0)
         ORDER BY y.id LIMIT 1",
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some((source, sync, at)) = read {
        return Ok(Some(Due::Read {
            source,
            before: looked_at(&mut *connection, source).await?,
            after: (sync, moment(&at)?),
        }));
    }
    let last = looked_at(&mut *connection, NO_SOURCE).await?;
    let after = last.map_or(0, |(decision, _)| decision);
    let newer: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM owner_decisions WHERE id > ?1)")
            .bind(after)
            .fetch_one(connection)
            .await?;
    Ok(newer.then_some(Due::Decisions { after }))
}

/// The last of a source that was looked at.
async fn looked_at(
    connection: &mut SqliteConnection,
    source: i64,
) -> Result<Option<(i64, DateTime<Utc>)>, StoreError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "SELECT read, at FROM owner_reads WHERE source = ?1 ORDER BY read DESC LIMIT 1",
    )
    .bind(source)
    .fetch_optional(connection)
    .await?;
    row.map(|(read, at)| Ok((read, moment(&at)?))).transpose()
}

async fn keep_looked_at(
    connection: &mut SqliteConnection,
    source: i64,
    (read, at): (i64, DateTime<Utc>),
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO owner_reads (source, read, at) VALUES (?1, ?2, ?3)")
        .bind(source)
        .bind(read)
        .bind(kept(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Drops what rests on a sync that is taken back: its source is looked at anew.
pub(super) async fn take_back(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(), StoreError> {
    let source: Option<i64> =
        sqlx::query_scalar("SELECT source FROM owner_reads WHERE read = ?1 AND source <> ?2")
            .bind(sync.sql())
            .bind(NO_SOURCE)
            .fetch_optional(&mut *connection)
            .await?;
    let Some(source) = source else { return Ok(()) };
    for sql in [
        "DELETE FROM lifecycle_events WHERE source = ?1 AND owner IS NOT NULL",
        "DELETE FROM owner_reads WHERE source = ?1",
    ] {
        sqlx::query(sql)
            .bind(source)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn look_at(
    connection: &mut SqliteConnection,
    names: Names,
    due: &Due,
) -> Result<(), StoreError> {
    match due {
        Due::Read {
            source,
            before,
            after,
        } => {
            if let Some(before) = before {
                one_read(&mut *connection, names, *source, *before, *after).await?;
            }
            keep_looked_at(connection, *source, *after).await
        }
        Due::Decisions { after } => some_decisions(connection, names, *after).await,
    }
}

/// The owners of something, role by role.
pub(super) type Owners = BTreeMap<OwnerRole, BTreeSet<String>>;

/// The change of one role; None where it is the same people, however they are named.
fn change(
    object: &str,
    role: OwnerRole,
    before: &Owners,
    after: &Owners,
    by: Option<&str>,
) -> Option<OwnerChange> {
    let of = |owners: &Owners| distinct(owners.get(&role));
    let (before, after) = (of(before), of(after));
    let all_in = |some: &[String], others: &[String]| {
        some.iter()
            .all(|one| others.iter().any(|other| same(one, other)))
    };
    let changed = !all_in(&before, &after) || !all_in(&after, &before);
    changed.then(|| OwnerChange {
        object: object.to_owned(),
        role: role.word().to_owned(),
        before,
        after,
        by: by.map(str::to_owned),
    })
}

/// Whether two texts name one identity: a source's own lines have no source in front of the id.
fn same(one: &str, other: &str) -> bool {
    let with_source = |long: &str, id: &str| {
        long.strip_suffix(id)
            .is_some_and(|front| front.len() > 1 && front.ends_with(':'))
    };
    one == other || with_source(one, other) || with_source(other, one)
}

/// Each of them once, with its source where that is said anywhere.
fn distinct(owners: Option<&BTreeSet<String>>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for owner in owners.into_iter().flatten() {
        match names.iter_mut().find(|known| same(known, owner)) {
            Some(known) if known.len() < owner.len() => known.clone_from(owner),
            Some(_) => {}
            None => names.push(owner.clone()),
        }
    }
    names
}

/// Whoever answers for something: a custodian knows a credential and does not.
const ANSWERING: [OwnerRole; 3] = [
    OwnerRole::Business,
    OwnerRole::Technical,
    OwnerRole::Sponsor,
];

async fn one_read(
    connection: &mut SqliteConnection,
    names: Names,
    source: i64,
    (from, read_before): (i64, DateTime<Utc>),
    (to, read_after): (i64, DateTime<Utc>),
) -> Result<(), StoreError> {
    let differ = turns::between(&mut *connection, Kind::Owner, source, from, to).await?;
    let rows: Vec<i64> = differ.iter().filter_map(|t| t.after.or(t.before)).collect();
    let turned = turns::facts::<Owner>(&mut *connection, &rows).await?;
    let mut meant = Meant::new(&mut *connection, names).await?;
    let identities = turned
        .values()
        .filter(|owner| owner.object_type == ObjectType::Identity);
    let ids = identities.map(|owner| owner.object_id.as_str());
    meant.ask(&mut *connection, ids).await?;
    let objects = turned.values().map(object_of);
    let objects: BTreeSet<ObjectName> = objects.map(|o| meant.object(o, source, to)).collect();
    if objects.is_empty() {
        return Ok(());
    }
    let numbers: NumberSet = objects
        .iter()
        .flat_map(|o| object_numbers(names, o))
        .collect();
    let old = lines(&mut *connection, from, &numbers).await?;
    let new = lines(&mut *connection, to, &numbers).await?;
    for lines in [&old, &new] {
        meant.ask(&mut *connection, owners_in(lines)).await?;
    }
    let told = Told {
        names,
        meant: &meant,
        sync: to,
    };
    let there_before = there(&mut *connection, &told, objects.iter(), from).await?;
    let there_after = there(&mut *connection, &told, objects.iter(), to).await?;
    let mut events = Vec::new();
    for object in &objects {
        // What others say is taken as of this read: what they changed is their own event.
        let mut others = attested(&decisions_on(&mut *connection, object).await?, By::Sync(to));
        told.add(&new, object, &mut others, |line| line.source != source);
        let own = |lines: &Lines| {
            let mut owners = others.clone();
            told.add(lines, object, &mut owners, |line| line.source == source);
            owners
        };
        let (before, after) = (own(&old), own(&new));
        for role in ANSWERING {
            let Some(owner) = change(&object.argument(), role, &before, &after, None) else {
                continue;
            };
            // Somebody for something new is no change, nor nobody for something that is gone.
            let told = match (owner.before.is_empty(), owner.after.is_empty()) {
                (true, _) => there_before.contains(object),
                (_, true) => there_after.contains(object),
                (false, false) => true,
            };
            if told {
                let between = (read_before, read_after);
                events.push(new_event(object, role, owner, between, to));
            }
        }
    }
    put(connection, source, &events).await
}

fn new_event(
    object: &ObjectName,
    role: OwnerRole,
    owner: OwnerChange,
    (earliest, latest): (DateTime<Utc>, DateTime<Utc>),
    read: i64,
) -> NewEvent {
    NewEvent {
        identity: match object.kind {
            ObjectType::Identity => object.id.clone(),
            ObjectType::Account
            | ObjectType::Credential
            | ObjectType::Location
            | ObjectType::Entitlement => object.argument(),
        },
        name: None,
        found: FoundEvent {
            event: LifecycleEvent::OwnerChange,
            earliest,
            latest,
            changed: vec![role.word()],
        },
        read,
        said: Said::Happened,
        owner: Some(owner),
    }
}

/// Up to when decisions are looked at.
#[derive(Clone, Copy)]
enum By {
    /// Those that were taken before a sync began.
    Sync(i64),
    Decision(i64),
}

/// Who was confirmed, of the decisions on one object in order.
fn attested(decisions: &[OwnerDecision], by: By) -> Owners {
    let taken = |decision: &&OwnerDecision| match by {
        By::Sync(sync) => decision.since_sync < sync,
        By::Decision(number) => decision.id <= number,
    };
    let undone: HashSet<i64> = decisions
        .iter()
        .filter(taken)
        .filter_map(|decision| decision.undoes)
        .collect();
    let mut owners = Owners::new();
    for decision in decisions.iter().filter(taken) {
        let (None, Some(about)) = (decision.undoes, decision.about()) else {
            continue;
        };
        if undone.contains(&decision.id) {
            continue;
        }
        let of = owners.entry(about.role).or_default();
        match OwnerVerdict::from_word(&decision.what) {
            Some(OwnerVerdict::Confirmed) => of.insert(about.owner.to_string()),
            Some(OwnerVerdict::Rejected) | None => of.remove(&about.owner.to_string()),
        };
    }
    owners
}

/// The next decisions, each against what counted before it.
async fn some_decisions(
    connection: &mut SqliteConnection,
    names: Names,
    after: i64,
) -> Result<(), StoreError> {
    let decisions = decisions_after(&mut *connection, after, WINDOW).await?;
    let Some(last) = decisions.last() else {
        return Ok(());
    };
    let last = (last.id, moment(&last.at)?);
    let mut meant = Meant::new(&mut *connection, names).await?;
    let mut events = Vec::new();
    for together in decisions.chunk_by(|a, b| a.since_sync == b.since_sync) {
        let abouts: Vec<_> = together
            .iter()
            .filter_map(|d| Some((d, d.about()?)))
            .collect();
        let numbers: NumberSet = abouts
            .iter()
            .flat_map(|(_, about)| object_numbers(names, &about.object))
            .collect();
        let sync = together.first().map_or(0, |decision| decision.since_sync);
        let said = lines(&mut *connection, sync, &numbers).await?;
        let identities = abouts.iter().map(|(_, about)| &about.object);
        let identities = identities.filter(|object| object.kind == ObjectType::Identity);
        let asked = identities.map(|object| object.id.as_str());
        meant
            .ask(&mut *connection, asked.chain(owners_in(&said)))
            .await?;
        let told = Told {
            names,
            meant: &meant,
            sync,
        };
        let mut on: HashMap<ObjectName, Vec<OwnerDecision>> = HashMap::new();
        for (decision, about) in abouts {
            if !ANSWERING.contains(&about.role) {
                continue;
            }
            let object = &about.object;
            if !on.contains_key(object) {
                let all = decisions_on(&mut *connection, object).await?;
                on.insert(object.clone(), all);
            }
            let all = on.get(object).map(Vec::as_slice).unwrap_or_default();
            let with_lines = |mut owners: Owners| {
                told.add(&said, object, &mut owners, |_| true);
                owners
            };
            let before = with_lines(attested(all, By::Decision(decision.id - 1)));
            let after = with_lines(attested(all, By::Decision(decision.id)));
            let by = Some(decision.who.as_str());
            if let Some(owner) = change(&object.argument(), about.role, &before, &after, by) {
                let at = moment(&decision.at)?;
                events.push(new_event(object, about.role, owner, (at, at), sync));
            }
        }
    }
    put(&mut *connection, NO_SOURCE, &events).await?;
    keep_looked_at(connection, NO_SOURCE, last).await
}
