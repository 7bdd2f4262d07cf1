//! What waits for a decision, in windows, and all that is known of one account's link.

use super::blocks::{self, Block, Columns, Which};
use super::decisions::{AccountName, Decision, RecordName};
use super::link_rules::Bases;
use super::linked::linked;
use super::links::{Link, LinkState};
use super::roster::{Set, Wanted};
use super::sources::supplements;
use super::{PersonRow, Store, StoreError, named};
use crate::correlate::{AccountKeys, AccountSeen, Confidence, IdentityKeys, Seen};
use crate::lifecycle::Basis;
use lastkey_contract::Kind;
use lastkey_contract::facts::{Account, Identity};
use sqlx::{QueryBuilder, Sqlite};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// An account and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkedAccount {
    pub source: i64,
    pub source_name: String,
    /// Whether the source only adds to what others have.
    pub supplement: bool,
    pub account: Account,
    pub state: LinkState,
    /// The record that it is, or was, of.
    pub record: Option<RecordName>,
    pub rule: String,
    /// `source:id` of those it could be of; of very many not all.
    pub candidates: Vec<String>,
    /// See `correlate::Doubt`.
    pub doubt: Option<String>,
    /// How sure the rule is; None where somebody decided, or no rule leads to anybody.
    pub confidence: Option<Confidence>,
    /// How it is known; None where no rule leads to anybody.
    pub basis: Option<Basis>,
}

/// A link with its account's row.
#[derive(sqlx::FromRow)]
struct StoredLink {
    account: i64,
    #[sqlx(flatten)]
    link: Link,
}

/// Persons whom a person with several records would be, and what speaks against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonDoubtRow {
    pub rule: String,
    pub reason: String,
    pub records: Vec<String>,
    pub count: u64,
}

/// A person with several records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedRow {
    pub person: u32,
    /// Each with what joined it.
    pub records: Vec<(RecordName, String)>,
}

/// Whose holders are asked for: of an account, or of an identity's id in any source.
#[derive(Clone, Copy, Debug)]
pub enum Holders<'a> {
    Account(&'a AccountName),
    Identity(&'a str),
}

/// How many people a word of a search may lead to; more tell nothing.
const LOOKED_AT: usize = 300;

impl Store {
    /// How many accounts stand how.
    pub async fn link_counts(&self) -> Result<Vec<(LinkState, u64)>, StoreError> {
        let counted = self.count_links();
        self.recall(|kept| &mut kept.link_counts, counted).await
    }

    async fn count_links(&self) -> Result<Vec<(LinkState, u64)>, StoreError> {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT state, count(*) FROM links GROUP BY state ORDER BY state")
                .fetch_all(self.readers())
                .await?;
        rows.into_iter()
            .map(|(state, count)| Ok((LinkState::from_number(state)?, count.cast_unsigned())))
            .collect()
    }

    /// A window of the accounts that stand so, in the order in which they were stored.
    pub async fn links_window(
        &self,
        state: LinkState,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<LinkedAccount>, StoreError> {
        let rows: Vec<i64> = sqlx::query_scalar(
            "SELECT account FROM links WHERE state = ?1 ORDER BY account LIMIT ?2 OFFSET ?3",
        )
        .bind(state.number())
        .bind(limit)
        .bind(offset.cast_signed())
        .fetch_all(self.readers())
        .await?;
        self.linked_accounts(&rows).await
    }

    /// How an account stands; once for each source that carries it.
    pub async fn link_of(&self, account: &AccountName) -> Result<Vec<LinkedAccount>, StoreError> {
        let key = named(&account.system, &account.id);
        let mut rows = Vec::new();
        let wanted = self.names()?.key(Kind::Account, &key);
        let mut connection = self.readers().acquire().await?;
        blocks::each(
            &mut connection,
            &Which::now(Kind::Account),
            Columns::Marks,
            |block| {
                let of_key = |place: &usize| block.keys.get(*place) == Some(&wanted);
                rows.extend(block.places().filter(of_key).map(|place| block.row(place)));
                Ok(())
            },
        )
        .await?;
        drop(connection);
        self.linked_accounts(&rows).await
    }

    pub(super) async fn linked_accounts(
        &self,
        rows: &[i64],
    ) -> Result<Vec<LinkedAccount>, StoreError> {
        let mut accounts: Vec<(i64, i64, Account)> = Vec::new();
        let mut connection = self.readers().acquire().await?;
        blocks::of_rows(&mut connection, rows, Columns::Facts, |block, place| {
            let account = serde_json::from_str(block.fact(place)?)?;
            accounts.push((block.row(place), block.source, account));
            Ok(())
        })
        .await?;
        let names = self.source_names().await?;
        let bases = Bases::read(&mut connection).await?;
        let beside = supplements(&mut connection).await?;
        let mut links: HashMap<i64, Link> = HashMap::new();
        for part in rows.chunks(500) {
            let mut sql = QueryBuilder::<Sqlite>::new(
                "SELECT account, state, identity_source, identity_id, rule, candidates, doubt
                 FROM links WHERE account IN (",
            );
            let mut list = sql.separated(", ");
            for row in part {
                list.push_bind(*row);
            }
            sql.push(")");
            let part: Vec<StoredLink> = sql.build_query_as().fetch_all(&mut *connection).await?;
            links.extend(part.into_iter().map(|stored| (stored.account, stored.link)));
        }
        let mut found = Vec::with_capacity(accounts.len());
        for (row, source, account) in accounts {
            // What was read since links were made is linked at the end of its sync.
            let Some(link) = links.remove(&row) else {
                continue;
            };
            found.push(linked(link, source, account, &names, &bases, &beside)?);
        }
        Ok(found)
    }

    /// A window of the persons with several records, and how many there are.
    pub async fn joined_persons(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<JoinedRow>, u64), StoreError> {
        let (total,): (i64,) = sqlx::query_as("SELECT count(DISTINCT person) FROM person_records")
            .fetch_one(self.readers())
            .await?;
        let rows: Vec<(u32, String, String, String)> = sqlx::query_as(
            "SELECT r.person, s.name, r.id, r.how FROM person_records r
             JOIN sources s ON s.id = r.source WHERE r.person IN
               (SELECT DISTINCT person FROM person_records ORDER BY person LIMIT ?1 OFFSET ?2)
             ORDER BY r.person, r.place",
        )
        .bind(limit)
        .bind(offset.cast_signed())
        .fetch_all(self.readers())
        .await?;
        let mut persons: Vec<JoinedRow> = Vec::new();
        for (person, source, id, how) in rows {
            let record = (RecordName { source, id }, how);
            match persons.last_mut().filter(|last| last.person == person) {
                Some(last) => last.records.push(record),
                None => persons.push(JoinedRow {
                    person,
                    records: vec![record],
                }),
            }
        }
        Ok((persons, total.cast_unsigned()))
    }

    /// A window of the records that a rule would join and did not, and how many such there are.
    pub async fn person_doubts(
        &self,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<PersonDoubtRow>, u64), StoreError> {
        let (total,): (i64,) = sqlx::query_as("SELECT count(*) FROM person_doubts")
            .fetch_one(self.readers())
            .await?;
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT rule, reason, records, count FROM person_doubts ORDER BY id LIMIT ?1 OFFSET ?2",
        )
        .bind(limit)
        .bind(offset.cast_signed())
        .fetch_all(self.readers())
        .await?;
        let rows = rows
            .into_iter()
            .map(|(rule, reason, records, count)| {
                Ok(PersonDoubtRow {
                    rule,
                    reason,
                    records: serde_json::from_str(&records)?,
                    count: count.cast_unsigned(),
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((rows, total.cast_unsigned()))
    }

    /// The records that a text names, each as it is and not as its person: a bare id, or
    /// `source:id`.
    pub async fn find_records(&self, text: &str) -> Result<Vec<RecordName>, StoreError> {
        let sql = "SELECT s.name, p.id FROM people p JOIN sources s ON s.id = p.source";
        let bare: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{sql} WHERE p.id = ?1 ORDER BY s.name"
        )))
        .bind(text)
        .fetch_all(self.readers())
        .await?;
        let found = match text.split_once(':') {
            Some((source, id)) if bare.is_empty() => {
                sqlx::query_as(sqlx::AssertSqlSafe(format!(
                    "{sql} WHERE p.id = ?2 AND s.name = ?1"
                )))
                .bind(source)
                .bind(id)
                .fetch_all(self.readers())
                .await?
            }
            Some(_) | None => bare,
        };
        let record = |(source, id)| RecordName { source, id };
        Ok(found.into_iter().map(record).collect())
    }

    /// The current fact of a record.
    pub async fn record_fact(&self, record: &RecordName) -> Result<Option<Identity>, StoreError> {
        Ok(self.record_of_source(record).await?.map(|(_, fact)| fact))
    }

    /// What a record is matched by.
    pub async fn record_keys(
        &self,
        record: &RecordName,
    ) -> Result<Option<IdentityKeys>, StoreError> {
        let found = self.record_of_source(record).await?;
        Ok(found.map(|(source, fact)| IdentityKeys::of(source, &fact)))
    }

    /// What a record that is not listed now was matched by last.
    async fn keys_once(&self, record: &RecordName) -> Result<Option<IdentityKeys>, StoreError> {
        let found = self.records_once(&record.to_string()).await?;
        let once = found.into_iter().find(|once| once.record == *record);
        Ok(once.map(|once| IdentityKeys::of(once.source, &once.fact)))
    }

    /// The current fact of a record, with the row of its source.
    async fn record_of_source(
        &self,
        record: &RecordName,
    ) -> Result<Option<(i64, Identity)>, StoreError> {
        let found: Option<(i64, i64)> = sqlx::query_as(
            "SELECT p.object, p.source FROM people p JOIN sources s ON s.id = p.source
             WHERE s.name = ?1 AND p.id = ?2",
        )
        .bind(&record.source)
        .bind(&record.id)
        .fetch_optional(self.readers())
        .await?;
        match found {
            Some((object, source)) => Ok(Some((source, self.identity_fact(object).await?))),
            None => Ok(None),
        }
    }

    /// What tells the holders of one id apart, version by version, oldest first.
    pub async fn holders(&self, of: Holders<'_>) -> Result<Vec<(i64, Seen)>, StoreError> {
        let (kind, key) = match of {
            Holders::Account(account) => (Kind::Account, named(&account.system, &account.id)),
            Holders::Identity(id) => (Kind::Identity, id.to_owned()),
        };
        let key = key.as_str();
        let wanted = self.names()?.key(kind, key);
        let mut rows = Vec::new();
        let mut connection = self.readers().acquire().await?;
        blocks::each(
            &mut connection,
            &Which::ever(kind),
            Columns::Marks,
            |block| {
                let of_key = |place: &usize| block.keys.get(*place) == Some(&wanted);
                rows.extend(block.places().filter(of_key).map(|place| block.row(place)));
                Ok(())
            },
        )
        .await?;
        rows.sort_unstable();
        let mut seen = Vec::new();
        blocks::of_rows(
            &mut connection,
            &rows,
            Columns::Facts,
            |block: &Block, place| {
                let fact = block.fact(place)?;
                let holder = match of {
                    Holders::Identity(_) => Seen::of_identity(&serde_json::from_str(fact)?),
                    Holders::Account(_) => Seen::of_account(&serde_json::from_str(fact)?),
                };
                seen.push((block.source, holder));
                Ok(())
            },
        )
        .await?;
        Ok(seen)
    }

    /// People whom these words lead to, at most so many of each word, in the words' order.
    pub async fn people_called(&self, words: &[String]) -> Result<Vec<PersonRow>, StoreError> {
        let size = self.roster_size().await?;
        let mut numbers: Vec<u32> = Vec::new();
        for word in words {
            let wanted = [Wanted::Beginning(word.clone())];
            let found: Set = self.roster_search(&wanted, size).await?;
            for number in found.numbers().take(LOOKED_AT) {
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            if numbers.len() >= LOOKED_AT {
                break;
            }
        }
        let objects = self.roster_rows(&numbers).await?;
        self.person_rows(&objects).await
    }

    /// What is known now of both sides of decisions, to be kept with them; the accounts and
    /// records that are not there.
    pub async fn seen_now(
        &self,
        decisions: &[Decision],
    ) -> Result<(Vec<serde_json::Value>, Vec<String>), StoreError> {
        let keys: Vec<String> = decisions
            .iter()
            .filter_map(|decision| match decision {
                Decision::Of(account, _) | Decision::Nobodys(account) => {
                    Some(named(&account.system, &account.id))
                }
                Decision::Same(..) | Decision::Apart(..) => None,
            })
            .collect();
        let mut accounts: HashMap<String, AccountSeen> = HashMap::new();
        if !keys.is_empty() {
            let found: Vec<(i64, AccountKeys)> =
                self.facts_at(Kind::Account, super::End::Key, &keys).await?;
            for (_, keys) in &found {
                let seen = AccountSeen::of(keys);
                match accounts.entry(named(&keys.system, &keys.id)) {
                    Entry::Occupied(first) => first.into_mut().beside.push(seen),
                    Entry::Vacant(first) => {
                        first.insert(seen);
                    }
                }
            }
        }
        let (mut all, mut missing) = (Vec::with_capacity(decisions.len()), Vec::new());
        for decision in decisions {
            let mut seen = serde_json::Map::new();
            let (account, records) = match decision {
                Decision::Of(account, record) => (Some(account), vec![record]),
                Decision::Nobodys(account) => (Some(account), Vec::new()),
                Decision::Same(a, b) | Decision::Apart(a, b) => (None, vec![a, b]),
            };
            if let Some(account) = account {
                match accounts.get(&named(&account.system, &account.id)) {
                    Some(known) => {
                        seen.insert("account".to_owned(), serde_json::to_value(known)?);
                    }
                    None => missing.push(format!("account `{account}`")),
                }
            }
            for (name, record) in ["identity", "other"].into_iter().zip(records) {
                let keys = match self.record_keys(record).await? {
                    Some(keys) => Some(keys),
                    None => self.keys_once(record).await?,
                };
                match keys {
                    Some(keys) => {
                        let known = serde_json::to_value(Seen::of_identity(&keys))?;
                        seen.insert(name.to_owned(), known);
                    }
                    None => missing.push(format!("identity `{record}`")),
                }
            }
            all.push(seen.into());
        }
        Ok((all, missing))
    }
}
