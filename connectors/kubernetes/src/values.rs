//! Values, read only to be reduced at once to keyed fingerprints, and wiped.
//!
//! Apart from everything else here: its own token, and used only where an administrator has switched
//! fingerprints on. What is received stands in buffers that are wiped; a value leaves this file as a
//! fingerprint or not at all.

use crate::api::Api;
use crate::error::{SERVER, refused, status};
use crate::login::{Access, missing};
use crate::settings::Cluster;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lastkey_contract::facts::Location;
use lastkey_contract::{
    ConnectorError, ErrorKind, Fingerprint, Fingerprinted, Fingerprinter, Kind, NoFingerprint,
    NoteKind, Notes, Secret, ValueReader, forms,
};
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use zeroize::Zeroizing;

const OPERATION: &str = "read a value for its fingerprint";

/// The reader of values of one cluster.
pub struct Values {
    cluster: Cluster,
    secret: Option<Secret>,
    open: Option<Api>,
}

impl Values {
    pub fn new(cluster: Cluster, secret: Option<Secret>) -> Values {
        Values {
            cluster,
            secret,
            open: None,
        }
    }

    async fn api(&mut self) -> Result<&mut Api, ConnectorError> {
        if self.open.is_none() {
            // Its own login, always: the user of a kubeconfig is the reader.
            let secret = self.secret.as_ref().ok_or_else(missing)?;
            let access = Access::of(&self.cluster, Some(secret))?;
            let mut api = Api::new(&self.cluster, access)?;
            api.sign_in().await?;
            self.open = Some(api);
        }
        self.open.as_mut().ok_or_else(|| {
            let system = self.cluster.server.shown();
            let message = "the connection was not kept";
            ConnectorError::new(ErrorKind::Bug, system, OPERATION, message)
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
        let api = self.api().await?;
        let mut notes = Notes::default();
        let mut made = Vec::new();
        for location in locations {
            let path = location.path.as_str().to_owned();
            let fields = fields(api, &path, with, &mut notes).await?;
            if fields.is_empty() {
                made.push(location);
                continue;
            }
            for (name, fingerprint) in fields {
                let mut row = location.clone();
                row.fingerprint = fingerprint;
                // Only the token of a token's Secret is the credential that it holds.
                if name != "token" {
                    row.credential_id = None;
                }
                let field = format!("{path}#{name}");
                row.attributes.insert("field".to_owned(), field);
                made.push(row);
            }
        }
        Ok(Fingerprinted {
            locations: made,
            notes: notes.about(Kind::Location),
        })
    }
}

type Fields = Vec<(String, Option<Fingerprint>)>;

/// The keys of one Secret with their fingerprints.
async fn fields(
    api: &mut Api,
    path: &str,
    with: &dyn Fingerprinter,
    notes: &mut Notes,
) -> Result<Fields, ConnectorError> {
    let Some((namespace, name)) = path.split_once('/') else {
        return Ok(Vec::new());
    };
    let target = format!(
        "/api/v1/namespaces/{}/secrets/{}",
        lastkey_http::escaped(namespace),
        lastkey_http::escaped(name)
    );
    let answer = api.get(&target, OPERATION).await?;
    match (answer.status, status(&answer)) {
        (200, None) => {}
        (403, Some(_)) => {
            let reason = "the reader of values may not read it, so it is not fingerprinted";
            notes.add(NoteKind::Remark, reason, Some(path.to_owned()));
            return Ok(Vec::new());
        }
        // Removed since the list was made: there is no value.
        (404, Some(_)) => return Ok(Vec::new()),
        (_, _) => return Err(refused(api.address(), OPERATION, &answer)),
    }
    let mut sink = Sink {
        with,
        path,
        notes,
        fields: Vec::new(),
    };
    let mut json = serde_json::Deserializer::from_slice(&answer.body);
    // The parser's own words could quote the value.
    json.deserialize_map(Object(&mut sink))
        .map_err(|_| SERVER.odd(api.address(), OPERATION, "its JSON is not a Secret's"))?;
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
    fn take(&mut self, name: &str, base64: &str) {
        let Ok(value) = STANDARD.decode(base64).map(Zeroizing::new) else {
            let reason = "a value is not in base64 and is not fingerprinted";
            let example = format!("{}#{name}", self.path);
            self.notes.add(NoteKind::Remark, reason, Some(example));
            return;
        };
        match std::str::from_utf8(&value) {
            Ok(text) => {
                for (form, value) in forms(text) {
                    let name = format!("{name}{form}");
                    let fingerprint = self.one(&name, &value);
                    self.fields.push((name, fingerprint));
                }
            }
            Err(_) => {
                let fingerprint = self.one(name, &value);
                self.fields.push((name.to_owned(), fingerprint));
            }
        }
    }

    fn one(&mut self, name: &str, value: &[u8]) -> Option<Fingerprint> {
        let reason = match self.with.of(value) {
            Ok(fingerprint) => return Some(fingerprint),
            Err(NoFingerprint::TooShort) => "a value under 8 bytes is not fingerprinted",
            Err(NoFingerprint::Common) => {
                "a value on the list of common words is not fingerprinted"
            }
        };
        let example = format!("{}#{name}", self.path);
        self.notes.add(NoteKind::Remark, reason, Some(example));
        None
    }
}

/// A Secret: of its fields `data` alone is looked at.
struct Object<'s, 'a>(&'s mut Sink<'a>);

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Secret")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "data" => map.next_value_seed(Data(&mut *self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// `data`: values in base64 by their keys.
struct Data<'s, 'a>(&'s mut Sink<'a>);

impl<'de> DeserializeSeed<'de> for Data<'_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Data<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values by their keys")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(One(&mut *self.0, &key))?;
        }
        Ok(())
    }
}

/// One value.
struct One<'s, 'a, 'k>(&'s mut Sink<'a>, &'k str);

impl<'de> DeserializeSeed<'de> for One<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for One<'_, '_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value in base64")
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.take(self.1, value);
        Ok(())
    }
    fn visit_string<E>(self, value: String) -> Result<(), E> {
        let value = Zeroizing::new(value);
        self.0.take(self.1, &value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            path: "shop/db",
            notes: &mut notes,
            fields: Vec::new(),
        };
        let text = format!(r#"{{"kind":"Secret","metadata":{{"data":{{"a":7}}}},"data":{data}}}"#);
        let mut json = serde_json::Deserializer::from_str(&text);
        json.deserialize_map(Object(&mut sink)).unwrap();
        let found: Vec<(&str, Option<&str>)> = sink
            .fields
            .iter()
            .map(|(n, f)| (n.as_str(), f.as_ref().map(Fingerprint::as_str)))
            .collect();
        assert_eq!(found, says, "{data}");
    }

    #[test]
    fn keys_become_fingerprints() {
        check(
            r#"{"password":"aHVudGVyMmh1bnRlcjIK"}"#,
            &[("password", Some("hunter2hunter2"))],
        );
        check(r#"{"short":"MTIzNDU2Nw=="}"#, &[("short", None)]);
        check(r#"{"odd":"\u0021"}"#, &[]);
        check(
            r#"{"bytes":"/////////////w=="}"#,
            &[(
                "bytes",
                Some(
                    "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
                ),
            )],
        );
        check("null", &[]);
    }
}
