//! Lifecycle events by window.

use super::{EventRow, ListQuery, OwnerChangeRow, RowWindow};
use crate::ownership::ObjectName;
use crate::store::{EventRecord, EventsQuery, Order, Origin, OwnerChange, Store, StoreError};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use lastkey_contract::facts::{LifecycleEvent, ObjectType};

/// How many events the page of an identity shows at most.
const OF_ONE: u32 = 500;

impl From<EventRecord> for EventRow {
    fn from(record: EventRecord) -> EventRow {
        let EventRecord {
            source,
            identity,
            name,
            event,
            earliest,
            latest,
            changed,
            owner,
        } = record;
        EventRow {
            event,
            identity,
            name,
            source,
            earliest,
            latest,
            changed,
            owner: owner.map(OwnerChangeRow::from),
        }
    }
}

impl From<OwnerChange> for OwnerChangeRow {
    fn from(change: OwnerChange) -> OwnerChangeRow {
        let OwnerChange {
            object,
            role,
            before,
            after,
            by,
        } = change;
        OwnerChangeRow {
            object,
            role,
            before,
            after,
            by,
        }
    }
}

/// A window of the events that complete reads show, oldest first unless `descending`; search in
/// identity, name and event. Filters: `event=`, `identity=`, `source=`, `changed=` (one of the
/// attributes), `since=` and `until=` (a date or an RFC 3339 time): an event is there whose interval
/// touches that time; a bare date counts whole, in UTC.
pub async fn events(
    store: &Store,
    query: &ListQuery,
    now: DateTime<Utc>,
) -> Result<RowWindow<EventRow>, StoreError> {
    let mut wanted = EventsQuery {
        search: &query.search,
        order: match query.descending {
            true => Order::NewestFirst,
            false => Order::OldestFirst,
        },
        offset: query.offset,
        limit: query.limit,
        ..EventsQuery::default()
    };
    let bad = |what: &str, value: &str| StoreError::BadQuery {
        what: what.to_owned(),
        value: value.to_owned(),
    };
    if !matches!(query.sort.as_str(), "" | "latest") {
        return Err(bad("sort", &query.sort));
    }
    for filter in &query.filters {
        let (column, value) = filter
            .split_once('=')
            .ok_or_else(|| bad("filter", filter))?;
        match column.trim() {
            "event" if LifecycleEvent::from_word(value).is_none() => {
                return Err(StoreError::NoSuchWord {
                    of: "the lifecycle",
                    column: "event".to_owned(),
                    value: value.to_owned(),
                    words: LifecycleEvent::WORDS,
                });
            }
            "event" => wanted.event = Some(value),
            "identity" => wanted.identity = Some(value),
            "source" => wanted.source = Origin::Source(value),
            "changed" => wanted.changed = Some(value),
            "since" => wanted.since = Some(start(value).ok_or_else(|| bad("since", value))?),
            "until" => wanted.before = Some(end(value).ok_or_else(|| bad("until", value))?),
            other => return Err(bad("column", other)),
        }
    }
    let (rows, matching, total) = store.events(&wanted, now).await?;
    Ok(RowWindow {
        rows: rows.into_iter().map(EventRow::from).collect(),
        offset: query.offset,
        matching,
        total,
    })
}

/// The events of one record, oldest first.
pub(super) async fn events_of(
    store: &Store,
    source: &str,
    identity: &str,
    now: DateTime<Utc>,
) -> Result<Vec<EventRow>, StoreError> {
    let query = EventsQuery {
        identity: Some(identity),
        limit: OF_ONE,
        ..EventsQuery::default()
    };
    let (mut rows, _, _) = store.events(&query, now).await?;
    let itself = ObjectName::new(ObjectType::Identity, source, identity).argument();
    // Who its owners are may be said by anybody; what else is told, by its source.
    let about_it = |row: &EventRecord| row.owner.as_ref().is_some_and(|o| o.object == itself);
    rows.retain(|row| row.source == source || about_it(row));
    rows.sort_by(|a, b| a.latest.cmp(&b.latest));
    Ok(rows.into_iter().map(EventRow::from).collect())
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.with_timezone(&Utc))
}

fn date(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

fn start(text: &str) -> Option<DateTime<Utc>> {
    moment(text).or_else(|| Some(date(text)?.and_time(NaiveTime::MIN).and_utc()))
}

/// The first moment that is no more meant.
fn end(text: &str) -> Option<DateTime<Utc>> {
    match moment(text) {
        Some(at) => at.checked_add_signed(TimeDelta::nanoseconds(1)),
        None => Some(date(text)?.succ_opt()?.and_time(NaiveTime::MIN).and_utc()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_date_counts_whole() {
        let told = |at: Option<DateTime<Utc>>| at.map(lastkey_contract::when::rfc3339);
        assert_eq!(
            told(start("2026-03-01")).as_deref(),
            Some("2026-03-01T00:00:00Z")
        );
        assert_eq!(
            told(end("2026-03-01")).as_deref(),
            Some("2026-03-02T00:00:00Z")
        );
        assert_eq!(
            told(start("2026-03-01T10:00:00+02:00")).as_deref(),
            Some("2026-03-01T08:00:00Z")
        );
        assert_eq!(told(end("soon")), None);
    }
}
