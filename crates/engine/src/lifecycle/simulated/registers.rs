//! What sources list of the persons of a rehearsal, and the copy-on-write layer over it.

use crate::access::graph::Graph;
use crate::lifecycle::events::{Earlier, Having, Outline};
use crate::only_values::{OnlyValues, only_values, only_values_of};
use lastkey_contract::facts::Identity;
use lastkey_contract::{IdentityId, SourceName};
use std::collections::BTreeMap;
use std::fmt;

/// A record of an identity: its source, and its id there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordOf {
    pub source: SourceName,
    pub id: String,
}

impl fmt::Display for RecordOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.id)
    }
}

/// Whether what a source lists says who exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// A source of truth.
    WhoExists,
    OfNobody,
}

/// What is known of a source that lists identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    pub tells: Tells,
    /// How many have each attribute, by the latest complete read; None before one.
    pub having: Option<Having>,
    /// Why the latest read is not complete; empty if it is.
    pub gaps: Vec<String>,
}

only_values_of! {
    RecordOf { source, id }
    Register { tells, having, gaps }
    PersonRecords { id, records, once }
    Registers { sources, persons }
}

impl OnlyValues for Tells {}
impl OnlyValues for Having {}

impl OnlyValues for SimulatedWorld<'_> {
    fn parts(&self) {
        let SimulatedWorld {
            graph,
            read,
            changed,
            earlier,
            having,
        } = self;
        only_values(graph);
        only_values(read);
        only_values(changed);
        only_values(earlier);
        only_values(having);
    }
}

/// Somebody with the records that are theirs, those first whose attributes go first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecords {
    pub id: IdentityId,
    pub records: Vec<(RecordOf, Identity)>,
    /// Records that no source lists now, as they were last.
    pub once: Vec<(RecordOf, Identity)>,
}

/// Sources, and the persons whom events are about, as they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    pub sources: BTreeMap<SourceName, Register>,
    pub persons: BTreeMap<IdentityId, PersonRecords>,
}

/// The world that events are played in: everything that was read, with what the events change laid
/// over it. What was read is only lent; nothing is written to it.
///
/// It is made of values and of nothing else, and that is checked by its type:
///
/// ```
/// use lastkey_contract::Connector;
/// use lastkey_engine::only_values::{OnlyValues, only_values};
/// use lastkey_engine::lifecycle::simulated::SimulatedWorld;
/// use lastkey_engine::store::Store;
/// fn holds<T: OnlyValues>() {}
/// fn beside(_: Box<dyn Connector>, _: &Store, world: &SimulatedWorld<'_>) {
///     only_values(world);
/// }
/// holds::<SimulatedWorld<'static>>();
/// ```
///
/// No store can be in it:
///
/// ```compile_fail,E0277
/// use lastkey_engine::only_values::OnlyValues;
/// fn holds<T: OnlyValues>() {}
/// holds::<lastkey_engine::store::Store>();
/// ```
///
/// and no connection to a source:
///
/// ```compile_fail,E0277
/// use lastkey_engine::only_values::OnlyValues;
/// fn holds<T: OnlyValues>() {}
/// holds::<Box<dyn lastkey_contract::Connector>>();
/// ```
///
/// nor anything else that is more than a value, such as an open file:
///
/// ```compile_fail,E0277
/// use lastkey_engine::only_values::OnlyValues;
/// fn holds<T: OnlyValues>() {}
/// holds::<Option<std::fs::File>>();
/// ```
///
/// It can be made of what was read, and not of where that came from:
///
/// ```compile_fail,E0308
/// use lastkey_engine::lifecycle::simulated::{Registers, SimulatedWorld};
/// use lastkey_engine::store::Store;
/// fn of_a_store(store: &Store, read: &Registers) {
///     SimulatedWorld::new(store, read);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SimulatedWorld<'a> {
    pub(super) graph: &'a Graph,
    pub(super) read: &'a Registers,
    /// Records as they are now, of those that an event has changed; None where one is gone.
    changed: BTreeMap<RecordOf, Option<Identity>>,
    /// What changed records were like, oldest first.
    earlier: BTreeMap<RecordOf, Vec<Identity>>,
    having: BTreeMap<SourceName, Having>,
}

impl<'a> SimulatedWorld<'a> {
    /// The world as it was read.
    pub fn new(graph: &'a Graph, read: &'a Registers) -> Self {
        SimulatedWorld {
            graph,
            read,
            changed: BTreeMap::new(),
            earlier: BTreeMap::new(),
            having: BTreeMap::new(),
        }
    }

    /// A person's records in their order, as they are now; without those that are gone.
    pub(super) fn records(
        &self,
        person: &IdentityId,
    ) -> impl Iterator<Item = (&'a RecordOf, &Identity)> {
        let person = self.read.persons.get(person);
        let all = person.into_iter().flat_map(|person| &person.records);
        let listed = all.filter_map(|(of, read)| Some((of, self.laid_over(of, read)?)));
        let once = person.into_iter().flat_map(|person| &person.once);
        let back = once.filter_map(|(of, _)| Some((of, self.changed.get(of)?.as_ref()?)));
        listed.chain(back)
    }

    /// A record of a person as it was listed last, where it is not now.
    pub(super) fn as_it_was_last(&self, person: &IdentityId, of: &RecordOf) -> Option<&Identity> {
        let last = self.earlier.get(of).and_then(|forms| forms.last());
        last.or_else(|| self.once(of, person))
    }

    fn once(&self, of: &RecordOf, person: &IdentityId) -> Option<&'a Identity> {
        let person = self.read.persons.get(person)?;
        let mut once = person.once.iter();
        once.find(|(one, _)| one == of).map(|(_, record)| record)
    }

    fn laid_over<'s>(&'s self, of: &RecordOf, read: &'a Identity) -> Option<&'s Identity>
    where
        'a: 's,
    {
        match self.changed.get(of) {
            Some(changed) => changed.as_ref(),
            None => Some(read),
        }
    }

    /// One record of a person as it is now.
    pub(super) fn record(&self, person: &IdentityId, of: &RecordOf) -> Option<&Identity> {
        let mut all = self.records(person);
        all.find(|(one, _)| *one == of).map(|(_, record)| record)
    }

    pub(super) fn tells(&self, source: &SourceName) -> Tells {
        let register = self.read.sources.get(source);
        register.map_or(Tells::OfNobody, |register| register.tells)
    }

    /// How many have each attribute in a source; None where no complete read says.
    pub(super) fn having(&self, source: &SourceName) -> Option<Having> {
        let laid_over = self.having.get(source).copied();
        laid_over.or_else(|| self.read.sources.get(source)?.having)
    }

    /// Why it is not known what the next read of a source would tell; none where it is.
    pub(super) fn unknown_of(&self, source: &SourceName) -> Option<String> {
        let register = self.read.sources.get(source)?;
        if register.tells == Tells::OfNobody {
            return None;
        }
        if register.having.is_none() {
            return Some(format!("no read of identities of `{source}` was complete"));
        }
        let gap = register.gaps.first()?;
        Some(format!(
            "the latest read of identities of `{source}` is not complete ({gap}), and until one is, \
             it tells of nobody"
        ))
    }

    /// What was known of a record before it was as it is now.
    pub(super) fn earlier(&self, of: &RecordOf) -> Earlier<'_> {
        let once = self.read.persons.keys();
        let once = once.filter_map(|person| self.once(of, person)).take(1);
        let forms = once.chain(self.earlier.get(of).into_iter().flatten());
        forms.fold(Earlier::Never, Earlier::and)
    }

    /// Lays a record over what was read; none where it goes.
    pub(super) fn change(&mut self, person: &IdentityId, of: &RecordOf, after: Option<Identity>) {
        let before = self.record(person, of).cloned();
        if let Some(mut having) = self.having(&of.source) {
            before.iter().for_each(|i| having.take(&Outline::of(i)));
            after.iter().for_each(|i| having.add(&Outline::of(i)));
            self.having.insert(of.source.clone(), having);
        }
        let earlier = self.earlier.entry(of.clone()).or_default();
        earlier.extend(before);
        self.changed.insert(of.clone(), after);
    }
}
