//! Credentials whose account nobody lists, or that name none, and that were of somebody's account before:
//! nobody passes because a vault, or a list of keys or accounts, was tidied up.

use super::StoreError;
use super::blocks::{self, Again, At, Block, Columns, Listing, Which, row_of};
use super::outline::Depth;
use crate::correlate::{AccountKeys, Identities, Match};
use lastkey_contract::Kind;
use lastkey_contract::facts::Credential;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tokio::sync::Mutex;

/// Such credentials of a moment, by the number of the credential's key.
#[derive(Default)]
pub(super) struct Stray {
    /// `system:id`, and the numbers of the accounts that it named, last and before.
    credentials: BTreeMap<i64, (String, BTreeSet<i64>)>,
    /// Those that are closed, or of an account that is listed, as some source says.
    settled: HashSet<i64>,
    /// What was told last of each of these accounts.
    accounts: HashMap<i64, Vec<AccountKeys>>,
}

/// A credential as a source lists it.
pub(super) struct Seen<'s> {
    pub key: i64,
    pub system: &'s str,
    pub id: &'s str,
    pub account: Option<i64>,
    /// The account is listed.
    pub listed: bool,
    pub closed: bool,
}

impl Stray {
    /// Those that are not known to be closed. What a source told that has been removed, or lists them no
    /// more, counts as well.
    pub(super) async fn read(
        connection: &mut SqliteConnection,
        depth: Depth,
        at: At,
    ) -> Result<Stray, StoreError> {
        let accounts = Which {
            at,
            ..Which::now(Kind::Account)
        };
        let mut listed: HashSet<i64> = HashSet::new();
        blocks::each(connection, &accounts, Columns::Keys, |block| {
            listed.extend(block.places().filter_map(|place| block.keys.get(place)));
            Ok(())
        })
        .await?;
        let mut stray = Stray::default();
        let listing = Listing::read(&mut *connection, at).await?;
        let reading = Mutex::new(&mut *connection);
        let all = listing.all(Kind::Credential, Columns::Named);
        all.each(&reading, |block| {
            block.places().try_for_each(|place| {
                let fact: Credential = serde_json::from_str(block.fact(place)?)?;
                let account = Block::reference(&block.froms, place);
                stray.see(Seen {
                    key: block.key(place)?,
                    system: fact.system.as_str(),
                    id: fact.id.as_str(),
                    account,
                    listed: account.is_some_and(|account| listed.contains(&account)),
                    closed: fact.enabled == Some(false) || fact.revoked_at.is_some(),
                });
                Ok(())
            })
        })
        .await?;
        let is_listed = |account: i64| listed.contains(&account);
        stray.look_back(connection, depth, at, is_listed).await?;
        Ok(stray)
    }

    /// Takes in a credential as a source lists it.
    pub(super) fn see(&mut self, seen: Seen<'_>) {
        // The source that speaks for it comes first; that it is closed no other one says.
        if seen.listed || seen.closed && !self.credentials.contains_key(&seen.key) {
            self.settled.insert(seen.key);
            return;
        }
        let of_name = self.credentials.entry(seen.key);
        let (_, accounts) =
            of_name.or_insert_with(|| (format!("{}:{}", seen.system, seen.id), BTreeSet::new()));
        accounts.extend(seen.account);
    }

    /// Once all were seen: which accounts they named before, and what was told of these.
    pub(super) async fn look_back(
        &mut self,
        connection: &mut SqliteConnection,
        depth: Depth,
        at: At,
        listed: impl Fn(i64) -> bool,
    ) -> Result<(), StoreError> {
        let settled = std::mem::take(&mut self.settled);
        self.credentials.retain(|key, _| !settled.contains(key));
        if self.credentials.is_empty() {
            return Ok(());
        }
        let ended = ended_rows(connection, Kind::Credential, at).await?;
        blocks::of_rows(connection, &ended, Columns::Named, |block, place| {
            if let Some((_, accounts)) = self.credentials.get_mut(&block.key(place)?) {
                accounts.extend(Block::reference(&block.froms, place));
            }
            Ok(())
        })
        .await?;
        self.credentials.retain(|_, (_, named)| !named.is_empty());
        if self.credentials.is_empty() {
            return Ok(());
        }
        self.find_accounts(connection, depth, at, listed).await
    }

    /// What was told last of the accounts: of one that is listed what is, else its last versions.
    async fn find_accounts(
        &mut self,
        connection: &mut SqliteConnection,
        depth: Depth,
        at: At,
        listed: impl Fn(i64) -> bool,
    ) -> Result<(), StoreError> {
        let named = self.credentials.values().flat_map(|(_, named)| named);
        let named: HashSet<i64> = named.copied().collect();
        let moment = at.limit();
        let mut rows: HashMap<(i64, i64), i64> = HashMap::new();
        let ever = Which::ever(Kind::Account);
        blocks::each(connection, &ever, Columns::Keys, |block| {
            for (place, key) in (0..).zip(&block.keys) {
                let ended = block.ended_sync(place).is_some_and(|sync| sync <= moment);
                let told = block.first_sync <= moment && ended != listed(*key);
                if told && named.contains(key) {
                    let row = rows.entry((block.source, *key)).or_default();
                    *row = block.row(place).max(*row);
                }
            }
            Ok(())
        })
        .await?;
        let mut rows: Vec<i64> = rows.into_values().collect();
        rows.sort_unstable();
        let kept = &mut Again::none();
        blocks::versions_of(connection, kept, &rows, depth.columns(), |block, place| {
            let (keys, _) = depth.account(block, place)?;
            let of_account = self.accounts.entry(block.key(place)?);
            of_account.or_default().push(keys);
            Ok(())
        })
        .await
    }

    /// Whose the accounts are or were, by the numbers of who is listed, with the credential's name.
    pub(super) fn holders(&self, known: &Identities) -> Vec<(u32, String)> {
        let mut holders = Vec::new();
        for (name, accounts) in self.credentials.values() {
            let told = accounts.iter().filter_map(|one| self.accounts.get(one));
            for keys in told.flatten() {
                if let Match::One { identity, .. } = known.owner_of(keys) {
                    holders.push((identity, name.clone()));
                }
            }
        }
        holders
    }

    /// The numbers of the keys of these credentials.
    pub(super) fn credentials(&self) -> HashSet<i64> {
        self.credentials.keys().copied().collect()
    }

    /// The numbers of the keys of the accounts that they named.
    pub(super) fn accounts(&self) -> HashSet<i64> {
        self.accounts.keys().copied().collect()
    }
}

/// The rows of a kind that had ended by a moment, in order.
pub(super) async fn ended_rows(
    connection: &mut SqliteConnection,
    kind: Kind,
    at: At,
) -> Result<Vec<i64>, StoreError> {
    let mut rows: Vec<i64> = sqlx::query_scalar(
        "SELECT e.id FROM block_ends e JOIN blocks b ON b.id = e.id >> 12
         WHERE b.kind = ?1 AND e.ended_sync <= ?2",
    )
    .bind(kind.word())
    .bind(at.limit())
    .fetch_all(&mut *connection)
    .await?;
    let whole: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, size FROM blocks WHERE kind = ?1 AND ended_sync <= ?2")
            .bind(kind.word())
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
