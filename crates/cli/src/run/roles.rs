//! `lastkey rehearse joiner` and `lastkey rehearse mover`.

use super::open;
use super::policy::{in_words, standing};
use super::rehearse::status;
use crate::args::Global;
use crate::output::{Output, moment};
use crate::policy_args::RoleArgs;
use lastkey_contract::when::rfc3339;
use lastkey_engine::lifecycle::saved::{Question, RoleQuestion};
use lastkey_engine::lifecycle::{RoleChange, RoleRehearsal};
use lastkey_workbench::{Failure, RoleRequest, WhenMissing, moment_of};
use std::process::ExitCode;

pub async fn role(
    global: &Global,
    change: RoleChange,
    args: RoleArgs,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let at = args
        .at
        .as_deref()
        .map(|text| moment_of("--at", text))
        .transpose()?;
    let bench = open(global, WhenMissing::Refuse, out).await?;
    super::saved::free(&bench, args.save.as_deref()).await?;
    let at = at.unwrap_or_else(|| bench.now());
    let standing = standing(args.draft);
    let of = RoleQuestion {
        identity: args.identity.clone(),
        set: args.set.clone(),
        like: args.like.clone(),
        policy: standing.word().to_owned(),
    };
    let question = match change {
        RoleChange::Joiner => Question::Joiner(of),
        RoleChange::Mover => Question::Mover(of),
    };
    let request = RoleRequest {
        identity: args.identity,
        change,
        like: args.like,
        set: args.set,
        at: Some(at),
        standing,
    };
    let answer = bench.rehearse_role(request).await?;
    super::saved::save(&bench, args.save, (question, at), None, out).await?;
    if out.json {
        out.document(&answer)?;
    } else {
        show(&answer, out)?;
    }
    Ok(status(answer.rehearsal.verdict))
}

fn show(answer: &RoleRehearsal, out: &Output) -> Result<(), Failure> {
    let rehearsal = &answer.rehearsal;
    out.line(format!(
        "{}. ({} of {} at {})",
        rehearsal.verdict.word(),
        rehearsal.event.word(),
        rehearsal.identity,
        moment(&rfc3339(rehearsal.at))
    ))?;
    for grant in &answer.missing_grants {
        let words = in_words(&grant.policy);
        out.line(format!("  lacks {}:{}: {words}", grant.system, grant.id))?;
    }
    for grant in &answer.coming_grants {
        let (at, because) = (grant.at.to_text(), grant.because.join(", "));
        out.line(format!(
            "  gets {}:{} by {at}: birthright by {because}",
            grant.system, grant.id
        ))?;
    }
    for line in &answer.like_holds {
        let words = in_words(&line.policy);
        out.line(format!(
            "  held by the one they come like, and not theirs by itself: {}:{}: {words}",
            line.system, line.id
        ))?;
    }
    for line in &answer.extra_grants {
        let words = in_words(&line.policy);
        let accounts = line.accounts.join(", ");
        out.line(format!(
            "  holds {}:{} on {accounts}: {words}",
            line.system, line.id
        ))?;
    }
    for item in &rehearsal.residual {
        out.line(format!(
            "  keeps {} until {} ({}): {}",
            item.path.join(" -> "),
            item.closes_at.to_text(),
            item.severity.word(),
            item.reason
        ))?;
    }
    for fact in &rehearsal.missing_facts {
        out.line(format!("  missing: {fact}"))?;
    }
    if answer.no_policy > 0 {
        out.line(format!(
            "  {} held where no policy speaks for the system: neither right nor wrong",
            answer.no_policy
        ))?;
    }
    Ok(())
}
