//! Names as numbers: keyed 64-bit hashes of keys and references.
//!
//! References between facts are long texts, and a large directory has millions of them. The
//! store keeps their hashes, so that rows and indexes stay small; the text itself is in the
//! fact. The key of the hash is random and stands inside the encrypted file, so nobody outside
//! can make two names that collide; by chance two of a million do so once in 37 million stores.

use super::objects::UNIT;
use super::{StoreError, meta};
use lastkey_contract::facts::{Fact, ObjectType, Owner, Principal, PrincipalType};
use lastkey_contract::{AccountId, AsTheyAre, IdentityId, Kind, LocationPath, SystemName};
use siphasher::sip::SipHasher13;
use sqlx::SqliteConnection;
use std::collections::HashSet;
use std::hash::Hasher;

/// The store's key for hashing names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Names {
    keys: (u64, u64),
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names(hidden)")
    }
}

/// The entry of `meta` that holds the key as 32 hex digits.
const ENTRY: &str = "names_key";

impl Names {
    /// The key from its text.
    pub(super) fn parse(text: &str) -> Option<Names> {
        let (a, b) = (text.get(..16)?, text.get(16..32)?);
        Some(Names {
            keys: (
                u64::from_str_radix(a, 16).ok()?,
                u64::from_str_radix(b, 16).ok()?,
            ),
        })
    }

    /// The store's key; made where there is none yet.
    pub(super) async fn of_store(connection: &mut SqliteConnection) -> Result<Names, StoreError> {
        let found: Option<(String,)> = sqlx::query_as("SELECT value FROM meta WHERE key = ?1")
            .bind(ENTRY)
            .fetch_optional(&mut *connection)
            .await?;
        let text = match found {
            Some((text,)) => text,
            None => {
                let text = meta::random_hex()?;
                meta::put(connection, ENTRY, &text).await?;
                text
            }
        };
        Names::parse(&text).ok_or_else(|| StoreError::damaged(format!("`{ENTRY}`")))
    }

    /// The number of a name.
    pub(super) fn of(self, name: &str) -> i64 {
        self.joined(&[name])
    }

    /// Keys for stamping a source's records: other ones in each store, and where other secrets
    /// are looked for in facts.
    pub(crate) fn stamp_keys(self, secrets: &str) -> (u64, u64) {
        let key = |label| self.joined(&["stamps", label, secrets]).cast_unsigned();
        (key("one"), key("two"))
    }

    /// The number of an object's own key. Of identities, accounts, entitlements and credentials it
    /// is the number by which references name them.
    pub(super) fn key(self, kind: Kind, key: &str) -> i64 {
        self.joined(&[kind.word(), key])
    }

    /// The number of the name whose parts these are, joined with the separator of keys.
    pub(super) fn joined(self, parts: &[&str]) -> i64 {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                hasher.write(UNIT.as_bytes());
            }
            hasher.write(part.as_bytes());
        }
        hasher.finish().cast_signed()
    }

    /// The number of an object of a kind, as references to it name it: identities by their id,
    /// locations by system and path, others by system and id.
    pub(super) fn object(self, kind: Kind, parts: &[&str]) -> i64 {
        let mut all = vec![kind.word()];
        all.extend_from_slice(parts);
        self.joined(&all)
    }

    fn identity(self, id: &IdentityId) -> i64 {
        self.object(Kind::Identity, &[id.as_str()])
    }

    fn account(self, system: &SystemName, id: &AccountId) -> i64 {
        self.object(Kind::Account, &[system.as_str(), id.as_str()])
    }

    fn location(self, system: &SystemName, path: &LocationPath) -> i64 {
        self.object(Kind::Location, &[system.as_str(), path.as_str()])
    }

    fn principal(self, p: &Principal) -> i64 {
        let kind = match p.kind {
            PrincipalType::Account => Kind::Account,
            PrincipalType::Entitlement => Kind::Entitlement,
        };
        self.object(kind, &[p.system.as_str(), p.id.as_str()])
    }

    /// Whom a fact comes from (account to identity, grant to principal, credential to
    /// account, location to credential, owner line to owner) and where it leads to.
    pub(super) fn references(self, fact: &Fact) -> (Option<i64>, Option<i64>) {
        match fact {
            Fact::Identity(x) => (
                x.manager_id.as_ref().map(|i| self.identity(i)),
                x.employer_id.as_ref().map(|i| self.identity(i)),
            ),
            Fact::Account(x) => (
                x.identity_id.as_ref().map(|i| self.identity(i)),
                x.signs_in_through_id.as_ref().map(|id| {
                    let system = x.signs_in_through_system.as_ref().unwrap_or(&x.system);
                    self.account(system, id)
                }),
            ),
            Fact::Entitlement(_) => (None, None),
            Fact::Grant(x) => (
                Some(self.principal(&x.principal)),
                Some(self.object(
                    Kind::Entitlement,
                    &[x.system.as_str(), x.entitlement_id.as_str()],
                )),
            ),
            Fact::Credential(x) => (
                x.account_id.as_ref().map(|id| self.account(&x.system, id)),
                None,
            ),
            Fact::Location(x) => (
                x.credential_id.as_ref().map(|id| {
                    let system = x.credential_system.as_ref().unwrap_or(&x.system);
                    self.object(Kind::Credential, &[system.as_str(), id.as_str()])
                }),
                Some(self.location(&x.system, &x.path)),
            ),
            Fact::Reader(x) => (
                Some(self.principal(&x.principal)),
                Some(self.location(&x.system, &x.path)),
            ),
            Fact::Control(x) => (
                Some(self.principal(&x.principal)),
                Some(self.account(&x.system, &x.account_id)),
            ),
            Fact::Owner(x) => (Some(self.identity(&x.owner_id)), Some(self.owned(x))),
            Fact::Session(x) => (Some(self.account(&x.system, &x.account_id)), None),
            Fact::Task(x) => (
                x.identity_id.as_ref().map(|i| self.identity(i)),
                x.account_id.as_ref().map(|id| self.account(&x.system, id)),
            ),
        }
    }

    pub(super) fn owned(self, owner: &Owner) -> i64 {
        let system = owner.system.as_ref().map_or("", |s| s.as_str());
        let id = owner.object_id.as_str();
        match owner.object_type {
            ObjectType::Identity => self.object(Kind::Identity, &[id]),
            ObjectType::Account => self.object(Kind::Account, &[system, id]),
            ObjectType::Credential => self.object(Kind::Credential, &[system, id]),
            ObjectType::Location => self.object(Kind::Location, &[system, id]),
            ObjectType::Entitlement => self.object(Kind::Entitlement, &[system, id]),
        }
    }

    /// The number of a reference, given in the form in which its kind of fact names it.
    pub(super) fn reference(self, kind: Kind, end: End, name: &str) -> i64 {
        match target(kind, end) {
            Some(target) => self.object(target, &[name]),
            // The name itself begins with the word of what it names.
            None => self.of(name),
        }
    }
}

/// The numbers by which an identity that a text refers to may have been kept.
pub(super) fn id_numbers(names: Names, text: &str) -> Vec<i64> {
    let bare = text.split_once(':').map(|(_, id)| id);
    [Some(text), bare]
        .into_iter()
        .flatten()
        .map(|id| names.key(Kind::Identity, id))
        .collect()
}

/// A set of numbers of names.
pub(super) type NumberSet = HashSet<i64, AsTheyAre>;

/// Which end of a fact is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    From,
    To,
    Key,
}

/// The kind that one end of a fact names; None where the name says it itself, or where the
/// end names nothing.
fn target(kind: Kind, end: End) -> Option<Kind> {
    match (kind, end) {
        (Kind::Identity, End::From | End::To)
        | (Kind::Account | Kind::Owner | Kind::Task, End::From) => Some(Kind::Identity),
        (Kind::Account | Kind::Control | Kind::Task, End::To)
        | (Kind::Credential | Kind::Session, End::From) => Some(Kind::Account),
        (Kind::Grant, End::To) => Some(Kind::Entitlement),
        (Kind::Location, End::From) => Some(Kind::Credential),
        (Kind::Location | Kind::Reader, End::To) => Some(Kind::Location),
        (Kind::Grant | Kind::Reader | Kind::Control, End::From)
        | (Kind::Owner, End::To)
        | (Kind::Credential | Kind::Session, End::To)
        | (Kind::Entitlement, End::From | End::To)
        | (_, End::Key) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_parts_have_one_number() {
        let names = Names { keys: (1, 2) };
        let whole = format!("corp{UNIT}a1");
        assert_eq!(names.of(&whole), names.joined(&["corp", "a1"]));
        assert_ne!(names.of("corpa1"), names.joined(&["corp", "a1"]));
        assert_ne!(
            names.of("a1"),
            Names { keys: (1, 3) }.of("a1"),
            "another store, another number"
        );
    }
}
