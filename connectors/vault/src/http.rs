//! HTTP/1.1 over TLS to one origin: one request at a time, over one connection.
//!
//! It promises that nothing is sent anywhere but to the configured host and port, that no answer
//! is taken that is larger than asked for or packed, and that what was received is wiped. It
//! follows nothing, tries nothing again, and reads no proxy from the environment.

use crate::error::{broken_off, odd, timed_out, unreachable};
use crate::settings::{Vault, authority};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use lastkey_contract::{ConnectorError, ErrorKind, Secret};
use lastkey_tls::{Peer, Watched};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// The largest answer that is read: a list of a million names fits.
pub const LARGEST: usize = 64 * 1024 * 1024;

/// A client of one vault.
pub struct Http {
    address: String,
    host: String,
    port: u16,
    namespace: String,
    timeout: std::time::Duration,
    tls: Arc<ClientConfig>,
    watched: Arc<Watched>,
    token: Option<Secret>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub retry_after_ms: Option<u64>,
    pub request_id: Option<String>,
    pub body: Zeroizing<Vec<u8>>,
}

/// What the vault says beside a refusal.
#[derive(serde::Deserialize)]
struct Said {
    errors: Option<Vec<String>>,
    /// Stands in a whole answer, which some paths give beside a "not found".
    request_id: Option<String>,
}

impl Answer {
    /// The vault's own words about a refusal, cut to a sentence's length.
    pub fn said(&self) -> String {
        let said = self.errors().join("; ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = said.strip_prefix("1 error occurred: * ").unwrap_or(&said);
        said.chars().take(200).collect()
    }

    /// The vault's reasons as they came; none where it gave none.
    pub fn errors(&self) -> Vec<String> {
        serde_json::from_slice::<Said>(&self.body)
            .ok()
            .and_then(|said| said.errors)
            .unwrap_or_default()
    }

    /// Whether a "not found" is the vault's own word that nothing is there. Whatever stands before
    /// a vault gives the same status where it cannot find the vault, and that is no absence.
    pub fn nothing_there(&self) -> bool {
        let Ok(said) = serde_json::from_slice::<Said>(&self.body) else {
            return false;
        };
        let unknown = |word: &String| {
            word.contains("no handler for route") || word.contains("unsupported path")
        };
        match (self.status, said.errors) {
            (404, Some(errors)) => errors.iter().all(unknown),
            (404, None) => said.request_id.is_some(),
            _ => false,
        }
    }
}

impl Http {
    /// A client that has not connected yet.
    pub fn new(vault: &Vault) -> Result<Http, ConnectorError> {
        let (tls, watched) = lastkey_tls::client(Peer {
            kind: "vault",
            name: "vault",
            port: "check the address and the port, 8200 as a rule",
            ca_file: vault.ca_file.as_deref(),
        })?;
        Ok(Http {
            address: vault.address.clone(),
            host: vault.host.clone(),
            port: vault.port,
            namespace: vault.namespace.clone(),
            timeout: vault.timeout,
            tls,
            watched,
            token: None,
            connection: None,
        })
    }

    /// What every request is signed with from now on.
    pub fn sign_with(&mut self, token: Secret) {
        self.token = Some(token);
    }

    /// The vault's address, for sentences.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks once. `path` stands below `/v1/` and is encoded here; `query` is sent as it is.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<Zeroizing<Vec<u8>>>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let patience = self.timeout;
        let asked = tokio::time::timeout(patience, self.once(method, path, query, body, operation));
        match asked.await {
            Ok(answer) => answer,
            Err(_) => Err(timed_out(&self.address, operation)),
        }
    }

    async fn once(
        &mut self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<Zeroizing<Vec<u8>>>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let request = self.request(method, path, query, body, operation)?;
        // Taken out for the time of the request: whoever drops it half-way drops the connection.
        let open = self.connection.take().filter(|open| !open.is_closed());
        let mut open = match open {
            Some(open) => open,
            None => self.open(operation).await?,
        };
        open.ready()
            .await
            .map_err(|_| broken_off(&self.address, operation))?;
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
            return Err(odd(&self.address, operation, "it is packed, unasked"));
        }
        let mut received = Zeroizing::new(Vec::with_capacity(4096));
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| self.failed(&error, operation))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            if received.len() + data.len() > LARGEST {
                let what = format!("it is larger than {} MB", LARGEST / (1024 * 1024));
                return Err(odd(&self.address, operation, &what));
            }
            grow(&mut received, data.len());
            received.extend_from_slice(data);
        }
        self.connection = Some(open);
        let answer = Answer {
            status: parts.status.as_u16(),
            retry_after_ms: seconds(&parts.headers).map(|s| s.saturating_mul(1000)),
            request_id: text(&parts.headers, "x-request-id"),
            body: received,
        };
        // A sign-in page or a proxy answers any path with a page of its own.
        let page = text(&parts.headers, "content-type")
            .is_some_and(|kind| !kind.starts_with("application/json"));
        if page && answer.status < 300 && !answer.body.is_empty() {
            let what = "it is a page, not JSON";
            return Err(odd(&self.address, operation, what));
        }
        Ok(answer)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<Zeroizing<Vec<u8>>>,
        operation: &str,
    ) -> Result<Request<Full<Bytes>>, ConnectorError> {
        let target = match query {
            "" => format!("/v1/{}", encoded(path)),
            query => format!("/v1/{}?{query}", encoded(path)),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", authority(&self.host, self.port))
            .header("user-agent", "lastkey")
            .header("accept", "application/json")
            .header("accept-encoding", "identity")
            // asked for by agents that stand before a vault
            .header("x-vault-request", "true");
        // The server's own state is told outside of namespaces only.
        if !self.namespace.is_empty() && path != "sys/health" {
            request = request.header("x-vault-namespace", &self.namespace);
        }
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(token.expose()).map_err(|_| {
                ConnectorError::new(
                    ErrorKind::AuthRejected,
                    &self.address,
                    operation,
                    "the token holds characters that no token has",
                )
                .hint("give the token alone, on one line")
            })?;
            value.set_sensitive(true);
            request = request.header("x-vault-token", value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Bytes::new, Bytes::from_owner);
        request.body(Full::new(body)).map_err(|error| {
            ConnectorError::new(
                ErrorKind::Bug,
                &self.address,
                operation,
                format!("the request could not be made: {error}"),
            )
        })
    }

    async fn open(&self, operation: &str) -> Result<SendRequest<Full<Bytes>>, ConnectorError> {
        let unreachable = |why: String| unreachable(&self.address, operation, &why);
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| unreachable(format!("`{}` is not a host", self.host)))?;
        let stream = TcpStream::connect((self.host.as_str(), self.port))
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

    fn failed(&self, error: &hyper::Error, operation: &str) -> ConnectorError {
        if error.is_parse() {
            return odd(&self.address, operation, "it is not HTTP");
        }
        // A server can end TLS after the handshake, as for want of a certificate of ours.
        std::error::Error::source(error)
            .and_then(|cause| cause.downcast_ref())
            .and_then(|cause| self.watched.broken(&self.address, operation, cause))
            .unwrap_or_else(|| broken_off(&self.address, operation))
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

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.chars().take(100).collect())
}

/// `Retry-After` in seconds; a date counts from the answer's own.
fn seconds(headers: &HeaderMap) -> Option<u64> {
    let wanted = text(headers, "retry-after")?;
    if let Ok(seconds) = wanted.trim().parse() {
        return Some(seconds);
    }
    let moment = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
    let until = moment(&wanted)? - moment(&text(headers, "date")?)?;
    u64::try_from(until.num_seconds()).ok()
}

/// A path as it stands in a request line.
fn encoded(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(escaped).collect();
    parts.join("/")
}

/// A text as it stands in a query.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(encoded("secret/a b/ü?#%"), "secret/a%20b/%C3%BC%3F%23%25");
    }

    #[test]
    fn refusals_are_told_in_a_sentence() {
        let answer = |body: &str| Answer {
            status: 403,
            retry_after_ms: None,
            request_id: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        assert_eq!(answer(r#"{"errors":["a\n\tb"]}"#).said(), "a b");
        let one = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;
        assert_eq!(answer(one).said(), "permission denied");
        assert_eq!(answer("<html>").said(), "");
        let long = format!(r#"{{"errors":["{}"]}}"#, "x".repeat(10_000));
        assert_eq!(answer(&long).said().len(), 200);
    }

    #[track_caller]
    fn check(status: u16, body: &str, nothing_there: bool) {
        let answer = Answer {
            status,
            retry_after_ms: None,
            request_id: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        assert_eq!(answer.nothing_there(), nothing_there, "{status} {body}");
    }

    #[test]
    fn only_the_vaults_own_word_is_an_absence() {
        check(404, r#"{"errors":[]}"#, true);
        check(
            404,
            r#"{"errors":["no handler for route \"kv/\". route entry not found."]}"#,
            true,
        );
        check(
            404,
            r#"{"errors":["1 error occurred:\n\t* unsupported path\n\n"]}"#,
            true,
        );
        check(404, r#"{"request_id":"x","data":{"error":"gone"}}"#, true);
        check(404, r#"{"errors":["namespace not found"]}"#, false);
        check(404, r#"{"errors":["no such upstream"]}"#, false);
        check(404, r#"{"message":"no Route matched"}"#, false);
        check(404, "<html>404 Not Found", false);
        check(404, "", false);
        check(403, r#"{"errors":[]}"#, false);
    }
}
