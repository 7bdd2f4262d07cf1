//! Makes a world that shows something smaller, as long as it still shows it.

use crate::leaver_reference::World;

/// The smallest world that a greedy removal of rows and emptying of cells comes to.
pub fn shrink(world: &World, shows: impl Fn(&World) -> bool) -> World {
    let mut smallest = world.clone();
    loop {
        let mut smaller = None;
        for candidate in candidates(&smallest) {
            if candidate != smallest && shows(&candidate) {
                smaller = Some(candidate);
                break;
            }
        }
        match smaller {
            Some(world) => smallest = world,
            None => return smallest,
        }
    }
}

/// Every world with one row fewer, then every world with one cell simpler.
pub fn candidates(world: &World) -> Vec<World> {
    let mut all = Vec::new();
    macro_rules! without_rows {
        ($part:ident.$rows:ident) => {
            for number in 0..world.$part.$rows.len() {
                let mut fewer = world.clone();
                fewer.$part.$rows.remove(number);
                all.push(fewer);
            }
        };
    }
    macro_rules! simpler {
        ($part:ident.$rows:ident: $($cell:ident = $value:expr),+ $(,)?) => {
            for number in 0..world.$part.$rows.len() {
                $({
                    let mut simple = world.clone();
                    simple.$part.$rows[number].$cell = $value;
                    all.push(simple);
                })+
            }
        };
    }
    without_rows!(snapshot.accounts);
    without_rows!(snapshot.entitlements);
    without_rows!(snapshot.grants);
    without_rows!(snapshot.credentials);
    without_rows!(snapshot.locations);
    without_rows!(snapshot.readers);
    without_rows!(snapshot.controls);
    without_rows!(snapshot.owners);
    without_rows!(snapshot.attested_owners);
    without_rows!(snapshot.reads);
    for number in 0..world.snapshot.in_doubt.forgotten.len() {
        let mut fewer = world.clone();
        fewer.snapshot.in_doubt.forgotten.remove(number);
        all.push(fewer);
    }
    without_rows!(plan.steps);
    without_rows!(plan.systems);
    without_rows!(plan.limits);
    for number in 0..world.snapshot.identities.len() {
        if world.snapshot.identities[number].id != world.leaver {
            let mut fewer = world.clone();
            fewer.snapshot.identities.remove(number);
            all.push(fewer);
        }
    }
    simpler!(snapshot.identities: employer_id = None, leaver_kind = None);
    simpler!(snapshot.accounts:
        enabled = Some(true), local_sign_in = Some(true), signs_in_through_id = None,
        signs_in_through_system = None, privileged = None, environment = None,
        expires_at = None, kind = None, identity_id = None);
    simpler!(snapshot.entitlements: privileged = None, environment = None);
    simpler!(snapshot.grants: expires_at = None, assignment = None);
    simpler!(snapshot.credentials:
        enabled = Some(true), expires_at = None, revoked_at = None, fingerprint = None,
        environment = None, account_id = None);
    simpler!(snapshot.locations: fingerprint = None, environment = None, credential_id = None);
    simpler!(snapshot.reads: gaps = Vec::new());
    simpler!(plan.steps:
        identity_kind = None, account_kind = None, leaver_kind = None, privileged = None,
        system = None, how = None);
    simpler!(plan.systems: credentials_die_with_account = None, session_lifetime = None);
    simpler!(plan.limits:
        identity_kind = None, leaver_kind = None, privileged = None, system = None);
    all
}
