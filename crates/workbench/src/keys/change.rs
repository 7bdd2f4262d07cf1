//! Changing the keys of a store so that a kill at any moment leaves exactly one of both in force.
//!
//! 1. the new key is written beside the old one (`next`), then kept in its keychain entry;
//! 2. a copy of the store gets the new key and is checked page by page; the sealed secrets are
//!    sealed anew in a second file;
//! 3. the copy takes the store's place: one rename, and the moment from which the new key holds;
//! 4. the sealed file and the file of keys follow, and the old key is forgotten.
//!
//! Whoever opens the store after a kill sees `next` and asks the store itself which of the two
//! keys opens it: the old one, and the change is undone; the new one, and it is finished.

use super::presence::{Company, Presence};
use super::sealed::{SecretBox, sealed_path};
use super::sidecar::{Sidecar, Slot};
use super::slot::{Offered, Planned};
use super::whole_file::{beside, put_in_place, remove};
use super::{
    Key32, KeySource, Keys, Place, derive, keychain, place_of, random_key, recovery, step,
};
use crate::failure::Failure;
use chrono::{DateTime, Utc};
use lastkey_engine::store::{KeyChange, Store, StoreKey, change_key, key_fits};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a change of keys did.
pub struct Changed {
    /// To be shown once; the one before opens the store no more.
    pub recovery_key: Zeroizing<String>,
    pub old_key_id: String,
    pub new_key_id: String,
    pub kept_in: String,
    /// How many secrets were sealed anew.
    pub resealed: usize,
}

/// What was done about a change that was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Undone,
    Finished,
}

impl Settled {
    /// One sentence for the person who opens the store.
    pub fn sentence(self) -> &'static str {
        match self {
            Settled::Undone => {
                "a change of keys was cut short and has been undone: the old key and the old recovery key hold"
            }
            Settled::Finished => {
                "a change of keys was cut short and has been finished: the new key holds; its recovery key was not shown, so make a new one with `lastkey store recovery-key`"
            }
        }
    }

    /// For the log of the store.
    pub fn entry(self) -> &'static str {
        match self {
            Settled::Undone => "change of keys undone",
            Settled::Finished => "change of keys finished",
        }
    }
}

fn copy_path(store: &Path) -> PathBuf {
    beside(store, ".rekey")
}

fn resealed_path(store: &Path) -> PathBuf {
    beside(&sealed_path(store), ".rekey")
}

/// Changes the keys. `now_in` is where the key is, `then_in` where the new one will be.
pub async fn change(
    store: &Path,
    now_in: &KeySource,
    then_in: &KeySource,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<Changed, Failure> {
    settle(store, now_in).await?;
    let _alone = Presence::take(store, Company::Alone).await?;
    let mut sidecar = Sidecar::read(store)?;
    let old = Keys::open(store, now_in)?;
    let old_key_id = old.key_id()?;
    into_one_file(store, &old, operator, now).await?;
    step("rekey-begun");

    let root = random_key()?;
    let mut planned = Planned::new(&sidecar.store_id, &sidecar.entries, &root, then_in)?;
    let (kept, recovery_key) = recovery::make(&root, now)?;
    planned.slot.recovery = Some(kept);
    sidecar.next = Some(planned.slot.clone());
    sidecar.write(store)?;
    step("rekey-announced");
    let made = async {
        planned.keep()?;
        step("rekey-kept");
        let new = Keys::of(&with_key(&sidecar, &planned.slot), root, store);
        let resealed = make_copies(store, &old, &new, operator, now).await?;
        Ok::<_, Failure>((new, resealed))
    }
    .await;
    let (new, resealed) = match made {
        Ok(made) => made,
        Err(failure) => {
            // The old key holds as before; what was begun is cleared away.
            undo(store, &mut sidecar)?;
            return Err(failure);
        }
    };
    put_in_place(&copy_path(store), store)?;
    step("rekey-switched");
    finish(store, &mut sidecar, &old.secrets()?)?;
    Ok(Changed {
        recovery_key,
        old_key_id,
        new_key_id: new.key_id()?,
        kept_in: new.kept_in(),
        resealed,
    })
}

/// Finishes or undoes a change that was cut short; None where there was none.
pub async fn settle(store: &Path, source: &KeySource) -> Result<Option<Settled>, Failure> {
    let unsettled = |sidecar: &Sidecar| sidecar.next.is_some() || !sidecar.leftover.is_empty();
    if !unsettled(&Sidecar::read(store)?) {
        return Ok(None);
    }
    let _alone = Presence::take(store, Company::Alone).await?;
    // Another program may have settled it while we waited.
    let mut sidecar = Sidecar::read(store)?;
    let Some(next) = sidecar.next.clone() else {
        forget_leftovers(store, &mut sidecar)?;
        return Ok(None);
    };
    let offered = Offered::read(source)?;
    let old = fitting(store, &sidecar, &sidecar.key, &offered).await;
    if let Ok(Some(_)) = old {
        undo(store, &mut sidecar)?;
        return Ok(Some(Settled::Undone));
    }
    match fitting(store, &sidecar, &next, &offered).await? {
        Some(_) => {
            let secrets = match old {
                Ok(_) => sidecar.key.unlock(&sidecar.store_id, &offered).ok(),
                Err(_) => None,
            };
            let old_box = old_secrets(store, &sidecar, secrets)?;
            // Nobody has seen its recovery key.
            if let Some(next) = &mut sidecar.next {
                next.recovery = None;
            }
            finish(store, &mut sidecar, &old_box)?;
            Ok(Some(Settled::Finished))
        }
        None => match old {
            Err(failure) => Err(failure),
            Ok(_) => Err(Failure::key(format!(
                "neither the old nor the new key opens the store `{}`",
                store.display()
            ))
            .hint("its first page is damaged: restore a backup")
            .state("store_damaged")),
        },
    }
}

/// The root key of a slot if it can be had and opens the store; None where it does not open it.
async fn fitting(
    store: &Path,
    sidecar: &Sidecar,
    slot: &Slot,
    offered: &Offered,
) -> Result<Option<Key32>, Failure> {
    let root = slot.unlock(&sidecar.store_id, offered)?;
    let key = StoreKey::new(*derive(&sidecar.store_id, &root, b"lastkey store v1")?);
    Ok(key_fits(store, &key).await?.then_some(root))
}

/// The box of the old key: only names of keychain entries are asked of it here.
fn old_secrets(store: &Path, sidecar: &Sidecar, root: Option<Key32>) -> Result<SecretBox, Failure> {
    let root = root.unwrap_or_default();
    Ok(SecretBox::new(
        sidecar.entries.clone(),
        derive(&sidecar.store_id, &root, b"lastkey sealing v1")?,
        place_of(&sidecar.key),
        sealed_path(store),
    ))
}

fn with_key(sidecar: &Sidecar, slot: &Slot) -> Sidecar {
    let mut changed = sidecar.clone();
    changed.key = slot.clone();
    changed
}

/// Opens the store once as always and closes it, so that all of it is in the one file.
async fn into_one_file(
    store: &Path,
    keys: &Keys,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let key = StoreKey::new(*keys.store_key()?);
    Store::open(store, &key, operator, now).await?.close().await;
    let wal = beside(store, "-wal");
    if std::fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0) {
        return Err(
            Failure::not_possible("another program has the store open").hint("close it first")
        );
    }
    Ok(())
}

async fn make_copies(
    store: &Path,
    old: &Keys,
    new: &Keys,
    operator: &str,
    now: DateTime<Utc>,
) -> Result<usize, Failure> {
    let copy = copy_path(store);
    remove(&copy)?;
    std::fs::copy(store, &copy).map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be written: {error}", copy.display()))
            .hint("changing keys needs as much room on the disk as the store itself")
    })?;
    step("rekey-copied");
    let entry = KeyChange {
        operator,
        what: "keys changed",
        payload: serde_json::json!({
            "from": old.key_id()?, "to": new.key_id()?, "kept_in": new.kept_in(),
        }),
        at: now,
    };
    change_key(
        &copy,
        &StoreKey::new(*old.store_key()?),
        &StoreKey::new(*new.store_key()?),
        &entry,
    )
    .await?;
    step("rekey-copy-done");
    let secrets = old.secrets()?;
    // A new place without a keychain takes along what the keychain holds.
    let moved = match (old.place, new.place) {
        (Place::KeychainFirst, Place::FileAlone) => secrets.in_keychain(),
        (Place::KeychainFirst, Place::KeychainFirst) | (Place::FileAlone, _) => Vec::new(),
    };
    let resealed = SecretBox::new(
        new.entries.clone(),
        new.sealing_key()?,
        new.place,
        resealed_path(store),
    );
    let count = secrets.seal_into(&resealed, &moved)?;
    step("rekey-sealed");
    Ok(count)
}

/// The store is under the new key: everything else follows.
fn finish(store: &Path, sidecar: &mut Sidecar, old: &SecretBox) -> Result<(), Failure> {
    let Some(next) = sidecar.next.clone() else {
        return Ok(());
    };
    let resealed = resealed_path(store);
    if resealed.exists() {
        put_in_place(&resealed, &sealed_path(store))?;
    }
    step("rekey-sealed-switched");
    let forsaken = match (place_of(&sidecar.key), place_of(&next)) {
        (Place::KeychainFirst, Place::FileAlone) => old.in_keychain(),
        (Place::KeychainFirst, Place::KeychainFirst) | (Place::FileAlone, _) => Vec::new(),
    };
    let entries = sidecar.entries.clone();
    sidecar
        .leftover
        .extend(forsaken.into_iter().map(|name| format!("{entries}:{name}")));
    sidecar
        .leftover
        .extend(sidecar.key.kept_in.entry().map(str::to_owned));
    sidecar.key = next;
    sidecar.next = None;
    sidecar.write(store)?;
    step("rekey-taken");
    forget_leftovers(store, sidecar)
}

/// The store is under the old key: nothing of the new one stays.
fn undo(store: &Path, sidecar: &mut Sidecar) -> Result<(), Failure> {
    remove(&copy_path(store))?;
    remove(&beside(&copy_path(store), "-journal"))?;
    remove(&resealed_path(store))?;
    if let Some(next) = sidecar.next.take() {
        sidecar
            .leftover
            .extend(next.kept_in.entry().map(str::to_owned));
    }
    sidecar.write(store)?;
    forget_leftovers(store, sidecar)
}

/// Removes keychain entries of no use; those that the keychain does not let go of now stay noted.
fn forget_leftovers(store: &Path, sidecar: &mut Sidecar) -> Result<(), Failure> {
    if sidecar.leftover.is_empty() {
        return Ok(());
    }
    sidecar
        .leftover
        .retain(|entry| keychain::remove(entry).is_err());
    sidecar.write(store)
}
