//! Accounts and whose they are, one after the other: all of them, those that stand in one way, or
//! those of one person; now, as links have it, or as of a sync.
//!
//! As of a sync links are found anew from the facts of that moment, by the rules and decisions of
//! now: nothing of it is kept.

use super::account_past;
use super::blocks::{self, Again, At, Columns, Which};
use super::detail::PersonLink;
use super::link::Telling;
use super::link_rules::Bases;
use super::links::{Link, LinkState};
use super::outline::Depth;
use super::retention::refuse_before_horizon;
use super::sources::supplements;
use super::{LinkedAccount, RecordName, Store, StoreError, SyncId, ground, persons};
use crate::correlate::{
    AccountKeys, DECISION, Doubt, EARLIER_VALUE, Gathering, Identities, Match, by_earlier_value,
};
use lastkey_contract::facts::Account;
use lastkey_contract::{Kind, SourceName};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{HashMap, HashSet};

/// Which accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhichLinks {
    /// None: however they stand.
    pub state: Option<LinkState>,
    /// None: whoever's they are. Else those of any of these records, and those that may be.
    pub of: Option<Vec<RecordName>>,
}

impl WhichLinks {
    fn takes(&self, link: &LinkedAccount) -> bool {
        self.state.is_none_or(|state| state == link.state)
            && self.of.as_ref().is_none_or(|records| {
                let record = link.record.as_ref();
                record.is_some_and(|record| records.contains(record))
                    || records.iter().any(|record| {
                        let name = record.to_string();
                        link.candidates.contains(&name)
                    })
            })
    }
}

impl Store {
    /// A window of accounts and how they stand now, after the row `after`, in the order in which
    /// they were stored; with the row to go on from, None at the end.
    pub async fn links_after(
        &self,
        which: &WhichLinks,
        after: i64,
        limit: u32,
    ) -> Result<(Vec<LinkedAccount>, Option<i64>), StoreError> {
        self.derive_if_stale().await?;
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT account FROM links WHERE account > ");
        sql.push_bind(after);
        if let Some(state) = which.state {
            sql.push(" AND state = ");
            sql.push_bind(state.number());
        }
        if let Some(records) = &which.of {
            sql.push(" AND account IN (");
            let mut more = sql.separated(" UNION ALL ");
            for record in records {
                more.push(
                    "SELECT l.account FROM links l JOIN sources s ON s.id = l.identity_source
                     WHERE l.identity_id = ",
                );
                more.push_bind_unseparated(record.id.clone());
                more.push_unseparated(" AND s.name = ");
                more.push_bind_unseparated(record.source.clone());
                more.push(
                    "SELECT l.account FROM links l WHERE l.state IN (1, 2) AND l.state > 0
                     AND EXISTS (SELECT 1 FROM json_each(l.candidates) c WHERE c.value = ",
                );
                more.push_bind_unseparated(record.to_string());
                more.push_unseparated(")");
            }
            sql.push(")");
        }
        sql.push(" ORDER BY account LIMIT ");
        sql.push_bind(limit);
        let rows: Vec<i64> = sql.build_query_scalar().fetch_all(self.readers()).await?;
        let more = rows.len() >= limit as usize;
        let next = rows.last().copied().filter(|_| more);
        Ok((self.linked_accounts(&rows).await?, next))
    }

    /// Hands over accounts and how they stood after a sync.
    pub async fn each_link_then<E: From<StoreError>>(
        &self,
        sync: SyncId,
        which: &WhichLinks,
        mut each: impl FnMut(LinkedAccount) -> Result<(), E>,
    ) -> Result<(), E> {
        self.sync_record(sync).await?;
        let at = At::of(Some(sync));
        let sources = self.source_names().await?;
        let of_then = Which {
            at,
            ..Which::now(Kind::Account)
        };
        let mut reading = self.readers().begin().await.map_err(StoreError::from)?;
        let (known, _) = known_then(&mut reading, sync).await?;
        let bases = Bases::read(&mut reading).await?;
        let beside = supplements(&mut reading).await?;
        let mut telling = Telling::of(&known);
        let mut before = -1;
        loop {
            let window = blocks::window(&mut reading, &of_then, Columns::Facts, before).await?;
            let Some(last) = window.last() else {
                return Ok(());
            };
            before = last.id;
            for block in &window {
                for place in block.places() {
                    let text = block.fact(place)?;
                    let account: Account = serde_json::from_str(text).map_err(StoreError::from)?;
                    let found = known.owner_of(&AccountKeys::of(block.source, &account));
                    let link = telling.link(&found);
                    let linked = linked(link, block.source, account, &sources, &bases, &beside)?;
                    if which.takes(&linked) {
                        each(linked)?;
                    }
                }
            }
        }
    }

    /// The accounts of a record's person as they stood after a sync, of all its records of then.
    pub(crate) async fn accounts_then(
        &self,
        record: &RecordName,
        sync: SyncId,
    ) -> Result<Vec<PersonLink>, StoreError> {
        self.sync_record(sync).await?;
        let records = self
            .records_of_then(std::slice::from_ref(record), sync)
            .await?;
        let records: Vec<RecordName> = records.into_iter().flatten().collect();
        let at = At::of(Some(sync));
        let names = self.source_names().await?;
        let of_then = Which {
            at,
            ..Which::now(Kind::Account)
        };
        let mut reading = self.readers().begin().await?;
        let (known, depth) = known_then(&mut reading, sync).await?;
        let bases = Bases::read(&mut reading).await?;
        // Whose an account is, outlines tell; facts are read of those that are theirs.
        let mut rules: HashMap<i64, String> = HashMap::new();
        blocks::each(&mut reading, &of_then, depth.columns(), |block| {
            for place in block.places() {
                let (keys, _) = depth.account(block, place)?;
                let Match::One { identity, rule } = known.owner_of(&keys) else {
                    continue;
                };
                let source = names.get(&known.source(identity));
                let theirs = records.iter().any(|record| {
                    record.id == known.id(identity) && Some(&record.source) == source
                });
                if theirs {
                    rules.insert(block.row(place), known.rule_name(rule).to_owned());
                }
            }
            Ok(())
        })
        .await?;
        drop(known);
        let mut rows: Vec<i64> = rules.keys().copied().collect();
        rows.sort_unstable();
        let mut found = Vec::new();
        blocks::of_rows(&mut reading, &rows, Columns::Facts, |block, place| {
            let account: Account = serde_json::from_str(block.fact(place)?)?;
            let rule = rules.remove(&block.row(place)).unwrap_or_default();
            let source = names.get(&block.source).cloned().unwrap_or_default();
            found.push(PersonLink {
                basis: bases.of(&source, &rule),
                source,
                rule,
                account,
            });
            Ok(())
        })
        .await?;
        let key = |link: &PersonLink| (link.account.system.clone(), link.account.id.clone());
        found.sort_by_key(key);
        Ok(found)
    }
}

/// The identities as of a sync, ready to find whose an account is, and how deep accounts have to be
/// read for it.
async fn known_then(
    connection: &mut SqliteConnection,
    sync: SyncId,
) -> Result<(Identities, Depth), StoreError> {
    refuse_before_horizon(connection, sync, None).await?;
    known_at(connection, At::of(Some(sync))).await
}

/// The same of any moment.
pub(super) async fn known_at(
    connection: &mut SqliteConnection,
    at: At,
) -> Result<(Identities, Depth), StoreError> {
    let (ground, depth) = ground::at_moment(connection, at, &mut Again::none()).await?;
    let mut gathering = Gathering::new(ground);
    let which = Which {
        at,
        ..Which::now(Kind::Identity)
    };
    blocks::each(connection, &which, depth.columns(), |block| {
        block.places().try_for_each(|place| {
            let (keys, _) = depth.identity(block, place)?;
            gathering.add(&keys);
            Ok(())
        })
    })
    .await?;
    let mut known = gathering.done(persons::at_moment(connection, at).await?.0);
    account_past::remember(connection, at, &mut known, &mut Again::none()).await?;
    Ok((known, depth))
}

impl Store {
    /// Accounts of which only what a source said before tells whose they are, or that they are in
    /// doubt: once it is removed nothing does. How many, and some of them.
    pub async fn known_by_the_past_of(
        &self,
        source: &SourceName,
    ) -> Result<(u64, Vec<String>), StoreError> {
        let row = self.source(source).await?.id;
        let (mut count, mut some, mut after) = (0, Vec::new(), 0i64);
        loop {
            let rows: Vec<i64> = sqlx::query_scalar(
                "SELECT account FROM links WHERE account > ?1
                 AND (doubt IN ('left', 'changed') OR state = ?2 OR rule LIKE '%' || ?3)
                 ORDER BY account LIMIT 5000",
            )
            .bind(after)
            .bind(LinkState::Gone.number())
            .bind(EARLIER_VALUE)
            .fetch_all(self.readers())
            .await?;
            let Some(last) = rows.last() else {
                return Ok((count, some));
            };
            after = *last;
            let begins = format!("{source}:");
            for linked in self.linked_accounts(&rows).await? {
                let doubt = linked.doubt.as_deref().and_then(Doubt::from_word);
                let own = by_earlier_value(&linked.rule).is_some() || doubt == Some(Doubt::Changed);
                let of = linked
                    .candidates
                    .iter()
                    .any(|name| name.starts_with(&begins))
                    || linked
                        .record
                        .as_ref()
                        .is_some_and(|record| record.source == source.as_str());
                let kept = match own {
                    true => linked.source == row,
                    false => of && linked.rule != DECISION,
                };
                if kept {
                    count += 1;
                    if some.len() < SOME {
                        some.push(format!("{}:{}", linked.account.system, linked.account.id));
                    }
                }
            }
        }
    }
}

/// How many of them are named.
const SOME: usize = 5;

/// An account with its link; sources beside are those that only add to what others have.
pub(super) fn linked(
    link: Link,
    source: i64,
    account: Account,
    names: &HashMap<i64, String>,
    bases: &Bases,
    beside: &HashSet<i64>,
) -> Result<LinkedAccount, StoreError> {
    let Link {
        state,
        identity_source,
        identity_id,
        rule,
        candidates,
        doubt,
    } = link;
    let name = |source: i64| names.get(&source).cloned().unwrap_or_default();
    let record = |(source, id): (i64, String)| RecordName {
        source: name(source),
        id,
    };
    let source_name = name(source);
    let by_rule = !rule.is_empty();
    Ok(LinkedAccount {
        confidence: bases.sure(&source_name, &rule),
        basis: by_rule.then(|| bases.of(&source_name, &rule)),
        source,
        source_name,
        supplement: beside.contains(&source),
        account,
        state: LinkState::from_number(state)?,
        record: identity_source.zip(identity_id).map(record),
        rule,
        candidates: serde_json::from_str(candidates.as_deref().unwrap_or("[]"))?,
        doubt,
    })
}
