//! A directory that means harm, or somebody in between before TLS stands: a real peer that sends
//! what it likes. Every case is one sentence and no abort, and no answer is held beyond measure.

use crate::harness::{configure, run};
use lastkey_conformance::proxy::Authority;
use lastkey_contract::{Connector, ConnectorError, ErrorKind, Kind, PageRequest};
use lastkey_tests::labs::Slapd;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An element with this tag and content.
pub fn of(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

fn message(id: u8, operation: &[u8], more: &[u8]) -> Vec<u8> {
    of(0x30, &[&of(0x02, &[id]), operation, more].concat())
}

/// A result of success.
fn result(tag: u8) -> Vec<u8> {
    of(
        tag,
        &[of(0x0a, &[0]), of(0x04, b""), of(0x04, b"")].concat(),
    )
}

/// Sequences within sequences.
fn nested(levels: usize) -> Vec<u8> {
    let mut headers: Vec<u8> = Vec::with_capacity(levels * 6);
    for level in 0..levels {
        let within = u32::try_from((levels - level - 1) * 6).unwrap();
        headers.extend([0x30, 0x84]);
        headers.extend(within.to_be_bytes());
    }
    headers
}

/// What a peer says to the request with this tag and id; the bind and the root entry are
/// answered well where it says nothing.
type Says = dyn Fn(u8, u8) -> Option<Vec<u8>> + Send + Sync;

/// A directory that says what it likes.
struct Peer {
    address: SocketAddr,
    folder: TempDir,
    _running: JoinHandle<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// After TLS.
    Sealed,
    /// Before.
    Clear,
}

impl Peer {
    fn start(from: From, says: impl Fn(u8, u8) -> Option<Vec<u8>> + Send + Sync + 'static) -> Peer {
        let authority = Authority::new("Hostile CA").unwrap();
        let folder = tempfile::tempdir().unwrap();
        authority.write(&folder.path().join("ca.pem")).unwrap();
        let config = authority.for_loopback().unwrap().server().unwrap();
        let says: Arc<Says> = Arc::new(says);
        let (send, address) = std::sync::mpsc::channel();
        // Ends with the test program.
        let running = std::thread::spawn(move || {
            run(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                send.send(listener.local_addr().unwrap()).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (says, config) = (Arc::clone(&says), config.clone());
                    tokio::spawn(async move {
                        match from {
                            From::Clear => answer(stream, says).await,
                            From::Sealed => {
                                if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                                    answer(stream, says).await;
                                }
                            }
                        }
                    });
                }
            });
        });
        Peer {
            address: address.recv().unwrap(),
            folder,
            _running: running,
        }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn connector(&self, from: From) -> Box<dyn Connector> {
        let url = match from {
            From::Sealed => format!("ldaps://{}", self.address),
            From::Clear => format!("ldap://{}", self.address),
        };
        let ca = self.ca();
        let mut pairs = vec![
            ("url", url.as_str()),
            ("ca_file", ca.to_str().unwrap()),
            ("bind_dn", Slapd::READER_DN),
            ("timeout", "10"),
        ];
        if from == From::Clear {
            pairs.push(("starttls", "true"));
        }
        configure(&pairs, Some("a password"))
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, says: Arc<Says>) {
    let mut bytes = vec![0u8; 64 * 1024];
    // Requests are short and come one after the other.
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        let request = &bytes[..count];
        let start = match request[1] {
            0x81 => 3,
            0x82 => 4,
            _ => 2,
        };
        assert_eq!(request[start..start + 2], [0x02, 0x01], "a small id");
        let (id, tag) = (request[start + 2], request[start + 3]);
        let usual = || match tag {
            0x60 => message(id, &result(0x61), b""),
            0x63 => message(id, &result(0x65), b""),
            _ => message(id, &result(0x78), b""),
        };
        let said = says(tag, id).unwrap_or_else(usual);
        // Written is only taken by TLS: the end of a long answer could stay with this side.
        if stream.write_all(&said).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

fn refused(peer: &Peer, from: From) -> ConnectorError {
    let connector = peer.connector(from);
    run(async {
        let mut session = connector.connect().await?;
        let request = PageRequest {
            cursor: None,
            limit: 100,
            since: None,
        };
        session.read_page(Kind::Account, request).await
    })
    .map(|page| panic!("{} records were taken", page.records.len()))
    .unwrap_err()
}

/// The most memory that this program ever held, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<u64>().unwrap() / 1024
}

#[track_caller]
fn breaks_the_protocol(
    name: &str,
    from: From,
    says: impl Fn(u8, u8) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> ConnectorError {
    let error = refused(&Peer::start(from, says), from);
    assert_eq!(error.kind, ErrorKind::Protocol, "{name}: {error}");
    assert!(
        error.message.starts_with("the directory answered oddly: "),
        "{name}: {error}"
    );
    assert!(
        !error.message.contains('\n') && error.hint.is_some(),
        "{name}: {error}"
    );
    error
}

const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;

#[test]
fn a_message_that_is_too_deep_ends_the_read_and_not_the_program() {
    for levels in [100, 1_000_000] {
        for at in [BIND, SEARCH] {
            breaks_the_protocol("bare", From::Sealed, move |tag, _| {
                (tag == at).then(|| nested(levels))
            });
        }
        breaks_the_protocol("within an entry", From::Sealed, move |tag, id| {
            (tag == SEARCH).then(|| message(id, &of(0x64, &nested(levels)), b""))
        });
        breaks_the_protocol("before TLS", From::Clear, move |_, _| Some(nested(levels)));
        // In a value nothing is taken apart but what is asked for: the place of the next page.
        breaks_the_protocol("within a control", From::Sealed, move |tag, id| {
            let parts = [
                of(0x04, b"1.2.840.113556.1.4.319"),
                of(0x04, &nested(levels)),
            ];
            let controls = of(0xa0, &of(0x30, &parts.concat()));
            (tag == SEARCH).then(|| message(id, &result(0x65), &controls))
        });
    }
}

#[test]
fn a_message_that_is_too_large_is_neither_waited_for_nor_held() {
    for (name, start) in [
        ("4 GiB", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..]),
        (
            "all that can be said",
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        ("no length", &[0x30, 0x80]),
        ("rubbish", &[0xa5; 512]),
    ] {
        let told = breaks_the_protocol(name, From::Sealed, |tag, _| {
            (tag == SEARCH).then(|| start.to_vec())
        });
        assert!(!told.message.contains("in time"), "{told}");
        breaks_the_protocol(name, From::Clear, |_, _| Some(start.to_vec()));
    }
    // Eight million empty values in sixteen megabytes: each would cost ten times its bytes.
    breaks_the_protocol("too many parts", From::Sealed, |tag, id| {
        let values = of(0x31, &[0x04, 0x00].repeat(8 << 20));
        let attribute = of(0x30, &[of(0x04, b"member"), values].concat());
        let parts = [of(0x04, b"o=x"), of(0x30, &attribute)].concat();
        (tag == SEARCH).then(|| message(id, &of(0x64, &parts), b""))
    });
    assert!(peak() < 512, "{} MiB were held", peak());
}

#[test]
fn messages_with_parts_missing_are_refused() {
    let code = of(0x0a, &[0]);
    let no_texts = of(0x65, &code);
    let empty_control = of(0xa0, &of(0x30, b""));
    for (name, operation, more) in [
        ("a result without its texts", no_texts, vec![]),
        ("a control without a name", result(0x65), empty_control),
        ("an answer of another sort", result(0x61), vec![]),
        ("a request", of(0x63, b""), vec![]),
    ] {
        breaks_the_protocol(name, From::Sealed, move |tag, id| {
            (tag == SEARCH).then(|| message(id, &operation, &more))
        });
    }
    breaks_the_protocol("nothing at all", From::Sealed, |tag, _| {
        (tag == BIND).then(|| of(0x30, b""))
    });
}

#[test]
fn nothing_is_taken_in_clear_but_the_consent_to_tls() {
    let told = breaks_the_protocol("more after it", From::Clear, |_, id| {
        let bound = message(2, &result(0x61), b"");
        Some([message(id, &result(0x78), b""), bound].concat())
    });
    assert!(told.message.contains("goes on in clear"), "{told}");
    breaks_the_protocol("an answer to something else", From::Clear, |_, id| {
        Some(message(id, &result(0x61), b""))
    });
}

#[test]
fn a_refusal_in_words_that_are_no_text_is_a_refusal() {
    let peer = Peer::start(From::Sealed, |tag, id| {
        let parts = [of(0x0a, &[49]), of(0x04, b""), of(0x04, b"ung\xfcltig")].concat();
        (tag == BIND).then(|| message(id, &of(0x61, &parts), b""))
    });
    let error = refused(&peer, From::Sealed);
    assert_eq!(error.kind, ErrorKind::AuthRejected, "{error}");
    assert!(error.message.contains("ung?ltig"), "{error}");
}

#[test]
fn starttls_that_is_refused_sends_no_password() {
    let peer = Peer::start(From::Clear, |tag, id| {
        assert_eq!(tag, 0x77, "nothing but StartTLS is asked in clear");
        let parts = [of(0x0a, &[2]), of(0x04, b""), of(0x04, b"no TLS here")].concat();
        Some(message(id, &of(0x78, &parts), b""))
    });
    let error = refused(&peer, From::Clear);
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    assert!(error.message.contains("does not offer StartTLS"), "{error}");
}
