//! Reading blocks: which of their columns, and what of them stands.

use super::super::StoreError;
use super::super::objects::ContentHash;
use super::super::outline::Outline;
use super::again::Again;
use super::form::{NONE, Texts, read_hashes, read_numbers};
use super::which::{At, Which};
use super::{block_of, place_of, row_of};
use futures_util::future::join;
use lastkey_contract::Kind;
use memchr::memmem;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

/// Which columns of them: what is not needed is not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Columns {
    /// None: which objects there are says enough.
    Nothing,
    /// Both references.
    References,
    /// The numbers of names.
    Keys,
    /// Keys, contents and births.
    Marks,
    /// The facts.
    Facts,
    /// The facts with the numbers of what they name and are named by.
    Named,
    /// Outlines with both references and the keys; the facts of blocks that have no outlines.
    Outlined,
    /// The same without keys.
    OutlinedEnds,
    All,
}

impl Columns {
    fn sql(self) -> &'static str {
        match self {
            Columns::Nothing => "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM blocks b",
            Columns::References => "froms, tos, NULL, NULL, NULL, NULL, NULL, NULL FROM blocks b",
            Columns::Keys => "NULL, NULL, keys, NULL, NULL, NULL, NULL, NULL FROM blocks b",
            Columns::Marks => "NULL, NULL, keys, hashes, born, stamps, NULL, NULL FROM blocks b",
            Columns::Facts => "NULL, NULL, NULL, NULL, born, NULL, facts, NULL FROM blocks b",
            Columns::Named => "froms, tos, keys, NULL, NULL, NULL, facts, NULL FROM blocks b",
            Columns::Outlined => {
                "froms, tos, keys, NULL, NULL, NULL, CASE WHEN o.bytes IS NULL THEN facts END, o.bytes
                 FROM blocks b LEFT JOIN outlines o ON o.id = b.id"
            }
            Columns::OutlinedEnds => {
                "froms, tos, NULL, NULL, NULL, NULL, CASE WHEN o.bytes IS NULL THEN facts END, o.bytes
                 FROM blocks b LEFT JOIN outlines o ON o.id = b.id"
            }
            Columns::All => {
                "froms, tos, keys, hashes, born, stamps, facts, o.bytes
                 FROM blocks b LEFT JOIN outlines o ON o.id = b.id"
            }
        }
    }

    /// How many blocks are in memory at once.
    pub(super) fn at_once(self) -> usize {
        match self {
            Columns::Nothing | Columns::References | Columns::Keys | Columns::Marks => 128,
            Columns::Facts | Columns::Named | Columns::All => 16,
            // As many as a connection reads ahead.
            Columns::Outlined | Columns::OutlinedEnds => 48,
        }
    }
}

/// One block with the columns that were asked for.
pub(in super::super) struct Block {
    pub id: i64,
    pub source: i64,
    pub kind: Kind,
    pub first_sync: i64,
    size: usize,
    /// Places whose object had ended, and by which sync; of whatever was ever stored, those that
    /// have ended since.
    ended: Vec<(usize, i64)>,
    /// The sync that ended all of them.
    ended_whole: Option<i64>,
    at: At,
    pub froms: Vec<i64>,
    pub tos: Vec<i64>,
    pub keys: Vec<i64>,
    pub hashes: Vec<ContentHash>,
    born: Vec<i64>,
    stamps: Vec<i64>,
    pub facts: Option<Texts>,
    pub outlines: Outlines,
}

/// The outlines of a block.
pub(in super::super) enum Outlines {
    /// There are none, or they were not asked for.
    None,
    /// All of them are empty.
    Empty,
    Some(Texts),
}

pub(super) type Row = (
    i64,
    i64,
    String,
    i64,
    i64,
    Option<i64>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);

impl Block {
    fn of(row: &Row, at: At) -> Result<Block, StoreError> {
        let (
            id,
            source,
            kind,
            size,
            first_sync,
            ended,
            froms,
            tos,
            keys,
            hashes,
            born,
            stamps,
            facts,
            outlines,
        ) = row;
        let kind = Kind::from_word(kind)
            .ok_or_else(|| StoreError::damaged(format!("kind `{kind}` of a block")))?;
        let numbers = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(read_numbers);
        Ok(Block {
            id: *id,
            source: *source,
            kind,
            first_sync: *first_sync,
            size: usize::try_from(*size).unwrap_or(0),
            ended: Vec::new(),
            ended_whole: *ended,
            at,
            froms: numbers(froms).unwrap_or_default(),
            tos: numbers(tos).unwrap_or_default(),
            keys: numbers(keys).unwrap_or_default(),
            hashes: hashes.as_deref().map(read_hashes).unwrap_or_default(),
            born: numbers(born).unwrap_or_default(),
            stamps: numbers(stamps).unwrap_or_default(),
            facts: facts.as_deref().map(Texts::read).transpose()?,
            outlines: match outlines.as_deref() {
                None => Outlines::None,
                Some([]) => Outlines::Empty,
                Some(packed) => Outlines::Some(Texts::read(packed)?),
            },
        })
    }

    /// How many places it has.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The places of the objects that stand at the moment that was asked for.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        let mut ended = self.ended.iter().map(|(place, _)| *place).peekable();
        let ever = self.at == At::Ever;
        (0..self.size).filter(move |place| ever || ended.next_if_eq(place).is_none())
    }

    /// The same as runs of places one after the other.
    pub fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let ended = match self.at {
            At::Ever => &[],
            At::Now | At::Sync(_) => self.ended.as_slice(),
        };
        let stops = ended.iter().map(|(place, _)| *place).chain([self.size]);
        let mut next = 0;
        stops
            .map(move |stop| {
                let run = next..stop;
                next = stop + 1;
                run
            })
            .filter(|run| !run.is_empty())
    }

    /// The sync that ended the object at a place; known where whatever was ever stored is read.
    pub fn ended_sync(&self, place: usize) -> Option<i64> {
        let one = self.ended.binary_search_by_key(&place, |(place, _)| *place);
        let one = one
            .ok()
            .and_then(|at| self.ended.get(at))
            .map(|(_, sync)| *sync);
        one.or(self.ended_whole)
    }

    /// Whether any of its objects had ended.
    pub fn has_ended(&self) -> bool {
        self.ended_whole.is_some() || !self.ended.is_empty()
    }

    /// The row of the object at a place.
    pub fn row(&self, place: usize) -> i64 {
        row_of(self.id, place)
    }

    /// The sync that first saw the object at a place.
    pub fn born(&self, place: usize) -> i64 {
        self.born.get(place).copied().unwrap_or(self.first_sync)
    }

    /// The number of the record that the object at a place was read from.
    pub fn stamp(&self, place: usize) -> Option<i64> {
        Block::reference(&self.stamps, place)
    }

    /// The number of the name of the object at a place.
    pub fn key(&self, place: usize) -> Result<i64, StoreError> {
        let key = self.keys.get(place).copied();
        key.ok_or_else(|| StoreError::damaged("a block of objects lacks a key"))
    }

    /// Whether any of these texts stands anywhere in its facts.
    pub fn mentions_one_of(&self, texts: &[memmem::Finder<'_>]) -> bool {
        let all = self.facts.as_ref().map_or(&[][..], |facts| facts.all());
        texts.iter().any(|text| text.find(all).is_some())
    }

    /// The fact at a place, as JSON.
    pub fn fact(&self, place: usize) -> Result<&str, StoreError> {
        self.facts
            .as_ref()
            .ok_or_else(|| StoreError::damaged("a block of objects lacks its facts"))?
            .get(place)
    }

    /// What stands at a place in outline: of one that has none, made of its fact.
    pub fn outline<'b, T: Outline<'b>>(&'b self, place: usize) -> Result<T, StoreError> {
        match &self.outlines {
            Outlines::None => T::of_json(self.fact(place)?),
            Outlines::Empty => T::of_bytes(&[]),
            Outlines::Some(texts) => T::of_bytes(texts.bytes_at(place)?),
        }
    }

    /// The outline that is kept of the object at a place.
    pub fn outline_bytes(&self, place: usize) -> Option<&[u8]> {
        match &self.outlines {
            Outlines::None => None,
            Outlines::Empty => Some(&[]),
            Outlines::Some(texts) => texts.bytes_at(place).ok(),
        }
    }

    /// Whether outlines are kept of its objects.
    pub fn is_outlined(&self) -> bool {
        !matches!(self.outlines, Outlines::None)
    }

    /// Where a reference leads.
    pub fn reference(numbers: &[i64], place: usize) -> Option<i64> {
        numbers.get(place).copied().filter(|number| *number != NONE)
    }

    /// Whether each column holds as many as the block says.
    pub(super) fn is_whole(&self) -> bool {
        let full = |len: usize| len == self.size;
        let full_or_none = |len: usize| len == 0 || full(len);
        full_or_none(self.froms.len())
            && full_or_none(self.tos.len())
            && full(self.keys.len())
            && full(self.hashes.len())
            && full_or_none(self.born.len())
            && full_or_none(self.stamps.len())
            && self.facts.as_ref().is_some_and(|facts| full(facts.len()))
    }
}

/// No fewer objects than these are there.
pub(in super::super) async fn at_most(
    connection: &mut SqliteConnection,
    which: &Which,
) -> Result<usize, StoreError> {
    let mut select =
        QueryBuilder::<Sqlite>::new("SELECT coalesce(sum(size), 0) FROM blocks WHERE true");
    which.push(&mut select);
    let size: i64 = select.build_query_scalar().fetch_one(connection).await?;
    Ok(usize::try_from(size).unwrap_or(0))
}

/// The next blocks after one, in the order in which they were stored; none at the end.
pub(in super::super) async fn window(
    connection: &mut SqliteConnection,
    which: &Which,
    columns: Columns,
    after: i64,
) -> Result<Vec<Block>, StoreError> {
    window_since(connection, which, columns, after, 0).await
}

/// The same of blocks that a later sync than `since` stored.
pub(super) async fn window_since(
    connection: &mut SqliteConnection,
    which: &Which,
    columns: Columns,
    after: i64,
    since: i64,
) -> Result<Vec<Block>, StoreError> {
    let mut select = QueryBuilder::<Sqlite>::new(format!(
        "SELECT b.id, source, kind, size, first_sync, ended_sync, {} WHERE b.id > ",
        columns.sql()
    ));
    select.push_bind(after);
    which.push(&mut select);
    if since > 0 {
        select.push(" AND first_sync > ").push_bind(since);
    }
    select
        .push(" ORDER BY b.id LIMIT ")
        .push_bind(columns.at_once() as i64);
    let rows: Vec<Row> = select.build_query_as().fetch_all(&mut *connection).await?;
    Packed::of(connection, rows, which.at).await?.unpack()
}

/// Blocks as they were read, in the order of their ids, and what had ended of them one by one.
pub(super) struct Packed {
    rows: Vec<Row>,
    ended: Vec<(i64, i64)>,
    at: At,
}

impl Packed {
    async fn of(
        connection: &mut SqliteConnection,
        rows: Vec<Row>,
        at: At,
    ) -> Result<Packed, StoreError> {
        let ended = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => ended_between(connection, first.0, last.0, at).await?,
            (None, _) | (_, None) => Vec::new(),
        };
        Ok(Packed { rows, ended, at })
    }

    pub fn unpack(&self) -> Result<Vec<Block>, StoreError> {
        let rows = self.rows.iter();
        let blocks: Result<Vec<_>, _> = rows.map(|row| Block::of(row, self.at)).collect();
        let (mut blocks, mut ended) = (blocks?, self.ended.iter().copied().peekable());
        for block in &mut blocks {
            while let Some((row, sync)) = ended.next_if(|(row, _)| block_of(*row) <= block.id) {
                if block_of(row) == block.id {
                    block.ended.push((place_of(row), sync));
                }
            }
        }
        Ok(blocks)
    }
}

/// What had ended one by one in blocks from one to another.
async fn ended_between(
    connection: &mut SqliteConnection,
    first: i64,
    last: i64,
    at: At,
) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT id, ended_sync FROM block_ends WHERE id >= ?1 AND id < ?2 AND ended_sync <= ?3 ORDER BY id",
    )
    .bind(row_of(first, 0))
    .bind(row_of(last + 1, 0))
    .bind(at.limit())
    .fetch_all(connection)
    .await?)
}

/// Some blocks, in the order of their ids, with what of them had ended.
pub(in super::super) async fn by_id(
    connection: &mut SqliteConnection,
    ids: &[i64],
    columns: Columns,
    at: At,
) -> Result<Vec<Block>, StoreError> {
    let rows = rows_of(&mut *connection, ids, columns).await?;
    packed_apart(connection, rows, at).await?.unpack()
}

/// With what of blocks had ended that may stand far from each other.
async fn packed_apart(
    connection: &mut SqliteConnection,
    rows: Vec<Row>,
    at: At,
) -> Result<Packed, StoreError> {
    let near = |first: &Row, last: &Row| last.0 - first.0 <= 4 * rows.len() as i64;
    if let (Some(first), Some(last)) = (rows.first(), rows.last())
        && near(first, last)
    {
        return Packed::of(connection, rows, at).await;
    }
    let mut ended = Vec::new();
    // One by one: between two of them there may be thousands.
    for row in &rows {
        ended.extend(ended_between(&mut *connection, row.0, row.0, at).await?);
    }
    Ok(Packed { rows, ended, at })
}

/// The same of blocks that stand near each other, not unpacked yet; those that are kept are not read
/// again.
pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    kept: &mut Again,
    ids: &[i64],
    columns: Columns,
    at: At,
) -> Result<Packed, StoreError> {
    let mut rows = kept.take(ids, columns);
    if rows.is_empty() {
        rows = rows_of(&mut *connection, ids, columns).await?;
    } else if rows.len() < ids.len() {
        let there: HashSet<i64> = rows.iter().map(|row| row.0).collect();
        let missing = ids.iter().copied().filter(|id| !there.contains(id));
        let missing: Vec<i64> = missing.collect();
        rows.extend(rows_of(&mut *connection, &missing, columns).await?);
        rows.sort_unstable_by_key(|row| row.0);
    }
    Packed::of(connection, rows, at).await
}

async fn load(
    connection: &mut SqliteConnection,
    ids: &[i64],
    columns: Columns,
    at: At,
) -> Result<Vec<Block>, StoreError> {
    let rows = rows_of(connection, ids, columns).await?;
    rows.iter().map(|row| Block::of(row, at)).collect()
}

async fn rows_of(
    connection: &mut SqliteConnection,
    ids: &[i64],
    columns: Columns,
) -> Result<Vec<Row>, StoreError> {
    let mut select = QueryBuilder::<Sqlite>::new(format!(
        "SELECT b.id, source, kind, size, first_sync, ended_sync, {} WHERE b.id IN (",
        columns.sql()
    ));
    let mut list = select.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    select.push(") ORDER BY b.id");
    Ok(select.build_query_as().fetch_all(connection).await?)
}

/// Every block in turn. The next ones are read while the last ones are looked at.
pub(in super::super) async fn each(
    connection: &mut SqliteConnection,
    which: &Which,
    columns: Columns,
    take: impl FnMut(&Block) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    each_after(connection, which, columns, 0, take).await
}

/// The same of those after one.
pub(in super::super) async fn each_after(
    connection: &mut SqliteConnection,
    which: &Which,
    columns: Columns,
    after: i64,
    mut take: impl FnMut(&Block) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut blocks = window(&mut *connection, which, columns, after).await?;
    while let Some(last) = blocks.last() {
        let next = window(&mut *connection, which, columns, last.id);
        let taken = async { blocks.iter().try_for_each(&mut take) };
        let (next, taken) = join(next, taken).await;
        taken?;
        blocks = next?;
    }
    Ok(())
}

/// Every block at once: for columns of a few bytes an object.
pub(in super::super) async fn all(
    connection: &mut SqliteConnection,
    which: &Which,
    columns: Columns,
) -> Result<Vec<Block>, StoreError> {
    let mut all: Vec<Block> = Vec::new();
    loop {
        let after = all.last().map_or(0, |block| block.id);
        let mut blocks = window(&mut *connection, which, columns, after).await?;
        if blocks.is_empty() {
            return Ok(all);
        }
        all.append(&mut blocks);
    }
}

/// The places of some rows, by their blocks.
fn places_of(rows: &[i64]) -> (Vec<i64>, BTreeMap<i64, Vec<usize>>) {
    let mut places: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for row in rows {
        let of_block = places.entry(block_of(*row)).or_default();
        of_block.push(place_of(*row));
    }
    (places.keys().copied().collect(), places)
}

fn at_places(
    blocks: &[Block],
    places: &BTreeMap<i64, Vec<usize>>,
    take: &mut impl FnMut(&Block, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for block in blocks {
        for place in places.get(&block.id).into_iter().flatten() {
            take(block, *place)?;
        }
    }
    Ok(())
}

/// The blocks of some rows, each with the places that were asked for, and by which sync each ended.
/// The next ones are read while the last ones are looked at; `kept` keeps them for whoever reads them
/// again.
pub(in super::super) async fn versions_of(
    connection: &mut SqliteConnection,
    kept: &mut Again,
    rows: &[i64],
    columns: Columns,
    mut take: impl FnMut(&Block, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (ids, places) = places_of(rows);
    let mut look = |packed: Packed, kept: &mut Again| {
        at_places(&packed.unpack()?, &places, &mut take)?;
        kept.keep(packed.rows, columns);
        Ok::<(), StoreError>(())
    };
    let mut packed: Option<Packed> = None;
    for part in ids.chunks(columns.at_once()) {
        let next = async {
            let rows = rows_of(&mut *connection, part, columns).await?;
            packed_apart(&mut *connection, rows, At::Ever).await
        };
        let looked = async { packed.take().map_or(Ok(()), |packed| look(packed, kept)) };
        let (next, looked) = join(next, looked).await;
        looked?;
        packed = Some(next?);
    }
    packed.map_or(Ok(()), |packed| look(packed, kept))
}

/// The blocks of some rows, each with the places that were asked for. What of them had ended one by
/// one is not known.
pub(in super::super) async fn of_rows(
    connection: &mut SqliteConnection,
    rows: &[i64],
    columns: Columns,
    mut take: impl FnMut(&Block, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (ids, places) = places_of(rows);
    for part in ids.chunks(16) {
        let blocks = load(&mut *connection, part, columns, At::Ever).await?;
        at_places(&blocks, &places, &mut take)?;
    }
    Ok(())
}
