//! `lastkey secrets`: lists in windows, and single secrets with all that is known of them.

use super::rehearse::look_back_line;
use super::{counted, of_these, open};
use crate::args::Global;
use crate::output::{Output, moment, table};
use crate::secret_args::{List, SecretCommand, Secrets};
use lastkey_engine::locations::{
    PlaceKinds, PlaceReader, SecretAccount, SecretOwner, SecretPlace, SecretRow, SecretWay,
};
use lastkey_engine::views::{ListQuery, RowWindow};
use lastkey_workbench::{Failure, SecretShown, SecretsOf, WhenMissing, Workbench};
use serde_json::json;
use std::process::ExitCode;

/// A table for people ends after so many rows.
const SHOWN: u32 = 100;
/// Lists are read by so many.
const WINDOW: u32 = 1_000;

const COLUMNS: [&str; 21] = [
    "key",
    "name",
    "kind",
    "system",
    "opens",
    "owner",
    "since",
    "rotated_at",
    "last_used_at",
    "expires_at",
    "vault",
    "ci",
    "cluster",
    "file",
    "code",
    "other",
    "suspected",
    "readers",
    "readers_left",
    "readers_whole",
    "way",
];

const PLACE_COLUMNS: [&str; 13] = [
    "key",
    "secret",
    "system",
    "path",
    "field",
    "kind",
    "environment",
    "since",
    "how",
    "elsewhere",
    "suspected_elsewhere",
    "readers",
    "readers_left",
];

pub async fn secrets(global: &Global, args: Secrets, out: &Output) -> Result<ExitCode, Failure> {
    match args.command {
        Some(SecretCommand::Show {
            keys,
            identity,
            as_of,
        }) => {
            let bench = open(global, WhenMissing::Refuse, out).await?;
            let bench = bench.look_back(as_of.as_deref()).await?;
            for key in &keys {
                show(&bench, key, identity.as_deref(), out).await?;
            }
            if !out.json {
                look_back_line(&bench, out)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        None => list(global, args.list, out).await,
    }
}

async fn list(global: &Global, args: List, out: &Output) -> Result<ExitCode, Failure> {
    if args.csv && out.json {
        return Err(Failure::bad_input("--csv and --json exclude each other"));
    }
    let bench = open(global, WhenMissing::Refuse, out).await?;
    let bench = bench.look_back(args.as_of.as_deref()).await?;
    let mut filters = args.filters;
    if args.duplicates {
        filters.push("copies=yes".to_owned());
    }
    let whole = out.json || args.csv;
    let mut query = ListQuery {
        search: args.search.unwrap_or_default(),
        filters,
        sort: args.sort.unwrap_or_default(),
        descending: args.descending,
        offset: 0,
        limit: if whole { WINDOW } else { SHOWN },
    };
    let identity = args.identity.as_deref();
    if args.by_place {
        return by_place(&bench, &mut query, (identity, args.csv), out).await;
    }
    if args.csv {
        out.csv_row(COLUMNS.into_iter())?;
    }
    loop {
        let view = bench.secrets(&query, identity).await?;
        let rows = &view.window.rows;
        match (out.json, args.csv) {
            (true, _) => out.documents(rows)?,
            (false, true) => out.csv_rows(rows.iter().map(csv_cells).collect::<Vec<_>>().iter())?,
            (false, false) => {
                return end(&bench, &query, (&view.window, view.of.as_ref()), out).await;
            }
        }
        query.offset += u64::from(query.limit);
        if query.offset >= view.window.matching {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// The table for people, and what it rests on.
async fn end(
    bench: &Workbench,
    query: &ListQuery,
    (window, of): (&RowWindow<SecretRow>, Option<&SecretsOf>),
    out: &Output,
) -> Result<ExitCode, Failure> {
    if let Some(of) = of {
        out.line(format!(
            "{} could read {} of {}{}",
            who(&of.identity, of.display_name.as_deref()),
            of_these(window.matching, "secret", "secrets"),
            counted(window.total),
            match (of.left, of.closed) {
                (true, true) => "; they left, and every account of theirs is closed",
                (true, false) => "; they left",
                (false, true) => "; every account of theirs is closed",
                (false, false) => "",
            }
        ))?;
    }
    if window.total == 0 {
        out.line("no secret yet: no source has brought a credential or a place")?;
    } else if window.matching == 0 && of.is_none() {
        out.line(format!(
            "none of {} is one of these",
            of_these(window.total, "secret", "secrets")
        ))?;
    } else if window.matching > 0 {
        let header = [
            "secret", "opens", "set", "vault", "ci", "cluster", "file", "readers", "left", "id",
        ];
        let rows: Vec<Vec<String>> = window.rows.iter().map(cells).collect();
        table(&header, &rows)
            .iter()
            .try_for_each(|line| out.line(line))?;
        let more = window.matching.saturating_sub(u64::from(query.limit));
        if more > 0 {
            out.line(format!("{} more; --csv writes all of them", counted(more)))?;
        }
        out.line("1+2? stands at one place for certain, and at two more by its name alone")?;
    }
    for line in of.iter().flat_map(|of| &of.unread) {
        out.line(format!("there may be more: {line}"))?;
    }
    let summary = bench.secrets_summary().await?;
    out.line(format!(
        "{} of {} have a fingerprint; the others can only be compared by name",
        counted(summary.compared),
        of_these(summary.values, "value at a place", "values at places"),
    ))?;
    look_back_line(bench, out)?;
    Ok(ExitCode::SUCCESS)
}

fn who(id: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if name != id => format!("{name} ({id})"),
        Some(_) | None => format!("`{id}`"),
    }
}

/// `1`, `1+2?`, `2?` or nothing.
fn standing(certain: u64, suspected: u64) -> String {
    match (certain, suspected) {
        (0, 0) => String::new(),
        (certain, 0) => counted(certain),
        (0, suspected) => format!("{}?", counted(suspected)),
        (certain, suspected) => format!("{}+{}?", counted(certain), counted(suspected)),
    }
}

fn account(one: &SecretAccount) -> String {
    let id = format!("{}:{}", one.system, one.id);
    match &one.name {
        Some(name) if *name != one.id => format!("{name} ({id})"),
        Some(_) | None => id,
    }
}

fn opens(row: &SecretRow) -> String {
    let first = row.opens.first().map(account).unwrap_or_default();
    match row.opens_count {
        0 | 1 => first,
        many => format!("{first} and {} more", counted(many - 1)),
    }
}

/// The day of a time.
fn day(at: Option<&String>) -> String {
    let day = at.and_then(|at| at.split_once('T'));
    day.map_or("not known", |(day, _)| day).to_owned()
}

fn cells(row: &SecretRow) -> Vec<String> {
    let (here, maybe) = (row.places, row.suspected);
    let (
        PlaceKinds {
            file, code, other, ..
        },
        beside,
    ) = (here, maybe);
    vec![
        row.name.clone(),
        opens(row),
        day(row.since.as_ref()),
        standing(here.vault, maybe.vault),
        standing(here.ci, maybe.ci),
        standing(here.cluster, maybe.cluster),
        standing(
            file + code + other,
            beside.file + beside.code + beside.other,
        ),
        match row.readers_whole {
            true => counted(row.readers),
            false => format!("{} or more", counted(row.readers)),
        },
        counted(row.readers_left),
        row.key.clone(),
    ]
}

fn owner_words(owner: &SecretOwner) -> String {
    let left = if owner.left { ", left" } else { "" };
    let who = who(&owner.id, owner.name.as_deref());
    format!("{who}, {}{left}", owner.role)
}

fn csv_cells(row: &SecretRow) -> Vec<String> {
    let kinds = [
        row.places.vault,
        row.places.ci,
        row.places.cluster,
        row.places.file,
        row.places.code,
        row.places.other,
        row.suspected_count,
        row.readers,
        row.readers_left,
    ];
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let ids = row
        .opens
        .iter()
        .map(|one| format!("{}:{}", one.system, one.id));
    let mut cells = vec![
        row.key.clone(),
        row.name.clone(),
        text(&row.kind),
        row.system.clone(),
        ids.collect::<Vec<_>>().join(" "),
        row.owner.as_ref().map(owner_words).unwrap_or_default(),
        text(&row.since),
        text(&row.rotated_at),
        text(&row.last_used_at),
        text(&row.expires_at),
    ];
    cells.extend(kinds.iter().map(u64::to_string));
    cells.push(row.readers_whole.to_string());
    cells.push(row.way.as_ref().map(way_words).unwrap_or_default());
    cells
}

fn way_words(way: &SecretWay) -> String {
    let how = match (way.certain, way.now) {
        (true, true) => "now",
        (true, false) => "until the accounts were closed",
        (false, true) => "now, if it is the same secret",
        (false, false) => "until the accounts were closed, if it is the same secret",
    };
    format!("{how}: {}", way.path.join(" -> "))
}

async fn by_place(
    bench: &Workbench,
    query: &mut ListQuery,
    (identity, csv): (Option<&str>, bool),
    out: &Output,
) -> Result<ExitCode, Failure> {
    if csv {
        out.csv_row(PLACE_COLUMNS.into_iter())?;
    }
    loop {
        let window = bench.secret_places(query, identity).await?;
        match (out.json, csv) {
            (true, _) => out.documents(&window.rows)?,
            (false, true) => {
                let rows: Vec<Vec<String>> = window.rows.iter().map(place_csv).collect();
                out.csv_rows(rows.iter())?;
            }
            (false, false) => {
                let header = [
                    "place",
                    "kind",
                    "set",
                    "also at",
                    "suspected at",
                    "readers",
                    "left",
                    "how known",
                ];
                let rows: Vec<Vec<String>> = window.rows.iter().map(place_cells).collect();
                match window.matching {
                    0 => out.line("no place is one of these")?,
                    _ => table(&header, &rows)
                        .iter()
                        .try_for_each(|line| out.line(line))?,
                }
                let more = window.matching.saturating_sub(u64::from(query.limit));
                if more > 0 {
                    out.line(format!("{} more; --csv writes all of them", counted(more)))?;
                }
                look_back_line(bench, out)?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        query.offset += u64::from(query.limit);
        if query.offset >= window.matching {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn place_name(place: &SecretPlace) -> String {
    let key = place.key.strip_prefix("location:");
    key.unwrap_or(&place.key).to_owned()
}

fn readers_words(place: &SecretPlace) -> String {
    match place.unread.is_empty() {
        true => counted(place.readers),
        false => format!("{} or more", counted(place.readers)),
    }
}

fn place_cells(place: &SecretPlace) -> Vec<String> {
    vec![
        place_name(place),
        place.kind.clone().unwrap_or_else(|| "not known".to_owned()),
        day(place.since.as_ref()),
        counted(place.elsewhere),
        counted(place.suspected_elsewhere),
        readers_words(place),
        counted(place.readers_left),
        place.how_words.clone(),
    ]
}

fn place_csv(place: &SecretPlace) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        place.key.clone(),
        place.secret.clone(),
        place.system.clone(),
        place.path.clone(),
        text(&place.field),
        text(&place.kind),
        text(&place.environment),
        text(&place.since),
        place.how.clone(),
        place.elsewhere.to_string(),
        place.suspected_elsewhere.to_string(),
        place.readers.to_string(),
        place.readers_left.to_string(),
    ]
}

async fn show(
    bench: &Workbench,
    key: &str,
    identity: Option<&str>,
    out: &Output,
) -> Result<(), Failure> {
    let SecretShown { detail, of } = bench.secret(key, identity).await?;
    let first = ListQuery {
        search: String::new(),
        filters: Vec::new(),
        sort: String::new(),
        descending: false,
        offset: 0,
        limit: SHOWN,
    };
    // A place of its own each: who reads a copy that is only suspected may know another value.
    let mut readers: Vec<(&SecretPlace, RowWindow<PlaceReader>)> = Vec::new();
    for place in detail.places.iter().chain(&detail.suspected) {
        let met = readers
            .iter()
            .any(|(other, _)| (&other.system, &other.path) == (&place.system, &place.path));
        if !met {
            readers.push((place, bench.secret_readers(&place.key, &first).await?));
        }
    }
    if out.json {
        let readers: Vec<_> = readers
            .iter()
            .map(|(place, window)| {
                json!({
                    "system": place.system,
                    "path": place.path,
                    "certain": place.certain,
                    "readers": window.rows,
                    "count": window.matching,
                    "unread": place.unread,
                })
            })
            .collect();
        return out.document(&json!({ "secret": detail, "readers": readers, "of": of }));
    }
    let row = &detail.row;
    let kind = row.kind.as_deref().map(|kind| kind.replace('_', " "));
    out.line(format!(
        "{}: {} of {}",
        row.key,
        kind.as_deref()
            .unwrap_or("a value of which no credential is known"),
        row.system
    ))?;
    out.line(format!("name        {}", row.name))?;
    for one in &detail.opens {
        let who_has = one.identity.as_deref();
        let whose = who_has.map(|id| format!(", of {}", who(id, one.identity_name.as_deref())));
        let word = if one.certain { "opens   " } else { "may open" };
        out.line(format!(
            "{word}    {}{}{}",
            account(one),
            whose.unwrap_or_default(),
            if one.works { "" } else { ", which is closed" }
        ))?;
    }
    for owner in &detail.owners {
        out.line(format!(
            "owner       {} of {}",
            owner_words(owner),
            owner.object
        ))?;
    }
    let time = |at: &Option<String>| at.as_deref().map_or("not known".to_owned(), moment);
    out.line(format!(
        "times       set {}, rotated {}, last used {}, expires {}",
        time(&row.since),
        time(&row.rotated_at),
        time(&row.last_used_at),
        time(&row.expires_at)
    ))?;
    out.line("value       not stored, not shown")?;
    places("stands at", &detail.places, row.place_count, out)?;
    places(
        "is suspected at",
        &detail.suspected,
        row.suspected_count,
        out,
    )?;
    for (place, window) in &readers {
        reads(place, window, out)?;
    }
    if let Some(of) = &of {
        let name = who(&of.identity, of.display_name.as_deref());
        out.line(match &row.way {
            Some(way) => format!("{name} could read it, {}", way_words(way)),
            None => format!("{name} has no way to it that is known"),
        })?;
        for line in &of.unread {
            out.line(format!("there may be more: {line}"))?;
        }
    }
    for line in &detail.not_known {
        out.line(format!("not known: {line}"))?;
    }
    Ok(())
}

fn places(words: &str, all: &[SecretPlace], count: u64, out: &Output) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    out.line(format!("{words} {}", of_these(count, "place", "places")))?;
    let header = ["place", "kind", "set", "readers", "left", "how known"];
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|place| {
            vec![
                place_name(place),
                place.kind.clone().unwrap_or_else(|| "not known".to_owned()),
                day(place.since.as_ref()),
                readers_words(place),
                counted(place.readers_left),
                place.how_words.clone(),
            ]
        })
        .collect();
    table(&header, &rows)
        .iter()
        .try_for_each(|line| out.line(line))
}

fn reads(
    place: &SecretPlace,
    window: &RowWindow<PlaceReader>,
    out: &Output,
) -> Result<(), Failure> {
    let path = format!("{}:{}", place.system, place.path);
    let suspected = if place.certain {
        ""
    } else {
        ", where it is suspected"
    };
    if window.rows.is_empty() {
        let nobody = match place.unread.is_empty() {
            true => "nobody can read",
            false => "nobody is known to read",
        };
        return out.line(format!("{nobody} {path}{suspected}"));
    }
    out.line(format!(
        "{} can read {path}{suspected}",
        of_these(window.matching, "account", "accounts")
    ))?;
    let rows: Vec<Vec<String>> = window
        .rows
        .iter()
        .map(|one| {
            let identity = one.identity.as_deref();
            let state = match (one.left, one.works) {
                (true, true) => "left, and can sign in",
                (true, false) => "left",
                (false, true) => "",
                (false, false) => "closed",
            };
            let name = one.account_name.as_ref();
            let id = format!("{}:{}", one.system, one.account);
            vec![
                identity.map_or("nobody's".to_owned(), |id| {
                    who(id, one.identity_name.as_deref())
                }),
                name.map_or(id.clone(), |name| format!("{name} ({id})")),
                state.to_owned(),
                one.through.join(" -> "),
            ]
        })
        .collect();
    table(&["who", "account", "state", "through"], &rows)
        .iter()
        .try_for_each(|line| out.line(line))?;
    let more = window.matching.saturating_sub(u64::from(SHOWN));
    match more {
        0 => Ok(()),
        more => out.line(format!(
            "{} more; --json has the first {SHOWN} of each place",
            counted(more)
        )),
    }
}
