//! How answers of GitHub become the contract's one error type.

use crate::http::Answer;
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_http::refusal;

/// A setting that cannot count.
pub fn config(message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ErrorKind::ConfigInvalid, "github", "configure", message).hint(hint)
}

/// A list that changed each time it was looked at.
pub fn restless(system: &str, operation: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unavailable,
        system,
        operation,
        "the list changed each time it was looked at, so that a name could be missed",
    )
    .hint("sync again when less is being changed")
}

/// An answer that is neither what was asked for, nor a plain "not there" or "not allowed".
pub fn refused(system: &str, operation: &str, answer: &Answer) -> ConnectorError {
    let said = answer.said();
    let (kind, message, hint) = match answer.status {
        _ if answer.is_limited() => (
            ErrorKind::RateLimited,
            "GitHub asks to wait",
            "wait, then sync again; a GitHub App's token has a limit of its own",
        ),
        401 if said.is_some() => (
            ErrorKind::AuthRejected,
            "GitHub does not take the token",
            "check the token and when it expires; an installation token lives for an hour",
        ),
        403 if answer.headers.contains_key("x-github-sso") => (
            ErrorKind::Forbidden,
            "the token is not authorised for the organisation's single sign-on",
            "authorise it under Settings, Developer settings, Configure SSO, or use a GitHub App",
        ),
        403 if said.is_some() => (
            ErrorKind::Forbidden,
            "this token may not read here",
            "give it the rights that the connector's page lists",
        ),
        401 | 403 => (
            ErrorKind::Protocol,
            "something before GitHub does not let the request through",
            "give an address that leads to GitHub itself",
        ),
        300..=399 => (
            ErrorKind::Protocol,
            "GitHub sends elsewhere, and a token never follows",
            "give the address and the name as they are now; something may have been renamed",
        ),
        404 => (
            ErrorKind::Protocol,
            "what answers does not know this path",
            "check that the address is the API's own: https://api.github.com, or the host of your server",
        ),
        408 => (ErrorKind::TimedOut, "GitHub gave up waiting", "sync again"),
        500..=599 => (
            ErrorKind::Unavailable,
            "GitHub is not available",
            "wait, then sync again; look at githubstatus.com or the server's log",
        ),
        _ => (
            ErrorKind::Protocol,
            "GitHub did not understand the request",
            "check that the server is GitHub, and its version",
        ),
    };
    let why = (kind, message, hint);
    let mut error = refusal(system, operation, answer.status, said.as_deref(), why);
    error.retry_after_ms = answer.wait_ms().filter(|_| kind == ErrorKind::RateLimited);
    error.request_id = answer.request_id();
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tests::answer;

    #[track_caller]
    fn check(status: u16, headers: &[(&str, &str)], body: &str, kind: ErrorKind) {
        let error = refused("https://h", "read accounts", &answer(status, headers, body));
        assert_eq!(error.kind, kind, "{status} {headers:?} {body}: {error}");
        assert!(error.hint.is_some());
    }

    #[test]
    fn every_status_says_what_to_do() {
        let own = r#"{"message":"Bad credentials"}"#;
        check(401, &[], own, ErrorKind::AuthRejected);
        check(401, &[], "<html>", ErrorKind::Protocol);
        check(403, &[], own, ErrorKind::Forbidden);
        check(403, &[], "<html>", ErrorKind::Protocol);
        check(
            403,
            &[("x-github-sso", "required; url=x")],
            own,
            ErrorKind::Forbidden,
        );
        check(403, &[("retry-after", "1")], own, ErrorKind::RateLimited);
        check(429, &[], "", ErrorKind::RateLimited);
        check(301, &[], own, ErrorKind::Protocol);
        check(404, &[], "", ErrorKind::Protocol);
        check(422, &[], own, ErrorKind::Protocol);
        check(502, &[], "<html>", ErrorKind::Unavailable);
    }
}
