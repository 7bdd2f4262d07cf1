//! From a snapshot to the graph: names become numbers, and facts what `making` takes.
//!
//! An account is there once, as a snapshot has it; grants, readers, controls and locations may
//! repeat. References to nothing are legal and lead nowhere.

use super::doubtful::PerhapsOne;
use super::graph::{
    AccountRow, Activation, CredentialRow, EntitlementRow, Graph, IdentityRow, Membership, Terms,
};
use super::making::{Making, NewAccount, NewCredential, NewLocation, NewOwner, Number};
use super::maybe::Group;
use super::snapshot::{InDoubt, Snapshot};
use crate::correlate::{Employment, called, called_in_short};
use crate::lifecycle::{Basis, Closing};
use chrono::Datelike;
use lastkey_contract::facts::{
    Account, Assignment, Control, Credential, Entitlement, EntitlementKind, Grant, Identity,
    Location, ObjectType, Owner, Principal, PrincipalType, Reader,
};
use lastkey_contract::{AccountId, IdentityId, SystemName, When};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// What a name is a name of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Identity,
    Account,
    Entitlement,
    Credential,
    Location,
}

/// Numbers of names for one making. The hash has a random key; by chance two of a million names
/// have one number once in millions of makings.
struct Naming(RandomState);

impl Naming {
    fn name(&self, of: Of, system: &str, id: &str) -> Number {
        self.0.hash_one((of, system, id)).cast_signed()
    }

    fn identity(&self, id: &str) -> Number {
        self.name(Of::Identity, "", id)
    }

    fn principal(&self, principal: &Principal) -> Number {
        let of = match principal.kind {
            PrincipalType::Account => Of::Account,
            PrincipalType::Entitlement => Of::Entitlement,
        };
        self.name(of, principal.system.as_str(), &principal.id)
    }
}

impl Graph {
    /// The graph of a snapshot. Linear in its rows, but for sorting.
    pub fn build(snapshot: &Snapshot) -> Graph {
        let naming = Naming(RandomState::new());
        let mut making = Making::default();
        for fact in &snapshot.identities {
            add_identity(&mut making, &naming, fact, snapshot.employers.get(&fact.id));
        }
        for (id, name) in &snapshot.other_names {
            let identity = naming.identity(id.as_str());
            let short = called_in_short(name).into_iter();
            making
                .other_names
                .extend(short.map(|short| (identity, short)));
            let named = (identity, called(Some(name)));
            making.other_names.push(named);
        }
        for fact in &snapshot.entitlements {
            add_entitlement(&mut making, &naming, fact);
        }
        for (origin, fact) in (0..).zip(&snapshot.accounts) {
            let name = (fact.system.clone(), fact.id.clone());
            let whose = snapshot.inferred.get(&name).copied();
            let whose = whose.unwrap_or(Basis::Observed);
            add_account(&mut making, &naming, (origin, fact), whose);
        }
        for (place, origin) in making.through_unknown() {
            let fact = usize::try_from(origin).ok();
            let fact = fact.and_then(|at| snapshot.accounts.get(at));
            if let Some((system, _)) = fact.and_then(signs_in_through) {
                making.signs_in_through(place, system.as_str());
            }
        }
        for fact in &snapshot.credentials {
            add_credential(&mut making, &naming, fact);
        }
        for fact in &snapshot.locations {
            add_location(&mut making, &naming, fact);
        }
        // entitlements and locations that only other rows name count like any other
        for fact in &snapshot.grants {
            let id = fact.entitlement_id.as_str();
            let number = naming.name(Of::Entitlement, fact.system.as_str(), id);
            making.named_entitlement(number, fact.system.as_str(), id);
            named_principal(&mut making, &naming, &fact.principal);
        }
        for fact in &snapshot.readers {
            let number = naming.name(Of::Location, fact.system.as_str(), fact.path.as_str());
            making.named_location(number, fact.system.as_str(), fact.path.as_str());
            named_principal(&mut making, &naming, &fact.principal);
        }
        for fact in &snapshot.controls {
            making.system(fact.system.as_str());
            named_principal(&mut making, &naming, &fact.principal);
        }
        for fact in &snapshot.grants {
            add_grant(&mut making, &naming, fact);
        }
        for fact in &snapshot.readers {
            add_reader(&mut making, &naming, fact);
        }
        for fact in &snapshot.controls {
            add_control(&mut making, &naming, fact);
        }
        for fact in &snapshot.owners {
            add_owner(&mut making, &naming, fact, Basis::Observed);
        }
        for fact in &snapshot.attested_owners {
            add_owner(&mut making, &naming, fact, Basis::Attested);
        }
        for fact in &snapshot.doubted_owners {
            add_owner(&mut making, &naming, fact, Basis::Assumed);
        }
        add_doubts(&mut making, &naming, &snapshot.in_doubt);
        let mut graph = making.graph();
        graph.reads = snapshot.reads.clone();
        graph.never_read = snapshot.never_read.clone();
        for account in &snapshot.accounts {
            let name = (account.system.clone(), account.id.clone());
            if let Some(unmatched) = snapshot.unmatched.get(&name) {
                let account = (account.system.as_str(), account.id.as_str());
                let named = unmatched.identity.as_ref().map(IdentityId::as_str);
                graph.maybe.unmatched(account, None, named);
                for name in &unmatched.names {
                    graph.maybe.unmatched(account, Some(name), named);
                }
            }
        }
        let mut groups: HashMap<(&[IdentityId], &[IdentityId]), Group> = HashMap::new();
        for account in &snapshot.ambiguous {
            let name = format!("{}:{}", account.system, account.id);
            if account.candidates.is_empty() {
                for record in &account.gone {
                    graph.maybe.stayed(record.to_string(), name.clone());
                }
                continue;
            }
            let (candidates, gone) = (&account.candidates[..], &account.gone[..]);
            let group = *groups.entry((candidates, gone)).or_insert_with(|| {
                let texts = |ids: &[IdentityId]| -> Vec<String> {
                    ids.iter().map(ToString::to_string).collect()
                };
                graph.maybe.group(texts(candidates), texts(gone))
            });
            graph.maybe.in_group(group, name);
        }
        graph.maybe.in_order();
        graph
    }
}

fn add_identity(
    making: &mut Making,
    naming: &Naming,
    fact: &Identity,
    employers: Option<&Vec<Employment<IdentityId>>>,
) {
    let row = IdentityRow {
        kind: fact.kind,
        status: fact.status,
        leaver_kind: fact.leaver_kind,
        called: called(fact.display_name.as_deref()),
    };
    let number = |id: &IdentityId| naming.identity(id.as_str());
    let employed: Vec<Employment<Number>> = match employers {
        Some(employers) => employers.iter().map(|e| e.with(number(&e.of))).collect(),
        None => {
            let employer = fact.employer_id.as_ref();
            employer
                .map(|id| Employment::always(number(id)))
                .into_iter()
                .collect()
        }
    };
    let short = fact.display_name.as_deref().map(called_in_short);
    let short = short.into_iter().flatten();
    making
        .other_names
        .extend(short.map(|short| (number(&fact.id), short)));
    making.identity(number(&fact.id), fact.id.as_str(), row, employed);
}

fn add_doubts(making: &mut Making, naming: &Naming, in_doubt: &InDoubt) {
    let number = |id: &IdentityId| naming.identity(id.as_str());
    making.forgotten.extend(in_doubt.forgotten.iter().cloned());
    let doubtful = &mut making.doubtful;
    for (employer, one) in &in_doubt.employers {
        let one = one.with(number(&one.of));
        doubtful.employed.push((number(employer), one));
    }
    for (whose, system, credential) in &in_doubt.custody {
        let name = format!("{system}:{credential}");
        doubtful.custody.push((number(whose), name));
    }
    for (whose, credential) in &in_doubt.named_before {
        let named = (number(whose), credential.clone());
        doubtful.named_before.push(named);
    }
    let left = in_doubt.worked_for.iter();
    let left = left.map(|(employer, record)| (number(employer), record.clone()));
    doubtful.worked_for.extend(left);
    let before = in_doubt.worked_for_before.iter();
    let before = before.map(|(employer, person)| (number(employer), number(person)));
    doubtful.worked_for_before.extend(before);
    let at_exit = in_doubt.at_exit.iter();
    let at_exit = at_exit.map(|(vendor, words)| (number(vendor), words.clone()));
    doubtful.at_exit.extend(at_exit);
    let near = in_doubt.near_employer.iter();
    let near = near.map(|(written, person)| (*written, number(person)));
    doubtful.near_employer.extend(near);
    let near = in_doubt.near_custody.iter().cloned();
    doubtful.near_custody.extend(near);
    let custody = in_doubt.custody_left.iter().cloned();
    doubtful.custody_left.extend(custody);
    for PerhapsOne { records, apart } in &in_doubt.persons {
        let records = records.iter();
        let records = records.map(|(name, whose)| (name.clone(), whose.as_ref().map(number)));
        doubtful
            .persons
            .push(PerhapsOne::new(records.collect(), apart));
    }
}

/// The account of a system through which one signs in to another.
pub(crate) fn signs_in_through(fact: &Account) -> Option<(&SystemName, &AccountId)> {
    let id = fact.signs_in_through_id.as_ref()?;
    let system = fact.signs_in_through_system.as_ref();
    Some((system.unwrap_or(&fact.system), id))
}

/// The row of an account, without what it names.
pub(crate) fn account_row(making: &mut Making, fact: &Account, whose: Basis) -> AccountRow {
    AccountRow {
        expires: expiry(fact.expires_at),
        kind: fact.kind,
        enabled: fact.enabled,
        local_sign_in: fact.local_sign_in,
        privileged: fact.privileged,
        whose,
        environment: making.environment(fact.environment.as_deref()),
        ..AccountRow::unknown()
    }
}

fn add_account(
    making: &mut Making,
    naming: &Naming,
    (origin, fact): (i64, &Account),
    whose: Basis,
) {
    let system = fact.system.as_str();
    let through =
        signs_in_through(fact).map(|(at, id)| naming.name(Of::Account, at.as_str(), id.as_str()));
    let row = account_row(making, fact, whose);
    let identity = fact.identity_id.as_ref();
    making.account(
        naming.name(Of::Account, system, fact.id.as_str()),
        system,
        fact.id.as_str(),
        NewAccount {
            row,
            through,
            origin,
        },
        identity.map(|id| naming.identity(id.as_str())),
    );
}

fn add_entitlement(making: &mut Making, naming: &Naming, fact: &Entitlement) {
    let (system, id) = (fact.system.as_str(), fact.id.as_str());
    let row = EntitlementRow {
        group: fact.kind.map(membership),
        privileged: fact.privileged,
        environment: making.environment(fact.environment.as_deref()),
        ..EntitlementRow::unknown()
    };
    making.entitlement(naming.name(Of::Entitlement, system, id), system, id, row);
}

/// How one says that an entitlement of a kind is held.
pub(crate) fn membership(kind: EntitlementKind) -> Membership {
    match kind {
        EntitlementKind::Group | EntitlementKind::Team => Membership::MemberOf,
        EntitlementKind::Role
        | EntitlementKind::Policy
        | EntitlementKind::Permission
        | EntitlementKind::Scope
        | EntitlementKind::Tool
        | EntitlementKind::Trust => Membership::Holds,
    }
}

fn add_credential(making: &mut Making, naming: &Naming, fact: &Credential) {
    let (system, id) = (fact.system.as_str(), fact.id.as_str());
    let row = CredentialRow {
        enabled: fact.enabled,
        expires: expiry(fact.expires_at),
        revoked: revocation(fact.revoked_at),
        environment: making.environment(fact.environment.as_deref()),
        ..CredentialRow::of(fact.kind)
    };
    let account = fact.account_id.as_ref();
    let new = NewCredential {
        row,
        account: account.map(|id| naming.name(Of::Account, system, id.as_str())),
        fingerprint: fact.fingerprint.as_ref().map(|f| f.as_str()),
        created_by: fact.created_by.as_deref(),
    };
    making.credential(naming.name(Of::Credential, system, id), system, id, new);
}

fn add_location(making: &mut Making, naming: &Naming, fact: &Location) {
    let (system, path) = (fact.system.as_str(), fact.path.as_str());
    let credential = fact.credential_id.as_ref().map(|id| {
        let at = fact.credential_system.as_ref().unwrap_or(&fact.system);
        let number = naming.name(Of::Credential, at.as_str(), id.as_str());
        (number, making.system(at.as_str()))
    });
    let new = NewLocation {
        kind: fact.kind,
        environment: making.environment(fact.environment.as_deref()),
        production: is_production(fact.environment.as_deref()),
        credential,
        fingerprint: fact.fingerprint.as_ref().map(|f| f.as_str()),
    };
    making.location(naming.name(Of::Location, system, path), system, path, new);
}

fn named_principal(making: &mut Making, naming: &Naming, principal: &Principal) {
    let system = principal.system.as_str();
    making.system(system);
    let number = naming.principal(principal);
    match principal.kind {
        PrincipalType::Account => making.named_account(number, system),
        PrincipalType::Entitlement => {
            making.named_entitlement(number, system, &principal.id);
        }
    }
}

fn add_grant(making: &mut Making, naming: &Naming, fact: &Grant) {
    let entitlement = naming.name(
        Of::Entitlement,
        fact.system.as_str(),
        fact.entitlement_id.as_str(),
    );
    let principal = naming.principal(&fact.principal);
    making.grant(
        principal,
        entitlement,
        terms(fact.expires_at, fact.assignment),
    );
}

/// On what terms a grant is held.
pub(crate) fn terms(expires_at: Option<When>, assignment: Option<Assignment>) -> Terms {
    Terms {
        expires: expiry(expires_at),
        activation: match assignment {
            Some(Assignment::Eligible) => Activation::Eligible,
            Some(Assignment::Active) | None => Activation::Active,
        },
    }
}

fn add_reader(making: &mut Making, naming: &Naming, fact: &Reader) {
    let location = naming.name(Of::Location, fact.system.as_str(), fact.path.as_str());
    making.reader(naming.principal(&fact.principal), location);
}

fn add_control(making: &mut Making, naming: &Naming, fact: &Control) {
    let account = naming.name(Of::Account, fact.system.as_str(), fact.account_id.as_str());
    let account = (account, fact.system.as_str());
    making.control(naming.principal(&fact.principal), account, fact.means);
}

fn add_owner(making: &mut Making, naming: &Naming, fact: &Owner, basis: Basis) {
    let system = fact.system.as_ref().map_or("", |s| s.as_str());
    let of = match fact.object_type {
        ObjectType::Identity => Of::Identity,
        ObjectType::Account => Of::Account,
        ObjectType::Credential => Of::Credential,
        ObjectType::Location => Of::Location,
        ObjectType::Entitlement => Of::Entitlement,
    };
    let object = match fact.object_type {
        ObjectType::Identity => naming.identity(&fact.object_id),
        ObjectType::Account
        | ObjectType::Credential
        | ObjectType::Location
        | ObjectType::Entitlement => naming.name(of, system, &fact.object_id),
    };
    let system = making.system(system);
    making.owner(NewOwner {
        object_type: fact.object_type,
        object,
        system,
        owner: naming.identity(fact.owner_id.as_str()),
        role: fact.role,
        basis,
    });
}

/// Whether an environment is production.
pub(crate) fn is_production(environment: Option<&str>) -> bool {
    environment.is_some_and(|e| {
        let e = e.trim();
        e.eq_ignore_ascii_case("production") || e.eq_ignore_ascii_case("prod")
    })
}

/// Up to here years are a computer's beginning of time and no date: 1, 1601, 1899, 1970.
const FIRST_YEARS: i32 = 1970;

pub(crate) fn expiry(at: Option<When>) -> Closing {
    // Directories write "never" as the first moment that they can: nothing of today expired then.
    let expires = at.map(When::as_expiry).filter(|at| at.year() > FIRST_YEARS);
    expires.map_or(Closing::Never, Closing::At)
}

pub(crate) fn revocation(at: Option<When>) -> Closing {
    at.map_or(Closing::Never, |at| Closing::At(at.as_revocation()))
}
