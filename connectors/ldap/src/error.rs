//! How results of a directory become the contract's one error type.

use lastkey_contract::{ConnectorError, ErrorKind};
use ldap3::{LdapError, LdapResult};

const NO_BASE: (ErrorKind, &str, &str) = (
    ErrorKind::ConfigInvalid,
    "the base does not exist, or this login may not see it",
    "check base_dn, and the rights of the reading account",
);

/// A setting that cannot count.
pub fn config(message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ErrorKind::ConfigInvalid, "ldap", "configure", message).hint(hint)
}

/// The client's own failure: the connection, the protocol, the filter.
pub fn client(system: &str, operation: &str, error: &LdapError) -> ConnectorError {
    let new = |kind, message: String| ConnectorError::new(kind, system, operation, message);
    match error {
        LdapError::Timeout { .. } => timed_out(system, operation),
        LdapError::FilterParsing => new(
            ErrorKind::ConfigInvalid,
            "the filter is not a filter that LDAP knows".to_owned(),
        )
        .hint("check people_filter and group_filter; a filter stands in brackets"),
        LdapError::LdapResult { result } => refused(system, operation, result),
        other => odd(system, operation, &other.to_string()),
    }
}

/// Nobody there.
pub fn unreachable(system: &str, operation: &str, why: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unavailable,
        system,
        operation,
        format!("the directory cannot be reached: {why}"),
    )
    .hint("check the address, the port and the network")
}

/// The connection ended in the middle.
pub fn closed(system: &str, operation: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unavailable,
        system,
        operation,
        "the directory closed the connection",
    )
    .hint("sync again; if it comes back, look into the directory's log")
}

/// No answer in time.
pub fn timed_out(system: &str, operation: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::TimedOut,
        system,
        operation,
        "the directory did not answer in time",
    )
    .hint("check the address and the port, or set a longer timeout")
}

/// Nothing is there, not even the base: no directory is as empty as that.
pub fn no_base(system: &str, operation: &str) -> ConnectorError {
    let (kind, message, hint) = NO_BASE;
    ConnectorError::new(kind, system, operation, message).hint(hint)
}

/// An answer that breaks the protocol.
pub fn odd(system: &str, operation: &str, what: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Protocol,
        system,
        operation,
        format!("the directory answered oddly: {what}"),
    )
    .hint("check that the address is the directory's own, with nothing between that changes what it sends")
}

/// A result code other than success.
pub fn refused(system: &str, operation: &str, result: &LdapResult) -> ConnectorError {
    let (kind, message, hint) = match result.rc {
        7 | 8 | 13 | 48 => (
            ErrorKind::AuthRejected,
            "the directory does not take this way of signing in",
            "allow simple bind over TLS for the reading account",
        ),
        10 => (
            ErrorKind::ConfigInvalid,
            "the directory refers to another server, which is not followed",
            "give the address of the server that holds the base",
        ),
        32 => NO_BASE,
        34 => (
            ErrorKind::ConfigInvalid,
            "a DN in the settings is not well-formed",
            "check base_dn and bind_dn",
        ),
        49 => (
            ErrorKind::AuthRejected,
            "the directory refused the name or the password",
            "check bind_dn and the password; a locked account gets the same answer",
        ),
        50 => (
            ErrorKind::Forbidden,
            "this login may not read here",
            "give the reading account the rights that the connector's page lists",
        ),
        51 => (
            ErrorKind::RateLimited,
            "the directory is busy",
            "wait, then sync again",
        ),
        52 => (
            ErrorKind::Unavailable,
            "the directory is not available",
            "wait, then sync again",
        ),
        53 => (
            ErrorKind::Forbidden,
            "the directory is not willing to do this",
            "look into the directory's log for the reason",
        ),
        _ => (
            ErrorKind::Protocol,
            "the directory ended the request with an error",
            "look into the directory's log for the reason",
        ),
    };
    let said: String = result.text.chars().take(200).collect();
    let message = match said.is_empty() {
        true => format!("{message} (result {})", result.rc),
        false => format!("{message} (result {}: `{said}`)", result.rc),
    };
    ConnectorError::new(kind, system, operation, message).hint(hint)
}
