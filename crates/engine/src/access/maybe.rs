//! Accounts that are nobody's who is listed, and whose they may be.
//!
//! Thousands of accounts may lead to the same thousands of people: such accounts are listed once, in
//! a group that each of these people has.

use super::graph::Graph;
use crate::correlate::{could_be_called, writings};
use crate::only_values::{OnlyValues, only_values_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A list of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group(u32);

impl OnlyValues for Group {}

only_values_of! {
    MaybeAccounts { groups, of, of_gone, stayed, called, unmatched, named }
}

/// Accounts (`system:id`), by whose they may be.
#[derive(Clone, Default)]
pub(crate) struct MaybeAccounts {
    groups: Vec<Vec<String>>,
    /// By identity, those that could be theirs as well as another's.
    of: BTreeMap<String, Vec<Group>>,
    /// By `source:id` of a record that no source lists, those that could be theirs as well.
    of_gone: BTreeMap<String, Vec<Group>>,
    /// By the same, those that stayed with it.
    stayed: BTreeMap<String, Vec<String>>,
    /// Those that no rule and no decision leads anywhere.
    called: Vec<Box<str>>,
    /// The places of the same, by what they could be called.
    unmatched: Vec<(u64, u32)>,
    /// The same, by the identity that their systems name, which nobody has.
    named: Vec<(u64, Box<str>)>,
}

impl MaybeAccounts {
    /// A group of accounts that could be of any of these; it has none yet.
    pub fn group(
        &mut self,
        listed: impl IntoIterator<Item = String>,
        gone: impl IntoIterator<Item = String>,
    ) -> Group {
        let group = Group(u32::try_from(self.groups.len()).unwrap_or(u32::MAX));
        self.groups.push(Vec::new());
        for identity in listed {
            self.of.entry(identity).or_default().push(group);
        }
        for record in gone {
            self.of_gone.entry(record).or_default().push(group);
        }
        group
    }

    pub fn in_group(&mut self, group: Group, account: String) {
        if let Some(accounts) = self.groups.get_mut(group.0 as usize) {
            accounts.push(account);
        }
    }

    /// An account could be of one of those who are listed.
    pub fn of(&mut self, identity: String, account: String) {
        let group = self.group([identity], []);
        self.in_group(group, account);
    }

    /// An account stayed with a record that no source lists.
    pub fn stayed(&mut self, record: String, account: String) {
        self.stayed.entry(record).or_default().push(account);
    }

    /// Nothing says whose an account is; its system may name somebody whom nobody lists.
    pub fn unmatched(
        &mut self,
        (system, id): (&str, &str),
        name: Option<&str>,
        named: Option<&str>,
    ) {
        for by_identity in named.map(writings).into_iter().flatten() {
            let account = format!("{system}:{id}").into_boxed_str();
            self.named.push((by_identity, account));
        }
        let texts = name.into_iter().chain([id]);
        let calls: BTreeSet<u64> = texts.flat_map(could_be_called).collect();
        if !calls.is_empty() {
            let number = u32::try_from(self.called.len()).unwrap_or(u32::MAX);
            self.called.push(format!("{system}:{id}").into_boxed_str());
            self.unmatched
                .extend(calls.into_iter().map(|called| (called, number)));
        }
    }

    /// Once all are there.
    pub fn in_order(&mut self) {
        self.named.sort_unstable();
        self.named.dedup();
        let called = &self.called;
        let name = |place: u32| called.get(place as usize);
        let order = |a: &(u64, u32), b: &(u64, u32)| (a.0, name(a.1)).cmp(&(b.0, name(b.1)));
        self.unmatched.sort_unstable_by(order);
        self.unmatched
            .dedup_by(|a, b| (a.0, name(a.1)) == (b.0, name(b.1)));
        for accounts in self.stayed.values_mut() {
            accounts.sort_unstable();
            accounts.dedup();
        }
    }

    /// The accounts that are called so, and of which nothing says whose they are.
    pub fn alike(&self, called: u64) -> impl Iterator<Item = &str> {
        let accounts = those_of(&self.unmatched, called);
        accounts.filter_map(|place| self.called.get(*place as usize).map(|name| &**name))
    }

    /// The accounts of which nothing says whose they are but an identity id that is this one in
    /// another writing: capitals, spaces or signs.
    pub fn named_alike(&self, id: &str) -> impl Iterator<Item = &str> {
        writings(id)
            .into_iter()
            .flat_map(|one| those_of(&self.named, one).map(|name| &**name))
    }

    /// The accounts that could be an identity's, or a record's that no source lists now, as well
    /// as another's, in order.
    pub fn in_doubt(&self, id: &str) -> Vec<String> {
        let groups = [self.of.get(id), self.of_gone.get(id)];
        let accounts = self.accounts(groups.into_iter().flatten().flatten());
        accounts.into_iter().map(str::to_owned).collect()
    }

    /// All of whom that names any account.
    pub fn everyone_in_doubt(&self) -> impl Iterator<Item = &str> {
        let any = |groups: &[Group]| {
            let mut groups = groups
                .iter()
                .filter_map(|one| self.groups.get(one.0 as usize));
            groups.any(|accounts| !accounts.is_empty())
        };
        let of = self.of.iter().chain(&self.of_gone);
        of.filter(move |(_, groups)| any(groups))
            .map(|(id, _)| id.as_str())
    }

    /// Whether nothing says of any account whose it is.
    pub fn all_matched(&self) -> bool {
        self.unmatched.is_empty() && self.named.is_empty()
    }

    fn accounts<'m>(&'m self, groups: impl Iterator<Item = &'m Group>) -> BTreeSet<&'m str> {
        let groups = groups.filter_map(|group| self.groups.get(group.0 as usize));
        groups.flatten().map(String::as_str).collect()
    }

    /// Every record that no source lists and with which accounts stayed.
    pub fn stayed_with(&self) -> impl Iterator<Item = &str> {
        self.stayed.keys().map(String::as_str)
    }

    /// The accounts that stayed with a record that no source lists.
    pub fn left_by(&self, record: &str) -> &[String] {
        self.stayed.get(record).map_or(&[], Vec::as_slice)
    }
}

/// The accounts under a number; all are in order.
fn those_of<T>(all: &[(u64, T)], number: u64) -> impl Iterator<Item = &T> {
    let from = all.partition_point(|(of, _)| *of < number);
    let alike = all.get(from..).unwrap_or_default().iter();
    let alike = alike.take_while(move |(of, _)| *of == number);
    alike.map(|(_, account)| account)
}

impl Graph {
    /// The accounts of which nothing says whose they are, and that are called exactly like somebody
    /// or name somebody whose id differs in its writing: a sentence each.
    pub(crate) fn called_alike(&self, identity: u32, id: &str) -> Vec<String> {
        let own = std::iter::once(self.identities.at(identity).called);
        let names: BTreeSet<u64> = own.chain(self.also_called(identity)).collect();
        let alike = names.into_iter().flat_map(|name| self.maybe.alike(name));
        let alike = alike.map(|account| {
            format!("account `{account}` is called like `{id}`, and nothing says whose it is")
        });
        let named = self.maybe.named_alike(id).map(|account| {
            format!(
                "account `{account}` names an identity nearly as `{id}`, and nobody has that id"
            )
        });
        alike.chain(named).collect()
    }
}

/// What it says, however accounts are put together into groups.
impl fmt::Debug for MaybeAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |by: &BTreeMap<String, Vec<Group>>| -> BTreeMap<String, Vec<String>> {
            let by = by.iter().map(|(id, groups)| {
                let accounts = self.accounts(groups.iter()).into_iter();
                (id.clone(), accounts.map(str::to_owned).collect())
            });
            by.collect()
        };
        let name = |place: u32| self.called.get(place as usize);
        let unmatched = self.unmatched.iter();
        let unmatched: Vec<_> = unmatched.map(|(of, place)| (of, name(*place))).collect();
        f.debug_struct("MaybeAccounts")
            .field("of", &said(&self.of))
            .field("of_gone", &said(&self.of_gone))
            .field("stayed", &self.stayed)
            .field("unmatched", &unmatched)
            .field("named", &self.named)
            .finish()
    }
}
