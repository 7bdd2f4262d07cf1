//! What was: moments as people name them, what differs between two of them, the past of one object.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::moment_from_text;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use lastkey_contract::{Kind, Settings, SourceName};
use lastkey_engine::store::{
    DiffQuery, Horizon, ReadLater, RetentionReport, RetentionRule, StoreError, SyncId, SyncRecord,
    is_dated,
};
use lastkey_engine::views::{DiffCount, DiffRow, ObjectHistory, UnfinishedRead};
use lastkey_flat_files::series::day_of;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// Two moments and what of them is compared, as people write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffRequest {
    pub from: String,
    pub to: String,
    /// Words such as `account` or `accounts`; all kinds where there are none.
    pub kinds: Vec<String>,
    /// `COLUMN=VALUE`; all must hold.
    pub filters: Vec<String>,
}

/// A kind as people write it, one or many of it.
pub fn kind_from_text(text: &str) -> Result<Kind, Failure> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.word() == text || kind.plural() == text)
        .ok_or_else(|| {
            let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
            Failure::bad_input(format!("`{text}` is not a kind"))
                .hint(format!("one of {}", words.join(", ")))
        })
}

/// `COLUMN=VALUE` taken apart.
pub(crate) fn filters_from_text(filters: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let parted = filters.iter().map(|filter| {
        let (column, value) = filter
            .split_once('=')
            .ok_or_else(|| Failure::bad_input(format!("`{filter}` is not COLUMN=VALUE")))?;
        Ok((column.trim().to_owned(), value.to_owned()))
    });
    parted.collect()
}

/// What a state is asked for by, beside the number of a sync.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    At(DateTime<Utc>),
    /// The end of a day: in UTC, and of dated rosters by the dates that they carry.
    EndOf(NaiveDate),
}

impl Moment {
    fn parse(text: &str) -> Result<Moment, Failure> {
        if let Ok(date) = text.parse() {
            return Ok(Moment::EndOf(date));
        }
        moment_from_text(text).map(Moment::At).map_err(|_| {
            Failure::bad_input(format!("`{text}` is neither a sync nor a time"))
                .hint("write the number of a sync, a date such as 2026-06-01, or a time such as 2026-06-01T17:00:00Z")
        })
    }

    /// Whether nobody can know of it yet. A day has begun somewhere before it begins in UTC.
    fn is_to_come(self, now: DateTime<Utc>) -> bool {
        match self {
            Moment::At(at) => at > now,
            Moment::EndOf(date) => date.and_time(NaiveTime::MIN).and_utc() > now + AHEAD_OF_UTC,
        }
    }
}

/// A moment that is asked for, and what is needed to tell which reads are of it.
struct Asked {
    moment: Moment,
    settings: HashMap<SourceName, Settings>,
}

impl Asked {
    /// Whether a read shows this moment or one before. The date of a roster is one of its source's
    /// zone.
    fn is_of(&self, sync: &SyncRecord, shown: DateTime<Utc>) -> bool {
        match self.moment {
            Moment::At(at) => shown <= at,
            Moment::EndOf(date) => {
                let own = self.settings.get(&sync.source);
                let own = own.filter(|_| is_dated(sync).unwrap_or_default());
                let day = own.and_then(|settings| day_of(settings, shown).ok());
                day.unwrap_or_else(|| shown.date_naive()) <= date
            }
        }
    }
}

/// The zone that is furthest ahead.
const AHEAD_OF_UTC: TimeDelta = TimeDelta::hours(14);

impl Workbench {
    /// The sync whose state a text asks for: its number, `now`, a time or a date.
    pub async fn sync_of(&self, text: &str) -> Result<u64, Failure> {
        if let Ok(number) = text.parse::<u64>() {
            if number > 0 {
                self.store.sync_record(SyncId(number)).await?;
            }
            return Ok(number);
        }
        if text == "now" {
            let newest = self.store.newest_sync().await?;
            return Ok(newest.map_or(0, |sync| sync.id.0));
        }
        let moment = Moment::parse(text)?;
        if moment.is_to_come(self.now().max(Utc::now())) {
            return Err(Failure::bad_input(format!("`{text}` is in the future"))
                .hint("`now` is the latest moment that can be shown"));
        }
        let asked = self.asked(moment).await?;
        let found = self
            .store
            .latest_sync_that(|sync, shown| asked.is_of(sync, shown));
        match found.await? {
            Some(sync) => Ok(sync.id.0),
            None => Err(
                Failure::bad_input(format!("nothing had been read by `{text}`"))
                    .hint("`lastkey journal` shows when each sync ran"),
            ),
        }
    }

    async fn asked(&self, moment: Moment) -> Result<Asked, Failure> {
        let sources = self.store.sources().await?.into_iter();
        Ok(Asked {
            moment,
            settings: sources.map(|one| (one.name, one.settings)).collect(),
        })
    }

    /// The sources of which the state that a time or a date means holds what was read after it:
    /// a dated read of another source came in after them. None for the number of a sync.
    pub async fn read_later(&self, text: Option<&str>) -> Result<Vec<ReadLater>, Failure> {
        let Some(text) = text.filter(|text| text.parse::<u64>().is_err() && *text != "now") else {
            return Ok(Vec::new());
        };
        let sync = SyncId(self.sync_of(text).await?);
        let asked = self.asked(Moment::parse(text)?).await?;
        let of = |sync: &SyncRecord, shown| asked.is_of(sync, shown);
        Ok(self.store.read_later(sync, of).await?)
    }

    /// The same for reading tables: 0, the store before its first sync, has none.
    pub async fn as_of(&self, text: Option<&str>) -> Result<Option<u64>, Failure> {
        match text {
            None => Ok(None),
            Some(text) => match self.sync_of(text).await? {
                0 => Err(StoreError::NoSync(0).into()),
                sync => Ok(Some(sync)),
            },
        }
    }

    /// A request with its moments found.
    pub async fn diff_query(&self, request: &DiffRequest) -> Result<DiffQuery, Failure> {
        let (from, to) = (
            self.sync_of(&request.from).await?,
            self.sync_of(&request.to).await?,
        );
        if from > to {
            return Err(
                Failure::bad_input(format!("sync {from} came after sync {to}"))
                    .hint("give the earlier moment first"),
            );
        }
        let kinds = request.kinds.iter().map(|kind| kind_from_text(kind));
        Ok(DiffQuery {
            from: SyncId(from),
            to: SyncId(to),
            kinds: kinds.collect::<Result<_, _>>()?,
            filters: filters_from_text(&request.filters)?,
        })
    }

    /// How many objects differ, by kind, source and system.
    pub async fn diff_counts(&self, query: &DiffQuery) -> Result<Vec<DiffCount>, Failure> {
        let mut counts: BTreeMap<(usize, String, Option<String>), DiffCount> = BTreeMap::new();
        self.each_difference(query, |row| {
            let place = Kind::ALL.iter().position(|kind| kind.word() == row.kind);
            let key = (
                place.unwrap_or(usize::MAX),
                row.source.clone(),
                row.system.clone(),
            );
            let count = counts.entry(key).or_insert_with(|| DiffCount {
                kind: row.kind.clone(),
                source: row.source.clone(),
                system: row.system.clone(),
                ..DiffCount::default()
            });
            count.take(row.what);
            Ok(())
        })
        .await?;
        Ok(counts.into_values().collect())
    }

    /// Hands over every difference, kind by kind.
    pub async fn each_difference(
        &self,
        query: &DiffQuery,
        mut take: impl FnMut(DiffRow) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.store
            .diff::<Failure>(query, |row| {
                take(row)?;
                Ok(ControlFlow::Continue(()))
            })
            .await
    }

    /// A window of the differences.
    pub async fn diff_window(
        &self,
        query: &DiffQuery,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<DiffRow>, Failure> {
        Ok(self.store.diff_window(query, offset, limit).await?)
    }

    /// Of which kinds a diff cannot say all that went, and why.
    pub async fn diff_unfinished(&self, query: &DiffQuery) -> Result<Vec<UnfinishedRead>, Failure> {
        Ok(self.store.diff_unfinished(query).await?)
    }

    /// The past of the objects that an id names, one for each source that has it.
    pub async fn object_history(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Vec<ObjectHistory>, Failure> {
        let kind = kind_from_text(kind)?;
        let found = self.store.object_history(kind, id).await?;
        if found.is_empty() {
            return Err(
                Failure::bad_input(format!("no {} `{id}` was ever read", kind.word()))
                    .hint("write the id as `lastkey diff` shows it: SYSTEM:ID, or SOURCE:ID of an identity"),
            );
        }
        Ok(found)
    }

    /// The rules of retention, and how far back each kind is whole.
    pub async fn retention(&self) -> Result<(Vec<RetentionRule>, Vec<Horizon>), Failure> {
        Ok((self.store.retention().await?, self.store.horizons().await?))
    }

    /// Sets how long versions of a kind (all, if none) are kept; forever without days and syncs.
    pub async fn set_retention(
        &self,
        kind: Option<&str>,
        days: Option<u32>,
        syncs: Option<u32>,
    ) -> Result<(), Failure> {
        let kind = kind.map(kind_from_text).transpose()?;
        Ok(self
            .store
            .set_retention(kind, days, syncs, Utc::now())
            .await?)
    }

    /// Takes back every rule of retention.
    pub async fn keep_everything(&self) -> Result<(), Failure> {
        for rule in self.store.retention().await? {
            let kind = Kind::from_word(&rule.kind);
            self.store
                .set_retention(kind, None, None, Utc::now())
                .await?;
        }
        Ok(())
    }

    /// What retention would delete now, and what is held.
    pub async fn retention_preview(&self) -> Result<RetentionReport, Failure> {
        Ok(self.store.retention_preview(self.now()).await?)
    }

    /// Deletes what is no longer kept and is no evidence.
    pub async fn run_retention(&self) -> Result<RetentionReport, Failure> {
        Ok(self.store.run_retention(self.now()).await?)
    }
}
