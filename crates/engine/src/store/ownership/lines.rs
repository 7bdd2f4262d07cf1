//! The owner lines about one identity, straight from the facts: for its page.

use super::super::blocks::At;
use super::super::names::{End, NumberSet};
use super::super::objects::UNIT;
use super::super::{PersonRow, RecordName, Store, StoreError};
use super::decisions::{OwnerDecision, OwnerVerdict};
use super::given_on::{Confirmed, GivenOn};
use super::known::{absent, id_numbers, joined_as, listed_as, once_there};
use crate::lifecycle::Basis;
use crate::ownership::{Key, ObjectName, OwnerState, People, Person};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::{IdentityKind, ObjectType, Owner, OwnerRole};
use std::collections::{HashMap, HashSet};

/// An owner line with whether the owner is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerLineRow {
    pub object_type: ObjectType,
    pub system: Option<String>,
    pub object_id: String,
    pub owner_id: String,
    pub owner_name: Option<String>,
    pub role: OwnerRole,
    pub basis: Basis,
    pub state: OwnerState,
    /// The source that says so.
    pub source: Option<String>,
    /// Who confirmed it, when and why.
    pub confirmed: Option<(String, String, String)>,
}

/// A line before it is known who is meant.
pub(super) struct Raw {
    source: i64,
    /// What somebody decided, where it is of a decision.
    decision: Option<OwnerDecision>,
    line: OwnerLineRow,
}

impl Store {
    /// Who answers for an identity, and what it answers for.
    pub(crate) async fn owner_lines_of(
        &self,
        person: &PersonRow,
        now: DateTime<Utc>,
    ) -> Result<(Vec<OwnerLineRow>, Vec<OwnerLineRow>), StoreError> {
        let record = RecordName {
            source: person.source_name.clone(),
            id: person.id.clone(),
        };
        // Whichever of a person's records a line names.
        let records = self.records_of(&record).await?.into_iter();
        let names: Vec<String> = records
            .flat_map(|(record, _)| [record.to_string(), record.id])
            .collect();
        let objects: Vec<String> = names
            .iter()
            .map(|n| format!("{}{UNIT}{n}", ObjectType::Identity))
            .collect();
        let sources = self.source_names().await?;
        let observed = |(source, owner): (i64, Owner)| Raw {
            source,
            decision: None,
            line: OwnerLineRow {
                object_type: owner.object_type,
                system: owner.system.map(|s| s.to_string()),
                object_id: owner.object_id,
                owner_id: owner.owner_id.to_string(),
                owner_name: None,
                role: owner.role,
                basis: Basis::Observed,
                state: OwnerState::Unknown,
                source: sources.get(&source).cloned(),
                confirmed: None,
            },
        };
        let about: Vec<(i64, Owner)> = self.facts_at(Kind::Owner, End::To, &objects).await?;
        let of: Vec<(i64, Owner)> = self.facts_at(Kind::Owner, End::From, &names).await?;
        let itself = ObjectName::new(
            ObjectType::Identity,
            person.source_name.as_str(),
            person.id.as_str(),
        );
        let record = RecordName {
            source: person.source_name.clone(),
            id: person.id.clone(),
        };
        let decided_about = self.owner_decisions_about(&itself).await?;
        let decided_of = self.owner_decisions_of(&record).await?;
        let attested = |rows: Vec<OwnerDecision>| rows.into_iter().filter_map(confirmed);
        let mut owners: Vec<Raw> = about.into_iter().map(observed).collect();
        owners.extend(attested(decided_about));
        let mut answers_for: Vec<Raw> = of.into_iter().map(observed).collect();
        answers_for.extend(attested(decided_of));
        Ok((
            self.with_states(owners, now).await?,
            self.with_states(answers_for, now).await?,
        ))
    }

    /// Whether the owners of lines are there, and what they are called.
    pub(super) async fn with_states(
        &self,
        raw: Vec<Raw>,
        now: DateTime<Utc>,
    ) -> Result<Vec<OwnerLineRow>, StoreError> {
        let ids: Vec<&str> = raw.iter().map(|r| r.line.owner_id.as_str()).collect();
        let people = self.people_named(&ids, now).await?;
        let mut missing = NumberSet::default();
        let names = self.names()?;
        for Raw { source, line, .. } in &raw {
            if people.referred(&line.owner_id, *source).is_empty() {
                missing.extend(id_numbers(names, &line.owner_id));
            }
        }
        let mut reading = self.readers().acquire().await?;
        let once = once_there(&mut reading, &missing).await?;
        let decisions = raw.iter().filter_map(|raw| raw.decision.as_ref());
        let decisions: Vec<Confirmed<'_>> = decisions.map(Confirmed::of).collect();
        let given_on = GivenOn::find(&mut reading, names, &decisions, At::Now).await?;
        Ok(raw
            .into_iter()
            .map(
                |Raw {
                     source,
                     decision,
                     mut line,
                 }| {
                    let found = people.referred(&line.owner_id, source);
                    if let (&[_], Some(person)) =
                        (found.as_slice(), found.first().and_then(|n| people.at(*n)))
                    {
                        // A decision names the source too; lists do where it is needed.
                        let alone = people.referred(&person.id, super::NO_SOURCE).len() == 1;
                        if alone && line.confirmed.is_some() {
                            line.owner_id.clone_from(&person.id);
                        }
                        line.owner_name.clone_from(&person.display_name);
                        if let Some(then) = decision.and_then(|d| given_on.name_then(d.id)) {
                            line.owner_name = Some(then.to_owned());
                            line.state = OwnerState::InDoubt;
                        }
                    }
                    let persons = people.persons(&line.owner_id, source);
                    if line.state != OwnerState::InDoubt {
                        let state = people.state_of(&persons);
                        let otherwise = || absent(names, &once, &line.owner_id);
                        line.state = state.unwrap_or_else(otherwise);
                    }
                    line
                },
            )
            .collect())
    }

    /// The identities that some texts refer to: bare ids, or `source:id`.
    pub(crate) async fn people_named(
        &self,
        texts: &[&str],
        now: DateTime<Utc>,
    ) -> Result<People, StoreError> {
        let sources: HashMap<i64, String> = self.source_names().await?;
        let mut people = People::default();
        let mut reading = self.readers().acquire().await?;
        let name_of = |source: i64| sources.get(&source).cloned().unwrap_or_default();
        let names = self.names()?;
        let mut numbers: HashMap<(i64, String), usize> = HashMap::new();
        for row in listed_as(&mut reading, names, texts).await? {
            let (key, record) = (Key::Id(row.id.clone()), (row.source, row.id.clone()));
            let source_name = name_of(row.source);
            numbers.insert(record, people.add(row.person(source_name, now), vec![key]));
        }
        // Whoever is named by one record is there by any other as well.
        let ids = texts
            .iter()
            .flat_map(|text| [Some(*text), text.split_once(':').map(|(_, id)| id)]);
        let joined = joined_as(&mut reading, &ids.flatten().collect()).await?;
        let further: Vec<&str> = joined.iter().map(|(_, _, id)| id.as_str()).collect();
        let wanted: HashSet<(i64, &str)> =
            joined.iter().map(|(_, s, id)| (*s, id.as_str())).collect();
        for row in listed_as(&mut reading, names, &further).await? {
            let record = (row.source, row.id.clone());
            if wanted.contains(&(row.source, row.id.as_str())) && !numbers.contains_key(&record) {
                let source_name = name_of(row.source);
                numbers.insert(record, people.add(row.person(source_name, now), Vec::new()));
            }
        }
        for of_one in joined.chunk_by(|(a, ..), (b, ..)| a == b) {
            let mut records = Vec::new();
            for (_, source, id) in of_one {
                let record = (*source, id.clone());
                let number = numbers.entry(record).or_insert_with(|| {
                    people.add_gone(Person {
                        source: *source,
                        source_name: name_of(*source),
                        id: id.clone(),
                        kind: IdentityKind::Person,
                        display_name: None,
                        state: OwnerState::Absent,
                        manager_id: None,
                    })
                });
                records.push(*number);
            }
            people.join(&records);
        }
        Ok(people)
    }
}

/// The line that a decision makes.
pub(super) fn confirmed(decision: OwnerDecision) -> Option<Raw> {
    if OwnerVerdict::from_word(&decision.what) != Some(OwnerVerdict::Confirmed) {
        return None;
    }
    let about = decision.about()?;
    let system = match about.object.kind {
        // Of identities it is the source's name, which stands in front of the id.
        ObjectType::Identity => None,
        ObjectType::Account
        | ObjectType::Credential
        | ObjectType::Location
        | ObjectType::Entitlement => Some(about.object.system.clone()),
    };
    let confirmed = (
        decision.who.clone(),
        decision.at.clone(),
        decision.why.clone(),
    );
    Some(Raw {
        source: super::NO_SOURCE,
        decision: Some(decision),
        line: OwnerLineRow {
            object_type: about.object.kind,
            system,
            object_id: about.object.id,
            owner_id: about.owner.to_string(),
            owner_name: None,
            role: about.role,
            basis: Basis::Attested,
            state: OwnerState::Unknown,
            source: None,
            confirmed: Some(confirmed),
        },
    })
}
