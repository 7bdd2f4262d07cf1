//! What of a source's kind is another at one read than at the read before.
//!
//! Goes by the numbers of keys, so that only what differs is unpacked: sixteen bytes for each
//! object that differs are in memory at once, and facts by the window.

use super::StoreError;
use super::blocks::{self, Columns, Mark, Span};
use lastkey_contract::Kind;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// The rows of an object before and after, of which at least one is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub key: i64,
    pub before: Option<i64>,
    pub after: Option<i64>,
}

/// Which objects a source had otherwise, or not, at the sync `before` than at `after`; in the order
/// in which they were stored.
pub(super) async fn between(
    connection: &mut SqliteConnection,
    kind: Kind,
    source: i64,
    before: i64,
    after: i64,
) -> Result<Vec<Turn>, StoreError> {
    let span = Span {
        after: before,
        upto: after,
    };
    let mut began: Vec<(i64, i64)> = Vec::new();
    let mut last = 0;
    loop {
        let marks = blocks::stored_in(&mut *connection, kind, span, &mut last).await?;
        if marks.is_empty() {
            break;
        }
        let own = marks.iter().filter(|mark| mark.source == source);
        began.extend(own.map(|mark| (mark.key, mark.row)));
    }
    let mut ended: Vec<(i64, i64)> = Vec::new();
    blocks::ended_in(connection, kind, span, |mark| {
        // What came and went in between was there at neither.
        if mark.source == source && mark.first <= before {
            ended.push((mark.key, mark.row));
        }
    })
    .await?;
    Ok(paired(began, ended))
}

fn paired(mut began: Vec<(i64, i64)>, mut ended: Vec<(i64, i64)>) -> Vec<Turn> {
    began.sort_unstable();
    ended.sort_unstable();
    let mut turns = Vec::with_capacity(began.len().max(ended.len()));
    let mut ended = ended.into_iter().peekable();
    let gone = |(key, row)| Turn {
        key,
        before: Some(row),
        after: None,
    };
    for (key, row) in began {
        while let Some(before) = ended.next_if(|(other, _)| *other < key) {
            turns.push(gone(before));
        }
        turns.push(Turn {
            key,
            before: ended
                .next_if(|(other, _)| *other == key)
                .map(|(_, row)| row),
            after: Some(row),
        });
    }
    turns.extend(ended.map(gone));
    turns.sort_unstable_by_key(|turn| turn.after.or(turn.before));
    turns
}

/// The facts of rows.
pub(super) async fn facts<T: DeserializeOwned>(
    connection: &mut SqliteConnection,
    rows: &[i64],
) -> Result<HashMap<i64, T>, StoreError> {
    let mut found = HashMap::with_capacity(rows.len());
    blocks::of_rows(connection, rows, Columns::Facts, |block, place| {
        found.insert(block.row(place), serde_json::from_str(block.fact(place)?)?);
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Whether a version stood at a sync.
pub(super) fn stood_at(version: &Mark, sync: i64) -> bool {
    version.first <= sync && version.ended.is_none_or(|ended| ended > sync)
}

/// Every version of some objects of a source that was first stored by a sync, oldest first.
pub(super) async fn versions(
    connection: &mut SqliteConnection,
    kind: Kind,
    source: i64,
    until: i64,
    keys: &HashSet<i64>,
) -> Result<HashMap<i64, Vec<Mark>>, StoreError> {
    let mut found: HashMap<i64, Vec<Mark>> = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    for mark in blocks::of_keys(connection, kind, keys).await? {
        if mark.source == source && mark.first <= until {
            found.entry(mark.key).or_default().push(mark);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_and_began_under_one_key_is_one_turn() {
        let turns = paired(vec![(7, 40), (1, 50)], vec![(9, 3), (7, 1), (5, 2)]);
        let told: Vec<_> = turns.iter().map(|t| (t.key, t.before, t.after)).collect();
        assert_eq!(
            told,
            [
                (5, Some(2), None),
                (9, Some(3), None),
                (7, Some(1), Some(40)),
                (1, None, Some(50)),
            ]
        );
    }
}
