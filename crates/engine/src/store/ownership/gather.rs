//! What has to be known before anything can be said of one object: who is meant by which name.
//!
//! Facts pass by twice: first for what they ask, then for what follows. Between the two stays
//! what was asked for, and some numbers for each account; never the facts of a million of them.

use super::super::blocks::{self, At, Columns};
use super::super::names::{Names, NumberSet};
use super::super::{Store, StoreError, every};
use super::decisions::{OwnerVerdict, in_force};
use super::known::{
    Known, Line, Listed, id_numbers, login_number, object_number, once_there, record_number,
};
use super::teams::Teams;
use crate::correlate::folded;
use crate::ownership::{Clue, Key, OwnerState, People, Person, Pointer, Subject, Wanted, clues};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{
    Account, AccountKind, Credential, Identity, IdentityKind, IdentityStatus, Location, Owner,
};
use lastkey_contract::{Kind, When};
use serde::Deserialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

#[derive(Deserialize)]
pub(super) struct AccountPart<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    #[serde(borrow)]
    pub id: Cow<'t, str>,
    #[serde(borrow)]
    pub name: Option<Cow<'t, str>>,
    pub kind: Option<AccountKind>,
}

#[derive(Deserialize)]
struct IdentityPart<'t> {
    #[serde(borrow)]
    id: Cow<'t, str>,
    kind: IdentityKind,
    #[serde(borrow)]
    display_name: Option<Cow<'t, str>>,
    #[serde(borrow)]
    email: Option<Cow<'t, str>>,
    status: Option<IdentityStatus>,
    #[serde(borrow)]
    manager_id: Option<Cow<'t, str>>,
    end_date: Option<When>,
}

/// What facts ask for.
#[derive(Default)]
pub(super) struct Asked {
    pub wanted: Wanted,
    /// System and login, as numbers.
    logins: NumberSet,
    pub teams: HashSet<String>,
    /// Records of identities whose accounts were asked for.
    records: NumberSet,
}

impl Asked {
    fn clues(&mut self, names: Names, subject: &Subject<'_>) {
        for clue in clues(subject) {
            self.wanted.clue(&clue);
            match &clue.pointer {
                Pointer::Login { system, login } => {
                    self.logins.insert(login_number(names, system, login));
                }
                Pointer::Team(word) => {
                    self.teams.insert(word.clone());
                }
                Pointer::Identity { .. } | Pointer::Mail(_) | Pointer::FullName(_) => {}
            }
        }
    }
}

/// Whether an account is of a sort that somebody else has to answer for.
pub(super) fn is_machine_account(kind: Option<AccountKind>) -> bool {
    match kind {
        Some(AccountKind::Service | AccountKind::Shared | AccountKind::System) => true,
        Some(AccountKind::Human) | None => false,
    }
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
            lines: HashMap::new(),
            decided: in_force(reading, i64::MAX).await?,
            of_people: NumberSet::default(),
            of_machines: HashMap::new(),
            machines: HashMap::new(),
            links: HashMap::new(),
            credentials_of: HashMap::new(),
            teams: HashMap::new(),
            at_places: HashMap::new(),
            once: NumberSet::default(),
        };
        let mut asked = Asked::default();
        known.read_links(reading).await?;
        known.read_machines(reading, &mut asked).await?;
        known.read_lines(reading, &mut asked).await?;
        known.read_accounts(reading, &mut asked).await?;
        let subjects = known.read_credentials(reading, &mut asked).await?;
        known.read_places(reading, &subjects, &mut asked).await?;
        let mut teams = known.read_teams(reading, &asked).await?;
        let logins = known.read_logins(reading, &mut asked, &mut teams).await?;
        let numbers = known.read_people(reading, &asked, now).await?;
        for (system, login, record) in logins {
            if let Some(person) = numbers.get(&record) {
                known.people.add_login(&system, &login, *person);
            }
        }
        known.settle_teams(teams, &numbers);
        known.read_once(reading).await?;
        known.read_places_again(reading, &subjects).await?;
        Ok(known)
    }

    async fn read_links(&mut self, reading: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut after = i64::MIN;
        loop {
            let rows: Vec<(i64, i64, String)> = sqlx::query_as(
                "SELECT account, identity_source, identity_id FROM links
                 WHERE account > ?1 AND identity_source IS NOT NULL AND identity_id IS NOT NULL
                 ORDER BY account LIMIT 20000",
            )
            .bind(after)
            .fetch_all(&mut *reading)
            .await?;
            let Some((last, _, _)) = rows.last() else {
                return Ok(());
            };
            after = *last;
            for (row, source, id) in rows {
                self.links
                    .insert(row, record_number(self.names, source, &id));
            }
        }
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
        let mut objects = Vec::new();
        for (object, source, id, kind) in rows {
            let number = record_number(self.names, source, &id);
            self.machines.insert(number, (source, id));
            if kind == "workload" || kind == "agent" {
                objects.push(object);
            }
        }
        let names = self.names;
        blocks::of_rows(reading, &objects, Columns::Facts, |block, place| {
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
            };
            lines.entry(names.owned(&owner)).or_default().push(line);
            Ok(())
        })
        .await?;
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
            };
            let number = object_number(self.names, &about.object);
            self.lines.entry(number).or_default().push(line);
        }
        Ok(())
    }

    /// Whose each account is, and what those of nobody ask.
    async fn read_accounts(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
    ) -> Result<(), StoreError> {
        let names = self.names;
        every::each(reading, Kind::Account, None, At::Now, |standing| {
            let part: AccountPart<'_> = serde_json::from_str(standing.fact)?;
            let number = names.object(Kind::Account, &[&part.system, &part.id]);
            match self.links.get(&standing.row) {
                Some(record) if self.machines.contains_key(record) => {
                    self.of_machines.insert(number, *record);
                }
                Some(_) => {
                    self.of_people.insert(number);
                }
                None if is_machine_account(part.kind) => {
                    let fact: Account = serde_json::from_str(standing.fact)?;
                    asked.clues(names, &Subject::of_account(standing.source, &fact));
                }
                None => {}
            }
            Ok(())
        })
        .await
    }

    /// The credentials that are no person's own, and what they ask.
    async fn read_credentials(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
    ) -> Result<NumberSet, StoreError> {
        let names = self.names;
        let mut subjects = NumberSet::default();
        every::each(reading, Kind::Credential, None, At::Now, |standing| {
            let fact: Credential = serde_json::from_str(standing.fact)?;
            let number = names.object(Kind::Credential, &[fact.system.as_str(), fact.id.as_str()]);
            let account = self.account_number(&fact);
            if let Some(account) = account
                && self.lines.contains_key(&number)
            {
                let words = format!("credential {}:{}", fact.system, fact.id);
                self.credentials_of
                    .entry(account)
                    .or_default()
                    .push((number, words));
            }
            if account.is_none_or(|account| !self.of_people.contains(&account)) {
                subjects.insert(number);
                asked.clues(names, &Subject::of_credential(standing.source, &fact));
            }
            Ok(())
        })
        .await?;
        Ok(subjects)
    }

    async fn read_places(
        &self,
        reading: &mut SqliteConnection,
        subjects: &NumberSet,
        asked: &mut Asked,
    ) -> Result<(), StoreError> {
        let names = self.names;
        standing_places(names, reading, subjects, |source, _, fact| {
            asked.clues(names, &Subject::of_location(source, fact));
        })
        .await
    }

    /// What is said at the places where a credential stands, once it is known who is meant.
    async fn read_places_again(
        &mut self,
        reading: &mut SqliteConnection,
        subjects: &NumberSet,
    ) -> Result<(), StoreError> {
        let mut found: HashMap<i64, Vec<Clue>> = HashMap::new();
        let (people, teams) = (&self.people, &self.teams);
        standing_places(self.names, reading, subjects, |source, credential, fact| {
            for clue in clues(&Subject::of_location(source, fact)) {
                let meant = match &clue.pointer {
                    Pointer::Team(word) => teams.contains_key(word),
                    pointer => !people.named(pointer).is_empty(),
                };
                if meant {
                    found.entry(credential).or_default().push(clue);
                }
            }
        })
        .await?;
        self.at_places = found;
        Ok(())
    }

    /// The people's accounts that were asked for, by login or as a team's member.
    async fn read_logins(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &mut Asked,
        teams: &mut Teams,
    ) -> Result<Vec<(String, String, i64)>, StoreError> {
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
        every::each(reading, Kind::Account, None, At::Now, |standing| {
            let Some(record) = self.links.get(&standing.row) else {
                return Ok(());
            };
            if self.machines.contains_key(record) {
                return Ok(());
            }
            let part: AccountPart<'_> = serde_json::from_str(standing.fact)?;
            let number = names.object(Kind::Account, &[&part.system, &part.id]);
            for team in members.get(&number).into_iter().flatten() {
                if let Some(found) = teams.all.get_mut(*team) {
                    found.records.insert(*record);
                    asked.records.insert(*record);
                }
            }
            for login in [Some(&part.id), part.name.as_ref()].into_iter().flatten() {
                let login = folded(login);
                if asked
                    .logins
                    .contains(&login_number(names, &part.system, &login))
                {
                    asked.records.insert(*record);
                    logins.push((part.system.clone().into_owned(), login, *record));
                }
            }
            Ok(())
        })
        .await?;
        Ok(logins)
    }

    /// The identities that were asked for, and their managers; their numbers by record.
    async fn read_people(
        &mut self,
        reading: &mut SqliteConnection,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> Result<HashMap<i64, usize>, StoreError> {
        let (names, sources) = (self.names, &self.sources);
        let mut numbers: HashMap<i64, usize> = HashMap::new();
        let people = &mut self.people;
        every::each(reading, Kind::Identity, None, At::Now, |standing| {
            let part: IdentityPart<'_> = serde_json::from_str(standing.fact)?;
            let keys = Key::of(
                &part.id,
                part.email.as_deref(),
                part.display_name.as_deref(),
            );
            let record = record_number(names, standing.source, &part.id);
            if !asked.records.contains(&record) && !asked.wanted.asks_for(&keys) {
                return Ok(());
            }
            let person = Person {
                source: standing.source,
                source_name: sources.get(&standing.source).cloned().unwrap_or_default(),
                id: part.id.into_owned(),
                kind: part.kind,
                display_name: part.display_name.map(Cow::into_owned),
                state: OwnerState::of(part.status, part.end_date, now),
                manager_id: part.manager_id.map(Cow::into_owned),
            };
            numbers.insert(record, people.add(person, keys));
            Ok(())
        })
        .await?;
        let managers: BTreeSet<String> = (0..people.len())
            .filter_map(|n| people.at(n))
            .filter_map(|person| person.manager_id.clone())
            .collect();
        self.read_managers(reading, &managers, &mut numbers, now)
            .await?;
        Ok(numbers)
    }

    async fn read_managers(
        &mut self,
        reading: &mut SqliteConnection,
        managers: &BTreeSet<String>,
        numbers: &mut HashMap<i64, usize>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<&str> = managers
            .iter()
            .flat_map(|id| [Some(id.as_str()), id.split_once(':').map(|(_, id)| id)])
            .flatten()
            .collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        for part in ids.chunks(500) {
            let mut select = QueryBuilder::<Sqlite>::new(
                "SELECT source, id, kind, display_name, email, status, manager_id, end_date
                 FROM people WHERE id IN (",
            );
            let mut list = select.separated(", ");
            for id in part {
                list.push_bind(*id);
            }
            select.push(") ORDER BY id, source");
            let rows: Vec<Listed> = select.build_query_as().fetch_all(&mut *reading).await?;
            for row in rows {
                let record = record_number(self.names, row.source, &row.id);
                if numbers.contains_key(&record) {
                    continue;
                }
                let keys = Key::of(&row.id, row.email.as_deref(), row.display_name.as_deref());
                let source_name = self.sources.get(&row.source).cloned().unwrap_or_default();
                let person = row.person(source_name, now);
                numbers.insert(record, self.people.add(person, keys));
            }
        }
        Ok(())
    }

    /// Which of the owners whom no source has were there once.
    async fn read_once(&mut self, reading: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut missing = NumberSet::default();
        for line in self.lines.values().flatten() {
            if self.people.referred(&line.owner_id, line.source).is_empty() {
                missing.extend(id_numbers(self.names, &line.owner_id));
            }
        }
        self.once = once_there(reading, &missing).await?;
        Ok(())
    }
}

/// Takes every place where one of these credentials stands by its id.
async fn standing_places(
    names: Names,
    reading: &mut SqliteConnection,
    subjects: &NumberSet,
    mut take: impl FnMut(i64, i64, &Location),
) -> Result<(), StoreError> {
    every::each(reading, Kind::Location, None, At::Now, |standing| {
        let fact: Location = serde_json::from_str(standing.fact)?;
        let Some(id) = &fact.credential_id else {
            return Ok(());
        };
        let system = fact.credential_system.as_ref().unwrap_or(&fact.system);
        let number = names.object(Kind::Credential, &[system.as_str(), id.as_str()]);
        if subjects.contains(&number) {
            take(standing.source, number, &fact);
        }
        Ok(())
    })
    .await
}
