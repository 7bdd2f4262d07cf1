//! How answers of an API server become the contract's one error type.

use crate::objects::Status;
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_http::{Answer, Server, refusal};

/// An API server in our words.
pub static SERVER: Server = Server {
    kind: "kubernetes",
    name: "the API server",
    tls_name: "API server",
    sort: "a Kubernetes API server",
    whose: "a Kubernetes API server's",
    own: "the API server's own",
    secret: "the token",
    ca: "the cluster's",
    write: "write https://host:6443, as `kubectl cluster-info` shows it",
    port: "check the address and the port, 6443 or 443 as a rule",
    log: "look into the API server's log",
};

/// The API server's own words about a failure; None where the answer is not one of its: whatever
/// stands before it gives the same status, and that says nothing about what is there.
pub fn status(answer: &Answer) -> Option<Status> {
    let status: Status = serde_json::from_slice(&answer.body).ok()?;
    (status.kind == "Status").then_some(status)
}

/// An answer that is neither what was asked for, nor a plain "not there" or "not allowed".
pub fn refused(system: &str, operation: &str, answer: &Answer) -> ConnectorError {
    let own = status(answer);
    let why = match answer.status {
        401 if own.is_some() => (
            ErrorKind::AuthRejected,
            "the API server does not take the login",
            "check the token or the certificate and when it ends; a token made by `kubectl create token` lives for an hour where no duration is given",
        ),
        403 if own.is_some() => (
            ErrorKind::Forbidden,
            "this login may not read here",
            "give it the cluster role that the connector's page lists",
        ),
        401 | 403 => (
            ErrorKind::Protocol,
            "something before the API server does not let the request through",
            "give an address that leads to the API server itself",
        ),
        300..=399 => (
            ErrorKind::Protocol,
            "the API server sends elsewhere, and a token never follows",
            "give the address of the API server itself",
        ),
        404 => (
            ErrorKind::Protocol,
            "what answers does not know this path",
            "check that the address is the API server's own",
        ),
        429 => (
            ErrorKind::RateLimited,
            "the API server asks to wait",
            "wait, then sync again",
        ),
        408 | 504 => (
            ErrorKind::TimedOut,
            "the API server gave up waiting",
            "sync again, or read fewer namespaces",
        ),
        500..=599 => (
            ErrorKind::Unavailable,
            "the API server is not available",
            "wait, then sync again; look into the API server's log",
        ),
        _ => (
            ErrorKind::Protocol,
            "the API server did not understand the request",
            "check that the server is a Kubernetes API server, and its version",
        ),
    };
    let kind = why.0;
    let said = own.map(|own| line(&own.message));
    let mut error = refusal(system, operation, answer.status, said.as_deref(), why);
    error.retry_after_ms = answer
        .retry_after_ms()
        .filter(|_| kind == ErrorKind::RateLimited || kind == ErrorKind::Unavailable);
    error.request_id = answer.header("audit-id");
    error
}

/// A server's words on one short line.
pub fn line(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

/// A list that the server forgot before it was read to its end, each time.
pub fn restless(system: &str, operation: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unavailable,
        system,
        operation,
        "the API server forgot the list before it was read to its end, each time it was begun",
    )
    .hint("sync again when the cluster is less busy, or read fewer namespaces")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, headers: &[(&str, &str)], body: &str, kind: ErrorKind) {
        let answer = Answer::recorded(status, headers, body);
        let error = refused("https://h", "read accounts", &answer);
        assert_eq!(error.kind, kind, "{status} {headers:?} {body}: {error}");
        assert!(error.hint.is_some());
    }

    #[test]
    fn every_status_says_what_to_do() {
        let own = r#"{"kind":"Status","message":"Unauthorized","reason":"Unauthorized"}"#;
        check(401, &[], own, ErrorKind::AuthRejected);
        check(401, &[], "<html>", ErrorKind::Protocol);
        check(403, &[], own, ErrorKind::Forbidden);
        check(403, &[], "<html>", ErrorKind::Protocol);
        check(302, &[], "", ErrorKind::Protocol);
        check(404, &[], "404 page not found", ErrorKind::Protocol);
        check(429, &[("retry-after", "1")], own, ErrorKind::RateLimited);
        check(500, &[], own, ErrorKind::Unavailable);
        check(503, &[], "", ErrorKind::Unavailable);
        check(504, &[], own, ErrorKind::TimedOut);
        check(400, &[], own, ErrorKind::Protocol);
    }

    #[test]
    fn a_wait_is_told() {
        let answer = Answer::recorded(429, &[("retry-after", "7")], "");
        assert_eq!(refused("s", "o", &answer).retry_after_ms, Some(7_000));
    }
}
