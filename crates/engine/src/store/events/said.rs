//! What a record's source said last of its status: a blank cell, or a column that went, is no
//! evidence of another one.

use super::super::blocks::Mark;
use super::super::{StoreError, turns};
use super::sources::Known;
use lastkey_contract::Kind;
use lastkey_contract::facts::{Identity, IdentityStatus};
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};

/// How many records are asked about at once: a source without statuses can change as a whole.
const AT_ONCE: usize = 100_000;
/// How many facts are unpacked at once.
const WINDOW: usize = 16_384;

/// The complete reads of a source that were looked at, in order.
pub(super) struct Reads(Vec<i64>);

impl Reads {
    pub(super) fn of(known: &[Known]) -> Reads {
        Reads(known.iter().map(|known| known.read.sync).collect())
    }

    /// Whether one of them shows a version: what only a partial read showed tells of no event.
    fn show(&self, version: &Mark) -> bool {
        let next = self.0.partition_point(|read| *read < version.first);
        let read = self.0.get(next);
        read.is_some_and(|read| turns::stood_at(version, *read))
    }
}

/// Gives each form of a record that says no status the one that was said last.
pub(super) fn fill(forms: &mut [(Mark, Identity)], reads: &Reads) {
    let mut last = None;
    for (version, form) in forms {
        form.status = form.status.or(last);
        if reads.show(version) {
            last = form.status;
        }
    }
}

/// The status of a record, without a copy of all else.
#[derive(Deserialize)]
struct Status {
    status: Option<IdentityStatus>,
}

/// The status that complete reads said last of records, where they ever said one.
pub(super) async fn last_said(
    connection: &mut SqliteConnection,
    source: i64,
    reads: &Reads,
    keys: HashSet<i64>,
) -> Result<HashMap<i64, IdentityStatus>, StoreError> {
    let mut said = HashMap::new();
    let keys: Vec<i64> = keys.into_iter().collect();
    for part in keys.chunks(AT_ONCE) {
        let part: HashSet<i64> = part.iter().copied().collect();
        let kind = Kind::Identity;
        let found = turns::versions(&mut *connection, kind, source, i64::MAX, &part).await?;
        // Numbers of rows rise with time.
        let mut shown: Vec<(i64, i64)> = found
            .into_values()
            .flatten()
            .filter(|version| reads.show(version))
            .map(|version| (version.row, version.key))
            .collect();
        shown.sort_unstable();
        for window in shown.chunks(WINDOW) {
            let rows: Vec<i64> = window.iter().map(|(row, _)| *row).collect();
            let facts: HashMap<i64, Status> = turns::facts(&mut *connection, &rows).await?;
            for (row, key) in window {
                if let Some(status) = facts.get(row).and_then(|fact| fact.status) {
                    said.insert(*key, status);
                }
            }
        }
    }
    Ok(said)
}
