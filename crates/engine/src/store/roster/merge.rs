//! Merging a few changed identities into what was made last: only they are looked at, and those
//! beside whom they come to stand.

use super::super::blocks::{self, Columns as Read, Which};
use super::super::outline::IdentityOutline;
use super::super::people::column;
use super::super::{Store, StoreError, meta};
use super::edit::{self, Edits};
use super::numbering::Changes;
use super::orders::{NAMES, key_of, values};
use super::{MADE_OF, ROWS, SECONDS, UPTO, last_block, number, numbering, parts};
use lastkey_contract::Kind;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{HashMap, HashSet};

/// Where more have come and gone than these, all is made anew.
const FEW: usize = 8_192;

/// What an identity has in each column, as it stands there.
type Texts = [String; NAMES.len()];

/// What an order goes by: the text as it is compared, then id and source.
type Key = (String, String, String);

fn key(texts: &Texts, place: usize) -> Key {
    let [id, source, ..] = texts;
    let text = NAMES.get(place).zip(texts.get(place));
    let text = text.map(|(name, text)| key_of(name, text));
    (text.unwrap_or_default(), id.clone(), source.clone())
}

/// Who has a number that nobody or somebody else had.
struct Changed {
    number: u32,
    before: Option<i64>,
    after: Option<i64>,
}

/// What is to be written.
struct Merged {
    orders: Vec<(&'static str, Vec<u8>, usize)>,
    words: Vec<edit::Part>,
}

impl Store {
    /// Makes the roster of what it was and of what has changed since; None where it has to be made
    /// as a whole. False where somebody else has made one meanwhile.
    pub(super) async fn merge_roster(
        &self,
        made_of: &Option<String>,
        changes: &str,
        seconds: &[(i64, i64)],
    ) -> Result<Option<bool>, StoreError> {
        // Whoever stands behind another record is found by that one.
        if !seconds.is_empty() || self.meta(SECONDS).await?.as_deref() != Some("0") {
            return Ok(None);
        }
        let size = self.roster_size().await?;
        let numbers: Vec<u32> = (0u32..).take(size).collect();
        let before = self.roster_rows(&numbers).await?;
        let sources = self.source_names().await?;
        // One moment: the list of people says what the blocks say.
        let mut reading = self.readers().begin().await?;
        let Some(merged) = merged(&mut reading, &before, &sources).await? else {
            return Ok(None);
        };
        let upto = last_block(&mut reading).await?;
        drop(reading);
        let mut writing = self.begin().await?;
        if meta::get(&mut writing.tx, MADE_OF).await? != *made_of {
            return Ok(Some(false));
        }
        // Numbers of rows may mean others since they were looked at.
        if meta::get(&mut writing.tx, SECONDS).await?.as_deref() != Some("0") {
            return Ok(None);
        }
        parts::put_orders(&mut writing.tx, &merged.orders).await?;
        edit::put(&mut writing.tx, &merged.words).await?;
        meta::put(&mut writing.tx, MADE_OF, changes).await?;
        meta::put(&mut writing.tx, UPTO, &upto).await?;
        writing.commit().await?;
        Ok(Some(true))
    }
}

async fn merged(
    connection: &mut SqliteConnection,
    before: &[i64],
    sources: &HashMap<i64, String>,
) -> Result<Option<Merged>, StoreError> {
    let mut rows = Vec::with_capacity(before.len());
    let current = Which::now(Kind::Identity);
    blocks::each(&mut *connection, &current, Read::Nothing, |block| {
        rows.extend(block.places().map(|place| block.row(place)));
        Ok(())
    })
    .await?;
    let Some(changes) = Changes::between(before, &rows)
        .filter(|changes| changes.gone.len() + changes.fresh.len() <= FEW)
    else {
        return Ok(None);
    };
    let after = numbering(&mut *connection, changes).await?.arranged(&rows);
    let changed: Vec<Changed> = (0u32..)
        .take(before.len().max(after.len()))
        .map(|number| Changed {
            number,
            before: before.get(number as usize).copied(),
            after: after.get(number as usize).copied(),
        })
        .filter(|one| one.before != one.after)
        .collect();
    let texts = texts(&mut *connection, &changed, sources).await?;
    // Of whom it is not known any more what they had, it is not known in which lists they stand.
    let mut gone = changed.iter().filter_map(|one| one.before);
    if gone.any(|row| !texts.contains_key(&row)) {
        return Ok(None);
    }
    let mut orders = Vec::new();
    if !changed.is_empty() {
        orders.push((ROWS, number::wide(&after), 8));
    }
    for (place, name) in NAMES.iter().enumerate() {
        let of = |row: Option<i64>| Some(key(texts.get(&row?)?, place));
        let mut out: HashSet<u32> = HashSet::new();
        let mut into: Vec<(Key, u32)> = Vec::new();
        for one in &changed {
            let (was, is) = (of(one.before), of(one.after));
            if was != is {
                out.insert(one.number);
                into.extend(is.map(|key| (key, one.number)));
            }
        }
        if out.is_empty() {
            continue;
        }
        into.sort_unstable();
        let mut order = order(&mut *connection, name).await?;
        order.retain(|number| !out.contains(number));
        let Some(order) = insert(&mut *connection, name, &order, &into, &after).await? else {
            return Ok(None);
        };
        orders.push((*name, number::narrow(&order), 4));
    }
    let words = edit::parts(connection, &edits(&changed, &texts)).await?;
    Ok(words.map(|words| Merged { orders, words }))
}

/// What everybody has who came or went, by row.
async fn texts(
    connection: &mut SqliteConnection,
    changed: &[Changed],
    sources: &HashMap<i64, String>,
) -> Result<HashMap<i64, Texts>, StoreError> {
    let rows: Vec<i64> = changed
        .iter()
        .flat_map(|one| [one.before, one.after])
        .flatten()
        .collect();
    let mut texts: HashMap<i64, Texts> = HashMap::with_capacity(rows.len());
    blocks::of_rows(connection, &rows, Read::OutlinedEnds, |block, place| {
        let source = sources.get(&block.source).map_or("", String::as_str);
        let person: IdentityOutline<'_> = block.outline(place)?;
        let values = values(source, &person).map(|text| text.unwrap_or_default().to_owned());
        texts.insert(block.row(place), values);
        Ok(())
    })
    .await?;
    Ok(texts)
}

/// Who goes out of which words' lists, and who comes into them.
fn edits(changed: &[Changed], texts: &HashMap<i64, Texts>) -> Edits {
    let names = |row: Option<i64>| {
        let texts = row.and_then(|row| texts.get(&row));
        let searched = texts.map(|[id, _, _, _, name, email, ..]| [id, name, email]);
        edit::names_of(searched.as_ref().map_or(&[], |searched| searched))
    };
    let mut edits = Edits::new();
    for one in changed {
        let (was, is) = (names(one.before), names(one.after));
        for name in was.symmetric_difference(&is) {
            let edit = edits.entry(name.clone()).or_default();
            match was.contains(name) {
                true => edit.out.insert(one.number),
                false => edit.into.insert(one.number),
            };
        }
    }
    edits
}

async fn order(connection: &mut SqliteConnection, name: &str) -> Result<Vec<u32>, StoreError> {
    let parts: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT bytes FROM roster_orders WHERE name = ?1 ORDER BY part")
            .bind(name)
            .fetch_all(connection)
            .await?;
    let read = parts.iter().flat_map(|(bytes,)| number::read_narrow(bytes));
    Ok(read.collect())
}

/// An order with others put in, which are in order themselves. None where somebody of the order is
/// not on the list of people.
async fn insert(
    connection: &mut SqliteConnection,
    name: &str,
    order: &[u32],
    others: &[(Key, u32)],
    rows: &[i64],
) -> Result<Option<Vec<u32>>, StoreError> {
    // All are looked for at once: the bounds between which each comes to stand are halved in turns.
    let mut bounds: Vec<(usize, usize)> = vec![(0, order.len()); others.len()];
    loop {
        let middle = |(low, high): &(usize, usize)| (low < high).then(|| low + (high - low) / 2);
        let row_at = |place: usize| rows.get(*order.get(place)? as usize).copied();
        let mut asked: Vec<i64> = bounds
            .iter()
            .filter_map(middle)
            .filter_map(row_at)
            .collect();
        if asked.is_empty() {
            break;
        }
        asked.sort_unstable();
        asked.dedup();
        let keys = keys(&mut *connection, name, &asked).await?;
        for ((other, _), bounds) in others.iter().zip(&mut bounds) {
            let Some(place) = middle(bounds) else {
                continue;
            };
            let Some(key) = row_at(place).and_then(|row| keys.get(&row)) else {
                return Ok(None);
            };
            match key < other {
                true => bounds.0 = place + 1,
                false => bounds.1 = place,
            }
        }
    }
    let mut merged = Vec::with_capacity(order.len() + others.len());
    let mut from = 0;
    for ((_, number), (place, _)) in others.iter().zip(bounds) {
        merged.extend_from_slice(order.get(from..place).unwrap_or_default());
        merged.push(*number);
        from = place;
    }
    merged.extend_from_slice(order.get(from..).unwrap_or_default());
    Ok(Some(merged))
}

/// What an order goes by, of people by their rows.
async fn keys(
    connection: &mut SqliteConnection,
    name: &str,
    rows: &[i64],
) -> Result<HashMap<i64, Key>, StoreError> {
    let mut keys = HashMap::with_capacity(rows.len());
    let Some(of_people) = column(name) else {
        return Ok(keys);
    };
    for part in rows.chunks(1000) {
        let mut select = QueryBuilder::<Sqlite>::new(format!(
            "SELECT p.object, {of_people}, p.id, s.name
             FROM people p JOIN sources s ON s.id = p.source WHERE p.object IN ("
        ));
        let mut list = select.separated(", ");
        for row in part {
            list.push_bind(*row);
        }
        select.push(")");
        let found: Vec<(i64, Option<String>, String, String)> =
            select.build_query_as().fetch_all(&mut *connection).await?;
        keys.extend(found.into_iter().map(|(row, text, id, source)| {
            let text = key_of(name, text.as_deref().unwrap_or_default());
            (row, (text, id, source))
        }));
    }
    Ok(keys)
}
