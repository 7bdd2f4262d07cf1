//! Connector for workstations and servers: where credentials stand in files, and who can read them.
//!
//! It walks a home folder, a repository or a server tree on all cores, knows the places where
//! programs keep credentials and the shapes of tokens, and tells places, readers, and credentials
//! that a place itself names. It promises that a value is looked at in memory only and kept nowhere,
//! that nothing outside the tree is opened, and that whatever was not looked into is told with its
//! reason. It never writes, tries no credential, and reaches no network.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod check;
mod contents;
mod custom;
mod error;
mod file;
mod find;
mod keys;
mod left;
mod lines;
mod look;
mod map;
mod people;
mod places;
mod readers;
#[cfg(test)]
mod rules;
mod scanned;
mod session;
mod settings;
mod shapes;
mod sums;
mod tree;
mod values;
mod walk;
mod words;

pub use settings::DESCRIPTOR;

use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, KindCapability, Secret, Session, Settings,
    ValueReader,
};
use people::People;
use session::{MAX_PAGE, Reading, blocking};
use settings::Scan;
use std::sync::Arc;
use values::Values;

/// A connector for the folder that the settings name. Files need no secret; one that is given is
/// ignored.
pub fn configure(
    settings: &Settings,
    _secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(Workstation {
        scan: Arc::new(Scan::from_settings(settings)?),
    }))
}

/// A configured scan.
struct Workstation {
    scan: Arc<Scan>,
}

#[async_trait]
impl Connector for Workstation {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        let of = |kind: &_| KindCapability {
            kind: *kind,
            max_page: MAX_PAGE,
            // A cursor carries what tells the state of the tree: another state loses it.
            cursor_survives_reconnect: true,
            incremental: false,
            deletions_visible: false,
            last_use_known: false,
            one_moment: true,
        };
        DESCRIPTOR.reads.iter().map(of).collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        let scan = Arc::clone(&self.scan);
        blocking(&self.scan.shown, "check", move || check::look(&scan)).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let scan = Arc::clone(&self.scan);
        let (top, people) = blocking(&self.scan.shown, "connect", move || {
            Ok((check::top(&scan)?, People::of(&scan.accounts, &scan.shown)?))
        })
        .await?;
        Ok(Box::new(Reading::new(Arc::clone(&self.scan), top, people)))
    }

    fn value_reader(
        &self,
        _secret: Option<Secret>,
    ) -> Option<Result<Box<dyn ValueReader>, ConnectorError>> {
        Some(Ok(Box::new(Values {
            scan: Arc::clone(&self.scan),
            looker: None,
        })))
    }
}
