//! A team whose name stands in a path or a tag: its owner, the manager of its members, or its
//! only member. A large team as such is nobody.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use crate::ownership::people::People;
use crate::ownership::rules::MOST;
use lastkey_contract::facts::OwnerRole;
use std::collections::BTreeMap;

/// A team, as far as it matters for owners. People by their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Team {
    /// `system:id`.
    pub words: String,
    /// Owner lines of the team itself: the line's source, the owner's id, the role.
    pub owners: Vec<(i64, String, OwnerRole)>,
    /// Members that are known as people; of a very large team only the first.
    pub members: Vec<usize>,
}

/// Who stands for a team that a clue names; the clue says where its name stands.
pub fn clues(named: &Clue, team: &Team, people: &People) -> Vec<Clue> {
    let clue = |role, strength, source, id: &str, says: String| Clue {
        rule: Rule::Team,
        role,
        strength,
        pointer: Pointer::Identity {
            source,
            id: id.to_owned(),
        },
        says: format!("{}, and {says}", named.says),
        fact: named.fact.clone(),
    };
    if !team.owners.is_empty() {
        let of = team.owners.len();
        return team
            .owners
            .iter()
            .filter(|(_, _, role)| *role != OwnerRole::Custodian)
            .take(MOST)
            .map(|(source, id, role)| match of > MOST {
                false => {
                    let says = format!("`{id}` owns the team `{}`", team.words);
                    clue(*role, Strength::Likely, *source, id, says)
                }
                true => {
                    let says = format!("`{id}` is one of {of} owners of the team `{}`", team.words);
                    clue(*role, Strength::Weak, *source, id, says)
                }
            })
            .collect();
    }
    let member = |number: &usize| people.at(*number);
    if let [only] = team.members.as_slice()
        && let Some(person) = member(only)
    {
        let says = format!(
            "`{}` is the only member of the team `{}`",
            person.id, team.words
        );
        let found = clue(
            OwnerRole::Technical,
            Strength::Likely,
            person.source,
            &person.id,
            says,
        );
        return vec![found];
    }
    let mut managers: BTreeMap<(i64, &str), usize> = BTreeMap::new();
    for person in team.members.iter().filter_map(member) {
        if let Some(manager) = person.manager_id.as_deref() {
            *managers.entry((person.source, manager)).or_default() += 1;
        }
    }
    let most = managers.into_iter().max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| count * 2 > team.members.len())
        .map(|((source, id), count)| {
            let says = format!(
                "`{id}` manages {count} of {} members of the team `{}`",
                team.members.len(),
                team.words
            );
            clue(OwnerRole::Business, Strength::Weak, source, id, says)
        })
        .into_iter()
        .collect()
}
