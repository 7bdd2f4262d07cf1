//! Secrets by name: one keychain entry each, or sealed in `<store>.sealed` where the keychain
//! is absent or the secret too long for it. Never in the store itself.

use super::{Key32, KeySource, keychain, random_bytes};
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

/// Where the secrets of one store are.
pub struct SecretBox {
    store_id: String,
    sealing: Key32,
    source: KeySource,
    path: PathBuf,
}

impl SecretBox {
    pub(super) fn new(
        store_id: String,
        sealing: Key32,
        source: KeySource,
        store_path: &Path,
    ) -> Self {
        let mut name = store_path.as_os_str().to_owned();
        name.push(".sealed");
        Self {
            store_id,
            sealing,
            source,
            path: PathBuf::from(name),
        }
    }

    /// Keeps a secret under a name, replacing an earlier one.
    pub fn put(&self, name: &str, secret: &Secret) -> Result<(), Failure> {
        let in_keychain =
            self.source == KeySource::Keychain && secret.expose().len() <= MAX_KEYCHAIN_BYTES;
        if in_keychain {
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
            })
        }
    }

    /// The secret of a name, or none.
    pub fn get(&self, name: &str) -> Result<Option<Secret>, Failure> {
        if let Some(text) = self.read_file()?.get(name) {
            return self.unseal(name, text).map(Some);
        }
        match self.source {
            KeySource::Keychain => {
                Ok(keychain::get(&self.entry(name))?
                    .map(|text| Secret::new(text.as_str().to_owned())))
            }
            KeySource::KeyFile(_) => Ok(None),
        }
    }

    /// Forgets a secret; an absent one is fine.
    pub fn forget(&self, name: &str) -> Result<(), Failure> {
        self.change_file(|sealed| sealed.remove(name).is_some())?;
        match self.source {
            KeySource::Keychain => keychain::remove(&self.entry(name)),
            KeySource::KeyFile(_) => Ok(()),
        }
    }

    fn entry(&self, name: &str) -> String {
        format!("{}:{name}", self.store_id)
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

    fn read_file(&self) -> Result<BTreeMap<String, String>, Failure> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|_| Failure::key(format!("`{}` is damaged", self.path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(Failure::not_possible(format!(
                "`{}` cannot be read: {error}",
                self.path.display()
            ))),
        }
    }

    /// Changes the file whole or not at all, and only where `change` says that it changed.
    fn change_file(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> bool,
    ) -> Result<(), Failure> {
        let mut sealed = self.read_file()?;
        if !change(&mut sealed) {
            return Ok(());
        }
        let failed = |error: std::io::Error| {
            Failure::not_possible(format!(
                "`{}` cannot be written: {error}",
                self.path.display()
            ))
        };
        let text = serde_json::to_string_pretty(&sealed)
            .map_err(|_| Failure::not_possible("the sealed file could not be written"))?;
        let mut temporary = self.path.as_os_str().to_owned();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&temporary).map_err(failed)?;
        std::io::Write::write_all(&mut file, text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::rename(&temporary, &self.path))
            .map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_secrets_come_back_and_stand_nowhere_in_clear() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("a.db");
        let source = KeySource::KeyFile(dir.path().join("unused"));
        let sealed = SecretBox::new("id".into(), Zeroizing::new([1; 32]), source.clone(), &store);
        sealed
            .put("source:ldap", &Secret::new("canary-9f".into()))
            .unwrap();
        let back = sealed.get("source:ldap").unwrap().unwrap();
        assert_eq!(back.expose(), "canary-9f");
        let file = std::fs::read_to_string(dir.path().join("a.db.sealed")).unwrap();
        assert!(!file.contains("canary"));

        let other = SecretBox::new("id".into(), Zeroizing::new([2; 32]), source, &store);
        assert!(
            other.get("source:ldap").is_err(),
            "another key opens nothing"
        );
        sealed.forget("source:ldap").unwrap();
        assert!(sealed.get("source:ldap").unwrap().is_none());
    }
}
