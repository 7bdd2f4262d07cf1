//! What can go wrong with a cluster: a note or one clear sentence, and never a read that claims to
//! be complete.

use crate::estate::*;
use lastkey_conformance::proxy::{Authority, HttpFault, HttpProxy, Rule, Upstream};
use lastkey_contract::{Connector, ConnectorError, ErrorKind, Kind, NoteKind, PageRequest, Secret};
use serde_json::{Value, json};

struct Behind {
    proxy: HttpProxy,
    folder: tempfile::TempDir,
}

fn behind(estate: &Estate) -> Behind {
    let authority = Authority::new("Proxy CA").unwrap();
    let address = ([127, 0, 0, 1], estate.lab.port()).into();
    let ca_pem = std::fs::read_to_string(estate.lab.ca_path()).unwrap();
    let proxy = HttpProxy::start(Upstream::Tls { address, ca_pem }, &authority).unwrap();
    let folder = tempfile::tempdir().unwrap();
    authority.write(&folder.path().join("ca.pem")).unwrap();
    Behind { proxy, folder }
}

impl Behind {
    fn connector(&self, estate: &Estate) -> Box<dyn Connector> {
        let ca = self.folder.path().join("ca.pem").display().to_string();
        let url = self.proxy.url();
        let extra = [
            ("address", url.as_str()),
            ("ca_file", ca.as_str()),
            ("timeout", "5"),
        ];
        estate.connector(&extra)
    }
}

fn first_page(
    connector: &dyn Connector,
    kind: Kind,
) -> Result<lastkey_contract::Page, ConnectorError> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut session = connector.connect().await?;
        let request = PageRequest {
            cursor: None,
            limit: 500,
            since: None,
        };
        session.read_page(kind, request).await
    })
}

#[track_caller]
fn says(error: &ConnectorError, kind: ErrorKind, words: &str) {
    assert_eq!(error.kind, kind, "{error}");
    assert!(
        error.message.contains(words),
        "`{words}` is not in: {error}"
    );
    assert!(error.hint.is_some(), "no hint: {error}");
}

#[test]
fn one_list_that_may_not_be_read_is_noted_for_every_kind_that_it_tells_of() {
    let Some(lab) = lab("one list refused") else {
        return;
    };
    let estate = Estate::found(lab);
    let path = format!("{RBAC}/clusterroles/lastkey-reader");
    let whole = estate.lab.root("GET", &path, &Value::Null)["rules"].clone();
    for (resource, kinds) in [
        (
            "secrets",
            &[Kind::Credential, Kind::Location, Kind::Reader][..],
        ),
        (
            "serviceaccounts",
            &[Kind::Account, Kind::Grant, Kind::Control, Kind::Location],
        ),
        ("rolebindings", &[Kind::Account, Kind::Grant, Kind::Reader]),
        ("cronjobs", &[Kind::Location]),
        ("certificatesigningrequests", &[Kind::Credential]),
        ("externalsecrets", &[Kind::Location]),
    ] {
        let mut rules = whole.clone();
        for rule in rules.as_array_mut().unwrap() {
            let list = rule["resources"].as_array_mut().unwrap();
            list.retain(|each| each != resource);
            if list.is_empty() {
                list.push(json!("nothing"));
            }
        }
        estate.lab.root("PATCH", &path, &json!({ "rules": rules }));
        // The server learns of it in its own time.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        loop {
            let report = runtime.block_on(estate.connector(&[]).check()).unwrap();
            let missing: Vec<&str> = report
                .missing_rights
                .iter()
                .map(|r| r.name.as_str())
                .collect();
            if missing == [format!("list {resource}")] {
                break;
            }
        }
        let (_, notes) = read_all(estate.connector(&[]));
        let wanted = format!("this login may not list {resource}");
        for kind in kinds {
            let found = notes
                .iter()
                .find(|n| n.about == *kind && n.reason == wanted);
            let note = found.unwrap_or_else(|| panic!("no note about {kind}: {notes:?}"));
            assert_eq!(note.kind, NoteKind::Clipped);
        }
        estate.lab.root("PATCH", &path, &json!({ "rules": whole }));
    }
}

#[test]
fn a_list_that_the_server_forgot_or_cut_is_never_taken_for_whole() {
    let Some(lab) = lab("forgotten and cut lists") else {
        return;
    };
    let estate = Estate::found(lab);
    for number in 0..620 {
        let name = json!({ "metadata": { "name": format!("many-{number:03}") } });
        estate.lab.make("/api/v1/namespaces/site/secrets", &name);
    }
    let behind = behind(&estate);
    let connector = behind.connector(&estate);
    let all = |connector: &dyn Connector| {
        let page = first_page(connector, Kind::Location).unwrap();
        (page.records.len(), page.next.is_some(), page.notes)
    };
    let (count, more, whole_notes) = all(connector.as_ref());
    assert_eq!((count, more), (500, true));
    let (facts, _) = read_all(behind.connector(&estate));
    let whole = facts[&Kind::Location].len();
    assert!(whole >= 620, "{whole}");

    // Forgotten once, the list is begun again.
    behind.proxy.forget();
    let gone = || Rule::always(HttpFault::Status(410)).path("continue=");
    behind.proxy.set([gone().times(1)]);
    let (facts, _) = read_all(behind.connector(&estate));
    assert_eq!(facts[&Kind::Location].len(), whole);
    let begun = |proxy: &HttpProxy| {
        let records = proxy.records();
        let secrets = records.iter().filter(|r| r.path.contains("/secrets?"));
        secrets.filter(|r| !r.path.contains("continue=")).count()
    };
    assert!(begun(&behind.proxy) >= 2);

    // Forgotten each time, it is an error that may be tried again.
    behind.proxy.set([gone()]);
    let error = first_page(connector.as_ref(), Kind::Location).unwrap_err();
    says(&error, ErrorKind::Unavailable, "forgot the list");

    // Pages that lead round in a circle end.
    behind.proxy.clear();
    behind
        .proxy
        .set([Rule::always(HttpFault::Status(404)).path("continue=")]);
    let error = first_page(connector.as_ref(), Kind::Location).unwrap_err();
    says(&error, ErrorKind::Protocol, "path");

    // A server that says that there is more, and gives no way to it, is noted.
    behind.proxy.set([Rule::always(HttpFault::Replace {
        find: "\"continue\":".to_owned(),
        with: "\"discontinue\":".to_owned(),
    })
    .path("/secrets?")]);
    let (_, _, notes) = all(connector.as_ref());
    let clipped = notes.iter().filter(|note| note.kind == NoteKind::Clipped);
    let reasons: Vec<&str> = clipped.map(|note| note.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["the API server says that it holds more secrets than it gave"]
    );
    assert!(
        whole_notes
            .iter()
            .all(|note| note.kind != NoteKind::Clipped)
    );
}

#[test]
fn a_server_that_ends_on_the_way_is_an_error() {
    let Some(lab) = lab("a server that ends") else {
        return;
    };
    let estate = Estate::found(lab);
    let behind = behind(&estate);
    let connector = behind.connector(&estate);
    for (fault, path, kind, words) in [
        (
            HttpFault::CutAfter(40),
            "/secrets?",
            ErrorKind::Unavailable,
            "broke off",
        ),
        (
            HttpFault::Status(503),
            "/pods?",
            ErrorKind::Unavailable,
            "not available",
        ),
        (
            HttpFault::Status(403),
            "/clusterroles?",
            ErrorKind::Protocol,
            "before the API server",
        ),
        (
            HttpFault::Body("{\"kind\":\"SecretList\",\"metadata\":{},\"items\":[]}".to_owned()),
            "/secrets?",
            ErrorKind::Protocol,
            "no table",
        ),
        (
            HttpFault::Body("{}".to_owned()),
            "/roles?",
            ErrorKind::Protocol,
            "JSON",
        ),
    ] {
        behind.proxy.set([Rule::always(fault).path(path)]);
        let error = first_page(connector.as_ref(), Kind::Account).unwrap_err();
        says(&error, kind, words);
        behind.proxy.clear();
        first_page(connector.as_ref(), Kind::Account).unwrap();
    }
}

#[test]
fn a_wrong_token_is_refused_and_not_repeated() {
    let Some(lab) = lab("a wrong token") else {
        return;
    };
    let estate = Estate::found(lab);
    let wrong = "eyJ-wrong-canary-token-of-nobody";
    let settings = estate.settings(&[]);
    let connector = lastkey_kubernetes::configure(&settings, Some(Secret::new(wrong.to_owned())));
    let error = first_page(connector.unwrap().as_ref(), Kind::Account).unwrap_err();
    says(&error, ErrorKind::AuthRejected, "does not take the login");
    assert!(!format!("{error:?}").contains(wrong));
}

#[test]
fn a_namespace_that_is_not_there_is_not_taken_for_an_empty_one() {
    let Some(lab) = lab("a namespace that is not there") else {
        return;
    };
    let estate = Estate::found(lab);
    let clipped = |namespaces: &str| {
        let (_, notes) = read_all(estate.connector(&[("namespaces", namespaces)]));
        let doubts = notes.into_iter().filter(|note| {
            note.kind == NoteKind::Clipped && note.reason.contains("as one that is not there")
        });
        doubts.collect::<Vec<_>>()
    };
    assert_eq!(clipped("shop, site"), []);
    let doubts = clipped("shop, shopp");
    let about: Vec<Kind> = doubts.iter().map(|note| note.about).collect();
    let capabilities = estate.connector(&[]).capabilities();
    let all: Vec<Kind> = capabilities.iter().map(|one| one.kind).collect();
    assert_eq!(about, all, "no kind may claim absence");
    assert!(doubts.iter().all(|note| note.examples == ["shopp"]));
}
