//! Lifecycle events found by comparing two complete reads of a source of truth.
//!
//! Pure: one record before and after, what was known of it earlier, and the other records of the
//! same person. Promises: what a source does not say is no change; a person is gone only when no
//! record says otherwise. Never: an event from a partial read, which is never handed in.
//! How the text is read where it leaves a choice: docs/decisions/lifecycle-events.md.

mod steps;

use crate::correlate::Seen;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::{Identity, IdentityKind, IdentityStatus, LifecycleEvent};
use lastkey_contract::when::rfc3339;
use serde::Deserialize;
use serde::de::IgnoredAny;
pub use steps::Step;

/// What is compared, and between which moments.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    pub before: Option<&'a Identity>,
    pub after: Option<&'a Identity>,
    /// What reads before the one before knew of this record.
    pub earlier: Earlier<'a>,
    /// The same person's records of other sources, as complete reads of those show them by the
    /// moment of the second read; of that moment itself, what steps before this record (`Step`).
    pub others: &'a [&'a Identity],
    /// Which attributes both reads tell of at all.
    pub told: Told,
    /// The moments that the two reads show.
    pub read_before: DateTime<Utc>,
    pub read_after: DateTime<Utc>,
}

/// What was known of a record earlier, with its latest form.
#[derive(Clone, Copy, Debug)]
pub enum Earlier<'a> {
    Never,
    /// Somebody who was to come, and had not come yet.
    Expected(&'a Identity),
    /// Somebody who was there at some time.
    Here(&'a Identity),
}

impl<'a> Earlier<'a> {
    /// The same with one more form of the record, later than those before.
    pub fn and(self, seen: &'a Identity) -> Earlier<'a> {
        match (self, standing(Some(seen))) {
            (Earlier::Never | Earlier::Expected(_), Standing::Pending | Standing::Absent) => {
                Earlier::Expected(seen)
            }
            (Earlier::Here(_), _)
            | (_, Standing::Active | Standing::OnLeave | Standing::Inactive) => Earlier::Here(seen),
        }
    }
}

/// What happened, and when at the earliest and at the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEvent {
    pub event: LifecycleEvent,
    pub earliest: DateTime<Utc>,
    pub latest: DateTime<Utc>,
    /// The attributes that changed, or one of the marks below.
    pub changed: Vec<&'static str>,
}

/// Marks a leaver who never came.
pub const NO_SHOW: &str = "no_show";
/// Marks a leaver whom the source of truth still has as active.
pub const NOT_MARKED: &str = "not_marked_by_source";
/// Marks a renaming that is perhaps none: the id may have been given to somebody else.
pub const ANOTHER: &str = "another_person";
/// Marks a mover of whom one record began or ended while another goes on.
pub const RECORDS: &str = "records";

/// An attribute whose change is told.
struct Attribute {
    name: &'static str,
    of: fn(&Identity) -> Option<&str>,
}

const MOVING: [Attribute; 5] = [
    Attribute {
        name: "department",
        of: |i| i.department.as_deref(),
    },
    Attribute {
        name: "title",
        of: |i| i.title.as_deref(),
    },
    Attribute {
        name: "manager_id",
        of: |i| i.manager_id.as_ref().map(|id| id.as_str()),
    },
    Attribute {
        name: "employer_id",
        of: |i| i.employer_id.as_ref().map(|id| id.as_str()),
    },
    Attribute {
        name: "location",
        of: |i| i.location.as_deref(),
    },
];

const NAMING: [Attribute; 2] = [
    Attribute {
        name: "display_name",
        of: |i| i.display_name.as_deref(),
    },
    Attribute {
        name: "email",
        of: |i| i.email.as_deref(),
    },
];

/// How many identities of a read have each attribute. An attribute that nobody has was not
/// asked for or not allowed to be seen: that it is missing says nothing about anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Having {
    counts: [u64; MOVING.len() + NAMING.len()],
}

impl Having {
    fn each(&mut self, outline: &Outline, change: fn(u64) -> u64) {
        for (count, has) in self.counts.iter_mut().zip(outline.has()) {
            if has {
                *count = change(*count);
            }
        }
    }

    pub fn add(&mut self, outline: &Outline) {
        self.each(outline, |count| count.saturating_add(1));
    }

    pub fn take(&mut self, outline: &Outline) {
        self.each(outline, |count| count.saturating_sub(1));
    }

    /// One after the other, for keeping; `parse` reads it back.
    pub fn to_text(self) -> String {
        self.counts.map(|count| count.to_string()).join(" ")
    }

    pub fn parse(text: &str) -> Option<Having> {
        let mut having = Having::default();
        let mut words = text.split(' ');
        for count in &mut having.counts {
            *count = words.next()?.parse().ok()?;
        }
        words.next().is_none().then_some(having)
    }
}

/// Which attributes an identity has: a million of them are looked over without a copy of their texts.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Outline {
    department: Option<IgnoredAny>,
    title: Option<IgnoredAny>,
    manager_id: Option<IgnoredAny>,
    employer_id: Option<IgnoredAny>,
    location: Option<IgnoredAny>,
    display_name: Option<IgnoredAny>,
    email: Option<IgnoredAny>,
    end_date: Option<IgnoredAny>,
}

impl Outline {
    pub fn of(identity: &Identity) -> Outline {
        let has = |there: bool| there.then_some(IgnoredAny);
        Outline {
            department: has(identity.department.is_some()),
            title: has(identity.title.is_some()),
            manager_id: has(identity.manager_id.is_some()),
            employer_id: has(identity.employer_id.is_some()),
            location: has(identity.location.is_some()),
            display_name: has(identity.display_name.is_some()),
            email: has(identity.email.is_some()),
            end_date: has(identity.end_date.is_some()),
        }
    }

    pub fn has_end_date(&self) -> bool {
        self.end_date.is_some()
    }

    /// In the order of `MOVING` and `NAMING`.
    fn has(&self) -> [bool; MOVING.len() + NAMING.len()] {
        [
            &self.department,
            &self.title,
            &self.manager_id,
            &self.employer_id,
            &self.location,
            &self.display_name,
            &self.email,
        ]
        .map(Option::is_some)
    }
}

/// Which attributes two reads both tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    both: [bool; MOVING.len() + NAMING.len()],
}

impl Told {
    pub fn of(before: &Having, after: &Having) -> Told {
        let mut told = Told::everything();
        for (told, (before, after)) in told
            .both
            .iter_mut()
            .zip(before.counts.iter().zip(&after.counts))
        {
            *told = *before > 0 && *after > 0;
        }
        told
    }

    pub fn everything() -> Told {
        Told {
            both: [true; MOVING.len() + NAMING.len()],
        }
    }

    fn changes(&self, old: &Identity, new: &Identity) -> (Vec<&'static str>, Vec<&'static str>) {
        let differs = |(attribute, told): (&Attribute, &bool)| {
            (*told && (attribute.of)(old) != (attribute.of)(new)).then_some(attribute.name)
        };
        let (moving, naming) = self.both.split_at(MOVING.len());
        (
            MOVING.iter().zip(moving).filter_map(differs).collect(),
            NAMING.iter().zip(naming).filter_map(differs).collect(),
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Absent,
    Pending,
    Active,
    OnLeave,
    Inactive,
}

/// An identity of which no status was ever said is active by being listed. One that only stopped
/// saying it is handed in with the one that was said last.
fn standing(identity: Option<&Identity>) -> Standing {
    match identity {
        None => Standing::Absent,
        Some(i) => match i.status {
            None | Some(IdentityStatus::Active) => Standing::Active,
            Some(IdentityStatus::Inactive) => Standing::Inactive,
            Some(IdentityStatus::Pending) => Standing::Pending,
            Some(IdentityStatus::OnLeave) => Standing::OnLeave,
        },
    }
}

/// What the records of other sources say of the person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Elsewhere {
    /// No other record.
    Nothing,
    /// None that is there; at least one was.
    Gone,
    /// To come.
    Expected,
    OnLeave,
    Active,
}

fn elsewhere(others: &[&Identity]) -> Elsewhere {
    let has = |wanted| others.iter().any(|i| standing(Some(i)) == wanted);
    if has(Standing::Active) {
        Elsewhere::Active
    } else if has(Standing::OnLeave) {
        Elsewhere::OnLeave
    } else if has(Standing::Inactive) {
        Elsewhere::Gone
    } else if has(Standing::Pending) {
        Elsewhere::Expected
    } else {
        Elsewhere::Nothing
    }
}

/// How the ending of an identity of a kind is called.
fn ending(kind: IdentityKind) -> LifecycleEvent {
    match kind {
        IdentityKind::Person => LifecycleEvent::Leaver,
        IdentityKind::Vendor => LifecycleEvent::VendorExit,
        IdentityKind::Workload => LifecycleEvent::WorkloadRetired,
        IdentityKind::Agent => LifecycleEvent::AgentRetired,
    }
}

/// The events of one record between two reads.
pub fn events_between(compared: &Compared<'_>) -> Vec<FoundEvent> {
    use Standing::{Absent, Active, Inactive, OnLeave, Pending};
    let (before, after) = (standing(compared.before), standing(compared.after));
    match (before, after) {
        (Absent | Pending | Inactive, Active | OnLeave) => vec![began(compared, before)],
        (Active | OnLeave, Inactive | Absent) => vec![ended(compared)],
        (Pending, Inactive | Absent) => never_came(compared).into_iter().collect(),
        (Active | OnLeave, Active | OnLeave) => went_on(compared, before, after),
        (Active | OnLeave | Pending, Pending)
        | (Inactive, Inactive | Pending | Absent)
        | (Absent, Absent | Pending | Inactive) => Vec::new(),
    }
}

/// A record that is there now and was not: a joiner, one who comes back, or one more record.
fn began(compared: &Compared<'_>, before: Standing) -> FoundEvent {
    let started = compared
        .after
        .and_then(|i| i.start_date)
        .map(When::earliest);
    let elsewhere = elsewhere(compared.others);
    if matches!(elsewhere, Elsewhere::Active | Elsewhere::OnLeave) {
        return dated(compared, LifecycleEvent::Mover, started, vec![RECORDS]);
    }
    let last = match (before, compared.earlier) {
        (Standing::Inactive, _) => compared.before,
        (_, Earlier::Here(last)) => Some(last),
        (_, Earlier::Never | Earlier::Expected(_)) => None,
    };
    match (last, compared.after, elsewhere) {
        (Some(last), Some(new), _) => {
            let (mut changed, names) = compared.told.changes(last, new);
            changed.extend(names);
            // A start date that was there before is that of the time before.
            let back = started.filter(|_| last.start_date != new.start_date);
            dated(compared, LifecycleEvent::Rehire, back, changed)
        }
        (_, _, Elsewhere::Gone) => dated(compared, LifecycleEvent::Rehire, started, vec![RECORDS]),
        _ => dated(compared, LifecycleEvent::Joiner, started, Vec::new()),
    }
}

/// A record that was there and is not: a leaver, unless another record goes on.
fn ended(compared: &Compared<'_>) -> FoundEvent {
    let records = [compared.after, compared.before];
    let last_day = records.into_iter().flatten().find_map(own_end);
    let last_day = last_day.filter(|end| is_an_end(*end, compared));
    match elsewhere(compared.others) {
        Elsewhere::Active | Elsewhere::OnLeave => {
            dated(compared, LifecycleEvent::Mover, last_day, vec![RECORDS])
        }
        Elsewhere::Nothing | Elsewhere::Gone | Elsewhere::Expected => {
            let kind = compared.before.map_or(IdentityKind::Person, |i| i.kind);
            dated(compared, ending(kind), last_day, Vec::new())
        }
    }
}

/// A record that was to begin and is no more; none where the person is there by another record.
fn never_came(compared: &Compared<'_>) -> Option<FoundEvent> {
    let elsewhere = elsewhere(compared.others);
    if matches!(
        elsewhere,
        Elsewhere::Active | Elsewhere::OnLeave | Elsewhere::Expected
    ) {
        return None;
    }
    // Somebody who was there before was pending again: that is no no-show.
    let mark = match compared.earlier {
        Earlier::Here(_) => Vec::new(),
        Earlier::Never | Earlier::Expected(_) => vec![NO_SHOW],
    };
    let kind = compared.before.map_or(IdentityKind::Person, |i| i.kind);
    let records = [compared.after, compared.before];
    let last_day = records.into_iter().flatten().find_map(own_end);
    let last_day = last_day.filter(|end| is_an_end(*end, compared));
    Some(dated(compared, ending(kind), last_day, mark))
}

/// A record that was there and is still.
fn went_on(compared: &Compared<'_>, before: Standing, after: Standing) -> Vec<FoundEvent> {
    use Standing::{Active, OnLeave};
    let mut events = Vec::new();
    let mut happened = |event, changed| events.push(dated(compared, event, None, changed));
    // Whoever is at work by another record is not away.
    if elsewhere(compared.others) != Elsewhere::Active {
        match (before, after) {
            (Active, OnLeave) => happened(LifecycleEvent::LeaveStart, Vec::new()),
            (OnLeave, Active) => happened(LifecycleEvent::LeaveEnd, Vec::new()),
            _ => {}
        }
    }
    let (Some(old), Some(new)) = (compared.before, compared.after) else {
        return events;
    };
    let (moved, mut renamed) = compared.told.changes(old, new);
    if !moved.is_empty() {
        happened(LifecycleEvent::Mover, moved);
    }
    if !renamed.is_empty() {
        if seen(old).is_another(&seen(new)) {
            renamed.push(ANOTHER);
        }
        happened(LifecycleEvent::Renamed, renamed);
    }
    // A date that is no longer said is not known: nothing was extended by that.
    if let (Some(was), Some(is)) = (old.end_date, new.end_date)
        && is.latest() > was.latest()
    {
        happened(LifecycleEvent::Extension, vec!["end_date"]);
    }
    events
}

/// What tells one holder of a record's id from the next.
fn seen(identity: &Identity) -> Seen {
    Seen {
        name: identity.display_name.clone(),
        since: identity.start_date.map(|day| rfc3339(day.earliest())),
    }
}

/// When a record that is listed as there ends by its own date, and how that would be called: from
/// then on it is a leaver whom the source of truth itself has not marked. None where another record
/// of the person goes on beyond.
pub fn not_marked(identity: &Identity, others: &[&Identity]) -> Option<FoundEvent> {
    let here = |i: &Identity| matches!(standing(Some(i)), Standing::Active | Standing::OnLeave);
    let end = own_end(identity).filter(|_| here(identity))?;
    let mut last = end;
    for other in others.iter().filter(|other| here(other)) {
        last = last.max(own_end(other)?);
    }
    // The last of several records tells of it, and of equals each.
    (last == end).then(|| FoundEvent {
        event: ending(identity.kind),
        earliest: end,
        latest: end,
        changed: vec![NOT_MARKED],
    })
}

/// A last day that far away says that there is none: many systems write 9999-12-31 for that.
const NO_END: TimeDelta = TimeDelta::days(50 * 365);

/// Whether a last day can be that of somebody whom a read shows gone.
fn is_an_end(end: DateTime<Utc>, compared: &Compared<'_>) -> bool {
    let read = compared.read_before.max(compared.read_after);
    end.signed_duration_since(read) < NO_END
}

/// When a record ends by its own date: the end of its last day. A date before the first day is that
/// of an earlier time.
pub(crate) fn own_end(identity: &Identity) -> Option<DateTime<Utc>> {
    let end = identity.end_date?.latest();
    let earlier_time = identity.start_date.is_some_and(|s| s.earliest() >= end);
    (!earlier_time).then_some(end)
}

/// The source's own date where it gives one; else the interval between the reads.
fn dated(
    compared: &Compared<'_>,
    event: LifecycleEvent,
    own: Option<DateTime<Utc>>,
    changed: Vec<&'static str>,
) -> FoundEvent {
    let (one, other) = (compared.read_before, compared.read_after);
    // A dated read may show a later moment than a live one after it.
    let (earliest, latest) = own.map_or((one.min(other), one.max(other)), |at| (at, at));

    FoundEvent {
        event,
        earliest,
        latest,
        changed,
    }
}

#[cfg(test)]
mod tests;
