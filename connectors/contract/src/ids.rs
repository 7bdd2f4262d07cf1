//! Ids as types, so that a login is never taken for a group.
//!
//! Ids are text, compared exactly, never case-folded: `007` keeps its zeros.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id with exactly this text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The text of the id, as the system wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

id! {
    /// The name of a system, `[a-z0-9][a-z0-9._-]*`, so that `system:id` splits at the first colon.
    SystemName,
    /// The name of a source: what is read. One source may carry many systems.
    SourceName,
    /// The id of an identity record within its source.
    IdentityId,
    /// The id of an account within its system.
    AccountId,
    /// The id of an entitlement within its system.
    EntitlementId,
    /// The id of a credential within its system.
    CredentialId,
    /// The path of a location within its system.
    LocationPath,
    /// The id of a session within its system.
    SessionId,
    /// The id of a claim of the provisioning process within its source.
    TaskId,
    /// A keyed fingerprint of a secret value, `keyid:hex` or `import:<source>:…`. Never the value.
    Fingerprint,
}

impl SystemName {
    /// Whether the text is a well-formed system name.
    pub fn is_well_formed(text: &str) -> bool {
        let mut bytes = text.bytes();
        let starts = bytes
            .next()
            .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        starts
            && bytes.all(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')
            })
    }
}
