//! Signing in as a kubeconfig says: contexts, certificates, keys of the keychain, and what is refused.

use crate::estate::*;
use base64::Engine as _;
use lastkey_contract::{CheckReport, Connector, ConnectorError, ErrorKind, Kind, Secret, Settings};
use lastkey_tests::labs::Kubernetes;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const WRITER: &str = "cert-reader";

/// A certificate and its private key, in PEM, that one of the lab's authorities signed.
fn certificate(lab: &Kubernetes, authority: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| openssl(folder.path(), words);
    let subject = format!("/CN={WRITER}");
    run(&[
        "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "r", "-subj", &subject,
    ]);
    let of = |end: &str| lab.ca_path().with_file_name(format!("{authority}.{end}"));
    let (ca, key) = (of("pem"), of("key"));
    fs::write(folder.path().join("e"), "extendedKeyUsage=clientAuth\n").unwrap();
    run(&[
        "x509",
        "-req",
        "-in",
        "r",
        "-CA",
        ca.to_str().unwrap(),
        "-CAkey",
        key.to_str().unwrap(),
        "-days",
        "2",
        "-extfile",
        "e",
        "-out",
        "c",
    ]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    (read("c"), read("k"))
}

/// A cluster whose reader's role is a certificate's too.
fn made(case: &str) -> Option<Estate> {
    let estate = Estate::found(lab(case)?);
    let bound = binding(
        "",
        "lastkey-by-certificate",
        ("ClusterRole", "lastkey-reader"),
        &[user(WRITER)],
    );
    estate
        .lab
        .make(&format!("{RBAC}/clusterrolebindings"), &bound);
    Some(estate)
}

/// A kubeconfig in a folder of its own, with one context for each of these users.
struct Kubeconfig {
    folder: TempDir,
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

impl Kubeconfig {
    fn of(lab: &Kubernetes, users: &[(&str, Value)]) -> Kubeconfig {
        let folder = tempfile::tempdir().unwrap();
        let ca = fs::read_to_string(lab.ca_path()).unwrap();
        let mut text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters:\n- name: lab\n  cluster:\n    \
             certificate-authority-data: {}\n    server: {}\ncontexts:\n",
            users[0].0,
            base64(&ca),
            lab.url()
        );
        for (name, _) in users {
            text.push_str(&format!(
                "- context:\n    cluster: lab\n    user: {name}\n  name: {name}\n"
            ));
        }
        text.push_str("users:\n");
        for (name, user) in users {
            text.push_str(&format!("- name: {name}\n  user: {user}\n"));
        }
        fs::write(folder.path().join("config"), text).unwrap();
        Kubeconfig { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    fn connector(&self, context: &str, secret: Option<&str>) -> Box<dyn Connector> {
        let mut settings = Settings::default();
        let file = self.file().display().to_string();
        for (key, value) in [
            ("kubeconfig", file.as_str()),
            ("context", context),
            ("system", "prod-cluster"),
        ] {
            settings.0.insert(key.to_owned(), value.to_owned());
        }
        let secret = secret.map(|text| Secret::new(text.to_owned()));
        lastkey_kubernetes::configure(&settings, secret).unwrap()
    }

    fn check(&self, context: &str, secret: Option<&str>) -> Result<CheckReport, ConnectorError> {
        check(self.connector(context, secret).as_ref())
    }
}

fn check(connector: &dyn Connector) -> Result<CheckReport, ConnectorError> {
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(connector.check())
}

#[track_caller]
fn signed_in(report: Result<CheckReport, ConnectorError>, wanted: &str) {
    let report = report.unwrap();
    assert_eq!(report.signed_in_as.as_deref(), Some(wanted));
    assert_eq!(report.missing_rights, []);
}

#[test]
fn a_context_signs_in_as_its_user() {
    let Some(estate) = made("contexts of a kubeconfig") else {
        return;
    };
    let (certificate, key) = certificate(&estate.lab, "ca");
    let users = [
        ("by-token", json!({ "token": estate.token })),
        ("by-token-file", json!({ "tokenFile": "token" })),
        (
            "by-certificate",
            json!({ "client-certificate-data": base64(&certificate),
                "client-key-data": base64(&key) }),
        ),
        (
            "by-files",
            json!({ "client-certificate": "reader.pem", "client-key": "reader.key" }),
        ),
        ("without-key", json!({ "client-certificate": "reader.pem" })),
        (
            "by-program",
            json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1",
                "command": "touch", "args": [estate.lab.ca_path().with_file_name("was-run")] } }),
        ),
    ];
    let config = Kubeconfig::of(&estate.lab, &users);
    let write = |name: &str, text: &str| {
        fs::write(config.folder.path().join(name), text).unwrap();
    };
    write("token", &format!("{}\n", estate.token));
    write("reader.pem", &certificate);
    write("reader.key", &key);
    let reader = "system:serviceaccount:lastkey:reader";
    signed_in(config.check("", None), reader);
    signed_in(config.check("by-token", None), reader);
    signed_in(config.check("by-token-file", None), reader);
    signed_in(config.check("by-certificate", None), WRITER);
    signed_in(config.check("by-files", None), WRITER);
    // The key, the whole pair, or a token may come from the keychain.
    signed_in(config.check("without-key", Some(&key)), WRITER);
    let pair = format!("{certificate}{key}");
    signed_in(config.check("by-program", Some(&pair)), WRITER);
    signed_in(config.check("by-program", Some(&estate.token)), reader);
    let settings = estate.settings(&[]);
    let direct = lastkey_kubernetes::configure(&settings, Some(Secret::new(pair)));
    signed_in(check(direct.unwrap().as_ref()), WRITER);

    // A certificate reads what a token reads.
    let (by_certificate, notes) = read_all(config.connector("by-certificate", None));
    let (by_token, _) = read_all(estate.connector(&[]));
    assert!(by_certificate[&Kind::Reader].len() > 5);
    assert_eq!(by_certificate[&Kind::Reader], by_token[&Kind::Reader]);
    assert_eq!(by_certificate[&Kind::Location], by_token[&Kind::Location]);
    let told = format!("{by_certificate:?}{notes:?}");
    assert!(!told.contains("PRIVATE KEY") && !told.contains(&base64(&key)));
    let by_the_server = estate.lab.audited();
    assert!(by_the_server.iter().any(|request| request.by == WRITER));

    // No program is ever run.
    let error = config.check("by-program", None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConfigInvalid);
    assert!(
        error.message.contains("running a program (exec)"),
        "{error}"
    );
    assert!(!estate.lab.ca_path().with_file_name("was-run").exists());
}

#[test]
fn a_login_that_does_not_hold_is_refused_in_a_sentence() {
    let Some(estate) = made("logins of a kubeconfig that do not hold") else {
        return;
    };
    let (strange, strange_key) = certificate(&estate.lab, "other");
    let (own, own_key) = certificate(&estate.lab, "ca");
    let users = [
        (
            "strange",
            json!({ "client-certificate-data": base64(&strange),
                "client-key-data": base64(&strange_key) }),
        ),
        (
            "mixed",
            json!({ "client-certificate-data": base64(&own),
                "client-key-data": base64(&strange_key) }),
        ),
        (
            "keyless",
            json!({ "client-certificate-data": base64(&own), "client-key-data": "" }),
        ),
    ];
    let config = Kubeconfig::of(&estate.lab, &users);
    for (context, secret, kind, says) in [
        ("strange", None, ErrorKind::AuthRejected, "does not take"),
        (
            "mixed",
            None,
            ErrorKind::ConfigInvalid,
            "another certificate's",
        ),
        ("keyless", None, ErrorKind::ConfigInvalid, "no private key"),
        (
            "keyless",
            Some(
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
            ),
            ErrorKind::ConfigInvalid,
            "without a passphrase",
        ),
        (
            "strange",
            Some("wrong-canary-token"),
            ErrorKind::AuthRejected,
            "does not take the login",
        ),
    ] {
        let error = config.check(context, secret).unwrap_err();
        assert_eq!(error.kind, kind, "{context}: {error}");
        assert!(error.message.contains(says), "{context}: {error}");
        assert!(error.hint.is_some(), "{context}");
        let told = format!("{error:?}");
        assert!(!told.contains("canary") && !told.contains("AAAA"), "{told}");
    }
    // The reader of values has a login of its own, and never the kubeconfig's.
    let users = [(
        "whole",
        json!({ "client-certificate-data": base64(&own), "client-key-data": base64(&own_key) }),
    )];
    let config = Kubeconfig::of(&estate.lab, &users);
    signed_in(config.check("", None), WRITER);
    let connector = config.connector("", None);
    struct Never;
    impl lastkey_contract::Fingerprinter for Never {
        fn of(
            &self,
            _: &[u8],
        ) -> Result<lastkey_contract::Fingerprint, lastkey_contract::NoFingerprint> {
            panic!("no value is read");
        }
    }
    let mut values = connector.value_reader(None).unwrap().unwrap();
    let error = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(values.fingerprint(Vec::new(), &Never))
        .unwrap_err();
    assert!(error.message.contains("the token is missing"), "{error}");
}
