//! The proxy for every protocol: passes bytes on, and does something to those of the server.

use super::background::{Background, listen};
use super::certificates::{Certificate, client};
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What happens to a connection. Bytes are counted on each connection, from the moment the fault
/// is set, and only those of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpFault {
    /// Everything is passed on.
    None,
    /// Each part of an answer waits so long.
    Latency(Duration),
    /// So many bytes at a time, with a wait between.
    Slow { bytes: usize, every: Duration },
    /// After so many bytes the connection is reset (RST).
    ResetAfter(u64),
    /// After so many bytes the connection is closed in order (FIN).
    CloseAfter(u64),
    /// After so many bytes nothing more comes, and the connection stays.
    SilentAfter(u64),
    /// Nobody listens; open connections are reset.
    Refuse,
    /// Connections are taken and never answered; open ones fall silent.
    Hang,
}

#[derive(Clone, Copy, Debug)]
struct Setting {
    fault: TcpFault,
    /// How often it may still strike; None is always.
    left: Option<u32>,
    /// Grows with each setting, so that a connection counts anew.
    number: u64,
}

/// A proxy before one server. Dropped, it ends.
pub struct TcpProxy {
    address: SocketAddr,
    setting: watch::Sender<Setting>,
    counters: Arc<Counters>,
    _running: Background,
}

#[derive(Default)]
struct Counters {
    connections: AtomicU64,
    open: AtomicU64,
    struck: AtomicU64,
    bytes: AtomicU64,
}

impl TcpProxy {
    /// Passes the bytes on as they are: TLS goes through untouched.
    pub fn start(server: SocketAddr) -> io::Result<TcpProxy> {
        Self::run(Route { server, tls: None })
    }

    /// Ends the client's TLS with this certificate, and speaks TLS to the server, which must be
    /// vouched for by `server_ca_pem` under its IP address.
    pub fn start_tls(
        server: SocketAddr,
        server_ca_pem: &str,
        certificate: &Certificate,
    ) -> io::Result<TcpProxy> {
        Self::run(Route {
            server,
            tls: Some((
                TlsAcceptor::from(certificate.server()?),
                TlsConnector::from(client(server_ca_pem)?),
            )),
        })
    }

    fn run(route: Route) -> io::Result<TcpProxy> {
        let (listener, address) = listen(0)?;
        let (setting, watched) = watch::channel(Setting {
            fault: TcpFault::None,
            left: None,
            number: 0,
        });
        let counters = Arc::new(Counters::default());
        let shared = Shared {
            route: Arc::new(route),
            setting: setting.clone(),
            watched,
            counters: Arc::clone(&counters),
        };
        let running = Background::start("tcp proxy", move || async move {
            // Nothing listens any more then, and the test that needs it sees that.
            let _ended = shared.accept(listener, address.port()).await;
        })?;
        Ok(TcpProxy {
            address,
            setting,
            counters,
            _running: running,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
    /// From now on, on every connection.
    pub fn set(&self, fault: TcpFault) {
        self.change(fault, None);
    }
    /// From now on, until it has struck so often; then everything is passed on again. Only for
    /// faults that break off or fall silent; the others have no end of their own.
    pub fn set_times(&self, fault: TcpFault, times: u32) {
        self.change(fault, Some(times));
    }
    fn change(&self, fault: TcpFault, left: Option<u32>) {
        self.setting.send_modify(|setting| {
            *setting = Setting {
                fault,
                left,
                number: setting.number + 1,
            }
        });
    }
    /// How many connections came in all.
    pub fn connections(&self) -> u64 {
        self.counters.connections.load(Ordering::SeqCst)
    }
    /// How many connections stand now.
    pub fn open(&self) -> u64 {
        self.counters.open.load(Ordering::SeqCst)
    }
    /// How often a fault has broken off or fallen silent.
    pub fn struck(&self) -> u64 {
        self.counters.struck.load(Ordering::SeqCst)
    }
    /// How many bytes of the server were passed on.
    pub fn bytes(&self) -> u64 {
        self.counters.bytes.load(Ordering::SeqCst)
    }
}

struct Route {
    server: SocketAddr,
    tls: Option<(TlsAcceptor, TlsConnector)>,
}

#[derive(Clone)]
struct Shared {
    route: Arc<Route>,
    setting: watch::Sender<Setting>,
    watched: watch::Receiver<Setting>,
    counters: Arc<Counters>,
}

impl Shared {
    async fn accept(mut self, first: std::net::TcpListener, port: u16) -> io::Result<()> {
        let mut listener = Some(TcpListener::from_std(first)?);
        loop {
            let refuses = self.watched.borrow_and_update().fault == TcpFault::Refuse;
            if refuses {
                // The port is closed, and the system refuses.
                drop(listener.take());
                self.changed().await?;
                continue;
            }
            match listener.take() {
                None => listener = Some(again(port).await?),
                Some(open) => {
                    tokio::select! {
                        came = open.accept() => {
                            self.counters.connections.fetch_add(1, Ordering::SeqCst);
                            let shared = self.clone();
                            tokio::spawn(async move { shared.connection(came?.0).await });
                            listener = Some(open);
                        }
                        changed = self.watched.changed() => {
                            changed.map_err(io::Error::other)?;
                            listener = Some(open);
                        }
                    }
                }
            }
        }
    }

    async fn changed(&mut self) -> io::Result<()> {
        self.watched.changed().await.map_err(io::Error::other)
    }

    async fn connection(self, client: TcpStream) -> io::Result<()> {
        self.counters.open.fetch_add(1, Ordering::SeqCst);
        let counters = Arc::clone(&self.counters);
        let ended = self.pass(client).await;
        counters.open.fetch_sub(1, Ordering::SeqCst);
        ended
    }

    async fn pass(self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        if self.setting.borrow().fault == TcpFault::Hang {
            self.struck();
            return hold(client).await;
        }
        let server = TcpStream::connect(self.route.server).await?;
        server.set_nodelay(true)?;
        match &self.route.tls {
            None => self.clone().streams(client, server).await,
            Some((acceptor, connector)) => {
                let client = acceptor.accept(client).await?;
                let name = ServerName::from(self.route.server.ip());
                let server = connector.connect(name, server).await?;
                self.clone().streams(client, server).await
            }
        }
    }

    async fn streams<C: Wire, S: Wire>(mut self, mut client: C, mut server: S) -> io::Result<()> {
        let mut asked = vec![0u8; 16 * 1024];
        let mut answered = vec![0u8; 16 * 1024];
        let mut counted = Counted::default();
        loop {
            tokio::select! {
                count = client.read(&mut asked) => {
                    let count = count?;
                    if count == 0 {
                        return server.shutdown().await;
                    }
                    server.write_all(asked.get(..count).unwrap_or_default()).await?;
                }
                count = server.read(&mut answered) => {
                    let count = count?;
                    if count == 0 {
                        return client.shutdown().await;
                    }
                    let part = answered.get(..count).unwrap_or_default();
                    match self.give(&mut client, part, &mut counted).await? {
                        After::GoOn => {}
                        After::Reset => return client.reset(),
                        After::Close => return client.shutdown().await,
                        After::Silent => return hold(client).await,
                    }
                }
                changed = self.watched.changed() => {
                    changed.map_err(io::Error::other)?;
                    let fault = self.watched.borrow_and_update().fault;
                    match fault {
                        TcpFault::Refuse => return client.reset(),
                        TcpFault::Hang => {
                            self.struck();
                            return hold(client).await;
                        }
                        TcpFault::None
                        | TcpFault::Latency(_)
                        | TcpFault::Slow { .. }
                        | TcpFault::ResetAfter(_)
                        | TcpFault::CloseAfter(_)
                        | TcpFault::SilentAfter(_) => {}
                    }
                }
            }
        }
    }

    /// Gives a part of an answer to the client, as the fault wants it.
    async fn give<C: Wire>(
        &self,
        client: &mut C,
        part: &[u8],
        counted: &mut Counted,
    ) -> io::Result<After> {
        let setting = *self.setting.borrow();
        if counted.number != setting.number {
            *counted = Counted {
                number: setting.number,
                bytes: 0,
            };
        }
        let until = |limit: u64| {
            let room = limit.saturating_sub(counted.bytes);
            usize::try_from(room).unwrap_or(usize::MAX)
        };
        let (room, after) = match setting.fault {
            TcpFault::None | TcpFault::Refuse | TcpFault::Hang => (usize::MAX, After::GoOn),
            TcpFault::Latency(wait) => {
                tokio::time::sleep(wait).await;
                (usize::MAX, After::GoOn)
            }
            TcpFault::Slow { bytes, every } => {
                for few in part.chunks(bytes.max(1)) {
                    client.write_all(few).await?;
                    client.flush().await?;
                    tokio::time::sleep(every).await;
                }
                self.passed(part.len());
                return Ok(After::GoOn);
            }
            TcpFault::ResetAfter(limit) => (until(limit), After::Reset),
            TcpFault::CloseAfter(limit) => (until(limit), After::Close),
            TcpFault::SilentAfter(limit) => (until(limit), After::Silent),
        };
        let through = part.get(..room.min(part.len())).unwrap_or_default();
        client.write_all(through).await?;
        client.flush().await?;
        self.passed(through.len());
        counted.bytes += u64::try_from(through.len()).unwrap_or(u64::MAX);
        if room >= part.len() {
            return Ok(After::GoOn);
        }
        self.struck();
        Ok(after)
    }

    fn passed(&self, count: usize) {
        let count = count.try_into().unwrap_or(u64::MAX);
        self.counters.bytes.fetch_add(count, Ordering::SeqCst);
    }

    /// A fault has struck: where it was set for so many times, one is used up.
    fn struck(&self) {
        self.counters.struck.fetch_add(1, Ordering::SeqCst);
        self.setting.send_if_modified(|setting| {
            match setting.left {
                None => {}
                Some(left @ 2..) => setting.left = Some(left - 1),
                Some(_) => {
                    setting.fault = TcpFault::None;
                    setting.left = None;
                    return true;
                }
            }
            false
        });
    }
}

#[derive(Default)]
struct Counted {
    number: u64,
    bytes: u64,
}

enum After {
    GoOn,
    Reset,
    Close,
    Silent,
}

/// Keeps a connection without a word until the client ends it.
async fn hold(mut client: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut buffer = [0u8; 1024];
    while client.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Listens again on a port that was given up a moment ago.
async fn again(port: u16) -> io::Result<TcpListener> {
    for _ in 0..200 {
        if let Ok((listener, _)) = listen(port) {
            return TcpListener::from_std(listener);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    TcpListener::from_std(listen(port)?.0)
}

/// A stream whose socket can be reset.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
    /// Closes with RST: what is not yet sent is thrown away.
    fn reset(self) -> io::Result<()>
    where
        Self: Sized,
    {
        self.socket().set_zero_linger()
    }
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}
impl Wire for tokio_rustls::server::TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}
impl Wire for tokio_rustls::client::TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}
