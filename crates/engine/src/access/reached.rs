//! What a set of accounts and known credentials reaches at one moment, as a small graph of its own.
//!
//! The least fixed point of docs/semantics (Access), before any event. Work is
//! proportional to what is reached; no recursion.

use super::columns::{Column, Marks, NONE};
use super::graph::{Activation, CredentialRow, Graph, Item};
use crate::lifecycle::Closing;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{ControlMeans, CredentialKind};

/// The graph at one moment, with what is declared about its systems, and buffers that are reused.
pub(crate) struct World<'g> {
    pub graph: &'g Graph,
    pub at: DateTime<Utc>,
    /// By system: whether credentials die with their account, where declared.
    pub dies: Column<Option<bool>>,
    sign_in: Column<SignIn>,
    chain: Vec<u32>,
    account_node: Marks,
    credential_node: Marks,
    location_node: Marks,
    secret_node: Marks,
    entitlement_node: Marks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignIn {
    NotAsked,
    /// On the chain that is being followed: meeting it again is a cycle.
    Asked,
    Yes,
    No,
}

/// A node of the reached graph: an item, or the secret that credentials of one fingerprint share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Item(Item),
    Secret(u32),
}

/// How one node follows from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Grant {
        expires: Closing,
        activation: Activation,
    },
    Reader,
    Stands,
    Same,
    Opens,
    Control(ControlMeans),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub from: u32,
    pub to: u32,
    pub via: Via,
}

/// What is reached. Nodes in order of discovery; edges by their source node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    pub nodes: Column<Node>,
    pub edges: Column<Edge>,
    /// First edge of each node, and one past the last.
    pub first_edge: Vec<u32>,
    /// Whether a node is a start: an account of S that can be signed in to, a credential of K.
    pub is_start: Column<bool>,
}

impl Reached {
    pub(crate) fn edges_of(&self, node: u32) -> std::ops::Range<u32> {
        let from = self.first_edge.get(node as usize).copied().unwrap_or(0);
        let to = self
            .first_edge
            .get(node as usize + 1)
            .copied()
            .unwrap_or(from);
        from..to
    }

    pub(crate) fn item(&self, node: u32) -> Option<Item> {
        match *self.nodes.at(node) {
            Node::Item(item) => Some(item),
            Node::Secret(_) => None,
        }
    }
}

/// Whether something that closes then is closed at `at`.
pub(crate) fn closed_at(closing: Closing, at: DateTime<Utc>) -> bool {
    closing <= Closing::At(at)
}

impl<'g> World<'g> {
    pub(crate) fn new(graph: &'g Graph, at: DateTime<Utc>, dies: Column<Option<bool>>) -> Self {
        World {
            graph,
            at,
            dies,
            sign_in: Column::filled(SignIn::NotAsked, graph.accounts.len()),
            chain: Vec::new(),
            account_node: Marks::new(graph.accounts.len()),
            credential_node: Marks::new(graph.credentials.len()),
            location_node: Marks::new(graph.locations.len()),
            secret_node: Marks::new(graph.secrets),
            entitlement_node: Marks::new(graph.entitlements.len()),
        }
    }

    /// Whether the account can be signed in to. A cycle or a missing target cannot.
    pub(crate) fn can_sign_in(&mut self, account: u32) -> bool {
        let mut here = account;
        let answer = loop {
            match *self.sign_in.at(here) {
                SignIn::Yes => break SignIn::Yes,
                SignIn::No | SignIn::Asked => break SignIn::No,
                SignIn::NotAsked => {}
            }
            let row = self.graph.accounts.at(here);
            self.chain.push(here);
            if row.enabled == Some(false) || closed_at(row.expires, self.at) {
                break SignIn::No;
            }
            if row.local_sign_in != Some(false) {
                break SignIn::Yes;
            }
            if row.through == NONE {
                break SignIn::No;
            }
            *self.sign_in.at_mut(here) = SignIn::Asked;
            here = row.through;
        };
        for account in self.chain.drain(..) {
            *self.sign_in.at_mut(account) = answer;
        }
        answer == SignIn::Yes
    }

    /// Enabled (or unknown), not expired, not revoked.
    pub(crate) fn is_valid(&self, credential: &CredentialRow) -> bool {
        credential.enabled != Some(false)
            && !closed_at(credential.expires, self.at)
            && !closed_at(credential.revoked, self.at)
    }

    /// Whether a credential closes with its account; None where that is not declared.
    pub(crate) fn dies_with_account(&self, credential: &CredentialRow) -> Option<bool> {
        match credential.kind {
            CredentialKind::Password => Some(true),
            CredentialKind::ApiKey
            | CredentialKind::AccessKey
            | CredentialKind::Token
            | CredentialKind::Certificate
            | CredentialKind::SshKey
            | CredentialKind::ClientSecret
            | CredentialKind::Secret => *self.dies.at(credential.system),
        }
    }

    pub(crate) fn opens(&mut self, credential: &CredentialRow) -> bool {
        credential.account != NONE
            && self.is_valid(credential)
            && (self.dies_with_account(credential) != Some(true)
                || self.can_sign_in(credential.account))
    }

    /// The reach of accounts and known credentials.
    pub(crate) fn reach(&mut self, accounts: &[u32], known: &[u32]) -> Reached {
        let mut starts: Vec<Item> = Vec::with_capacity(accounts.len() + known.len());
        for &account in accounts {
            if self.can_sign_in(account) {
                starts.push(Item::Account(account));
            }
        }
        starts.extend(known.iter().map(|credential| Item::Credential(*credential)));
        self.reach_from(&starts)
    }

    /// The reach of accounts that can be signed in to, credentials that are known and locations that
    /// are read; the first nodes are these, each once, in their order.
    pub(crate) fn reach_from(&mut self, starts: &[Item]) -> Reached {
        let mut found = Reached::default();
        for start in starts {
            let node = self.node(&mut found, *start);
            *found.is_start.at_mut(node) = true;
        }
        let mut next = 0;
        while next < found.nodes.len() {
            match *found.nodes.at(next) {
                Node::Item(Item::Account(account)) => {
                    self.follow_account(&mut found, next, account)
                }
                // found and followed with their account
                Node::Item(Item::Entitlement { .. }) => {}
                Node::Item(Item::Location(location)) => {
                    self.follow_location(&mut found, next, location);
                }
                Node::Item(Item::Credential(credential)) => {
                    self.follow_credential(&mut found, next, credential);
                }
                Node::Secret(secret) => {
                    for &credential in self.graph.same_secret.row(secret) {
                        let to = self.node(&mut found, Item::Credential(credential));
                        link(&mut found, next, to, Via::Same);
                    }
                }
            }
            next += 1;
        }
        self.account_node.clear();
        self.credential_node.clear();
        self.location_node.clear();
        self.secret_node.clear();
        sort_edges(&mut found);
        found
    }

    fn follow_account(&mut self, found: &mut Reached, node: u32, account: u32) {
        let graph = self.graph;
        let mut held = vec![node];
        while let Some(from) = held.pop() {
            let (grants, reads, controls) = match *found.nodes.at(from) {
                Node::Item(Item::Entitlement { entitlement, .. }) => (
                    graph.entitlement_grants.row(entitlement),
                    graph.entitlement_reads.row(entitlement),
                    graph.entitlement_controls.row(entitlement),
                ),
                Node::Item(Item::Account(_) | Item::Credential(_) | Item::Location(_))
                | Node::Secret(_) => (
                    graph.account_grants.row(account),
                    graph.account_reads.row(account),
                    graph.account_controls.row(account),
                ),
            };
            for grant in grants {
                let terms = graph.terms.at(grant.terms);
                if closed_at(terms.expires, self.at) {
                    continue;
                }
                let to = match self.entitlement_node.get(grant.entitlement) {
                    Some(to) => to,
                    None => {
                        let item = Item::Entitlement {
                            entitlement: grant.entitlement,
                            account,
                        };
                        let to = add(found, Node::Item(item));
                        self.entitlement_node.set(grant.entitlement, to);
                        held.push(to);
                        to
                    }
                };
                let via = Via::Grant {
                    expires: terms.expires,
                    activation: terms.activation,
                };
                link(found, from, to, via);
            }
            for &location in reads {
                let to = self.node(found, Item::Location(location));
                link(found, from, to, Via::Reader);
            }
            for &(controlled, means) in controls {
                if self.can_sign_in(controlled) {
                    let to = self.node(found, Item::Account(controlled));
                    link(found, from, to, Via::Control(means));
                }
            }
        }
        self.entitlement_node.clear();
    }

    fn follow_location(&mut self, found: &mut Reached, node: u32, location: u32) {
        let graph = self.graph;
        for &credential in graph.credentials_at.row(location) {
            let to = self.node(found, Item::Credential(credential));
            link(found, node, to, Via::Stands);
        }
        for &secret in graph.secrets_at.row(location) {
            let to = self.secret(found, secret);
            link(found, node, to, Via::Stands);
        }
    }

    fn follow_credential(&mut self, found: &mut Reached, node: u32, credential: u32) {
        let row = *self.graph.credentials.at(credential);
        if row.secret != NONE {
            let to = self.secret(found, row.secret);
            link(found, node, to, Via::Same);
        }
        if self.opens(&row) {
            let to = self.node(found, Item::Account(row.account));
            link(found, node, to, Via::Opens);
        }
    }

    fn node(&mut self, found: &mut Reached, item: Item) -> u32 {
        let (marks, row) = match item {
            Item::Account(row) => (&mut self.account_node, row),
            Item::Credential(row) => (&mut self.credential_node, row),
            Item::Location(row) => (&mut self.location_node, row),
            Item::Entitlement { entitlement, .. } => (&mut self.entitlement_node, entitlement),
        };
        if let Some(node) = marks.get(row) {
            return node;
        }
        let node = add(found, Node::Item(item));
        marks.set(row, node);
        node
    }

    fn secret(&mut self, found: &mut Reached, secret: u32) -> u32 {
        if let Some(node) = self.secret_node.get(secret) {
            return node;
        }
        let node = add(found, Node::Secret(secret));
        self.secret_node.set(secret, node);
        node
    }
}

fn add(found: &mut Reached, node: Node) -> u32 {
    found.is_start.push(false);
    found.nodes.push(node)
}

fn link(found: &mut Reached, from: u32, to: u32, via: Via) {
    found.edges.push(Edge { from, to, via });
}

fn sort_edges(found: &mut Reached) {
    let mut edges = found.edges.values().to_vec();
    edges.sort_by_key(|edge| edge.from);
    let mut first = Vec::with_capacity(found.nodes.len() as usize + 1);
    let mut at = 0;
    for edge in &edges {
        while first.len() <= edge.from as usize {
            first.push(at);
        }
        at += 1;
    }
    while first.len() <= found.nodes.len() as usize {
        first.push(at);
    }
    found.edges = Column::new(edges);
    found.first_edge = first;
}
