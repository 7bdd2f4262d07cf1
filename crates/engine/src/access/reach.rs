//! Blast radius: everything reachable from one identity or credential, with the path that explains it.
//!
//! Before any event, at one moment. Each item carries one shortest path; of equally
//! short ones the first in the order of lists.

use super::columns::{Column, NONE};
use super::graph::{Graph, Item};
use super::paths::{Caps, PathLink, Paths};
use super::reached::{Node, Reached, World};
use crate::lifecycle::{Closing, ItemKind};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use lastkey_contract::{CredentialId, IdentityId, SystemName};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use ts_rs::TS;

/// Where reach starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReachFrom {
    /// Its accounts, their credentials and what it has in custody.
    Identity(IdentityId),
    /// A record, `source:id`, that no source lists now: the accounts that stayed with it, and their
    /// credentials.
    Gone(IdentityId),
    /// The credential alone.
    Credential(SystemName, CredentialId),
}

/// One link of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ReachLink {
    pub kind: ItemKind,
    pub system: String,
    pub id: String,
    /// `system:id` of the account on which an entitlement is held, else null.
    pub on_account: Option<String>,
    /// How it follows from the link before, in the words of a rehearsal's paths.
    pub by: String,
}

/// Something reachable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ReachItem {
    pub kind: ItemKind,
    pub system: String,
    pub id: String,
    pub on_account: Option<String>,
    /// The links in words, `kind system:id`, entitlements with ` on system:id`.
    pub path: Vec<String>,
    pub links: Vec<ReachLink>,
    /// Whose account it is, or whose account the credential belongs to, where that is known and
    /// somebody else than where reach starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub identity: Option<String>,
    /// Its own flag.
    pub privileged: Option<bool>,
    pub environment: Option<String>,
    /// For a credential whether it is valid; known all the same if not.
    pub valid: Option<bool>,
}

/// A blast radius.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Reach {
    /// `identity id` or `credential system:id`.
    pub from: String,
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub at: DateTime<Utc>,
    /// Of somebody whom no source lists now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub gone: Option<Gone>,
    /// Accounts (`system:id`) that could be theirs as well as another's: what these reach is not
    /// among the items.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub maybe_accounts: Vec<String>,
    /// What else could be theirs: credentials in custody, and records that could be one person's
    /// with theirs. It is not among the items either.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub in_doubt: Vec<String>,
    /// What was not read, not completely or not lately, and could hold more than is among the items.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub unread: Vec<String>,
    /// Sorted by kind, system, id, on_account.
    pub items: Vec<ReachItem>,
}

/// Somebody whom a source listed once, as it did last, and between which reads that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Gone {
    pub display_name: Option<String>,
    /// As the source said it last.
    pub end_date: Option<String>,
    /// The read that listed them last, and the one that listed them no more; where known.
    pub earliest: Option<String>,
    pub latest: Option<String>,
}

fn moment<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

/// The blast radius; None where the snapshot has no such identity or credential.
///
/// `dies_with_account` says for a system whether its credentials die with their account,
/// where that is declared (`Plan::dies_with_account`). A vendor's own accounts count, not
/// those of its people.
pub fn reach(
    graph: &Graph,
    from: &ReachFrom,
    at: DateTime<Utc>,
    dies_with_account: impl Fn(&SystemName) -> Option<bool>,
) -> Option<Reach> {
    let start = match from {
        ReachFrom::Identity(id) => graph.identity(id),
        ReachFrom::Gone(_) | ReachFrom::Credential(..) => None,
    };
    let (words, accounts, known) = match from {
        ReachFrom::Identity(id) => {
            let identity = start?;
            let accounts = graph.accounts_of.row(identity).to_vec();
            let own = accounts.iter().flat_map(|a| graph.credentials_of.row(*a));
            let known: Vec<u32> = own
                .copied()
                .chain(
                    graph
                        .custody
                        .row(identity)
                        .iter()
                        .map(|(credential, _)| *credential),
                )
                .collect();
            (format!("identity {id}"), accounts, known)
        }
        ReachFrom::Gone(record) => {
            let accounts = graph.accounts_left_by(record);
            let own = accounts.iter().flat_map(|a| graph.credentials_of.row(*a));
            let known = own.copied().collect();
            (format!("identity {record}"), accounts, known)
        }
        ReachFrom::Credential(system, id) => {
            let credential = graph.credential(system, id.as_str())?;
            let words = graph.words(Item::Credential(credential));
            (words, Vec::new(), vec![credential])
        }
    };
    let declared = (0..graph.systems.len())
        .map(|system| dies_with_account(&SystemName::new(graph.systems.at(system))));
    let mut world = World::new(graph, at, Column::new(declared.collect()));
    let reached = world.reach(&accounts, &known);
    let maybe_accounts = match from {
        ReachFrom::Identity(id) | ReachFrom::Gone(id) => graph.accounts_in_doubt(id.as_str()),
        ReachFrom::Credential(..) => Vec::new(),
    };
    let in_doubt = match (from, start) {
        (ReachFrom::Identity(id), Some(identity)) => {
            let mut about = graph.undecided.about(identity, id.as_str());
            about.extend(graph.called_alike(identity, id.as_str()));
            about
        }
        (ReachFrom::Gone(id), _) => graph.undecided.about_gone(id.as_str()),
        (ReachFrom::Identity(_), None) | (ReachFrom::Credential(..), _) => Vec::new(),
    };
    Some(Reach {
        from: words,
        at,
        gone: None,
        maybe_accounts,
        in_doubt,
        unread: Vec::new(),
        items: items(graph, &world, &reached, &accounts, start),
    })
}

/// Something that accounts and known credentials lead to.
pub(crate) struct Met {
    pub item: ReachItem,
    /// Its row, of the kind that the item is of.
    pub row: u32,
    /// Whether it is reached now; else what the accounts still hold leads there, and nobody can
    /// sign in to them.
    pub now: bool,
}

/// What accounts and known credentials lead to, also from accounts that are closed by now: whoever
/// could sign in to them until then may have seen it.
pub(crate) fn met(
    graph: &Graph,
    (accounts, known): (&[u32], &[u32]),
    at: DateTime<Utc>,
    dies_with_account: impl Fn(&SystemName) -> Option<bool>,
) -> Vec<Met> {
    let declared = (0..graph.systems.len())
        .map(|system| dies_with_account(&SystemName::new(graph.systems.at(system))));
    let mut world = World::new(graph, at, Column::new(declared.collect()));
    let reached = world.reach(accounts, known);
    let now = reached.nodes.values().iter().filter_map(|node| match node {
        Node::Item(item) => Some(graph.order(*item)),
        Node::Secret(_) => None,
    });
    let now: BTreeSet<_> = now.collect();
    let own = accounts.iter().map(|account| Item::Account(*account));
    let held = known.iter().map(|credential| Item::Credential(*credential));
    let starts: Vec<Item> = own.chain(held).collect();
    let reached = world.reach_from(&starts);
    let found = items_in_order(graph, &world, &reached, accounts, None);
    let found = found.into_iter().map(|(order, item)| Met {
        item,
        row: order.1,
        now: now.contains(&order),
    });
    found.collect()
}

fn items(
    graph: &Graph,
    world: &World<'_>,
    reached: &Reached,
    accounts: &[u32],
    from: Option<u32>,
) -> Vec<ReachItem> {
    let found = items_in_order(graph, world, reached, accounts, from);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Where an item stands in lists (`Graph::order`).
type Place = (ItemKind, u32, u32, u32);

fn items_in_order(
    graph: &Graph,
    world: &World<'_>,
    reached: &Reached,
    accounts: &[u32],
    from: Option<u32>,
) -> Vec<(Place, ReachItem)> {
    let caps = Caps::always(reached);
    let nodes = 0..reached.nodes.len();
    let open = |is: bool| is.then_some(Closing::Never);
    let value = nodes.map(|node| open(reached.item(node).is_some()));
    let value = Column::new(value.collect());
    let mut found = Vec::new();
    Paths::new(graph, reached, &caps).each(&value, |node, path| {
        let Some(item) = reached.item(node) else {
            return;
        };
        let (kind, system, id) = graph.names(item);
        let items = path.iter().filter_map(|link| reached.item(link.node));
        let (privileged, valid) = match item {
            Item::Account(row) => (graph.accounts.at(row).privileged, None),
            Item::Entitlement { entitlement, .. } => {
                (graph.entitlements.at(entitlement).privileged, None)
            }
            Item::Credential(row) => (None, Some(world.is_valid(graph.credentials.at(row)))),
            Item::Location(_) => (None, None),
        };
        let entry = ReachItem {
            kind,
            system: system.to_owned(),
            id: id.to_owned(),
            on_account: graph.on_account(item),
            path: items.map(|item| graph.words(item)).collect(),
            links: links(graph, reached, accounts, path),
            identity: graph
                .owner_of(item)
                .filter(|of| from != Some(*of))
                .map(|of| graph.identity_ids.at(of).to_owned()),
            privileged,
            environment: graph.environment(item).map(str::to_owned),
            valid,
        };
        found.push((graph.order(item), entry));
    });
    found.sort_by_key(|(order, _)| *order);
    found
}

fn links(graph: &Graph, reached: &Reached, accounts: &[u32], path: &[PathLink]) -> Vec<ReachLink> {
    let mut links = Vec::with_capacity(path.len());
    for (place, link) in path.iter().enumerate() {
        let Node::Item(item) = *reached.nodes.at(link.node) else {
            continue;
        };
        let by = match (reached.word_into(graph, path, place), item) {
            (Some(word), _) => word,
            (None, Item::Credential(row)) => {
                let account = graph.credentials.at(row).account;
                let own = account != NONE && accounts.binary_search(&account).is_ok();
                if own {
                    "own credential"
                } else {
                    "known secret"
                }
                .to_owned()
            }
            (None, Item::Account(_) | Item::Entitlement { .. } | Item::Location(_)) => {
                "signs in".to_owned()
            }
        };
        let (kind, system, id) = graph.names(item);
        links.push(ReachLink {
            kind,
            system: system.to_owned(),
            id: id.to_owned(),
            on_account: graph.on_account(item),
            by,
        });
    }
    links
}
