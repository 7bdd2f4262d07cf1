//! Accounts of which sources of several names tell, and which some of them list no more: what such a
//! source told last may still say whose an account is that another one lists.

use super::StoreError;
use super::blocks::{self, At, Columns, Which};
use super::lineage::Lineage;
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::HashSet;

/// One version of an account of which several tell; the source is the first of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    key: i64,
    source: i64,
    row: i64,
    first_sync: i64,
    ended: Option<i64>,
}

/// All versions of such accounts, in the order of their accounts and sources.
#[derive(Default)]
pub(super) struct ToldBySeveral {
    versions: Vec<Version>,
}

/// Whether an account that came after a block has been told of by sources of several names.
pub(super) async fn any_told_by_several(
    connection: &mut SqliteConnection,
    lineage: &Lineage,
    after: i64,
) -> Result<bool, StoreError> {
    let sources: Vec<i64> =
        sqlx::query_scalar("SELECT DISTINCT source FROM blocks WHERE kind = ?1")
            .bind(Kind::Account.word())
            .fetch_all(&mut *connection)
            .await?;
    let names: HashSet<i64> = sources.into_iter().map(|one| lineage.first(one)).collect();
    if names.len() < 2 {
        return Ok(false);
    }
    let ever = Which::ever(Kind::Account);
    let mut new: Vec<(i64, i64)> = Vec::new();
    blocks::each_after(connection, &ever, Columns::Keys, after, |block| {
        let source = lineage.first(block.source);
        new.extend(block.keys.iter().map(|key| (*key, source)));
        Ok(())
    })
    .await?;
    new.sort_unstable();
    new.dedup();
    let mut found = new.array_windows().any(|[(a, _), (b, _)]| a == b);
    if found || new.is_empty() || after == 0 {
        return Ok(found);
    }
    blocks::each(connection, &ever, Columns::Keys, |block| {
        let source = lineage.first(block.source);
        let another = |key: &i64| {
            let place = new.partition_point(|(one, _)| one < key);
            new.get(place)
                .is_some_and(|(one, by)| one == key && *by != source)
        };
        found |= block.id <= after && block.keys.iter().any(another);
        Ok(())
    })
    .await?;
    Ok(found)
}

impl ToldBySeveral {
    pub(super) async fn read(
        connection: &mut SqliteConnection,
        lineage: &Lineage,
    ) -> Result<ToldBySeveral, StoreError> {
        let mut versions: Vec<Version> = Vec::new();
        blocks::each(
            connection,
            &Which::ever(Kind::Account),
            Columns::Keys,
            |block| {
                let source = lineage.first(block.source);
                let keys = (0..).zip(&block.keys);
                versions.extend(keys.map(|(place, key)| Version {
                    key: *key,
                    source,
                    row: block.row(place),
                    first_sync: block.first_sync,
                    ended: block.ended_sync(place),
                }));
                Ok(())
            },
        )
        .await?;
        versions.sort_unstable();
        let accounts = versions.chunk_by(|a, b| a.key == b.key);
        let of_several = accounts.filter(|all| {
            let sources = all.first().zip(all.last());
            sources.is_some_and(|(first, last)| first.source != last.source)
        });
        Ok(ToldBySeveral {
            versions: of_several.flatten().copied().collect(),
        })
    }

    /// What each source told last of accounts that it lists no more at a moment: source, key and row.
    pub(super) fn unlisted(&self, at: At) -> impl Iterator<Item = (i64, i64, i64)> {
        let moment = at.limit();
        let by_source = self
            .versions
            .chunk_by(|a, b| (a.key, a.source) == (b.key, b.source));
        by_source.filter_map(move |versions| {
            let came = versions.iter().filter(|one| one.first_sync <= moment);
            let last = came.max_by_key(|one| one.row)?;
            let gone = last.ended.is_some_and(|ended| ended <= moment);
            gone.then_some((last.source, last.key, last.row))
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Every source, and the number of an account's key of which it ever told.
    pub(super) fn tellers(&self) -> impl Iterator<Item = (i64, i64)> {
        self.versions.iter().map(|one| (one.source, one.key))
    }
}
