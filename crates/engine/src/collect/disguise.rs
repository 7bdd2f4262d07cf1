//! The forms in which a secret may come back: as it is, and as servers, logs and protocols write
//! values down. A form that is found is as good as the secret itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use lastkey_contract::Secret;
use std::fmt::Write;
use zeroize::Zeroizing;

/// Below this many bytes a value's encoded forms are so short that they stand everywhere by chance.
const MIN_ENCODED: usize = 6;

/// All forms of these values, each once, longer ones first; wiped on drop.
pub(super) fn forms(secrets: &[Secret]) -> Vec<Zeroizing<String>> {
    let mut forms: Vec<Zeroizing<String>> = Vec::new();
    for secret in secrets {
        let text = secret.expose();
        if text.is_empty() {
            continue;
        }
        forms.push(Zeroizing::new(text.to_owned()));
        // What a terminal or a file adds at the end is no part of what is looked for.
        forms.push(Zeroizing::new(text.trim().to_owned()));
        forms.extend(escaped(text));
        if text.len() >= MIN_ENCODED {
            forms.extend(encoded(text.as_bytes()));
        }
    }
    forms.retain(|form| !form.is_empty());
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    forms
}

/// Forms in which most of the text still stands as it is.
fn escaped(text: &str) -> Vec<Zeroizing<String>> {
    let mut json = Zeroizing::new(serde_json::Value::from(text).to_string());
    json.pop();
    let json = Zeroizing::new(json.get(1..).unwrap_or_default().to_owned());
    let ascii_json = spelled(text, |c, out| match u32::from(c) {
        0x20..=0x7e if !matches!(c, '"' | '\\') => out.push(c),
        _ => {
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    });
    // RFC 4515 (filters) and RFC 4514 (names)
    let filter = spelled(text, |c, out| match c {
        '*' | '(' | ')' | '\\' | '\0' => {
            let _ = write!(out, "\\{:02x}", u32::from(c));
        }
        other => out.push(other),
    });
    let name = spelled(text, |c, out| {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#') {
            out.push('\\');
        }
        out.push(c);
    });
    let html = spelled(text, |c, out| match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        other => out.push(other),
    });
    let mut all = vec![json, ascii_json, filter, name, html];
    for (case, space) in [(Hex::Upper, "%20"), (Hex::Lower, "%20"), (Hex::Upper, "+")] {
        all.push(percent(text, case, space));
    }
    all
}

/// Forms in which nothing of the text stands any more.
fn encoded(bytes: &[u8]) -> Vec<Zeroizing<String>> {
    let mut all = vec![hex(bytes, Hex::Lower), hex(bytes, Hex::Upper)];
    // In base64 a value looks different after 0, 1 or 2 bytes of something else, as in
    // `name:password`; its first and last letters depend on its neighbours.
    for before in 0..3usize {
        let mut padded = Zeroizing::new(vec![0u8; before]);
        padded.extend_from_slice(bytes);
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = Zeroizing::new(engine.encode(padded.as_slice()));
            all.push(Zeroizing::new(
                text.get(first..last).unwrap_or_default().to_owned(),
            ));
        }
    }
    all
}

#[derive(Clone, Copy)]
enum Hex {
    Lower,
    Upper,
}

fn hex(bytes: &[u8], case: Hex) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        let _ = match case {
            Hex::Lower => write!(out, "{byte:02x}"),
            Hex::Upper => write!(out, "{byte:02X}"),
        };
    }
    out
}

/// As in an address: all but letters, digits and `-._~`.
fn percent(text: &str, case: Hex, space: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push_str(space),
            other => {
                out.push('%');
                out.push_str(&hex(&[other], case));
            }
        }
    }
    out
}

fn spelled(text: &str, each: impl Fn(char, &mut String)) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 2));
    text.chars().for_each(|c| each(c, &mut out));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(secret: &str) -> Vec<String> {
        let forms = forms(&[Secret::new(secret.to_owned())]);
        forms.iter().map(|form| form.to_string()).collect()
    }

    #[test]
    fn each_way_to_write_a_value_down_is_known() {
        let secret = "pä\"ss*w/(o)r=d & more";
        let found = all(secret);
        for text in [
            secret,
            "pä\\\"ss*w/(o)r=d & more",
            "p\\u00e4\\u0022ss*w/(o)r=d & more",
            "pä\"ss\\2aw/\\28o\\29r=d & more",
            "pä\\\"ss*w/(o)r\\=d & more",
            "pä&quot;ss*w/(o)r=d &amp; more",
            "p%C3%A4%22ss%2Aw%2F%28o%29r%3Dd%20%26%20more",
            "p%c3%a4%22ss%2aw%2f%28o%29r%3dd%20%26%20more",
            "p%C3%A4%22ss%2Aw%2F%28o%29r%3Dd+%26+more",
            "70c3a42273732a772f286f29723d642026206d6f7265",
            "70C3A42273732A772F286F29723D642026206D6F7265",
        ] {
            assert!(found.iter().any(|form| form == text), "{text}: {found:?}");
        }
    }

    #[test]
    fn base64_is_known_whatever_stands_before_and_after() {
        let secret = "canary?>9f2~\u{fc}";
        let found = all(secret);
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "x", "xy", "xyz"] {
                let whole = format!("{before}{secret}{after}");
                for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                    let text = engine.encode(&whole);
                    assert!(
                        found.iter().any(|form| text.contains(form)),
                        "{whole}: {text}"
                    );
                }
            }
        }
    }

    #[test]
    fn short_values_are_known_as_they_are_only() {
        assert_eq!(all("abc"), ["abc"]);
        assert!(all("").is_empty());
    }
}
