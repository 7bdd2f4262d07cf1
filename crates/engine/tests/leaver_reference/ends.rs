//! Where paths end at something that no row describes: which kind of which system would hold it.

use super::closing::Leaving;
use super::world::{Name, World, account_name, is_account, is_entitlement, location_name, name};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Account, ObjectType, OwnerRole, Principal};
use std::collections::BTreeSet;

/// A kind, and a system.
pub type End = (Kind, String);

pub fn ends(leaving: &Leaving) -> BTreeSet<End> {
    let mut ends = BTreeSet::new();
    in_custody(leaving, &mut ends);
    for account in &leaving.accounts {
        ends.extend(
            leaving
                .world
                .account(account)
                .and_then(|a| through(leaving.world, a)),
        );
    }
    controlled(leaving, &mut ends);
    standing(leaving, &mut ends);
    untold(leaving, &mut ends);
    for secret in &leaving.before.credentials {
        let credential = leaving.world.credential(secret);
        let account = credential.and_then(|c| leaving.world.account_of(c));
        ends.extend(account.and_then(|a| through(leaving.world, a)));
    }
    ends
}

/// Where the account would be at which signing in to another ends, if that is not known.
fn through(world: &World, account: &Account) -> Option<End> {
    let (mut here, mut met) = (account, BTreeSet::new());
    loop {
        let expired = here.expires_at.is_some_and(|e| e.as_expiry() <= world.at);
        let closed = expired || here.enabled == Some(false);
        if closed || here.local_sign_in != Some(false) || !met.insert(account_name(here)) {
            return None;
        }
        here.signs_in_through_id.as_ref()?;
        match world.through(here) {
            Some(next) => here = next,
            None => {
                let system = here.signs_in_through_system.as_ref();
                let system = system.unwrap_or(&here.system);
                return Some((Kind::Account, system.to_string()));
            }
        }
    }
}

fn in_custody(leaving: &Leaving, ends: &mut BTreeSet<End>) {
    let leavers = leaving.world.leaving_identities(leaving.reading);
    let facts = &leaving.world.snapshot;
    for line in facts.owners.iter().chain(&facts.attested_owners) {
        if let Some(system) = &line.system
            && line.role == OwnerRole::Custodian
            && line.object_type == ObjectType::Credential
            && leavers.contains(line.owner_id.as_str())
            && leaving
                .world
                .credential(&name(system, &line.object_id))
                .is_none()
        {
            ends.insert((Kind::Credential, system.to_string()));
        }
    }
}

/// Whether somebody acts by this principal before the event.
fn acts(leaving: &Leaving, by: &Principal) -> bool {
    let is_held = |held: &Name| is_entitlement(by, held);
    let reached = &leaving.before;
    reached
        .accounts
        .iter()
        .any(|account| is_account(by, account))
        || reached.entitlements.iter().any(|(held, _)| is_held(held))
}

fn controlled(leaving: &Leaving, ends: &mut BTreeSet<End>) {
    for line in &leaving.world.snapshot.controls {
        if acts(leaving, &line.principal) {
            match leaving.world.account(&name(&line.system, &line.account_id)) {
                Some(account) => ends.extend(through(leaving.world, account)),
                None => {
                    ends.insert((Kind::Account, line.system.to_string()));
                }
            }
        }
    }
}

fn standing(leaving: &Leaving, ends: &mut BTreeSet<End>) {
    for line in &leaving.world.snapshot.locations {
        let Some(id) = &line.credential_id else {
            continue;
        };
        let system = line.credential_system.as_ref().unwrap_or(&line.system);
        if leaving.before.locations.contains(&location_name(line))
            && leaving.world.credential(&name(system, id)).is_none()
        {
            ends.insert((Kind::Credential, system.to_string()));
        }
    }
}

/// Locations of systems of which no row tells of anything that stands anywhere.
fn untold(leaving: &Leaving, ends: &mut BTreeSet<End>) {
    let lines = &leaving.world.snapshot.locations;
    for (system, _) in &leaving.before.locations {
        let told = lines
            .iter()
            .filter(|line| line.system.as_str() == system)
            .any(|line| {
                let printed = line.fingerprint.as_ref();
                line.credential_id.is_some() || printed.is_some_and(|f| !f.as_str().is_empty())
            });
        if !told && !system.is_empty() {
            ends.insert((Kind::Location, system.clone()));
        }
    }
}
