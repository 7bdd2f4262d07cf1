//! One connection to the server: TCP, then TLS that is verified or the connection refused, then the
//! sign-in. Nothing is ever sent in clear but the wish for TLS.

use crate::error::{failed, timed_out, unreachable};
use crate::settings::Server;
use lastkey_contract::{ConnectorError, Secret};
use lastkey_tls::{Peer, Watched};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config};

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// An open connection, signed in.
pub struct Connection {
    pub client: Client,
    pub system: String,
    pub watched: Arc<Watched>,
    /// Whether the server asked for a password before it let us in.
    pub password_asked: bool,
    running: Running,
}

/// What passes messages to and fro; dropped, the connection is closed.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why there is none.
pub enum NoConnection {
    /// The server's own word, after TLS stood.
    Refused(Box<tokio_postgres::Error>, Arc<Watched>),
    Failed(ConnectorError),
}

impl Connection {
    /// Connects, verifies, signs in.
    pub async fn open(
        server: &Server,
        username: &str,
        password: &Secret,
        options: &str,
    ) -> Result<Connection, NoConnection> {
        let system = server.shown();
        let connecting = Self::opening(server, username, password, options);
        match timeout(server.timeout, connecting).await {
            Ok(opened) => opened,
            Err(_) => Err(NoConnection::Failed(timed_out(&system, "connect"))),
        }
    }

    async fn opening(
        server: &Server,
        username: &str,
        password: &Secret,
        options: &str,
    ) -> Result<Connection, NoConnection> {
        let system = server.shown();
        let (config, watched) = lastkey_tls::client(Peer {
            kind: "postgresql",
            name: "server",
            port: "check the port, 5432 as a rule",
            ca_file: server.ca_file.as_deref(),
        })
        .map_err(NoConnection::Failed)?;
        let name = ServerName::try_from(server.host.clone()).map_err(|_| {
            let why = format!("`{}` is not a host", server.host);
            NoConnection::Failed(unreachable(&system, &why))
        })?;
        let stream = TcpStream::connect((server.host.as_str(), server.port))
            .await
            .map_err(|e| NoConnection::Failed(unreachable(&system, &e.to_string())))?;
        // Small requests one after the other: waiting for more to send would only cost time.
        let _only_slower = stream.set_nodelay(true);
        let heard = Arc::new(Heard::default());
        let tls = Tls {
            config,
            name,
            heard: Arc::clone(&heard),
        };
        let mut wanted = Config::new();
        wanted
            .user(username)
            .password(password.expose())
            .dbname(&server.database)
            .application_name("lastkey")
            .options(options)
            .ssl_mode(SslMode::Require);
        let (client, connection) = match wanted.connect_raw(stream, tls).await {
            Ok(both) => both,
            Err(error) if error.as_db_error().is_some() => {
                return Err(NoConnection::Refused(Box::new(error), watched));
            }
            Err(error) => {
                return Err(NoConnection::Failed(failed(
                    &system, "connect", &error, &watched,
                )));
            }
        };
        let running = Running(tokio::spawn(async move {
            // How it ended is told by the request that was under way.
            let _told_elsewhere = connection.await;
        }));
        Ok(Connection {
            client,
            system,
            watched,
            password_asked: heard.password_asked(),
            running,
        })
    }

    /// What was asked on it, no later than patience lasts.
    pub async fn told<T>(
        &self,
        patience: Duration,
        operation: &str,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, ConnectorError> {
        timeout(patience, asked)
            .await
            .map_err(|_| timed_out(&self.system, operation))?
            .map_err(|error| failed(&self.system, operation, &error, &self.watched))
    }

    /// Says goodbye and waits until the connection has ended.
    pub async fn close(self) {
        let Connection {
            client,
            mut running,
            ..
        } = self;
        // Dropped, it says goodbye.
        drop(client);
        let _gone_already = timeout(GOODBYE, &mut running.0).await;
    }
}

/// What the server asked for first: `R`, a length, and the sort of sign-in that it wants.
#[derive(Default)]
struct Heard {
    at: AtomicU8,
    sort: AtomicU8,
}

impl Heard {
    /// Only the ninth byte counts: sorts of sign-in are small numbers.
    fn hear(&self, bytes: &[u8]) {
        for byte in bytes {
            let at = self.at.load(Ordering::Relaxed);
            match at {
                0 if *byte != b'R' => self.at.store(u8::MAX, Ordering::Relaxed),
                0..=7 => self.at.store(at + 1, Ordering::Relaxed),
                8 => {
                    self.sort.store(*byte, Ordering::Relaxed);
                    self.at.store(u8::MAX, Ordering::Relaxed);
                }
                _ => return,
            }
        }
    }

    /// In clear behind TLS, by MD5, or by SASL.
    fn password_asked(&self) -> bool {
        matches!(self.sort.load(Ordering::Relaxed), 3 | 5 | 10)
    }
}

/// TLS as the crate of the protocol wants it.
struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    heard: Arc<Heard>,
}

impl TlsConnect<TcpStream> for Tls {
    type Stream = Sealed;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Sealed>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move {
            let connector = tokio_rustls::TlsConnector::from(self.config);
            let stream = connector.connect(self.name, stream).await?;
            Ok(Sealed {
                stream,
                heard: self.heard,
            })
        })
    }
}

/// A sealed connection, listened to.
struct Sealed {
    stream: tokio_rustls::client::TlsStream<TcpStream>,
    heard: Arc<Heard>,
}

impl TlsStream for Sealed {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Sealed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.heard
            .hear(buf.filled().get(before..).unwrap_or_default());
        read
    }
}

impl AsyncWrite for Sealed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pieces: &[&[u8]], asked: bool) {
        let heard = Heard::default();
        pieces.iter().for_each(|piece| heard.hear(piece));
        assert_eq!(heard.password_asked(), asked, "{pieces:?}");
    }

    #[test]
    fn whether_a_password_was_asked_for() {
        check(&[b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"], true);
        check(&[b"R\0\0", b"\0\x0c\0\0\0", b"\x05abcd"], true);
        check(&[b"R\0\0\0\x08\0\0\0\x03"], true);
        check(&[b"R\0\0\0\x08\0\0\0\0", b"R\0\0\0\x08\0\0\0\x03"], false);
        check(&[b"E\0\0\0\x08\0\0\0\x03"], false);
        check(&[b"R\0\0\0\x08\0\0\0\x07"], false);
        check(&[], false);
    }
}
