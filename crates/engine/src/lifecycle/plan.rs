//! The offboarding plan: what the organisation's process does on each event, and within what time.

use chrono::TimeDelta;
use lastkey_contract::SystemName;
use lastkey_contract::facts::{AccountKind, IdentityKind, LeaverKind, LifecycleEvent};
use serde::{Deserialize, Serialize};

/// A plan as read from TOML. An empty plan closes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// By name; of several tables of one name the last counts.
    pub systems: Vec<SystemTraits>,
    pub limits: Vec<Limit>,
}

impl Plan {
    /// Whether credentials of the system die with their account, where the plan declares it.
    pub fn dies_with_account(&self, system: &SystemName) -> Option<bool> {
        let mut tables = self.systems.iter().rev();
        let table = tables.find(|table| table.name == *system)?;
        table.credentials_die_with_account
    }
}

/// What a step does (semantics.md has the table of what each closes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    DisableAccount,
    DeleteAccount,
    RemoveGrants,
    RevokeCredentials,
    RevokeSessions,
    RotateKnownSecrets,
    ReassignOwned,
    GrantBirthright,
}

/// Who carries a step out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Automatic,
    Ticket,
    Manual,
}

impl StepAction {
    /// Every word, in the order of the table of steps.
    pub const WORDS: &'static [&'static str] = &[
        "disable_account",
        "delete_account",
        "remove_grants",
        "revoke_credentials",
        "revoke_sessions",
        "rotate_known_secrets",
        "reassign_owned",
        "grant_birthright",
    ];

    /// The word as it stands in plans.
    pub fn word(self) -> &'static str {
        match self {
            StepAction::DisableAccount => "disable_account",
            StepAction::DeleteAccount => "delete_account",
            StepAction::RemoveGrants => "remove_grants",
            StepAction::RevokeCredentials => "revoke_credentials",
            StepAction::RevokeSessions => "revoke_sessions",
            StepAction::RotateKnownSecrets => "rotate_known_secrets",
            StepAction::ReassignOwned => "reassign_owned",
            StepAction::GrantBirthright => "grant_birthright",
        }
    }

    /// The action with exactly this word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "disable_account" => Some(StepAction::DisableAccount),
            "delete_account" => Some(StepAction::DeleteAccount),
            "remove_grants" => Some(StepAction::RemoveGrants),
            "revoke_credentials" => Some(StepAction::RevokeCredentials),
            "revoke_sessions" => Some(StepAction::RevokeSessions),
            "rotate_known_secrets" => Some(StepAction::RotateKnownSecrets),
            "reassign_owned" => Some(StepAction::ReassignOwned),
            "grant_birthright" => Some(StepAction::GrantBirthright),
            _ => None,
        }
    }
}

impl How {
    pub const WORDS: &'static [&'static str] = &["automatic", "ticket", "manual"];

    /// The word as it stands in plans.
    pub fn word(self) -> &'static str {
        match self {
            How::Automatic => "automatic",
            How::Ticket => "ticket",
            How::Manual => "manual",
        }
    }

    /// The way with exactly this word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "automatic" => Some(How::Automatic),
            "ticket" => Some(How::Ticket),
            "manual" => Some(How::Manual),
            _ => None,
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub on: LifecycleEvent,
    /// None means every system (`*`).
    pub system: Option<SystemName>,
    pub does: StepAction,
    pub how: Option<How>,
    #[serde(with = "seconds")]
    pub within: TimeDelta,
    pub identity_kind: Option<IdentityKind>,
    pub account_kind: Option<AccountKind>,
    pub leaver_kind: Option<LeaverKind>,
    pub privileged: Option<bool>,
    /// The line of the plan file on which the step begins, for explanations.
    pub line: u32,
}

/// What the plan declares about a system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemTraits {
    pub name: SystemName,
    pub credentials_die_with_account: Option<bool>,
    #[serde(with = "optional_seconds")]
    pub session_lifetime: Option<TimeDelta>,
}

/// A time limit of the organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub on: LifecycleEvent,
    #[serde(with = "seconds")]
    pub within: TimeDelta,
    pub identity_kind: Option<IdentityKind>,
    pub leaver_kind: Option<LeaverKind>,
    pub privileged: Option<bool>,
    pub system: Option<SystemName>,
}

/// Why a plan cannot be used, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct PlanError {
    pub line: u32,
    pub column: u32,
    /// One sentence in lower case.
    pub message: String,
    pub hint: Option<String>,
}

mod seconds {
    use chrono::TimeDelta;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
    pub fn serialize<S: Serializer>(value: &TimeDelta, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(value.num_seconds())
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<TimeDelta, D::Error> {
        TimeDelta::try_seconds(i64::deserialize(d)?)
            .ok_or_else(|| D::Error::custom("too many seconds"))
    }
}

mod optional_seconds {
    use chrono::TimeDelta;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
    pub fn serialize<S: Serializer>(value: &Option<TimeDelta>, s: S) -> Result<S::Ok, S::Error> {
        value.map(|v| v.num_seconds()).serialize(s)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<TimeDelta>, D::Error> {
        Option::<i64>::deserialize(d)?
            .map(|v| TimeDelta::try_seconds(v).ok_or_else(|| D::Error::custom("too many seconds")))
            .transpose()
    }
}
