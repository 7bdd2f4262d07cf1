//! One connection to a server whose host key is the one in the settings; closed, nothing is left.

use crate::error::{client, other_host_key, timed_out, unreachable};
use crate::settings::Server;
use async_trait::async_trait;
use lastkey_contract::{ConnectorError, ErrorKind, Kind, Page, PageRequest, Session};
use russh::Disconnect;
use russh::client::{Config, Handle, Handler, connect_stream};
use russh::keys::{HashAlg, PublicKey};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// Takes one host key and no other, and remembers which one it was shown.
pub struct Known {
    host_key: String,
    shown: Arc<Mutex<Option<String>>>,
}

impl Handler for Known {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKey) -> Result<bool, russh::Error> {
        let shown = key.fingerprint(HashAlg::Sha256).to_string();
        let known = shown == self.host_key;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(known)
    }
}

/// An open connection; nobody is signed in.
pub struct Open {
    pub handle: Handle<Known>,
    pub system: String,
}

impl Open {
    /// Connects and compares the host key.
    pub async fn to(server: &Server) -> Result<Open, ConnectorError> {
        let system = server.shown();
        let shown = Arc::new(Mutex::new(None));
        let known = Known {
            host_key: server.host_key.clone(),
            shown: Arc::clone(&shown),
        };
        let config = Config {
            inactivity_timeout: Some(server.timeout),
            ..Config::default()
        };
        let connecting = async {
            let stream = TcpStream::connect((server.host.as_str(), server.port))
                .await
                .map_err(|error| unreachable(&system, &error.to_string()))?;
            connect_stream(Arc::new(config), stream, known)
                .await
                .map_err(|error| {
                    let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                    match shown.as_deref() {
                        Some(other) if other != server.host_key => other_host_key(&system, other),
                        Some(_) | None => client(&system, "connect", &error),
                    }
                })
        };
        let handle = timeout(server.timeout, connecting)
            .await
            .map_err(|_| timed_out(&system))??;
        Ok(Open { handle, system })
    }

    /// Says goodbye and waits until the connection has ended.
    pub async fn close(self) {
        let Open { handle, .. } = self;
        let _gone_already = timeout(GOODBYE, async {
            let _gone_already = handle.disconnect(Disconnect::ByApplication, "", "en").await;
            let _ended_either_way = handle.await;
        })
        .await;
    }
}

/// The reading of a source that has nothing to read.
pub struct Nothing {
    pub system: String,
}

#[async_trait]
impl Session for Nothing {
    async fn read_page(
        &mut self,
        kind: Kind,
        _request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        Err(ConnectorError::new(
            ErrorKind::Unsupported,
            self.system.as_str(),
            format!("read {}", kind.plural()),
            "nothing is read from an SSH server",
        ))
    }
}
