//! Scans a folder, keeps nothing, and prints each place as `rule`, tab, `path#field`: the reader
//! alone, without a store. `tests/scripts/scan_peers.py` runs it; the settings come from the
//! environment.

#![allow(clippy::print_stdout)]

use lastkey_contract::{Fact, Kind, PageRequest, Settings};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::default();
    for (key, value) in std::env::vars() {
        if let Some(key) = key.strip_prefix("SET_") {
            settings.0.insert(key.to_lowercase(), value);
        }
    }
    let connector = lastkey_workstation::configure(&settings, None)?;
    let mut session = connector.connect().await?;
    let mut cursor = None;
    loop {
        let request = PageRequest {
            cursor,
            limit: 5_000,
            since: None,
        };
        let page = session.read_page(Kind::Location, request).await?;
        for fact in page.records {
            let Fact::Location(place) = fact else {
                continue;
            };
            let text = |name: &str| place.attributes.get(name).map(String::as_str);
            let field = text("field").unwrap_or(place.path.as_str());
            println!("{}\t{field}", text("rule").unwrap_or_default());
        }
        for note in page.notes {
            println!("# {}: {} ({})", note.kind.word(), note.reason, note.count);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
