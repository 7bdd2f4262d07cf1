//! Whom it means: the identities and accounts that were asked for, by whatever name.

use super::super::StoreError;
use super::super::blocks::{self, Columns, Which};
use super::super::events::status_said_last;
use super::super::names::NumberSet;
use super::super::outline::{AccountOutline, IdentityOutline};
use super::asked::Asked;
use super::known::{Known, listed_as, login_number, record_number};
use super::teams::Teams;
use crate::correlate::{Persons, folded};
use crate::ownership::{Key, Named, OwnerState, Person};
use chrono::{DateTime, Utc};
use lastkey_contract::{AsTheyAre, Kind, When};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Somebody of a source, by the outline of the record.
pub(super) fn person(
    sources: &HashMap<i64, String>,
    source: i64,
    record: &IdentityOutline<'_>,
    state: OwnerState,
) -> Person {
    Person {
        source,
        source_name: sources.get(&source).cloned().unwrap_or_default(),
        id: record.id.to_string(),
        kind: record.kind,
        display_name: record.display_name.as_deref().map(str::to_owned),
        state,
        manager_id: record.manager_id.as_deref().map(str::to_owned),
    }
}

impl Known {
    /// The accounts that were asked for, by login or as a team's member, and whose each is; None
    /// where that is not known.
    pub(super) async fn read_logins(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
        teams: &mut Teams,
    ) -> Result<Vec<(String, String, Option<i64>)>, StoreError> {
        let mut members: HashMap<i64, Vec<usize>, AsTheyAre> = HashMap::default();
        for (n, found) in teams.all.iter().enumerate() {
            for account in &found.accounts {
                members.entry(*account).or_default().push(n);
            }
        }
        if members.is_empty() && asked.logins.is_empty() {
            return Ok(Vec::new());
        }
        let names = self.names;
        // By row: first who is met, then whose each is.
        let (mut met_members, mut met_logins) = (Vec::new(), Vec::new());
        let columns = match asked.logins.is_empty() {
            true => Columns::Keys,
            false => Columns::Outlined,
        };
        let which = Which::now(Kind::Account);
        blocks::each(reading, &which, columns, |block| {
            for place in block.places() {
                let number = block.key(place)?;
                if members.contains_key(&number) {
                    met_members.push((block.row(place), number));
                }
                if asked.logins.is_empty() {
                    continue;
                }
                let account: AccountOutline<'_> = block.outline(place)?;
                let id: &str = &account.id;
                for login in [Some(id), account.name.as_deref()].into_iter().flatten() {
                    if !asked.wanted.asks_for_login(login) {
                        continue;
                    }
                    let login = folded(login);
                    let number = login_number(names, &account.system, &login);
                    if asked.logins.contains(&number) {
                        met_logins.push((block.row(place), account.system.to_string(), login));
                    }
                }
            }
            Ok(())
        })
        .await?;
        let rows = met_members.iter().map(|(row, _)| *row);
        let rows: BTreeSet<i64> = rows
            .chain(met_logins.iter().map(|(row, ..)| *row))
            .collect();
        let records = self.records_of(reading, rows).await?;
        // A machine's account is somebody's too, and no person's.
        let person = |row: &i64| {
            let record = records.get(row).copied();
            record.filter(|record| !self.machines.contains_key(record))
        };
        for (row, number) in met_members {
            let Some(record) = person(&row) else {
                continue;
            };
            asked.records.insert(record);
            for team in members.get(&number).into_iter().flatten() {
                if let Some(found) = teams.all.get_mut(*team) {
                    found.records.insert(record);
                }
            }
        }
        let mut logins = Vec::new();
        for (row, system, login) in met_logins {
            let record = records.get(&row).copied();
            if record.is_none() && !self.unsettled.contains(&row) {
                continue;
            }
            asked.records.extend(person(&row));
            logins.push((system, login, record));
        }
        Ok(logins)
    }

    /// The records whose accounts some rows are.
    async fn records_of(
        &self,
        reading: &mut SqliteConnection,
        rows: BTreeSet<i64>,
    ) -> Result<HashMap<i64, i64, AsTheyAre>, StoreError> {
        let mut records = HashMap::default();
        let rows: Vec<i64> = rows.into_iter().collect();
        for part in rows.chunks(500) {
            let mut select = QueryBuilder::<Sqlite>::new(
                "SELECT account, identity_source, identity_id FROM links
                 WHERE identity_id IS NOT NULL AND account IN (",
            );
            let mut list = select.separated(", ");
            for row in part {
                list.push_bind(*row);
            }
            select.push(")");
            let found: Vec<(i64, i64, String)> =
                select.build_query_as().fetch_all(&mut *reading).await?;
            for (row, source, id) in found {
                records.insert(row, record_number(self.names, source, &id));
            }
        }
        Ok(records)
    }

    /// The identities that were asked for; their numbers by record.
    pub(super) async fn read_people(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> Result<HashMap<i64, usize>, StoreError> {
        let (names, sources) = (self.names, &self.sources);
        let mut numbers: HashMap<i64, usize> = HashMap::new();
        // Who has no status now has the one that was said last.
        let mut silent: Vec<(usize, (i64, i64), Option<When>)> = Vec::new();
        let (people, holds) = (&mut self.people, &mut self.holds);
        let which = Which::now(Kind::Identity);
        blocks::each(&mut *reading, &which, Columns::Outlined, |block| {
            for place in block.places() {
                let one: IdentityOutline<'_> = block.outline(place)?;
                let named = Named {
                    id: &one.id,
                    email: one.email.as_deref(),
                    display_name: one.display_name.as_deref(),
                };
                let record = record_number(names, block.source, &one.id);
                if !asked.records.contains(&record) && !asked.wanted.asks_for(named) {
                    continue;
                }
                let end = one.end_date.as_deref().and_then(When::parse);
                holds.note(end, now);
                if one.status.is_none() {
                    silent.push((people.len(), (block.source, block.key(place)?), end));
                }
                let state = OwnerState::of(one.status, end, now);
                let person = person(sources, block.source, &one, state);
                numbers.insert(record, people.add(person, Key::of(named)));
            }
            Ok(())
        })
        .await?;
        let mut keys: HashMap<i64, HashSet<i64>> = HashMap::new();
        for (_, (source, key), _) in &silent {
            keys.entry(*source).or_default().insert(*key);
        }
        let said = status_said_last(reading, keys).await?;
        for (number, record, end) in silent {
            let state = OwnerState::of(said.get(&record).copied(), end, now);
            self.people.set_state(number, state);
        }
        Ok(numbers)
    }

    /// The managers of everybody who was taken in so far.
    pub(super) async fn read_managers(
        &mut self,
        reading: &mut SqliteConnection,
        numbers: &mut HashMap<i64, usize>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let managers: BTreeSet<String> = (0..self.people.len())
            .filter_map(|n| self.people.at(n))
            .filter_map(|person| person.manager_id.clone())
            .collect();
        self.take_in(reading, &managers, numbers, now, |_| true)
            .await
    }

    /// The further records of everybody who was taken in so far, and who they are.
    pub(super) async fn join_records(
        &mut self,
        reading: &mut SqliteConnection,
        persons: &Persons,
        numbers: &mut HashMap<i64, usize>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let names = self.names;
        let mut texts = BTreeSet::new();
        let mut wanted: Vec<Vec<i64>> = Vec::new();
        for (_, records) in persons.all() {
            let of_one = records.iter().map(|(s, id)| record_number(names, *s, id));
            let of_one: Vec<i64> = of_one.collect();
            if of_one.iter().any(|record| numbers.contains_key(record)) {
                texts.extend(records.iter().map(|(_, id)| (*id).to_owned()));
                wanted.push(of_one);
            }
        }
        let further: NumberSet = wanted.iter().flatten().copied().collect();
        let asked = |record| further.contains(&record);
        self.take_in(reading, &texts, numbers, now, asked).await?;
        for of_one in wanted {
            let records = of_one.iter().filter_map(|record| numbers.get(record));
            let records: Vec<usize> = records.copied().collect();
            self.people.join(&records);
        }
        Ok(())
    }

    /// Whoever is listed under some texts, but for whom is known already and is not asked for.
    async fn take_in(
        &mut self,
        reading: &mut SqliteConnection,
        texts: &BTreeSet<String>,
        numbers: &mut HashMap<i64, usize>,
        now: DateTime<Utc>,
        asked: impl Fn(i64) -> bool,
    ) -> Result<(), StoreError> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let rows = listed_as(&mut *reading, self.names, &texts).await?;
        for row in rows {
            let record = record_number(self.names, row.source, &row.id);
            if numbers.contains_key(&record) || !asked(record) {
                continue;
            }
            let keys = Key::of(Named {
                id: &row.id,
                email: row.email.as_deref(),
                display_name: row.display_name.as_deref(),
            });
            let source_name = self.sources.get(&row.source).cloned().unwrap_or_default();
            self.holds.note(row.end(), now);
            let person = row.person(source_name, now);
            numbers.insert(record, self.people.add(person, keys));
        }
        Ok(())
    }
}
