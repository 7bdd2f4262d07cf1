//! How bad is it, by which limit, how is it known, and what is the verdict?

use super::closing::Leaving;
use super::ends::ends;
use super::forgotten::knew_by_what_is_forgotten;
use super::paths::{Item, When, followers};
use super::residual::Left;
use super::world::{Name, Reading, credential_name, location_name, name};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::{Entitlement, IdentityKind, LeaverKind, PrincipalType};
use lastkey_contract::{Kind, SystemName};
use lastkey_engine::access::ReadState;
use lastkey_engine::lifecycle::{Basis, Severity, Verdict};
use std::collections::BTreeSet;

/// How the facts behind one link are known: rows are observed, "unknown counts as" is assumed.
pub fn basis_of_link(leaving: &Leaving, before: Option<&Item>, link: &Item) -> Basis {
    let world = leaving.world;
    match link {
        Item::Account(account) => match (before, world.account(account)) {
            // opened: what there is to know is known of the credential
            (Some(Item::Credential(_)), Some(_)) | (_, None) => Basis::Observed,
            (_, Some(account)) => world.sign_in_basis(account, leaving.reading),
        },
        Item::Credential(secret) => {
            let Some(credential) = world.credential(secret) else {
                return Basis::Observed;
            };
            if credential.enabled.is_none() {
                return Basis::Assumed;
            }
            let Some(account) = world.account_of(credential) else {
                return Basis::Observed;
            };
            if world.dies_with_account(credential, leaving.reading) {
                world.sign_in_basis(account, leaving.reading)
            } else if world.outlives_undeclared(credential)
                && !world.can_sign_in(account, leaving.reading)
            {
                Basis::Assumed // it works at T only because it is taken to outlive its account
            } else {
                Basis::Observed
            }
        }
        Item::Entitlement(_, _) | Item::Location(_) => Basis::Observed,
    }
}

fn entitlement<'a>(leaving: &'a Leaving, entitlement: &Name) -> Option<&'a Entitlement> {
    leaving
        .world
        .snapshot
        .entitlements
        .iter()
        .find(|e| name(&e.system, &e.id) == *entitlement)
}

/// The item's own flag; credentials and locations have none, and are as what they lead to.
fn flag(leaving: &Leaving, item: &Item) -> Option<bool> {
    match item {
        Item::Account(account) => leaving.world.account(account)?.privileged,
        Item::Entitlement(e, _) => entitlement(leaving, e)?.privileged,
        Item::Credential(_) | Item::Location(_) => Some(false),
    }
}

/// Whether the item is privileged: its own flag, or an entitlement it leads to before the event.
/// Unknown where nothing is, and something may be.
pub fn privileged(leaving: &Leaving, item: &Item) -> Option<bool> {
    let mut seen = BTreeSet::from([item.clone()]);
    let mut edge = vec![item.clone()];
    while let Some(one) = edge.pop() {
        for next in followers(leaving, When::Before, &one) {
            if seen.insert(next.clone()) {
                edge.push(next);
            }
        }
    }
    let flags: Vec<Option<bool>> = seen
        .iter()
        .filter(|i| matches!(i, Item::Entitlement(..)))
        .chain([item])
        .map(|i| flag(leaving, i))
        .collect();
    if flags.contains(&Some(true)) {
        Some(true)
    } else if flags.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn in_production(leaving: &Leaving, item: &Item) -> bool {
    let facts = &leaving.world.snapshot;
    let production = |environment: &Option<String>| {
        let word = environment.as_deref().unwrap_or_default().to_lowercase();
        word == "production" || word == "prod"
    };
    match item {
        Item::Account(account) => leaving
            .world
            .account(account)
            .is_some_and(|a| production(&a.environment)),
        Item::Entitlement(e, _) => {
            entitlement(leaving, e).is_some_and(|e| production(&e.environment))
        }
        Item::Credential(secret) => facts
            .credentials
            .iter()
            .any(|c| credential_name(c) == *secret && production(&c.environment)),
        Item::Location(place) => facts
            .locations
            .iter()
            .any(|l| location_name(l) == *place && production(&l.environment)),
    }
}

/// T plus the limit that counts: of the plan's the one with the most conditions met, of
/// several such the strictest; else the preset.
pub fn limit_at(leaving: &Leaving, item: &Item, privileged: Option<bool>) -> DateTime<Utc> {
    let system = match item {
        Item::Account(name)
        | Item::Credential(name)
        | Item::Entitlement(name, _)
        | Item::Location(name) => &name.0,
    };
    let leaver_kind = leaving.leaver_kind();
    let identity_kind = leaving.leaver.map(|l| l.kind);
    let mut best: Option<(usize, TimeDelta)> = None;
    for limit in &leaving.world.plan.limits {
        let fits = leaving.counts(limit.on)
            && (limit.identity_kind.is_none() || limit.identity_kind == identity_kind)
            && (limit.leaver_kind.is_none() || limit.leaver_kind == leaver_kind)
            && (limit.privileged.is_none() || limit.privileged == privileged)
            && (limit.system.is_none() || limit.system == Some(SystemName::new(system.clone())));
        let conditions = usize::from(limit.identity_kind.is_some())
            + usize::from(limit.leaver_kind.is_some())
            + usize::from(limit.privileged.is_some())
            + usize::from(limit.system.is_some());
        let better = best.is_none_or(|(most, within)| {
            conditions > most || (conditions == most && limit.within < within)
        });
        if fits && better {
            best = Some((conditions, limit.within));
        }
    }
    let within = best.map(|(_, within)| within);
    leaving.world.at + within.unwrap_or_else(|| preset(leaving, privileged))
}

/// The presets of frameworks/README.md.
fn preset(leaving: &Leaving, privileged: Option<bool>) -> TimeDelta {
    let involuntary = leaving.leaver_kind() == Some(LeaverKind::Involuntary);
    let leaves = leaving.world.lost.is_none();
    if (leaves && identity_kind_is(leaving, IdentityKind::Vendor))
        || (involuntary && privileged == Some(true))
    {
        TimeDelta::hours(1)
    } else {
        TimeDelta::hours(24) // a leaver's access, and a known secret's rotation
    }
}

fn identity_kind_is(leaving: &Leaving, kind: IdentityKind) -> bool {
    leaving.leaver.is_some_and(|l| l.kind == kind)
}

pub fn severity(
    leaving: &Leaving,
    item: &Item,
    privileged: Option<bool>,
    closes_at: Option<DateTime<Utc>>,
    limit_at: DateTime<Utc>,
) -> Severity {
    let never = closes_at.is_none();
    let privileged = privileged == Some(true);
    let after_limit = closes_at.is_none_or(|at| at > limit_at);
    let severity = if never && (privileged || in_production(leaving, item)) {
        Severity::Critical
    } else if never || (privileged && after_limit) {
        Severity::High
    } else if after_limit {
        Severity::Medium
    } else {
        Severity::Low
    };
    if !identity_kind_is(leaving, IdentityKind::Vendor) {
        return severity;
    }
    match severity {
        Severity::Info => Severity::Low,
        Severity::Low => Severity::Medium,
        Severity::Medium => Severity::High,
        Severity::High | Severity::Critical => Severity::Critical,
    }
}

/// fail by one item after its limit that was observed or that somebody said; indeterminate by missing facts or assumed items.
pub fn verdict(leaving: &Leaving, residual: &[Left]) -> Verdict {
    let after_limit = |left: &&Left| left.closes_at.is_none_or(|at| at > left.limit_at);
    if residual
        .iter()
        .filter(after_limit)
        .any(|left| left.basis != Basis::Assumed)
    {
        return Verdict::Fail;
    }
    let complete = facts_are_complete(leaving);
    if !complete || residual.iter().any(|left| after_limit(&left)) {
        Verdict::Indeterminate
    } else {
        Verdict::Pass
    }
}

/// Whether nothing that the answer needs is missing or stale: each kind of each system concerned is
/// read by some source, and every read is complete and fresh: each could hold what no other does.
/// Identities say who works for a vendor, and whose accounts are.
fn facts_are_complete(leaving: &Leaving) -> bool {
    let reads = &leaving.world.snapshot.reads;
    let sound = |read: &ReadState| {
        read.gaps.is_empty()
            && read.complete_at.is_some_and(|at| {
                let hours_24 = 24 * 60 * 60;
                let known_for = read.fresh_for_seconds.unwrap_or(hours_24);
                (leaving.world.at - at).num_seconds() <= known_for as i64
            })
    };
    // Where no source reads accounts, nobody knows who has one.
    if !reads.iter().any(|read| read.kind == Kind::Account) {
        return false;
    }
    for kind in [
        Kind::Identity,
        Kind::Location,
        Kind::Reader,
        Kind::Control,
        Kind::Owner,
    ] {
        let of_kind: Vec<_> = reads.iter().filter(|r| r.kind == kind).collect();
        if of_kind.iter().all(|r| r.supplement) || !of_kind.iter().all(|r| sound(r)) {
            return false;
        }
    }
    for kind in [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
    ] {
        let of_kind = || reads.iter().filter(|r| r.kind == kind);
        // Nobody speaks for what there is only more of.
        let spoken_for = |s: &SystemName| of_kind().any(|r| tells_all_of(reads, r, s.as_str()));
        if !of_kind().all(sound) || !of_kind().flat_map(|r| &r.systems).all(spoken_for) {
            return false;
        }
    }
    if leaving.reading != Reading::ForgottenFrees && knew_by_what_is_forgotten(leaving) {
        return false;
    }
    for system in systems_concerned(leaving) {
        for kind in [Kind::Account, Kind::Grant, Kind::Credential] {
            if !reads
                .iter()
                .any(|r| r.kind == kind && tells_all_of(reads, r, &system))
            {
                return false;
            }
        }
    }
    let groups = systems_of_groups(leaving).into_iter();
    let groups = groups.map(|system| (Kind::Grant, system));
    let unlisted = systems_of_unlisted_accounts(leaving).into_iter();
    let unlisted = unlisted.map(|system| (Kind::Account, system));
    for (kind, system) in ends(leaving).into_iter().chain(groups).chain(unlisted) {
        let mut of_kind = reads.iter().filter(|r| r.kind == kind);
        // Nobody tells what stands there.
        if kind == Kind::Location && leaving.reading == Reading::UntoldIsEmpty {
            continue;
        }
        if kind == Kind::Location {
            return false;
        }
        if !of_kind.any(|r| tells_all_of(reads, r, &system) && sound(r)) {
            return false;
        }
    }
    true
}

/// The systems of groups that hold or may do something: their members could be anybody.
fn systems_of_groups(leaving: &Leaving) -> BTreeSet<String> {
    let facts = &leaving.world.snapshot;
    let grants = facts.grants.iter().map(|line| &line.principal);
    let readers = facts.readers.iter().map(|line| &line.principal);
    let controls = facts.controls.iter().map(|line| &line.principal);
    let groups = grants.chain(readers).chain(controls);
    let groups = groups.filter(|one| one.kind == PrincipalType::Entitlement);
    let systems = groups.map(|one| one.system.to_string());
    systems.filter(|system| !system.is_empty()).collect()
}

/// The systems of accounts that hold or may do something and that no row describes: such an account
/// could be anybody's.
fn systems_of_unlisted_accounts(leaving: &Leaving) -> BTreeSet<String> {
    if leaving.reading == Reading::UnlistedIsNobodys {
        return BTreeSet::new();
    }
    let facts = &leaving.world.snapshot;
    let grants = facts.grants.iter().map(|line| &line.principal);
    let readers = facts.readers.iter().map(|line| &line.principal);
    let controls = facts.controls.iter().map(|line| &line.principal);
    let accounts = grants.chain(readers).chain(controls);
    accounts
        .filter(|one| one.kind == PrincipalType::Account)
        .filter(|one| leaving.world.account(&name(&one.system, &one.id)).is_none())
        .map(|one| one.system.to_string())
        .filter(|system| !system.is_empty())
        .collect()
}

/// Whether a read, or its source by what only the system itself can show, has anything of a system:
/// what it reads of a kind is all then. Credentials of a system stand in vaults of others, too. What
/// only adds to what another source has is not all.
fn tells_all_of(reads: &[ReadState], read: &ReadState, system: &str) -> bool {
    let of_the_system = [
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Location,
        Kind::Reader,
    ];
    reads
        .iter()
        .filter(|r| r.source == read.source)
        .filter(|r| r.kind == read.kind || of_the_system.contains(&r.kind))
        .filter(|r| !r.supplement)
        .any(|r| r.systems.iter().any(|s| s.as_str() == system))
}

/// The systems of the leaver's accounts and of everything reached before the event.
fn systems_concerned(leaving: &Leaving) -> BTreeSet<String> {
    let reached = &leaving.before;
    let names = (leaving.accounts.iter())
        .chain(&reached.accounts)
        .chain(&reached.credentials)
        .chain(&reached.locations)
        .chain(reached.entitlements.iter().map(|(e, _)| e));
    names.map(|(system, _)| system.clone()).collect()
}
