//! Where the keys are: one random root key per store, in the OS keychain, in the keychain and
//! behind a passphrase, or wrapped by a key file.
//!
//! HKDF-SHA256 gives the store key, the fingerprint key and the sealing key from the root key.
//! Beside the store stands `<store>.keys`, a small JSON file without secrets: the store's id,
//! which key is in force and where it is kept, and the root key wrapped by key file, passphrase
//! or recovery key. Source secrets and the signing key have one keychain entry each, or stand
//! sealed in `<store>.sealed`. Nothing here is ever logged; keys are wiped on drop.

mod change;
mod key_file;
mod keychain;
mod passphrase;
mod presence;
mod recovery;
mod sealed;
mod sidecar;
mod slot;
mod steps;
mod travel;
mod whole_file;

#[cfg(test)]
mod tests;

pub use keychain::KeychainState;
pub use passphrase::Passphrase;
pub use sealed::SecretBox;
pub use sidecar::sidecar_path;

pub(crate) use change::{Changed, Settled, change, settle};
pub(crate) use presence::{Company, Presence};
pub(crate) use sealed::{Place, sealed_path};
pub(crate) use steps::step;
pub(crate) use travel::{pack, unpack};
pub(crate) use whole_file::{beside, put_in_place, remove};

use crate::failure::Failure;
use chrono::{DateTime, Utc};
use hkdf::Hkdf;
use sha2::Sha256;
use sidecar::{KeptIn, Sidecar, Slot};
use slot::{Offered, Planned};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// 32 secret bytes, wiped on drop.
pub(crate) type Key32 = Zeroizing<[u8; 32]>;

/// Where the person wants the root key to be, or offers it from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The OS keychain.
    Keychain,
    /// A file with mode 0600: a passphrase or random bytes, or a recovery key.
    KeyFile(PathBuf),
    /// The OS keychain holds one half, the person the other.
    KeychainAndPassphrase(Passphrase),
    /// The recovery key as it was typed: opens, and keeps nothing.
    RecoveryKey(Passphrase),
}

/// Makes a key file of random bytes that only its owner may read; refuses where a file is.
pub fn make_key_file(path: &Path) -> Result<(), Failure> {
    use std::io::Write;
    let key = random_key()?;
    let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex(key.as_ref()))));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| {
            Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
                .hint("choose another path; nothing is ever overwritten")
        })
}

/// The keys of one store.
pub struct Keys {
    /// A random id of the store, from which keys are derived.
    store_id: String,
    /// What its keychain entries begin with.
    entries: String,
    root: Key32,
    kept_in: String,
    place: Place,
    store_path: PathBuf,
    /// The file of keys names the key, and this is it.
    proved: bool,
}

/// The keys of a new store, with what is shown once.
pub struct NewKeys {
    pub keys: Keys,
    /// To be shown once and kept by the person.
    pub recovery_key: Zeroizing<String>,
}

/// How the keys of a store stand, for `store check` and the settings. Nothing here is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReport {
    pub kept_in: String,
    pub key_id: Option<String>,
    /// None where the key is not kept in the keychain.
    pub keychain: Option<KeychainState>,
    /// When the recovery key was made; None where there is none.
    pub recovery_made_at: Option<String>,
    /// Stores of the first version showed the root key itself.
    pub recovery_is_root: bool,
    /// A change of keys was begun and is not finished.
    pub changing: bool,
    /// Names of secrets in the sealed file.
    pub sealed: Vec<String>,
    /// Keychain entries of this store, without what they begin with.
    pub in_keychain: Vec<String>,
    /// Of those, the ones that belong to keys in force.
    pub roots: Vec<String>,
}

impl Keys {
    /// Makes the keys of a new store. Nothing is written unless the key could be kept.
    pub fn create(
        store_path: &Path,
        source: &KeySource,
        now: DateTime<Utc>,
    ) -> Result<NewKeys, Failure> {
        let root = random_key()?;
        let store_id = hex(&random_bytes::<8>()?);
        let mut planned = Planned::new(&store_id, &store_id, &root, source)?;
        let (kept, recovery_key) = recovery::make(&root, now)?;
        planned.slot.recovery = Some(kept);
        planned.keep()?;
        let slot = planned.slot;
        let sidecar = Sidecar::new(store_id.clone(), store_id, slot);
        if let Err(failure) = sidecar.write(store_path) {
            forget_entry(&sidecar.key);
            return Err(failure);
        }
        Ok(NewKeys {
            keys: Keys::of(&sidecar, root, store_path),
            recovery_key,
        })
    }

    /// Undoes `create` where the store itself could not be made.
    pub fn discard(self) {
        if let Ok(sidecar) = Sidecar::read(&self.store_path) {
            forget_entry(&sidecar.key);
        }
        let _absent_is_fine = std::fs::remove_file(sidecar_path(&self.store_path));
    }

    /// The keys of an existing store whose keys are not being changed (`settle` sees to that).
    pub fn open(store_path: &Path, source: &KeySource) -> Result<Keys, Failure> {
        let sidecar = Sidecar::read(store_path)?;
        let root = sidecar
            .key
            .unlock(&sidecar.store_id, &Offered::read(source)?)?;
        Ok(Keys::of(&sidecar, root, store_path))
    }

    fn of(sidecar: &Sidecar, root: Key32, store_path: &Path) -> Keys {
        Keys {
            store_id: sidecar.store_id.clone(),
            entries: sidecar.entries.clone(),
            root,
            kept_in: in_words(&sidecar.key.kept_in).to_owned(),
            place: place_of(&sidecar.key),
            store_path: store_path.to_owned(),
            proved: sidecar.key.key_id.is_some(),
        }
    }

    /// Whether this is known to be the store's key, before the store itself says so.
    pub(crate) fn is_proved(&self) -> bool {
        self.proved
    }

    /// The raw key of the encrypted store.
    pub fn store_key(&self) -> Result<Key32, Failure> {
        derive(&self.store_id, &self.root, b"lastkey store v1")
    }

    /// The key of fingerprints, for sources where they are switched on.
    pub fn fingerprint_key(&self) -> Result<Key32, Failure> {
        derive(&self.store_id, &self.root, b"lastkey fingerprint v1")
    }

    /// Names the key without telling it: fingerprints of unequal ids never compare.
    pub fn key_id(&self) -> Result<String, Failure> {
        key_id(&self.store_id, &self.root)
    }

    /// Where source secrets and the signing key are kept.
    pub fn secrets(&self) -> Result<SecretBox, Failure> {
        Ok(SecretBox::new(
            self.entries.clone(),
            self.sealing_key()?,
            self.place,
            sealed_path(&self.store_path),
        ))
    }

    fn sealing_key(&self) -> Result<Key32, Failure> {
        derive(&self.store_id, &self.root, b"lastkey sealing v1")
    }

    /// One line for the foot of the window: where the key is kept.
    pub fn kept_in(&self) -> String {
        self.kept_in.clone()
    }

    /// Makes a new recovery key; the one before opens the store no more.
    pub fn new_recovery_key(&self, now: DateTime<Utc>) -> Result<Zeroizing<String>, Failure> {
        let mut sidecar = Sidecar::read(&self.store_path)?;
        let (kept, text) = recovery::make(&self.root, now)?;
        sidecar.key.key_id = Some(self.key_id()?);
        sidecar.key.recovery = Some(kept);
        sidecar.write(&self.store_path)?;
        Ok(text)
    }

    /// Keeps the same key anew, where `source` says: for a keychain that lost it.
    pub fn keep_anew(&mut self, source: &KeySource) -> Result<(), Failure> {
        let mut sidecar = Sidecar::read(&self.store_path)?;
        let before = sidecar.key.clone();
        let mut planned = Planned::new(&self.store_id, &self.entries, &self.root, source)?;
        planned.slot.recovery = before.recovery.clone();
        planned.keep()?;
        let secrets = self.secrets()?;
        sidecar.key = planned.slot;
        self.place = place_of(&sidecar.key);
        self.kept_in = in_words(&sidecar.key.kept_in).to_owned();
        // A keychain that will not be asked again must give back what it holds, as far as it can.
        if self.place == Place::FileAlone {
            secrets.seal_what_the_keychain_holds()?;
        }
        sidecar.write(&self.store_path)?;
        if before.kept_in.entry() != sidecar.key.kept_in.entry() {
            forget_entry(&before);
        }
        Ok(())
    }
}

/// Where a change of keys keeps the new key if nothing else is said: where the old one is.
pub(crate) fn same_place(store_path: &Path, offered: &KeySource) -> Result<KeySource, Failure> {
    match (Sidecar::read(store_path)?.key.kept_in, offered) {
        (KeptIn::Keychain { .. }, _) => Ok(KeySource::Keychain),
        (KeptIn::KeyFile(_), KeySource::KeyFile(_))
        | (KeptIn::KeychainAndPassphrase { .. }, KeySource::KeychainAndPassphrase(_)) => {
            Ok(offered.clone())
        }
        (
            KeptIn::KeyFile(_),
            KeySource::Keychain | KeySource::KeychainAndPassphrase(_) | KeySource::RecoveryKey(_),
        ) => Err(Failure::key("this store's key is kept in a key file")
            .hint("give it with --key-file FILE, or say where the new key goes")
            .state("key_file_needed")),
        (
            KeptIn::KeychainAndPassphrase { .. },
            KeySource::Keychain | KeySource::KeyFile(_) | KeySource::RecoveryKey(_),
        ) => Err(Failure::key("this store's key is kept behind a passphrase")
            .hint("give it with --passphrase-file FILE, or say where the new key goes")
            .state("passphrase_needed")),
    }
}

/// How the keys of a store stand, without opening it.
pub fn report(store_path: &Path) -> Result<KeyReport, Failure> {
    let sidecar = Sidecar::read(store_path)?;
    let roots: Vec<&str> = [Some(&sidecar.key), sidecar.next.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|slot| slot.kept_in.entry())
        .collect();
    let prefix = format!("{}:", sidecar.entries);
    let short = |entry: &str| entry.strip_prefix(&prefix).unwrap_or(entry).to_owned();
    let keychain = sidecar.key.kept_in.entry().map(|entry| {
        match keychain::demand(entry) {
            // Whether it is the right one was proved by opening the store.
            Ok(text) => match key_from_hex(&text) {
                Some(_) => KeychainState::Present,
                None => KeychainState::Damaged,
            },
            Err(state) => state,
        }
    });
    let listed = match &keychain {
        Some(_) => keychain::names_beginning(&prefix),
        None => Vec::new(),
    };
    Ok(KeyReport {
        kept_in: in_words(&sidecar.key.kept_in).to_owned(),
        key_id: sidecar.key.key_id.clone(),
        keychain,
        recovery_made_at: sidecar.key.recovery.as_ref().map(|r| r.made_at.clone()),
        recovery_is_root: sidecar.key.key_id.is_none(),
        changing: sidecar.next.is_some(),
        sealed: sealed::names(&sealed_path(store_path))?,
        in_keychain: listed.iter().map(|entry| short(entry)).collect(),
        roots: roots.into_iter().map(short).collect(),
    })
}

fn in_words(kept_in: &KeptIn) -> &'static str {
    match kept_in {
        KeptIn::Keychain { .. } => "keychain",
        KeptIn::KeyFile(_) => "key file",
        KeptIn::KeychainAndPassphrase { .. } => "keychain and passphrase",
    }
}

fn place_of(slot: &Slot) -> Place {
    match slot.kept_in {
        KeptIn::Keychain { .. } | KeptIn::KeychainAndPassphrase { .. } => Place::KeychainFirst,
        KeptIn::KeyFile(_) => Place::FileAlone,
    }
}

/// Of a key that is of no use any more; an absent entry is fine.
fn forget_entry(slot: &Slot) {
    if let Some(entry) = slot.kept_in.entry() {
        let _absent_is_fine = keychain::remove(entry);
    }
}

fn derive(store_id: &str, root: &Key32, purpose: &[u8]) -> Result<Key32, Failure> {
    let mut out = Zeroizing::new([0u8; 32]);
    Hkdf::<Sha256>::new(Some(store_id.as_bytes()), root.as_ref())
        .expand(purpose, out.as_mut())
        .map_err(|_| Failure::key("the key could not be derived"))?;
    Ok(out)
}

fn key_id(store_id: &str, root: &Key32) -> Result<String, Failure> {
    let id = derive(store_id, root, b"lastkey key id v1")?;
    Ok(hex(id.get(..8).unwrap_or_default()))
}

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| Failure::not_possible("the system gave no random bytes"))?;
    Ok(bytes)
}

pub(crate) fn random_key() -> Result<Key32, Failure> {
    let mut key = Zeroizing::new([0u8; 32]);
    getrandom::fill(key.as_mut())
        .map_err(|_| Failure::not_possible("the system gave no random bytes"))?;
    Ok(key)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    // One allocation of the right size, so that no half of a key stays behind in a smaller one.
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(DIGITS.get(usize::from(digit)).copied().unwrap_or('?'));
        }
    }
    text
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
