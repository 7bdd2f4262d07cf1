//! A key file: its bytes, through Argon2id with a salt beside the store, wrap the root key.

use super::{Key32, random_bytes};
use crate::failure::Failure;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

/// A key file is at most this long: a passphrase or a few random bytes.
const MAX_BYTES: u64 = 64 * 1024;
/// Shorter secrets are guessed too quickly even through Argon2id.
const MIN_BYTES: usize = 8;
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
    let meta = std::fs::metadata(path).map_err(|error| {
        Failure::key(format!("the key file `{shown}` cannot be read: {error}"))
            .hint("check the path given with --key-file or LASTKEY_KEY_FILE")
    })?;
    if !meta.is_file() || meta.len() > MAX_BYTES {
        return Err(Failure::key(format!(
            "`{shown}` is not a key file: it must be a plain file of at most 64 KiB"
        )));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if meta.mode() & 0o077 != 0 {
            return Err(Failure::key(format!(
                "the key file `{shown}` can be read by others (mode {:04o}); it must be 0600",
                meta.mode() & 0o7777
            ))
            .hint(format!("run: chmod 600 {shown}")));
        }
    }
    let mut bytes = Zeroizing::new(std::fs::read(path).map_err(|error| {
        Failure::key(format!("the key file `{shown}` cannot be read: {error}"))
    })?);
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
        .hint("make one with: head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE"));
    }
    Ok(bytes)
}

/// Wraps the root key with the file's bytes.
pub(super) fn wrap(path: &Path, root: &Key32) -> Result<Wrapped, Failure> {
    let content = read(path)?;
    let salt = random_bytes::<16>()?;
    let nonce = random_bytes::<12>()?;
    let (memory_kib, passes, lanes) = (64 * 1024, 3, 1);
    let key = stretch(&content, &salt, memory_kib, passes, lanes)?;
    let sealed = cipher(&key)
        .encrypt(
            &nonce.into(),
            Payload {
                msg: root.as_ref(),
                aad: CONTEXT,
            },
        )
        .map_err(|_| Failure::key("the root key could not be wrapped"))?;
    Ok(Wrapped {
        memory_kib,
        passes,
        lanes,
        salt: BASE64.encode(salt),
        nonce: BASE64.encode(nonce),
        sealed: BASE64.encode(sealed),
    })
}

/// The root key, if the content is that of the right key file.
pub(super) fn unwrap(content: &[u8], wrapped: &Wrapped) -> Result<Key32, Failure> {
    let damaged = || {
        Failure::key("the file of keys beside the store is damaged")
            .hint("put it back from a backup, or give the recovery key with --key-file FILE")
    };
    let salt = BASE64.decode(&wrapped.salt).map_err(|_| damaged())?;
    let nonce: [u8; 12] = BASE64
        .decode(&wrapped.nonce)
        .ok()
        .and_then(|n| n.try_into().ok())
        .ok_or_else(damaged)?;
    let sealed = BASE64.decode(&wrapped.sealed).map_err(|_| damaged())?;
    // A file that asks for absurd work is damaged, not obeyed.
    if wrapped.memory_kib > 1024 * 1024 || wrapped.passes > 16 || wrapped.lanes > 16 {
        return Err(damaged());
    }
    let key = stretch(
        content,
        &salt,
        wrapped.memory_kib,
        wrapped.passes,
        wrapped.lanes,
    )?;
    let root = Zeroizing::new(
        cipher(&key)
            .decrypt(
                &nonce.into(),
                Payload {
                    msg: &sealed,
                    aad: CONTEXT,
                },
            )
            .map_err(|_| {
                Failure::key("the key file does not open this store")
                    .hint("give the key file that the store was made with, or its recovery key")
            })?,
    );
    let mut out = Zeroizing::new([0u8; 32]);
    if root.len() != out.len() {
        return Err(damaged());
    }
    out.copy_from_slice(&root);
    Ok(out)
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

fn cipher(key: &Key32) -> ChaCha20Poly1305 {
    let bytes: &[u8; 32] = key;
    ChaCha20Poly1305::new(bytes.into())
}
