//! What a web server, or whatever stands before it, answers to the requests of a read: each status to
//! one of them, and a refusal, a "not found" and an error of the server to each single one.

use super::{Fault, Struck};
use crate::whole::read_to_the_end;
use lastkey_conformance::proxy::{Authority, HttpFault, HttpProxy, Rule};
use lastkey_conformance::{Network, Subject, Trust};
use lastkey_contract::Connector;

type Served = &'static dyn Subject;

/// Statuses beside what every web server can answer, to one request in the middle of a read.
pub fn of_answers(subject: Served, path: &'static str, statuses: &[u16]) -> Vec<Fault> {
    let each = statuses.iter().map(|status| {
        let what = HttpFault::Status(*status);
        struck(subject, format!("HTTP: {status}"), what, path.to_owned())
    });
    each.collect()
}

/// Each request of a whole read, answered with a refusal, with a gateway's "not found", with an
/// error of the server. `shape` is a path without the name of the one object that it is about.
pub fn of_each_request(subject: Served, shape: fn(&str) -> String) -> Vec<Fault> {
    let mut all = Vec::new();
    for path in requests(subject, shape) {
        for status in [403, 404, 500] {
            let name = format!("{status} on {}", shape(&path));
            let what = HttpFault::Status(status);
            all.push(struck(subject, name, what, path.clone()));
        }
    }
    all
}

fn struck(subject: Served, name: String, what: HttpFault, path: String) -> Fault {
    Fault {
        name,
        start: Box::new(move || {
            let (proxy, connector) = before(subject);
            proxy.set([Rule::always(what).path(path)]);
            Struck {
                connector,
                lift: Box::new(|| ()),
                lives: Box::new(proxy),
            }
        }),
    }
}

/// A proxy before the server, and the connector that goes through it.
fn before(subject: Served) -> (HttpProxy, Box<dyn Connector>) {
    let Network::Http(upstream) = subject.network() else {
        panic!("it speaks no HTTP")
    };
    let authority = Authority::new("Matrix CA").unwrap();
    let proxy = HttpProxy::start(upstream, &authority).unwrap();
    let connector = subject.through(proxy.address(), Trust::Pem(authority.pem()));
    (proxy, connector)
}

/// The requests of a whole read, one of each shape.
fn requests(subject: Served, shape: fn(&str) -> String) -> Vec<String> {
    let (proxy, connector) = before(subject);
    read_to_the_end(connector);
    let mut met: Vec<(String, String)> = Vec::new();
    for record in proxy.records() {
        let shape = shape(&record.path);
        if !met.iter().any(|(known, _)| *known == shape) {
            met.push((shape, record.path));
        }
    }
    met.sort();
    met.into_iter().map(|(_, path)| path).collect()
}
