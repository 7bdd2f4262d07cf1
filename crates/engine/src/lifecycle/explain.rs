//! Links, bases and sentences: why an item stays open, what closes it, how it was known.

use super::closing::{Cause, Element};
use super::departure::Departure;
use super::outcome::{Basis, Closing, Link};
use super::plan::Plan;
use super::values::Values;
use crate::access::columns::{Column, NONE};
use crate::access::graph::{Graph, Item};
use crate::access::paths::{Caps, PathLink, Paths};
use crate::access::reached::{Reached, Via};
use chrono::TimeDelta;

/// What the sentences are made from.
pub(crate) struct Explained<'a> {
    pub graph: &'a Graph,
    pub plan: &'a Plan,
    pub departure: &'a Departure,
    pub reached: &'a Reached,
    pub values: &'a Values,
}

/// How a secret was known before the event.
#[derive(Clone, Debug)]
pub(crate) struct Knowledge {
    pub links: Vec<Link>,
    pub basis: Basis,
}

impl Explained<'_> {
    /// The element of a link: a start, an edge, or for a known credential the credential itself.
    pub(crate) fn element(&self, link: PathLink) -> Element {
        let start = *self.values.start.at(link.node);
        match (self.reached.item(link.node), start) {
            (Some(Item::Credential(_)), Some(element)) => element,
            (_, Some(element)) if link.edge == NONE => element,
            _ if link.edge == NONE => Element::closed(),
            _ => *self.values.edge.at(link.edge),
        }
    }

    pub(crate) fn links(&self, path: &[PathLink]) -> Vec<Link> {
        let mut links = Vec::with_capacity(path.len());
        for (place, link) in path.iter().enumerate() {
            let Some(item) = self.reached.item(link.node) else {
                continue;
            };
            let element = self.element(*link);
            let by = self.reached.word_into(self.graph, path, place);
            let (kind, system, id) = self.graph.names(item);
            links.push(Link {
                kind,
                system: system.to_owned(),
                id: id.to_owned(),
                on_account: self.graph.on_account(item),
                by: by.unwrap_or_else(|| self.start_word(item).to_owned()),
                closes_at: element.closes,
                basis: element.basis,
            });
        }
        if let (Some(first), Some(start)) = (links.first_mut(), path.first()) {
            first.basis = first.basis.max(self.whose(start.node));
        }
        links
    }

    pub(crate) fn is_own(&self, credential: u32) -> bool {
        let account = self.graph.credentials.at(credential).account;
        account != NONE && self.departure.accounts.binary_search(&account).is_ok()
    }

    fn start_word(&self, item: Item) -> &'static str {
        match item {
            Item::Credential(credential) if self.is_own(credential) => "own credential",
            Item::Credential(_) => "known secret",
            Item::Account(_) | Item::Entitlement { .. } | Item::Location(_) => "signs in",
        }
    }

    /// The ways before the event, and how they are known: what the leaver starts with, and then
    /// each line; of a credential, what counts is that it opens an account.
    pub(crate) fn before(&self) -> Caps {
        let edge = self.reached.edges.values().iter().zip(0..);
        let edge_basis = edge.map(|(row, edge)| match row.via {
            Via::Opens => match self.values.start.at(row.from) {
                Some(credential) => credential.basis,
                None => Basis::Observed,
            },
            Via::Grant { .. } | Via::Reader | Via::Control(_) | Via::Stands | Via::Same => {
                self.values.edge.at(edge).basis
            }
        });
        let start_basis = (0..self.reached.nodes.len()).map(|node| {
            let has = self.whose(node).max(self.custody(node));
            match (self.reached.item(node), self.values.start.at(node)) {
                (Some(Item::Account(_)), Some(element)) => element.basis.max(has),
                (_, Some(_) | None) => has,
            }
        });
        Caps {
            start_basis: Column::new(start_basis.collect()),
            edge_basis: Column::new(edge_basis.collect()),
            ..Caps::always(self.reached)
        }
    }

    /// The way in which a secret was known before the event.
    pub(crate) fn knowledge(&self, before: &Paths<'_>, node: u32) -> Knowledge {
        let mut path = Vec::new();
        before.walk(node, &mut path);
        let mut links = self.links(&path);
        if let (Some(first), Some(start)) = (links.first_mut(), path.first())
            && first.by == "known secret"
        {
            first.by = "in custody".to_owned();
            first.basis = first.basis.max(self.custody(start.node));
        }
        Knowledge {
            links,
            basis: before.basis(node),
        }
    }

    /// How it is known that the leaver has what a path starts with: a secret of another's by the way
    /// in which it was known before the event.
    pub(crate) fn had(&self, start: u32, before: Option<&Paths<'_>>) -> Basis {
        match (self.reached.item(start), before) {
            (Some(Item::Credential(credential)), Some(before)) if !self.is_own(credential) => {
                before.basis(start)
            }
            _ => self.whose(start),
        }
    }

    /// How it is known whose account it is with which a path starts, or whose credential.
    fn whose(&self, start: u32) -> Basis {
        let account = match self.reached.item(start) {
            Some(Item::Account(account)) => account,
            Some(Item::Credential(credential)) if self.is_own(credential) => {
                self.graph.credentials.at(credential).account
            }
            Some(Item::Credential(_) | Item::Entitlement { .. } | Item::Location(_)) | None => {
                return Basis::Observed;
            }
        };
        self.graph.accounts.at(account).whose
    }

    /// How it is known that another's secret was known without a location, where it was.
    fn custody(&self, start: u32) -> Basis {
        match self.reached.item(start) {
            Some(Item::Credential(credential)) if !self.is_own(credential) => {
                let custody = self.departure.custody.get(&credential);
                custody.copied().unwrap_or(Basis::Observed)
            }
            Some(
                Item::Credential(_)
                | Item::Account(_)
                | Item::Entitlement { .. }
                | Item::Location(_),
            )
            | None => Basis::Observed,
        }
    }

    /// The weakest of what closes the item, and of what was not declared.
    pub(crate) fn closing_basis(&self, path: &[PathLink], closes: Closing) -> Basis {
        let mut basis = Basis::Observed;
        for link in path {
            let element = self.element(*link);
            if element.closes == closes {
                basis = basis.max(element.closing_basis);
            }
            if element.guessed {
                basis = basis.max(Basis::Assumed);
            }
        }
        basis
    }

    /// One sentence: what closes the item, or why nothing does.
    pub(crate) fn reason(&self, path: &[PathLink], closes: Closing) -> String {
        let decisive = path
            .iter()
            .find(|link| self.element(**link).closes == closes)
            .or(path.first());
        let Some(link) = decisive else {
            return String::new();
        };
        let Some(item) = self.reached.item(link.node) else {
            return String::new();
        };
        let what = match item {
            Item::Account(_) => format!("signing in to {}", self.graph.words(item)),
            Item::Credential(_) => self.graph.words(item),
            Item::Entitlement { .. } => format!("the grant of {}", self.graph.words(item)),
            Item::Location(_) => format!("reading {}", self.graph.words(item)),
        };
        match self.element(*link).cause {
            Cause::Step(step) => format!("{what} ends by the plan: {}", self.step_words(step)),
            Cause::Expiry => format!("{what} expires by itself"),
            Cause::Revocation => format!("{what} has its revocation set already"),
            Cause::SignsInThrough(account) => format!(
                "{what} ends a session's lifetime after account {}, through which one signs in",
                self.graph.account_text(account)
            ),
            Cause::DiesWith(account) => {
                format!(
                    "{what} dies with account {}",
                    self.graph.account_text(account)
                )
            }
            Cause::Nothing | Cause::Already => self.why_open(item),
        }
    }

    fn why_open(&self, item: Item) -> String {
        let words = self.graph.words(item);
        if self.departure.steps.is_empty() {
            return match item {
                Item::Credential(credential) if !self.is_own(credential) => {
                    format!("{words} was known before, and no step begins that rotates it")
                }
                Item::Credential(_) => format!("no step begins that revokes {words}"),
                Item::Account(_) => format!("no step begins that closes the sign-in to {words}"),
                Item::Entitlement { .. } => format!("no step begins that removes {words}"),
                Item::Location(_) => format!("no step begins that ends reading {words}"),
            };
        }
        match item {
            Item::Account(_) => format!("no step of the plan closes the sign-in to {words}"),
            Item::Entitlement { .. } => format!("no step of the plan removes {words}"),
            Item::Location(_) => format!("no step of the plan ends reading {words}"),
            Item::Credential(credential) => {
                let early = self.values.rotations.get(&credential);
                if early.is_some_and(|rotations| rotations.ineffective > 0) {
                    format!(
                        "{words} is rotated while still readable, so its successor is known too"
                    )
                } else if self.is_own(credential) {
                    format!("no step of the plan revokes {words}")
                } else {
                    format!("{words} was known before and no step of the plan rotates it")
                }
            }
        }
    }

    /// What would close the path, as a step of a plan in words.
    pub(crate) fn would_close(&self, path: &[PathLink], within: TimeDelta) -> Option<String> {
        let item = self.reached.item(path.first()?.node)?;
        let (_, system, _) = self.graph.names(item);
        let within = duration_words(within);
        Some(match item {
            Item::Credential(credential) if self.is_own(credential) => {
                format!("revoke_credentials on `{system}` within {within}")
            }
            Item::Credential(_) => format!(
                "rotate_known_secrets on `{system}` within {within}, after every place where it stands has closed"
            ),
            Item::Account(_) | Item::Entitlement { .. } | Item::Location(_) => {
                format!("disable_account on `{system}` within {within}")
            }
        })
    }

    fn step_words(&self, step: u32) -> String {
        match self.plan.steps.get(step as usize) {
            Some(step) => {
                let how = step.how.map_or("", |how| how.word());
                let comma = if how.is_empty() { "" } else { ", " };
                let within = duration_words(step.within);
                format!("{}{comma}{how}, within {within}", step.does.word())
            }
            None => String::new(),
        }
    }
}

/// `15 min`, `24 h`, `14 days`, `90 s`: the largest unit that divides.
pub(crate) fn duration_words(time: TimeDelta) -> String {
    let seconds = time.num_seconds();
    // A day is said in hours, as limits and steps mostly are.
    if seconds > 86_400 && seconds % 86_400 == 0 {
        format!("{} days", seconds / 86_400)
    } else if seconds != 0 && seconds % 3600 == 0 {
        format!("{} h", seconds / 3600)
    } else if seconds != 0 && seconds % 60 == 0 {
        format!("{} min", seconds / 60)
    } else {
        format!("{seconds} s")
    }
}
