//! Values, read only to be reduced at once to keyed fingerprints, and wiped.
//!
//! Apart from everything else here: its own credential, its own sign-in, and used only where an
//! administrator has switched fingerprints on. What is received stands in buffers that are wiped;
//! a value leaves this file as a fingerprint or not at all.

use crate::api::Api;
use crate::error::refused;
use crate::http::SERVER;
use crate::objects::{Mount, Objects};
use crate::settings::Vault;
use async_trait::async_trait;
use lastkey_contract::facts::Location;
use lastkey_contract::{
    ConnectorError, Fingerprinted, Fingerprinter, Kind, NoFingerprint, NoteKind, Notes, Secret,
    ValueReader, forms,
};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use zeroize::Zeroizing;

/// How deep a value's own objects are looked into.
const DEEPEST: usize = 16;

/// The reader of values of one vault.
pub struct Values {
    vault: Vault,
    secret: Option<Secret>,
    open: Option<Objects>,
}

impl Values {
    pub fn new(vault: Vault, secret: Option<Secret>) -> Values {
        Values {
            vault,
            secret,
            open: None,
        }
    }

    async fn objects(&mut self) -> Result<&mut Objects, ConnectorError> {
        if self.open.is_none() {
            let api = Api::open(
                &self.vault,
                &self.vault.values_sign_in,
                self.secret.as_ref(),
            )
            .await?;
            self.open = Some(Objects::new(self.vault.clone(), api));
        }
        self.open.as_mut().ok_or_else(|| {
            ConnectorError::new(
                lastkey_contract::ErrorKind::Bug,
                self.vault.origin.address(),
                "read values",
                "the connection was not kept",
            )
        })
    }
}

#[async_trait]
impl ValueReader for Values {
    async fn fingerprint(
        &mut self,
        locations: Vec<Location>,
        with: &dyn Fingerprinter,
    ) -> Result<Fingerprinted, ConnectorError> {
        let objects = self.objects().await?;
        let mounts = objects.mounts().await?;
        let mut notes = Notes::default();
        let mut made = Vec::new();
        for location in locations {
            let path = location.path.as_str().to_owned();
            let mount = mounts
                .engines
                .iter()
                .filter(|m| m.key_value() && path.starts_with(&m.path))
                .max_by_key(|m| m.path.len());
            let Some(mount) = mount else {
                let reason = match location.attributes.contains_key("engine") {
                    true => {
                        "values that an engine gives out are not asked for, so nothing is fingerprinted"
                    }
                    false => {
                        "the store is not there for the reader of values, so nothing is fingerprinted"
                    }
                };
                notes.add(NoteKind::Remark, reason, Some(path.clone()));
                made.push(location);
                continue;
            };
            let below = path.strip_prefix(&mount.path).unwrap_or_default();
            let fields = fields(&mut objects.api, mount, below, &path, with, &mut notes).await?;
            if fields.is_empty() {
                made.push(location);
                continue;
            }
            for (name, fingerprint) in fields {
                let mut row = location.clone();
                row.fingerprint = fingerprint;
                row.attributes
                    .insert("field".to_owned(), format!("{path}#{name}"));
                made.push(row);
            }
        }
        // Its end is no silent loss of fingerprints.
        objects.api.still_signed_in().await?;
        Ok(Fingerprinted {
            locations: made,
            notes: notes.about(Kind::Location),
        })
    }
}

type Fields = Vec<(String, Option<lastkey_contract::Fingerprint>)>;

/// The fields of one secret with their fingerprints.
async fn fields(
    api: &mut Api,
    mount: &Mount,
    below: &str,
    path: &str,
    with: &dyn Fingerprinter,
    notes: &mut Notes,
) -> Result<Fields, ConnectorError> {
    let operation = "read a value for its fingerprint";
    let answer = api.raw(&mount.value(below), operation).await?;
    match answer.status {
        200 => {}
        403 => {
            let reason = "the reader of values may not read it, so it is not fingerprinted";
            notes.add(NoteKind::Remark, reason, Some(path.to_owned()));
            return Ok(Vec::new());
        }
        // Deleted, or removed since the list was made: there is no value.
        404 if answer.nothing_there() => return Ok(Vec::new()),
        _ => return Err(refused(api.address(), operation, &answer)),
    }
    let mut sink = Sink {
        with,
        path,
        notes,
        fields: Vec::new(),
    };
    let mut json = serde_json::Deserializer::from_slice(&answer.body);
    let depth = match mount.versioned() {
        true => 2,
        false => 1,
    };
    // The parser's own words could quote the value.
    Outer {
        sink: &mut sink,
        depth,
    }
    .deserialize(&mut json)
    .map_err(|_| SERVER.odd(api.address(), operation, "its JSON is not a secret's"))?;
    Ok(sink.fields)
}

/// Where values end: as fingerprints.
struct Sink<'a> {
    with: &'a dyn Fingerprinter,
    path: &'a str,
    notes: &'a mut Notes,
    fields: Fields,
}

impl Sink<'_> {
    fn take(&mut self, name: &str, value: &str) {
        for (form, value) in forms(value) {
            let name = format!("{name}{form}");
            let fingerprint = self.one(&name, &value);
            self.fields.push((name, fingerprint));
        }
    }

    fn one(&mut self, name: &str, value: &[u8]) -> Option<lastkey_contract::Fingerprint> {
        let reason = match self.with.of(value) {
            Ok(fingerprint) => return Some(fingerprint),
            Err(NoFingerprint::TooShort) => "a value under 8 bytes is not fingerprinted",
            Err(NoFingerprint::Common) => {
                "a value on the list of common words is not fingerprinted"
            }
        };
        self.notes.add(
            NoteKind::Remark,
            reason,
            Some(format!("{}#{name}", self.path)),
        );
        None
    }
}

/// The answer around the fields: `data`, once or twice.
struct Outer<'s, 'a> {
    sink: &'s mut Sink<'a>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Outer<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Outer<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `data`")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match (key.as_str(), self.depth) {
                ("data", 1) => map.next_value_seed(Inner {
                    sink: &mut *self.sink,
                    name: String::new(),
                    depth: 0,
                })?,
                ("data", depth) => map.next_value_seed(Outer {
                    sink: &mut *self.sink,
                    depth: depth - 1,
                })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A value of a secret: a text is taken, objects and lists are looked into.
struct Inner<'s, 'a> {
    sink: &'s mut Sink<'a>,
    name: String,
    depth: usize,
}

impl<'s, 'a> Inner<'s, 'a> {
    fn below(sink: &'s mut Sink<'a>, name: &str, part: &str, depth: usize) -> Inner<'s, 'a> {
        Inner {
            sink,
            name: match name {
                "" => part.to_owned(),
                name => format!("{name}.{part}"),
            },
            depth: depth + 1,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Inner<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.depth > DEEPEST {
            return IgnoredAny::deserialize(from).map(|_| ());
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inner<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret's fields")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        let text = Zeroizing::new(value.to_string());
        self.sink.take(&self.name, &text);
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        let text = Zeroizing::new(value.to_string());
        self.sink.take(&self.name, &text);
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.sink.take(&self.name, value);
        Ok(())
    }
    fn visit_string<E>(self, value: String) -> Result<(), E> {
        let value = Zeroizing::new(value);
        self.sink.take(&self.name, &value);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Inner::below(&mut *self.sink, &self.name, &key, self.depth))?;
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut number = 0usize;
        while seq
            .next_element_seed(Inner::below(
                &mut *self.sink,
                &self.name,
                &number.to_string(),
                self.depth,
            ))?
            .is_some()
        {
            number = number
                .checked_add(1)
                .ok_or_else(|| A::Error::custom("too many"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_contract::Fingerprint;

    /// Shows what it was given, so that a test can see it.
    struct Shown;
    impl Fingerprinter for Shown {
        fn of(&self, value: &[u8]) -> Result<Fingerprint, NoFingerprint> {
            match value.len() < 8 {
                true => Err(NoFingerprint::TooShort),
                false => Ok(Fingerprint::new(String::from_utf8_lossy(value))),
            }
        }
    }

    #[track_caller]
    fn check(data: &str, says: &[(&str, Option<&str>)]) {
        let mut notes = Notes::default();
        let mut sink = Sink {
            with: &Shown,
            path: "s/x",
            notes: &mut notes,
            fields: Vec::new(),
        };
        let text = format!(
            r#"{{"request_id":"r","data":{{"data":{data},"metadata":{{"a":"not-a-value"}}}}}}"#
        );
        let mut json = serde_json::Deserializer::from_str(&text);
        let outer = Outer {
            sink: &mut sink,
            depth: 2,
        };
        outer.deserialize(&mut json).unwrap();
        let found: Vec<(&str, Option<&str>)> = sink
            .fields
            .iter()
            .map(|(n, f)| (n.as_str(), f.as_ref().map(Fingerprint::as_str)))
            .collect();
        assert_eq!(found, says, "{data}");
    }

    #[test]
    fn fields_become_fingerprints() {
        check(
            r#"{"password":"hunter2hunter2\n"}"#,
            &[("password", Some("hunter2hunter2"))],
        );
        check(
            r#"{"p":"aHVudGVyMmh1bnRlcjIK"}"#,
            &[("p", Some("aHVudGVyMmh1bnRlcjIK"))],
        );
        check(
            r#"{"p":"aHVudGVyMmh1bnRlcjJodW50ZXIyCg=="}"#,
            &[
                ("p", Some("aHVudGVyMmh1bnRlcjJodW50ZXIyCg==")),
                ("p:base64", Some("hunter2hunter2hunter2")),
            ],
        );
        check(r#"{"short":"1234567"}"#, &[("short", None)]);
        check(
            r#"{"url":"postgres://app:s3cret%2Fpass@db:5432/x"}"#,
            &[
                ("url", Some("postgres://app:s3cret%2Fpass@db:5432/x")),
                ("url:password", Some("s3cret/pass")),
            ],
        );
        check(
            r#"{"a":{"b":["correct-horse",{"c":"battery-staple"}]},"n":1234567890,"t":true,"z":null}"#,
            &[
                ("a.b.0", Some("correct-horse")),
                ("a.b.1.c", Some("battery-staple")),
                ("n", Some("1234567890")),
            ],
        );
        check("null", &[]);
    }
}
