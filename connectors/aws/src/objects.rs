//! What AWS tells, as far as it is kept: plain values, without the SDK's types.

use chrono::{DateTime, Utc};
use lastkey_contract::When;
use std::collections::{BTreeMap, BTreeSet};

/// Tags, names by their keys.
pub type Tags = BTreeMap<String, String>;

/// A document under the name that a person is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub name: String,
    /// JSON; None where AWS lists the policy without it.
    pub text: Option<String>,
}

/// What is attached to a principal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    pub inline: Vec<Text>,
    /// ARNs.
    pub managed: Vec<String>,
    /// ARN.
    pub boundary: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct User {
    pub id: String,
    pub name: String,
    pub arn: String,
    pub created: Option<When>,
    /// Names.
    pub groups: Vec<String>,
    pub attached: Attached,
    pub tags: Tags,
    pub password_used: Option<When>,
}

#[derive(Clone, Debug, Default)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub arn: String,
    pub created: Option<When>,
    pub attached: Attached,
}

#[derive(Clone, Debug, Default)]
pub struct Role {
    pub id: String,
    pub name: String,
    pub arn: String,
    pub path: String,
    pub created: Option<When>,
    pub trust: Option<String>,
    /// ARNs of instance profiles that carry it.
    pub profiles: Vec<String>,
    pub attached: Attached,
    pub tags: Tags,
    pub used: Option<When>,
}

#[derive(Clone, Debug, Default)]
pub struct Managed {
    pub id: String,
    pub name: String,
    pub arn: String,
    pub created: Option<When>,
    pub changed: Option<When>,
    pub text: Option<String>,
}

/// A provider whose tokens are exchanged for a role.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    pub arn: String,
    pub saml: bool,
    pub created: Option<When>,
    pub ends: Option<When>,
    /// The client ids that an OIDC provider's tokens are for.
    pub audiences: Vec<String>,
}

/// A certificate that a server of the account shows.
#[derive(Clone, Debug, Default)]
pub struct ServerCertificate {
    pub id: String,
    pub name: String,
    pub arn: String,
    pub uploaded: Option<When>,
    pub ends: Option<When>,
}

/// What one user signs in with; None is not known.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// When the password was made.
    pub password: Option<Option<Password>>,
    pub mfa: Option<Vec<String>>,
    pub keys: Option<Vec<AccessKey>>,
    pub others: Option<Vec<Other>>,
    /// The user was gone when it was asked about.
    pub gone: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Password {
    pub created: Option<When>,
    pub must_change: bool,
}

#[derive(Clone, Debug, Default)]
pub struct AccessKey {
    pub id: String,
    pub active: bool,
    pub created: Option<When>,
    pub used: Option<When>,
    pub used_for: Option<String>,
    pub used_in: Option<String>,
}

/// What else a user signs in with.
#[derive(Clone, Debug)]
pub struct Other {
    pub id: String,
    pub sort: Sort,
    pub active: bool,
    pub created: Option<When>,
    pub ends: Option<When>,
    /// The service, of credentials for one.
    pub service: Option<String>,
    pub name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Certificate,
    SshKey,
    OfService,
}

/// A secret or a parameter.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    pub region: String,
    pub name: String,
    pub arn: String,
    pub parameter: bool,
    /// The key that it is under, as it is named there; None is the account's own default.
    pub key: Option<String>,
    /// Whether it is kept under a key at all: a plain parameter is not.
    pub encrypted: bool,
    pub rotated: Option<When>,
    /// Facts for the person, by their names.
    pub told: BTreeMap<&'static str, String>,
    pub tags: Tags,
    /// A parameter that may be shared, and so have a policy.
    pub advanced: bool,
    /// To be removed at some later day; nobody can read it until then.
    pub deleted: bool,
}

impl Shelf {
    /// The place: service, region and name.
    pub fn path(&self) -> String {
        let service = if self.parameter {
            "ssm"
        } else {
            "secretsmanager"
        };
        let name = self.name.trim_start_matches('/');
        format!("{service}/{}/{name}", self.region)
    }
}

/// People and groups of Identity Center, and who holds what in which account.
#[derive(Clone, Debug, Default)]
pub struct Center {
    pub people: Vec<Person>,
    pub groups: Vec<Crowd>,
    /// Ids of group and member.
    pub members: BTreeSet<(String, String)>,
    pub sets: Vec<PermissionSet>,
    pub assignments: Vec<Assignment>,
}

#[derive(Clone, Debug, Default)]
pub struct Person {
    pub id: String,
    pub name: Option<String>,
    pub shown: Option<String>,
    pub email: Option<String>,
    pub enabled: Option<bool>,
    pub created: Option<When>,
    /// As the identity provider that manages the user calls it.
    pub external: Option<String>,
    pub title: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Crowd {
    pub id: String,
    pub name: Option<String>,
    pub external: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct PermissionSet {
    pub arn: String,
    pub name: String,
    pub created: Option<When>,
    pub session: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    pub account: String,
    pub set: String,
    pub to_group: bool,
    pub principal: String,
}

/// An account of the organisation.
#[derive(Clone, Debug, Default)]
pub struct Member {
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub status: Option<String>,
    pub joined: Option<When>,
}

/// A time of AWS.
pub fn at(time: &aws_smithy_types::DateTime) -> Option<When> {
    DateTime::<Utc>::from_timestamp(time.secs(), time.subsec_nanos()).map(When::At)
}

/// A time that may not be there.
pub fn when(time: Option<&aws_smithy_types::DateTime>) -> Option<When> {
    time.and_then(at)
}

/// A document as IAM writes it: escaped for addresses.
pub fn unescaped(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
        match (byte, pair) {
            (b'%', (Some(high), Some(low))) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
            }
            (byte, _) => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The account that an ARN is of.
pub fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_unescaped() {
        for (text, plain) in [
            ("%7B%22Version%22%3A1%7D", "{\"Version\":1}"),
            ("{\"a\": \"100%\"}", "{\"a\": \"100%\"}"),
            ("%C3%BC%zz%4", "\u{fc}%zz%4"),
            ("", ""),
        ] {
            assert_eq!(unescaped(text), plain);
        }
    }

    #[test]
    fn places_name_service_and_region() {
        let mut shelf = Shelf {
            region: "eu-west-1".to_owned(),
            name: "db/prod".to_owned(),
            ..Shelf::default()
        };
        assert_eq!(shelf.path(), "secretsmanager/eu-west-1/db/prod");
        shelf.parameter = true;
        shelf.name = "/app/key".to_owned();
        assert_eq!(shelf.path(), "ssm/eu-west-1/app/key");
        assert_eq!(
            account_of("arn:aws:iam::111122223333:user/x"),
            Some("111122223333")
        );
        assert_eq!(account_of("arn:aws:s3:::x"), None);
    }
}
