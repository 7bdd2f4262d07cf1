//! `plan coverage`: what the plan covers of what was read.

use super::rehearse::{Dated, look_back_line};
use super::survey::plan_text;
use super::{counted, open};
use crate::args::{Global, PlanCoverage};
use crate::output::{Output, moment, table};
use lastkey_workbench::{Failure, WhenMissing, moment_of};
use std::process::ExitCode;

pub async fn coverage(
    global: &Global,
    args: PlanCoverage,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let at = args
        .at
        .as_deref()
        .map(|text| moment_of("--at", text))
        .transpose()?;
    // A plan with an error is refused before a store is opened.
    let text = args.plan.as_deref().map(plan_text).transpose()?;
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let bench = bench.look_back(args.as_of.as_deref()).await?;
    let at = at.unwrap_or_else(|| bench.now());
    let coverage = bench.plan_coverage(at, text.as_deref()).await?;
    for system in &coverage.unread_systems {
        out.important(format!(
            "remark: nothing was read of system `{system}`; the plan's steps on it close nothing"
        ));
    }
    if out.json {
        out.document(&Dated::of(&bench, &coverage))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = coverage.cells.iter().map(|cell| {
        vec![
            cell.event.word().to_owned(),
            cell.system.clone(),
            cell.thing.words().to_owned(),
            counted(cell.reached.in_time),
            counted(cell.reached.late),
            counted(cell.reached.never),
            counted(cell.reached.unknown),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        out.line("nothing was read that a plan could close")?;
    } else {
        let header = [
            "event", "system", "what", "in time", "late", "never", "unknown",
        ];
        for line in table(&header, &rows) {
            out.line(line)?;
        }
    }
    out.line(format!(
        "everyone leaving at {}: each thing by itself",
        moment(&coverage.at)
    ))?;
    look_back_line(&bench, out)?;
    Ok(ExitCode::SUCCESS)
}
