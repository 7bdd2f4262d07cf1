//! Keeping one root key somewhere, and getting it back from there.

use super::keychain::{self, KeychainState};
use super::sidecar::{KeptIn, Slot};
use super::{
    Key32, KeySource, Passphrase, hex, key_file, key_from_hex, key_id, random_bytes, random_key,
    recovery,
};
use crate::failure::Failure;
use zeroize::Zeroizing;

/// What the person offers to open a store with, read once.
pub(super) enum Offered {
    Nothing,
    Passphrase(Passphrase),
    KeyFile(Zeroizing<Vec<u8>>),
    RecoveryKey(Key32),
}

impl Offered {
    pub(super) fn read(source: &KeySource) -> Result<Offered, Failure> {
        match source {
            KeySource::Keychain => Ok(Offered::Nothing),
            KeySource::KeychainAndPassphrase(passphrase) => {
                Ok(Offered::Passphrase(passphrase.clone()))
            }
            KeySource::KeyFile(path) => {
                let content = key_file::read(path)?;
                match recovery::read(&content) {
                    recovery::Read::Other => Ok(Offered::KeyFile(content)),
                    recovery::Read::Key(key) => Ok(Offered::RecoveryKey(key)),
                    recovery::Read::Slip => Err(slip()),
                }
            }
            KeySource::RecoveryKey(text) => match recovery::read(text.bytes()) {
                recovery::Read::Key(key) => Ok(Offered::RecoveryKey(key)),
                recovery::Read::Other | recovery::Read::Slip => Err(slip()),
            },
        }
    }
}

fn slip() -> Failure {
    Failure::key("the recovery key has a slip: its check sum does not fit")
        .hint("compare it with what was written down, group by group")
        .state("recovery_key_slip")
}

/// A slot that is not kept yet: what goes beside the store, and what goes to the keychain.
pub(super) struct Planned {
    pub slot: Slot,
    entry: Option<(String, Zeroizing<String>)>,
}

impl Planned {
    /// Where the key will be. Nothing is written; a keychain is tried first.
    pub(super) fn new(
        store_id: &str,
        entries: &str,
        root: &Key32,
        source: &KeySource,
    ) -> Result<Planned, Failure> {
        let id = key_id(store_id, root)?;
        // A name of its own each time: what another slot keeps is never overwritten.
        let entry = format!("{entries}:root:{id}:{}", hex(&random_bytes::<4>()?));
        let (kept_in, entry) = match source {
            KeySource::Keychain => {
                keychain::require_usable()?;
                let text = Zeroizing::new(hex(root.as_ref()));
                (
                    KeptIn::Keychain {
                        entry: entry.clone(),
                    },
                    Some((entry, text)),
                )
            }
            KeySource::KeyFile(_) => match Offered::read(source)? {
                Offered::KeyFile(content) => {
                    (KeptIn::KeyFile(key_file::wrap(&content, None, root)?), None)
                }
                Offered::RecoveryKey(_) | Offered::Nothing | Offered::Passphrase(_) => {
                    return Err(keeps_nothing());
                }
            },
            KeySource::RecoveryKey(_) => return Err(keeps_nothing()),
            KeySource::KeychainAndPassphrase(passphrase) => {
                passphrase.long_enough()?;
                keychain::require_usable()?;
                let half = random_key()?;
                let wrapped = key_file::wrap(passphrase.bytes(), Some(&half), root)?;
                let text = Zeroizing::new(hex(half.as_ref()));
                (
                    KeptIn::KeychainAndPassphrase {
                        entry: entry.clone(),
                        wrapped,
                    },
                    Some((entry, text)),
                )
            }
        };
        let slot = Slot {
            key_id: Some(id),
            kept_in,
            recovery: None,
        };
        Ok(Planned { slot, entry })
    }

    /// Writes the keychain's part, if there is one.
    pub(super) fn keep(&self) -> Result<(), Failure> {
        match &self.entry {
            Some((entry, text)) => keychain::set(entry, text),
            None => Ok(()),
        }
    }
}

fn keeps_nothing() -> Failure {
    Failure::bad_input("a recovery key cannot take the place of a key file")
        .hint("make a key file with: head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE")
}

impl Slot {
    /// The root key, proved to be the one that the slot is about where that is known.
    pub(super) fn unlock(&self, store_id: &str, offered: &Offered) -> Result<Key32, Failure> {
        let is_it = |root: &Key32| match &self.key_id {
            Some(id) => key_id(store_id, root).map(|found| found == *id),
            None => Ok(true),
        };
        match (offered, &self.kept_in) {
            (Offered::RecoveryKey(key), _) => {
                let root = match &self.recovery {
                    Some(recovery) => recovery::unwrap(key, recovery)?,
                    // Stores of the first version showed the root key itself.
                    None => Some(key.clone()),
                };
                match root {
                    Some(root) if is_it(&root)? => Ok(root),
                    Some(_) | None => Err(Failure::key(
                        "the recovery key is not the one of this store",
                    )
                    .hint("give the one that was shown last: a newer one replaces those before it")
                    .state("recovery_key_wrong")),
                }
            }
            (Offered::Nothing | Offered::Passphrase(_), KeptIn::Keychain { entry }) => {
                let root = from_keychain(entry)?;
                if is_it(&root)? {
                    Ok(root)
                } else {
                    Err(KeychainState::Wrong.into())
                }
            }
            (Offered::Passphrase(passphrase), KeptIn::KeychainAndPassphrase { entry, wrapped }) => {
                let half = from_keychain(entry)?;
                match key_file::unwrap(passphrase.bytes(), Some(&half), wrapped)? {
                    Some(root) if is_it(&root)? => Ok(root),
                    Some(_) | None => Err(Failure::key("the passphrase does not open this store")
                        .hint("type it again; if it is lost, use the recovery key")
                        .state("passphrase_wrong")),
                }
            }
            (Offered::Nothing, KeptIn::KeychainAndPassphrase { .. }) => Err(Failure::key(
                "this store needs its passphrase besides the keychain",
            )
            .hint("give it with --passphrase-file FILE or LASTKEY_PASSPHRASE_FILE")
            .state("passphrase_needed")),
            (Offered::Nothing | Offered::Passphrase(_), KeptIn::KeyFile(_)) => {
                Err(Failure::key("this store's key is kept in a key file")
                    .hint("give it with --key-file FILE or LASTKEY_KEY_FILE")
                    .state("key_file_needed"))
            }
            (Offered::KeyFile(content), KeptIn::KeyFile(wrapped)) => {
                match key_file::unwrap(content, None, wrapped)? {
                    Some(root) if is_it(&root)? => Ok(root),
                    Some(_) | None => Err(Failure::key("the key file does not open this store")
                        .hint("give the key file that the store was made with, or its recovery key")
                        .state("key_file_wrong")),
                }
            }
            (
                Offered::KeyFile(_),
                KeptIn::Keychain { .. } | KeptIn::KeychainAndPassphrase { .. },
            ) => Err(Failure::key(
                "this store's key is kept in the keychain, and the key file holds no recovery key",
            )
            .hint("leave --key-file out, or give a file with the store's recovery key")
            .state("key_file_wrong")),
        }
    }
}

fn from_keychain(entry: &str) -> Result<Key32, Failure> {
    let text = keychain::demand(entry)?;
    key_from_hex(&text).ok_or_else(|| KeychainState::Damaged.into())
}
