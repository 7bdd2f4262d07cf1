//! How failures of a scan become the contract's one error type.

use lastkey_contract::{ConnectorError, ErrorKind};
use std::io;

/// A setting that cannot count.
pub fn config(message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::ConfigInvalid,
        "workstation",
        "configure",
        message,
    )
    .hint(hint)
}

/// The top of the scan, or the lists of accounts, cannot be read.
pub fn unreadable(system: &str, operation: &str, name: &str, error: &io::Error) -> ConnectorError {
    let (kind, why, hint) = match error.kind() {
        io::ErrorKind::NotFound => (
            ErrorKind::ConfigInvalid,
            "does not exist".to_owned(),
            "check the path; a relative path counts from where lastkey was started",
        ),
        io::ErrorKind::PermissionDenied => (
            ErrorKind::Forbidden,
            "may not be read by this user".to_owned(),
            "run the scan as a user who may read it",
        ),
        other => (
            ErrorKind::Unavailable,
            format!("could not be read: {other}"),
            "check that the disk or share is there, then sync again",
        ),
    };
    ConnectorError::new(kind, system, operation, format!("`{name}` {why}")).hint(hint)
}

/// Pages of two states are no read.
pub fn lost(system: &str, operation: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::CursorLost,
        system,
        operation,
        "the place in the list is none of this scan: files have changed since, or it was never one",
    )
    .hint("sync again: the tree is then scanned anew")
}

/// A defect of ours.
pub fn bug(system: &str, operation: &str, message: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Bug, system, operation, message)
}
