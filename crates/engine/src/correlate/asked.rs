//! Gathering only those identities that some accounts ask for: of a million, those few are found
//! without an index of all.

use super::identities::Gathering;
use super::values::{AccountKeys, IdentityKeys};
use std::collections::HashSet;
use std::hash::BuildHasher;

impl Gathering {
    /// Asks for everybody whose account this one could be.
    pub fn ask(&mut self, account: &AccountKeys) {
        let known = &self.known;
        let hash = |text: &str| known.hasher.hash_one(text);
        if !known.ground.decisions.is_empty() {
            let key = (account.system.clone(), account.id.clone());
            let decision = known.ground.decisions.get(&key);
            let to = decision.and_then(|decision| decision.to.as_ref());
            self.asked.extend(to.map(|(_, id)| hash(id)));
        }
        let rules = known.ready.get(&account.source);
        for (place, ready) in rules.unwrap_or(&known.otherwise).iter().enumerate() {
            let rule = &ready.rule;
            if rule.is_of_identity_id() {
                if let Some(text) = account.identity_id.as_deref() {
                    self.asked.insert(hash(text));
                    let qualified = text.split_once(':');
                    self.asked.extend(qualified.map(|(_, id)| hash(id)));
                }
                continue;
            }
            let values = rule.account.iter();
            let values = values.filter_map(|take| account.take(take, rule.compare));
            self.asked.extend(values.map(|value| hash(&value)));
            // Thousands of accounts may have what thousands had before.
            if !known.left.is_empty()
                && self
                    .asked_before
                    .insert(known.values_by(place, ready, account))
            {
                let before = known.left(ready, account);
                let before = known.left.at(&before);
                self.asked.extend(before.map(|past| hash(&past.keys.id)));
            }
        }
    }

    /// Asks for all of these ids, if any of them is asked for or is one of those.
    pub fn ask_together(&mut self, ids: &[String], those: &HashSet<&str>) {
        let hashes = || ids.iter().map(|id| self.known.hasher.hash_one(id.as_str()));
        if ids.iter().any(|id| those.contains(id.as_str()))
            || hashes().any(|hash| self.asked.contains(&hash))
        {
            let hashes: Vec<u64> = hashes().collect();
            self.asked.extend(hashes);
        }
    }

    /// Adds an identity that something was asked of; others are not kept.
    pub fn add_asked(&mut self, identity: &IdentityKeys) {
        let known = &self.known;
        let asked = |text: &str| self.asked.contains(&known.hasher.hash_one(text));
        let takes = self.takes.iter();
        let mut values = takes.filter_map(|(take, compare)| identity.take(take, *compare));
        if asked(&identity.id) || values.any(|value| asked(&value)) {
            self.add(identity);
        }
    }
}
