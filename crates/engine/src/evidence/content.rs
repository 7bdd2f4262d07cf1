//! What a package is made of.

use crate::correlate::Confidence;
use crate::lifecycle::{Basis, Rehearsal};
use crate::measured::MeasuredLeaver;
use crate::ownership::OwnerState;
use crate::probes::Proves;
use crate::store::LinkState;
use crate::views::JournalRow;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Fact, ObjectType, OwnerRole};
use lastkey_contract::{Answer, Kind, SourceName};
use lastkey_verify::{PackageError, Previous};

/// Rows as they come, each one or why there is none; the first error ends the export.
pub type Rows<'a, T> = Box<dyn Iterator<Item = Result<T, EvidenceError>> + 'a>;

/// Everything that goes into one package.
pub struct PackageContent<'a> {
    /// The clock's word; nothing else in a package depends on when it was made.
    pub made_at: DateTime<Utc>,
    /// Of the program that makes it.
    pub version: String,
    /// The package that this one continues.
    pub previous: Option<Previous>,
    /// In words: what was asked for.
    pub scope: String,
    /// Who left in this period is measured; of all else the package has the latest state.
    pub period_from: Option<DateTime<Utc>>,
    pub period_until: Option<DateTime<Utc>>,
    /// When the latest read of the snapshot ended.
    pub snapshot_at: Option<DateTime<Utc>>,
    /// The latest sync of each source, `source:number`.
    pub syncs: Vec<String>,
    /// T of the rehearsals.
    pub rehearsed_at: Option<DateTime<Utc>>,
    /// Who exported, as the operating system calls them.
    pub operator: Option<String>,
    /// The fixed reference date, where the data are a practice estate.
    pub practice_date: Option<String>,
    /// At most one per kind, in any order.
    pub population: Vec<PopulationTable<'a>>,
    /// Whose each account is.
    pub links: Rows<'a, LinkedAccountRow>,
    /// For progress only.
    pub links_expected: u64,
    /// Whom people confirmed as owners, as far as that counts.
    pub owners: Rows<'a, ConfirmedOwner>,
    /// For progress only.
    pub owners_expected: u64,
    /// Everything that people decided about owners and links, also what was taken back.
    pub decisions: Rows<'a, DecisionLine>,
    /// For progress only.
    pub decisions_expected: u64,
    /// Whoever left in the period, measured.
    pub leavers: Rows<'a, MeasuredLeaver>,
    /// Whoever moved in the period, by what the access policy lets them hold now; None where no policy is
    /// in force.
    pub movers: Option<Rows<'a, MeasuredLeaver>>,
    /// Every try of a credential, in the order of their times.
    pub tries: Vec<TriedLine>,
    /// What is not known of the period as a whole, one sentence each.
    pub not_known: Vec<String>,
    pub completeness: Vec<CompletenessRow>,
    pub rehearsals: Rows<'a, Rehearsed>,
    /// For progress only.
    pub rehearsals_expected: u64,
    pub plan: Option<PlanText>,
    pub journal: Rows<'a, JournalRow>,
    /// For progress only.
    pub journal_expected: u64,
}

/// The objects of one kind.
pub struct PopulationTable<'a> {
    pub kind: Kind,
    /// For progress only.
    pub expected: u64,
    pub rows: Rows<'a, PopulationRow>,
}

/// One object and where it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct PopulationRow {
    pub fact: Fact,
    pub source: SourceName,
    /// The sync that first saw it as it is.
    pub first_sync: u64,
}

/// One try of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedLine {
    pub probe: String,
    pub how: String,
    pub system: String,
    pub account: String,
    pub credential: Option<String>,
    /// Whose it is; none of a canary.
    pub identity: Option<String>,
    /// `canary`, or the words of the consent, with who gave it and when.
    pub consent: String,
    pub consent_by: String,
    pub consent_at: String,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub answer: Answer,
    /// `open`, `closed` or `nothing`: a refusal proves something only after the same secret was let in.
    pub proves: Proves,
    /// As the system gave it.
    pub raw: String,
    pub why: Option<String>,
}

/// An account, whose it is, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedAccountRow {
    pub system: String,
    pub id: String,
    pub source: String,
    /// Whether the source only adds to what the system's own source has.
    pub supplement: bool,
    pub state: LinkState,
    /// `source:id`.
    pub identity: Option<String>,
    pub rule: Option<String>,
    /// None of a decision.
    pub confidence: Option<Confidence>,
    pub basis: Option<Basis>,
    /// `source:id` of those it could be of; of very many not all.
    pub candidates: Vec<String>,
    /// What speaks against it.
    pub doubt: Option<&'static str>,
}

/// An owner because somebody said so: attested, where the population is observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedOwner {
    pub object_type: ObjectType,
    /// None of an identity, whose id has its source in front.
    pub system: Option<String>,
    pub object_id: String,
    /// `source:id`.
    pub owner_id: String,
    pub owner_name: Option<String>,
    pub role: OwnerRole,
    /// Whether the owner is there at the moment of the rehearsals.
    pub state: OwnerState,
    pub confirmed_at: String,
    pub confirmed_by: String,
    pub why: String,
    /// What was suggested at the time, in words; empty if nothing was.
    pub suggested: String,
}

/// One decision, as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLine {
    pub about: DecidedOn,
    /// Counted by what it is about.
    pub number: i64,
    pub at: String,
    pub by: String,
    pub says: String,
    /// What it is about, in the form in which arguments name it.
    pub subject: String,
    /// The identity that it names, `source:id`.
    pub identity: Option<String>,
    /// Of an owner.
    pub role: Option<String>,
    pub why: String,
    /// What was suggested at the time, in words.
    pub suggested: String,
    /// The number of the decision that this one takes back.
    pub undoes: Option<i64>,
}

/// What people decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedOn {
    /// Whose account an account is, and which records are one person.
    Link,
    Owner,
}

impl DecidedOn {
    /// The word in tables.
    pub fn word(self) -> &'static str {
        match self {
            DecidedOn::Link => "link",
            DecidedOn::Owner => "owner",
        }
    }
}

/// How completely one source's objects of one kind were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletenessRow {
    pub source: String,
    /// Whether the source only adds to what other sources have of their systems.
    pub supplement: bool,
    pub kind: Kind,
    pub sync: u64,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    /// None where the system does not say how many there are.
    pub reported: Option<u64>,
    pub received: u64,
    pub stored: u64,
    pub unchanged: u64,
    pub skipped: u64,
    pub failed: u64,
    pub removed: u64,
    /// Whether absence may be claimed.
    pub complete: bool,
    /// Why not.
    pub gaps: Vec<String>,
    /// What was asked.
    pub queries: Vec<String>,
    /// SHA-256 of raw answers, where the connector had them in one piece.
    pub content_sha256: Vec<String>,
}

/// A rehearsal and who it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    pub rehearsal: Rehearsal,
    pub display_name: Option<String>,
    /// The identity's kind, as a word.
    pub kind: String,
}

/// The offboarding plan as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanText {
    pub name: String,
    pub text: String,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error("the export was stopped; nothing was left under the package's name")]
    Cancelled,
    #[error("{part} cannot be read for the package: {reason}")]
    Source { part: String, reason: String },
    #[error("the table of {0} was given twice")]
    Twice(&'static str),
    #[error("the table of {table} was given a {fact}")]
    WrongKind {
        table: &'static str,
        fact: &'static str,
    },
    #[error("rows cannot be kept beside the package: {0}")]
    Spool(std::io::Error),
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl EvidenceError {
    /// What to do, where something can be done.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            EvidenceError::Package(PackageError::CannotWrite { .. }) | EvidenceError::Spool(_) => {
                Some(
                    "check the folder, its rights and the free space; what stood there is unchanged",
                )
            }
            EvidenceError::Package(PackageError::IsDirectory(_)) => {
                Some("give the name of a file, such as package.zip")
            }
            EvidenceError::Package(_)
            | EvidenceError::Cancelled
            | EvidenceError::Source { .. }
            | EvidenceError::Twice(_)
            | EvidenceError::WrongKind { .. } => None,
        }
    }
}
