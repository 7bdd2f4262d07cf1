//! Table `links`: whose account each current account is, as correlation found it.
//!
//! Derived: made anew after each sync; `links_stale` in `meta` says that it must be.

use super::blocks::{self, At, Columns};
use super::{Store, StoreError, every, meta, persons};
use crate::correlate::{AccountKeys, Identities, IdentityKeys, Match};
use lastkey_contract::Kind;
use lastkey_contract::facts::Account;
use serde::Deserialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::HashMap;

pub(super) const MIGRATION: &str = "
CREATE TABLE links (
  account INTEGER PRIMARY KEY,
  identity_source INTEGER,
  identity_id TEXT,
  rule TEXT NOT NULL,
  candidates TEXT
) STRICT;
CREATE INDEX links_by_identity ON links (identity_id, identity_source);
";

/// Identity source and id, rule, candidates of an ambiguous one as JSON.
type Link = (Option<i64>, Option<String>, String, Option<String>);

#[derive(Deserialize)]
struct AccountPart {
    id: String,
    name: Option<String>,
    identity_id: Option<String>,
    email: Option<String>,
}

pub(super) async fn mark_stale(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    super::ownership::mark_stale(&mut *connection).await?;
    meta::put(connection, "links_stale", "1").await
}

/// Forgets all links; they are made anew.
pub(super) async fn forget(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("DELETE FROM links")
        .execute(&mut *connection)
        .await?;
    mark_stale(connection).await
}

impl Store {
    /// Current identities as correlation sees them, in a fixed order.
    pub(super) async fn identity_keys(&self) -> Result<Vec<IdentityKeys>, StoreError> {
        let rows: Vec<(i64, String, String, Option<String>)> = sqlx::query_as(
            "SELECT p.source, s.name, p.id, p.email FROM people p JOIN sources s ON s.id = p.source
             ORDER BY p.id, p.source",
        )
        .fetch_all(self.readers())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(source, source_name, id, email)| IdentityKeys {
                source,
                source_name,
                id,
                email,
            })
            .collect())
    }

    /// Makes anew what is made of the facts, where they have changed since: lists and links.
    pub(crate) async fn derive_if_stale(&self) -> Result<(), StoreError> {
        self.roster_if_stale().await?;
        self.correlate_if_stale().await
    }

    /// Makes the links anew if a sync has changed anything since they were made, and finds what
    /// happened to people since.
    pub(crate) async fn correlate_if_stale(&self) -> Result<(), StoreError> {
        self.link_if_stale().await?;
        self.find_events().await
    }

    async fn link_if_stale(&self) -> Result<(), StoreError> {
        if self.meta("links_stale").await?.as_deref() != Some("1") {
            return Ok(());
        }
        let mut writing = self.begin().await?;
        persons::settle(&mut writing.tx).await?;
        writing.commit().await?;
        let people = self.identity_keys().await?;
        let identities = Identities::new(&people);
        let mut wanted: HashMap<i64, Link> = HashMap::new();
        let mut connection = self.readers().acquire().await?;
        every::each(&mut connection, Kind::Account, None, At::Now, |standing| {
            let part: AccountPart = serde_json::from_str(standing.fact)?;
            let keys = AccountKeys {
                source: standing.source,
                id: part.id,
                name: part.name,
                identity_id: part.identity_id,
                email: part.email,
            };
            if let Some(link) = link(&people, identities.owner_of(&keys)) {
                wanted.insert(standing.row, link);
            }
            Ok(())
        })
        .await?;
        drop(connection);
        self.replace_links(wanted).await
    }

    /// Writes what differs.
    async fn replace_links(&self, wanted: HashMap<i64, Link>) -> Result<(), StoreError> {
        let mut writing = self.begin().await?;
        type Row = (i64, Option<i64>, Option<String>, String, Option<String>);
        let stored: Vec<Row> = sqlx::query_as(
            "SELECT account, identity_source, identity_id, rule, candidates FROM links",
        )
        .fetch_all(&mut *writing.tx)
        .await?;
        let stored: HashMap<i64, Link> = stored
            .into_iter()
            .map(|(account, source, id, rule, candidates)| {
                (account, (source, id, rule, candidates))
            })
            .collect();
        let gone: Vec<i64> = stored
            .iter()
            .filter(|(account, link)| wanted.get(*account) != Some(*link))
            .map(|(account, _)| *account)
            .collect();
        for part in gone.chunks(1000) {
            let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM links WHERE account IN (");
            let mut list = delete.separated(", ");
            for account in part {
                list.push_bind(*account);
            }
            delete.push(")");
            delete.build().execute(&mut *writing.tx).await?;
        }
        let mut fresh: Vec<(&i64, &Link)> = wanted
            .iter()
            .filter(|(account, link)| stored.get(*account) != Some(*link))
            .collect();
        fresh.sort_by_key(|(account, _)| **account);
        for part in fresh.chunks(500) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO links (account, identity_source, identity_id, rule, candidates) ",
            );
            insert.push_values(part, |mut values, (account, link)| {
                values
                    .push_bind(**account)
                    .push_bind(link.0)
                    .push_bind(link.1.as_deref())
                    .push_bind(link.2.as_str())
                    .push_bind(link.3.as_deref());
            });
            insert.build().execute(&mut *writing.tx).await?;
        }
        meta::put(&mut writing.tx, "links_stale", "0").await?;
        writing.commit().await
    }

    /// Accounts that could be several identities': `system:id` and the candidates. A window.
    pub async fn ambiguous_accounts(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<(String, Vec<String>)>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT account, candidates FROM links
             WHERE candidates IS NOT NULL ORDER BY account LIMIT ?1 OFFSET ?2",
        )
        .bind(limit)
        .bind(offset.cast_signed())
        .fetch_all(self.readers())
        .await?;
        let (rows, candidates): (Vec<i64>, Vec<String>) = rows.into_iter().unzip();
        let mut candidates = candidates.into_iter();
        let mut accounts = Vec::new();
        let mut connection = self.readers().acquire().await?;
        blocks::of_rows(&mut connection, &rows, Columns::Facts, |block, place| {
            let account: Account = serde_json::from_str(block.fact(place)?)?;
            let named = candidates.next().unwrap_or_default();
            accounts.push((
                format!("{}:{}", account.system, account.id),
                serde_json::from_str(&named)?,
            ));
            Ok(())
        })
        .await?;
        Ok(accounts)
    }
}

fn link(people: &[IdentityKeys], found: Match) -> Option<Link> {
    match found {
        Match::One { identity, rule } => {
            let identity = people.get(identity)?;
            Some((
                Some(identity.source),
                Some(identity.id.clone()),
                rule.word().to_owned(),
                None,
            ))
        }
        Match::Ambiguous { candidates, rule } => {
            let names: Vec<String> = candidates
                .iter()
                .filter_map(|n| people.get(*n))
                .map(|i| format!("{}:{}", i.source_name, i.id))
                .collect();
            let names = serde_json::Value::from(names).to_string();
            Some((None, None, rule.word().to_owned(), Some(names)))
        }
        Match::None => None,
    }
}
