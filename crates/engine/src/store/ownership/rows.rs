//! The rows of the lists of owners, beside those that stand: only what differs is written, so that
//! a read after which little has changed writes little.
//!
//! A row has its number by the fact that it tells of, not by when it was written: lists that were
//! changed step by step stand in the order of lists that are made at once.

use super::super::blocks::PLACE_BITS;
use super::super::names::NumberSet;
use super::super::open::Writing;
use super::super::{Store, StoreError, meta};
use super::beside::Beside;
use super::record::{self, LineRow};
use crate::ownership::{ObjectName, OwnerState, Standing, Suggestion};
use crate::store::RecordName;
use lastkey_contract::AsTheyAre;
use siphasher::sip::SipHasher13;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// Each row says in eight bytes what stands in it; nothing where a decision has changed it since.
pub(in super::super) const MARKS: &str = "
ALTER TABLE owned ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owner_lines ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owner_suggestions ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
DROP INDEX owner_suggestions_by_object;
CREATE INDEX owner_suggestions_by_object ON owner_suggestions (object, mark);
";

/// The entry of `meta` that is another one each time that something is written into the lists.
const WRITTEN: &str = "ownership_written";

/// Says that something is written into the lists.
pub(super) async fn written(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    meta::put(connection, WRITTEN, &meta::random_hex()?).await
}

/// What became of lists that were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Kept,
    /// Somebody else has written into them since they were read: what differs is not known.
    Overtaken,
}

/// Of what the rows tell, in the order of the lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    #[default]
    Identities,
    Accounts,
    Credentials,
}

/// So many rows are kept before anything is written.
const IN_MEMORY: usize = 20_000;

pub(super) struct OwnedRow {
    pub number: i64,
    pub object: ObjectName,
    pub name: Option<String>,
    pub kind: &'static str,
    pub standing: Standing,
    pub owners: usize,
}

pub(super) struct SuggestedRow {
    pub object: i64,
    pub owner: RecordName,
    pub owner_name: Option<String>,
    pub owner_state: Option<OwnerState>,
    pub suggestion: Suggestion,
    pub candidates: Vec<String>,
    pub open: Openness,
}

/// Whether a suggestion still asks for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Openness {
    Open,
    /// Decided, or somebody has the role.
    Settled,
}

/// What stands in a list: the mark of each row, by its number.
struct Stored {
    table: &'static str,
    number: &'static str,
    marks: HashMap<i64, i64, AsTheyAre>,
}

impl Stored {
    async fn read(
        connection: &mut SqliteConnection,
        table: &'static str,
        number: &'static str,
    ) -> Result<Stored, StoreError> {
        let sql = format!("SELECT {number}, mark FROM {table}");
        let marks: Vec<(i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(connection)
            .await?;
        Ok(Stored {
            table,
            number,
            marks: marks.into_iter().collect(),
        })
    }

    /// Whether a row stands there just so.
    fn has(&mut self, number: i64, mark: i64) -> bool {
        self.marks.remove(&number) == Some(mark)
    }

    /// Takes away the rows that were not asked for.
    async fn drop_rest(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let rest: Vec<i64> = self.marks.drain().map(|(number, _)| number).collect();
        for part in rest.chunks(1000) {
            let mut delete = QueryBuilder::<Sqlite>::new(format!(
                "DELETE FROM {} WHERE {} IN (",
                self.table, self.number
            ));
            let mut list = delete.separated(", ");
            for number in part {
                list.push_bind(*number);
            }
            delete.push(")");
            delete.build().execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// What a row says, in a number that is the same in every process; never 0.
fn mark_of(said: &impl Hash) -> i64 {
    let mut hasher = SipHasher13::new();
    said.hash(&mut hasher);
    (hasher.finish() | 1).cast_signed()
}

/// A number has the part of the list in its upper bits, then the row of the fact, then the place among
/// what is said of that fact.
const SAID_BITS: u32 = 17;
const ROW_BITS: u32 = 44;
const _: () = assert!(SAID_BITS + ROW_BITS + 2 == 63 && ROW_BITS > PLACE_BITS + 31);

fn number_of(part: i64, row: i64, said: i64) -> i64 {
    let said = said.min((1 << SAID_BITS) - 1);
    part << (ROW_BITS + SAID_BITS) | row << SAID_BITS | said
}

/// The number of a line that a source says.
pub(super) fn line_of_source(row: i64) -> i64 {
    number_of(0, row, 0)
}

/// The number of a line that somebody confirmed: these come after.
pub(super) fn line_of_decision(decision: i64) -> i64 {
    number_of(1, decision, 0)
}

/// Rows that are to be written, and what stood before.
pub(super) struct Rows {
    pub beside: Beside,
    pub lines: Vec<LineRow>,
    part: Part,
    row: i64,
    said: i64,
    /// Objects that were met.
    met: NumberSet,
    owned: Vec<(i64, OwnedRow)>,
    suggestions: Vec<(i64, i64, SuggestedRow)>,
    stored_owned: Stored,
    stored_lines: Stored,
    stored_suggestions: Stored,
    written: Option<String>,
}

impl Rows {
    /// None yet, beside what stands.
    pub async fn beside(connection: &mut SqliteConnection) -> Result<Rows, StoreError> {
        Ok(Rows {
            beside: Beside::default(),
            lines: Vec::new(),
            part: Part::Identities,
            row: 0,
            said: 0,
            met: NumberSet::default(),
            owned: Vec::new(),
            suggestions: Vec::new(),
            stored_owned: Stored::read(&mut *connection, "owned", "number").await?,
            stored_lines: Stored::read(&mut *connection, "owner_lines", "id").await?,
            stored_suggestions: Stored::read(&mut *connection, "owner_suggestions", "id").await?,
            written: meta::get(connection, WRITTEN).await?,
        })
    }

    /// What follows tells of these.
    pub fn begin(&mut self, part: Part) {
        self.part = part;
    }

    /// What follows tells of the fact of this row.
    pub fn at(&mut self, row: i64) {
        (self.row, self.said) = (row, 0);
    }

    pub fn own(&mut self, row: OwnedRow) {
        // Of what several sources have, the first says how it is called.
        if !self.met.insert(row.number) {
            return;
        }
        let OwnedRow {
            number,
            object,
            name,
            kind,
            standing,
            owners,
        } = &row;
        let mark = mark_of(&(
            object.kind.word(),
            &object.system,
            &object.id,
            name,
            kind,
            standing.word(),
            owners,
        ));
        if !self.stored_owned.has(*number, mark) {
            self.owned.push((mark, row));
        }
    }

    pub fn suggest(&mut self, row: SuggestedRow) {
        let number = number_of(self.part as i64, self.row, self.said);
        self.said += 1;
        let SuggestedRow {
            object,
            owner,
            owner_name,
            owner_state,
            suggestion,
            candidates,
            open,
        } = &row;
        let mark = mark_of(&(
            object,
            (&owner.source, &owner.id),
            owner_name,
            owner_state.map(OwnerState::word),
            (
                suggestion.role.word(),
                suggestion.strength.number(),
                &suggestion.reasons,
            ),
            candidates,
            open,
        ));
        if !self.stored_suggestions.has(number, mark) {
            self.suggestions.push((number, mark, row));
        }
    }

    /// Writes what there is where it is more than should be in memory. Until then nobody is kept
    /// from storing; from then on the lists are written.
    pub async fn write_if_many(
        &mut self,
        store: &Store,
        writing: &mut Option<Writing>,
    ) -> Result<Made, StoreError> {
        if self.owned.len() + self.suggestions.len() < IN_MEMORY {
            return Ok(Made::Kept);
        }
        let Some(mut begun) = self.begun(store, writing.take()).await? else {
            return Ok(Made::Overtaken);
        };
        self.write(&mut begun.tx).await?;
        *writing = Some(begun);
        Ok(Made::Kept)
    }

    /// Begins to write where that has not begun; None where the lists are not those any more that
    /// were read.
    pub async fn begun(
        &self,
        store: &Store,
        writing: Option<Writing>,
    ) -> Result<Option<Writing>, StoreError> {
        if writing.is_some() {
            return Ok(writing);
        }
        let mut writing = store.begin().await?;
        let written = meta::get(&mut writing.tx, WRITTEN).await?;
        Ok((written == self.written).then_some(writing))
    }

    /// Writes the rest, and takes away what is not said any more.
    pub async fn end(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        self.write(&mut *connection).await?;
        let mut lines = Vec::new();
        for line in self.lines.drain(..) {
            let mark = mark_of(&line);
            let stands = |number| self.stored_lines.has(number, mark);
            if !line.number.is_some_and(stands) {
                lines.push((mark, line));
            }
        }
        record::put_lines(&mut *connection, &lines).await?;
        for stored in [
            &mut self.stored_owned,
            &mut self.stored_lines,
            &mut self.stored_suggestions,
        ] {
            stored.drop_rest(&mut *connection).await?;
        }
        written(connection).await
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for part in self.owned.chunks(500) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO owned (number, object_type, system, object_id, name, kind, standing, owners, mark) ",
            );
            insert.push_values(part, |mut values, (mark, row)| {
                values
                    .push_bind(row.number)
                    .push_bind(row.object.kind.word())
                    .push_bind(row.object.system.as_str())
                    .push_bind(row.object.id.as_str())
                    .push_bind(row.name.as_deref())
                    .push_bind(row.kind)
                    .push_bind(row.standing.word())
                    .push_bind(row.owners as i64)
                    .push_bind(*mark);
            });
            insert.build().execute(&mut *connection).await?;
        }
        self.owned.clear();
        for part in self.suggestions.chunks(500) {
            let mut lines = Vec::with_capacity(part.len());
            for (number, mark, row) in part {
                lines.push((
                    *number,
                    *mark,
                    row,
                    serde_json::to_string(&row.candidates)?,
                    serde_json::to_string(&row.suggestion.reasons)?,
                ));
            }
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO owner_suggestions (id, object, role, strength, owner_source, owner_id, owner_name,
                 owner_state, candidates, rules, basis, reasons, open, mark) ",
            );
            insert.push_values(
                lines,
                |mut values, (number, mark, row, candidates, reasons)| {
                    let rules: Vec<&str> = row.suggestion.rules().into_iter().collect();
                    values
                        .push_bind(number)
                        .push_bind(row.object)
                        .push_bind(row.suggestion.role.word())
                        .push_bind(row.suggestion.strength.number())
                        .push_bind(row.owner.source.as_str())
                        .push_bind(row.owner.id.as_str())
                        .push_bind(row.owner_name.as_deref())
                        .push_bind(row.owner_state.map(OwnerState::word))
                        .push_bind(candidates)
                        .push_bind(rules.join(","))
                        .push_bind(row.suggestion.basis())
                        .push_bind(reasons)
                        .push_bind(i64::from(row.open == Openness::Open))
                        .push_bind(mark);
                },
            );
            insert.build().execute(&mut *connection).await?;
        }
        self.suggestions.clear();
        Ok(())
    }
}
