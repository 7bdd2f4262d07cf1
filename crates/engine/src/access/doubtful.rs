//! What could concern somebody as well as another, beside accounts: who has a credential in
//! custody, who works for whom, and who is one person with whom. It is counted as nobody's, and
//! whoever leaves is told of it.

use super::columns::{NONE, Rows, Texts};
use super::making::Number;
use crate::correlate::{Employment, writings};
use crate::only_values::only_values_of;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Records that may be one person's and are not counted as such.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PerhapsOne<T> {
    /// `source:id`, and of whom it is a record; None where nobody is listed.
    pub records: Vec<(String, Option<T>)>,
    /// Places of two that somebody decided to be apart.
    pub apart: Vec<(usize, usize)>,
}

impl<T: Ord> PerhapsOne<T> {
    /// In the order of the names of the records.
    pub(crate) fn new(
        records: Vec<(String, Option<T>)>,
        apart: &[(usize, usize)],
    ) -> PerhapsOne<T> {
        let mut named: Vec<(usize, (String, Option<T>))> =
            records.into_iter().enumerate().collect();
        named.sort_by(|(_, (a, _)), (_, (b, _))| a.cmp(b));
        let places: BTreeMap<usize, usize> = (0..)
            .zip(&named)
            .map(|(to, (from, _))| (*from, to))
            .collect();
        let place = |from: &usize| places.get(from).copied();
        let pairs = apart.iter().filter_map(|(a, b)| {
            let (a, b) = (place(a)?, place(b)?);
            Some((a.min(b), a.max(b)))
        });
        let pairs: BTreeSet<(usize, usize)> = pairs.collect();
        PerhapsOne {
            apart: pairs.into_iter().collect(),
            records: named.into_iter().map(|(_, record)| record).collect(),
        }
    }
}

/// The same as it comes; people are named by number.
#[derive(Default)]
pub(crate) struct Doubtful {
    /// By employer.
    pub employed: Vec<(Number, Employment<Number>)>,
    /// Credentials, `system:id`, by whose custody they could be in.
    pub custody: Vec<(Number, String)>,
    /// Credentials, `system:id`, by whose account they were of before.
    pub named_before: Vec<(Number, String)>,
    /// Records, `source:id`, that no source lists now, by whom they worked for.
    pub worked_for: Vec<(Number, String)>,
    /// Persons, by whom a record of theirs worked for that no source lists now.
    pub worked_for_before: Vec<(Number, Number)>,
    /// Sentences about a vendor's exit.
    pub at_exit: Vec<(Number, String)>,
    /// People who name an employer whom nobody lists, by the number of its writing.
    pub near_employer: Vec<(u64, Number)>,
    /// Credentials, `system:id`, in the custody of somebody whom nobody lists, by the number of their
    /// writing.
    pub near_custody: Vec<(u64, String)>,
    /// Credentials, `system:id`, in the custody of a record that no source lists now, `source:id`.
    pub custody_left: Vec<(String, String)>,
    /// Rows of identities, and while each has an employer that nobody lists.
    pub unknown_employer: Vec<Employment<u32>>,
    pub persons: Vec<PerhapsOne<Number>>,
}

/// How many others of a doubt are named.
const NAMED: usize = 5;

/// What is not decided, by whom it could concern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Undecided {
    employed: Rows<Employment<u32>>,
    credentials: Texts,
    custody: Rows<u32>,
    /// Credentials that were of an account of theirs.
    named_before: Rows<u32>,
    /// Records that no source lists now, by employer.
    worked_for: Rows<u32>,
    left: Texts,
    /// Persons, by an employer that only a record of theirs names which no source lists.
    worked_for_before: Rows<u32>,
    at_exit: Vec<(u32, String)>,
    near_employer: Vec<(u64, u32)>,
    near_custody: Vec<(u64, String)>,
    custody_left: BTreeMap<String, Vec<String>>,
    /// Of whom an employer is named that nobody lists.
    unknown_employer: Vec<Employment<u32>>,
    /// Records of all doubts, one doubt after the other.
    records: Texts,
    /// The identity of each, `NONE` of one that is not listed.
    whose: Vec<u32>,
    /// Where the doubt of each begins and ends.
    doubts: Vec<(u32, u32)>,
    doubt: Vec<u32>,
    records_of: Rows<u32>,
    of_gone: BTreeMap<String, Vec<u32>>,
    /// Each pair in both directions.
    apart: BTreeSet<(u32, u32)>,
}

only_values_of! {
    Undecided { employed, credentials, custody, named_before, worked_for, left, worked_for_before, at_exit, near_employer, near_custody, custody_left, unknown_employer, records, whose, doubts, doubt, records_of, of_gone, apart }
}

impl Doubtful {
    /// `row` gives the row of an identity; there are so many.
    pub fn done(mut self, identities: u32, row: impl Fn(Number) -> u32) -> Undecided {
        let mut undecided = Undecided::default();
        let employed = self.employed.iter();
        let employed = employed.map(|(by, one)| (row(*by), one.with(row(one.of))));
        undecided.employed = Rows::build(identities, employed.collect());
        let credentials = &mut undecided.credentials;
        let mut by_identity = |mut all: Vec<(u32, String)>| {
            all.sort_unstable();
            all.dedup();
            let all = all.into_iter();
            let all = all.map(|(of, name)| (of, credentials.push(&name)));
            Rows::build(identities, all.collect())
        };
        let custody = self.custody.into_iter();
        undecided.custody = by_identity(custody.map(|(of, name)| (row(of), name)).collect());
        let named = self.named_before.into_iter();
        undecided.named_before = by_identity(named.map(|(of, name)| (row(of), name)).collect());
        let left = &mut undecided.left;
        // By rows: numbers are another reading's others.
        let worked_for = self.worked_for.into_iter();
        let mut worked_for: Vec<(u32, String)> = worked_for
            .map(|(employer, record)| (row(employer), record))
            .collect();
        worked_for.sort_unstable();
        worked_for.dedup();
        let worked_for = worked_for.iter();
        let worked_for = worked_for.map(|(employer, record)| (*employer, left.push(record)));
        undecided.worked_for = Rows::build(identities, worked_for.collect());
        let mut before: Vec<(u32, u32)> = (self.worked_for_before.iter())
            .map(|(employer, person)| (row(*employer), row(*person)))
            .collect();
        before.sort_unstable();
        before.dedup();
        undecided.worked_for_before = Rows::build(identities, before);
        undecided.at_exit = (self.at_exit.into_iter())
            .map(|(vendor, words)| (row(vendor), words))
            .collect();
        undecided.at_exit.sort_unstable();
        undecided.near_employer = (self.near_employer.iter())
            .map(|(written, person)| (*written, row(*person)))
            .collect();
        undecided.near_employer.sort_unstable();
        undecided.near_employer.dedup();
        self.near_custody.sort_unstable();
        self.near_custody.dedup();
        undecided.near_custody = self.near_custody;
        for (record, credential) in self.custody_left {
            undecided
                .custody_left
                .entry(record)
                .or_default()
                .push(credential);
        }
        for credentials in undecided.custody_left.values_mut() {
            credentials.sort_unstable();
            credentials.dedup();
        }
        undecided.unknown_employer = self.unknown_employer;
        self.persons.sort_unstable_by(|a, b| {
            let names = |one: &PerhapsOne<Number>| -> Vec<String> {
                one.records.iter().map(|(name, _)| name.clone()).collect()
            };
            names(a).cmp(&names(b))
        });
        let mut of: Vec<(u32, u32)> = Vec::new();
        for doubt in self.persons {
            let number = u32::try_from(undecided.doubts.len()).unwrap_or(NONE);
            let from = undecided.records.len();
            for (name, whose) in doubt.records {
                let place = undecided.records.push(&name);
                let whose = whose.map_or(NONE, &row);
                match whose {
                    NONE => undecided.of_gone.entry(name).or_default().push(place),
                    whose => of.push((whose, place)),
                }
                undecided.whose.push(whose);
                undecided.doubt.push(number);
            }
            undecided.doubts.push((from, undecided.records.len()));
            let place = |n: usize| from.saturating_add(u32::try_from(n).unwrap_or(NONE));
            let pairs = doubt.apart.iter().map(|(a, b)| (place(*a), place(*b)));
            undecided
                .apart
                .extend(pairs.flat_map(|(a, b)| [(a, b), (b, a)]));
        }
        undecided.records_of = Rows::build(identities, of);
        undecided
    }
}

impl Undecided {
    /// What could concern an identity as well as another.
    pub fn about(&self, identity: u32, id: &str) -> Vec<String> {
        let custody = self.custody.row(identity).iter().map(|row| {
            let credential = self.credentials.at(*row);
            format!(
                "credential `{credential}` could be in the custody of `{id}` as well as of another"
            )
        });
        let named = self.named_before.row(identity).iter().map(|row| {
            let credential = self.credentials.at(*row);
            format!(
                "credential `{credential}` was of an account of `{id}`, and names none now that is listed"
            )
        });
        let records = self.records_of.row(identity);
        let others = self.perhaps_one(records);
        let near = self.near_custody_of(id).map(|credential| {
            format!("the custodian of credential `{credential}` is written nearly as `{id}`, and nobody has that id")
        });
        custody.chain(near).chain(named).chain(others).collect()
    }

    /// The credentials in the custody of somebody whom nobody lists and who is written like this.
    pub fn near_custody_of(&self, id: &str) -> impl Iterator<Item = &str> {
        // Asked of everybody: most estates have none.
        let numbers = (!self.near_custody.is_empty()).then(|| writings(id));
        numbers.into_iter().flatten().flat_map(|number| {
            let from = self.near_custody.partition_point(|(one, _)| *one < number);
            let rest = self.near_custody.get(from..).unwrap_or(&[]).iter();
            rest.take_while(move |(one, _)| *one == number)
                .map(|(_, credential)| credential.as_str())
        })
    }

    /// With whom a record that no source lists now could be one person.
    pub fn about_gone(&self, record: &str) -> Vec<String> {
        let records = self.of_gone.get(record);
        let records = records.map_or(&[][..], Vec::as_slice);
        self.perhaps_one(records).collect()
    }

    /// Who may work for somebody at a moment.
    pub fn may_work_for(
        &self,
        (employer, id): (u32, &str),
        ids: &Texts,
        at: DateTime<Utc>,
    ) -> Vec<String> {
        let employed = self.employed.row(employer).iter();
        let then = employed.filter(|one| one.holds(at));
        then.map(|one| format!("`{}` may work for `{id}`", ids.at(one.of)))
            .collect()
    }

    /// Records that worked for somebody when they were listed last, `source:id` each.
    pub fn worked_for(&self, employer: u32) -> impl Iterator<Item = &str> {
        let left = self.worked_for.row(employer).iter();
        left.map(|record| self.left.at(*record))
    }

    /// Persons of whom only a record that no source lists now says that they worked for somebody.
    pub fn worked_for_before(&self, employer: u32) -> &[u32] {
        self.worked_for_before.row(employer)
    }

    /// What else is not known of a vendor's people: a sentence each.
    pub fn at_exit(&self, vendor: u32) -> impl Iterator<Item = &str> {
        let from = self.at_exit.partition_point(|(one, _)| *one < vendor);
        let rest = self.at_exit.get(from..).unwrap_or(&[]).iter();
        rest.take_while(move |(one, _)| *one == vendor)
            .map(|(_, words)| words.as_str())
    }

    /// Who names an employer whom nobody lists, and who is written like this.
    pub fn near_employer(&self, number: u64) -> impl Iterator<Item = u32> + '_ {
        let from = self.near_employer.partition_point(|(one, _)| *one < number);
        let rest = self.near_employer.get(from..).unwrap_or(&[]).iter();
        rest.take_while(move |(one, _)| *one == number)
            .map(|(_, person)| *person)
    }

    /// The credentials in the custody of a record that no source lists now.
    pub fn custody_left_by(&self, record: &str) -> &[String] {
        self.custody_left.get(record).map_or(&[], Vec::as_slice)
    }

    /// Every such record that has any in custody.
    pub fn custodians_gone(&self) -> impl Iterator<Item = &str> {
        self.custody_left.keys().map(String::as_str)
    }

    /// Who works at a moment for somebody whom nobody lists.
    pub fn work_for_unknown(&self, at: DateTime<Utc>) -> impl Iterator<Item = u32> + '_ {
        let employed = self.unknown_employer.iter();
        employed.filter(move |one| one.holds(at)).map(|one| one.of)
    }

    /// Whether anybody may work for somebody at a moment.
    pub fn may_employ(&self, employer: u32, at: DateTime<Utc>) -> bool {
        self.employed.row(employer).iter().any(|one| one.holds(at))
    }

    fn perhaps_one<'u>(&'u self, records: &'u [u32]) -> impl Iterator<Item = String> + 'u {
        records.iter().flat_map(move |record| {
            let count = self.others(*record);
            let name = self.records.at(*record);
            let few = count.min(NAMED);
            let named = self.each_other(*record).take(few).map(|other| {
                let other = self.records.at(other);
                format!("`{name}` could be one person with `{other}`")
            });
            let more = count - few;
            let more =
                (more > 0).then(|| format!("`{name}` could be one person with {more} others"));
            named.chain(more).collect::<Vec<String>>()
        })
    }

    /// The records of the doubt in which a record is.
    fn doubt_of(&self, record: u32) -> Range<u32> {
        let doubt = self.doubt.get(record as usize);
        let (from, to) = doubt
            .and_then(|doubt| self.doubts.get(*doubt as usize))
            .copied()
            .unwrap_or_default();
        from..to
    }

    fn whose(&self, record: u32) -> u32 {
        self.whose.get(record as usize).copied().unwrap_or(NONE)
    }

    /// Whether two records of a doubt are of one identity already.
    fn are_one(&self, a: u32, b: u32) -> bool {
        self.whose(a) == self.whose(b) && self.whose(a) != NONE
    }

    /// With which records a record could be one person, in their order.
    fn each_other(&self, record: u32) -> impl Iterator<Item = u32> + '_ {
        self.doubt_of(record).filter(move |other| {
            let other = *other;
            let decided = self.apart.contains(&(record, other));
            other != record && !self.are_one(record, other) && !decided
        })
    }

    /// How many these are: all of the doubt but those that are decided, which are few.
    fn others(&self, record: u32) -> usize {
        let doubt = self.doubt_of(record);
        let own = match self.whose(record) {
            NONE => 1,
            whose => {
                let own = self.records_of.row(whose).iter();
                own.filter(|one| doubt.contains(one)).count()
            }
        };
        let apart = self.apart.range((record, 0)..=(record, u32::MAX));
        let apart = apart.filter(|(_, other)| *other != record && !self.are_one(record, *other));
        doubt.len().saturating_sub(own + apart.count())
    }

    /// Whether anything could concern an identity as well as another.
    pub fn concerns(&self, identity: u32) -> bool {
        let records = self.records_of.row(identity).iter();
        !self.custody.row(identity).is_empty()
            || !self.named_before.row(identity).is_empty()
            || records.clone().any(|one| self.others(*one) > 0)
    }
}
