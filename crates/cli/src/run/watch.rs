//! `lastkey watch`: whoever leaves, read at intervals until all of theirs is closed.

use super::sources::stop_on_interrupt;
use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, moment, table};
use crate::probe_args::Watch;
use chrono::Utc;
use lastkey_contract::when::rfc3339;
use lastkey_engine::measured::{LeaverTimeline, SeenAt};
use lastkey_workbench::{Failure, WatchChange, WatchView, WhenMissing, Workbench};
use std::process::ExitCode;
use std::time::Duration;

/// The wish to stop, and other processes' changes, are looked for so often.
const A_LOOK: Duration = Duration::from_secs(2);
const AFTER_A_FAILURE: Duration = Duration::from_secs(15);

pub async fn watch(global: &Global, command: Watch, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    match command {
        Watch::Start {
            identity,
            event,
            at,
        } => {
            let view = bench
                .start_watch(&identity, event.as_deref(), at.as_deref())
                .await?;
            match out.json {
                true => out.document(&view)?,
                false => {
                    let (event, at) = (&view.event, moment(&view.at));
                    out.line(format!(
                        "watch {}: {event} of {} at {at}; `lastkey watch run` or the open window reads on",
                        view.id, view.identity
                    ))?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Watch::List => {
            let all = bench.watches().await?;
            if out.json {
                out.documents(&all)?;
            } else if all.is_empty() {
                out.remark("nobody is watched: `lastkey watch start --identity ID` begins");
            } else {
                let rows: Vec<Vec<String>> = all.iter().map(cells).collect();
                let header = [
                    "watch",
                    "state",
                    "who",
                    "event",
                    "at",
                    "not closed",
                    "last read",
                    "next read",
                    "why",
                ];
                table(&header, &rows)
                    .iter()
                    .try_for_each(|line| out.line(line))?;
            }
            Ok(match all.iter().any(|one| one.state == "overdue") {
                true => ExitCode::from(1),
                false => ExitCode::SUCCESS,
            })
        }
        Watch::Show { id } => show(&bench, id, out).await,
        Watch::Read { id } => {
            let view = bench.watch(id).await?;
            if view.next_read.is_none() {
                out.remark(format!("watch {id} has ended: {}", view.state));
                return Ok(status(&[view]));
            }
            let stop = stop_on_interrupt();
            let changes = bench.read_watches(Some(id), &|_| {}, &stop).await?;
            changes.iter().try_for_each(|change| tell(change, out))?;
            Ok(status(&[bench.watch(id).await?]))
        }
        Watch::Run { once } => run(&bench, once, out).await,
        Watch::Stop { id } => {
            let view = bench.stop_watch(id).await?;
            match out.json {
                true => out.document(&view)?,
                false => out.line(format!("watch {id} of {} is stopped", view.identity))?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// 1 where anybody is overdue, or ended otherwise than closed in time for all that is needed to say so.
fn status(all: &[WatchView]) -> ExitCode {
    let bad = |one: &WatchView| match one.state.as_str() {
        "overdue" | "undecided" => true,
        "closed" => one.verdict.as_deref() != Some("pass"),
        _ => false,
    };
    match all.iter().any(bad) {
        true => ExitCode::from(1),
        false => ExitCode::SUCCESS,
    }
}

fn cells(one: &WatchView) -> Vec<String> {
    let who = match &one.name {
        Some(name) => format!("{} ({name})", one.identity),
        None => one.identity.clone(),
    };
    let at = |text: &Option<String>| text.as_deref().map_or(String::new(), moment);
    vec![
        one.id.to_string(),
        one.state.clone(),
        who,
        one.event.clone(),
        moment(&one.at),
        match &one.last_read {
            Some(_) => format!("{} of {}", counted(one.open), counted(one.things)),
            None => "not read yet".to_owned(),
        },
        at(&one.last_read),
        at(&one.next_read),
        one.why.clone(),
    ]
}

async fn run(bench: &Workbench, once: bool, out: &Output) -> Result<ExitCode, Failure> {
    let stop = stop_on_interrupt();
    let ended = |one: &WatchView| one.next_read.is_none();
    let before = bench.watches().await?.into_iter().filter(ended);
    let before: Vec<i64> = before.map(|one| one.id).collect();
    loop {
        let changes = bench.read_watches(None, &|_| {}, &stop).await;
        match changes {
            Ok(changes) => changes.iter().try_for_each(|change| tell(change, out))?,
            Err(_) if stop.is_stopped() => break,
            Err(failure) if once => return Err(failure),
            // A store that is busy is no reason to look away: the next read is due as before.
            Err(failure) => {
                out.failure(&failure);
                tokio::time::sleep(AFTER_A_FAILURE).await;
            }
        }
        if once {
            break;
        }
        let Some(next) = bench.next_watch().await? else {
            break;
        };
        while !stop.is_stopped() && Utc::now() < next {
            tokio::time::sleep(A_LOOK).await;
            // Somebody may have begun another watch, or ended this one.
            if bench.next_watch().await?.is_none_or(|now| now < next) {
                break;
            }
        }
        if stop.is_stopped() {
            break;
        }
    }
    let mut all = bench.watches().await?;
    all.retain(|one| !before.contains(&one.id));
    Ok(status(&all))
}

fn tell(change: &WatchChange, out: &Output) -> Result<(), Failure> {
    let now = &change.now;
    if out.json {
        return out.document(now);
    }
    let next = match &now.next_read {
        Some(next) => format!("; next read at {}", moment(next)),
        None => String::new(),
    };
    let mark = if change.became_overdue() {
        "OVERDUE. "
    } else {
        ""
    };
    out.line(format!(
        "{mark}{} watch {} of {}: {}, {} of {} not closed: {}{next}",
        moment(now.last_read.as_deref().unwrap_or(&now.started)),
        now.id,
        now.identity,
        now.state,
        counted(now.open),
        of_these(now.things, "thing", "things"),
        now.why
    ))
}

async fn show(bench: &Workbench, id: i64, out: &Output) -> Result<ExitCode, Failure> {
    let view = bench.watch(id).await?;
    let of = bench.watch_timeline(id).await?;
    if out.json {
        out.document(&view)?;
        if let Some(of) = &of {
            out.document(of)?;
        }
        return Ok(status(&[view]));
    }
    let at = moment(&view.at);
    out.line(format!(
        "watch {id}: {} of {} at {at}, {}: {}",
        view.event, view.identity, view.state, view.why
    ))?;
    if let Some(of) = &of {
        let open = of
            .leaver
            .items
            .iter()
            .filter(|item| item.closed.is_none())
            .count();
        if view.state == "closed" && open > 0 {
            let open = of_these(u64::try_from(open).unwrap_or(u64::MAX), "thing", "things");
            out.line(format!("since it ended {open} of theirs opened again"))?;
        }
        lanes(of, out)?;
    }
    Ok(status(&[view]))
}

/// Each thing with its three lanes.
fn lanes(of: &LeaverTimeline, out: &Output) -> Result<(), Failure> {
    for (item, lanes) in of.leaver.items.iter().zip(&of.lanes) {
        out.line(format!(
            "{:<15} {} {}:{}: {}",
            item.state.word(),
            item.kind.word(),
            item.system,
            item.id,
            item.why
        ))?;
        out.line(format!("  claimed: {}", item.claimed.word()))?;
        for one in &lanes.seen {
            out.line(format!("  {}", seen(one)))?;
        }
        for one in &lanes.tries {
            out.line(format!(
                "  tried {}: {} ({}){}",
                moment(&rfc3339(one.until)),
                one.answer.word(),
                one.raw,
                if one.counts {
                    ""
                } else {
                    ", which proves nothing"
                }
            ))?;
        }
    }
    for fact in &of.leaver.missing_facts {
        out.line(format!("not known: {fact}"))?;
    }
    Ok(())
}

fn seen(one: &SeenAt) -> String {
    let (from, until) = (moment(&rfc3339(one.from)), moment(&rfc3339(one.until)));
    let reads = of_these(one.reads, "read", "reads");
    match from == until {
        true => format!("{} {from} ({reads})", one.says),
        false => format!("{} {from} to {until} ({reads})", one.says),
    }
}
