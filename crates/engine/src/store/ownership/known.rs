//! What the second pass over the facts knows of each object's surroundings: its lines, its owners,
//! its links, by number.

use super::super::StoreError;
use super::super::blocks::{self, Columns, Which};
use super::super::events::status_said_last;
pub(super) use super::super::names::id_numbers;
use super::super::names::{Names, NumberSet};
use super::decisions::{OwnedBy, OwnerDecision};
use super::given_on::GivenOn;
use super::holds::Holds;
use crate::ownership::{Clue, ObjectName, OwnerState, People, Person, Team};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Credential, IdentityKind, IdentityStatus, ObjectType, OwnerRole};
use lastkey_contract::{AsTheyAre, Kind, When};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeSet, HashMap, HashSet};

/// An owner line, as its source or a decision has it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The source whose line it is, or whose identity was confirmed.
    pub source: i64,
    pub owner_id: String,
    pub role: OwnerRole,
    pub holder: Holder,
}

/// Whether the id of an owner is still that of whom the line was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Same,
    /// It seems to have been given to somebody else since somebody confirmed the owner.
    Another,
}

/// Everything that is asked for when something is said of one object.
pub(super) struct Known {
    pub names: Names,
    pub sources: HashMap<i64, String>,
    pub people: People,
    /// Of whose last days what is said depends.
    pub holds: Holds,
    /// By what they own.
    pub lines: HashMap<i64, Vec<Line>>,
    pub decided: HashMap<OwnedBy, OwnerDecision>,
    /// Of the accounts of credentials those that are a person's.
    pub of_people: NumberSet,
    /// Whose a machine's account is.
    pub of_machines: HashMap<i64, i64, AsTheyAre>,
    /// Workloads, agents and vendors by their record's number.
    pub machines: HashMap<i64, (i64, String), AsTheyAre>,
    /// Rows of the workloads and agents: somebody has to answer for each.
    pub answering: Vec<i64>,
    /// The records of accounts, by row: of machines, and of those whom no source lists now.
    pub links: HashMap<i64, i64, AsTheyAre>,
    /// Rows of the accounts whose link names nobody.
    pub unmatched: Vec<i64>,
    /// Rows of the accounts of a sort that somebody has to answer for, and nobody's.
    pub nobodys: Vec<i64>,
    /// Credentials that have owner lines, by their account.
    pub credentials_of: HashMap<i64, Vec<(i64, String)>>,
    /// By the words that may name them.
    pub teams: HashMap<String, Vec<Team>>,
    /// What the accounts of a machine say, by its record.
    pub at_accounts: HashMap<i64, Vec<Clue>, AsTheyAre>,
    /// What the places where a credential stands say.
    pub at_places: HashMap<i64, Vec<Clue>>,
    /// Confirmations since which the owner's id seems to have been given on.
    pub given_on: GivenOn,
    /// Records that have accounts and that no source lists now, with the number of their id.
    pub gone: HashMap<i64, i64, AsTheyAre>,
    /// Rows of accounts of which it is not known whose they are, and of those that were decided to
    /// be nobody's: a person of a like name is not meant by their logins.
    pub unsettled: NumberSet,
    /// Owners that some source had once.
    pub once: NumberSet,
}

/// The number of an identity's record.
pub(super) fn record_number(names: Names, source: i64, id: &str) -> i64 {
    names.joined(&["record", &source.to_string(), id])
}

/// The number of an object as references name it; an identity with its source in front.
pub(super) fn object_number(names: Names, object: &ObjectName) -> i64 {
    match object.kind {
        ObjectType::Identity => {
            let id = format!("{}:{}", object.system, object.id);
            names.object(Kind::Identity, &[&id])
        }
        ObjectType::Account => names.object(Kind::Account, &[&object.system, &object.id]),
        ObjectType::Credential => names.object(Kind::Credential, &[&object.system, &object.id]),
        ObjectType::Location => names.object(Kind::Location, &[&object.system, &object.id]),
        ObjectType::Entitlement => names.object(Kind::Entitlement, &[&object.system, &object.id]),
    }
}

pub(super) fn login_number(names: Names, system: &str, login: &str) -> i64 {
    names.joined(&["login", system, login])
}

impl Known {
    /// The number of a credential's account.
    pub(super) fn account_number(&self, fact: &Credential) -> Option<i64> {
        let id = fact.account_id.as_ref()?;
        let account = self
            .names
            .object(Kind::Account, &[fact.system.as_str(), id.as_str()]);
        Some(account)
    }

    /// Whether the owner of a line is there.
    pub(super) fn state(&self, line: &Line) -> OwnerState {
        let found = self.people.referred(&line.owner_id, line.source);
        if line.holder == Holder::Another && !found.is_empty() {
            return OwnerState::InDoubt;
        }
        let persons = self.people.persons(&line.owner_id, line.source);
        let state = self.people.state_of(&persons);
        state.unwrap_or_else(|| absent(self.names, &self.once, &line.owner_id))
    }

    /// What the owner of a line is called, where it is one who is listed.
    pub(super) fn owner_name(&self, line: &Line) -> Option<String> {
        let persons = self.people.persons(&line.owner_id, line.source);
        let [one] = persons.as_slice() else {
            return None;
        };
        let here = self.people.state_of(&persons) != Some(OwnerState::Absent);
        let person = self.people.at(*one).filter(|_| here)?;
        person.display_name.clone()
    }

    /// The lines about an object of a source.
    pub(super) fn lines_of(&self, object: &ObjectName, source: i64) -> Vec<&Line> {
        let explicit = self.lines.get(&object_number(self.names, object));
        let bare = match object.kind {
            ObjectType::Identity => self
                .lines
                .get(&self.names.object(Kind::Identity, &[&object.id])),
            ObjectType::Account
            | ObjectType::Credential
            | ObjectType::Location
            | ObjectType::Entitlement => None,
        };
        // A bare id means the source's own identity before others.
        let here = |line: &&Line| {
            let own = record_number(self.names, line.source, &object.id);
            line.source == source || !self.machines.contains_key(&own)
        };
        let bare = bare.into_iter().flatten().filter(here);
        explicit.into_iter().flatten().chain(bare).collect()
    }
}

/// Which of these identities any source ever had.
pub(super) async fn once_there(
    reading: &mut SqliteConnection,
    missing: &NumberSet,
) -> Result<NumberSet, StoreError> {
    let mut once = NumberSet::default();
    if missing.is_empty() {
        return Ok(once);
    }
    let ever = Which::ever(Kind::Identity);
    blocks::each(reading, &ever, Columns::Marks, |block| {
        once.extend(block.keys.iter().filter(|key| missing.contains(*key)));
        Ok(())
    })
    .await?;
    Ok(once)
}

/// The state of an owner whom no source has.
pub(super) fn absent(names: Names, once: &NumberSet, text: &str) -> OwnerState {
    match id_numbers(names, text)
        .iter()
        .any(|number| once.contains(number))
    {
        true => OwnerState::Absent,
        false => OwnerState::Unknown,
    }
}

/// A row of the list of people, as an owner is judged by it.
#[derive(sqlx::FromRow)]
pub(super) struct Listed {
    pub source: i64,
    pub id: String,
    pub kind: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub status: Option<String>,
    pub manager_id: Option<String>,
    pub end_date: Option<String>,
}

/// Whoever is listed under the ids that some texts refer to: bare ids, or `source:id`. Who has no
/// status now has the one that was said last.
pub(super) async fn listed_as(
    connection: &mut SqliteConnection,
    names: Names,
    texts: &[&str],
) -> Result<Vec<Listed>, StoreError> {
    let ids: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| [Some(*text), text.split_once(':').map(|(_, id)| id)])
        .flatten()
        .collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut all: Vec<Listed> = Vec::new();
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
        all.extend(
            select
                .build_query_as::<Listed>()
                .fetch_all(&mut *connection)
                .await?,
        );
    }
    let mut silent: HashMap<i64, HashSet<i64>> = HashMap::new();
    for row in all.iter().filter(|row| row.status.is_none()) {
        let keys = silent.entry(row.source).or_default();
        keys.insert(names.key(Kind::Identity, &row.id));
    }
    let said = status_said_last(connection, silent).await?;
    for row in all.iter_mut().filter(|row| row.status.is_none()) {
        let key = names.key(Kind::Identity, &row.id);
        let said = said.get(&(row.source, key));
        row.status = said.map(|status| status.word().to_owned());
    }
    Ok(all)
}

impl Listed {
    /// The last day, where one is said.
    pub(super) fn end(&self) -> Option<When> {
        self.end_date.as_deref().and_then(When::parse)
    }

    pub(super) fn person(self, source_name: String, now: DateTime<Utc>) -> Person {
        let status = self.status.as_deref().and_then(IdentityStatus::from_word);
        let end = self.end();
        Person {
            source: self.source,
            source_name,
            kind: IdentityKind::from_word(&self.kind).unwrap_or(IdentityKind::Person),
            display_name: self.display_name,
            state: OwnerState::of(status, end, now),
            manager_id: self.manager_id,
            id: self.id,
        }
    }
}

/// Of all persons who have a record under one of these ids, the records: person, source and id,
/// those first whose attributes go first.
pub(super) async fn joined_as(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<&str>,
) -> Result<Vec<(i64, i64, String)>, StoreError> {
    let ids: Vec<&str> = ids.iter().copied().collect();
    let mut all = Vec::new();
    for part in ids.chunks(500) {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT DISTINCT r.person, r.source, r.id, r.place FROM person_records m
             JOIN person_records r ON r.person = m.person
             WHERE m.source IN (SELECT id FROM sources) AND m.id IN (",
        );
        let mut list = select.separated(", ");
        for id in part {
            list.push_bind(*id);
        }
        select.push(") ORDER BY r.person, r.place");
        let rows: Vec<(i64, i64, String, i64)> =
            select.build_query_as().fetch_all(&mut *connection).await?;
        all.extend(
            rows.into_iter()
                .map(|(person, source, id, _)| (person, source, id)),
        );
    }
    Ok(all)
}
