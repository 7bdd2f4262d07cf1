//! One file for each kind of fact that points at owners. Each gives clues and decides nothing.

mod creators;
mod descriptions;
mod last_writers;
mod managers;
mod paths;
mod siblings;
mod tags;
mod teams;

pub use managers::{Own, own_clues};
pub use siblings::{MOST, Owners, Owning, Relation};
pub use teams::{Team, clues as team_clues};

use super::clue::Clue;
use super::subject::Subject;

/// Everything in a fact that points at somebody.
pub fn clues(subject: &Subject<'_>) -> Vec<Clue> {
    [
        tags::clues,
        creators::clues,
        last_writers::clues,
        managers::clues,
        paths::clues,
        descriptions::clues,
    ]
    .iter()
    .flat_map(|rule| rule(subject))
    .collect()
}

/// An attribute's name in compared form: its last part, letters only.
fn attribute_word(name: &str) -> String {
    let last = name.rsplit(['.', '/', ':']).next().unwrap_or(name);
    last.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
