//! `identities`, `accounts` and the other tables, `events`, `journal`. Tables are read in one
//! pass and lists in windows, so that one of a million rows needs no more memory than one of a
//! hundred.

use super::{counted, open};
use crate::args::{Events, Global, Table};
use crate::output::{Output, moment, table as laid_out, value};
use lastkey_contract::Kind;
use lastkey_engine::views::{EventRow, JournalRow, ListQuery, OwnerChangeRow};
use lastkey_workbench::{Failure, WhenMissing};
use serde_json::{Map, Value};
use std::process::ExitCode;

/// So many rows are laid out, or asked for, together.
const WINDOW: u32 = 4_000;

pub async fn table(
    global: &Global,
    kind: Kind,
    args: Table,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let as_of = bench.as_of(args.as_of.as_deref()).await?;
    if let (Some(text), Some(sync)) = (&args.as_of, as_of)
        && text.parse() != Ok(sync)
    {
        out.remark(format!("as of {text}: after sync {sync}"));
    }
    let later = bench.read_later(args.as_of.as_deref()).await?;
    for one in &later {
        let source = &one.source;
        out.remark(match one.upto {
            Some(upto) => format!("of `{source}`: after sync {}", upto.0),
            None => format!("of `{source}`: nothing, it had not been read by then"),
        });
    }
    let columns = lastkey_workbench::columns(kind);
    let mut printer = Printer::new(&args, out);
    // Documents are written as soon as rows are read. A table for people has columns as wide as
    // what stands in them, so that its rows wait for others.
    let together = match out.json || args.csv {
        true => 1,
        false => WINDOW as usize,
    };
    let mut waiting = Vec::new();
    let take = |rows| {
        waiting.extend(rows);
        match waiting.len() < together {
            true => Ok(()),
            false => printer.window(&columns, std::mem::take(&mut waiting)),
        }
    };
    match as_of {
        Some(sync) => {
            let rows = bench.each_row_then(kind, &args.filters, sync, &later, take);
            rows.await?;
        }
        None => bench.each_row(kind, &args.filters, None, take).await?,
    }
    printer.window(&columns, waiting)?;
    if printer.rows == 0 && !out.json && !args.csv {
        let plural = kind.plural();
        out.line(match (args.filters.as_slice(), &args.as_of) {
            ([_, ..], _) => format!("none of the {plural} is one of these"),
            ([], Some(text)) => format!("no {plural} were known as of {text}"),
            ([], None) => format!("no {plural} yet: no source has brought any"),
        })?;
    }
    printer.end()
}

pub async fn events(global: &Global, args: Events, out: &Output) -> Result<ExitCode, Failure> {
    if args.table.as_of.is_some() {
        return Err(Failure::bad_input("--as-of does not go with events")
            .hint("an event carries its own dates: narrow them with --since and --until"));
    }
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let mut printer = Printer::new(&args.table, out);
    let mut query = query(&args.table);
    query.descending = args.newest_first;
    let bounds = [("since", &args.since), ("until", &args.until)];
    for (name, value) in bounds {
        query
            .filters
            .extend(value.iter().map(|value| format!("{name}={value}")));
    }
    let columns: &[&str] = match args.table.csv || out.json {
        true => &[
            "event", "identity", "source", "earliest", "latest", "changed", "name", "owner",
        ],
        false => &["when", "event", "identity", "name", "changed", "source"],
    };
    let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    loop {
        let page = bench.events(&query).await?;
        if page.total == 0 && !out.json && !args.table.csv {
            out.line(match bench.complete_rosters().await? {
                0 | 1 => {
                    "no event yet: it takes two complete reads of a source that says who exists"
                }
                _ => "no event: between the complete reads nobody came, left or changed",
            })?;
        } else if page.matching == 0 && !out.json && !args.table.csv {
            out.line(format!(
                "none of {} events is one of these",
                counted(page.total)
            ))?;
        }
        let count = page.rows.len();
        let rows = page.rows.iter().filter_map(|row| {
            let mut map = as_map(row)?;
            if !out.json {
                map.insert("when".to_owned(), Value::from(when(row)));
            }
            if let (Some(owner), false) = (&row.owner, out.json || args.table.csv) {
                map.insert("changed".to_owned(), Value::from(from_whom(owner)));
                let by = owner.by.as_ref().map(|by| format!("decided by {by}"));
                map.extend(by.map(|by| ("source".to_owned(), Value::from(by))));
            }
            Some(map)
        });
        printer.window(&columns, rows.collect())?;
        query.offset += u64::try_from(count).unwrap_or(u64::MAX);
        if count == 0 || query.offset >= page.matching {
            break;
        }
    }
    printer.end()
}

/// The moment of an event, or both ends of the time in which it happened.
fn when(event: &EventRow) -> String {
    match event.earliest == event.latest {
        true => moment(&event.latest),
        false => format!("{} to {}", moment(&event.earliest), moment(&event.latest)),
    }
}

/// The change of an owner in words.
fn from_whom(change: &OwnerChangeRow) -> String {
    let named = |owners: &[String]| match owners {
        [] => "nobody".to_owned(),
        some => some.join(", "),
    };
    let (before, after) = (named(&change.before), named(&change.after));
    format!("{}: {before} to {after}", change.role)
}

pub async fn journal(
    global: &Global,
    source: Option<String>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let sources = match source {
        Some(name) => vec![name],
        None => bench
            .sources()
            .await?
            .into_iter()
            .map(|row| row.name)
            .collect(),
    };
    let args = Table {
        filters: Vec::new(),
        as_of: None,
        csv: false,
    };
    for name in sources {
        let mut query = query(&args);
        loop {
            let page = bench.journal(&name, &query).await?;
            let count = page.rows.len();
            for row in &page.rows {
                if out.json {
                    out.document(row)?;
                } else {
                    out.line(format!(
                        "{} {:>5} {:<16} {:<8} {}{}",
                        moment(&row.at),
                        row.sync,
                        row.source,
                        row.what,
                        row.text,
                        times(row)
                    ))?;
                    for example in &row.examples {
                        out.line(format!("        {example}"))?;
                    }
                }
            }
            query.offset += u64::try_from(count).unwrap_or(u64::MAX);
            if count == 0 || query.offset >= page.matching {
                break;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How many a line speaks of, where that is more than one and its text does not say it.
fn times(row: &JournalRow) -> String {
    match row.what.as_str() {
        "page" | "hold" => String::new(),
        _ if row.count > 1 => format!(" ({} times)", counted(row.count)),
        _ => String::new(),
    }
}

pub(super) fn query(args: &Table) -> ListQuery {
    ListQuery {
        search: String::new(),
        filters: args.filters.clone(),
        sort: String::new(),
        descending: false,
        offset: 0,
        limit: WINDOW,
    }
}

pub(super) fn as_map(row: &impl serde::Serialize) -> Option<Map<String, Value>> {
    match serde_json::to_value(row) {
        Ok(Value::Object(map)) => Some(map),
        Ok(_) | Err(_) => None,
    }
}

/// Prints windows of rows as JSON lines, CSV or a table for reading.
pub(super) struct Printer<'a> {
    out: &'a Output,
    csv: bool,
    first: bool,
    /// How many were handed over.
    rows: u64,
}

impl<'a> Printer<'a> {
    pub(super) fn new(args: &Table, out: &'a Output) -> Self {
        Self {
            out,
            csv: args.csv,
            first: true,
            rows: 0,
        }
    }

    pub(super) fn window(
        &mut self,
        columns: &[String],
        rows: Vec<Map<String, Value>>,
    ) -> Result<(), Failure> {
        self.rows += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if self.out.json {
            return self.out.documents(&rows);
        }
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| columns.iter().map(|c| cell(row.get(c))).collect())
            .collect();
        if self.csv {
            let header = [columns.to_vec()];
            let header = header.iter().filter(|_| self.first);
            self.out.csv_rows(header.chain(&cells))?;
        } else if !cells.is_empty() {
            // Columns nobody filled only take room.
            let used: Vec<usize> = (0..columns.len())
                .filter(|&i| {
                    cells
                        .iter()
                        .any(|row| row.get(i).is_some_and(|c| !c.is_empty()))
                })
                .collect();
            let pick = |row: &Vec<String>| -> Vec<String> {
                used.iter()
                    .filter_map(|&i| row.get(i).map(|cell| value(cell)))
                    .collect()
            };
            let header: Vec<&str> = used
                .iter()
                .filter_map(|&i| columns.get(i).map(String::as_str))
                .collect();
            let rows: Vec<Vec<String>> = cells.iter().map(pick).collect();
            for line in laid_out(&header, &rows) {
                self.out.line(line)?;
            }
        }
        self.first = false;
        Ok(())
    }

    pub(super) fn end(self) -> Result<ExitCode, Failure> {
        Ok(ExitCode::SUCCESS)
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| cell(Some(item)))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    }
}
