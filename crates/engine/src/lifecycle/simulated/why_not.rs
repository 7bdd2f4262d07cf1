//! Why nothing tells of an event, or only later, in sentences.

use super::happens::SimulatedEvent;
use super::registers::{RecordOf, SimulatedWorld, Tells};
use super::told::{Moment, Touched, Trigger};
use crate::lifecycle::departure::is_ending;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Identity, IdentityStatus, LifecycleEvent};
use lastkey_contract::when::rfc3339;

/// The sentences: of each record that shows the event, why it does not tell; `later` tells after all.
pub(super) fn why_not(
    world: &SimulatedWorld<'_>,
    event: &SimulatedEvent,
    moment: &Moment,
    later: Option<&Trigger>,
) -> Vec<String> {
    let mut why = Vec::new();
    if event.records.is_empty() {
        why.push(format!("no source lists `{}`", event.identity));
    }
    let late = later.filter(|trigger| trigger.noticed == moment.at);
    if let Some(trigger) = late {
        // It is shown at once, and dated later.
        let (record, at) = (&trigger.record, rfc3339(trigger.fires_at()));
        why.push(match is_ending(event.event) {
            true => format!("`{record}` gives a last day that ends at {at}"),
            false => format!("`{record}` gives {at} as its date"),
        });
        return why;
    }
    for record in &event.records {
        let touched = moment.touched.iter().find(|one| one.record == *record);
        why.push(match (world.tells(&record.source), touched) {
            (Tells::OfNobody, _) => format!(
                "`{}` is no source of truth: what changes there tells of nobody",
                record.source
            ),
            (Tells::WhoExists, None) => format!("no source lists `{record}`"),
            (Tells::WhoExists, Some(touched)) => of_record(event, moment, touched),
        });
    }
    if let Some(trigger) = later {
        let (record, at) = (&trigger.record, rfc3339(trigger.noticed));
        why.push(format!("`{record}` tells of it at {at}"));
    }
    why
}

fn of_record(event: &SimulatedEvent, moment: &Moment, touched: &Touched) -> String {
    let record = &touched.record;
    let (Some(before), at) = (&touched.before, moment.at) else {
        return format!("`{record}` is not listed");
    };
    if touched.after.as_ref() == Some(before) {
        return unchanged(event, record, before, at);
    }
    if let Some(other) = goes_on(touched) {
        return other;
    }
    let told = moment.triggers.iter();
    let told = told.filter(|one| one.record == *record && one.noticed == at);
    let told: Vec<&str> = told.map(|one| one.found.event.word()).collect();
    if !told.is_empty() {
        return format!(
            "what `{record}` shows at once is told as {}, and not as {}",
            told.join(", "),
            event.event.word()
        );
    }
    let after = touched.after.as_ref();
    match event.event {
        _ if after.is_some_and(|i| i.status == Some(IdentityStatus::Pending)) => {
            format!("`{record}` is still pending{}", starts(after))
        }
        LifecycleEvent::Leaver
        | LifecycleEvent::VendorExit
        | LifecycleEvent::WorkloadRetired
        | LifecycleEvent::AgentRetired => match before.status {
            Some(IdentityStatus::Inactive) => format!("`{record}` was inactive before"),
            _ => format!(
                "`{record}` is still {}{}",
                standing(after),
                last_day(after, at)
            ),
        },
        LifecycleEvent::Joiner | LifecycleEvent::Rehire => {
            format!("`{record}` was {} before", standing(Some(before)))
        }
        LifecycleEvent::LeaveStart | LifecycleEvent::LeaveEnd => {
            format!("`{record}` was {} before", standing(Some(before)))
        }
        LifecycleEvent::Extension => {
            format!("the last day of `{record}` is not known, or not later than before")
        }
        LifecycleEvent::Mover | LifecycleEvent::Renamed => format!(
            "nobody in `{}` has that attribute before it: a column that comes tells of nobody, and \
             other columns are no {}",
            record.source,
            event.event.word()
        ),
        LifecycleEvent::OwnerChange => format!("`{record}` names no owner"),
    }
}

/// Another record of the person that goes on, where one does.
fn goes_on(touched: &Touched) -> Option<String> {
    let stays = touched.others.iter().find(|(_, other)| {
        matches!(
            other.status,
            None | Some(IdentityStatus::Active | IdentityStatus::OnLeave)
        )
    });
    let (of, other) = stays?;
    Some(format!(
        "`{of}`, another source of truth, still lists them as {}",
        standing(Some(other))
    ))
}

fn unchanged(
    event: &SimulatedEvent,
    record: &RecordOf,
    before: &Identity,
    at: DateTime<Utc>,
) -> String {
    let standing = standing(Some(before));
    match is_ending(event.event) {
        true => format!(
            "`{record}` says nothing of it: it stays {standing}{}",
            last_day(Some(before), at)
        ),
        false => format!("`{record}` is as it was before, and {standing}"),
    }
}

fn last_day(record: Option<&Identity>, at: DateTime<Utc>) -> String {
    match record.and_then(|record| record.end_date) {
        None => ", and its end date stays empty".to_owned(),
        Some(end) if end.latest() > at => {
            format!(", and its last day ends at {}", rfc3339(end.latest()))
        }
        Some(end) => format!(
            ", and its last day ended at {}, which was told then",
            rfc3339(end.latest())
        ),
    }
}

fn starts(record: Option<&Identity>) -> String {
    match record.and_then(|record| record.start_date) {
        None => ", and has no start date".to_owned(),
        Some(day) => format!(
            ", and the start date {} is not reached",
            rfc3339(day.earliest())
        ),
    }
}

fn standing(record: Option<&Identity>) -> &'static str {
    match record.map(|record| record.status) {
        None => "not listed",
        Some(None) => "listed without a status",
        Some(Some(IdentityStatus::Active)) => "active",
        Some(Some(IdentityStatus::Inactive)) => "inactive",
        Some(Some(IdentityStatus::Pending)) => "pending",
        Some(Some(IdentityStatus::OnLeave)) => "on leave",
    }
}
