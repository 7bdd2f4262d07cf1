//! Which records of identities are one person.
//!
//! Pure: a person is a set of records that decisions and confirmed rules join. Two records that
//! were decided to be apart are never joined, by no rule and over no third record.

use std::collections::{BTreeSet, HashMap};

/// Whether two records could be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    Joined,
    /// They were one already.
    One,
    /// It would bring two together that were decided to be apart.
    KeptApart,
}

/// Records, by number, falling into groups.
pub(crate) struct Groups {
    /// The next record towards the group's lowest; itself where it is the lowest.
    towards: Vec<u32>,
    /// Of a group's lowest record: those of groups that it must not be joined with.
    apart: HashMap<u32, Vec<u32>>,
}

impl Groups {
    /// Each record by itself.
    pub(crate) fn new(records: u32, apart: &[(u32, u32)]) -> Self {
        let mut foes: HashMap<u32, Vec<u32>> = HashMap::new();
        for (a, b) in apart {
            foes.entry(*a).or_default().push(*b);
            foes.entry(*b).or_default().push(*a);
        }
        Self {
            towards: (0..records).collect(),
            apart: foes,
        }
    }

    /// The lowest record of a record's group.
    pub(crate) fn lowest(&mut self, record: u32) -> u32 {
        let next = |towards: &[u32], at: u32| towards.get(at as usize).copied().unwrap_or(at);
        let mut lowest = record;
        while next(&self.towards, lowest) != lowest {
            lowest = next(&self.towards, lowest);
        }
        let mut at = record;
        while at != lowest {
            let after = next(&self.towards, at);
            if let Some(slot) = self.towards.get_mut(at as usize) {
                *slot = lowest;
            }
            at = after;
        }
        lowest
    }

    /// Joins the groups of two records.
    pub(crate) fn join(&mut self, a: u32, b: u32) -> Joining {
        let (a, b) = (self.lowest(a), self.lowest(b));
        if a == b {
            return Joining::One;
        }
        let foes = self.apart.get(&a).cloned().unwrap_or_default();
        if foes.iter().any(|foe| self.lowest(*foe) == b) {
            return Joining::KeptApart;
        }
        let (low, high) = (a.min(b), a.max(b));
        if let Some(slot) = self.towards.get_mut(high as usize) {
            *slot = low;
        }
        if let Some(more) = self.apart.remove(&high) {
            self.apart.entry(low).or_default().extend(more);
        }
        Joining::Joined
    }

    /// The lowest records of the groups that a group, named by its lowest, must not be joined with.
    pub(crate) fn kept_from(&mut self, lowest: u32) -> BTreeSet<u32> {
        let foes = self.apart.get(&lowest).cloned().unwrap_or_default();
        foes.into_iter().map(|foe| self.lowest(foe)).collect()
    }

    /// The groups of two records and more: each ascending, by their lowest.
    pub(crate) fn several(mut self) -> Vec<Vec<u32>> {
        let records = u32::try_from(self.towards.len()).unwrap_or(u32::MAX);
        let mut found: HashMap<u32, Vec<u32>> = HashMap::new();
        for record in 0..records {
            let lowest = self.lowest(record);
            if lowest != record {
                found
                    .entry(lowest)
                    .or_insert_with(|| vec![lowest])
                    .push(record);
            }
        }
        let mut groups: Vec<Vec<u32>> = found.into_values().collect();
        groups.sort_unstable();
        groups
    }
}

/// A record that is one of several of a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    source: i64,
    id: Box<str>,
    person: u32,
    /// Its place among the person's records: whose attributes go first.
    place: u32,
}

/// Who has several records. Whoever is not here is a person with one record, and named by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Persons {
    /// By source and id.
    members: Vec<Member>,
    /// Rows of `members`, by person and place.
    by_person: Vec<u32>,
}

impl Persons {
    /// From the records of persons: source row, id, person, place among the person's records.
    pub fn new(records: impl IntoIterator<Item = (i64, String, u32, u32)>) -> Self {
        let mut members: Vec<Member> = records
            .into_iter()
            .map(|(source, id, person, place)| Member {
                source,
                id: id.into_boxed_str(),
                person,
                place,
            })
            .collect();
        members.sort_unstable();
        let mut by_person: Vec<(u32, u32, u32)> = (0..)
            .zip(&members)
            .map(|(row, m)| (m.person, m.place, row))
            .collect();
        by_person.sort_unstable();
        Self {
            members,
            by_person: by_person.into_iter().map(|(_, _, row)| row).collect(),
        }
    }

    /// Whether every person has one record.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The stable number of the person whom a record belongs to; None where the person has only
    /// this record. `source` is the source's row.
    pub fn person_of(&self, source: i64, id: &str) -> Option<u32> {
        let row = self
            .members
            .binary_search_by(|m| (m.source, &*m.id).cmp(&(source, id)))
            .ok()?;
        self.members.get(row).map(|member| member.person)
    }

    /// The records of a person, those first whose attributes go first: source row and id.
    pub fn records_of(&self, person: u32) -> impl Iterator<Item = (i64, &str)> {
        let of_row = |row: &u32| self.members.get(*row as usize);
        let from = self
            .by_person
            .partition_point(|row| of_row(row).is_some_and(|m| m.person < person));
        self.by_person
            .iter()
            .skip(from)
            .filter_map(move |row| self.members.get(*row as usize))
            .take_while(move |m| m.person == person)
            .map(|m| (m.source, &*m.id))
    }

    /// All records of the person whom a record belongs to, itself among them.
    pub fn with<'a>(&'a self, source: i64, id: &'a str) -> Vec<(i64, &'a str)> {
        match self.person_of(source, id) {
            Some(person) => self.records_of(person).collect(),
            None => vec![(source, id)],
        }
    }

    /// Every person with several records, and these.
    pub fn all(&self) -> impl Iterator<Item = (u32, Vec<(i64, &str)>)> {
        self.by_person
            .chunk_by(|a, b| {
                let person = |row: &u32| self.members.get(*row as usize).map(|m| m.person);
                person(a) == person(b)
            })
            .filter_map(|rows| {
                let members: Vec<&Member> = rows
                    .iter()
                    .filter_map(|row| self.members.get(*row as usize))
                    .collect();
                let person = members.first()?.person;
                Some((
                    person,
                    members.into_iter().map(|m| (m.source, &*m.id)).collect(),
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(records: u32, apart: &[(u32, u32)], joins: &[(u32, u32)], expected: &[&[u32]]) {
        let mut groups = Groups::new(records, apart);
        for (a, b) in joins {
            groups.join(*a, *b);
        }
        assert_eq!(groups.several(), expected, "{apart:?} {joins:?}");
    }

    #[test]
    fn joins_go_on_over_a_third_and_stop_where_two_are_apart() {
        check(4, &[], &[], &[]);
        check(5, &[], &[(0, 1), (2, 3), (3, 1)], &[&[0, 1, 2, 3]]);
        check(5, &[], &[(4, 2), (1, 0)], &[&[0, 1], &[2, 4]]);
        check(3, &[(0, 2)], &[(0, 1), (1, 2)], &[&[0, 1]]);
        check(3, &[(0, 2)], &[(1, 2), (0, 1)], &[&[1, 2]]);
        check(4, &[(0, 3)], &[(0, 1), (2, 3), (1, 2)], &[&[0, 1], &[2, 3]]);
        check(2, &[(1, 0)], &[(0, 1)], &[]);
    }

    #[test]
    fn any_record_of_a_person_leads_to_all_of_them_in_their_order() {
        let persons = Persons::new([
            (2, "b".to_owned(), 7, 0),
            (1, "a".to_owned(), 7, 1),
            (1, "b".to_owned(), 9, 0),
            (3, "a".to_owned(), 9, 1),
        ]);
        assert_eq!(persons.with(1, "a"), [(2, "b"), (1, "a")]);
        assert_eq!(persons.with(3, "a"), [(1, "b"), (3, "a")]);
        assert_eq!(persons.with(3, "b"), [(3, "b")], "one record, one person");
        assert_eq!(persons.person_of(1, "c"), None);
        assert_eq!(persons.all().count(), 2);
    }
}
