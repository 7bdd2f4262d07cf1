//! Connector for folders, zips and single CSV files of import-format.md.
//!
//! It reads what people export by hand: any subset of the eleven files, or one file with
//! other column names and a mapping. It promises that every row ends in exactly one of
//! "record" and "failed with file, line, column and reason", and that a file that changed
//! between two pages is never taken for one read. It never writes, never unpacks a zip to
//! disk, and never holds a whole file in memory.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod mapping;
pub mod recipes;
pub mod series;

mod again;
mod archive;
mod change;
mod clock;
mod columns;
mod encoding;
mod error;
mod first_line;
mod header;
mod look;
mod map;
mod misspelt;
mod notes;
mod place;
mod secret_words;
mod secrets;
mod session;
mod settings;
mod table;
mod words;

pub use change::{Change, change, fits};
pub use columns::{Column, columns};
pub use settings::DESCRIPTOR;

use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Had, KindCapability, Secret, Session,
    Settings,
};
use session::{MAX_PAGE, Reading};
use settings::Source;
use std::collections::BTreeSet;

/// A connector for the place and mapping that the settings name. Files need no secret;
/// one that is given is ignored.
pub fn configure(
    settings: &Settings,
    _secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(FlatFiles {
        source: Source::from_settings(settings)?,
    }))
}

/// The SHA-256 of each file that the settings lead to, as reads of them note it.
pub fn contents(settings: &Settings) -> Result<Vec<String>, ConnectorError> {
    place::contents(&Source::from_settings(settings)?)
}

/// A configured place with flat files.
struct FlatFiles {
    source: Source,
}

#[async_trait]
impl Connector for FlatFiles {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        // What cannot be opened offers nothing here; `check` and `connect` say why.
        place::survey(&self.source)
            .map(|found| found.files)
            .unwrap_or_default()
            .into_iter()
            .map(|(kind, _)| kind)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|kind| KindCapability {
                kind,
                max_page: MAX_PAGE,
                cursor_survives_reconnect: true,
                incremental: false,
                deletions_visible: false,
                last_use_known: columns(kind).iter().any(|c| c.name == "last_used_at"),
                one_moment: true,
            })
            .collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        let source = self.source.clone();
        session::blocking(&self.source.shown, "check", move || look::look(&source)).await
    }

    async fn replaced(&self, had: &Had) -> Result<Option<String>, ConnectorError> {
        let (source, had) = (self.source.clone(), had.clone());
        let operation = format!("compare {}", had.kind.plural());
        session::blocking(&self.source.shown, &operation, move || {
            session::replaced(&source, &had)
        })
        .await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let source = self.source.clone();
        let found = session::blocking(&self.source.shown, "connect", move || {
            place::survey(&source)
        })
        .await?;
        Ok(Box::new(Reading::new(self.source.clone(), found)))
    }
}
