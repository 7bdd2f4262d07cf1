//! Why is something only assumed? The sentences of an answer that nothing but assumptions keeps from
//! a pass: each says what nobody has told.

use super::departure::{Declared, Departure};
use super::limits::is_late;
use super::outcome::{Basis, ItemKind, Link, ResidualItem};
use crate::access::columns::NONE;
use crate::access::graph::Graph;
use lastkey_contract::SystemName;
use lastkey_contract::facts::CredentialKind;
use std::collections::{BTreeMap, BTreeSet};

/// What nobody has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Untold {
    EnabledAccount,
    EnabledCredential,
    /// Whether one signs in to an account itself.
    LocalSignIn,
    /// In whose custody a credential is.
    Custody,
    /// Whether a credential works without its account.
    Outlives,
    /// Whose an account is.
    Whose,
    /// Anything else on the way to it.
    Way,
}

/// So many are named of each system.
const NAMED: usize = 5;

/// Sentences about what is assumed, where nothing better than that says that anything stays open too
/// long: else none.
pub(super) fn why_assumed(
    graph: &Graph,
    declared: &Declared,
    departure: &Departure,
    residual: &[ResidualItem],
) -> Vec<String> {
    let late = || residual.iter().filter(|item| is_late(item));
    if late().next().is_none() || late().any(|item| item.basis != Basis::Assumed) {
        return Vec::new();
    }
    let mut found = Found {
        graph,
        declared,
        departure,
        untold: BTreeMap::new(),
    };
    for row in &departure.accounts {
        if graph.accounts.at(*row).whose == Basis::Assumed {
            found.note(
                Untold::Whose,
                graph.accounts.at(*row).system,
                graph.account_text(*row),
            );
        }
    }
    for item in late() {
        let links = item.links.iter().chain(&item.known_through);
        let assumed = links.filter(|link| link.basis == Basis::Assumed);
        let told = assumed.map(|link| found.of_link(link));
        if told.fold(false, |any, one| any | one) {
            continue;
        }
        let system = graph.system(&item.system.as_str().into());
        let whose = departure.accounts.iter();
        let mut whose = whose.map(|row| graph.accounts.at(*row).whose);
        if let (Some(system), false) = (system, whose.any(|basis| basis == Basis::Assumed)) {
            found.note(Untold::Way, system, format!("{}:{}", item.system, item.id));
        }
    }
    found.sentences()
}

struct Found<'a> {
    graph: &'a Graph,
    declared: &'a Declared,
    departure: &'a Departure,
    /// By what is not told and the system: `system:id` each.
    untold: BTreeMap<(Untold, u32), BTreeSet<String>>,
}

impl Found<'_> {
    fn note(&mut self, what: Untold, system: u32, name: String) {
        self.untold.entry((what, system)).or_default().insert(name);
    }

    /// Notes why a link of a path is assumed; whether anything was found.
    fn of_link(&mut self, link: &Link) -> bool {
        let system = SystemName::new(link.system.as_str());
        match link.kind {
            ItemKind::Account => match self.graph.account(&system, &link.id) {
                Some(row) => self.of_sign_in(row),
                None => false,
            },
            ItemKind::Credential => match self.graph.credential(&system, &link.id) {
                Some(row) => self.of_credential(row),
                None => false,
            },
            ItemKind::Entitlement | ItemKind::Location => false,
        }
    }

    fn of_sign_in(&mut self, account: u32) -> bool {
        let (mut any, mut here, mut met) = (false, account, BTreeSet::new());
        while here != NONE && met.insert(here) {
            let row = *self.graph.accounts.at(here);
            if row.enabled.is_none() {
                self.note(
                    Untold::EnabledAccount,
                    row.system,
                    self.graph.account_text(here),
                );
                any = true;
            }
            if row.local_sign_in.is_none() {
                self.note(
                    Untold::LocalSignIn,
                    row.system,
                    self.graph.account_text(here),
                );
                any = true;
            }
            here = match row.local_sign_in {
                Some(false) => row.through,
                Some(true) | None => NONE,
            };
        }
        any
    }

    fn of_credential(&mut self, credential: u32) -> bool {
        let row = *self.graph.credentials.at(credential);
        let name = || {
            let system = self.graph.systems.at(row.system);
            format!("{system}:{}", self.graph.credential_ids.at(credential))
        };
        let name = name();
        let mut any = false;
        if row.enabled.is_none() {
            self.note(Untold::EnabledCredential, row.system, name.clone());
            any = true;
        }
        if self.departure.custody.get(&credential) == Some(&Basis::Assumed) {
            self.note(Untold::Custody, row.system, name.clone());
            any = true;
        }
        let dies = match row.kind {
            CredentialKind::Password => Some(true),
            _ => *self.declared.dies.at(row.system),
        };
        match dies {
            Some(true) => any |= self.of_sign_in(row.account),
            Some(false) => {}
            None if row.account == NONE || any => {}
            None => {
                self.note(Untold::Outlives, row.system, name);
                any = true;
            }
        }
        any
    }

    fn sentences(self) -> Vec<String> {
        let mut sentences = Vec::new();
        for ((what, system), names) in &self.untold {
            let system = self.graph.systems.at(*system);
            if *what == Untold::Outlives {
                sentences.push(format!(
                    "the plan does not declare for `{system}` whether credentials die with their account"
                ));
                continue;
            }
            // Whose an account is somebody has to decide: each is named.
            let few = match what {
                Untold::Whose => names.len(),
                _ => NAMED,
            };
            sentences.extend(names.iter().take(few).map(|name| sentence(*what, name)));
            let more = names.len().saturating_sub(few);
            if more > 0 {
                sentences.push(more_of(*what, more, system));
            }
        }
        sentences
    }
}

/// What is not told of one, `system:id`.
fn sentence(what: Untold, name: &str) -> String {
    match what {
        Untold::EnabledAccount => format!("no source tells whether account `{name}` is enabled"),
        Untold::EnabledCredential => {
            format!("no source tells whether credential `{name}` is enabled")
        }
        Untold::LocalSignIn => {
            format!("no source tells whether account `{name}` has a sign-in of its own")
        }
        Untold::Custody => format!("in whose custody credential `{name}` is is only assumed"),
        Untold::Outlives => format!("whether credential `{name}` outlives its account is assumed"),
        Untold::Whose => format!(
            "whose account `{name}` is only follows from a rule that nobody has called certain"
        ),
        Untold::Way => format!("that `{name}` works is only assumed"),
    }
}

/// The same of more of a system, who are not named.
fn more_of(what: Untold, more: usize, system: &str) -> String {
    match what {
        Untold::EnabledAccount => {
            format!("no source tells whether {more} more accounts of `{system}` are enabled")
        }
        Untold::EnabledCredential => {
            format!("no source tells whether {more} more credentials of `{system}` are enabled")
        }
        Untold::LocalSignIn => format!(
            "no source tells whether {more} more accounts of `{system}` have a sign-in of their own"
        ),
        Untold::Custody | Untold::Outlives | Untold::Whose | Untold::Way => {
            format!("the same is assumed of {more} more of `{system}`")
        }
    }
}
