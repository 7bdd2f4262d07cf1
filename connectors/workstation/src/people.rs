//! The accounts and groups of the machine, as `passwd` and `group` list them.

use crate::error::unreadable;
use lastkey_contract::ConnectorError;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// An account, by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    /// Other names of the same number.
    pub also: Vec<String>,
    pub group: Option<u32>,
    pub comment: String,
    pub home: String,
    pub shell: String,
}

/// A group, by its number, with the numbers of those whom `group` lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub members: BTreeSet<u32>,
}

/// Everybody on the machine, and lines that could not be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    pub accounts: BTreeMap<u32, Person>,
    pub groups: BTreeMap<u32, Group>,
    /// `file:line` of lines of `passwd` that were not understood.
    pub odd_accounts: Vec<String>,
    /// The same of `group`.
    pub odd_groups: Vec<String>,
    /// `file:line` of members of a group that nobody is.
    pub strangers: Vec<String>,
}

impl People {
    /// As the two files of a folder say.
    pub fn of(folder: &Path, system: &str) -> Result<People, ConnectorError> {
        let read = |name: &str| {
            let bytes = std::fs::read(folder.join(name))
                .map_err(|error| unreadable(system, "read the accounts", name, &error))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(People::parse(&read("passwd")?, &read("group")?))
    }

    pub fn parse(passwd: &str, group: &str) -> People {
        let mut people = People::default();
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for (line, text) in rows(passwd) {
            match account(text) {
                Some((number, person)) => {
                    numbers.entry(person.name.clone()).or_insert(number);
                    match people.accounts.get_mut(&number) {
                        Some(first) => first.also.push(person.name),
                        None => {
                            people.accounts.insert(number, person);
                        }
                    }
                }
                None => people.odd_accounts.push(format!("passwd:{line}")),
            }
        }
        for (line, text) in rows(group) {
            let mut fields = text.split(':');
            let (name, _password) = (fields.next(), fields.next());
            let number = fields.next().and_then(|text| text.parse().ok());
            let (Some(name), Some(number)) = (name.filter(|n| !n.is_empty()), number) else {
                people.odd_groups.push(format!("group:{line}"));
                continue;
            };
            let group: &mut Group = people.groups.entry(number).or_default();
            if group.name.is_empty() {
                group.name = name.to_owned();
            }
            let members = fields.next().unwrap_or_default().split(',');
            for member in members.map(str::trim).filter(|member| !member.is_empty()) {
                match numbers.get(member) {
                    Some(number) => {
                        group.members.insert(*number);
                    }
                    None => people.strangers.push(format!("group:{line}")),
                }
            }
        }
        people
    }

    /// The groups of an account, its own first one among them.
    pub fn groups_of(&self, account: u32) -> BTreeSet<u32> {
        let own = self.accounts.get(&account).and_then(|person| person.group);
        let listed = self.groups.iter();
        let listed = listed.filter(|(_, group)| group.members.contains(&account));
        own.into_iter()
            .chain(listed.map(|(number, _)| *number))
            .collect()
    }
}

fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // Lines with a sign before them are for lists of a network, which are not read here.
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with(['#', '+', '-']))
}

fn account(line: &str) -> Option<(u32, Person)> {
    let mut fields = line.split(':');
    let (name, _password) = (fields.next()?, fields.next()?);
    let number = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok();
    let mut text = || fields.next().map(str::to_owned).unwrap_or_default();
    (!name.is_empty()).then(|| {
        let person = Person {
            name: name.to_owned(),
            also: Vec::new(),
            group,
            comment: text(),
            home: text(),
            shell: text(),
        };
        (number, person)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_accounts_and_groups() {
        let people = People::parse(
            "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\nann:x:1000:1000:Ann, Lee:/home/ann:/bin/zsh\n\n+@net\nbroken\nbad:x:x:0\n",
            "root:x:0:\nops:x:27:ann,nobody-here\nann:x:1000:\n:x:3:\n",
        );
        let names: Vec<_> = people
            .accounts
            .iter()
            .map(|(n, p)| (*n, p.name.as_str()))
            .collect();
        assert_eq!(names, [(0, "root"), (1000, "ann")]);
        assert_eq!(people.accounts[&0].also, ["toor"]);
        assert_eq!(people.odd_accounts, ["passwd:6", "passwd:7"]);
        assert_eq!(people.odd_groups, ["group:4"]);
        assert_eq!(people.strangers, ["group:2"]);
        assert_eq!(people.groups_of(1000), [27, 1000].into());
        assert_eq!(people.groups_of(5), [].into());
    }
}
