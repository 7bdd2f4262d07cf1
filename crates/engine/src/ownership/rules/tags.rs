//! Tags and attributes that are there to say who answers.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use crate::ownership::subject::Subject;
use lastkey_contract::facts::OwnerRole;

pub(super) fn clues(subject: &Subject<'_>) -> Vec<Clue> {
    let mut clues = Vec::new();
    for (name, value) in subject.attributes {
        let Some((role, whom)) = meant(&super::attribute_word(name)) else {
            continue;
        };
        for one in several(value) {
            let pointer = match whom {
                Whom::Person => Pointer::of_text(one, subject.system),
                Whom::Team => Some(Pointer::Team(one.trim().to_lowercase())),
            };
            let Some(pointer) = pointer else { continue };
            let strength = match &pointer {
                Pointer::Mail(_) | Pointer::Login { .. } | Pointer::Identity { .. } => {
                    Strength::Strong
                }
                Pointer::FullName(_) | Pointer::Team(_) => Strength::Likely,
            };
            clues.push(Clue {
                rule: Rule::Tag,
                role,
                strength,
                pointer,
                says: format!("attribute `{name}` says `{}`", one.trim()),
                fact: subject.words.clone(),
            });
        }
    }
    clues
}

#[derive(Clone, Copy)]
enum Whom {
    Person,
    Team,
}

/// What an attribute of this name is there for.
fn meant(word: &str) -> Option<(OwnerRole, Whom)> {
    let (role, whom) = match word {
        "businessowner" | "productowner" | "dataowner" | "serviceowner" => {
            (OwnerRole::Business, Whom::Person)
        }
        "sponsor" => (OwnerRole::Sponsor, Whom::Person),
        "custodian" => (OwnerRole::Custodian, Whom::Person),
        "owner" | "owners" | "ownedby" | "owneremail" | "technicalowner" | "techowner"
        | "managedby" | "contact" | "contacts" | "contactemail" | "responsible"
        | "responsibleperson" | "maintainer" | "maintainers" | "steward" => {
            (OwnerRole::Technical, Whom::Person)
        }
        "team" | "ownerteam" | "owningteam" | "squad" | "ownergroup" => {
            (OwnerRole::Technical, Whom::Team)
        }
        _ => return None,
    };
    Some((role, whom))
}

/// The values of an attribute that has several. A DN and `Family, Given` are one.
fn several(value: &str) -> Vec<&str> {
    let one_each = |separator: char| {
        value
            .split(separator)
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    };
    if value.contains(';') {
        return one_each(';');
    }
    let mails = value.split(',').all(|part| part.contains('@'));
    match mails && !value.contains('=') {
        true => one_each(','),
        false => vec![value],
    }
}
