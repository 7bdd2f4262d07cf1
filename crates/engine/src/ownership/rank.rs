//! From clues to suggestions: who is meant, whether they can answer, and which facts agree.

use super::clue::{Clue, Pointer, Rule, Strength};
use super::people::{People, Person};
use super::standing::OwnerState;
use lastkey_contract::facts::{IdentityKind, OwnerRole};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One fact behind a suggestion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// The word of the rule.
    pub rule: String,
    /// What the fact says, in words.
    pub says: String,
    /// The object in whose fact it stands.
    pub fact: String,
}

/// Whom the facts point at; never an owner by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// None where several people fit.
    pub owner: Option<usize>,
    /// Everyone who fits, where it is not one.
    pub candidates: Vec<usize>,
    pub role: OwnerRole,
    pub strength: Strength,
    pub reasons: Vec<Reason>,
}

impl Suggestion {
    /// The reasons as one sentence.
    pub fn basis(&self) -> String {
        let says: Vec<&str> = self.reasons.iter().map(|r| r.says.as_str()).collect();
        says.join("; ")
    }

    /// The rules that agree, each once.
    pub fn rules(&self) -> BTreeSet<&str> {
        self.reasons.iter().map(|r| r.rule.as_str()).collect()
    }
}

/// So many of those whom a name fits stand in the reason.
const FITTING: usize = 10;

/// Who one clue leads to.
enum Led {
    To(usize, Strength, Reason),
    Several(Vec<usize>, Reason),
    Nowhere,
}

/// The strongest of what speaks for somebody, and all that does.
type Agreed = (Strength, BTreeSet<(Rule, Reason)>);

/// The suggestions that clues about one object amount to, best first. Two kinds of facts that
/// agree count one step more. An owner who left is not suggested; whoever manages them is, one
/// step lower, and it is said why.
pub fn ranked(clues: &[Clue], people: &People) -> Vec<Suggestion> {
    let mut single: BTreeMap<(usize, OwnerRole), Agreed> = BTreeMap::new();
    let mut several: BTreeMap<(Vec<usize>, OwnerRole), BTreeSet<Reason>> = BTreeMap::new();
    for clue in clues {
        match led(clue, people) {
            Led::To(person, strength, reason) => {
                let found = single
                    .entry((person, clue.role))
                    .or_insert((strength, BTreeSet::new()));
                found.0 = found.0.max(strength);
                found.1.insert((clue.rule, reason));
            }
            Led::Several(candidates, reason) => {
                let found = several.entry((candidates, clue.role)).or_default();
                found.insert(reason);
            }
            Led::Nowhere => {}
        }
    }
    // Whom another fact names among those who share a name is decided.
    let decided: BTreeSet<usize> = single.keys().map(|(person, _)| *person).collect();
    several.retain(|(candidates, _), _| !candidates.iter().any(|n| decided.contains(n)));
    let mut suggestions: Vec<Suggestion> = single
        .into_iter()
        .map(|((person, role), (strength, reasons))| {
            let rules: BTreeSet<Rule> = reasons.iter().map(|(rule, _)| *rule).collect();
            Suggestion {
                owner: Some(person),
                candidates: Vec::new(),
                role,
                strength: match rules.len() {
                    0 | 1 => strength,
                    _ => strength.raised(),
                },
                reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
            }
        })
        .chain(
            several
                .into_iter()
                .map(|((candidates, role), reasons)| Suggestion {
                    owner: None,
                    candidates,
                    role,
                    strength: Strength::Ambiguous,
                    reasons: reasons.into_iter().collect(),
                }),
        )
        .collect();
    suggestions.sort_by(|a, b| {
        let by = |s: &Suggestion| (s.strength, s.rules().len());
        let names = |s: &Suggestion| -> Vec<(String, String)> {
            let meant = s.owner.iter().chain(&s.candidates);
            let meant = meant.filter_map(|n| people.at(*n));
            meant
                .map(name_of)
                .map(|(id, source)| (id.to_owned(), source.to_owned()))
                .collect()
        };
        by(b)
            .cmp(&by(a))
            .then_with(|| (names(a), a.role).cmp(&(names(b), b.role)))
    });
    suggestions
}

/// What people are sorted by.
fn name_of(person: &Person) -> (&str, &str) {
    (&person.id, &person.source_name)
}

fn led(clue: &Clue, people: &People) -> Led {
    let reason = |says: String| Reason {
        rule: clue.rule.word().to_owned(),
        says,
        fact: clue.fact.clone(),
    };
    let named = people.named(&clue.pointer);
    let mut found: Vec<(usize, &Person)> = named
        .iter()
        .filter_map(|n| Some((*n, people.at(*n)?)))
        .collect();
    // In whatever order sources were read.
    found.sort_by_key(|(_, person)| name_of(person));
    match found.as_slice() {
        [] => Led::Nowhere,
        [(number, person)] => {
            let who = introduced(clue, person);
            if !person.state.is_gone() {
                let says = match person.state {
                    OwnerState::Present => format!("{}{who}", clue.says),
                    away => format!("{}{who}, who {}", clue.says, away.says()),
                };
                return Led::To(*number, clue.strength, reason(says));
            }
            let Some(manager) = manager_of(person, people) else {
                return Led::Nowhere;
            };
            let Some(next) = people.at(manager) else {
                return Led::Nowhere;
            };
            let says = format!(
                "{}{who}, who {}; {} was the manager",
                clue.says,
                person.state.says(),
                next.words()
            );
            Led::To(manager, clue.strength.lowered(), reason(says))
        }
        [_, _, ..] => {
            let all = people.meant_by(&clue.pointer, found.len());
            let first = found.iter().take(FITTING);
            let who: Vec<String> = first
                .map(|(_, p)| format!("{}:{}", p.source_name, p.id))
                .collect();
            let more = match all - who.len().min(all) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let says = format!(
                "{}, which {all} people fit: {}{more}",
                clue.says,
                who.join(", ")
            );
            let named = found.iter().map(|(number, _)| *number).collect();
            Led::Several(named, reason(says))
        }
    }
}

/// ` = p1 (Ann Smith)`, unless the clue names them by that id already.
fn introduced(clue: &Clue, person: &Person) -> String {
    let by_id = match &clue.pointer {
        // Of somebody with several records it may be another one.
        Pointer::Identity { id, .. } => {
            *id == person.id || id.split_once(':').is_some_and(|(_, id)| id == person.id)
        }
        Pointer::Login { .. } | Pointer::Mail(_) | Pointer::FullName(_) | Pointer::Team(_) => false,
    };
    match (by_id, &person.display_name) {
        (true, Some(name)) => format!(" ({name})"),
        (true, None) => String::new(),
        (false, _) => format!(", which is {}", person.words()),
    }
}

/// The one manager of somebody, if they are there.
fn manager_of(person: &Person, people: &People) -> Option<usize> {
    let managers = people.referred(person.manager_id.as_deref()?, person.source);
    let [manager] = managers.as_slice() else {
        return None;
    };
    let there = people.at(*manager)?;
    (there.kind == IdentityKind::Person && !there.state.is_gone()).then_some(*manager)
}
