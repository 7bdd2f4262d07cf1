//! Records that a source listed once and lists no more: by which text people name them, and what
//! they were last.

use super::blocks::{self, At, Columns, Which};
use super::ground::source_rows;
use super::{RecordName, Store, StoreError};
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use std::collections::BTreeMap;

/// A record that is not listed now, as it was last.
#[derive(Clone, Debug, PartialEq)]
pub struct OnceListed {
    pub record: RecordName,
    /// The source's row.
    pub source: i64,
    pub fact: Identity,
}

impl Store {
    /// The records that a text names and no source lists now, of sources that are there: a bare id,
    /// or `source:id`.
    pub async fn records_once(&self, text: &str) -> Result<Vec<OnceListed>, StoreError> {
        let bare = self.last_versions(text).await?;
        match text.split_once(':') {
            Some((source, id)) if bare.is_empty() => {
                let mut found = self.last_versions(id).await?;
                found.retain(|once| once.record.source == source);
                Ok(found)
            }
            Some(_) | None => Ok(bare),
        }
    }

    async fn last_versions(&self, id: &str) -> Result<Vec<OnceListed>, StoreError> {
        let wanted = self.names()?.key(Kind::Identity, id);
        let mut reading = self.readers().begin().await?;
        let sources = source_rows(&mut reading, At::Now).await?;
        // By source: the last row, and whether a version is listed.
        let mut last: BTreeMap<i64, (i64, bool)> = BTreeMap::new();
        let ever = Which::ever(Kind::Identity);
        blocks::each(&mut reading, &ever, Columns::Keys, |block| {
            for place in block.places() {
                if block.keys.get(place) == Some(&wanted) {
                    let (row, listed) = last.entry(block.source).or_default();
                    *row = block.row(place).max(*row);
                    *listed |= block.ended_sync(place).is_none();
                }
            }
            Ok(())
        })
        .await?;
        let gone = last.values().filter(|(_, listed)| !listed);
        let rows: Vec<i64> = gone.map(|(row, _)| *row).collect();
        let mut found = Vec::new();
        blocks::of_rows(&mut reading, &rows, Columns::Facts, |block, place| {
            let fact: Identity = serde_json::from_str(block.fact(place)?)?;
            let name = sources.names.get(&block.source);
            let is_there =
                name.is_some_and(|name| sources.rows.get(name.as_str()) == Some(&block.source));
            if let (Some(name), true) = (name, is_there && fact.id.as_str() == id) {
                let record = RecordName {
                    source: name.clone(),
                    id: id.to_owned(),
                };
                found.push(OnceListed {
                    record,
                    source: block.source,
                    fact,
                });
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }
}
