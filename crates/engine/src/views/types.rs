//! The types themselves. Names are what an access reviewer would use.

use crate::lifecycle::{Basis, Rehearsal, Verdict};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A failure on its way to a person: one sentence, what to do, and the exit status it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FailureView {
    /// `bad_input` (2), `not_possible` (3), `key` (4).
    pub kind: String,
    pub message: String,
    pub hint: Option<String>,
    /// Which state of keys or store it is, as one word, where a screen of its own stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub state: Option<String>,
}

/// Which part of a list: the store sorts, filters and searches.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[ts(export)]
pub struct ListQuery {
    /// Search as you type; empty for all.
    pub search: String,
    /// Column filters, `column=value`; all must hold.
    pub filters: Vec<String>,
    /// A column of the list, or empty for its own order.
    pub sort: String,
    pub descending: bool,
    pub offset: u64,
    pub limit: u32,
}

/// A window of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RowWindow<T: TS> {
    pub rows: Vec<T>,
    pub offset: u64,
    /// How many rows match.
    pub matching: u64,
    /// How many rows there are without search and filters.
    pub total: u64,
}

/// What the frame shows on every screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Status {
    pub store_path: String,
    pub store_name: String,
    /// `sqlcipher 4.x`.
    pub encrypted_with: String,
    /// The keychain or the key file.
    pub key_kept_in: String,
    pub sources: u64,
    pub identities: u64,
    pub credentials: u64,
    /// When the latest sync ended, over all sources.
    pub snapshot_at: Option<String>,
    pub complete_sources: u64,
    /// One sentence per gap.
    pub gaps: Vec<String>,
    /// The fixed reference date, where the store is a practice estate.
    pub practice_date: Option<String>,
    pub plan: Option<PlanView>,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlanView {
    pub name: String,
    pub loaded_at: String,
    pub text: String,
    pub sha256: String,
    pub steps: u64,
}

/// A kind of source that can be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SourceKindView {
    pub kind: String,
    pub title: String,
    pub summary: String,
    pub settings: Vec<SettingView>,
    /// `none`, `optional`, `required`.
    pub secret: String,
    pub secret_label: String,
    pub reads: Vec<String>,
    /// Whether its values can be reduced to fingerprints, where somebody consents.
    pub keeps_values: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SettingView {
    pub key: String,
    pub label: String,
    pub help: String,
    pub required: bool,
    pub default: String,
    pub choices: Vec<String>,
    /// What can be chosen for it: `file`, `folder`, `file_or_folder`, or nothing.
    pub chooser: String,
    /// Who reads it: `system` (the connector), or `reading` (the engine, for every kind alike).
    pub part: String,
    /// It has a meaning only where another setting has one of these values; always where empty.
    pub only_with: Vec<OnlyWith>,
}

/// Another setting and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OnlyWith {
    pub key: String,
    pub value: String,
}

/// A source to be added. The secret goes to the keychain and nowhere else.
#[derive(Clone, Deserialize, TS)]
#[ts(export)]
pub struct NewSource {
    pub kind: String,
    pub name: String,
    pub settings: std::collections::BTreeMap<String, String>,
    /// While it is written: none yet if None, and none at all if empty. In a change of a source:
    /// the one that is kept if None.
    pub secret: Option<String>,
}

/// One row of the sources table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SourceRow {
    pub name: String,
    pub kind: String,
    pub kind_title: String,
    /// `truth`, `directory`, `cloud`, `vault`, `other`: the group in the table.
    pub group: String,
    pub reads: Vec<String>,
    pub settings: std::collections::BTreeMap<String, String>,
    /// `never`, `complete`, `incomplete`, `failed`, `reading`, `cancelled`.
    pub state: String,
    /// One sentence about the latest sync, with what to do where it failed.
    pub message: Option<String>,
    pub hint: Option<String>,
    /// None where not known: never zero for a source that was not read.
    pub totals: Option<Totals>,
    pub last_sync: Option<u64>,
    pub last_complete_at: Option<String>,
    /// How old the last complete read is, in seconds.
    pub age_seconds: Option<u64>,
    /// How old it may be before claims that rest on it are lowered (setting `fresh_for`).
    pub fresh_for_seconds: u64,
    /// `fresh`, `stale`, or `never` where no read was complete.
    pub freshness: String,
    pub kinds: Vec<KindTotals>,
    pub check: Option<CheckView>,
    /// Whether somebody consented to values being reduced to fingerprints.
    pub fingerprints: bool,
    /// Of a series of dated rosters: the days whose rosters were not read completely and stay so, as
    /// later ones were read since.
    pub left_incomplete: Vec<String>,
}

/// What nobody knows any more once a source is removed: accounts of which only its past told whose
/// they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Forgotten {
    pub accounts: u64,
    /// Some of them, as `system:id`.
    pub some: Vec<String>,
    /// The systems of which no other source tells.
    pub systems: Vec<String>,
}

/// reported = stored + unchanged + skipped + failed, once a read has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Totals {
    pub reported: u64,
    pub received: u64,
    pub stored: u64,
    pub unchanged: u64,
    pub skipped: u64,
    pub failed: u64,
    /// Objects that a complete read proved gone.
    pub removed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct KindTotals {
    pub kind: String,
    pub totals: Totals,
    /// Whether absence may be claimed.
    pub complete: bool,
    /// Why not; one sentence each.
    pub gaps: Vec<String>,
    /// `full`, or `incremental`: then the totals are of what changed.
    pub mode: String,
    /// When the full read began that this one rests on.
    pub full_at: Option<String>,
    /// Removals that wait for a person's word (`lastkey sync NAME --accept-removals`).
    pub held: Option<HeldView>,
}

/// A read that would remove too much at once removed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct HeldView {
    pub would_remove: u64,
    /// How many objects of the kind there are.
    pub current: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CheckView {
    pub at: String,
    pub signed_in_as: Option<String>,
    pub server: Option<String>,
    pub missing_rights: Vec<RightView>,
    pub excess_rights: Vec<RightView>,
    pub rights_known: bool,
    pub warnings: Vec<String>,
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RightView {
    pub name: String,
    pub why: String,
}

/// One line of a sync's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct JournalRow {
    pub sync: u64,
    pub source: String,
    pub at: String,
    /// `start`, `page`, `note`, `skip`, `fail`, `clip`, `open`, `drift`, `columns`, `dangling`,
    /// `retry`, `wait`, `restart`, `resume`, `hold`, `right`, `cancel`, `error`, `end`.
    pub what: String,
    pub kind: Option<String>,
    pub text: String,
    pub count: u64,
    pub examples: Vec<String>,
}

/// Live progress of a sync, at most ten times a second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SyncProgress {
    pub source: String,
    /// The kind being read; None at start and end.
    pub kind: Option<String>,
    pub received: u64,
    /// What the source says there is, where it says so.
    pub expected: Option<u64>,
    pub pages: u64,
    /// What the read waits for, in one sentence; None while it reads.
    pub waiting: Option<String>,
    pub done: bool,
}

/// What a sync did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SyncReport {
    pub sync: u64,
    pub source: String,
    pub started_at: String,
    pub ended_at: String,
    /// `complete`, `incomplete`, `failed`, `cancelled`.
    pub state: String,
    pub totals: Totals,
    pub kinds: Vec<KindTotals>,
    /// The moment that the data show: the read's start, or the date of a dated read.
    pub read_at: String,
    /// `fresh` or `stale` at the end of the read; `never` where no read was ever complete.
    pub freshness: String,
    /// The moment that every kind of the source is known completely at, this read included.
    pub complete_at: Option<String>,
    /// Whether this sync went on with one that was cut off.
    pub resumed: bool,
    /// Why a read of the source that was cut off was begun anew instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub anew: Option<String>,
    /// Who we were signed in as, and which rights are missing or in excess.
    pub check: Option<CheckView>,
    pub failure: Option<FailureView>,
}

/// One row of the identities table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct IdentityRow {
    /// Bare where unique, else `source:id`.
    pub id: String,
    pub source: String,
    pub kind: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub status: Option<String>,
    pub department: Option<String>,
    pub title: Option<String>,
    pub manager_id: Option<String>,
    pub employer_id: Option<String>,
    pub end_date: Option<String>,
    pub accounts: u64,
}

/// The detail page of one identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct IdentityDetail {
    pub row: IdentityRow,
    /// Label, value and how known, in reading order.
    pub facts: Vec<FactLine>,
    pub accounts: Vec<AccountLine>,
    pub entitlements: Vec<EntitlementLine>,
    pub credentials: Vec<CredentialLine>,
    pub places: Vec<PlaceLine>,
    /// Who answers for this identity.
    pub owners: Vec<OwnerLine>,
    /// What this identity answers for.
    pub answers_for: Vec<OwnerLine>,
    pub history: Vec<EventRow>,
    /// How many there are in all, where a list above was cut to its first 500.
    pub counts: IdentityCounts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct IdentityCounts {
    pub accounts: u64,
    pub entitlements: u64,
    pub credentials: u64,
    pub places: u64,
    pub owners: u64,
    pub answers_for: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FactLine {
    pub label: String,
    pub value: String,
    pub basis: Basis,
    /// An identity that the value names.
    pub identity: Option<String>,
    /// Of a person with several records the one that says it, `source:id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub record: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AccountLine {
    pub system: String,
    pub id: String,
    pub name: Option<String>,
    pub kind: Option<String>,
    /// `identity id`, `mail`, `login`.
    pub matched_by: String,
    pub basis: Basis,
    pub enabled: Option<bool>,
    pub privileged: Option<bool>,
    pub last_used_at: Option<String>,
    pub expires_at: Option<String>,
    pub source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EntitlementLine {
    pub system: String,
    pub id: String,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub privileged: Option<bool>,
    pub on_account: String,
    /// The nesting in between, nearest first; empty if held directly.
    pub through: Vec<String>,
    pub basis: Basis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CredentialLine {
    pub system: String,
    pub id: String,
    pub kind: String,
    pub account: Option<String>,
    /// `own`, `custodian` or `readable`.
    pub relation: String,
    pub enabled: Option<bool>,
    pub rotated_at: Option<String>,
    pub expires_at: Option<String>,
    pub last_used_at: Option<String>,
    /// In how many places it stands.
    pub places: u64,
    pub basis: Basis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlaceLine {
    pub system: String,
    pub path: String,
    pub kind: Option<String>,
    pub environment: Option<String>,
    /// `system:id` of what stands there, where known.
    pub credentials: Vec<String>,
    /// `system:id` of the account or entitlement that reads it.
    pub through: String,
    pub basis: Basis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnerLine {
    pub object_type: String,
    pub system: Option<String>,
    pub object_id: String,
    pub owner_id: String,
    pub owner_name: Option<String>,
    pub role: String,
    /// Observed where a source says so, attested where somebody confirmed it.
    pub basis: Basis,
    /// Whether the owner is there: `present`, `on_leave`, `not_yet`, `left`, `ended`, `absent`,
    /// `in_doubt`, `unknown`.
    pub state: String,
    /// The source that says so.
    pub source: Option<String>,
    pub confirmed_by: Option<String>,
    pub confirmed_at: Option<String>,
    pub why: Option<String>,
}

/// A lifecycle event found in the sources of truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EventRow {
    pub event: String,
    pub identity: String,
    /// What the identity was called then.
    pub name: Option<String>,
    pub source: String,
    pub earliest: String,
    pub latest: String,
    pub changed: Vec<String>,
    /// Of an owner change: of what, from whom to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub owner: Option<OwnerChangeRow>,
}

/// Whose owner changed, and from whom to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnerChangeRow {
    /// `credential:SYSTEM:ID`, as arguments name it.
    pub object: String,
    pub role: String,
    pub before: Vec<String>,
    pub after: Vec<String>,
    /// Who decided it; none where a source says so.
    pub by: Option<String>,
}

/// A rehearsal as the window shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RehearsalView {
    pub rehearsal: Rehearsal,
    pub display_name: Option<String>,
    pub plan_name: Option<String>,
    /// Whether they have left already: what a rehearsal plays is a new leaving, which says nothing of
    /// what has been open since.
    pub left_already: bool,
    /// How many items close after their limit, and how many of those never.
    pub late: u64,
    pub never: u64,
    pub curve: Vec<CurvePoint>,
    /// What people call the things above, by `kind system:id`, where nobody can read the id.
    pub names: std::collections::BTreeMap<String, String>,
    /// The reads that missing facts come from.
    pub weak: Vec<super::WeakReadView>,
    pub horizon_days: u32,
    pub took_ms: u64,
}

/// The decay curve: how many items of each kind are still open from this moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CurvePoint {
    /// Seconds since T.
    pub after_seconds: i64,
    pub at: String,
    pub accounts: u64,
    pub credentials: u64,
    pub entitlements: u64,
    pub locations: u64,
}

/// One identity of a rehearsal of everyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct RehearsedRow {
    pub identity: String,
    pub display_name: Option<String>,
    pub kind: String,
    pub verdict: Verdict,
    pub residual: u64,
    pub late: u64,
    pub never: u64,
    pub worst: Option<crate::lifecycle::Severity>,
}

/// What an export made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ExportReport {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
    pub package_id: String,
    pub files: u64,
    /// SHA-256 of the public key, hex.
    pub signer: String,
    pub rehearsals: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ExportProgress {
    pub part: String,
    pub done: u64,
    pub total: u64,
}

/// What the verifier found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct VerifyView {
    pub path: String,
    /// `intact`, `intact, signer unknown`, `broken`.
    pub state: String,
    pub signer: Option<String>,
    pub package_id: Option<String>,
    pub made_at: Option<String>,
    pub files: u64,
    pub problems: Vec<ProblemView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ProblemView {
    /// The file within the package, where there is one.
    pub file: Option<String>,
    pub message: String,
}
