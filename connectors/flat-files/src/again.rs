//! Where rows of one key stand, for whoever has to look them up.

use crate::error::unreadable;
use crate::map;
use crate::place::Stored;
use crate::recipes::Passes;
use crate::secrets::without_logins_in;
use crate::session::Open;
use crate::settings::Source;
use lastkey_contract::{ConnectorError, Kind};
use std::collections::BTreeSet;

/// Most places that are told of one key.
const MOST: usize = 4;

/// Key and `file:line` of the first few rows of each key, in the order of the files.
pub fn places(
    source: &Source,
    kind: Kind,
    parts: &[Stored],
    keys: &BTreeSet<String>,
) -> Result<Vec<(String, String)>, ConnectorError> {
    let operation = format!("look for {}", kind.plural());
    let mut found: Vec<(String, String)> = Vec::new();
    for (part, stored) in parts.iter().enumerate() {
        let mut open = Open::at(source, kind, parts, part, None)?;
        loop {
            let record = open
                .records
                .next_record()
                .map_err(|e| unreadable(&source.shown, &operation, &stored.name, &e))?;
            let Some(record) = record else { break };
            let Ok(cells) = record.cells else { continue };
            if cells.len() != open.header.width {
                continue;
            }
            match open.sieve.judge(&open.header, &cells) {
                Passes::Yes => {}
                Passes::Again | Passes::No | Passes::Unheard(_) => continue,
            }
            let cells = without_logins_in(&open.header, &cells).map_or(cells, |(shown, _)| shown);
            let Ok(fact) = map::fact(kind, &open.header, &cells, &source.clock) else {
                continue;
            };
            let key = fact.key();
            let told = found.iter().filter(|(of, _)| *of == key).count();
            if keys.contains(&key) && told < MOST {
                found.push((key, format!("{}:{}", stored.name, record.line)));
            }
        }
    }
    Ok(found)
}
