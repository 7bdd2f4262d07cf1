//! Reads every kind of a directory to its end, keeps nothing, and says how long each took:
//! the reader alone, without a store. `./bench` runs it; the settings come from the environment.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use lastkey_contract::{PageRequest, Secret, Settings};
use std::error::Error;
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
    let begun = Instant::now();
    let mut session = connector.connect().await?;
    for capability in connector.capabilities() {
        let kind = capability.kind;
        let start = Instant::now();
        let (mut cursor, mut records, mut pages) = (None, 0, 0);
        loop {
            let request = PageRequest {
                cursor,
                limit: 20_000,
                since: None,
            };
            let page = session.read_page(kind, request).await?;
            records += page.records.len();
            pages += 1;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("{kind}: {records} records in {pages} pages, {seconds:.2} s");
    }
    println!("all: {:.2} s", begun.elapsed().as_secs_f64());
    Ok(())
}
