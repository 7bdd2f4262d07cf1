//! Owners of what belongs together: a credential and its account, an account and its workload,
//! the credentials of one account, a credential and the place where it stands.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use lastkey_contract::facts::OwnerRole;

/// How another object belongs to the one that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    ItsAccount,
    ItsIdentity,
    ItsCredential,
    SameAccount,
    ItsPlace,
}

impl Relation {
    fn says(self) -> &'static str {
        match self {
            Relation::ItsAccount => "its account",
            Relation::ItsIdentity => "the identity it belongs to",
            Relation::ItsCredential => "its credential",
            Relation::SameAccount => "another credential of its account",
            Relation::ItsPlace => "the place where it stands",
        }
    }

    fn strength(self) -> Strength {
        match self {
            Relation::ItsAccount | Relation::ItsIdentity => Strength::Strong,
            Relation::ItsCredential | Relation::SameAccount | Relation::ItsPlace => {
                Strength::Likely
            }
        }
    }
}

/// An owner of an object that belongs to the one that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sibling {
    pub relation: Relation,
    /// The other object in words.
    pub words: String,
    pub owner_id: String,
    /// The source whose line it is.
    pub source: i64,
    pub role: OwnerRole,
}

/// Its siblings' owners. A custodian knows one credential and nothing of the others.
pub fn clues(siblings: &[Sibling]) -> Vec<Clue> {
    siblings
        .iter()
        .filter(|sibling| sibling.role != OwnerRole::Custodian)
        .map(|sibling| Clue {
            rule: Rule::Sibling,
            role: sibling.role,
            strength: sibling.relation.strength(),
            pointer: Pointer::Identity {
                source: sibling.source,
                id: sibling.owner_id.clone(),
            },
            says: format!(
                "{}, {}, has `{}` as {} owner",
                sibling.relation.says(),
                sibling.words,
                sibling.owner_id,
                sibling.role
            ),
            fact: sibling.words.clone(),
        })
        .collect()
}
