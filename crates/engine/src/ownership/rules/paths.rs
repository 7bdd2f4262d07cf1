//! Paths of locations: a person's folder, a team's folder.

use crate::correlate::folded;
use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use crate::ownership::subject::Subject;
use lastkey_contract::facts::OwnerRole;

/// Folders whose next part is a person's login.
const HOMES: [&str; 8] = [
    "home",
    "homes",
    "users",
    "user",
    "people",
    "personal",
    "private",
    "cubbyhole",
];
/// Shorter parts are no team's name.
const SHORTEST: usize = 3;

pub(super) fn clues(subject: &Subject<'_>) -> Vec<Clue> {
    let Some(path) = subject.path else {
        return Vec::new();
    };
    let mut clues = Vec::new();
    let mut in_home = false;
    let parts: Vec<&str> = path
        .split(['/', '\\'])
        .filter(|part| !part.is_empty())
        .collect();
    let folders = parts.len().saturating_sub(1);
    for (place, part) in parts.iter().enumerate() {
        let login = part.trim_start_matches('~');
        let is_home = in_home || login.len() < part.len();
        in_home = HOMES.contains(&folded(part).as_str());
        let clue = |rule, strength, pointer, says: &str| Clue {
            rule,
            role: OwnerRole::Technical,
            strength,
            pointer,
            says: format!("{says} `{part}` of `{path}`"),
            fact: subject.words.clone(),
        };
        if is_home || (login.contains('@') && !login.starts_with('@')) {
            let strength = match is_home {
                true => Strength::Likely,
                false => Strength::Weak,
            };
            if let Some(pointer) = Pointer::of_text(login, subject.system) {
                clues.push(clue(
                    Rule::Path,
                    strength,
                    pointer,
                    "it stands in the folder",
                ));
            }
        } else if !in_home && place < folders && part.chars().count() >= SHORTEST {
            let pointer = Pointer::Team(folded(part));
            clues.push(clue(
                Rule::Team,
                Strength::Likely,
                pointer,
                "it stands in the folder",
            ));
        }
    }
    clues
}
