//! Connector for LDAP directories (OpenLDAP and its kin): people, groups, nested memberships.
//!
//! It signs in with a simple bind, over LDAPS or StartTLS only, reads with paged searches, and
//! sends nothing that could change an entry. It promises that the value of a password is never
//! asked for, that a certificate is verified or the connection refused, and that whatever the
//! directory cut, referred elsewhere or could not tell is noted. Trying somebody's password is
//! apart from all that, in `prober`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod capability;
mod changes;
mod check;
mod connection;
mod dn;
mod entry;
mod error;
mod index;
mod map;
mod prober;
mod rights;
mod root;
mod scan;
mod scripts;
mod search;
mod session;
mod settings;
mod sync;
mod watermark;
mod wire;

pub use prober::{PROBES, prober};
pub use scripts::scripts;
pub use settings::DESCRIPTOR;

use async_trait::async_trait;
use connection::Connection;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, KindCapability, Secret, Session, Settings,
};
use root::Server;
use session::Reading;
use settings::Directory;
use std::sync::OnceLock;

/// A connector for the directory that the settings name; the secret is the bind password.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(LdapConnector {
        directory: Directory::from_settings(settings, secret.is_some())?,
        secret,
        server: OnceLock::new(),
    }))
}

/// A configured directory.
struct LdapConnector {
    directory: Directory,
    secret: Option<Secret>,
    /// What the directory said of itself, once it was asked.
    server: OnceLock<Server>,
}

impl LdapConnector {
    async fn open(&self) -> Result<Connection, ConnectorError> {
        let connection = Connection::open(&self.directory, self.secret.as_ref()).await?;
        // The first answer stays: a configured source is one directory.
        let _ = self.server.set(connection.server.clone());
        Ok(connection)
    }
}

#[async_trait]
impl Connector for LdapConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        capability::table(&self.directory, self.server.get())
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        let mut connection = self.open().await?;
        check::look(&self.directory, &mut connection).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let connection = self.open().await?;
        Ok(Box::new(Reading::new(self.directory.clone(), connection)))
    }
}
