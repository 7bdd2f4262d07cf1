//! What changed, as a screen asks for it: two moments that it need not name, counts, and windows
//! of the differences out of a list that is found once.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::history::kind_from_text;
use crate::rehearsals::State;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::{Kind, SourceName};
use lastkey_engine::store::{DiffList, DiffQuery, Narrow, SyncId, SyncRecord, moment_view};
use lastkey_engine::views::{
    self, DiffRow, DiffView, Difference, EarlierMoment, FactRow, IdentityThen, ListQuery,
    MomentView, RetentionView, RowWindow,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

/// How many days back a screen offers to look.
const EARLIER: [u32; 4] = [1, 7, 30, 90];
/// How many syncs are looked at to find where the latest round of reads began.
const ROUND: u32 = 1_000;

/// The differences between two moments, remembered for as long as the store stays the same.
pub(crate) struct Changes {
    state: State,
    query: DiffQuery,
    list: Arc<DiffList>,
}

impl Workbench {
    /// What differs between two moments, counted. Without a later moment it is the latest read of
    /// the source, or of all; without an earlier one the read of that source before it, or what
    /// stood before the latest round of reads.
    pub async fn changes(
        &self,
        from: Option<&str>,
        to: Option<&str>,
        source: Option<&str>,
    ) -> Result<DiffView, Failure> {
        let begun = Instant::now();
        let only = source.map(SourceName::new);
        let to = match to {
            Some(text) => self.sync_of(text).await?,
            None => self.latest_ended(only.as_ref()).await?,
        };
        let from = match from {
            Some(text) => self.sync_of(text).await?,
            None => self.before(to, only.as_ref()).await?,
        };
        let query = self.span(from, to)?;
        let list = self.change_list(&query).await?;
        let of_source = |name: &str| source.is_none_or(|only| only == name);
        let mut counts = list.counts();
        counts.retain(|count| of_source(&count.source));
        let mut unfinished = self.store.diff_unfinished(&query).await?;
        unfinished.retain(|read| of_source(&read.source));
        let to = self.moment(to).await?;
        Ok(DiffView {
            earlier: self.earlier(&to).await?,
            from: self.moment(from).await?,
            to,
            source: source.map(str::to_owned),
            counts,
            unfinished,
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// A window of the differences between two syncs. Filters: `kind=`, `what=` (a kind of
    /// difference as JSON has it), `source=`; search in ids and names.
    pub async fn changed_rows(
        &self,
        from: u64,
        to: u64,
        query: &ListQuery,
    ) -> Result<RowWindow<DiffRow>, Failure> {
        let narrow = narrow(&query.filters)?;
        let span = self.span(from, to)?;
        let list = self.change_list(&span).await?;
        match self.window_of(&list, &narrow, query).await {
            Ok(window) => Ok(window),
            // A sync that is under way may have packed anew what the list points to.
            Err(_) => {
                *self.changes.lock().await = None;
                let list = self.change_list(&span).await?;
                self.window_of(&list, &narrow, query).await
            }
        }
    }

    async fn window_of(
        &self,
        list: &DiffList,
        narrow: &Narrow,
        query: &ListQuery,
    ) -> Result<RowWindow<DiffRow>, Failure> {
        let (total, wanted) = list.amounts(narrow);
        let (offset, limit) = (query.offset, query.limit);
        let (rows, matching) = match query.search.trim() {
            "" => {
                let window = self.store.diff_list_window(list, narrow, offset, limit);
                (window.await?, wanted)
            }
            text => {
                self.store
                    .diff_list_search(list, narrow, text, offset, limit)
                    .await?
            }
        };
        Ok(RowWindow {
            rows,
            offset,
            matching,
            total,
        })
    }

    /// The syncs whose states can be looked at, newest first; filter `source=`.
    pub async fn moments(&self, query: &ListQuery) -> Result<RowWindow<MomentView>, Failure> {
        let filters = crate::history::filters_from_text(&query.filters)?;
        let mut source = None;
        for (column, value) in filters {
            match column.as_str() {
                "source" => source = Some(SourceName::new(value)),
                _ => return Err(bad_filter(&column)),
            }
        }
        let (syncs, total) = self
            .store
            .ended_syncs(source.as_ref(), query.offset, query.limit)
            .await?;
        Ok(RowWindow {
            rows: syncs.iter().map(moment_view).collect::<Result<_, _>>()?,
            offset: query.offset,
            matching: total,
            total,
        })
    }

    /// A moment as people write it: the number of a sync, a date or a time. Refuses a date whose
    /// state no sync has.
    pub async fn moment_named(&self, text: &str) -> Result<MomentView, Failure> {
        let text = text.trim();
        let sync = self.sync_of(text).await?;
        self.require_one_state(text, SyncId(sync)).await?;
        self.moment(sync).await
    }

    /// A window of a table as it stood after a sync. Filters: the columns of its kind.
    pub async fn table_then(
        &self,
        kind: &str,
        sync: u64,
        query: &ListQuery,
    ) -> Result<RowWindow<FactRow>, Failure> {
        let kind = kind_from_text(kind)?;
        let found = self.table(kind, query, Some(sync)).await?;
        Ok(RowWindow {
            rows: found
                .rows
                .into_iter()
                .map(|values| FactRow { values })
                .collect(),
            offset: query.offset,
            matching: found.matching,
            total: found.matching,
        })
    }

    /// The records that an id named after a sync, as they stood; empty where none was there.
    pub async fn identity_then(&self, id: &str, sync: u64) -> Result<Vec<IdentityThen>, Failure> {
        let at = self.moment(sync).await?;
        let at = at
            .at
            .as_deref()
            .and_then(time)
            .unwrap_or_else(|| self.now());
        Ok(views::identity_then(&self.store, id, SyncId(sync), at).await?)
    }

    /// The rules of retention, and how far back each kind is whole.
    pub async fn retention_view(&self) -> Result<RetentionView, Failure> {
        let (rules, whole_from) = self.retention().await?;
        Ok(RetentionView {
            rules,
            whole_from,
            kinds: Kind::ALL
                .iter()
                .map(|kind| kind.word().to_owned())
                .collect(),
        })
    }

    pub(crate) async fn moment(&self, sync: u64) -> Result<MomentView, Failure> {
        match sync {
            0 => Ok(MomentView::empty()),
            _ => Ok(moment_view(&self.store.sync_record(SyncId(sync)).await?)?),
        }
    }

    fn span(&self, from: u64, to: u64) -> Result<DiffQuery, Failure> {
        if from > to {
            return Err(
                Failure::bad_input(format!("sync {from} came after sync {to}"))
                    .hint("give the earlier moment first"),
            );
        }
        Ok(DiffQuery {
            from: SyncId(from),
            to: SyncId(to),
            kinds: Vec::new(),
            filters: Vec::new(),
        })
    }

    async fn latest_ended(&self, source: Option<&SourceName>) -> Result<u64, Failure> {
        let (syncs, _) = self.store.ended_syncs(source, 0, 1).await?;
        Ok(syncs.first().map_or(0, |sync| sync.id.0))
    }

    /// The moment before: of one source its read before that one; of all what stood before the
    /// round of reads that ends there, in which no source was read twice.
    async fn before(&self, to: u64, source: Option<&SourceName>) -> Result<u64, Failure> {
        let mut seen: HashSet<SourceName> = HashSet::new();
        let mut offset = 0;
        loop {
            let (syncs, _) = self.store.ended_syncs(source, offset, ROUND).await?;
            if syncs.is_empty() {
                return Ok(0);
            }
            offset += syncs.len() as u64;
            for sync in syncs.iter().filter(|sync| sync.id.0 <= to) {
                if !seen.insert(sync.source.clone()) {
                    return Ok(sync.id.0);
                }
            }
        }
    }

    async fn earlier(&self, to: &MomentView) -> Result<Vec<EarlierMoment>, Failure> {
        let Some(at) = to.at.as_deref().and_then(time) else {
            return Ok(Vec::new());
        };
        let mut earlier: Vec<EarlierMoment> = Vec::new();
        for days in EARLIER {
            let found: Option<SyncRecord> = self
                .store
                .sync_at(at - TimeDelta::days(i64::from(days)))
                .await?;
            let Some(sync) = found.map(|sync| sync.id.0).filter(|sync| *sync < to.sync) else {
                continue;
            };
            if earlier.iter().all(|known| known.sync != sync) {
                earlier.push(EarlierMoment { days, sync });
            }
        }
        Ok(earlier)
    }

    async fn change_list(&self, query: &DiffQuery) -> Result<Arc<DiffList>, Failure> {
        let state = self.state().await?;
        let mut kept = self.changes.lock().await;
        if let Some(changes) = kept.as_ref()
            && changes.state == state
            && changes.query == *query
        {
            return Ok(changes.list.clone());
        }
        let list = Arc::new(self.store.diff_list(query).await?);
        *kept = Some(Changes {
            state,
            query: query.clone(),
            list: list.clone(),
        });
        Ok(list)
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.with_timezone(&Utc))
}

fn bad_filter(column: &str) -> Failure {
    Failure::bad_input(format!("`{column}` is no filter of this list"))
}

fn narrow(filters: &[String]) -> Result<Narrow, Failure> {
    let mut narrow = Narrow::default();
    for (column, value) in crate::history::filters_from_text(filters)? {
        match column.as_str() {
            "kind" => narrow.kind = Some(kind_from_text(&value)?),
            "source" => narrow.source = Some(value),
            "what" => {
                let what = Difference::ALL.into_iter().find(|one| one.word() == value);
                narrow.what = Some(what.ok_or_else(|| {
                    Failure::bad_input(format!("`{value}` is no kind of difference"))
                })?);
            }
            _ => return Err(bad_filter(&column)),
        }
    }
    Ok(narrow)
}
