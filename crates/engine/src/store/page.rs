//! Storing one page: which records are new, changed, unchanged or second of their key.

use super::objects::{self, Current, NewVersion, ObjectRow};
use super::{
    KindRecord, NewJournalRow, SourceRecord, Store, StoreError, SyncId, journal, people, syncs,
};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::Fact;
use sqlx::SqliteConnection;
use std::collections::{BTreeSet, HashMap};

/// What one page brings.
pub(crate) struct PagePart<'a> {
    pub sync: SyncId,
    pub source: &'a SourceRecord,
    pub kind: Kind,
    pub records: &'a [Fact],
}

/// Which bucket the records of a page ended in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub stored: u64,
    pub unchanged: u64,
    /// Keys of records that came second, shown as people write them.
    pub second: Vec<String>,
}

impl Store {
    /// Stores a page, its journal lines and the running totals in one transaction.
    /// `finish` turns what became of the records into totals and lines.
    pub(crate) async fn apply_page(
        &self,
        part: &PagePart<'_>,
        now: DateTime<Utc>,
        finish: impl FnOnce(&Applied) -> (KindRecord, Vec<NewJournalRow>),
    ) -> Result<KindRecord, StoreError> {
        let rows = part
            .records
            .iter()
            .map(ObjectRow::of)
            .collect::<Result<Vec<_>, _>>()?;
        let mut writing = self.begin().await?;
        let connection = &mut *writing.tx;
        objects::make_seen(&mut *connection).await?;
        claim_systems(&mut *connection, part, &rows).await?;
        let applied = apply(&mut *connection, part, &rows).await?;
        let (record, lines) = finish(&applied);
        syncs::put_kind(&mut *connection, part.sync, &record).await?;
        journal::put(&mut *connection, part.sync, &lines, now).await?;
        writing.commit().await?;
        Ok(record)
    }

    /// Ends a kind: a complete read removes what it did not meet. `removed` of the record is filled in.
    pub(crate) async fn finish_kind(
        &self,
        sync: SyncId,
        source: i64,
        mut record: KindRecord,
        lines: &[NewJournalRow],
        now: DateTime<Utc>,
    ) -> Result<KindRecord, StoreError> {
        let mut writing = self.begin().await?;
        if record.complete {
            record.totals.removed =
                objects::end_missing(&mut writing.tx, sync, source, record.kind).await?;
        }
        syncs::put_kind(&mut writing.tx, sync, &record).await?;
        journal::put(&mut writing.tx, sync, lines, now).await?;
        writing.commit().await?;
        Ok(record)
    }
}

/// Each system and kind has one authoritative source.
async fn claim_systems(
    connection: &mut SqliteConnection,
    part: &PagePart<'_>,
    rows: &[ObjectRow],
) -> Result<(), StoreError> {
    let systems: BTreeSet<&str> = rows.iter().filter_map(|r| r.system.as_deref()).collect();
    for system in systems {
        if !part.source.is_supplement() {
            let other: Option<(String,)> = sqlx::query_as(
                "SELECT s.name FROM carried c JOIN sources s ON s.id = c.source
                 WHERE c.system = ?1 AND c.kind = ?2 AND c.source <> ?3 AND c.supplement = 0
                 AND s.removed_at IS NULL
                 AND EXISTS (SELECT 1 FROM objects o WHERE o.source = c.source AND o.kind = c.kind
                             AND o.system = c.system AND o.ended_sync IS NULL)",
            )
            .bind(system)
            .bind(part.kind.word())
            .bind(part.source.id)
            .fetch_optional(&mut *connection)
            .await?;
            if let Some((first,)) = other {
                return Err(StoreError::SecondAuthority {
                    first,
                    second: part.source.name.to_string(),
                    system: system.to_owned(),
                    kinds: part.kind.plural().to_owned(),
                });
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
    }
    Ok(())
}

/// The places of one key: what is there and not yet met, and the highest ordinal.
#[derive(Default)]
struct Place {
    open: Vec<Current>,
    met: bool,
    highest: i64,
}

async fn apply(
    connection: &mut SqliteConnection,
    part: &PagePart<'_>,
    rows: &[ObjectRow],
) -> Result<Applied, StoreError> {
    let keys: BTreeSet<&str> = rows.iter().map(|r| r.key.as_str()).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    let found = objects::current(
        &mut *connection,
        part.sync,
        part.source.id,
        part.kind,
        &keys,
    )
    .await?;
    let mut places: HashMap<String, Place> = HashMap::new();
    for version in found {
        let place = places.entry(version.key.clone()).or_default();
        place.highest = place.highest.max(version.ordinal + 1);
        if version.seen {
            place.met = true;
        } else {
            place.open.push(version);
        }
    }

    let mut applied = Applied::default();
    let (mut seen, mut ended, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
    // Equal rows first, so that a change never takes the place of a row that is still there.
    let mut rest = Vec::new();
    for (row, fact) in rows.iter().zip(part.records) {
        let place = places.entry(row.key.clone()).or_default();
        if place.met && !part.kind.may_repeat() {
            applied.second.push(row.key.replace(objects::UNIT, ":"));
            continue;
        }
        match place.open.iter().position(|v| v.hash == row.hash) {
            Some(n) => {
                seen.push(place.open.remove(n).id);
                place.met = true;
                applied.unchanged += 1;
            }
            None => {
                // Of several rows with one key the first stands, whatever it says.
                place.met = place.met || !part.kind.may_repeat();
                rest.push((row, fact));
            }
        }
    }
    let mut id = objects::next_id(&mut *connection).await?;
    let mut persons = Vec::new();
    for (row, fact) in rest {
        let place = places.entry(row.key.clone()).or_default();
        let (ordinal, born_sync) = if place.open.is_empty() {
            place.highest += 1;
            (place.highest - 1, part.sync.sql())
        } else {
            let old = place.open.remove(0);
            ended.push(old.id);
            (old.ordinal, old.born_sync)
        };
        fresh.push(NewVersion {
            id,
            ordinal,
            born_sync,
            row,
        });
        if let Fact::Identity(identity) = fact {
            persons.push((id, identity));
        }
        seen.push(id);
        applied.stored += 1;
        id += 1;
    }
    objects::end_changed(&mut *connection, part.sync, &ended).await?;
    objects::insert(&mut *connection, part.sync, part.source.id, &fresh).await?;
    objects::mark_seen(&mut *connection, part.sync, &seen).await?;
    if part.kind == Kind::Identity {
        people::drop_rows(&mut *connection, &ended).await?;
        people::put(&mut *connection, part.source.id, &persons).await?;
    }
    Ok(applied)
}
