//! How answers of a vault become the contract's one error type.

use crate::http::Answer;
use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_http::refusal;

/// A setting that cannot count.
pub fn config(message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ErrorKind::ConfigInvalid, "vault", "configure", message).hint(hint)
}

/// An answer that is neither what was asked for, nor a plain "not there" or "not allowed".
pub fn refused(system: &str, operation: &str, answer: &Answer) -> ConnectorError {
    let said = answer.said();
    let (kind, message, hint) = match answer.status {
        300..=399 => (
            ErrorKind::Protocol,
            "the vault sends elsewhere, and a credential never follows",
            "give the address of the active server, or of a load balancer that reaches it",
        ),
        // Enterprise servers answer so where they have not heard yet of the token.
        412 => (
            ErrorKind::Unavailable,
            "this node of the vault has not caught up with the others",
            "sync again, or give the address of the active server",
        ),
        400 | 405 => (
            ErrorKind::Protocol,
            "the vault did not understand the request",
            "check that the server is Vault or OpenBao, and its version",
        ),
        // A vault says 403 to whatever it does not allow.
        401 => (
            ErrorKind::AuthRejected,
            "something before the vault wants a sign-in of its own",
            "give an address that leads to the vault itself",
        ),
        403 => (
            ErrorKind::Forbidden,
            "this login may not read here",
            "give the login the policy that the connector's page lists",
        ),
        404 if said.contains("namespace") => (
            ErrorKind::ConfigInvalid,
            "the namespace is not there, or this login may not see it",
            "check `namespace`; the root namespace has none",
        ),
        404 => (
            ErrorKind::Protocol,
            "what answers is no vault, or does not know this path",
            "check that the address is the vault's own, with nothing before it that cannot reach it",
        ),
        429 => (
            ErrorKind::RateLimited,
            "the vault asks to wait",
            "wait, then sync again; a rate limit quota may be too low",
        ),
        472 | 473 => (
            ErrorKind::Unavailable,
            "the vault is a standby that does not answer requests",
            "give the address of the active server",
        ),
        501 => (
            ErrorKind::Unavailable,
            "the vault is not initialised",
            "initialise and unseal it, then sync again",
        ),
        503 if said.contains("sealed") => (
            ErrorKind::Unavailable,
            "the vault is sealed",
            "unseal it, then sync again",
        ),
        500..=599 => (
            ErrorKind::Unavailable,
            "the vault is not available",
            "wait, then sync again; look into the vault's log for the reason",
        ),
        _ => (
            ErrorKind::Protocol,
            "the vault ended the request with an error",
            "look into the vault's log for the reason",
        ),
    };
    let why = (kind, message, hint);
    let mut error = refusal(system, operation, answer.status, Some(&said), why);
    error.retry_after_ms = answer.retry_after_ms();
    error.request_id = answer.request_id();
    error
}

/// A token that the vault does not take.
pub fn token_refused(system: &str, answer: &Answer) -> ConnectorError {
    about_token(
        system,
        answer,
        "the vault does not take the token",
        "check the token, its time to live and `namespace`; a wrapped token must be unwrapped first, and the token must be allowed to read auth/token/lookup-self, as the policy `default` allows",
    )
}

/// A token that was good at first.
pub fn token_ended(system: &str, answer: &Answer) -> ConnectorError {
    about_token(
        system,
        answer,
        "the token ended before the read did",
        "give the login a longer time to live and no limit of uses, then sync again",
    )
}

fn about_token(system: &str, answer: &Answer, message: &str, hint: &str) -> ConnectorError {
    ConnectorError {
        kind: ErrorKind::AuthRejected,
        message: match answer.said() {
            said if said.is_empty() => message.to_owned(),
            said => format!("{message}: `{said}`"),
        },
        hint: Some(hint.to_owned()),
        ..refused(system, "look up our own token", answer)
    }
}

/// A sign-in that was refused.
pub fn sign_in(system: &str, answer: &Answer) -> ConnectorError {
    let refused = refused(system, "sign in", answer);
    match answer.status {
        // The vault says 400 to a wrong secret ID, role or password, 403 to a wrong token.
        400 | 403 => ConnectorError {
            kind: ErrorKind::AuthRejected,
            message: match answer.said() {
                said if said.is_empty() => "the vault refused the sign-in".to_owned(),
                said => format!("the vault refused the sign-in: `{said}`"),
            },
            hint: Some(
                "check the secret and its time to live; a used-up or expired secret ID or token gets the same answer"
                    .to_owned(),
            ),
            ..refused
        },
        404 if refused.kind != ErrorKind::ConfigInvalid => ConnectorError {
            kind: ErrorKind::ConfigInvalid,
            message: "there is no such way to sign in".to_owned(),
            hint: Some("check `auth`, `auth_mount` and `namespace`".to_owned()),
            ..refused
        },
        _ => refused,
    }
}
