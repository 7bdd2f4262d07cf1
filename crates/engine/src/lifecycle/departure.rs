//! Who leaves, with which accounts, and which steps of the plan apply to them.

use super::plan::{Plan, StepAction};
use crate::access::columns::{Column, Marks, NONE};
use crate::access::graph::Graph;
use crate::lifecycle::{Basis, Closing};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::{AccountKind, IdentityKind, LeaverKind, LifecycleEvent};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// One identity. A vendor is a vendor exit, a workload or agent is retired.
    Identity(IdentityId),
    /// A vendor with every identity that it employs at the time.
    Vendor(IdentityId),
}

impl Leaver {
    pub(crate) fn id(&self) -> &IdentityId {
        match self {
            Leaver::Identity(id) | Leaver::Vendor(id) => id,
        }
    }
}

/// A step that applies to this leaver, with its closing time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DueStep {
    pub index: u32,
    pub does: StepAction,
    /// `None` for every system.
    pub system: Option<u32>,
    pub closes: Closing,
    account_kind: Option<AccountKind>,
    identity_kind: Option<IdentityKind>,
    privileged: Option<bool>,
}

/// One departure: the leavers as a set, S, and the steps.
pub(crate) struct Departure {
    pub event: LifecycleEvent,
    pub kind: Option<IdentityKind>,
    pub leaver_kind: Option<LeaverKind>,
    /// Who leaves, or the vendor.
    pub identity: Option<u32>,
    pub identities: Vec<u32>,
    pub accounts: Vec<u32>,
    pub own: Vec<u32>,
    /// Known without a location, by somebody's word at least: the best of what is known of it.
    pub custody: BTreeMap<u32, Basis>,
    /// Leavers of one kind share them.
    pub steps: Arc<[DueStep]>,
    /// Of a joiner or a mover, who stays: the entitlements that they may not hold afterwards.
    pub lost: Option<BTreeSet<u32>>,
}

/// What kind of leaver somebody is: all that the plan asks about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub event: LifecycleEvent,
    pub kind: Option<IdentityKind>,
    pub leaver_kind: Option<LeaverKind>,
}

impl Kinds {
    /// Of one identity that leaves by itself, or of the vendor that does; None of one in no source.
    pub(crate) fn of(graph: &Graph, identity: Option<u32>) -> Self {
        let row = identity.map(|identity| *graph.identities.at(identity));
        let kind = row.map(|row| row.kind);
        Kinds {
            event: match kind {
                Some(IdentityKind::Vendor) => LifecycleEvent::VendorExit,
                Some(IdentityKind::Workload) => LifecycleEvent::WorkloadRetired,
                Some(IdentityKind::Agent) => LifecycleEvent::AgentRetired,
                Some(IdentityKind::Person) | None => LifecycleEvent::Leaver,
            },
            kind,
            leaver_kind: row.and_then(|row| row.leaver_kind),
        }
    }

    /// The steps of the plan that apply to such leavers.
    pub(crate) fn steps(&self, graph: &Graph, plan: &Plan, at: DateTime<Utc>) -> Arc<[DueStep]> {
        let steps = (0..).zip(&plan.steps).filter_map(|(index, step)| {
            let fits = counts(step.on, self.event)
                && met(step.leaver_kind, self.leaver_kind)
                && (step.does != StepAction::RotateKnownSecrets
                    || met(step.identity_kind, self.kind));
            let system = match &step.system {
                Some(name) => Some(graph.system(name)?),
                None => None,
            };
            fits.then(|| DueStep {
                index,
                does: step.does,
                system,
                closes: after(at, step.within),
                account_kind: step.account_kind,
                identity_kind: step.identity_kind,
                privileged: step.privileged,
            })
        });
        steps.collect()
    }
}

/// What the plan declares about each system of the graph.
pub(crate) struct Declared {
    pub dies: Column<Option<bool>>,
    pub session_lifetime: Column<Option<TimeDelta>>,
}

impl Declared {
    pub(crate) fn new(graph: &Graph, plan: &Plan) -> Self {
        let systems = graph.systems.len();
        let mut declared = Declared {
            dies: Column::filled(None, systems),
            session_lifetime: Column::filled(None, systems),
        };
        // in the order of the file: of several tables of one name the last counts
        for table in &plan.systems {
            if let Some(system) = graph.system(&table.name) {
                *declared.dies.at_mut(system) = table.credentials_die_with_account;
                *declared.session_lifetime.at_mut(system) = table.session_lifetime;
            }
        }
        declared
    }
}

/// T plus a time; past the end of the calendar is never.
pub(crate) fn after(at: DateTime<Utc>, within: TimeDelta) -> Closing {
    at.checked_add_signed(within)
        .map_or(Closing::Never, Closing::At)
}

impl Departure {
    /// `mine` is filled with the accounts of S.
    pub(crate) fn new(
        graph: &Graph,
        plan: &Plan,
        leaver: &Leaver,
        at: DateTime<Utc>,
        mine: &mut Marks,
    ) -> Self {
        let identity = graph.identity(leaver.id());
        let mut kinds = Kinds::of(graph, identity);
        if let Leaver::Vendor(_) = leaver {
            kinds.event = LifecycleEvent::VendorExit;
        }
        let steps = kinds.steps(graph, plan, at);
        Departure::of(graph, identity, kinds, steps, at, mine)
    }

    /// Who joins or moves and stays; `lost` is what they may not hold afterwards.
    pub(crate) fn of_role(
        graph: &Graph,
        plan: &Plan,
        (id, event): (&IdentityId, LifecycleEvent),
        lost: BTreeSet<u32>,
        at: DateTime<Utc>,
        mine: &mut Marks,
    ) -> Self {
        let identity = graph.identity(id);
        let kinds = Kinds {
            event,
            kind: identity.map(|identity| graph.identities.at(identity).kind),
            leaver_kind: None,
        };
        let steps = kinds.steps(graph, plan, at);
        Departure {
            lost: Some(lost),
            ..Departure::of(graph, identity, kinds, steps, at, mine)
        }
    }

    /// The departure of one whose kinds and steps are known.
    pub(crate) fn of(
        graph: &Graph,
        identity: Option<u32>,
        kinds: Kinds,
        steps: Arc<[DueStep]>,
        at: DateTime<Utc>,
        mine: &mut Marks,
    ) -> Self {
        let event = kinds.event;
        let mut identities: Vec<u32> = identity.into_iter().collect();
        if event == LifecycleEvent::VendorExit
            && let Some(identity) = identity
        {
            let employed = graph.employed.row(identity).iter();
            identities.extend(employed.filter(|one| one.holds(at)).map(|one| one.of));
        }
        identities.sort_unstable();
        identities.dedup();

        mine.clear();
        let (mut accounts, mut own) = (Vec::new(), Vec::new());
        let mut custody: BTreeMap<u32, Basis> = BTreeMap::new();
        for &identity in &identities {
            accounts.extend(graph.accounts_of.row(identity));
            for &(credential, basis) in graph.custody.row(identity) {
                let known = custody.entry(credential).or_insert(basis);
                *known = basis.min(*known);
            }
        }
        for &account in &accounts {
            mine.set(account, 0);
            own.extend(graph.credentials_of.row(account));
        }
        Departure {
            event,
            kind: kinds.kind,
            leaver_kind: kinds.leaver_kind,
            identity,
            identities,
            accounts,
            own,
            custody,
            steps,
            lost: None,
        }
    }

    pub(crate) fn is_vendor_exit(&self) -> bool {
        self.event == LifecycleEvent::VendorExit
    }

    /// Such leavers, and nobody of them.
    pub(crate) fn of_nobody(kinds: Kinds, steps: Arc<[DueStep]>) -> Self {
        Departure {
            event: kinds.event,
            kind: kinds.kind,
            leaver_kind: kinds.leaver_kind,
            identity: None,
            identities: Vec::new(),
            accounts: Vec::new(),
            own: Vec::new(),
            custody: BTreeMap::new(),
            steps,
            lost: None,
        }
    }

    /// Whether a step holds for something of `system` that belongs to `account` (`NONE`: to none).
    pub(crate) fn holds(graph: &Graph, step: &DueStep, system: u32, account: u32) -> bool {
        step.system.is_none_or(|named| named == system)
            && Departure::conditions_met(graph, step, account)
    }

    /// Whether the conditions about the account that the closing thing belongs to, and its identity,
    /// would be met if what is not known were so.
    pub(crate) fn conditions_may_be_met(graph: &Graph, step: &DueStep, account: u32) -> bool {
        let facts = AccountFacts::of(graph, account);
        may_be_met(step.account_kind, facts.kind)
            && may_be_met(step.privileged, facts.privileged)
            && (asks_of_the_leaver(step) || may_be_met(step.identity_kind, facts.identity_kind))
    }

    /// Whether they are met.
    pub(crate) fn conditions_met(graph: &Graph, step: &DueStep, account: u32) -> bool {
        let facts = AccountFacts::of(graph, account);
        met(step.account_kind, facts.kind)
            && met(step.privileged, facts.privileged)
            && (asks_of_the_leaver(step) || met(step.identity_kind, facts.identity_kind))
    }
}

/// Whether what a plan says of one event holds in another: of a leaver, of every kind of leaver.
pub(crate) fn counts(on: LifecycleEvent, event: LifecycleEvent) -> bool {
    on == event || (on == LifecycleEvent::Leaver && is_ending(event))
}

/// Whether whoever it happens to is gone afterwards.
pub(crate) fn is_ending(event: LifecycleEvent) -> bool {
    match event {
        LifecycleEvent::Leaver
        | LifecycleEvent::VendorExit
        | LifecycleEvent::WorkloadRetired
        | LifecycleEvent::AgentRetired => true,
        LifecycleEvent::Joiner
        | LifecycleEvent::Mover
        | LifecycleEvent::OwnerChange
        | LifecycleEvent::LeaveStart
        | LifecycleEvent::LeaveEnd
        | LifecycleEvent::Rehire
        | LifecycleEvent::Extension
        | LifecycleEvent::Renamed => false,
    }
}

/// What conditions ask of an account; nothing is known of none.
#[derive(Default)]
struct AccountFacts {
    kind: Option<AccountKind>,
    privileged: Option<bool>,
    identity_kind: Option<IdentityKind>,
}

impl AccountFacts {
    fn of(graph: &Graph, account: u32) -> Self {
        if account == NONE {
            return AccountFacts::default();
        }
        let row = graph.accounts.at(account);
        let identity = (row.identity != NONE).then(|| graph.identities.at(row.identity));
        AccountFacts {
            kind: row.kind,
            privileged: row.privileged,
            identity_kind: identity.map(|identity| identity.kind),
        }
    }
}

/// A rotation asks for the leaver's kind, which was checked when the steps were chosen.
fn asks_of_the_leaver(step: &DueStep) -> bool {
    step.does == StepAction::RotateKnownSecrets
}

/// Whether it is met, or would be if what is not known were so.
fn may_be_met<T: PartialEq>(condition: Option<T>, fact: Option<T>) -> bool {
    fact.is_none() || met(condition, fact)
}

/// A condition on something unknown or absent is not met.
fn met<T: PartialEq>(condition: Option<T>, fact: Option<T>) -> bool {
    condition.is_none() || condition == fact
}
