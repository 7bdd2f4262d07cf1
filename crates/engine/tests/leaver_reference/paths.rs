//! Shortest paths to everything that is reached, by breadth alone.

use super::closing::{Closes, Closings, Leaving};
use super::world::{
    Name, Reading, account_name, credential_name, is_account, is_entitlement, location_name, name,
};
use lastkey_contract::facts::{Grant, Principal};
use lastkey_engine::lifecycle::Basis;
use std::collections::{BTreeMap, BTreeSet};

/// What can be left, in the order of lists: kind, system, id, on_account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Account(Name),
    Credential(Name),
    /// The entitlement, and the account on which it is held.
    Entitlement(Name, Name),
    Location(Name),
}

/// The path to each item; its last link is the item.
pub type Paths = BTreeMap<Item, Vec<Item>>;

/// Which elements take part.
#[derive(Clone, Copy)]
pub enum When<'a> {
    /// Those that work at T before the event; knowing a secret needs no valid one.
    Before,
    /// Those that close at this moment or later.
    OpenUntil(&'a Closings, Closes),
}

/// How a path is known.
pub type Weigh<'a> = &'a dyn Fn(&[Item]) -> Basis;

/// All items reached, each with its shortest path; of several the best known, as `weigh` has it,
/// first the whole path and then ever shorter beginnings of it; of those alike the first in the
/// order of ids from the start on.
pub fn paths(leaving: &Leaving, when: When, weigh: Weigh) -> Paths {
    let order = |path: &[Item]| -> Vec<Basis> {
        let beginnings = (1..=path.len()).rev();
        beginnings.map(|length| weigh(&path[..length])).collect()
    };
    let mut starts: BTreeSet<Item> = BTreeSet::new();
    for account in &leaving.accounts {
        if open_sign_in(leaving, when, account) {
            starts.insert(Item::Account(account.clone()));
        }
    }
    let known = match when {
        When::Before => &leaving.known,
        When::OpenUntil(..) => &leaving.before.credentials,
    };
    for secret in known {
        if open_credential(when, secret) {
            starts.insert(Item::Credential(secret.clone()));
        }
    }
    let mut done = Paths::new();
    let mut edge: Paths = starts
        .into_iter()
        .map(|start| (start.clone(), vec![start]))
        .collect();
    while !edge.is_empty() {
        done.extend(edge.clone());
        let mut next = Paths::new();
        for (item, path) in &edge {
            for follower in followers(leaving, when, item) {
                if done.contains_key(&follower) {
                    continue;
                }
                let mut longer = path.clone();
                longer.push(follower.clone());
                let better = next
                    .get(&follower)
                    .is_none_or(|other| (order(&longer), &longer) < (order(other), other));
                if better {
                    next.insert(follower, longer);
                }
            }
        }
        edge = next;
    }
    done
}

fn open_sign_in(leaving: &Leaving, when: When, account: &Name) -> bool {
    match when {
        When::Before => leaving
            .world
            .account(account)
            .is_some_and(|a| leaving.world.can_sign_in(a, leaving.reading)),
        When::OpenUntil(closings, moment) => closings
            .sign_ins
            .get(account)
            .is_some_and(|c| c.closes >= moment),
    }
}
fn open_credential(when: When, credential: &Name) -> bool {
    match when {
        When::Before => true,
        When::OpenUntil(closings, moment) => closings
            .credentials
            .get(credential)
            .is_some_and(|c| c.closes >= moment),
    }
}

/// What follows from an item by the elements that take part.
pub fn followers(leaving: &Leaving, when: When, item: &Item) -> BTreeSet<Item> {
    let mut followers = BTreeSet::new();
    match item {
        Item::Account(account) => {
            followers.extend(by_lines(leaving, when, |p| is_account(p, account), account));
        }
        Item::Entitlement(entitlement, on) => {
            let named = |p: &Principal| is_entitlement(p, entitlement);
            followers.extend(by_lines(leaving, when, named, on));
        }
        Item::Location(place) => {
            for credential in &leaving.world.snapshot.credentials {
                let secret = credential_name(credential);
                let stands = leaving.world.snapshot.locations.iter().any(|line| {
                    location_name(line) == *place
                        && leaving.world.stands_at(credential, line, leaving.reading)
                });
                if stands && open_credential(when, &secret) {
                    followers.insert(Item::Credential(secret));
                }
            }
        }
        Item::Credential(secret) => {
            let Some(credential) = leaving.world.credential(secret) else {
                return followers;
            };
            if let Some(account) = leaving.world.opens(credential, leaving.reading) {
                followers.insert(Item::Account(account_name(account)));
            }
            for other in &leaving.world.snapshot.credentials {
                let equal = credential_name(other);
                if leaving.world.equal(credential, other, leaving.reading)
                    && open_credential(when, &equal)
                {
                    followers.insert(Item::Credential(equal));
                }
            }
        }
    }
    followers
}

/// What grants, reader lines and control lines give to a principal.
fn by_lines(
    leaving: &Leaving,
    when: When,
    named: impl Fn(&Principal) -> bool,
    on: &Name,
) -> BTreeSet<Item> {
    let facts = &leaving.world.snapshot;
    let mut items = BTreeSet::new();
    for (number, grant) in facts.grants.iter().enumerate() {
        let open = match when {
            When::Before => !is_expired(leaving, grant),
            When::OpenUntil(closings, moment) => closings.grants[number].closes >= moment,
        };
        if named(&grant.principal) && open {
            let entitlement = name(&grant.system, &grant.entitlement_id);
            items.insert(Item::Entitlement(entitlement, on.clone()));
        }
    }
    for (number, line) in facts.readers.iter().enumerate() {
        let open = match when {
            When::Before => true,
            When::OpenUntil(closings, moment) => closings.readers[number].closes >= moment,
        };
        if named(&line.principal) && open {
            items.insert(Item::Location(name(&line.system, &line.path)));
        }
    }
    for (number, line) in facts.controls.iter().enumerate() {
        let open = match when {
            When::Before => true,
            When::OpenUntil(closings, moment) => closings.controls[number].closes >= moment,
        };
        let controlled = name(&line.system, &line.account_id);
        if leaving.reading != Reading::WithoutControls
            && named(&line.principal)
            && open
            && open_sign_in(leaving, when, &controlled)
        {
            items.insert(Item::Account(controlled));
        }
    }
    items
}

fn is_expired(leaving: &Leaving, grant: &Grant) -> bool {
    leaving.reading != Reading::WithoutExpiry
        && grant
            .expires_at
            .is_some_and(|e| e.as_expiry() <= leaving.world.at)
}
