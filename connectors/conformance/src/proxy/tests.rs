//! The proxy does what it says, seen from a client that takes everything as it comes.

use super::certificates::client;
use super::*;
use hyper::Request;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use tokio_rustls::TlsConnector;

/// Answers each request with `{"page":1,"next":"https://real/next"}`, whatever it asks.
fn web_server() -> SocketAddr {
    const BODY: &str = r#"{"page":1,"next":"https://real/next"}"#;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut asked = Vec::new();
                let mut buffer = [0u8; 1024];
                while !asked.windows(4).any(|w| w == b"\r\n\r\n") {
                    let count = stream.read(&mut buffer).unwrap();
                    asked.extend_from_slice(&buffer[..count]);
                }
                let length = BODY.len();
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{BODY}").unwrap();
            });
        }
    });
    address
}

/// Sends 100,000 bytes to whoever comes, and then closes.
fn byte_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                // a client that breaks off is what these tests are about
                let _broken = stream.write_all(&[7u8; 100_000]);
            });
        }
    });
    address
}

fn read_all(address: SocketAddr) -> (usize, std::io::Result<usize>) {
    let mut stream = match TcpStream::connect(address) {
        Ok(stream) => stream,
        Err(error) => return (0, Err(error)),
    };
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut got = Vec::new();
    let ended = stream.read_to_end(&mut got);
    (got.len(), ended)
}

#[test]
fn bytes_are_passed_on_or_broken_off_where_the_fault_says() {
    use std::io::ErrorKind;
    let proxy = TcpProxy::start(byte_server()).unwrap();
    assert_eq!(read_all(proxy.address()).0, 100_000);
    for (fault, bytes, ends) in [
        (TcpFault::CloseAfter(1_000), 1_000, None),
        (TcpFault::ResetAfter(0), 0, Some(ErrorKind::ConnectionReset)),
        (
            TcpFault::SilentAfter(50_000),
            50_000,
            Some(ErrorKind::WouldBlock),
        ),
        (TcpFault::Hang, 0, Some(ErrorKind::WouldBlock)),
        (TcpFault::Refuse, 0, Some(ErrorKind::ConnectionRefused)),
        (TcpFault::Latency(Duration::from_millis(5)), 100_000, None),
    ] {
        proxy.set(fault);
        std::thread::sleep(Duration::from_millis(50));
        let (got, ended) = read_all(proxy.address());
        assert_eq!(got, bytes, "{fault:?}");
        assert_eq!(ended.err().map(|e| e.kind()), ends, "{fault:?}");
    }
    // a reset throws away what was under way, so that the count is only a bound
    proxy.set(TcpFault::ResetAfter(30_000));
    std::thread::sleep(Duration::from_millis(50));
    let (got, ended) = read_all(proxy.address());
    assert!(got <= 30_000, "{got}");
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(proxy.struck() >= 4);
}

#[test]
fn slow_bytes_come_slowly_and_a_counted_fault_heals() {
    let proxy = TcpProxy::start(byte_server()).unwrap();
    proxy.set(TcpFault::Slow {
        bytes: 10_000,
        every: Duration::from_millis(20),
    });
    let start = Instant::now();
    assert_eq!(read_all(proxy.address()).0, 100_000);
    assert!(start.elapsed() > Duration::from_millis(150));
    proxy.set_times(TcpFault::CloseAfter(10), 2);
    let got: Vec<usize> = (0..3).map(|_| read_all(proxy.address()).0).collect();
    assert_eq!(got, [10, 10, 100_000]);
    assert_eq!(proxy.struck(), 2);
}

/// What a client sees that trusts this authority: status, headers as text, body or the error.
fn ask(url: &str, path: &str, ca: &str) -> (u16, String, Result<String, String>) {
    let address: SocketAddr = url.rsplit('/').next().unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let stream = TlsConnector::from(client(ca).unwrap())
            .connect(ServerName::from(address.ip()), stream)
            .await
            .unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = Request::get(path)
            .header("host", "h")
            .header("authorization", "canary-token")
            .body(String::new())
            .unwrap();
        let answering = sender.send_request(request);
        let answer = match tokio::time::timeout(Duration::from_millis(800), answering).await {
            Ok(answer) => answer.unwrap(),
            Err(_) => return (0, String::new(), Err("no answer".to_owned())),
        };
        let (head, body) = answer.into_parts();
        let read = tokio::time::timeout(Duration::from_millis(800), body::collected(body)).await;
        let body = match read {
            Ok(Ok(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no end".to_owned()),
        };
        (head.status.as_u16(), format!("{:?}", head.headers), body)
    })
}

#[test]
fn answers_are_spoilt_as_the_rules_say() {
    let authority = Authority::new("Proxy CA").unwrap();
    let upstream = Upstream::Plain {
        address: web_server(),
    };
    let proxy = HttpProxy::start(upstream, &authority).unwrap();
    let see = |rule: Option<Rule>| {
        proxy.set(rule);
        ask(&proxy.url(), "/v1/list?page=1", authority.pem())
    };
    let whole = r#"{"page":1,"next":"https://real/next"}"#;
    assert_eq!(see(None).2.unwrap(), whole);
    let (status, headers, _) = see(Some(Rule::always(HttpFault::TooMany(RetryAfter::Seconds(
        2,
    )))));
    assert_eq!(status, 429);
    assert!(headers.contains(r#""retry-after": "2""#), "{headers}");
    let (_, headers, _) = see(Some(Rule::always(HttpFault::TooMany(RetryAfter::Date(2)))));
    assert!(headers.contains("GMT"), "{headers}");
    assert_eq!(see(Some(Rule::always(HttpFault::Status(503)))).0, 503);
    let (_, _, body) = see(Some(Rule::always(HttpFault::Replace {
        find: "https://real".to_owned(),
        with: "{other}".to_owned(),
    })));
    assert!(body.unwrap().contains(proxy.other_url()));
    let (_, headers, _) = see(Some(Rule::always(HttpFault::Header {
        name: "link".to_owned(),
        value: "<{clear}/x>; rel=\"next\"".to_owned(),
    })));
    assert!(headers.contains(proxy.clear_url()), "{headers}");
    let (status, headers, _) = see(Some(Rule::always(HttpFault::Redirect(RedirectTo::InClear))));
    assert_eq!(status, 307);
    assert!(headers.contains(&format!("{}/v1/list?page=1", proxy.clear_url())));
    for (fault, says) in [
        (HttpFault::TooLong, "error"),
        (HttpFault::CutAfter(5), "error"),
        (HttpFault::Endless, "no end"),
        (HttpFault::Hang, "no answer"),
    ] {
        let error = see(Some(Rule::always(fault.clone()))).2.unwrap_err();
        let no_end = says == error;
        assert!(
            no_end || says == "error" && error != "no end",
            "{fault:?}: {error}"
        );
    }
    assert_eq!(
        see(Some(Rule::always(HttpFault::TooShort))).2.unwrap(),
        whole[..whole.len() / 2]
    );
    let (_, headers, body) = see(Some(Rule::always(HttpFault::Bomb)));
    assert!(headers.contains("gzip") && body.unwrap().len() > 100_000);
    let slow = HttpFault::Slow {
        bytes: 10,
        every: Duration::from_millis(20),
    };
    assert_eq!(see(Some(Rule::always(slow))).2.unwrap(), whole);
    let nested = see(Some(Rule::always(HttpFault::Garbage(Garbage::Nested))));
    assert_eq!(nested.2.unwrap().matches('[').count(), 100_000);
}

#[test]
fn rules_count_and_what_arrives_where_is_kept() {
    let authority = Authority::new("Proxy CA").unwrap();
    let upstream = Upstream::Plain {
        address: web_server(),
    };
    let proxy = HttpProxy::start(upstream, &authority).unwrap();
    proxy.set([Rule::always(HttpFault::Status(500))
        .path("/v1/")
        .method("GET")
        .after(1)
        .times(2)]);
    let statuses: Vec<u16> = ["/v1/a", "/v2/a", "/v1/b", "/v1/c", "/v1/d"]
        .iter()
        .map(|path| ask(&proxy.url(), path, authority.pem()).0)
        .collect();
    assert_eq!(statuses, [200, 200, 500, 500, 200]);
    assert_eq!(proxy.requests(), 5);
    assert!(proxy.strays().is_empty());
    assert_eq!(ask(proxy.other_url(), "/stray", authority.pem()).0, 200);
    let strays = proxy.strays();
    assert_eq!((strays.len(), strays[0].place), (1, Place::OtherHost));
    assert!(strays[0].holds("canary-token"));
    assert_eq!(strays[0].status, Some(200), "answered as the server would");
}

#[test]
fn bad_tls_is_bad_and_good_tls_is_good() {
    let authority = Authority::new("Lab CA").unwrap();
    let handshake = |address: SocketAddr| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            TlsConnector::from(client(authority.pem()).unwrap())
                .connect(ServerName::from(address.ip()), stream)
                .await
                .map(|_| ())
                .map_err(|error| error.to_string())
        })
    };
    for (bad, says) in [
        (BadTls::ForeignAuthority, "UnknownIssuer"),
        (BadTls::SelfSigned, "UnknownIssuer"),
        (BadTls::WrongName, "not valid for name"),
        (BadTls::Expired, "expired"),
        (BadTls::NotYetValid, "not valid yet"),
        (BadTls::OldVersion, "ServerDoesNotSupportTls12Or13"),
        (BadTls::Garbage, "corrupt"),
        (BadTls::InClear, "corrupt"),
        (BadTls::Cut, "eof"),
    ] {
        let server = bad.start(&authority).unwrap();
        let error = handshake(server.address()).unwrap_err();
        let (error, says) = (error.to_lowercase(), says.to_lowercase());
        assert!(error.contains(&says), "{bad:?}: {error}");
        assert_eq!(server.connections(), 1);
        assert!(server.bytes_after_handshake() <= 64, "{bad:?}");
    }
    assert_eq!(BadTls::ALL.len(), 9);
    let upstream = Upstream::Plain {
        address: web_server(),
    };
    let behind = HttpProxy::start(upstream, &authority).unwrap();
    handshake(behind.address()).unwrap();
    let certificate = authority.for_loopback().unwrap();
    let proxy = TcpProxy::start_tls(behind.address(), authority.pem(), &certificate).unwrap();
    let url = format!("https://{}", proxy.address());
    assert_eq!(ask(&url, "/", authority.pem()).0, 200);
}
