//! The history of one object: each change with the reads between which it happened.

use super::blocks::{self, Columns, Mark};
use super::moments::{moment, shows};
use super::objects::UNIT;
use super::{Store, StoreError, SyncId, SyncRecord, SyncState, diff, shown_key, unseen};
use crate::views::{Difference, HistoryLine, ObjectHistory, changed_columns, shown_fact};
use lastkey_contract::facts::Fact;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Kind, SourceName};
use serde_json::Value;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Ids may hold colons: every way to part the text is looked for, up to so many.
const WAYS: usize = 5_000;

/// How many parts the key of a kind has.
fn parts(kind: Kind) -> usize {
    match kind {
        Kind::Identity | Kind::Task => 1,
        Kind::Account | Kind::Entitlement | Kind::Credential => 2,
        Kind::Session => 3,
        Kind::Location => 4,
        Kind::Grant | Kind::Reader | Kind::Owner => 5,
        Kind::Control => 6,
    }
}

/// Every key that a text with colons can mean; None where there are too many.
fn keys(kind: Kind, text: &str) -> Option<Vec<String>> {
    let pieces: Vec<&str> = text.split(':').collect();
    let wanted = parts(kind);
    let mut keys: Vec<String> = Vec::new();
    // A location is also known by system and path alone.
    let counts = match kind {
        Kind::Location => vec![wanted, 2],
        _ => vec![wanted],
    };
    for count in counts {
        let mut begun: Vec<(usize, String)> = vec![(0, String::new())];
        for part in 0..count {
            let mut longer = Vec::new();
            for (used, key) in &begun {
                let left = count - part - 1;
                let most = pieces.len().saturating_sub(used + left);
                let takes = match left {
                    0 => most..=most,
                    _ => 1..=most,
                };
                for take in takes.filter(|take| *take > 0) {
                    let piece = pieces.get(*used..used + take)?.join(":");
                    let key = match part {
                        0 => piece,
                        _ => format!("{key}{UNIT}{piece}"),
                    };
                    longer.push((used + take, key));
                }
            }
            if longer.len() > WAYS {
                return None;
            }
            begun = longer;
        }
        let filled = UNIT.repeat(wanted - count);
        keys.extend(begun.into_iter().map(|(_, key)| format!("{key}{filled}")));
    }
    Some(keys)
}

/// A read of the source, as far as it says something of this kind.
struct Read {
    sync: SyncRecord,
    complete: bool,
}

impl Store {
    /// The objects of a kind that a text names, with all that is known of their past: the id as
    /// tables and diffs show it, with the source in front where that is needed.
    pub async fn object_history(
        &self,
        kind: Kind,
        text: &str,
    ) -> Result<Vec<ObjectHistory>, StoreError> {
        let found = self.histories(kind, text, None).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        match text.split_once(':') {
            Some((source, rest)) => self.histories(kind, rest, Some(source)).await,
            None => Ok(Vec::new()),
        }
    }

    async fn histories(
        &self,
        kind: Kind,
        text: &str,
        only: Option<&str>,
    ) -> Result<Vec<ObjectHistory>, StoreError> {
        let names = self.names()?;
        let keys = keys(kind, text).ok_or_else(|| StoreError::BadQuery {
            what: "an id with so many colons".to_owned(),
            value: text.to_owned(),
        })?;
        let numbers: HashSet<i64> = keys.iter().map(|key| names.key(kind, key)).collect();
        let sources = self.source_names().await?;
        let mut reading = self.readers().begin().await?;
        let marks = blocks::of_keys(&mut reading, kind, &numbers).await?;
        let mut found = Vec::new();
        for alike in marks.chunk_by(|a, b| (a.source, a.key) == (b.source, b.key)) {
            let Some(first) = alike.first() else { continue };
            let source = sources.get(&first.source).cloned().unwrap_or_default();
            if only.is_some_and(|only| only != source) {
                continue;
            }
            let reads = self.reads_of(first.source, kind).await?;
            found.push(history(&mut reading, kind, source, alike, &reads).await?);
        }
        Ok(found)
    }

    /// Every sync of a source, oldest first.
    async fn reads_of(&self, source: i64, kind: Kind) -> Result<BTreeMap<i64, Read>, StoreError> {
        type Row = (i64, String, String, Option<String>, String, bool);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT y.id, y.state, y.started_at, y.ended_at, y.read_at, coalesce(k.complete, 0)
             FROM syncs y LEFT JOIN sync_kinds k ON k.sync = y.id AND k.kind = ?2
             WHERE y.source = ?1 ORDER BY y.id",
        )
        .bind(source)
        .bind(kind.word())
        .fetch_all(self.readers())
        .await?;
        rows.into_iter()
            .map(|(id, state, started_at, ended_at, read_at, complete)| {
                let sync = SyncRecord {
                    id: SyncId(id.cast_unsigned()),
                    source: SourceName::new(""),
                    state: SyncState::from_word(&state)?,
                    started_at,
                    ended_at,
                    read_at,
                    failure: None,
                    hint: None,
                };
                Ok((id, Read { sync, complete }))
            })
            .collect()
    }
}

async fn history(
    connection: &mut SqliteConnection,
    kind: Kind,
    source: String,
    marks: &[Mark],
    reads: &BTreeMap<i64, Read>,
) -> Result<ObjectHistory, StoreError> {
    let rows: Vec<i64> = marks.iter().map(|mark| mark.row).collect();
    let mut texts: HashMap<i64, String> = HashMap::new();
    let mut facts: HashMap<i64, Value> = HashMap::new();
    // By version, the sync from which on the object has been there without a break.
    let mut born: HashMap<i64, i64> = HashMap::new();
    blocks::of_rows(&mut *connection, &rows, Columns::Facts, |block, place| {
        let (row, text) = (block.row(place), block.fact(place)?);
        facts.insert(row, serde_json::from_str(text)?);
        texts.insert(row, text.to_owned());
        born.insert(row, block.born(place));
        Ok(())
    })
    .await?;
    let born = |mark: &Mark| born.get(&mark.row).copied().unwrap_or(mark.first);
    let fact = |mark: &Mark| facts.get(&mark.row).cloned().unwrap_or(Value::Null);
    let mut lines = Vec::new();
    let moments: BTreeSet<i64> = marks
        .iter()
        .flat_map(|mark| [Some(mark.first), mark.ended])
        .flatten()
        .collect();
    for sync in moments {
        let ended: Vec<&Mark> = marks.iter().filter(|m| m.ended == Some(sync)).collect();
        let begun: Vec<&Mark> = marks.iter().filter(|m| m.first == sync).collect();
        for n in 0..ended.len().max(begun.len()) {
            let (before, after) = (ended.get(n).copied(), begun.get(n).copied());
            // What was there all along and has no version beside this one: it was deleted here.
            let lost_before = (after.filter(|_| before.is_none()))
                .map(born)
                .filter(|born| *born < sync);
            let lost_after = before.is_some()
                && after.is_none()
                && marks.iter().any(|m| m.first > sync && born(m) < sync);
            let what = match (before, after) {
                (None, _) if lost_before.is_some() => Difference::Changed,
                (None, _) => Difference::Added,
                (Some(_), Some(_)) => Difference::Changed,
                (Some(_), None) if lost_after => Difference::Changed,
                (Some(_), None) => Difference::Removed,
            };
            let changed = match (before, after) {
                (Some(before), Some(after)) => changed_columns(&fact(before), &fact(after)),
                (_, _) => Vec::new(),
            };
            let why = match what {
                Difference::Removed => Some(diff::proof(&mut *connection, sync, kind).await?),
                Difference::Changed if lost_after => Some("newer versions were deleted".to_owned()),
                Difference::Added | Difference::Changed | Difference::Unproved => lost_before
                    .map(|born| format!("older versions, from sync {born} on, were deleted")),
            };
            let (earliest_sync, earliest) = last_before(reads, sync, before)?;
            lines.push(HistoryLine {
                what,
                sync: sync.cast_unsigned(),
                earliest_sync,
                earliest,
                latest: shown_by(reads, sync)?,
                changed,
                why,
                fact: after
                    .or(before)
                    .map(|mark| shown_fact(&fact(mark)))
                    .unwrap_or_default(),
            });
        }
    }
    for (sync, read) in reads.iter().filter(|(_, read)| !read.complete) {
        let stood: Vec<i64> = marks
            .iter()
            .filter(|m| m.first < *sync && m.ended.is_none_or(|ended| ended > *sync))
            .map(|m| m.row)
            .collect();
        let left_out = unseen::left_out(&mut *connection, *sync, kind, &stood).await?;
        for row in left_out {
            lines.push(HistoryLine {
                what: Difference::Unproved,
                sync: read.sync.id.0,
                earliest_sync: None,
                earliest: None,
                latest: shown_by(reads, *sync)?,
                changed: Vec::new(),
                why: Some(diff::proof(&mut *connection, *sync, kind).await?),
                fact: facts.get(&row).map(shown_fact).unwrap_or_default(),
            });
        }
    }
    lines.sort_by_key(|line| line.sync);
    let named: Option<Fact> = match marks.last().and_then(|mark| texts.get(&mark.row)) {
        Some(text) => Some(serde_json::from_str(text)?),
        None => None,
    };
    Ok(ObjectHistory {
        kind: kind.word().to_owned(),
        source,
        system: named
            .as_ref()
            .and_then(|f| f.system())
            .map(|s| s.to_string()),
        id: named.map(|f| shown_key(&f.key())).unwrap_or_default(),
        current: marks.iter().any(|mark| mark.ended.is_none()),
        lines,
    })
}

/// The moment that a sync shows.
fn shown_by(reads: &BTreeMap<i64, Read>, sync: i64) -> Result<Option<String>, StoreError> {
    match reads.get(&sync) {
        Some(read) => Ok(shows(&read.sync)?.map(rfc3339)),
        None => Ok(None),
    }
}

/// The last read before a sync that vouches for the state before it: a complete one, or the one
/// that stored the version itself. As early as that read began, it can have changed.
fn last_before(
    reads: &BTreeMap<i64, Read>,
    sync: i64,
    version: Option<&Mark>,
) -> Result<(Option<u64>, Option<String>), StoreError> {
    let stored = version.map(|version| version.first);
    let last = reads
        .range(..sync)
        .rev()
        .find(|(id, read)| read.complete || stored == Some(**id));
    match last {
        Some((id, read)) => Ok((
            Some(id.cast_unsigned()),
            Some(rfc3339(moment(&read.sync.read_at)?)),
        )),
        None => Ok((None, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::SyncSettings;
    use crate::collect::seeded::{Fault, Seeded, error, identity};
    use crate::collect::tests::{bench, quick, read_with};
    use chrono::{TimeZone, Utc};
    use lastkey_contract::ErrorKind;

    #[test]
    fn a_text_is_parted_in_every_way_that_the_kind_allows() {
        let shown = |kind, text: &str| -> Vec<String> {
            let keys = keys(kind, text).unwrap();
            keys.iter().map(|key| key.replace(UNIT, "|")).collect()
        };
        assert_eq!(shown(Kind::Identity, "hr:7"), ["hr:7"]);
        assert_eq!(shown(Kind::Account, "ad:a:1"), ["ad|a:1", "ad:a|1"]);
        assert_eq!(shown(Kind::Account, "ad"), Vec::<String>::new());
        assert_eq!(shown(Kind::Location, "v:p"), ["v|p||"]);
        assert_eq!(shown(Kind::Grant, "s:e:account:s:a"), ["s|e|account|s|a"]);
        assert_eq!(keys(Kind::Control, &":".repeat(60)), None);
    }

    #[tokio::test]
    async fn each_change_lies_between_the_reads_that_show_it() {
        let bench = bench(&["hr"]).await;
        let people = |name: &str, more: bool| {
            let mut people = vec![identity("u0", "Zero")];
            if more {
                people.push(identity("u1", name));
            }
            Seeded::new(1).with(Kind::Identity, people)
        };
        let half = Fault::Error(error(ErrorKind::Protocol, "half"));
        for (day, connector) in [
            (1, people("One", false)),
            (2, people("One", true)),
            (3, people("One", true).fault(Kind::Identity, 1, half)),
            (4, people("Two", true)),
            (5, people("Two", false)),
        ] {
            let settings = SyncSettings {
                read_date: Some(Utc.with_ymd_and_hms(2025, 1, day, 0, 0, 0).unwrap()),
                ..quick()
            };
            read_with(&bench, "hr", &connector, &settings)
                .await
                .unwrap();
        }
        for text in ["u1", "hr:u1"] {
            let found = bench.store.object_history(Kind::Identity, text).await;
            let found = found.unwrap();
            assert_eq!((found.len(), found[0].current), (1, false));
            let told: Vec<String> = found[0]
                .lines
                .iter()
                .map(|line| {
                    format!(
                        "{} {}..{} {} {}",
                        line.what.words(),
                        line.earliest.as_deref().map_or("-", |at| &at[8..10]),
                        line.latest.as_deref().map_or("-", |at| &at[8..10]),
                        line.changed.len(),
                        line.why.as_deref().unwrap_or("-"),
                    )
                })
                .collect();
            assert_eq!(
                told,
                [
                    "added 01..02 0 -",
                    "disappeared without proof -..03 0 half",
                    "changed 02..04 1 -",
                    "removed 04..05 0 a complete read of identities did not show it",
                ]
            );
        }
        let nobody = bench.store.object_history(Kind::Identity, "hr:u9").await;
        assert_eq!(nobody.unwrap(), []);
    }
}
