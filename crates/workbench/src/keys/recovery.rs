//! The recovery key: the root key as text that a person can write down, shown once.

use super::{Key32, hex, key_from_hex};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "lastkey-recovery-1";

/// `lastkey-recovery-1` and nine groups: the key in hex, and a checksum against slips of the pen.
pub(super) fn encode(root: &Key32) -> Zeroizing<String> {
    let key = Zeroizing::new(hex(root.as_ref()));
    let mut text = Zeroizing::new(PREFIX.to_owned());
    for group in key.as_bytes().chunks(8) {
        text.push('-');
        text.push_str(&String::from_utf8_lossy(group));
    }
    text.push('-');
    text.push_str(&checksum(root));
    text
}

/// The root key, if the bytes are a recovery key without a slip.
pub(super) fn decode(content: &[u8]) -> Option<Key32> {
    let text = std::str::from_utf8(content).ok()?.trim();
    let rest = text.strip_prefix(PREFIX)?;
    let digits = Zeroizing::new(rest.replace(['-', ' '], "").to_lowercase());
    let (key, sum) = digits.split_at_checked(64)?;
    let root = key_from_hex(key)?;
    (checksum(&root) == sum).then_some(root)
}

fn checksum(root: &Key32) -> String {
    let mut hash = Sha256::new();
    hash.update(b"lastkey recovery checksum");
    hash.update(root.as_ref());
    hex(hash.finalize().get(..4).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_noticed() {
        let root: Key32 = Zeroizing::new([7; 32]);
        let text = encode(&root);
        assert_eq!(decode(text.as_bytes()), Some(root));
        let slipped = text.replacen("07070707", "07070708", 1);
        assert_eq!(decode(slipped.as_bytes()), None);
        assert_eq!(decode(b"a passphrase"), None);
    }
}
