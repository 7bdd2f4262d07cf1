//! Whose account is this, and how do we know? And which records are one person?
//!
//! Pure: as somebody decided; else by the rules of the account's source in their order, unique
//! matches only. An ambiguous account belongs to nobody, and that is said; so is one where a rule
//! fits and something speaks against it. What the system itself says (the identity id) is
//! observed, what somebody decided is attested, every other rule is assumed.

mod asked;
mod changed;
mod employers;
mod fit;
mod identities;
mod index;
mod joining;
mod led;
mod left;
mod matching;
mod meant;
mod merged;
mod nearest;
mod persons;
mod plainly;
mod rests;
mod rules;
mod rules_text;
mod seen;
mod several;
mod values;

pub use changed::{EARLIER_VALUE, Owned, by_earlier_value};
pub use employers::{Employment, FormerEmployers, WorkedFor, employers};
pub use fit::{Fit, Pair, Taken, fit, left_out, values};
pub use identities::{AccountDecision, Doubt, Gathering, Ground, Identities, Match};
pub use joining::{DoubtedJoin, JoinedPerson, Listed, PersonDecision, PersonDoubt, Records, Says};
pub use left::{Past, Standing};
pub use meant::Meant;
pub use merged::{Merged, merged};
pub use nearest::{
    called, called_in_short, could_be_called, likeness, search_words, writings, written,
};
pub use persons::Persons;
pub use rules::{
    Confidence, DECISION, DEFAULT_TEXT, IDENTITY_ID, PersonRule, PersonRules, Rule, basis_of,
    default_rules, defaults_left_out,
};
pub use rules_text::{parse_person_rules, parse_rules};
pub use seen::{AccountSeen, Said, Seen};
pub use several::{Part, Several};
pub(crate) use values::compared;
pub use values::{AccountKeys, Column, Compare, IdentityKeys, Take, folded};

#[cfg(test)]
mod changed_tests;
#[cfg(test)]
mod joining_tests;
#[cfg(test)]
mod left_tests;
#[cfg(test)]
mod several_tests;
#[cfg(test)]
mod tests;
