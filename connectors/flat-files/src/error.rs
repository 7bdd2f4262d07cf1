//! How the errors of files become the contract's one error type.

use lastkey_contract::{ConnectorError, ErrorKind};
use std::io;

/// A file, folder or archive that could not be opened or read.
pub fn unreadable(system: &str, operation: &str, name: &str, error: &io::Error) -> ConnectorError {
    let (kind, why, hint) = match error.kind() {
        io::ErrorKind::NotFound => (
            ErrorKind::ConfigInvalid,
            "does not exist".to_owned(),
            "check the path; a relative path counts from where lastkey was started",
        ),
        io::ErrorKind::PermissionDenied => (
            ErrorKind::Unavailable,
            "may not be read by this user".to_owned(),
            "give the user who runs lastkey the right to read it",
        ),
        _ => (
            ErrorKind::Unavailable,
            format!("could not be read: {}", lower(&error.to_string())),
            "check that the disk or share is there, then sync again",
        ),
    };
    ConnectorError::new(kind, system, operation, format!("`{name}` {why}")).hint(hint)
}

/// A file whose content breaks a rule as a whole.
pub fn broken(system: &str, operation: &str, message: String, hint: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Protocol, system, operation, message).hint(hint)
}

/// A file that cannot be read as its kind; the other files may be fine.
pub fn not_understood(system: &str, message: String, hint: &str) -> ConnectorError {
    let kind = ErrorKind::NotUnderstood;
    ConnectorError::new(kind, system, "read the header", message).hint(hint)
}

/// A setting that cannot count.
pub fn config(message: String, hint: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ErrorKind::ConfigInvalid, "flat-files", "configure", message).hint(hint)
}

/// The first letter small: our sentences are in lower case.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
