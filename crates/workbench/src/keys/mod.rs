//! Where the keys are: one random root key per store, in the OS keychain or wrapped by a key file.
//!
//! HKDF-SHA256 gives the store key, the fingerprint key and the sealing key from the root key.
//! Beside the store stands `<store>.keys`, a small JSON file without secrets: the store's id
//! and, where a key file is used, the salt and the wrapped root key. Source secrets and the
//! signing key have one keychain entry each, or stand sealed in `<store>.sealed`.
//! Nothing here is ever logged; keys are wiped on drop.

mod key_file;
mod keychain;
mod recovery;
mod sealed;
mod sidecar;

pub use keychain::KeychainState;
pub use sealed::SecretBox;
pub use sidecar::sidecar_path;

use crate::failure::Failure;
use hkdf::Hkdf;
use sha2::Sha256;
use sidecar::{KeptIn, Sidecar};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// 32 secret bytes, wiped on drop.
pub(crate) type Key32 = Zeroizing<[u8; 32]>;

/// Where the person wants the root key to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The OS keychain.
    Keychain,
    /// A file with mode 0600: a passphrase or random bytes, or a recovery key.
    KeyFile(PathBuf),
}

/// The keys of one store.
pub struct Keys {
    /// A random id of the store, which names its keychain entries.
    pub store_id: String,
    root: Key32,
    source: KeySource,
    store_path: PathBuf,
}

/// The keys of a new store, with what is shown once.
pub struct NewKeys {
    pub keys: Keys,
    /// To be shown once and kept by the person.
    pub recovery_key: Zeroizing<String>,
}

impl Keys {
    /// Makes the keys of a new store. Nothing is written unless the key could be kept.
    pub fn create(store_path: &Path, source: &KeySource) -> Result<NewKeys, Failure> {
        let root = random_key()?;
        let store_id = hex(&random_bytes::<8>()?);
        let kept_in = match source {
            KeySource::Keychain => {
                keychain::require_usable()?;
                keychain::set(&root_entry(&store_id), &Zeroizing::new(hex(root.as_ref())))?;
                KeptIn::Keychain
            }
            KeySource::KeyFile(path) => KeptIn::KeyFile(key_file::wrap(path, &root)?),
        };
        let sidecar = Sidecar {
            version: 1,
            store_id: store_id.clone(),
            kept_in,
        };
        if let Err(failure) = sidecar.write(store_path) {
            if *source == KeySource::Keychain {
                // The store was not made, so its key has no use.
                let _absent_is_fine = keychain::remove(&root_entry(&store_id));
            }
            return Err(failure);
        }
        let recovery_key = recovery::encode(&root);
        Ok(NewKeys {
            keys: Keys {
                store_id,
                root,
                source: source.clone(),
                store_path: store_path.to_owned(),
            },
            recovery_key,
        })
    }

    /// Undoes `create` where the store itself could not be made.
    pub fn discard(self) {
        if self.source == KeySource::Keychain {
            let _absent_is_fine = keychain::remove(&root_entry(&self.store_id));
        }
        let _absent_is_fine = std::fs::remove_file(sidecar_path(&self.store_path));
    }

    /// The keys of an existing store.
    pub fn open(store_path: &Path, source: &KeySource) -> Result<Keys, Failure> {
        let sidecar = Sidecar::read(store_path)?;
        let root = match (source, &sidecar.kept_in) {
            (KeySource::Keychain, KeptIn::Keychain) => {
                let text = match keychain::get(&root_entry(&sidecar.store_id)) {
                    Ok(Some(text)) => text,
                    // A locked keychain also answers that there is no entry: which is it?
                    Ok(None) | Err(_) => {
                        keychain::require_usable()?;
                        keychain::get(&root_entry(&sidecar.store_id))?.ok_or_else(|| {
                            Failure::key("the keychain holds no key for this store")
                                .hint("log in as the person who made the store, or give its recovery key with --key-file FILE")
                        })?
                    }
                };
                key_from_hex(&text)
                    .ok_or_else(|| Failure::key("the keychain entry of this store is damaged"))?
            }
            (KeySource::Keychain, KeptIn::KeyFile(_)) => {
                return Err(Failure::key("this store's key is kept in a key file")
                    .hint("give it with --key-file FILE or LASTKEY_KEY_FILE"));
            }
            (KeySource::KeyFile(path), kept_in) => {
                let content = key_file::read(path)?;
                match (recovery::decode(&content), kept_in) {
                    (Some(root), _) => root,
                    (None, KeptIn::KeyFile(wrapped)) => key_file::unwrap(&content, wrapped)?,
                    (None, KeptIn::Keychain) => {
                        return Err(Failure::key(
                            "this store's key is kept in the keychain, and the key file holds no recovery key",
                        )
                        .hint("leave --key-file out, or give a file with the store's recovery key"));
                    }
                }
            }
        };
        Ok(Keys {
            store_id: sidecar.store_id,
            root,
            source: source.clone(),
            store_path: store_path.to_owned(),
        })
    }

    /// The raw key of the encrypted store.
    pub fn store_key(&self) -> Result<Key32, Failure> {
        self.derive(b"lastkey store v1")
    }

    /// Where source secrets and the signing key are kept.
    pub fn secrets(&self) -> Result<SecretBox, Failure> {
        Ok(SecretBox::new(
            self.store_id.clone(),
            self.derive(b"lastkey sealing v1")?,
            self.source.clone(),
            &self.store_path,
        ))
    }

    /// One line for the foot of the window: where the key is kept.
    pub fn kept_in(&self) -> String {
        match &self.source {
            KeySource::Keychain => "keychain".to_owned(),
            KeySource::KeyFile(path) => format!("key file {}", path.display()),
        }
    }

    fn derive(&self, purpose: &[u8]) -> Result<Key32, Failure> {
        let mut out = Zeroizing::new([0u8; 32]);
        Hkdf::<Sha256>::new(Some(self.store_id.as_bytes()), self.root.as_ref())
            .expand(purpose, out.as_mut())
            .map_err(|_| Failure::key("the key could not be derived"))?;
        Ok(out)
    }
}

fn root_entry(store_id: &str) -> String {
    format!("{store_id}:root")
}

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| Failure::not_possible("the system gave no random bytes"))?;
    Ok(bytes)
}

fn random_key() -> Result<Key32, Failure> {
    Ok(Zeroizing::new(random_bytes::<32>()?))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn key_from_hex(text: &str) -> Option<Key32> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = Zeroizing::new([0u8; 32]);
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn key_file(dir: &Path, name: &str, text: &str, mode: u32) -> KeySource {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        KeySource::KeyFile(path)
    }

    #[test]
    fn a_key_file_opens_what_it_made_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("a.db");
        let right = key_file(dir.path(), "right", "correct horse\n", 0o600);
        let wrong = key_file(dir.path(), "wrong", "battery staple", 0o600);
        let made = Keys::create(&store, &right).unwrap();
        let again = Keys::open(&store, &right).unwrap();
        assert_eq!(made.keys.store_key().unwrap(), again.store_key().unwrap());
        let failure = Keys::open(&store, &wrong).err().unwrap();
        assert_eq!(failure.kind.exit_status(), 4, "{failure}");

        let recovery = key_file(dir.path(), "recovery", &made.recovery_key, 0o600);
        let recovered = Keys::open(&store, &recovery).unwrap();
        assert_eq!(
            made.keys.store_key().unwrap(),
            recovered.store_key().unwrap()
        );

        let beside = std::fs::read_to_string(sidecar_path(&store)).unwrap();
        assert!(!beside.contains(&hex(made.keys.root.as_ref())));
        assert!(!beside.contains("horse"));
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("a.db");
        let open = key_file(dir.path(), "open", "x-y-z-passphrase", 0o644);
        let failure = Keys::create(&store, &open).err().unwrap();
        assert!(failure.message.contains("0600"), "{failure}");
        assert!(!sidecar_path(&store).exists(), "nothing is created");
    }

    #[test]
    fn keys_of_one_store_differ_by_purpose() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("a.db");
        let source = key_file(dir.path(), "k", "correct horse", 0o600);
        let keys = Keys::create(&store, &source).unwrap().keys;
        assert_ne!(
            keys.store_key().unwrap(),
            keys.derive(b"lastkey sealing v1").unwrap()
        );
    }
}
