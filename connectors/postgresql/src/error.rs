//! How failures of a PostgreSQL connection become the contract's one error type.

use lastkey_contract::{ConnectorError, ErrorKind};
use lastkey_tls::Watched;
use std::error::Error as _;
use std::io;
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

/// A setting that cannot count.
pub fn config(message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ErrorKind::ConfigInvalid, "postgresql", "configure", message).hint(hint)
}

/// Nobody there.
pub fn unreachable(system: &str, why: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unavailable,
        system,
        "connect",
        format!("the server cannot be reached: {why}"),
    )
    .hint("check the address, the port and the network")
}

/// No answer in time.
pub fn timed_out(system: &str, operation: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::TimedOut,
        system,
        operation,
        "the server did not answer in time",
    )
    .hint("check the address and the port, or set a longer timeout")
}

/// The connection, the protocol, or the server's own word.
pub fn failed(system: &str, operation: &str, error: &Error, watched: &Watched) -> ConnectorError {
    if let Some(said) = error.as_db_error() {
        return refused(system, operation, said);
    }
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    if let Some(cause) = cause {
        if let Some(by_tls) = watched
            .error(system)
            .or_else(|| watched.broken(system, operation, cause))
        {
            return by_tls;
        }
        return closed(system, operation, watched);
    }
    if error.is_closed() {
        return closed(system, operation, watched);
    }
    let words = error.to_string();
    // Its word for a server that answers the question for TLS with no.
    if words.contains("server does not support TLS") || words.contains("TLS handshake") {
        return ConnectorError::new(
            ErrorKind::TlsUntrusted,
            system,
            operation,
            "the server offers no TLS, and nothing is ever sent in clear",
        )
        .hint("switch TLS on in the server: ssl = on, with a certificate");
    }
    ConnectorError::new(
        ErrorKind::Protocol,
        system,
        operation,
        "what answers there does not speak as PostgreSQL does",
    )
    .hint("check the address and the port, 5432 as a rule")
}

fn closed(system: &str, operation: &str, watched: &Watched) -> ConnectorError {
    watched.closed(system, operation).unwrap_or_else(|| {
        ConnectorError::new(
            ErrorKind::Unavailable,
            system,
            operation,
            "the server closed the connection",
        )
        .hint("sync again; if it comes back, look into the server's log")
    })
}

/// The server said no.
pub fn refused(system: &str, operation: &str, said: &DbError) -> ConnectorError {
    let code = said.code().code();
    let (kind, message, hint) = match code {
        "28P01" | "28000" => (
            ErrorKind::AuthRejected,
            "the server refused the sign-in",
            "check username, password and the server's pg_hba.conf",
        ),
        "3D000" => (
            ErrorKind::ConfigInvalid,
            "there is no such database",
            "check `database`",
        ),
        "42501" => (
            ErrorKind::Forbidden,
            "this login may not read here",
            "give the login the rights that the connector's page lists",
        ),
        "53300" => (
            ErrorKind::RateLimited,
            "the server takes no more connections",
            "wait, then sync again",
        ),
        "57014" => (
            ErrorKind::TimedOut,
            "the server gave the question up",
            "set a longer timeout",
        ),
        _ if code.starts_with("57P") || code.starts_with("08") || code.starts_with("53") => (
            ErrorKind::Unavailable,
            "the server is not available",
            "wait, then sync again; look into the server's log for the reason",
        ),
        _ => (
            ErrorKind::Protocol,
            "the server ended the request with an error",
            "look into the server's log for the reason",
        ),
    };
    let words: String = said.message().chars().take(200).collect();
    ConnectorError::new(
        kind,
        system,
        operation,
        format!("{message} ({code}: `{words}`)"),
    )
    .hint(hint)
}
