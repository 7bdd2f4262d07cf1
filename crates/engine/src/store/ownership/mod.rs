//! Who answers for what: owners as sources and people say, and whom facts point at.
//!
//! Table `owner_decisions` is append-only: what somebody confirmed or rejected, by native ids, so
//! that it survives every sync; a decision is undone by another row. Tables `owned`,
//! `owner_lines` and `owner_suggestions` are derived: found anew in one pass at the end of a read
//! that changed anything, and written where they differ, so that windows of lists read what is
//! ready; by the first list that asks where a read changed little of very much or was ended before,
//! or somebody's last day has passed.

mod asked;
mod attested;
mod beside;
mod decisions;
mod derive;
mod gather;
mod given_on;
mod gone;
mod holds;
mod known;
mod lines;
mod meant;
mod record;
mod rows;
mod teams;
mod windows;

pub use decisions::{NewOwnerDecision, OwnedBy, OwnerDecision, OwnerVerdict};
pub(super) use decisions::{confirmed_owners, decisions_after, decisions_on};
pub use lines::OwnerLineRow;
pub(super) use rows::MARKS;
pub use windows::{
    LINE_COLUMNS as OWNER_LINE_COLUMNS, OwnedRow, OwnersQuery, SuggestedOwner, SuggestionRow,
};

use super::{StoreError, meta};
use sqlx::SqliteConnection;

pub(super) const MIGRATION: &str = "
CREATE TABLE owner_decisions (
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL,
  at TEXT NOT NULL,
  since_sync INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  object_type TEXT NOT NULL,
  object_system TEXT NOT NULL,
  object_id TEXT NOT NULL,
  owner_source TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  role TEXT NOT NULL,
  why TEXT NOT NULL,
  basis TEXT NOT NULL,
  undoes INTEGER UNIQUE
) STRICT;
CREATE INDEX owner_decisions_by_object ON owner_decisions (object_type, object_system, object_id);
CREATE INDEX owner_decisions_by_owner ON owner_decisions (owner_id, owner_source);
CREATE INDEX owner_decisions_by_batch ON owner_decisions (batch);
CREATE TRIGGER owner_decisions_stay BEFORE DELETE ON owner_decisions BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER owner_decisions_stand BEFORE UPDATE ON owner_decisions BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TABLE owned (
  number INTEGER PRIMARY KEY,
  object_type TEXT NOT NULL,
  system TEXT NOT NULL,
  object_id TEXT NOT NULL,
  name TEXT,
  kind TEXT NOT NULL,
  standing TEXT NOT NULL,
  owners INTEGER NOT NULL
) STRICT;
CREATE INDEX owned_by_standing ON owned (standing, object_type, system, object_id);
CREATE INDEX owned_by_name ON owned (object_type, system, object_id);
CREATE TABLE owner_lines (
  id INTEGER PRIMARY KEY,
  object_type TEXT NOT NULL,
  system TEXT NOT NULL,
  object_id TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  owner_name TEXT,
  role TEXT NOT NULL,
  basis TEXT NOT NULL,
  state TEXT NOT NULL,
  source TEXT,
  first_sync INTEGER,
  attributes TEXT,
  confirmed_at TEXT,
  confirmed_by TEXT,
  why TEXT
) STRICT;
CREATE INDEX owner_lines_in_order ON owner_lines (object_type, system, object_id, id);
CREATE INDEX owner_lines_by_state ON owner_lines (state, object_type, system, object_id, id);
CREATE INDEX owner_lines_by_owner ON owner_lines (owner_id, id);
CREATE TABLE owner_suggestions (
  id INTEGER PRIMARY KEY,
  object INTEGER NOT NULL,
  role TEXT NOT NULL,
  strength INTEGER NOT NULL,
  owner_source TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  owner_name TEXT,
  owner_state TEXT,
  candidates TEXT NOT NULL,
  rules TEXT NOT NULL,
  basis TEXT NOT NULL,
  reasons TEXT NOT NULL,
  open INTEGER NOT NULL
) STRICT;
CREATE INDEX owner_suggestions_best ON owner_suggestions (open, strength DESC, id);
CREATE INDEX owner_suggestions_by_object ON owner_suggestions (object);
";

/// The entry of `meta` that says for which moments the derived tables hold; empty when stale.
const MADE_FOR: &str = "ownership_made_for";

/// No row of a source: what people decided names its sources itself.
pub(super) const NO_SOURCE: i64 = -1;

/// What was derived no longer answers for what is stored.
pub(super) async fn mark_stale(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    meta::put(connection, MADE_FOR, "").await
}

/// The entry of `meta` that says which block was the last when they were made.
const MADE_UPTO: &str = "ownership_made_upto";

/// Behind what says for which moments they hold: a decision was followed line by line since, and
/// what else it tells of is not said yet.
const FOLLOWED: char = '+';

/// The lists that are ready follow a decision.
async fn mark_followed(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    match meta::get(&mut *connection, MADE_FOR).await? {
        Some(made_for) if !made_for.is_empty() && !made_for.ends_with(FOLLOWED) => {
            meta::put(connection, MADE_FOR, &format!("{made_for}{FOLLOWED}")).await
        }
        Some(_) | None => Ok(()),
    }
}

/// A read ends: the lists are made as a whole where decisions were followed since they last were.
pub(super) async fn end_following(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    match meta::get(&mut *connection, MADE_FOR).await? {
        Some(made_for) if made_for.ends_with(FOLLOWED) => mark_stale(connection).await,
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod gone_tests;
#[cfg(test)]
mod many_tests;
#[cfg(test)]
mod rows_tests;
#[cfg(test)]
mod tests;
