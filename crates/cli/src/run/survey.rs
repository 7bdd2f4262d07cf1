//! `rehearse everyone`: everyone's leaving at once, in short, and what another plan would change.

use super::rehearse::{Dated, look_back_line};
use super::{counted, of_these, open};
use crate::args::{Everyone, Global};
use crate::output::{Output, moment, table};
use lastkey_engine::lifecycle::saved::Question;
use lastkey_workbench::{
    EveryoneSince, Failure, StepView, Steps, Stop, Survey, WhenMissing, Workbench, check_plan,
    moment_of,
};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// How many of each are shown.
const SHOWN: usize = 10;

/// By one plan, and by the active one where that is another.
#[derive(Serialize)]
struct Both<'a> {
    #[serde(flatten)]
    survey: &'a Survey,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_plan: Option<&'a Survey>,
}

pub async fn everyone(global: &Global, args: Everyone, out: &Output) -> Result<ExitCode, Failure> {
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
    super::saved::free(&bench, args.save.as_deref()).await?;
    let steps = match args.steps {
        true => Steps::Tried,
        false => Steps::NotAsked,
    };
    let stop = Stop::default();
    let survey = bench.survey(at, text.as_deref(), steps, &stop).await?;
    let active = match &text {
        Some(_) => Some(bench.survey(at, None, Steps::NotAsked, &stop).await?),
        None => None,
    };
    let plan = args.plan.as_deref().zip(text).map(|(file, text)| {
        let name = file.file_stem().unwrap_or(file.as_os_str());
        (name.to_string_lossy().into_owned(), text)
    });
    let asked = (Question::Everyone, at);
    super::saved::save(&bench, args.save, asked, plan, out).await?;
    if out.json {
        let both = Both {
            survey: &survey,
            active_plan: active.as_ref(),
        };
        out.document(&Dated::of(&bench, &both))?;
    } else {
        show(&survey, active.as_ref(), out)?;
        look_back_line(&bench, out)?;
    }
    // A survey is done when everyone was rehearsed.
    Ok(ExitCode::SUCCESS)
}

pub(super) fn plan_text(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be read: {error}", file.display()))
    })?;
    check_plan(&text).map_err(|failure| Failure {
        message: format!("{}: {}", file.display(), failure.message),
        ..failure
    })?;
    Ok(text)
}

fn counts(survey: &Survey) -> String {
    format!(
        "{} fail, {} indeterminate, {} pass; {} open after {}, {} of them never",
        counted(survey.fail),
        counted(survey.indeterminate),
        counted(survey.pass),
        of_these(survey.late, "item", "items"),
        if survey.late == 1 {
            "its limit"
        } else {
            "their limits"
        },
        counted(survey.never),
    )
}

fn show(survey: &Survey, active: Option<&Survey>, out: &Output) -> Result<(), Failure> {
    if survey.identities == 0 {
        return out.line("no source has brought any identity yet: nobody can leave");
    }
    let everyone = of_these(survey.identities, "identity", "identities");
    out.line(format!("{everyone} leaving at {}", moment(&survey.at)))?;
    match active {
        Some(active) => {
            out.line(format!("by this plan:    {}", counts(survey)))?;
            out.line(format!("the active plan: {}", counts(active)))?;
        }
        None => out.line(counts(survey))?,
    }
    if survey.stayed > 0 {
        out.line(format!(
            "not among them: {} that may work stayed with people whom no source lists now \
             (`lastkey link list --not-connected`)",
            of_these(survey.stayed, "account", "accounts"),
        ))?;
    }
    for one in &survey.unknown {
        out.line(format!(
            "indeterminate for want of: {} ({} of {} that were looked at)",
            one.fact,
            counted(one.identities),
            counted(one.looked_at)
        ))?;
    }
    let leavers = survey.leavers.iter().take(SHOWN).map(|row| {
        vec![
            row.verdict.word().to_owned(),
            row.identity.clone(),
            counted(row.late),
            counted(row.never),
            row.display_name.clone().unwrap_or_default(),
        ]
    });
    let header = ["worst leavers", "identity", "late", "never", "name"];
    rows(&header, leavers.collect(), out)?;
    let systems = survey
        .systems
        .iter()
        .take(SHOWN)
        .map(|one| vec![one.system.clone(), counted(one.leavers), counted(one.late)]);
    rows(
        &["worst systems", "leavers", "late"],
        systems.collect(),
        out,
    )?;
    for secret in survey.secrets.iter().take(SHOWN) {
        out.line(format!(
            "credential {}:{} keeps {} connected",
            secret.system,
            secret.id,
            of_these(secret.leavers, "leaver", "leavers")
        ))?;
    }
    for step in survey.steps.iter().flatten() {
        out.line(tried(step))?;
    }
    if survey.steps.as_ref().is_some_and(Vec::is_empty) {
        out.line("no single step that was tried out closes anything more in time")?;
    }
    out.line("A simulation: nothing outside was touched.")
}

fn tried(step: &StepView) -> String {
    format!(
        "{} on `{}` within {} would close {} in time; {} fewer would fail, {} more would pass",
        step.does,
        step.system,
        as_in_plans(step.within_seconds),
        of_these(step.closes, "item", "items"),
        of_these(step.mends, "identity", "identities"),
        counted(step.passes)
    )
}

/// A time as plans have it.
fn as_in_plans(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(unit, _)| seconds % unit == 0);
    let (unit, word) = unit.unwrap_or((1, "s"));
    format!("{}{word}", seconds / unit)
}

fn rows(header: &[&str], cells: Vec<Vec<String>>, out: &Output) -> Result<(), Failure> {
    if !cells.is_empty() {
        for line in table(header, &cells) {
            out.line(line)?;
        }
    }
    Ok(())
}

/// After a sync: rehearses whom the changes concern, and says how many would fail now and before. Gives
/// back what a failure of it makes of the exit status.
pub(super) async fn after_sync(bench: &Workbench, stop: &Stop, out: &Output) -> u8 {
    let told = match bench.rehearse_after_sync(stop).await {
        Ok(Some(since)) if !out.json => out.line(since_sentence(&since)),
        Ok(_) => return 0,
        Err(failure) => Err(failure),
    };
    let Err(failure) = told else {
        return 0;
    };
    let named = Failure {
        message: format!("everyone was not rehearsed: {}", failure.message),
        ..failure
    };
    out.failure(&named);
    named.kind.exit_status()
}

fn since_sentence(since: &EveryoneSince) -> String {
    let (now, before) = (since.now, since.before);
    let of = |word: &str, now: u64, before: Option<u64>| match before {
        Some(before) if before != now => {
            format!("{} {word} ({} before)", counted(now), counted(before))
        }
        Some(_) | None => format!("{} {word}", counted(now)),
    };
    let fail = of("would fail", now.fail, before.map(|one| one.fail));
    let open = of(
        "indeterminate",
        now.indeterminate,
        before.map(|one| one.indeterminate),
    );
    let pass = of("would pass", now.pass, before.map(|one| one.pass));
    format!(
        "if everyone left: {fail}, {open}, {pass}; {} of {} rehearsed anew",
        counted(since.rehearsed),
        counted(now.all())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_workbench::Verdicts;

    #[test]
    fn a_sync_says_how_everyone_would_fare_now_and_before() {
        let verdicts = |fail, indeterminate, pass| Verdicts {
            fail,
            indeterminate,
            pass,
        };
        let of = |before| {
            since_sentence(&EveryoneSince {
                now: verdicts(3, 0, 9),
                before,
                rehearsed: 2,
            })
        };
        assert_eq!(
            of(Some(verdicts(1, 0, 11))),
            "if everyone left: 3 would fail (1 before), 0 indeterminate, 9 would pass (11 before); 2 of 12 rehearsed anew"
        );
        assert_eq!(
            of(None),
            "if everyone left: 3 would fail, 0 indeterminate, 9 would pass; 2 of 12 rehearsed anew"
        );
    }
}
