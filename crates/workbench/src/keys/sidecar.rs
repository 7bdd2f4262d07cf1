//! `<store>.keys`: what must be known before the store can be opened. It holds no secret.

use super::key_file::Wrapped;
use super::recovery::Recovery;
use super::whole_file::{beside, replace};
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const VERSION: u32 = 2;

/// The file beside the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sidecar {
    version: u32,
    /// A random id; from it and the root key the other keys are derived.
    pub store_id: String,
    /// What the keychain entries of this store begin with; a restored copy has its own.
    pub entries: String,
    /// The key in force.
    pub key: Slot,
    /// While keys are being changed: the key that may be in force already. Which of the two it
    /// is, the store itself tells: exactly one of them opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Slot>,
    /// Keychain entries of keys no longer in force, to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftover: Vec<String>,
}

/// One root key: where it is, and how it is known again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Slot {
    /// Derived from the key; absent in files of the first version.
    #[serde(default)]
    pub key_id: Option<String>,
    pub kept_in: KeptIn,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
}

/// Where the root key is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptIn {
    Keychain { entry: String },
    KeyFile(Wrapped),
    KeychainAndPassphrase { entry: String, wrapped: Wrapped },
}

impl KeptIn {
    /// The keychain entry that belongs to it, if one does.
    pub(super) fn entry(&self) -> Option<&str> {
        match self {
            KeptIn::Keychain { entry } | KeptIn::KeychainAndPassphrase { entry, .. } => Some(entry),
            KeptIn::KeyFile(_) => None,
        }
    }
}

/// The first version of the file.
#[derive(Deserialize)]
struct First {
    store_id: String,
    kept_in: FirstKeptIn,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FirstKeptIn {
    Keychain,
    KeyFile(Wrapped),
}

/// Where the file stands.
pub fn sidecar_path(store_path: &Path) -> PathBuf {
    beside(store_path, ".keys")
}

impl Sidecar {
    /// For a new store or a restored copy.
    pub(super) fn new(store_id: String, entries: String, key: Slot) -> Self {
        Self {
            version: VERSION,
            store_id,
            entries,
            key,
            next: None,
            leftover: Vec::new(),
        }
    }

    pub(super) fn read(store_path: &Path) -> Result<Sidecar, Failure> {
        let path = sidecar_path(store_path);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::key(format!("`{}` cannot be read: {error}", path.display()))
                .hint(
                    "the file stands beside the store and belongs to it: put it back from a backup",
                )
                .state("keys_file_missing")
        })?;
        let damaged = || {
            Failure::key(format!("`{}` is damaged", path.display()))
                .hint("put it back from a backup of the store")
                .state("keys_file_damaged")
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|_| damaged())?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(1) => {
                let First { store_id, kept_in } =
                    serde_json::from_value(value).map_err(|_| damaged())?;
                let kept_in = match kept_in {
                    FirstKeptIn::Keychain => KeptIn::Keychain {
                        entry: format!("{store_id}:root"),
                    },
                    FirstKeptIn::KeyFile(wrapped) => KeptIn::KeyFile(wrapped),
                };
                let slot = Slot {
                    key_id: None,
                    kept_in,
                    recovery: None,
                };
                Ok(Sidecar::new(store_id.clone(), store_id, slot))
            }
            Some(2) => serde_json::from_value(value).map_err(|_| damaged()),
            Some(_) => Err(Failure::key(format!(
                "`{}` was made by a newer version",
                path.display()
            ))
            .hint("open the store with that version of Lastkey")
            .state("store_newer")),
            None => Err(damaged()),
        }
    }

    /// Written whole or not at all, in the place of what was there.
    pub(super) fn write(&self, store_path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|_| Failure::not_possible("the file of keys could not be written"))?;
        replace(&sidecar_path(store_path), text.as_bytes())
    }
}
