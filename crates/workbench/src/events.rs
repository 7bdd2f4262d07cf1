//! Rehearsals of several events in one world, as scripts write them.

use crate::bench::Workbench;
use crate::event_policy::{Asked, brings};
use crate::event_text::EventWords;
use crate::failure::Failure;
use crate::rehearsals::{moment_of, off_thread};
use chrono::{DateTime, NaiveDate, Utc};
use lastkey_contract::facts::{
    Identity, IdentityKind, IdentityStatus, LeaverKind, LifecycleEvent, ObjectType,
};
use lastkey_contract::{IdentityId, SourceName, SystemName, When};
use lastkey_engine::lifecycle::simulated::{
    EventsRehearsal, HandedOn, NewValue, PersonRecords, RecordOf, Registers, SimulatedEvent,
    SimulatedWorld, TextColumn, day_in, rehearse_events,
};
use lastkey_engine::lifecycle::{Plan, RehearsalSettings};
use lastkey_engine::store::{OnceListed, RecordName};

impl Workbench {
    /// Plays events in the order of their times: whether each would be noticed, when, why not, and
    /// what is left of whoever leaves.
    pub async fn rehearse_events(&self, events: &[EventWords]) -> Result<EventsRehearsal, Failure> {
        let (plan, _) = self.plan().await?;
        self.rehearse_events_by(events, plan, self.now()).await
    }

    /// The same by any plan; events without a time are `at` that moment.
    pub(crate) async fn rehearse_events_by(
        &self,
        events: &[EventWords],
        plan: Plan,
        at: DateTime<Utc>,
    ) -> Result<EventsRehearsal, Failure> {
        let mut registers = Registers {
            sources: self.store.registers().await?,
            ..Registers::default()
        };
        let comes_back: Vec<&str> = events
            .iter()
            .filter(|words| brings(words.event))
            .map(|words| words.identity.as_str())
            .collect();
        let mut simulated = Vec::new();
        for words in events {
            let once = match comes_back.contains(&words.identity.as_str()) {
                true => self.last_listed(&words.identity).await?,
                false => None,
            };
            simulated.push(self.event(words, once, &mut registers, at).await?);
        }
        for (words, event) in events.iter().zip(&simulated) {
            if let Some(hands) = &event.handed_on {
                self.still_there(words, (event, &hands.to), &simulated)
                    .await?;
            }
        }
        let (_, graph) = self.graph().await?;
        let asked = Asked::of(events, &simulated, &registers);
        let by = plan.clone();
        let settings = RehearsalSettings::as_of(self.now());
        let played = off_thread(move || {
            let world = SimulatedWorld::new(&graph, &registers);
            rehearse_events(world, &by, &simulated, &settings)
        })
        .await?;
        self.with_policy(played, asked, plan).await
    }

    /// Whoever is brought back and is not listed, as they were last.
    async fn last_listed(&self, text: &str) -> Result<Option<OnceListed>, Failure> {
        match self.store.find_identity(text).await?.is_empty() {
            true => self.listed_once(text).await,
            false => Ok(None),
        }
    }

    async fn event(
        &self,
        words: &EventWords,
        once: Option<OnceListed>,
        registers: &mut Registers,
        at: DateTime<Utc>,
    ) -> Result<SimulatedEvent, Failure> {
        let person = match once {
            Some(once) => {
                let id = IdentityId::new(once.record.to_string());
                let of = RecordOf {
                    source: SourceName::new(once.record.source),
                    id: once.record.id,
                };
                PersonRecords {
                    id,
                    records: Vec::new(),
                    once: vec![(of, once.fact)],
                }
            }
            None => self.person(&words.identity).await?,
        };
        let records: Vec<RecordOf> = (person.records.iter().chain(&person.once))
            .map(|(of, _)| of.clone())
            .collect();
        fits(words, &person)?;
        let hands_on = words.event == LifecycleEvent::OwnerChange;
        let shown_by = match hands_on {
            true => Vec::new(),
            false => shown_by(words, &records)?,
        };
        let mut set = Vec::new();
        for (name, value) in &words.set {
            let source = shown_by.first().map(|record| record.source.clone());
            set.push(self.new_value(name, value, source).await?);
        }
        let handed_on = match hands_on {
            true => Some(self.handed_on(words).await?),
            false => None,
        };
        let event = SimulatedEvent {
            at: words.at.unwrap_or(at),
            identity: person.id.clone(),
            event: words.event,
            records: shown_by,
            shown: words.shown,
            set,
            handed_on,
        };
        registers.persons.insert(person.id.clone(), person);
        Ok(event)
    }

    /// Somebody who is listed, with all records.
    async fn person(&self, text: &str) -> Result<PersonRecords, Failure> {
        let id = self.known_identity(text).await?;
        let person = self.known_person(text).await?;
        let first = RecordName {
            source: person.source_name.clone(),
            id: person.id.clone(),
        };
        let mut records = Vec::new();
        for (name, _) in self.store.records_of(&first).await? {
            if let Some(fact) = self.store.record_fact(&name).await? {
                let of = RecordOf {
                    source: SourceName::new(name.source),
                    id: name.id,
                };
                records.push((of, fact));
            }
        }
        Ok(PersonRecords {
            id,
            records,
            once: Vec::new(),
        })
    }

    /// Refuses to hand something on to whoever has left by then, by the records or by an event before.
    async fn still_there(
        &self,
        words: &EventWords,
        (event, to): (&SimulatedEvent, &IdentityId),
        all: &[SimulatedEvent],
    ) -> Result<(), Failure> {
        let person = self.person(to.as_str()).await?;
        let gone = |fact: &Identity| {
            fact.status == Some(IdentityStatus::Inactive)
                || fact.end_date.is_some_and(|end| end.latest() <= event.at)
        };
        let records = &person.records;
        let mut has_left = !records.is_empty() && records.iter().all(|(_, fact)| gone(fact));
        let works_for = |vendor: &IdentityId| {
            let mut employers = records
                .iter()
                .filter_map(|(_, fact)| fact.employer_id.as_ref());
            employers.any(|one| {
                let own = vendor.as_str().split_once(':').map(|(_, id)| id);
                one == vendor || own == Some(one.as_str())
            })
        };
        let mut before: Vec<&SimulatedEvent> =
            all.iter().filter(|one| one.at <= event.at).collect();
        before.sort_by_key(|one| one.at);
        for one in before {
            let theirs = one.identity == *to;
            match one.event {
                LifecycleEvent::VendorExit if theirs || works_for(&one.identity) => has_left = true,
                LifecycleEvent::Leaver
                | LifecycleEvent::WorkloadRetired
                | LifecycleEvent::AgentRetired
                    if theirs =>
                {
                    has_left = true;
                }
                LifecycleEvent::Joiner | LifecycleEvent::Rehire if theirs => {
                    let end = one.set.iter().find_map(|value| match value {
                        NewValue::EndDate(end) => *end,
                        _ => None,
                    });
                    has_left = end.is_some_and(|end| end.latest() <= event.at);
                }
                _ => {}
            }
        }
        match has_left {
            false => Ok(()),
            true => Err(Failure::bad_input(format!(
                "`{}` has left by then: nothing can be handed on to them",
                words.to
            ))
            .hint("name somebody who is there, or put their `rehire` before it")),
        }
    }

    /// What is handed on, and to whom.
    async fn handed_on(&self, words: &EventWords) -> Result<HandedOn, Failure> {
        let object = self.object_from_text(&words.object).await?;
        let is_there = self.store.objects_there(std::slice::from_ref(&object));
        if !is_there.await?.contains(&object) {
            return Err(Failure::bad_input(format!("there is no {object}"))
                .hint("`lastkey owner list` shows what can have an owner"));
        }
        let id = match object.kind {
            ObjectType::Identity => {
                let named = words.object.split_once(':').map_or("", |(_, id)| id);
                self.known_identity(named).await?.to_string()
            }
            ObjectType::Account
            | ObjectType::Credential
            | ObjectType::Location
            | ObjectType::Entitlement => object.id,
        };
        Ok(HandedOn {
            kind: object.kind,
            system: SystemName::new(object.system),
            id,
            to: self.known_identity(&words.to).await?,
        })
    }

    /// An attribute as it is afterwards; a date is a day in the zone of the source that shows it.
    async fn new_value(
        &self,
        name: &str,
        value: &str,
        source: Option<SourceName>,
    ) -> Result<NewValue, Failure> {
        let some = Some(value.to_owned()).filter(|value| !value.is_empty());
        if let Some(column) = TextColumn::from_name(name) {
            return Ok(NewValue::Text(column, some));
        }
        let word = |all: &[&str]| {
            Failure::bad_input(format!("{name}: `{value}` is none of {}", all.join(", ")))
        };
        Ok(match (name, &some) {
            ("start_date", None) => NewValue::StartDate(None),
            ("end_date", None) => NewValue::EndDate(None),
            ("start_date", Some(day)) => {
                NewValue::StartDate(Some(self.day(name, day, source).await?))
            }
            ("end_date", Some(day)) => NewValue::EndDate(Some(self.day(name, day, source).await?)),
            ("status", None) => NewValue::Status(None),
            ("status", Some(text)) => {
                let status = IdentityStatus::from_word(text);
                NewValue::Status(Some(status.ok_or_else(|| word(IdentityStatus::WORDS))?))
            }
            ("leaver_kind", None) => NewValue::LeaverKind(None),
            ("leaver_kind", Some(text)) => {
                let kind = LeaverKind::from_word(text);
                NewValue::LeaverKind(Some(kind.ok_or_else(|| word(LeaverKind::WORDS))?))
            }
            (other, _) => {
                let own = other.strip_prefix("attributes.").unwrap_or(other);
                NewValue::Attribute(own.to_owned(), some)
            }
        })
    }

    async fn day(
        &self,
        name: &str,
        text: &str,
        source: Option<SourceName>,
    ) -> Result<When, Failure> {
        let Ok(date) = text.parse::<NaiveDate>() else {
            return Ok(When::At(moment_of(name, text)?));
        };
        let sources = self.store.sources().await?;
        let of_source = sources
            .iter()
            .find(|one| Some(&one.name) == source.as_ref());
        let zone = of_source.and_then(|one| one.settings.get("timezone"));
        let zone = zone.unwrap_or("UTC");
        day_in(date, zone).ok_or_else(|| {
            Failure::bad_input(format!(
                "`{text}` is no day that can be counted in `{zone}`"
            ))
        })
    }
}

/// Refuses what can only happen to another kind of identity.
fn fits(words: &EventWords, person: &PersonRecords) -> Result<(), Failure> {
    let mut kinds = person.records.iter().chain(&person.once);
    kinds.try_for_each(|(_, fact)| fits_kind(words.event, Some(fact.kind), &words.identity))
}

/// The same of an identity of a kind.
pub(crate) fn fits_kind(
    event: LifecycleEvent,
    kind: Option<IdentityKind>,
    identity: &str,
) -> Result<(), Failure> {
    let wanted = match event {
        LifecycleEvent::VendorExit => IdentityKind::Vendor,
        LifecycleEvent::WorkloadRetired => IdentityKind::Workload,
        LifecycleEvent::AgentRetired => IdentityKind::Agent,
        LifecycleEvent::Joiner
        | LifecycleEvent::Mover
        | LifecycleEvent::Leaver
        | LifecycleEvent::OwnerChange
        | LifecycleEvent::LeaveStart
        | LifecycleEvent::LeaveEnd
        | LifecycleEvent::Rehire
        | LifecycleEvent::Extension
        | LifecycleEvent::Renamed => return Ok(()),
    };
    match kind.filter(|kind| *kind != wanted) {
        None => Ok(()),
        Some(kind) => Err(Failure::bad_input(format!(
            "`{identity}` is a {}, and {} is of a {}",
            kind.word(),
            event.word(),
            wanted.word()
        ))
        .hint("`leaver` fits whatever the identity is")),
    }
}

/// The records that show an event: of the source that is named, of all (`*`), or else the one that
/// is named, or goes first.
fn shown_by(words: &EventWords, records: &[RecordOf]) -> Result<Vec<RecordOf>, Failure> {
    let all = records.iter();
    let listed = || {
        let all: Vec<String> = records.iter().map(RecordOf::to_string).collect();
        all.join(", ")
    };
    match words.source.as_deref() {
        Some("*") => Ok(all.cloned().collect()),
        Some(source) => {
            let of_source: Vec<RecordOf> = all
                .filter(|of| of.source.as_str() == source)
                .cloned()
                .collect();
            match of_source.is_empty() {
                false => Ok(of_source),
                true => Err(Failure::bad_input(format!(
                    "`{source}` has no record of `{}`",
                    words.identity
                ))
                .hint(format!("their records are {}", listed()))),
            }
        }
        None => {
            let named = |of: &&RecordOf| of.to_string() == words.identity;
            let one = all.clone().find(named).or_else(|| all.clone().next());
            Ok(one.cloned().into_iter().collect())
        }
    }
}
