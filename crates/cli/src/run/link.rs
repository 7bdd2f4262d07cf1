//! `link`: decisions, lists for them, explanations, rules.

use super::history::say_read_later;
use super::open;
use crate::args::Global;
use crate::link_args::{Link, LinkCommand, Listed, Rules};
use crate::output::{Output, moment, table};
use lastkey_engine::lifecycle::Basis;
use lastkey_engine::store::{LinkState, RecordName};
use lastkey_engine::views::{Candidate, DecisionLine, LinkExplained, LinkLine, LinkedLine};
use lastkey_workbench::{
    Failure, LinksAsked, RulesEffect, WhenMissing, Workbench, check_link_rules,
};
use std::process::ExitCode;

/// How many lines are read at once.
const WINDOW: usize = 1_000;
/// The same for lists that the store counts.
const PAGE: u32 = 1_000;

pub async fn link(global: &Global, args: Link, out: &Output) -> Result<ExitCode, Failure> {
    let Some(command) = args.command else {
        let account = args.account.unwrap_or_default();
        let why = args.why.unwrap_or_default();
        let bench = open(global, WhenMissing::Refuse, out).await?;
        let number = bench.link(&account, args.identity.as_deref(), &why).await?;
        return decided(&bench, number, &account, out).await;
    };
    if let LinkCommand::Rules(args) = command {
        return rules(global, args, out).await;
    }
    let bench = open(global, WhenMissing::Refuse, out).await?;
    match command {
        LinkCommand::None { account, why } => {
            let number = bench.link(&account, None, &why).await?;
            decided(&bench, number, &account, out).await
        }
        LinkCommand::Bulk { file } => {
            let count = bench.link_bulk(&file).await?;
            said(
                out,
                &serde_json::json!({ "decided": count }),
                &format!("{count} decisions"),
            )
        }
        LinkCommand::Same(two) => {
            let number = bench.same_person(&two.a, &two.b, &two.why).await?;
            joined(
                number,
                &format!("{} and {} are one person", two.a, two.b),
                out,
            )
        }
        LinkCommand::Apart(two) => {
            let number = bench.two_persons(&two.a, &two.b, &two.why).await?;
            joined(
                number,
                &format!("{} and {} are two persons", two.a, two.b),
                out,
            )
        }
        LinkCommand::Undo { number, why } => {
            bench.undo_decision(number, &why).await?;
            said(
                out,
                &serde_json::json!({ "undone": number }),
                &format!("decision {number} is undone"),
            )
        }
        LinkCommand::List { which, of, as_of } => {
            list(&bench, which, of, as_of.as_deref(), out).await
        }
        LinkCommand::Explain { account } => explain(&bench, &account, out).await,
        LinkCommand::Persons { doubts: false } => persons(&bench, out).await,
        LinkCommand::Persons { doubts: true } => doubts(&bench, out).await,
        // Seen to above: its text is checked before a store is opened.
        LinkCommand::Rules(args) => rules(global, args, out).await,
    }
}

fn said(out: &Output, answer: &serde_json::Value, line: &str) -> Result<ExitCode, Failure> {
    match out.json {
        true => out.document(answer)?,
        false => out.line(line)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What an account is after a decision.
async fn decided(
    bench: &Workbench,
    number: i64,
    account: &str,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let answers = bench.explain_link(account).await?;
    let state = answers
        .first()
        .map_or_else(String::new, |a| standing(&a.line));
    let answer = serde_json::json!({ "decision": number, "account": account, "state": state });
    said(
        out,
        &answer,
        &format!("decision {number}: {account} is {state}"),
    )
}

fn joined(number: i64, what: &str, out: &Output) -> Result<ExitCode, Failure> {
    let answer = serde_json::json!({ "decision": number });
    said(out, &answer, &format!("decision {number}: {what}"))
}

/// How an account stands, in words.
fn standing(line: &LinkLine) -> String {
    match (&line.identity, &line.doubt) {
        (Some(identity), _) => format!("{}: {identity}", line.state),
        (None, Some(doubt)) => format!("{}, but {doubt}", line.state),
        (None, None) => line.state.clone(),
    }
}

async fn list(
    bench: &Workbench,
    which: Listed,
    of: Option<String>,
    as_of: Option<&str>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    if which.decided {
        return decisions(bench, out).await;
    }
    let chosen = [
        (which.connected, LinkState::Linked),
        (which.ambiguous, LinkState::Ambiguous),
        (which.possible, LinkState::Possible),
        (which.unmatched, LinkState::Unmatched),
        (which.nobodys, LinkState::Nobodys),
        (which.gone, LinkState::Gone),
    ];
    let state = chosen.into_iter().find(|(wanted, _)| *wanted);
    let asked = LinksAsked {
        state: state.map(|(_, state)| state),
        of,
    };
    say_read_later(bench, as_of, out).await?;
    let as_of = bench.as_of(as_of).await?;
    if let Some(sync) = as_of {
        out.remark(format!(
            "as of sync {sync}, by the rules and decisions of now"
        ));
    }
    if asked == LinksAsked::default() {
        let counts = match as_of {
            Some(sync) => bench.link_counts_then(sync).await?,
            None => bench.link_counts().await?,
        };
        if out.json {
            out.document(&counts)?;
        } else {
            for count in counts {
                let of_supplements = match count.supplements {
                    0 => String::new(),
                    some => format!(" ({some} of them in supplements)"),
                };
                out.line(format!(
                    "{:>9}  {}{of_supplements}",
                    count.count, count.state
                ))?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Lines::new(out);
    bench
        .each_linked(&asked, as_of, |linked| lines.take(linked))
        .await?;
    lines.end(&asked)
}

/// Accounts on their way out, laid out by the window.
struct Lines<'o> {
    out: &'o Output,
    waiting: Vec<LinkedLine>,
    /// How many have been written.
    written: usize,
}

impl<'o> Lines<'o> {
    fn new(out: &'o Output) -> Self {
        Lines {
            out,
            waiting: Vec::new(),
            written: 0,
        }
    }

    fn take(&mut self, line: LinkedLine) -> Result<(), Failure> {
        self.waiting.push(line);
        match self.waiting.len() < WINDOW {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let window = std::mem::take(&mut self.waiting);
        self.written += window.len();
        if self.out.json {
            return self.out.documents(&window);
        }
        let header = [
            "account", "name", "kind", "source", "state", "rule", "sure", "known", "identity",
        ];
        let cells: Vec<Vec<String>> = window.iter().map(cells).collect();
        // Each window has widths of its own, and so a header of its own, as tables have.
        let mut laid_out = table(&header, &cells).into_iter();
        laid_out.try_for_each(|line| self.out.line(line))
    }

    fn end(mut self, asked: &LinksAsked) -> Result<ExitCode, Failure> {
        if !self.waiting.is_empty() {
            self.write()?;
        }
        if self.written == 0 {
            let how = asked.state.map_or("known", LinkState::word);
            let whose = asked.of.iter().map(|of| format!(" of {of}"));
            let whose: String = whose.collect();
            self.out.remark(format!("no account{whose} is {how}"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn cells(row: &LinkedLine) -> Vec<String> {
    let LinkedLine {
        line,
        confidence,
        basis,
    } = row;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut candidates: Vec<String> = line.identity.iter().cloned().collect();
    candidates.extend(line.candidates.iter().cloned());
    vec![
        line.account.clone(),
        text(&line.name),
        text(&line.kind),
        match line.supplement {
            true => format!("{} (supplement)", line.source),
            false => line.source.clone(),
        },
        line.state.clone(),
        match &line.doubt {
            Some(doubt) => format!("{}: {doubt}", text(&line.rule)),
            None => text(&line.rule),
        },
        text(confidence),
        basis.map(Basis::word).unwrap_or_default().to_owned(),
        candidates.join(" "),
    ]
}

async fn decisions(bench: &Workbench, out: &Output) -> Result<ExitCode, Failure> {
    let mut offset = 0;
    loop {
        let window = bench.decisions(offset, PAGE).await?;
        for row in &window.rows {
            match out.json {
                true => out.document(row)?,
                false => out.line(decision(row))?,
            }
        }
        offset += u64::from(PAGE);
        if offset >= window.total {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn decision(row: &DecisionLine) -> String {
    let what = match (row.undoes, &row.to) {
        (Some(undone), _) => format!("undid {undone}"),
        (None, Some(to)) => format!("{} {}: {to}", row.of, row.what),
        (None, None) => format!("{} {}", row.of, row.what),
    };
    let undone = row.undone_by.map(|by| format!(" (undone by {by})"));
    format!(
        "{:>6} {} {} {what}{}: {}",
        row.number,
        moment(&row.at),
        row.who,
        undone.unwrap_or_default(),
        row.why
    )
}

async fn explain(bench: &Workbench, account: &str, out: &Output) -> Result<ExitCode, Failure> {
    for answer in bench.explain_link(account).await? {
        match out.json {
            true => out.document(&answer)?,
            false => told(&answer).iter().try_for_each(|line| out.line(line))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn told(answer: &LinkExplained) -> Vec<String> {
    let line = &answer.line;
    let mut lines = vec![format!("{} is {}", line.account, standing(line))];
    if line.supplement {
        lines.push(format!(
            "  as the supplement `{}` tells of it: it adds to what the system's own source has",
            line.source
        ));
    }
    let decision_now = answer.decision.as_ref();
    if let Some(row) = decision_now {
        lines.push(format!(
            "  decided by {} at {} (decision {}): {}",
            row.who,
            moment(&row.at),
            row.number,
            row.why
        ));
    } else if let (Some(rule), Some(basis)) = (&line.rule, answer.basis) {
        // A rule that went by an earlier value has no confidence of its own.
        let sure = answer.confidence.iter().map(|sure| format!("{sure}, "));
        let (sure, known) = (sure.collect::<String>(), basis.word());
        lines.push(format!("  by the rule `{rule}` ({sure}{known})"));
    }
    for asked in &answer.rules {
        let values = match asked.values.is_empty() {
            true => String::new(),
            false => format!(" {}", asked.values.join(", ")),
        };
        lines.push(format!(
            "  rule `{}`:{values} {}",
            asked.rule, asked.outcome
        ));
    }
    lines.extend(answer.persons.iter().flat_map(candidate));
    for nearest in &answer.nearest {
        lines.push(format!(
            "  near: {} {} ({} % alike)",
            nearest.identity,
            nearest.display_name.as_deref().unwrap_or(""),
            nearest.likeness
        ));
    }
    lines.extend(answer.remarks.iter().map(|r| format!("  remark: {r}")));
    lines
}

fn candidate(candidate: &Candidate) -> Vec<String> {
    let known = [
        candidate.display_name.as_deref(),
        candidate.email.as_deref(),
        candidate.start_date.as_deref(),
    ];
    let known: Vec<&str> = known.into_iter().flatten().collect();
    let mut lines = vec![format!("  {}: {}", candidate.identity, known.join(", "))];
    let values = candidate.equal.iter().chain(&candidate.differs);
    lines.extend(values.map(|value| format!("    {value}")));
    lines
}

async fn persons(bench: &Workbench, out: &Output) -> Result<ExitCode, Failure> {
    let mut offset = 0;
    loop {
        let window = bench.joined_persons(offset, PAGE).await?;
        for row in &window.rows {
            let records: Vec<(String, &String)> = row
                .records
                .iter()
                .map(|(record, how): &(RecordName, String)| (record.to_string(), how))
                .collect();
            if out.json {
                let records: Vec<serde_json::Value> = records
                    .iter()
                    .map(|(record, how)| serde_json::json!({"record": record, "joined_by": how}))
                    .collect();
                out.document(&serde_json::json!({"person": row.person, "records": records}))?;
            } else {
                let records: Vec<String> = records
                    .iter()
                    .map(|(record, how)| format!("{record} ({how})"))
                    .collect();
                out.line(format!("{:>7}  {}", row.person, records.join(", ")))?;
            }
        }
        offset += u64::from(PAGE);
        if offset >= window.total {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

async fn doubts(bench: &Workbench, out: &Output) -> Result<ExitCode, Failure> {
    let mut offset = 0;
    loop {
        let window = bench.person_doubts(offset, PAGE).await?;
        for row in &window.rows {
            if out.json {
                out.document(&serde_json::json!({
                    "rule": row.rule, "reason": row.reason,
                    "records": row.records, "count": row.count,
                }))?;
            } else {
                let more = row.count.saturating_sub(row.records.len() as u64);
                let more = match more {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let records = row.records.join(" ");
                out.line(format!("{records}{more} ({}): {}", row.rule, row.reason))?;
            }
        }
        offset += u64::from(PAGE);
        if offset >= window.total {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

async fn rules(global: &Global, args: Rules, out: &Output) -> Result<ExitCode, Failure> {
    let source = args.source.as_deref();
    let text = match &args.set {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::not_possible(format!("`{}` cannot be read: {error}", file.display()))
            })?;
            // Rules with an error are refused before a store is opened.
            check_link_rules(source, &text).map_err(|failure| Failure {
                message: format!("{}: {}", file.display(), failure.message),
                ..failure
            })?;
            Some(text)
        }
    };
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let effect = match text.is_some() || args.default {
        true => bench.set_link_rules(source, text.as_deref()).await?,
        false => None,
    };
    let now = bench.link_rules(source).await?;
    if !out.json {
        out.text(&now)?;
        effect
            .iter()
            .flat_map(|e| effect_told(source.unwrap_or_default(), e))
            .for_each(|line| out.important(line));
        return Ok(ExitCode::SUCCESS);
    }
    out.document(&match effect {
        Some(effect) => serde_json::json!({"source": source, "rules": now, "effect": effect}),
        None => serde_json::json!({"source": source, "rules": now}),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What other rules did, in lines: what the accounts lost first, then what would keep it.
fn effect_told(source: &str, effect: &RulesEffect) -> Vec<String> {
    let mut lost = Vec::new();
    if effect.nobody_now > 0 {
        lost.push(format!("{} have nobody now", effect.nobody_now));
    }
    if effect.somebody_else_now > 0 {
        lost.push(format!("{} are somebody else's", effect.somebody_else_now));
    }
    let lost = match lost.is_empty() {
        true => String::new(),
        false => format!("; {}", lost.join(", ")),
    };
    let mut lines = vec![format!(
        "accounts of {source} connected: {} before, {} now{lost}",
        effect.connected_before, effect.connected_now
    )];
    if !effect.defaults_left_out.is_empty() {
        lines.push(format!(
            "remark: {source} has no default rule by {} now; a file of rules takes their place. \
             To keep them, write into it, too:",
            effect.defaults_left_out.join(", ")
        ));
        lines.extend(effect.to_keep_them.trim_end().lines().map(str::to_owned));
    }
    lines
}
