//! One event as somebody asks about it, and what it changes of a record.

use super::handed_on::HandedOn;
use super::registers::RecordOf;
use chrono::{DateTime, NaiveDate, Utc};
use lastkey_contract::facts::{Identity, IdentityStatus, LeaverKind, LifecycleEvent};
use lastkey_contract::{IdentityId, When};

/// An event to be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedEvent {
    /// When it happens.
    pub at: DateTime<Utc>,
    /// Whom it happens to, as the graph names them.
    pub identity: IdentityId,
    pub event: LifecycleEvent,
    /// The records that show it, from that moment on.
    pub records: Vec<RecordOf>,
    pub shown: Shown,
    pub set: Vec<NewValue>,
    /// Of a change of owners: what the identity hands on, and to whom.
    pub handed_on: Option<HandedOn>,
}

/// How a record shows that somebody has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Its status is another; of whoever leaves, `inactive`.
    #[default]
    Status,
    /// It is listed no more.
    Gone,
    /// It has an end date, and its status stays.
    EndDate,
    /// Nobody enters anything.
    Nothing,
}

impl Shown {
    pub const WORDS: &'static [&'static str] = &["status", "gone", "end_date", "nothing"];

    /// The way with exactly this word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "status" => Some(Shown::Status),
            "gone" => Some(Shown::Gone),
            "end_date" => Some(Shown::EndDate),
            "nothing" => Some(Shown::Nothing),
            _ => None,
        }
    }
}

/// A day in a zone (an IANA name); None where there is no such zone, or the day cannot be counted.
pub fn day_in(date: NaiveDate, zone: &str) -> Option<When> {
    When::day(date, &zone.parse::<chrono_tz::Tz>().ok()?)
}

/// An attribute as it is afterwards; None where it is taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewValue {
    Text(TextColumn, Option<String>),
    StartDate(Option<When>),
    EndDate(Option<When>),
    Status(Option<IdentityStatus>),
    LeaverKind(Option<LeaverKind>),
    /// A column of the source's own.
    Attribute(String, Option<String>),
}

/// A column that holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextColumn {
    DisplayName,
    Email,
    Department,
    Title,
    Manager,
    Employer,
    Location,
    Purpose,
}

impl TextColumn {
    /// The column with exactly this name, as files have it.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "display_name" => TextColumn::DisplayName,
            "email" => TextColumn::Email,
            "department" => TextColumn::Department,
            "title" => TextColumn::Title,
            "manager_id" => TextColumn::Manager,
            "employer_id" => TextColumn::Employer,
            "location" => TextColumn::Location,
            "purpose" => TextColumn::Purpose,
            _ => return None,
        })
    }
}

impl NewValue {
    fn put(&self, record: &mut Identity) {
        match self.clone() {
            NewValue::Text(column, text) => match column {
                TextColumn::DisplayName => record.display_name = text,
                TextColumn::Email => record.email = text,
                TextColumn::Department => record.department = text,
                TextColumn::Title => record.title = text,
                TextColumn::Manager => record.manager_id = text.map(IdentityId::new),
                TextColumn::Employer => record.employer_id = text.map(IdentityId::new),
                TextColumn::Location => record.location = text,
                TextColumn::Purpose => record.purpose = text,
            },
            NewValue::StartDate(day) => record.start_date = day,
            NewValue::EndDate(day) => record.end_date = day,
            NewValue::Status(status) => record.status = status,
            NewValue::LeaverKind(kind) => record.leaver_kind = kind,
            NewValue::Attribute(name, Some(text)) => {
                record.attributes.insert(name, text);
            }
            NewValue::Attribute(name, None) => {
                record.attributes.remove(&name);
            }
        }
    }
}

impl SimulatedEvent {
    /// A record as it is once it shows the event.
    pub(super) fn shown_by(&self, before: &Identity) -> Option<Identity> {
        let mut after = before.clone();
        if self.event == LifecycleEvent::OwnerChange {
            return Some(after);
        }
        match self.shown {
            Shown::Nothing => return Some(after),
            Shown::Gone => return None,
            Shown::EndDate => after.end_date = Some(When::At(self.at)),
            Shown::Status => {
                after.status = self.status(before.status);
                if matches!(self.event, LifecycleEvent::Joiner | LifecycleEvent::Rehire) {
                    after = self.back(&after);
                }
            }
        }
        for value in &self.set {
            value.put(&mut after);
        }
        Some(after)
    }

    /// A record that comes back, as it was last: a last day that has passed was of the time before.
    pub(super) fn back(&self, last: &Identity) -> Identity {
        let mut back = last.clone();
        back.end_date = back.end_date.filter(|end| end.latest() > self.at);
        back
    }

    fn status(&self, before: Option<IdentityStatus>) -> Option<IdentityStatus> {
        match self.event {
            LifecycleEvent::Leaver
            | LifecycleEvent::VendorExit
            | LifecycleEvent::WorkloadRetired
            | LifecycleEvent::AgentRetired => Some(IdentityStatus::Inactive),
            LifecycleEvent::Joiner | LifecycleEvent::Rehire | LifecycleEvent::LeaveEnd => {
                Some(IdentityStatus::Active)
            }
            LifecycleEvent::LeaveStart => Some(IdentityStatus::OnLeave),
            LifecycleEvent::Mover
            | LifecycleEvent::OwnerChange
            | LifecycleEvent::Extension
            | LifecycleEvent::Renamed => before,
        }
    }
}
