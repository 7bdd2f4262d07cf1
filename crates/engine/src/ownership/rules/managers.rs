//! Managers: whom a registry names for a workload or an agent, who managed an owner that left,
//! and who manages whoever knows how it works, where nobody answers for it.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use crate::ownership::people::Person;
use crate::ownership::standing::OwnerState;
use crate::ownership::subject::Subject;
use lastkey_contract::facts::OwnerRole;
use std::collections::BTreeSet;

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

/// An owner line of the object itself, with who that is.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    pub source: i64,
    pub owner_id: &'a str,
    pub role: OwnerRole,
    pub state: OwnerState,
    /// None where no source has the owner, or several fit.
    pub person: Option<&'a Person>,
}

/// What the object's own owner lines say about who should follow.
pub fn own_clues(words: &str, lines: &[Own<'_>]) -> Vec<Clue> {
    let there = lines.iter().filter(|l| l.state == OwnerState::Present);
    let there: BTreeSet<OwnerRole> = there.map(|line| line.role).collect();
    let answered = |role| there.contains(&role);
    let clue = |role, strength, source, id: &str, says: String| Clue {
        rule: Rule::Manager,
        role,
        strength,
        pointer: Pointer::Identity {
            source,
            id: id.to_owned(),
        },
        says,
        fact: words.to_owned(),
    };
    let mut clues = Vec::new();
    for line in lines {
        let (id, role) = (line.owner_id, line.role);
        // Whoever has the id by now is not whom somebody confirmed.
        if role == OwnerRole::Custodian || line.state == OwnerState::InDoubt {
            continue;
        }
        // Whoever left is not suggested again; the clue leads on to the manager.
        if line.state.is_gone() && !answered(role) {
            let says = format!("its {role} owner is `{id}`");
            clues.push(clue(role, Strength::Strong, line.source, id, says));
        }
        if let Some(person) = line.person
            && let Some(manager) = &person.manager_id
            && role == OwnerRole::Technical
            && line.state == OwnerState::Present
            && !answered(OwnerRole::Business)
        {
            let says = format!("`{manager}` manages its technical owner `{id}`");
            let role = OwnerRole::Business;
            clues.push(clue(role, Strength::Weak, person.source, manager, says));
        }
    }
    clues
}
