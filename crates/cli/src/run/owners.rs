//! `owners` and `owner`: who answers for what, whom facts point at, and what people decide.

use super::tables::{Printer, as_map, query};
use super::{counted, open};
use crate::args::{Confirm, Global, Owner, Suggested, Table};
use crate::output::{Output, moment};
use lastkey_engine::store::OwnerVerdict;
use lastkey_engine::views::{ListQuery, OwnerSuggestionView};
use lastkey_workbench::{
    BulkRequest, DECISION_COLUMNS, Failure, OwnerLists, OwnerRequest, OwnersDecided, WhenMissing,
    Workbench, owner_columns,
};
use std::process::ExitCode;

/// Windows of lists that are ready.
const WINDOW: u32 = 2_000;

/// Every owner line with whether the owner is there.
pub async fn lines(global: &Global, args: Table, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let columns = owner_columns();
    let mut printer = Printer::new(&args, out);
    let mut query = query(&args);
    loop {
        let (rows, matching) = bench.owner_lines(&query).await?;
        let count = rows.len();
        printer.window(&columns, rows)?;
        query.offset += u64::try_from(count).unwrap_or(u64::MAX);
        if count == 0 || query.offset >= matching {
            break;
        }
    }
    printer.end()
}

pub async fn owner(global: &Global, owner: Owner, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    match owner {
        Owner::Suggest { of, csv } => suggest(&bench, of, csv, out).await,
        Owner::List(table) => list(&bench, table, out).await,
        Owner::Confirm(confirm) => confirmed(&bench, confirm, out).await,
        Owner::Reject {
            objects,
            owner,
            role,
            why,
        } => {
            let request = OwnerRequest {
                objects,
                owner,
                role,
                why,
                verdict: OwnerVerdict::Rejected,
            };
            told(&bench.decide_owner(&request).await?, out)
        }
        Owner::Undo {
            batch,
            objects,
            owner,
            role,
            why,
        } => {
            let undone = match batch {
                Some(batch) => bench.undo_owner_batch(batch, &why).await?,
                None => {
                    let request = OwnerRequest {
                        objects,
                        owner: owner.unwrap_or_default(),
                        role: role.unwrap_or_default(),
                        why,
                        verdict: OwnerVerdict::Confirmed,
                    };
                    bench.undo_owner(&request).await?
                }
            };
            if out.json {
                out.document(&serde_json::json!({ "undone": undone }))?;
            } else {
                out.line(format!("undone: {}", decisions(undone)))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Owner::Decisions => decided(&bench, out).await,
    }
}

async fn suggest(
    bench: &Workbench,
    of: Suggested,
    csv: bool,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let mut query = window(of.filters);
    if csv && !out.json {
        let more = ["owner_name", "confidence", "standing", "basis"];
        out.csv_row(DECISION_COLUMNS.into_iter().chain(more))?;
    }
    loop {
        let least = of.min_confidence.as_deref();
        let (rows, matching) = bench
            .owner_suggestions(OwnerLists::UpToDate, &query, least)
            .await?;
        for row in &rows {
            if out.json {
                out.document(row)?;
            } else if csv {
                out.csv_row(file_row(row).iter().map(String::as_str))?;
            } else {
                suggestion(row, out)?;
            }
        }
        query.offset += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if rows.is_empty() || query.offset >= matching {
            if matching == 0 && !out.json && !csv {
                out.line("no suggestion asks for a decision")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn suggestion(row: &OwnerSuggestionView, out: &Output) -> Result<(), Failure> {
    let name = row.name.as_ref().filter(|name| **name != row.object_id);
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    let who = match (&row.owner_id, &row.owner_name) {
        (Some(id), Some(name)) => format!("{id} ({name}) as {} owner", row.role),
        (Some(id), None) => format!("{id} as {} owner", row.role),
        (None, _) => format!("{} owner: one of {}", row.role, row.candidates.join(", ")),
    };
    out.line(format!("{:<9} {}{name}: {who}", row.confidence, row.object))?;
    out.line(format!("          {}; now {}", row.basis, row.standing))
}

/// A line of a file of decisions; the decision itself is left to whoever edits it.
fn file_row(row: &OwnerSuggestionView) -> Vec<String> {
    vec![
        String::new(),
        row.object_type.clone(),
        row.system.clone().unwrap_or_default(),
        row.object_id.clone(),
        row.owner_id.clone().unwrap_or_default(),
        row.role.clone(),
        String::new(),
        row.owner_name.clone().unwrap_or_default(),
        row.confidence.clone(),
        row.standing.clone(),
        row.basis.clone(),
    ]
}

/// Says of how many confirmed owners it is not sure any more who is meant: the words for how
/// things stand do not tell them from owners whom no source has.
async fn in_doubt(bench: &Workbench, args: &Table) -> Result<Option<String>, Failure> {
    let asked = ListQuery {
        filters: vec!["state=in_doubt".to_owned()],
        limit: 1,
        ..query(args)
    };
    let (_, found) = bench.owner_lines(&asked).await?;
    Ok((found > 0).then(|| {
        let owners = match found {
            1 => "1 confirmed owner is".to_owned(),
            _ => format!("{} confirmed owners are", counted(found)),
        };
        format!(
            "{owners} in doubt: the id seems to have been given to somebody else since; \
             `lastkey owners --where state=in_doubt` shows which"
        )
    }))
}

async fn list(bench: &Workbench, args: Table, out: &Output) -> Result<ExitCode, Failure> {
    if args.as_of.is_some() {
        return Err(Failure::bad_input("--as-of does not go with this list")
            .hint("`lastkey owners --as-of` shows what sources said then"));
    }
    let columns = [
        "object",
        "object_type",
        "system",
        "object_id",
        "name",
        "kind",
        "standing",
        "owners",
        "suggestions",
    ]
    .map(str::to_owned);
    let mut printer = Printer::new(&args, out);
    let asked = query(&args);
    // Filters that exclude each other leave nothing of the other standings.
    let mut counts = bench
        .owner_standings(OwnerLists::UpToDate, &asked.filters)
        .await?;
    counts.retain(|count| count.count > 0);
    if !out.json && !args.csv {
        for count in &counts {
            out.line(format!("{:>9}  {}", counted(count.count), count.standing))?;
        }
        if let Some(sentence) = in_doubt(bench, &args).await? {
            out.line(sentence)?;
        }
    }
    // The worst first, as the totals stand.
    for there in &counts {
        let mut query = asked.clone();
        query.filters.push(format!("standing={}", there.standing));
        loop {
            let (rows, matching) = bench.owned(&query).await?;
            let count = rows.len();
            printer.window(&columns, rows.iter().filter_map(as_map).collect())?;
            query.offset += u64::try_from(count).unwrap_or(u64::MAX);
            if count == 0 || query.offset >= matching {
                break;
            }
        }
    }
    printer.end()
}

async fn confirmed(bench: &Workbench, args: Confirm, out: &Output) -> Result<ExitCode, Failure> {
    let why = args.why.unwrap_or_default();
    let done = if args.suggested {
        let request = BulkRequest {
            filters: args.of.filters,
            least: args.of.min_confidence.unwrap_or_default(),
            count: args.count,
            why,
        };
        bench.confirm_suggested(&request).await?
    } else if let Some(path) = &args.from {
        bench.decide_owners_from(path, &why).await?
    } else {
        let request = OwnerRequest {
            objects: args.objects,
            owner: args.owner.unwrap_or_default(),
            role: args.role.unwrap_or_default(),
            why,
            verdict: OwnerVerdict::Confirmed,
        };
        bench.decide_owner(&request).await?
    };
    told(&done, out)
}

fn told(done: &OwnersDecided, out: &Output) -> Result<ExitCode, Failure> {
    if out.json {
        out.document(done)?;
        return Ok(ExitCode::SUCCESS);
    }
    let all = done.confirmed + done.rejected;
    for example in &done.examples {
        out.line(example)?;
    }
    let shown = u64::try_from(done.examples.len()).unwrap_or(u64::MAX);
    if all > shown {
        out.line(format!("and {} more", counted(all - shown)))?;
    }
    for (rules, count) in &done.by_rule {
        out.line(format!("{:>9} by {rules}", counted(*count)))?;
    }
    match (done.done, done.batch) {
        (false, _) => out.line(format!(
            "nothing was confirmed yet: to confirm these {}, repeat the command with --count {all}",
            counted(all)
        ))?,
        (true, Some(batch)) => out.line(format!(
            "kept: {} confirmed, {} rejected; to take them back: lastkey owner undo --batch {batch}",
            counted(done.confirmed),
            counted(done.rejected)
        ))?,
        (true, None) => out.line("nothing was decided")?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn decided(bench: &Workbench, out: &Output) -> Result<ExitCode, Failure> {
    let mut offset = 0;
    loop {
        let (rows, total) = bench.owner_decisions(offset, WINDOW).await?;
        for row in &rows {
            if out.json {
                out.document(row)?;
                continue;
            }
            let undone = if row.undone { ", undone since" } else { "" };
            let why = match row.why.is_empty() {
                true => String::new(),
                false => format!(": {}", row.why),
            };
            out.line(format!(
                "{} batch {:<4} {} {}: {} as {} owner of {}{undone}{why}",
                moment(&row.at),
                row.batch,
                row.who,
                row.what,
                row.owner,
                row.role,
                row.object
            ))?;
        }
        offset += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if rows.is_empty() || offset >= total {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn decisions(count: u64) -> String {
    match count {
        1 => "1 decision".to_owned(),
        _ => format!("{} decisions", counted(count)),
    }
}

fn window(filters: Vec<String>) -> ListQuery {
    ListQuery {
        search: String::new(),
        filters,
        sort: String::new(),
        descending: false,
        offset: 0,
        limit: WINDOW,
    }
}
