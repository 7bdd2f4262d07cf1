//! The manager whom a registry names for a workload or an agent.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use crate::ownership::subject::Subject;
use lastkey_contract::facts::OwnerRole;

pub(super) fn clues(subject: &Subject<'_>) -> Vec<Clue> {
    subject
        .manager_id
        .map(|id| Clue {
            rule: Rule::Manager,
            role: OwnerRole::Business,
            strength: Strength::Likely,
            pointer: Pointer::Identity {
                source: subject.source,
                id: id.to_owned(),
            },
            says: format!("`manager_id` is `{id}`"),
            fact: subject.words.clone(),
        })
        .into_iter()
        .collect()
}
