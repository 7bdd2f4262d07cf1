//! Values, read only to be reduced at once to keyed fingerprints, and wiped.
//!
//! Apart from everything else here: its own login, and used only where an administrator has switched
//! fingerprints on. An answer with a value stands in a buffer that is wiped, and a value leaves this file
//! as a fingerprint or not at all.

use crate::api::Api;
use crate::error::{Got, SERVER};
use crate::settings::{Cloud, DESCRIPTOR};
use async_trait::async_trait;
use lastkey_contract::facts::Location;
use lastkey_contract::{
    ConnectorError, Fingerprint, Fingerprinted, Fingerprinter, Kind, NoFingerprint, NoteKind,
    Notes, Secret, ValueReader, forms,
};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::fmt;
use zeroize::Zeroizing;

const OPERATION: &str = "read a value for its fingerprint";

/// The reader of values of one account.
pub struct Values {
    api: Api,
}

/// A text that is wiped.
struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Wiped, D::Error> {
        Ok(Wiped(Zeroizing::new(String::deserialize(from)?)))
    }
}

/// What both services answer, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    secret_string: Option<Wiped>,
    secret_binary: Option<Wiped>,
    parameter: Option<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: Option<Wiped>,
}

/// The texts of an object by their keys; anything else in it is passed over.
struct Fields(Vec<(String, Wiped)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        from.deserialize_map(Each)
    }
}

struct Each;

impl<'de> Visitor<'de> for Each {
    type Value = Fields;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if let One::Text(text) = map.next_value()? {
                fields.push((key, text));
            }
        }
        Ok(Fields(fields))
    }
}

/// A text, or something else that holds no text of its own.
enum One {
    Text(Wiped),
    Other,
}

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<One, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = One;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_str<E>(self, text: &str) -> Result<One, E> {
        Ok(One::Text(Wiped(Zeroizing::new(text.to_owned()))))
    }
    fn visit_string<E>(self, text: String) -> Result<One, E> {
        Ok(One::Text(Wiped(Zeroizing::new(text))))
    }
    fn visit_bool<E>(self, _: bool) -> Result<One, E> {
        Ok(One::Other)
    }
    fn visit_i64<E>(self, _: i64) -> Result<One, E> {
        Ok(One::Other)
    }
    fn visit_u64<E>(self, _: u64) -> Result<One, E> {
        Ok(One::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<One, E> {
        Ok(One::Other)
    }
    fn visit_unit<E>(self) -> Result<One, E> {
        Ok(One::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<One, A::Error> {
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(One::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<One, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(One::Other)
    }
}

impl Values {
    /// The login for values is another than the one that reads.
    pub fn new(cloud: &Cloud, secret: Option<Secret>) -> Result<Values, ConnectorError> {
        let sign_in = cloud.values_sign_in.clone().ok_or_else(|| {
            DESCRIPTOR.invalid(
                "fingerprints need a login of their own, and none is named",
                "give values_access_key_id, or values_profile where the source signs in with a profile",
            )
        })?;
        let cloud = Cloud {
            sign_in,
            role: None,
            ..cloud.clone()
        };
        Ok(Values {
            api: Api::new(&cloud, secret),
        })
    }

    /// The value of one place; None where it may not be read, is gone, or has none.
    async fn value(
        &self,
        location: &Location,
        notes: &mut Notes,
    ) -> Result<Option<Told>, ConnectorError> {
        let path = location.path.as_str();
        let mut parts = path.splitn(3, '/');
        let (Some(service), Some(region), Some(_)) = (parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let Some(arn) = location.attributes.get("arn") else {
            return Ok(None);
        };
        let (action, body) = match service {
            "ssm" => (
                "ssm:GetParameter",
                json!({ "Name": arn, "WithDecryption": true }),
            ),
            _ => ("secretsmanager:GetSecretValue", json!({ "SecretId": arn })),
        };
        let answer = match self.api.json.raw(region, action, &body).await? {
            Got::Found(answer) => answer,
            Got::Refused(_) => {
                let reason = "the reader of values may not read it, so it is not fingerprinted";
                notes.add(NoteKind::Remark, reason, Some(path.to_owned()));
                return Ok(None);
            }
            Got::Absent => return Ok(None),
        };
        // The parser's own words could quote the value.
        SERVER
            .parsed(self.api.address(), OPERATION, &answer.body)
            .map(Some)
    }
}

#[async_trait]
impl ValueReader for Values {
    async fn fingerprint(
        &mut self,
        locations: Vec<Location>,
        with: &dyn Fingerprinter,
    ) -> Result<Fingerprinted, ConnectorError> {
        let mut notes = Notes::default();
        let mut made = Vec::new();
        for location in locations {
            let told = self.value(&location, &mut notes).await?;
            let path = location.path.as_str();
            let fields = told.map(|told| fingerprints(told, path, with, &mut notes));
            let fields = fields.unwrap_or_default();
            if fields.is_empty() {
                made.push(location);
                continue;
            }
            for (name, fingerprint) in fields {
                let mut row = location.clone();
                row.fingerprint = fingerprint;
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

/// The fields of a value with their fingerprints. A text that is an object of JSON has those of its
/// texts, as the console makes them; any other is the field `value`.
fn fingerprints(
    told: Told,
    path: &str,
    with: &dyn Fingerprinter,
    notes: &mut Notes,
) -> Vec<(String, Option<Fingerprint>)> {
    let parameter = told.parameter.and_then(|parameter| parameter.value);
    let text = told.secret_string.or(parameter);
    let mut fields = Vec::new();
    if let Some(text) = text {
        match serde_json::from_str::<Fields>(&text.0) {
            Ok(Fields(own)) if !own.is_empty() => fields.extend(own),
            Ok(_) | Err(_) => fields.push(("value".to_owned(), text)),
        }
    }
    let binary = told
        .secret_binary
        .map(|binary| ("binary".to_owned(), binary));
    fields.extend(binary);
    let mut made = Vec::new();
    for (name, text) in fields {
        for (form, value) in forms(&text.0) {
            let name = format!("{name}{form}");
            let fingerprint = match with.of(&value) {
                Ok(fingerprint) => Some(fingerprint),
                Err(why) => {
                    let reason = match why {
                        NoFingerprint::TooShort => "a value under 8 bytes is not fingerprinted",
                        NoFingerprint::Common => {
                            "a value on the list of common words is not fingerprinted"
                        }
                    };
                    notes.add(NoteKind::Remark, reason, Some(format!("{path}#{name}")));
                    None
                }
            };
            made.push((name, fingerprint));
        }
    }
    made
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
    fn check(told: &str, says: &[(&str, Option<&str>)]) {
        let told: Told = serde_json::from_str(told).unwrap();
        let made = fingerprints(told, "p", &Shown, &mut Notes::default());
        let made: Vec<(&str, Option<&str>)> = made
            .iter()
            .map(|(name, f)| (name.as_str(), f.as_ref().map(Fingerprint::as_str)))
            .collect();
        assert_eq!(made, says);
    }

    #[test]
    fn values_become_fingerprints() {
        check(
            r#"{"ARN":"a","SecretString":"hunter2hunter2"}"#,
            &[("value", Some("hunter2hunter2"))],
        );
        check(
            r#"{"SecretString":"{\"password\":\"hunter2hunter2\",\"port\":5432,\"more\":{\"a\":\"b\"}}"}"#,
            &[("password", Some("hunter2hunter2"))],
        );
        check(
            r#"{"Parameter":{"Name":"n","Value":"short"}}"#,
            &[("value", None)],
        );
        check(
            r#"{"SecretBinary":"aHVudGVyMmh1bnRlcjI="}"#,
            &[
                ("binary", Some("aHVudGVyMmh1bnRlcjI=")),
                ("binary:base64", Some("hunter2hunter2")),
            ],
        );
        check(r#"{"ARN":"a"}"#, &[]);
    }
}
