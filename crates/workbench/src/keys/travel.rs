//! The keys that go along with a copy of a store: into a backup, and back out of one.

use super::sealed::{SecretBox, sealed_path};
use super::sidecar::{Sidecar, sidecar_path};
use super::slot::Planned;
use super::{KeySource, Keys, Place, hex, place_of, random_bytes};
use crate::failure::Failure;
use std::path::Path;

/// Writes the files of keys and of sealed secrets beside a backup. Secrets that are in the
/// keychain are sealed into it, for a keychain does not travel.
pub(crate) fn pack(
    store: &Path,
    backup: &Path,
    secrets: &SecretBox,
    names: &[String],
) -> Result<usize, Failure> {
    let sealed = secrets.seal_into(&secrets.at(&sealed_path(backup)), names)?;
    let mut sidecar = Sidecar::read(store)?;
    sidecar.leftover.clear();
    sidecar.write(backup)?;
    Ok(sealed)
}

/// Makes the keys of a store that is being restored to `store` from the files beside `backup`.
/// It gets keychain entries of its own, so that it and the store it came from never share one.
pub(crate) fn unpack(
    backup: &Path,
    store: &Path,
    open_with: &KeySource,
    keep_in: &KeySource,
) -> Result<Keys, Failure> {
    let from = Sidecar::read(backup)?;
    let there = Keys::open(backup, open_with)?;
    let entries = hex(&random_bytes::<8>()?);
    let mut planned = Planned::new(&there.store_id, &entries, &there.root, keep_in)?;
    planned.slot.recovery = from.key.recovery.clone();
    planned.keep()?;
    let sidecar = Sidecar::new(there.store_id.clone(), entries, planned.slot);
    let keys = Keys::of(&sidecar, there.root.clone(), store);
    let packed = SecretBox::new(
        from.entries.clone(),
        there.sealing_key()?,
        Place::FileAlone,
        sealed_path(backup),
    );
    let unpacked = match place_of(&sidecar.key) {
        Place::KeychainFirst => packed.put_into(&keys.secrets()?),
        Place::FileAlone => packed.seal_into(&keys.secrets()?, &[]),
    };
    if let Err(failure) = unpacked.and_then(|_| sidecar.write(store)) {
        keys.forget_all();
        super::forget_entry(&sidecar.key);
        let _absent_is_fine = std::fs::remove_file(sidecar_path(store));
        return Err(failure);
    }
    Ok(keys)
}

impl Keys {
    /// Undoes what `unpack` made, secrets included.
    pub(crate) fn forget_all(&self) {
        if let Ok(secrets) = self.secrets() {
            for name in secrets.in_keychain() {
                let _absent_is_fine = secrets.forget(&name);
            }
        }
        let _absent_is_fine = std::fs::remove_file(sealed_path(&self.store_path));
    }
}
