//! Secrets by name: one keychain entry each, or sealed in `<store>.sealed` where the keychain
//! is absent or the secret too long for it. Never in the store itself.

use super::whole_file::{beside, remove, replace};
use super::{Key32, keychain, random_bytes};
use crate::failure::Failure;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use lastkey_contract::Secret;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Windows allows 2,560 bytes in UTF-16; longer ones are sealed in the file.
const MAX_KEYCHAIN_BYTES: usize = 1_200;

/// Whether a keychain takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Short secrets in the keychain, long ones in the file.
    KeychainFirst,
    FileAlone,
}

/// Where the secrets of one store are.
pub struct SecretBox {
    entries: String,
    sealing: Key32,
    place: Place,
    path: PathBuf,
}

/// Where the sealed file of a store stands.
pub(crate) fn sealed_path(store_path: &Path) -> PathBuf {
    beside(store_path, ".sealed")
}

/// The names in a sealed file; none where there is no file.
pub(super) fn names(path: &Path) -> Result<Vec<String>, Failure> {
    Ok(read_file(path)?.into_keys().collect())
}

impl SecretBox {
    pub(super) fn new(entries: String, sealing: Key32, place: Place, path: PathBuf) -> Self {
        Self {
            entries,
            sealing,
            place,
            path,
        }
    }

    /// Keeps a secret under a name, replacing an earlier one.
    pub fn put(&self, name: &str, secret: &Secret) -> Result<(), Failure> {
        let short = secret.expose().len() <= MAX_KEYCHAIN_BYTES;
        if self.place == Place::KeychainFirst && short {
            keychain::set(
                &self.entry(name),
                &Zeroizing::new(secret.expose().to_owned()),
            )?;
            self.change_file(|sealed| sealed.remove(name).is_some())
        } else {
            let text = self.seal(name, secret)?;
            self.change_file(|sealed| {
                sealed.insert(name.to_owned(), text);
                true
            })?;
            // An earlier, shorter one must not come back once this one is removed.
            match self.place {
                Place::KeychainFirst => keychain::remove(&self.entry(name)),
                Place::FileAlone => Ok(()),
            }
        }
    }

    /// The secret of a name, or none.
    pub fn get(&self, name: &str) -> Result<Option<Secret>, Failure> {
        if let Some(text) = read_file(&self.path)?.get(name) {
            return self.unseal(name, text).map(Some);
        }
        match self.place {
            Place::KeychainFirst => {
                Ok(keychain::get(&self.entry(name))?
                    .map(|text| Secret::new(text.as_str().to_owned())))
            }
            Place::FileAlone => Ok(None),
        }
    }

    /// Forgets a secret; an absent one is fine.
    pub fn forget(&self, name: &str) -> Result<(), Failure> {
        self.change_file(|sealed| sealed.remove(name).is_some())?;
        match self.place {
            Place::KeychainFirst => keychain::remove(&self.entry(name)),
            Place::FileAlone => Ok(()),
        }
    }

    /// Writes all secrets into another sealed file under another key, both those of the file and
    /// the named ones of the keychain, as `which` says. Gives back how many there are.
    pub(crate) fn seal_into(&self, other: &SecretBox, which: &[String]) -> Result<usize, Failure> {
        let mut names: Vec<String> = read_file(&self.path)?.into_keys().collect();
        names.extend(
            which
                .iter()
                .filter(|n| !names.contains(n))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let mut sealed = BTreeMap::new();
        for name in names {
            if let Some(secret) = self.get(&name)? {
                sealed.insert(name.clone(), other.seal(&name, &secret)?);
            }
        }
        if sealed.is_empty() {
            remove(&other.path)?;
            return Ok(0);
        }
        other.write_file(&sealed)?;
        Ok(sealed.len())
    }

    /// The same box with its file elsewhere, and without a keychain.
    pub(crate) fn at(&self, path: &Path) -> SecretBox {
        SecretBox::new(
            self.entries.clone(),
            self.sealing.clone(),
            Place::FileAlone,
            path.to_owned(),
        )
    }

    /// Puts all secrets of the file into another box. Gives back how many there are.
    pub(super) fn put_into(&self, other: &SecretBox) -> Result<usize, Failure> {
        let names = names(&self.path)?;
        for name in &names {
            if let Some(secret) = self.get(name)? {
                other.put(name, &secret)?;
            }
        }
        Ok(names.len())
    }

    /// Moves what the keychain holds into the file, as far as the keychain gives it back: it may
    /// be the very keychain that is lost.
    pub(super) fn seal_what_the_keychain_holds(&self) -> Result<(), Failure> {
        for name in self.in_keychain() {
            if let Some(text) = keychain::get(&self.entry(&name))? {
                let secret = Secret::new(text.as_str().to_owned());
                let text = self.seal(&name, &secret)?;
                self.change_file(|sealed| {
                    sealed.insert(name.clone(), text);
                    true
                })?;
                keychain::remove(&self.entry(&name))?;
            }
        }
        Ok(())
    }

    /// Names of the secrets that have a keychain entry. Root keys are no secrets of this box.
    pub(crate) fn in_keychain(&self) -> Vec<String> {
        let prefix = self.entry("");
        keychain::names_beginning(&prefix)
            .into_iter()
            .filter_map(|entry| entry.strip_prefix(&prefix).map(str::to_owned))
            .filter(|name| name != "root" && !name.starts_with("root:"))
            .collect()
    }

    fn entry(&self, name: &str) -> String {
        format!("{}:{name}", self.entries)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        let bytes: &[u8; 32] = &self.sealing;
        ChaCha20Poly1305::new(bytes.into())
    }

    fn seal(&self, name: &str, secret: &Secret) -> Result<String, Failure> {
        let nonce = random_bytes::<12>()?;
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: name.as_bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .map_err(|_| Failure::key("the secret could not be sealed"))?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(BASE64.encode(bytes))
    }

    fn unseal(&self, name: &str, text: &str) -> Result<Secret, Failure> {
        let opened = BASE64.decode(text).ok().and_then(|bytes| {
            let (nonce, sealed) = bytes.split_at_checked(12)?;
            let nonce: [u8; 12] = nonce.try_into().ok()?;
            let payload = Payload {
                msg: sealed,
                aad: name.as_bytes(),
            };
            let open = self.cipher().decrypt(&nonce.into(), payload).ok()?;
            String::from_utf8(open).ok()
        });
        opened.map(Secret::new).ok_or_else(|| {
            Failure::key(format!("the sealed secret `{name}` does not open"))
                .hint("give the secret again: remove the source and add it anew")
        })
    }

    /// Changes the file whole or not at all, and only where `change` says that it changed.
    fn change_file(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> bool,
    ) -> Result<(), Failure> {
        let mut sealed = read_file(&self.path)?;
        if !change(&mut sealed) {
            return Ok(());
        }
        self.write_file(&sealed)
    }

    fn write_file(&self, sealed: &BTreeMap<String, String>) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(sealed)
            .map_err(|_| Failure::not_possible("the sealed file could not be written"))?;
        replace(&self.path, text.as_bytes())
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|_| {
            Failure::key(format!("`{}` is damaged", path.display()))
                .hint("put it back from a backup, or move it away and give the secrets again")
                .state("sealed_file_damaged")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(Failure::not_possible(format!(
            "`{}` cannot be read: {error}",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_secrets_come_back_and_stand_nowhere_in_clear() {
        let dir = tempfile::tempdir().unwrap();
        let path = sealed_path(&dir.path().join("a.db"));
        let with_key = |byte: u8| {
            SecretBox::new(
                "id".into(),
                Zeroizing::new([byte; 32]),
                Place::FileAlone,
                path.clone(),
            )
        };
        let sealed = with_key(1);
        sealed
            .put("source:ldap", &Secret::new("canary-9f".into()))
            .unwrap();
        let back = sealed.get("source:ldap").unwrap().unwrap();
        assert_eq!(back.expose(), "canary-9f");
        let file = std::fs::read_to_string(dir.path().join("a.db.sealed")).unwrap();
        assert!(!file.contains("canary"));

        let other = with_key(2);
        assert!(
            other.get("source:ldap").is_err(),
            "another key opens nothing"
        );
        sealed.forget("source:ldap").unwrap();
        assert!(sealed.get("source:ldap").unwrap().is_none());
    }
}
