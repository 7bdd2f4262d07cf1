//! The recovery key: 32 random bytes as text that a person can write down, shown once. It wraps
//! the root key, so that a new one can be made without changing the store.

use super::key_file::{seal, unseal};
use super::{Key32, hex, key_from_hex, random_bytes, random_key};
use crate::failure::Failure;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "lastkey-recovery-1";
const CONTEXT: &[u8] = b"lastkey recovery v1";

/// The root key under the recovery key, as it stands beside the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Recovery {
    pub made_at: String,
    nonce: String,
    sealed: String,
}

/// What a text given as a recovery key is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// No recovery key at all.
    Other,
    /// One with a slip of the pen.
    Slip,
    Key(Key32),
}

/// Makes a new recovery key for the root key: what stands beside the store, and the text.
pub(super) fn make(
    root: &Key32,
    now: DateTime<Utc>,
) -> Result<(Recovery, Zeroizing<String>), Failure> {
    let key = random_key()?;
    let nonce = random_bytes::<12>()?;
    let recovery = Recovery {
        made_at: rfc3339(now),
        sealed: BASE64.encode(seal(&key, &nonce, root, CONTEXT)?),
        nonce: BASE64.encode(nonce),
    };
    Ok((recovery, encode(&key)))
}

/// The root key; none where it is another recovery key.
pub(super) fn unwrap(key: &Key32, recovery: &Recovery) -> Result<Option<Key32>, Failure> {
    unseal(key, &recovery.nonce, &recovery.sealed, CONTEXT)
}

/// `lastkey-recovery-1` and nine groups: the key in hex, and a checksum against slips of the pen.
fn encode(key: &Key32) -> Zeroizing<String> {
    let digits = Zeroizing::new(hex(key.as_ref()));
    let mut text = Zeroizing::new(String::with_capacity(100));
    text.push_str(PREFIX);
    for group in digits.as_bytes().chunks(8) {
        text.push('-');
        for byte in group {
            text.push(char::from(*byte));
        }
    }
    text.push('-');
    text.push_str(&checksum(key));
    text
}

/// What the bytes are. What was written down by hand and typed, or wrapped by a printer, comes
/// back in capitals, with other spaces and dashes, or without its first words.
pub(super) fn read(content: &[u8]) -> Read {
    let Ok(text) = std::str::from_utf8(content) else {
        return Read::Other;
    };
    let signs = Zeroizing::new(bare(text));
    let (rest, otherwise) = match signs.strip_prefix(bare(PREFIX).as_str()) {
        Some(rest) => (rest, Read::Slip),
        None => (signs.as_str(), Read::Other),
    };
    let key = rest.split_at_checked(64).and_then(|(key, sum)| {
        let key = key_from_hex(key)?;
        (checksum(&key) == sum).then_some(key)
    });
    key.map_or(otherwise, Read::Key)
}

/// Letters and digits in small letters, without what stands between groups.
fn bare(text: &str) -> String {
    let between = |c: char| {
        c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{feff}')
    };
    let mut bare = String::with_capacity(text.len());
    bare.extend(
        text.chars()
            .filter(|c| !between(*c))
            .map(|c| c.to_ascii_lowercase()),
    );
    bare
}

fn checksum(key: &Key32) -> String {
    let mut hash = Sha256::new();
    hash.update(b"lastkey recovery checksum");
    hash.update(key.as_ref());
    hex(hash.finalize().get(..4).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_noticed() {
        let key: Key32 = Zeroizing::new([7; 32]);
        let text = encode(&key);
        assert_eq!(read(text.as_bytes()), Read::Key(key));
        let slipped = text.replacen("07070707", "07070708", 1);
        assert_eq!(read(slipped.as_bytes()), Read::Slip);
        assert_eq!(read(b"lastkey-recovery-1-0707"), Read::Slip);
        assert_eq!(read(b"a passphrase"), Read::Other);
        assert_eq!(read("07".repeat(36).as_bytes()), Read::Other);
    }

    #[test]
    fn other_spaces_dashes_and_capitals_are_no_slip() {
        let key: Key32 = Zeroizing::new([0xab; 32]);
        let text = encode(&key);
        let groups = text.strip_prefix("lastkey-recovery-1-").unwrap();
        for written in [
            format!("  {}\r\n\n", *text),
            format!("\u{feff}{}", *text),
            text.to_uppercase(),
            text.replace('-', " "),
            text.replace('-', "\u{2013}"),
            text.replace('-', "-\n  "),
            format!("{}\n{}", &text[..40], &text[40..]),
            groups.to_owned(),
            groups.replace('-', ""),
        ] {
            assert_eq!(
                read(written.as_bytes()),
                Read::Key(key.clone()),
                "{written}"
            );
        }
    }

    #[test]
    fn each_recovery_key_opens_its_own_wrapping_alone() {
        let root: Key32 = Zeroizing::new([1; 32]);
        let (first, text) = make(&root, Utc::now()).unwrap();
        let (second, _) = make(&root, Utc::now()).unwrap();
        let Read::Key(key) = read(text.as_bytes()) else {
            panic!("a recovery key")
        };
        assert_eq!(unwrap(&key, &first).unwrap(), Some(root));
        assert_eq!(unwrap(&key, &second).unwrap(), None);
    }
}
