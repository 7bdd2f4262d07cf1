//! The forms in which one secret value stands at different places.
//!
//! Every connector that makes fingerprints takes these forms of a value, so that a password in a
//! vault, the same one encoded in a configuration and the same one inside an address are one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A value without the one line end that editors put after it.
pub fn without_line_end(value: &[u8]) -> &[u8] {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value)
}

/// What of a value is fingerprinted, each with what is added to the name of its field: the value
/// itself (nothing), what base64 hides (`:base64`), the password of an address (`:password`).
pub fn forms(value: &str) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
    let value = value.strip_suffix('\n').unwrap_or(value);
    let value = value.strip_suffix('\r').unwrap_or(value);
    let mut forms = vec![("", Zeroizing::new(value.as_bytes().to_vec()))];
    // People put encoded copies in, also where the system itself encodes nothing.
    if let Some(plain) = decoded(value) {
        forms.push((":base64", Zeroizing::new(without_line_end(&plain).to_vec())));
    }
    if let Some(password) = password_in_url(value) {
        forms.push((":password", Zeroizing::new(password.as_bytes().to_vec())));
    }
    forms
}

/// The bytes behind base64, where it is no doubt that: padded, and no word by chance.
fn decoded(value: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plausible = value.len() >= 12
        && value.len().is_multiple_of(4)
        && (value.ends_with('=') || value.len() >= 24);
    if !plausible {
        return None;
    }
    // Room for all of it, so that growing leaves no copy behind.
    let mut out = Zeroizing::new(vec![0; value.len()]);
    let count = STANDARD.decode_slice(value, out.as_mut_slice()).ok()?;
    out.truncate(count);
    let text = std::str::from_utf8(&out).ok()?;
    let readable = text
        .chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    readable.then_some(out)
}

/// The password of `scheme://user:password@host`, percent signs undone.
pub fn password_in_url(value: &str) -> Option<Zeroizing<String>> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    if password.is_empty() {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len()));
    let mut rest = password.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let undone = (*first == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match undone {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, says: &[(&str, &str)]) {
        let found = forms(value);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(form, value)| (*form, std::str::from_utf8(value).unwrap()))
            .collect();
        assert_eq!(found, says, "{value:?}");
    }

    #[test]
    fn a_value_has_these_forms() {
        check("hunter2hunter2\r\n", &[("", "hunter2hunter2")]);
        check("two\n\n", &[("", "two\n")]);
        check(
            "aHVudGVyMmh1bnRlcjJodW50ZXIyCg==",
            &[
                ("", "aHVudGVyMmh1bnRlcjJodW50ZXIyCg=="),
                (":base64", "hunter2hunter2hunter2"),
            ],
        );
        check(
            "postgres://app:s3cret%2Fpass@db:5432/x",
            &[
                ("", "postgres://app:s3cret%2Fpass@db:5432/x"),
                (":password", "s3cret/pass"),
            ],
        );
    }

    #[test]
    fn urls_without_a_password() {
        for text in [
            "https://h/x",
            "https://me@h",
            "a:b@c",
            "https://h/a:b@c",
            "x://me:@h",
        ] {
            assert!(password_in_url(text).is_none(), "{text}");
        }
        assert_eq!(password_in_url("x://u:p%zz@h").unwrap().as_str(), "p%zz");
    }
}
