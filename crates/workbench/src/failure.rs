//! A failure on its way to a person: one sentence, what to do, and which exit status it stands for.

use lastkey_contract::ConnectorError;
use lastkey_engine::lifecycle::PlanError;
use lastkey_engine::policy::PolicyError;
use lastkey_engine::views::FailureView;

/// Which exit status a failure stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Wrong use: exit 2.
    BadInput,
    /// Could not be done (network, file, rights, store busy): exit 3.
    NotPossible,
    /// Keychain locked, key wrong or missing, store damaged: exit 4.
    Key,
}

impl FailureKind {
    /// The exit status.
    pub fn exit_status(self) -> u8 {
        match self {
            FailureKind::BadInput => 2,
            FailureKind::NotPossible => 3,
            FailureKind::Key => 4,
        }
    }

    /// The word for the window.
    pub fn word(self) -> &'static str {
        match self {
            FailureKind::BadInput => "bad_input",
            FailureKind::NotPossible => "not_possible",
            FailureKind::Key => "key",
        }
    }

    /// The kind that a failure on its way to a person names.
    pub fn of(view: &FailureView) -> Self {
        match view.kind.as_str() {
            "key" => FailureKind::Key,
            "bad_input" => FailureKind::BadInput,
            _ => FailureKind::NotPossible,
        }
    }
}

/// What failed and what to do. Messages hold no secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
    pub hint: Option<String>,
    /// Which state of keys or store it is, as one word, where a screen of its own stands for it.
    pub state: Option<String>,
}

impl Failure {
    /// Wrong use.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(FailureKind::BadInput, message)
    }
    /// Could not be done.
    pub fn not_possible(message: impl Into<String>) -> Self {
        Self::new(FailureKind::NotPossible, message)
    }
    /// Keychain, key or store.
    pub fn key(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Key, message)
    }
    fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            state: None,
        }
    }
    /// The same failure with the word for the state behind it.
    pub(crate) fn state(mut self, state: &'static str) -> Self {
        self.state = Some(state.to_owned());
        self
    }
    /// The same failure with what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        let ConnectorError {
            kind,
            system,
            operation: _,
            message,
            hint,
            request_id: _,
            retry_after_ms: _,
        } = error;
        let failure = match kind.is_of_settings() {
            true => FailureKind::BadInput,
            false => FailureKind::NotPossible,
        };
        let message = if message.contains(&system) {
            message
        } else {
            format!("{message}, at `{system}`")
        };
        Self {
            kind: failure,
            message,
            hint,
            state: None,
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let failure = Failure::bad_input(error.to_string());
        let PlanError { hint, .. } = error;
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let failure = Failure::bad_input(error.to_string());
        let PolicyError { hint, .. } = error;
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        let Failure {
            kind,
            message,
            hint,
            state,
        } = failure;
        Self {
            kind: kind.word().to_owned(),
            message,
            hint,
            state,
        }
    }
}
