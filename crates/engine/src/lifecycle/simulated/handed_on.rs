//! Something that is handed on from one owner to another: who would own it then, and whether a source
//! would tell of it.

use super::happens::{Shown, SimulatedEvent};
use super::played::Noticed;
use crate::access::graph::Graph;
use crate::lifecycle::Basis;
use lastkey_contract::facts::ObjectType;
use lastkey_contract::{IdentityId, Kind, SystemName};
use serde::Serialize;
use ts_rs::TS;

/// What is handed on, and to whom; from whom says the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOn {
    pub kind: ObjectType,
    /// Empty for an identity.
    pub system: SystemName,
    /// Of an identity, as the graph names it.
    pub id: String,
    pub to: IdentityId,
}

/// Who owns something before and after a change of its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnersChanged {
    /// `account:SYSTEM:ID`, as `lastkey owner` names it.
    pub object: String,
    /// `id (role)` each.
    pub before: Vec<String>,
    pub after: Vec<String>,
}

/// What comes of a change of owners.
pub(super) struct Change {
    pub owners: OwnersChanged,
    pub noticed: Noticed,
    pub why_not: Vec<String>,
    pub missing_facts: Vec<String>,
}

impl HandedOn {
    fn object(&self, graph: &Graph) -> Option<u32> {
        graph.owned_object(self.kind, &self.system, &self.id)
    }

    /// `account:SYSTEM:ID`.
    pub(super) fn words(&self) -> String {
        let kind = self.kind.word();
        match self.kind {
            ObjectType::Identity => format!("{kind}:{}", self.id),
            ObjectType::Account
            | ObjectType::Credential
            | ObjectType::Location
            | ObjectType::Entitlement => format!("{kind}:{}:{}", self.system, self.id),
        }
    }
}

/// The graph once an event has happened; None where nothing is handed on.
pub(super) fn after(now: &Graph, event: &SimulatedEvent) -> Option<Graph> {
    let change = event.handed_on.as_ref()?;
    let (from, to) = (now.identity(&event.identity)?, now.identity(&change.to)?);
    Some(now.handed_on((change.kind, change.object(now)?), from, to))
}

/// What comes of a change: `before` and `after` are the graphs around it.
pub(super) fn change(
    event: &SimulatedEvent,
    change: &HandedOn,
    before: &Graph,
    after: &Graph,
) -> Change {
    let words = change.words();
    let owners = |graph: &Graph| {
        let object = change.object(graph);
        object.map_or_else(Vec::new, |row| graph.owners_in_words(change.kind, row))
    };
    let from = before.identity(&event.identity);
    let object = change.object(before);
    let known = object
        .zip(from)
        .and_then(|(object, from)| before.is_owned_by(change.kind, object, from));
    let (mut why_not, mut missing_facts) = (Vec::new(), Vec::new());
    let reads = || {
        let reads = before.reads().iter();
        reads.filter(|read| read.kind == Kind::Owner && !read.removed)
    };
    let noticed = match known {
        None => {
            why_not.push(format!(
                "nothing says that `{}` owns `{words}`",
                event.identity
            ));
            Noticed::No
        }
        Some(_) if event.identity == change.to => {
            why_not.push(format!("`{}` owns `{words}` already", change.to));
            Noticed::No
        }
        Some(_) if event.shown == Shown::Nothing => {
            why_not.push("nobody enters anything".to_owned());
            Noticed::No
        }
        Some(Basis::Attested | Basis::Assumed) => {
            why_not.push(format!("who owns `{words}` people have said here, and no source: none tells of another owner"));
            Noticed::No
        }
        Some(Basis::Observed) => {
            missing_facts.extend(reads().filter_map(|read| {
                let gap = match read.complete_at {
                    Some(_) => read.gaps.first().map(|gap| format!(" ({gap})")),
                    None => Some(String::new()),
                }?;
                let source = &read.source;
                Some(format!(
                    "the latest read of owners of `{source}` is not complete{gap}"
                ))
            }));
            match (missing_facts.is_empty(), reads().next()) {
                (true, Some(_)) => Noticed::Yes,
                (false, _) => Noticed::Unknown,
                (true, None) => {
                    missing_facts.push("no source reads owners".to_owned());
                    Noticed::Unknown
                }
            }
        }
    };
    Change {
        owners: OwnersChanged {
            before: owners(before),
            after: owners(after),
            object: words,
        },
        noticed,
        why_not,
        missing_facts,
    }
}
