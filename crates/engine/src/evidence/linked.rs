//! The table of whose each account is. It is taken apart field by field, so that a new field breaks
//! the build.

use super::cells::{cell, known, list, truth, word};
use super::content::LinkedAccountRow;
use crate::correlate::{Confidence, Doubt};
use crate::lifecycle::Basis;
use crate::store::LinkedAccount;

pub(super) const LINKS: &[&str] = &[
    "system",
    "account_id",
    "source",
    "state",
    "identity",
    "rule",
    "confidence",
    "basis",
    "candidates",
    "doubt",
    "supplement",
];

impl From<LinkedAccount> for LinkedAccountRow {
    fn from(linked: LinkedAccount) -> Self {
        let doubt = linked.doubt.as_deref().and_then(Doubt::from_word);
        LinkedAccountRow {
            system: linked.account.system.to_string(),
            id: linked.account.id.to_string(),
            source: linked.source_name,
            supplement: linked.supplement,
            state: linked.state,
            identity: linked.record.map(|record| record.to_string()),
            rule: (!linked.rule.is_empty()).then_some(linked.rule),
            confidence: linked.confidence,
            basis: linked.basis,
            candidates: linked.candidates,
            doubt: doubt.map(Doubt::in_words),
        }
    }
}

/// One line of it.
pub(super) fn link(row: LinkedAccountRow) -> Vec<String> {
    let LinkedAccountRow {
        system,
        id,
        source,
        state,
        identity,
        rule,
        confidence,
        basis,
        candidates,
        doubt,
        supplement,
    } = row;
    vec![
        cell(&system),
        cell(&id),
        cell(&source),
        word(Some(state.word())),
        known(identity.as_ref()),
        known(rule.as_ref()),
        word(confidence.map(Confidence::word)),
        word(basis.map(Basis::word)),
        list(&candidates),
        word(doubt),
        truth(Some(supplement)),
    ]
}
