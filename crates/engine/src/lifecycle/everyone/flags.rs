//! What leads to something privileged: the same whoever leaves, so it is found once for all.

use crate::access::columns::{Column, NONE, Rows};
use crate::access::graph::{GrantRow, Graph};
use crate::access::reached::{World, closed_at};

/// By item: privileged, or leading to an entitlement that is; None where that is not known.
pub(super) struct Flags {
    all: Column<Option<bool>>,
    places: Places,
}

/// Where the things of each kind stand among all.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub entitlements: u32,
    pub locations: u32,
    pub credentials: u32,
    pub secrets: u32,
    pub end: u32,
}

impl Places {
    /// Accounts come first.
    pub(super) fn of(graph: &Graph) -> Self {
        let entitlements = graph.accounts.len();
        let locations = entitlements + graph.entitlements.len();
        let credentials = locations + graph.locations.len();
        let secrets = credentials + graph.credentials.len();
        Places {
            entitlements,
            locations,
            credentials,
            secrets,
            end: secrets + graph.secrets,
        }
    }
}

impl Flags {
    pub(super) fn account(&self, row: u32) -> Option<bool> {
        *self.all.at(row)
    }

    pub(super) fn entitlement(&self, row: u32) -> Option<bool> {
        *self.all.at(self.places.entitlements + row)
    }

    pub(super) fn location(&self, row: u32) -> Option<bool> {
        *self.all.at(self.places.locations + row)
    }

    pub(super) fn credential(&self, row: u32) -> Option<bool> {
        *self.all.at(self.places.credentials + row)
    }
}

/// As `values::privileged` says of what one leaver reaches, of everything that can be reached.
pub(super) fn privileged_everywhere(world: &mut World<'_>) -> Flags {
    let graph = world.graph;
    let places = Places::of(graph);
    let into = Rows::build(places.end, backwards(world, places));
    let own = |node: u32| {
        if node < places.entitlements {
            graph.accounts.at(node).privileged
        } else if node < places.locations {
            let row = node - places.entitlements;
            graph.entitlements.at(row).privileged
        } else {
            Some(false)
        }
    };
    let mut all = Column::filled(Some(false), places.end);
    // first what may be privileged, then what is, over it
    for flag in [None, Some(true)] {
        let mut seen = Column::filled(false, places.end);
        let mut queue = Vec::new();
        for node in 0..places.locations {
            if own(node) == flag {
                *all.at_mut(node) = flag;
                if node >= places.entitlements {
                    *seen.at_mut(node) = true;
                    queue.push(node);
                }
            }
        }
        while let Some(node) = queue.pop() {
            for &before in into.row(node) {
                if !*seen.at(before) {
                    *seen.at_mut(before) = true;
                    *all.at_mut(before) = flag;
                    queue.push(before);
                }
            }
        }
    }
    Flags { all, places }
}

/// Each line that can be followed at T: where it leads, and whence.
fn backwards(world: &mut World<'_>, places: Places) -> Vec<(u32, u32)> {
    let graph = world.graph;
    let at = world.at;
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let held = |from: u32, grants: &[GrantRow], pairs: &mut Vec<(u32, u32)>| {
        let open = grants
            .iter()
            .filter(|grant| !closed_at(graph.terms.at(grant.terms).expires, at));
        pairs.extend(open.map(|grant| (places.entitlements + grant.entitlement, from)));
    };
    for account in 0..graph.accounts.len() {
        held(account, graph.account_grants.row(account), &mut pairs);
        let reads = graph.account_reads.row(account).iter();
        pairs.extend(reads.map(|row| (places.locations + row, account)));
        for (controlled, _) in graph.account_controls.row(account) {
            if world.can_sign_in(*controlled) {
                pairs.push((*controlled, account));
            }
        }
    }
    for row in 0..graph.entitlements.len() {
        let from = places.entitlements + row;
        held(from, graph.entitlement_grants.row(row), &mut pairs);
        let reads = graph.entitlement_reads.row(row).iter();
        pairs.extend(reads.map(|row| (places.locations + row, from)));
        for (controlled, _) in graph.entitlement_controls.row(row) {
            if world.can_sign_in(*controlled) {
                pairs.push((*controlled, from));
            }
        }
    }
    for row in 0..graph.locations.len() {
        let from = places.locations + row;
        let stand = graph.credentials_at.row(row).iter();
        pairs.extend(stand.map(|row| (places.credentials + row, from)));
        let copies = graph.secrets_at.row(row).iter();
        pairs.extend(copies.map(|row| (places.secrets + row, from)));
    }
    for row in 0..graph.credentials.len() {
        let from = places.credentials + row;
        let credential = *graph.credentials.at(row);
        if credential.secret != NONE {
            pairs.push((places.secrets + credential.secret, from));
            pairs.push((from, places.secrets + credential.secret));
        }
        if world.opens(&credential) {
            pairs.push((credential.account, from));
        }
    }
    pairs
}
