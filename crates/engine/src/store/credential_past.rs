//! Credentials that named an account before and name none now: nobody passes because a vault, or a
//! list of keys, was tidied up.

use super::StoreError;
use super::blocks::{self, Again, At, Block, Columns, Which, row_of};
use super::names::Names;
use lastkey_contract::Kind;
use lastkey_contract::facts::Credential;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A credential that is there and named an account before.
pub(super) struct NamedBefore {
    /// The number of the account.
    pub account: i64,
    pub fact: Credential,
    /// The account as it was named.
    pub account_id: String,
}

/// Those of a moment that are not known to be closed, each once, in the order of their names. What a
/// source told that has been removed, or lists the credential no more, counts as well.
pub(super) async fn named_before(
    connection: &mut SqliteConnection,
    names: Names,
    at: At,
) -> Result<Vec<NamedBefore>, StoreError> {
    let ended = ended_rows(connection, at).await?;
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    // The latest one of each is the last.
    let mut before: HashMap<i64, (i64, String)> = HashMap::new();
    blocks::of_rows(connection, &ended, Columns::Named, |block, place| {
        if let Some(account) = Block::reference(&block.froms, place) {
            let fact: Credential = serde_json::from_str(block.fact(place)?)?;
            let id = fact.account_id.map(|id| id.to_string());
            before.insert(block.key(place)?, (account, id.unwrap_or_default()));
        }
        Ok(())
    })
    .await?;
    let now = Which {
        at,
        ..Which::now(Kind::Credential)
    };
    let mut rows: Vec<i64> = Vec::new();
    blocks::each(connection, &now, Columns::Keys, |block| {
        block.places().try_for_each(|place| {
            if before.contains_key(&block.key(place)?) {
                rows.push(block.row(place));
            }
            Ok(())
        })
    })
    .await?;
    let mut settled: HashSet<i64> = HashSet::new();
    let mut found: BTreeMap<(String, String), NamedBefore> = BTreeMap::new();
    let kept = &mut Again::none();
    blocks::versions_of(connection, kept, &rows, Columns::Named, |block, place| {
        let key = block.key(place)?;
        let fact: Credential = serde_json::from_str(block.fact(place)?)?;
        let closed = fact.enabled == Some(false) || fact.revoked_at.is_some();
        if closed || Block::reference(&block.froms, place).is_some() {
            settled.insert(key);
        } else if let Some((account, id)) = before.get(&key) {
            let name = (fact.system.to_string(), fact.id.to_string());
            found.entry(name).or_insert_with(|| NamedBefore {
                account: *account,
                fact,
                account_id: id.clone(),
            });
        }
        Ok(())
    })
    .await?;
    let number = |one: &NamedBefore| {
        let (system, id) = (one.fact.system.as_str(), one.fact.id.as_str());
        names.object(Kind::Credential, &[system, id])
    };
    let found = found.into_values();
    Ok(found
        .filter(|one| !settled.contains(&number(one)))
        .collect())
}

/// The rows of credentials that had ended by a moment, in order.
async fn ended_rows(connection: &mut SqliteConnection, at: At) -> Result<Vec<i64>, StoreError> {
    let mut rows: Vec<i64> = sqlx::query_scalar(
        "SELECT e.id FROM block_ends e JOIN blocks b ON b.id = e.id >> 12
         WHERE b.kind = ?1 AND e.ended_sync <= ?2",
    )
    .bind(Kind::Credential.word())
    .bind(at.limit())
    .fetch_all(&mut *connection)
    .await?;
    let whole: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, size FROM blocks WHERE kind = ?1 AND ended_sync <= ?2")
            .bind(Kind::Credential.word())
            .bind(at.limit())
            .fetch_all(connection)
            .await?;
    rows.extend(whole.iter().flat_map(|(block, size)| {
        let places = 0..usize::try_from(*size).unwrap_or(0);
        places.map(|place| row_of(*block, place))
    }));
    rows.sort_unstable();
    rows.dedup();
    Ok(rows)
}
