//! A secret value on its way from the keychain to a server: hidden by type, wiped on drop. And what
//! may be one where none should stand.

use std::fmt;
use zeroize::Zeroizing;

/// A secret. Its `Debug` shows nothing, it has no `Display` and no serialisation.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller's copy should be wiped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
    /// The value, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// How tokens begin whose makers want them to be told.
const BEGINNINGS: &[&str] = &[
    "-----BEGIN",
    "AIza",
    "AKIA",
    "ASIA",
    "eyJ",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hvb.",
    "hvs.",
    "npm_",
    "pypi-",
    "rk_",
    "sk-",
    "sk_",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "ya29.",
];

/// Whether a value that stands where another sort of value belongs may be a secret: then no message
/// repeats it. Words, dates and names are none; what mixes letters and digits as tokens and
/// passwords do is one, and now and then an id as well.
pub fn may_be_secret(text: &str) -> bool {
    text.split_whitespace().any(|piece| {
        BEGINNINGS.iter().any(|start| piece.starts_with(start))
            || is_token(piece)
            || is_password(piece)
    })
}

/// Long, and not made of words and numbers with signs between them.
fn is_token(piece: &str) -> bool {
    let is_time = piece
        .chars()
        .all(|c| c.is_ascii_digit() || "-:.+/TZ".contains(c));
    if is_time || piece.chars().count() < 16 {
        return false;
    }
    let parts = piece.split(|c: char| !c.is_alphanumeric());
    parts.into_iter().any(|part| {
        let letters = part.chars().any(char::is_alphabetic);
        let digits = part.chars().any(|c| c.is_ascii_digit());
        let neighbours = part.chars().zip(part.chars().skip(1));
        let switches = neighbours.filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
        letters && digits || switches.count() > 4
    })
}

/// Letters of both cases, a digit and a sign that no name has.
fn is_password(piece: &str) -> bool {
    let has = |what: fn(char) -> bool| piece.chars().any(what);
    piece.chars().count() >= 8
        && has(char::is_lowercase)
        && has(char::is_uppercase)
        && has(|c| c.is_ascii_digit())
        && has(|c| !c.is_alphanumeric() && !"-_.,:/()[]'".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_told_from_words_dates_and_names() {
        for secret in [
            "ghp_1234",
            "AKIAIOSFODNN7EXAMPLE",
            "c0ffee00c0ffee01c0ffee02",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "token: hvs.CAESIJ",
            "Summer2026!",
            "dGhpcyBpcyBhIHNlY3JldA",
            "-----BEGIN PRIVATE KEY-----",
            "canary-token-9f2",
        ] {
            assert!(may_be_secret(secret), "{secret}");
        }
        for word in [
            "",
            "perhaps",
            "Terminated (2)",
            "2026-13-40",
            "2026-11-20T08:30:00.000Z",
            "31.12.2026 24:00:00",
            "Corp-AD-Production-01",
            "service_account_of_a_team",
            "PasswordNeverExpires",
            "12345678901234567890",
            "Gruppe von Leuten, die nicht mehr da sind",
        ] {
            assert!(!may_be_secret(word), "{word}");
        }
    }
}
