//! What a rehearsal gives back. Names are stable: they are the JSON of the command line.

use chrono::{DateTime, Utc};
use lastkey_contract::facts::LifecycleEvent;
use lastkey_contract::when::rfc3339;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use ts_rs::TS;

macro_rules! word {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word as it stands in JSON.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }
    };
}
word!(Basis { Observed = "observed", Attested = "attested", Assumed = "assumed" });
word!(Verdict { Pass = "pass", Fail = "fail", Indeterminate = "indeterminate" });
word!(Severity { Info = "info", Low = "low", Medium = "medium", High = "high", Critical = "critical" });
word!(ItemKind {
    Account = "account",
    Credential = "credential",
    Entitlement = "entitlement",
    Location = "location",
});
word!(Breaks { WillBreak = "will_break", MayBreak = "may_break", Unknown = "unknown" });

/// How something is known, weakest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Basis {
    Observed,
    Attested,
    Assumed,
}

/// pass, fail or indeterminate. Unknown is not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Verdict {
    Pass,
    Fail,
    Indeterminate,
}

/// Worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// What can be residual, in the order in which lists are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ItemKind {
    Account,
    Credential,
    Entitlement,
    Location,
}

impl ItemKind {
    /// Every word.
    pub const WORDS: &'static [&'static str] =
        &["account", "credential", "entitlement", "location"];

    /// The kind with exactly this word.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [
            ItemKind::Account,
            ItemKind::Credential,
            ItemKind::Entitlement,
            ItemKind::Location,
        ];
        all.into_iter().find(|kind| kind.word() == word)
    }
}

/// When something closes. The order is that of time; never comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Closing {
    At(DateTime<Utc>),
    Never,
}

impl Closing {
    /// RFC 3339 with Z, or `never`.
    pub fn to_text(self) -> String {
        match self {
            Closing::At(at) => rfc3339(at),
            Closing::Never => "never".to_owned(),
        }
    }
}

impl Serialize for Closing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for Closing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Closing::Never);
        }
        let at = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
        Ok(Closing::At(at.with_timezone(&Utc)))
    }
}

/// One link of an explaining path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Link {
    pub kind: ItemKind,
    pub system: String,
    pub id: String,
    /// `system:id` of the account on which an entitlement is held, else null.
    pub on_account: Option<String>,
    /// How this link follows from the one before: `signs in`, `holds`, `member of`, `reads`,
    /// `stands at`, `opens`, `reset_password`, …, `own credential`, `known secret`.
    pub by: String,
    /// When this link closes by itself.
    #[ts(type = "string")]
    pub closes_at: Closing,
    pub basis: Basis,
}

/// Access that works after the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ResidualItem {
    pub kind: ItemKind,
    pub system: String,
    pub id: String,
    pub on_account: Option<String>,
    #[ts(type = "string")]
    pub closes_at: Closing,
    /// The links in words, `kind system:id`, entitlements with ` on system:id`.
    pub path: Vec<String>,
    /// The weakest basis of the facts on the path.
    pub basis: Basis,
    /// The weakest basis of the steps that close it.
    pub closing_basis: Basis,
    pub severity: Severity,
    /// One sentence: why it stays open, or what closes it.
    pub reason: String,
    /// The same path with details.
    pub links: Vec<Link>,
    /// Where the path starts at a known secret: how it was known before the event. Else empty.
    pub known_through: Vec<Link>,
    /// T plus the limit that counts for this item.
    #[ts(type = "string")]
    pub limit_at: Closing,
    /// Where the limit comes from: `plan` or the name of a preset.
    pub limit_source: String,
    /// What would close it: a step of a plan in words.
    pub would_close: Option<String>,
    pub privileged: Option<bool>,
    pub environment: Option<String>,
}

/// How sure it is that something breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Breaks {
    WillBreak,
    MayBreak,
    Unknown,
}

/// Something that a closing would stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Break {
    pub certainty: Breaks,
    /// What breaks: `kind system:id`, or `identity id`.
    pub what: String,
    /// One sentence: what it depends on.
    pub depends_on: String,
    /// The closing that stops it: `kind system:id`.
    pub when_closed: String,
    #[ts(type = "string")]
    pub at: Closing,
    pub basis: Basis,
}

/// The answer of one rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Rehearsal {
    pub identity: String,
    #[serde(serialize_with = "event_word")]
    #[ts(type = "string")]
    pub event: LifecycleEvent,
    #[serde(serialize_with = "moment")]
    #[ts(type = "string")]
    pub at: DateTime<Utc>,
    /// Sorted by kind, system, id, on_account.
    pub residual: Vec<ResidualItem>,
    pub breaks: Vec<Break>,
    pub verdict: Verdict,
    /// What is missing or stale, one sentence each.
    pub missing_facts: Vec<String>,
}

fn moment<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

fn event_word<S: Serializer>(event: &LifecycleEvent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(event.word())
}
