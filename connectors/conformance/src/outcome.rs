//! How a case ended.

use lastkey_contract::ConnectorError;
use lastkey_engine::store::StoreError;
use serde::{Deserialize, Serialize};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "why", rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed(String),
    /// The case makes no sense for this connector, for this reason.
    NotApplicable(String),
    /// The case needs a server that this machine lacks.
    NotRun(Missing),
}

/// What a machine lacks: a name out of the list of what may be missing, and why it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub server: String,
    pub why: String,
}

/// Why a case did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Failed(String),
    NotApplicable(String),
    NotRun(Missing),
}

pub(crate) type Verdict = Result<(), Why>;

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Ok(()) => Outcome::Passed,
            Err(Why::Failed(why)) => Outcome::Failed(why),
            Err(Why::NotApplicable(why)) => Outcome::NotApplicable(why),
            Err(Why::NotRun(missing)) => Outcome::NotRun(missing),
        }
    }
}

impl From<ConnectorError> for Why {
    fn from(error: ConnectorError) -> Self {
        Why::Failed(format!(
            "{:?} while `{}`: {error}",
            error.kind, error.operation
        ))
    }
}

impl From<StoreError> for Why {
    fn from(error: StoreError) -> Self {
        Why::Failed(format!("the store: {error}"))
    }
}

impl From<std::io::Error> for Why {
    fn from(error: std::io::Error) -> Self {
        Why::Failed(format!("the suite's own ground: {error}"))
    }
}

/// Fails the case with a sentence unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($told:tt)+) => {
        if !$condition {
            return Err($crate::outcome::Why::Failed(format!($($told)+)));
        }
    };
}
pub(crate) use ensure;
