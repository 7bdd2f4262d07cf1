//! Trying a credential: does the system still take it?
//!
//! Apart from reading, and with nothing but the credential that is tried: the secret that a source is
//! read with never reaches a prober. A prober tries once. How often, with whose consent and what
//! follows from an answer is the engine's.

use crate::error::{ConnectorError, ErrorKind};
use crate::said::said;
use crate::secret::Secret;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One way to try a credential, as plain data.
#[derive(Debug, PartialEq, Eq)]
pub struct ProbeSpec {
    /// Its name in commands and rows, such as `ldap_bind`.
    pub how: &'static str,
    /// In a person's words: `LDAP bind`.
    pub title: &'static str,
    /// What is given as the account: `distinguished name of the account`.
    pub account: &'static str,
    /// What is given as the secret: `password`.
    pub secret: &'static str,
    /// Whether the secret is a text of several lines, such as a private key.
    pub several_lines: bool,
    /// Whether the system may count refused tries and lock the account.
    pub can_lock: bool,
    /// One sentence: what an accepted try leaves behind in the system.
    pub leaves: &'static str,
}

/// What the system said to one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It let us in.
    Accepted,
    /// It said in its own words for this that it does not let this credential in.
    Rejected,
    /// Anything else: no connection, a time limit, an error of the server, words with two meanings.
    Indeterminate,
}

impl Answer {
    pub fn word(self) -> &'static str {
        match self {
            Answer::Accepted => "accepted",
            Answer::Rejected => "rejected",
            Answer::Indeterminate => "indeterminate",
        }
    }

    pub fn from_word(word: &str) -> Option<Answer> {
        [Answer::Accepted, Answer::Rejected, Answer::Indeterminate]
            .into_iter()
            .find(|answer| answer.word() == word)
    }
}

/// The answer of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub answer: Answer,
    /// The status as the system gave it, shortened, without anything of the secret:
    /// `49 invalidCredentials`, `HTTP 403 permission denied`, `28P01`.
    pub raw: String,
    /// What makes it indeterminate, or what the status means, in one sentence.
    pub why: Option<String>,
}

impl Tried {
    pub fn accepted(raw: impl Into<String>) -> Tried {
        Tried {
            answer: Answer::Accepted,
            raw: raw.into(),
            why: None,
        }
    }

    pub fn rejected(raw: impl Into<String>) -> Tried {
        Tried {
            answer: Answer::Rejected,
            raw: raw.into(),
            why: None,
        }
    }

    pub fn indeterminate(raw: impl Into<String>, why: impl Into<String>) -> Tried {
        Tried {
            answer: Answer::Indeterminate,
            raw: raw.into(),
            why: Some(why.into()),
        }
    }

    /// The same answer with what its status means.
    pub fn because(mut self, why: impl Into<String>) -> Tried {
        self.why = Some(why.into());
        self
    }

    /// A fault: nothing was said about the credential.
    pub fn fault(error: &ConnectorError, secret: &Secret) -> Tried {
        let raw = match error.kind {
            ErrorKind::ConfigInvalid => "not tried",
            ErrorKind::TlsUntrusted => "no trusted connection",
            ErrorKind::TimedOut => "no answer in time",
            ErrorKind::RateLimited => "asked to wait",
            ErrorKind::Unavailable | ErrorKind::Cancelled => "no answer",
            ErrorKind::AuthRejected
            | ErrorKind::Forbidden
            | ErrorKind::Protocol
            | ErrorKind::NotUnderstood
            | ErrorKind::CursorLost
            | ErrorKind::Unsupported
            | ErrorKind::Bug => "no answer to the question",
        };
        Tried::indeterminate(raw, said(&error.message, secret))
    }
}

/// A configured way to try credentials of one system. It holds no secret.
#[async_trait]
pub trait Prober: Send + Sync {
    fn spec(&self) -> &'static ProbeSpec;
    /// Why an account of that name is never asked for; None where it may be.
    fn unsendable(&self, _account: &str) -> Option<&'static str> {
        None
    }
    /// Tries the secret once, signs out again where it was let in, and leaves nothing open. A fault is
    /// an answer: indeterminate. No retry, no second address, no weaker connection.
    async fn try_once(&self, account: &str, secret: &Secret) -> Tried;
}
