//! What has to be known before anything can be said of one object: who is meant by which name.
//!
//! Facts pass by twice: first for what they ask, then for what follows. Between the two stays
//! what was asked for, and some numbers for each account; never the facts of a million of them.

use super::super::blocks::{self, At, Columns};
use super::super::names::NumberSet;
use super::super::{LinkState, Store, StoreError, every};
use super::asked::Asked;
use super::decisions::{OwnerVerdict, in_force};
use super::given_on::{Confirmed, GivenOn};
use super::holds::Holds;
use super::known::{Holder, Known, Line, object_number, record_number};
use crate::correlate::Doubt;
use crate::ownership::{People, Subject};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Identity, Owner};
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// Whose an account is.
#[derive(sqlx::FromRow)]
struct LinkRow {
    account: i64,
    state: i64,
    identity_source: Option<i64>,
    identity_id: Option<String>,
    doubt: Option<String>,
}

impl Known {
    /// Reads everything once for what it asks, then whom that means.
    pub(super) async fn gather(
        store: &Store,
        reading: &mut SqliteConnection,
        now: DateTime<Utc>,
    ) -> Result<Known, StoreError> {
        let mut known = Known {
            names: store.names()?,
            sources: store.source_names().await?,
            people: People::default(),
            holds: Holds::default(),
            lines: HashMap::new(),
            decided: in_force(reading, i64::MAX).await?,
            of_people: NumberSet::default(),
            of_machines: HashMap::default(),
            machines: HashMap::default(),
            answering: Vec::new(),
            links: HashMap::default(),
            unmatched: Vec::new(),
            nobodys: Vec::new(),
            credentials_of: HashMap::new(),
            teams: HashMap::new(),
            at_accounts: HashMap::default(),
            at_places: HashMap::new(),
            given_on: GivenOn::default(),
            gone: HashMap::default(),
            unsettled: NumberSet::default(),
            once: NumberSet::default(),
        };
        let mut asked = Asked::default();
        known.read_machines(reading, &mut asked).await?;
        known.read_links(reading).await?;
        known.read_lines(reading, &mut asked).await?;
        known.read_accounts(reading, &mut asked).await?;
        known.read_peoples(reading).await?;
        let subjects = known.read_credentials(reading, &mut asked).await?;
        known.read_places(reading, &subjects, &mut asked).await?;
        let mut teams = known.read_teams(reading, &asked).await?;
        let logins = known.read_logins(reading, &mut asked, &mut teams).await?;
        let mut numbers = known.read_people(reading, &asked, now).await?;
        known.read_gone(reading, &asked, &mut numbers).await?;
        let persons = store.persons().await?;
        known
            .join_records(reading, &persons, &mut numbers, now)
            .await?;
        known.read_managers(reading, &mut numbers, now).await?;
        for (system, login, record) in logins {
            let person = record.and_then(|record| numbers.get(&record)).copied();
            known.people.add_login(&system, &login, person);
        }
        known.people.settle();
        known.settle_teams(teams, &numbers);
        known.read_places_again(reading, &subjects).await?;
        Ok(known)
    }

    /// The links that do not name a person who is listed, of a million a few thousand: those of
    /// identities that are no people, and those that wait for somebody.
    async fn read_links(&mut self, reading: &mut SqliteConnection) -> Result<(), StoreError> {
        // The smaller table leads, and the index on identities says all that is asked.
        let of_machines: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT l.account, p.source, p.id FROM people p CROSS JOIN links l
             ON l.identity_id = p.id AND l.identity_source = p.source WHERE p.kind <> 'person'",
        )
        .fetch_all(&mut *reading)
        .await?;
        for (account, source, id) in of_machines {
            let record = record_number(self.names, source, &id);
            self.links.insert(account, record);
        }
        let (mut state, mut account) = (0, i64::MAX);
        loop {
            let rows: Vec<LinkRow> = sqlx::query_as(
                "SELECT account, state, identity_source, identity_id, doubt FROM links
                 WHERE state > 0 AND (state, account) > (?1, ?2)
                 ORDER BY state, account LIMIT 20000",
            )
            .bind(state)
            .bind(account)
            .fetch_all(&mut *reading)
            .await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            (state, account) = (last.state, last.account);
            for row in rows {
                self.add_link(row)?;
            }
        }
    }

    fn add_link(&mut self, row: LinkRow) -> Result<(), StoreError> {
        let record = row.identity_source.zip(row.identity_id);
        let number = record
            .as_ref()
            .map(|(source, id)| record_number(self.names, *source, id));
        match number {
            Some(number) => {
                self.links.insert(row.account, number);
            }
            None => self.unmatched.push(row.account),
        }
        match LinkState::from_number(row.state)? {
            LinkState::Linked | LinkState::Unmatched => {}
            LinkState::Gone => {
                if let (Some(number), Some((_, id))) = (number, record) {
                    let key = self.names.key(Kind::Identity, &id);
                    self.gone.insert(number, key);
                }
            }
            LinkState::Ambiguous | LinkState::Nobodys => {
                self.unsettled.insert(row.account);
            }
            LinkState::Possible => match row.doubt.as_deref().and_then(Doubt::from_word) {
                // Nothing speaks against it.
                Some(Doubt::Suggested) => {}
                Some(
                    Doubt::Decided | Doubt::Differs | Doubt::Reused | Doubt::Left | Doubt::Changed,
                )
                | None => {
                    self.unsettled.insert(row.account);
                }
            },
        }
        Ok(())
    }

    /// Identities that are no people, and what those that have owners ask.
    async fn read_machines(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
    ) -> Result<(), StoreError> {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "SELECT object, source, id, kind FROM people WHERE kind <> 'person' ORDER BY object",
        )
        .fetch_all(&mut *reading)
        .await?;
        for (object, source, id, kind) in rows {
            let number = record_number(self.names, source, &id);
            self.machines.insert(number, (source, id));
            if kind == "workload" || kind == "agent" {
                self.answering.push(object);
            }
        }
        let names = self.names;
        blocks::of_rows(reading, &self.answering, Columns::Facts, |block, place| {
            let fact: Identity = serde_json::from_str(block.fact(place)?)?;
            asked.clues(names, &Subject::of_identity(block.source, &fact));
            Ok(())
        })
        .await
    }

    /// Owner lines, those of sources and those that somebody confirmed.
    async fn read_lines(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
    ) -> Result<(), StoreError> {
        let (names, lines) = (self.names, &mut self.lines);
        every::each(reading, Kind::Owner, None, At::Now, |standing| {
            let owner: Owner = serde_json::from_str(standing.fact)?;
            asked.wanted.identity(owner.owner_id.as_str());
            let line = Line {
                source: standing.source,
                owner_id: owner.owner_id.to_string(),
                role: owner.role,
                holder: Holder::Same,
            };
            lines.entry(names.owned(&owner)).or_default().push(line);
            Ok(())
        })
        .await?;
        let confirmed = self.decided.values();
        let confirmed = confirmed.filter(|d| d.what == OwnerVerdict::Confirmed.word());
        let confirmed: Vec<Confirmed<'_>> = confirmed.map(Confirmed::of).collect();
        self.given_on = GivenOn::find(reading, names, &confirmed, At::Now).await?;
        let rows: HashMap<&str, i64> = self
            .sources
            .iter()
            .map(|(row, n)| (n.as_str(), *row))
            .collect();
        for (about, decision) in &self.decided {
            if decision.what != OwnerVerdict::Confirmed.word() {
                continue;
            }
            let owner_id = about.owner.to_string();
            asked.wanted.identity(&owner_id);
            let line = Line {
                source: rows
                    .get(about.owner.source.as_str())
                    .copied()
                    .unwrap_or(super::NO_SOURCE),
                owner_id,
                role: about.role,
                holder: self.given_on.holder(decision.id),
            };
            let number = object_number(self.names, &about.object);
            self.lines.entry(number).or_default().push(line);
        }
        Ok(())
    }
}
