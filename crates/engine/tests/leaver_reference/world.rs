//! One world: the facts, the plan, who leaves and when; and the plain questions about its rows.

use super::paths::Item;
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::{
    Account, Credential, CredentialKind, Identity, IdentityKind, Location, ObjectType, Owner,
    OwnerRole, Principal, PrincipalType,
};
use lastkey_engine::access::Snapshot;
use lastkey_engine::lifecycle::{Basis, Plan, SystemTraits};
use std::collections::BTreeSet;

/// System and id (or path), as text.
pub type Name = (String, String);

/// How the text is read: to the letter, or with one mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    ToTheLetter,
    /// Of equally short paths the first counts, however it is known.
    TiesById,
    /// Every rotation is believed.
    WithoutRotationRule,
    /// Equal secrets are taken for different ones.
    WithoutFingerprints,
    /// Every account has local sign-in.
    WithoutFederation,
    /// Nothing expires.
    WithoutExpiry,
    /// Delegated administration is overlooked.
    WithoutControls,
    /// Custodians know nothing.
    WithoutCustody,
    /// What somebody confirmed is taken for observed.
    WordForFact,
    /// Only the first row of several equal ones counts.
    WithoutRepeats,
    /// Every credential dies with its account.
    CredentialsAlwaysDie,
    /// Conditions of steps are overlooked.
    WithoutConditions,
    /// A vendor leaves without its people.
    WithoutEmployees,
    /// What is not known to be enabled is taken for disabled.
    UnknownIsDisabled,
    /// A fingerprint that is told no more frees who knew the secret by it.
    ForgottenFrees,
    /// An account that nobody lists is nobody's.
    UnlistedIsNobodys,
    /// Nothing stands where nobody tells what does.
    UntoldIsEmpty,
}

impl Reading {
    pub const MISTAKES: [Reading; 16] = [
        Reading::TiesById,
        Reading::WithoutRotationRule,
        Reading::WithoutFingerprints,
        Reading::WithoutFederation,
        Reading::WithoutExpiry,
        Reading::WithoutControls,
        Reading::WithoutCustody,
        Reading::WordForFact,
        Reading::WithoutRepeats,
        Reading::CredentialsAlwaysDie,
        Reading::WithoutConditions,
        Reading::WithoutEmployees,
        Reading::UnknownIsDisabled,
        Reading::ForgottenFrees,
        Reading::UnlistedIsNobodys,
        Reading::UntoldIsEmpty,
    ];
}

/// What the plan's steps begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    Leaving,
    /// Somebody is told to have moved; no grants are removed then.
    Move,
}

/// Everything that a rehearsal is handed.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub snapshot: Snapshot,
    pub plan: Plan,
    pub leaver: IdentityId,
    /// Who moves instead of leaving may hold these entitlements no more.
    pub lost: Option<BTreeSet<Name>>,
    /// What begins the plan, and when; None: the leaving itself does, at once.
    pub begun: Option<Vec<(Begun, DateTime<Utc>)>>,
    pub at: DateTime<Utc>,
}

pub fn name(system: impl AsRef<str>, id: impl AsRef<str>) -> Name {
    (system.as_ref().to_owned(), id.as_ref().to_owned())
}
pub fn account_name(account: &Account) -> Name {
    name(&account.system, &account.id)
}
pub fn credential_name(credential: &Credential) -> Name {
    name(&credential.system, &credential.id)
}
pub fn location_name(location: &Location) -> Name {
    name(&location.system, &location.path)
}

/// Whether a grant, reader or control line names this account as its principal.
pub fn is_account(principal: &Principal, account: &Name) -> bool {
    principal.kind == PrincipalType::Account
        && principal.system.as_str() == account.0
        && principal.id == account.1
}
/// Whether a grant, reader or control line names this entitlement as its principal.
pub fn is_entitlement(principal: &Principal, entitlement: &Name) -> bool {
    principal.kind == PrincipalType::Entitlement
        && principal.system.as_str() == entitlement.0
        && principal.id == entitlement.1
}

/// The fingerprint, where there is one that is not empty.
pub fn fingerprint(text: Option<&lastkey_contract::Fingerprint>) -> Option<&str> {
    text.map(|f| f.as_str()).filter(|f| !f.is_empty())
}

impl World {
    pub fn identity(&self, id: &str) -> Option<&Identity> {
        self.snapshot
            .identities
            .iter()
            .find(|i| i.id.as_str() == id)
    }
    pub fn account(&self, account: &Name) -> Option<&Account> {
        self.snapshot
            .accounts
            .iter()
            .find(|a| account_name(a) == *account)
    }
    pub fn credential(&self, credential: &Name) -> Option<&Credential> {
        self.snapshot
            .credentials
            .iter()
            .find(|c| credential_name(c) == *credential)
    }
    /// How it is known whose the account, or the leaver's own credential, is that a path starts with.
    pub fn whose(&self, first: Option<&Item>, own: &BTreeSet<Name>) -> Basis {
        let account = match first {
            Some(Item::Account(account)) => self.account(account),
            Some(Item::Credential(secret)) if own.contains(secret) => {
                self.credential(secret).and_then(|c| self.account_of(c))
            }
            Some(Item::Credential(_) | Item::Entitlement(..) | Item::Location(_)) | None => None,
        };
        let name = account.map(|account| (account.system.clone(), account.id.clone()));
        let inferred = name.and_then(|name| self.snapshot.inferred.get(&name));
        inferred.copied().unwrap_or(Basis::Observed)
    }
    /// The account of a credential; none where the id is empty or names no known account.
    pub fn account_of(&self, credential: &Credential) -> Option<&Account> {
        let id = credential.account_id.as_ref()?;
        self.account(&name(&credential.system, id))
    }
    /// What the plan declares about a system: of several tables the last.
    pub fn traits_of(&self, system: &str) -> Option<&SystemTraits> {
        let mut found = None;
        for table in &self.plan.systems {
            if table.name.as_str() == system {
                found = Some(table);
            }
        }
        found
    }

    /// Who leaves: the leaver, and with a vendor every identity that it employs.
    pub fn leaving_identities(&self, reading: Reading) -> BTreeSet<String> {
        let leaver = self.leaver.as_str();
        let mut leaving = BTreeSet::from([leaver.to_owned()]);
        let vendor = self
            .identity(leaver)
            .is_some_and(|i| i.kind == IdentityKind::Vendor);
        if vendor && self.lost.is_none() && reading != Reading::WithoutEmployees {
            for identity in &self.snapshot.identities {
                let works_for = match self.snapshot.employers.get(&identity.id) {
                    Some(employers) => employers.iter().find(|e| e.holds(self.at)).map(|e| &e.of),
                    None => identity.employer_id.as_ref(),
                };
                if works_for.is_some_and(|employer| employer.as_str() == leaver) {
                    leaving.insert(identity.id.as_str().to_owned());
                }
            }
        }
        leaving
    }
    /// S: the accounts of those who leave.
    pub fn leaving_accounts(&self, reading: Reading) -> BTreeSet<Name> {
        let leaving = self.leaving_identities(reading);
        let mut accounts = BTreeSet::new();
        for account in &self.snapshot.accounts {
            if let Some(identity) = &account.identity_id
                && leaving.contains(identity.as_str())
            {
                accounts.insert(account_name(account));
            }
        }
        accounts
    }
    /// The credentials of the leaving accounts.
    pub fn own_credentials(&self, reading: Reading) -> BTreeSet<Name> {
        let accounts = self.leaving_accounts(reading);
        let mut own = BTreeSet::new();
        for credential in &self.snapshot.credentials {
            if let Some(account) = self.account_of(credential)
                && accounts.contains(&account_name(account))
            {
                own.insert(credential_name(credential));
            }
        }
        own
    }
    /// The credentials for which `owners` names one who leaves as custodian.
    pub fn custody(&self, reading: Reading) -> BTreeSet<Name> {
        let mut custody = BTreeSet::new();
        if reading == Reading::WithoutCustody {
            return custody;
        }
        custody.extend(self.custody_in(&self.snapshot.owners, reading));
        custody.extend(self.custody_in(&self.snapshot.attested_owners, reading));
        custody
    }
    /// The credentials for which these lines name one who leaves as custodian.
    fn custody_in(&self, lines: &[Owner], reading: Reading) -> BTreeSet<Name> {
        let leaving = self.leaving_identities(reading);
        let mut custody = BTreeSet::new();
        for owner in lines {
            if owner.object_type == ObjectType::Credential
                && owner.role == OwnerRole::Custodian
                && leaving.contains(owner.owner_id.as_str())
                && let Some(system) = &owner.system
                && self.credential(&name(system, &owner.object_id)).is_some()
            {
                custody.insert(name(system, &owner.object_id));
            }
        }
        custody
    }
    /// How it is known that a secret is in custody: a source's word is better than somebody's.
    pub fn custody_basis(&self, secret: &Name, reading: Reading) -> Basis {
        if reading == Reading::WordForFact
            || self
                .custody_in(&self.snapshot.owners, reading)
                .contains(secret)
        {
            return Basis::Observed;
        }
        match self
            .custody_in(&self.snapshot.attested_owners, reading)
            .contains(secret)
        {
            true => Basis::Attested,
            false => Basis::Observed,
        }
    }

    fn enabled(&self, flag: Option<bool>, reading: Reading) -> bool {
        flag.unwrap_or(reading != Reading::UnknownIsDisabled)
    }
    /// Whether the account has local sign-in; unknown counts as true.
    pub fn local_sign_in(&self, account: &Account, reading: Reading) -> bool {
        reading == Reading::WithoutFederation || account.local_sign_in.unwrap_or(true)
    }
    /// The account that this one signs in through, where there is one and it is known.
    pub fn through(&self, account: &Account) -> Option<&Account> {
        let id = account.signs_in_through_id.as_ref()?;
        let system = account
            .signs_in_through_system
            .as_ref()
            .unwrap_or(&account.system);
        self.account(&name(system, id))
    }
    /// Whether the account can be signed in to at the moment of the event, before it.
    pub fn can_sign_in(&self, account: &Account, reading: Reading) -> bool {
        self.can_sign_in_unless(account, reading, &mut BTreeSet::new())
    }
    fn can_sign_in_unless(
        &self,
        account: &Account,
        reading: Reading,
        asked: &mut BTreeSet<Name>,
    ) -> bool {
        if !asked.insert(account_name(account)) {
            return false; // a cycle of sign-in-through
        }
        let expired = account.expires_at.is_some_and(|e| e.as_expiry() <= self.at)
            && reading != Reading::WithoutExpiry;
        if !self.enabled(account.enabled, reading) || expired {
            return false;
        }
        if self.local_sign_in(account, reading) {
            return true;
        }
        match self.through(account) {
            Some(through) => self.can_sign_in_unless(through, reading, asked),
            None => false,
        }
    }
    /// Whether the answer to "can it be signed in to" rests on something unknown.
    pub fn sign_in_basis(&self, account: &Account, reading: Reading) -> Basis {
        if account.enabled.is_none() || account.local_sign_in.is_none() {
            return Basis::Assumed;
        }
        if self.local_sign_in(account, reading) {
            return Basis::Observed;
        }
        match self.through(account) {
            // Only asked of accounts that can be signed in to: no cycle.
            Some(through) => self.sign_in_basis(through, reading),
            None => Basis::Observed,
        }
    }

    /// Whether a credential is valid at the moment of the event.
    pub fn is_valid(&self, credential: &Credential, reading: Reading) -> bool {
        let expired = credential
            .expires_at
            .is_some_and(|e| e.as_expiry() <= self.at)
            && reading != Reading::WithoutExpiry;
        let revoked = credential
            .revoked_at
            .is_some_and(|r| r.as_revocation() <= self.at);
        self.enabled(credential.enabled, reading) && !expired && !revoked
    }
    /// Whether a credential dies with its account. One without a known account has none to die with.
    pub fn dies_with_account(&self, credential: &Credential, reading: Reading) -> bool {
        if self.account_of(credential).is_none() {
            return false;
        }
        let declared = self
            .traits_of(credential.system.as_str())
            .and_then(|t| t.credentials_die_with_account);
        credential.kind == CredentialKind::Password
            || declared == Some(true)
            || reading == Reading::CredentialsAlwaysDie
    }
    /// Whether it is only for want of a declaration that a credential outlives its account.
    pub fn outlives_undeclared(&self, credential: &Credential) -> bool {
        let declared = self
            .traits_of(credential.system.as_str())
            .and_then(|t| t.credentials_die_with_account);
        self.account_of(credential).is_some()
            && credential.kind != CredentialKind::Password
            && declared.is_none()
    }
    /// The account that a credential opens, where it is valid and opens one.
    pub fn opens(&self, credential: &Credential, reading: Reading) -> Option<&Account> {
        let account = self.account_of(credential)?;
        let opens = self.is_valid(credential, reading)
            && (self.can_sign_in(account, reading) || !self.dies_with_account(credential, reading));
        opens.then_some(account)
    }

    /// Whether two credentials are one secret.
    pub fn equal(&self, one: &Credential, other: &Credential, reading: Reading) -> bool {
        reading != Reading::WithoutFingerprints
            && fingerprint(one.fingerprint.as_ref()).is_some()
            && fingerprint(one.fingerprint.as_ref()) == fingerprint(other.fingerprint.as_ref())
    }
    /// Whether this line says that the credential stands at its location.
    pub fn stands_at(&self, credential: &Credential, line: &Location, reading: Reading) -> bool {
        let system = line.credential_system.as_ref().unwrap_or(&line.system);
        let by_id =
            line.credential_id.as_ref() == Some(&credential.id) && *system == credential.system;
        let by_fingerprint = reading != Reading::WithoutFingerprints
            && fingerprint(line.fingerprint.as_ref()).is_some()
            && fingerprint(line.fingerprint.as_ref())
                == fingerprint(credential.fingerprint.as_ref());
        by_id || by_fingerprint
    }
    /// The locations where the credential stands.
    pub fn places_of(&self, credential: &Credential, reading: Reading) -> BTreeSet<Name> {
        let mut places = BTreeSet::new();
        for line in &self.snapshot.locations {
            if self.stands_at(credential, line, reading) {
                places.insert(location_name(line));
            }
        }
        places
    }
}
