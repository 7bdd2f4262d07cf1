//! The one error type of connectors.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What went wrong, as far as somebody acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    ConfigInvalid,
    AuthRejected,
    Forbidden,
    TlsUntrusted,
    RateLimited,
    Unavailable,
    TimedOut,
    Protocol,
    /// What is there of one kind cannot be understood; that says nothing of another kind.
    NotUnderstood,
    CursorLost,
    Unsupported,
    Cancelled,
    Bug,
}

impl ErrorKind {
    /// Whether what we were told is wrong, and not what was met: bad input, not a fault.
    pub fn is_of_settings(self) -> bool {
        match self {
            ErrorKind::ConfigInvalid => true,
            ErrorKind::AuthRejected
            | ErrorKind::Forbidden
            | ErrorKind::TlsUntrusted
            | ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::TimedOut
            | ErrorKind::Protocol
            | ErrorKind::NotUnderstood
            | ErrorKind::CursorLost
            | ErrorKind::Unsupported
            | ErrorKind::Cancelled
            | ErrorKind::Bug => false,
        }
    }

    /// Whether trying again can help. Only the engine retries.
    pub fn may_retry(self) -> bool {
        match self {
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::TimedOut => true,
            ErrorKind::ConfigInvalid
            | ErrorKind::AuthRejected
            | ErrorKind::Forbidden
            | ErrorKind::TlsUntrusted
            | ErrorKind::Protocol
            | ErrorKind::NotUnderstood
            | ErrorKind::CursorLost
            | ErrorKind::Unsupported
            | ErrorKind::Cancelled
            | ErrorKind::Bug => false,
        }
    }
}

/// A connector's failure: what failed, on what, why, and what to do.
///
/// `message` is one sentence in lower case with user values in backticks, no
/// type names and no secrets; the hint stands apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorError {
    pub kind: ErrorKind,
    /// What was read from: a source's address or a folder, without credentials.
    pub system: String,
    /// What was being done: `connect`, `read accounts`.
    pub operation: String,
    pub message: String,
    pub hint: Option<String>,
    pub request_id: Option<String>,
    /// How long the system asked to wait.
    pub retry_after_ms: Option<u64>,
}

impl ConnectorError {
    /// An error without hint, request id or wait.
    pub fn new(
        kind: ErrorKind,
        system: impl Into<String>,
        operation: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            system: system.into(),
            operation: operation.into(),
            message: message.into(),
            hint: None,
            request_id: None,
            retry_after_ms: None,
        }
    }

    /// A cursor that is none of the connector's own.
    pub fn foreign_cursor(system: impl Into<String>, operation: impl Into<String>) -> Self {
        let what = "the place in the list is none of this connector's";
        Self::new(ErrorKind::CursorLost, system, operation, what)
            .hint("read this kind again from its start")
    }

    /// The same error with what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.system, self.message)
    }
}

impl std::error::Error for ConnectorError {}
