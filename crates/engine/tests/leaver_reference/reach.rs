//! What can be reached before the event: the least fixed point of the six rules, by iteration.

use super::world::{
    Name, Reading, World, account_name, credential_name, is_account, is_entitlement, location_name,
    name,
};
use std::collections::BTreeSet;

/// Everything reached from a set of accounts and known credentials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reach {
    pub accounts: BTreeSet<Name>,
    /// Entitlement, and the account on which it is held.
    pub entitlements: BTreeSet<(Name, Name)>,
    pub locations: BTreeSet<Name>,
    /// Known, whether valid or not.
    pub credentials: BTreeSet<Name>,
}

/// The reach of the accounts and the known credentials, at the moment of the event.
pub fn reach(
    world: &World,
    from: &BTreeSet<Name>,
    known: &BTreeSet<Name>,
    reading: Reading,
) -> Reach {
    let start = Reach {
        credentials: known.clone(), // rule 4: credentials in K
        ..Reach::default()
    };
    fixed_point(world, start, from, &BTreeSet::new(), reading)
}

/// The same from what is reached already; `given` are held by the accounts that hold them, once
/// these are reached, and no chain goes on from them.
pub fn fixed_point(
    world: &World,
    mut reached: Reach,
    from: &BTreeSet<Name>,
    given: &BTreeSet<(Name, Name)>,
    reading: Reading,
) -> Reach {
    loop {
        let before = reached.clone();
        rule_1_own_accounts(world, from, reading, &mut reached);
        let held = given.iter().filter(|(_, on)| reached.accounts.contains(on));
        let held: Vec<_> = held.cloned().collect();
        reached.entitlements.extend(held);
        rule_2_entitlements(world, reading, given, &mut reached);
        rule_3_locations(world, &mut reached);
        rule_4_credentials(world, reading, &mut reached);
        rule_5_opened(world, reading, &mut reached);
        rule_6_controlled(world, reading, &mut reached);
        if reached == before {
            return reached;
        }
    }
}

fn rule_1_own_accounts(
    world: &World,
    from: &BTreeSet<Name>,
    reading: Reading,
    reached: &mut Reach,
) {
    for account in &world.snapshot.accounts {
        if from.contains(&account_name(account)) && world.can_sign_in(account, reading) {
            reached.accounts.insert(account_name(account));
        }
    }
}

fn rule_2_entitlements(
    world: &World,
    reading: Reading,
    given: &BTreeSet<(Name, Name)>,
    reached: &mut Reach,
) {
    for grant in &world.snapshot.grants {
        let expired = grant.expires_at.is_some_and(|e| e.as_expiry() <= world.at)
            && reading != Reading::WithoutExpiry;
        if expired {
            continue;
        }
        let target = name(&grant.system, &grant.entitlement_id);
        for account in &reached.accounts {
            let by_member = reached.entitlements.iter().any(|held| {
                let (e, on) = held;
                on == account && !given.contains(held) && is_entitlement(&grant.principal, e)
            });
            if is_account(&grant.principal, account) || by_member {
                reached
                    .entitlements
                    .insert((target.clone(), account.clone()));
            }
        }
    }
}

/// Whether a line's principal is a reached account or an entitlement held by one.
fn reaches(reached: &Reach, principal: &lastkey_contract::facts::Principal) -> bool {
    reached.accounts.iter().any(|a| is_account(principal, a))
        || reached
            .entitlements
            .iter()
            .any(|(e, _)| is_entitlement(principal, e))
}

fn rule_3_locations(world: &World, reached: &mut Reach) {
    for line in &world.snapshot.readers {
        if reaches(reached, &line.principal) {
            reached.locations.insert(name(&line.system, &line.path));
        }
    }
}

fn rule_4_credentials(world: &World, reading: Reading, reached: &mut Reach) {
    for credential in &world.snapshot.credentials {
        let stands = world.snapshot.locations.iter().any(|line| {
            reached.locations.contains(&location_name(line))
                && world.stands_at(credential, line, reading)
        });
        let equal_is_known = world.snapshot.credentials.iter().any(|other| {
            reached.credentials.contains(&credential_name(other))
                && world.equal(credential, other, reading)
        });
        if stands || equal_is_known {
            reached.credentials.insert(credential_name(credential));
        }
    }
}

fn rule_5_opened(world: &World, reading: Reading, reached: &mut Reach) {
    for credential in &world.snapshot.credentials {
        if reached.credentials.contains(&credential_name(credential))
            && let Some(account) = world.opens(credential, reading)
        {
            reached.accounts.insert(account_name(account));
        }
    }
}

fn rule_6_controlled(world: &World, reading: Reading, reached: &mut Reach) {
    if reading == Reading::WithoutControls {
        return;
    }
    for line in &world.snapshot.controls {
        if reaches(reached, &line.principal)
            && let Some(account) = world.account(&name(&line.system, &line.account_id))
            && world.can_sign_in(account, reading)
        {
            reached.accounts.insert(account_name(account));
        }
    }
}
