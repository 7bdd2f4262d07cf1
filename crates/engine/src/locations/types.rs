//! What screens and commands show of secrets and places. Times are RFC 3339 with Z. No value and no
//! fingerprint is among them.

use serde::Serialize;
use ts_rs::TS;

/// Places by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlaceKinds {
    #[ts(type = "number")]
    pub vault: u64,
    #[ts(type = "number")]
    pub ci: u64,
    #[ts(type = "number")]
    pub cluster: u64,
    #[ts(type = "number")]
    pub file: u64,
    /// Programs and texts for people.
    #[ts(type = "number")]
    pub code: u64,
    /// Of which no source says what they are.
    #[ts(type = "number")]
    pub other: u64,
}

/// All secrets in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretsSummary {
    /// Secrets that are told apart, and credentials among them.
    #[ts(type = "number")]
    pub secrets: u64,
    #[ts(type = "number")]
    pub credentials: u64,
    /// Values at places, and how many places there are.
    #[ts(type = "number")]
    pub values: u64,
    #[ts(type = "number")]
    pub places: u64,
    /// How many values have a fingerprint; the others can only be compared by name.
    #[ts(type = "number")]
    pub compared: u64,
    /// Secrets that stand at several places for certain, and those of which that is only suspected.
    #[ts(type = "number")]
    pub copied: u64,
    #[ts(type = "number")]
    pub suspected: u64,
    pub by_kind: PlaceKinds,
    /// Places whose secret also stands elsewhere, for certain or by suspicion.
    pub also_elsewhere: PlaceKinds,
    /// What was not read whole: a sentence each.
    pub unread: Vec<String>,
}

/// One secret in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretRow {
    /// `credential:SYSTEM:ID` or `location:SYSTEM:PATH#FIELD`: what opens it.
    pub key: String,
    pub name: String,
    /// Of its first credential; none of a value of which no credential is known.
    pub kind: Option<String>,
    /// Of its first credential, else of its first place.
    pub system: String,
    /// The accounts that it opens, the first three, and how many there are.
    pub opens: Vec<SecretAccount>,
    #[ts(type = "number")]
    pub opens_count: u64,
    /// Who answers for it, the first.
    pub owner: Option<SecretOwner>,
    /// Since when the value is known to be this one.
    pub since: Option<String>,
    pub rotated_at: Option<String>,
    pub last_used_at: Option<String>,
    pub expires_at: Option<String>,
    /// Where it stands for certain, and where it is suspected to.
    pub places: PlaceKinds,
    pub suspected: PlaceKinds,
    #[ts(type = "number")]
    pub place_count: u64,
    #[ts(type = "number")]
    pub suspected_count: u64,
    /// Accounts that can read it where it stands for certain, and those of them whose identity left.
    #[ts(type = "number")]
    pub readers: u64,
    #[ts(type = "number")]
    pub readers_left: u64,
    /// Whether everything that says who reads was read whole; there may be more readers else.
    pub readers_whole: bool,
    /// How the identity that was asked for comes by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub way: Option<SecretWay>,
}

/// How an identity comes by a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretWay {
    /// One shortest path, as rehearsals have it.
    pub path: Vec<String>,
    /// Whether the path works now; else their accounts are closed, and memberships that they still
    /// have led there.
    pub now: bool,
    /// Whether what they read is this secret for certain.
    pub certain: bool,
}

/// An account, with whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretAccount {
    pub system: String,
    pub id: String,
    pub name: Option<String>,
    pub identity: Option<String>,
    pub identity_name: Option<String>,
    /// Whether a credential that is this secret for certain opens it.
    pub certain: bool,
    /// Whether the credential works now: it is valid, and does not die with a closed account.
    pub works: bool,
}

/// Who answers for a secret, a place of it, or the account that it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretOwner {
    /// `credential:SYSTEM:ID` and the like: of what.
    pub object: String,
    pub id: String,
    pub name: Option<String>,
    pub role: String,
    pub basis: crate::lifecycle::Basis,
    pub left: bool,
}

/// A credential that is a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretCredential {
    pub system: String,
    pub id: String,
    pub name: Option<String>,
    pub kind: String,
    pub account: Option<String>,
    pub created_at: Option<String>,
    pub rotated_at: Option<String>,
    pub last_used_at: Option<String>,
    pub expires_at: Option<String>,
    /// Enabled, not expired, not revoked; unknown counts as yes.
    pub valid: bool,
}

/// A place where a secret stands, or is suspected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretPlace {
    /// `location:SYSTEM:PATH#FIELD`.
    pub key: String,
    /// The secret that stands there: what opens it.
    pub secret: String,
    pub system: String,
    pub path: String,
    pub field: Option<String>,
    pub kind: Option<String>,
    pub environment: Option<String>,
    pub since: Option<String>,
    pub rotated_at: Option<String>,
    /// `fingerprint`, `named`, `same_name`, `other_value`, or `alone` where nothing is compared.
    pub how: String,
    /// The same in words.
    pub how_words: String,
    pub certain: bool,
    /// Whether a source tells a fingerprint of it.
    pub compared: bool,
    /// How many other places have its secret: for certain, and by suspicion.
    #[ts(type = "number")]
    pub elsewhere: u64,
    #[ts(type = "number")]
    pub suspected_elsewhere: u64,
    #[ts(type = "number")]
    pub readers: u64,
    #[ts(type = "number")]
    pub readers_left: u64,
    /// What was not read whole of who reads it: there may be more.
    pub unread: Vec<String>,
}

/// All that is known of one secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SecretDetail {
    pub row: SecretRow,
    pub credentials: Vec<SecretCredential>,
    /// The first 200; their counts are the row's.
    pub places: Vec<SecretPlace>,
    pub suspected: Vec<SecretPlace>,
    pub owners: Vec<SecretOwner>,
    /// All accounts that it opens, and those that it is suspected to open.
    pub opens: Vec<SecretAccount>,
    /// What is not known: a sentence each.
    pub not_known: Vec<String>,
}

/// An account that can read a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlaceReader {
    pub system: String,
    pub account: String,
    pub account_name: Option<String>,
    pub identity: Option<String>,
    pub identity_name: Option<String>,
    pub left: bool,
    /// Whether the account can be signed in to now.
    pub works: bool,
    /// `entitlement system:id` on the way to the place, the nearest to the account first.
    pub through: Vec<String>,
    /// The place, `system:path`.
    pub place: String,
}
