//! A proof, by type, that something is made of values and of nothing else: no connection, no file,
//! no handle on anything that could act outside.
//!
//! Whatever is only values says so of each of its fields, which are taken apart one by one: a field
//! that holds anything else does not compile. Promises nothing of code, which can call what it
//! likes; only of what it is handed.

use crate::access::ReadState;
use crate::access::columns::{Column, Rows, Texts};
use crate::access::graph::{
    AccountRow, CredentialRow, EntitlementRow, GrantRow, Graph, IdentityRow, LocationRow, LooseEnd,
    OwnerLine, Terms,
};
use crate::correlate::Employment;
use crate::lifecycle::{Basis, Closing};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{
    ControlMeans, Identity, IdentityKind, IdentityStatus, LeaverKind, ObjectType,
};
use lastkey_contract::{IdentityId, Kind, SourceName, SystemName, When};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Made of values and of nothing else.
pub trait OnlyValues {
    /// Takes it apart; each part has to be only values, too.
    #[doc(hidden)]
    fn parts(&self) {}
}

/// Compiles for what is only values.
pub fn only_values<T: OnlyValues + ?Sized>(_: &T) {}

/// What is copied bit by bit: it has nothing that would have to be closed. What it is, its list says.
macro_rules! bits {
    ($($name:ty),+ $(,)?) => {$(
        impl OnlyValues for $name {
            fn parts(&self) {
                fn is_copied<T: Copy + 'static>(_: &T) {}
                is_copied(self);
            }
        }
    )+};
}

/// What is taken apart: its fields, all of them.
macro_rules! only_values_of {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {$(
        impl $crate::only_values::OnlyValues for $name {
            fn parts(&self) {
                let $name { $($field),+ } = self;
                $($crate::only_values::only_values($field);)+
            }
        }
    )+};
}
pub(crate) use only_values_of;

bits!(
    u8,
    u32,
    u64,
    usize,
    i64,
    bool,
    DateTime<Utc>,
    When,
    Kind,
    Basis,
    Closing,
    Terms,
    LooseEnd,
    OwnerLine,
    IdentityRow,
    AccountRow,
    EntitlementRow,
    CredentialRow,
    LocationRow,
    GrantRow,
    ControlMeans,
    IdentityKind,
    IdentityStatus,
    LeaverKind,
    ObjectType,
);

/// What can be written down and read back whole.
macro_rules! written {
    ($($name:ty),+ $(,)?) => {$(
        impl OnlyValues for $name {
            fn parts(&self) {
                fn is_written<T: Serialize + DeserializeOwned>(_: &T) {}
                is_written(self);
            }
        }
    )+};
}

written!(ReadState, Identity);

// Texts, of which the contract's ids are no more than names.
impl OnlyValues for str {}
impl OnlyValues for String {}
impl OnlyValues for IdentityId {}
impl OnlyValues for SourceName {}
impl OnlyValues for SystemName {}

impl<T: OnlyValues + ?Sized> OnlyValues for &T {}
impl<T: OnlyValues + ?Sized> OnlyValues for Box<T> {}
impl<T: OnlyValues> OnlyValues for Option<T> {}
impl<T: OnlyValues> OnlyValues for Vec<T> {}
impl<T: OnlyValues> OnlyValues for BTreeSet<T> {}
impl<K: OnlyValues, V: OnlyValues> OnlyValues for BTreeMap<K, V> {}
impl<A: OnlyValues, B: OnlyValues> OnlyValues for (A, B) {}

// Vectors of these, as their own file says.
impl<T: OnlyValues> OnlyValues for Column<T> {}
impl<T: OnlyValues> OnlyValues for Rows<T> {}
impl OnlyValues for Texts {}

impl<T: OnlyValues> OnlyValues for Employment<T> {
    fn parts(&self) {
        let Employment { of, from, until } = self;
        only_values(of);
        only_values(from);
        only_values(until);
    }
}

only_values_of! {
    Graph {
        systems, system_text_order, environments, identity_ids, identities, employed, other_names,
        accounts_of, custody, owned, owner_lines, account_ids, accounts, sign_in_here, credentials_of,
        entitlement_ids, entitlements, account_grants, entitlement_grants, terms, credential_ids,
        credentials, created_by, location_ids, locations, credentials_at, places_of, secrets_at,
        same_secret, secret_places, secrets, account_reads, entitlement_reads, account_controls,
        entitlement_controls, loose, unlisted, untold, reads, never_read, maybe, undecided,
    }
}
