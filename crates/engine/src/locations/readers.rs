//! Who can read a place: the graph turned round, from places to accounts.

use crate::access::Graph;
use crate::access::columns::{Marks, NONE, Rows};
use crate::access::graph::Item;
use crate::access::reached::closed_at;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::IdentityStatus;
use std::collections::{BTreeMap, HashMap};

/// Who a line of readers names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Principal {
    Account(u32),
    Entitlement(u32),
}

/// How many can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub accounts: u64,
    /// Those whose identity is inactive.
    pub left: u64,
}

/// An account that can read, and by what: from what it holds to what the place names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub account: u32,
    pub location: u32,
    pub through: Vec<u32>,
}

/// Readers of one moment: grants that have expired by then do not count.
pub(super) struct Readers {
    of_location: Rows<Principal>,
    holders: Rows<u32>,
    members: Rows<u32>,
    accounts: Marks,
    entitlements: Marks,
    counted: HashMap<Vec<Principal>, Count>,
}

impl Readers {
    pub fn new(graph: &Graph, at: DateTime<Utc>) -> Readers {
        let (accounts, entitlements) = (graph.accounts.len(), graph.entitlements.len());
        let mut reads: Vec<(u32, Principal)> = Vec::new();
        for account in 0..accounts {
            let places = graph.account_reads.row(account).iter();
            reads.extend(places.map(|place| (*place, Principal::Account(account))));
        }
        let mut members: Vec<(u32, u32)> = Vec::new();
        for entitlement in 0..entitlements {
            let places = graph.entitlement_reads.row(entitlement).iter();
            reads.extend(places.map(|place| (*place, Principal::Entitlement(entitlement))));
            for grant in graph.entitlement_grants.row(entitlement) {
                if !closed_at(graph.terms.at(grant.terms).expires, at) {
                    members.push((grant.entitlement, entitlement));
                }
            }
        }
        let mut holders: Vec<(u32, u32)> = Vec::new();
        for account in 0..accounts {
            for grant in graph.account_grants.row(account) {
                if !closed_at(graph.terms.at(grant.terms).expires, at) {
                    holders.push((grant.entitlement, account));
                }
            }
        }
        Readers {
            of_location: Rows::build(graph.locations.len(), reads),
            holders: Rows::build(entitlements, holders),
            members: Rows::build(entitlements, members),
            accounts: Marks::new(accounts),
            entitlements: Marks::new(entitlements),
            counted: HashMap::new(),
        }
    }

    /// Whom the lines of places name, each once.
    pub fn principals(&self, locations: &[u32]) -> Vec<Principal> {
        let rows = locations.iter();
        let rows = rows.flat_map(|location| self.of_location.row(*location));
        let mut all: Vec<Principal> = rows.copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// How many accounts can read any of these places.
    pub fn count(&mut self, graph: &Graph, locations: &[u32]) -> Count {
        let principals = self.principals(locations);
        if let Some(count) = self.counted.get(&principals) {
            return *count;
        }
        let mut count = Count::default();
        self.walk(&principals, |account| {
            count.accounts += 1;
            if has_left(graph, account) {
                count.left += 1;
            }
        });
        self.counted.insert(principals, count);
        count
    }

    fn walk(&mut self, from: &[Principal], mut take: impl FnMut(u32)) {
        let mut open: Vec<u32> = Vec::new();
        let mut meet = |accounts: &mut Marks, account: u32| {
            if accounts.get(account).is_none() {
                accounts.set(account, 0);
                take(account);
            }
        };
        for principal in from {
            match *principal {
                Principal::Account(account) => meet(&mut self.accounts, account),
                Principal::Entitlement(entitlement) => {
                    if self.entitlements.get(entitlement).is_none() {
                        self.entitlements.set(entitlement, 0);
                        open.push(entitlement);
                    }
                }
            }
        }
        while let Some(entitlement) = open.pop() {
            for account in self.holders.row(entitlement) {
                meet(&mut self.accounts, *account);
            }
            for member in self.members.row(entitlement) {
                if self.entitlements.get(*member).is_none() {
                    self.entitlements.set(*member, 0);
                    open.push(*member);
                }
            }
        }
        self.accounts.clear();
        self.entitlements.clear();
    }

    /// Everybody who can read these places, each account once by a shortest way; in id order.
    pub fn list(&self, locations: &[u32]) -> Vec<Reading> {
        let mut found: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
        // By entitlement: the place, and what it is a member of on the way there.
        let mut ways: HashMap<u32, (u32, u32)> = HashMap::new();
        let mut level: Vec<u32> = Vec::new();
        for location in locations {
            for principal in self.of_location.row(*location) {
                match *principal {
                    Principal::Account(account) => {
                        found.entry(account).or_insert((*location, NONE));
                    }
                    Principal::Entitlement(entitlement) => {
                        ways.entry(entitlement).or_insert_with(|| {
                            level.push(entitlement);
                            (*location, NONE)
                        });
                    }
                }
            }
        }
        while !level.is_empty() {
            level.sort_unstable();
            let mut next = Vec::new();
            for entitlement in level {
                let location = ways.get(&entitlement).map_or(NONE, |way| way.0);
                for account in self.holders.row(entitlement) {
                    found.entry(*account).or_insert((location, entitlement));
                }
                for member in self.members.row(entitlement) {
                    ways.entry(*member).or_insert_with(|| {
                        next.push(*member);
                        (location, entitlement)
                    });
                }
            }
            level = next;
        }
        let through = |from: u32| {
            let mut all = Vec::new();
            let mut here = from;
            while here != NONE {
                all.push(here);
                here = ways.get(&here).map_or(NONE, |way| way.1);
            }
            all
        };
        let found = found.into_iter();
        let found = found.map(|(account, (location, by))| Reading {
            account,
            location,
            through: through(by),
        });
        found.collect()
    }
}

pub(super) fn has_left(graph: &Graph, account: u32) -> bool {
    let identity = graph.accounts.at(account).identity;
    identity != NONE && graph.identities.at(identity).status == Some(IdentityStatus::Inactive)
}

pub(super) fn words(graph: &Graph, reading: &Reading) -> Vec<String> {
    let through = reading.through.iter();
    let through = through.map(|entitlement| {
        graph.words(Item::Entitlement {
            entitlement: *entitlement,
            account: reading.account,
        })
    });
    // On whose account says the line already.
    through
        .map(|words| match words.rsplit_once(" on ") {
            Some((words, _)) => words.to_owned(),
            None => words,
        })
        .collect()
}
