//! `plan`, `rehearse leaver`, `reach`.

use super::{counted, of_these, open};
use crate::args::{Global, Leaver, Reach};
use crate::output::{Output, moment, table};
use chrono::TimeDelta;
use lastkey_engine::access::{Gone, ReachItem};
use lastkey_engine::lifecycle::saved::Question;
use lastkey_engine::lifecycle::{ItemKind, Link, Rehearsal, ResidualItem, Verdict};
use lastkey_engine::views::RehearsalView;
use lastkey_workbench::{Failure, PlanLoad, ReachOf, Stop, WhenMissing, Workbench, moment_of};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

pub async fn plan_load(
    global: &Global,
    file: &Path,
    code: Option<&str>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be read: {error}", file.display()))
    })?;
    let name = file
        .file_stem()
        .map_or_else(|| "plan".to_owned(), |n| n.to_string_lossy().into_owned());
    // A plan with an error is refused before a store is opened.
    lastkey_workbench::check_plan(&text).map_err(|failure| Failure {
        message: format!("{}: {}", file.display(), failure.message),
        ..failure
    })?;
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let stop = Stop::default();
    let loaded = bench.load_plan_guarded(&name, &text, code, &stop).await?;
    let view = match loaded {
        PlanLoad::Loaded(view) => view,
        PlanLoad::Held(held) => {
            // A mistyped system may be why so much would change.
            for system in bench.plan_text_systems_unread(&text).await? {
                out.important(unread_system(&system));
            }
            let again = format!("lastkey plan load {}", file.display());
            return super::guard::held(&held, code, &again, out);
        }
    };
    if out.json {
        out.document(&view)?;
    } else {
        out.line(format!(
            "the plan `{}` is active: {}",
            view.name,
            of_these(view.steps, "step", "steps")
        ))?;
    }
    if view.steps == 0 {
        out.important("the plan has no steps: nothing closes by it");
    }
    for system in bench.plan_systems_unread().await? {
        out.important(unread_system(&system));
    }
    Ok(ExitCode::SUCCESS)
}

fn unread_system(system: &str) -> String {
    format!(
        "remark: the plan names `{system}`, which no source has read yet; until one does, these \
         steps close nothing"
    )
}

pub async fn plan_show(global: &Global, out: &Output) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    match bench.status().await?.plan {
        Some(plan) if out.json => out.document(&plan)?,
        Some(plan) => out.text(&plan.text)?,
        None => {
            return Err(Failure::not_possible("no plan is loaded")
                .hint("load one with `lastkey plan load FILE`"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn leaver(global: &Global, args: Leaver, out: &Output) -> Result<ExitCode, Failure> {
    let at = args
        .at
        .as_deref()
        .map(|text| moment_of("--at", text))
        .transpose()?;
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let bench = bench.look_back(args.as_of.as_deref()).await?;
    let at = at.unwrap_or_else(|| bench.now());
    if args.who.all {
        return everyone(&bench, args.items, at, out).await;
    }
    if let (true, Some(id)) = (args.measured, &args.who.identity) {
        return super::measured::both_sides(&bench, id, at, out).await;
    }
    super::saved::free(&bench, args.save.as_deref()).await?;
    let view = match (&args.who.identity, &args.who.vendor) {
        (Some(id), None) => bench.rehearse_leaver(id, Some(at)).await?,
        (None, Some(id)) => bench.rehearse_vendor_exit(id, Some(at)).await?,
        _ => {
            return Err(Failure::bad_input(
                "give one of --identity, --vendor or --all",
            ));
        }
    };
    let identity = view.rehearsal.identity.clone();
    let question = match args.who.vendor {
        Some(_) => Question::VendorExit { vendor: identity },
        None => Question::Leaver { identity },
    };
    // Before anything is written: whoever reads it may go away.
    super::saved::save(&bench, args.save, (question, at), None, out).await?;
    if out.json {
        out.document(&Dated::of(&bench, &view.rehearsal))?;
    } else {
        show(&view, out)?;
        look_back_line(&bench, out)?;
        remarks(&bench, &view, out).await?;
    }
    Ok(status(view.rehearsal.verdict))
}

/// What a reader should know of the question itself.
async fn remarks(bench: &Workbench, view: &RehearsalView, out: &Output) -> Result<(), Failure> {
    if bench.status().await?.plan.is_none() {
        out.remark(
            "no plan is loaded, so no step closes anything: `lastkey plan load FILE` loads one",
        );
    }
    if view.rehearsal.at < bench.now() - TimeDelta::days(1) {
        out.remark(
            "the facts are those of the latest reads, and not of that moment: --as-of asks what was known then",
        );
    }
    Ok(())
}

async fn everyone(
    bench: &Workbench,
    items: bool,
    at: chrono::DateTime<chrono::Utc>,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let mut verdicts = Verdicts::default();
    let stop = Stop::default();
    if out.json {
        // Lines name the worst items, or all of them, with their paths: one identity after the other.
        bench
            .rehearse_everyone(at, &stop, &mut |rehearsal, _| {
                verdicts.count(rehearsal.verdict);
                if items {
                    return out.document(&Dated::of(bench, rehearsal));
                }
                let line = lastkey_workbench::summary_line(rehearsal);
                out.document(&Dated::of(bench, &line))
            })
            .await?;
    } else {
        for row in bench.rehearse_all_at_once(at, &stop).await? {
            verdicts.count(row.verdict);
            out.line(format!(
                "{:<14} {:<20} {:>6} residual {:>6} late {:>6} never  {}",
                row.verdict.word(),
                row.identity,
                row.residual,
                row.late,
                row.never,
                row.display_name.as_deref().unwrap_or("")
            ))?;
        }
    }
    out.remark(format!(
        "at {}: {} fail, {} indeterminate, {} pass",
        moment(&lastkey_contract::when::rfc3339(at)),
        counted(verdicts.failed),
        counted(verdicts.undecided),
        counted(verdicts.passed)
    ));
    // Everyone is a survey, not one person's test: it is done when all were rehearsed.
    Ok(ExitCode::SUCCESS)
}

/// How many there are of each.
#[derive(Default)]
struct Verdicts {
    failed: u64,
    undecided: u64,
    passed: u64,
}

impl Verdicts {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Fail => self.failed += 1,
            Verdict::Indeterminate => self.undecided += 1,
            Verdict::Pass => self.passed += 1,
        }
    }
}

/// An answer, and of which earlier state it is.
#[derive(Serialize)]
pub(super) struct Dated<'a, T> {
    #[serde(flatten)]
    answer: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<u64>,
}

impl<'a, T> Dated<'a, T> {
    pub(super) fn of(bench: &Workbench, answer: &'a T) -> Self {
        Dated {
            answer,
            as_of: bench.looking_at(),
        }
    }
}

/// Says which earlier state an answer is of.
pub(super) fn look_back_line(bench: &Workbench, out: &Output) -> Result<(), Failure> {
    match bench.looking_at() {
        Some(sync) => out.line(format!(
            "The facts are those after sync {sync}; the plan, rules and decisions are those of now."
        )),
        None => Ok(()),
    }
}

pub(super) fn status(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Pass => ExitCode::SUCCESS,
        Verdict::Fail | Verdict::Indeterminate => ExitCode::from(1),
    }
}

/// A name with its system; the id where there is no other name.
fn called(names: &BTreeMap<String, String>, kind: ItemKind, system: &str, id: &str) -> String {
    match names.get(&format!("{} {system}:{id}", kind.word())) {
        Some(name) => format!("{system}:{name}"),
        None => format!("{system}:{id}"),
    }
}

/// Of how many items the path is printed.
const PATHS: usize = 20;

/// How one item is reached, what lets it be reached, and what would close it.
fn show_path(
    number: u32,
    item: &ResidualItem,
    names: &BTreeMap<String, String>,
    out: &Output,
) -> Result<(), Failure> {
    let path = |links: &[Link]| -> String {
        let links = links.iter();
        let links = links.map(|link| called(names, link.kind, &link.system, &link.id));
        links.collect::<Vec<_>>().join(" -> ")
    };
    out.line(format!("  {number}. {}", path(&item.links)))?;
    if !item.known_through.is_empty() {
        out.line(format!("     known through {}", path(&item.known_through)))?;
    }
    if item.closes_at > item.limit_at {
        let limit = moment(&item.limit_at.to_text());
        let closes = item
            .would_close
            .as_deref()
            .unwrap_or("nothing that a plan can say");
        out.line(format!(
            "     limit {limit} ({}); would close it: {closes}",
            item.limit_source
        ))?;
    }
    Ok(())
}

/// How much would outlive its limit, in words.
pub(super) fn outlives(verdict: Verdict, late: u64, never: u64) -> String {
    match (late, never) {
        (0, 0) if verdict == Verdict::Indeterminate => {
            "nothing that is known would outlive its limit".to_owned()
        }
        (0, 0) => "nothing would outlive its limit".to_owned(),
        (late, never) => format!(
            "{} would outlive {} limit; {} of them never {}",
            of_these(late, "item", "items"),
            if late == 1 { "its" } else { "their" },
            counted(never),
            if never == 1 { "closes" } else { "close" }
        ),
    }
}

pub(super) fn show(view: &RehearsalView, out: &Output) -> Result<(), Failure> {
    let (rehearsal, names) = (&view.rehearsal, &view.names);
    let answer = outlives(rehearsal.verdict, view.late, view.never);
    out.line(format!(
        "{}. {answer}. ({} of {}{} at {})",
        rehearsal.verdict.word(),
        rehearsal.event.word(),
        rehearsal.identity,
        (view.display_name.iter().map(|name| format!(", {name},"))).collect::<String>(),
        moment(&lastkey_contract::when::rfc3339(rehearsal.at))
    ))?;
    if view.left_already {
        out.line(format!(
            "remark: {} has left already; this plays a new leaving and says nothing of what has been \
             open since: `lastkey reach` shows what is open now",
            rehearsal.identity
        ))?;
    }
    show_items(rehearsal, names, out)?;
    let open = |doubt: &str| {
        rehearsal
            .missing_facts
            .iter()
            .any(|one| one.contains(doubt))
    };
    if open("could be one person with") {
        out.line(
            "decide who is one person: `lastkey link same A B --why …` or `lastkey link apart A B --why …`",
        )?;
    }
    if open("` could be of `") || open("nothing says whose it is") {
        out.line("decide whose an account is: `lastkey link ACCOUNT IDENTITY --why …`")?;
    }
    out.line("A simulation: nothing outside was touched.")
}

/// What stays open and how it is reached, what breaks, and what is not known.
pub(super) fn show_items(
    rehearsal: &Rehearsal,
    names: &BTreeMap<String, String>,
    out: &Output,
) -> Result<(), Failure> {
    let mut items: Vec<_> = rehearsal.residual.iter().collect();
    items.sort_by(|a, b| {
        (b.severity, b.closes_at, a.kind, &a.system, &a.id).cmp(&(
            a.severity,
            a.closes_at,
            b.kind,
            &b.system,
            &b.id,
        ))
    });
    let cells: Vec<Vec<String>> = (1u32..)
        .zip(&items)
        .map(|(number, item)| {
            vec![
                number.to_string(),
                moment(&item.closes_at.to_text()),
                item.severity.word().to_owned(),
                item.kind.word().to_owned(),
                called(names, item.kind, &item.system, &item.id),
                item.on_account
                    .as_deref()
                    .and_then(|account| account.split_once(':'))
                    .map(|(system, id)| called(names, ItemKind::Account, system, id))
                    .unwrap_or_default(),
                item.basis.word().to_owned(),
                item.reason.clone(),
            ]
        })
        .collect();
    if !cells.is_empty() {
        let header = [
            "#",
            "closes",
            "severity",
            "kind",
            "item",
            "on account",
            "basis",
            "why",
        ];
        for line in table(&header, &cells) {
            out.line(line)?;
        }
    }
    for (number, item) in (1u32..).zip(&items).take(PATHS) {
        show_path(number, item, names, out)?;
    }
    if items.len() > PATHS {
        out.line(format!(
            "  the paths of {} more: --json",
            of_these(
                u64::try_from(items.len() - PATHS).unwrap_or(u64::MAX),
                "item",
                "items"
            )
        ))?;
    }
    if !rehearsal.breaks.is_empty() {
        out.line("what breaks:")?;
        for broken in &rehearsal.breaks {
            out.line(format!(
                "  {}: {}; {}",
                broken.certainty.word(),
                broken.what,
                broken.depends_on
            ))?;
        }
    }
    for missing in &rehearsal.missing_facts {
        out.line(format!("not known: {missing}"))?;
    }
    Ok(())
}

pub async fn reach(global: &Global, args: Reach, out: &Output) -> Result<ExitCode, Failure> {
    let at = args
        .at
        .as_deref()
        .map(|text| moment_of("--at", text))
        .transpose()?;
    let of = match (args.of.identity, args.of.credential) {
        (Some(id), None) => ReachOf::Identity(id),
        (None, Some(text)) => {
            let (system, id) = text.split_once(':').ok_or_else(|| {
                Failure::bad_input(format!("`{text}` is not SYSTEM:ID"))
                    .hint("see `lastkey credentials` for systems and ids")
            })?;
            ReachOf::Credential {
                system: system.to_owned(),
                id: id.to_owned(),
            }
        }
        _ => return Err(Failure::bad_input("give one of --identity or --credential")),
    };
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let bench = bench.look_back(args.as_of.as_deref()).await?;
    let radius = bench.reach(&of, at).await?;
    if out.json {
        out.document(&Dated::of(&bench, &radius))?;
    } else {
        let as_far = match radius.unread.is_empty() {
            true => "",
            false => ", as far as was read",
        };
        out.line(format!(
            "{} reaches {} at {}{as_far}",
            radius.from,
            of_these(
                u64::try_from(radius.items.len()).unwrap_or(u64::MAX),
                "thing",
                "things"
            ),
            moment(&lastkey_contract::when::rfc3339(radius.at))
        ))?;
        if let Some(gone) = &radius.gone {
            let stayed = match radius.items.is_empty() {
                true => "no account that can be told stayed with them",
                false => "this is what the accounts that stayed with them reach",
            };
            out.line(format!("{}; {stayed}", since_when(gone)))?;
        }
        for account in &radius.maybe_accounts {
            out.line(format!(
                "not known: account {account} could be theirs as well as another's"
            ))?;
        }
        for fact in &radius.in_doubt {
            out.line(format!("not known: {fact}"))?;
        }
        for fact in &radius.unread {
            out.line(format!("not known: {fact}"))?;
        }
        for item in &radius.items {
            out.line(format!("  {}", reached(item)))?;
        }
        look_back_line(&bench, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Who somebody was whom no source lists now, and since when.
fn since_when(gone: &Gone) -> String {
    let who = gone.display_name.as_deref().unwrap_or("this identity");
    let day = |text: &Option<String>| text.as_deref().map(moment);
    let since = match (day(&gone.earliest), day(&gone.latest)) {
        (Some(earliest), Some(latest)) => format!(", and left it between {earliest} and {latest}"),
        (None, Some(latest)) => format!(", and left it by {latest}"),
        (_, None) => String::new(),
    };
    let end = gone.end_date.as_deref();
    let end = end.map(|end| format!("; the end date there was {end}"));
    format!(
        "{who} is in no source now{since}{}",
        end.unwrap_or_default()
    )
}

/// A reached thing with its path, link by link with what leads on, and what is known of it.
fn reached(item: &ReachItem) -> String {
    let mut text = String::new();
    for link in &item.links {
        let on = link.on_account.as_ref().map(|on| format!(" on {on}"));
        let thing = format!(
            "{} {}:{}{}",
            link.kind.word(),
            link.system,
            link.id,
            on.unwrap_or_default()
        );
        let means = match link.by.as_str() {
            // The words of a control line are a means, and no sentence.
            by if by.contains('_') => format!("by {by}"),
            by => by.to_owned(),
        };
        let (arrow, means) = match text.is_empty() {
            true => ("", format!("{means}: ")),
            false => (" -> ", format!("{means} ")),
        };
        text.push_str(&format!("{arrow}{means}{thing}"));
    }
    let mut known: Vec<String> = Vec::new();
    known.extend(item.identity.as_ref().map(|of| format!("of {of}")));
    known.extend((item.privileged == Some(true)).then(|| "privileged".to_owned()));
    known.extend(item.environment.clone());
    known.extend((item.valid == Some(false)).then(|| "not valid".to_owned()));
    match known.is_empty() {
        true => text,
        false => format!("{text} ({})", known.join(", ")),
    }
}
