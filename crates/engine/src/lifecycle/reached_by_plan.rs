//! What the plan reaches: event by system by kind of thing, how many real things it would close in
//! time, late, never, or nobody knows.
//!
//! Counted over what was read, not over what the plan says: a step on a system without anything of
//! its kind covers nothing, and a condition that no account meets leaves all of them open. Each thing
//! is judged by itself, as semantics has its closing; what it leads to is the rehearsal's matter.

use super::closing::{Cause, Closings, Element, THAT_END_SIGN_IN, THAT_REMOVE_LINES, that_revoke};
use super::departure::{Departure, DueStep, Kinds};
use super::limits::due;
use super::plan::{Plan, StepAction};
use super::rehearse::{RehearsalSettings, Stage};
use crate::access::columns::{Column, NONE};
use crate::access::graph::Graph;
use crate::lifecycle::Closing;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{CredentialKind, LifecycleEvent};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use ts_rs::TS;

/// What closes by itself, as plans tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Thing {
    SignIn,
    Grant,
    Reader,
    Control,
    /// A leaver's own, but tokens.
    Credential,
    Session,
    /// A secret that stands where somebody can read it.
    ReadableSecret,
}

impl Thing {
    pub const ALL: [Thing; 7] = [
        Thing::SignIn,
        Thing::Grant,
        Thing::Reader,
        Thing::Control,
        Thing::Credential,
        Thing::Session,
        Thing::ReadableSecret,
    ];

    /// As the table has it.
    pub fn words(self) -> &'static str {
        match self {
            Thing::SignIn => "sign-in",
            Thing::Grant => "grants",
            Thing::Reader => "reader lines",
            Thing::Control => "control lines",
            Thing::Credential => "own credentials",
            Thing::Session => "tokens",
            Thing::ReadableSecret => "readable secrets",
        }
    }
}

/// How many close how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Reached {
    pub in_time: u64,
    pub late: u64,
    pub never: u64,
    /// The plan or the facts leave open what closes them: a condition on what is not known, or what
    /// the plan does not declare of the system.
    pub unknown: u64,
}

impl Reached {
    pub fn all(&self) -> u64 {
        self.in_time + self.late + self.never + self.unknown
    }

    fn count(&mut self, how: How) {
        match how {
            How::InTime => self.in_time += 1,
            How::Late => self.late += 1,
            How::Never => self.never += 1,
            How::Unknown => self.unknown += 1,
        }
    }
}

/// The better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    InTime,
    Unknown,
    Late,
    Never,
}

/// One cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Cell {
    #[ts(type = "string")]
    pub event: LifecycleEvent,
    pub system: String,
    pub thing: Thing,
    #[serde(flatten)]
    pub reached: Reached,
}

type Cells = BTreeMap<(LifecycleEvent, u32, Thing), Reached>;

/// The matrix, by event, system and thing; only cells that hold something. A thing that does not
/// work at `at` is in none.
pub fn reached_by_plan(
    graph: &Graph,
    plan: &Plan,
    at: DateTime<Utc>,
    settings: &RehearsalSettings,
) -> Vec<Cell> {
    let mut stage = Stage::new(graph, plan, at, settings);
    let mut steps: Vec<(Kinds, Arc<[DueStep]>)> = Vec::new();
    let mut cells = Cells::new();
    for identity in 0..graph.identities.len() {
        let kinds = Kinds::of(graph, Some(identity));
        let known = steps.iter().find(|(of, _)| *of == kinds);
        let its = known.map(|(_, its)| its.clone()).unwrap_or_else(|| {
            let its = kinds.steps(graph, plan, at);
            steps.push((kinds, its.clone()));
            its
        });
        let departure = Departure::of(graph, Some(identity), kinds, its, at, &mut stage.mine);
        own_things(&mut stage, &departure, &mut cells);
    }
    let mut of_events: BTreeMap<LifecycleEvent, Vec<Departure>> = BTreeMap::new();
    for (kinds, its) in steps {
        let of_event = of_events.entry(kinds.event).or_default();
        of_event.push(Departure::of_nobody(kinds, its));
    }
    let doors = doors(graph);
    for (event, leavers) in of_events {
        readable_secrets(&stage, event, (&leavers, &doors), &mut cells);
    }
    let cells = cells.into_iter();
    let cells = cells.map(|((event, system, thing), reached)| Cell {
        event,
        system: graph.systems.at(system).to_owned(),
        thing,
        reached,
    });
    cells.collect()
}

fn own_things(stage: &mut Stage<'_>, departure: &Departure, cells: &mut Cells) {
    let (graph, plan, at) = (stage.graph, stage.plan, stage.world.at);
    let mut closings = Closings::new(&mut stage.world, &stage.declared, departure, &stage.mine);
    let mut put = |element: Element, does: &[StepAction], system: u32, account: u32, thing| {
        let by_itself = matches!(element.cause, Cause::Expiry | Cause::Revocation);
        if element.cause == Cause::Already || by_itself && element.closes <= Closing::At(at) {
            return;
        }
        let privileged = graph.accounts.at(account).privileged;
        let limit = due(plan, departure, graph.systems.at(system), privileged, at).at;
        let how = judge(graph, departure, &element, does, limit, (system, account));
        let cell = cells.entry((departure.event, system, thing)).or_default();
        cell.count(how);
    };
    for &account in &departure.accounts {
        let row = graph.accounts.at(account);
        let element = closings.sign_in(account);
        put(
            element,
            THAT_END_SIGN_IN,
            row.system,
            account,
            Thing::SignIn,
        );
        for &credential in graph.credentials_of.row(account) {
            let row = graph.credentials.at(credential);
            let element = closings.credential(credential);
            let thing = match row.kind {
                CredentialKind::Token => Thing::Session,
                CredentialKind::Password
                | CredentialKind::ApiKey
                | CredentialKind::AccessKey
                | CredentialKind::Certificate
                | CredentialKind::SshKey
                | CredentialKind::ClientSecret
                | CredentialKind::Secret => Thing::Credential,
            };
            let does = that_revoke(row.kind);
            put(element, does, row.system, account, thing);
        }
        if element.cause == Cause::Already {
            continue;
        }
        for grant in graph.account_grants.row(account) {
            let system = graph.entitlements.at(grant.entitlement).system;
            let expires = graph.terms.at(grant.terms).expires;
            let element = closings.line(account, system, expires);
            put(element, THAT_REMOVE_LINES, system, account, Thing::Grant);
        }
        for &location in graph.account_reads.row(account) {
            let system = graph.locations.at(location).system;
            let element = closings.line(account, system, Closing::Never);
            put(element, THAT_REMOVE_LINES, system, account, Thing::Reader);
        }
        for &(controlled, _) in graph.account_controls.row(account) {
            let system = graph.accounts.at(controlled).system;
            let element = closings.line(account, system, Closing::Never);
            put(element, THAT_REMOVE_LINES, system, account, Thing::Control);
        }
    }
}

fn judge(
    graph: &Graph,
    departure: &Departure,
    element: &Element,
    does: &[StepAction],
    limit: Closing,
    (system, account): (u32, u32),
) -> How {
    let in_time = element.closes <= limit;
    let mut steps = departure.steps.iter();
    let by_a_step = steps.any(|step| {
        does.contains(&step.does)
            && step.closes <= limit
            && Departure::holds(graph, step, system, account)
    });
    if element.guessed && !by_a_step {
        return How::Unknown;
    }
    let mut could = departure.steps.iter().filter(|step| {
        does.contains(&step.does)
            && step.closes < element.closes
            && step.system.is_none_or(|named| named == system)
            && Departure::conditions_may_be_met(graph, step, account)
    });
    match (in_time, element.closes) {
        (true, _) => How::InTime,
        (false, _) if could.any(|step| step.closes <= limit) => How::Unknown,
        (false, Closing::Never) => How::Never,
        (false, Closing::At(_)) => How::Late,
    }
}

/// Secrets that stand where an account or an entitlement reads, by the system of the place: whether
/// each is rotated after whoever leaves, the leaver of an event for whom that is worst.
fn readable_secrets(
    stage: &Stage<'_>,
    event: LifecycleEvent,
    (leavers, doors): (&[Departure], &[BTreeSet<u32>]),
    cells: &mut Cells,
) {
    let graph = stage.graph;
    let mut is_read = Column::filled(false, graph.locations.len());
    let by_accounts = (0..graph.accounts.len()).flat_map(|row| graph.account_reads.row(row));
    let by_entitlements =
        (0..graph.entitlements.len()).flat_map(|row| graph.entitlement_reads.row(row));
    for location in by_accounts.chain(by_entitlements) {
        *is_read.at_mut(*location) = true;
    }
    for location in (0..graph.locations.len()).filter(|location| *is_read.at(*location)) {
        let system = graph.locations.at(location).system;
        let Some(doors) = doors.get(system as usize) else {
            continue;
        };
        for &credential in graph.credentials_at.row(location) {
            if !stage.world.is_valid(graph.credentials.at(credential)) {
                continue;
            }
            let how = leavers
                .iter()
                .map(|leaver| rotated(stage, leaver, (system, doors), credential));
            if let Some(how) = how.max() {
                let cell = (event, system, Thing::ReadableSecret);
                cells.entry(cell).or_default().count(how);
            }
        }
    }
}

/// Of each system, itself and those whose accounts lead to what stands there: by signing in through them,
/// or by reading.
fn doors(graph: &Graph) -> Vec<BTreeSet<u32>> {
    let systems = 0..graph.systems.len();
    let mut doors: Vec<BTreeSet<u32>> = systems.map(|system| BTreeSet::from([system])).collect();
    let mut leads: BTreeSet<(u32, u32)> = BTreeSet::new();
    for (row, account) in (0..).zip(graph.accounts.values()) {
        if account.through != NONE {
            leads.insert((account.system, graph.account_system(account.through)));
        }
        for location in graph.account_reads.row(row) {
            leads.insert((graph.locations.at(*location).system, account.system));
        }
        for grant in graph.account_grants.row(row) {
            let system = graph.entitlements.at(grant.entitlement).system;
            leads.insert((system, account.system));
        }
    }
    for (row, entitlement) in (0..).zip(graph.entitlements.values()) {
        for location in graph.entitlement_reads.row(row) {
            leads.insert((graph.locations.at(*location).system, entitlement.system));
        }
        for grant in graph.entitlement_grants.row(row) {
            let system = graph.entitlements.at(grant.entitlement).system;
            leads.insert((system, entitlement.system));
        }
    }
    // As often as a chain can be long.
    for _ in 0..doors.len() {
        let before: usize = doors.iter().map(BTreeSet::len).sum();
        for (system, other) in &leads {
            let more = doors.get(*other as usize).cloned().unwrap_or_default();
            if let Some(of) = doors.get_mut(*system as usize) {
                of.extend(more);
            }
        }
        if doors.iter().map(BTreeSet::len).sum::<usize>() == before {
            break;
        }
    }
    doors
}

fn rotated(
    stage: &Stage<'_>,
    leaver: &Departure,
    (system, doors): (u32, &BTreeSet<u32>),
    credential: u32,
) -> How {
    let (graph, plan, at) = (stage.graph, stage.plan, stage.world.at);
    let row = graph.credentials.at(credential);
    let limit = due(plan, leaver, graph.systems.at(system), None, at).at;
    // Whoever still reads the place knows the successor too.
    let ends_reading =
        |does: &StepAction| THAT_END_SIGN_IN.contains(does) || THAT_REMOVE_LINES.contains(does);
    let ends = leaver.steps.iter().filter(|step| {
        ends_reading(&step.does) && step.system.is_none_or(|named| doors.contains(&named))
    });
    let read_until = ends.map(|step| step.closes).min();
    let read_until = read_until.unwrap_or(Closing::Never);
    let rotations = leaver.steps.iter().filter(|step| {
        let named = step.system;
        step.does == StepAction::RotateKnownSecrets
            && step.closes >= read_until
            && named.is_none_or(|named| named == system || named == row.system)
    });
    let (mut closes, mut could) = (row.expires.min(row.revoked), Closing::Never);
    for step in rotations {
        if Departure::conditions_met(graph, step, row.account) {
            closes = closes.min(step.closes);
        } else if Departure::conditions_may_be_met(graph, step, row.account) {
            could = could.min(step.closes);
        }
    }
    match closes {
        closes if closes <= limit => How::InTime,
        _ if could <= limit => How::Unknown,
        Closing::Never => How::Never,
        Closing::At(_) => How::Late,
    }
}
