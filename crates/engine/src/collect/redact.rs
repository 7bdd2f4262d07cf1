//! Takes known secret values out of texts before they are written.

use lastkey_contract::{CheckReport, ConnectorError, Note, Right, Secret};

/// What stands in a text instead of a secret.
const HIDDEN: &str = "(hidden)";

/// Takes these values out of whatever a source said.
pub struct Redactor<'a> {
    secrets: &'a [Secret],
}

impl<'a> Redactor<'a> {
    /// For these values.
    pub fn new(secrets: &'a [Secret]) -> Self {
        Self { secrets }
    }

    pub(super) fn clean(&self, text: &str) -> String {
        self.secrets
            .iter()
            .map(Secret::expose)
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }

    pub(super) fn note(&self, note: &Note) -> Note {
        Note {
            kind: note.kind,
            about: note.about,
            reason: self.clean(&note.reason),
            count: note.count,
            examples: note.examples.iter().map(|e| self.clean(e)).collect(),
        }
    }

    /// A failure of a source: a server may say back what it was sent.
    pub fn error(&self, error: ConnectorError) -> ConnectorError {
        let ConnectorError {
            kind,
            system,
            operation,
            message,
            hint,
            request_id,
            retry_after_ms,
        } = error;
        ConnectorError {
            kind,
            system: self.clean(&system),
            operation,
            message: self.clean(&message),
            hint: hint.map(|text| self.clean(&text)),
            request_id: request_id.map(|text| self.clean(&text)),
            retry_after_ms,
        }
    }

    /// What a check found.
    pub fn check(&self, report: CheckReport) -> CheckReport {
        let CheckReport {
            signed_in_as,
            server,
            missing_rights,
            excess_rights,
            rights_known,
            remarks,
        } = report;
        let rights = |rights: Vec<Right>| {
            let cleaned = rights.into_iter().map(|Right { name, why }| Right {
                name: self.clean(&name),
                why: self.clean(&why),
            });
            cleaned.collect()
        };
        CheckReport {
            signed_in_as: signed_in_as.map(|text| self.clean(&text)),
            server: server.map(|text| self.clean(&text)),
            missing_rights: rights(missing_rights),
            excess_rights: rights(excess_rights),
            rights_known,
            remarks: remarks.iter().map(|text| self.clean(text)).collect(),
        }
    }
}
