//! What can go wrong with a vault itself: one clear sentence and the right kind.
//!
//! Every fault through a whole sync, and each request of a read refused, is the matrix in
//! `tests/tests/conformance/matrix`.

use crate::estate::*;
use lastkey_conformance::proxy::{Authority, Garbage, HttpFault, HttpProxy, Rule, Upstream};
use lastkey_contract::{Connector, ConnectorError, ErrorKind, Kind, Secret};
use lastkey_tests::labs::HangingServer;
use serde_json::json;
use std::time::{Duration, Instant};

struct Behind {
    proxy: HttpProxy,
    authority: Authority,
    folder: tempfile::TempDir,
}

fn behind(estate: &Estate) -> Behind {
    let authority = Authority::new("Proxy CA").unwrap();
    let address = ([127, 0, 0, 1], estate.lab.clear_port()).into();
    let proxy = HttpProxy::start(Upstream::Plain { address }, &authority).unwrap();
    let folder = tempfile::tempdir().unwrap();
    authority.write(&folder.path().join("ca.pem")).unwrap();
    Behind {
        proxy,
        authority,
        folder,
    }
}

impl Behind {
    fn connector(&self, estate: &Estate, extra: &[(&str, &str)]) -> Box<dyn Connector> {
        let ca = self.folder.path().join("ca.pem").display().to_string();
        let url = self.proxy.url();
        let own = [
            ("address", url.as_str()),
            ("ca_file", ca.as_str()),
            ("timeout", "3"),
        ];
        estate.connector(&[&own[..], extra].concat())
    }
}

#[track_caller]
fn says(error: &ConnectorError, kind: ErrorKind, words: &str) {
    assert_eq!(error.kind, kind, "{error}");
    assert!(
        error.message.contains(words),
        "`{words}` is not in: {error}"
    );
    assert!(error.hint.is_some(), "no hint: {error}");
    assert!(
        !error.message.contains('\n') && !error.message.ends_with('.'),
        "{error}"
    );
}

#[test]
fn states_of_the_vault_itself() {
    let Some(lab) = lab("sealed vault") else {
        return;
    };
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    let (role_id, secret_id) = least_rights(&lab, &[]);
    let make = |extra: &[(&str, &str)], secret: &str| {
        lastkey_vault::configure(
            &settings(&lab, &role_id, extra),
            Some(Secret::new(secret.to_owned())),
        )
        .unwrap()
    };
    let refused =
        |extra: &[(&str, &str)], secret: &str| run(make(extra, secret).check()).unwrap_err();
    says(
        &refused(&[], "wrong"),
        ErrorKind::AuthRejected,
        "refused the sign-in",
    );
    says(
        &refused(&[("role_id", "wrong")], &secret_id),
        ErrorKind::AuthRejected,
        "refused the sign-in",
    );
    says(
        &refused(&[("auth", "token"), ("role_id", "")], "s.wrong"),
        ErrorKind::AuthRejected,
        "does not take the token",
    );
    says(
        &refused(&[("auth_mount", "nowhere")], &secret_id),
        ErrorKind::AuthRejected,
        "",
    );
    says(
        &refused(&[("namespace", "nowhere")], &secret_id),
        ErrorKind::ConfigInvalid,
        "namespace",
    );
    says(
        &refused(&[("auth", "token"), ("role_id", "")], "line\u{1}break"),
        ErrorKind::AuthRejected,
        "characters",
    );
    let other = lab.other_ca_path().display().to_string();
    says(
        &refused(&[("ca_file", &other)], &secret_id),
        ErrorKind::TlsUntrusted,
        "not trusted",
    );
    let clear = format!("https://127.0.0.1:{}", lab.clear_port());
    says(
        &refused(&[("address", &clear)], &secret_id),
        ErrorKind::TlsUntrusted,
        "does not speak TLS",
    );
    says(
        &refused(&[("address", "https://127.0.0.1:1")], &secret_id),
        ErrorKind::Unavailable,
        "cannot be reached",
    );
    let hanging = format!("https://127.0.0.1:{}", HangingServer::start().port());
    let start = Instant::now();
    says(
        &refused(&[("address", &hanging), ("timeout", "1")], &secret_id),
        ErrorKind::TimedOut,
        "in time",
    );
    assert!(start.elapsed() < Duration::from_secs(5));

    let connector = make(&[], &secret_id);
    run(async {
        let mut session = connector.connect().await.unwrap();
        lab.seal();
        let request = lastkey_contract::PageRequest {
            cursor: None,
            limit: 10,
            since: None,
        };
        let error = session
            .read_page(Kind::Account, request.clone())
            .await
            .unwrap_err();
        says(&error, ErrorKind::Unavailable, "sealed");
        says(
            &connector.check().await.unwrap_err(),
            ErrorKind::Unavailable,
            "sealed",
        );
        lab.unseal();
        // The session goes on where the vault does.
        session.read_page(Kind::Account, request).await.unwrap();
    });
}

#[test]
fn namespaces_are_read_one_by_one() {
    let Some(lab) = lab("namespaces") else { return };
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    lab.write("sys/namespaces/team", json!({}));
    let root = lab.root_token().to_owned();
    let inside = |method: &str, path: &str, body: serde_json::Value| {
        let answered = lab.ask(&root, "team", method, path, &body);
        assert!(answered.status < 300, "{path}: {answered:?}");
    };
    inside(
        "POST",
        "sys/mounts/kv",
        json!({ "type": "kv", "options": { "version": "1" } }),
    );
    inside("POST", "kv/a", json!({ "v": "x" }));
    inside(
        "PUT",
        "sys/policies/acl/kv-read",
        json!({ "policy": "path \"kv/*\" { capabilities = [\"read\"] }" }),
    );
    let by_token = [("auth", "token"), ("role_id", "")];
    let connector = |extra: &[(&str, &str)]| {
        let all = [&by_token[..], extra].concat();
        lastkey_vault::configure(&settings(&lab, "", &all), Some(Secret::new(root.clone())))
            .unwrap()
    };
    let report = run(connector(&[]).check()).unwrap();
    assert!(
        report.remarks.iter().any(|r| r.contains("team/")),
        "{:?}",
        report.remarks
    );
    let within = connector(&[("namespace", "team")]);
    assert_eq!(
        facts(&read(within.as_ref(), Kind::Location, 10).unwrap()).len(),
        1
    );
    let readers = facts(&read(within.as_ref(), Kind::Reader, 10).unwrap());
    assert_eq!(readers.len(), 1, "{readers:?}");
}

#[test]
fn stopping_takes_no_second() {
    let Some(estate) = shared("stopping a read of a vault") else {
        return;
    };
    let behind = behind(estate);
    let connector = behind.connector(estate, &[("timeout", "60")]);
    behind
        .proxy
        .set([Rule::always(HttpFault::Hang).path("identity/entity/id")]);
    let start = Instant::now();
    run(async {
        let mut session = connector.connect().await.unwrap();
        let request = lastkey_contract::PageRequest {
            cursor: None,
            limit: 10,
            since: None,
        };
        let work = session.read_page(Kind::Account, request);
        assert!(
            tokio::time::timeout(Duration::from_millis(300), work)
                .await
                .is_err()
        );
    });
    assert!(start.elapsed() < Duration::from_secs(5));
    let _kept = &behind.authority;
}

#[test]
fn nothing_that_is_said_holds_a_secret() {
    let Some(estate) = shared("secrets in errors of a vault") else {
        return;
    };
    let behind = behind(estate);
    let connector = behind.connector(estate, &[]);
    for fault in [
        HttpFault::Status(500),
        HttpFault::Garbage(Garbage::CutJson),
        HttpFault::CutAfter(5),
    ] {
        for path in ["login", "lookup-self", "sys/mounts"] {
            behind.proxy.set([Rule::always(fault.clone()).path(path)]);
            let error = read(connector.as_ref(), Kind::Account, 10).unwrap_err();
            let all = format!("{error:?}");
            assert!(
                !all.contains(&estate.secret_id) && !all.contains("client_token"),
                "{all}"
            );
        }
    }
}
