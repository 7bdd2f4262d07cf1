//! Table `account_past`: versions of accounts whose successors have other values that rules go by.
//! An account whose own mail was cleared in its system may still be whose it was.
//!
//! Derived from the blocks, and written when links are made. What has come since is found whenever
//! it is asked for, so that no answer misses the latest change. Of a system that tells the last use
//! of each account there is a version a day; those are alike here, and none of them is kept.

use super::blocks::{self, Again, At, Columns, Which};
use super::ground::source_rows;
use super::lineage::Lineage;
use super::objects::named;
use super::outline::Depth;
use super::unlisted::{ToldBySeveral, any_told_by_several};
use super::{AccountName, Store, StoreError, ground, link_rules, meta};
use crate::correlate::{AccountKeys, Column, Identities, Rule};
use lastkey_contract::Kind;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// Links of earlier layouts did not go by it.
pub(super) const MIGRATION: &str = "
CREATE TABLE account_past (
  row INTEGER PRIMARY KEY,
  source INTEGER NOT NULL,
  key INTEGER NOT NULL
) STRICT;
UPDATE meta SET value = '' WHERE key = 'links_ground';
INSERT INTO meta (key, value) VALUES ('links_stale', '1')
ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT);
";

/// Entry of `meta`: up to which block versions were looked at, and by which attributes.
const MADE: &str = "account_past_made";

/// What stands there. Sources of one name count as one.
#[derive(Default, Serialize, Deserialize)]
struct Made {
    upto: i64,
    attributes: BTreeSet<String>,
    /// Whether sources of several names have told of one account.
    by_several: bool,
}

/// One such version; the source is the first of its name (`Lineage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub(super) struct Row {
    row: i64,
    source: i64,
    key: i64,
}

impl Row {
    /// Source row and number of the account's key.
    pub(super) fn account(&self) -> (i64, i64) {
        (self.source, self.key)
    }
}

/// What an account had before.
pub(super) struct Had {
    pub keys: AccountKeys,
    /// When it was first seen that it has it no more.
    pub until: Option<String>,
    /// Its source lists the account no more, and perhaps another one does.
    pub unlisted: bool,
}

/// All such versions, oldest first.
pub(super) struct AccountPast {
    rows: Vec<Row>,
    by_several: ToldBySeveral,
    /// Those that the table lacks.
    fresh: Vec<Row>,
    /// Nothing of the table holds any more.
    anew: bool,
    made: String,
    depth: Depth,
    lineage: Lineage,
}

/// Accounts by the numbers of their keys; all of them where there is none.
pub(super) type Accounts = Option<HashSet<i64>>;

/// What of the table may be taken as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    Kept,
    Nothing,
}

/// Forgets what was found; it is found anew.
pub(super) async fn forget(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    meta::put(connection, MADE, "").await
}

/// What is known of such versions in this moment.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    trust: Trust,
) -> Result<AccountPast, StoreError> {
    let (rules, person_rules) = link_rules::in_force(connection).await?;
    let depth = ground::depth_of(&rules, &person_rules);
    let lineage = Lineage::new(&source_rows(&mut *connection, At::Now).await?);
    let attributes = attributes(rules.values().flatten());
    let made = match trust {
        Trust::Kept => meta::get(&mut *connection, MADE).await?,
        Trust::Nothing => None,
    };
    let made: Option<Made> = made.and_then(|made| serde_json::from_str(&made).ok());
    let made = made.filter(|made| made.attributes == attributes);
    let mut rows: Vec<Row> = match made {
        Some(_) => {
            sqlx::query_as("SELECT row, source, key FROM account_past ORDER BY row")
                .fetch_all(&mut *connection)
                .await?
        }
        None => Vec::new(),
    };
    let (last,): (i64,) = sqlx::query_as("SELECT coalesce(max(id), 0) FROM blocks")
        .fetch_one(&mut *connection)
        .await?;
    let anew = made.is_none();
    let made = made.unwrap_or_default();
    let fresh = found_since(connection, depth, &lineage, &attributes, made.upto).await?;
    let by_several =
        made.by_several || any_told_by_several(connection, &lineage, made.upto).await?;
    rows.extend(&fresh);
    rows.sort_unstable();
    Ok(AccountPast {
        rows,
        by_several: match by_several {
            true => ToldBySeveral::read(connection, &lineage).await?,
            false => ToldBySeveral::default(),
        },
        fresh,
        anew,
        made: serde_json::to_string(&Made {
            upto: last,
            attributes,
            by_several,
        })?,
        depth,
        lineage,
    })
}

/// Attributes of accounts that some rule goes by.
fn attributes<'r>(rules: impl Iterator<Item = &'r Rule>) -> BTreeSet<String> {
    let takes = rules.flat_map(|rule| {
        let agree = rule.agree.iter().map(|(account, _)| account);
        rule.account.iter().chain(agree)
    });
    let names = takes.filter_map(|take| match &take.column {
        Column::Attribute(name) => Some(name.clone()),
        Column::Id | Column::Name | Column::Email | Column::IdentityId => None,
    });
    names.collect()
}

/// Versions that others, which came after a block, have followed with other values.
async fn found_since(
    connection: &mut SqliteConnection,
    depth: Depth,
    lineage: &Lineage,
    attributes: &BTreeSet<String>,
    upto: i64,
) -> Result<Vec<Row>, StoreError> {
    if lineage.is_empty() && !any_ended(connection).await? {
        return Ok(Vec::new());
    }
    let ever = Which::ever(Kind::Account);
    let mut versions: Vec<(i64, i64, i64)> = Vec::new();
    blocks::each_after(connection, &ever, Columns::Keys, upto, |block| {
        let keys = (0..).zip(&block.keys);
        let source = lineage.first(block.source);
        versions.extend(keys.map(|(place, key)| (source, *key, block.row(place))));
        Ok(())
    })
    .await?;
    if versions.is_empty() {
        return Ok(Vec::new());
    }
    if upto > 0 {
        let new: HashSet<i64> = versions.iter().map(|(_, key, _)| *key).collect();
        let mut last: HashMap<(i64, i64), i64> = HashMap::new();
        blocks::each(connection, &ever, Columns::Keys, |block| {
            if block.id <= upto {
                for (place, key) in (0..).zip(&block.keys) {
                    if new.contains(key) {
                        last.insert((lineage.first(block.source), *key), block.row(place));
                    }
                }
            }
            Ok(())
        })
        .await?;
        let last = last.into_iter();
        versions.extend(last.map(|((source, key), row)| (source, key, row)));
    }
    versions.sort_unstable();
    let several = versions.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    let several = several.filter(|versions| versions.len() > 1);
    let mut of_row: HashMap<i64, (i64, i64)> = HashMap::new();
    for (source, key, row) in several.flatten() {
        of_row.insert(*row, (*source, *key));
    }
    drop(versions);
    let mut rows: Vec<i64> = of_row.keys().copied().collect();
    rows.sort_unstable();
    let mut before: HashMap<(i64, i64), (i64, u64)> = HashMap::new();
    let mut found = Vec::new();
    blocks::of_rows(connection, &rows, depth.columns(), |block, place| {
        let row = block.row(place);
        let Some((source, key)) = of_row.get(&row).copied() else {
            return Ok(());
        };
        let (keys, _) = depth.account(block, place)?;
        let now = values(&keys, attributes);
        if let Some((row, then)) = before.insert((source, key), (row, now))
            && then != now
        {
            found.push(Row { row, source, key });
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Whether any account has a version that others may have followed.
async fn any_ended(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let (any,): (bool,) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM block_ends e JOIN blocks b ON b.id = e.id >> 12 WHERE b.kind = ?1)",
    )
    .bind(Kind::Account.word())
    .fetch_one(connection)
    .await?;
    Ok(any)
}

/// A number of all values that rules can go by.
fn values(keys: &AccountKeys, attributes: &BTreeSet<String>) -> u64 {
    let mut hasher = SipHasher13::new();
    (&keys.name, &keys.identity_id, &keys.email).hash(&mut hasher);
    for name in attributes {
        keys.attributes.get(name).hash(&mut hasher);
    }
    hasher.finish()
}

impl AccountPast {
    /// Writes what the table lacks.
    pub(super) async fn keep(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        if self.anew {
            sqlx::query("DELETE FROM account_past")
                .execute(&mut *connection)
                .await?;
        }
        for part in self.fresh.chunks(1_000) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO account_past (row, source, key) ",
            );
            insert.push_values(part, |mut values, row| {
                values
                    .push_bind(row.row)
                    .push_bind(row.source)
                    .push_bind(row.key);
            });
            insert.build().execute(&mut *connection).await?;
        }
        meta::put(connection, MADE, &self.made).await
    }

    /// The accounts that are there now and came after a block, as far as they had anything before.
    pub(super) async fn accounts_after(
        &self,
        connection: &mut SqliteConnection,
        block: i64,
    ) -> Result<Accounts, StoreError> {
        let mut there = HashSet::new();
        if self.rows.is_empty() && self.by_several.is_empty() {
            return Ok(Some(there));
        }
        let accounts = Which::now(Kind::Account);
        blocks::each_after(connection, &accounts, Columns::Keys, block, |block| {
            let keys = block.places().filter_map(|place| block.keys.get(place));
            there.extend(keys);
            Ok(())
        })
        .await?;
        Ok(Some(there))
    }

    /// Every source, by the first of its name, that told of accounts which had something before, and
    /// the number of the account's key.
    pub(super) fn tellers(&self) -> impl Iterator<Item = (i64, i64)> {
        let rows = self.rows.iter().map(|row| (row.source, row.key));
        rows.chain(self.by_several.tellers())
    }

    /// What sources told last of accounts that they list no more: source, key and row.
    pub(super) fn unlisted(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        self.by_several.unlisted(At::Now)
    }

    /// Hands over what accounts had before a moment and no more at it.
    pub(super) async fn each(
        &self,
        connection: &mut SqliteConnection,
        of: &Accounts,
        at: At,
        kept: &mut Again,
        mut take: impl FnMut(Had),
    ) -> Result<(), StoreError> {
        let asked = |key: i64| of.as_ref().is_none_or(|of| of.contains(&key));
        let last = self.by_several.unlisted(at);
        let last: Vec<Row> = last
            .filter(|(_, key, _)| asked(*key))
            .map(|(source, key, row)| Row { row, source, key })
            .collect();
        let unlisted: HashSet<(i64, i64)> = last.iter().map(Row::account).collect();
        let rows = self.rows.iter().filter(|row| asked(row.key)).copied();
        let mut rows: Vec<Row> = rows.chain(last).collect();
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_unstable();
        rows.dedup();
        let unlisted: HashSet<i64> = rows
            .iter()
            .filter(|row| unlisted.contains(&row.account()))
            .map(|row| row.row)
            .collect();
        let moment = at.limit();
        let shown: HashMap<i64, String> = sqlx::query_as("SELECT id, read_at FROM syncs")
            .fetch_all(&mut *connection)
            .await?
            .into_iter()
            .collect();
        let rows: Vec<i64> = rows.iter().map(|row| row.row).collect();
        let columns = self.depth.columns();
        blocks::versions_of(connection, kept, &rows, columns, |block, place| {
            let Some(ended) = block.ended_sync(place).filter(|ended| *ended <= moment) else {
                return Ok(());
            };
            let (mut keys, _) = self.depth.account(block, place)?;
            keys.source = self.lineage.now(keys.source);
            take(Had {
                keys,
                until: shown.get(&ended).cloned(),
                unlisted: unlisted.contains(&block.row(place)),
            });
            Ok(())
        })
        .await
    }

    /// Tells correlation what accounts had before.
    pub(super) async fn remember(
        &self,
        connection: &mut SqliteConnection,
        of: &Accounts,
        at: At,
        known: &mut Identities,
        kept: &mut Again,
    ) -> Result<(), StoreError> {
        self.each(connection, of, at, kept, |had| match had.unlisted {
            true => known.remember_of_all(&had.keys, had.until),
            false => known.remember(&had.keys, had.until),
        })
        .await
    }
}

/// Tells correlation what all accounts had before a moment; `kept` keeps what was looked into.
pub(super) async fn remember(
    connection: &mut SqliteConnection,
    at: At,
    known: &mut Identities,
    kept: &mut Again,
) -> Result<(), StoreError> {
    let past = read(connection, Trust::Kept).await?;
    past.remember(connection, &None, at, known, kept).await
}

impl Store {
    /// What an account of a source had before, also as others told that list it no more, oldest first;
    /// and when it was first seen that it has it no more.
    pub async fn account_before(
        &self,
        source: i64,
        account: &AccountName,
    ) -> Result<Vec<(AccountKeys, Option<String>)>, StoreError> {
        let key = named(&account.system, &account.id);
        let key = self.names()?.key(Kind::Account, &key);
        let mut reading = self.readers().begin().await?;
        let past = read(&mut reading, Trust::Kept).await?;
        let own = past.lineage.now(past.lineage.first(source));
        let mut before = Vec::new();
        let (of, kept) = (Some([key].into()), &mut Again::none());
        past.each(&mut reading, &of, At::Now, kept, |had| {
            if had.unlisted || had.keys.source == own {
                before.push((had.keys, had.until));
            }
        })
        .await?;
        Ok(before)
    }
}
