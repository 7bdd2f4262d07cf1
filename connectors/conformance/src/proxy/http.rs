//! The proxy for HTTP: ends the TLS, forwards to the real server, spoils what the rules name, and
//! keeps what arrived where.

use super::answers::{HttpFault, Rule, Traps, Whole, json, made, spoilt};
use super::background::{Background, listen};
use super::body::{Feed, collected};
use super::certificates::{Authority, client};
use super::record::{Place, Record, Recorder, lock};
use hyper::body::{Bytes, Incoming};
use hyper::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The real server behind the proxy.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// TLS, vouched for by this authority under the server's IP address.
    Tls {
        address: SocketAddr,
        ca_pem: String,
    },
    Plain {
        address: SocketAddr,
    },
}

/// A proxy before one server. Dropped, it ends.
pub struct HttpProxy {
    address: SocketAddr,
    traps: Traps,
    shared: Arc<Shared>,
    _running: Background,
}

impl HttpProxy {
    /// Listens with a certificate of this authority, for 127.0.0.1 and `localhost`. A request
    /// that no rule strikes goes to the server and back as it is.
    pub fn start(upstream: Upstream, authority: &Authority) -> io::Result<HttpProxy> {
        let tls = TlsAcceptor::from(authority.for_loopback()?.server()?);
        let (front, address) = listen(0)?;
        let (other, other_address) = listen(0)?;
        let (clear, clear_address) = listen(0)?;
        let traps = Traps {
            other: format!("https://{other_address}"),
            clear: format!("http://{clear_address}"),
        };
        let server = match upstream {
            Upstream::Tls { address, ca_pem } => {
                Server::Tls(address, TlsConnector::from(client(&ca_pem)?))
            }
            Upstream::Plain { address } => Server::Plain(address),
        };
        let shared = Arc::new(Shared {
            server,
            traps: traps.clone(),
            rules: Mutex::new(Vec::new()),
            recorder: Recorder::new(),
        });
        let serving = Arc::clone(&shared);
        let running = Background::start("http proxy", move || async move {
            let other_tls = tls.clone();
            tokio::join!(
                serve(Arc::clone(&serving), Place::Proxy, front, Some(tls)),
                serve(
                    Arc::clone(&serving),
                    Place::OtherHost,
                    other,
                    Some(other_tls)
                ),
                serve(Arc::clone(&serving), Place::InClear, clear, None),
            );
        })?;
        Ok(HttpProxy {
            address,
            traps,
            shared,
            _running: running,
        })
    }

    /// `https://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// The address that [`super::RedirectTo::OtherHost`] leads to.
    pub fn other_url(&self) -> &str {
        &self.traps.other
    }
    /// The address that [`super::RedirectTo::InClear`] leads to.
    pub fn clear_url(&self) -> &str {
        &self.traps.clear
    }
    /// These rules from now on, in place of others; the first that strikes counts.
    pub fn set(&self, rules: impl IntoIterator<Item = Rule>) {
        *lock(&self.shared.rules) = rules.into_iter().collect();
    }
    /// No rules: everything goes through.
    pub fn clear(&self) {
        self.set([]);
    }
    /// What arrived, in its order.
    pub fn records(&self) -> Vec<Record> {
        self.shared.recorder.all()
    }
    /// How many requests arrived at the address that the connector was given.
    pub fn requests(&self) -> usize {
        let records = self.records();
        records.iter().filter(|r| r.place == Place::Proxy).count()
    }
    /// What arrived where nothing may arrive.
    pub fn strays(&self) -> Vec<Record> {
        let mut records = self.records();
        records.retain(|record| record.place != Place::Proxy);
        records
    }
    /// Forgets what arrived so far.
    pub fn forget(&self) {
        self.shared.recorder.forget();
    }
}

enum Server {
    Tls(SocketAddr, TlsConnector),
    Plain(SocketAddr),
}

struct Shared {
    server: Server,
    traps: Traps,
    rules: Mutex<Vec<Rule>>,
    recorder: Recorder,
}

async fn serve(shared: Arc<Shared>, place: Place, listener: TcpListener, tls: Option<TlsAcceptor>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        at_once(&stream);
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => requests(shared, place, stream).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        requests(shared, place, stream).await;
                    }
                }
            }
        });
    }
}

/// Small messages are sent when they are written: waiting for more would make each request
/// 40 ms longer than it is without the proxy.
fn at_once(stream: &TcpStream) {
    let _only_slower = stream.set_nodelay(true);
}

async fn requests(
    shared: Arc<Shared>,
    place: Place,
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
) {
    let answering = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(shared.answer(place, request).await) }
    });
    // How the connection ends is the client's or the fault's doing.
    let _ended = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answering)
        .await;
}

impl Shared {
    async fn answer(&self, place: Place, request: Request<Incoming>) -> Response<Feed> {
        let (head, body) = request.into_parts();
        let number = self.recorder.arrived(place, &head);
        let answer = match collected(body).await {
            Ok(body) => self.through(place, head, body).await,
            Err(error) => failed(&error).map(Feed::whole),
        };
        self.recorder.answered(number, answer.status().as_u16());
        answer
    }

    async fn through(&self, place: Place, head: Parts, body: Bytes) -> Response<Feed> {
        let path = head
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        let Some(fault) = self.fault(place, head.method.as_str(), &path) else {
            return self.forward(head, body).await.map(Feed::whole);
        };
        if let Some(answer) = made(&fault, &self.traps, &path) {
            return answer;
        }
        if fault == HttpFault::Hang {
            std::future::pending::<()>().await;
        }
        if let HttpFault::Latency(wait) = fault {
            tokio::time::sleep(wait).await;
        }
        let answer = self.forward(head, body).await;
        spoilt(&fault, &self.traps, answer)
    }

    /// The fault for a request, if there is one. Where nothing may arrive, nothing is spoilt.
    fn fault(&self, place: Place, method: &str, path: &str) -> Option<HttpFault> {
        match place {
            Place::Proxy => lock(&self.rules)
                .iter_mut()
                .find_map(|rule| rule.strikes(method, path).then(|| rule.fault.clone())),
            Place::OtherHost | Place::InClear => None,
        }
    }

    async fn forward(&self, head: Parts, body: Bytes) -> Whole {
        match self.ask(head, body).await {
            Ok(answer) => answer,
            Err(error) => failed(&error),
        }
    }

    async fn ask(&self, mut head: Parts, body: Bytes) -> io::Result<Whole> {
        head.headers.remove(CONNECTION);
        head.headers.remove(TRANSFER_ENCODING);
        head.headers.remove(CONTENT_LENGTH);
        let request = Request::from_parts(head, Feed::whole(body));
        match &self.server {
            Server::Plain(address) => {
                let stream = TcpStream::connect(address).await?;
                at_once(&stream);
                exchange(stream, request).await
            }
            Server::Tls(address, connector) => {
                let stream = TcpStream::connect(address).await?;
                at_once(&stream);
                let name = ServerName::from(address.ip());
                exchange(connector.connect(name, stream).await?, request).await
            }
        }
    }
}

/// One request on one connection.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Feed>,
) -> io::Result<Whole> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let running = tokio::spawn(connection);
    let answer = sender
        .send_request(request)
        .await
        .map_err(io::Error::other)?;
    let (mut head, body) = answer.into_parts();
    let body = collected(body).await?;
    running.abort();
    head.headers.remove(CONNECTION);
    head.headers.remove(TRANSFER_ENCODING);
    head.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(head, body))
}

/// The proxy could not reach the server: told apart from what the server says.
fn failed(error: &io::Error) -> Whole {
    let text = serde_json::json!({ "errors": [format!("the fault proxy failed: {error}")] });
    json(StatusCode::BAD_GATEWAY, text.to_string())
}
