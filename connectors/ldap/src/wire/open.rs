//! Opening: TCP, then TLS at once or after StartTLS, then the gate with the LDAP client behind it.

use super::gate::{Ended, Limits, pass};
use super::message::{Operation, check, length};
use crate::error::{closed, odd, timed_out, unreachable};
use crate::settings::{Directory, Security};
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_tls::{Peer, Watched};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls::pki_types::ServerName;
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const OPERATION: &str = "connect";
/// A StartTLS request (RFC 4511, 4.14) with id 1.
const STARTTLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// Longest answer to it that is read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A connection whose TLS stands.
pub struct Wire {
    watched: Arc<Watched>,
    ended: Arc<OnceLock<Ended>>,
    tasks: [JoinHandle<()>; 2],
}

impl Wire {
    /// Closes it, whoever else holds it.
    pub fn close(&self) {
        // They own the sockets; without them nothing goes on in the background.
        for task in &self.tasks {
            task.abort();
        }
    }

    /// Waits until both sides are done.
    pub async fn ended(&mut self) {
        for task in &mut self.tasks {
            let _ended_either_way = task.await;
        }
    }

    /// Why the connection ended, where it did.
    pub fn end(&self, system: &str, operation: &str) -> Option<ConnectorError> {
        let by_tls = |error| self.watched.broken(system, operation, error);
        let known = match self.ended.get()? {
            Ended::Wrong(what) => Some(odd(system, operation, what)),
            Ended::Broken(error) => by_tls(error),
            Ended::Unheard(error) => error
                .as_ref()
                .and_then(by_tls)
                .or_else(|| self.watched.closed(system, operation)),
            Ended::Closed => None,
        };
        known.or_else(|| Some(closed(system, operation)))
    }
}

/// Connects and verifies. What comes back asks over a gate that lets nothing unsound through.
pub async fn open(directory: &Directory) -> Result<(Ldap, Wire), ConnectorError> {
    let system = directory.url.as_str();
    let (config, watched) = lastkey_tls::client(Peer {
        kind: "ldap",
        name: "directory",
        port: "check the port: ldaps:// is 636 as a rule, and a directory on 389 takes ldap:// with starttls=true",
        ca_file: directory.ca_file.as_deref(),
    })?;
    let connecting = async {
        let name = ServerName::try_from(directory.host.clone()).map_err(|_| {
            let why = format!("`{}` is not a host", directory.host);
            unreachable(system, OPERATION, &why)
        })?;
        let mut stream = TcpStream::connect((directory.host.as_str(), directory.port))
            .await
            .map_err(|e| unreachable(system, OPERATION, &e.to_string()))?;
        // Small requests one after the other: waiting for more to send would only cost time.
        let _only_slower = stream.set_nodelay(true);
        if directory.security == Security::StartTls {
            start_tls(&mut stream, system).await?;
        }
        TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|e| watched.handshake(system, OPERATION, &e))
    };
    let stream = timeout(directory.timeout, connecting)
        .await
        .map_err(|_| timed_out(system, OPERATION))??;
    behind_a_gate(stream)
        .await
        .map(|(ldap, ended, tasks)| {
            let wire = Wire {
                watched,
                ended,
                tasks,
            };
            (ldap, wire)
        })
        .map_err(|why| {
            let message = format!("the LDAP client cannot be set up: {why}");
            ConnectorError::new(ErrorKind::Bug, system, OPERATION, message)
        })
}

/// Asks for TLS on a connection in clear. Nothing else is ever sent or taken in clear.
async fn start_tls(stream: &mut TcpStream, system: &str) -> Result<(), ConnectorError> {
    let broken = |_| closed(system, OPERATION);
    let wrong = |what| odd(system, OPERATION, what);
    stream.write_all(STARTTLS).await.map_err(broken)?;
    let mut bytes = Vec::with_capacity(4096);
    let whole = loop {
        if stream.read_buf(&mut bytes).await.map_err(broken)? == 0 {
            return Err(closed(system, OPERATION));
        }
        // a record of TLS: an alert, or a handshake
        if matches!(bytes.first(), Some(0x15 | 0x16)) {
            return Err(wrong("it speaks TLS from the start")
                .hint("write ldaps:// instead of ldap:// with starttls=true"));
        }
        match length(&bytes, LONGEST_ANSWER).map_err(wrong)? {
            Some(whole) if bytes.len() >= whole => break whole,
            Some(_) | None => {}
        }
    };
    // Whoever stands in between could have put it there, to be taken for sealed.
    if bytes.len() > whole {
        return Err(wrong("it goes on in clear after StartTLS"));
    }
    let answer = check(&mut bytes).map_err(wrong)?;
    match (answer.id, answer.operation, answer.result) {
        (1, Operation::ExtendedResponse, Some(0)) => Ok(()),
        (1, Operation::ExtendedResponse, Some(code)) => Err(ConnectorError::new(
            ErrorKind::Protocol,
            system,
            OPERATION,
            format!("the directory does not offer StartTLS (result {code})"),
        )
        .hint("use ldaps://, or switch TLS on in the directory")),
        // its farewell: the connection ends
        (0, Operation::ExtendedResponse, _) => Err(closed(system, OPERATION)),
        _ => Err(wrong("a message is no answer to what was asked")),
    }
}

type Gated = (Ldap, Arc<OnceLock<Ended>>, [JoinHandle<()>; 2]);

/// Puts the gate between the directory and the client.
async fn behind_a_gate(directory: TlsStream<TcpStream>) -> Result<Gated, ldap3::LdapError> {
    let (ours, theirs, url) = pair()?;
    let settings = LdapConnSettings::new().set_std_stream(theirs);
    let (driver, ldap) = LdapConnAsync::with_settings(settings, url).await?;
    let ended = Arc::new(OnceLock::new());
    let gate = tokio::spawn(pass(directory, ours, Limits::USUAL, Arc::clone(&ended)));
    let driver = tokio::spawn(async move {
        // What ends the connection is seen by the call that waits on it.
        let _ = driver.drive().await;
    });
    Ok((ldap, ended, [gate, driver]))
}

/// Two ends of a connection inside this process, the second as the client takes it.
#[cfg(unix)]
fn pair() -> io::Result<(tokio::net::UnixStream, StdStream, &'static str)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let ours = tokio::net::UnixStream::from_std(ours)?;
    Ok((ours, StdStream::Unix(theirs), "ldapi:///"))
}

/// Two ends of a connection inside this process: over loopback, where nothing else is offered.
#[cfg(not(unix))]
fn pair() -> io::Result<(TcpStream, StdStream, &'static str)> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let theirs = std::net::TcpStream::connect(listener.local_addr()?)?;
    let (ours, whose) = listener.accept()?;
    if whose != theirs.local_addr()? {
        return Err(io::Error::other("somebody else connected first"));
    }
    ours.set_nonblocking(true)?;
    let _only_slower = (ours.set_nodelay(true), theirs.set_nodelay(true));
    let ours = TcpStream::from_std(ours)?;
    Ok((ours, StdStream::Tcp(theirs), "ldap://127.0.0.1"))
}
