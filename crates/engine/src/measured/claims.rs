//! What the provisioning process claims about a thing: which of its tasks are about it, and what
//! they say together.

use super::held::{Held, HeldKind, Left, Names};
use crate::lifecycle::{StepAction, counts};
use chrono::{DateTime, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::{CredentialKind, LifecycleEvent, TaskStatus};
use serde::{Serialize, Serializer};
use ts_rs::TS;

/// One task of a leaver, as it was last told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Claim {
    /// The source that tells of it.
    pub source: String,
    pub id: String,
    pub system: String,
    #[serde(skip)]
    #[ts(skip)]
    pub event: LifecycleEvent,
    /// Of what it names; without one all of the identity's in the system.
    pub account: Option<String>,
    pub action: Option<String>,
    #[serde(serialize_with = "status_word")]
    #[ts(type = "string | null")]
    pub status: Option<TaskStatus>,
    pub retries: Option<u32>,
    #[serde(serialize_with = "when_text")]
    #[ts(type = "string | null")]
    pub requested_at: Option<When>,
    pub approved_by: Option<String>,
    #[serde(serialize_with = "when_text")]
    #[ts(type = "string | null")]
    pub closed_at: Option<When>,
    pub closed_by: Option<String>,
    #[serde(rename = "override")]
    pub overridden: Option<String>,
    pub ticket: Option<String>,
}

fn status_word<S: Serializer>(status: &Option<TaskStatus>, to: S) -> Result<S::Ok, S::Error> {
    status.map(TaskStatus::word).serialize(to)
}

fn when_text<S: Serializer>(when: &Option<When>, to: S) -> Result<S::Ok, S::Error> {
    when.map(When::to_text).serialize(to)
}

/// What is claimed of a thing: the strongest word of the tasks that are about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claimed {
    Done,
    Failed,
    Skipped,
    Pending,
    /// There are tasks, and none says how it stands.
    Unsaid,
    /// A complete read of the tasks has none.
    Nothing,
    /// No complete read of tasks since the event.
    NotRead,
}

impl Claimed {
    pub fn word(self) -> &'static str {
        match self {
            Claimed::Done => "done",
            Claimed::Failed => "failed",
            Claimed::Skipped => "skipped",
            Claimed::Pending => "pending",
            Claimed::Unsaid => "not said",
            Claimed::Nothing => "no claim",
            Claimed::NotRead => "not read",
        }
    }
}

impl Serialize for Claimed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

impl Claim {
    /// Since when it is closed for those who asked.
    pub(super) fn closed(&self) -> Option<DateTime<Utc>> {
        self.closed_at.map(When::latest)
    }

    fn says_nothing_of_credentials(&self) -> bool {
        match self.does() {
            Some(StepAction::RevokeCredentials | StepAction::DeleteAccount) => false,
            Some(_) | None => true,
        }
    }

    fn does(&self) -> Option<StepAction> {
        StepAction::from_word(self.action.as_deref()?)
    }

    /// Whether it is about closing a thing of that kind. An action that the plan has no word for,
    /// and none at all, is about the account.
    fn is_about(&self, held: &Held) -> bool {
        let is_token = held.credential == Some(CredentialKind::Token);
        match (held.kind, self.does()) {
            (_, Some(StepAction::ReassignOwned | StepAction::GrantBirthright)) => false,
            (HeldKind::Account, Some(StepAction::DisableAccount | StepAction::DeleteAccount)) => {
                true
            }
            (HeldKind::Account, Some(_)) => false,
            (HeldKind::Account, None) => true,
            (HeldKind::Credential, Some(StepAction::RevokeSessions)) => is_token,
            (HeldKind::Credential, _) => !self.says_nothing_of_credentials(),
            (HeldKind::Session, does) => does == Some(StepAction::RevokeSessions),
            (HeldKind::Entitlement | HeldKind::Location | HeldKind::Control, does) => {
                does == Some(StepAction::RemoveGrants)
            }
        }
    }

    fn names(&self, system: &str, account: Option<&Names>) -> bool {
        self.system == system
            && match (&self.account, account) {
                (Some(named), Some(account)) => {
                    account.system == self.system && account.id == *named
                }
                (Some(_), None) => false,
                (None, _) => true,
            }
    }

    /// Whether it is of the time of this event: not of one before somebody came back, nor after.
    fn is_of(&self, left: &Left) -> bool {
        let at = self.requested_at.or(self.closed_at);
        let late = at.is_some_and(|at| left.back.is_some_and(|back| at.earliest() >= back));
        let early = at.is_some_and(|at| left.since.is_some_and(|since| at.latest() < since));
        counts(self.event, left.event) && !late && !early
    }
}

/// The tasks of a leaver that are about a thing, by their places; and whether one is about the
/// account that it belongs to, whatever it does there.
pub(super) fn about(left: &Left, held: &Held) -> (Vec<usize>, bool) {
    let account = match held.kind {
        HeldKind::Account => Some(&held.names),
        _ => held.on_account.as_ref(),
    };
    let system = match (held.kind.is_line(), account) {
        (false, Some(account)) => account.system.as_str(),
        _ => held.names.system.as_str(),
    };
    let of_time = (0..)
        .zip(&left.claims)
        .filter(|(_, claim)| claim.is_of(left));
    let mut about = Vec::new();
    let mut beside = false;
    for (place, claim) in of_time {
        let on_account = account.is_some_and(|account| claim.names(&account.system, Some(account)));
        beside |= on_account;
        if claim.is_about(held) && (on_account || claim.names(system, account)) {
            about.push(place);
        }
    }
    (about, beside)
}

/// What they say together.
pub(super) fn claimed<'c>(
    left: &Left,
    mut about: impl Iterator<Item = &'c Claim> + Clone,
) -> Claimed {
    let says = |status| about.clone().any(|claim| claim.status == Some(status));
    let strongest = [
        (TaskStatus::Done, Claimed::Done),
        (TaskStatus::Failed, Claimed::Failed),
        (TaskStatus::Skipped, Claimed::Skipped),
        (TaskStatus::Pending, Claimed::Pending),
    ]
    .into_iter()
    .find(|(status, _)| says(*status));
    let read_since = left.claims_read.is_some_and(|read| read >= left.latest);
    match strongest {
        Some((_, claimed)) => claimed,
        None if about.next().is_some() => Claimed::Unsaid,
        None if read_since => Claimed::Nothing,
        None => Claimed::NotRead,
    }
}
