//! One entry as it came, taken apart without trusting it: odd encodings are None, never a panic.

use chrono::{DateTime, NaiveDateTime, Utc};
use ldap3::ResultEntry;
use ldap3::asn1::{PL, StructureTag};
use std::collections::BTreeMap;

/// Longest attribute value that is taken in, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;

/// What the directory sent for one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub dn: String,
    /// Values that are text, by attribute in lower case and without options.
    values: BTreeMap<String, Vec<String>>,
    /// How many values were left out because they were too long.
    pub too_long: u64,
}

impl Entry {
    /// The entry, or None if its encoding is not an entry's.
    pub fn parse(raw: ResultEntry) -> Option<Entry> {
        let mut parts = constructed(raw.0)?.into_iter();
        let dn = String::from_utf8(primitive(parts.next()?)?).ok()?;
        let mut entry = Entry {
            dn,
            ..Entry::default()
        };
        for attribute in constructed(parts.next()?)? {
            let mut parts = constructed(attribute)?.into_iter();
            let name = String::from_utf8(primitive(parts.next()?)?).ok()?;
            let name = name.split(';').next().unwrap_or_default().to_lowercase();
            for value in constructed(parts.next()?)? {
                let value = primitive(value)?;
                if value.len() > MAX_VALUE {
                    entry.too_long += 1;
                } else if let Ok(text) = String::from_utf8(value) {
                    // binary values are not facts of ours
                    entry.values.entry(name.clone()).or_default().push(text);
                }
            }
        }
        Some(entry)
    }

    /// An entry for tests of pure functions.
    #[cfg(test)]
    pub fn of(dn: &str, values: &[(&str, &str)]) -> Entry {
        let mut entry = Entry {
            dn: dn.to_owned(),
            ..Entry::default()
        };
        for (name, value) in values {
            entry
                .values
                .entry(name.to_lowercase())
                .or_default()
                .push((*value).to_owned());
        }
        entry
    }

    /// All values of an attribute, in the directory's order.
    pub fn all(&self, name: &str) -> &[String] {
        self.values
            .get(&name.to_lowercase())
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The first value that is not empty.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name)
            .iter()
            .map(String::as_str)
            .find(|v| !v.is_empty())
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

fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
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
