//! Logins against a real PostgreSQL.

use crate::harness::*;
use lastkey_tests::labs::{HangingServer, PostgreSql};
use std::path::Path;

const ANNS: &str = "Ann-canary-Trombone-77";
const WRONG: &str = "wrong-canary-Xylophone";

/// A prober of a source whose own login is another's, and wrong: it is never used.
fn prober_at(port: u16, ca: &Path, more: &[(&str, &str)]) -> Box<dyn Prober> {
    let port = port.to_string();
    let mut pairs = vec![
        ("address", "127.0.0.1"),
        ("port", port.as_str()),
        ("system", "corp-db"),
        ("username", "nobody-reads"),
        ("ca_file", ca.to_str().unwrap()),
    ];
    pairs.extend(more);
    lastkey_postgresql::prober("postgresql_login", &settings(&pairs)).unwrap()
}

fn prober(lab: &PostgreSql, more: &[(&str, &str)]) -> Box<dyn Prober> {
    prober_at(lab.port(), &lab.ca_path(), more)
}

#[test]
fn roles_that_are_let_in_and_that_are_not() {
    use Answer::{Accepted, Indeterminate, Rejected};
    let lab = PostgreSql::start(
        "hostssl all trusted 127.0.0.1/32 trust\n\
         hostssl all barred 127.0.0.1/32 reject\n\
         hostssl all hashed 127.0.0.1/32 md5\n\
         hostssl all plain 127.0.0.1/32 password",
    );
    for name in [
        "ann", "bob", "cora", "dan", "eve", "trusted", "barred", "plain",
    ] {
        lab.sql(&format!("CREATE ROLE {name} LOGIN PASSWORD '{ANNS}'"));
    }
    lab.sql(&format!(
        "SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD '{ANNS}'"
    ));
    lab.sql("CREATE ROLE without LOGIN");
    let prober_of = prober(&lab, &[]);
    let check = |role: &str, password: &str, answer, says| {
        check(prober_of.as_ref(), (role, password), answer, says);
    };
    check("ann", ANNS, Accepted, ("00000", ""));
    check("hashed", ANNS, Accepted, ("00000", ""));
    check("plain", ANNS, Accepted, ("00000", ""));
    for role in ["ann", "hashed", "plain", "nobody", "without"] {
        check(role, WRONG, Rejected, ("28P01", ""));
    }
    lab.sql("ALTER ROLE bob NOLOGIN");
    check("bob", ANNS, Rejected, ("28000", "may not log in"));
    check("bob", WRONG, Rejected, ("28P01", ""));
    lab.sql("ALTER ROLE cora VALID UNTIL '2020-01-01'");
    check("cora", ANNS, Rejected, ("28P01", "past its date"));
    lab.sql("DROP ROLE dan");
    check("dan", ANNS, Rejected, ("28P01", "no such role"));
    // What is not about the role.
    check(
        "trusted",
        WRONG,
        Indeterminate,
        ("without a password", "without asking"),
    );
    check(
        "trusted",
        ANNS,
        Indeterminate,
        ("without a password", "without asking"),
    );
    check("barred", ANNS, Indeterminate, ("28000", "rule"));
    lab.sql("ALTER ROLE eve CONNECTION LIMIT 0");
    check("eve", ANNS, Indeterminate, ("53300", "connections"));
    check("", ANNS, Indeterminate, ("not sent", "no role"));
    check("ann", "", Indeterminate, ("not sent", "empty"));
    check("ann", "a\0b-canary", Indeterminate, ("not sent", ""));

    let none = prober(&lab, &[("database", "none")]);
    crate::harness::check(
        none.as_ref(),
        ("ann", ANNS),
        Indeterminate,
        ("3D000", "database"),
    );
    lab.sql("CREATE DATABASE closed");
    lab.sql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
    let closed = prober(&lab, &[("database", "closed")]);
    crate::harness::check(
        closed.as_ref(),
        ("ann", ANNS),
        Indeterminate,
        ("42501", "database"),
    );
    // The login of the source, which is wrong, was never used.
    assert!(!lab.log().contains("nobody-reads"), "{}", lab.log());
}

#[test]
fn faults_are_indeterminate() {
    use Answer::Indeterminate;
    let mut lab = PostgreSql::start("hostnossl all all 127.0.0.1/32 trust");
    lab.sql(&format!("CREATE ROLE ann LOGIN PASSWORD '{ANNS}'"));
    let ann = ("ann", ANNS);
    let ca = lab.ca_path();
    check(prober(&lab, &[]).as_ref(), ann, Answer::Accepted, ("", ""));
    check(
        prober_at(lab.port(), &lab.other_ca_path(), &[]).as_ref(),
        ann,
        Indeterminate,
        ("no trusted connection", "not trusted"),
    );
    let clear = answers_in_clear(b"N");
    check(
        prober_at(clear, &ca, &[]).as_ref(),
        ann,
        Indeterminate,
        ("no trusted connection", "offers no TLS"),
    );
    let garbage = answers_in_clear(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    check(
        prober_at(garbage, &ca, &[]).as_ref(),
        ann,
        Indeterminate,
        ("no trusted connection", ""),
    );
    let half = answers_in_clear(b"SHTTP/1.1 400 Bad Request\r\n\r\n");
    check(
        prober_at(half, &ca, &[]).as_ref(),
        ann,
        Indeterminate,
        ("no ", ""),
    );
    let hanging = HangingServer::start();
    check(
        prober_at(hanging.port(), &ca, &[("timeout", "600")]).as_ref(),
        ann,
        Indeterminate,
        ("no answer in time", "in time"),
    );
    assert_eq!(hanging.connections(), 1, "one try");
    lab.stop();
    check(
        prober_at(lab.port(), &ca, &[]).as_ref(),
        ann,
        Indeterminate,
        ("no answer", "cannot be reached"),
    );
}

#[test]
fn it_signs_out_and_leaves_nothing_open() {
    let lab = PostgreSql::start("");
    lab.sql(&format!("CREATE ROLE ann LOGIN PASSWORD '{ANNS}'"));
    check(
        prober(&lab, &[]).as_ref(),
        ("ann", ANNS),
        Answer::Accepted,
        ("", ""),
    );
    let open = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ann'";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while lab.sql(open) != "0" {
        assert!(std::time::Instant::now() < deadline, "{}", lab.log());
    }
}
