//! The signing key of a package, and the fingerprint by which a signer is known.
//!
//! A fingerprint is the SHA-256 of the public key in its SPKI DER form, so that
//! `openssl pkey -pubin -in public-key.pem -outform DER | sha256sum` shows the same.

use crate::hex::sha256_hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// What stands before the 32 bytes of an Ed25519 public key in SPKI DER (RFC 8410).
const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// An Ed25519 key that signs packages. Wiped on drop; its `Debug` shows the fingerprint only.
pub struct PackageKey(SigningKey);

impl PackageKey {
    /// The key with this 32-byte seed. The caller wipes its copy.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }
    /// By which a verifier knows this key.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.0.verifying_key())
    }
    /// The public half in SPKI PEM.
    pub fn public_key_pem(&self) -> String {
        pem(&self.0.verifying_key())
    }
    /// A key that only the holder of this one can compute: the same for the same purpose and
    /// context, and telling nothing about this key. The caller wipes it.
    pub fn derive(&self, purpose: &str, context: &[u8]) -> [u8; 32] {
        let inner = Sha256::new()
            .chain_update(Sha256::digest(purpose.as_bytes()))
            .chain_update(Sha256::digest(context))
            .finalize();
        Sha256::new()
            .chain_update(b"lastkey derived key 1")
            .chain_update(self.0.as_bytes())
            .chain_update(inner)
            .finalize()
            .into()
    }
    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackageKey({})", self.fingerprint())
    }
}

/// The SHA-256 of a public key (SPKI DER) in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// 64 lower-case hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a fingerprint of a signer: 64 hex digits are expected, colons and spaces are allowed"
)]
pub struct FingerprintError(String);

impl FromStr for Fingerprint {
    type Err = FingerprintError;
    /// Accepts upper and lower case, colons and spaces between the digits, and a leading `sha256:`.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let lower = text.trim().to_ascii_lowercase();
        let digits: String = lower
            .strip_prefix("sha256:")
            .unwrap_or(&lower)
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .collect();
        if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(digits))
        } else {
            Err(FingerprintError(crate::text::visible(text)))
        }
    }
}

fn spki(key: &VerifyingKey) -> Vec<u8> {
    [SPKI_HEAD.as_slice(), key.as_bytes()].concat()
}

/// The fingerprint of a public key.
pub(crate) fn fingerprint(key: &VerifyingKey) -> Fingerprint {
    Fingerprint(sha256_hex(&spki(key)))
}

/// The public key in SPKI PEM, as openssl writes it.
pub(crate) fn pem(key: &VerifyingKey) -> String {
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(spki(key))
    )
}

/// The public key in this PEM text, if it is exactly as `pem` writes it.
pub(crate) fn from_pem(bytes: &[u8]) -> Option<VerifyingKey> {
    let text = std::str::from_utf8(bytes).ok()?;
    let body = text
        .strip_prefix("-----BEGIN PUBLIC KEY-----\n")?
        .strip_suffix("\n-----END PUBLIC KEY-----\n")?;
    let der = STANDARD.decode(body).ok()?;
    let raw: [u8; 32] = der.strip_prefix(SPKI_HEAD.as_slice())?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&raw).ok()?;
    (pem(&key) == text).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_in_every_usual_spelling() {
        let key = PackageKey::from_seed(&[7; 32]);
        let plain = key.fingerprint();
        let upper = plain.as_str().to_uppercase();
        let colons = upper
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap())
            .collect::<Vec<_>>()
            .join(":");
        for text in [plain.as_str(), &upper, &colons, &format!("sha256:{plain}")] {
            assert_eq!(text.parse::<Fingerprint>().as_ref(), Ok(&plain), "`{text}`");
        }
        for text in ["", "abc", &plain.as_str()[1..], &"g".repeat(64)] {
            assert!(text.parse::<Fingerprint>().is_err(), "`{text}`");
        }
    }

    #[test]
    fn only_the_one_spelling_of_a_key_is_read_back() {
        let text = PackageKey::from_seed(&[7; 32]).public_key_pem();
        assert!(from_pem(text.as_bytes()).is_some());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let other = from_pem(&bytes).map(|key| pem(&key).into_bytes());
            assert_ne!(other, Some(text.clone().into_bytes()), "byte {at}");
        }
    }
}
