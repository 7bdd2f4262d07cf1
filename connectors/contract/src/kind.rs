//! The closed set of kinds of facts.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A kind of fact. The order is the order in which a sync reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Identity,
    Account,
    Entitlement,
    Grant,
    Credential,
    Location,
    Reader,
    Control,
    Owner,
    Session,
    Task,
}

impl Kind {
    /// Every kind, in reading order.
    pub const ALL: [Kind; 11] = [
        Kind::Identity,
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
        Kind::Control,
        Kind::Owner,
        Kind::Session,
        Kind::Task,
    ];

    /// The word for one object of the kind, as it stands in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Identity => "identity",
            Kind::Account => "account",
            Kind::Entitlement => "entitlement",
            Kind::Grant => "grant",
            Kind::Credential => "credential",
            Kind::Location => "location",
            Kind::Reader => "reader",
            Kind::Control => "control",
            Kind::Owner => "owner",
            Kind::Session => "session",
            Kind::Task => "task",
        }
    }

    /// The word for many, which is also the stem of the flat file's name.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Identity => "identities",
            Kind::Account => "accounts",
            Kind::Entitlement => "entitlements",
            Kind::Grant => "grants",
            Kind::Credential => "credentials",
            Kind::Location => "locations",
            Kind::Reader => "readers",
            Kind::Control => "controls",
            Kind::Owner => "owners",
            Kind::Session => "sessions",
            Kind::Task => "tasks",
        }
    }

    /// `1 account`, `2 accounts`.
    pub fn counted(self, count: u64) -> String {
        match count {
            1 => format!("1 {}", self.word()),
            count => format!("{count} {}", self.plural()),
        }
    }

    /// The kind with this word, singular or plural.
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|k| k.word() == word || k.plural() == word)
    }

    /// Whether several rows may carry the same key and each counts
    /// (import-format.md: grants, readers, controls and locations).
    pub fn may_repeat(self) -> bool {
        match self {
            Kind::Grant | Kind::Reader | Kind::Control | Kind::Location => true,
            Kind::Identity
            | Kind::Account
            | Kind::Entitlement
            | Kind::Credential
            | Kind::Owner
            | Kind::Session
            | Kind::Task => false,
        }
    }

    /// Whether several sources may tell of one object: what the first leaves empty the next fills.
    pub fn may_be_told_by_several(self) -> bool {
        match self {
            Kind::Account | Kind::Entitlement | Kind::Credential => true,
            Kind::Identity
            | Kind::Grant
            | Kind::Location
            | Kind::Reader
            | Kind::Control
            | Kind::Owner
            | Kind::Session
            | Kind::Task => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
