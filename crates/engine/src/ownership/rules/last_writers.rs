//! Whoever wrote it last, or signed in with it by hand, works with it.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use crate::ownership::subject::Subject;
use lastkey_contract::facts::OwnerRole;

/// Attributes in which systems say who changed something last.
const WRITERS: [&str; 11] = [
    "lastwriter",
    "lastwrittenby",
    "modifiedby",
    "lastmodifiedby",
    "modifiersname",
    "updatedby",
    "lastupdatedby",
    "changedby",
    "lastchangedby",
    "rotatedby",
    "committer",
];

/// Attributes in which systems say who used something last, as a person.
const USERS: [&str; 5] = [
    "lastusedby",
    "lastinteractiveby",
    "lastinteractiveuser",
    "lastloginby",
    "lastsigninby",
];

pub(super) fn clues(subject: &Subject<'_>) -> Vec<Clue> {
    subject
        .attributes
        .iter()
        .filter_map(|(name, value)| {
            let word = super::attribute_word(name);
            let done = if WRITERS.contains(&word.as_str()) {
                "last written by"
            } else if USERS.contains(&word.as_str()) {
                "last used by"
            } else {
                return None;
            };
            Some(Clue {
                rule: Rule::LastWriter,
                role: OwnerRole::Technical,
                strength: Strength::Likely,
                pointer: Pointer::of_text(value, subject.system)?,
                says: format!("{done} `{}` (attribute `{name}`)", value.trim()),
                fact: subject.words.clone(),
            })
        })
        .collect()
}
