//! Answers for a world over HTTPS on 127.0.0.1, as a vendor's API would: bearer tokens, rights,
//! pages with links, watermarks, a limit that cuts answers, a log.

use super::world::World;
use crate::proxy::lock;
use crate::proxy::{Authority, Upstream};
use crate::proxy::{Background, listen};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::http::header::{AUTHORIZATION, HOST};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use lastkey_contract::Kind;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio_rustls::TlsAcceptor;

/// A login and what it may do.
#[derive(Clone, Debug)]
pub struct Account {
    pub token: &'static str,
    /// `read:account` and the like; anything else is more than reading.
    pub rights: Vec<String>,
}

/// A running server. Dropped, it ends.
pub struct Server {
    address: SocketAddr,
    authority: Authority,
    state: Arc<State>,
    _running: Background,
}

struct State {
    world: Mutex<World>,
    accounts: Vec<Account>,
    /// How many objects of a kind are told at most.
    cut: Option<usize>,
    writes: Mutex<Vec<String>>,
}

impl Server {
    /// Starts on a free port.
    pub fn start(world: World, accounts: Vec<Account>, cut: Option<usize>) -> io::Result<Server> {
        let authority = Authority::new("Seeded CA")?;
        let tls = TlsAcceptor::from(authority.for_loopback()?.server()?);
        let (listener, address) = listen(0)?;
        let state = Arc::new(State {
            world: Mutex::new(world),
            accounts,
            cut,
            writes: Mutex::new(Vec::new()),
        });
        let serving = Arc::clone(&state);
        let running = Background::start("seeded server", move || async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (Arc::clone(&serving), tls.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else {
                        return;
                    };
                    let answering = service_fn(move |request| {
                        let state = Arc::clone(&state);
                        async move { Ok::<_, Infallible>(state.answer(&request)) }
                    });
                    // How a connection ends is the client's doing.
                    let _ended = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), answering)
                        .await;
                });
            }
        })?;
        Ok(Server {
            address,
            authority,
            state,
            _running: running,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// The certificate of its authority.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }
    /// The server as a proxy's other side.
    pub fn upstream(&self) -> Upstream {
        Upstream::Tls {
            address: self.address,
            ca_pem: self.ca_pem().to_owned(),
        }
    }
    /// Changes the world; gives back what is then there.
    pub fn change(&self, change: impl FnOnce(&mut World)) -> crate::subject::Facts {
        let mut world = lock(&self.state.world);
        change(&mut world);
        world.facts()
    }
    /// What clients have written, one line each.
    pub fn writes(&self) -> Vec<String> {
        lock(&self.state.writes).clone()
    }
}

/// A body in one piece.
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn told(status: StatusCode, body: &Value) -> Response<Whole> {
    let mut answer = Response::new(Whole(Some(body.to_string().into())));
    *answer.status_mut() = status;
    answer
}

fn refused(status: StatusCode, why: &str) -> Response<Whole> {
    told(status, &json!({ "error": why }))
}

impl State {
    fn answer(&self, request: &Request<Incoming>) -> Response<Whole> {
        let header = |name| request.headers().get(name).and_then(|v| v.to_str().ok());
        let token = header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let Some(account) = self.accounts.iter().find(|a| Some(a.token) == token) else {
            // As a careless server does: it says back what it was sent.
            return refused(
                StatusCode::UNAUTHORIZED,
                &format!("`{}` is not a token", token.unwrap_or_default()),
            );
        };
        let path = request.uri().path();
        if request.method() != Method::GET {
            lock(&self.writes).push(format!("{} {path}", request.method()));
            return refused(StatusCode::CREATED, "kept");
        }
        if path == "/v1/me" {
            let rights = &account.rights;
            return told(
                StatusCode::OK,
                &json!({"name": "reader", "server": "Seeded 1", "rights": rights}),
            );
        }
        let kind = path.strip_prefix("/v1/").and_then(Kind::from_word);
        let Some(kind) = kind.filter(|kind| lock(&self.world).kinds().contains(kind)) else {
            return refused(StatusCode::NOT_FOUND, "nothing is here");
        };
        if !account.rights.contains(&format!("read:{kind}")) {
            return refused(StatusCode::FORBIDDEN, "this login may not read here");
        }
        let base = format!("https://{}{path}", header(HOST).unwrap_or_default());
        self.list(kind, request.uri().query().unwrap_or_default(), &base)
    }

    fn list(&self, kind: Kind, query: &str, base: &str) -> Response<Whole> {
        let asked = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let world = lock(&self.world);
        let since = match asked("since") {
            None => 0,
            Some(text) => match text.parse::<u64>() {
                Ok(mark @ 1..) if mark <= world.changes() => mark,
                Ok(_) | Err(_) => return refused(StatusCode::GONE, "this mark is not known"),
            },
        };
        let after = match asked("after").map(unpacked) {
            None => None,
            Some(Some(key)) => Some(key),
            Some(None) => return refused(StatusCode::BAD_REQUEST, "this is no place in the list"),
        };
        let limit: usize = asked("limit").and_then(|n| n.parse().ok()).unwrap_or(100);
        let skip: usize = asked("skip").and_then(|n| n.parse().ok()).unwrap_or(0);
        let most = self.cut.unwrap_or(usize::MAX);
        let wanted = limit.saturating_add(skip);
        let mut part = world.part(kind, after.as_deref(), wanted, since);
        part.facts.drain(..skip.min(part.facts.len()));
        let total = usize::try_from(part.total).unwrap_or(usize::MAX);
        let clipped = self.cut.is_some() && total > most;
        if clipped {
            part.facts.truncate(most);
            part.next = None;
        }
        let next = part
            .next
            .map(|key| format!("{base}?after={}", packed(&key)));
        told(
            StatusCode::OK,
            &json!({"records": part.facts, "next": next, "total": part.total, "clipped": clipped,
                "watermark": world.changes().to_string(), "gone": part.gone}),
        )
    }
}

/// A key as it may stand in an address.
pub(super) fn packed(key: &str) -> String {
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("k{hex}")
}

/// A key out of an address; None for anything that `packed` did not make.
pub(super) fn unpacked(text: &str) -> Option<String> {
    let hex = text
        .strip_prefix('k')
        .filter(|hex| hex.len() >= 2 && hex.len() % 2 == 0)?;
    let bytes = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}
