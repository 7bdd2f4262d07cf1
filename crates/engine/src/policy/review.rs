//! What one identity holds beside what the policy says of it, and what it should hold and does not.

use super::asked::{Holder, Holding};
use super::decide::{Decider, Decision, Entitlements};
use crate::access::columns::NONE;
use crate::access::graph::Graph;
use crate::access::reached::closed_at;
use crate::lifecycle::Basis;
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use ts_rs::TS;

/// The entitlements of a graph, as one decider sees them.
pub struct Catalogue {
    all: Entitlements,
    /// Entitlements that a policy names and nothing else does, after the graph's own.
    only_named: Vec<(String, String)>,
}

/// What an identity holds, with the policy's word on each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Review {
    /// By system and id.
    pub held: Vec<HeldLine>,
    /// What it should hold and does not.
    pub missing_grants: Vec<MissingGrant>,
    /// What nobody knows of it and what could make more its birthright.
    pub unknown_for_birthrights: Vec<String>,
}

/// One entitlement that an identity holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldLine {
    pub system: String,
    pub id: String,
    /// The accounts that hold it, `system:id`.
    pub accounts: Vec<String>,
    /// Whether one of them is granted it itself, and not through another entitlement.
    pub direct: bool,
    /// How it is known whose the accounts are: of several the best known.
    pub basis: Basis,
    #[serde(flatten)]
    pub policy: PolicyWord,
    /// The graph's row.
    #[serde(skip)]
    pub(crate) row: u32,
}

/// A birthright that is not held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingGrant {
    pub system: String,
    pub id: String,
    #[serde(flatten)]
    pub policy: PolicyWord,
}

/// What the policy says, in words that stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PolicyWord {
    /// birthright, permitted, not_permitted, no_policy, undecided.
    pub policy: &'static str,
    /// The ids of the policies that decided.
    pub because: Vec<String>,
    /// What nobody knows and could have changed the answer.
    pub unknown: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl From<&Decision> for PolicyWord {
    fn from(decision: &Decision) -> Self {
        let Decision {
            held,
            because,
            unknown,
            error,
            birthright_error: _,
        } = decision.clone();
        PolicyWord {
            policy: held.word(),
            because,
            unknown,
            error,
        }
    }
}

impl Catalogue {
    /// The graph's entitlements; `facts` tells what is known of them.
    pub fn new(
        graph: &Graph,
        decider: &mut Decider<'_>,
        facts: &HashMap<(String, String), Holding>,
    ) -> Catalogue {
        let mut catalogue = Catalogue {
            all: Entitlements::default(),
            only_named: Vec::new(),
        };
        let mut known = BTreeSet::new();
        for row in 0..graph.entitlements.len() {
            let (system, id) = names(graph, row);
            let holding = facts.get(&(system.to_owned(), id.to_owned()));
            let bare = || Holding::named(system, id);
            let holding = holding.cloned().unwrap_or_else(bare);
            if decider.policy().names(&holding.full_id()) {
                known.insert(holding.full_id());
            }
            catalogue.all.add(decider, &holding);
        }
        let policy = decider.policy();
        for full in policy.entitlements_named() {
            if !known.contains(full)
                && let Some((system, id)) = full.split_once(':')
            {
                catalogue.all.add(decider, &Holding::named(system, id));
                catalogue
                    .only_named
                    .push((system.to_owned(), id.to_owned()));
            }
        }
        catalogue
    }

    /// The entitlements: the graph's by their rows, then those that only a policy names.
    pub(super) fn all(&self) -> &Entitlements {
        &self.all
    }

    pub(super) fn name<'c>(&'c self, graph: &'c Graph, number: u32) -> (&'c str, &'c str) {
        let rows = graph.entitlements.len();
        match number.checked_sub(rows) {
            None => names(graph, number),
            Some(after) => {
                let named = self.only_named.get(after as usize);
                named.map_or(("", ""), |(system, id)| (system, id))
            }
        }
    }

    /// Systems and ids that a policy names and nothing else does.
    pub fn only_named(&self) -> &[(String, String)] {
        &self.only_named
    }
}

/// What an identity holds at a moment and what it should, by the policy and these attributes.
pub fn review(
    graph: &Graph,
    decider: &mut Decider<'_>,
    catalogue: &Catalogue,
    holder: &Holder,
    at: DateTime<Utc>,
) -> Review {
    let held = held_by(graph, &IdentityId::new(holder.id.as_str()), at);
    let class = decider.holder(holder);
    let mut review = Review::default();
    for (row, by) in &held {
        let Some(holding) = catalogue.all.class_of(*row) else {
            continue;
        };
        let (system, id) = names(graph, *row);
        let accounts = by
            .accounts
            .iter()
            .map(|account| graph.account_text(*account));
        review.held.push(HeldLine {
            system: system.to_owned(),
            id: id.to_owned(),
            accounts: accounts.collect(),
            direct: by.direct,
            basis: whose(graph, &by.accounts),
            row: *row,
            policy: decider.decide(class, holding).into(),
        });
    }
    for number in decider.birthrights(class, &catalogue.all) {
        if held.contains_key(&number) {
            continue;
        }
        let (system, id) = catalogue.name(graph, number);
        let Some(holding) = catalogue.all.class_of(number) else {
            continue;
        };
        review.missing_grants.push(MissingGrant {
            system: system.to_owned(),
            id: id.to_owned(),
            policy: decider.decide(class, holding).into(),
        });
    }
    review.unknown_for_birthrights = decider.birthrights_unknown(class);
    let by_name = |a: &MissingGrant, b: &MissingGrant| (&a.system, &a.id).cmp(&(&b.system, &b.id));
    review.missing_grants.sort_by(by_name);
    review
}

/// By which accounts an entitlement is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeldBy {
    pub accounts: BTreeSet<u32>,
    pub direct: bool,
}

/// Every entitlement that the identity's accounts hold at a moment, by any chain of grants.
pub(crate) fn held_by(graph: &Graph, id: &IdentityId, at: DateTime<Utc>) -> BTreeMap<u32, HeldBy> {
    let mut held: BTreeMap<u32, HeldBy> = BTreeMap::new();
    let Some(identity) = graph.identity(id) else {
        return held;
    };
    let counts = |terms: u32| !closed_at(graph.terms.at(terms).expires, at);
    for &account in graph.accounts_of.row(identity) {
        let mut seen = BTreeSet::new();
        let mut next = Vec::new();
        for grant in graph.account_grants.row(account) {
            if counts(grant.terms) && grant.entitlement != NONE {
                held.entry(grant.entitlement).or_default().direct = true;
                next.push(grant.entitlement);
            }
        }
        while let Some(entitlement) = next.pop() {
            if !seen.insert(entitlement) {
                continue;
            }
            held.entry(entitlement)
                .or_default()
                .accounts
                .insert(account);
            let further = graph.entitlement_grants.row(entitlement).iter();
            next.extend(
                further
                    .filter(|grant| counts(grant.terms))
                    .map(|grant| grant.entitlement),
            );
        }
    }
    held
}

/// How it is known whose these accounts are.
fn whose(graph: &Graph, accounts: &BTreeSet<u32>) -> Basis {
    let known = accounts
        .iter()
        .map(|account| graph.accounts.at(*account).whose);
    known.min().unwrap_or(Basis::Assumed)
}

/// System and id of an entitlement.
pub(super) fn names(graph: &Graph, row: u32) -> (&str, &str) {
    let system = graph.entitlements.at(row).system;
    (graph.systems.at(system), graph.entitlement_ids.at(row))
}
