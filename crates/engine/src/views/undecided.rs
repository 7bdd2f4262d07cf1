//! Accounts that want a decision, and persons with several records, by window.

use super::links::{DecisionLine, LinkCount, LinkLine, counted, line, of_decision};
use super::{ListQuery, RowWindow};
use crate::store::{LinkState, OpenLinks, RecordName, Store, StoreError};
use serde::Serialize;
use ts_rs::TS;

/// A record of a person, with what tells it apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RecordLine {
    /// `source:id`.
    pub record: String,
    pub source: String,
    pub id: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub start_date: Option<String>,
    /// What joined it: the name of a rule, or that somebody decided; none where nothing did.
    pub joined_by: Option<String>,
}

/// A person with several records; those whose attributes go first stand first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PersonLine {
    pub person: u32,
    pub records: Vec<RecordLine>,
}

/// Records that a rule would join and did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PersonDoubtLine {
    pub rule: String,
    /// Why it joined nobody.
    pub reason: String,
    /// The first of them; `count` says how many there are.
    pub records: Vec<RecordLine>,
    pub count: u64,
}

/// How many accounts stand how, but for those that are somebody's; of one source or of all.
pub async fn undecided_counts(
    store: &Store,
    source: Option<&str>,
) -> Result<Vec<LinkCount>, StoreError> {
    let counts = store.open_link_counts(source).await?;
    Ok(counted(counts, &store.links_beside(source).await?))
}

/// A window of the accounts that want a decision, the worst first. Filters: `state`, `source`.
pub async fn undecided(
    store: &Store,
    query: &ListQuery,
) -> Result<RowWindow<LinkLine>, StoreError> {
    let mut open = OpenLinks {
        offset: query.offset,
        limit: query.limit,
        ..OpenLinks::default()
    };
    for filter in &query.filters {
        let bad = || StoreError::BadQuery {
            what: "filter".to_owned(),
            value: filter.clone(),
        };
        let (column, value) = filter.split_once('=').ok_or_else(bad)?;
        match column {
            "state" => {
                let state = LinkState::ALL.into_iter().find(|s| s.word() == value);
                open.state = Some(state.ok_or_else(bad)?);
            }
            "source" => open.source = Some(value.to_owned()),
            _ => return Err(bad()),
        }
    }
    let (rows, matching) = store.open_links(&open).await?;
    let all = store.open_link_counts(None).await?;
    let decided = |state: LinkState| state == LinkState::Nobodys;
    Ok(RowWindow {
        rows: rows.iter().map(line).collect(),
        offset: query.offset,
        matching,
        total: all
            .iter()
            .filter(|(state, _)| !decided(*state))
            .map(|(_, count)| count)
            .sum(),
    })
}

/// A window of the persons with several records.
pub async fn persons_joined(
    store: &Store,
    query: &ListQuery,
) -> Result<RowWindow<PersonLine>, StoreError> {
    let (rows, total) = store.joined_persons(query.offset, query.limit).await?;
    let mut persons = Vec::with_capacity(rows.len());
    for row in rows {
        let mut records = Vec::with_capacity(row.records.len());
        for (record, how) in row.records {
            records.push(told(store, record, Some(how)).await?);
        }
        let person = row.person;
        persons.push(PersonLine { person, records });
    }
    Ok(whole(persons, query.offset, total))
}

/// A window of the records that a rule would join and did not.
pub async fn persons_doubted(
    store: &Store,
    query: &ListQuery,
) -> Result<RowWindow<PersonDoubtLine>, StoreError> {
    let (rows, total) = store.person_doubts(query.offset, query.limit).await?;
    let mut doubts = Vec::with_capacity(rows.len());
    for row in rows {
        let mut records = Vec::with_capacity(row.records.len());
        for name in &row.records {
            if let Some((source, id)) = name.split_once(':') {
                let record = RecordName {
                    source: source.to_owned(),
                    id: id.to_owned(),
                };
                records.push(told(store, record, None).await?);
            }
        }
        doubts.push(PersonDoubtLine {
            rule: row.rule,
            reason: row.reason,
            records,
            count: row.count,
        });
    }
    Ok(whole(doubts, query.offset, total))
}

/// The decisions in force about any of these records, the latest first.
pub async fn decisions_about(
    store: &Store,
    records: &[RecordName],
) -> Result<Vec<DecisionLine>, StoreError> {
    let mut lines: Vec<DecisionLine> = Vec::new();
    for record in records {
        let found = store.decisions_about(&record.source, &record.id).await?;
        lines.extend(found.into_iter().map(of_decision));
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.number));
    lines.dedup_by_key(|line| line.number);
    Ok(lines)
}

fn whole<T: TS>(rows: Vec<T>, offset: u64, total: u64) -> RowWindow<T> {
    RowWindow {
        rows,
        offset,
        matching: total,
        total,
    }
}

async fn told(
    store: &Store,
    record: RecordName,
    joined_by: Option<String>,
) -> Result<RecordLine, StoreError> {
    let keys = store.record_keys(&record).await?;
    let start = keys.as_ref().and_then(|k| k.start_date.as_ref());
    let start_date = start.and_then(|d| d.as_str()).map(str::to_owned);
    let (display_name, email) = keys.map_or((None, None), |k| (k.display_name, k.email));
    Ok(RecordLine {
        record: record.to_string(),
        display_name,
        email,
        start_date,
        joined_by,
        source: record.source,
        id: record.id,
    })
}
