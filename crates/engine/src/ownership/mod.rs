//! Who answers for it, and how do we know?
//!
//! Pure. An owner line is observed (a source says so) or attested (a person confirmed it). A
//! suggestion is neither: it says whom the facts point at, on what basis and how strongly, and is
//! no owner until somebody confirms it. Where a name fits several people, all of them are said
//! and nobody is suggested. What the lines amount to, and who left, is decided here too.

mod clue;
mod object;
mod people;
mod rank;
mod rules;
mod standing;
mod subject;

pub use clue::{Clue, Pointer, Rule, Strength};
pub use object::ObjectName;
pub use people::{Key, Named, People, Person, Wanted};
pub use rank::{Reason, Suggestion, ranked};
pub use rules::{MOST, Own, Owners, Owning, Relation, Team, clues, own_clues, team_clues};
pub use standing::{OwnerState, Standing, standing};
pub use subject::Subject;

#[cfg(test)]
mod many_tests;
#[cfg(test)]
mod tests;
