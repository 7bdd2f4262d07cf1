//! What one identity after the other holds, by whatever account and chain of grants.

use crate::access::columns::Column;
use crate::access::graph::{GrantRow, Graph};
use crate::access::reached::closed_at;
use chrono::{DateTime, Utc};

/// Asks for many identities; its room is used again.
pub(super) struct Holdings<'g> {
    graph: &'g Graph,
    at: DateTime<Utc>,
    /// By entitlement: the question that met it last.
    met: Column<u32>,
    question: u32,
    next: Vec<u32>,
    held: Vec<u32>,
}

impl<'g> Holdings<'g> {
    pub(super) fn new(graph: &'g Graph, at: DateTime<Utc>) -> Self {
        Holdings {
            graph,
            at,
            met: Column::filled(0, graph.entitlements.len()),
            question: 0,
            next: Vec::new(),
            held: Vec::new(),
        }
    }

    /// The entitlements that `held_by` names, in order.
    pub(super) fn of(&mut self, identity: u32) -> &[u32] {
        let graph = self.graph;
        self.question = match self.question.checked_add(1) {
            Some(question) => question,
            None => {
                self.met = Column::filled(0, self.met.len());
                1
            }
        };
        self.held.clear();
        for &account in graph.accounts_of.row(identity) {
            self.take(graph.account_grants.row(account));
        }
        while let Some(entitlement) = self.next.pop() {
            self.take(graph.entitlement_grants.row(entitlement));
        }
        self.held.sort_unstable();
        &self.held
    }

    fn take(&mut self, grants: &[GrantRow]) {
        for grant in grants {
            let expires = self.graph.terms.at(grant.terms).expires;
            if closed_at(expires, self.at) {
                continue;
            }
            let met = self.met.at_mut(grant.entitlement);
            if *met != self.question {
                *met = self.question;
                self.next.push(grant.entitlement);
                self.held.push(grant.entitlement);
            }
        }
    }
}
