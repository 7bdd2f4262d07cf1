//! When does each element of a path close: sign-ins, credentials, grants, reader and control lines?

use super::departure::{Declared, Departure, after};
use super::plan::StepAction;
use crate::access::columns::{Marks, NONE};
use crate::access::graph::{Graph, Item};
use crate::access::reached::{Edge, Node, Reached, Via, World};
use crate::lifecycle::{Basis, Closing};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::CredentialKind;
use std::collections::HashMap;

/// What closes an element first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nothing closes it.
    Nothing,
    /// It did not work at T.
    Already,
    /// A step of the plan, by its place.
    Step(u32),
    Expiry,
    Revocation,
    /// The account that it signs in through.
    SignsInThrough(u32),
    /// The account that it dies with.
    DiesWith(u32),
}

/// One element: when it closes, why, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub closes: Closing,
    pub cause: Cause,
    pub basis: Basis,
    pub closing_basis: Basis,
    /// Something undeclared went into the closing time.
    pub guessed: bool,
}

impl Element {
    fn open() -> Self {
        Element {
            closes: Closing::Never,
            cause: Cause::Nothing,
            basis: Basis::Observed,
            closing_basis: Basis::Observed,
            guessed: false,
        }
    }

    pub(crate) fn closed() -> Self {
        Element {
            closes: Closing::At(DateTime::<Utc>::MIN_UTC),
            cause: Cause::Already,
            ..Element::open()
        }
    }

    /// The earliest closing counts; of several at one time the weakest basis.
    pub(crate) fn close(&mut self, closes: Closing, cause: Cause, basis: Basis) {
        if closes < self.closes {
            self.closes = closes;
            self.cause = cause;
            self.closing_basis = basis;
        } else if closes == self.closes && closes != Closing::Never {
            self.closing_basis = self.closing_basis.max(basis);
        }
    }

    fn assume_if(&mut self, unknown: bool) {
        if unknown {
            self.basis = self.basis.max(Basis::Assumed);
        }
    }

    fn guess_if(&mut self, undeclared: bool) {
        self.guessed |= undeclared;
    }
}

/// Steps that end the sign-in to an account.
pub(crate) const THAT_END_SIGN_IN: &[StepAction] =
    &[StepAction::DisableAccount, StepAction::DeleteAccount];

/// Steps that take away a line of an account.
pub(crate) const THAT_REMOVE_LINES: &[StepAction] = &[StepAction::RemoveGrants];

/// Steps that revoke an account's own credential of a kind.
pub(crate) fn that_revoke(kind: CredentialKind) -> &'static [StepAction] {
    match kind {
        CredentialKind::Token => &[
            StepAction::DeleteAccount,
            StepAction::RevokeCredentials,
            StepAction::RevokeSessions,
        ],
        CredentialKind::Password
        | CredentialKind::ApiKey
        | CredentialKind::AccessKey
        | CredentialKind::Certificate
        | CredentialKind::SshKey
        | CredentialKind::ClientSecret
        | CredentialKind::Secret => &[StepAction::DeleteAccount, StepAction::RevokeCredentials],
    }
}

/// Answers for one departure.
pub(crate) struct Closings<'a, 'g> {
    pub world: &'a mut World<'g>,
    pub declared: &'a Declared,
    pub departure: &'a Departure,
    pub mine: &'a Marks,
    sign_ins: HashMap<u32, Element>,
}

impl<'a, 'g> Closings<'a, 'g> {
    pub(crate) fn new(
        world: &'a mut World<'g>,
        declared: &'a Declared,
        departure: &'a Departure,
        mine: &'a Marks,
    ) -> Self {
        Closings {
            world,
            declared,
            departure,
            mine,
            sign_ins: HashMap::new(),
        }
    }

    fn graph(&self) -> &'g Graph {
        self.world.graph
    }

    pub(crate) fn is_mine(&self, account: u32) -> bool {
        account != NONE && self.mine.get(account).is_some()
    }

    fn close_by_steps(
        &self,
        element: &mut Element,
        does: &[StepAction],
        system: u32,
        account: u32,
    ) {
        for step in self.departure.steps.iter() {
            if does.contains(&step.does) && Departure::holds(self.graph(), step, system, account) {
                element.close(step.closes, Cause::Step(step.index), Basis::Assumed);
            }
        }
    }

    /// Signing in to an account.
    pub(crate) fn sign_in(&mut self, account: u32) -> Element {
        let mut chain = Vec::new();
        let mut here = account;
        let mut below = loop {
            if let Some(known) = self.sign_ins.get(&here) {
                break Some(*known);
            }
            if !self.world.can_sign_in(here) {
                self.sign_ins.insert(here, Element::closed());
                break Some(Element::closed());
            }
            chain.push(here);
            let row = self.graph().accounts.at(here);
            if row.local_sign_in != Some(false) {
                break None;
            }
            // INVARIANT: it can be signed in to, so the chain ends
            here = row.through;
        };
        for account in chain.into_iter().rev() {
            let element = self.sign_in_over(account, below);
            self.sign_ins.insert(account, element);
            below = Some(element);
        }
        below.unwrap_or_else(Element::closed)
    }

    fn sign_in_over(&self, account: u32, below: Option<Element>) -> Element {
        let row = self.graph().accounts.at(account);
        let mut element = Element::open();
        element.assume_if(row.enabled.is_none());
        element.close(row.expires, Cause::Expiry, Basis::Observed);
        if self.is_mine(account) {
            self.close_by_steps(&mut element, THAT_END_SIGN_IN, row.system, account);
        }
        match below {
            None => element.assume_if(row.local_sign_in.is_none()),
            Some(below) => {
                element.basis = element.basis.max(below.basis);
                element.guess_if(below.guessed);
                if let Closing::At(closes) = below.closes {
                    let lifetime = *self.declared.session_lifetime.at(row.system);
                    element.guess_if(lifetime.is_none());
                    let ends = after(closes, lifetime.unwrap_or_default());
                    let basis = match lifetime {
                        Some(_) => below.closing_basis,
                        None => Basis::Assumed,
                    };
                    element.close(ends, Cause::SignsInThrough(row.through), basis);
                }
            }
        }
        element
    }

    /// A credential, but for rotation.
    pub(crate) fn credential(&mut self, credential: u32) -> Element {
        let row = *self.graph().credentials.at(credential);
        if !self.world.is_valid(&row) {
            return Element::closed();
        }
        let mut element = Element::open();
        element.assume_if(row.enabled.is_none());
        element.close(row.expires, Cause::Expiry, Basis::Observed);
        element.close(row.revoked, Cause::Revocation, Basis::Observed);
        if self.is_mine(row.account) {
            let does = that_revoke(row.kind);
            self.close_by_steps(&mut element, does, row.system, row.account);
        }
        if row.account == NONE {
            return element;
        }
        match self.world.dies_with_account(&row) {
            Some(true) => {
                let account = self.sign_in(row.account);
                if account.cause == Cause::Already {
                    return Element::closed();
                }
                element.basis = element.basis.max(account.basis);
                element.guess_if(account.guessed);
                let cause = Cause::DiesWith(row.account);
                element.close(account.closes, cause, account.closing_basis);
            }
            Some(false) => {}
            None => {
                element.guess_if(true);
                // it works at T only because it is taken to outlive its account
                let outlives = !self.world.can_sign_in(row.account);
                element.assume_if(outlives);
            }
        }
        element
    }

    /// A line of one of their accounts, by itself.
    pub(crate) fn line(&self, account: u32, system: u32, expires: Closing) -> Element {
        let mut element = Element::open();
        element.close(expires, Cause::Expiry, Basis::Observed);
        self.close_by_steps(&mut element, THAT_REMOVE_LINES, system, account);
        element
    }

    /// A grant, reader line or control line (with the controlled account's sign-in).
    pub(crate) fn edge(&mut self, reached: &Reached, edge: &Edge) -> Element {
        let graph = self.graph();
        let mut element = Element::open();
        let direct = match reached.nodes.at(edge.from) {
            Node::Item(Item::Account(account)) if self.is_mine(*account) => Some(*account),
            Node::Item(_) | Node::Secret(_) => None,
        };
        if let Via::Control(_) = edge.via
            && let Node::Item(Item::Account(account)) = *reached.nodes.at(edge.to)
        {
            element = self.sign_in(account);
        }
        match edge.via {
            Via::Grant { expires, .. } => element.close(expires, Cause::Expiry, Basis::Observed),
            Via::Reader | Via::Control(_) => {}
            Via::Stands | Via::Same | Via::Opens => return element,
        }
        if let (Some(account), Node::Item(item)) = (direct, *reached.nodes.at(edge.to)) {
            let system = graph.item_system(item);
            // Of whoever stays only what they may not hold is taken away.
            if let Some(lost) = &self.departure.lost
                && !matches!(item, Item::Entitlement { entitlement, .. } if lost.contains(&entitlement))
            {
                return element;
            }
            self.close_by_steps(&mut element, THAT_REMOVE_LINES, system, account);
        }
        element
    }
}
