//! The SDK's requests over our own HTTP: one place verifies TLS, no redirect is followed, nothing is
//! tried again, answers have a bounded size and are wiped.

use crate::error::SERVER;
use crate::settings::Cloud;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError as SdkConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_http::{Answer, Client, Method};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// What is kept of an answer beside what the SDK makes of it.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub request_id: Option<String>,
    pub retry_after_ms: Option<u64>,
}

/// Connections to AWS, one to each host.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    ca_file: Option<PathBuf>,
    timeout: Duration,
    clients: Mutex<BTreeMap<String, Arc<Mutex<Client>>>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub fn new(cloud: &Cloud) -> Wire {
        Wire(Arc::new(Inner {
            ca_file: cloud.ca_file.clone(),
            timeout: cloud.timeout,
            clients: Mutex::default(),
        }))
    }

    /// Asks once, with these headers.
    pub async fn post(
        &self,
        address: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Answer, ConnectorError> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let body = Zeroizing::new(body.to_vec());
        self.ask(address, Method::POST, "/", headers, Some(body))
            .await
    }

    async fn ask(
        &self,
        address: &str,
        method: Method,
        target: &str,
        headers: impl Iterator<Item = (&str, &str)>,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Answer, ConnectorError> {
        let client = self.client(address).await?;
        let mut client = client.lock().await;
        let mut built = client.request(method, target);
        for (name, value) in headers {
            // Said by our own client already; signed values are the same.
            let own = ["host", "user-agent", "accept-encoding"];
            if !own.contains(&name.to_ascii_lowercase().as_str()) {
                built = built.header(name, value);
            }
        }
        let answer = client.ask(built, body, "ask AWS").await?;
        if answer.status < 300 && !is_whole(&answer.body) {
            let what = "it is neither whole XML of AWS nor JSON";
            return Err(SERVER.odd(client.address(), "ask AWS", what));
        }
        Ok(answer)
    }

    async fn client(&self, address: &str) -> Result<Arc<Mutex<Client>>, ConnectorError> {
        let mut clients = self.0.clients.lock().await;
        if let Some(client) = clients.get(address) {
            return Ok(client.clone());
        }
        let (origin, _) = SERVER.origin(address)?;
        let ca_file = self.0.ca_file.as_deref();
        let client = Client::new(&SERVER, origin, ca_file, self.0.timeout)?.of_any_type();
        let client = Arc::new(Mutex::new(client));
        clients.insert(address.to_owned(), client.clone());
        Ok(client)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (address, target) = parted(request.uri());
        let bug = |what: &str| {
            let message = format!("the request {what}");
            ConnectorError::new(ErrorKind::Bug, address, "ask AWS", message)
        };
        let method = Method::from_bytes(request.method().as_bytes());
        let method = method.map_err(|_| bug("has a method that is none"))?;
        let body = request.body().bytes().ok_or_else(|| bug("has no body"))?;
        let body = (!body.is_empty()).then(|| Zeroizing::new(body.to_vec()));
        let headers = request.headers().iter();
        let answer = self.ask(address, method, target, headers, body).await?;
        let status = StatusCode::try_from(answer.status)
            .map_err(|_| SERVER.odd(address, "ask AWS", "its status is none"))?;
        let mut response = HttpResponse::new(status, SdkBody::from(answer.body.as_slice()));
        for (name, value) in &answer.headers {
            if let Ok(value) = value.to_str() {
                let (name, value) = (name.as_str().to_owned(), value.to_owned());
                let _odd_ones_are_left_out = response.headers_mut().try_append(name, value);
            }
        }
        response.add_extension(Answered::of(&answer));
        Ok(response)
    }
}

impl Answered {
    pub fn of(answer: &Answer) -> Answered {
        Answered {
            status: answer.status,
            request_id: answer
                .header("x-amzn-requestid")
                .or_else(|| answer.header("x-amz-request-id")),
            retry_after_ms: answer.retry_after_ms(),
        }
    }
}

/// `https://iam.amazonaws.com` and `/?x`.
fn parted(uri: &str) -> (&str, &str) {
    let host = uri.find("://").map_or(0, |at| at + 3);
    let rest = uri.get(host..).unwrap_or_default();
    let end = rest.find(['/', '?']).map_or(uri.len(), |at| host + at);
    let target = uri.get(end..).filter(|target| !target.is_empty());
    (uri.get(..end).unwrap_or(uri), target.unwrap_or("/"))
}

/// Whether it is an object of JSON, or XML to the end of an answer: a page and half an answer are
/// told from an answer that says little.
fn is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    match body.first() {
        Some(b'{') => body.ends_with(b"}"),
        Some(b'<') => body.ends_with(b"Response>"),
        Some(_) | None => false,
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            wire.send(request)
                .await
                .map_err(|error| SdkConnectorError::other(Box::new(error), None))
        })
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parted() {
        assert_eq!(parted("https://h:1/a/b?c"), ("https://h:1", "/a/b?c"));
        assert_eq!(parted("https://h"), ("https://h", "/"));
        assert_eq!(parted("https://h?a"), ("https://h", "?a"));
    }

    #[test]
    fn half_answers_and_pages_are_none() {
        for (body, whole) in [
            (
                "<?xml version='1.0'?><ListUsersResponse></ListUsersResponse>\n",
                true,
            ),
            ("<ListUsersResponse><Users>", false),
            ("<html></html>", false),
            ("{\"a\":1}", true),
            ("{\"a\":", false),
            ("", false),
            ("[]", false),
        ] {
            assert_eq!(is_whole(body.as_bytes()), whole, "{body}");
        }
    }
}
