//! Whom a reference of a source means: an owner line, an employer, what somebody confirmed.
//!
//! A record that its source lists no more still leads to its person, where another record of that
//! person is listed.

use super::identities::Identities;
use super::nearest::writings;
use std::collections::BTreeSet;

/// Whom a reference means, by numbers of records, one of each person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meant {
    /// Who is meant, where that is decided.
    pub one: Option<u32>,
    /// Who else could be.
    pub maybe: Vec<u32>,
}

impl Meant {
    fn just(one: u32) -> Meant {
        Meant {
            one: Some(one),
            maybe: Vec::new(),
        }
    }

    /// One of these, and others that had the name once.
    fn of(found: &[u32], before: Vec<u32>) -> Meant {
        match found {
            [one] => Meant {
                one: Some(*one),
                maybe: before,
            },
            several => Meant {
                one: None,
                maybe: several.iter().copied().chain(before).collect(),
            },
        }
    }
}

impl Identities {
    /// Whom a reference of a source means: a bare id, its own source's before others'; or
    /// `source:id`.
    pub fn meant(&self, text: &str, source: i64) -> Meant {
        if let Some(own) = self.listed(source, text) {
            return Meant::just(own);
        }
        let listed = self.named(text, source);
        let before = self.held_once(text);
        if !listed.is_empty() {
            let persons: BTreeSet<u32> = listed.iter().map(|n| self.lead(*n)).collect();
            let others = before.into_iter();
            let others = others.filter(|n| !persons.contains(&self.lead(*n)));
            return Meant::of(&listed, others.collect());
        }
        if !before.is_empty() {
            return Meant::of(&before, Vec::new());
        }
        match text.split_once(':') {
            Some((name, id)) => self.meant_of(name, id),
            None => Meant::default(),
        }
    }

    /// The person whose record this is of a source.
    pub fn meant_of(&self, source: &str, id: &str) -> Meant {
        let names = self.ground.source_names.iter();
        let rows = names.filter(|(_, name)| *name == source);
        let found = rows.filter_map(|(row, _)| self.listed(*row, id));
        let found = self.one_each(found.collect());
        if found.is_empty() && self.ground.removed_names.contains(source) {
            // The roster may be read under another name now, or it may be somebody else's id.
            return Meant {
                one: None,
                maybe: self.listed_under(id),
            };
        }
        Meant::of(&found, Vec::new())
    }

    /// The numbers of the writing of a reference that means nobody: whole, and without a source.
    pub fn nearly(&self, text: &str, meant: &Meant) -> impl Iterator<Item = u64> + use<> {
        let nobody = meant.one.is_none() && meant.maybe.is_empty();
        let writings = nobody.then(|| writings(text));
        writings.into_iter().flatten()
    }

    /// Everybody who has an id in any source, by one record each.
    pub(super) fn listed_under(&self, id: &str) -> Vec<u32> {
        self.one_each(self.with_id(id).collect())
    }

    /// Listed persons of whom a record that is not listed now has this id.
    fn held_once(&self, id: &str) -> Vec<u32> {
        if self.persons.is_empty() {
            return Vec::new();
        }
        let rows = self.ground.source_names.keys();
        let once = rows.filter(|row| self.record(**row, id).is_none());
        self.one_each(once.filter_map(|row| self.listed(*row, id)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gathering, Ground, IdentityKeys, Persons};

    /// Of listed `source:id` records, of which those of `joined` are one person, whom a text of a
    /// source means, and who else could be.
    fn check(
        listed: &[(i64, &str)],
        joined: &[&[(i64, &str)]],
        (text, source): (&str, i64),
        (one, maybe): (&str, &[&str]),
    ) {
        let ground = Ground {
            source_names: (1..5).map(|n| (n, format!("s{n}"))).collect(),
            ..Ground::default()
        };
        let mut gathering = Gathering::new(ground);
        for (source, id) in listed {
            gathering.add(&IdentityKeys::named(*source, id, None));
        }
        let of_one = |(person, records): (u32, &&[(i64, &str)])| {
            let records = (0..).zip(records.iter());
            let records = records.map(move |(n, (s, id))| (*s, (*id).to_owned(), person, n));
            records.collect::<Vec<_>>()
        };
        let known = gathering.done(Persons::new((0..).zip(joined).flat_map(of_one)));
        let name = |n: u32| format!("{}:{}", known.source(n), known.id(n));
        let meant = known.meant(text, source);
        let found = meant.one.map(name).unwrap_or_default();
        let others: Vec<String> = meant.maybe.into_iter().map(name).collect();
        assert_eq!(
            (found.as_str(), others),
            (one, maybe.iter().map(ToString::to_string).collect()),
            "{text} of {source}"
        );
    }

    #[test]
    fn its_own_source_goes_first_and_several_others_are_in_doubt() {
        let all = [(1, "u1"), (2, "u1"), (3, "u2")];
        check(&all, &[], ("u1", 1), ("1:u1", &[]));
        check(&all, &[], ("u1", 4), ("", &["1:u1", "2:u1"]));
        check(&all, &[], ("s2:u1", 4), ("2:u1", &[]));
        check(&all, &[], ("u2", 1), ("3:u2", &[]));
        check(&all, &[], ("u9", 1), ("", &[]));
        let reads_as_another = [(1, "u1"), (2, "s1:u1")];
        check(
            &reads_as_another,
            &[],
            ("s1:u1", 3),
            ("", &["1:u1", "2:s1:u1"]),
        );
        check(&reads_as_another, &[], ("s1:u1", 2), ("2:s1:u1", &[]));
        let one = [(1, "u1"), (2, "u1")];
        check(&all, &[&one], ("u1", 4), ("1:u1", &[]));
    }

    #[test]
    fn a_record_that_is_not_listed_leads_to_its_person() {
        let person: &[(i64, &str)] = &[(1, "u1"), (2, "v1")];
        check(&[(2, "v1")], &[person], ("s1:u1", 4), ("2:v1", &[]));
        check(&[(2, "v1")], &[person], ("u1", 4), ("2:v1", &[]));
        check(&[(2, "v1")], &[person], ("u1", 1), ("2:v1", &[]));
        check(&[], &[person], ("s1:u1", 4), ("", &[]));
        // Somebody else has the id by now.
        let since = [(2, "v1"), (3, "u1")];
        check(&since, &[person], ("u1", 4), ("3:u1", &["2:v1"]));
        check(&since, &[person], ("u1", 1), ("2:v1", &[]));
        check(&since, &[person], ("s1:u1", 4), ("2:v1", &[]));
    }
}
