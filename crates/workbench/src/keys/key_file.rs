//! What a person can hold in hand: a key file or a passphrase. Through Argon2id with a salt
//! beside the store it wraps the root key.

use super::{Key32, random_bytes};
use crate::failure::Failure;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::path::Path;
use zeroize::Zeroizing;

/// A key file is at most this long: a passphrase or a few random bytes.
const MAX_BYTES: u64 = 64 * 1024;
/// Shorter secrets are guessed too quickly even through Argon2id.
pub(super) const MIN_BYTES: usize = 8;
const CONTEXT: &[u8] = b"lastkey root key v1";

/// The wrapped root key, as it stands beside the store. No part of it is secret by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Wrapped {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

/// The file's bytes without one trailing line break. Refused where others may read it.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Failure::key(format!("the key file `{shown}` cannot be read: {error}"))
            .hint("check the path given with --key-file or LASTKEY_KEY_FILE")
            .state("key_file_unreadable")
    };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() || meta.len() > MAX_BYTES {
        return Err(Failure::key(format!(
            "`{shown}` is not a key file: it must be a plain file of at most 64 KiB"
        ))
        .hint("choose another file")
        .state("key_file_unreadable"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if meta.mode() & 0o077 != 0 {
            return Err(Failure::key(format!(
                "the key file `{shown}` can be read by others (mode {:04o}); it must be 0600",
                meta.mode() & 0o7777
            ))
            .hint(format!("run: chmod 600 {shown}"))
            .state("key_file_loose"));
        }
    }
    let mut bytes = Zeroizing::new(std::fs::read(path).map_err(unreadable)?);
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.len() < MIN_BYTES {
        return Err(Failure::key(format!(
            "the key file `{shown}` holds fewer than {MIN_BYTES} bytes"
        ))
        .hint("make one with: head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE")
        .state("key_file_short"));
    }
    Ok(bytes)
}

/// Wraps the root key with what the person holds; `half` is the keychain's share, where both
/// are needed to open.
pub(super) fn wrap(content: &[u8], half: Option<&Key32>, root: &Key32) -> Result<Wrapped, Failure> {
    let salt = random_bytes::<16>()?;
    let nonce = random_bytes::<12>()?;
    let (memory_kib, passes, lanes) = (64 * 1024, 3, 1);
    let key = joined(stretch(content, &salt, memory_kib, passes, lanes)?, half)?;
    let sealed = seal(&key, &nonce, root, CONTEXT)?;
    Ok(Wrapped {
        memory_kib,
        passes,
        lanes,
        salt: BASE64.encode(salt),
        nonce: BASE64.encode(nonce),
        sealed: BASE64.encode(sealed),
    })
}

/// The root key; none where the content (or the keychain's share) is not the right one.
pub(super) fn unwrap(
    content: &[u8],
    half: Option<&Key32>,
    wrapped: &Wrapped,
) -> Result<Option<Key32>, Failure> {
    let salt = BASE64.decode(&wrapped.salt).map_err(|_| damaged())?;
    // A file that asks for absurd work is damaged, not obeyed.
    if wrapped.memory_kib > 1024 * 1024 || wrapped.passes > 16 || wrapped.lanes > 16 {
        return Err(damaged());
    }
    let stretched = stretch(
        content,
        &salt,
        wrapped.memory_kib,
        wrapped.passes,
        wrapped.lanes,
    );
    // What it was stretched with comes out of that file too.
    let key = joined(stretched.map_err(|_| damaged())?, half)?;
    unseal(&key, &wrapped.nonce, &wrapped.sealed, CONTEXT)
}

pub(super) fn damaged() -> Failure {
    Failure::key("the file of keys beside the store is damaged")
        .hint("put it back from a backup of the store")
        .state("keys_file_damaged")
}

fn stretch(
    content: &[u8],
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
) -> Result<Key32, Failure> {
    let failed = |_| Failure::key("the key file could not be stretched");
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(failed)?;
    let mut key = Zeroizing::new([0u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(content, salt, key.as_mut())
        .map_err(failed)?;
    Ok(key)
}

/// Both shares in one key, so that neither opens anything alone.
fn joined(stretched: Key32, half: Option<&Key32>) -> Result<Key32, Failure> {
    let Some(half) = half else {
        return Ok(stretched);
    };
    let mut key = Zeroizing::new([0u8; 32]);
    Hkdf::<Sha256>::new(Some(half.as_ref()), stretched.as_ref())
        .expand(b"lastkey keychain and passphrase v1", key.as_mut())
        .map_err(|_| Failure::key("the key could not be derived"))?;
    Ok(key)
}

/// 32 bytes under a key, bound to what they are for.
pub(super) fn seal(
    key: &Key32,
    nonce: &[u8; 12],
    root: &Key32,
    context: &[u8],
) -> Result<Vec<u8>, Failure> {
    let payload = Payload {
        msg: root.as_ref(),
        aad: context,
    };
    cipher(key)
        .encrypt(nonce.into(), payload)
        .map_err(|_| Failure::key("the root key could not be wrapped"))
}

/// The bytes; none where the key is not the right one.
pub(super) fn unseal(
    key: &Key32,
    nonce: &str,
    sealed: &str,
    context: &[u8],
) -> Result<Option<Key32>, Failure> {
    let nonce: [u8; 12] = BASE64
        .decode(nonce)
        .ok()
        .and_then(|n| n.try_into().ok())
        .ok_or_else(damaged)?;
    let sealed = BASE64.decode(sealed).map_err(|_| damaged())?;
    let payload = Payload {
        msg: &sealed,
        aad: context,
    };
    let Ok(root) = cipher(key).decrypt(&nonce.into(), payload) else {
        return Ok(None);
    };
    let root = Zeroizing::new(root);
    let mut out = Zeroizing::new([0u8; 32]);
    if root.len() != out.len() {
        return Err(damaged());
    }
    out.copy_from_slice(&root);
    Ok(Some(out))
}

fn cipher(key: &Key32) -> ChaCha20Poly1305 {
    let bytes: &[u8; 32] = key;
    ChaCha20Poly1305::new(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_nothing_can_be_stretched_with_are_damage() {
        let root: Key32 = Zeroizing::new([1; 32]);
        let whole = wrap(b"a passphrase", None, &root).unwrap();
        let opened = |wrapped: Wrapped| {
            unwrap(b"a passphrase", None, &wrapped).map_err(|failure| failure.message)
        };
        assert_eq!(opened(whole.clone()), Ok(Some(root)));
        for change in [
            |w: &mut Wrapped| w.lanes = 0,
            |w: &mut Wrapped| w.passes = 0,
            |w: &mut Wrapped| w.passes = u32::MAX,
            |w: &mut Wrapped| w.memory_kib = 0,
            |w: &mut Wrapped| w.memory_kib = u32::MAX,
            |w: &mut Wrapped| w.salt = String::new(),
            |w: &mut Wrapped| w.salt = "?".to_owned(),
        ] {
            let mut damaged = whole.clone();
            change(&mut damaged);
            assert_eq!(
                opened(damaged),
                Err("the file of keys beside the store is damaged".to_owned())
            );
        }
    }
}
