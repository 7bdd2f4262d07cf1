//! Reads every kind of a directory to its end, keeps nothing, and says how long each took:
//! the reader alone, without a store. `./bench` runs it; the settings come from the environment.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use lastkey_contract::{Connector, Kind, PageRequest, Secret, Settings};
use std::collections::HashMap;
use std::error::Error;
use std::process::Command;
use std::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::default();
    for (key, value) in std::env::vars() {
        if let Some(key) = key.strip_prefix("SET_") {
            settings.0.insert(key.to_lowercase(), value);
        }
    }
    let secret = std::env::var("SECRET_FILE")
        .ok()
        .map(std::fs::read_to_string);
    let secret = secret.transpose()?.map(Secret::new);
    let connector = lastkey_ldap::configure(&settings, secret)?;
    let marks = read(connector.as_ref(), &HashMap::new()).await?;
    // A command that changes the directory: then what changed is read, too.
    if let Ok(change) = std::env::var("CHANGE") {
        Command::new("sh").arg("-c").arg(change).status()?;
        read(connector.as_ref(), &marks).await?;
    }
    Ok(())
}

/// Reads every kind, from its watermark where there is one; gives back the new watermarks.
async fn read(
    connector: &dyn Connector,
    since: &HashMap<Kind, String>,
) -> Result<HashMap<Kind, String>, Box<dyn Error>> {
    let begun = Instant::now();
    let mut session = connector.connect().await?;
    let mut marks = HashMap::new();
    for capability in connector.capabilities() {
        let kind = capability.kind;
        let start = Instant::now();
        let (mut cursor, mut records, mut pages, mut gone) = (None, 0, 0, 0);
        loop {
            let request = PageRequest {
                cursor,
                limit: 20_000,
                since: since.get(&kind).cloned(),
            };
            let page = session.read_page(kind, request).await?;
            records += page.records.len();
            gone += page.gone.len();
            pages += 1;
            marks.extend(page.watermark.map(|mark| (kind, mark)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("{kind}: {records} records, {gone} gone, in {pages} pages, {seconds:.2} s");
    }
    println!("all: {:.2} s", begun.elapsed().as_secs_f64());
    Ok(marks)
}
