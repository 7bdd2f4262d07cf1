//! Last days that a source of truth corrected after it had told of a leaving: it left by either.

use super::super::StoreError;
use super::super::blocks::{self, Columns, Mark};
use super::super::names::Names;
use super::heads::Head;
use crate::lifecycle::events::own_end;
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::Identity;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// Marks an end of which the last day was told otherwise afterwards.
pub(super) const CORRECTED: &str = "last_day_corrected";

/// Widens the event of each whose last day is another by a later read: which of them holds is not known,
/// and the bounds are true for both.
pub(super) async fn widen(
    connection: &mut SqliteConnection,
    names: Names,
    heads: &mut [Head],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let told = |head: &&Head| head.read.is_some() && head.back.is_none();
    let key_of = |head: &Head| names.key(Kind::Identity, &head.id);
    let keys: HashSet<i64> = heads.iter().filter(told).map(&key_of).collect();
    if keys.is_empty() {
        return Ok(());
    }
    // A record with one version was never told otherwise.
    let mut versions: HashMap<(i64, i64), Vec<Mark>> = HashMap::new();
    for mark in blocks::of_keys(&mut *connection, Kind::Identity, &keys).await? {
        let of = versions.entry((mark.source, mark.key)).or_default();
        of.push(mark);
    }
    versions.retain(|_, marks| marks.len() > 1);
    let mut rows: Vec<i64> = versions.values().flatten().map(|mark| mark.row).collect();
    rows.sort_unstable();
    let mut ends: HashMap<i64, Option<DateTime<Utc>>> = HashMap::new();
    blocks::of_rows(connection, &rows, Columns::Facts, |block, place| {
        let fact: Identity = serde_json::from_str(block.fact(place)?)?;
        ends.insert(block.row(place), own_end(&fact));
        Ok(())
    })
    .await?;
    for head in heads.iter_mut().filter(|head| told(&&**head)) {
        let (key, read) = (key_of(head), head.read);
        let Some(marks) = versions.get(&(head.source, key)) else {
            continue;
        };
        let since = marks.iter().filter(|mark| {
            let until = mark.ended.unwrap_or(i64::MAX);
            read.is_some_and(|read| until > read)
        });
        let mut told: Vec<(i64, Option<DateTime<Utc>>)> = since
            .map(|mark| (mark.first, ends.get(&mark.row).copied().flatten()))
            .collect();
        told.sort_unstable();
        let first = told.first().and_then(|(_, end)| *end);
        for end in told.iter().filter_map(|(_, end)| *end) {
            if Some(end) == first || end > now {
                continue;
            }
            let (earliest, latest) = (head.earliest.map(|at| at.min(end)), head.latest.max(end));
            if (earliest, latest) != (head.earliest, head.latest) {
                (head.earliest, head.latest) = (earliest, latest);
                if !head.marks.iter().any(|mark| mark == CORRECTED) {
                    head.marks.push(CORRECTED.to_owned());
                }
            }
        }
    }
    Ok(())
}
