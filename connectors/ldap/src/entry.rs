//! One entry as it came, taken apart without trusting it: odd encodings are None, never a panic.
//!
//! Values are moved out of what the client decoded, not copied: a directory of a million member
//! values passes through here.

use crate::wire::is_shallow;
use chrono::{DateTime, NaiveDateTime, Utc};
use ldap3::ResultEntry;
use ldap3::asn1::{PL, StructureTag, parse_tag};

/// Longest attribute value that is taken in, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;
/// Attributes whose values need not be text.
const OF_BYTES: &[&str] = &["userCertificate", "sshPublicKey"];

/// What the directory sent for one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub dn: String,
    /// Values by attribute, without the attribute's options, in the directory's order.
    values: Vec<(String, Vec<Vec<u8>>)>,
    /// How many values were left out because they were too long.
    pub too_long: u64,
    /// How many were left out because they are not UTF-8, where text was asked for.
    pub not_text: u64,
}

impl Entry {
    /// The entry, or None if its encoding is not an entry's.
    pub fn parse(raw: ResultEntry) -> Option<Entry> {
        let mut parts = constructed(raw.0)?.into_iter();
        let dn = String::from_utf8(primitive(parts.next()?)?).ok()?;
        let attributes = constructed(parts.next()?)?;
        let mut entry = Entry {
            dn,
            values: Vec::with_capacity(attributes.len()),
            too_long: 0,
            not_text: 0,
        };
        for attribute in attributes {
            let mut parts = constructed(attribute)?.into_iter();
            let mut name = String::from_utf8(primitive(parts.next()?)?).ok()?;
            if let Some(end) = name.find(';') {
                name.truncate(end);
            }
            let of_bytes = OF_BYTES.iter().any(|of| name.eq_ignore_ascii_case(of));
            let sent = constructed(parts.next()?)?;
            let mut values = Vec::with_capacity(sent.len());
            for value in sent {
                let value = primitive(value)?;
                if value.len() > MAX_VALUE {
                    entry.too_long += 1;
                } else if !of_bytes && std::str::from_utf8(&value).is_err() {
                    entry.not_text += 1;
                } else {
                    values.push(value);
                }
            }
            entry.values.push((name, values));
        }
        Some(entry)
    }

    /// Whether every value that was sent is here.
    pub fn is_whole(&self) -> bool {
        self.too_long == 0 && self.not_text == 0
    }

    /// An entry for tests of pure functions.
    #[cfg(test)]
    pub fn of(dn: &str, values: &[(&str, &str)]) -> Entry {
        let mut entry = Entry {
            dn: dn.to_owned(),
            ..Entry::default()
        };
        for (name, value) in values {
            let value = value.as_bytes().to_vec();
            match entry.values.iter_mut().find(|(n, _)| n == name) {
                Some((_, values)) => values.push(value),
                None => entry.values.push(((*name).to_owned(), vec![value])),
            }
        }
        entry
    }

    /// All values of an attribute as bytes, in the directory's order.
    pub fn bytes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.values
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// All values of an attribute that are text.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.bytes(name).filter_map(|v| std::str::from_utf8(v).ok())
    }

    /// Whether the entry shows the attribute, with or without values.
    pub fn has(&self, name: &str) -> bool {
        self.values
            .iter()
            .any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The first value that is text and not empty.
    pub fn one<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).find(|v| !v.is_empty())
    }

    /// Whether one of an attribute's values is this, without case.
    pub fn says(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|v| v.eq_ignore_ascii_case(value))
    }

    /// The first value as a time of LDAP's generalizedTime.
    pub fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        generalized_time(self.one(name)?)
    }
}

/// `20260331120000Z`, with or without a fraction. None for anything else.
pub fn generalized_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix('Z')?;
    let whole = text.split(['.', ',']).next()?;
    if whole.len() != 14 {
        return None;
    }
    NaiveDateTime::parse_from_str(whole, "%Y%m%d%H%M%S")
        .ok()
        .map(|t| t.and_utc())
}

/// A value that holds elements itself, as some controls do; None for anything broken, or deeper
/// than any of them is.
pub fn parse(value: &[u8]) -> Option<StructureTag> {
    const LEVELS: u8 = 4;
    if !is_shallow(value, LEVELS) {
        return None;
    }
    parse_tag(value).ok().map(|(_, tag)| tag)
}

/// The parts of a constructed element; None for a primitive one.
pub fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

/// The bytes of a primitive element; None for a constructed one.
pub fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_ldap() {
        let at = |text| generalized_time(text).map(|t| t.to_rfc3339());
        assert_eq!(
            at("20260331120000Z").as_deref(),
            Some("2026-03-31T12:00:00+00:00")
        );
        assert_eq!(
            at("20260331120000.123456Z").as_deref(),
            Some("2026-03-31T12:00:00+00:00")
        );
        for odd in [
            "",
            "20260331",
            "20260231120000Z",
            "20260331120000+0100",
            "000001010000Z",
        ] {
            assert_eq!(at(odd), None, "`{odd}`");
        }
    }
}
