//! Real servers whose TLS does not come to stand: what cannot heal is not tried again, and says
//! what to do. What a server closes without a word may heal.

use crate::harness::*;
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_tests::labs::{Extras, OpenSsl, Seed, Slapd};

fn slapd(global: &str) -> Lab {
    let extras = Extras {
        global,
        ..Extras::default()
    };
    Lab::OpenLdap(Slapd::start_with(Seed::default(), extras))
}

fn refused(lab: &Lab, more: &[(&str, &str)]) -> ConnectorError {
    let connector = lab.reader(more);
    let error = run(connector.check()).unwrap_err();
    assert_eq!(run(connector.connect()).err(), Some(error.clone()));
    error
}

#[track_caller]
fn check(error: &ConnectorError, says: &str, hint: &str) {
    let hinted = error.hint.as_deref().unwrap_or_default();
    assert!(
        error.message.contains(says) && hinted.contains(hint),
        "{error} ({hinted})"
    );
    assert!(!error.kind.may_retry(), "{:?}: {error}", error.kind);
    assert!(!error.message.contains("not trusted"), "{error}");
}

#[test]
fn the_wrong_port_is_named() {
    for make in Make::BOTH {
        let lab = Lab::start(make, "");
        let url = lab.ldaps_url().replace("ldaps://", "ldap://");
        // A greeting that is none is waited on, closed, or answered by an alert.
        let error = refused(
            &lab,
            &[("url", &url), ("starttls", "true"), ("timeout", "2")],
        );
        assert!(
            error.message.contains("TLS from the start")
                || matches!(error.kind, ErrorKind::Unavailable | ErrorKind::TimedOut),
            "{make:?}: {error}"
        );
        // A server without TLS closes on a greeting that it cannot read, as one that restarts
        // does: that is tried again, and the hint names the port.
        let url = lab.ldap_url().replace("ldap://", "ldaps://");
        let error = refused(&lab, &[("url", &url)]);
        let hint = error.hint.unwrap();
        assert!(
            error
                .message
                .contains("closed the connection before TLS stood")
                || error.message.contains("does not speak TLS"),
            "{make:?}: {}",
            error.message
        );
        assert!(hint.contains("check the port"), "{make:?}: {hint}");
    }
}

#[test]
fn a_server_that_demands_a_certificate_is_not_tried_again() {
    for versions in ["", "TLSCipherSuite NORMAL:-VERS-TLS1.3\n"] {
        let lab = slapd(&format!("TLSVerifyClient demand\n{versions}"));
        let url = lab.ldap_url();
        for more in [&[][..], &[("url", url.as_str()), ("starttls", "true")]] {
            let error = refused(&lab, more);
            check(&error, "demands a certificate", "without a certificate");
        }
    }
}

fn refused_by(server: &OpenSsl) -> ConnectorError {
    let url = format!("ldaps://{}", server.address());
    let ca = server.ca_path();
    let pairs = [
        ("url", url.as_str()),
        ("ca_file", ca.to_str().unwrap()),
        ("bind_dn", Slapd::READER_DN),
    ];
    run(configure(&pairs, Some("a password")).check()).unwrap_err()
}

#[test]
fn what_a_server_says_with_an_alert_is_told() {
    let weak = ["-cipher", "ALL:@SECLEVEL=0"];
    let old = OpenSsl::start(&[&["-tls1_1"][..], &weak].concat());
    check(
        &refused_by(&old),
        "only versions of TLS that are not safe",
        "TLS 1.2",
    );
    let odd = OpenSsl::start(&["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]);
    check(
        &refused_by(&odd),
        "no method of TLS that is safe",
        "cipher suites",
    );
    for version in ["-tls1_2", "-tls1_3"] {
        let strict = OpenSsl::start(&["-Verify", "1", "-verify_return_error", version]);
        check(
            &refused_by(&strict),
            "demands a certificate",
            "without a certificate",
        );
    }
}
