//! SSH keys: the fingerprint of a public key, which names it and is no secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// How types of public keys begin, as they stand in files.
const TYPES: [&str; 5] = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "rsa-sha2-"];

/// The fingerprint of a public key's blob, as `ssh-keygen -l` writes it.
pub fn print(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// The fingerprint and the comment of a line of `authorized_keys` or of a `.pub` file; options may
/// stand before the key. None for other lines.
pub fn public(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let starts = |at: &usize| {
        let rest = line.get(*at..).unwrap_or_default();
        let first = at.checked_sub(1).and_then(|n| line.as_bytes().get(n));
        matches!(first, None | Some(b' ' | b'\t'))
            && TYPES.iter().any(|kind| rest.starts_with(kind))
    };
    for at in (0..line.len()).filter(starts) {
        let mut parts = line.get(at..)?.splitn(3, [' ', '\t']);
        let kind = parts.next()?;
        let Some(blob) = parts.next().and_then(|text| STANDARD.decode(text).ok()) else {
            continue;
        };
        // The blob says its type itself.
        if field(&blob).is_some_and(|(name, _)| name == kind.as_bytes()) {
            let comment = parts.next().unwrap_or_default().trim().to_owned();
            return Some((print(&blob), comment));
        }
    }
    None
}

/// The fingerprint of the public key that stands in clear in a private key of OpenSSH's own
/// format, also where the private part is encrypted. `text` is what stands between its lines.
pub fn of_private(text: &[u8]) -> Option<String> {
    let mut bare = Zeroizing::new(Vec::with_capacity(text.len()));
    bare.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; bare.len()]);
    let count = STANDARD.decode_slice(bare.as_slice(), &mut bytes).ok()?;
    bytes.truncate(count);
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let (_cipher, rest) = field(rest)?;
    let (_derivation, rest) = field(rest)?;
    let (_options, rest) = field(rest)?;
    let (blob, _) = field(rest.get(4..)?)?;
    Some(print(blob))
}

/// A field with its length before it, and what comes after.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap();
        [&length.to_be_bytes(), bytes].concat()
    }

    /// The blob of a public key that nobody has.
    pub fn blob(seed: u8) -> Vec<u8> {
        [text(b"ssh-ed25519"), text(&[seed; 32])].concat()
    }

    /// A line of a public key.
    pub fn line(seed: u8, comment: &str) -> String {
        format!("ssh-ed25519 {} {comment}", STANDARD.encode(blob(seed)))
    }

    /// A private key of OpenSSH's format with this public key; its private part is rubbish.
    pub fn private(seed: u8) -> String {
        let bytes = [
            b"openssh-key-v1\0".to_vec(),
            text(b"aes256-ctr"),
            text(b"bcrypt"),
            text(b"options"),
            1u32.to_be_bytes().to_vec(),
            text(&blob(seed)),
            text(&(0..200).collect::<Vec<u8>>()),
        ]
        .concat();
        let text = STANDARD.encode(bytes);
        let lines: Vec<&str> = (0..text.len())
            .step_by(70)
            .map(|at| &text[at..(at + 70).min(text.len())])
            .collect();
        let word = "OPENSSH PRIVATE KEY";
        format!(
            "-----BEGIN {word}-----\n{}\n-----END {word}-----\n",
            lines.join("\n")
        )
    }

    #[test]
    fn a_public_key_is_known_by_its_fingerprint() {
        let expected = print(&blob(7));
        assert!(expected.starts_with("SHA256:") && expected.len() == 50);
        for before in [
            "",
            "from=\"10.0.0.0/8\",command=\"echo ssh-rsa x\" ",
            "restrict ",
        ] {
            let (print, comment) =
                public(&format!("{before}{}", line(7, "ann on laptop"))).unwrap();
            assert_eq!(
                (print, comment),
                (expected.clone(), "ann on laptop".to_owned())
            );
        }
        assert_eq!(public("# ssh-rsa AAAA"), None);
        assert_eq!(public("ssh-ed25519 bm90IGEga2V5 x"), None);
        assert_eq!(public(&line(7, "").replace("ssh-ed25519", "ssh-rsa")), None);
        assert_eq!(public(""), None);
    }

    #[test]
    fn a_private_key_tells_its_public_part() {
        let key = private(9);
        let inner: String = key.lines().filter(|l| !l.starts_with('-')).collect();
        assert_eq!(of_private(inner.as_bytes()), Some(print(&blob(9))));
        assert_eq!(of_private(b"bm90IGEga2V5"), None);
        assert_eq!(of_private(b""), None);
    }
}
