//! One cell of a table: safe in a terminal and in a spreadsheet, and still readable back.

use hmac::{Hmac, Mac};
use lastkey_contract::facts::Attributes;
use lastkey_contract::ids::Fingerprint;
use lastkey_contract::when::When;
use lastkey_verify::PackageKey;
pub(super) use lastkey_verify::cell;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The cell of something that may not be known: empty then.
pub(super) fn known<T: AsRef<str>>(text: Option<&T>) -> String {
    text.map(|t| cell(t.as_ref())).unwrap_or_default()
}

pub(super) fn word(word: Option<&'static str>) -> String {
    word.unwrap_or_default().to_owned()
}

pub(super) fn truth(value: Option<bool>) -> String {
    word(value.map(|v| if v { "true" } else { "false" }))
}

pub(super) fn time(value: Option<When>) -> String {
    value.map(When::to_text).unwrap_or_default()
}

pub(super) fn number<T: ToString>(value: Option<T>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

/// Several sentences in one cell.
pub(super) fn list(texts: &[String]) -> String {
    cell(&texts.join("; "))
}

/// Unknown columns stay at home: nobody has looked whether one of them holds a secret.
pub(super) fn left_out(_: Attributes) {}

/// Turns fingerprints into names that are equal where the fingerprints are, and only within one
/// package: neither the fingerprint key nor a guess at a secret leads from one to the other.
pub(super) struct Pseudonyms(Zeroizing<[u8; 32]>);

impl Pseudonyms {
    /// The same content and signer give the same names.
    pub(super) fn of(key: &PackageKey, context: &[u8]) -> Self {
        Self(Zeroizing::new(
            key.derive("fingerprint pseudonyms", context),
        ))
    }

    pub(super) fn name(&self, fingerprint: Option<&Fingerprint>) -> String {
        let Some(fingerprint) = fingerprint.filter(|f| !f.as_str().is_empty()) else {
            return String::new();
        };
        // an HMAC takes keys of every length: there is no error to report
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_slice()) else {
            return String::new();
        };
        mac.update(fingerprint.as_str().as_bytes());
        let digest = mac.finalize().into_bytes();
        let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
        format!("package:{hex}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_fingerprints_stay_equal_within_a_package_and_only_there() {
        let key = PackageKey::from_seed(&[7; 32]);
        let (one, other) = (Pseudonyms::of(&key, b"one"), Pseudonyms::of(&key, b"other"));
        let (a, b) = (Fingerprint::from("k1:aa"), Fingerprint::from("k1:bb"));
        assert_eq!(one.name(Some(&a)), one.name(Some(&a.clone())));
        assert_ne!(one.name(Some(&a)), one.name(Some(&b)));
        assert_ne!(one.name(Some(&a)), other.name(Some(&a)));
        assert_eq!(one.name(None), "");
    }
}
