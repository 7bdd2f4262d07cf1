//! A system's own words as they may be kept: short, on one line, escaped, and never with anything
//! of the secret that was just tried.

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Most letters that are kept.
const LONGEST: usize = 160;
/// Most letters that are looked at; what follows is not kept either.
const LOOKED_AT: usize = 4096;
/// What stands in place of words that repeat the secret.
const LEFT_OUT: &str = "(its words repeat part of the secret and are left out)";

/// The words, shortened and escaped; a sentence in their place where a few letters in a row are the
/// secret's, as it is or as servers write values down.
pub fn said(words: &str, secret: &Secret) -> String {
    let words: Zeroizing<String> = Zeroizing::new(words.chars().take(LOOKED_AT).collect());
    if repeats(&words, secret.expose().trim()) {
        return LEFT_OUT.to_owned();
    }
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut kept = String::new();
    for c in line.chars().take(LONGEST) {
        if c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ' {
            kept.push(c);
        } else {
            kept.extend(c.escape_unicode());
        }
    }
    if line.chars().count() > LONGEST {
        kept.push('…');
    }
    kept
}

/// Whether words hold so many letters of the secret in a row that they may be taken from it.
fn repeats(words: &str, secret: &str) -> bool {
    let long = secret.chars().count() > 64;
    let row = if long { 8 } else { 4 };
    let small = |text: &str| Zeroizing::new(text.to_lowercase());
    let (plain, hidden) = (small(words), small(secret));
    if shares(&plain, &hidden, row) {
        return true;
    }
    // escapes of every sort stand for a byte, or before a letter that stands for itself
    let bare: Zeroizing<String> =
        Zeroizing::new(plain.chars().filter(|c| *c != '\\').collect::<String>());
    if shares(&bare, &hidden, row) || shares(&small(&of_percent(words)), &hidden, row) {
        return true;
    }
    let hex: Zeroizing<String> =
        Zeroizing::new(secret.bytes().map(|b| format!("{b:02x}")).collect());
    if shares(&plain, &hex, 2 * row) {
        return true;
    }
    (0..3usize).any(|before| {
        let mut bytes = Zeroizing::new(vec![0u8; before]);
        bytes.extend_from_slice(secret.as_bytes());
        [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].iter().any(|engine| {
            let text = Zeroizing::new(engine.encode(bytes.as_slice()));
            // the first letters and the last depend on what stands beside
            let own = text.get((before * 8).div_ceil(6)..bytes.len() * 8 / 6);
            own.is_some_and(|own| shares(words, own, 2 * row))
        })
    })
}

/// Whether a row of so many letters of `secret` stands in `words`; all of a shorter one.
fn shares(words: &str, secret: &str, row: usize) -> bool {
    let letters: Zeroizing<Vec<char>> = Zeroizing::new(secret.chars().collect());
    if letters.is_empty() {
        return false;
    }
    letters.windows(row.min(letters.len())).any(|part| {
        let part: Zeroizing<String> = Zeroizing::new(part.iter().collect());
        words.contains(part.as_str())
    })
}

/// The text with `%41` and `\x41` read as the bytes that they stand for.
fn of_percent(text: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    loop {
        let digits = match rest {
            [b'%', a, b, ..] => Some((a, b, 3)),
            [b'\\', b'x', a, b, ..] => Some((a, b, 4)),
            [b'\\', a, b, ..] => Some((a, b, 3)),
            _ => None,
        };
        let value = digits.and_then(|(a, b, width)| {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            let byte = u8::try_from(digit(a)? * 16 + digit(b)?).ok()?;
            Some((byte, width))
        });
        let (byte, width) = match (value, rest.first()) {
            (Some(found), _) => found,
            (None, Some(byte)) => (*byte, 1),
            (None, None) => break,
        };
        bytes.push(byte);
        rest = rest.get(width..).unwrap_or_default();
    }
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, secret: &str, kept: &str) {
        assert_eq!(said(words, &Secret::new(secret.to_owned())), kept);
    }

    #[test]
    fn words_are_kept_on_one_line() {
        check("permission denied", "hvs.abcdefgh", "permission denied");
        check("a\n\tb  c", "x1y2z3", "a b c");
        check("", "x1y2z3", "");
        let long = "word ".repeat(100);
        let kept = said(&long, &Secret::new("x1y2z3".to_owned()));
        assert_eq!(kept.chars().count(), LONGEST + 1);
        check("a\u{1b}[31m \u{202e}b", "x1y2z3", "a\\u{1b}[31m \\u{202e}b");
    }

    #[test]
    fn whatever_repeats_the_secret_is_left_out() {
        let secret = "Tr0ub4dor&3/é";
        for words in [
            "`Tr0ub4dor&3/é` is not the password",
            "bad: TR0UB4",
            "bad: Tr0ub4dor%263%2F%C3%A9",
            "bad: \\54\\72\\30\\75\\62",
            "bad: \\x54\\x72\\x30\\x75\\x62",
            "bad: 5472307562346466f72",
            "bad: 54723075623464",
            "bad: VHIwdWI0ZG9yJjMvw6k=",
            "user:VHIwdWI0ZG9yJjM",
            "basic eDpUcjB1YjRkb3ImMy_DqQ",
            "T\\r0\\u\\b4",
        ] {
            check(words, secret, LEFT_OUT);
        }
        check("invalid credentials", secret, "invalid credentials");
        check("a", "a", LEFT_OUT);
        check("Q", "a", "Q");
    }
}
