//! Whoever made it knew what for.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use crate::ownership::subject::Subject;
use lastkey_contract::facts::OwnerRole;

pub(super) fn clues(subject: &Subject<'_>) -> Vec<Clue> {
    let tagged = subject
        .attributes
        .iter()
        .filter(|(name, _)| is_creator(&super::attribute_word(name)))
        .map(|(name, value)| (format!("attribute `{name}` says"), value.as_str()));
    subject
        .created_by
        .map(|by| ("created by".to_owned(), by))
        .into_iter()
        .chain(tagged)
        .filter_map(|(says, by)| {
            Some(Clue {
                rule: Rule::Creator,
                role: OwnerRole::Technical,
                strength: Strength::Likely,
                pointer: Pointer::of_text(by, subject.system)?,
                says: format!("{says} `{}`", by.trim()),
                fact: subject.words.clone(),
            })
        })
        .collect()
}

fn is_creator(word: &str) -> bool {
    [
        "createdby",
        "creator",
        "creatorsname",
        "author",
        "requestedby",
        "requester",
    ]
    .contains(&word)
}
