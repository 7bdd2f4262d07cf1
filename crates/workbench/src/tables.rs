//! Windows of rows, straight from the store.

use crate::bench::Workbench;
use crate::failure::Failure;
use lastkey_contract::{Kind, SourceName};
use lastkey_engine::store::{FactTable, ReadLater, RecordName, SyncId, TableQuery};
use lastkey_engine::views::{
    self, EventRow, IdentityDetail, IdentityLookup, IdentityRow, JournalRow, KindStanding,
    ListQuery, RowWindow, RunDetail, RunRow,
};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// How many persons with several records are looked at at once.
const WINDOW: u32 = 10_000;

/// The column that says whose record an identity is, where its person has several: the record that
/// goes first.
const PERSON: &str = "person";

/// The column that says whether a row is of a source that only adds to what others have.
const SUPPLEMENT: &str = "supplement";

/// The columns of a table, in order: those of the flat files, then where and when it was read.
pub fn columns(kind: Kind) -> Vec<String> {
    let person = (kind == Kind::Identity).then_some(PERSON);
    let supplement = kind.may_be_told_by_several().then_some(SUPPLEMENT);
    lastkey_engine::store::columns(kind)
        .iter()
        .copied()
        .chain(["source", "first_sync"])
        .chain(person)
        .chain(supplement)
        .map(str::to_owned)
        .collect()
}

impl Workbench {
    /// The journal of a source, latest sync first.
    pub async fn journal(
        &self,
        source: &str,
        query: &ListQuery,
    ) -> Result<RowWindow<JournalRow>, Failure> {
        let source = SourceName::new(source);
        self.store.source(&source).await?;
        Ok(views::journal(&self.store, Some(&source), None, query.offset, query.limit).await?)
    }

    /// The runs of a source, newest first.
    pub async fn runs(
        &self,
        source: &str,
        query: &ListQuery,
    ) -> Result<RowWindow<RunRow>, Failure> {
        Ok(views::runs(&self.store, &SourceName::new(source), query).await?)
    }

    /// One run: its kinds, and what its journal holds.
    pub async fn run(&self, sync: u64) -> Result<RunDetail, Failure> {
        Ok(views::run(&self.store, SyncId(sync)).await?)
    }

    /// The journal of one run, in the order in which it was written.
    pub async fn run_journal(
        &self,
        sync: u64,
        query: &ListQuery,
    ) -> Result<RowWindow<JournalRow>, Failure> {
        Ok(views::run_journal(&self.store, SyncId(sync), query).await?)
    }

    /// Since when each kind of a source stands as it does.
    pub async fn standing(&self, source: &str) -> Result<Vec<KindStanding>, Failure> {
        Ok(views::standing(&self.store, &SourceName::new(source)).await?)
    }

    /// Identities by window.
    pub async fn identities(&self, query: &ListQuery) -> Result<RowWindow<IdentityRow>, Failure> {
        Ok(views::identities(&self.store, query).await?)
    }

    /// One identity with all it holds.
    pub async fn identity(&self, id: &str) -> Result<IdentityDetail, Failure> {
        match views::identity(&self.store, id, self.now()).await? {
            IdentityLookup::Found(detail) => Ok(*detail),
            IdentityLookup::Unknown => Err(self.no_identity(id).await),
            IdentityLookup::Several(ids) => Err(Failure::bad_input(format!(
                "`{id}` names {} identities",
                ids.len()
            ))
            .hint(format!("say which: {}", ids.join(", ")))),
        }
    }

    /// How often the source that says most often who exists was read completely.
    pub async fn complete_rosters(&self) -> Result<u64, Failure> {
        Ok(self.store.complete_rosters().await?)
    }

    /// Lifecycle events found in the sources of truth.
    pub async fn events(&self, query: &ListQuery) -> Result<RowWindow<EventRow>, Failure> {
        Ok(views::events(&self.store, query, self.now()).await?)
    }

    /// A window of one table, as of a sync.
    pub async fn table(
        &self,
        kind: Kind,
        query: &ListQuery,
        as_of: Option<u64>,
    ) -> Result<FactTable, Failure> {
        let query = TableQuery {
            offset: query.offset,
            limit: query.limit,
            ..table_query(&query.filters, as_of)?
        };
        Ok(self.store.table(kind, &query).await?)
    }

    /// Every row of one table, as of a sync, in one pass; handed over as soon as they are read.
    pub async fn each_row(
        &self,
        kind: Kind,
        filters: &[String],
        as_of: Option<u64>,
        mut take: impl FnMut(Vec<Map<String, Value>>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let query = table_query(filters, as_of)?;
        let persons = match kind == Kind::Identity {
            true => self.first_records().await?,
            false => HashMap::new(),
        };
        let give = |mut rows: Vec<Map<String, Value>>| {
            if !persons.is_empty() {
                rows.iter_mut().for_each(|row| say_person(row, &persons));
            }
            take(rows).map(ControlFlow::Continue)
        };
        self.store.each_row::<Failure>(kind, &query, give).await
    }

    /// The same of a time or a date: of sources that were read later, what was known of them then.
    pub async fn each_row_then(
        &self,
        kind: Kind,
        filters: &[String],
        sync: u64,
        later: &[ReadLater],
        mut take: impl FnMut(Vec<Map<String, Value>>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let read_later = |row: &Map<String, Value>| {
            let source = row.get("source").and_then(Value::as_str);
            later.iter().any(|one| source == Some(one.source.as_str()))
        };
        self.each_row(kind, filters, Some(sync), |mut rows| {
            rows.retain(|row| !read_later(row));
            take(rows)
        })
        .await?;
        for one in later {
            let Some(upto) = one.upto else { continue };
            let mut of_source = filters.to_vec();
            of_source.push(format!("source={}", one.source));
            self.each_row(kind, &of_source, Some(upto.0), &mut take)
                .await?;
        }
        Ok(())
    }
}

impl Workbench {
    /// Of each record of a person with several: the one that goes first.
    async fn first_records(&self) -> Result<HashMap<RecordName, String>, Failure> {
        let mut first_of = HashMap::new();
        let mut offset = 0;
        loop {
            let window = self.joined_persons(offset, WINDOW).await?;
            for person in window.rows {
                let Some((first, _)) = person.records.first() else {
                    continue;
                };
                let first = first.to_string();
                let records = person.records.into_iter();
                first_of.extend(records.map(|(record, _)| (record, first.clone())));
            }
            offset += u64::from(WINDOW);
            if offset >= window.total {
                return Ok(first_of);
            }
        }
    }
}

/// Says which record goes first, on a row of an identity that is one of several.
fn say_person(row: &mut Map<String, Value>, persons: &HashMap<RecordName, String>) {
    let text = |column: &str| row.get(column).and_then(Value::as_str).map(str::to_owned);
    let record = text("source").zip(text("id"));
    let record = record.map(|(source, id)| RecordName { source, id });
    if let Some(first) = record.and_then(|record| persons.get(&record)) {
        row.insert(PERSON.to_owned(), Value::from(first.as_str()));
    }
}

fn table_query(filters: &[String], as_of: Option<u64>) -> Result<TableQuery, Failure> {
    Ok(TableQuery {
        filters: crate::history::filters_from_text(filters)?,
        as_of: as_of.map(SyncId),
        ..TableQuery::default()
    })
}
