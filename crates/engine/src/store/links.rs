//! Table `links`: whose account each current account is, as correlation found it.
//!
//! Derived: made anew after each sync and each decision; `links_stale` in `meta` says that it must
//! be. Only what differs is written.

use super::blocks::At;
use super::ground::{self, Odd, SourceRows, odd_records, source_rows};
use super::{Store, StoreError, every, meta, persons};
use crate::correlate::{
    AccountKeys, Gathering, Identities, IdentityKeys, JoinedPerson, Listed, Match, PersonDoubt,
    Records, Seen,
};
use lastkey_contract::Kind;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{HashMap, HashSet};

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

/// The state of each link, so that what waits for a decision is found at once.
pub(super) const STATES: &str = "
DELETE FROM links;
ALTER TABLE links ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN doubt TEXT;
CREATE INDEX links_open ON links (state, account) WHERE state > 0;
INSERT INTO meta (key, value) VALUES ('links_stale', '1') ON CONFLICT (key) DO UPDATE SET value = '1';
";

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkState {
    Linked,
    /// Several persons fit.
    Ambiguous,
    /// Something fits, and something speaks against it.
    Possible,
    /// No rule leads to anybody.
    Unmatched,
    /// Nobody's, as somebody decided.
    Nobodys,
    /// Of a record that is not listed now.
    Gone,
}

impl LinkState {
    pub const ALL: [LinkState; 6] = [
        LinkState::Linked,
        LinkState::Ambiguous,
        LinkState::Possible,
        LinkState::Unmatched,
        LinkState::Nobodys,
        LinkState::Gone,
    ];

    pub fn word(self) -> &'static str {
        match self {
            LinkState::Linked => "connected",
            LinkState::Ambiguous => "ambiguous",
            LinkState::Possible => "possibly connected",
            LinkState::Unmatched => "not connected",
            LinkState::Nobodys => "nobody's",
            LinkState::Gone => "of somebody who is not listed",
        }
    }

    pub(super) fn number(self) -> i64 {
        match self {
            LinkState::Linked => 0,
            LinkState::Ambiguous => 1,
            LinkState::Possible => 2,
            LinkState::Unmatched => 3,
            LinkState::Nobodys => 4,
            LinkState::Gone => 5,
        }
    }

    pub(super) fn from_number(number: i64) -> Result<LinkState, StoreError> {
        Self::ALL
            .into_iter()
            .find(|state| state.number() == number)
            .ok_or_else(|| StoreError::damaged(format!("state {number} of a link")))
    }
}

/// How many candidates of an account are kept by name.
const CANDIDATES: usize = 50;

/// A row but for the account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Link {
    pub state: i64,
    pub identity_source: Option<i64>,
    pub identity_id: Option<String>,
    pub rule: String,
    /// JSON: `source:id` of each.
    pub candidates: Option<String>,
    pub doubt: Option<String>,
}

impl Link {
    fn of(found: &Match, known: &Identities) -> Link {
        let bare = |state: LinkState, rule: &str| Link {
            state: state.number(),
            identity_source: None,
            identity_id: None,
            rule: rule.to_owned(),
            candidates: None,
            doubt: None,
        };
        let named = |candidates: &[u32]| {
            let mut names: Vec<String> = candidates
                .iter()
                .map(|n| format!("{}:{}", known.source_name(*n), known.id(*n)))
                .collect();
            names.sort_unstable();
            names.truncate(CANDIDATES);
            Some(serde_json::Value::from(names).to_string())
        };
        match found {
            Match::One { identity, rule } => Link {
                identity_source: Some(known.source(*identity)),
                identity_id: Some(known.id(*identity).to_owned()),
                ..bare(LinkState::Linked, known.rule_name(*rule))
            },
            Match::Ambiguous { candidates, rule } => Link {
                candidates: named(candidates),
                ..bare(LinkState::Ambiguous, known.rule_name(*rule))
            },
            Match::Possible {
                candidates,
                rule,
                doubt,
            } => Link {
                candidates: named(candidates),
                doubt: Some(doubt.word().to_owned()),
                ..bare(LinkState::Possible, known.rule_name(*rule))
            },
            Match::Nobodys => bare(LinkState::Nobodys, crate::correlate::DECISION),
            Match::Gone { source, id, rule } => Link {
                identity_source: Some(*source),
                identity_id: Some(id.clone()),
                ..bare(LinkState::Gone, known.rule_name(*rule))
            },
            Match::None => bare(LinkState::Unmatched, ""),
        }
    }
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

/// What was found of everybody and of every account.
struct Correlated {
    sources: SourceRows,
    persons: Vec<JoinedPerson>,
    doubts: Vec<PersonDoubt>,
    known: Identities,
    /// By the account's row, ascending.
    accounts: Vec<(i64, Match)>,
}

impl Store {
    /// Makes anew what is made of the facts, where they have changed since: persons and links,
    /// then lists.
    pub(crate) async fn derive_if_stale(&self) -> Result<(), StoreError> {
        self.correlate_if_stale().await?;
        self.roster_if_stale().await
    }

    /// Makes persons and links anew if a sync or a decision has changed anything since, and finds
    /// what happened to people since.
    pub(crate) async fn correlate_if_stale(&self) -> Result<(), StoreError> {
        self.link_if_stale().await?;
        self.find_events().await
    }

    async fn link_if_stale(&self) -> Result<(), StoreError> {
        if self.meta("links_stale").await?.as_deref() != Some("1") {
            return Ok(());
        }
        let mut connection = self.readers().acquire().await?;
        let found = correlate(&mut connection).await?;
        drop(connection);
        let mut writing = self.begin().await?;
        persons::write(
            &mut writing.tx,
            found.persons,
            &found.doubts,
            &found.sources,
        )
        .await?;
        replace(&mut writing.tx, &found.accounts, &found.known).await?;
        meta::put(&mut writing.tx, "links_stale", "0").await?;
        writing.commit().await
    }
}

async fn correlate(connection: &mut SqliteConnection) -> Result<Correlated, StoreError> {
    let sources = source_rows(connection).await?;
    let odd = odd_records(connection, At::Now, &sources).await?;
    let (ground, person_rules) = ground::read(connection, &sources, &odd).await?;
    let decided = persons::decided(connection, &sources).await?;
    let named: HashSet<(i64, String)> = decided
        .iter()
        .flat_map(|(decision, _)| decision.records.clone())
        .collect();
    let only: Vec<_> = decided
        .iter()
        .map(|(decision, _)| decision.clone())
        .collect();
    let mut records = Records::new(person_rules, sources.names.clone(), &only);
    let mut held_now: HashMap<(i64, String), Seen> = HashMap::new();
    let Odd { gone, .. } = &odd;
    let mut gathering = Gathering::new(ground);
    let mut see = |record: &IdentityKeys, listed: Listed| {
        if records.needs_no_more() {
            return;
        }
        records.add(record, listed);
        if !named.is_empty() {
            let key = (record.source, record.id.clone());
            if named.contains(&key) {
                held_now.insert(key, Seen::of_identity(record));
            }
        }
    };
    for record in gone {
        see(record, Listed::Once);
    }
    every::each(connection, Kind::Identity, None, At::Now, |standing| {
        let mut keys: IdentityKeys = serde_json::from_str(standing.fact)?;
        keys.source = standing.source;
        see(&keys, Listed::Now);
        gathering.add(&keys);
        Ok(())
    })
    .await?;
    let (persons, doubts) = records.join(&persons::still_held(decided, &held_now));
    let known = gathering.done(persons::numbered(&persons));
    let mut accounts: Vec<(i64, Match)> = Vec::new();
    every::each(connection, Kind::Account, None, At::Now, |standing| {
        let mut keys: AccountKeys = serde_json::from_str(standing.fact)?;
        keys.source = standing.source;
        accounts.push((standing.row, known.owner_of(&keys)));
        Ok(())
    })
    .await?;
    accounts.sort_unstable_by_key(|(row, _)| *row);
    Ok(Correlated {
        sources,
        persons,
        doubts,
        known,
        accounts,
    })
}

/// How many stored links are compared at once.
const WINDOW: usize = 5_000;

/// Writes what differs: stored and found stand in one order, and are gone through side by side.
async fn replace(
    connection: &mut SqliteConnection,
    found: &[(i64, Match)],
    known: &Identities,
) -> Result<(), StoreError> {
    #[derive(sqlx::FromRow)]
    struct Stored {
        account: i64,
        #[sqlx(flatten)]
        link: Link,
    }
    let mut rest = found;
    let mut after = i64::MIN;
    loop {
        let stored: Vec<Stored> = sqlx::query_as(
            "SELECT account, state, identity_source, identity_id, rule, candidates, doubt
             FROM links WHERE account > ?1 ORDER BY account LIMIT ?2",
        )
        .bind(after)
        .bind(WINDOW as i64)
        .fetch_all(&mut *connection)
        .await?;
        // Past the last stored one everything is fresh.
        let (last, whole) = match stored.last() {
            Some(last) if stored.len() == WINDOW => (last.account, false),
            Some(_) | None => (i64::MAX, true),
        };
        let upto = rest.partition_point(|(account, _)| *account <= last);
        let (here, beyond) = rest.split_at(upto.min(rest.len()));
        rest = beyond;
        let mut stored = stored.into_iter().peekable();
        let mut gone: Vec<i64> = Vec::new();
        let mut fresh: Vec<(i64, Link)> = Vec::new();
        for (account, found) in here {
            while let Some(old) = stored.next_if(|old| old.account < *account) {
                gone.push(old.account);
            }
            let link = Link::of(found, known);
            match stored.next_if(|old| old.account == *account) {
                Some(old) if old.link == link => {}
                Some(_) | None => fresh.push((*account, link)),
            }
            if fresh.len() >= WINDOW {
                put(connection, &fresh).await?;
                fresh.clear();
            }
        }
        gone.extend(stored.map(|old| old.account));
        drop_links(connection, &gone).await?;
        put(connection, &fresh).await?;
        if whole {
            return Ok(());
        }
        after = last;
    }
}

async fn drop_links(connection: &mut SqliteConnection, gone: &[i64]) -> Result<(), StoreError> {
    for part in gone.chunks(1000) {
        let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM links WHERE account IN (");
        let mut list = delete.separated(", ");
        for account in part {
            list.push_bind(*account);
        }
        delete.push(")");
        delete.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn put(connection: &mut SqliteConnection, fresh: &[(i64, Link)]) -> Result<(), StoreError> {
    for part in fresh.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT OR REPLACE INTO links (account, state, identity_source, identity_id, rule, candidates, doubt) ",
        );
        insert.push_values(part, |mut values, (account, link)| {
            values
                .push_bind(*account)
                .push_bind(link.state)
                .push_bind(link.identity_source)
                .push_bind(link.identity_id.as_deref())
                .push_bind(link.rule.as_str())
                .push_bind(link.candidates.as_deref())
                .push_bind(link.doubt.as_deref());
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}
