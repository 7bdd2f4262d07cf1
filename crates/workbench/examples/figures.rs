//! How fast an open store answers: search for each key, the first and the last window of each
//! table, and the graph from the store. `./bench` runs it; one line of JSON for each figure.
//!
//! usage: figures STORE KEY-FILE search|tables|graph|rehearse

#![allow(clippy::print_stdout)]

use lastkey_contract::Kind;
use lastkey_engine::views::ListQuery;
use lastkey_workbench::{KeySource, OpenOptions, ReachOf, WhenMissing, Workbench};
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Typed one key after the other.
const TYPED: [&str; 4] = ["anna lindqvist", "östürk", "01000", "x-g0001"];
const WINDOW: u32 = 200;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut next = || {
        words
            .next()
            .ok_or("usage: figures STORE KEY-FILE search|tables|graph|rehearse")
    };
    let options = OpenOptions {
        store_path: PathBuf::from(next()?),
        key_source: KeySource::KeyFile(PathBuf::from(next()?)),
        when_missing: WhenMissing::Refuse,
    };
    let what = next()?;
    let bench = Workbench::open(&options).await?.workbench;
    let closing = bench.closing();
    match what.as_str() {
        "search" => search(&bench).await?,
        "tables" => tables(&bench).await?,
        "graph" => graph(&bench).await?,
        "rehearse" => rehearse(&bench).await?,
        other => return Err(format!("`{other}` is not measured").into()),
    }
    drop(bench);
    closing.close().await;
    Ok(())
}

fn tell(what: &str, began: Instant, rows: u64) {
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    println!(
        "{}",
        serde_json::json!({ "what": what, "ms": milliseconds, "rows": rows })
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

/// Each key of what is typed, and the first of all apart: it is the first that the store is asked.
async fn search(bench: &Workbench) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let all = bench.identities(&list("", "", 0)).await?;
    tell("first window of identities", began, all.total);
    for typed in TYPED {
        for (end, sign) in typed.char_indices() {
            let key = typed.get(..end + sign.len_utf8()).unwrap_or_default();
            let began = Instant::now();
            let found = bench.identities(&list(key, "", 0)).await?;
            tell(&format!("search `{key}`"), began, found.matching);
        }
    }
    Ok(())
}

async fn tables(bench: &Workbench) -> Result<(), Box<dyn Error>> {
    for sort in [
        "id",
        "display_name",
        "email",
        "department",
        "status",
        "end_date",
    ] {
        let began = Instant::now();
        let first = bench.identities(&list("", sort, 0)).await?;
        tell(
            &format!("identities by {sort}, first"),
            began,
            first.matching,
        );
        let last = first.matching.saturating_sub(u64::from(WINDOW));
        let began = Instant::now();
        let end = bench.identities(&list("", sort, last)).await?;
        tell(
            &format!("identities by {sort}, last"),
            began,
            end.rows.len() as u64,
        );
    }
    for kind in Kind::ALL {
        let began = Instant::now();
        let first = bench.table(kind, &list("", "", 0), None).await?;
        tell(&format!("{}, first", kind.plural()), began, first.matching);
        let last = first.matching.saturating_sub(u64::from(WINDOW));
        let began = Instant::now();
        let end = bench.table(kind, &list("", "", last), None).await?;
        tell(
            &format!("{}, last", kind.plural()),
            began,
            end.rows.len() as u64,
        );
    }
    Ok(())
}

/// The first question builds the graph, the second finds it there.
async fn graph(bench: &Workbench) -> Result<(), Box<dyn Error>> {
    let someone = bench.identities(&list("", "", 0)).await?;
    let one = someone.rows.first().ok_or("the store has no identity")?;
    let of = ReachOf::Identity(one.id.clone());
    for what in ["the graph and one blast radius", "one blast radius"] {
        let began = Instant::now();
        let reach = bench.reach(&of, None).await?;
        tell(what, began, reach.items.len() as u64);
    }
    Ok(())
}

/// How many leavers are rehearsed, spread over all identities.
const SAMPLE: u64 = 100;

/// One leaver at a time, after the first has built the graph.
async fn rehearse(bench: &Workbench) -> Result<(), Box<dyn Error>> {
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
        let what = if turn == 0 {
            "the first leaver"
        } else {
            "a leaver"
        };
        tell(what, began, 1);
    }
    Ok(())
}
