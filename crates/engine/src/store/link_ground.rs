//! A number for all that links are made of besides the accounts themselves: rules, decisions, who
//! is listed under which names, who left, who is one person. As long as it is the same, an
//! account that has not changed has the link that it had.

use crate::correlate::{Ground, IdentityKeys, JoinedPerson, Listed, Past, PersonRules};
use siphasher::sip::SipHasher13;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// Whatever comes in whatever order makes one sum.
pub(super) struct GroundSum(u64);

impl GroundSum {
    pub(super) fn new(ground: &Ground, person_rules: &PersonRules) -> Self {
        let mut sum = GroundSum(0);
        let Ground {
            source_names,
            rules,
            decisions,
            reused,
            // Of those who left, the records are added one by one.
            gone: _,
            past,
            removed,
            // Of whom an account is this says nothing.
            employers: _,
            // The sources' names tell it, and decisions say who they are about.
            removed_names,
        } = ground;
        let names: BTreeMap<&i64, &String> = source_names.iter().collect();
        sum.put("sources", &format!("{names:?}"));
        let names: BTreeSet<&String> = removed_names.iter().collect();
        sum.put("removed sources", &format!("{names:?}"));
        sum.put("rules", &format!("{rules:?} {person_rules:?}"));
        for decision in decisions {
            sum.put("decision", &format!("{decision:?}"));
        }
        for Past {
            keys,
            standing,
            until,
        } in past.iter().chain(&**removed)
        {
            sum.put("before", &(standing.word(), said(keys), until));
        }
        for record in reused {
            sum.put("reused", &record);
        }
        sum
    }

    fn put(&mut self, what: &str, said: &(impl Hash + ?Sized)) {
        let mut hasher = SipHasher13::new();
        what.hash(&mut hasher);
        said.hash(&mut hasher);
        self.0 = self.0.wrapping_add(hasher.finish());
    }

    /// A record of an identity: all that matching knows of it.
    pub(super) fn add(&mut self, record: &IdentityKeys, listed: Listed) {
        let listed = match listed {
            Listed::Now => "now",
            Listed::Once => "once",
        };
        self.put(listed, &said(record));
    }

    /// What a source told last of an account that it lists no more, and perhaps another one does:
    /// source, key and row. Links of rows that have not changed go by it.
    pub(super) fn unlisted(&mut self, told: (i64, i64, i64)) {
        self.put("unlisted", &told);
    }

    /// Who is one person.
    pub(super) fn join(&mut self, persons: &[JoinedPerson]) {
        for person in persons {
            self.put("person", &person.records);
        }
    }

    /// As it is kept.
    pub(super) fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}

/// All that matching knows of a record.
fn said(record: &IdentityKeys) -> impl Hash {
    let IdentityKeys {
        source,
        id,
        kind,
        display_name,
        email,
        start_date,
        attributes,
    } = record;
    let start = start_date.as_ref().and_then(|day| day.as_str());
    (source, id, kind, display_name, email, start, attributes)
}
