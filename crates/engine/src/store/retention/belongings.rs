//! Records whose past says whose a current account is: whoever left keeps their accounts for as long
//! as somebody remembers who that was, so their versions are evidence.

use super::super::StoreError;
use super::super::account_past::{self, Trust};
use super::super::blocks::{self, Again, At, Columns, Which};
use super::super::credential_past::Stray;
use super::super::ground::{self, odd_records, source_rows};
use super::super::lineage::Lineage;
use super::super::link_gather::{Gathered, Kept, gather};
use super::super::names::Names;
use super::super::persons;
use super::super::print_past::Forgotten;
use crate::correlate::AccountKeys;
use lastkey_contract::Kind;
use sqlx::SqliteConnection;
use std::collections::HashSet;

/// Those records: source row and number of the key.
pub(super) async fn belongings(
    connection: &mut SqliteConnection,
    names: Names,
) -> Result<HashSet<(i64, i64)>, StoreError> {
    let sources = source_rows(connection, At::Now).await?.with_removed();
    let depth = ground::depth(connection).await?;
    let odd = odd_records(connection, At::Now, &sources, depth, &mut Again::none()).await?;
    let past = account_past::read(connection, Trust::Kept).await?;
    let mut records = HashSet::new();
    // Who could be one person with somebody rests on what the records had before, too.
    let (_, doubts) = persons::at_moment(connection, At::Now).await?;
    let doubted = doubts.into_iter().flat_map(|doubt| doubt.records);
    let joined = persons::not_listed(connection).await?;
    let resting = doubted.chain(joined);
    records.extend(resting.map(|(source, id)| (source, names.key(Kind::Identity, &id))));
    let lineage = Lineage::new(&sources);
    if odd.past.is_empty() && odd.reused.is_empty() && odd.removed.is_empty() {
        return Ok(of_all(&lineage, records));
    }
    let Gathered { known, .. } = gather(connection, &sources, &odd, &past, Kept::All).await?;
    let theirs = odd.removed().map(|(record, _)| (record.source, &record.id));
    let theirs = theirs.filter(|(source, id)| known.listed(*source, id).is_some());
    records.extend(theirs.map(|(source, id)| (source, names.key(Kind::Identity, id))));
    let mut told = HashSet::new();
    let mut rest = |keys: &AccountKeys| {
        let found = known.rests_on(keys, &mut told).into_iter();
        records.extend(found.map(|(source, id)| (source, names.key(Kind::Identity, &id))));
    };
    let accounts = Which::now(Kind::Account);
    blocks::each(connection, &accounts, depth.columns(), |block| {
        block.places().try_for_each(|place| {
            let (keys, _) = depth.account(block, place)?;
            rest(&keys);
            Ok(())
        })
    })
    .await?;
    let kept = &mut Again::none();
    past.each(connection, &None, At::Now, kept, |had| rest(&had.keys))
        .await?;
    Ok(of_all(&lineage, records))
}

/// The same of all sources of each name: what an earlier one told is its own row's.
fn of_all(lineage: &Lineage, objects: HashSet<(i64, i64)>) -> HashSet<(i64, i64)> {
    if lineage.is_empty() {
        return objects;
    }
    let all = objects.into_iter().flat_map(|(source, key)| {
        let sources = lineage.all(source).into_iter();
        sources.map(move |source| (source, key))
    });
    all.collect()
}

/// Accounts whose past says whose they are: the row of each source that told of them, and the number of
/// the key. A name that changed and leads to nobody says nothing.
pub(super) async fn changed_accounts(
    connection: &mut SqliteConnection,
) -> Result<HashSet<(i64, i64)>, StoreError> {
    let past = account_past::read(&mut *connection, Trust::Kept).await?;
    let changed: HashSet<i64> = past.tellers().map(|(_, key)| key).collect();
    if changed.is_empty() {
        return Ok(HashSet::new());
    }
    let mut kept: HashSet<i64> = HashSet::new();
    let sources = source_rows(connection, At::Now).await?;
    let lineage = Lineage::new(&sources);
    let depth = ground::depth(connection).await?;
    let odd = odd_records(connection, At::Now, &sources, depth, &mut Again::none()).await?;
    let Gathered { known, .. } = gather(connection, &sources, &odd, &past, Kept::All).await?;
    let accounts = Which::now(Kind::Account);
    blocks::each(connection, &accounts, depth.columns(), |block| {
        block.places().try_for_each(|place| {
            let account = block.key(place)?;
            if changed.contains(&account) {
                let (keys, _) = depth.account(block, place)?;
                if known.rests_on_its_past(&keys) {
                    kept.insert(account);
                }
            }
            Ok(())
        })
    })
    .await?;
    let told = past.tellers().filter(|(_, key)| kept.contains(key));
    Ok(of_all(&lineage, told.collect()))
}

/// What told a fingerprint that nobody tells any more, where it is still there: the same.
pub(super) async fn forgotten_prints(
    connection: &mut SqliteConnection,
    kind: Kind,
) -> Result<HashSet<(i64, i64)>, StoreError> {
    let mut forgotten = Forgotten::default();
    if matches!(kind, Kind::Credential | Kind::Location) {
        forgotten.of_kind(connection, kind, At::Now).await?;
    }
    Ok(forgotten.told_by)
}

/// Credentials that were of an account which nobody lists now, or these accounts: the row of each source
/// that told of them, and the number of the key.
pub(super) async fn stray_credentials(
    connection: &mut SqliteConnection,
    kind: Kind,
) -> Result<HashSet<(i64, i64)>, StoreError> {
    let mut kept = HashSet::new();
    if !matches!(kind, Kind::Account | Kind::Credential) {
        return Ok(kept);
    }
    let depth = ground::depth(connection).await?;
    let stray = Stray::read(connection, depth, At::Now).await?;
    let resting = match kind == Kind::Account {
        true => stray.accounts(),
        false => stray.credentials(),
    };
    if resting.is_empty() {
        return Ok(kept);
    }
    blocks::each(connection, &Which::ever(kind), Columns::Keys, |block| {
        let keys = block.keys.iter().filter(|key| resting.contains(key));
        kept.extend(keys.map(|key| (block.source, *key)));
        Ok(())
    })
    .await?;
    Ok(kept)
}
