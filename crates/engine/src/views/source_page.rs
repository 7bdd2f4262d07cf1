//! The page of one source: its runs, one run with its journal, and since when each kind stands as
//! it does. Windows only: a source can have any number of runs, and a run any number of lines.

use super::{JournalRow, KindTotals, ListQuery, RowWindow, Totals};
use crate::store::{
    JournalQuery, KindRecord, RunRecord, RunsQuery, Store, StoreError, SyncId, SyncState,
};
use chrono::{DateTime, Utc};
use lastkey_contract::{Kind, Script, SourceName};
use serde::Serialize;
use ts_rs::TS;

/// One run of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RunRow {
    pub sync: u64,
    pub started_at: String,
    /// None while it runs.
    pub ended_at: Option<String>,
    pub took_ms: Option<u64>,
    /// The moment that the read shows: its start, or the date of a dated read.
    pub read_at: String,
    /// `running`, `complete`, `incomplete`, `failed`, `cancelled`, `interrupted`, `removal`.
    pub state: String,
    pub message: Option<String>,
    pub hint: Option<String>,
    pub totals: Totals,
    /// How many kinds it had to read, and how many of them it read completely.
    pub kinds: u64,
    pub complete_kinds: u64,
    /// `full`, `incremental`, or `mixed`: some kinds so and some so.
    pub mode: String,
    /// Whether it went on after it was cut off.
    pub resumed: bool,
    /// Removals that wait for a person's word.
    pub held: u64,
}

/// One run with its kinds and what its journal holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RunDetail {
    pub sync: u64,
    pub kinds: Vec<KindTotals>,
    /// What was asked of the source, by kind; each once.
    pub queries: Vec<KindQueries>,
    /// How many journal lines of each word there are.
    pub journal: Vec<WordCount>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct KindQueries {
    pub kind: String,
    pub queries: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct WordCount {
    pub word: String,
    pub count: u64,
}

/// Since when one kind of a source stands as it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct KindStanding {
    pub kind: String,
    /// The moment that the last complete read shows; None if there never was one.
    pub complete_at: Option<String>,
    /// The first read after it that had a gap; None while the latest read is complete.
    pub gap_since: Option<String>,
}

/// What is wrong with a source that is being written, and at which field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DraftProblem {
    /// `name`, `secret`, or the key of a setting; None where it is no single one.
    pub field: Option<String>,
    pub message: String,
    pub hint: Option<String>,
}

/// A ready text for the system's own administrator. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ScriptView {
    pub title: String,
    pub usage: String,
    pub file_name: String,
    pub text: String,
}

impl From<Script> for ScriptView {
    fn from(script: Script) -> Self {
        let Script {
            title,
            usage,
            file_name,
            text,
        } = script;
        ScriptView {
            title,
            usage,
            file_name,
            text,
        }
    }
}

/// A window of a source's runs, newest first; `state=WORD` filters, and sorting by `started_at`
/// without `descending` shows the oldest first.
pub async fn runs(
    store: &Store,
    source: &SourceName,
    query: &ListQuery,
) -> Result<RowWindow<RunRow>, StoreError> {
    let source = store.source(source).await?;
    let mut state = None;
    for filter in &query.filters {
        match filter.split_once('=') {
            Some(("state", word)) => {
                state = Some(SyncState::from_word(word).map_err(|_| bad_filter(filter))?);
            }
            Some(_) | None => return Err(bad_filter(filter)),
        }
    }
    let (rows, matching, total) = store
        .runs(
            &source,
            RunsQuery {
                state,
                oldest_first: query.sort == "started_at" && !query.descending,
                offset: query.offset,
                limit: query.limit,
            },
        )
        .await?;
    Ok(RowWindow {
        rows: rows.into_iter().map(run_row).collect(),
        offset: query.offset,
        matching,
        total,
    })
}

/// One run.
pub async fn run(store: &Store, sync: SyncId) -> Result<RunDetail, StoreError> {
    store.sync_record(sync).await?;
    let kinds = store.sync_kinds(sync).await?;
    let words = store.run_journal_words(sync).await?;
    Ok(RunDetail {
        sync: sync.0,
        queries: kinds
            .iter()
            .filter(|kind| !kind.queries.is_empty())
            .map(|kind| KindQueries {
                kind: kind.kind.word().to_owned(),
                queries: kind.queries.clone(),
            })
            .collect(),
        kinds: kinds.iter().map(KindRecord::view).collect(),
        journal: words
            .into_iter()
            .map(|(word, count)| WordCount { word, count })
            .collect(),
    })
}

/// A window of one run's journal in the order in which it was written. `what=skip|fail` and
/// `kind=account` filter, the search looks in texts and examples.
pub async fn run_journal(
    store: &Store,
    sync: SyncId,
    query: &ListQuery,
) -> Result<RowWindow<JournalRow>, StoreError> {
    let mut what: Vec<&str> = Vec::new();
    let mut kind = None;
    for filter in &query.filters {
        match filter.split_once('=') {
            Some(("what", words)) => what = words.split('|').collect(),
            Some(("kind", word)) => {
                kind = Some(Kind::from_word(word).ok_or_else(|| bad_filter(filter))?);
            }
            Some(_) | None => return Err(bad_filter(filter)),
        }
    }
    let (rows, matching, total) = store
        .run_journal(
            sync,
            JournalQuery {
                what: &what,
                kind,
                search: query.search.trim(),
                offset: query.offset,
                limit: query.limit,
            },
        )
        .await?;
    Ok(RowWindow {
        rows,
        offset: query.offset,
        matching,
        total,
    })
}

/// Since when each kind of a source stands as it does.
pub async fn standing(store: &Store, source: &SourceName) -> Result<Vec<KindStanding>, StoreError> {
    let source = store.source(source).await?;
    let kinds = store.kinds_since(&source).await?;
    Ok(kinds
        .into_iter()
        .map(|since| KindStanding {
            kind: since.kind.word().to_owned(),
            complete_at: since.complete_at,
            gap_since: since.gap_since,
        })
        .collect())
}

fn bad_filter(filter: &str) -> StoreError {
    StoreError::BadQuery {
        what: "filter".to_owned(),
        value: filter.to_owned(),
    }
}

fn run_row(run: RunRecord) -> RunRow {
    let RunRecord {
        sync,
        totals,
        kinds,
        complete,
        incremental,
        held,
        resumed,
    } = run;
    let took_ms = sync
        .ended_at
        .as_deref()
        .and_then(|ended| Some((moment(ended)? - moment(&sync.started_at)?).num_milliseconds()))
        .and_then(|ms| u64::try_from(ms).ok());
    RunRow {
        sync: sync.id.0,
        started_at: sync.started_at,
        ended_at: sync.ended_at,
        took_ms,
        read_at: sync.read_at,
        state: sync.state.word().to_owned(),
        message: sync.failure,
        hint: sync.hint,
        totals,
        kinds,
        complete_kinds: complete,
        mode: match incremental {
            0 => "full",
            some if some < kinds => "mixed",
            _ => "incremental",
        }
        .to_owned(),
        resumed,
        held,
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.with_timezone(&Utc))
}
