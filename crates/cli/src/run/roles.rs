//! `lastkey rehearse joiner` and `lastkey rehearse mover`.

use super::policy::{in_words, standing};
use super::rehearse::{outlives, show_items, status};
use super::{of_these, open};
use crate::args::Global;
use crate::output::{Output, moment};
use crate::policy_args::RoleArgs;
use lastkey_contract::when::rfc3339;
use lastkey_engine::lifecycle::saved::{Question, RoleQuestion};
use lastkey_engine::lifecycle::{Closing, RoleChange, RoleRehearsal, is_late};
use lastkey_workbench::{Failure, RoleRequest, WhenMissing, Workbench, moment_of};
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
        show(&bench, &answer, change, out).await?;
        if let Some(rule) = bench.permits_everything(standing).await? {
            out.remark(format!(
                "`{rule}` of the policy permits everybody everything: by it nobody holds too much"
            ));
        }
    }
    Ok(status(answer.rehearsal.verdict))
}

async fn show(
    bench: &Workbench,
    answer: &RoleRehearsal,
    change: RoleChange,
    out: &Output,
) -> Result<(), Failure> {
    let rehearsal = &answer.rehearsal;
    let said = match change {
        RoleChange::Mover => {
            let late = rehearsal.residual.iter().filter(|item| is_late(item));
            let never = late.clone().filter(|item| item.closes_at == Closing::Never);
            outlives(rehearsal.verdict, many(late.count()), many(never.count()))
        }
        RoleChange::Joiner => format!(
            "{}, {} that they may not hold",
            of_these(
                many(answer.missing_grants.len()),
                "birthright is lacking",
                "birthrights are lacking"
            ),
            of_these(
                many(answer.extra_grants.len()),
                "thing is held",
                "things are held"
            ),
        ),
    };
    let name = bench.name_of(&rehearsal.identity).await?;
    let name: String = name.iter().map(|name| format!(", {name},")).collect();
    out.line(format!(
        "{}. {said}. ({} of {}{name} at {})",
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
        let (at, because) = (moment(&grant.at.to_text()), grant.because.join(", "));
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
    let names = bench.names_in(rehearsal).await?;
    show_items(rehearsal, &names, out)?;
    if answer.no_policy > 0 {
        out.line(format!(
            "{} held where no policy speaks for the system: neither right nor wrong",
            of_these(answer.no_policy, "thing is", "things are")
        ))?;
    }
    out.line("A simulation: nothing outside was touched.")
}

fn many(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
