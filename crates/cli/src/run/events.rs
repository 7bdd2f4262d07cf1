//! `lastkey rehearse events`.

use super::rehearse::status;
use super::{of_these, open};
use crate::args::Global;
use crate::event_args::Events;
use crate::output::{Output, moment};
use lastkey_contract::when::rfc3339;
use lastkey_engine::lifecycle::Rehearsal;
use lastkey_engine::lifecycle::saved::Question;
use lastkey_engine::lifecycle::simulated::{EventOutcome, Noticed};
use lastkey_workbench::{Failure, WhenMissing, event_from_text};
use std::process::ExitCode;

pub async fn events(global: &Global, args: Events, out: &Output) -> Result<ExitCode, Failure> {
    let events: Result<Vec<_>, Failure> = args
        .events
        .iter()
        .map(|text| event_from_text(text))
        .collect();
    let events = events?;
    let bench = open(global, WhenMissing::Refuse, out).await?;
    super::saved::free(&bench, args.save.as_deref()).await?;
    let at = bench.now();
    let answer = bench.rehearse_events(&events).await?;
    let question = Question::Events {
        events: args.events,
    };
    super::saved::save(&bench, args.save, (question, at), None, out).await?;
    if out.json {
        out.document(&answer)?;
    } else {
        for event in &answer.events {
            show(event, out)?;
        }
        if answer.events.len() > 1 {
            out.line(format!("all together: {}.", answer.verdict.word()))?;
        }
        out.line("A simulation: nothing outside was touched.")?;
    }
    Ok(status(answer.verdict))
}

fn show(outcome: &EventOutcome, out: &Output) -> Result<(), Failure> {
    let begins = outcome.begins_at.map(|at| moment(&rfc3339(at)));
    let noticed = match (outcome.noticed, begins) {
        (Noticed::Yes, _) => "noticed at once".to_owned(),
        (Noticed::Late, Some(at)) => format!("noticed late: the plan begins at {at}"),
        (Noticed::Late | Noticed::No, None) | (Noticed::No, Some(_)) => {
            "not noticed: nothing begins the plan".to_owned()
        }
        (Noticed::Unknown, _) => "whether it is noticed is not known".to_owned(),
    };
    out.line(format!(
        "{}. {} of {} at {}: {noticed}",
        outcome.verdict.word(),
        outcome.event.word(),
        outcome.identity,
        moment(&rfc3339(outcome.at)),
    ))?;
    for told in &outcome.told {
        let changed = match told.changed.is_empty() {
            true => String::new(),
            false => format!(" ({})", told.changed.join(", ")),
        };
        out.line(format!(
            "  told: {} by {}{changed}, dated {}",
            told.event.word(),
            told.record,
            moment(&rfc3339(told.latest)),
        ))?;
    }
    for why in &outcome.why_not {
        out.line(format!("  why: {why}"))?;
    }
    for fact in &outcome.missing_facts {
        out.line(format!("  not known: {fact}"))?;
    }
    if let Some(owners) = &outcome.owners {
        let named = |all: &[String]| match all.is_empty() {
            true => "nobody".to_owned(),
            false => all.join(", "),
        };
        let (before, after) = (named(&owners.before), named(&owners.after));
        out.line(format!(
            "  {} was owned by {before}, and is by {after}",
            owners.object
        ))?;
    }
    if let Some(policy) = &outcome.policy {
        for (what, all) in [
            ("may not hold", &policy.may_not_hold),
            ("lacks", &policy.lacks),
            ("gets", &policy.comes),
        ] {
            for one in all {
                out.line(format!("  {what}: {one}"))?;
            }
        }
        if policy.no_policy > 0 {
            let count = of_these(policy.no_policy, "grant", "grants");
            out.line(format!("  no policy speaks for {count}"))?;
        }
    }
    if let Some(rehearsal) = &outcome.rehearsal {
        left(rehearsal, out)?;
    }
    Ok(())
}

fn left(rehearsal: &Rehearsal, out: &Output) -> Result<(), Failure> {
    let late = rehearsal.residual.iter();
    let late = late.filter(|item| item.closes_at > item.limit_at).count();
    let late = of_these(u64::try_from(late).unwrap_or(u64::MAX), "item", "items");
    out.line(format!("  {late} would outlive the limit"))?;
    for item in &rehearsal.residual {
        out.line(format!(
            "  keeps {} until {} ({}): {}",
            item.path.join(" -> "),
            moment(&item.closes_at.to_text()),
            item.severity.word(),
            item.reason
        ))?;
    }
    for broken in &rehearsal.breaks {
        let (certainty, what) = (broken.certainty.word(), &broken.what);
        out.line(format!("  {certainty}: {what}; {}", broken.depends_on))?;
    }
    for fact in &rehearsal.missing_facts {
        out.line(format!("  not known: {fact}"))?;
    }
    Ok(())
}
