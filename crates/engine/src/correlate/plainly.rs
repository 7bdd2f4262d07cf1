//! Whose accounts plainly are: of nearly all, the system itself names one identity, and nothing
//! else has to be looked at. A million are found without taking apart what is known of each.

use super::identities::Identities;
use super::rules::Confidence;
use crate::lifecycle::Basis;
use std::hash::BuildHasher;

/// Finds owners of a source's accounts where they are plain.
pub struct Plainly<'k> {
    known: &'k Identities,
    /// How such a link is known.
    pub basis: Basis,
}

impl Identities {
    /// None where a source has rules that go before the identity id, or where somebody decided.
    pub fn plainly(&self, source: i64) -> Option<Plainly<'_>> {
        if !self.ground.decisions.is_empty() {
            return None;
        }
        let first = self.ready.get(&source).unwrap_or(&self.otherwise).first()?;
        let rule = &first.rule;
        let plain = rule.is_of_identity_id()
            && rule.confidence != Confidence::Possible
            && rule.sources.is_empty()
            && rule.kinds.is_empty()
            && rule.agree.is_empty();
        plain.then(|| Plainly {
            known: self,
            basis: self.basis(source, first.name),
        })
    }
}

impl Plainly<'_> {
    /// By the identity id of each account: whom `owner_of` finds, or None where it has to look.
    ///
    /// One step for all of them after the other: so the memory that each step looks into is fetched
    /// for several at once.
    pub fn owners(&self, ids: &[Option<&str>]) -> Vec<Option<u32>> {
        let hash = |id: &Option<&str>| id.map(|id| self.known.hasher.hash_one(id));
        let hashes: Vec<Option<u64>> = ids.iter().map(hash).collect();
        let mut found: Vec<Option<u32>> = hashes
            .into_iter()
            .map(|hash| {
                let mut found = self.known.by_id.find(hash?);
                let one = found.next();
                one.filter(|_| found.next().is_none())
            })
            .collect();
        for (found, id) in found.iter_mut().zip(ids) {
            *found = found.filter(|n| Some(self.known.ids.at(*n)) == *id);
        }
        if self.known.any_qualified {
            for (found, id) in found.iter_mut().zip(ids) {
                *found = found.filter(|_| id.is_none_or(|id| !id.contains(':')));
            }
        }
        // Whose id may be somebody else's by now needs a second look.
        if !self.known.reused.is_empty() {
            for found in &mut found {
                *found = found.filter(|n| !self.known.reused.contains_key(n));
            }
        }
        found
    }
}
