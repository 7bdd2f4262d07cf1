//! Tables `roster_orders` and `roster_words`: the orders in which lists show the current
//! identities, and the words that a search finds them by.
//!
//! Derived from the facts and made anew as a whole when identities have changed: sorting a
//! million names takes less than keeping an index for each column up to date row by row. Lists
//! read what was made last; `people` says what is still there of it. Identities are numbered, and
//! mostly keep their numbers from one making to the next, so that only those parts are written
//! anew in which something has changed; the numbers mean nothing beside the roster.

pub(super) mod accounts;
mod edit;
mod merge;
mod number;
mod numbering;
mod orders;
mod parts;
mod set;
mod words;

pub(super) use set::Set;

use super::blocks::{self, Columns as Read, Which};
use super::outline::IdentityOutline;
use super::{Store, StoreError, links, meta};
use lastkey_contract::Kind;
use numbering::{Changes, Numbering};
use orders::Columns;
use sqlx::SqliteConnection;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use words::Words;

pub(super) const MIGRATION: &str = "
CREATE TABLE roster_orders (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  part INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (name, part)
) STRICT;
CREATE TABLE roster_words (
  id INTEGER PRIMARY KEY,
  first BLOB NOT NULL UNIQUE,
  bytes BLOB NOT NULL
) STRICT;
DROP INDEX people_by_kind;
DROP INDEX people_by_status;
DROP INDEX people_by_name;
DROP INDEX people_by_email;
DROP INDEX people_by_department;
DROP INDEX people_by_title;
DROP INDEX people_by_end;
DROP TABLE people_search;
";

/// The entry of `meta` that counts changes of identities, and the one that says up to which of
/// them the roster was made.
const CHANGES: &str = "roster_changes";
const MADE_OF: &str = "roster_made_of";

/// The entry that says how many records stood behind others of their person when it was last made
/// as a whole: their words are not known to be theirs any more. Where there is none, it was made
/// before signs had lists.
const SECONDS: &str = "roster_behind";
const UNKNOWN: &str = "unknown";

/// The order that holds the rows themselves, by number.
const ROWS: &str = "rows";

/// How many numbers are in a part of an order.
const PART: usize = 8_192;

/// Says that identities have changed.
pub(super) async fn changed(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (key, value) VALUES (?1, '1')
         ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
    )
    .bind(CHANGES)
    .execute(connection)
    .await?;
    Ok(())
}

/// The entry that says which block was the last when it was made.
const UPTO: &str = "roster_upto";

/// Says that numbers of rows from a block on may come to mean others: where the roster was made of
/// any of them, it is made as a whole.
pub(super) async fn rows_mean_others(
    connection: &mut SqliteConnection,
    first: i64,
) -> Result<(), StoreError> {
    let upto = meta::get(&mut *connection, UPTO).await?;
    if upto
        .and_then(|block| block.parse().ok())
        .is_none_or(|upto: i64| first <= upto)
    {
        meta::put(&mut *connection, SECONDS, UNKNOWN).await?;
    }
    if first <= links::counted_upto(&mut *connection).await? {
        accounts::forget(connection).await?;
    }
    Ok(())
}

async fn last_block(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    let last: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM blocks")
        .fetch_one(connection)
        .await?;
    Ok(last.to_string())
}

impl Store {
    /// Makes the roster anew if identities have changed since it was made.
    pub(crate) async fn roster_if_stale(&self) -> Result<(), StoreError> {
        let _alone = self.making().roster.lock().await;
        while !self.make_roster().await? {}
        Ok(())
    }

    /// False where somebody else has made one meanwhile: theirs may be the newer one.
    async fn make_roster(&self) -> Result<bool, StoreError> {
        let made_of = self.meta(MADE_OF).await?;
        let Some(changes) = self.meta(CHANGES).await? else {
            return Ok(true);
        };
        if made_of.as_deref() == Some(changes.as_str()) {
            return Ok(true);
        }
        let seconds = self.second_records().await?;
        if let Some(made) = self.merge_roster(&made_of, &changes, &seconds).await? {
            return Ok(made);
        }
        let sources = self.source_names().await?;
        let (mut columns, mut words) = (Columns::default(), Words::default());
        // A person stands here once, and is found by the words of all its records.
        let mut more: HashMap<i64, Vec<[Option<String>; 3]>> = HashMap::new();
        let objects: Vec<i64> = seconds.iter().map(|(second, _)| *second).collect();
        for ((_, lead), texts) in seconds.iter().zip(self.texts_of(&objects).await?) {
            more.entry(*lead).or_default().push(texts);
        }
        let second_count = objects.len();
        let seconds: HashSet<i64> = objects.into_iter().collect();
        let size = self.roster_size().await?;
        let numbers: Vec<u32> = (0u32..).take(size).collect();
        let before = self.roster_rows(&numbers).await?;
        // From here on with one connection: whoever holds one and waits for another may be one of
        // several that do.
        let mut connection = self.readers().acquire().await?;
        let current = Which::now(Kind::Identity);
        let all = match size {
            0 => blocks::at_most(&mut connection, &current).await?,
            before => before,
        };
        blocks::each(&mut connection, &current, Read::Outlined, |block| {
            let source = sources.get(&block.source).map_or("", String::as_str);
            for place in block.places() {
                let row = block.row(place);
                if seconds.contains(&row) {
                    continue;
                }
                let person: IdentityOutline<'_> = block.outline(place)?;
                words.take([
                    Some(&person.id),
                    person.display_name.as_deref(),
                    person.email.as_deref(),
                ]);
                for texts in more.get(&row).into_iter().flatten() {
                    words.take_more(texts.each_ref().map(Option::as_deref));
                }
                columns.take(all, row, source, &person);
            }
            Ok(())
        })
        .await?;
        let numbering = match Changes::between(&before, columns.rows()) {
            Some(changes) => numbering(&mut connection, changes).await?,
            None => Numbering::anew(),
        };
        let upto = last_block(&mut connection).await?;
        drop(connection);
        let made = tokio::task::spawn_blocking(move || {
            std::thread::scope(|scope| {
                let words = scope.spawn(|| words.parts(&numbering));
                let orders = columns.orders(&numbering);
                (orders, words.join())
            })
        })
        .await;
        let (orders, words) = match made {
            Ok((orders, Ok(words))) => (orders, words),
            Ok((_, Err(panic))) => std::panic::resume_unwind(panic),
            Err(lost) => match lost.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is being shut down: the next start makes it.
                Err(_) => return Ok(true),
            },
        };
        let mut writing = self.begin().await?;
        if meta::get(&mut writing.tx, MADE_OF).await? != made_of {
            return Ok(false);
        }
        parts::put_orders(&mut writing.tx, &orders).await?;
        parts::put_words(&mut writing.tx, &words).await?;
        meta::put(&mut writing.tx, MADE_OF, &changes).await?;
        meta::put(&mut writing.tx, SECONDS, &second_count.to_string()).await?;
        meta::put(&mut writing.tx, UPTO, &upto).await?;
        writing.commit().await?;
        Ok(true)
    }

    /// How many identities the roster numbers.
    pub(crate) async fn roster_size(&self) -> Result<usize, StoreError> {
        let (bytes,): (i64,) = sqlx::query_as(
            "SELECT coalesce(sum(length(bytes)), 0) FROM roster_orders WHERE name = ?1",
        )
        .bind(ROWS)
        .fetch_one(self.readers())
        .await?;
        Ok(usize::try_from(bytes).unwrap_or(0) / 8)
    }

    /// The rows of some numbers, in the order of the numbers given.
    pub(super) async fn roster_rows(&self, numbers: &[u32]) -> Result<Vec<i64>, StoreError> {
        let mut parts: Vec<usize> = numbers.iter().map(|n| *n as usize / PART).collect();
        parts.sort_unstable();
        parts.dedup();
        let mut read = Vec::with_capacity(parts.len());
        for part in &parts {
            let bytes = self.roster_part(ROWS, *part).await?;
            read.push(number::read_wide(&bytes));
        }
        Ok(numbers
            .iter()
            .filter_map(|n| {
                let at = parts.binary_search(&(*n as usize / PART)).ok()?;
                read.get(at)?.get(*n as usize % PART).copied()
            })
            .collect())
    }

    /// One part of an order.
    async fn roster_part(&self, name: &str, part: usize) -> Result<Vec<u8>, StoreError> {
        let found: Option<(Vec<u8>,)> =
            sqlx::query_as("SELECT bytes FROM roster_orders WHERE name = ?1 AND part = ?2")
                .bind(name)
                .bind(part as i64)
                .fetch_optional(self.readers())
                .await?;
        Ok(found.map(|(bytes,)| bytes).unwrap_or_default())
    }

    /// The numbers of an order from a place on, at most so many.
    pub(super) async fn roster_window(
        &self,
        order: &str,
        from: usize,
        limit: usize,
    ) -> Result<Vec<u32>, StoreError> {
        let (mut numbers, mut part, mut skip) = (Vec::new(), from / PART, from % PART);
        while numbers.len() < limit {
            let read = number::read_narrow(&self.roster_part(order, part).await?);
            if read.is_empty() {
                break;
            }
            numbers.extend(read.into_iter().skip(skip).take(limit - numbers.len()));
            (part, skip) = (part + 1, 0);
        }
        Ok(numbers)
    }

    /// The numbers of an order that are in a set, from a place among these on, at most so many. From
    /// that end is gone through the order which is nearer.
    pub(super) async fn roster_found(
        &self,
        order: &str,
        set: &Set,
        from: usize,
        limit: usize,
    ) -> Result<Vec<u32>, StoreError> {
        let all = set.len();
        let limit = limit.min(all.saturating_sub(from));
        let after = all.saturating_sub(from + limit);
        let backwards = after < from;
        let mut skip = if backwards { after } else { from };
        let (mut found, mut part) = (Vec::with_capacity(limit), 0);
        if backwards {
            part = self.roster_parts(order).await?;
        }
        while found.len() < limit {
            if backwards {
                let Some(before) = part.checked_sub(1) else {
                    break;
                };
                part = before;
            }
            let mut read = number::read_narrow(&self.roster_part(order, part).await?);
            if read.is_empty() {
                break;
            }
            if backwards {
                read.reverse();
            } else {
                part += 1;
            }
            for number in read.into_iter().filter(|number| set.has(*number)) {
                match skip.checked_sub(1) {
                    Some(left) => skip = left,
                    None if found.len() < limit => found.push(number),
                    None => break,
                }
            }
        }
        if backwards {
            found.reverse();
        }
        Ok(found)
    }

    /// How many parts an order has.
    async fn roster_parts(&self, name: &str) -> Result<usize, StoreError> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(part) FROM roster_orders WHERE name = ?1")
                .bind(name)
                .fetch_one(self.readers())
                .await?;
        Ok(last
            .and_then(|last| usize::try_from(last + 1).ok())
            .unwrap_or(0))
    }

    /// The numbers of an order from one place to another.
    pub(super) async fn roster_range(
        &self,
        order: &str,
        places: Range<usize>,
    ) -> Result<Vec<u32>, StoreError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let parts: Vec<(Vec<u8>,)> = sqlx::query_as(
            "SELECT bytes FROM roster_orders WHERE name = ?1 AND part BETWEEN ?2 AND ?3 ORDER BY part",
        )
        .bind(order)
        .bind((places.start / PART) as i64)
        .bind(((places.end - 1) / PART) as i64)
        .fetch_all(self.readers())
        .await?;
        let read = parts.iter().flat_map(|(bytes,)| number::read_narrow(bytes));
        let before = places.start / PART * PART;
        Ok(read
            .skip(places.start - before)
            .take(places.len())
            .collect())
    }

    /// Whether the signs of ids have lists.
    pub(super) async fn roster_has_signs(&self) -> Result<bool, StoreError> {
        Ok(self.meta(SECONDS).await?.is_some())
    }

    /// The identities that have each of these words: as a whole, or as the beginning of one.
    pub(super) async fn roster_search(
        &self,
        wanted: &[words::Wanted],
        size: usize,
    ) -> Result<Set, StoreError> {
        let mut found: Option<Set> = None;
        let mut connection = self.readers().acquire().await?;
        for word in wanted {
            let set = words::find(&mut connection, word, size).await?;
            match &mut found {
                None => found = Some(set),
                Some(found) => found.keep(&set),
            }
        }
        Ok(found.unwrap_or_else(|| Set::all(size)))
    }
}

/// The numbers of identities, mostly those that they had.
async fn numbering(
    connection: &mut SqliteConnection,
    changes: Changes,
) -> Result<Numbering, StoreError> {
    // A new version of somebody has the same name, and so the same number of it.
    let mut names: HashMap<(i64, i64), i64> = HashMap::new();
    let fresh: Vec<i64> = changes.fresh.iter().map(|(_, row)| *row).collect();
    blocks::of_rows(&mut *connection, &fresh, Read::Keys, |block, place| {
        names.insert((block.source, block.key(place)?), block.row(place));
        Ok(())
    })
    .await?;
    let mut same = HashMap::new();
    let gone: Vec<i64> = changes.gone.iter().map(|(_, row)| *row).collect();
    blocks::of_rows(connection, &gone, Read::Keys, |block, place| {
        let new = names.get(&(block.source, block.key(place)?));
        same.extend(new.map(|new| (block.row(place), *new)));
        Ok(())
    })
    .await?;
    Ok(Numbering::kept(changes, &same))
}

pub(super) use orders::key_of;
pub(super) use words::{Wanted, sign_word, wanted};

#[cfg(test)]
mod accounts_tests;
#[cfg(test)]
mod tests;
