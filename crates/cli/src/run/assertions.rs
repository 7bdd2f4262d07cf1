//! `assertions`: what must hold of rehearsals, and whether it does.

use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, moment, table};
use crate::saved_args::Assertions;
use lastkey_engine::lifecycle::Verdict;
use lastkey_engine::lifecycle::assertions::AssertionResult;
use lastkey_workbench::{
    AssertionReport, Failure, Stop, WhenMissing, Workbench, check_assertions, moment_of,
};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// How much of what is not known is shown to people.
const MISSING: usize = 5;

pub async fn assertions(
    global: &Global,
    command: Assertions,
    out: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        Assertions::Load { file } => {
            // A file with an error is refused before a store is opened.
            let (name, text) = read(&file)?;
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let loaded = bench.load_assertions(&name, &text).await;
            let view = loaded.map_err(|failure| in_file(&file, failure))?;
            match out.json {
                true => out.document(&view)?,
                false => out.line(format!(
                    "`{}` counts: {} after every sync",
                    view.name,
                    of_these(view.number, "assertion", "assertions")
                ))?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Assertions::Show => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            match bench.assertions().await? {
                Some(view) if out.json => out.document(&view)?,
                Some(view) => out.text(&view.text)?,
                None => return Err(none()),
            }
            Ok(ExitCode::SUCCESS)
        }
        Assertions::Run { file, at } => {
            let at = at
                .as_deref()
                .map(|text| moment_of("--at", text))
                .transpose()?;
            let named = file.as_deref().map(read).transpose()?;
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let report = bench.run_assertions(named, at, &Stop::default()).await;
            let report = report.map_err(|failure| match &file {
                Some(file) => in_file(file, failure),
                None => failure,
            })?;
            match out.json {
                true => out.document(&report)?,
                false => show(&report, out)?,
            }
            Ok(status(report.verdict))
        }
        Assertions::Results { last } => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            results(&bench, last, out).await
        }
        Assertions::Off => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            if !bench.drop_assertions().await? {
                return Err(none());
            }
            match out.json {
                true => out.document(&json!({"number": 0}))?,
                false => out.line("nothing is asserted after syncs any more")?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// After a sync: judges those that count, shows and keeps what comes of it. Gives back what that makes
/// of the exit status.
pub(super) async fn after_sync(bench: &Workbench, stop: &Stop, out: &Output) -> u8 {
    let judged = match bench.assert_after_sync(stop).await {
        Ok(None) => return 0,
        Ok(Some(report)) => {
            let shown = match out.json {
                true => out.document(&json!({"assertions": report})),
                false => show(&report, out),
            };
            shown.map(|()| match report.verdict {
                Verdict::Pass => 0,
                Verdict::Fail | Verdict::Indeterminate => 1,
            })
        }
        Err(failure) => Err(failure),
    };
    judged.unwrap_or_else(|failure| {
        let named = Failure {
            message: format!("the assertions were not judged: {}", failure.message),
            ..failure
        };
        out.failure(&named);
        named.kind.exit_status()
    })
}

fn none() -> Failure {
    Failure::not_possible("no assertions are loaded")
        .hint("load some with `lastkey assertions load FILE`")
}

/// A failure of what stands in a file, which it names.
fn in_file(file: &Path, failure: Failure) -> Failure {
    match failure.message.starts_with("line ") {
        true => Failure {
            message: format!("{}: {}", file.display(), failure.message),
            ..failure
        },
        false => failure,
    }
}

fn read(file: &Path) -> Result<(String, String), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be read: {error}", file.display()))
    })?;
    check_assertions(&text).map_err(|failure| in_file(file, failure))?;
    let name = file.file_stem().unwrap_or(file.as_os_str());
    Ok((name.to_string_lossy().into_owned(), text))
}

async fn results(bench: &Workbench, last: u32, out: &Output) -> Result<ExitCode, Failure> {
    let runs = bench.assertion_runs(0, last).await?;
    if out.json {
        out.documents(&runs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let of = |verdict| {
                let results = run.report.results.iter();
                results
                    .filter(|one| one.verdict == verdict)
                    .count()
                    .to_string()
            };
            vec![
                moment(&run.ran_at),
                run.report.verdict.word().to_owned(),
                of(Verdict::Fail),
                of(Verdict::Indeterminate),
                of(Verdict::Pass),
                run.report.facts.sync.to_string(),
                run.ran_by.clone(),
            ]
        })
        .collect();
    let header = [
        "ran",
        "verdict",
        "fail",
        "indeterminate",
        "pass",
        "sync",
        "by",
    ];
    if rows.is_empty() {
        out.remark("no assertions ran after a sync yet");
        return Ok(ExitCode::SUCCESS);
    }
    for line in table(&header, &rows) {
        out.line(line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(report: &AssertionReport, out: &Output) -> Result<(), Failure> {
    for one in &report.results {
        out.line(format!(
            "{:<14} {}: {}",
            one.verdict.word(),
            one.name,
            about(one)
        ))?;
        for against in &one.shown {
            let sure = if against.sure { "" } else { "perhaps " };
            let item = against.item.as_deref().map(|item| format!(" {item}"));
            out.line(format!(
                "  {sure}{}{}: {}",
                against.identity,
                item.unwrap_or_default(),
                moment(&against.found)
            ))?;
        }
        let shown = u64::try_from(one.shown.len()).unwrap_or(u64::MAX);
        if let Some(more) = one.against.checked_sub(shown).filter(|more| *more > 0) {
            out.line(format!("  and {} more", counted(more)))?;
        }
        for missing in one.missing_facts.iter().take(MISSING) {
            out.line(format!("  not known: {missing}"))?;
        }
        if one.missing_truncated || one.missing_facts.len() > MISSING {
            out.line("  and more is not known; --json names it")?;
        }
    }
    out.line(format!(
        "assertions: {}. ({} at {})",
        report.verdict.word(),
        of_these(
            u64::try_from(report.results.len()).unwrap_or(u64::MAX),
            "assertion",
            "assertions"
        ),
        moment(&report.at)
    ))
}

fn about(one: &AssertionResult) -> String {
    match one.identities {
        0 => one.why.clone(),
        number => format!(
            "{}, of {}",
            one.why,
            of_these(number, "identity", "identities")
        ),
    }
}

fn status(verdict: Verdict) -> ExitCode {
    super::rehearse::status(verdict)
}
