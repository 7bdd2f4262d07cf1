//! Servers whose TLS must be refused, without a fall back to something weaker.

use super::background::{Background, listen};
use super::certificates::{Authority, Certificate, Validity};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// What is wrong with a server's TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BadTls {
    /// Issued by an authority that nobody named.
    ForeignAuthority,
    /// Vouches for itself.
    SelfSigned,
    /// Issued by the right authority, for another host.
    WrongName,
    Expired,
    NotYetValid,
    /// Answers in TLS 1.1, whatever it is offered.
    OldVersion,
    /// Answers the handshake with rubbish.
    Garbage,
    /// Answers the handshake in clear, as a server without TLS does.
    InClear,
    /// Closes in the middle of the handshake.
    Cut,
}

impl BadTls {
    /// Every way to be wrong.
    pub const ALL: [BadTls; 9] = [
        BadTls::ForeignAuthority,
        BadTls::SelfSigned,
        BadTls::WrongName,
        BadTls::Expired,
        BadTls::NotYetValid,
        BadTls::OldVersion,
        BadTls::Garbage,
        BadTls::InClear,
        BadTls::Cut,
    ];

    /// Its name in results.
    pub fn word(self) -> &'static str {
        match self {
            BadTls::ForeignAuthority => "certificate of a foreign authority",
            BadTls::SelfSigned => "self-signed certificate",
            BadTls::WrongName => "certificate for another host",
            BadTls::Expired => "expired certificate",
            BadTls::NotYetValid => "certificate of the future",
            BadTls::OldVersion => "TLS 1.1 only",
            BadTls::Garbage => "garbage handshake",
            BadTls::InClear => "answer in clear",
            BadTls::Cut => "cut handshake",
        }
    }

    /// Whether it is the certificate that must be refused; else there is no handshake at all.
    pub fn is_certificate(self) -> bool {
        match self {
            BadTls::ForeignAuthority
            | BadTls::SelfSigned
            | BadTls::WrongName
            | BadTls::Expired
            | BadTls::NotYetValid => true,
            BadTls::OldVersion | BadTls::Garbage | BadTls::InClear | BadTls::Cut => false,
        }
    }

    /// Starts such a server; `trusted` is the authority that the connector is told to trust.
    pub fn start(self, trusted: &Authority) -> io::Result<BadTlsServer> {
        let here = ["127.0.0.1", "localhost"];
        let certificate = match self {
            BadTls::ForeignAuthority => Some(Authority::new("Foreign CA")?.for_loopback()?),
            BadTls::SelfSigned => Some(Certificate::self_signed(&here)?),
            BadTls::WrongName => Some(trusted.issue(&["elsewhere.example"], Validity::Now)?),
            BadTls::Expired => Some(trusted.issue(&here, Validity::Past)?),
            BadTls::NotYetValid => Some(trusted.issue(&here, Validity::Future)?),
            BadTls::OldVersion | BadTls::Garbage | BadTls::InClear | BadTls::Cut => None,
        };
        let acceptor = match certificate {
            Some(certificate) => Some(TlsAcceptor::from(certificate.server()?)),
            None => None,
        };
        let (listener, address) = listen(0)?;
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let running = Background::start("bad tls", move || async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move { self.answer(stream, acceptor, &seen).await });
            }
        })?;
        Ok(BadTlsServer {
            address,
            seen,
            _running: running,
        })
    }

    /// Ends however the client ends it: there is nothing to be done about either.
    async fn answer(self, mut stream: TcpStream, acceptor: Option<TlsAcceptor>, seen: &Seen) {
        if let Some(acceptor) = acceptor {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                count(&mut stream, seen).await;
            }
            return;
        }
        let mut hello = [0u8; 4096];
        let Ok(_first) = stream.read(&mut hello).await else {
            return;
        };
        let answer: &[u8] = match self {
            BadTls::OldVersion => OLD_HELLO,
            BadTls::Garbage => &[0xA5; 512],
            BadTls::InClear => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            BadTls::Cut => OLD_HELLO.get(..7).unwrap_or_default(),
            BadTls::ForeignAuthority
            | BadTls::SelfSigned
            | BadTls::WrongName
            | BadTls::Expired
            | BadTls::NotYetValid => &[],
        };
        if stream.write_all(answer).await.is_ok() && self != BadTls::Cut {
            // What comes now is at most an alert of 7 bytes; more would be a request.
            count(&mut stream, seen).await;
        }
    }
}

/// A record of TLS 1.1 with a ServerHello of version 1.1 (RFC 4346, 7.4.1.3): random of zeros, no
/// session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
const OLD_HELLO: &[u8] = &[
    0x16, 0x03, 0x02, 0x00, 0x2a, 0x02, 0x00, 0x00, 0x26, 0x03, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x2f, 0x00,
];

/// Counts what a client says after the handshake.
async fn count(stream: &mut (impl AsyncReadExt + Unpin), seen: &Seen) {
    let mut buffer = [0u8; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let count = count.try_into().unwrap_or(u64::MAX);
        seen.bytes.fetch_add(count, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    bytes: AtomicU64,
}

/// A server with bad TLS, until it is dropped.
pub struct BadTlsServer {
    address: SocketAddr,
    seen: Arc<Seen>,
    _running: Background,
}

impl BadTlsServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// How many connections came.
    pub fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::SeqCst)
    }
    /// How many bytes a client sent after the handshake: more than an alert is a request, and a
    /// request may hold a credential.
    pub fn bytes_after_handshake(&self) -> u64 {
        self.seen.bytes.load(Ordering::SeqCst)
    }
}
