//! `source`, `sync`, `import`.

use super::scripts::{Which, script};
use super::series::{left_incomplete, rosters_left};
use super::{assertions, counted, open, survey};
use crate::args::{Global, Import, Source};
use crate::output::{Output, moment, table};
use chrono::TimeDelta;
use lastkey_contract::Kind;
use lastkey_engine::collect::{OWN_SETTINGS, Rules, age_words};
use lastkey_engine::views::{CheckView, NewSource, SourceRow, SyncReport};
use lastkey_workbench::{
    Consent, Failure, ImportRequest, Stop, SyncHow, WhenMissing, check_new_source,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

pub async fn source(global: &Global, source: Source, out: &Output) -> Result<ExitCode, Failure> {
    match source {
        Source::Add {
            kind,
            name,
            set,
            secret_file,
        } => {
            let settings = settings(&set)?;
            let secret = secret_file.as_deref().map(read_secret).transpose()?;
            let new = NewSource {
                kind,
                name,
                settings,
                secret,
            };
            // Wrong use makes no store.
            check_new_source(&new)?;
            let bench = open(global, WhenMissing::Create, out).await?;
            let row = bench.add_source(new).await?;
            if out.json {
                out.document(&row)?;
            } else {
                out.line(format!(
                    "added {} ({}); read it with: lastkey sync {}",
                    row.name, row.kind_title, row.name
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Source::List { removed: true } => super::removing::list(global, out).await,
        Source::List { removed: false } => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let rows = bench.sources().await?;
            if out.json {
                out.document(&rows)?;
                return Ok(ExitCode::SUCCESS);
            }
            if rows.is_empty() {
                out.line("no source yet: add one with `lastkey source add` or `lastkey import`")?;
                return Ok(ExitCode::SUCCESS);
            }
            let cells: Vec<Vec<String>> = rows.iter().map(list_row).collect();
            let header = [
                "source",
                "kind",
                "state",
                "reported",
                "last complete read",
                "age",
                "rights",
                "",
            ];
            for line in table(&header, &cells) {
                out.line(line)?;
            }
            for row in &rows {
                if let Some(said) = left_incomplete(&row.name, &row.left_incomplete) {
                    out.line(said)?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Source::Kinds => {
            let kinds = lastkey_workbench::source_kinds();
            if out.json {
                out.document(&kinds)?;
                return Ok(ExitCode::SUCCESS);
            }
            for kind in kinds {
                out.line(format!("{}: {}", kind.kind, kind.summary))?;
                let of_kind = kind.settings.iter().filter(|s| !Rules::owns(&s.key));
                for setting in of_kind {
                    let mut need = Vec::new();
                    if setting.required {
                        need.push("required".to_owned());
                    }
                    let with = setting.only_with.iter();
                    let with: Vec<String> =
                        with.map(|o| format!("{}={}", o.key, o.value)).collect();
                    if !with.is_empty() {
                        need.push(format!("with {}", with.join(" or ")));
                    }
                    if !setting.choices.is_empty() {
                        need.push(format!("one of {}", setting.choices.join(", ")));
                    }
                    let need = match need.is_empty() {
                        true => String::new(),
                        false => format!(" ({})", need.join(" ")),
                    };
                    out.line(format!("  {}{need}: {}", setting.key, setting.help))?;
                }
                if kind.secret != "none" {
                    out.line(format!("  secret ({}): {}", kind.secret, kind.secret_label))?;
                }
            }
            out.line("every source:")?;
            for setting in &OWN_SETTINGS {
                out.line(format!("  {}: {}", setting.key, setting.help))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Source::Script {
            kind,
            set,
            only,
            to,
        } => {
            let which = match (only, to) {
                (Some(name), _) => Which::Only(name),
                (None, Some(folder)) => Which::Into(folder),
                (None, None) => Which::All,
            };
            script(&kind, settings(&set)?, which, out)
        }
        Source::Check { name } => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let check = bench.check_source(&name).await?;
            if out.json {
                out.document(&check)?;
            } else {
                show_check(&name, &check, out)?;
            }
            Ok(
                if check.missing_rights.is_empty()
                    && check.excess_rights.is_empty()
                    && check.warnings.is_empty()
                {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::from(1)
                },
            )
        }
        Source::Fingerprints {
            name,
            state,
            secret_file,
        } => {
            let secret = secret_file.as_deref().map(read_secret).transpose()?;
            let consent = match state.as_str() {
                "on" => Consent::Given,
                _ => Consent::TakenBack,
            };
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let row = bench.set_fingerprints(&name, consent, secret).await?;
            if out.json {
                out.document(&row)?;
            } else {
                out.line(match consent {
                    Consent::Given => format!(
                        "fingerprints of {name} are on: the next sync reads each value, keeps a keyed fingerprint of it and nothing else"
                    ),
                    Consent::TakenBack => format!(
                        "fingerprints of {name} are off: the next sync takes those that were made away"
                    ),
                })?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Source::Retire { name } => super::removing::retire(global, &name, out).await,
        Source::Remove { name, retired } => {
            super::removing::remove(global, &name, retired, out).await
        }
    }
}

pub async fn sync(
    global: &Global,
    names: Vec<String>,
    how: SyncHow,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let mut wanted = names;
    if wanted.is_empty() {
        let rows = bench.sources().await?;
        if rows.is_empty() {
            return Err(Failure::not_possible("there is no source to read")
                .hint("add one with `lastkey source add` or `lastkey import`"));
        }
        wanted = rows.into_iter().map(|row| row.name).collect();
    }
    let mut named = BTreeSet::new();
    wanted.retain(|name| named.insert(name.clone()));
    let stop = stop_on_interrupt();
    let wanted: Vec<(String, Stop)> = wanted.into_iter().map(|n| (n, stop.clone())).collect();
    let outcomes = bench
        .sync_many(&wanted, how, &out.teller(), &|_| {})
        .await?;
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome.result {
            Ok(report) => reports.push(report),
            Err(failure) => failures.push((outcome.source, failure)),
        }
    }
    let mut status = tell(&reports, out)?;
    // One source alone fails as its command does; of several each says its name.
    let alone = wanted.len() == 1;
    for (source, failure) in failures {
        let named = Failure {
            message: if alone {
                failure.message
            } else {
                format!("{source}: {}", failure.message)
            },
            ..failure
        };
        status = status.max(named.kind.exit_status());
        out.failure(&named);
    }
    status = status.max(assertions::after_sync(&bench, &stop, out).await);
    status = status.max(survey::after_sync(&bench, &stop, out).await);
    Ok(ExitCode::from(status))
}

pub async fn import(global: &Global, import: Import, out: &Output) -> Result<ExitCode, Failure> {
    let mut settings = settings(&import.set)?;
    if let Some(recipe) = import.recipe {
        settings.insert("recipe".to_owned(), recipe);
    }
    let name = import.name.clone();
    let request = ImportRequest {
        path: import.path,
        name: import.name,
        file: import.file,
        map: import.map,
        settings,
        series: import.series,
    };
    let bench = match request.validate() {
        Ok(()) => open(global, WhenMissing::Create, out).await?,
        // Nothing is made for what only a source that is there could make right.
        Err(wrong) if !(request.could_go_on() && super::store_is_there(global)?) => {
            return Err(wrong);
        }
        Err(_) => open(global, WhenMissing::Refuse, out).await?,
    };
    let stop = stop_on_interrupt();
    let imported = bench.import(request, &out.teller(), &stop).await?;
    if imported.goes_on {
        out.important(format!(
            "`{name}` is a series of dated rosters and goes on as one, as with --series"
        ));
    }
    let status = tell(&imported.reports, out)?;
    if !out.json {
        let reread = match imported.known.as_slice() {
            [] => None,
            [one] => Some(format!("{one} was read before and is as it was")),
            [first, .., last] => Some(format!(
                "{} rosters, {first} to {last}, were read before and are as they were",
                imported.known.len()
            )),
        };
        reread.map_or(Ok(()), |line| out.line(line))?;
    }
    // What a word said now would make whole, later rosters have overtaken: its own hint misleads.
    let days = bench.rosters_left_incomplete(&name).await?;
    if let Some(said) = left_incomplete(&name, &days) {
        out.important(said);
    }
    if let Some(said) = rosters_left(&imported.left) {
        out.important(said);
    }
    let status = status.max(assertions::after_sync(&bench, &stop, out).await);
    let status = status.max(survey::after_sync(&bench, &stop, out).await);
    Ok(ExitCode::from(status))
}

fn tell(reports: &[SyncReport], out: &Output) -> Result<u8, Failure> {
    if out.json {
        for report in reports {
            out.document(report)?;
        }
    } else {
        totals(reports, out)?;
    }
    Ok(verdict(reports))
}

/// 0 where all is complete, 1 where a read has gaps, 3 where one failed or was stopped, 4 where
/// its secret could not be had.
pub(super) fn verdict(reports: &[SyncReport]) -> u8 {
    let of = |report: &SyncReport| match (report.state.as_str(), &report.failure) {
        ("complete", _) => 0,
        ("incomplete", _) => 1,
        (_, Some(failure)) if failure.kind == "key" => 4,
        _ => 3,
    };
    reports.iter().map(of).max().unwrap_or(0)
}

pub(super) fn totals(reports: &[SyncReport], out: &Output) -> Result<(), Failure> {
    // Reads of one source differ by the moments that they show.
    let dated = reports.iter().any(|one| {
        reports
            .iter()
            .filter(|two| two.source == one.source)
            .count()
            > 1
    });
    let mut cells = Vec::new();
    for report in reports {
        for kind in &report.kinds {
            let t = kind.totals;
            let numbers = [
                t.reported,
                t.received,
                t.stored,
                t.unchanged,
                t.skipped,
                t.failed,
                t.removed,
            ];
            let mut row = vec![report.source.clone(), kind.kind.clone()];
            if dated {
                row.push(moment(&report.read_at));
            }
            row.extend(numbers.map(counted));
            let word = if kind.complete {
                "complete"
            } else {
                "incomplete"
            };
            row.push(match kind.mode.as_str() {
                "incremental" => format!("{word}, what changed"),
                _ => word.to_owned(),
            });
            cells.push(row);
        }
    }
    let mut header = vec![
        "source",
        "kind",
        "reported",
        "received",
        "stored",
        "unchanged",
        "skipped",
        "failed",
        "removed",
        "read",
    ];
    if dated {
        header.insert(2, "shows");
    }
    if !cells.is_empty() {
        for line in table(&header, &cells) {
            out.line(line)?;
        }
    }
    for report in reports {
        for kind in report.kinds.iter().filter(|kind| !kind.complete) {
            for gap in &kind.gaps {
                out.line(format!("{}: {}: {gap}", report.source, kind.kind))?;
            }
        }
        let held: Vec<u64> = (report.kinds.iter())
            .filter_map(|kind| kind.held.map(|held| held.would_remove))
            .collect();
        if !held.is_empty() {
            let so = match held.iter().any(|would_remove| *would_remove > 0) {
                true => "that is right",
                false => "it is whole",
            };
            out.line(format!(
                "{0}: if {so}, accept it: lastkey sync {0} --accept-removals",
                report.source
            ))?;
        }
        if report.resumed {
            out.line(format!(
                "{}: this went on with a read of {} that was cut off",
                report.source,
                moment(&report.started_at)
            ))?;
        }
        if let Some(why) = &report.anew {
            out.line(format!(
                "{}: a read that was cut off was begun anew: {why}",
                report.source
            ))?;
        }
        // Of a dated series only the last read says how old the source is now.
        let newest = reports.iter().rfind(|other| other.source == report.source);
        let last = newest.is_some_and(|other| other.sync == report.sync);
        if let Some(at) = report
            .complete_at
            .as_deref()
            .filter(|_| last && report.freshness == "stale")
        {
            // A leaver's verdict rests on what was read of systems; a vendor's exit on the roster, too.
            let only_people = report
                .kinds
                .iter()
                .all(|kind| kind.kind == Kind::Identity.word());
            let claims = match only_people {
                true => {
                    "vendor exits are indeterminate, and whose an account is goes by who was listed then"
                }
                false => "claims that rest on it are indeterminate",
            };
            out.line(format!(
                "{}: stale: its last complete read shows {}; {claims}",
                report.source,
                moment(at)
            ))?;
        }
        for warning in report.check.iter().flat_map(|check| &check.warnings) {
            out.line(format!("{}: warning: {warning}", report.source))?;
        }
        for right in report.check.iter().flat_map(|check| &check.missing_rights) {
            out.line(format!(
                "{}: missing right {}: {}",
                report.source, right.name, right.why
            ))?;
        }
        for right in report.check.iter().flat_map(|check| &check.excess_rights) {
            out.line(format!(
                "{}: right in excess {}: {}",
                report.source, right.name, right.why
            ))?;
        }
        if let Some(failure) = &report.failure {
            out.important(format!("error: {}: {}", report.source, failure.message));
            if let Some(hint) = &failure.hint {
                out.important(format!("hint: {hint}"));
            }
        }
    }
    Ok(())
}

fn list_row(row: &SourceRow) -> Vec<String> {
    let age = |seconds: u64| {
        let age = TimeDelta::try_seconds(seconds.try_into().unwrap_or(i64::MAX));
        let words = age_words(age.unwrap_or(TimeDelta::MAX));
        match row.freshness.as_str() {
            "stale" => format!("{words}, stale"),
            _ => words,
        }
    };
    vec![
        row.name.clone(),
        row.kind.clone(),
        row.state.clone(),
        row.totals
            .map_or_else(|| "not known".to_owned(), |t| counted(t.reported)),
        row.last_complete_at
            .as_deref()
            .map_or_else(|| "never".to_owned(), moment),
        row.age_seconds.map(age).unwrap_or_default(),
        row.check
            .as_ref()
            .map_or_else(|| "not checked".to_owned(), rights),
        row.message.clone().unwrap_or_default(),
    ]
}

/// What a check found, in a few words.
fn rights(check: &CheckView) -> String {
    let mut words = Vec::new();
    if !check.missing_rights.is_empty() {
        words.push(format!("{} missing", check.missing_rights.len()));
    }
    if !check.excess_rights.is_empty() {
        words.push(format!("{} in excess", check.excess_rights.len()));
    }
    match (words.is_empty(), check.rights_known) {
        (false, _) => words.join(", "),
        (true, true) => "as needed".to_owned(),
        (true, false) => "not told".to_owned(),
    }
}

fn show_check(name: &str, check: &CheckView, out: &Output) -> Result<(), Failure> {
    out.line(format!(
        "{name}: signed in as {}{}",
        check
            .signed_in_as
            .as_deref()
            .unwrap_or("nobody (no sign-in needed)"),
        check
            .server
            .as_deref()
            .map(|server| format!(", {server}"))
            .unwrap_or_default()
    ))?;
    for right in &check.missing_rights {
        out.line(format!("missing right {}: {}", right.name, right.why))?;
    }
    for right in &check.excess_rights {
        out.line(format!("right in excess {}: {}", right.name, right.why))?;
    }
    if !check.rights_known {
        out.line("rights: this system does not tell its clients what they may do")?;
    }
    for warning in &check.warnings {
        out.line(format!("warning: {warning}"))?;
    }
    for remark in &check.remarks {
        out.line(remark)?;
    }
    Ok(())
}

fn settings(set: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut settings = BTreeMap::new();
    for pair in set {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Failure::bad_input(format!("`{pair}` is not KEY=VALUE"))
                .hint("write --set key=value, once for each setting")
        })?;
        if settings.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Failure::bad_input(format!("`{key}` is set twice")));
        }
    }
    Ok(settings)
}

pub(super) fn read_secret(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::not_possible(format!(
            "the secret file `{}` cannot be read: {error}",
            path.display()
        ))
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(Failure::bad_input(format!(
            "the secret file `{}` is empty",
            path.display()
        )));
    }
    Ok(text)
}

/// Ctrl-C ends the read cleanly: what was read stays, nothing is claimed.
pub(super) fn stop_on_interrupt() -> Stop {
    let stop = Stop::default();
    let heard = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            heard.stop();
        }
    });
    stop
}
