//! Small blocks of one read become one: pages with a change each would leave a block each, and
//! whoever looks for something has to go through all of them.
//!
//! Each object is written once more at most, and no more than a block's fill at once.

use super::super::StoreError;
use super::super::links;
use super::forget::remove;
use super::visit::{Block, Columns, by_id};
use super::which::At;
use super::{Content, MOST, MOST_TEXT, block_of, first_row_after, form, row_of, write};
use sqlx::SqliteConnection;
use std::ops::Range;

/// A block with fewer objects than these waits for others.
const SMALL: usize = MOST / 4;

/// A block that waits for others.
#[derive(Clone, Copy, Debug)]
struct Small {
    id: i64,
    size: usize,
    text: usize,
}

/// The small blocks that one pass over a kind has left so far. What stood before it stays.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Gathering(Vec<Small>);

/// Rows that have others now: each the same number further.
#[derive(Clone, Debug)]
pub(in super::super) struct Moved {
    pub rows: Range<i64>,
    pub by: i64,
}

impl Gathering {
    /// Takes in what was just written: rows with the length of their texts. Those that waited are
    /// brought together once they fill a block.
    pub async fn add(
        &mut self,
        connection: &mut SqliteConnection,
        written: impl Iterator<Item = (i64, usize)>,
    ) -> Result<Vec<Moved>, StoreError> {
        let mut fresh: Vec<Small> = Vec::new();
        for (row, text) in written {
            match fresh.last_mut().filter(|last| last.id == block_of(row)) {
                Some(last) => {
                    last.size += 1;
                    last.text += text;
                }
                None => fresh.push(Small {
                    id: block_of(row),
                    size: 1,
                    text,
                }),
            }
        }
        let mut moved = Vec::new();
        for one in fresh.into_iter().filter(|one| one.size < SMALL) {
            let (size, text) = self.0.iter().fold((one.size, one.text), |sum, small| {
                (sum.0 + small.size, sum.1 + small.text)
            });
            if size > MOST || text > MOST_TEXT {
                moved.extend(self.end(&mut *connection).await?);
            }
            self.0.push(one);
        }
        Ok(moved)
    }

    /// Brings together what waits.
    pub async fn end(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<Moved>, StoreError> {
        let ids: Vec<i64> = self.0.drain(..).map(|small| small.id).collect();
        match ids.as_slice() {
            [] | [_] => Ok(Vec::new()),
            ids => together(connection, ids).await,
        }
    }
}

/// Writes the objects of some blocks, all of one source, kind and sync, as one block in their stead.
async fn together(
    connection: &mut SqliteConnection,
    ids: &[i64],
) -> Result<Vec<Moved>, StoreError> {
    let blocks = by_id(&mut *connection, ids, Columns::All, At::Ever).await?;
    let Some(first) = blocks.first() else {
        return Ok(Vec::new());
    };
    let alike = |one: &Block| {
        (one.source, one.kind, one.first_sync) == (first.source, first.kind, first.first_sync)
    };
    // What has an ending noted stays where that says it is.
    if !blocks.iter().all(|one| alike(one) && !one.has_ended()) {
        return Ok(Vec::new());
    }
    let mut facts: Vec<&str> = Vec::new();
    for block in &blocks {
        for place in block.places() {
            facts.push(block.fact(place)?);
        }
    }
    let all: Vec<(&Block, usize)> = blocks
        .iter()
        .flat_map(|block| block.places().map(move |place| (block, place)))
        .collect();
    let each = || all.iter().copied();
    let outlines: Option<Vec<&[u8]>> = each().map(|(b, n)| b.outline_bytes(n)).collect();
    let born = each().any(|(block, place)| block.born(place) != block.first_sync);
    let content = Content {
        size: facts.len(),
        froms: form::references(each().map(|(b, n)| Block::reference(&b.froms, n))),
        tos: form::references(each().map(|(b, n)| Block::reference(&b.tos, n))),
        keys: form::numbers(blocks.iter().flat_map(|b| b.keys.iter().copied())),
        hashes: form::hashes(blocks.iter().flat_map(|b| &b.hashes)),
        born: match born {
            true => form::numbers(each().map(|(b, n)| b.born(n))),
            false => Vec::new(),
        },
        stamps: form::references(each().map(|(b, n)| b.stamp(n))),
        facts: form::texts(facts.iter().map(|fact| fact.as_bytes())),
        outlines: outlines.map(|outlines| form::outlines(&outlines)),
    };
    let (sync, source, kind) = (first.first_sync, first.source, first.kind.word());
    // Before the others go: no block may get the number of one that was there.
    let merged = write(&mut *connection, sync, source, kind, content).await?;
    let (mut moved, mut place) = (Vec::new(), 0);
    for block in &blocks {
        let rows = block.row(0)..first_row_after(block.id);
        let by = row_of(merged, place) - rows.start;
        moved.push(Moved { rows, by });
        place += block.places().count();
        remove(&mut *connection, block.id).await?;
    }
    // Whatever is made of the rows has to be made of the new ones.
    links::changed(&mut *connection, first.kind).await?;
    Ok(moved)
}
