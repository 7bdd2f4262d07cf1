//! Lifecycle events found by comparing two complete reads of a source of truth.
//!
//! Pure: one identity before and after. An identity without a status is active by being listed.

use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Identity, IdentityStatus, LifecycleEvent};

/// What is compared, and between which moments.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    pub before: Option<&'a Identity>,
    pub after: Option<&'a Identity>,
    /// Whether an earlier read than the one before had this identity.
    pub known_earlier: bool,
    /// The moments that the two reads show.
    pub read_before: DateTime<Utc>,
    pub read_after: DateTime<Utc>,
}

/// What happened, and when at the earliest and at the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEvent {
    pub event: LifecycleEvent,
    pub earliest: DateTime<Utc>,
    pub latest: DateTime<Utc>,
    /// A mover's changed attributes; `no_show` or `not_marked_by_source` of a leaver.
    pub changed: Vec<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Absent,
    Pending,
    Active,
    OnLeave,
    Inactive,
}

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

/// The events of one identity between two reads.
pub fn events_between(compared: &Compared<'_>) -> Vec<FoundEvent> {
    use Standing::{Absent, Active, Inactive, OnLeave, Pending};
    let (before, after) = (standing(compared.before), standing(compared.after));
    let found = |event: LifecycleEvent, changed: Vec<&'static str>| {
        let (earliest, latest) = dates(compared, event);
        FoundEvent {
            event,
            earliest,
            latest,
            changed,
        }
    };
    let mut events = Vec::new();
    match (before, after) {
        (Absent, Active | OnLeave) if compared.known_earlier => {
            events.push(found(LifecycleEvent::Rehire, Vec::new()));
        }
        (Absent | Pending, Active | OnLeave) => {
            events.push(found(LifecycleEvent::Joiner, Vec::new()));
        }
        (Inactive, Active | OnLeave) => events.push(found(LifecycleEvent::Rehire, Vec::new())),
        (Active | OnLeave, Inactive | Absent) => {
            events.push(found(LifecycleEvent::Leaver, Vec::new()));
        }
        (Pending, Inactive | Absent) => {
            events.push(found(LifecycleEvent::Leaver, vec!["no_show"]));
        }
        (Active, OnLeave) => events.push(found(LifecycleEvent::LeaveStart, Vec::new())),
        (OnLeave, Active) => events.push(found(LifecycleEvent::LeaveEnd, Vec::new())),
        (Active, Active | Pending)
        | (OnLeave, OnLeave | Pending)
        | (Pending, Pending)
        | (Inactive, Inactive | Pending | Absent)
        | (Absent, Absent | Pending | Inactive) => {}
    }
    if let (Some(old), Some(new), Active | OnLeave, Active | OnLeave) =
        (compared.before, compared.after, before, after)
    {
        let changed = changed_attributes(old, new);
        if !changed.is_empty() {
            events.push(found(LifecycleEvent::Mover, changed));
        }
    }
    events
}

/// A leaver whom the source of truth still has as active after the end date.
pub fn not_marked(identity: &Identity, now: DateTime<Utc>) -> Option<FoundEvent> {
    let end = identity.end_date?.latest();
    let listed = matches!(
        standing(Some(identity)),
        Standing::Active | Standing::OnLeave
    );
    (listed && end <= now).then(|| FoundEvent {
        event: LifecycleEvent::Leaver,
        earliest: end,
        latest: end,
        changed: vec!["not_marked_by_source"],
    })
}

/// The source's own date of a joiner or leaver; else the interval between the reads.
fn dates(compared: &Compared<'_>, event: LifecycleEvent) -> (DateTime<Utc>, DateTime<Utc>) {
    let own = match event {
        LifecycleEvent::Joiner => compared
            .after
            .and_then(|i| i.start_date)
            .map(|d| d.earliest()),
        LifecycleEvent::Leaver => compared
            .after
            .or(compared.before)
            .and_then(|i| i.end_date)
            .map(|d| d.latest()),
        LifecycleEvent::Mover
        | LifecycleEvent::VendorExit
        | LifecycleEvent::WorkloadRetired
        | LifecycleEvent::AgentRetired
        | LifecycleEvent::OwnerChange
        | LifecycleEvent::LeaveStart
        | LifecycleEvent::LeaveEnd
        | LifecycleEvent::Rehire
        | LifecycleEvent::Extension
        | LifecycleEvent::Renamed => None,
    };
    own.map_or((compared.read_before, compared.read_after), |at| (at, at))
}

fn changed_attributes(old: &Identity, new: &Identity) -> Vec<&'static str> {
    [
        ("department", old.department != new.department),
        ("title", old.title != new.title),
        ("manager_id", old.manager_id != new.manager_id),
        ("employer_id", old.employer_id != new.employer_id),
        ("location", old.location != new.location),
    ]
    .into_iter()
    .filter_map(|(name, changed)| changed.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(status: &str, department: &str) -> Identity {
        serde_json::from_value(serde_json::json!({
            "id": "u1", "kind": "person", "status": status, "department": department,
        }))
        .unwrap()
    }

    fn check(before: Option<(&str, &str)>, after: Option<(&str, &str)>, expected: &str) {
        let before = before.map(|(s, d)| person(s, d));
        let after = after.map(|(s, d)| person(s, d));
        let found = events_between(&Compared {
            before: before.as_ref(),
            after: after.as_ref(),
            known_earlier: false,
            read_before: DateTime::UNIX_EPOCH,
            read_after: DateTime::UNIX_EPOCH,
        });
        let words: Vec<String> = found
            .iter()
            .map(|f| {
                format!("{} {}", f.event, f.changed.join(","))
                    .trim()
                    .to_owned()
            })
            .collect();
        assert_eq!(words.join("; "), expected, "{before:?} to {after:?}");
    }

    #[test]
    fn each_turn_has_its_event() {
        check(None, Some(("active", "a")), "joiner");
        check(None, Some(("pending", "a")), "");
        check(Some(("pending", "a")), Some(("active", "a")), "joiner");
        check(Some(("pending", "a")), None, "leaver no_show");
        check(Some(("active", "a")), None, "leaver");
        check(Some(("active", "a")), Some(("inactive", "a")), "leaver");
        check(Some(("inactive", "a")), None, "");
        check(Some(("inactive", "a")), Some(("active", "a")), "rehire");
        check(
            Some(("active", "a")),
            Some(("active", "b")),
            "mover department",
        );
        check(
            Some(("active", "a")),
            Some(("on_leave", "b")),
            "leave_start; mover department",
        );
        check(Some(("on_leave", "a")), Some(("active", "a")), "leave_end");
    }
}
