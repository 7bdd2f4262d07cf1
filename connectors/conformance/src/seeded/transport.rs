//! One HTTPS connection, with everything that an answer may do wrong told as the contract wants.

use super::flaw::Flaw;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::http::header::{AUTHORIZATION, CONTENT_ENCODING, DATE, HOST, LOCATION, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use lastkey_contract::{ConnectorError, ErrorKind};
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// No answer is longer.
const LONGEST: usize = 16 * 1024 * 1024;

/// A connection that is opened when it is needed, and again after it broke.
pub(super) struct Transport {
    at: SocketAddr,
    ca_pem: String,
    token: String,
    flaw: Flaw,
    open: Option<SendRequest<String>>,
}

/// An answer, read to its end.
pub(super) struct Got {
    status: StatusCode,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Clone for Transport {
    /// The same server and login; a connection of its own.
    fn clone(&self) -> Self {
        Self::new(self.at, &self.ca_pem, &self.token, self.flaw)
    }
}

impl Transport {
    pub(super) fn new(at: SocketAddr, ca_pem: &str, token: &str, flaw: Flaw) -> Self {
        Self {
            at,
            ca_pem: ca_pem.to_owned(),
            token: token.to_owned(),
            flaw,
            open: None,
        }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// `https://127.0.0.1:port`.
    pub(super) fn base(&self) -> String {
        format!("https://{}", self.at)
    }

    pub(super) fn error(
        &self,
        kind: ErrorKind,
        operation: &str,
        message: String,
    ) -> ConnectorError {
        let hint = match kind {
            ErrorKind::ConfigInvalid => "check the settings",
            ErrorKind::AuthRejected => "give the token of the reading login",
            ErrorKind::Forbidden => "give the login the right to read",
            ErrorKind::TlsUntrusted => "name the server's CA",
            ErrorKind::RateLimited => "wait, then sync again",
            ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Cancelled => {
                "check the address and the network, and sync again"
            }
            ErrorKind::Protocol => "look whether another server answers at this address",
            ErrorKind::CursorLost => "read this kind again from its start",
            ErrorKind::NotUnderstood | ErrorKind::Unsupported | ErrorKind::Bug => "report this",
        };
        ConnectorError::new(kind, self.base(), operation, message).hint(hint)
    }

    /// One request, one answer, status 200; anything else is an error.
    pub(super) async fn get(&mut self, path: &str, operation: &str) -> Result<Got, ConnectorError> {
        if self.flaw == Flaw::BlocksItsThread {
            std::thread::sleep(Duration::from_secs(3));
        }
        let patience = match self.flaw == Flaw::NoPatience {
            true => Duration::from_millis(100),
            false => Duration::MAX,
        };
        let got = tokio::time::timeout(patience, self.ask(Method::GET, path))
            .await
            .unwrap_or_else(|_| Err(Broken::Io(io::ErrorKind::TimedOut.into())));
        let got = match got {
            Err(_) if self.flaw == Flaw::TriesAgain => {
                self.open = None;
                self.ask(Method::GET, path).await
            }
            Ok(got) if self.flaw == Flaw::TriesAgain && got.status != StatusCode::OK => {
                self.ask(Method::GET, path).await
            }
            other => other,
        };
        let got = got.map_err(|broken| {
            self.open = None;
            self.broken(broken, operation)
        })?;
        if let Some(to) = got.headers.get(LOCATION)
            && self.flaw == Flaw::FollowsAnywhere
        {
            let to = to.to_str().unwrap_or_default().to_owned();
            self.follow(&to).await;
        }
        match self.refusal(&got, operation) {
            None => Ok(got),
            Some(error) => Err(error),
        }
    }

    /// Writes something, as no reader may.
    pub(super) async fn post(&mut self, path: &str) -> Result<(), ConnectorError> {
        match self.ask(Method::POST, path).await {
            Ok(_) => Ok(()),
            Err(broken) => Err(self.broken(broken, "write")),
        }
    }

    /// Goes wherever a link leads, and shows its token there, as no reader may.
    pub(super) async fn follow(&mut self, link: &str) {
        let Some((address, path)) = link
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'))
        else {
            return;
        };
        if let Ok(at) = address.parse() {
            let mut there = Transport::new(at, &self.ca_pem, &self.token, Flaw::None);
            // Whatever comes of it: it is already too late.
            let _answer = there.ask(Method::GET, &format!("/{path}")).await;
        }
    }

    /// What an answer other than 200 means.
    fn refusal(&self, got: &Got, operation: &str) -> Option<ConnectorError> {
        let status = got.status.as_u16();
        let error =
            |kind, message: &str| self.error(kind, operation, format!("{message} ({status})"));
        let refusal = match status {
            200 => match got.headers.get(CONTENT_ENCODING) {
                None => return None,
                Some(_) if self.flaw == Flaw::ReadsWithoutLimit => return None,
                Some(_) => error(
                    ErrorKind::Protocol,
                    "the answer is packed, although that was not asked for",
                ),
            },
            201 => return None,
            300..=399 => error(
                ErrorKind::Protocol,
                "the server sends us elsewhere, which is not followed",
            ),
            401 => {
                let said = String::from_utf8_lossy(&got.body).into_owned();
                match self.flaw == Flaw::SaysSecretBack {
                    true => self.error(ErrorKind::AuthRejected, operation, said),
                    false => error(ErrorKind::AuthRejected, "the server refused the token"),
                }
            }
            403 => error(ErrorKind::Forbidden, "this login may not read here"),
            410 => error(
                ErrorKind::CursorLost,
                "the server does not know this mark any more",
            ),
            429 => {
                let mut limited = error(ErrorKind::RateLimited, "the server asks to wait");
                if self.flaw != Flaw::IgnoresRetryAfter {
                    limited.retry_after_ms = retry_after(&got.headers);
                }
                limited
            }
            500..=599 => error(ErrorKind::Unavailable, "the server failed"),
            _ => error(ErrorKind::Protocol, "the server answered oddly"),
        };
        Some(refusal)
    }

    fn broken(&self, broken: Broken, operation: &str) -> ConnectorError {
        match broken {
            Broken::Io(error) => match error.get_ref().and_then(|e| e.downcast_ref()) {
                Some(rustls::Error::InvalidCertificate(why)) => self.error(
                    ErrorKind::TlsUntrusted,
                    operation,
                    format!("the server's certificate is not trusted: {why}"),
                ),
                Some(other) => self.error(
                    ErrorKind::Protocol,
                    operation,
                    format!("the server speaks no TLS that is safe: {other}"),
                ),
                None => self.error(
                    ErrorKind::Unavailable,
                    operation,
                    format!("the server cannot be reached: {error}"),
                ),
            },
            Broken::Http(error) if error.is_parse() => self.error(
                ErrorKind::Protocol,
                operation,
                "the server's answer is not HTTP".to_owned(),
            ),
            Broken::Http(_) => self.error(
                ErrorKind::Unavailable,
                operation,
                "the server closed the connection".to_owned(),
            ),
            Broken::TooLong => self.error(
                ErrorKind::Protocol,
                operation,
                format!("the answer is longer than {LONGEST} bytes"),
            ),
        }
    }

    async fn ask(&mut self, method: Method, path: &str) -> Result<Got, Broken> {
        let mut sender = match self.open.take().filter(|open| !open.is_closed()) {
            Some(open) => open,
            None => self.connection().await?,
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.at.to_string())
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .body(String::new())
            .map_err(|error| Broken::Io(io::Error::other(error)))?;
        sender.ready().await.map_err(Broken::Http)?;
        let answer = sender.send_request(request).await.map_err(Broken::Http)?;
        let (head, body) = answer.into_parts();
        let body = self.read(body).await?;
        self.open = Some(sender);
        Ok(Got {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    async fn read(&self, mut body: Incoming) -> Result<Vec<u8>, Broken> {
        let mut bytes = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            if let Ok(data) = frame.map_err(Broken::Http)?.into_data() {
                if bytes.len() + data.len() > LONGEST && self.flaw != Flaw::ReadsWithoutLimit {
                    return Err(Broken::TooLong);
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(bytes)
    }

    async fn connection(&self) -> Result<SendRequest<String>, Broken> {
        let config = match self.flaw == Flaw::TrustsAnybody {
            true => super::flaw::trusts_anybody(),
            false => crate::proxy::client(&self.ca_pem),
        }
        .map_err(Broken::Io)?;
        let stream = TcpStream::connect(self.at).await.map_err(Broken::Io)?;
        let stream = TlsConnector::from(config)
            .connect(ServerName::from(self.at.ip()), stream)
            .await
            .map_err(Broken::Io)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Broken::Http)?;
        // It ends with its sender.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// Why there is no answer.
enum Broken {
    Io(io::Error),
    Http(hyper::Error),
    TooLong,
}

/// Milliseconds to wait; a date counts from the answer's own date, so that no clock is needed.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u64>() {
        return seconds.checked_mul(1000);
    }
    let moment =
        |text: &str| chrono::NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT").ok();
    let wait = moment(asked)? - moment(text(DATE)?)?;
    wait.num_milliseconds().try_into().ok()
}
