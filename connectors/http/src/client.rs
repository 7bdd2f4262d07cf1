//! A client of one origin: one request at a time, over one connection.

use crate::{Answer, Builder, Method, Origin, Server};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, Request, Version};
use hyper_util::rt::TokioIo;
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_tls::{Own, Peer, Watched};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// The largest answer that is read: a list of a million names fits.
pub const LARGEST: usize = 64 * 1024 * 1024;

/// A client of one origin.
pub struct Client {
    server: &'static Server,
    origin: Origin,
    address: String,
    timeout: Duration,
    tls: Arc<ClientConfig>,
    watched: Arc<Watched>,
    any_type: bool,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(
        server: &'static Server,
        origin: Origin,
        ca_file: Option<&Path>,
        timeout: Duration,
    ) -> Result<Client, ConnectorError> {
        Client::of(server, origin, ca_file, Own::default(), timeout)
    }

    /// The same with what the source has of its own beside a file with its CA.
    pub fn of(
        server: &'static Server,
        origin: Origin,
        ca_file: Option<&Path>,
        own: Own<'_>,
        timeout: Duration,
    ) -> Result<Client, ConnectorError> {
        let peer = Peer {
            kind: server.kind,
            name: server.tls_name,
            port: server.port,
            ca_file,
        };
        let (tls, watched) = lastkey_tls::client_of(peer, own)?;
        Ok(Client {
            server,
            address: origin.address(),
            origin,
            timeout,
            tls,
            watched,
            any_type: false,
            connection: None,
        })
    }

    /// Takes answers whatever they say to be: the connector tells them from pages by what they hold.
    #[must_use]
    pub fn of_any_type(mut self) -> Client {
        self.any_type = true;
        self
    }

    /// The server's address, for sentences.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The origin that everything is sent to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A request for a path with its query, encoded; to be given the connector's own headers.
    pub fn request(&self, method: Method, target: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(target)
            .header("host", self.origin.authority())
            .header("user-agent", "lastkey")
            .header("accept-encoding", "identity")
    }

    /// Asks once, and waits no longer than the timeout for the whole answer.
    pub async fn ask(
        &mut self,
        request: Builder,
        body: Option<Zeroizing<Vec<u8>>>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let patience = self.timeout;
        match tokio::time::timeout(patience, self.once(request, body, operation)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.server.timed_out(&self.address, operation)),
        }
    }

    async fn once(
        &mut self,
        request: Builder,
        body: Option<Zeroizing<Vec<u8>>>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let body = body.map_or_else(Bytes::new, Bytes::from_owner);
        let request = request.body(Full::new(body)).map_err(|error| {
            let message = format!("the request could not be made: {error}");
            ConnectorError::new(ErrorKind::Bug, &self.address, operation, message)
        })?;
        // Taken out for the time of the request: whoever drops it half-way drops the connection.
        let open = self.connection.take().filter(|open| !open.is_closed());
        let mut open = match open {
            Some(open) => open,
            None => self.open(operation).await?,
        };
        open.ready()
            .await
            .map_err(|_| self.server.broken_off(&self.address, operation))?;
        let response = open
            .send_request(request)
            .await
            .map_err(|error| self.failed(&error, operation))?;
        let (parts, mut incoming) = response.into_parts();
        let packed = parts
            .headers
            .get("content-encoding")
            .is_some_and(|e| e.as_bytes() != b"identity");
        if packed {
            return Err(self.odd(operation, "it is packed, unasked"));
        }
        let mut received = Zeroizing::new(Vec::with_capacity(4096));
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| self.failed(&error, operation))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            if received.len() + data.len() > LARGEST {
                let what = format!("it is larger than {} MB", LARGEST / (1024 * 1024));
                return Err(self.odd(operation, &what));
            }
            grow(&mut received, data.len());
            received.extend_from_slice(data);
        }
        // A server that says so closes it, and may do so while the next request is under way.
        self.connection = Some(open).filter(|_| keeps(parts.version, &parts.headers));
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: received,
        };
        match !self.any_type && answer.is_a_page() {
            true => Err(self.odd(operation, "it is a page, not JSON")),
            false => Ok(answer),
        }
    }

    async fn open(&self, operation: &str) -> Result<SendRequest<Full<Bytes>>, ConnectorError> {
        let unreachable = |why: String| self.server.unreachable(&self.address, operation, &why);
        let Origin { host, port } = &self.origin;
        let name = ServerName::try_from(host.clone())
            .map_err(|_| unreachable(format!("`{host}` is not a host")))?;
        let stream = TcpStream::connect((host.as_str(), *port))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        // Small requests one after the other: waiting for more to send would only cost time.
        let _only_slower = stream.set_nodelay(true);
        let stream = TlsConnector::from(self.tls.clone())
            .connect(name, stream)
            .await
            .map_err(|error| self.watched.handshake(&self.address, operation, &error))?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.failed(&error, operation))?;
        tokio::spawn(async move {
            // How it ended is told by the request that was under way.
            let _told_elsewhere = connection.await;
        });
        Ok(sender)
    }

    fn odd(&self, operation: &str, what: &str) -> ConnectorError {
        self.server.odd(&self.address, operation, what)
    }

    fn failed(&self, error: &hyper::Error, operation: &str) -> ConnectorError {
        if error.is_parse() {
            return self.odd(operation, "it is not HTTP");
        }
        // A server can end TLS after the handshake, as for want of a certificate of ours.
        std::error::Error::source(error)
            .and_then(|cause| cause.downcast_ref())
            .and_then(|cause| self.watched.broken(&self.address, operation, cause))
            .unwrap_or_else(|| self.server.broken_off(&self.address, operation))
    }
}

/// A header that holds a secret, never shown by whoever logs headers.
pub fn secret_header(
    text: &str,
    system: &str,
    operation: &str,
) -> Result<HeaderValue, ConnectorError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        let message = "the token holds characters that no token has";
        ConnectorError::new(ErrorKind::AuthRejected, system, operation, message)
            .hint("give the token alone, on one line")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether the server leaves the connection open after its answer.
fn keeps(version: Version, headers: &HeaderMap) -> bool {
    let says = |word: &str| {
        let told = headers.get_all("connection").iter();
        let told = told.filter_map(|value| value.to_str().ok());
        told.flat_map(|value| value.split(','))
            .any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    match version == Version::HTTP_10 {
        true => says("keep-alive"),
        false => !says("close"),
    }
}

/// Makes room, and wipes what was there before: growing would leave a copy behind.
fn grow(received: &mut Zeroizing<Vec<u8>>, by: usize) {
    let needed = received.len() + by;
    if needed > received.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(received.capacity() * 2)));
        larger.extend_from_slice(received);
        *received = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_header_is_marked_and_never_quoted() {
        let good = secret_header("Bearer s3cret", "s", "o").unwrap();
        assert!(good.is_sensitive());
        let error = secret_header("s3cret\nx", "s", "o").unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"));
    }

    #[test]
    fn a_connection_is_kept_as_the_server_says() {
        let said = |version, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("connection", HeaderValue::from_str(value).unwrap());
            keeps(version, &headers)
        };
        assert!(keeps(Version::HTTP_11, &HeaderMap::new()));
        assert!(!keeps(Version::HTTP_10, &HeaderMap::new()));
        assert!(!said(Version::HTTP_11, "Close"));
        assert!(!said(Version::HTTP_11, "upgrade, close"));
        assert!(said(Version::HTTP_10, "keep-alive"));
    }

    #[test]
    fn growing_keeps_what_came() {
        let mut received = Zeroizing::new(b"ab".to_vec());
        grow(&mut received, 10_000);
        assert_eq!(received.as_slice(), b"ab");
        assert!(received.capacity() >= 10_002);
    }
}
