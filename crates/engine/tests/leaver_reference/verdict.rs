//! How bad is it, by which limit, how is it known, and what is the verdict?

use super::closing::{Closes, Closings, Leaving};
use super::residual::{Item, Left, followers};
use super::world::{Name, credential_name, location_name, name};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::{CredentialKind, Entitlement, IdentityKind, LeaverKind};
use lastkey_contract::{Kind, SystemName};
use lastkey_engine::lifecycle::{Basis, Severity, Verdict};
use std::collections::BTreeSet;

/// How the facts behind one link are known: rows are observed, "unknown counts as" is assumed.
pub fn basis_of_link(leaving: &Leaving, before: Option<&Item>, link: &Item) -> Basis {
    let world = leaving.world;
    match link {
        Item::Account(account) => match (before, world.account(account)) {
            // opened: what there is to know is known of the credential
            (Some(Item::Credential(_)), Some(_)) => Basis::Observed,
            (_, Some(account)) => world.sign_in_basis(account, leaving.reading),
            (_, None) => Basis::Observed,
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
            let declared = world
                .traits_of(credential.system.as_str())
                .and_then(|t| t.credentials_die_with_account);
            if world.dies_with_account(credential, leaving.reading) {
                world.sign_in_basis(account, leaving.reading)
            } else if declared.is_none() && credential.kind != CredentialKind::Password {
                Basis::Assumed // that it outlives its account
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

/// The item's own flag.
fn flag(leaving: &Leaving, item: &Item) -> Option<bool> {
    match item {
        Item::Account(account) => leaving.world.account(account)?.privileged,
        Item::Entitlement(e, _) => entitlement(leaving, e)?.privileged,
        Item::Credential(_) | Item::Location(_) => None,
    }
}

/// Whether the item is privileged: its own flag, or an entitlement it leads to after the event.
fn privileged(leaving: &Leaving, closings: &Closings, item: &Item) -> Option<bool> {
    let own = flag(leaving, item);
    let later = closings
        .sign_ins
        .values()
        .chain(closings.credentials.values())
        .chain(&closings.grants)
        .chain(&closings.readers)
        .chain(&closings.controls)
        .map(|c| c.closes)
        .filter(|c| *c > Closes::At(leaving.world.at))
        .min();
    let mut seen = BTreeSet::from([item.clone()]);
    loop {
        let mut more = seen.clone();
        for one in &seen {
            if let Some(moment) = later {
                more.extend(followers(leaving, closings, one, moment));
            }
        }
        if more == seen {
            break;
        }
        seen = more;
    }
    let leads = seen
        .iter()
        .any(|i| matches!(i, Item::Entitlement(..)) && flag(leaving, i) == Some(true));
    if leads { Some(true) } else { own }
}

fn in_production(leaving: &Leaving, item: &Item) -> bool {
    let facts = &leaving.world.snapshot;
    let production = |environment: &Option<String>| environment.as_deref() == Some("production");
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

/// T plus the limit that counts: the shortest fitting of the plan, else the preset.
pub fn limit_at(leaving: &Leaving, closings: &Closings, item: &Item) -> DateTime<Utc> {
    let system = match item {
        Item::Account(name)
        | Item::Credential(name)
        | Item::Entitlement(name, _)
        | Item::Location(name) => &name.0,
    };
    let privileged = privileged(leaving, closings, item);
    let leaver_kind = leaving.leaver.and_then(|l| l.leaver_kind);
    let identity_kind = leaving.leaver.map(|l| l.kind);
    let mut shortest: Option<TimeDelta> = None;
    for limit in &leaving.world.plan.limits {
        let fits = leaving.counts(limit.on)
            && (limit.identity_kind.is_none() || limit.identity_kind == identity_kind)
            && (limit.leaver_kind.is_none() || limit.leaver_kind == leaver_kind)
            && (limit.privileged.is_none() || limit.privileged == privileged)
            && (limit.system.is_none() || limit.system == Some(SystemName::new(system.clone())));
        if fits && shortest.is_none_or(|s| limit.within < s) {
            shortest = Some(limit.within);
        }
    }
    leaving.world.at + shortest.unwrap_or_else(|| preset(leaving, item, privileged))
}

/// The presets of frameworks/README.md.
fn preset(leaving: &Leaving, item: &Item, privileged: Option<bool>) -> TimeDelta {
    let third_party = identity_kind_is(leaving, IdentityKind::Vendor);
    let known_secret = match item {
        Item::Credential(secret) => !leaving.own.contains(secret),
        Item::Account(_) | Item::Entitlement(..) | Item::Location(_) => false,
    };
    let involuntary = leaving.leaver.and_then(|l| l.leaver_kind) == Some(LeaverKind::Involuntary);
    if third_party {
        TimeDelta::hours(1)
    } else if known_secret {
        TimeDelta::hours(24)
    } else if involuntary && privileged == Some(true) {
        TimeDelta::hours(1)
    } else {
        TimeDelta::hours(24)
    }
}

fn identity_kind_is(leaving: &Leaving, kind: IdentityKind) -> bool {
    leaving.leaver.is_some_and(|l| l.kind == kind)
}

pub fn severity(
    leaving: &Leaving,
    closings: &Closings,
    item: &Item,
    closes_at: Option<DateTime<Utc>>,
    limit_at: DateTime<Utc>,
) -> Severity {
    let never = closes_at.is_none();
    let privileged = privileged(leaving, closings, item) == Some(true);
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

/// fail by one observed item after its limit; indeterminate by missing facts or assumed items.
pub fn verdict(leaving: &Leaving, residual: &[Left]) -> Verdict {
    let after_limit = |left: &&Left| left.closes_at.is_none_or(|at| at > left.limit_at);
    if residual
        .iter()
        .filter(after_limit)
        .any(|left| left.basis == Basis::Observed)
    {
        return Verdict::Fail;
    }
    let needed = [
        Kind::Identity,
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
        Kind::Control,
        Kind::Owner,
    ];
    let complete = needed.iter().all(|kind| {
        let mut reads = leaving
            .world
            .snapshot
            .reads
            .iter()
            .filter(|r| r.kind == *kind);
        let some = reads.clone().next().is_some();
        some && reads.all(|r| r.complete_at.is_some() && r.gaps.is_empty())
    });
    if !complete || residual.iter().any(|left| after_limit(&left)) {
        Verdict::Indeterminate
    } else {
        Verdict::Pass
    }
}
