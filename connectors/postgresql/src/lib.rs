//! Connector for PostgreSQL: roles, what they hold, and who is at work right now.
//!
//! It signs in over TLS only, in a connection that the server itself keeps read-only, and asks its
//! catalogue. It promises that no hash of a password and no text of a query is asked for, that a
//! certificate is verified or the connection refused, and that a session of a role that was dropped
//! stays told. Trying somebody's password is apart from all that, in `prober`.

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
mod error;
mod map;
mod prober;
mod script;
mod session;
mod settings;

pub use prober::{PROBES, prober};
pub use script::scripts;
pub use settings::DESCRIPTOR;

use async_trait::async_trait;
use connection::{Connection, NoConnection};
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, KindCapability, Secret, Session, Settings,
};
use session::{KINDS, MAX_PAGE, Reading};
use settings::Server;

/// A connector for the server that the settings name; the secret is the password it signs in with.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(PostgresqlConnector {
        server: Server::from_settings(settings)?,
        secret,
    }))
}

/// A configured server.
struct PostgresqlConnector {
    server: Server,
    secret: Option<Secret>,
}

impl PostgresqlConnector {
    async fn open(&self) -> Result<Connection, ConnectorError> {
        let secret = self.secret.as_ref().ok_or_else(|| {
            error::config(
                "the password to sign in with is missing",
                "give it with --secret-file FILE",
            )
        })?;
        // Nothing can be written, whatever rights the login has; and names mean the catalogue's own.
        const OPTIONS: &str = "-c default_transaction_read_only=on -c search_path=pg_catalog";
        let server = &self.server;
        match Connection::open(server, &server.username, secret, OPTIONS).await {
            Ok(connection) => Ok(connection),
            Err(NoConnection::Failed(error)) => Err(error),
            Err(NoConnection::Refused(error, watched)) => {
                Err(error::failed(&server.shown(), "sign in", &error, &watched))
            }
        }
    }
}

#[async_trait]
impl Connector for PostgresqlConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        let of = |kind| KindCapability {
            kind,
            max_page: MAX_PAGE,
            // a cursor is a key, and the list goes on behind it
            cursor_survives_reconnect: true,
            incremental: false,
            deletions_visible: false,
            last_use_known: false,
            one_moment: false,
        };
        KINDS.into_iter().map(of).collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        let connection = self.open().await?;
        let report = check::look(&self.server, &connection).await;
        connection.close().await;
        report
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let connection = self.open().await?;
        let reading = Reading::begin(self.server.clone(), connection).await?;
        Ok(Box::new(reading))
    }
}
