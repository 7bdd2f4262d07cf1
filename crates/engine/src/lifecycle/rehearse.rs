//! The leaver rehearsal: one departure played on the graph, and everyone's in turn.

use super::allowed::allowed;
use super::assumed::why_assumed;
use super::breaks::breaks;
use super::closing::Closings;
use super::departure::{Declared, Departure, DueStep, Kinds, Leaver};
use super::explain::Explained;
use super::limits::{Place, due, severity, verdict};
use super::missing::Coverage;
use super::outcome::{Basis, Closing, Rehearsal, ResidualItem};
use super::plan::Plan;
use super::values::{privileged, values};
use crate::access::columns::{Column, Marks, NONE};
use crate::access::graph::{Graph, Item, LooseEnd};
use crate::access::is_production;
use crate::access::paths::{Caps, PathLink, Paths};
use crate::access::reached::{Reached, Via, World, closed_at};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::LifecycleEvent;
use lastkey_contract::{IdentityId, Kind};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a rehearsal is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RehearsalSettings {
    /// How old a complete read may be at T, or now where T lies ahead.
    pub freshness_limit: TimeDelta,
    /// Now, where T may lie ahead: no read of then can be had yet.
    pub now: Option<DateTime<Utc>>,
    /// How far the decay curve goes.
    pub horizon: TimeDelta,
}

impl Default for RehearsalSettings {
    /// A day of freshness, 90 days of curve.
    fn default() -> Self {
        RehearsalSettings {
            freshness_limit: TimeDelta::hours(24),
            now: None,
            horizon: TimeDelta::days(90),
        }
    }
}

impl RehearsalSettings {
    /// For an event that may lie ahead.
    pub fn as_of(now: DateTime<Utc>) -> Self {
        RehearsalSettings {
            now: Some(now),
            ..RehearsalSettings::default()
        }
    }

    fn reads_at(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.now.map_or(at, |now| at.min(now))
    }
}

/// What would still work after the leaver left at `at`.
///
/// The event is `leaver`, `vendor_exit` for a vendor, `workload_retired` for a workload,
/// `agent_retired` for an agent. An identity that the snapshot does not have leaves
/// nothing behind that is known, and that is said in `missing_facts`.
pub fn rehearse_leaver(
    graph: &Graph,
    plan: &Plan,
    leaver: &Leaver,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
) -> Rehearsal {
    Stage::new(graph, plan, at, settings).rehearse(leaver)
}

/// Every identity's rehearsal in id order, until `each` breaks off. Buffers are shared.
pub fn rehearse_all(
    graph: &Graph,
    plan: &Plan,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
    mut each: impl FnMut(Rehearsal) -> ControlFlow<()>,
) {
    let mut stage = Stage::new(graph, plan, at, settings);
    for id in graph.identity_ids() {
        if each(stage.rehearse(&Leaver::Identity(id))).is_break() {
            return;
        }
    }
}

/// What rehearsals of one moment share.
pub(super) struct Stage<'a> {
    pub(super) graph: &'a Graph,
    pub(super) plan: &'a Plan,
    pub(super) declared: Declared,
    pub(super) world: World<'a>,
    pub(super) mine: Marks,
    pub(super) coverage: Coverage<'a>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        plan: &'a Plan,
        at: DateTime<Utc>,
        settings: &RehearsalSettings,
    ) -> Self {
        let declared = Declared::new(graph, plan);
        Stage {
            graph,
            plan,
            world: World::new(graph, at, declared.dies.clone()),
            declared,
            mine: Marks::new(graph.accounts.len()),
            coverage: {
                let at = settings.reads_at(at);
                Coverage::new(&graph.reads, at, settings.freshness_limit).with_holders_of(graph)
            },
        }
    }

    pub(super) fn rehearse(&mut self, leaver: &Leaver) -> Rehearsal {
        let at = self.world.at;
        let departure = Departure::new(self.graph, self.plan, leaver, at, &mut self.mine);
        self.play(departure, leaver.id())
    }

    /// The same of leavers of these kinds, by steps that may begin at any time; without any, because
    /// nothing tells of the leaving.
    pub(super) fn rehearse_with(
        &mut self,
        leaver: &Leaver,
        kinds: Kinds,
        steps: Arc<[DueStep]>,
    ) -> Rehearsal {
        let at = self.world.at;
        let identity = self.graph.identity(leaver.id());
        let departure = Departure::of(self.graph, identity, kinds, steps, at, &mut self.mine);
        self.play(departure, leaver.id())
    }

    /// Who joins or moves, ready to be played.
    pub(super) fn of_role(
        &mut self,
        of: (&IdentityId, LifecycleEvent),
        lost: BTreeSet<u32>,
    ) -> Departure {
        let at = self.world.at;
        Departure::of_role(self.graph, self.plan, of, lost, at, &mut self.mine)
    }

    /// What of these systems was not read completely or not lately: nothing is proved absent there.
    pub(super) fn unread(&self, systems: &BTreeSet<&str>) -> Vec<String> {
        let systems = systems.iter().copied();
        self.coverage.missing(systems, std::iter::empty())
    }

    /// Plays the departure that was made last.
    pub(super) fn play(&mut self, mut departure: Departure, id: &IdentityId) -> Rehearsal {
        let graph = self.graph;
        let at = self.world.at;
        departure.accounts.sort_unstable();
        let known: Vec<u32> = departure
            .own
            .iter()
            .chain(departure.custody.keys())
            .copied()
            .collect();
        let reached = self.world.reach(&departure.accounts, &known);
        let mut closings = Closings::new(&mut self.world, &self.declared, &departure, &self.mine);
        let values = values(&reached, &mut closings);
        let broken = breaks(&mut closings, &reached, &values);
        let explained = Explained {
            graph,
            plan: self.plan,
            departure: &departure,
            reached: &reached,
            values: &values,
        };
        let residual = residual(&explained, at);
        let mut missing_facts = self.coverage.missing(
            systems(&departure, &reached, graph)
                .into_iter()
                .map(|system| graph.systems.at(system)),
            unread_ends(&departure, &reached, graph, at)
                .into_iter()
                // `untold` says more of these.
                .filter(|(kind, _)| *kind != Kind::Location)
                .map(|(kind, system)| (kind, graph.systems.at(system))),
        );
        missing_facts.extend(unsettled(graph, &departure, at));
        missing_facts.extend(untold(graph, &departure, &reached));
        missing_facts.extend(why_assumed(graph, &self.declared, &departure, &residual));
        missing_facts.sort();
        missing_facts.dedup();
        if departure.identities.is_empty() {
            missing_facts.push(format!("identity `{id}` is in no source"));
            let id = id.as_str();
            let stayed = graph.maybe.left_by(id).iter();
            missing_facts.extend(stayed.map(|account| {
                format!("account `{account}` is of `{id}`, whom no source lists now")
            }));
            missing_facts.extend(could_be(graph, id));
            missing_facts.extend(graph.undecided.about_gone(id));
            missing_facts.sort();
        }
        Rehearsal {
            identity: id.as_str().to_owned(),
            event: departure.event,
            at,
            verdict: verdict(&residual, &missing_facts),
            residual,
            breaks: broken,
            missing_facts,
        }
    }
}

/// What nobody has read, and what could be the leaver's as well as another's.
fn unsettled(graph: &Graph, departure: &Departure, at: DateTime<Utc>) -> Vec<String> {
    let unread = graph
        .never_read
        .iter()
        .map(|source| format!("source `{source}` was never read"));
    let maybe = departure.identities.iter().flat_map(|identity| {
        let id = graph.identity_ids.at(*identity);
        let undecided = graph.undecided.about(*identity, id);
        let alike = graph.called_alike(*identity, id);
        could_be(graph, id)
            .into_iter()
            .chain(undecided)
            .chain(alike)
    });
    let exits = departure.event == LifecycleEvent::VendorExit;
    let vendor = departure.identity.filter(|_| exits);
    let employed = vendor.map(|vendor| {
        let named = (vendor, graph.identity_ids.at(vendor));
        let all = &graph.undecided;
        let may = all.may_work_for(named, &graph.identity_ids, at).into_iter();
        may.chain(graph.left_with_former(named, at))
            .chain(graph.perhaps_of_vendor(named))
    });
    unread
        .chain(maybe)
        .chain(employed.into_iter().flatten())
        .collect()
}

/// The accounts that could be somebody's as well as another's, listed or not.
fn could_be(graph: &Graph, id: &str) -> Vec<String> {
    let accounts = graph.accounts_in_doubt(id).into_iter();
    accounts
        .map(|account| format!("account `{account}` could be of `{id}` as well as of another"))
        .collect()
}

/// What no source tells of what the leaver has, and of what stands where they read.
fn untold(graph: &Graph, departure: &Departure, reached: &Reached) -> Vec<String> {
    let identities = departure.identities.iter();
    let identities = identities.map(|identity| LooseEnd::Custody(*identity));
    let items = (0..reached.nodes.len()).filter_map(|node| reached.item(node));
    let locations = items.filter_map(|item| match item {
        Item::Location(row) => Some(LooseEnd::At(row)),
        Item::Account(_) | Item::Entitlement { .. } | Item::Credential(_) => None,
    });
    let ends = identities.chain(locations);
    ends.flat_map(|end| graph.untold.about(end).map(str::to_owned))
        .collect()
}

/// The systems in which the leaver has an account or reaches an item.
fn systems(departure: &Departure, reached: &Reached, graph: &Graph) -> BTreeSet<u32> {
    let accounts = departure.accounts.iter().map(|a| graph.account_system(*a));
    let items = (0..reached.nodes.len()).filter_map(|node| reached.item(node));
    accounts
        .chain(items.map(|item| graph.item_system(item)))
        .collect()
}

/// Where paths end at something that nothing holds: a kind of a system. Only a complete read of that
/// kind says that it is not there.
fn unread_ends(
    departure: &Departure,
    reached: &Reached,
    graph: &Graph,
    at: DateTime<Utc>,
) -> BTreeSet<(Kind, u32)> {
    let mut ends = BTreeSet::new();
    // Chains meet: each account is gone through once.
    let met = RefCell::new(BTreeSet::new());
    let signs_in_nowhere =
        |account: u32| signs_in_nowhere(account, graph, at, &mut met.borrow_mut());
    if graph.loose.is_empty() {
        return ends;
    }
    for identity in &departure.identities {
        ends.extend(graph.loose(LooseEnd::Custody(*identity)));
    }
    for account in &departure.accounts {
        ends.extend(signs_in_nowhere(*account));
    }
    for item in (0..reached.nodes.len()).filter_map(|node| reached.item(node)) {
        let (by, controls) = match item {
            Item::Account(row) => (LooseEnd::ByAccount(row), graph.account_controls.row(row)),
            Item::Entitlement { entitlement, .. } => (
                LooseEnd::ByEntitlement(entitlement),
                graph.entitlement_controls.row(entitlement),
            ),
            Item::Location(row) => {
                ends.extend(graph.loose(LooseEnd::At(row)));
                continue;
            }
            Item::Credential(row) => {
                let account = graph.credentials.at(row).account;
                let account = (account != NONE).then_some(account);
                ends.extend(account.into_iter().flat_map(&signs_in_nowhere));
                continue;
            }
        };
        ends.extend(graph.loose(by));
        let controlled = controls.iter();
        ends.extend(controlled.flat_map(|(account, _)| signs_in_nowhere(*account)));
    }
    ends
}

/// Where the account would be through which one would sign in to another, at the end of the chain.
fn signs_in_nowhere(
    account: u32,
    graph: &Graph,
    at: DateTime<Utc>,
    met: &mut BTreeSet<u32>,
) -> Vec<(Kind, u32)> {
    let mut here = account;
    loop {
        let row = graph.accounts.at(here);
        let closed = row.enabled == Some(false) || closed_at(row.expires, at);
        if closed || row.local_sign_in != Some(false) || !met.insert(here) {
            return Vec::new();
        }
        if row.through == NONE {
            return graph.loose(LooseEnd::SignIn(here)).collect();
        }
        here = row.through;
    }
}

/// The parts of paths after the event: sign-ins of S and known secrets, then lines and credentials.
fn caps(explained: &Explained<'_>, before: Option<&Paths<'_>>, at: DateTime<Utc>) -> Caps {
    let (reached, values) = (explained.reached, explained.values);
    let open = |closes: Closing| (!closed_at(closes, at)).then_some(closes);
    let nodes = 0..reached.nodes.len();
    let start = nodes.clone().map(|node| {
        let element = values.start.at(node).as_ref();
        element.and_then(|element| open(element.closes))
    });
    let start_basis = nodes.map(|node| match values.start.at(node) {
        Some(element) => element.basis.max(explained.had(node, before)),
        None => Basis::Observed,
    });
    let edge = (0..reached.edges.len()).map(|edge| match reached.edges.at(edge).via {
        Via::Stands | Via::Same => None,
        Via::Opens | Via::Grant { .. } | Via::Reader | Via::Control(_) => {
            open(values.edge.at(edge).closes)
        }
    });
    let edge_basis = values.edge.values().iter().map(|element| element.basis);
    Caps {
        start: Column::new(start.collect()),
        edge: Column::new(edge.collect()),
        start_basis: Column::new(start_basis.collect()),
        edge_basis: Column::new(edge_basis.collect()),
    }
}

/// Whether a path can start at a secret of another's, whose knowledge has a way of its own.
fn knows_others_secrets(explained: &Explained<'_>, at: DateTime<Utc>) -> bool {
    (0..explained.reached.nodes.len()).any(|node| {
        let open = explained.values.start.at(node).as_ref();
        let open = open.is_some_and(|element| !closed_at(element.closes, at));
        open && matches!(explained.reached.item(node), Some(Item::Credential(one)) if !explained.is_own(one))
    })
}

fn residual(explained: &Explained<'_>, at: DateTime<Utc>) -> Vec<ResidualItem> {
    let (graph, reached) = (explained.graph, explained.reached);
    let ways_before = knows_others_secrets(explained, at).then(|| explained.before());
    let before = ways_before
        .as_ref()
        .map(|ways| Paths::new(graph, reached, ways).settled());
    let caps = caps(explained, before.as_ref(), at);
    let allowed = allowed(explained.departure, reached);
    let value = (0..reached.nodes.len()).map(|node| {
        let closes = *explained.values.node.at(node);
        let item = reached.item(node).is_some() && !*allowed.at(node);
        (item && !closed_at(closes, at)).then_some(closes)
    });
    let value = Column::new(value.collect());
    let mut found: Vec<(u32, Closing, Vec<PathLink>)> = Vec::new();
    let mut known = HashMap::new();
    Paths::new(graph, reached, &caps).each(&value, |node, path| {
        if let (Some(before), Some(first)) = (&before, path.first())
            && let Some(Item::Credential(credential)) = reached.item(first.node)
            && !explained.is_own(credential)
        {
            known
                .entry(first.node)
                .or_insert_with(|| explained.knowledge(before, first.node));
        }
        found.push((node, *explained.values.node.at(node), path.to_vec()));
    });
    found.sort_by_key(|(node, _, _)| reached.item(*node).map(|item| graph.order(item)));
    let flags = privileged(graph, reached);
    let mut residual = Vec::with_capacity(found.len());
    for (node, closes, path) in found {
        let Some(item) = reached.item(node) else {
            continue;
        };
        let (kind, system, id) = graph.names(item);
        let mut links = explained.links(&path);
        let knowledge = path.first().and_then(|first| known.get(&first.node));
        if let (Some(knowledge), Some(first)) = (knowledge, links.first_mut()) {
            first.basis = first.basis.max(knowledge.basis);
        }
        let flag = *flags.at(node);
        let due = due(explained.plan, explained.departure, system, flag, at);
        let environment = graph.environment(item);
        let place = match is_production(environment) {
            true => Place::Production,
            false => Place::Elsewhere,
        };
        let words = path.iter().filter_map(|link| reached.item(link.node));
        residual.push(ResidualItem {
            kind,
            system: system.to_owned(),
            id: id.to_owned(),
            on_account: graph.on_account(item),
            closes_at: closes,
            path: words.map(|item| graph.words(item)).collect(),
            basis: links
                .iter()
                .map(|link| link.basis)
                .max()
                .unwrap_or(super::Basis::Observed),
            closing_basis: explained.closing_basis(&path, closes),
            severity: severity(closes, due.at, flag, place, explained.departure),
            reason: explained.reason(&path, closes),
            links,
            known_through: knowledge
                .map(|known| known.links.clone())
                .unwrap_or_default(),
            limit_at: due.at,
            limit_source: due.source.to_owned(),
            would_close: match closes > due.at {
                true => explained.would_close(&path, due.within),
                false => None,
            },
            privileged: flag,
            environment: environment.map(str::to_owned),
        });
    }
    residual
}
