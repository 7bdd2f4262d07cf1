//! What a store answers, asked of the open store: a program of its own for each question would
//! stretch the key each time, and the sweep did little else. Whether the store opens, is whole
//! and what it says first is asked of the real program (`judge`), as is every command that is
//! killed or run again.

use lastkey_contract::Kind;
use lastkey_engine::lifecycle::{Rehearsal, Verdict};
use lastkey_engine::views::ListQuery;
use lastkey_tests::picture::{KEY, Picture, Rows, STORE, TABLES, settled, without_read_times};
use lastkey_tests::window::Room;
use lastkey_workbench::{
    KeySource, OpenOptions, Stop, WhenMissing, Workbench, moment_from_text, summary_line,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

/// An open store. Nobody else may change its keys as long as it lives.
pub struct Answers {
    runtime: Runtime,
    bench: Workbench,
}

impl Answers {
    #[track_caller]
    pub fn of(room: &Room) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = OpenOptions {
            store_path: room.path(STORE),
            key_source: KeySource::KeyFile(room.path(KEY)),
            when_missing: WhenMissing::Refuse,
        };
        let opened = runtime.block_on(Workbench::open(&options));
        let opened =
            opened.unwrap_or_else(|failure| panic!("the store does not open: {failure:?}"));
        Self {
            runtime,
            bench: opened.workbench,
        }
    }

    /// All tables, now or as they were after a sync. Numbers of syncs after `known` become `new`.
    #[track_caller]
    pub fn picture(&self, as_of: Option<u64>, known: u64) -> Picture {
        self.picture_of(&TABLES, as_of, known)
    }

    /// The same of some tables.
    #[track_caller]
    pub fn picture_of(&self, of: &[&str], as_of: Option<u64>, known: u64) -> Picture {
        let mut tables = BTreeMap::new();
        for table in of {
            let mut rows = Rows::new();
            for row in self.rows(table, as_of) {
                *rows.entry(settled(&text(&row), known)).or_default() += 1;
            }
            tables.insert((*table).to_owned(), rows);
        }
        Picture(tables)
    }

    /// The rows of a table.
    #[track_caller]
    pub fn rows(&self, table: &str, as_of: Option<u64>) -> Vec<Map<String, Value>> {
        let kind = Kind::from_word(table).expect("a table");
        let mut rows = Vec::new();
        self.windows(async |query| {
            let page = self.bench.table(kind, query, as_of).await.unwrap();
            let (count, matching) = (page.rows.len(), page.matching);
            rows.extend(page.rows);
            (count, matching)
        });
        rows
    }

    /// Joiners, movers and leavers, without the moments of the reads that showed them.
    #[track_caller]
    pub fn events(&self) -> Rows {
        let mut rows = Rows::new();
        self.windows(async |query| {
            let page = self.bench.events(query).await.unwrap();
            for row in &page.rows {
                *rows.entry(without_read_times(&text(row))).or_default() += 1;
            }
            (page.rows.len(), page.matching)
        });
        rows
    }

    /// Everyone's rehearsal, without the moments of the reads.
    #[track_caller]
    pub fn rehearsals(&self, at: &str) -> Vec<String> {
        self.everyone(at, |rehearsal| {
            without_read_times(&text(&summary_line(rehearsal)))
        })
    }

    /// Everyone's verdict, and what it could not rest on.
    #[track_caller]
    pub fn verdicts(&self, at: &str) -> Vec<(String, Verdict, usize)> {
        self.everyone(at, |rehearsal| {
            let missing = rehearsal.missing_facts.len();
            (rehearsal.identity.to_string(), rehearsal.verdict, missing)
        })
    }

    #[track_caller]
    fn everyone<T: Send>(&self, at: &str, take: impl Fn(&Rehearsal) -> T + Sync) -> Vec<T> {
        let at = moment_from_text(at).unwrap();
        let (stop, mut all) = (Stop::default(), Vec::new());
        let mut each = |rehearsal: &Rehearsal, _row: &_| {
            all.push(take(rehearsal));
            Ok(())
        };
        let played = self.bench.rehearse_everyone(at, &stop, &mut each);
        self.runtime.block_on(played).unwrap();
        all
    }

    /// Sources with the state of their latest read.
    #[track_caller]
    pub fn sources(&self) -> Vec<Value> {
        let rows = self.runtime.block_on(self.bench.sources()).unwrap();
        let rows = rows.iter().map(|row| serde_json::to_value(row).unwrap());
        rows.collect()
    }

    /// The number of the newest sync of all sources; 0 before the first.
    #[track_caller]
    pub fn newest_sync(&self) -> u64 {
        let sources = self.sources();
        let numbers = sources
            .iter()
            .filter_map(|row| row.get("last_sync")?.as_u64());
        numbers.max().unwrap_or(0)
    }

    /// The journal of a source: sync, what, text.
    #[track_caller]
    pub fn journal(&self, source: &str) -> Vec<(u64, String, String)> {
        let mut lines = Vec::new();
        self.windows(async |query| {
            let page = self.bench.journal(source, query).await.unwrap();
            let (count, matching) = (page.rows.len(), page.matching);
            let row = |row: lastkey_engine::views::JournalRow| (row.sync, row.what, row.text);
            lines.extend(page.rows.into_iter().map(row));
            (count, matching)
        });
        lines
    }

    /// Window after window, until all that match were seen.
    fn windows(&self, mut next: impl AsyncFnMut(&ListQuery) -> (usize, u64)) {
        let mut query = ListQuery {
            search: String::new(),
            filters: Vec::new(),
            sort: String::new(),
            descending: false,
            offset: 0,
            limit: 10_000,
        };
        loop {
            let (count, matching) = self.runtime.block_on(next(&query));
            query.offset += u64::try_from(count).unwrap();
            if count == 0 || query.offset >= matching {
                return;
            }
        }
    }
}

/// As the command line prints it.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.runtime.block_on(self.bench.closing().close());
    }
}
