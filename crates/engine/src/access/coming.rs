//! What comes into a graph in the making; what it names is named by number.

use super::graph::{AccountRow, CredentialRow};
use crate::lifecycle::Basis;
use lastkey_contract::facts::{LocationKind, ObjectType, OwnerRole};

/// The number of a name.
pub(crate) type Number = i64;

/// An account as it comes; what it names is named by number.
#[derive(Clone, Copy)]
pub(crate) struct NewAccount {
    /// `system`, `identity` and `through` are filled in here.
    pub row: AccountRow,
    pub through: Option<Number>,
    /// What whoever makes the graph knows the account by.
    pub origin: i64,
}

/// A credential as it comes.
pub(crate) struct NewCredential<'t> {
    /// `system`, `account` and `secret` are filled in here.
    pub row: CredentialRow,
    pub account: Option<Number>,
    pub fingerprint: Option<&'t str>,
    pub created_by: Option<&'t str>,
}

/// What stands at a location.
pub(crate) struct NewLocation<'t> {
    pub kind: Option<LocationKind>,
    pub environment: u32,
    pub production: bool,
    /// The credential that its line names, and the row of its system.
    pub credential: Option<(Number, u32)>,
    pub fingerprint: Option<&'t str>,
}

/// Who answers for what.
pub(crate) struct NewOwner {
    pub object_type: ObjectType,
    pub object: Number,
    /// The row of the object's system.
    pub system: u32,
    pub owner: Number,
    pub role: OwnerRole,
    /// Attested where it is only what somebody confirmed.
    pub basis: Basis,
}
