//! A sealed snapshot: everything the engine may know about the world at one moment, as plain values.
//!
//! No connection is reachable from it. Whoever makes one (store, test, flat files) has
//! resolved accounts to identities already.

use super::doubtful::PerhapsOne;
use super::forgotten::ForgottenPrint;
use crate::correlate::Employment;
use crate::lifecycle::Basis;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::{
    Account, Control, Credential, Entitlement, Grant, Identity, Location, Owner, Reader,
};
use lastkey_contract::{AccountId, IdentityId, Kind, SourceName, SystemName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The facts of one moment and how completely they were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Ids are unique here: bare where only one source has the id, else `source:id`.
    pub identities: Vec<Identity>,
    /// Whom identities of several records work for, where that changes in time; who is not here
    /// works for their `employer_id` always.
    pub employers: BTreeMap<IdentityId, Vec<Employment<IdentityId>>>,
    /// `identity_id` is the identity of this snapshot that correlation found, or none.
    pub accounts: Vec<Account>,
    /// What other records of people call them, where that is not the name that goes first.
    pub other_names: BTreeSet<(IdentityId, String)>,
    pub entitlements: Vec<Entitlement>,
    pub grants: Vec<Grant>,
    pub credentials: Vec<Credential>,
    pub locations: Vec<Location>,
    pub readers: Vec<Reader>,
    pub controls: Vec<Control>,
    /// What sources say.
    pub owners: Vec<Owner>,
    /// What somebody confirmed.
    pub attested_owners: Vec<Owner>,
    /// Those of whom somebody confirmed whoever had the id before.
    pub doubted_owners: Vec<Owner>,
    /// One entry per source and kind.
    pub reads: Vec<ReadState>,
    /// Sources that were added and not read once: what they hold nobody knows.
    pub never_read: Vec<SourceName>,
    /// How it is known whose an account is, where the system does not say so itself.
    pub inferred: BTreeMap<(SystemName, AccountId), Basis>,
    /// Accounts without an identity: several would fit, or no source lists whose it is.
    pub ambiguous: Vec<AmbiguousAccount>,
    /// Accounts that no rule and no decision leads anywhere.
    pub unmatched: BTreeMap<(SystemName, AccountId), Unmatched>,
    pub in_doubt: InDoubt,
}

/// What could concern an identity as well as another, beside accounts, and is counted as nobody's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InDoubt {
    /// Whom identities may work for: the employer, and who may work there.
    pub employers: Vec<(IdentityId, Employment<IdentityId>)>,
    /// Credentials that identities could have in custody.
    pub custody: Vec<(IdentityId, SystemName, String)>,
    /// Credentials, `system:id`, that were of an account of identities, and name none now that is listed.
    pub named_before: Vec<(IdentityId, String)>,
    /// Records (`source:id`) that no source lists now, by whom they worked for when they were listed.
    pub worked_for: Vec<(IdentityId, String)>,
    /// Persons, by whom a record of theirs worked for that no source lists now.
    pub worked_for_before: Vec<(IdentityId, IdentityId)>,
    /// What else is not known of a vendor's people: a sentence each.
    pub at_exit: Vec<(IdentityId, String)>,
    /// People who name an employer whom nobody lists, by the number of its writing.
    pub near_employer: Vec<(u64, IdentityId)>,
    /// Credentials, `system:id`, in the custody of somebody whom nobody lists, by the number of their
    /// writing.
    pub near_custody: Vec<(u64, String)>,
    /// Records that no source lists now, `source:id`, with a credential, `system:id`, in custody.
    pub custody_left: Vec<(String, String)>,
    pub persons: Vec<PerhapsOne<IdentityId>>,
    /// Fingerprints that sources told once and tell no more.
    pub forgotten: Vec<ForgottenPrint>,
}

/// An account that is, or could be, of these identities, and is not counted as any listed one's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmbiguousAccount {
    pub system: SystemName,
    pub id: AccountId,
    pub candidates: Vec<IdentityId>,
    /// `source:id` of records that no source lists now; with no candidate beside, it stayed with
    /// them.
    pub gone: Vec<IdentityId>,
}

/// What is said of an account that no rule and no decision leads anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmatched {
    /// What each source that tells of it calls it.
    pub names: BTreeSet<String>,
    /// The identity that its system names.
    pub identity: Option<IdentityId>,
}

/// How completely one source's objects of one kind were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadState {
    pub source: SourceName,
    pub kind: Kind,
    /// The systems whose objects of this kind the source carries (none for identities).
    pub systems: Vec<SystemName>,
    /// Whether the source only adds to what others have, and speaks for nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supplement: bool,
    /// When the last complete read began; None if there never was one.
    pub complete_at: Option<DateTime<Utc>>,
    /// Why the latest read is not complete; empty if it is.
    pub gaps: Vec<String>,
    /// Whether the source was removed; of these systems no other one tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// How old a complete read of this source may be, where the source says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_for_seconds: Option<u64>,
}

impl ReadState {
    /// Whether it has objects of a system.
    pub fn is_of(&self, system: &str) -> bool {
        self.systems.iter().any(|name| name.as_str() == system)
    }

    /// How old a complete read may be: the source's own word, or else this limit.
    pub fn limit(&self, otherwise: TimeDelta) -> TimeDelta {
        self.fresh_for_seconds
            .and_then(|seconds| TimeDelta::try_seconds(i64::try_from(seconds).ok()?))
            .unwrap_or(otherwise)
    }
}
