//! Table `journal`: what really happened in each sync.

use super::{Store, StoreError, SyncId};
use crate::views::JournalRow;
use chrono::{DateTime, Utc};
use lastkey_contract::page::Columns;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Kind, Note, NoteKind, SourceName};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MIGRATION: &str = "
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  sync INTEGER NOT NULL REFERENCES syncs (id),
  at TEXT NOT NULL,
  what TEXT NOT NULL,
  kind TEXT,
  text TEXT NOT NULL,
  count INTEGER NOT NULL,
  examples TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_sync ON journal (sync, id);
";

/// The word for an answer that ends without the mark of its end.
const OPEN: &str = "open";

/// The word for which columns a file has.
const COLUMNS: &str = "columns";

/// What stands before the name of a file whose columns are told, and after a column that a mapping
/// says.
const COLUMNS_OF: &str = "columns of ";
const MAPPED: &str = " (mapped)";

/// Which columns a file told of in a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ToldColumns {
    /// By its own header.
    pub own: BTreeSet<String>,
    /// By its own header or by a mapping.
    pub all: BTreeSet<String>,
}

/// A line to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJournalRow {
    /// One of the words of `views::JournalRow::what`.
    pub what: &'static str,
    pub kind: Option<Kind>,
    pub text: String,
    pub count: u64,
    pub examples: Vec<String>,
}

impl NewJournalRow {
    /// A line about nothing that is counted.
    pub fn plain(what: &'static str, kind: Option<Kind>, text: impl Into<String>) -> Self {
        Self {
            what,
            kind,
            text: text.into(),
            count: 0,
            examples: Vec::new(),
        }
    }

    /// Which columns a file has: the next read is measured by them.
    pub fn columns(kind: Kind, of: &str, columns: &Columns) -> Self {
        let given = columns.given.iter().map(|name| format!("{name}{MAPPED}"));
        let examples: Vec<String> = columns.own.iter().cloned().chain(given).collect();
        Self {
            what: COLUMNS,
            kind: Some(kind),
            text: format!("{COLUMNS_OF}`{of}`"),
            count: u64::try_from(examples.len()).unwrap_or(u64::MAX),
            examples,
        }
    }

    /// A connector's note.
    pub fn note(note: &Note) -> Self {
        let what = match note.kind {
            NoteKind::Skipped => "skip",
            NoteKind::Failed => "fail",
            NoteKind::Clipped => "clip",
            NoteKind::OpenEnd => OPEN,
            NoteKind::Drift => "drift",
            NoteKind::Dangling => "dangling",
            NoteKind::Remark => "note",
        };
        Self {
            what,
            kind: Some(note.about),
            text: note.reason.clone(),
            count: note.count,
            examples: note
                .examples
                .iter()
                .take(Note::MAX_EXAMPLES)
                .cloned()
                .collect(),
        }
    }
}

pub(super) async fn put(
    connection: &mut SqliteConnection,
    sync: SyncId,
    rows: &[NewJournalRow],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for part in rows.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO journal (sync, at, what, kind, text, count, examples) ",
        );
        insert.push_values(part, |mut values, row| {
            values
                .push_bind(sync.sql())
                .push_bind(rfc3339(now))
                .push_bind(row.what)
                .push_bind(row.kind.map(Kind::word))
                .push_bind(row.text.as_str())
                .push_bind(row.count.cast_signed())
                .push_bind(serde_json::Value::from(row.examples.clone()).to_string());
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

type Row = (
    i64,
    String,
    String,
    String,
    Option<String>,
    String,
    i64,
    String,
);

impl Store {
    pub(crate) async fn write_journal(
        &self,
        sync: SyncId,
        rows: &[NewJournalRow],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut writing = self.begin().await?;
        put(&mut writing.tx, sync, rows, now).await?;
        writing.commit().await
    }

    /// The ends without a mark that a sync found in a kind, each once; None where nothing is known
    /// of its journal any more.
    pub(crate) async fn open_ends(
        &self,
        sync: SyncId,
        kind: Kind,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let lines: Vec<(String, String)> = sqlx::query_as(
            "SELECT DISTINCT what, text FROM journal WHERE sync = ?1 AND (kind = ?2 AND what = ?3 OR what = 'start')",
        )
        .bind(sync.sql())
        .bind(kind.word())
        .bind(OPEN)
        .fetch_all(self.readers())
        .await?;
        let known = !lines.is_empty();
        let open = lines.into_iter().filter(|(what, _)| what == OPEN);
        Ok(known.then(|| open.map(|(_, text)| text).collect()))
    }

    /// Which columns the files of a kind had in a sync, by the file in backticks; empty where
    /// nothing is known of them. What was read before a new beginning does not count.
    pub(crate) async fn told_columns(
        &self,
        sync: SyncId,
        kind: Kind,
    ) -> Result<BTreeMap<String, ToldColumns>, StoreError> {
        let lines: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT what, text, examples FROM journal
             WHERE sync = ?1 AND kind = ?2 AND what IN (?3, 'restart') ORDER BY id",
        )
        .bind(sync.sql())
        .bind(kind.word())
        .bind(COLUMNS)
        .fetch_all(self.readers())
        .await?;
        let mut told: BTreeMap<String, ToldColumns> = BTreeMap::new();
        for (what, text, examples) in lines {
            if what != COLUMNS {
                told.clear();
                continue;
            }
            let of = text.strip_prefix(COLUMNS_OF).unwrap_or(&text);
            let file = told.entry(of.to_owned()).or_default();
            for name in serde_json::from_str::<Vec<String>>(&examples)? {
                match name.strip_suffix(MAPPED) {
                    Some(mapped) => file.all.insert(mapped.to_owned()),
                    None => file.own.insert(name.clone()) | file.all.insert(name),
                };
            }
        }
        Ok(told)
    }

    /// The latest sync of a source before this one that read a kind completely.
    pub(crate) async fn complete_before(
        &self,
        source: i64,
        kind: Kind,
        sync: SyncId,
    ) -> Result<Option<SyncId>, StoreError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT y.id FROM syncs y JOIN sync_kinds k ON k.sync = y.id AND k.kind = ?2
             WHERE y.source = ?1 AND y.id < ?3 AND k.complete = 1 ORDER BY y.id DESC LIMIT 1",
        )
        .bind(source)
        .bind(kind.word())
        .bind(sync.sql())
        .fetch_optional(self.readers())
        .await?;
        Ok(found.map(|id| SyncId(id.cast_unsigned())))
    }

    /// A window of the journal, newest sync first and in order within it; and how many match.
    pub async fn journal(
        &self,
        source: Option<&SourceName>,
        sync: Option<SyncId>,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<JournalRow>, u64), StoreError> {
        const MATCH: &str =
            "FROM journal j JOIN syncs y ON y.id = j.sync JOIN sources s ON s.id = y.source
             WHERE (?1 IS NULL OR s.name = ?1) AND (?2 IS NULL OR j.sync = ?2)";
        let source = source.map(|s| s.as_str());
        let sync = sync.map(SyncId::sql);
        let (matching,): (i64,) =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT count(*) {MATCH}")))
                .bind(source)
                .bind(sync)
                .fetch_one(self.readers())
                .await?;
        let sql = format!(
            "SELECT j.sync, s.name, j.at, j.what, j.kind, j.text, j.count, j.examples {MATCH}
             ORDER BY j.sync DESC, j.id LIMIT ?3 OFFSET ?4"
        );
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(source)
            .bind(sync)
            .bind(limit)
            .bind(offset.cast_signed())
            .fetch_all(self.readers())
            .await?;
        let rows = rows
            .into_iter()
            .map(|(sync, source, at, what, kind, text, count, examples)| {
                Ok(JournalRow {
                    sync: sync.cast_unsigned(),
                    source,
                    at,
                    what,
                    kind,
                    text,
                    count: count.cast_unsigned(),
                    examples: serde_json::from_str(&examples)?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((rows, matching.cast_unsigned()))
    }
}
