//! What did a rehearsal say, kept so that it can be held against another one?
//!
//! A kept rehearsal has its question, the moment, what it was asked with (plan, policy, state of the
//! facts, how everything had been read) and its items by their own ids. Comparing two says what came,
//! went and changed, and which of the things asked with is the reason, where that is known. What the
//! later one lacks only because nobody has read it again has disappeared without proof: it is not gone.
//! Never: a judgement of its own; an item's verdict is the rehearsal's.

mod compare;
mod items;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, Counts, Direction, ItemDifference, PutBack, WhatOf, compare};
pub use items::{events_items, everyone_items, leaver_items, role_items};

use super::{Basis, Closing, Severity, Verdict};
use crate::access::ReadState;
use chrono::{DateTime, Utc};
use lastkey_contract::when::rfc3339;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use ts_rs::TS;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
#[ts(export)]
pub enum Question {
    Leaver {
        identity: String,
    },
    VendorExit {
        vendor: String,
    },
    Joiner(RoleQuestion),
    Mover(RoleQuestion),
    /// Events as the command line writes them, played in one world.
    Events {
        events: Vec<String>,
    },
    /// Everyone's leaving, in numbers.
    Everyone,
}

/// Who joins or moves, how they are afterwards, and which policy is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RoleQuestion {
    pub identity: String,
    pub set: Vec<(String, String)>,
    /// Of a joiner whom no source lists yet, after whom they are modelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub like: Option<String>,
    /// `active` or `draft`.
    pub policy: String,
}

impl Question {
    /// In words, for people: `leaver of hr:u1`.
    pub fn words(&self) -> String {
        let role = |event: &str, of: &RoleQuestion| {
            let set = of
                .set
                .iter()
                .map(|(name, value)| format!(" {name}={value}"));
            let like = of.like.iter().map(|like| format!(" like {like}"));
            let more: String = like.chain(set).collect();
            format!("{event} {}{more}", of.identity)
        };
        match self {
            Question::Leaver { identity } => format!("leaver {identity}"),
            Question::VendorExit { vendor } => format!("vendor exit of {vendor}"),
            Question::Joiner(of) => role("joiner", of),
            Question::Mover(of) => role("mover", of),
            Question::Events { events } => format!("events {}", events.join("; ")),
            Question::Everyone => "everyone".to_owned(),
        }
    }
}

/// What a rehearsal was asked with, beside the facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedWith {
    /// The text of a plan and what it is called; None where none was loaded.
    pub plan: Option<NamedText>,
    /// The same of the access policy, where the question asks for one.
    pub policy: Option<NamedText>,
    pub at: DateTime<Utc>,
}

/// A text under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedText {
    pub name: String,
    pub sha256: String,
    pub text: String,
}

impl NamedText {
    pub fn new(name: String, text: String) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        NamedText { name, sha256, text }
    }
}

/// Which state of the store an answer is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FactsState {
    /// The latest sync.
    pub sync: u64,
    /// How much had been decided and set by then, about accounts, persons, owners and sources.
    pub decisions: u64,
}

/// A rehearsal as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRehearsal {
    pub question: Question,
    pub with: AskedWith,
    pub facts: FactsState,
    /// How everything had been read.
    pub reads: Vec<ReadState>,
    /// The program that answered.
    pub version: String,
    pub verdict: Verdict,
    pub missing_facts: Vec<String>,
    /// Sorted by what they are called.
    #[serde(skip)]
    pub items: Vec<KeptItem>,
}

/// What an item of a kept rehearsal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum KeptKind {
    /// An event among several.
    Event,
    /// Somebody of everyone.
    Identity,
    Account,
    Credential,
    Entitlement,
    Location,
    /// What a joiner or mover should hold and does not.
    MissingGrant,
    /// What they hold and may not.
    ExtraGrant,
}

impl KeptKind {
    /// The word as it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            KeptKind::Event => "event",
            KeptKind::Identity => "identity",
            KeptKind::Account => "account",
            KeptKind::Credential => "credential",
            KeptKind::Entitlement => "entitlement",
            KeptKind::Location => "location",
            KeptKind::MissingGrant => "missing_grant",
            KeptKind::ExtraGrant => "extra_grant",
        }
    }
}

/// One item of a kept rehearsal, by its own id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeptItem {
    /// Of several events which, from 1; else 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub place: u32,
    pub kind: KeptKind,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system: String,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_account: Option<String>,
    /// None where nothing closes, as of an identity of everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(type = "string | null")]
    pub closes_at: Option<Closing>,
    pub verdict: Verdict,
    pub basis: Basis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Of an identity of everyone, or of an event, how many items there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<KeptNumbers>,
    /// Of an event, whether it would be noticed; of a grant, what the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The systems whose facts the item rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<String>,
}

/// How many items somebody leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeptNumbers {
    pub residual: u64,
    pub late: u64,
    pub never: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What names an item among those of its rehearsal.
pub(crate) type ItemKey<'a> = (u32, KeptKind, &'a str, &'a str, Option<&'a str>);

impl KeptItem {
    pub(crate) fn key(&self) -> ItemKey<'_> {
        (
            self.place,
            self.kind,
            &self.system,
            &self.id,
            self.on_account.as_deref(),
        )
    }

    /// `account corp:a1`, entitlements with ` on corp:a1`.
    pub fn words(&self) -> String {
        let thing = match self.system.as_str() {
            "" => self.id.clone(),
            system => format!("{system}:{}", self.id),
        };
        let on = self.on_account.as_ref().map(|on| format!(" on {on}"));
        format!("{} {thing}{}", self.kind.word(), on.unwrap_or_default())
    }
}

/// What can differ between two rehearsals of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Input {
    Plan,
    Policy,
    Moment,
    /// What was read and decided.
    Facts,
    /// The program.
    Version,
}

impl Input {
    /// The word as it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Input::Plan => "plan",
            Input::Policy => "policy",
            Input::Moment => "moment",
            Input::Facts => "facts",
            Input::Version => "version",
        }
    }
}

impl KeptRehearsal {
    /// What the other one was asked with that this one was not, in order.
    pub fn inputs_changed(&self, other: &KeptRehearsal) -> Vec<Input> {
        let sha = |text: &Option<NamedText>| text.as_ref().map(|text| text.sha256.clone());
        let changed = [
            (Input::Plan, sha(&self.with.plan) != sha(&other.with.plan)),
            (
                Input::Policy,
                sha(&self.with.policy) != sha(&other.with.policy),
            ),
            (Input::Moment, self.with.at != other.with.at),
            (Input::Facts, self.facts != other.facts),
            (Input::Version, self.version != other.version),
        ];
        let changed = changed.into_iter().filter(|(_, changed)| *changed);
        changed.map(|(input, _)| input).collect()
    }
}

pub(crate) fn moment<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}
