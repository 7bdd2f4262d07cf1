//! Objects as the store keeps them: the fact as one text, what it hashes to, and the numbers of
//! its name and of what it refers to (see `names`). They are kept in `blocks`.

pub(super) mod layout_1;
pub(super) mod layout_2;

use super::names::Names;
use super::{StoreError, canonical, outline};
use lastkey_contract::facts::{Fact, Principal};
use sha2::{Digest, Sha256};

/// What content was, without the content: the first 16 bytes of the payload's SHA-256.
pub(super) type ContentHash = [u8; 16];

/// A version of an object to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectRow {
    pub key_number: i64,
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub hash: ContentHash,
    /// The fact as JSON (see `canonical`).
    pub payload: String,
    /// What is made of it without reading it whole; of kinds that have no outline none.
    pub outline: Option<Vec<u8>>,
    /// The number of the source's record, where the connector has one.
    pub stamp: Option<i64>,
}

impl ObjectRow {
    /// The row of a fact.
    pub fn of(fact: &Fact, names: Names) -> Result<ObjectRow, StoreError> {
        let payload = canonical::payload(fact)?;
        let mut hash = ContentHash::default();
        for (to, from) in hash.iter_mut().zip(Sha256::digest(payload.as_bytes())) {
            *to = from;
        }
        let key_number = names.key(fact.kind(), &fact.key());
        let (from, to) = names.references(fact);
        Ok(ObjectRow {
            key_number,
            from,
            to,
            hash,
            outline: outline::of(fact)?,
            payload,
            stamp: None,
        })
    }
}

/// The separator of `Fact::key`.
pub(crate) const UNIT: &str = "\u{1f}";

/// The form in which references and keys name an object of a system.
pub(crate) fn named(system: &str, id: &str) -> String {
    format!("{system}{UNIT}{id}")
}

/// A key as people write it.
pub(crate) fn shown_key(key: &str) -> String {
    key.replace(UNIT, ":")
}

/// The form in which references name a principal.
pub(crate) fn principal_ref(p: &Principal) -> String {
    format!(
        "{}{UNIT}{}",
        p.kind,
        named(p.system.as_str(), p.id.as_str())
    )
}

/// A new version, and the sync that first saw the object.
#[derive(Clone, Copy)]
pub(super) struct NewVersion<'a> {
    pub born_sync: i64,
    pub row: &'a ObjectRow,
}

/// Why a version ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// A newer one takes its place.
    Changed,
    /// A read showed that it is gone.
    Removed,
}

impl Ending {
    pub(super) fn word(self) -> &'static str {
        match self {
            Ending::Changed => "changed",
            Ending::Removed => "removed",
        }
    }
}
