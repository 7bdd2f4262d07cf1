//! `lastkey leavers`: what past leavers held, worst first.

use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, moment, table};
use crate::past_args::Leavers;
use chrono::TimeDelta;
use lastkey_engine::lifecycle::Verdict;
use lastkey_engine::measured::{
    ITEM_COLUMNS, Measured, MeasuredLeaver, Share, Shares, State, at_most, item_cells,
};
use lastkey_workbench::{Failure, LeaversAsked, WhenMissing};
use std::process::ExitCode;

/// A table for people ends after so many rows.
const WORST: usize = 100;

/// One row of the table for people, and what it is sorted by.
struct Row {
    state: State,
    privileged: bool,
    lower: TimeDelta,
    cells: Vec<String>,
}

/// How many leavers have which verdict.
#[derive(Default)]
struct Verdicts {
    pass: u64,
    fail: u64,
    indeterminate: u64,
}

pub async fn leavers(global: &Global, args: Leavers, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    if args.csv && out.json {
        return Err(Failure::bad_input("--csv and --json exclude each other"));
    }
    let asked = LeaversAsked {
        since: args.since,
        until: args.until,
        identity: args.identity,
        movers: args.movers,
    };
    let mut worst: Vec<Row> = Vec::new();
    let mut rows = 0u64;
    let mut verdicts = Verdicts::default();
    let mut missing: Vec<String> = Vec::new();
    if args.csv {
        out.csv_row(ITEM_COLUMNS.into_iter())?;
    }
    let take = |window: Vec<MeasuredLeaver>| {
        for leaver in &window {
            match leaver.verdict {
                Verdict::Pass => verdicts.pass += 1,
                Verdict::Fail => verdicts.fail += 1,
                Verdict::Indeterminate => verdicts.indeterminate += 1,
            }
        }
        if args.shares {
            return Ok(());
        }
        if out.json {
            return out.documents(&window);
        }
        for leaver in &window {
            for item in &leaver.items {
                rows += 1;
                match args.csv {
                    true => out.csv_row(item_cells(leaver, item).iter().map(String::as_str))?,
                    false => worst.push(row(leaver, item)),
                }
            }
            for fact in &leaver.missing_facts {
                if missing.len() < 20 && !missing.contains(fact) {
                    missing.push(fact.clone());
                }
            }
        }
        worst.sort_by(|a, b| {
            let rank = |row: &Row| (row.state, row.privileged, row.lower);
            (rank(b), &a.cells).cmp(&(rank(a), &b.cells))
        });
        worst.truncate(WORST);
        Ok(())
    };
    let shares = bench.each_measured_leaver(&asked, take).await?;
    let leavers = verdicts.pass + verdicts.fail + verdicts.indeterminate;
    if args.shares {
        match out.json {
            true => out.document(&shares)?,
            false => show(&shares, out)?,
        }
    } else if !out.json && !args.csv {
        match leavers {
            0 => {
                let what = if args.movers { "moved" } else { "left" };
                let who = asked.identity.as_deref();
                let who = who.map_or("nobody".to_owned(), |id| format!("`{id}`"));
                let when = match asked.since.is_some() || asked.until.is_some() {
                    true => " in that time",
                    false => "",
                };
                out.line(match who.as_str() {
                    "nobody" => format!("nobody is known to have {what}{when}"),
                    who => format!("{who} is not known to have {what}{when}"),
                })?;
            }
            _ => {
                let when = if args.movers { "moved" } else { "left" };
                let columns = [
                    "who", when, "what", "claimed", "observed", "limit", "verdict",
                ];
                let cells: Vec<Vec<String>> = worst.iter().map(|row| row.cells.clone()).collect();
                table(&columns, &cells)
                    .iter()
                    .try_for_each(|line| out.line(line))?;
                let more = rows.saturating_sub(WORST as u64);
                if more > 0 {
                    out.line(format!("{} more; --csv writes all of them", counted(more)))?;
                }
                out.line(format!(
                    "{}: {} fail, {} indeterminate, {} pass",
                    match args.movers {
                        true => of_these(leavers, "mover", "movers"),
                        false => of_these(leavers, "leaver", "leavers"),
                    },
                    counted(verdicts.fail),
                    counted(verdicts.indeterminate),
                    counted(verdicts.pass)
                ))?;
                for fact in &missing {
                    out.line(format!("not known: {fact}"))?;
                }
            }
        }
    }
    let not_known = bench.not_known_of(&asked).await?;
    for one in &not_known {
        out.remark(format!("not known: {one}"));
    }
    let undecided = u64::try_from(not_known.len()).unwrap_or(u64::MAX);
    Ok(match verdicts.fail + verdicts.indeterminate + undecided {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    })
}

fn row(leaver: &MeasuredLeaver, item: &Measured) -> Row {
    let who = match &leaver.name {
        Some(name) => format!("{} ({name})", leaver.identity),
        None => leaver.identity.clone(),
    };
    Row {
        state: item.state,
        privileged: item.privileged == Some(true),
        lower: item.lower,
        cells: vec![
            who,
            leaver.left_in_words(moment),
            item.in_words(),
            leaver.claimed_in_words(item, moment),
            item.observed_in_words(),
            at_most(item.limit),
            item.verdict_in_words(),
        ],
    }
}

/// Shares and times for people.
fn show(shares: &Shares, out: &Output) -> Result<(), Failure> {
    let mut rows = vec![share("all", &shares.all)];
    rows.extend(shares.kinds.iter().map(|(kind, one)| share(kind, one)));
    rows.extend(
        shares
            .systems
            .iter()
            .map(|(system, one)| share(system, one)),
    );
    rows.extend(shares.months.iter().map(|(month, one)| share(month, one)));
    let columns = [
        "of",
        "in time",
        "late",
        "still open",
        "indeterminate",
        "share of the decided (95 %)",
        "if all were decided",
    ];
    table(&columns, &rows)
        .iter()
        .try_for_each(|line| out.line(line))?;
    out.line("")?;
    let bands = shares.times.bands.iter().map(|band| {
        let within = at_most(TimeDelta::seconds(band.within_seconds));
        vec![within, counted(band.surely), counted(band.at_most)]
    });
    let bands: Vec<Vec<String>> = bands.collect();
    let columns = ["closed within", "for certain", "at most"];
    table(&columns, &bands)
        .iter()
        .try_for_each(|line| out.line(line))?;
    out.line(format!(
        "of {} of which a time is known",
        of_these(shares.times.count, "thing", "things")
    ))
}

fn share(of: &str, share: &Share) -> Vec<String> {
    vec![
        of.to_owned(),
        counted(share.in_time),
        counted(share.late),
        counted(share.still_open),
        counted(share.indeterminate),
        share.decided_in_words(),
        share.ends_in_words(),
    ]
}
