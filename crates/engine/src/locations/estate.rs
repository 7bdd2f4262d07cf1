//! Secrets with what questions about them need: the graph, who reads, and what was not read whole.

use super::known::Known;
use super::readers::Readers;
use super::secrets::Secrets;
use super::types::{PlaceKinds, SecretsSummary};
use crate::access::graph::LocationRow;
use crate::access::{Graph, ReachFrom, ReachItem, met};
use crate::lifecycle::{readers_unread, unread_beside};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::SystemName;
use lastkey_contract::facts::LocationKind;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// Of what moment, and how old a complete read may be.
#[derive(Clone, Copy, Debug)]
pub struct OfEstate {
    pub at: DateTime<Utc>,
    pub freshness: TimeDelta,
}

/// Secrets in order, by column and whether it is turned round.
pub(super) type Orders = HashMap<(String, bool), Arc<Vec<u32>>>;

/// The secrets of one state of the store. Built once; an answer belongs to the state it is of.
pub struct Estate {
    pub(super) graph: Arc<Graph>,
    pub(super) secrets: Secrets,
    pub(super) of: OfEstate,
    pub(super) readers: Mutex<Readers>,
    /// By system: what was not read whole of who reads its places.
    pub(super) unread: HashMap<u32, Vec<String>>,
    /// Those that were asked for.
    pub(super) orders: Mutex<Orders>,
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl PlaceKinds {
    pub(super) fn add(&mut self, kind: Option<LocationKind>) {
        let of = match kind {
            Some(LocationKind::Vault) => &mut self.vault,
            Some(LocationKind::CiVariable) => &mut self.ci,
            Some(LocationKind::KubernetesSecret) => &mut self.cluster,
            Some(LocationKind::File) => &mut self.file,
            Some(LocationKind::Code | LocationKind::Document) => &mut self.code,
            None => &mut self.other,
        };
        *of += 1;
    }
}

impl Estate {
    pub fn new(graph: Arc<Graph>, secrets: Secrets, of: OfEstate) -> Estate {
        let systems = graph.locations.values().iter().map(|row| row.system);
        let systems: BTreeSet<u32> = systems.collect();
        let unread = systems.into_iter().map(|system| {
            let name = graph.systems.at(system);
            (
                system,
                readers_unread(graph.reads(), of.at, of.freshness, name),
            )
        });
        Estate {
            readers: Mutex::new(Readers::new(&graph, of.at)),
            unread: unread.collect(),
            orders: Mutex::default(),
            secrets,
            graph,
            of,
        }
    }

    /// The moment that it is of.
    pub fn at(&self) -> DateTime<Utc> {
        self.of.at
    }

    /// All secrets in short.
    pub fn summary(&self) -> SecretsSummary {
        let (secrets, graph) = (&self.secrets, &*self.graph);
        let all = 0..secrets.all.len();
        let stands_twice = |secret: &u32| secrets.stands_twice(*secret);
        let suspected = |secret: &u32| !secrets.suspects.row(*secret).is_empty();
        let (mut by_kind, mut also_elsewhere) = (PlaceKinds::default(), PlaceKinds::default());
        let mut places = 0;
        for location in 0..graph.locations.len() {
            let spots = secrets.spots_at.row(location);
            let LocationRow { kind, .. } = *graph.locations.at(location);
            places += 1;
            by_kind.add(kind);
            let of = spots.iter().map(|spot| *secrets.secret_of_spot.at(*spot));
            if of
                .clone()
                .any(|secret| stands_twice(&secret) || suspected(&secret))
            {
                also_elsewhere.add(kind);
            }
        }
        let unread: BTreeSet<&String> = self.unread.values().flatten().collect();
        let compared = secrets.spots.values().iter();
        let compared = compared.filter(|spot| spot.print != crate::access::columns::NONE);
        SecretsSummary {
            secrets: u64::from(secrets.all.len()),
            credentials: u64::from(graph.credentials.len()),
            values: u64::from(secrets.spots.len()),
            places,
            compared: count(compared.count()),
            copied: count(all.clone().filter(stands_twice).count()),
            suspected: count(all.filter(suspected).count()),
            by_kind,
            also_elsewhere,
            unread: unread.into_iter().cloned().collect(),
        }
    }

    /// What an identity could read, by what is listed now; also of a record that no source lists,
    /// `gone`. `dies` says of a system whether its credentials die with their account.
    pub fn known_by(&self, from: &ReachFrom, dies: impl Fn(&SystemName) -> Option<bool>) -> Known {
        let graph = &*self.graph;
        let identity = match from {
            ReachFrom::Identity(id) => graph.identity(id),
            ReachFrom::Gone(_) | ReachFrom::Credential(..) => None,
        };
        let accounts = match (from, identity) {
            (_, Some(identity)) => graph.accounts_of.row(identity).to_vec(),
            (ReachFrom::Gone(record), None) => graph.accounts_left_by(record),
            (ReachFrom::Identity(_) | ReachFrom::Credential(..), None) => Vec::new(),
        };
        let own = accounts.iter().flat_map(|a| graph.credentials_of.row(*a));
        let mut credentials: Vec<u32> = own.copied().collect();
        if let Some(identity) = identity {
            let custody = graph.custody.row(identity).iter();
            credentials.extend(custody.map(|(credential, _)| *credential));
        }
        let met = met(graph, (&accounts, &credentials), self.of.at, dies);
        let mut known = Known::of(&self.secrets, &met);
        let open = |account: &u32| graph.may_work(*account, self.of.at);
        known.closed = !accounts.is_empty() && !accounts.iter().any(open);
        let items: Vec<ReachItem> = met.into_iter().map(|one| one.item).collect();
        known.unread = unread_beside(graph, from, &items, self.of.freshness, self.of.at);
        if let ReachFrom::Identity(id) | ReachFrom::Gone(id) = from {
            let doubtful = graph.accounts_in_doubt(id.as_str()).into_iter();
            known.unread.extend(doubtful.map(|account| {
                format!("account `{account}` could be theirs as well as another's, and what it reads is not listed")
            }));
        }
        known
    }

    /// The sentences about systems of these places.
    pub(super) fn unread_of(&self, locations: &[u32]) -> Vec<String> {
        let systems = locations.iter();
        let systems: BTreeMap<u32, ()> = systems
            .map(|location| (self.graph.locations.at(*location).system, ()))
            .collect();
        let sentences = systems.keys().filter_map(|system| self.unread.get(system));
        sentences.flatten().cloned().collect()
    }
}
