//! What of the past whose account this is rests on: records whose earlier values must be remembered
//! for as long as the account is there.

use super::identities::{Identities, Match};
use super::values::AccountKeys;
use std::collections::HashSet;

impl Identities {
    /// Records (source row and id) whose earlier versions say whose an account is, or that it is in
    /// doubt: who left and had its values, who has others by now, whose id was given on. What rests on
    /// values that are in `told` is not said again: thousands of accounts may have them.
    pub fn rests_on(&self, account: &AccountKeys, told: &mut HashSet<u64>) -> Vec<(i64, String)> {
        let mut records: Vec<(i64, String)> = Vec::new();
        let key = (account.system.clone(), account.id.clone());
        if let Some(decision) = self.ground.decisions.get(&key) {
            let to = decision.to.iter();
            records.extend(to.filter(|(s, id)| self.record(*s, id).is_none()).cloned());
        }
        if let Match::Gone { source, id, .. } = self.owner_of(account) {
            records.push((source, id));
        }
        let rules = self.ready.get(&account.source).unwrap_or(&self.otherwise);
        for (place, ready) in rules.iter().enumerate() {
            let by_values = !ready.rule.is_of_identity_id();
            if by_values && !told.insert(self.values_by(place, ready, account)) {
                continue;
            }
            let fitting = self.fitting(ready, account);
            let given_on = fitting.iter().filter(|n| self.reused.contains_key(n));
            records.extend(given_on.map(|n| (self.source(*n), self.id(*n).to_owned())));
            for past in self.left.at(&self.left(ready, account)) {
                let now = self.record(past.keys.source, &past.keys.id);
                if now.is_none_or(|now| !fitting.contains(&now)) {
                    records.push((past.keys.source, past.keys.id.clone()));
                }
            }
            if let Some(text) = account.identity_id.as_deref()
                && ready.rule.is_of_identity_id()
            {
                let qualified = text.split_once(':').map(|(_, id)| id);
                for id in [Some(text), qualified].into_iter().flatten() {
                    let sources = self.ground.gone.get(id).into_iter().flatten();
                    records.extend(sources.map(|source| (*source, id.to_owned())));
                }
            }
        }
        records.sort_unstable();
        records.dedup();
        records
    }
}
