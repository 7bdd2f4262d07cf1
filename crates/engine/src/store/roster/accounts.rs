//! Who has how many accounts, and the order of everybody by that number.
//!
//! Counted are the links, in the transaction that writes them: as a whole where every account was
//! looked at, else only of those whose accounts have changed. The counts stand by the block and the
//! place of the identity; the order follows once the roster is made, so that the list that is sorted
//! by it is read like any other.

use super::super::blocks::{self, block_of, first_row_after};
use super::super::links;
use super::super::{Store, StoreError, meta};
use super::{MADE_OF, ROWS, number, parts};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// How many accounts the identities of a block have, by their places.
pub(in super::super) type Counts = BTreeMap<i64, Vec<u32>>;

/// The order of everybody by the number of their accounts.
pub(in super::super) const BY_ACCOUNTS: &str = "accounts";

/// Beside the orders: the counts, each part a block of identities.
const COUNTS: &str = "account_counts";

/// The entry of `meta` that says of which links accounts were counted; empty where they are to be
/// counted anew.
const COUNTED: &str = "accounts_counted_of";

/// The entry that says of which counts and which roster the order was made.
const ORDERED: &str = "accounts_ordered_of";

/// Of more identities than these everybody's accounts are counted at once.
const FEW: usize = 16_384;

/// Says that accounts are to be counted anew.
pub(in super::super) async fn forget(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    meta::put(connection, COUNTED, "").await
}

/// Keeps what was counted of everybody, of these links.
pub(in super::super) async fn keep_all(
    connection: &mut SqliteConnection,
    counts: &Counts,
    of: &str,
) -> Result<(), StoreError> {
    let stored: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT part, bytes FROM roster_orders WHERE name = ?1")
            .bind(COUNTS)
            .fetch_all(&mut *connection)
            .await?;
    let mut stored: BTreeMap<i64, Vec<u8>> = stored.into_iter().collect();
    for (block, counts) in counts {
        let bytes = number::narrow(counts);
        if stored.remove(block).is_none_or(|there| there != bytes) {
            put(&mut *connection, *block, &bytes).await?;
        }
    }
    for block in stored.into_keys() {
        sqlx::query("DELETE FROM roster_orders WHERE name = ?1 AND part = ?2")
            .bind(COUNTS)
            .bind(block)
            .execute(&mut *connection)
            .await?;
    }
    meta::put(connection, COUNTED, of).await
}

async fn put(
    connection: &mut SqliteConnection,
    block: i64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO roster_orders (name, part, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (name, part) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(COUNTS)
    .bind(block)
    .bind(bytes)
    .execute(connection)
    .await?;
    Ok(())
}

/// The links that changed, as far as accounts are counted by them.
pub(in super::super) struct Recount<'r> {
    /// The records, by source and id, that have or had an account whose link is another now; None
    /// where they are too many.
    pub touched: Option<BTreeSet<(i64, String)>>,
    /// The last block that was there when links were made before.
    pub upto: i64,
    /// Of which links accounts were counted before, and of which they are counted now.
    pub before: &'r str,
    pub now: &'r str,
}

/// Counts the accounts of those anew of whom links have changed, and of those whose record has.
pub(in super::super) async fn keep_changed(
    connection: &mut SqliteConnection,
    recount: &Recount<'_>,
) -> Result<(), StoreError> {
    let counted = meta::get(&mut *connection, COUNTED).await?;
    let known = counted.is_some_and(|of| !of.is_empty() && of == recount.before);
    let Some(touched) = recount.touched.as_ref().filter(|_| known) else {
        return forget(connection).await;
    };
    let mut people: BTreeMap<i64, (i64, String)> = sqlx::query_as::<_, (i64, i64, String)>(
        "SELECT object, source, id FROM people WHERE object >= ?1 LIMIT ?2",
    )
    .bind(first_row_after(recount.upto))
    .bind(FEW as i64 + 1)
    .fetch_all(&mut *connection)
    .await?
    .into_iter()
    .map(|(object, source, id)| (object, (source, id)))
    .collect();
    if people.len() + touched.len() > FEW {
        return forget(connection).await;
    }
    for (source, id) in touched {
        let object: Option<i64> =
            sqlx::query_scalar("SELECT object FROM people WHERE id = ?1 AND source = ?2")
                .bind(id)
                .bind(source)
                .fetch_optional(&mut *connection)
                .await?;
        people.extend(object.map(|object| (object, (*source, id.clone()))));
    }
    let mut changed: BTreeMap<i64, Vec<(usize, u32)>> = BTreeMap::new();
    for (object, (source, id)) in people {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM links WHERE identity_id = ?1 AND identity_source = ?2
             AND state = 0",
        )
        .bind(id)
        .bind(source)
        .fetch_one(&mut *connection)
        .await?;
        let of_block = changed.entry(block_of(object)).or_default();
        of_block.push((
            blocks::place_of(object),
            count.try_into().unwrap_or(u32::MAX),
        ));
    }
    for (block, places) in changed {
        let there: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT bytes FROM roster_orders WHERE name = ?1 AND part = ?2")
                .bind(COUNTS)
                .bind(block)
                .fetch_optional(&mut *connection)
                .await?;
        let mut counts = number::read_narrow(&there.unwrap_or_default());
        for (place, count) in places {
            set(&mut counts, place, count);
        }
        put(&mut *connection, block, &number::narrow(&counts)).await?;
    }
    meta::put(connection, COUNTED, recount.now).await
}

fn set(counts: &mut Vec<u32>, place: usize, count: u32) {
    if counts.len() <= place {
        counts.resize(place + 1, 0);
    }
    if let Some(slot) = counts.get_mut(place) {
        *slot = count;
    }
}

/// The records whose accounts these were before their links are written.
pub(in super::super) async fn holders(
    connection: &mut SqliteConnection,
    accounts: &[i64],
) -> Result<Vec<(i64, String)>, StoreError> {
    let mut found = Vec::new();
    for part in accounts.chunks(1000) {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT identity_source, identity_id FROM links WHERE state = 0 AND account IN (",
        );
        let mut list = select.separated(", ");
        for account in part {
            list.push_bind(*account);
        }
        select.push(")");
        let rows: Vec<(i64, String)> = select.build_query_as().fetch_all(&mut *connection).await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Whether links of so many accounts are counted one by one.
pub(in super::super) fn are_few(accounts: usize) -> bool {
    accounts <= FEW
}

/// What the order is made of.
#[derive(PartialEq, Eq)]
struct Made {
    counted: String,
    roster: String,
}

impl Made {
    /// None where no roster was made yet.
    async fn of(connection: &mut SqliteConnection) -> Result<Option<Made>, StoreError> {
        let roster = meta::get(&mut *connection, MADE_OF).await?;
        let counted = meta::get(connection, COUNTED).await?.unwrap_or_default();
        Ok(roster.map(|roster| Made { counted, roster }))
    }

    fn words(&self) -> String {
        format!("{}/{}", self.counted, self.roster)
    }
}

impl Store {
    /// Makes the order of everybody by the number of their accounts, where links or the roster have
    /// changed since it was made.
    pub(crate) async fn order_by_accounts(&self) -> Result<(), StoreError> {
        let _alone = self.making().roster.lock().await;
        loop {
            let seconds = self.second_records().await?;
            let mut reading = self.readers().begin().await?;
            let Some(made) = Made::of(&mut reading).await? else {
                return Ok(());
            };
            if made.counted.is_empty() {
                drop(reading);
                self.count_anew().await?;
                continue;
            }
            if meta::get(&mut reading, ORDERED).await? == Some(made.words()) {
                return Ok(());
            }
            let order = ordered(&mut reading, &seconds).await?;
            drop(reading);
            let mut writing = self.begin().await?;
            if Made::of(&mut writing.tx).await?.as_ref() != Some(&made) {
                // Somebody has stored something meanwhile.
                continue;
            }
            let orders = [(BY_ACCOUNTS, number::narrow(&order), 4)];
            parts::put_orders(&mut writing.tx, &orders).await?;
            meta::put(&mut writing.tx, ORDERED, &made.words()).await?;
            return writing.commit().await;
        }
    }

    /// The same where it was not made of the roster that is there: what lists show is of one roster.
    pub(in super::super) async fn ordered_by_accounts(&self) -> Result<(), StoreError> {
        let (ordered, roster) = (self.meta(ORDERED).await?, self.meta(MADE_OF).await?);
        let of = |words: &String| words.split_once('/').map(|(_, of)| of.to_owned());
        match ordered.as_ref().and_then(of) == roster {
            true => Ok(()),
            false => self.order_by_accounts().await,
        }
    }

    /// Counts everybody's accounts by the links that are there.
    async fn count_anew(&self) -> Result<(), StoreError> {
        let mut reading = self.readers().begin().await?;
        let of = links::made_of(&mut reading).await?;
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT p.object, count(*) FROM links l JOIN people p
             ON p.id = l.identity_id AND p.source = l.identity_source
             WHERE l.state = 0 GROUP BY p.object",
        )
        .fetch_all(&mut *reading)
        .await?;
        drop(reading);
        let mut counts = Counts::new();
        for (object, count) in rows {
            let count = count.try_into().unwrap_or(u32::MAX);
            set(
                counts.entry(block_of(object)).or_default(),
                blocks::place_of(object),
                count,
            );
        }
        let mut writing = self.begin().await?;
        if links::made_of(&mut writing.tx).await? == of {
            keep_all(&mut writing.tx, &counts, &of).await?;
        }
        writing.commit().await
    }
}

/// Everybody's numbers by how many accounts they have, then by id. The accounts of a person's
/// further records are those of the one that stands for all.
async fn ordered(
    connection: &mut SqliteConnection,
    seconds: &[(i64, i64)],
) -> Result<Vec<u32>, StoreError> {
    let stored: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT part, bytes FROM roster_orders WHERE name = ?1")
            .bind(COUNTS)
            .fetch_all(&mut *connection)
            .await?;
    let stored = stored.into_iter();
    let mut counts: Counts = stored
        .map(|(block, bytes)| (block, number::read_narrow(&bytes)))
        .collect();
    let count = |counts: &Counts, object: i64| {
        let of_block = counts.get(&block_of(object));
        let count = of_block.and_then(|counts| counts.get(blocks::place_of(object)));
        count.copied().unwrap_or(0)
    };
    for (second, lead) in seconds {
        let all = count(&counts, *second).saturating_add(count(&counts, *lead));
        let of_block = counts.entry(block_of(*lead)).or_default();
        set(of_block, blocks::place_of(*lead), all);
    }
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT bytes FROM roster_orders WHERE name = ?1 ORDER BY part")
            .bind(ROWS)
            .fetch_all(&mut *connection)
            .await?;
    let rows = rows.iter().flat_map(|(bytes,)| number::read_wide(bytes));
    let counts: Vec<u32> = rows.map(|object| count(&counts, object)).collect();
    let by_id: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT bytes FROM roster_orders WHERE name = 'id' ORDER BY part")
            .fetch_all(&mut *connection)
            .await?;
    let by_id = by_id.iter().flat_map(|(bytes,)| number::read_narrow(bytes));
    let mut order: Vec<(u32, u32)> = by_id
        .map(|number| (counts.get(number as usize).copied().unwrap_or(0), number))
        .collect();
    order.sort_by_key(|(count, _)| *count);
    Ok(order.into_iter().map(|(_, number)| number).collect())
}
