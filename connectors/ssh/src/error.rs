//! How failures of an SSH connection become the contract's one error type.

use lastkey_contract::{ConnectorError, ErrorKind};

/// A setting that cannot count.
pub fn config(message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ErrorKind::ConfigInvalid, "ssh", "configure", message).hint(hint)
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
pub fn timed_out(system: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::TimedOut,
        system,
        "connect",
        "the server did not answer in time",
    )
    .hint("check the address and the port, or set a longer timeout")
}

/// The server shows another host key than the one in the settings.
pub fn other_host_key(system: &str, shown: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::TlsUntrusted,
        system,
        "connect",
        format!("the server's host key is not trusted: it is `{shown}`"),
    )
    .hint("compare it at the server itself, and give its fingerprint as host_key only if it is the server's own")
}

/// The client's own failure.
pub fn client(system: &str, operation: &str, error: &russh::Error) -> ConnectorError {
    use russh::Error;
    let (kind, message) = match error {
        Error::IO(error) => (
            ErrorKind::Unavailable,
            format!("the server broke off the connection: {error}"),
        ),
        Error::Disconnect | Error::HUP => (
            ErrorKind::Unavailable,
            "the server closed the connection".to_owned(),
        ),
        Error::ConnectionTimeout | Error::KeepaliveTimeout | Error::InactivityTimeout => {
            return timed_out(system);
        }
        Error::NoCommonAlgo { .. } => (
            ErrorKind::TlsUntrusted,
            "the server offers no method of SSH that is safe".to_owned(),
        ),
        other => (
            ErrorKind::Protocol,
            format!("the server answered oddly: {other}"),
        ),
    };
    ConnectorError::new(kind, system, operation, message)
        .hint("check that an SSH server answers there, and look into its log")
}
