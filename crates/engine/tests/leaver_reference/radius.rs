//! The blast radius: the reach of an identity or of a credential before any event, with paths.

use super::closing::Leaving;
use super::paths::{Item, Paths, When, paths};
use super::reach::reach;
use super::world::{Name, Reading, World};
use lastkey_engine::lifecycle::Basis;
use std::collections::BTreeSet;

/// Whose blast radius.
pub enum From {
    /// The accounts, own credentials and custody of the world's leaver alone.
    Leaver,
    /// No accounts, and this credential.
    Credential(Name),
}

/// Everything reached, each with its shortest path.
pub fn blast_radius(world: &World, from: &From) -> Paths {
    // an identity's reach is its own, also a vendor's
    let reading = Reading::WithoutEmployees;
    let (accounts, own, known) = match from {
        From::Leaver => {
            let own = world.own_credentials(reading);
            let mut known = own.clone();
            known.extend(world.custody(reading));
            (world.leaving_accounts(reading), own, known)
        }
        From::Credential(secret) => {
            let known = BTreeSet::from([secret.clone()]);
            (BTreeSet::new(), BTreeSet::new(), known)
        }
    };
    let before = reach(world, &accounts, &known, reading);
    let leaving = Leaving {
        leaver: world.identity(world.leaver.as_str()),
        world,
        reading,
        accounts,
        own,
        known,
        before,
    };
    // What is reached is told without saying how it is known.
    let found = paths(&leaving, When::Before, &|_| Basis::Observed);
    // The six rules and the walk are two readings of one text: they must reach the same.
    let by_rules = &leaving.before;
    let rules: BTreeSet<Item> = (by_rules.accounts.iter().cloned().map(Item::Account))
        .chain(by_rules.credentials.iter().cloned().map(Item::Credential))
        .chain(by_rules.locations.iter().cloned().map(Item::Location))
        .chain(
            by_rules
                .entitlements
                .iter()
                .cloned()
                .map(|(e, on)| Item::Entitlement(e, on)),
        )
        .collect();
    let walked: BTreeSet<Item> = found.keys().cloned().collect();
    assert_eq!(walked, rules, "the reference disagrees with itself");
    found
}
