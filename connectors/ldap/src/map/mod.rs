//! An entry -> facts. Pure: what a person's, a group's or a role's entry says, and what it leaves
//! open.

mod group;
mod keys;
mod person;

pub use group::{group_key, member_values};

use crate::entry::Entry;
use crate::index::Index;
use crate::settings::Directory;
use lastkey_contract::NoteKind;
use lastkey_contract::facts::{Attributes, Fact};

/// What an entry is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Identity,
    Account,
    Group,
    Role,
    Members,
    RoleMembers,
    Password,
    Keys,
}

impl Sort {
    /// What is asked of each entry. The value of userPassword is not among it and never may be.
    pub fn attributes(self, directory: &Directory) -> Vec<String> {
        let names: &[&str] = match self {
            Sort::Identity => person::IDENTITY,
            Sort::Account => person::ACCOUNT,
            Sort::Group => group::GROUP,
            Sort::Role => group::ROLE,
            Sort::Members => group::MEMBERS,
            Sort::RoleMembers => &["nsRole"],
            Sort::Password => keys::PASSWORD,
            Sort::Keys => keys::KEYS,
        };
        let mut names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        names.push(directory.id_attribute.clone());
        match self {
            Sort::Identity | Sort::Account => names.push(directory.identity_attribute.clone()),
            Sort::Group
            | Sort::Role
            | Sort::Members
            | Sort::RoleMembers
            | Sort::Password
            | Sort::Keys => {}
        }
        names
    }
}

/// Something that an entry left open, for a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: NoteKind,
    pub reason: &'static str,
    pub example: String,
}

/// Where mapping stands within one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// All its facts are out.
    All,
    /// So many are out in all, and more are to come.
    UpTo(usize),
    /// It has no id.
    NoId,
}

/// Adds the facts of one entry, without the first `skip`, until `out` holds `limit`.
pub fn facts(
    sort: Sort,
    directory: &Directory,
    entry: &Entry,
    index: &Index,
    (skip, limit): (usize, usize),
    (out, problems): (&mut Vec<Fact>, &mut Vec<Problem>),
) -> Made {
    let single = match sort {
        Sort::Identity => person::identity(directory, entry, index).map(Fact::Identity),
        Sort::Account => person::account(directory, entry).map(Fact::Account),
        Sort::Group => group::entitlement(directory, entry).map(Fact::Entitlement),
        Sort::Role => group::role(directory, entry).map(Fact::Entitlement),
        Sort::Password => keys::password(directory, entry).map(Fact::Credential),
        Sort::Keys => {
            return match keys::all(directory, entry, problems) {
                None => Made::NoId,
                Some(keys) => part(keys.into_iter().map(Fact::Credential), skip, limit, out),
            };
        }
        Sort::Members => {
            return match group::members(directory, entry, index, skip, problems) {
                None => Made::NoId,
                Some(grants) => part(grants, skip, limit, out),
            };
        }
        Sort::RoleMembers => {
            return match group::role_members(directory, entry, index) {
                None => Made::NoId,
                Some(grants) => part(grants, skip, limit, out),
            };
        }
    };
    match single {
        None => Made::NoId,
        Some(fact) => {
            out.push(fact);
            Made::All
        }
    }
}

fn part(facts: impl Iterator<Item = Fact>, skip: usize, limit: usize, out: &mut Vec<Fact>) -> Made {
    let mut made = skip;
    let mut facts = facts.skip(skip).peekable();
    while out.len() < limit {
        let Some(fact) = facts.next() else {
            return Made::All;
        };
        out.push(fact);
        made += 1;
    }
    match facts.peek() {
        Some(_) => Made::UpTo(made),
        None => Made::All,
    }
}

fn text(entry: &Entry, name: &str) -> Option<String> {
    entry.one(name).map(str::to_owned)
}

/// The DN, and each of the named attributes that the entry shows, its values joined.
fn attributes(entry: &Entry, names: &[&str]) -> Attributes {
    let mut out = Attributes::new();
    out.insert("dn".to_owned(), entry.dn.clone());
    for name in names {
        let mut values = entry.all(name);
        if let Some(first) = values.next() {
            let mut joined = first.to_owned();
            for value in values {
                joined.push_str("; ");
                joined.push_str(value);
            }
            out.insert((*name).to_owned(), joined);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_contract::Settings;

    pub(super) fn directory() -> Directory {
        let pairs = [
            ("url", "ldaps://h"),
            ("base_dn", "dc=x"),
            ("system", "corp"),
            ("id_attribute", "entryUUID"),
        ];
        let settings = Settings(pairs.map(|(k, v)| (k.into(), v.into())).into());
        Directory::from_settings(&settings, false).unwrap()
    }

    #[test]
    fn the_value_of_a_password_is_never_asked_for() {
        let d = directory();
        for sort in [
            Sort::Identity,
            Sort::Account,
            Sort::Group,
            Sort::Role,
            Sort::Members,
            Sort::RoleMembers,
            Sort::Password,
            Sort::Keys,
        ] {
            let names = sort.attributes(&d);
            assert!(
                names
                    .iter()
                    .all(|n| !n.eq_ignore_ascii_case("userPassword") && n != "*" && n != "+"),
                "{sort:?}"
            );
        }
    }

    #[test]
    fn a_large_entry_is_mapped_in_parts() {
        let d = directory();
        let mut values = vec![("entryUUID".to_owned(), "1".to_owned())];
        values.extend((0..7).map(|n| ("member".to_owned(), format!("uid={n},dc=x"))));
        let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (&**n, &**v)).collect();
        let entry = Entry::of("cn=g,dc=x", &values);
        let index = Index::default();
        let (mut skip, mut seen) = (0, Vec::new());
        loop {
            let (mut out, mut problems) = (Vec::new(), Vec::new());
            let made = facts(
                Sort::Members,
                &d,
                &entry,
                &index,
                (skip, 3),
                (&mut out, &mut problems),
            );
            assert!(out.len() <= 3);
            seen.extend(out.iter().map(Fact::key));
            match made {
                Made::UpTo(count) => skip = count,
                Made::All => break,
                Made::NoId => panic!("it has an id"),
            }
        }
        assert_eq!(seen.len(), 7);
        seen.dedup();
        assert_eq!(seen.len(), 7, "each once");
    }
}
