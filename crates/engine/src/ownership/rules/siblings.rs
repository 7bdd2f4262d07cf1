//! Owners of what belongs together: a credential and its account, an account and its workload,
//! the credentials of one account, a credential and the place where it stands.
//!
//! A thousand credentials of one account are gathered once for all that ask, by owner and role:
//! nothing grows with credentials times credentials.

use crate::ownership::clue::{Clue, Pointer, Rule, Strength};
use lastkey_contract::facts::OwnerRole;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// So many owners in one role are suggested for what belongs together; of more of them none is
/// likelier than the others.
pub const MOST: usize = 10;
/// So many of the objects that somebody owns are named.
const EXAMPLES: usize = 3;

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

    fn says_of_several(self) -> &'static str {
        match self {
            Relation::ItsAccount => "its accounts",
            Relation::ItsIdentity => "the identities it belongs to",
            Relation::ItsCredential => "its credentials",
            Relation::SameAccount => "other credentials of its account",
            Relation::ItsPlace => "the places where it stands",
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

/// One owner line of an object that belongs to others.
#[derive(Clone, Copy, Debug)]
pub struct Owning<'a> {
    /// The object's number and what it is in words. Lines of one object follow each other.
    pub object: i64,
    pub words: &'a str,
    /// The source whose line it is.
    pub source: i64,
    pub owner_id: &'a str,
    pub role: OwnerRole,
}

/// Whoever owns any of some objects that belong to one: those who are there first, and of them
/// those who own most.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    all: Vec<Siblings>,
    /// How many there are in each role, also of those who are left out.
    in_role: BTreeMap<OwnerRole, usize>,
}

/// What somebody owns in one role.
#[derive(Clone, Debug)]
struct Siblings {
    source: i64,
    owner_id: String,
    role: OwnerRole,
    count: usize,
    last: i64,
    examples: Vec<(i64, String)>,
}

impl Owners {
    /// Gathers lines. A custodian knows one credential and nothing of the others.
    pub fn of<'a>(
        lines: impl IntoIterator<Item = Owning<'a>>,
        is_there: impl Fn(&str, i64) -> bool,
    ) -> Owners {
        let mut all: Vec<Siblings> = Vec::new();
        let mut places: HashMap<(OwnerRole, i64, &'a str), usize> = HashMap::new();
        for line in lines {
            if line.role == OwnerRole::Custodian {
                continue;
            }
            let key = (line.role, line.source, line.owner_id);
            let place = *places.entry(key).or_insert(all.len());
            if place == all.len() {
                all.push(Siblings {
                    source: line.source,
                    owner_id: line.owner_id.to_owned(),
                    role: line.role,
                    count: 0,
                    last: line.object,
                    examples: Vec::new(),
                });
            }
            if let Some(found) = all.get_mut(place) {
                if found.count > 0 && found.last == line.object {
                    continue;
                }
                (found.count, found.last) = (found.count + 1, line.object);
                // One more, for whoever is among them.
                if found.examples.len() <= EXAMPLES {
                    found.examples.push((line.object, line.words.to_owned()));
                }
            }
        }
        all.sort_by_cached_key(|one| {
            let there = is_there(&one.owner_id, one.source);
            (!there, Reverse(one.count), one.owner_id.clone(), one.source)
        });
        let mut in_role: BTreeMap<OwnerRole, usize> = BTreeMap::new();
        all.retain(|one| {
            let count = in_role.entry(one.role).or_default();
            *count += 1;
            // Whoever owns one of them alone is left out of what is said of that one.
            *count <= 2 * MOST
        });
        Owners { all, in_role }
    }

    /// What these owners say of an object that is not among theirs, or is one of them: `owned` are
    /// the source, id and role of its own lines.
    pub fn clues(
        &self,
        relation: Relation,
        object: i64,
        owned: &[(i64, &str, OwnerRole)],
    ) -> Vec<Clue> {
        let mut clues = Vec::new();
        let mut named: BTreeMap<OwnerRole, usize> = BTreeMap::new();
        for one in &self.all {
            let own = owned.contains(&(one.source, one.owner_id.as_str(), one.role));
            let count = one.count - usize::from(own).min(one.count);
            let named = named.entry(one.role).or_default();
            if count == 0 || *named == MOST {
                continue;
            }
            *named += 1;
            let others = one.examples.iter().filter(|(of, _)| *of != object);
            let others = others.map(|(_, words)| words.as_str());
            let others: Vec<&str> = others.take(EXAMPLES.min(count)).collect();
            let of = self.in_role.get(&one.role).copied().unwrap_or_default();
            clues.push(one.clue(relation, &others, count, of));
        }
        clues
    }
}

impl Siblings {
    /// `of`: how many own such objects in this role.
    fn clue(&self, relation: Relation, others: &[&str], count: usize, of: usize) -> Clue {
        let (owner, role, named) = (&self.owner_id, self.role, others.join(", "));
        let mut says = match count.saturating_sub(others.len()) {
            _ if count == 1 => format!("{}, {named}, has `{owner}`", relation.says()),
            0 => format!("{}, {named}, have `{owner}`", relation.says_of_several()),
            more => format!(
                "{}, {named} and {more} more, have `{owner}`",
                relation.says_of_several()
            ),
        };
        says.push_str(&format!(" as {role} owner"));
        let mut strength = relation.strength();
        if of > MOST {
            says.push_str(&format!(", one of {of} in this role"));
            strength = strength.lowered();
        }
        Clue {
            rule: Rule::Sibling,
            role,
            strength,
            pointer: Pointer::Identity {
                source: self.source,
                id: self.owner_id.clone(),
            },
            says,
            fact: named,
        }
    }
}
