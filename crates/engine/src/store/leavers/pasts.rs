//! The past of single things: their versions, and the reads that could have shown them.

use super::super::blocks::{self, Mark};
use super::super::lineage::Lineage;
use super::super::moments::moment;
use super::super::{StoreError, unseen};
use super::speakers::Speakers;
use crate::measured::{Read, Says, Told, Version};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The shortest limit that there is without a plan.
const SHORTEST: TimeDelta = TimeDelta::hours(1);

/// The reads of every source in every kind.
pub(super) struct Reads {
    /// By the first source of its name.
    all: HashMap<(i64, Kind), Arc<[Read]>>,
    /// Which source of a name each sync was of.
    source_of: HashMap<u64, i64>,
    /// Which sources read a kind to its end at least once.
    whole: HashSet<(i64, Kind)>,
    speakers: Speakers,
    /// The last sync of which the versions of a kind were deleted.
    deleted: HashMap<Kind, u64>,
}

impl Reads {
    /// What lies before the horizon of a kind was not read to its end for all that is known now. A read that
    /// is dated later than now shows nothing yet, and a source that was removed and never read a kind to its
    /// end is asked for nothing of it.
    pub async fn of(
        connection: &mut SqliteConnection,
        lineage: &Lineage,
        now: DateTime<Utc>,
    ) -> Result<Reads, StoreError> {
        let speakers = Speakers::read(&mut *connection).await?;
        let horizons: Vec<(String, i64)> = sqlx::query_as("SELECT kind, sync FROM horizons")
            .fetch_all(&mut *connection)
            .await?;
        let horizons = horizons.into_iter();
        let deleted: HashMap<Kind, u64> = horizons
            .filter_map(|(kind, sync)| Some((Kind::from_word(&kind)?, sync.cast_unsigned())))
            .collect();
        type Row = (i64, i64, String, Option<String>, String, String, bool);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT y.source, y.id, y.started_at, y.ended_at, y.read_at, c.kind,
                    coalesce(k.complete, 0)
                      AND y.id > coalesce((SELECT h.sync FROM horizons h WHERE h.kind = c.kind), 0)
             FROM syncs y
             JOIN (SELECT DISTINCT o.source, i.kind FROM sync_kinds i JOIN syncs o ON o.id = i.sync) c
               ON c.source = y.source
             LEFT JOIN sync_kinds k ON k.sync = y.id AND k.kind = c.kind
             WHERE y.state NOT IN ('running', 'removal') ORDER BY y.id",
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut all: HashMap<(i64, Kind), Vec<Read>> = HashMap::new();
        let (mut source_of, mut whole) = (HashMap::new(), HashSet::new());
        for (source, sync, started, ended, read_at, kind, complete) in rows {
            let Some(kind) = Kind::from_word(&kind) else {
                continue;
            };
            let (from, started) = (moment(&read_at)?, moment(&started)?);
            if from > now {
                continue;
            }
            // A dated read shows one moment, whenever it was taken in.
            let until = match ended {
                Some(ended) if from >= started => moment(&ended)?.max(from),
                Some(_) | None => from,
            };
            source_of.insert(sync.cast_unsigned(), source);
            if complete {
                whole.insert((source, kind));
            }
            all.entry((lineage.first(source), kind))
                .or_default()
                .push(Read {
                    sync: sync.cast_unsigned(),
                    from,
                    until,
                    complete,
                });
        }
        let sorted = all.into_iter().map(|(of, mut reads)| {
            reads.sort_by_key(|read| (read.from, read.sync));
            let reads: Arc<[Read]> = reads.into();
            (of, reads)
        });
        let removed: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM sources WHERE removed_at IS NOT NULL")
                .fetch_all(connection)
                .await?;
        let asked_for = |((first, _), reads): &((i64, Kind), Arc<[Read]>)| {
            let is_there = |source: &i64| !removed.contains(source);
            reads.iter().any(|read| read.complete) || lineage.all(*first).iter().any(is_there)
        };
        Ok(Reads {
            all: sorted.filter(asked_for).collect(),
            source_of,
            whole,
            speakers,
            deleted,
        })
    }

    /// Whether some source has all of a kind in a system, and read it to its end.
    pub fn are_told(&self, kind: Kind, system: &str) -> bool {
        let mut of_kind = self.whole.iter().filter(|(_, read)| *read == kind);
        of_kind.any(|(source, _)| self.speakers.speaks_for(*source, kind, system))
    }

    /// Whether what a read showed was deleted since.
    fn is_deleted(&self, kind: Kind, read: &Read) -> bool {
        let upto = self.deleted.get(&kind);
        upto.is_some_and(|upto| read.sync <= *upto)
    }

    /// Whether what earlier reads of a source showed was deleted since.
    pub fn were_deleted(&self, source: i64, kind: Kind) -> bool {
        let reads = self.of_source(source, kind);
        reads.iter().any(|read| self.is_deleted(kind, read))
    }

    /// The reads that tell of a thing of a system: those of sources that told of it, and of others of the
    /// same name only if they have all of that system. A source that was added anew under the name of one
    /// that was removed may read something else.
    fn telling(
        &self,
        (first, kind): (i64, Kind),
        told_by: &HashSet<i64>,
        (system, lineage): (&str, &Lineage),
    ) -> Arc<[Read]> {
        let all = self.of_source(first, kind);
        let of_name = lineage.all(first);
        let tells = |source: &i64| {
            told_by.contains(source) || self.speakers.speaks_for(*source, kind, system)
        };
        let telling: HashSet<i64> = of_name.iter().copied().filter(tells).collect();
        if telling.len() == of_name.len() {
            return all;
        }
        let reads = all.iter().filter(|read| {
            let source = self.source_of.get(&read.sync);
            source.is_some_and(|source| telling.contains(source))
        });
        reads.copied().collect()
    }

    /// By when a read was over.
    pub fn until_of(&self, source: i64, kind: Kind, sync: i64) -> Option<DateTime<Utc>> {
        let reads = self.all.get(&(source, kind))?;
        let read = reads.iter().find(|read| read.sync.cast_signed() == sync)?;
        Some(read.until)
    }

    /// From the first to the last read that came to its end, of the source itself and of no other of its
    /// name: between two of them nobody knows what was there.
    pub fn span(
        &self,
        (first, source): (i64, i64),
        kind: Kind,
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let reads = self.of_source(first, kind);
        let own = |read: &&Read| self.source_of.get(&read.sync) == Some(&source);
        let mut whole = reads.iter().filter(own).filter(|read| read.complete);
        let first = whole.next()?;
        let last = whole.next_back().unwrap_or(first);
        Some((first.from, last.until))
    }

    fn of_source(&self, source: i64, kind: Kind) -> Arc<[Read]> {
        let reads = self.all.get(&(source, kind)).cloned();
        reads.unwrap_or_else(|| Arc::new([]))
    }

    /// Where a read of a source did not come to its end between the last whole one before an event and the
    /// first after it, and that one came too late to say what was there within the shortest limit: from
    /// the first such read to the whole one after it (or the last read there is).
    pub fn unread_around(
        &self,
        source: i64,
        kind: Kind,
        (earliest, latest): (Option<DateTime<Utc>>, DateTime<Utc>),
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let reads = self.all.get(&(source, kind))?;
        let before = |read: &&Read| earliest.is_some_and(|earliest| read.until <= earliest);
        let whole = || reads.iter().filter(|read| read.complete);
        let from = whole().filter(before).map(|read| read.from).max();
        let next = whole()
            .find(|read| read.from >= latest)
            .map(|read| read.until);
        let soon = |at: DateTime<Utc>| {
            let start = earliest.unwrap_or(latest);
            at <= start.checked_add_signed(SHORTEST).unwrap_or(start)
        };
        if next.is_some_and(soon) {
            return None;
        }
        let mut broken = reads.iter().filter(|read| {
            !read.complete
                && !self.is_deleted(kind, read)
                && from.is_none_or(|from| read.from > from)
                && next.is_none_or(|next| read.until < next)
        });
        let first = broken.next()?;
        let last = broken.next_back().unwrap_or(first);
        Some((first.from, next.unwrap_or(last.until)))
    }

    /// The sources that ever told of a kind: the first and the last complete read of each.
    pub fn ends(&self, kind: Kind) -> BTreeMap<i64, Option<(Read, Read)>> {
        let of_kind = self.all.iter().filter(|((_, of), _)| *of == kind);
        let ends = of_kind.map(|((source, _), reads)| {
            let mut complete = reads.iter().filter(|read| read.complete);
            let first = complete.next();
            let ends = first.map(|first| (*first, *complete.next_back().unwrap_or(first)));
            (*source, ends)
        });
        ends.collect()
    }
}

/// Every version of some things of one kind, whatever source told of them.
pub(super) struct Pasts {
    kind: Kind,
    /// By the number of the thing's name.
    pub marks: HashMap<i64, Vec<Mark>>,
    pub facts: HashMap<i64, String>,
    born: HashMap<i64, i64>,
    /// Reads that did not come to their end and showed a version, by its row.
    shown: HashMap<i64, BTreeSet<u64>>,
}

impl Pasts {
    pub async fn of(
        connection: &mut SqliteConnection,
        kind: Kind,
        keys: &HashSet<i64>,
        (reads, lineage): (&Reads, &Lineage),
    ) -> Result<Pasts, StoreError> {
        let mut pasts = Pasts {
            kind,
            marks: HashMap::new(),
            facts: HashMap::new(),
            born: HashMap::new(),
            shown: HashMap::new(),
        };
        if keys.is_empty() {
            return Ok(pasts);
        }
        let marks = blocks::of_keys(&mut *connection, kind, keys).await?;
        let mut rows: Vec<i64> = marks.iter().map(|mark| mark.row).collect();
        rows.sort_unstable();
        let (facts, born) = (&mut pasts.facts, &mut pasts.born);
        blocks::of_rows(
            &mut *connection,
            &rows,
            blocks::Columns::Facts,
            |block, place| {
                facts.insert(block.row(place), block.fact(place)?.to_owned());
                born.insert(block.row(place), block.born(place));
                Ok(())
            },
        )
        .await?;
        let sources: BTreeSet<i64> = marks.iter().map(|m| lineage.first(m.source)).collect();
        for source in sources {
            for read in reads
                .of_source(source, kind)
                .iter()
                .filter(|read| !read.complete)
            {
                let sync = read.sync.cast_signed();
                let stood = marks.iter().filter(|mark| {
                    lineage.first(mark.source) == source
                        && mark.first < sync
                        && mark.ended.is_none_or(|ended| ended > sync)
                });
                let stood: Vec<i64> = stood.map(|mark| mark.row).collect();
                for row in unseen::shown(&mut *connection, sync, kind, &stood).await? {
                    pasts.shown.entry(row).or_default().insert(read.sync);
                }
            }
        }
        for mark in marks {
            pasts.marks.entry(mark.key).or_default().push(mark);
        }
        Ok(pasts)
    }

    /// The facts of a thing, those stored last at the end.
    pub fn facts_of(&self, key: i64) -> impl DoubleEndedIterator<Item = (&Mark, &str)> {
        let marks = self.marks.get(&key).into_iter().flatten();
        marks.filter_map(|mark| Some((mark, self.facts.get(&mark.row)?.as_str())))
    }

    /// What each source tells of some names together, as of one thing of a system.
    pub fn told(
        &self,
        (keys, system): (&[i64], &str),
        (reads, lineage): (&Reads, &Lineage),
        says: impl Fn(&Mark, &str) -> Result<Says, StoreError>,
    ) -> Result<Vec<Told>, StoreError> {
        let mut by_source: BTreeMap<i64, Vec<Version>> = BTreeMap::new();
        let mut told_by: HashSet<i64> = HashSet::new();
        for key in keys {
            let mut last: Option<(i64, usize)> = None;
            for (mark, fact) in self.facts_of(*key) {
                told_by.insert(mark.source);
                let source = lineage.first(mark.source);
                let versions = by_source.entry(source).or_default();
                let says = says(mark, fact)?;
                let shown = self.shown.get(&mark.row).cloned().unwrap_or_default();
                let first = mark.first.cast_unsigned();
                let born = self.born.get(&mark.row).copied().unwrap_or(mark.first);
                let ended = mark.ended.map(i64::cast_unsigned);
                let before = last
                    .filter(|(of, _)| *of == source)
                    .and_then(|(_, place)| versions.get_mut(place));
                match before.filter(|v| v.says == says && v.ended == Some(first)) {
                    Some(same) => {
                        same.ended = ended;
                        same.shown_in.insert(first);
                        same.shown_in.extend(shown);
                    }
                    None => versions.push(Version {
                        born: born.cast_unsigned(),
                        first,
                        ended,
                        shown_in: shown,
                        says,
                    }),
                }
                last = Some((source, versions.len() - 1));
            }
        }
        let told = by_source.into_iter().map(|(source, mut versions)| {
            versions.sort_by_key(|version| version.first);
            let telling = reads.telling((source, self.kind), &told_by, (system, lineage));
            // One whose versions were deleted tells nothing any more, and did come to its end.
            let tells_nothing = |read: &&Read| {
                reads.is_deleted(self.kind, read)
                    && !versions
                        .iter()
                        .any(|one| one.first == read.sync || one.shown_in.contains(&read.sync))
            };
            let deleted_until = telling
                .iter()
                .filter(tells_nothing)
                .map(|one| one.until)
                .max();
            let telling = match deleted_until.is_some() {
                true => telling
                    .iter()
                    .filter(|read| !tells_nothing(read))
                    .copied()
                    .collect(),
                false => telling,
            };
            Told {
                reads: telling,
                versions,
                deleted_until,
            }
        });
        Ok(told.collect())
    }
}

/// The start of the last complete read of the source that was read longest ago.
pub(super) fn all_read_since(ends: &BTreeMap<i64, Option<(Read, Read)>>) -> Option<DateTime<Utc>> {
    let last = ends.values().map(|ends| ends.map(|(_, last)| last.from));
    // None, which is no read, comes first.
    last.min().flatten()
}
