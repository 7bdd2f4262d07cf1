//! `rehearsal`: what was saved, and how it compares; and saving itself.

use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, moment, table};
use crate::saved_args::Saved;
use lastkey_engine::lifecycle::saved::{
    Comparison, Input, ItemDifference, KeptItem, KeptNumbers, Question,
};
use lastkey_workbench::{Failure, SaveRequest, SavedView, Stop, WhenMissing, Workbench};
use serde_json::json;
use std::process::ExitCode;

/// How many lines are shown to people.
const SHOWN: usize = 100;

pub async fn saved(global: &Global, command: Saved, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    match command {
        Saved::List => list(&bench, out).await,
        Saved::Show { name } => show(&bench, &name, out).await,
        Saved::Compare { before, after } => {
            let stop = Stop::default();
            let answer = bench.compare_saved(&before, after.as_deref(), &stop);
            compared(&answer.await?, (&before, after.as_deref()), out)
        }
        Saved::Remove { name } => {
            bench.remove_saved(&name).await?;
            match out.json {
                true => out.document(&json!({"removed": name}))?,
                false => out.line(format!("removed `{name}`"))?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Saves a question under a name where one is given, and says so. Scripts read one document, so that
/// it is said to people only.
pub async fn save(
    bench: &Workbench,
    name: Option<String>,
    request: (Question, chrono::DateTime<chrono::Utc>),
    plan: Option<(String, String)>,
    out: &Output,
) -> Result<(), Failure> {
    let Some(name) = name else {
        return Ok(());
    };
    let (question, at) = request;
    let request = SaveRequest {
        name,
        question,
        at: Some(at),
        plan,
    };
    let view = bench.save_rehearsal(request, &Stop::default()).await?;
    out.remark(format!(
        "saved as `{}`: {}, {}",
        view.name,
        view.verdict.word(),
        of_these(view.items, "item", "items")
    ));
    Ok(())
}

/// Refuses a name that is taken before anything is played.
pub async fn free(bench: &Workbench, name: Option<&str>) -> Result<(), Failure> {
    match name {
        Some(name) => bench.require_free(name).await,
        None => Ok(()),
    }
}

async fn list(bench: &Workbench, out: &Output) -> Result<ExitCode, Failure> {
    let all = bench.saved_rehearsals().await?;
    if out.json {
        out.documents(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            vec![
                one.name.clone(),
                one.words.clone(),
                moment(&one.at),
                one.verdict.word().to_owned(),
                counted(one.items),
                one.plan_name.clone().unwrap_or_else(|| "none".to_owned()),
                moment(&one.saved_at),
                one.saved_by.clone(),
            ]
        })
        .collect();
    let header = [
        "name", "question", "at", "verdict", "items", "plan", "saved", "by",
    ];
    match rows.is_empty() {
        true => out.remark("nothing is saved: `lastkey rehearse … --save NAME` saves a rehearsal"),
        false => {
            for line in table(&header, &rows) {
                out.line(line)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(bench: &Workbench, name: &str, out: &Output) -> Result<ExitCode, Failure> {
    let (view, items) = bench.saved_rehearsal(name).await?;
    if out.json {
        out.document(&view)?;
        out.documents(&items)?;
        return Ok(ExitCode::SUCCESS);
    }
    head(&view, out)?;
    let rows: Vec<Vec<String>> = items.iter().take(SHOWN).map(cells).collect();
    if !rows.is_empty() {
        for line in table(&["verdict", "closes", "severity", "basis", "item"], &rows) {
            out.line(line)?;
        }
    }
    more(items.len(), out);
    for missing in &view.missing_facts {
        out.line(format!("not known: {missing}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn head(view: &SavedView, out: &Output) -> Result<(), Failure> {
    out.line(format!(
        "{}. {} at {}, {}; {}, facts after sync {}; saved {} by {}",
        view.verdict.word(),
        view.words,
        moment(&view.at),
        of_these(view.items, "item", "items"),
        match &view.plan_name {
            Some(plan) => format!("plan `{plan}`"),
            None => "no plan".to_owned(),
        },
        view.facts.sync,
        moment(&view.saved_at),
        view.saved_by
    ))
}

fn cells(item: &KeptItem) -> Vec<String> {
    vec![
        item.verdict.word().to_owned(),
        closes(item),
        item.severity.map_or("", |one| one.word()).to_owned(),
        item.basis.word().to_owned(),
        match &item.said {
            Some(said) => format!("{} ({said})", item.words()),
            None => item.words(),
        },
    ]
}

/// When it closes, or how much there is of it.
fn closes(item: &KeptItem) -> String {
    match (item.closes_at, item.left) {
        (Some(at), _) => moment(&at.to_text()),
        (None, Some(KeptNumbers { late, never, .. })) => {
            format!("{} late, {} never", counted(late), counted(never))
        }
        (None, None) => String::new(),
    }
}

fn compared(
    answer: &Comparison,
    names: (&str, Option<&str>),
    out: &Output,
) -> Result<ExitCode, Failure> {
    if out.json {
        let mut head = serde_json::to_value(answer)
            .map_err(|error| Failure::not_possible(format!("no JSON can be made: {error}")))?;
        if let Some(object) = head.as_object_mut() {
            object.remove("differences");
        }
        out.document(&head)?;
        out.documents(&answer.differences)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (before, after) = names;
    let counts = &answer.counts;
    out.line(format!(
        "{}, from `{before}` to {}: {} -> {}",
        answer.question.words(),
        after.map_or("now".to_owned(), |name| format!("`{name}`")),
        answer.before_verdict.word(),
        answer.after_verdict.word()
    ))?;
    out.line(format!(
        "{} added, {} changed, {} gone, {} disappeared without proof, {} not read before, {} as before; \
         {} worse, {} not known any more, {} better",
        counted(counts.added),
        counted(counts.changed),
        counted(counts.gone),
        counted(counts.disappeared_without_proof),
        counted(counts.not_read_before),
        counted(counts.same),
        counted(counts.worse),
        counted(counts.unknown),
        counted(counts.better)
    ))?;
    out.line(match answer.changed_inputs.as_slice() {
        [] => "both were asked with the same plan, policy, moment and facts".to_owned(),
        changed => format!("changed in between: {}", words(changed)),
    })?;
    let rows: Vec<Vec<String>> = answer.differences.iter().take(SHOWN).map(line).collect();
    if !rows.is_empty() {
        let header = ["", "what", "item", "before", "after", "because of"];
        for line in table(&header, &rows) {
            out.line(line)?;
        }
    }
    more(answer.differences.len(), out);
    for missing in &answer.missing_facts {
        out.line(format!("not known: {missing}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line(one: &ItemDifference) -> Vec<String> {
    let item = one.after.as_ref().or(one.before.as_ref());
    let state = |item: &Option<KeptItem>| match item {
        Some(item) => format!("{} {}", item.verdict.word(), closes(item)),
        None => String::new(),
    };
    let reasons = words(&one.reasons);
    vec![
        one.direction.word().to_owned(),
        one.what.word().replace('_', " "),
        item.map_or_else(String::new, KeptItem::words),
        state(&one.before),
        state(&one.after),
        match one.reason_known {
            true => reasons,
            false => format!("not known: {reasons}"),
        },
    ]
}

fn words(inputs: &[Input]) -> String {
    let words: Vec<&str> = inputs.iter().map(|input| input.word()).collect();
    words.join(", ")
}

fn more(number: usize, out: &Output) {
    if let Some(left) = number.checked_sub(SHOWN).filter(|left| *left > 0) {
        out.remark(format!("and {left} more; --json shows all"));
    }
}
