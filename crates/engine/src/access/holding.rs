//! Who holds what, in the making: needs the numbers of accounts and entitlements and no more of them,
//! so that it is made while others are read.

use super::columns::NONE;
use super::graph::{EntitlementRow, GrantRow, Terms};
use super::making::Number;
use super::nodes::Nodes;
use super::places::Places;
use std::collections::HashMap;

/// A place among the grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    account: usize,
    entitlement: usize,
    terms: u32,
}

/// Puts what comes late before what stands at its position; both are in order.
fn insert<T: Copy>(all: &mut Vec<T>, late: &[(usize, T)]) {
    if late.is_empty() {
        return;
    }
    let mut whole = Vec::with_capacity(all.len() + late.len());
    let mut from = 0;
    for (position, one) in late {
        whole.extend_from_slice(all.get(from..*position).unwrap_or(&[]));
        whole.push(*one);
        from = *position;
    }
    whole.extend_from_slice(all.get(from..).unwrap_or(&[]));
    *all = whole;
}

/// Either end of what leads from a principal somewhere: an account or an entitlement, by place.
#[derive(Clone, Copy)]
pub(super) enum From {
    Account(u32),
    Entitlement(u32),
}

/// The ends of many grants, by their places; `NONE` where they are to be looked for one by one.
#[derive(Default)]
pub(crate) struct Ends {
    accounts: Vec<u32>,
    entitlements: Vec<u32>,
}

/// Who holds what.
#[derive(Default)]
pub(crate) struct Holding {
    pub(super) accounts: Places,
    pub(super) entitlements: Nodes<EntitlementRow>,
    pub(super) account_grants: Vec<(u32, GrantRow)>,
    pub(super) entitlement_grants: Vec<(u32, GrantRow)>,
    pub(super) terms_list: Vec<Terms>,
    terms: HashMap<Terms, u32>,
    /// The terms that came last: nearly all grants have the same.
    last_terms: Option<(Terms, u32)>,
}

impl Holding {
    pub(super) fn from(&self, principal: Number) -> Option<From> {
        if let Some(place) = self.accounts.get(principal) {
            return Some(From::Account(place));
        }
        self.entitlements
            .places
            .get(principal)
            .map(From::Entitlement)
    }

    /// A principal holds an entitlement, on these terms. Where one of its ends is not there, it
    /// gives the place that it would have had.
    pub(crate) fn grant(
        &mut self,
        principal: Number,
        entitlement: Number,
        terms: Terms,
    ) -> Option<Position> {
        let terms = self.terms_row(terms);
        match self.grant_row(principal, entitlement, terms) {
            Some((From::Account(place), row)) => self.account_grants.push((place, row)),
            Some((From::Entitlement(place), row)) => self.entitlement_grants.push((place, row)),
            None => {
                return Some(Position {
                    account: self.account_grants.len(),
                    entitlement: self.entitlement_grants.len(),
                    terms,
                });
            }
        }
        None
    }

    /// Who holds what of many grants, from `froms` to `tos`, is looked up at once: `ends` takes it.
    pub(crate) fn find_ends(&self, froms: &[Number], tos: &[Number], ends: &mut Ends) {
        self.accounts.get_all(froms, &mut ends.accounts);
        self.entitlements
            .places
            .get_all(tos, &mut ends.entitlements);
    }

    /// The same as `grant` of one of those whose ends were looked up.
    pub(crate) fn grant_between(
        &mut self,
        ends: &Ends,
        place: usize,
        (principal, entitlement): (Number, Number),
        terms: Terms,
    ) -> Option<Position> {
        let known = |places: &[u32]| places.get(place).copied().filter(|place| *place != NONE);
        match (known(&ends.accounts), known(&ends.entitlements)) {
            (Some(account), Some(entitlement)) => {
                let terms = self.terms_row(terms);
                let row = GrantRow { entitlement, terms };
                self.account_grants.push((account, row));
                None
            }
            (None, _) | (_, None) => self.grant(principal, entitlement, terms),
        }
    }

    /// Grants whose ends were not known when they came, in the order in which they came: each
    /// takes the place that it would have had. Those whose ends are unknown still are left out.
    pub(super) fn late(&mut self, late: &[(Position, Number, Number)]) {
        let (mut of_accounts, mut of_entitlements) = (Vec::new(), Vec::new());
        for (position, principal, entitlement) in late {
            match self.grant_row(*principal, *entitlement, position.terms) {
                Some((From::Account(place), row)) => {
                    of_accounts.push((position.account, (place, row)));
                }
                Some((From::Entitlement(place), row)) => {
                    of_entitlements.push((position.entitlement, (place, row)));
                }
                None => {}
            }
        }
        insert(&mut self.account_grants, &of_accounts);
        insert(&mut self.entitlement_grants, &of_entitlements);
    }

    fn grant_row(
        &self,
        principal: Number,
        entitlement: Number,
        terms: u32,
    ) -> Option<(From, GrantRow)> {
        let from = self.from(principal)?;
        let entitlement = self.entitlements.places.get(entitlement)?;
        Some((from, GrantRow { entitlement, terms }))
    }

    fn terms_row(&mut self, terms: Terms) -> u32 {
        if let Some((_, row)) = self.last_terms.filter(|(last, _)| *last == terms) {
            return row;
        }
        let next = u32::try_from(self.terms_list.len()).unwrap_or(NONE - 1);
        let row = *self.terms.entry(terms).or_insert(next);
        if row == next {
            self.terms_list.push(terms);
        }
        self.last_terms = Some((terms, row));
        row
    }
}
