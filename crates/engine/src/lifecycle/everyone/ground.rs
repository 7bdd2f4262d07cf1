//! What all departures of one moment have in common: worked out once, read by every thread.

use super::flags::{Flags, privileged_everywhere};
use crate::access::columns::{Column, NONE, Rows};
use crate::access::graph::{AccountRow, CredentialRow, Graph, Item, LooseEnd};
use crate::access::is_production;
use crate::access::reached::closed_at;
use crate::lifecycle::departure::{Departure, DueStep, Kinds};
use crate::lifecycle::limits::{Place, due, severity};
use crate::lifecycle::missing::OF_EACH_SYSTEM;
use crate::lifecycle::plan::StepAction;
use crate::lifecycle::rehearse::Stage;
use crate::lifecycle::{Closing, Severity};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Leavers of whom the plan tells nothing apart.
pub(super) struct Likes {
    pub kinds: Kinds,
    pub steps: Arc<[DueStep]>,
    /// The steps that remove grants.
    pub removals: Vec<DueStep>,
    /// Such a departure, and nobody's.
    pub departure: Departure,
    /// By sort: until when such an item may stay open.
    due: Column<Closing>,
}

/// Items that are judged alike: of one system, flag and place. They are numbered `system * 6 + …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sort(pub u32);

/// How many sorts a system has.
const SORTS: u32 = 6;

impl Sort {
    fn new(system: u32, flag: Option<bool>, place: Place) -> Self {
        let flag = match flag {
            Some(false) => 0,
            None => 1,
            Some(true) => 2,
        };
        let place = match place {
            Place::Elsewhere => 0,
            Place::Production => 3,
        };
        Sort(system * SORTS + flag + place)
    }

    pub(super) fn system(self) -> u32 {
        self.0 / SORTS
    }

    fn flag(self) -> Option<bool> {
        match self.0 % 3 {
            0 => Some(false),
            1 => None,
            _ => Some(true),
        }
    }

    fn place(self) -> Place {
        match self.0 % SORTS >= 3 {
            true => Place::Production,
            false => Place::Elsewhere,
        }
    }
}

/// What has to be known of an entitlement when somebody holds it.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub sort: Sort,
    /// Its holders read locations or control accounts.
    pub leads_on: bool,
    /// A grant from it to another ends by itself.
    pub ends: bool,
    /// Something that whoever holds it needs to know is missing.
    pub lacks: bool,
}

pub(super) struct Ground<'a> {
    pub graph: &'a Graph,
    pub at: DateTime<Utc>,
    flags: Flags,
    production: Column<bool>,
    pub held: Column<Held>,
    /// Grants between entitlements that hold at T.
    pub inner: Rows<u32>,
    /// By system: whether something of it was not read as it has to be.
    lacking: Column<bool>,
    /// Ends that lead to what nothing holds and nobody has read: sorted.
    unread_ends: Vec<LooseEnd>,
    /// By account; empty where there are no such ends.
    signs_in_at_unread: Column<bool>,
    /// Something is missing whoever leaves.
    pub estate_lacks: bool,
    /// By identity: something could be theirs as well as another's.
    doubted: Column<bool>,
    likes: Column<Likes>,
    /// By identity: the place of its like.
    like_of: Column<u32>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(stage: &mut Stage<'a>) -> Self {
        let graph = stage.graph;
        let at = stage.world.at;
        let (likes, like_of) = likes(stage);
        let mut ends: Vec<LooseEnd> = Vec::new();
        for (end, (kind, system)) in &graph.loose {
            if stage.coverage.lacks(*kind, graph.systems.at(*system)) {
                ends.push(*end);
            }
        }
        let lacking = (0..graph.systems.len()).map(|system| {
            let name = graph.systems.at(system);
            let mut kinds = OF_EACH_SYSTEM.into_iter();
            kinds.any(|kind| stage.coverage.lacks(kind, name))
        });
        let production = (0..graph.environments.len())
            .map(|row| is_production(Some(graph.environments.at(row))));
        let mut ground = Ground {
            graph,
            at,
            flags: privileged_everywhere(&mut stage.world),
            production: Column::new(production.collect()),
            held: Column::default(),
            inner: open_nesting(graph, at),
            lacking: Column::new(lacking.collect()),
            unread_ends: ends,
            signs_in_at_unread: Column::default(),
            estate_lacks: stage.coverage.estate_lacks() || !graph.never_read.is_empty(),
            doubted: doubted(graph),
            likes,
            like_of,
        };
        if !ground.unread_ends.is_empty() {
            ground.signs_in_at_unread = ground.chains_to_unread();
        }
        let held = (0..graph.entitlements.len()).map(|row| ground.of_held(row));
        ground.held = Column::new(held.collect());
        ground
    }

    fn of_held(&self, entitlement: u32) -> Held {
        let graph = self.graph;
        let row = graph.entitlements.at(entitlement);
        let controls = graph.entitlement_controls.row(entitlement);
        let grants = graph.entitlement_grants.row(entitlement).iter();
        let mut open = grants
            .map(|grant| graph.terms.at(grant.terms).expires)
            .filter(|expires| !closed_at(*expires, self.at));
        Held {
            sort: self.sort(
                row.system,
                self.flags.entitlement(entitlement),
                row.environment,
            ),
            leads_on: !controls.is_empty() || !graph.entitlement_reads.row(entitlement).is_empty(),
            ends: open.any(|expires| expires != Closing::Never),
            lacks: self.lacks_system(row.system)
                || self.is_unread(LooseEnd::ByEntitlement(entitlement))
                || controls
                    .iter()
                    .any(|(account, _)| self.signs_in_at_unread(*account)),
        }
    }

    pub(super) fn like(&self, identity: u32) -> &Likes {
        self.likes.at(self.place_of_like(identity))
    }

    pub(super) fn place_of_like(&self, identity: u32) -> u32 {
        *self.like_of.at(identity)
    }

    /// Whether something could be the leaver's as well as another's.
    pub(super) fn is_unsettled(&self, departure: &Departure) -> bool {
        let graph = self.graph;
        let mut identities = departure.identities.iter();
        identities.any(|identity| *self.doubted.at(*identity))
            || departure.identity.is_some_and(|identity| {
                let named = (identity, graph.identity_ids.at(identity));
                departure.is_vendor_exit()
                    && (graph.undecided.may_employ(identity, self.at)
                        || graph.left_with_former(named, self.at).next().is_some()
                        || graph.perhaps_of_vendor(named).next().is_some())
            })
    }

    pub(super) fn lacks_system(&self, system: u32) -> bool {
        *self.lacking.at(system)
    }

    /// Whether an end leads to what nothing holds and nobody has read.
    pub(super) fn is_unread(&self, end: LooseEnd) -> bool {
        !self.unread_ends.is_empty() && self.unread_ends.binary_search(&end).is_ok()
    }

    /// Whether the chain of accounts that one signs in through ends at what nobody has read.
    pub(super) fn signs_in_at_unread(&self, account: u32) -> bool {
        !self.unread_ends.is_empty() && *self.signs_in_at_unread.at(account)
    }

    /// The same of each account, gone through once.
    fn chains_to_unread(&self) -> Column<bool> {
        let accounts = &self.graph.accounts;
        let mut known: Column<Option<bool>> = Column::filled(None, accounts.len());
        let mut chain = Vec::new();
        for start in 0..accounts.len() {
            let mut here = start;
            let ends_unread = loop {
                if let Some(known) = *known.at(here) {
                    break known;
                }
                // Meeting it again on the same chain is a cycle, which ends nowhere.
                *known.at_mut(here) = Some(false);
                chain.push(here);
                let row = accounts.at(here);
                let closed = row.enabled == Some(false) || closed_at(row.expires, self.at);
                if closed || row.local_sign_in != Some(false) {
                    break false;
                }
                if row.through == NONE {
                    break self.is_unread(LooseEnd::SignIn(here));
                }
                here = row.through;
            };
            for account in chain.drain(..) {
                *known.at_mut(account) = Some(ends_unread);
            }
        }
        Column::new(
            known
                .values()
                .iter()
                .map(|one| *one == Some(true))
                .collect(),
        )
    }

    /// Whether something is missing of whoever reaches an item.
    pub(super) fn item_lacks(&self, item: Item) -> bool {
        let graph = self.graph;
        if let Item::Entitlement { entitlement, .. } = item {
            return self.held.at(entitlement).lacks;
        }
        self.lacks_system(graph.item_system(item))
            || match item {
                Item::Account(row) => {
                    let mut controls = graph.account_controls.row(row).iter();
                    self.is_unread(LooseEnd::ByAccount(row))
                        || controls.any(|(account, _)| self.signs_in_at_unread(*account))
                }
                Item::Location(row) => self.is_unread(LooseEnd::At(row)),
                Item::Credential(row) => {
                    let account = graph.credentials.at(row).account;
                    account != NONE && self.signs_in_at_unread(account)
                }
                Item::Entitlement { .. } => false,
            }
    }

    pub(super) fn sort_of(&self, item: Item) -> Sort {
        let graph = self.graph;
        match item {
            Item::Account(row) => self.sort_of_account(row, graph.accounts.at(row)),
            Item::Credential(row) => self.sort_of_credential(row, graph.credentials.at(row)),
            Item::Entitlement { entitlement, .. } => self.held.at(entitlement).sort,
            Item::Location(row) => {
                let location = graph.locations.at(row);
                let flag = self.flags.location(row);
                self.sort(location.system, flag, location.environment)
            }
        }
    }

    pub(super) fn sort_of_account(&self, row: u32, account: &AccountRow) -> Sort {
        self.sort(account.system, self.flags.account(row), account.environment)
    }

    pub(super) fn sort_of_credential(&self, row: u32, credential: &CredentialRow) -> Sort {
        let flag = self.flags.credential(row);
        self.sort(credential.system, flag, credential.environment)
    }

    pub(super) fn is_production(&self, environment: u32) -> bool {
        environment != NONE && *self.production.at(environment)
    }

    fn sort(&self, system: u32, flag: Option<bool>, environment: u32) -> Sort {
        let place = match self.is_production(environment) {
            true => Place::Production,
            false => Place::Elsewhere,
        };
        Sort::new(system, flag, place)
    }

    /// How many sorts of items there are.
    pub(super) fn sorts(&self) -> u32 {
        self.graph.systems.len() * SORTS
    }
}

impl Likes {
    fn new(stage: &Stage<'_>, kinds: Kinds) -> Self {
        let (graph, at) = (stage.graph, stage.world.at);
        let steps = kinds.steps(graph, stage.plan, at);
        let departure = Departure::of_nobody(kinds, steps.clone());
        let due = (0..graph.systems.len() * SORTS).map(|sort| {
            let sort = Sort(sort);
            let system = graph.systems.at(sort.system());
            due(stage.plan, &departure, system, sort.flag(), at).at
        });
        let removals = steps.iter().filter(|s| s.does == StepAction::RemoveGrants);
        Likes {
            kinds,
            due: Column::new(due.collect()),
            removals: removals.copied().collect(),
            departure,
            steps,
        }
    }

    /// Whether what closes then is open after its limit, and how bad that is.
    pub(super) fn judge(&self, sort: Sort, closes: Closing) -> (bool, Severity) {
        let due = *self.due.at(sort.0);
        let (flag, place) = (sort.flag(), sort.place());
        let severity = severity(closes, due, flag, place, &self.departure);
        (closes > due, severity)
    }
}

fn likes(stage: &Stage<'_>) -> (Column<Likes>, Column<u32>) {
    let graph = stage.graph;
    let mut likes: Column<Likes> = Column::default();
    let mut like_of = Column::default();
    for identity in 0..graph.identities.len() {
        let kinds = Kinds::of(graph, Some(identity));
        let known = (0..).zip(likes.values());
        let known = known.into_iter().find(|(_, like)| like.kinds == kinds);
        let place = known.map(|(place, _)| place);
        like_of.push(place.unwrap_or_else(|| likes.push(Likes::new(stage, kinds))));
    }
    (likes, like_of)
}

fn open_nesting(graph: &Graph, at: DateTime<Utc>) -> Rows<u32> {
    let mut pairs = Vec::new();
    for entitlement in 0..graph.entitlements.len() {
        for grant in graph.entitlement_grants.row(entitlement) {
            if !closed_at(graph.terms.at(grant.terms).expires, at) {
                pairs.push((entitlement, grant.entitlement));
            }
        }
    }
    Rows::build(graph.entitlements.len(), pairs)
}

/// Of whom an account, a credential in custody or a record could be as well as of another.
fn doubted(graph: &Graph) -> Column<bool> {
    let mut doubted = Column::filled(false, graph.identities.len());
    for id in graph.maybe.everyone_in_doubt() {
        if let Some(row) = graph.identity(&id.into()) {
            *doubted.at_mut(row) = true;
        }
    }
    let alike = |name| graph.maybe.alike(name).next().is_some();
    for row in 0..graph.identities.len() {
        let named = |id| graph.maybe.named_alike(id).next().is_some();
        let called = !graph.maybe.all_matched()
            && (alike(graph.identities.at(row).called)
                || graph.also_called(row).any(alike)
                || named(graph.identity_ids.at(row)));
        let custody = || {
            let id = graph.identity_ids.at(row);
            graph.undecided.near_custody_of(id).next().is_some()
        };
        if called || graph.undecided.concerns(row) || custody() {
            *doubted.at_mut(row) = true;
        }
    }
    doubted
}
