//! Looks for secrets everywhere: in every file of a folder, inside archives, and in whatever a
//! program said, as they are and as programs write values down.

use crate::kill::files_below;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::io::{Cursor, Read};
use std::path::Path;

/// A secret that must be found nowhere, and what it is.
#[derive(Clone, Debug)]
pub struct Canary {
    pub what: String,
    pub bytes: Vec<u8>,
}

impl Canary {
    pub fn new(what: &str, value: impl AsRef<[u8]>) -> Self {
        let bytes = value.as_ref().to_vec();
        assert!(
            bytes.len() >= 8,
            "{what}: so short a value is found by chance"
        );
        Self {
            what: what.to_owned(),
            bytes,
        }
    }

    /// How the value looks, each way with its name.
    fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let bytes = &self.bytes;
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let mut forms = vec![
            ("as it is", bytes.clone()),
            ("in hex", hex.clone().into_bytes()),
            ("in hex", hex.to_uppercase().into_bytes()),
            ("backwards", bytes.iter().rev().copied().collect()),
        ];
        for before in 0..3usize {
            let mut padded = vec![0; before];
            padded.extend(bytes);
            let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = engine.encode(&padded);
                let inner = text.get(first..last).unwrap_or_default();
                forms.push(("in base64", inner.as_bytes().to_vec()));
            }
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            let units: Vec<u16> = text.encode_utf16().collect();
            let little = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            let json = serde_json::Value::from(text).to_string();
            let json = json.trim_matches('"').to_owned();
            let spelled: String = units.iter().map(|u| format!("\\u{u:04x}")).collect();
            forms.extend([
                ("in UTF-16", little),
                ("in UTF-16", big),
                ("in JSON", json.into_bytes()),
                ("in JSON escapes", spelled.into_bytes()),
                ("in HTML", html(text).into_bytes()),
                ("percent-encoded", percent(bytes, false)),
                ("percent-encoded whole", percent(bytes, true)),
            ]);
        }
        forms.sort_by(|a, b| a.1.cmp(&b.1));
        forms.dedup_by(|a, b| a.1 == b.1);
        forms
    }
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

fn percent(bytes: &[u8], all: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' if !all => {
                out.push(*byte);
            }
            other => out.extend(format!("%{other:02X}").into_bytes()),
        }
    }
    out
}

/// Everything that was looked at, and what was found.
#[derive(Debug, Default)]
pub struct Hunt {
    /// Places and how many bytes each held.
    pub looked_at: Vec<(String, usize)>,
    /// One sentence each.
    pub found: Vec<String>,
}

impl Hunt {
    /// Looks into the bytes of a place, and into what they pack.
    pub fn bytes(&mut self, place: &str, bytes: &[u8], canaries: &[Canary]) {
        self.looked_at.push((place.to_owned(), bytes.len()));
        for canary in canaries {
            for (form, wanted) in canary.forms() {
                if holds(bytes, &wanted) {
                    self.found
                        .push(format!("{} stands {form} in {place}", canary.what));
                }
            }
        }
        if bytes.starts_with(b"PK\x03\x04") {
            self.archive(place, bytes, canaries);
        }
    }

    fn archive(&mut self, place: &str, bytes: &[u8], canaries: &[Canary]) {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a whole archive");
        for index in 0..zip.len() {
            let mut file = zip.by_index(index).expect("a file of the archive");
            let name = format!("{place}: {}", file.name().expect("its name"));
            let mut inside = Vec::new();
            file.read_to_end(&mut inside).expect("its content");
            self.bytes(&name, &inside, canaries);
        }
    }

    /// Fails with what was found; `least` places must have been looked at.
    #[track_caller]
    pub fn nothing_found(&self, least: usize) {
        assert!(
            self.looked_at.len() >= least,
            "only looked at {:?}",
            self.looked_at
        );
        assert!(self.found.is_empty(), "{}", self.found.join("\n"));
    }
}

/// Looks into every file below, but for those that hold the secrets on purpose.
pub fn hunt(folder: &Path, besides: &[&Path], canaries: &[Canary]) -> Hunt {
    let mut hunt = Hunt::default();
    for path in files_below(folder) {
        if besides.contains(&path.as_path()) {
            continue;
        }
        // What is gone by now leaks nothing.
        if let Ok(bytes) = std::fs::read(&path) {
            hunt.bytes(&path.display().to_string(), &bytes, canaries);
        }
    }
    hunt
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else {
        return false;
    };
    let mut from = 0;
    while let Some(rest) = bytes.get(from..) {
        let Some(at) = rest.iter().position(|byte| byte == first) else {
            return false;
        };
        if rest.get(at..at + wanted.len()) == Some(wanted) {
            return true;
        }
        from += at + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_however_it_is_written_down() {
        let canary = [Canary::new("it", "kanari\u{e4}\"/ 9f2")];
        let text = "kanari\u{e4}\"/ 9f2";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let places: [Vec<u8>; 9] = [
            format!("x{text}y").into_bytes(),
            b"6b616E617269C3A4222f20396632".to_ascii_lowercase(),
            STANDARD_NO_PAD.encode(format!("user:{text}!")).into_bytes(),
            URL_SAFE_NO_PAD.encode(format!("a{text}")).into_bytes(),
            utf16,
            serde_json::Value::from(text).to_string().into_bytes(),
            b"p=kanari%C3%A4%22%2F%209f2&".to_vec(),
            "<i title=\"kanari\u{e4}&quot;/ 9f2\">".as_bytes().to_vec(),
            text.bytes().rev().collect(),
        ];
        for bytes in places {
            let mut hunt = Hunt::default();
            hunt.bytes("there", &bytes, &canary);
            assert!(
                !hunt.found.is_empty(),
                "{}",
                String::from_utf8_lossy(&bytes)
            );
        }
        let mut hunt = Hunt::default();
        hunt.bytes("there", b"kanari and 9f2, but apart", &canary);
        assert!(hunt.found.is_empty(), "{:?}", hunt.found);
    }
}
