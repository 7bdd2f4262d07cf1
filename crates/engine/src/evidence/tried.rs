//! Tries of credentials as lines of a table.

use super::cells::{cell, known};
use super::content::TriedLine;
use lastkey_contract::when::rfc3339;

pub(super) const TRIES: &[&str] = &[
    "probe",
    "how",
    "system",
    "account",
    "credential",
    "identity",
    "consent",
    "consent_by",
    "consent_at",
    "from",
    "until",
    "answer",
    "proves",
    "raw",
    "why",
];

/// The line of one try.
pub(super) fn tried(one: TriedLine) -> Vec<String> {
    vec![
        cell(&one.probe),
        cell(&one.how),
        cell(&one.system),
        cell(&one.account),
        known(one.credential.as_ref()),
        known(one.identity.as_ref()),
        cell(&one.consent),
        cell(&one.consent_by),
        cell(&one.consent_at),
        rfc3339(one.from),
        rfc3339(one.until),
        one.answer.word().to_owned(),
        one.proves.word().to_owned(),
        cell(&one.raw),
        known(one.why.as_ref()),
    ]
}
