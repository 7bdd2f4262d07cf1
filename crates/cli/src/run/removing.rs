//! `source remove`: what leaves with a source, and what nobody reads without it.

use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, moment, table};
use lastkey_engine::store::Removal;
use lastkey_workbench::{Failure, WhenMissing};
use serde_json::json;
use std::process::ExitCode;

/// Says of a source that was removed before that its systems are there no more.
pub async fn retire(global: &Global, name: &str, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    bench.retire_source(name).await?;
    match out.json {
        true => out.document(&json!({"retired": name}))?,
        false => out.line(format!("the systems of {name} are retired"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The sources that were removed, and whether their systems are there no more.
pub async fn list(global: &Global, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let rows = bench.removed_sources().await?;
    if out.json {
        out.document(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        out.line("no source was removed")?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let retired = row.retired_at.as_deref();
            vec![
                row.name,
                row.kind,
                moment(&row.removed_at),
                retired.map_or_else(
                    || "not retired".to_owned(),
                    |at| format!("retired {}", moment(at)),
                ),
            ]
        })
        .collect();
    for line in table(&["source", "kind", "removed", "systems"], &cells) {
        out.line(line)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes a source; with `retired` its systems are there no more.
pub async fn remove(
    global: &Global,
    name: &str,
    retired: bool,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    if retired && !bench.has_source(name).await? {
        return Err(
            Failure::bad_input(format!("there is no source `{name}`")).hint(format!(
                "if it was removed before: lastkey source retire {name}"
            )),
        );
    }
    let removal = match retired {
        true => Removal::WithSystems,
        false => Removal::OfSource,
    };
    let (owners, others) = bench.owner_lines_told_by(name).await?;
    let people = bench.people_of(name).await?;
    let forgotten = bench.remove_source(name, removal).await?;
    let alone = bench.left_alone(&people).await?;
    match out.json {
        true => out.document(&json!({
            "removed": name, "retired": retired, "owner_lines": owners,
            "identities_unlisted": people.listed_only_there, "accounts_with_nobody": alone,
            "systems_unread": forgotten.systems, "accounts_forgotten": forgotten.accounts,
        }))?,
        false => out.line(format!("removed {name}; its history stays"))?,
    }
    if people.listed_only_there > 0 {
        let only = of_these(people.listed_only_there, "identity", "identities");
        out.important(match alone {
            0 => format!("remark: no other source lists {only} of {name}"),
            alone => format!(
                "remark: no other source lists {only} of {name}; {} nobody now: \
                 see `lastkey link list --gone`",
                match alone {
                    1 => "1 account has".to_owned(),
                    more => format!("{} accounts have", counted(more)),
                }
            ),
        });
    }
    if owners > 0 {
        out.important(format!(
            "remark: {} went with {name}, custody among them{}",
            of_these(owners, "owner line", "owner lines"),
            match others {
                true => "",
                false => "; no other source tells who owns what",
            }
        ));
    }
    if !retired && !forgotten.systems.is_empty() {
        out.important(format!(
            "remark: no other source reads {}: nothing that needs it passes until one does; \
             if it is there no more, say `lastkey source retire {name}`",
            forgotten.systems.join(", "),
        ));
    }
    if forgotten.accounts > 0 {
        out.important(format!(
            "remark: of {} only what {name} had said before told whose they are: {}{}; \
             without it nobody is connected with them, and whoever leaves would pass: \
             add it anew under the same name, or decide with `lastkey link ACCOUNT IDENTITY --why …`",
            of_these(forgotten.accounts, "account", "accounts"),
            forgotten.some.join(", "),
            match forgotten.accounts > forgotten.some.len() as u64 {
                true => ", …",
                false => "",
            }
        ));
    }
    Ok(ExitCode::SUCCESS)
}
