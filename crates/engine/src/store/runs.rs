//! Reads of one source, for its page: windows of its runs, of the journal of one run, and since
//! when each kind stands as it does. Rows are counted and fetched by index, never all of them.

use super::syncs::{SyncId, SyncRecord, SyncState};
use super::{SourceRecord, Store, StoreError};
use crate::views::{JournalRow, Totals};
use lastkey_contract::Kind;

/// One run with its totals over all kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    pub sync: SyncRecord,
    pub totals: Totals,
    /// How many kinds the run had to read, and how many of them it read completely.
    pub kinds: u64,
    pub complete: u64,
    /// How many kinds were read for what changed only.
    pub incremental: u64,
    /// Removals that wait for a person's word.
    pub held: u64,
    /// Whether it went on after it was cut off.
    pub resumed: bool,
}

/// Which part of a source's runs; newest first.
#[derive(Clone, Copy, Debug)]
pub struct RunsQuery {
    pub state: Option<SyncState>,
    pub oldest_first: bool,
    pub offset: u64,
    pub limit: u32,
}

/// Which part of a run's journal, in the order in which it was written.
#[derive(Clone, Copy, Debug)]
pub struct JournalQuery<'a> {
    /// Only lines with one of these words; empty for all.
    pub what: &'a [&'a str],
    pub kind: Option<Kind>,
    /// Part of the text or of an example; empty for all.
    pub search: &'a str,
    pub offset: u64,
    pub limit: u32,
}

/// Since when a kind of a source stands as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindSince {
    pub kind: Kind,
    /// The moment that the last complete read shows.
    pub complete_at: Option<String>,
    /// The first read after it that had a gap; None while the latest is complete.
    pub gap_since: Option<String>,
}

type RunRow = (
    (i64, String, String, Option<String>, String),
    (Option<String>, Option<String>),
    [i64; 12],
);

impl Store {
    /// A window of a source's runs; how many match, and how many there are.
    pub async fn runs(
        &self,
        source: &SourceRecord,
        query: RunsQuery,
    ) -> Result<(Vec<RunRecord>, u64, u64), StoreError> {
        let state = query.state.map(SyncState::word);
        let (total, matching): (i64, i64) = sqlx::query_as(
            "SELECT count(*), coalesce(sum(?2 IS NULL OR state = ?2), 0) FROM syncs WHERE source = ?1",
        )
        .bind(source.id)
        .bind(state)
        .fetch_one(self.readers())
        .await?;
        let order = match query.oldest_first {
            true => "ASC",
            false => "DESC",
        };
        // Only the window's own runs are added up.
        let sql = format!(
            "WITH part AS (SELECT id FROM syncs WHERE source = ?1 AND (?2 IS NULL OR state = ?2)
                           ORDER BY id {order} LIMIT ?3 OFFSET ?4)
             SELECT y.id, y.state, y.started_at, y.ended_at, y.read_at, y.failure, y.hint,
                    coalesce(sum(k.reported), 0), coalesce(sum(k.received), 0), coalesce(sum(k.stored), 0),
                    coalesce(sum(k.unchanged), 0), coalesce(sum(k.skipped), 0), coalesce(sum(k.failed), 0),
                    coalesce(sum(k.removed), 0), count(k.kind), coalesce(sum(k.complete), 0),
                    coalesce(sum(k.mode = 'incremental'), 0), coalesce(sum(k.would_remove), 0),
                    EXISTS (SELECT 1 FROM journal j WHERE j.sync = y.id AND j.what = 'resume')
             FROM part p JOIN syncs y ON y.id = p.id LEFT JOIN sync_kinds k ON k.sync = y.id
             GROUP BY y.id ORDER BY y.id {order}"
        );
        let rows: Vec<sqlx::sqlite::SqliteRow> = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(source.id)
            .bind(state)
            .bind(query.limit)
            .bind(query.offset.cast_signed())
            .fetch_all(self.readers())
            .await?;
        let runs = rows
            .iter()
            .map(|row| run_record(source, run_row(row)?))
            .collect::<Result<_, StoreError>>()?;
        Ok((runs, matching.cast_unsigned(), total.cast_unsigned()))
    }

    /// A window of one run's journal; how many match, and how many there are.
    pub async fn run_journal(
        &self,
        sync: SyncId,
        query: JournalQuery<'_>,
    ) -> Result<(Vec<JournalRow>, u64, u64), StoreError> {
        const MATCH: &str = "sync = ?1
            AND (?2 = '[]' OR what IN (SELECT value FROM json_each(?2)))
            AND (?3 IS NULL OR kind = ?3)
            AND (?4 = '' OR instr(lower(text), ?4) > 0 OR instr(lower(examples), ?4) > 0)";
        let what = serde_json::to_string(query.what)?;
        let kind = query.kind.map(Kind::word);
        let search = query.search.to_lowercase();
        let counted = format!(
            "SELECT (SELECT count(*) FROM journal WHERE sync = ?1),
                    (SELECT count(*) FROM journal WHERE {MATCH}),
                    (SELECT s.name FROM syncs y JOIN sources s ON s.id = y.source WHERE y.id = ?1)"
        );
        let (total, matching, source): (i64, i64, Option<String>) =
            sqlx::query_as(sqlx::AssertSqlSafe(counted))
                .bind(sync.sql())
                .bind(&what)
                .bind(kind)
                .bind(&search)
                .fetch_one(self.readers())
                .await?;
        let source = source.ok_or(StoreError::NoSync(sync.0))?;
        let sql = format!(
            "SELECT id, at, what, kind, text, count, examples FROM journal WHERE {MATCH}
             ORDER BY id LIMIT ?5 OFFSET ?6"
        );
        type Line = (i64, String, String, Option<String>, String, i64, String);
        let lines: Vec<Line> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(sync.sql())
            .bind(&what)
            .bind(kind)
            .bind(&search)
            .bind(query.limit)
            .bind(query.offset.cast_signed())
            .fetch_all(self.readers())
            .await?;
        let rows = lines
            .into_iter()
            .map(|(_, at, what, kind, text, count, examples)| {
                Ok(JournalRow {
                    sync: sync.0,
                    source: source.clone(),
                    at,
                    what,
                    kind,
                    text,
                    count: count.cast_unsigned(),
                    examples: serde_json::from_str(&examples)?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((rows, matching.cast_unsigned(), total.cast_unsigned()))
    }

    /// How many lines of each word a run's journal has.
    pub async fn run_journal_words(&self, sync: SyncId) -> Result<Vec<(String, u64)>, StoreError> {
        let words: Vec<(String, i64)> =
            sqlx::query_as("SELECT what, count(*) FROM journal WHERE sync = ?1 GROUP BY what")
                .bind(sync.sql())
                .fetch_all(self.readers())
                .await?;
        Ok(words
            .into_iter()
            .map(|(word, count)| (word, count.cast_unsigned()))
            .collect())
    }

    /// Since when each kind of a source's latest read stands as it does.
    pub async fn kinds_since(&self, source: &SourceRecord) -> Result<Vec<KindSince>, StoreError> {
        let Some(latest) = self.latest_sync(source.id).await? else {
            return Ok(Vec::new());
        };
        let mut kinds = Vec::new();
        for record in self.sync_kinds(latest.id).await? {
            let complete: Option<(i64, String)> = sqlx::query_as(
                "SELECT y.id, y.read_at FROM syncs y JOIN sync_kinds k ON k.sync = y.id AND k.kind = ?2
                 WHERE y.source = ?1 AND k.complete = 1 ORDER BY y.id DESC LIMIT 1",
            )
            .bind(source.id)
            .bind(record.kind.word())
            .fetch_optional(self.readers())
            .await?;
            let after = complete.as_ref().map_or(0, |(sync, _)| *sync);
            let gap: Option<(String,)> = sqlx::query_as(
                "SELECT y.started_at FROM syncs y JOIN sync_kinds k ON k.sync = y.id AND k.kind = ?2
                 WHERE y.source = ?1 AND y.id > ?3 AND k.complete = 0 ORDER BY y.id LIMIT 1",
            )
            .bind(source.id)
            .bind(record.kind.word())
            .bind(after)
            .fetch_optional(self.readers())
            .await?;
            kinds.push(KindSince {
                kind: record.kind,
                complete_at: complete.map(|(_, at)| at),
                gap_since: gap.map(|(at,)| at),
            });
        }
        Ok(kinds)
    }
}

fn run_row(row: &sqlx::sqlite::SqliteRow) -> Result<RunRow, StoreError> {
    use sqlx::Row;
    let mut sums = [0i64; 12];
    for (sum, column) in sums.iter_mut().zip(7usize..) {
        *sum = row.try_get(column)?;
    }
    Ok((
        (
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
            row.try_get(4)?,
        ),
        (row.try_get(5)?, row.try_get(6)?),
        sums,
    ))
}

fn run_record(source: &SourceRecord, row: RunRow) -> Result<RunRecord, StoreError> {
    let ((id, state, started_at, ended_at, read_at), (failure, hint), sums) = row;
    let [
        reported,
        received,
        stored,
        unchanged,
        skipped,
        failed,
        removed,
        kinds,
        complete,
        incremental,
        held,
        resumed,
    ] = sums.map(i64::cast_unsigned);
    Ok(RunRecord {
        sync: SyncRecord {
            id: SyncId(id.cast_unsigned()),
            source: source.name.clone(),
            state: SyncState::from_word(&state)?,
            started_at,
            ended_at,
            read_at,
            failure,
            hint,
        },
        totals: Totals {
            reported,
            received,
            stored,
            unchanged,
            skipped,
            failed,
            removed,
        },
        kinds,
        complete,
        incremental,
        held,
        resumed: resumed > 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreKey;
    use chrono::Utc;
    use lastkey_contract::{Settings, SourceName};

    /// A source with so many runs, the last of which has as many journal lines.
    async fn busy(folder: &std::path::Path, runs: u32) -> (Store, SourceRecord) {
        let path = folder.join("s.lastkey");
        let store = Store::create(&path, &StoreKey::new([7; 32]), "tester", Utc::now())
            .await
            .unwrap();
        let source = store
            .add_source(
                &SourceName::new("hr"),
                "flat-files",
                &Settings::default(),
                Utc::now(),
            )
            .await
            .unwrap();
        let mut writing = store.begin().await.unwrap();
        for statement in [
            "INSERT INTO syncs (source, state, started_at, ended_at, read_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
             SELECT ?1, iif(i % 10 = 0, 'incomplete', 'complete'), '2026-01-01T00:00:00Z',
                    '2026-01-01T00:00:05Z', '2026-01-01T00:00:00Z' FROM n",
            "INSERT INTO sync_kinds (sync, kind, reported, received, stored, unchanged, skipped, complete)
             SELECT id, 'identity', 10, 10, 3, 6, 1, state = 'complete' FROM syncs
             WHERE source = ?1 AND ?2 > 0",
            "INSERT INTO journal (sync, at, what, kind, text, count, examples)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
             SELECT (SELECT max(id) FROM syncs WHERE source = ?1), '2026-01-01T00:00:00Z',
                    iif(i % 100 = 0, 'skip', 'page'), 'identity', 'line ' || i, 1, '[\"row ' || i || '\"]' FROM n",
        ] {
            sqlx::query(statement)
                .bind(source.id)
                .bind(runs)
                .execute(&mut *writing.tx)
                .await
                .unwrap();
        }
        writing.commit().await.unwrap();
        (store, source)
    }

    fn window(state: Option<SyncState>, oldest_first: bool, offset: u64) -> RunsQuery {
        RunsQuery {
            state,
            oldest_first,
            offset,
            limit: 200,
        }
    }

    #[tokio::test]
    async fn a_hundred_thousand_runs_and_lines_are_shown_by_window() {
        const MANY: u32 = 100_000;
        let folder = tempfile::tempdir().unwrap();
        let (store, source) = busy(folder.path(), MANY).await;

        let (rows, matching, total) = store
            .runs(&source, window(None, false, 99_900))
            .await
            .unwrap();
        assert_eq!((rows.len(), matching, total), (100, 100_000, 100_000));
        let last = rows.last().unwrap();
        assert_eq!(last.sync.id, SyncId(1), "newest first ends with the oldest");
        let t = last.totals;
        assert_eq!(t.reported, t.stored + t.unchanged + t.skipped + t.failed);
        assert_eq!((last.kinds, last.complete, last.incremental), (1, 1, 0));

        let gaps = window(Some(SyncState::Incomplete), true, 0);
        let (rows, matching, total) = store.runs(&source, gaps).await.unwrap();
        assert_eq!((rows.len(), matching, total), (200, 10_000, 100_000));
        assert_eq!(rows.first().unwrap().sync.id, SyncId(10));

        let newest = SyncId(u64::from(MANY));
        let lines = |what, search, offset| JournalQuery {
            what,
            kind: None,
            search,
            offset,
            limit: 200,
        };
        let (rows, matching, total) = store
            .run_journal(newest, lines(&["skip", "fail"], "", 800))
            .await
            .unwrap();
        assert_eq!((rows.len(), matching, total), (200, 1_000, 100_000));
        assert_eq!(rows.first().unwrap().text, "line 80100");
        let (rows, matching, _) = store
            .run_journal(newest, lines(&[], "ROW 77777", 0))
            .await
            .unwrap();
        assert_eq!((rows.len(), matching), (1, 1), "examples are searched too");
        let mut words = store.run_journal_words(newest).await.unwrap();
        words.sort();
        assert_eq!(
            words,
            [("page".to_owned(), 99_000), ("skip".to_owned(), 1_000)]
        );

        let since = store.kinds_since(&source).await.unwrap();
        let one = since.first().unwrap();
        assert!(
            one.complete_at.is_some() && one.gap_since.is_some(),
            "{one:?}"
        );
        let states = store.read_states(i64::MAX).await.unwrap();
        assert_eq!(
            states.len(),
            1,
            "one state for each kind, however often it was read"
        );
        assert!(states.iter().all(|state| state.complete_at.is_some()));
    }
}
