//! Accounts, entitlements and credentials of which several sources tell, each as one: what the
//! source that speaks for it leaves empty, the next one fills. But nothing closes because a
//! supplement says so: an empty expiry or revocation of the own source is mostly its way to say never.

use lastkey_contract::SystemName;
use lastkey_contract::facts::{Account, Attributes, Credential, Entitlement};
use std::collections::HashMap;

/// What several sources may tell of.
pub(super) trait Told {
    fn name(&self) -> (SystemName, String);

    /// Takes what it does not have from what another source says of it.
    fn fill(&mut self, more: &Self);
}

macro_rules! fill {
    ($first:ident, $more:ident: $($column:ident),*) => {
        $(if $first.$column.is_none() {
            $first.$column.clone_from(&$more.$column);
        })*
        fill_attributes(&mut $first.attributes, &$more.attributes);
    };
}

fn fill_attributes(first: &mut Attributes, more: &Attributes) {
    for (name, value) in more {
        first.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

impl Told for Account {
    fn name(&self) -> (SystemName, String) {
        (self.system.clone(), self.id.to_string())
    }

    fn fill(&mut self, more: &Account) {
        // Which account of which system is one thing.
        if self.signs_in_through_id.is_none() {
            self.signs_in_through_system
                .clone_from(&more.signs_in_through_system);
        }
        fill!(self, more: name, kind, identity_id, email, signs_in_through_id, mfa, privileged,
            environment, created_at, created_by, last_used_at, last_interactive_at);
    }
}

impl Told for Entitlement {
    fn name(&self) -> (SystemName, String) {
        (self.system.clone(), self.id.to_string())
    }

    fn fill(&mut self, more: &Entitlement) {
        fill!(self, more: name, kind, privileged, environment);
    }
}

impl Told for Credential {
    fn name(&self) -> (SystemName, String) {
        (self.system.clone(), self.id.to_string())
    }

    fn fill(&mut self, more: &Credential) {
        fill!(self, more: account_id, name, environment, created_at, created_by, rotated_at,
            last_used_at, fingerprint);
    }
}

/// The rows of each, in the order in which they first came.
pub(super) fn by_name<T, R>(rows: Vec<R>, fact: impl Fn(&R) -> &T) -> Vec<Vec<R>>
where
    T: Told,
{
    let mut places: HashMap<(SystemName, String), usize> = HashMap::new();
    let mut all: Vec<Vec<R>> = Vec::new();
    for row in rows {
        let place = *places.entry(fact(&row).name()).or_insert(all.len());
        match all.get_mut(place) {
            Some(rows) => rows.push(row),
            None => all.push(vec![row]),
        }
    }
    all
}

/// One of what several sources say, the first of which speaks for it.
pub(super) fn together<'t, T: Told + Clone + 't>(
    mut rows: impl Iterator<Item = &'t T>,
) -> Option<T> {
    let mut first = rows.next()?.clone();
    for more in rows {
        first.fill(more);
    }
    Some(first)
}

/// Each once.
pub(super) fn each_once<T: Told + Clone>(rows: Vec<T>) -> Vec<T> {
    let all = by_name(rows, |row| row).into_iter();
    all.filter_map(|rows| together(rows.iter())).collect()
}
