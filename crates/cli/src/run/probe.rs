//! `lastkey probe`: does a system still take a credential?

use super::open;
use super::sources::read_secret;
use crate::args::Global;
use crate::output::{Output, moment, table};
use crate::probe_args::{NewProbe, Probe};
use chrono::TimeDelta;
use lastkey_contract::when::rfc3339;
use lastkey_workbench::{Failure, ProbeConsent, ProbeRequest, ProbeView, WhenMissing, Workbench};
use serde_json::json;
use std::process::ExitCode;

pub async fn probe(global: &Global, command: Probe, out: &Output) -> Result<ExitCode, Failure> {
    // The secret is read before a store is opened: wrong use changes nothing.
    let command = match command {
        Probe::Add(new) => Wanted::Add(Box::new(request(*new)?)),
        Probe::List => Wanted::List,
        Probe::Try { names } => Wanted::Try(names),
        Probe::Remove { name } => Wanted::Remove(name),
    };
    let bench = open(global, WhenMissing::Refuse, out).await?;
    match command {
        Wanted::Add(request) => {
            let view = bench.add_probe(*request).await?;
            match out.json {
                true => out.document(&view)?,
                false => {
                    out.line(format!(
                        "`{}` may be tried: {} of {}:{}, {}",
                        view.name,
                        view.title,
                        view.system,
                        view.account,
                        consent(&view)
                    ))?;
                    out.line(format!(
                        "try it now, while it works: only what was let in before counts once it is refused (lastkey probe try {})",
                        view.name
                    ))?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Wanted::List => list(&bench, out).await,
        Wanted::Try(names) => tried(&bench, names, out).await,
        Wanted::Remove(name) => {
            bench.remove_probe(&name).await?;
            match out.json {
                true => out.document(&json!({"removed": name}))?,
                false => out.line(format!("`{name}` is not tried any more"))?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

enum Wanted {
    Add(Box<ProbeRequest>),
    List,
    Try(Vec<String>),
    Remove(String),
}

fn request(new: NewProbe) -> Result<ProbeRequest, Failure> {
    let secret = read_secret(&new.secret_file)?;
    let consent = match (new.identity, new.consent) {
        (Some(identity), Some(words)) => ProbeConsent::Of { identity, words },
        _ => ProbeConsent::Canary,
    };
    Ok(ProbeRequest {
        name: new.name,
        source: new.source,
        how: new.how,
        account: new.account,
        asked_as: new.asked_as,
        credential: new.credential,
        consent,
        lockout_after: new.lockout_after,
        lockout_within: new
            .lockout_within
            .map(|minutes| TimeDelta::minutes(minutes.into())),
        secret,
    })
}

fn consent(view: &ProbeView) -> String {
    match &view.identity {
        Some(identity) => format!("of {identity}, by consent: {}", view.consent),
        None => "a canary".to_owned(),
    }
}

async fn list(bench: &Workbench, out: &Output) -> Result<ExitCode, Failure> {
    let all = bench.probes().await?;
    if out.json {
        out.documents(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        out.remark("no credential may be tried: `lastkey probe add` lets one");
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            let last = one.last.as_ref();
            vec![
                one.verdict.clone(),
                one.name.clone(),
                one.title.clone(),
                format!("{}:{}", one.system, one.account),
                one.identity.clone().unwrap_or_else(|| "canary".to_owned()),
                one.control_at.as_deref().map_or("never".to_owned(), moment),
                last.map_or(String::new(), |last| {
                    let at = moment(&rfc3339(last.until));
                    format!("{} {at} ({})", last.answer.word(), last.raw)
                }),
                one.may_try.clone().unwrap_or_else(|| "yes".to_owned()),
            ]
        })
        .collect();
    let header = [
        "verdict",
        "name",
        "how",
        "account",
        "whose",
        "let in last",
        "last try",
        "may be tried",
    ];
    for line in table(&header, &rows) {
        out.line(line)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tries each; the status is 1 unless all are proved dead. One that may not be tried disturbs no other.
async fn tried(bench: &Workbench, names: Vec<String>, out: &Output) -> Result<ExitCode, Failure> {
    let (mut worst, mut dead) = (None, true);
    for name in names {
        match bench.try_probe(&name).await {
            Ok(view) => {
                dead &= view.verdict == "dead";
                match out.json {
                    true => out.document(&view)?,
                    false => show(&view, out)?,
                }
            }
            Err(failure) => {
                out.failure(&failure);
                worst = worst.max(Some(failure.kind.exit_status()));
            }
        }
    }
    Ok(match (worst, dead) {
        (Some(status), _) => ExitCode::from(status),
        (None, true) => ExitCode::SUCCESS,
        (None, false) => ExitCode::from(1),
    })
}

fn show(view: &ProbeView, out: &Output) -> Result<(), Failure> {
    out.line(format!("{:<14} {}: {}", view.verdict, view.name, view.why))?;
    if let Some(last) = &view.last {
        let why = last.why.as_deref().map(|why| format!("; {why}"));
        let answer = last.answer.word();
        out.line(format!(
            "  {answer}: {}{}",
            last.raw,
            why.unwrap_or_default()
        ))?;
    }
    Ok(())
}
