//! HTTP/1.1 over TLS to one origin: one `GET` at a time, over one connection.
//!
//! It promises that nothing is sent anywhere but to the configured host and port, that nothing is
//! asked for but by `GET`, and that no answer is taken that is larger than asked for or packed. It
//! follows no redirect, tries nothing again, and reads no proxy from the environment.

use crate::error::{broken_off, odd, timed_out, unreachable};
use crate::settings::{Organization, authority};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use lastkey_contract::{ConnectorError, ErrorKind, Quota, Secret};
use lastkey_tls::{Peer, Watched};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The largest answer that is read: a hundred of anything is far smaller.
const LARGEST: usize = 64 * 1024 * 1024;

/// A client of one GitHub.
pub struct Http {
    address: String,
    host: String,
    port: u16,
    base: String,
    timeout: std::time::Duration,
    tls: Arc<ClientConfig>,
    watched: Arc<Watched>,
    token: Secret,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What GitHub says beside a refusal.
#[derive(serde::Deserialize)]
struct Said {
    message: Option<String>,
}

impl Answer {
    /// A header's value, cut to a sentence's length.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(value.chars().take(300).collect())
    }

    /// GitHub's own words about a refusal; None where the answer is not one of GitHub's: whatever
    /// stands before a server gives the same status where it cannot find or does not let through,
    /// and that says nothing about what is there.
    pub fn said(&self) -> Option<String> {
        let said = serde_json::from_slice::<Said>(&self.body).ok()?.message?;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(said.chars().take(200).collect())
    }

    pub fn request_id(&self) -> Option<String> {
        self.header("x-github-request-id")
    }

    /// The answer's own clock, in seconds since 1970: what a time in its headers is judged by.
    fn now(&self) -> Option<i64> {
        let date = self.header("date")?;
        let at = chrono::DateTime::parse_from_rfc2822(&date).ok()?;
        Some(at.timestamp())
    }

    /// What the rate limit still allows, as the answer says.
    pub fn quota(&self) -> Option<Quota> {
        let number = |name: &str| self.header(name)?.trim().parse::<u64>().ok();
        Some(Quota {
            remaining: number("x-ratelimit-remaining")?,
            resets_in_ms: self.resets_in_ms()?,
        })
    }

    fn resets_in_ms(&self) -> Option<u64> {
        let reset: i64 = self.header("x-ratelimit-reset")?.trim().parse().ok()?;
        let left = reset.checked_sub(self.now()?)?.max(0);
        u64::try_from(left).ok().map(|s| s.saturating_mul(1000))
    }

    /// Whether GitHub asks to wait; it says 403 as well as 429 for that.
    pub fn is_limited(&self) -> bool {
        let spent = self.header("x-ratelimit-remaining").as_deref() == Some("0");
        let asked = self.headers.contains_key("retry-after");
        let words = self.said().unwrap_or_default().to_lowercase();
        let told = words.contains("rate limit") || words.contains("abuse detection");
        match self.status {
            429 => true,
            403 => spent || asked || told,
            _ => false,
        }
    }

    /// How long GitHub asks to wait: as it says, else until the limit starts anew, else the minute
    /// that its documentation asks for after a secondary limit.
    pub fn wait_ms(&self) -> Option<u64> {
        if let Some(seconds) = self.retry_after() {
            return Some(seconds.saturating_mul(1000));
        }
        let spent = self.header("x-ratelimit-remaining").as_deref() == Some("0");
        match self.resets_in_ms().filter(|_| spent) {
            // The clock of the limit may be a second ahead.
            Some(left) => Some(left.saturating_add(1000)),
            None => (self.status == 403 && self.is_limited()).then_some(60_000),
        }
    }

    /// `Retry-After` in seconds; a date counts from the answer's own.
    fn retry_after(&self) -> Option<u64> {
        let wanted = self.header("retry-after")?;
        if let Ok(seconds) = wanted.trim().parse() {
            return Some(seconds);
        }
        let until = chrono::DateTime::parse_from_rfc2822(&wanted).ok()?;
        u64::try_from(until.timestamp() - self.now()?).ok()
    }
}

impl Http {
    /// A client that has not connected yet.
    pub fn new(organization: &Organization, token: Secret) -> Result<Http, ConnectorError> {
        let (tls, watched) = lastkey_tls::client(Peer {
            kind: "github",
            name: "GitHub server",
            port: "check the address and the port, 443 as a rule",
            ca_file: organization.ca_file.as_deref(),
        })?;
        Ok(Http {
            address: organization.address.clone(),
            host: organization.host.clone(),
            port: organization.port,
            base: organization.base.clone(),
            timeout: organization.timeout,
            tls,
            watched,
            token,
            connection: None,
        })
    }

    /// GitHub's address, for sentences.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The path and query below the base, where a link leads to the configured origin; None where
    /// it leads elsewhere.
    pub fn below(&self, link: &str) -> Option<String> {
        let rest = link.strip_prefix("https://")?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let (host, port) = lastkey_tls::host_and_port(authority, 443)?;
        let same = host.eq_ignore_ascii_case(&self.host) && port == self.port;
        let path = path.strip_prefix(&self.base)?;
        let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'<' && b != b'>';
        (same && path.starts_with('/') && path.bytes().all(plain)).then(|| path.to_owned())
    }

    /// Asks once. `target` is a path below the base with its query, encoded; `unless` is the mark
    /// of an answer that we have, in whose place 304 comes.
    pub async fn get(
        &mut self,
        target: &str,
        unless: Option<&str>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let patience = self.timeout;
        match tokio::time::timeout(patience, self.once(target, unless, operation)).await {
            Ok(answer) => answer,
            Err(_) => Err(timed_out(&self.address, operation)),
        }
    }

    async fn once(
        &mut self,
        target: &str,
        unless: Option<&str>,
        operation: &str,
    ) -> Result<Answer, ConnectorError> {
        let request = self.request(target, unless, operation)?;
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
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| self.failed(&error, operation))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            if body.len() + data.len() > LARGEST {
                let what = format!("it is larger than {} MB", LARGEST / (1024 * 1024));
                return Err(odd(&self.address, operation, &what));
            }
            body.extend_from_slice(data);
        }
        self.connection = Some(open);
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        };
        // A sign-in page or a proxy answers any path with a page of its own.
        let page = answer
            .header("content-type")
            .is_some_and(|kind| !kind.starts_with("application/json"));
        if page && answer.status < 300 && !answer.body.is_empty() {
            return Err(odd(&self.address, operation, "it is a page, not JSON"));
        }
        Ok(answer)
    }

    fn request(
        &self,
        target: &str,
        unless: Option<&str>,
        operation: &str,
    ) -> Result<Request<Empty<Bytes>>, ConnectorError> {
        let bearer = format!("Bearer {}", self.token.expose().trim());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
            ConnectorError::new(
                ErrorKind::AuthRejected,
                &self.address,
                operation,
                "the token holds characters that no token has",
            )
            .hint("give the token alone, on one line")
        })?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}{target}", self.base))
            .header("host", self.authority())
            .header("user-agent", "lastkey")
            .header(
                "accept",
                "application/vnd.github+json, application/json;q=0.9",
            )
            .header("accept-encoding", "identity")
            .header("x-github-api-version", "2022-11-28")
            .header("authorization", bearer);
        if let Some(mark) = unless {
            request = request.header("if-none-match", mark);
        }
        request.body(Empty::new()).map_err(|error| {
            ConnectorError::new(
                ErrorKind::Bug,
                &self.address,
                operation,
                format!("the request could not be made: {error}"),
            )
        })
    }

    /// What stands in `Host`: without the port where it is the usual one.
    fn authority(&self) -> String {
        match self.port {
            443 if !self.host.contains(':') => self.host.clone(),
            port => authority(&self.host, port),
        }
    }

    async fn open(&self, operation: &str) -> Result<SendRequest<Empty<Bytes>>, ConnectorError> {
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

/// A text as it stands in a path or a query.
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
pub mod tests {
    use super::*;

    /// An answer that nobody sent.
    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Answer {
            status,
            headers: map,
            body: body.as_bytes().to_vec(),
        }
    }

    const DATE: (&str, &str) = ("date", "Sun, 22 Nov 2026 10:00:00 GMT");

    #[track_caller]
    fn check(status: u16, headers: &[(&str, &str)], body: &str, wait: Option<Option<u64>>) {
        let answer = answer(status, headers, body);
        let found = answer.is_limited().then(|| answer.wait_ms());
        assert_eq!(found, wait, "{status} {headers:?} {body}");
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let said = r#"{"message":"Resource not accessible by integration"}"#;
        check(403, &[DATE], said, None);
        check(403, &[DATE, ("x-ratelimit-remaining", "12")], said, None);
        check(200, &[("x-ratelimit-remaining", "0")], "{}", None);
        check(429, &[], "{}", Some(None));
        check(429, &[("retry-after", "7")], "{}", Some(Some(7_000)));
        let date = ("retry-after", "Sun, 22 Nov 2026 10:00:09 GMT");
        check(429, &[DATE, date], "{}", Some(Some(9_000)));
        let spent = ("x-ratelimit-remaining", "0");
        let reset = ("x-ratelimit-reset", "1795341630");
        check(403, &[DATE, spent, reset], "{}", Some(Some(31_000)));
        check(403, &[("retry-after", "30")], "{}", Some(Some(30_000)));
        let second = r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#;
        check(403, &[DATE], second, Some(Some(60_000)));
    }

    #[test]
    fn what_is_left_is_told() {
        let spent = [
            DATE,
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1795341630"),
        ];
        let quota = answer(200, &spent, "[]").quota().unwrap();
        assert_eq!((quota.remaining, quota.resets_in_ms), (4_999, 30_000));
        assert_eq!(answer(200, &[], "[]").quota(), None);
    }

    #[test]
    fn only_githubs_own_words_count() {
        let said = |body: &str| answer(404, &[], body).said();
        assert_eq!(said(r#"{"message":"Not\n Found"}"#).unwrap(), "Not Found");
        for body in [
            "",
            "<html>404",
            "[]",
            r#"{"errors":["x"]}"#,
            r#"{"message":7}"#,
        ] {
            assert_eq!(said(body), None, "{body}");
        }
    }

    #[test]
    fn links_lead_nowhere_else() {
        let mut settings = lastkey_contract::Settings::default();
        for (key, value) in [
            ("organization", "o"),
            ("system", "s"),
            ("address", "https://git.example.org:8443"),
        ] {
            settings.0.insert(key.to_owned(), value.to_owned());
        }
        let organization = Organization::from_settings(&settings).unwrap();
        let http = Http::new(&organization, Secret::new("t".to_owned())).unwrap();
        let good = "https://git.example.org:8443/api/v3/organizations/1/members?page=2";
        assert_eq!(http.below(good).unwrap(), "/organizations/1/members?page=2");
        for link in [
            "http://git.example.org:8443/api/v3/x",
            "https://git.example.org/api/v3/x",
            "https://git.example.org:8443/x",
            "https://git.example.org:8443/api/v3x",
            "https://git.example.org:8443.evil.example/api/v3/x",
            "https://git.example.org:8443@evil.example/api/v3/x",
            "https://evil.example:8443/api/v3/x",
            "https://git.example.org:8443/api/v3/x y",
            "/api/v3/x",
            "",
        ] {
            assert_eq!(http.below(link), None, "{link}");
        }
    }
}
