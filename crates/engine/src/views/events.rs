//! Lifecycle events by window.

use super::{EventRow, ListQuery, RowWindow};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};

/// A window of the events that complete reads show, oldest first unless `descending`;
/// filters `event=`, `identity=` and `source=`, search in identity and event.
pub async fn events(
    store: &Store,
    query: &ListQuery,
    now: DateTime<Utc>,
) -> Result<RowWindow<EventRow>, StoreError> {
    let all = store.lifecycle_events(None, now).await?;
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let mut filters = Vec::new();
    for filter in &query.filters {
        match filter.split_once('=') {
            Some((column @ ("event" | "identity" | "source"), value)) => {
                filters.push((column, value));
            }
            Some(_) | None => {
                return Err(StoreError::BadQuery {
                    what: "filter".to_owned(),
                    value: filter.clone(),
                });
            }
        }
    }
    let search = query.search.to_lowercase();
    let mut rows: Vec<EventRow> = all
        .into_iter()
        .filter(|row| {
            filters.iter().all(|(column, value)| match *column {
                "event" => row.event == *value,
                "identity" => row.identity == *value,
                _ => row.source == *value,
            })
        })
        .filter(|row| {
            search.is_empty()
                || row.identity.to_lowercase().contains(&search)
                || row.event.contains(&search)
        })
        .collect();
    if query.descending {
        rows.reverse();
    }
    let matching = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let skip = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    Ok(RowWindow {
        rows: rows.into_iter().skip(skip).take(limit).collect(),
        offset: query.offset,
        matching,
        total,
    })
}
