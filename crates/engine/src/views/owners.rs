//! Lists of owners: what needs one, who is suggested, what was decided.

use crate::ownership::{ObjectName, Reason};
use crate::store::{OwnedRow, OwnerDecision, SuggestionRow};
use lastkey_contract::facts::ObjectType;
use serde::Serialize;
use ts_rs::TS;

/// A suggestion that asks for a decision; it is no owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnerSuggestionView {
    /// The form in which `lastkey owner` takes it.
    pub object: String,
    pub object_type: String,
    /// Null for an identity.
    pub system: Option<String>,
    pub object_id: String,
    pub name: Option<String>,
    /// What the object's owner lines amount to: `owned`, `owner_away`, `owner_left`,
    /// `owner_unknown`, `no_owner`.
    pub standing: String,
    pub role: String,
    /// `strong`, `likely`, `weak`, or `ambiguous` where several people fit.
    pub confidence: String,
    /// Bare where unique, else `source:id`; null where several people fit.
    pub owner_id: Option<String>,
    pub owner_name: Option<String>,
    pub owner_state: Option<String>,
    /// Everyone who fits, as `source:id`, where it is not one.
    pub candidates: Vec<String>,
    /// On what it rests, in words.
    pub basis: String,
    pub facts: Vec<FactBehind>,
}

/// One fact behind a suggestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FactBehind {
    pub rule: String,
    pub says: String,
    /// The object in whose fact it stands.
    pub fact: String,
}

/// Something that needs an owner, and what its owner lines amount to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnedView {
    pub object: String,
    pub object_type: String,
    pub system: Option<String>,
    pub object_id: String,
    pub name: Option<String>,
    pub kind: String,
    pub standing: String,
    pub owners: u64,
    /// How many suggestions ask for a decision.
    pub suggestions: u64,
}

/// What somebody decided about an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct OwnerDecisionView {
    /// Everything that was decided at once has one number.
    pub batch: i64,
    pub at: String,
    pub who: String,
    /// `confirmed`, `rejected` or `undone`.
    pub what: String,
    pub object: String,
    pub owner: String,
    pub role: String,
    pub why: String,
    /// What was suggested at the time.
    pub basis: String,
    pub undone: bool,
}

/// System and id as tables have them: an identity has no system.
pub fn owned_name(object: &ObjectName) -> (Option<String>, String) {
    match object.kind {
        ObjectType::Identity => (None, object.id.clone()),
        ObjectType::Account
        | ObjectType::Credential
        | ObjectType::Location
        | ObjectType::Entitlement => (Some(object.system.clone()), object.id.clone()),
    }
}

impl From<SuggestionRow> for OwnerSuggestionView {
    fn from(row: SuggestionRow) -> Self {
        let SuggestionRow {
            object,
            name,
            standing,
            role,
            strength,
            owner,
            candidates,
            basis,
            reasons,
        } = row;
        let (system, object_id) = owned_name(&object);
        let facts = reasons
            .into_iter()
            .map(|Reason { rule, says, fact }| FactBehind { rule, says, fact });
        OwnerSuggestionView {
            object: object.argument(),
            object_type: object.kind.word().to_owned(),
            system,
            object_id,
            name,
            standing,
            role,
            confidence: strength.word().to_owned(),
            owner_id: owner.as_ref().map(|owner| owner.shown.clone()),
            owner_state: owner.as_ref().map(|owner| owner.state.clone()),
            owner_name: owner.and_then(|owner| owner.name),
            candidates,
            basis,
            facts: facts.collect(),
        }
    }
}

impl From<OwnedRow> for OwnedView {
    fn from(row: OwnedRow) -> Self {
        let OwnedRow {
            object_type,
            system,
            object_id,
            name,
            kind,
            standing,
            owners,
            suggestions,
        } = row;
        let whole = match system.is_empty() {
            true => format!("{object_type}:{object_id}"),
            false => format!("{object_type}:{system}:{object_id}"),
        };
        let identity = object_type == ObjectType::Identity.word();
        OwnedView {
            object: whole,
            system: (!identity).then_some(system),
            object_type,
            object_id,
            name,
            kind,
            standing,
            owners: owners.cast_unsigned(),
            suggestions: suggestions.cast_unsigned(),
        }
    }
}

impl From<OwnerDecision> for OwnerDecisionView {
    fn from(row: OwnerDecision) -> Self {
        OwnerDecisionView {
            batch: row.batch,
            object: format!(
                "{}:{}:{}",
                row.object_type, row.object_system, row.object_id
            ),
            owner: format!("{}:{}", row.owner_source, row.owner_id),
            undone: row.undone_by.is_some(),
            at: row.at,
            who: row.who,
            what: row.what,
            role: row.role,
            why: row.why,
            basis: row.basis,
        }
    }
}
