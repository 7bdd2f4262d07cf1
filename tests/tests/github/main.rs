//! Every request that the connector sends, held against GitHub's own OpenAPI document by Prism, and
//! the answers that the document gives as examples, understood by the connector.
//!
//! What the document does not show is behaviour: paging, limits and refusals are the contract
//! server's (`connectors/github/tests`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../../../connectors/github/tests/contract/mod.rs"]
#[allow(dead_code)]
mod contract;

use contract::server::{Answers, Asked, Server, Told};
use lastkey_conformance::proxy::{Authority, HttpProxy, Upstream};
use lastkey_conformance::read_to_end;
use lastkey_contract::{Fact, Kind, NoteKind};
use lastkey_tests::labs::Prism;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// What Prism said to a request.
#[derive(Clone, Debug)]
struct Judged {
    target: String,
    status: u16,
    violations: Option<String>,
}

/// Asks Prism, as the connector asked.
fn pass_on(prism: SocketAddr, asked: &Asked) -> Told {
    let target = asked
        .target
        .strip_prefix("/api/v3")
        .unwrap_or(&asked.target);
    let mut stream = TcpStream::connect(prism).expect("Prism listens");
    let mut head = format!(
        "{} {target} HTTP/1.1\r\nconnection: close\r\n",
        asked.method
    );
    let kept = asked
        .headers
        .iter()
        .filter(|(name, _)| name != "connection");
    for (name, value) in kept {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream
        .write_all(format!("{head}\r\n").as_bytes())
        .expect("Prism takes a request");
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut text = String::new();
        reader.read_line(&mut text).expect("Prism answers");
        text.trim_end().to_owned()
    };
    let status = line()
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .expect("a status");
    let mut headers: Vec<(String, String)> = Vec::new();
    loop {
        let text = line();
        let Some((name, value)) = text.split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut body = Vec::new();
    reader
        .read_to_end(&mut body)
        .expect("Prism answers to the end");
    // An example of a link leads to the next page of an example that has none.
    let dropped = [
        "connection",
        "content-length",
        "transfer-encoding",
        "link",
        "keep-alive",
    ];
    headers.retain(|(name, _)| !dropped.contains(&name.as_str()));
    Told {
        status,
        headers,
        body,
    }
}

/// A place before Prism where everything is written down.
struct Judge {
    server: Server,
    judged: Arc<Mutex<Vec<Judged>>>,
}

impl Judge {
    fn before(prism: SocketAddr) -> Judge {
        let judged = Arc::new(Mutex::new(Vec::new()));
        let writing = Arc::clone(&judged);
        let answers: Answers = Arc::new(move |asked| {
            let told = pass_on(prism, asked);
            let violations = told
                .headers
                .iter()
                .find(|(name, _)| name == "sl-violations");
            writing.lock().unwrap().push(Judged {
                target: asked.target.clone(),
                status: told.status,
                violations: violations.map(|(_, value)| value.clone()),
            });
            told
        });
        Judge {
            server: Server::start(answers),
            judged,
        }
    }

    fn all(&self) -> Vec<Judged> {
        self.judged.lock().unwrap().clone()
    }
}

#[test]
fn every_request_is_one_that_githubs_document_allows() {
    let Some(prism) = Prism::github_or_not_run("requests to GitHub hold against its document")
    else {
        return;
    };
    let judge = Judge::before(prism.address());
    let authority = Authority::new("Judge CA").unwrap();
    let address = judge.server.address();
    let proxy = HttpProxy::start(Upstream::Plain { address }, &authority).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let more = [("audit_log", "yes"), ("member_keys", "yes")];
    let settings = contract::settings("github", proxy.address(), &ca, &more);
    let connector = contract::connector(&settings, contract::CLASSIC);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut facts: BTreeMap<Kind, Vec<Fact>> = BTreeMap::new();
    let mut told = Vec::new();
    runtime.block_on(async {
        connector.check().await.unwrap();
        for capability in connector.capabilities() {
            let pages = read_to_end(connector.as_ref(), capability.kind, 500)
                .await
                .unwrap();
            for page in pages {
                facts
                    .entry(capability.kind)
                    .or_default()
                    .extend(page.records);
                told.extend(page.notes);
            }
        }
    });
    // What the examples tell is understood, whole.
    let failed: Vec<_> = told
        .iter()
        .filter(|note| note.kind == NoteKind::Failed)
        .collect();
    assert!(failed.is_empty(), "not understood: {failed:?}");
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
    ] {
        assert!(!facts[&kind].is_empty(), "no {kind} came of the examples");
    }
    let judged = judge.all();
    let wrong: Vec<&Judged> = judged
        .iter()
        .filter(|one| one.status != 200 || one.violations.as_deref().is_some_and(of_request))
        .collect();
    assert!(wrong.is_empty(), "not by the document: {wrong:#?}");
    let shapes: BTreeSet<String> = judged.iter().map(|one| shape(&one.target)).collect();
    for needed in [
        "/orgs/github/members?role",
        "/orgs/github/members?filter",
        "/orgs/github/outside_collaborators",
        "/orgs/github/invitations",
        "/orgs/github/installations",
        "/orgs/github/organization-roles",
        "/orgs/github/custom-repository-roles",
        "/orgs/github/personal-access-tokens",
        "/orgs/github/credential-authorizations",
        "/orgs/github/audit-log?include&order",
        "/orgs/github/actions/secrets",
        "/orgs/github/dependabot/secrets",
    ] {
        let met = shapes.iter().any(|shape| shape.starts_with(needed));
        assert!(met, "{needed} was not asked: {shapes:#?}");
    }
    for part in [
        "/members?role",
        "/repos?",
        "/keys?",
        "/collaborators?affiliation",
        "/environments?",
        "/users/",
    ] {
        let met = shapes.iter().any(|shape| shape.contains(part));
        assert!(met, "{part} was not asked: {shapes:#?}");
    }
}

/// Whether violations are the request's. Some of GitHub's own examples break its own schemas, and
/// that is none of ours.
fn of_request(violations: &str) -> bool {
    let list: Vec<serde_json::Value> = serde_json::from_str(violations).expect("a list");
    list.iter().any(|one| one["location"][0] != "response")
}

/// A target without the values of its query.
fn shape(target: &str) -> String {
    let target = target.strip_prefix("/api/v3").unwrap_or(target);
    match target.split_once('?') {
        None => target.to_owned(),
        Some((path, query)) => {
            let names: Vec<&str> = query
                .split('&')
                .filter_map(|pair| Some(pair.split_once('=')?.0))
                .collect();
            format!("{path}?{}", names.join("&"))
        }
    }
}

#[test]
fn a_request_that_the_document_does_not_allow_is_told() {
    let Some(prism) = Prism::github_or_not_run("the judge of requests to GitHub can refuse") else {
        return;
    };
    for (target, status) in [
        ("/orgs/github/teams?per_page=100", 200),
        ("/orgs/github/teams?per_page=many", 422),
        ("/orgs/github/members?role=emperor", 422),
        ("/orgs/github/no-such-thing", 404),
    ] {
        let asked = Asked {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: vec![
                ("host".to_owned(), "api.github.com".to_owned()),
                ("accept".to_owned(), "application/json".to_owned()),
            ],
        };
        let told = pass_on(prism.address(), &asked);
        let words = String::from_utf8_lossy(&told.body).into_owned();
        assert_eq!(told.status, status, "{target}: {words}");
    }
}
