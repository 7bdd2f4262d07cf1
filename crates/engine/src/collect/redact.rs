//! Takes known secret values out of texts before they are written.

use lastkey_contract::{Note, Secret};

/// What stands in a text instead of a secret.
const HIDDEN: &str = "(hidden)";

pub(super) struct Redactor<'a> {
    secrets: &'a [Secret],
}

impl<'a> Redactor<'a> {
    pub(super) fn new(secrets: &'a [Secret]) -> Self {
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
}
