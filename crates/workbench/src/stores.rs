//! The store as a whole: check, backup, restore, other keys, a recovery key.

use crate::bench::{OpenOptions, Workbench, absolute, store_key};
use crate::failure::Failure;
use crate::keys::{
    self, Company, KeySource, Keys, Presence, beside, put_in_place, remove, report, sealed_path,
    sidecar_path, step,
};
use crate::operator::operator;
use chrono::Utc;
use lastkey_contract::Secret;
use lastkey_engine::store::{Store, StoreKey, key_fits};
use serde::Serialize;
use std::path::{Path, PathBuf};
use ts_rs::TS;
use zeroize::Zeroizing;

/// What `store check` finds: the state of the file, and of everything that opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct StoreCheck {
    /// What is wrong with the store, one sentence each.
    pub problems: Vec<String>,
    /// What encrypts it, as SQLCipher calls itself.
    pub encrypted_with: String,
    pub key_kept_in: String,
    /// Names the key without telling it.
    pub key_id: String,
    /// The keychain's state as one word; none where the key is not kept there.
    pub keychain: Option<String>,
    pub keychain_says: Option<String>,
    /// When the recovery key was made; none where there is none.
    pub recovery_key_made_at: Option<String>,
    /// Names of the secrets in the sealed file.
    pub sealed: Vec<String>,
    /// Names of the secrets in the keychain.
    pub in_keychain: Vec<String>,
    /// Secrets that belong to nothing any more.
    pub leftovers: Vec<String>,
    /// What should be done although nothing is wrong.
    pub remarks: Vec<String>,
}

/// Where a new key is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeepIn {
    /// Where the old one is.
    SamePlace,
    Elsewhere(KeySource),
}

/// What a change of keys did. The recovery key is shown once.
pub struct Rekeyed {
    pub recovery_key: Zeroizing<String>,
    pub old_key_id: String,
    pub new_key_id: String,
    pub kept_in: String,
    pub resealed: usize,
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    pub path: String,
    pub bytes: u64,
    pub secrets: usize,
}

impl Workbench {
    /// Checks the whole store and everything that opens it.
    pub async fn check(&self) -> Result<StoreCheck, Failure> {
        let problems = self.check_store().await?;
        let path = self.store.path().to_owned();
        let report = report(&path)?;
        let mut expected = self.secret_names().await?;
        expected.extend(report.roots.iter().cloned());
        let mut leftovers: Vec<String> = report
            .in_keychain
            .iter()
            .chain(&report.sealed)
            .filter(|name| !expected.contains(name))
            .cloned()
            .collect();
        leftovers.sort();
        leftovers.dedup();
        let mut remarks = Vec::new();
        if report.recovery_made_at.is_none() && !report.recovery_is_root {
            remarks.push(
                "there is no recovery key that anybody has seen: make one with `lastkey store recovery-key`"
                    .to_owned(),
            );
        }
        if let Some(state) = &report.keychain {
            remarks.extend(state.hint());
        }
        for name in &leftovers {
            remarks.push(format!(
                "the secret `{name}` belongs to no source of this store"
            ));
        }
        let secrets = |names: Vec<String>| -> Vec<String> {
            let roots = &report.roots;
            names.into_iter().filter(|n| !roots.contains(n)).collect()
        };
        Ok(StoreCheck {
            problems,
            encrypted_with: format!("SQLCipher {}", self.store.cipher_version()),
            key_kept_in: report.kept_in.clone(),
            key_id: self.keys.key_id()?,
            keychain: report.keychain.as_ref().map(|s| s.word().to_owned()),
            keychain_says: report.keychain.as_ref().map(keys::KeychainState::sentence),
            recovery_key_made_at: match (&report.recovery_made_at, report.recovery_is_root) {
                (Some(at), _) => Some(at.clone()),
                (None, true) => Some(self.store.created_at().await?),
                (None, false) => None,
            },
            sealed: report.sealed.clone(),
            in_keychain: secrets(report.in_keychain.clone()),
            leftovers,
            remarks,
        })
    }

    /// The names under which this store may keep secrets.
    async fn secret_names(&self) -> Result<Vec<String>, Failure> {
        let mut names = vec![crate::packages::SIGNING_KEY.to_owned()];
        for source in self.sources().await? {
            names.push(crate::sources::entry(&source.name));
            names.push(crate::sources::values_entry(&source.name));
        }
        for probe in self.store.probes().await? {
            names.push(crate::probes::entry(&probe.of.name));
        }
        Ok(names)
    }

    /// Writes an encrypted copy of the store as of one moment, also while a sync runs, with
    /// its keys and sealed secrets. Refuses where a file is.
    pub async fn backup(&self, to: &Path) -> Result<BackedUp, Failure> {
        let to = absolute(to)?;
        refuse_where_something_is(&to)?;
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::not_possible(format!("`{}` cannot be made: {error}", folder.display()))
            })?;
        }
        let unfinished = beside(&to, ".unfinished");
        remove(&unfinished)?;
        let names = self.secret_names().await?;
        let written = async {
            self.store.copy_to(&unfinished).await?;
            step("backup-copied");
            let secrets = keys::pack(self.store.path(), &to, &self.secrets, &names)?;
            step("backup-packed");
            put_in_place(&unfinished, &to)?;
            Ok::<_, Failure>(secrets)
        }
        .await;
        let secrets = match written {
            Ok(secrets) => secrets,
            Err(failure) => {
                for path in [unfinished, sealed_path(&to), sidecar_path(&to)] {
                    remove(&path)?;
                }
                return Err(failure);
            }
        };
        let payload = serde_json::json!({ "key": self.keys.key_id()? });
        self.store
            .log("store backed up", &payload, Utc::now())
            .await?;
        Ok(BackedUp {
            bytes: std::fs::metadata(&to).map_or(0, |meta| meta.len()),
            path: to.display().to_string(),
            secrets,
        })
    }

    /// Makes a new recovery key, to be shown once; the one before opens the store no more.
    pub async fn new_recovery_key(&self) -> Result<Zeroizing<String>, Failure> {
        let text = self.keys.new_recovery_key(Utc::now())?;
        let payload = serde_json::json!({ "key": self.keys.key_id()? });
        self.store
            .log("recovery key made", &payload, Utc::now())
            .await?;
        Ok(text)
    }

    /// Keeps the second credential of a source, the one that may read values for fingerprints.
    pub fn keep_values_secret(&self, source: &str, secret: &Secret) -> Result<(), Failure> {
        self.secrets
            .put(&crate::sources::values_entry(source), secret)
    }

    /// The second credential of a source, or none.
    pub fn values_secret(&self, source: &str) -> Result<Option<Secret>, Failure> {
        self.secrets.get(&crate::sources::values_entry(source))
    }

    /// The fingerprint key and the id that fingerprints made with it carry.
    pub fn fingerprint_key(&self) -> Result<(Zeroizing<[u8; 32]>, String), Failure> {
        Ok((self.keys.fingerprint_key()?, self.keys.key_id()?))
    }
}

/// Gives the store new keys. Nobody else may have it open.
pub async fn rekey(options: &OpenOptions, keep_in: &KeepIn) -> Result<Rekeyed, Failure> {
    let path = there(&options.store_path)?;
    let then_in = match keep_in {
        KeepIn::SamePlace => keys::same_place(&path, &options.key_source)?,
        KeepIn::Elsewhere(source) => source.clone(),
    };
    let keys::Changed {
        recovery_key,
        old_key_id,
        new_key_id,
        kept_in,
        resealed,
    } = keys::change(
        &path,
        &options.key_source,
        &then_in,
        &operator(),
        Utc::now(),
    )
    .await?;
    Ok(Rekeyed {
        recovery_key,
        old_key_id,
        new_key_id,
        kept_in,
        resealed,
    })
}

/// Opens the store with its recovery key and keeps its key where `options` say: for a keychain
/// or a key file that is lost. The key itself stays the same.
pub async fn recover(options: &OpenOptions, recovery: &KeySource) -> Result<String, Failure> {
    let path = there(&options.store_path)?;
    let settled = keys::settle(&path, recovery).await?;
    let _alone = Presence::take(&path, Company::Alone).await?;
    let mut keys = Keys::open(&path, recovery)?;
    let key = store_key(&keys)?;
    // The store itself must agree before anything is kept.
    let store = Store::open(&path, &key, &operator(), Utc::now()).await?;
    // A process must not end under an open connection, also where this fails.
    let kept = keep_anew(&store, &mut keys, &options.key_source, settled).await;
    store.close().await;
    kept?;
    Ok(keys.kept_in())
}

async fn keep_anew(
    store: &Store,
    keys: &mut Keys,
    into: &KeySource,
    settled: Option<keys::Settled>,
) -> Result<(), Failure> {
    keys.keep_anew(into)?;
    let payload = serde_json::json!({ "key": keys.key_id()?, "kept_in": keys.kept_in() });
    store.log("key kept anew", &payload, Utc::now()).await?;
    if let Some(settled) = settled {
        let payload = serde_json::json!({ "key": keys.key_id()? });
        store.log(settled.entry(), &payload, Utc::now()).await?;
    }
    Ok(())
}

/// What is wrong with a store that was just restored, and an entry in its log.
async fn checked(store: &Store, keys: &Keys) -> Result<Vec<String>, Failure> {
    let problems = store.check().await?;
    let payload = serde_json::json!({ "key": keys.key_id()?, "kept_in": keys.kept_in() });
    store.log("store restored", &payload, Utc::now()).await?;
    Ok(problems)
}

/// Puts a backup where no store is. The backup is opened with `open_with` and the restored
/// store keeps its key in `keep_in`.
pub async fn restore(
    backup: &Path,
    to: &Path,
    open_with: &KeySource,
    keep_in: &KeySource,
) -> Result<String, Failure> {
    let (backup, to) = (there(backup)?, absolute(to)?);
    if to.exists() {
        return Err(occupied(&to));
    }
    let unfinished = beside(&to, ".unfinished");
    if unfinished.exists() {
        // A restore that was cut short: what it left belongs to nothing.
        for path in [unfinished.clone(), sidecar_path(&to), sealed_path(&to)] {
            remove(&path)?;
        }
    }
    refuse_where_something_is(&to)?;
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::not_possible(format!("`{}` cannot be made: {error}", folder.display()))
        })?;
    }
    let there = Keys::open(&backup, open_with)?;
    let key = StoreKey::new(*there.store_key()?);
    if !key_fits(&backup, &key).await? {
        return Err(Failure::key(format!(
            "the backup `{}` does not open with its own key: it is damaged",
            backup.display()
        ))
        .hint("take another backup; nothing was changed")
        .state("store_damaged"));
    }
    std::fs::copy(&backup, &unfinished).map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be written: {error}", to.display()))
    })?;
    step("restore-copied");
    let keys = match keys::unpack(&backup, &to, open_with, keep_in) {
        Ok(keys) => keys,
        Err(failure) => {
            remove(&unfinished)?;
            return Err(failure);
        }
    };
    step("restore-unpacked");
    put_in_place(&unfinished, &to)?;
    let store = Store::open(&to, &key, &operator(), Utc::now()).await?;
    let checked = checked(&store, &keys).await;
    store.close().await;
    match checked?.first() {
        None => Ok(keys.kept_in()),
        Some(problem) => Err(Failure::key(format!(
            "the restored store is damaged, as its backup is: {problem}"
        ))
        .hint("take an older backup; this one stays where it was put")
        .state("store_damaged")),
    }
}

/// Proves that `source` opens the store, without opening it: for a window whose work goes on
/// behind its lock.
pub fn prove_key(options: &OpenOptions) -> Result<(), Failure> {
    let path = absolute(&options.store_path)?;
    Keys::open(&path, &options.key_source).map(|_| ())
}

/// An existing store's path.
fn there(path: &Path) -> Result<PathBuf, Failure> {
    let path = absolute(path)?;
    if path.is_file() {
        Ok(path)
    } else {
        Err(
            Failure::not_possible(format!("there is no store at `{}`", path.display()))
                .hint("give its path")
                .state("store_missing"),
        )
    }
}

fn refuse_where_something_is(store: &Path) -> Result<(), Failure> {
    for path in [store.to_owned(), sidecar_path(store), sealed_path(store)] {
        if path.exists() {
            return Err(occupied(&path));
        }
    }
    Ok(())
}

fn occupied(path: &Path) -> Failure {
    Failure::not_possible(format!("there is a file at `{}` already", path.display()))
        .hint("choose another path; nothing is ever overwritten")
}
