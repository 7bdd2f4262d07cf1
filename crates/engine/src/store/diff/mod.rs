//! What differs between two moments: added, changed, removed, and disappeared without proof.
//!
//! Goes by what syncs stored and ended, so that its cost is that of what changed and not of what
//! there is. In memory are the marks of what ended between the two, and one batch of facts.
//! A removal is told only where a read proved it; what an unfinished read did not show is a kind
//! of its own, and still counts as current.

mod list;
#[cfg(test)]
mod tests;
mod walk;

pub use list::{DiffList, Narrow};

use super::blocks::Span;
use super::facts_table::require_in_any;
use super::{Store, StoreError, SyncId, SyncState};
use crate::views::{DiffRow, UnfinishedRead};
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::HashMap;
use std::ops::ControlFlow;
use walk::Walk;

/// Which two moments are compared, and what of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffQuery {
    /// The state after this sync; 0 is the empty store before the first.
    pub from: SyncId,
    pub to: SyncId,
    /// All where there are none.
    pub kinds: Vec<Kind>,
    /// Column and value; all must hold, of the later state or of the last one before a removal.
    pub filters: Vec<(String, String)>,
}

impl DiffQuery {
    fn kinds(&self) -> Vec<Kind> {
        match self.kinds.is_empty() {
            true => Kind::ALL.to_vec(),
            false => self.kinds.clone(),
        }
    }
}

/// A kind of a source whose latest read in the span was not complete.
struct Unread {
    source: i64,
    kind: Kind,
    sync: i64,
    why: String,
    /// Whether it showed anything that could be compared.
    showed: bool,
}

impl Store {
    /// Hands over every difference, kind by kind, until `take` breaks off.
    pub async fn diff<E: From<StoreError>>(
        &self,
        query: &DiffQuery,
        mut take: impl FnMut(DiffRow) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.check_moments(query).await?;
        require_in_any(&query.kinds(), &query.filters)?;
        let sources = self.source_names().await?;
        let unread = self.unread(query).await?;
        // One moment of the file, whatever a sync stores meanwhile.
        let mut reading = self.readers().begin().await.map_err(StoreError::from)?;
        let mut walk = Walk {
            query,
            span: Span::of(query.from, query.to),
            sources: &sources,
            proofs: HashMap::new(),
        };
        for kind in query.kinds() {
            let of_kind: Vec<&Unread> = unread.iter().filter(|u| u.kind == kind).collect();
            if walk
                .kind(&mut reading, kind, &of_kind, &mut take)
                .await?
                .is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// A window of the differences.
    pub async fn diff_window(
        &self,
        query: &DiffQuery,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<DiffRow>, StoreError> {
        let (mut at, mut rows) = (0u64, Vec::new());
        self.diff::<StoreError>(query, |row| {
            if at >= offset {
                rows.push(row);
            }
            at += 1;
            Ok(match rows.len() < limit as usize {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        })
        .await?;
        Ok(rows)
    }

    /// The kinds whose latest read between the two moments was not complete, and why: of them a
    /// diff can say what came, and not all of what went.
    pub async fn diff_unfinished(
        &self,
        query: &DiffQuery,
    ) -> Result<Vec<UnfinishedRead>, StoreError> {
        self.check_moments(query).await?;
        let sources = self.source_names().await?;
        Ok(self
            .unread(query)
            .await?
            .into_iter()
            .map(|one| UnfinishedRead {
                kind: one.kind.word().to_owned(),
                source: sources.get(&one.source).cloned().unwrap_or_default(),
                sync: one.sync.cast_unsigned(),
                why: one.why,
                showed_something: one.showed,
            })
            .collect())
    }

    async fn check_moments(&self, query: &DiffQuery) -> Result<(), StoreError> {
        if query.from > query.to {
            return Err(StoreError::BadQuery {
                what: "the later moment".to_owned(),
                value: query.to.0.to_string(),
            });
        }
        for sync in [query.from, query.to] {
            if sync != SyncId(0) {
                self.sync_record(sync).await?;
                for kind in query.kinds() {
                    self.refuse_before_horizon(sync, Some(kind)).await?;
                }
            }
        }
        Ok(())
    }

    /// The latest read of each kind of each source within the span, where it is not complete; of a
    /// source that was removed by then nothing is left to be read. One that brought nothing at all
    /// gives way to an unfinished one since the last complete one that brought something: of that
    /// it is known what it did not show.
    async fn unread(&self, query: &DiffQuery) -> Result<Vec<Unread>, StoreError> {
        type Row = (i64, String, i64, bool, bool, String, String);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT y.source, k.kind, y.id, k.complete,
               k.received > 0 OR k.removed > 0 OR k.would_remove IS NOT NULL, k.gaps, y.state
             FROM syncs y JOIN sync_kinds k ON k.sync = y.id
             WHERE y.id > ?1 AND y.id <= ?2
               AND NOT EXISTS (SELECT 1 FROM syncs r WHERE r.source = y.source
                               AND r.state = ?3 AND r.id <= ?2) ORDER BY y.id",
        )
        .bind(query.from.sql())
        .bind(query.to.sql())
        .bind(SyncState::Removal.word())
        .fetch_all(self.readers())
        .await?;
        let mut latest: HashMap<(i64, Kind), Unread> = HashMap::new();
        for (source, word, sync, complete, brought, gaps, state) in rows {
            let kind = Kind::from_word(&word)
                .ok_or_else(|| StoreError::damaged(format!("kind `{word}` of a sync")))?;
            let gaps: Vec<String> = serde_json::from_str(&gaps)?;
            let before = latest.remove(&(source, kind));
            if complete {
                continue;
            }
            let this = Unread {
                source,
                kind,
                sync,
                why: match gaps.is_empty() {
                    true => format!("the read ended {state}"),
                    false => gaps.join("; "),
                },
                showed: brought,
            };
            let told = match before {
                Some(before) if before.showed && !brought => before,
                Some(_) | None => this,
            };
            latest.insert((source, kind), told);
        }
        let wanted = query.kinds();
        let mut unread: Vec<Unread> = latest
            .into_values()
            .filter(|one| wanted.contains(&one.kind))
            .collect();
        unread.sort_by_key(|one| (one.kind, one.source));
        Ok(unread)
    }
}

/// In words: what a sync proves of a kind, or what keeps it from proving anything.
pub(super) async fn proof(
    connection: &mut SqliteConnection,
    sync: i64,
    kind: Kind,
) -> Result<String, StoreError> {
    type Row = (String, Option<bool>, Option<String>, Option<String>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT y.state, k.complete, k.mode, k.gaps FROM syncs y
         LEFT JOIN sync_kinds k ON k.sync = y.id AND k.kind = ?2 WHERE y.id = ?1",
    )
    .bind(sync)
    .bind(kind.word())
    .fetch_optional(connection)
    .await?;
    let Some((state, complete, mode, gaps)) = row else {
        return Ok(format!("sync {sync}, whose record was deleted"));
    };
    if SyncState::from_word(&state)? == SyncState::Removal {
        return Ok("the source was removed".to_owned());
    }
    Ok(match (complete, mode.as_deref()) {
        (Some(true), Some("incremental")) => "the source said that it is gone".to_owned(),
        (Some(true), _) => format!("a complete read of {} did not show it", kind.plural()),
        (Some(false), Some("incremental")) => {
            "the source said that it is gone, in a read that was not finished".to_owned()
        }
        (Some(false), _) => {
            let gaps: Vec<String> = serde_json::from_str(&gaps.unwrap_or_else(|| "[]".to_owned()))?;
            match gaps.is_empty() {
                true => format!("the read of {} ended {state}", kind.plural()),
                false => gaps.join("; "),
            }
        }
        (None, _) => format!("sync {sync}"),
    })
}
