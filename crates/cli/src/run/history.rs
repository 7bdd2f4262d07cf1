//! `diff` and `history`: what differs between two moments, and the past of one object.

use super::{counted, open};
use crate::args::Global;
use crate::output::{Output, moment, table as laid_out};
use crate::past_args::Diff;
use lastkey_contract::Kind;
use lastkey_contract::when::rfc3339;
use lastkey_engine::views::{ChangedColumn, DiffRow, Difference, UnfinishedRead};
use lastkey_workbench::{DiffRequest, Failure, WhenMissing, Workbench};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Says whose facts an answer holds although they were read after the time or date asked for: a
/// state is one of all sources after a sync. Answers rest on it, so that it is said to scripts too.
pub async fn say_read_later(
    bench: &Workbench,
    as_of: Option<&str>,
    out: &Output,
) -> Result<(), Failure> {
    for later in bench.read_later(as_of).await? {
        out.important(format!(
            "`{}` was read after {}: sync {} shows {}, and what it says counts in this answer all the same",
            later.source,
            as_of.unwrap_or_default(),
            later.sync.0,
            moment(&rfc3339(later.shows))
        ));
    }
    Ok(())
}

pub async fn diff(global: &Global, args: Diff, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let request = DiffRequest {
        from: args.from,
        to: args.to,
        kinds: args.kinds,
        filters: args.filters,
    };
    let query = bench.diff_query(&request).await?;
    for moment in [&request.from, &request.to] {
        say_read_later(&bench, Some(moment.as_str()), out).await?;
    }
    out.remark(format!(
        "from after sync {} to after sync {}",
        query.from.0, query.to.0
    ));
    let unfinished = bench.diff_unfinished(&query).await?;
    let counts = bench.diff_counts(&query).await?;
    if out.json {
        for count in &counts {
            out.document(&tagged("count", count)?)?;
        }
        for read in &unfinished {
            out.document(&tagged("unfinished_read", read)?)?;
        }
    } else {
        let header = [
            "kind",
            "source",
            "system",
            "added",
            "changed",
            "removed",
            "without proof",
        ];
        let rows: Vec<Vec<String>> = counts
            .iter()
            .map(|count| {
                vec![
                    count.kind.clone(),
                    count.source.clone(),
                    count.system.clone().unwrap_or_default(),
                    counted(count.added),
                    counted(count.changed),
                    counted(count.removed),
                    counted(count.disappeared_without_proof),
                ]
            })
            .collect();
        match rows.is_empty() {
            true => out.line("nothing differs")?,
            false => laid_out(&header, &rows)
                .iter()
                .try_for_each(|line| out.line(line))?,
        }
        for line in unread(&unfinished) {
            out.line(line)?;
        }
    }
    if args.counts {
        return Ok(ExitCode::SUCCESS);
    }
    if !out.json && !counts.is_empty() {
        out.line("")?;
    }
    bench
        .each_difference(&query, |row| match out.json {
            true => out.document(&row),
            false => out.line(line(&row)),
        })
        .await?;
    Ok(ExitCode::SUCCESS)
}

/// A line for each reason why not all that went is known: kinds that one read left out for one
/// reason share it.
fn unread(unfinished: &[UnfinishedRead]) -> Vec<String> {
    let mut together: Vec<(&UnfinishedRead, String, Vec<&str>)> = Vec::new();
    for read in unfinished {
        let plural = match Kind::from_word(&read.kind) {
            Some(kind) => kind.plural(),
            None => &read.kind,
        };
        let why = match read.why.strip_prefix(plural) {
            Some(rest) => format!("they{rest}"),
            None => read.why.clone(),
        };
        let alike = together.iter_mut().find(|(first, reason, _)| {
            (&first.source, first.sync, reason) == (&read.source, read.sync, &why)
        });
        match alike {
            Some((_, _, kinds)) => kinds.push(plural),
            None => together.push((read, why, vec![plural])),
        }
    }
    let line = |(read, why, kinds): &(&UnfinishedRead, String, Vec<&str>)| {
        format!(
            "not all that went is known of {} of {}: sync {}: {why}",
            kinds.join(", "),
            read.source,
            read.sync
        )
    };
    together.iter().map(line).collect()
}

/// A document that says what it is, beside the rows of the answer.
fn tagged(what: &str, value: &impl serde::Serialize) -> Result<Value, Failure> {
    let unwritable = |_| Failure::not_possible("the answer could not be written as JSON");
    let mut document = json!({ "what": what });
    if let (Value::Object(document), Value::Object(rest)) = (
        &mut document,
        serde_json::to_value(value).map_err(unwritable)?,
    ) {
        document.extend(rest);
    }
    Ok(document)
}

fn sign(what: Difference) -> char {
    match what {
        Difference::Added => '+',
        Difference::Changed => '~',
        Difference::Removed => '-',
        Difference::Unproved => '?',
    }
}

fn line(row: &DiffRow) -> String {
    let about = details(&row.changed, row.why.as_deref());
    format!(
        "{} {} {}{} [{}, sync {}]{about}",
        sign(row.what),
        row.kind,
        row.id,
        who_does_what(row).unwrap_or_default(),
        row.source,
        row.sync
    )
}

/// Of a line between two things: who holds, reads or controls what. An id has the object first.
fn who_does_what(row: &DiffRow) -> Option<String> {
    let (does, object) = match Kind::from_word(&row.kind)? {
        Kind::Grant => ("holds", "entitlement_id"),
        Kind::Reader => ("reads", "path"),
        Kind::Control => ("controls", "account_id"),
        Kind::Identity
        | Kind::Account
        | Kind::Entitlement
        | Kind::Credential
        | Kind::Location
        | Kind::Owner
        | Kind::Session
        | Kind::Task => return None,
    };
    let of = |column: &str| row.fact.get(column)?.as_str();
    Some(format!(
        ": {} {}:{} {does} {}:{}",
        of("principal_type")?,
        of("principal_system")?,
        of("principal_id")?,
        of("system")?,
        of(object)?
    ))
}

fn details(changed: &[ChangedColumn], why: Option<&str>) -> String {
    let columns: Vec<String> = changed
        .iter()
        .map(|c| format!("{}: {} -> {}", c.column, shown(&c.before), shown(&c.after)))
        .collect();
    match (columns.is_empty(), why) {
        (false, _) => format!(" {}", columns.join("; ")),
        (true, Some(why)) => format!(" {why}"),
        (true, None) => String::new(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => crate::output::value(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

pub async fn history(
    global: &Global,
    kind: &str,
    id: &str,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    for object in bench.object_history(kind, id).await? {
        if out.json {
            out.document(&object)?;
            continue;
        }
        let now = match object.current {
            true => "there now",
            false => "not there now",
        };
        out.line(format!(
            "{} {} of {}: {now}",
            object.kind, object.id, object.source
        ))?;
        for line in &object.lines {
            let latest = line.latest.as_deref().map_or("?".to_owned(), moment);
            let when = match line.earliest.as_deref() {
                Some(earliest) => format!("between {} and {latest}", moment(earliest)),
                None => format!("at {latest}"),
            };
            let seen = match line.what {
                Difference::Unproved => "not shown by",
                Difference::Added | Difference::Changed | Difference::Removed => "shown by",
            };
            out.line(format!(
                "{} {} {when}, {seen} sync {}{}",
                sign(line.what),
                line.what.words(),
                line.sync,
                details(&line.changed, line.why.as_deref())
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
