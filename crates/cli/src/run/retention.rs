//! `retention`: how long the past is kept, and what keeps it longer.

use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, table as laid_out};
use crate::past_args::Retention;
use lastkey_engine::store::{RetentionReport, RetentionRule};
use lastkey_workbench::{Failure, WhenMissing};
use serde_json::json;
use std::process::ExitCode;

pub async fn retention(
    global: &Global,
    command: Retention,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    match command {
        Retention::Show => {}
        Retention::Set { kind, days, syncs } => {
            bench.set_retention(kind.as_deref(), days, syncs).await?;
        }
        Retention::Off { kind: None } => bench.keep_everything().await?,
        Retention::Off { kind: Some(kind) } => {
            bench.set_retention(Some(&kind), None, None).await?;
        }
        Retention::Run { dry_run: true } => {
            return told(&bench.retention_preview().await?, "would go", out);
        }
        Retention::Run { dry_run: false } => {
            return told(&bench.run_retention().await?, "gone", out);
        }
    }
    let (rules, horizons) = bench.retention().await?;
    if out.json {
        out.document(&json!({ "rules": rules, "whole_from": horizons }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if rules.is_empty() {
        out.line("everything is kept: no retention is set")?;
    }
    for rule in &rules {
        out.line(in_words(rule))?;
    }
    for horizon in &horizons {
        out.line(format!(
            "{}: whole from sync {} on; older versions were deleted",
            horizon.kind, horizon.sync
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(rule: &RetentionRule) -> String {
    let days = rule
        .days
        .map(|days| of_these(u64::from(days), "day", "days"));
    let syncs = rule.syncs.map(|syncs| match syncs {
        1 => "the latest sync".to_owned(),
        more => format!("the latest {more} syncs"),
    });
    let both: Vec<String> = days.into_iter().chain(syncs).collect();
    format!(
        "{}: versions that ended are kept for {}",
        rule.kind,
        both.join(" and ")
    )
}

fn told(report: &RetentionReport, gone: &str, out: &Output) -> Result<ExitCode, Failure> {
    if out.json {
        out.document(report)?;
        return Ok(ExitCode::SUCCESS);
    }
    if report.kinds.is_empty() {
        out.line("nothing is old enough, or no retention is set")?;
        return Ok(ExitCode::SUCCESS);
    }
    let header = ["kind", "ended by sync", gone, "held", "packed with kept"];
    let rows: Vec<Vec<String>> = report
        .kinds
        .iter()
        .map(|kind| {
            vec![
                kind.kind.clone(),
                kind.upto.to_string(),
                counted(kind.versions),
                counted(kind.held),
                counted(kind.packed_with_kept),
            ]
        })
        .collect();
    laid_out(&header, &rows)
        .iter()
        .try_for_each(|line| out.line(line))?;
    out.line(format!(
        "journals of {} syncs: {gone}",
        counted(report.journals)
    ))?;
    for evidence in &report.evidence {
        out.line(format!(
            "held: {} versions of after sync {}: {}",
            counted(evidence.versions),
            evidence.sync,
            evidence.why
        ))?;
    }
    if report.held_for_accounts > 0 {
        out.line(format!(
            "held: {} versions of identities that say whose an account is: of who left, has other values by now, or had an id before it was given on",
            counted(report.held_for_accounts)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
