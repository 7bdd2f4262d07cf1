//! The facts of a random world.

use super::dice::Dice;
use super::{reads, secrets};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use lastkey_contract::facts::*;
use lastkey_contract::{AccountId, EntitlementId, Fingerprint, IdentityId, SystemName, When};
use lastkey_engine::access::Snapshot;
use lastkey_engine::lifecycle::Basis;

pub const SYSTEMS: [&str; 4] = ["ad", "aws", "pg", "vault"];
/// Entitlements share ids with accounts on purpose: a principal is kind, system and id.
const ACCOUNTS: [&str; 4] = ["x0", "x1", "x2", "x3"];
const ENTITLEMENTS: [&str; 4] = ["x0", "e1", "e2", "e3"];
pub const CREDENTIALS: [&str; 4] = ["c0", "c1", "c2", "x0"];
pub const PATHS: [&str; 3] = ["/l0", "/l1", "/l2"];
pub const FINGERPRINTS: [&str; 5] = ["k:f0", "k:f0", "k:f1", "k:f1", ""];
pub const ENVIRONMENTS: [&str; 4] = ["production", "Prod", "test", "pre-production"];

/// T in every random world.
pub fn event_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 1, 0, 0, 0).unwrap()
}

/// A random snapshot and one of its identities, who leaves. Its rows are `size` times as many.
pub fn snapshot(dice: &mut Dice, size: usize) -> (Snapshot, IdentityId) {
    let mut world = Snapshot::default();
    let count = dice.between(1, 4);
    for number in 0..count {
        world.identities.push(identity(dice, number, count));
    }
    let leaver = dice.pick(&world.identities).id;
    for _ in 0..size * dice.between(1, 6) {
        let next = account(dice, &world, &leaver);
        if !world
            .accounts
            .iter()
            .any(|a| (&a.system, &a.id) == (&next.system, &next.id))
        {
            world.accounts.push(next);
        }
    }
    sign_in_through(dice, &mut world);
    for _ in 0..size * dice.between(0, 5) {
        let next = entitlement(dice);
        if !world
            .entitlements
            .iter()
            .any(|e| (&e.system, &e.id) == (&next.system, &next.id))
        {
            world.entitlements.push(next);
        }
    }
    for _ in 0..size * dice.between(0, 7) {
        let next = secrets::credential(dice, &world, &leaver);
        if !world
            .credentials
            .iter()
            .any(|c| (&c.system, &c.id) == (&next.system, &next.id))
        {
            world.credentials.push(next);
        }
    }
    for _ in 0..size * dice.between(0, 9) {
        let next = grant(dice, &world);
        world.grants.push(next);
    }
    for _ in 0..size * dice.between(0, 7) {
        let next = secrets::location(dice, &world);
        world.locations.push(next);
    }
    for _ in 0..size * dice.between(0, 8) {
        let next = secrets::reader(dice, &world);
        world.readers.push(next);
    }
    for _ in 0..size * dice.between(0, 3) {
        let next = control(dice, &world);
        world.controls.push(next);
    }
    for _ in 0..size * dice.between(0, 4) {
        let next = secrets::owner(dice, &world, &leaver);
        match dice.chance(35) {
            true => world.attested_owners.push(next),
            false => world.owners.push(next),
        }
    }
    for account in &world.accounts {
        if dice.chance(15) {
            let name = (account.system.clone(), account.id.clone());
            let basis = dice.pick(&[Basis::Attested, Basis::Assumed]);
            world.inferred.insert(name, basis);
        }
    }
    repeat_rows(dice, &mut world);
    secrets::forget(dice, &mut world);
    world.reads = reads::reads(dice);
    (world, leaver)
}

pub fn system(dice: &mut Dice) -> SystemName {
    SystemName::from(dice.pick(&SYSTEMS))
}

/// A moment or a day near the event: before, exactly at, after.
fn near(dice: &mut Dice) -> When {
    let at = event_time();
    let day = TimeDelta::days(1);
    let seconds = [
        1, -86_400, -1, 0, 0, 1, 300, 900, 3_600, 28_800, 86_400, 259_200, 2_592_000,
    ];
    if dice.chance(30) {
        // until T exactly, from T on, around T, later
        let from = at + TimeDelta::hours(dice.pick(&[-24, 0, -12, 48]));
        When::Day {
            from,
            until: from + day,
        }
    } else {
        When::At(at + TimeDelta::seconds(dice.pick(&seconds)))
    }
}

pub fn maybe_near(dice: &mut Dice, percent: usize) -> Option<When> {
    if dice.chance(percent) {
        Some(near(dice))
    } else {
        None
    }
}

/// Mostly yes, sometimes not known, sometimes no.
pub fn mostly(dice: &mut Dice) -> Option<bool> {
    match dice.between(0, 9) {
        0 => Some(false),
        1 | 2 => None,
        _ => Some(true),
    }
}

fn identity(dice: &mut Dice, number: usize, count: usize) -> Identity {
    use IdentityKind::{Agent, Person, Vendor, Workload};
    Identity {
        id: IdentityId::new(format!("p{number}")),
        kind: dice.pick(&[Person, Person, Vendor, Vendor, Workload, Agent]),
        display_name: None,
        email: None,
        status: Some(IdentityStatus::Active),
        department: None,
        title: None,
        manager_id: None,
        // also to persons, to itself, and to nobody known
        employer_id: if dice.chance(45) {
            Some(IdentityId::new(format!("p{}", dice.between(0, count))))
        } else {
            None
        },
        location: None,
        start_date: None,
        end_date: None,
        leaver_kind: dice.maybe(60, &[LeaverKind::Voluntary, LeaverKind::Involuntary]),
        purpose: None,
        allowed_tools: None,
        attributes: Attributes::new(),
    }
}

fn account(dice: &mut Dice, world: &Snapshot, leaver: &IdentityId) -> Account {
    use AccountKind::{Human, Service, Shared, System};
    Account {
        system: system(dice),
        id: AccountId::from(dice.pick(&ACCOUNTS)),
        name: None,
        kind: dice.maybe(80, &[Human, Human, Service, Shared, System]),
        identity_id: match dice.between(0, 9) {
            0..=4 => Some(leaver.clone()),
            5 | 6 => Some(dice.pick(&world.identities).id),
            7 => Some(IdentityId::from("nobody")),
            _ => None,
        },
        email: None,
        enabled: mostly(dice),
        local_sign_in: mostly(dice),
        signs_in_through_system: None,
        signs_in_through_id: None,
        mfa: None,
        privileged: dice.maybe(50, &[true, false]),
        environment: dice.maybe(30, &ENVIRONMENTS).map(str::to_owned),
        created_at: None,
        created_by: None,
        last_used_at: None,
        last_interactive_at: None,
        disabled_at: None,
        expires_at: maybe_near(dice, 22),
        attributes: Attributes::new(),
    }
}

/// Lets accounts sign in through others: chains, cycles, themselves, nobody known.
fn sign_in_through(dice: &mut Dice, world: &mut Snapshot) {
    let targets: Vec<(SystemName, AccountId)> = world
        .accounts
        .iter()
        .map(|a| (a.system.clone(), a.id.clone()))
        .collect();
    for account in &mut world.accounts {
        if dice.chance(30) {
            account.local_sign_in = Some(false);
        }
        if account.local_sign_in == Some(false) && dice.chance(85) || dice.chance(10) {
            let (system, id) = if dice.chance(92) {
                dice.pick(&targets)
            } else {
                (SystemName::from("ad"), AccountId::from("missing"))
            };
            // the same system may be left empty
            account.signs_in_through_system = if system == account.system && dice.chance(60) {
                None
            } else {
                Some(system)
            };
            account.signs_in_through_id = Some(id);
        }
    }
}

fn entitlement(dice: &mut Dice) -> Entitlement {
    Entitlement {
        system: system(dice),
        id: EntitlementId::from(dice.pick(&ENTITLEMENTS)),
        name: None,
        kind: Some(EntitlementKind::Group),
        privileged: dice.maybe(50, &[true, false]),
        environment: dice.maybe(30, &ENVIRONMENTS).map(str::to_owned),
        attributes: Attributes::new(),
    }
}

/// A principal: mostly an account or entitlement that exists, sometimes one only named here.
pub fn principal(dice: &mut Dice, world: &Snapshot) -> Principal {
    let account = world.entitlements.is_empty() || dice.chance(50);
    let known = dice.chance(94);
    let (kind, (system, id)) = if account {
        let known_ids: Vec<_> = world
            .accounts
            .iter()
            .map(|a| (a.system.clone(), a.id.to_string()))
            .collect();
        let any = (system(dice), dice.pick(&ACCOUNTS).to_owned());
        (
            PrincipalType::Account,
            if known { dice.pick(&known_ids) } else { any },
        )
    } else {
        let known_ids: Vec<_> = world
            .entitlements
            .iter()
            .map(|e| (e.system.clone(), e.id.to_string()))
            .collect();
        let any = (system(dice), dice.pick(&ENTITLEMENTS).to_owned());
        (
            PrincipalType::Entitlement,
            if known { dice.pick(&known_ids) } else { any },
        )
    };
    Principal { kind, system, id }
}

fn grant(dice: &mut Dice, world: &Snapshot) -> Grant {
    let known = dice.maybe(93, &world_entitlements(world));
    let any = (system(dice), EntitlementId::from(dice.pick(&ENTITLEMENTS)));
    let (system, entitlement_id) = known.unwrap_or(any);
    Grant {
        system,
        entitlement_id,
        principal: principal(dice, world),
        assignment: dice.maybe(60, &[Assignment::Active, Assignment::Eligible]),
        granted_at: None,
        granted_by: None,
        approved_by: None,
        ticket: None,
        reason: None,
        last_used_at: None,
        expires_at: maybe_near(dice, 22),
        attributes: Attributes::new(),
    }
}

fn world_entitlements(world: &Snapshot) -> Vec<(SystemName, EntitlementId)> {
    let mut known: Vec<_> = world
        .entitlements
        .iter()
        .map(|e| (e.system.clone(), e.id.clone()))
        .collect();
    if known.is_empty() {
        known.push((SystemName::from("ad"), EntitlementId::from("e1")));
    }
    known
}

fn control(dice: &mut Dice, world: &Snapshot) -> Control {
    let (system, account_id) = if dice.chance(93) {
        let account = dice.pick(&world.accounts);
        (account.system, account.id)
    } else {
        (system(dice), AccountId::from("missing"))
    };
    Control {
        system,
        account_id,
        principal: principal(dice, world),
        means: dice.pick(&[ControlMeans::ResetPassword, ControlMeans::Assume]),
        attributes: Attributes::new(),
    }
}

/// Grants, readers, controls and locations may repeat a pair, perhaps with another expiry.
fn repeat_rows(dice: &mut Dice, world: &mut Snapshot) {
    if !world.grants.is_empty() && dice.chance(25) {
        let mut again = dice.pick(&world.grants);
        again.expires_at = maybe_near(dice, 50);
        world.grants.push(again);
    }
    if !world.readers.is_empty() && dice.chance(12) {
        let again = dice.pick(&world.readers);
        world.readers.push(again);
    }
    if !world.controls.is_empty() && dice.chance(12) {
        let mut again = dice.pick(&world.controls);
        again.means = ControlMeans::Impersonate;
        world.controls.push(again);
    }
    if !world.locations.is_empty() && dice.chance(25) {
        let mut again = dice.pick(&world.locations);
        again.fingerprint = dice.maybe(80, &FINGERPRINTS).map(Fingerprint::from);
        world.locations.push(again);
    }
}
