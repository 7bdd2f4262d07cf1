//! What a link says: a row of `links` but for the account, and its mark.

use super::links::LinkState;
use crate::correlate::{Identities, Match, Part, Several};
use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// How many candidates of an account are kept by name.
pub(crate) const CANDIDATES: usize = 50;

/// A row but for the account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::FromRow)]
pub(super) struct Link {
    pub state: i64,
    pub identity_source: Option<i64>,
    pub identity_id: Option<String>,
    pub rule: String,
    /// JSON: `source:id` of each.
    pub candidates: Option<String>,
    pub doubt: Option<String>,
}

/// Puts what was found into words. Thousands of accounts may lead to the same thousands of people:
/// these are put in order once.
pub(super) struct Telling<'k> {
    known: &'k Identities,
    /// By where people stand, the first of their names; they are kept, so that no others stand there.
    first: HashMap<usize, (Part, Vec<String>)>,
}

impl<'k> Telling<'k> {
    pub fn of(known: &'k Identities) -> Telling<'k> {
        Telling {
            known,
            first: HashMap::new(),
        }
    }

    /// The first names of those who are listed, in order.
    fn names(&mut self, several: &Several) -> Option<String> {
        let (mut names, mut few) = (Vec::new(), Several::default());
        for part in several.parts() {
            if part.count() <= CANDIDATES {
                few = few.and(part.clone().into());
                continue;
            }
            let known = self.known;
            let first = self.first.entry(part.place());
            let look = || (part.clone(), first_names(known, &part.clone().into()));
            names.extend_from_slice(&first.or_insert_with(look).1);
        }
        names.extend(first_names(self.known, &few));
        names.sort_unstable();
        names.dedup();
        names.truncate(CANDIDATES);
        Some(serde_json::Value::from(names).to_string())
    }

    pub fn link(&mut self, found: &Match) -> Link {
        let known = self.known;
        let bare = |state: LinkState, rule: &str| Link {
            state: state.number(),
            identity_source: None,
            identity_id: None,
            rule: rule.to_owned(),
            candidates: None,
            doubt: None,
        };
        match found {
            Match::One { identity, rule } => Link {
                identity_source: Some(known.source(*identity)),
                identity_id: Some(known.id(*identity).to_owned()),
                ..bare(LinkState::Linked, known.rule_name(*rule))
            },
            Match::Ambiguous { candidates, rule } => Link {
                candidates: self.names(candidates),
                ..bare(LinkState::Ambiguous, known.rule_name(*rule))
            },
            Match::Possible {
                candidates,
                rule,
                doubt,
            } => Link {
                candidates: self.names(candidates),
                doubt: Some(doubt.word().to_owned()),
                ..bare(LinkState::Possible, known.rule_name(*rule))
            },
            Match::HandedOn {
                identity,
                before,
                rule,
                doubt,
            } => {
                let now = (known.source(*identity), known.id(*identity));
                let all = std::iter::once(now).chain(known.told_before(*identity, before));
                let names =
                    all.map(|(source, id)| format!("{}:{id}", known.name_of_source(source)));
                let names: Vec<String> = names.take(CANDIDATES).collect();
                Link {
                    candidates: Some(serde_json::Value::from(names).to_string()),
                    doubt: Some(doubt.word().to_owned()),
                    ..bare(LinkState::Possible, known.rule_name(*rule))
                }
            }
            Match::Nobodys => bare(LinkState::Nobodys, crate::correlate::DECISION),
            Match::Gone { source, id, rule } => Link {
                identity_source: Some(*source),
                identity_id: Some(id.clone()),
                ..bare(LinkState::Gone, known.rule_name(*rule))
            },
            Match::None => bare(LinkState::Unmatched, ""),
        }
    }

    /// What a link says in a number, the same in every process; never 0.
    pub fn mark(&mut self, found: &Match) -> i64 {
        let known = self.known;
        let mut hasher = SipHasher13::new();
        match found {
            // Of nearly all; no list of candidates has to be made.
            Match::One { identity, rule } => {
                hasher.write_i64(known.source(*identity));
                hasher.write(known.id(*identity).as_bytes());
                hasher.write_u8(0xff);
                hasher.write(known.rule_name(*rule).as_bytes());
            }
            Match::Ambiguous { .. }
            | Match::Possible { .. }
            | Match::HandedOn { .. }
            | Match::Nobodys
            | Match::Gone { .. }
            | Match::None => self.link(found).hash(&mut hasher),
        }
        (hasher.finish() | 1).cast_signed()
    }
}

fn first_names(known: &Identities, several: &Several) -> Vec<String> {
    let (listed, _) = known.everybody(several);
    let name = |n: u32| format!("{}:{}", known.source_name(n), known.id(n));
    let mut names: Vec<String> = listed.into_iter().map(name).collect();
    names.sort_unstable();
    names.truncate(CANDIDATES);
    names
}
