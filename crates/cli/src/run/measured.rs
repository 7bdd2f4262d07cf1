//! `plan measured`, `rehearse leaver --measured`: the plan beside what past leavers show of its steps.

use super::rehearse::{show, status};
use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, table};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_engine::measured::{StepMeasured, at_most};
use lastkey_engine::views::RehearsalView;
use lastkey_workbench::{Failure, WhenMissing, Workbench};
use serde_json::json;
use std::process::ExitCode;

pub async fn steps(global: &Global, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    if bench.status().await?.plan.is_none() {
        return Err(Failure::not_possible("no plan is loaded")
            .hint("load one with `lastkey plan load FILE`"));
    }
    let steps = bench.measured_steps().await?;
    if out.json {
        out.documents(&steps)?;
        return Ok(ExitCode::SUCCESS);
    }
    show_steps(&steps, out)?;
    Ok(ExitCode::SUCCESS)
}

/// One leaver by the plan and by what was measured of it: both in short, then what stays as measured.
pub(super) async fn both_sides(
    bench: &Workbench,
    id: &str,
    at: DateTime<Utc>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let both = bench.rehearse_both_sides(id, Some(at)).await?;
    let verdict = both.measured.rehearsal.verdict;
    if out.json {
        out.document(&json!({
            "planned": both.planned.rehearsal,
            "measured": both.measured.rehearsal,
            "steps": both.steps,
        }))?;
        return Ok(status(verdict));
    }
    let side = |name: &str, view: &RehearsalView| {
        vec![
            name.to_owned(),
            view.rehearsal.verdict.word().to_owned(),
            counted(view.late),
            counted(view.never),
            counted(u64::try_from(view.rehearsal.residual.len()).unwrap_or(u64::MAX)),
        ]
    };
    let rows = [
        side("as planned", &both.planned),
        side("as measured", &both.measured),
    ];
    for line in table(&["", "verdict", "late", "never", "items"], &rows) {
        out.line(line)?;
    }
    show_steps(&both.steps, out)?;
    out.line("as measured:")?;
    show(&both.measured, out)?;
    Ok(status(verdict))
}

fn show_steps(steps: &[StepMeasured], out: &Output) -> Result<(), Failure> {
    let words = |seconds: i64| at_most(TimeDelta::seconds(seconds));
    let rows = steps.iter().map(|step| {
        let took = match (step.cases, step.nine_of_ten_seconds) {
            (0, _) => "not measured: as planned".to_owned(),
            (_, Some(seconds)) => words(seconds),
            (_, None) => "not to be relied on".to_owned(),
        };
        vec![
            counted(u64::from(step.line)),
            step.does.to_owned(),
            step.system
                .clone()
                .unwrap_or_else(|| "every system".to_owned()),
            step.of.clone(),
            words(step.within_seconds),
            counted(step.cases),
            counted(step.in_time),
            counted(step.late),
            counted(step.undecided),
            took,
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header = [
        "line",
        "step",
        "system",
        "of",
        "planned",
        "cases",
        "in time",
        "late",
        "undecided",
        "nine of ten within",
    ];
    for line in table(&header, &rows) {
        out.line(line)?;
    }
    let measured = steps.iter().filter(|step| step.cases > 0).count();
    out.line(format!(
        "{measured} of {} measured by past leavers",
        of_these(
            u64::try_from(steps.len()).unwrap_or(u64::MAX),
            "step",
            "steps"
        )
    ))
}
