//! Private keys against a real OpenSSH server.

use crate::harness::*;
use lastkey_tests::labs::{HangingServer, Sshd};

fn prober_at(port: u16, host_key: &str, more: &[(&str, &str)]) -> Box<dyn Prober> {
    let port = port.to_string();
    let mut pairs = vec![
        ("address", "127.0.0.1"),
        ("port", port.as_str()),
        ("host_key", host_key),
        ("system", "web-1"),
    ];
    pairs.extend(more);
    lastkey_ssh::prober("ssh_key", &settings(&pairs)).unwrap()
}

fn prober(lab: &Sshd) -> Box<dyn Prober> {
    prober_at(lab.port(), &lab.host_key(), &[])
}

#[test]
fn keys_that_are_let_in_and_that_are_not() {
    use Answer::{Accepted, Indeterminate, Rejected};
    let mut lab = Sshd::start("");
    let user = Sshd::user();
    let of = prober(&lab);
    let check = |user: &str, key: &str, answer, says| check(of.as_ref(), (user, key), answer, says);
    let sorts = [
        ("ed25519", lab.key("ed25519", &["-t", "ed25519"])),
        ("rsa", lab.key("rsa", &["-t", "rsa", "-b", "2048"])),
        (
            "pem",
            lab.key("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
        ),
        ("ecdsa", lab.key("ecdsa", &["-t", "ecdsa", "-b", "256"])),
    ];
    lab.let_in(&["ed25519", "rsa", "pem", "ecdsa"]);
    for (name, key) in &sorts {
        check(&user, key, Accepted, ("publickey accepted", ""));
        check(
            "nobody-of-that-name",
            key,
            Rejected,
            ("publickey refused", name_of(name)),
        );
    }
    assert!(
        !lab.log().contains("session opened"),
        "no channel is opened"
    );
    lab.let_in(&["rsa"]);
    for (name, key) in sorts.iter().filter(|(name, _)| *name != "rsa") {
        check(&user, key, Rejected, ("publickey refused", name_of(name)));
    }
    let own = &sorts[1].1;
    check(&user, own, Accepted, ("", ""));
    check("", own, Indeterminate, ("not sent", "no user"));
    lab.configure_again(&format!("DenyUsers {user}"));
    check(&user, own, Rejected, ("publickey refused", ""));
    lab.configure_again(&format!("RevokedKeys {}", lab.at("rsa.pub")));
    check(&user, own, Rejected, ("publickey refused", ""));
    // The key is taken, and something else is asked for.
    lab.configure_again(
        "AuthenticationMethods publickey,password\nMatch all\nPasswordAuthentication yes",
    );
    check(
        &user,
        own,
        Indeterminate,
        ("publickey taken", "further step"),
    );
    // Keys are not looked at.
    lab.configure_again("PubkeyAuthentication no\nPasswordAuthentication yes");
    check(
        &user,
        own,
        Indeterminate,
        ("publickey", "does not take keys"),
    );
}

/// The sentence does not depend on the sort of the key.
fn name_of(_sort: &str) -> &'static str {
    "does not know the key"
}

#[test]
fn what_is_no_key_is_not_sent() {
    let lab = Sshd::start("");
    let user = Sshd::user();
    let of = prober(&lab);
    let sealed = lab.key("sealed", &["-t", "ed25519", "-N", "canary-passphrase"]);
    let sealed_pem = lab.key(
        "pem",
        &["-t", "rsa", "-m", "PEM", "-N", "canary-passphrase"],
    );
    let whole = lab.key("whole", &["-t", "ed25519"]);
    let half = &whole[..whole.len() / 2];
    for (secret, why) in [
        (sealed.as_str(), "passphrase"),
        (sealed_pem.as_str(), "passphrase"),
        (half, "no private key"),
        ("canary-password", "no private key"),
        ("", "no private key"),
    ] {
        check(
            of.as_ref(),
            (&user, secret),
            Answer::Indeterminate,
            ("not sent", why),
        );
    }
    let public = lab.public("whole");
    check(
        of.as_ref(),
        (&user, &public),
        Answer::Indeterminate,
        ("not sent", "no private key"),
    );
}

#[test]
fn faults_are_indeterminate() {
    use Answer::Indeterminate;
    let mut lab = Sshd::start("");
    let user = Sshd::user();
    let key = lab.key("own", &["-t", "ed25519"]);
    lab.let_in(&["own"]);
    let own = (user.as_str(), key.as_str());
    let host_key = lab.host_key();
    let other = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    check(
        prober_at(lab.port(), other, &[]).as_ref(),
        own,
        Indeterminate,
        ("no trusted connection", "host key is not trusted"),
    );
    assert!(
        !lab.log().contains("userauth-request"),
        "nobody is signed in at a server that is not known: {}",
        lab.log()
    );
    check(
        prober_at(lab.port(), &host_key, &[]).as_ref(),
        own,
        Answer::Accepted,
        ("", ""),
    );
    for nonsense in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-nonsense\r\n\x00\x00\x00\x0cnonsense",
        b"SSH-1.5-old\r\n",
        b"",
    ] {
        let port = answers_in_clear(nonsense);
        check(
            prober_at(port, &host_key, &[("timeout", "3")]).as_ref(),
            own,
            Indeterminate,
            ("no ", ""),
        );
    }
    let hanging = HangingServer::start();
    check(
        prober_at(hanging.port(), &host_key, &[("timeout", "600")]).as_ref(),
        own,
        Indeterminate,
        ("no answer in time", "in time"),
    );
    assert_eq!(hanging.connections(), 1, "one try");
    lab.stop();
    check(
        prober_at(lab.port(), &host_key, &[]).as_ref(),
        own,
        Indeterminate,
        ("no answer", "cannot be reached"),
    );
}

#[test]
fn the_source_reads_nothing_and_checks_the_host_key() {
    let lab = Sshd::start("");
    let port = lab.port().to_string();
    let source = |host_key: &str| {
        let pairs = [
            ("address", "127.0.0.1"),
            ("port", port.as_str()),
            ("host_key", host_key),
            ("system", "web-1"),
        ];
        lastkey_ssh::configure(&settings(&pairs), None).unwrap()
    };
    let known = source(&lab.host_key());
    let report = run(known.check()).unwrap();
    assert!(report.remarks[0].contains("host key"), "{report:?}");
    assert!(known.capabilities().is_empty());
    let other = source("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
    let error = run(other.check()).unwrap_err();
    assert_eq!(
        error.kind,
        lastkey_contract::ErrorKind::TlsUntrusted,
        "{error}"
    );
}
