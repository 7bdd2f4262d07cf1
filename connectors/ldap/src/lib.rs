//! Connector for LDAP directories (OpenLDAP and its kin): people, groups, nested memberships.
//!
//! It signs in with a simple bind, over LDAPS or StartTLS only, reads with paged searches, and
//! sends nothing that could change an entry. It promises that the value of a password is never
//! asked for, that a certificate is verified or the connection refused, and that whatever the
//! directory cut, referred elsewhere or could not tell is noted.

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
mod connection;
mod dn;
mod entry;
mod error;
mod index;
mod map;
mod search;
mod session;
mod settings;
mod tls;

pub use settings::DESCRIPTOR;

use async_trait::async_trait;
use connection::Connection;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Kind, KindCapability, Secret, Session,
    Settings,
};
use session::{MAX_PAGE, Reading};
use settings::{Directory, Identities};

/// A connector for the directory that the settings name; the secret is the bind password.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(LdapConnector {
        directory: Directory::from_settings(settings, secret.is_some())?,
        secret,
    }))
}

/// A configured directory.
struct LdapConnector {
    directory: Directory,
    secret: Option<Secret>,
}

#[async_trait]
impl Connector for LdapConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        let kinds = [
            Kind::Account,
            Kind::Entitlement,
            Kind::Grant,
            Kind::Credential,
        ];
        let identities = match self.directory.identities {
            Identities::Read => Some(Kind::Identity),
            Identities::Leave => None,
        };
        identities
            .into_iter()
            .chain(kinds)
            .map(|kind| KindCapability {
                kind,
                max_page: MAX_PAGE,
                // a paging cookie belongs to its connection
                cursor_survives_reconnect: false,
                incremental: false,
                deletions_visible: false,
                last_use_known: kind == Kind::Account,
                one_moment: false,
            })
            .collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        let mut connection = Connection::open(&self.directory, self.secret.as_ref()).await?;
        check::look(&self.directory, &mut connection).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let connection = Connection::open(&self.directory, self.secret.as_ref()).await?;
        Ok(Box::new(Reading::new(self.directory.clone(), connection)))
    }
}
