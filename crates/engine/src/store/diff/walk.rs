//! Going through one kind: what stood before, what stands after, what an unfinished read left out.

use super::super::blocks::{self, Mark, Span};
use super::super::facts_table::holds_all;
use super::super::{StoreError, shown_key, unseen};
use super::{DiffQuery, Unread, proof};
use crate::views::{DiffRow, Difference, changed_columns, shown_fact};
use lastkey_contract::Kind;
use lastkey_contract::facts::Fact;
use serde_json::Value;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

/// How many differences get their facts at once: blocks are unpacked whole, so that many at once
/// take little more than few.
pub(super) const BATCH: usize = 8_192;

/// One difference before its facts are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub what: Difference,
    pub source: i64,
    pub before: Option<i64>,
    pub after: Option<i64>,
    /// The sync that showed it, or did not show it.
    pub sync: i64,
}

/// Marks of one kind that ended within the span.
#[derive(Default)]
struct Ended {
    /// What stood before the span, by source and key.
    before: HashMap<(i64, i64), Vec<Mark>>,
    /// Of keys that came and went within the span: the first sync and the last end.
    between: HashMap<(i64, i64), (i64, i64)>,
    /// New versions that equal one from before.
    again: HashSet<i64>,
}

impl Ended {
    fn take(&mut self, mark: Mark, span: Span) {
        let key = (mark.source, mark.key);
        if mark.first <= span.after {
            self.before.entry(key).or_default().push(mark);
            return;
        }
        let ended = mark.ended.unwrap_or(i64::MAX);
        let (first, last) = self.between.entry(key).or_insert((mark.first, ended));
        *first = (*first).min(mark.first);
        *last = (*last).max(ended);
    }

    /// What the new version takes the place of.
    fn partner(&mut self, mark: &Mark) -> Option<Mark> {
        let marks = self.before.get_mut(&(mark.source, mark.key))?;
        marks.pop()
    }

    /// Drops a version from before that the new one equals, and remembers that it did.
    fn meet_equal(&mut self, mark: &Mark) {
        let key = (mark.source, mark.key);
        let Some(marks) = self.before.get_mut(&key) else {
            return;
        };
        if let Some(at) = marks.iter().position(|old| old.hash == mark.hash) {
            marks.swap_remove(at);
            self.again.insert(mark.row);
        }
        if marks.is_empty() {
            self.before.remove(&key);
        }
    }

    fn equal_again(&self, mark: &Mark) -> bool {
        self.again.contains(&mark.row)
    }
}

pub(super) struct Walk<'a> {
    pub query: &'a DiffQuery,
    pub span: Span,
    pub sources: &'a HashMap<i64, String>,
    /// What proved removals, by sync and kind.
    pub proofs: HashMap<(i64, Kind), String>,
}

/// How far the finding of one kind has come.
pub(super) struct Finding {
    kind: Kind,
    ended: Ended,
    stage: Stage,
}

enum Stage {
    /// What was stored within the span, after this block.
    Stored(i64),
    /// What went, with or without proof.
    Gone,
    Over,
}

impl Walk<'_> {
    /// Begins to find the differences of a kind.
    pub async fn begin(
        &self,
        connection: &mut SqliteConnection,
        kind: Kind,
    ) -> Result<Finding, StoreError> {
        let mut ended = Ended::default();
        blocks::ended_in(&mut *connection, kind, self.span, |mark| {
            ended.take(mark, self.span);
        })
        .await?;
        self.drop_equal(connection, kind, &mut ended).await?;
        Ok(Finding {
            kind,
            ended,
            stage: Stage::Stored(0),
        })
    }

    /// The next differences of a kind, before their facts are read; None at the end.
    pub async fn next(
        &self,
        connection: &mut SqliteConnection,
        finding: &mut Finding,
        unread: &[&Unread],
    ) -> Result<Option<Vec<Found>>, StoreError> {
        let Finding { kind, ended, stage } = finding;
        if let Stage::Stored(place) = stage {
            let stored = blocks::stored_in(&mut *connection, *kind, self.span, place).await?;
            if !stored.is_empty() {
                let differs = stored
                    .into_iter()
                    .filter(|mark| !ended.equal_again(mark))
                    .collect::<Vec<_>>();
                let found = differs.into_iter().map(|mark| self.stored(ended, mark));
                return Ok(Some(found.collect()));
            }
            *stage = Stage::Gone;
        }
        match stage {
            Stage::Gone => {
                *stage = Stage::Over;
                let mut gone: Vec<Found> = ended
                    .before
                    .values()
                    .flatten()
                    .map(|mark| self.removed(ended, mark))
                    .collect();
                gone.sort_by_key(|found| found.before);
                for one in unread.iter().filter(|one| one.showed) {
                    gone.extend(self.unproved(&mut *connection, one).await?);
                }
                Ok(Some(gone))
            }
            Stage::Stored(_) | Stage::Over => Ok(None),
        }
    }

    /// Hands over every difference of a kind.
    pub async fn kind<E: From<StoreError>>(
        &mut self,
        connection: &mut SqliteConnection,
        kind: Kind,
        unread: &[&Unread],
        take: &mut impl FnMut(DiffRow) -> Result<ControlFlow<()>, E>,
    ) -> Result<ControlFlow<()>, E> {
        let mut finding = self.begin(&mut *connection, kind).await?;
        let mut batch = Vec::new();
        loop {
            let next = self.next(&mut *connection, &mut finding, unread).await?;
            let over = next.is_none();
            batch.extend(next.into_iter().flatten());
            while batch.len() >= BATCH || (over && !batch.is_empty()) {
                let rest = batch.split_off(batch.len().min(BATCH));
                let full = std::mem::replace(&mut batch, rest);
                if self
                    .give(&mut *connection, kind, full, take)
                    .await?
                    .is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if over {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// What was stored again exactly as it had been before differs in nothing. Of rows that may
    /// repeat the equal ones are found first, so that none is told as the change of another.
    async fn drop_equal(
        &self,
        connection: &mut SqliteConnection,
        kind: Kind,
        ended: &mut Ended,
    ) -> Result<(), StoreError> {
        if ended.before.is_empty() {
            return Ok(());
        }
        let mut place = 0;
        loop {
            let stored = blocks::stored_in(&mut *connection, kind, self.span, &mut place).await?;
            if stored.is_empty() {
                return Ok(());
            }
            for mark in stored {
                ended.meet_equal(&mark);
            }
        }
    }

    fn stored(&self, ended: &mut Ended, mark: Mark) -> Found {
        let before = ended.partner(&mark);
        let between = ended.between.get(&(mark.source, mark.key));
        let sync = match (before, between) {
            // Since when it is there at all, not since when it is as it is.
            (None, Some((first, _))) => mark.first.min(*first),
            (None, None) | (Some(_), _) => mark.first,
        };
        Found {
            what: match before {
                Some(_) => Difference::Changed,
                None => Difference::Added,
            },
            source: mark.source,
            before: before.map(|mark| mark.row),
            after: Some(mark.row),
            sync,
        }
    }

    fn removed(&self, ended: &Ended, mark: &Mark) -> Found {
        let own = mark.ended.unwrap_or(self.span.upto);
        let between = ended.between.get(&(mark.source, mark.key));
        Found {
            what: Difference::Removed,
            source: mark.source,
            before: Some(mark.row),
            after: None,
            sync: between.map_or(own, |(_, last)| own.max(*last)),
        }
    }

    /// What an unfinished read did not show and still counts as current.
    async fn unproved(
        &self,
        connection: &mut SqliteConnection,
        unread: &Unread,
    ) -> Result<Vec<Found>, StoreError> {
        let rows =
            unseen::of_sync(&mut *connection, unread.sync, unread.source, unread.kind).await?;
        let rows = rows.unwrap_or_default();
        let marks = blocks::marks_of(connection, &rows).await?;
        let mut found: Vec<Found> = marks
            .into_iter()
            .filter(|mark| mark.first != unread.sync)
            .filter(|mark| mark.ended.is_none_or(|ended| ended > self.span.upto))
            .map(|mark| Found {
                what: Difference::Unproved,
                source: mark.source,
                before: Some(mark.row),
                after: None,
                sync: unread.sync,
            })
            .collect();
        found.sort_by_key(|found| found.before);
        Ok(found)
    }

    /// Reads the facts of a batch and hands its rows over.
    pub async fn give<E: From<StoreError>>(
        &mut self,
        connection: &mut SqliteConnection,
        kind: Kind,
        batch: Vec<Found>,
        take: &mut impl FnMut(DiffRow) -> Result<ControlFlow<()>, E>,
    ) -> Result<ControlFlow<()>, E> {
        let mut rows: Vec<i64> = batch
            .iter()
            .flat_map(|found| [found.before, found.after])
            .flatten()
            .collect();
        rows.sort_unstable();
        rows.dedup();
        let facts = blocks::facts_of(&mut *connection, &rows).await?;
        for found in batch {
            let fact = |row: Option<i64>| -> Result<Option<(Fact, Value)>, StoreError> {
                let Some(text) = row.and_then(|row| facts.get(&row)) else {
                    return Ok(None);
                };
                Ok(Some((
                    serde_json::from_str(text)?,
                    serde_json::from_str(text)?,
                )))
            };
            let (before, after) = (fact(found.before)?, fact(found.after)?);
            let Some((shown, value)) = after.as_ref().or(before.as_ref()) else {
                return Err(StoreError::damaged("a version without its fact").into());
            };
            let source = self.sources.get(&found.source).cloned().unwrap_or_default();
            if !holds_all(&self.query.filters, &source, value) {
                continue;
            }
            let changed = match (&before, &after) {
                (Some((_, before)), Some((_, after))) => changed_columns(before, after),
                (_, _) => Vec::new(),
            };
            let row = DiffRow {
                what: found.what,
                kind: kind.word().to_owned(),
                source,
                system: shown.system().map(|system| system.to_string()),
                id: shown_key(&shown.key()),
                sync: found.sync.cast_unsigned(),
                changed,
                why: self.why(&mut *connection, kind, &found).await?,
                fact: shown_fact(value),
            };
            if take(row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What proves a removal, or why there is no proof.
    async fn why(
        &mut self,
        connection: &mut SqliteConnection,
        kind: Kind,
        found: &Found,
    ) -> Result<Option<String>, StoreError> {
        match found.what {
            Difference::Added | Difference::Changed => return Ok(None),
            Difference::Removed | Difference::Unproved => {}
        }
        if let Some(known) = self.proofs.get(&(found.sync, kind)) {
            return Ok(Some(known.clone()));
        }
        let text = proof(connection, found.sync, kind).await?;
        self.proofs.insert((found.sync, kind), text.clone());
        Ok(Some(text))
    }
}
