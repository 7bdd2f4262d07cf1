//! The items of each kind of rehearsal, as they are kept.

use super::{KeptItem, KeptKind, KeptNumbers};
use crate::lifecycle::limits::is_late;
use crate::lifecycle::simulated::{EventOutcome, EventsRehearsal};
use crate::lifecycle::{
    Basis, Closing, Departed, ItemKind, Rehearsal, ResidualItem, RoleRehearsal, Verdict,
};
use std::collections::BTreeSet;

/// The residual items of somebody who leaves.
pub fn leaver_items(rehearsal: &Rehearsal) -> Vec<KeptItem> {
    sorted(residual(rehearsal, 0))
}

/// What a joiner or a mover lacks, holds too much, and keeps.
pub fn role_items(role: &RoleRehearsal) -> Vec<KeptItem> {
    let mut items = residual(&role.rehearsal, 0);
    let grant = |kind, system: &str, id: &str, basis, said: &str, verdict| KeptItem {
        system: system.to_owned(),
        said: Some(said.to_owned()),
        systems: vec![system.to_owned()],
        ..plain(kind, id, verdict, basis)
    };
    items.extend(role.missing_grants.iter().map(|missing| {
        let (system, id) = (&missing.system, &missing.id);
        let said = missing.policy.policy;
        let kind = KeptKind::MissingGrant;
        grant(kind, system, id, Basis::Observed, said, Verdict::Fail)
    }));
    items.extend(role.extra_grants.iter().map(|extra| {
        let verdict = match (extra.policy.policy, extra.basis) {
            (_, Basis::Assumed) | ("undecided", _) => Verdict::Indeterminate,
            _ => Verdict::Fail,
        };
        let (system, id) = (&extra.system, &extra.id);
        let (said, kind) = (extra.policy.policy, KeptKind::ExtraGrant);
        grant(kind, system, id, extra.basis, said, verdict)
    }));
    sorted(items)
}

/// Each event, and what is left of whoever leaves by it.
pub fn events_items(played: &EventsRehearsal) -> Vec<KeptItem> {
    let mut items = Vec::new();
    for (place, outcome) in (1u32..).zip(&played.events) {
        items.push(event(outcome, place));
        items.extend(outcome.rehearsal.iter().flat_map(|r| residual(r, place)));
    }
    sorted(items)
}

/// Everyone in numbers.
pub fn everyone_items<'a>(all: impl Iterator<Item = (&'a str, &'a Departed)>) -> Vec<KeptItem> {
    let items = all.map(|(identity, departed)| KeptItem {
        severity: departed.left.worst(),
        left: Some(KeptNumbers {
            residual: departed.left.residual(),
            late: departed.left.late(),
            never: departed.left.never(),
        }),
        ..plain(
            KeptKind::Identity,
            identity,
            departed.verdict,
            Basis::Observed,
        )
    });
    sorted(items.collect())
}

fn event(outcome: &EventOutcome, place: u32) -> KeptItem {
    let left = outcome.rehearsal.as_ref().map(|rehearsal| {
        let count = |wanted: fn(&&ResidualItem) -> bool| {
            let found = rehearsal.residual.iter().filter(wanted);
            u64::try_from(found.count()).unwrap_or(u64::MAX)
        };
        KeptNumbers {
            residual: count(|_| true),
            late: count(|item| is_late(item)),
            never: count(|item| item.closes_at == Closing::Never),
        }
    });
    KeptItem {
        place,
        left,
        said: Some(outcome.noticed.word().to_owned()),
        ..plain(
            KeptKind::Event,
            &format!("{} {}", outcome.event.word(), outcome.identity),
            outcome.verdict,
            Basis::Observed,
        )
    }
}

fn residual(rehearsal: &Rehearsal, place: u32) -> Vec<KeptItem> {
    let items = rehearsal.residual.iter().map(|item| {
        let links = item.links.iter().chain(&item.known_through);
        let systems: BTreeSet<&str> = links
            .map(|link| link.system.as_str())
            .chain([item.system.as_str()])
            .collect();
        KeptItem {
            place,
            system: item.system.clone(),
            on_account: item.on_account.clone(),
            closes_at: Some(item.closes_at),
            severity: Some(item.severity),
            systems: systems.into_iter().map(str::to_owned).collect(),
            ..plain(kind(item.kind), &item.id, verdict(item), item.basis)
        }
    });
    items.collect()
}

fn kind(kind: ItemKind) -> KeptKind {
    match kind {
        ItemKind::Account => KeptKind::Account,
        ItemKind::Credential => KeptKind::Credential,
        ItemKind::Entitlement => KeptKind::Entitlement,
        ItemKind::Location => KeptKind::Location,
    }
}

/// What the item alone makes of its rehearsal.
fn verdict(item: &ResidualItem) -> Verdict {
    match (is_late(item), item.basis) {
        (false, _) => Verdict::Pass,
        (true, Basis::Assumed) => Verdict::Indeterminate,
        (true, Basis::Observed | Basis::Attested) => Verdict::Fail,
    }
}

fn plain(kind: KeptKind, id: &str, verdict: Verdict, basis: Basis) -> KeptItem {
    KeptItem {
        place: 0,
        kind,
        system: String::new(),
        id: id.to_owned(),
        on_account: None,
        closes_at: None,
        verdict,
        basis,
        severity: None,
        left: None,
        said: None,
        systems: Vec::new(),
    }
}

fn sorted(mut items: Vec<KeptItem>) -> Vec<KeptItem> {
    items.sort_by(|a, b| a.key().cmp(&b.key()));
    items
}
