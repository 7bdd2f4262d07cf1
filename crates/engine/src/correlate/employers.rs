//! For whom a person works who has several records, and when.
//!
//! The record that holds says it. A former contractor who was hired since keeps an ended record
//! that still names the vendor: the vendor's exit does not take such a person along.

use super::identities::Identities;
use crate::lifecycle::Closing;
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::{Identity, IdentityStatus};
use std::collections::BTreeMap;

/// Something about who employs whom, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Employment<T> {
    pub of: T,
    /// None from the beginning.
    pub from: Option<DateTime<Utc>>,
    pub until: Closing,
}

impl<T> Employment<T> {
    /// From the beginning and without an end.
    pub fn always(of: T) -> Self {
        Employment {
            of,
            from: None,
            until: Closing::Never,
        }
    }

    pub fn is_always(&self) -> bool {
        self.from.is_none() && self.until == Closing::Never
    }

    /// Something else for the same while.
    pub fn with<U>(&self, of: U) -> Employment<U> {
        Employment {
            of,
            from: self.from,
            until: self.until,
        }
    }

    /// Whether it is so at a moment. What ends exactly then has ended.
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until > Closing::At(at)
    }
}

/// A record that no source lists now, and whom it worked for when it was listed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkedFor {
    pub source: i64,
    pub id: String,
    /// As its source named them.
    pub employer: String,
}

/// Whom people worked for of whom the sources say nothing now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormerEmployers {
    /// Of records that are not listed.
    pub gone: Vec<WorkedFor>,
    /// Of records that are, and name nobody now.
    pub blank: Vec<WorkedFor>,
    /// Of records of sources that were removed, whose systems nobody called retired.
    pub removed: Vec<WorkedFor>,
}

impl Identities {
    /// Whoever could have been the employer of records that no source lists now, and such a record:
    /// `source:id`.
    pub fn worked_for(&self) -> impl Iterator<Item = (u32, String)> + '_ {
        self.ground.employers.gone.iter().flat_map(|left| {
            let record = format!("{}:{}", self.name_of_source(left.source), left.id);
            let employers = self.employers_meant(left);
            employers.map(move |employer| (employer, record.clone()))
        })
    }

    /// The same of records of persons who are listed by another one: employer and person.
    pub fn worked_for_before(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.ground.employers.gone.iter().flat_map(move |left| {
            let person = self.listed(left.source, &left.id);
            let employers = person.map(|_| self.employers_meant(left));
            let employers = employers.into_iter().flatten();
            employers.filter_map(move |employer| Some((employer, self.lead(person?))))
        })
    }

    /// The same of records that are listed by a source that names nobody's employer now: a column
    /// without any value says nothing. `names` tells whether a source names one.
    pub fn employers_unsaid<'i>(
        &'i self,
        names: impl Fn(i64) -> bool + 'i,
    ) -> impl Iterator<Item = (u32, u32)> + 'i {
        let blank = self.ground.employers.blank.iter();
        let blank = blank.filter(move |left| !names(left.source));
        blank.flat_map(move |left| {
            let person = self.record(left.source, &left.id);
            let employers = self.employers_meant(left);
            employers.filter_map(move |employer| Some((employer, self.lead(person?))))
        })
    }

    /// Employers of people whom only sources listed that were removed: a sentence each.
    pub fn worked_for_removed(&self) -> Vec<(u32, String)> {
        let mut counts: BTreeMap<(u32, &str), u64> = BTreeMap::new();
        for left in &self.ground.employers.removed {
            if self.with_id(&left.id).next().is_some() {
                continue;
            }
            for employer in self.employers_meant(left) {
                let source = self.name_of_source(left.source);
                *counts.entry((employer, source)).or_default() += 1;
            }
        }
        let sentences = counts.into_iter().map(|((employer, source), count)| {
            let people = if count == 1 { "person" } else { "people" };
            let id = self.shown(employer);
            let words = format!(
                "{count} {people} of `{id}` only source `{source}` listed, which was removed"
            );
            (employer, words)
        });
        sentences.collect()
    }

    fn employers_meant(&self, left: &WorkedFor) -> impl Iterator<Item = u32> + use<> {
        let meant = self.meant(&left.employer, left.source);
        meant.one.into_iter().chain(meant.maybe)
    }

    /// The record that a reference of a source names and no source lists now: `source:id`.
    pub fn gone_named(&self, text: &str, source: i64) -> Option<String> {
        let sources = |id: &str| self.ground.gone.get(id).map(Vec::as_slice);
        let named = |row: &i64, id: &str| format!("{}:{id}", self.name_of_source(*row));
        if let Some(rows) = sources(text) {
            let own = rows.iter().find(|row| **row == source);
            return own.or(rows.first()).map(|row| named(row, text));
        }
        let (name, id) = text.split_once(':')?;
        let mut rows = sources(id)?.iter();
        let row = rows.find(|row| self.name_of_source(**row) == name)?;
        Some(named(row, id))
    }
}

/// Whom a person with these records (each with the row of its source, the most trusted first) works
/// for, one after the other, each with the row of the source that says so.
pub fn employers<'a>(records: &[(i64, &'a Identity)]) -> Vec<Employment<(i64, &'a IdentityId)>> {
    let all: Vec<&Identity> = records.iter().map(|(_, record)| *record).collect();
    let named = |one: &Employment<Option<usize>>| {
        let (source, record) = records.get(one.of?)?;
        Some(one.with((*source, record.employer_id.as_ref()?)))
    };
    employments(&all).iter().filter_map(named).collect()
}

/// Which record names the employer of a person with these records (the most trusted first), by its
/// place, one after the other; None where those that count name nobody. Only records that hold
/// count: active, on leave or without a status, and not past their last day. Where none does, those
/// count that are not marked as ended; else all.
pub(super) fn employments(records: &[&Identity]) -> Vec<Employment<Option<usize>>> {
    let mut ends: Vec<DateTime<Utc>> = records
        .iter()
        .filter(|record| is_current(record))
        .filter_map(|record| Some(record.end_date?.as_expiry()))
        .collect();
    ends.sort_unstable();
    ends.dedup();
    let mut found: Vec<Employment<Option<usize>>> = Vec::new();
    let froms = std::iter::once(None).chain(ends.iter().copied().map(Some));
    let untils = ends.iter().copied().map(Closing::At);
    for (from, until) in froms.zip(untils.chain([Closing::Never])) {
        let of = employer_from(records, from);
        match found.last_mut() {
            Some(before) if before.of == of => before.until = until,
            Some(_) | None => found.push(Employment { of, from, until }),
        }
    }
    found
}

/// Which record names the employer from a moment on (None: from the beginning).
fn employer_from(records: &[&Identity], from: Option<DateTime<Utc>>) -> Option<usize> {
    let ended = |record: &Identity| {
        let end = record.end_date.map(|end| end.as_expiry());
        from.zip(end).is_some_and(|(from, end)| end <= from)
    };
    let places = |counts: &dyn Fn(&Identity) -> bool| -> Vec<usize> {
        let counting = records.iter().enumerate().filter(|(_, r)| counts(r));
        counting.map(|(place, _)| place).collect()
    };
    let ways: [&dyn Fn(&Identity) -> bool; 3] = [
        &|record| is_current(record) && !ended(record),
        &|record| record.status != Some(IdentityStatus::Inactive),
        &|_| true,
    ];
    let counting = ways.into_iter().map(places).find(|some| !some.is_empty())?;
    counting.into_iter().find(|place| {
        let record = records.get(*place);
        record.is_some_and(|record| record.employer_id.is_some())
    })
}

fn is_current(record: &Identity) -> bool {
    match record.status {
        Some(IdentityStatus::Active | IdentityStatus::OnLeave) | None => true,
        Some(IdentityStatus::Pending | IdentityStatus::Inactive) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn record([status, employer, end]: [&str; 3]) -> Identity {
        let mut all = json!({"id": "u1", "kind": "person"});
        let mut say = |column: &str, value: &str| {
            if !value.is_empty() {
                all[column] = Value::from(value);
            }
        };
        say("status", status);
        say("employer_id", employer);
        if !end.is_empty() {
            say("end_date", &format!("{end}T00:00:00Z"));
        }
        serde_json::from_value(all).unwrap()
    }

    /// The employers before 2026, in its first half and after it.
    fn check(records: &[[&str; 3]], expected: [&str; 3]) {
        let records: Vec<Identity> = records.iter().map(|r| record(*r)).collect();
        let all: Vec<&Identity> = records.iter().collect();
        let found = employments(&all);
        let at = |day: &str| {
            let at: DateTime<Utc> = format!("{day}T00:00:00Z").parse().unwrap();
            let then: Vec<_> = found.iter().filter(|one| one.holds(at)).collect();
            assert_eq!(then.len(), 1, "one at a time: {found:?}");
            let employer = then[0].of.and_then(|r| all[r].employer_id.as_ref());
            employer.map_or("", |employer| employer.as_str())
        };
        let days = ["2025-12-31", "2026-03-01", "2026-07-01"];
        assert_eq!(days.map(at), expected, "{found:?}");
    }

    #[test]
    fn an_ended_contract_names_nobody_for_whom_a_hired_person_works() {
        let hired = ["active", "", ""];
        check(&[hired, ["inactive", "acme", ""]], ["", "", ""]);
        check(&[["inactive", "acme", ""], hired], ["", "", ""]);
        check(&[hired, ["active", "acme", ""]], ["acme", "acme", "acme"]);
        check(&[["on_leave", "", ""], ["inactive", "acme", ""]], [""; 3]);
        check(&[["", "", ""], ["inactive", "acme", ""]], [""; 3]);
    }

    #[test]
    fn a_contract_ends_with_its_last_day_whatever_its_status() {
        let hired = ["active", "", ""];
        let until_june = ["active", "acme", "2026-07-01"];
        check(&[hired, until_june], ["acme", "acme", ""]);
        let other = ["active", "bolt", "2026-01-01"];
        check(&[other, until_june, hired], ["bolt", "acme", ""]);
    }

    #[test]
    fn where_no_record_holds_the_last_ones_still_name_whose_the_person_was() {
        let ended = ["active", "acme", "2026-01-01"];
        check(&[ended], ["acme"; 3]);
        check(&[["inactive", "bolt", ""], ended], ["acme"; 3]);
        check(
            &[["inactive", "", ""], ["inactive", "acme", ""]],
            ["acme"; 3],
        );
        check(&[["pending", "", ""], ["inactive", "acme", ""]], [""; 3]);
        check(&[["pending", "", ""], ended], ["acme"; 3]);
    }
}
