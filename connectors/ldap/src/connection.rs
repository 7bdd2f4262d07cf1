//! One signed-in connection: TLS first, then the bind; dropped, it is closed at once.

use crate::error::{client, odd, refused, timed_out};
use crate::root::Server;
use crate::search::Link;
use crate::settings::{Directory, Security};
use lastkey_contract::{ConnectorError, ErrorKind, Secret};
use lastkey_tls::Peer;
use ldap3::exop::WhoAmI;
use ldap3::{LdapConnAsync, LdapConnSettings};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A connection that is signed in.
pub struct Connection {
    pub link: Link,
    pub server: Server,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The driver owns the socket; without it nothing goes on in the background.
        self.driver.abort();
    }
}

impl Connection {
    /// Connects, verifies, signs in. The password is sent only after TLS stands.
    pub async fn open(
        directory: &Directory,
        secret: Option<&Secret>,
    ) -> Result<Connection, ConnectorError> {
        let system = directory.url.clone();
        let (config, watched) = lastkey_tls::client(Peer {
            kind: "ldap",
            name: "directory",
            ca_file: directory.ca_file.as_deref(),
        })?;
        let settings = LdapConnSettings::new()
            .set_config(config)
            .set_conn_timeout(directory.timeout)
            .set_starttls(directory.security == Security::StartTls);
        let (driver, ldap) = LdapConnAsync::with_settings(settings, &directory.url)
            .await
            .map_err(|e| {
                watched.error(&system).unwrap_or_else(|| match &e {
                    ldap3::LdapError::LdapResult { result } => ConnectorError::new(
                        ErrorKind::Protocol,
                        system.as_str(),
                        "connect",
                        format!(
                            "the directory does not offer StartTLS (result {})",
                            result.rc
                        ),
                    )
                    .hint("use ldaps://, or switch TLS on in the directory"),
                    _ => client(&system, "connect", &e),
                })
            })?;
        let driver = tokio::spawn(async move {
            // What ends the connection is seen by the call that waits on it.
            let _ = driver.drive().await;
        });
        let mut connection = Connection {
            link: Link {
                ldap,
                system,
                timeout: directory.timeout,
            },
            server: Server::default(),
            driver,
        };
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
                .map_err(|e| client(&link.system, "sign in", &e))?;
            if bound.rc != 0 {
                return Err(refused(&link.system, "sign in", &bound));
            }
        }
        connection.server = Server::ask(&connection.link, &directory.base_dn).await?;
        Ok(connection)
    }

    /// Who the directory says we are; None where it does not tell.
    pub async fn who(&mut self) -> Result<Option<String>, ConnectorError> {
        const OPERATION: &str = "ask who we are";
        let Link {
            ldap,
            system,
            timeout: patience,
        } = &mut self.link;
        let answer = timeout(*patience, ldap.extended(WhoAmI))
            .await
            .map_err(|_| timed_out(system, OPERATION))?
            .map_err(|e| client(system, OPERATION, &e))?;
        if answer.1.rc != 0 {
            return Ok(None);
        }
        let text = String::from_utf8(answer.0.val.unwrap_or_default())
            .map_err(|_| odd(system, OPERATION, "its name for us is not UTF-8"))?;
        let name = text.trim_start_matches("dn:").trim();
        Ok(Some(name.to_owned()).filter(|t| !t.is_empty()))
    }
}
