//! Source for servers reached over SSH. It reads nothing: it is there so that keys can be tried.
//!
//! It promises that a server is talked to only where its host key is the one in the settings, that
//! no channel is opened and no command run, and that a private key is used only once the server has
//! said that it knows its public half.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod error;
mod prober;
mod session;
mod settings;

pub use prober::{PROBES, prober};
pub use settings::DESCRIPTOR;

use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, KindCapability, Secret, Session, Settings,
};
use session::{Nothing, Open};
use settings::Server;

/// A connector for the server that the settings name. There is nothing to sign in for.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    drop(secret);
    Ok(Box::new(SshConnector {
        server: Server::from_settings(settings)?,
    }))
}

/// A configured server.
struct SshConnector {
    server: Server,
}

#[async_trait]
impl Connector for SshConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        Vec::new()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        let open = Open::to(&self.server).await?;
        open.close().await;
        Ok(CheckReport {
            rights_known: true,
            remarks: vec![
                "the server has the host key of the settings; nothing is read from it, and keys can be tried"
                    .to_owned(),
            ],
            ..CheckReport::default()
        })
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(Nothing {
            system: self.server.shown(),
        }))
    }
}
