//! Who left, when, and what they held: what is measured.

use super::claims::Claim;
use super::probed::Probed;
use super::reads::Told;
use chrono::{DateTime, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::{
    AccountKind, CredentialKind, IdentityKind, LeaverKind, LifecycleEvent,
};
use serde::{Serialize, Serializer};

/// A past event after which access is to be closed.
#[derive(Clone, Debug)]
pub struct Left {
    /// `source:id` of the record.
    pub identity: String,
    pub name: Option<String>,
    pub event: LifecycleEvent,
    pub kind: Option<IdentityKind>,
    pub leaver_kind: Option<LeaverKind>,
    /// None where nothing says that it was not earlier.
    pub earliest: Option<DateTime<Utc>>,
    pub latest: DateTime<Utc>,
    /// Marks of the event, such as that the source of truth has not marked the leaver.
    pub marks: Vec<String>,
    /// When they came back before, and after: what lies beyond is of another time.
    pub since: Option<DateTime<Utc>>,
    pub back: Option<DateTime<Utc>>,
    /// By when they were back at the latest.
    pub back_by: Option<DateTime<Utc>>,
    pub held: Vec<Held>,
    pub claims: Vec<Claim>,
    /// The start of the last complete read of claims.
    pub claims_read: Option<DateTime<Utc>>,
    /// What would have to be known to say that everything was closed in time.
    pub missing: Vec<String>,
}

/// System and id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Names {
    pub system: String,
    pub id: String,
}

impl Names {
    pub fn new(system: &str, id: &str) -> Names {
        Names {
            system: system.to_owned(),
            id: id.to_owned(),
        }
    }
}

impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.system, self.id)
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What kind of thing is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeldKind {
    /// Signing in to it.
    Account,
    Credential,
    Session,
    /// By a grant to the account itself.
    Entitlement,
    /// By a reader line that names the account itself.
    Location,
    /// Another's account, by a control line that names the account itself.
    Control,
}

impl HeldKind {
    pub const ALL: [HeldKind; 6] = [
        HeldKind::Account,
        HeldKind::Credential,
        HeldKind::Session,
        HeldKind::Entitlement,
        HeldKind::Location,
        HeldKind::Control,
    ];

    pub fn word(self) -> &'static str {
        match self {
            HeldKind::Account => "account",
            HeldKind::Credential => "credential",
            HeldKind::Session => "session",
            HeldKind::Entitlement => "entitlement",
            HeldKind::Location => "location",
            HeldKind::Control => "control",
        }
    }

    /// What is usable only by way of the account.
    pub(super) fn is_line(self) -> bool {
        match self {
            HeldKind::Entitlement | HeldKind::Location | HeldKind::Control => true,
            HeldKind::Account | HeldKind::Credential | HeldKind::Session => false,
        }
    }
}

impl Serialize for HeldKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

/// One thing that they held, with all that reads tell of it.
#[derive(Clone, Debug)]
pub struct Held {
    pub kind: HeldKind,
    pub names: Names,
    /// What people call it, where that is not its id.
    pub name: Option<String>,
    /// The account that it belongs to; of an account none.
    pub on_account: Option<Names>,
    /// Of a credential.
    pub credential: Option<CredentialKind>,
    /// Of an account.
    pub account: Option<AccountKind>,
    /// Its own flag, or that of an entitlement that it leads to. None is not known.
    pub privileged: Option<bool>,
    /// Of an account without a sign-in of its own.
    pub through: Option<Names>,
    /// Since when it is there, as its system says.
    pub created: Option<When>,
    /// An entitlement that holds others, whoever has it.
    pub leads_on: bool,
    /// Not theirs: only a way to what is.
    pub beside: bool,
    /// By source.
    pub told: Vec<Told>,
    /// Tries of it, or of credentials that sign in to it, in the order of their times.
    pub tried: Vec<Probed>,
}
