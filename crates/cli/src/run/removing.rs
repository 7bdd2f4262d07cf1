//! `source remove`: what leaves with a source, and what nobody reads without it.

use super::{of_these, open};
use crate::args::Global;
use crate::output::Output;
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
    let forgotten = bench.remove_source(name, removal).await?;
    match out.json {
        true => out.document(&json!({
            "removed": name, "retired": retired, "owner_lines": owners,
            "systems_unread": forgotten.systems, "accounts_forgotten": forgotten.accounts,
        }))?,
        false => out.line(format!("removed {name}; its history stays"))?,
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
