//! Fingerprints that a source told once and tells no more: who knew a secret by one is in doubt.

use super::closing::Leaving;
use super::world::{Name, World, credential_name, fingerprint, location_name, name};
use lastkey_contract::facts::Credential;
use lastkey_engine::access::Printed;
use std::collections::BTreeSet;

/// Whether the leaver would know a secret by such a fingerprint that they are not known to know by the
/// same place, or by the same secret, now.
pub fn knew_by_what_is_forgotten(leaving: &Leaving) -> bool {
    let world = leaving.world;
    let prints = world.snapshot.in_doubt.forgotten.iter();
    let prints: BTreeSet<&str> = prints.map(|print| print.fingerprint.as_str()).collect();
    prints.into_iter().any(|print| {
        let credentials = credentials_with(world, print);
        let locations = locations_with(world, print);
        let known = credentials.iter().filter(|one| one.enabled != Some(false));
        let mut known = known.copied();
        known.any(|known| {
            let mut read = leaving.before.locations.iter();
            read.any(|place| by_place(leaving, place, known, &credentials, &locations))
                || by_secret(leaving, known, &credentials)
        })
    })
}

/// Everything that has the fingerprint, or had it.
fn credentials_with<'w>(world: &'w World, print: &str) -> Vec<&'w Credential> {
    let had = |credential: &Credential| {
        let mut forgotten = world.snapshot.in_doubt.forgotten.iter();
        forgotten.any(|one| {
            one.fingerprint.as_str() == print
                && matches!(&one.of, Printed::Credential(system, id)
                    if name(system, id) == credential_name(credential))
        })
    };
    let all = world.snapshot.credentials.iter();
    all.filter(|one| fingerprint(one.fingerprint.as_ref()) == Some(print) || had(one))
        .collect()
}

fn locations_with(world: &World, print: &str) -> BTreeSet<Name> {
    let has = world.snapshot.locations.iter();
    let has = has.filter(|line| fingerprint(line.fingerprint.as_ref()) == Some(print));
    let had = world.snapshot.in_doubt.forgotten.iter();
    let had = had.filter(|one| one.fingerprint.as_str() == print);
    let had = had.filter_map(|one| match &one.of {
        Printed::Location(system, path) => Some(name(system, path)),
        Printed::Credential(..) => None,
    });
    has.map(location_name).chain(had).collect()
}

fn by_place(
    leaving: &Leaving,
    place: &Name,
    known: &Credential,
    credentials: &[&Credential],
    locations: &BTreeSet<Name>,
) -> bool {
    let world = leaving.world;
    let stands = |one: &Credential| world.places_of(one, leaving.reading).contains(place);
    let had = locations.contains(place) || credentials.iter().any(|one| stands(one));
    let mut all = world.snapshot.credentials.iter();
    let is_known = |one: &Credential| is_same(leaving, one, known) && stands(one);
    had && !all.any(is_known)
}

fn by_secret(leaving: &Leaving, known: &Credential, credentials: &[&Credential]) -> bool {
    let own = leaving.world.own_credentials(leaving.reading);
    let custody = leaving.world.custody(leaving.reading);
    let has = |one: &Credential| {
        let name = credential_name(one);
        own.contains(&name) || custody.contains(&name)
    };
    let mut others = credentials.iter();
    others.any(|one| !is_same(leaving, one, known) && has(one))
}

fn is_same(leaving: &Leaving, one: &Credential, other: &Credential) -> bool {
    credential_name(one) == credential_name(other)
        || leaving.world.equal(one, other, leaving.reading)
}
