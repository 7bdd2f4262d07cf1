//! The secrets of a random world: credentials, where they stand, who reads and keeps them.

use super::dice::Dice;
use super::facts::{
    CREDENTIALS, ENVIRONMENTS, FINGERPRINTS, PATHS, maybe_near, mostly, principal, system,
};
use lastkey_contract::facts::*;
use lastkey_contract::{
    AccountId, CredentialId, Fingerprint, IdentityId, LocationPath, SystemName,
};
use lastkey_engine::access::{ForgottenPrint, Printed, Snapshot};

pub fn credential(dice: &mut Dice, world: &Snapshot, leaver: &IdentityId) -> Credential {
    use CredentialKind::{AccessKey, ApiKey, Certificate, Password, SshKey, Token};
    let mut account = dice.pick(&world.accounts);
    if account.identity_id.as_ref() == Some(leaver) && dice.chance(60) {
        account = dice.pick(&world.accounts); // more secrets of others, which can be rotated
    }
    let (system, account_id) = match dice.between(0, 19) {
        0 | 1 => (system(dice), None),
        2 => (system(dice), Some(AccountId::from("missing"))),
        3 => (system(dice), Some(account.id)), // perhaps of a system without such an account
        _ => (account.system, Some(account.id)),
    };
    Credential {
        system,
        id: CredentialId::from(dice.pick(&CREDENTIALS)),
        kind: dice.pick(&[
            Password,
            Password,
            Token,
            Token,
            AccessKey,
            ApiKey,
            Certificate,
            SshKey,
        ]),
        account_id,
        name: None,
        enabled: mostly(dice),
        environment: dice.maybe(30, &ENVIRONMENTS).map(str::to_owned),
        created_at: None,
        created_by: None,
        rotated_at: None,
        revoked_at: maybe_near(dice, 12),
        expires_at: maybe_near(dice, 20),
        last_used_at: None,
        fingerprint: dice.maybe(60, &FINGERPRINTS).map(Fingerprint::from),
        attributes: Attributes::new(),
    }
}

pub fn location(dice: &mut Dice, world: &Snapshot) -> Location {
    let place = system(dice);
    let by_id = dice.chance(75);
    let (credential_system, credential_id) = match dice.maybe(85, &world.credentials_or_none()) {
        Some(Some(credential)) if by_id => (Some(credential.system), Some(credential.id)),
        Some(_) | None if by_id => (
            Some(system(dice)),
            Some(CredentialId::from(dice.pick(&CREDENTIALS))),
        ),
        Some(_) | None => (dice.maybe(20, &[SystemName::from("ad")]), None),
    };
    let empty = credential_system.as_ref() == Some(&place) && dice.chance(60) || dice.chance(10);
    Location {
        system: place,
        path: LocationPath::from(dice.pick(&PATHS)),
        credential_system: if empty { None } else { credential_system },
        credential_id,
        kind: Some(LocationKind::Vault),
        environment: dice.maybe(30, &ENVIRONMENTS).map(str::to_owned),
        fingerprint: dice
            .maybe(if by_id { 25 } else { 95 }, &FINGERPRINTS)
            .map(Fingerprint::from),
        last_rotated_at: None,
        attributes: Attributes::new(),
    }
}

/// Sometimes a source has told a fingerprint that it tells no more: of a credential that has none now,
/// or of a place.
pub fn forget(dice: &mut Dice, world: &mut Snapshot) {
    if !dice.chance(25) {
        return;
    }
    for _ in 0..dice.between(1, 3) {
        let fingerprint = Fingerprint::from(dice.pick(&FINGERPRINTS));
        if fingerprint.as_str().is_empty() {
            continue;
        }
        let of = if dice.chance(60) && !world.credentials.is_empty() {
            let number = dice.between(0, world.credentials.len() - 1);
            let credential = &mut world.credentials[number];
            credential.fingerprint = None;
            Printed::Credential(credential.system.clone(), credential.id.clone())
        } else {
            Printed::Location(system(dice), LocationPath::from(dice.pick(&PATHS)))
        };
        let print = ForgottenPrint { of, fingerprint };
        world.in_doubt.forgotten.push(print);
    }
}

trait Credentials {
    fn credentials_or_none(&self) -> Vec<Option<Credential>>;
}
impl Credentials for Snapshot {
    /// Never empty, so that one can be picked.
    fn credentials_or_none(&self) -> Vec<Option<Credential>> {
        if self.credentials.is_empty() {
            return vec![None];
        }
        self.credentials.iter().cloned().map(Some).collect()
    }
}

pub fn reader(dice: &mut Dice, world: &Snapshot) -> Reader {
    let known = !world.locations.is_empty() && dice.chance(90);
    let (system, path) = if known {
        let location = dice.pick(&world.locations);
        (location.system, location.path)
    } else {
        (system(dice), LocationPath::from(dice.pick(&PATHS)))
    };
    Reader {
        system,
        path,
        principal: principal(dice, world),
        attributes: Attributes::new(),
    }
}

pub fn owner(dice: &mut Dice, world: &Snapshot, leaver: &IdentityId) -> Owner {
    let (system, object_id) = match dice.pick(&world.credentials_or_none()) {
        Some(credential) if dice.chance(90) => (Some(credential.system), credential.id.to_string()),
        Some(_) | None => (dice.maybe(70, &[SystemName::from("ad")]), "c0".to_owned()),
    };
    Owner {
        object_type: if dice.chance(85) {
            ObjectType::Credential
        } else {
            ObjectType::Account
        },
        system,
        object_id,
        owner_id: if dice.chance(65) {
            leaver.clone()
        } else {
            dice.pick(&world.identities).id
        },
        role: if dice.chance(80) {
            OwnerRole::Custodian
        } else {
            OwnerRole::Technical
        },
        attributes: Attributes::new(),
    }
}
