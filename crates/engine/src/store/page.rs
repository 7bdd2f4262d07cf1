//! Storing one page: which records are new, changed, unchanged or second of their key, and
//! which objects an incremental read says are gone.

use super::blocks::{self, Columns, Gathering, Which};
use super::met::{self, Marks, Met, Scope};
use super::names::Names;
use super::objects::{Ending, NewVersion, ObjectRow};
use super::{
    Held, KindRecord, NewJournalRow, SourceRecord, Store, StoreError, SyncId, journal, links,
    people, syncs, unseen,
};
use crate::mass::Threshold;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Fact, Identity};
use lastkey_contract::{Cursor, Kind, Page, Same};
use sqlx::SqliteConnection;
use std::collections::BTreeSet;

/// What one page brings.
pub(crate) struct PagePart<'a> {
    pub sync: SyncId,
    pub source: &'a SourceRecord,
    pub kind: Kind,
    pub records: &'a [Fact],
    /// The same as the store keeps them.
    pub rows: &'a Rows,
    /// Records that are as they were.
    pub same: &'a [Same],
    /// Keys that the source says are gone (incremental reads).
    pub gone: &'a [String],
    /// Parents of which the read shows all (incremental reads).
    pub whole: &'a [String],
    /// Where a later process can go on after this page; None where it cannot.
    pub checkpoint: Option<&'a Cursor>,
}

/// The facts of a page as the store keeps them, made before the page is stored: it takes as long
/// as storing them.
pub(crate) struct Rows(Vec<ObjectRow>);

impl Rows {
    /// The rows of these facts in this store.
    pub(crate) fn of(page: &Page, names: Names) -> Result<Rows, StoreError> {
        let rows = page.records.iter().enumerate().map(|(n, fact)| {
            Ok(ObjectRow {
                stamp: page.stamps.get(n).map(|stamp| stamp.0),
                ..ObjectRow::of(fact, names)?
            })
        });
        rows.collect::<Result<Vec<_>, StoreError>>().map(Rows)
    }

    /// What will be written of each fact.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|row| row.payload.as_str())
    }
}

/// Which bucket the records of a page ended in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub stored: u64,
    pub unchanged: u64,
    /// Objects that the page said are gone.
    pub removed: u64,
    /// Keys of records that came second.
    pub second: Vec<String>,
}

/// Which goings are not believed without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// All are believed.
    Nothing,
    /// Too many at once.
    TooMany(Threshold),
    /// Each: the answer may have been cut off.
    Each,
    /// Also that there are none: the answer ends as no whole one before did.
    Whole,
}

/// How the read of a kind ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// To its end, all of it: what was not met is gone, unless that is not believed unasked.
    Full { hold: Hold },
    /// To its end, only what changed.
    Incremental,
    /// Cut short, or with gaps: nothing is gone.
    Unfinished,
}

impl Store {
    /// Stores a page, its journal lines and the running totals in one transaction.
    /// `finish` turns what became of the records into totals and lines.
    pub(crate) async fn apply_page(
        &self,
        part: &PagePart<'_>,
        met: &mut Met,
        now: DateTime<Utc>,
        finish: impl FnOnce(&Applied) -> (KindRecord, Vec<NewJournalRow>),
    ) -> Result<KindRecord, StoreError> {
        let mut marks = Marks::default();
        let stored = self.store_page(part, met, &mut marks, now, finish).await;
        match &stored {
            Ok(_) => met.pages += 1,
            // The page was undone, and so is what it marked.
            Err(_) => met.unmeet(&marks),
        }
        stored
    }

    async fn store_page(
        &self,
        part: &PagePart<'_>,
        met: &mut Met,
        marks: &mut Marks,
        now: DateTime<Utc>,
        finish: impl FnOnce(&Applied) -> (KindRecord, Vec<NewJournalRow>),
    ) -> Result<KindRecord, StoreError> {
        let names = self.names()?;
        let mut writing = self.begin().await?;
        let connection = &mut *writing.tx;
        claim_systems(&mut *connection, part, met).await?;
        if met.scope() == Scope::Asked {
            let parent =
                |name: &String| names.reference(part.kind, met::parent_end(part.kind), name);
            let whole: Vec<i64> = part.whole.iter().map(parent).collect();
            met::ask(&mut *connection, met, part.sync, part.source.id, &whole).await?;
        }
        let mut small = met.small.clone();
        let applied = apply(&mut *connection, part, met, marks, &mut small, names).await?;
        let (record, lines) = finish(&applied);
        met::put_checkpoint(
            &mut *connection,
            met,
            part.sync,
            &marks.unchanged,
            part.checkpoint,
        )
        .await?;
        syncs::put_kind(&mut *connection, part.sync, &record).await?;
        journal::put(&mut *connection, part.sync, &lines, now).await?;
        writing.commit().await?;
        met.small = small;
        Ok(record)
    }

    /// Ends a kind. A read to its end removes what it showed to be gone, unless that is too much
    /// to believe: then it removes nothing, and `finish` is told so. `finish` is given how many
    /// went, or what was held, and makes the totals and journal lines.
    pub(crate) async fn finish_kind(
        &self,
        sync: SyncId,
        met: &Met,
        end: ReadEnd,
        now: DateTime<Utc>,
        finish: impl FnOnce(Result<u64, Held>) -> (KindRecord, Vec<NewJournalRow>),
    ) -> Result<KindRecord, StoreError> {
        let missing = match end {
            ReadEnd::Full { .. } | ReadEnd::Incremental => met.missing(),
            ReadEnd::Unfinished => Vec::new(),
        };
        let held = match end {
            ReadEnd::Full { hold } => hold.held(missing.len() as u64, met.count()),
            ReadEnd::Incremental | ReadEnd::Unfinished => None,
        };
        let mut writing = self.begin().await?;
        let moved = met.small.clone().end(&mut writing.tx).await?;
        if met.kind == Kind::Identity {
            people::move_rows(&mut writing.tx, &moved).await?;
        }
        blocks::stamp_anew(&mut writing.tx, &met.restamped()).await?;
        let outcome = match held {
            Some(held) => Err(held),
            None => {
                blocks::end(&mut writing.tx, sync, &missing, Ending::Removed).await?;
                if !missing.is_empty() {
                    links::changed(&mut writing.tx, met.kind).await?;
                }
                if met.kind == Kind::Identity {
                    people::drop_rows(&mut writing.tx, &missing).await?;
                }
                Ok(missing.len() as u64)
            }
        };
        let (record, lines) = finish(outcome);
        unseen::forget(&mut writing.tx, sync, Some(met.kind)).await?;
        let shown_in_part = !record.complete && (record.totals.received > 0 || held.is_some());
        if let Some(so_far) = shown_in_part.then(|| met.so_far()).flatten() {
            unseen::put(&mut writing.tx, sync, met.kind, &so_far).await?;
        }
        met::forget(&mut writing.tx, sync, Some(met.kind)).await?;
        syncs::put_kind(&mut writing.tx, sync, &record).await?;
        journal::put(&mut writing.tx, sync, &lines, now).await?;
        writing.commit().await?;
        Ok(record)
    }
}

impl Store {
    /// Notes what a read that was stopped had not shown of a kind by then.
    pub(crate) async fn note_unseen(&self, sync: SyncId, met: &Met) -> Result<(), StoreError> {
        let Some(so_far) = (met.pages > 0).then(|| met.so_far()).flatten() else {
            return Ok(());
        };
        let mut writing = self.begin().await?;
        unseen::put(&mut writing.tx, sync, met.kind, &so_far).await?;
        writing.commit().await
    }
}

impl Hold {
    /// What is held of a read that would remove so many of so many.
    fn held(self, would_remove: u64, current: u64) -> Option<Held> {
        let held = match self {
            Hold::Nothing => false,
            Hold::TooMany(threshold) => threshold.is_passed(would_remove, current),
            Hold::Each => would_remove > 0,
            Hold::Whole => true,
        };
        held.then_some(Held {
            would_remove,
            current,
        })
    }
}

/// Each system and kind has one authoritative source.
async fn claim_systems(
    connection: &mut SqliteConnection,
    part: &PagePart<'_>,
    met: &mut Met,
) -> Result<(), StoreError> {
    let systems: BTreeSet<&str> = part
        .records
        .iter()
        .filter_map(|fact| fact.system())
        .map(|system| system.as_str())
        .filter(|system| !met.claimed.contains(*system))
        .collect();
    for system in systems {
        if !part.source.is_supplement() {
            let others: Vec<(i64, String)> = sqlx::query_as(
                "SELECT s.id, s.name FROM carried c JOIN sources s ON s.id = c.source
                 WHERE c.system = ?1 AND c.kind = ?2 AND c.source <> ?3 AND c.supplement = 0
                 AND s.removed_at IS NULL",
            )
            .bind(system)
            .bind(part.kind.word())
            .bind(part.source.id)
            .fetch_all(&mut *connection)
            .await?;
            for (source, first) in others {
                if carries_now(&mut *connection, source, part.kind, system).await? {
                    return Err(StoreError::SecondAuthority {
                        first,
                        second: part.source.name.to_string(),
                        system: system.to_owned(),
                        kinds: part.kind.plural().to_owned(),
                    });
                }
            }
        }
        sqlx::query(
            "INSERT INTO carried (system, kind, source, supplement) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET supplement = excluded.supplement",
        )
        .bind(system)
        .bind(part.kind.word())
        .bind(part.source.id)
        .bind(part.source.is_supplement())
        .execute(&mut *connection)
        .await?;
        met.claimed.insert(system.to_owned());
    }
    Ok(())
}

/// Whether a source has a current object of a kind in a system.
async fn carries_now(
    connection: &mut SqliteConnection,
    source: i64,
    kind: Kind,
    system: &str,
) -> Result<bool, StoreError> {
    let which = Which::now(kind).of_source(source);
    let mut after = 0;
    loop {
        let window = blocks::window(&mut *connection, &which, Columns::Facts, after).await?;
        let Some(last) = window.last() else {
            return Ok(false);
        };
        after = last.id;
        for block in &window {
            for place in block.places() {
                let fact: Fact = serde_json::from_str(block.fact(place)?)?;
                if fact.system().is_some_and(|one| one.as_str() == system) {
                    return Ok(true);
                }
            }
        }
    }
}

/// The fact of a version, for a record that stands twice and that the connector left out.
async fn twin(
    connection: &mut SqliteConnection,
    row: i64,
    names: Names,
) -> Result<Option<(ObjectRow, Fact)>, StoreError> {
    let mut found = None;
    blocks::of_rows(connection, &[row], Columns::Facts, |block, place| {
        let fact: Fact = serde_json::from_str(block.fact(place)?)?;
        found = Some((ObjectRow::of(&fact, names)?, fact));
        Ok(())
    })
    .await?;
    Ok(found)
}

/// What a page's records come to before anything is written.
struct Sorted<'a> {
    applied: Applied,
    /// Records to be written, each with the place of the version that it takes the place of, where
    /// that is settled already.
    rest: Vec<(&'a ObjectRow, &'a Fact, Option<u32>)>,
    /// Records that the connector left out and that stand once more than the store has them.
    again: Vec<(ObjectRow, Fact)>,
}

/// Tells apart what is unchanged, what is second of its key, and what is to be written.
async fn sort<'a>(
    connection: &mut SqliteConnection,
    part: &PagePart<'a>,
    met: &mut Met,
    marks: &mut Marks,
    names: Names,
) -> Result<Sorted<'a>, StoreError> {
    let mut sorted = Sorted {
        applied: Applied::default(),
        rest: Vec::new(),
        again: Vec::new(),
    };
    let mut same = part.same.iter().peekable();
    let mut records = (0u32..).zip(part.rows.0.iter().zip(part.records));
    loop {
        let next = records.next();
        let upto = next.map_or(u32::MAX, |(place, _)| place);
        while let Some(one) = same.next_if(|one| one.before <= upto) {
            let mut rest = *one;
            while rest.count > 0 {
                let count = met.meet_same(rest, marks);
                sorted.applied.unchanged += u64::from(count);
                rest.first += count;
                rest.count -= count;
                if rest.count > 0 {
                    once_more(&mut *connection, met, marks, &mut sorted, rest.first, names).await?;
                    rest.first += 1;
                    rest.count -= 1;
                }
            }
        }
        let Some((_, (row, fact))) = next else {
            return Ok(sorted);
        };
        let key = row.key_number;
        if !part.kind.may_repeat() && met.has_had(key) {
            sorted.applied.second.push(fact.key());
            continue;
        }
        if let Some(place) = met.equal(key, &row.hash) {
            met.meet_unchanged(place, marks);
            met.read_from(place, row.stamp);
            sorted.applied.unchanged += 1;
            continue;
        }
        let mut old = None;
        if !part.kind.may_repeat() {
            // Of several rows with one key the first stands, whatever it says.
            old = met.open_places(key).next();
            match old {
                Some(place) => {
                    met.meet(place, marks);
                }
                None => met.note_fresh(key, marks),
            }
        }
        sorted.rest.push((row, fact, old));
    }
}

/// A record that was left out as the one at a place, which was met before: another one like it, or
/// one too many.
async fn once_more(
    connection: &mut SqliteConnection,
    met: &mut Met,
    marks: &mut Marks,
    sorted: &mut Sorted<'_>,
    place: u32,
    names: Names,
) -> Result<(), StoreError> {
    let (Some(row), Some(stamp)) = (met.standing.row(place), met.standing.stamp(place)) else {
        // The connector left out what nobody had told it: it counts as lost.
        return Ok(());
    };
    if let Some(other) = met.stamped(stamp) {
        met.meet_unchanged(other, marks);
        sorted.applied.unchanged += 1;
        return Ok(());
    }
    if let Some((mut row, fact)) = twin(connection, row, names).await? {
        row.stamp = Some(stamp.0);
        match met.kind.may_repeat() {
            true => sorted.again.push((row, fact)),
            false => sorted.applied.second.push(fact.key()),
        }
    }
    Ok(())
}

async fn apply(
    connection: &mut SqliteConnection,
    part: &PagePart<'_>,
    met: &mut Met,
    marks: &mut Marks,
    small: &mut Gathering,
    names: Names,
) -> Result<Applied, StoreError> {
    // Equal rows first, so that a change never takes the place of a row that is still there.
    let Sorted {
        mut applied,
        mut rest,
        again,
    } = sort(&mut *connection, part, met, marks, names).await?;
    rest.extend(again.iter().map(|(row, fact)| (row, fact, None)));
    let (mut ended, mut fresh, mut persons) = (Vec::new(), Vec::new(), Vec::new());
    for (row, fact, settled) in rest {
        let old = match settled {
            None if part.kind.may_repeat() => met.open_places(row.key_number).next(),
            settled => settled,
        };
        let born_sync = old
            .and_then(|place| met.standing.born(place))
            .unwrap_or(part.sync.sql());
        if let Some(place) = old {
            let ends = match settled {
                Some(_) => met.standing.row(place),
                None => met.meet(place, marks),
            };
            ended.extend(ends);
        }
        if let Fact::Identity(identity) = fact {
            persons.push((fresh.len(), identity));
        }
        fresh.push(NewVersion { born_sync, row });
        applied.stored += 1;
    }
    let mut gone = Vec::new();
    for key in part.gone {
        let open: Vec<u32> = met.open_places(names.key(part.kind, key)).collect();
        gone.extend(open.into_iter().filter_map(|place| met.meet(place, marks)));
    }
    applied.removed = gone.len() as u64;
    let (sync, kind, source) = (part.sync, part.kind, part.source.id);
    blocks::end(&mut *connection, sync, &ended, Ending::Changed).await?;
    blocks::end(&mut *connection, sync, &gone, Ending::Removed).await?;
    let rows = blocks::insert(&mut *connection, sync, source, kind, &fresh).await?;
    // With the page: whoever makes the links meanwhile makes them of what stands then.
    if !(ended.is_empty() && gone.is_empty() && fresh.is_empty()) {
        links::changed(&mut *connection, kind).await?;
    }
    if part.kind == Kind::Identity {
        let persons: Vec<(i64, &Identity)> = persons
            .into_iter()
            .filter_map(|(place, identity)| Some((*rows.get(place)?, identity)))
            .collect();
        people::drop_rows(&mut *connection, &ended).await?;
        people::drop_rows(&mut *connection, &gone).await?;
        people::put(&mut *connection, part.source.id, &persons).await?;
    }
    let lengths = fresh.iter().map(|version| version.row.payload.len());
    let moved = small
        .add(&mut *connection, rows.into_iter().zip(lengths))
        .await?;
    if part.kind == Kind::Identity {
        people::move_rows(&mut *connection, &moved).await?;
    }
    Ok(applied)
}
