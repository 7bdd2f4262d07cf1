//! What the verifier says.

use crate::key::Fingerprint;
use serde::Serialize;
use std::path::PathBuf;

/// Whether the package is what its signer made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PackageState {
    /// Every byte is as signed, and by the signer that was asked for.
    #[serde(rename = "intact")]
    Intact,
    /// Every byte is as signed; nobody said who should have signed, or somebody else did.
    #[serde(rename = "intact, signer unknown")]
    IntactSignerUnknown,
    /// Something is not as signed; `problems` says what.
    #[serde(rename = "broken")]
    Broken,
}

impl PackageState {
    /// The words for people and for JSON.
    pub fn words(self) -> &'static str {
        match self {
            PackageState::Intact => "intact",
            PackageState::IntactSignerUnknown => "intact, signer unknown",
            PackageState::Broken => "broken",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file within the package; None where it is the archive as a whole.
    pub file: Option<String>,
    /// One sentence in lower case, without control characters.
    pub message: String,
}

/// The verifier's answer. Names and messages are safe to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    pub state: PackageState,
    /// The key whose signature holds; None where none does.
    #[serde(serialize_with = "fingerprint")]
    pub signer: Option<Fingerprint>,
    /// As signed; None where no signature holds.
    pub package_id: Option<String>,
    /// As signed; the signer's own clock.
    pub made_at: Option<String>,
    /// How many files the archive lists.
    pub files: u64,
    pub problems: Vec<Problem>,
}

fn fingerprint<S: serde::Serializer>(
    signer: &Option<Fingerprint>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    signer
        .as_ref()
        .map(Fingerprint::as_str)
        .serialize(serializer)
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("`{path}` cannot be read: {reason}")]
    CannotRead { path: PathBuf, reason: String },
}
