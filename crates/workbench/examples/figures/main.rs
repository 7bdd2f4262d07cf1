//! How fast an open store answers: each key of what is typed, windows of every table, whole tables
//! in one pass, the graph, leavers. `./bench` runs it; one line of JSON for each figure.
//!
//! usage: figures STORE KEY-FILE search|windows|stream|graph|rehearse|secrets|everyone|again SOURCE …

#![allow(clippy::print_stdout)]

mod search;
mod secrets;
mod tables;
mod windows;

use lastkey_contract::Kind;
use lastkey_engine::views::ListQuery;
use lastkey_workbench::{KeySource, OpenOptions, ReachOf, Stop, SyncHow, WhenMissing, Workbench};
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// So many rows a window shows.
const WINDOW: u32 = 200;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let mut words = std::env::args().skip(1);
    let mut next = || {
        words.next().ok_or(
            "usage: figures STORE KEY-FILE search|windows|stream|graph|rehearse|secrets|everyone|again SOURCE …",
        )
    };
    let options = OpenOptions {
        store_path: PathBuf::from(next()?),
        key_source: KeySource::KeyFile(PathBuf::from(next()?)),
        when_missing: WhenMissing::Refuse,
    };
    let what = next()?;
    let began = Instant::now();
    let bench = Workbench::open(&options).await?.workbench;
    tell("store", "opened", began, 0);
    let closing = bench.closing();
    match what.as_str() {
        "search" => search::each_key(&bench).await?,
        "windows" => windows::of_every_table(&bench).await?,
        "stream" => stream(&bench).await?,
        "graph" => graph(&bench).await?,
        "rehearse" => rehearse(&bench).await?,
        "secrets" => secrets::stand(&bench).await?,
        "everyone" => everyone(&bench).await?,
        "again" => again(&bench, &words.collect::<Vec<_>>()).await?,
        other => return Err(format!("`{other}` is not measured").into()),
    }
    drop(bench);
    closing.close().await;
    Ok(())
}

/// One figure: of which table, what was asked, and how many rows answer.
fn tell(table: &str, what: &str, began: Instant, rows: u64) {
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    println!(
        "{}",
        serde_json::json!({ "table": table, "what": what, "ms": milliseconds, "rows": rows })
    );
}

fn list(search: &str, sort: &str, offset: u64) -> ListQuery {
    ListQuery {
        search: search.to_owned(),
        filters: Vec::new(),
        sort: sort.to_owned(),
        descending: false,
        offset,
        limit: WINDOW,
    }
}

/// Every row of the large tables in one pass, as `lastkey identities --json` reads them.
async fn stream(bench: &Workbench) -> Outcome {
    for kind in [Kind::Identity, Kind::Account, Kind::Grant] {
        let (began, mut rows) = (Instant::now(), 0u64);
        bench
            .each_row(kind, &[], None, |part| {
                if rows == 0 {
                    tell(kind.plural(), "the first rows", began, part.len() as u64);
                }
                rows += part.len() as u64;
                Ok(())
            })
            .await?;
        tell(kind.plural(), "every row", began, rows);
    }
    Ok(())
}

/// The first question builds the graph, the second finds it there.
async fn graph(bench: &Workbench) -> Outcome {
    let someone = bench.identities(&list("", "", 0)).await?;
    let one = someone.rows.first().ok_or("the store has no identity")?;
    let of = ReachOf::Identity(one.id.clone());
    for what in ["the graph and one blast radius", "one blast radius"] {
        let (began, before) = (Instant::now(), resident());
        let reach = bench.reach(&of, None).await?;
        let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
        let line = serde_json::json!({
            "table": "graph", "what": what, "ms": milliseconds, "rows": reach.items.len(),
            "mib": (resident() - before).max(0.0),
        });
        println!("{line}");
    }
    Ok(())
}

/// MiB of memory that the process has, where the system says so.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.unwrap_or(0.0) / 1024.0
}

/// Everyone's rehearsal, after the first answer has built the graph: from nothing.
async fn everyone(bench: &Workbench) -> Outcome {
    graph(bench).await?;
    let began = Instant::now();
    let rows = bench
        .rehearse_all_at_once(bench.now(), &Stop::default())
        .await?;
    tell(
        "rehearsals",
        "everyone at once",
        began,
        u64::try_from(rows.len())?,
    );
    // It is kept with the list of everyone.
    bench.rehearsals(&list("", "", 0)).await?;
    Ok(())
}

/// Everyone after sources were read again, with what was kept before: the graph of the new state first,
/// then whom the changes concern.
async fn again(bench: &Workbench, sources: &[String]) -> Outcome {
    bench.rehearse_after_sync(&Stop::default()).await?;
    let sources = sources.iter().map(|name| (name.clone(), Stop::default()));
    let sources: Vec<(String, Stop)> = sources.collect();
    let began = Instant::now();
    bench
        .sync_many(&sources, SyncHow::default(), &|_| {}, &|_| {})
        .await?;
    tell("sources", "read again", began, 0);
    graph(bench).await?;
    for what in ["everyone again", "everyone, nothing changed"] {
        let began = Instant::now();
        let since = bench.rehearse_after_sync(&Stop::default()).await?;
        let since = since.ok_or("no plan is loaded")?;
        tell("rehearsals", what, began, since.rehearsed);
    }
    Ok(())
}

/// How many leavers are rehearsed, spread over all identities.
const SAMPLE: u64 = 100;

/// One leaver at a time, after the first has built the graph.
async fn rehearse(bench: &Workbench) -> Outcome {
    let all = bench.identities(&list("", "", 0)).await?.total;
    for turn in 0..SAMPLE {
        let one = ListQuery {
            limit: 1,
            ..list("", "", turn * (all / SAMPLE))
        };
        let found = bench.identities(&one).await?;
        let Some(who) = found.rows.first() else {
            continue;
        };
        let began = Instant::now();
        bench.rehearse_leaver(&who.id, None).await?;
        let what = match turn {
            0 => "the first leaver",
            _ => "a leaver",
        };
        tell("rehearsals", what, began, 1);
    }
    Ok(())
}
