//! Rehearsals of several events in one world, as scripts write them.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::rehearsals::{moment_from_text, off_thread};
use chrono::{DateTime, NaiveDate, Utc};
use lastkey_contract::facts::{IdentityStatus, LeaverKind, LifecycleEvent};
use lastkey_contract::{SourceName, When};
use lastkey_engine::lifecycle::simulated::{
    EventsRehearsal, NewValue, PersonRecords, RecordOf, Registers, Shown, SimulatedEvent,
    SimulatedWorld, TextColumn, day_in, rehearse_events,
};
use lastkey_engine::lifecycle::{Plan, RehearsalSettings};
use lastkey_engine::store::RecordName;

/// One event in words: `kind=leaver,identity=u1,at=2026-06-01,source=hr,shown=gone`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventWords {
    event: LifecycleEvent,
    identity: String,
    at: Option<DateTime<Utc>>,
    source: Option<String>,
    shown: Shown,
    set: Vec<(String, String)>,
}

/// The kinds of events that can be rehearsed together.
const KINDS: &[LifecycleEvent] = &[
    LifecycleEvent::Joiner,
    LifecycleEvent::Mover,
    LifecycleEvent::Leaver,
    LifecycleEvent::VendorExit,
    LifecycleEvent::WorkloadRetired,
    LifecycleEvent::AgentRetired,
    LifecycleEvent::LeaveStart,
    LifecycleEvent::LeaveEnd,
    LifecycleEvent::Rehire,
    LifecycleEvent::Extension,
    LifecycleEvent::Renamed,
];

/// What may stand before `=` beside columns.
const WORDS: &[&str] = &["kind", "identity", "at", "source", "shown"];

/// Columns of identities that are no texts.
const OTHER_COLUMNS: &[&str] = &["start_date", "end_date", "status", "leaver_kind"];

/// Reads one event. A comma only parts where a name and `=` follow it.
pub fn event_from_text(text: &str) -> Result<EventWords, Failure> {
    let wrong = |what: String| {
        Failure::bad_input(format!("`{text}`: {what}"))
            .hint("write kind=leaver,identity=ID,at=TIME; more in docs/guide/events.md")
    };
    let mut event = None;
    let mut words = EventWords {
        event: LifecycleEvent::Leaver,
        identity: String::new(),
        at: None,
        source: None,
        shown: Shown::default(),
        set: Vec::new(),
    };
    for (name, value) in parts(text).ok_or_else(|| wrong("it is not NAME=VALUE".to_owned()))? {
        match name.as_str() {
            "kind" => {
                let known = LifecycleEvent::from_word(&value).filter(|one| KINDS.contains(one));
                let all: Vec<&str> = KINDS.iter().map(|kind| kind.word()).collect();
                let no_kind = || wrong(format!("`{value}` is none of {}", all.join(", ")));
                event = Some(known.ok_or_else(no_kind)?);
            }
            "identity" => words.identity = value,
            "at" => words.at = Some(moment_from_text(&value)?),
            "source" => words.source = Some(value),
            "shown" => {
                let known = Shown::from_word(&value);
                let no_way = || wrong(format!("`{value}` is none of {}", Shown::WORDS.join(", ")));
                words.shown = known.ok_or_else(no_way)?;
            }
            column if is_column(column) => words.set.push((name, value)),
            other => return Err(wrong(format!("there is no `{other}`"))),
        }
    }
    words.event = event.ok_or_else(|| wrong("it has no kind".to_owned()))?;
    if words.identity.is_empty() {
        return Err(wrong("it has no identity".to_owned()));
    }
    Ok(words)
}

fn is_column(name: &str) -> bool {
    TextColumn::from_name(name).is_some()
        || OTHER_COLUMNS.contains(&name)
        || name
            .strip_prefix("attributes.")
            .is_some_and(|own| !own.is_empty())
}

/// Names with values; None where the text begins with no name.
fn parts(text: &str) -> Option<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for piece in text.split(',') {
        let named = piece.split_once('=').filter(|(name, _)| {
            let name = name.trim();
            WORDS.contains(&name)
                || is_column(name)
                || (!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        });
        match (named, found.last_mut()) {
            (Some((name, value)), _) => {
                found.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (None, None) => return None,
        }
    }
    Some(found)
}

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
        let mut simulated = Vec::new();
        for words in events {
            simulated.push(self.event(words, &mut registers, at).await?);
        }
        let (_, graph) = self.graph().await?;
        off_thread(move || {
            let world = SimulatedWorld::new(&graph, &registers);
            rehearse_events(world, &plan, &simulated, &RehearsalSettings::default())
        })
        .await
    }

    async fn event(
        &self,
        words: &EventWords,
        registers: &mut Registers,
        at: DateTime<Utc>,
    ) -> Result<SimulatedEvent, Failure> {
        let text = words.identity.as_str();
        let id = self.known_identity(text).await?;
        let mut found = self.store.find_identity(id.as_str()).await?;
        let person = found
            .pop()
            .ok_or_else(|| Failure::bad_input(format!("there is no identity `{text}`")))?;
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
        let shown_by = shown_by(words, &records)?;
        let mut set = Vec::new();
        for (name, value) in &words.set {
            let source = shown_by.first().map(|record| record.source.clone());
            set.push(self.new_value(name, value, source).await?);
        }
        let event = SimulatedEvent {
            at: words.at.unwrap_or(at),
            identity: id.clone(),
            event: words.event,
            records: shown_by,
            shown: words.shown,
            set,
        };
        let person = PersonRecords {
            id: id.clone(),
            records,
        };
        registers.persons.insert(id, person);
        Ok(event)
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
        let word =
            |all: &[&str]| Failure::bad_input(format!("`{value}` is none of {}", all.join(", ")));
        Ok(match (name, &some) {
            ("start_date", None) => NewValue::StartDate(None),
            ("end_date", None) => NewValue::EndDate(None),
            ("start_date", Some(day)) => NewValue::StartDate(Some(self.day(day, source).await?)),
            ("end_date", Some(day)) => NewValue::EndDate(Some(self.day(day, source).await?)),
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

    async fn day(&self, text: &str, source: Option<SourceName>) -> Result<When, Failure> {
        let Ok(date) = text.parse::<NaiveDate>() else {
            return Ok(When::At(moment_from_text(text)?));
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

/// The records that show an event: of the source that is named, of all (`*`), or else the one that
/// is named, or goes first.
fn shown_by(
    words: &EventWords,
    records: &[(RecordOf, lastkey_contract::facts::Identity)],
) -> Result<Vec<RecordOf>, Failure> {
    let all = records.iter().map(|(of, _)| of);
    let listed = || {
        let all: Vec<String> = records.iter().map(|(of, _)| of.to_string()).collect();
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
