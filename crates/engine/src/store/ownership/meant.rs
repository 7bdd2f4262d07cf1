//! Whom it means: the identities and accounts that were asked for, by whatever name.

use super::super::StoreError;
use super::super::blocks::{self, Columns, Which};
use super::super::names::NumberSet;
use super::super::outline::{AccountOutline, IdentityOutline};
use super::asked::Asked;
use super::known::{Known, listed_as, login_number, record_number};
use super::teams::Teams;
use crate::correlate::{Persons, folded};
use crate::ownership::{Key, OwnerState, Person};
use chrono::{DateTime, Utc};
use lastkey_contract::{Kind, When};
use sqlx::SqliteConnection;
use std::collections::{BTreeSet, HashMap};

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
        let mut members: HashMap<i64, Vec<usize>> = HashMap::new();
        for (n, found) in teams.all.iter().enumerate() {
            for account in &found.accounts {
                members.entry(*account).or_default().push(n);
            }
        }
        let mut logins = Vec::new();
        if members.is_empty() && asked.logins.is_empty() {
            return Ok(logins);
        }
        let names = self.names;
        let which = Which::now(Kind::Account);
        blocks::each(reading, &which, Columns::Outlined, |block| {
            for place in block.places() {
                let row = block.row(place);
                let record = self.links.get(&row).copied();
                if record.is_none() && !self.unsettled.contains(&row) {
                    continue;
                }
                // A machine's account is somebody's too, and no person's.
                let of_person = record.filter(|record| !self.machines.contains_key(record));
                let number = block.keys.get(place).copied().unwrap_or_default();
                if let (Some(record), Some(teams_of)) = (of_person, members.get(&number)) {
                    asked.records.insert(record);
                    for team in teams_of {
                        if let Some(found) = teams.all.get_mut(*team) {
                            found.records.insert(record);
                        }
                    }
                }
                if asked.logins.is_empty() {
                    continue;
                }
                let account: AccountOutline<'_> = block.outline(place)?;
                let id: &str = &account.id;
                for login in [Some(id), account.name.as_deref()].into_iter().flatten() {
                    let login = folded(login);
                    let number = login_number(names, &account.system, &login);
                    if asked.logins.contains(&number) {
                        asked.records.extend(of_person);
                        logins.push((account.system.to_string(), login, record));
                    }
                }
            }
            Ok(())
        })
        .await?;
        Ok(logins)
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
        let people = &mut self.people;
        let which = Which::now(Kind::Identity);
        blocks::each(&mut *reading, &which, Columns::Outlined, |block| {
            for place in block.places() {
                let one: IdentityOutline<'_> = block.outline(place)?;
                let keys = Key::of(&one.id, one.email.as_deref(), one.display_name.as_deref());
                let record = record_number(names, block.source, &one.id);
                if !asked.records.contains(&record) && !asked.wanted.asks_for(&keys) {
                    continue;
                }
                let end = one.end_date.as_deref().and_then(When::parse);
                let state = OwnerState::of(one.status, end, now);
                let person = person(sources, block.source, &one, state);
                numbers.insert(record, people.add(person, keys));
            }
            Ok(())
        })
        .await?;
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
        let rows = listed_as(&mut *reading, &texts).await?;
        for row in rows {
            let record = record_number(self.names, row.source, &row.id);
            if numbers.contains_key(&record) || !asked(record) {
                continue;
            }
            let keys = Key::of(&row.id, row.email.as_deref(), row.display_name.as_deref());
            let source_name = self.sources.get(&row.source).cloned().unwrap_or_default();
            let person = row.person(source_name, now);
            numbers.insert(record, self.people.add(person, keys));
        }
        Ok(())
    }
}
