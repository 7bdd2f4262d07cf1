//! What could concern somebody as well as another, beside accounts: who has a credential in
//! custody, who works for whom, and who is one person with whom. It is counted as nobody's, and
//! whoever leaves is told of it.

use super::columns::{NONE, Rows, Texts};
use super::making::Number;
use crate::correlate::Employment;
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
    Undecided { employed, credentials, custody, named_before, worked_for, left, unknown_employer, records, whose, doubts, doubt, records_of, of_gone, apart }
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
        self.worked_for.sort_unstable();
        self.worked_for.dedup();
        let worked_for = self.worked_for.iter();
        let worked_for = worked_for.map(|(employer, record)| (row(*employer), left.push(record)));
        undecided.worked_for = Rows::build(identities, worked_for.collect());
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
        custody.chain(named).chain(others).collect()
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
