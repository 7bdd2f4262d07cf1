//! One signed-in connection: TLS first, then the bind; dropped, it is closed at once.

use crate::error::{odd, refused, timed_out};
use crate::root::Server;
use crate::search::Link;
use crate::settings::Directory;
use crate::wire::open;
use lastkey_contract::{ConnectorError, ErrorKind, Secret};
use ldap3::exop::WhoAmI;
use std::sync::Arc;
use tokio::time::timeout;

/// A connection that is signed in.
pub struct Connection {
    pub link: Link,
    pub server: Server,
}

/// Whom a directory takes us for (RFC 4532).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It does not tell.
    Nothing,
    Anonymous,
    Name(String),
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.link.wire.close();
    }
}

impl Connection {
    /// Connects, verifies, signs in. The password is sent only after TLS stands.
    pub async fn open(
        directory: &Directory,
        secret: Option<&Secret>,
    ) -> Result<Connection, ConnectorError> {
        let mut connection = Connection::reach(directory).await?;
        if let (Some(dn), Some(secret)) = (&directory.bind_dn, secret) {
            if secret.expose().is_empty() {
                return Err(ConnectorError::new(
                    ErrorKind::AuthRejected,
                    connection.link.system.as_str(),
                    "sign in",
                    "the password is empty",
                )
                .hint("give the password of bind_dn"));
            }
            let link = &mut connection.link;
            let bound = timeout(link.timeout, link.ldap.simple_bind(dn, secret.expose()))
                .await
                .map_err(|_| timed_out(&link.system, "sign in"))?
                .map_err(|e| link.failed("sign in", &e))?;
            if bound.rc != 0 {
                return Err(refused(&link.system, "sign in", &bound));
            }
        }
        connection.server = Server::ask(&connection.link, &directory.base_dn).await?;
        Ok(connection)
    }

    /// Connects and verifies, and signs in as nobody yet.
    pub async fn reach(directory: &Directory) -> Result<Connection, ConnectorError> {
        let (ldap, wire) = open(directory).await?;
        Ok(Connection {
            link: Link {
                ldap,
                system: directory.url.clone(),
                timeout: directory.timeout,
                wire: Arc::new(wire),
            },
            server: Server::default(),
        })
    }

    /// Says goodbye, and waits until that is sent; dropping would only break off.
    pub async fn sign_out(mut self) {
        let link = &mut self.link;
        let _gone_already = timeout(link.timeout, link.ldap.unbind()).await;
        if let Some(wire) = Arc::get_mut(&mut link.wire) {
            let _gone_already = timeout(link.timeout, wire.ended()).await;
        }
    }

    /// Who the directory says we are; None where it does not tell.
    pub async fn who(&mut self) -> Result<Option<String>, ConnectorError> {
        Ok(match self.told().await? {
            Told::Name(name) => Some(name),
            Told::Nothing | Told::Anonymous => None,
        })
    }

    /// Whom the directory takes us for.
    pub async fn told(&mut self) -> Result<Told, ConnectorError> {
        const OPERATION: &str = "ask who we are";
        let link = &mut self.link;
        let answer = timeout(link.timeout, link.ldap.extended(WhoAmI))
            .await
            .map_err(|_| timed_out(&link.system, OPERATION))?
            .map_err(|e| link.failed(OPERATION, &e))?;
        if answer.1.rc != 0 {
            return Ok(Told::Nothing);
        }
        let text = String::from_utf8(answer.0.val.unwrap_or_default())
            .map_err(|_| odd(&link.system, OPERATION, "its name for us is not UTF-8"))?;
        Ok(match text.trim_start_matches("dn:").trim() {
            "" => Told::Anonymous,
            name => Told::Name(name.to_owned()),
        })
    }
}
