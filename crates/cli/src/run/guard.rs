//! `guard`: how much at once is held; and what is said of something that was.

use super::{counted, open};
use crate::args::Global;
use crate::output::Output;
use crate::saved_args::Guard;
use lastkey_engine::mass::{HeldChange, Threshold};
use lastkey_workbench::{Failure, WhenMissing};
use serde_json::json;
use std::process::ExitCode;

pub async fn guard(global: &Global, command: Guard, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let now = bench.mass_threshold().await?;
    match command {
        Guard::Show => {}
        Guard::Set { share, count } => {
            let usual = now.unwrap_or(Threshold::USUAL);
            let set = Threshold {
                percent: share.unwrap_or(usual.percent),
                at_least: count.unwrap_or(usual.at_least),
                // Of fewer than twice as many, a few are a large share; more than the usual are
                // never let off.
                of_at_least: count.map_or(usual.of_at_least, |count| {
                    count.saturating_mul(2).min(Threshold::USUAL.of_at_least)
                }),
            };
            bench.set_mass_threshold(Some(set)).await?;
        }
        Guard::Off => bench.set_mass_threshold(None).await?,
    }
    let threshold = bench.mass_threshold().await?;
    match threshold {
        threshold if out.json => out.document(&threshold)?,
        None => out.line("nothing is held, however much it changes at once")?,
        Some(one) => out.line(format!(
            "held is what changes at once more than {} % of all and at least {}, where there are {} or more",
            one.percent,
            counted(one.at_least),
            counted(one.of_at_least)
        ))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what waits for a person, and how it is confirmed.
pub(super) fn held(
    held: &HeldChange,
    given: Option<&str>,
    again: &str,
    out: &Output,
) -> Result<ExitCode, Failure> {
    if let Some(given) = given {
        out.important(format!(
            "`{}` is not the code of this change: another one was meant, or something was read, decided or written since",
            given.trim()
        ));
    }
    if out.json {
        out.document(&json!({"held": held}))?;
        return Ok(ExitCode::from(1));
    }
    out.line(format!(
        "held: to {} changes much at once. Nothing was changed.",
        held.what
    ))?;
    for figure in &held.figures {
        out.line(format!(
            "  {} of {} {}",
            counted(figure.number),
            counted(figure.of),
            figure.what
        ))?;
    }
    out.line(format!("If that is right: {again} --confirm {}", held.code))?;
    Ok(ExitCode::from(1))
}
