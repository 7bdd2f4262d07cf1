//! The faults of networks, TLS, systems and HTTP, each on a connector that is told to go there.

use super::{Fault, Struck};
use lastkey_conformance::proxy::{
    Authority, BadTls, Garbage, HttpFault, HttpProxy, RedirectTo, RetryAfter, Rule, TcpFault,
    TcpProxy,
};
use lastkey_conformance::{Answer, Network, Scene, Subject, Trust};
use lastkey_contract::Connector;
use std::net::SocketAddr;
use std::time::Duration;

type Served = &'static dyn Subject;

pub fn healthy(subject: Served) -> Box<dyn Connector> {
    match subject.scene(Scene::Seeded) {
        Answer::Here(set_up) => set_up.connector,
        Answer::NotApplicable(_) | Answer::NotRun(_) => panic!("no healthy connector"),
    }
}

fn server(subject: Served) -> SocketAddr {
    match subject.network() {
        Network::None(why) => panic!("{why}"),
        Network::Tcp(address) => address,
        Network::Http(upstream) => match upstream {
            lastkey_conformance::proxy::Upstream::Tls { address, .. }
            | lastkey_conformance::proxy::Upstream::Plain { address } => address,
        },
    }
}

fn fault(name: impl Into<String>, start: impl FnOnce() -> Struck + 'static) -> Fault {
    Fault {
        name: name.into(),
        start: Box::new(start),
    }
}

/// Faults that a server has from the first byte, or in the middle of the longest answer.
pub fn of_the_network(subject: Served) -> Vec<Fault> {
    let half = 40_000; // in the middle of the answer with the text of 64 kB
    let slow = TcpFault::Slow {
        bytes: 100,
        every: Duration::from_millis(20),
    };
    [
        ("refused", TcpFault::Refuse),
        ("hangs", TcpFault::Hang),
        ("late", TcpFault::Latency(Duration::from_secs(4))),
        ("slow beyond patience", slow),
        ("reset at once", TcpFault::ResetAfter(0)),
        ("closed at once", TcpFault::CloseAfter(0)),
        ("reset mid-page", TcpFault::ResetAfter(half)),
        ("closed mid-page", TcpFault::CloseAfter(half)),
        ("silent mid-page", TcpFault::SilentAfter(half)),
    ]
    .map(|(name, what)| {
        fault(name, move || {
            let proxy = TcpProxy::start(server(subject)).unwrap();
            proxy.set(what);
            // the listener is closed by the proxy's own thread
            std::thread::sleep(Duration::from_millis(50));
            Struck {
                connector: subject.through(proxy.address(), Trust::Server),
                lift: Box::new(|| ()),
                lives: Box::new(proxy),
            }
        })
    })
    .into()
}

pub fn of_tls(subject: Served) -> Vec<Fault> {
    BadTls::ALL
        .map(|bad| {
            fault(format!("TLS: {}", bad.word()), move || {
                let authority = Authority::new("Matrix CA").unwrap();
                let server = bad.start(&authority).unwrap();
                Struck {
                    connector: subject.through(server.address(), Trust::Pem(authority.pem())),
                    lift: Box::new(|| ()),
                    lives: Box::new(server),
                }
            })
        })
        .into()
}

/// What the system itself does to a login.
pub fn of_the_system(subject: Served) -> Vec<Fault> {
    [
        ("wrong secret", Scene::WrongSecret),
        ("too few rights", Scene::TooFewRights),
        ("clipped", Scene::Clipped),
    ]
    .into_iter()
    .filter_map(|(name, scene)| match subject.scene(scene) {
        Answer::Here(set_up) => Some(fault(name, move || Struck {
            connector: set_up.connector,
            lift: Box::new(|| ()),
            lives: set_up.lives,
        })),
        Answer::NotApplicable(_) => None,
        Answer::NotRun(missing) => panic!("{}: {}", missing.server, missing.why),
    })
    .collect()
}

/// What an HTTP server answers to one request in the middle of a read, each time.
pub fn of_http(subject: Served, path: &'static str) -> Vec<Fault> {
    let here = |with: &str| HttpFault::Replace {
        find: "https://127.0.0.1:{port}".to_owned(),
        with: with.to_owned(),
    };
    let mut all: Vec<(String, HttpFault)> = vec![
        (
            "429, an hour".into(),
            HttpFault::TooMany(RetryAfter::Seconds(3_600)),
        ),
        (
            "429, no time".into(),
            HttpFault::TooMany(RetryAfter::Missing),
        ),
        ("a next link to another host".into(), here("{other}")),
        ("a next link in clear".into(), here("{clear}")),
        ("a bomb".into(), HttpFault::Bomb),
        ("a body without end".into(), HttpFault::Endless),
        ("a length too long".into(), HttpFault::TooLong),
        ("a length too short".into(), HttpFault::TooShort),
        ("a body cut".into(), HttpFault::CutAfter(20)),
        ("no answer".into(), HttpFault::Hang),
        ("401".into(), HttpFault::Status(401)),
        ("404".into(), HttpFault::Status(404)),
    ];
    for status in [500, 502, 503] {
        all.push((status.to_string(), HttpFault::Status(status)));
    }
    for to in [
        RedirectTo::OtherHost,
        RedirectTo::InClear,
        RedirectTo::Itself,
    ] {
        all.push((format!("a redirect to {to:?}"), HttpFault::Redirect(to)));
    }
    for garbage in [
        Garbage::Html,
        Garbage::CutJson,
        Garbage::Bytes,
        Garbage::OtherShape,
        Garbage::Nested,
        Garbage::Empty,
    ] {
        all.push((format!("garbage {garbage:?}"), HttpFault::Garbage(garbage)));
    }
    all.into_iter()
        .map(|(name, what)| {
            fault(format!("HTTP: {name}"), move || {
                let Network::Http(upstream) = subject.network() else {
                    panic!("it speaks no HTTP")
                };
                let authority = Authority::new("Matrix CA").unwrap();
                let proxy = HttpProxy::start(upstream, &authority).unwrap();
                let what = match what {
                    HttpFault::Replace { with, .. } => HttpFault::Replace {
                        find: proxy.url(),
                        with,
                    },
                    other => other,
                };
                proxy.set([Rule::always(what).path(path)]);
                Struck {
                    connector: subject.through(proxy.address(), Trust::Pem(authority.pem())),
                    lift: Box::new(|| ()),
                    lives: Box::new(proxy),
                }
            })
        })
        .collect()
}
