//! A starting policy, suggested from what people with the same attributes hold.
//!
//! Of each entitlement the widest group is named that holds it: everybody, those with one value of
//! an attribute, those with several; and only where each part of the group holds it as well, as far
//! as the part is large enough to tell. Each suggestion has its support and its exceptions. Nothing
//! is applied, and nothing is suggested as a birthright: that somebody should hold something is
//! nobody's to guess. Outsiders, workloads and whoever has left say nothing of what colleagues need.

use super::asked::{Holder, OF_IDENTITIES, schema_name};
use super::holdings::Holdings;
use super::review::names;
use crate::access::columns::{Column, NONE};
use crate::access::graph::Graph;
use crate::ownership::OwnerState;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Identity, IdentityKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// More attributes at once make groups that nobody can look through.
const MOST_ATTRIBUTES: usize = 4;
/// How many exceptions are named, and how many entitlements of which nothing is suggested.
const NAMED: usize = 5;
const LISTED: usize = 50;

/// What is a suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Attributes by which people are alike, in the words of the schema; `#name` for a tag.
    attributes: Vec<String>,
    /// At least so many hold it.
    support: u64,
    /// And of each hundred at least so many.
    share: u64,
}

/// Why people do not count, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NotCounted {
    /// Vendors, workloads, agents.
    pub not_people: u64,
    /// People who work for a vendor.
    pub outsiders: u64,
    pub left: u64,
    /// Their first day is still to come.
    pub not_begun: u64,
}

/// What people with the same attributes hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// The rule's `@id`.
    pub policy: String,
    pub system: String,
    pub id: String,
    pub privileged: Option<bool>,
    /// Attribute and value; of everybody where empty.
    pub people: Vec<(String, String)>,
    /// `hold` of `of` hold it.
    pub hold: u64,
    pub of: u64,
    /// The first of those who do not: they could hold it.
    pub without: Vec<String>,
}

/// What is held by people for whom it is not suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exception {
    pub system: String,
    pub id: String,
    /// Of those who count.
    pub people: u64,
    /// Of all others.
    pub others: u64,
    /// The first of both.
    pub identities: Vec<String>,
}

/// A policy to begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggested {
    /// How many people count.
    pub people: u64,
    pub not_counted: NotCounted,
    /// Accounts of which it is not known whose they are: what they hold counts for nobody.
    pub nobodys_accounts: u64,
    /// Attributes that nobody has who counts.
    pub nobody_has: Vec<String>,
    /// The widest groups first, then by attribute, value, system and id.
    pub suggestions: Vec<Suggestion>,
    /// What most hold first.
    pub exceptions: Vec<Exception>,
    /// How many more entitlements have exceptions.
    pub exceptions_left_out: u64,
}

impl Wanted {
    /// By these attributes; `share` is of each hundred. The sentence is of what cannot be wanted.
    pub fn new(attributes: &[String], support: u64, share: u64) -> Result<Wanted, String> {
        let mut known: Vec<String> = Vec::new();
        for name in attributes {
            let name = schema_name(name.trim());
            let tag = name.strip_prefix('#').is_some_and(|tag| !tag.is_empty());
            if ["kind", "employer"].contains(&name) {
                return Err(format!(
                    "`{name}` tells nobody apart: only people count who work for no vendor"
                ));
            }
            if !tag && !OF_IDENTITIES.contains(&name) {
                return Err(format!("there is no attribute `{name}` of identities"));
            }
            if known.iter().any(|before| before == name) {
                return Err(format!("`{name}` stands here twice"));
            }
            known.push(name.to_owned());
        }
        if known.len() > MOST_ATTRIBUTES {
            let many = known.len();
            return Err(format!(
                "{many} attributes are more than {MOST_ATTRIBUTES}: the groups would be too small to tell"
            ));
        }
        if support == 0 || share == 0 || share > 100 {
            return Err("what nobody holds is no suggestion, and more than all cannot".to_owned());
        }
        Ok(Wanted {
            attributes: known,
            support,
            share,
        })
    }

    fn is_enough(&self, tally: &Tally, entitlement: u32) -> bool {
        let hold = tally.hold(entitlement);
        hold >= self.support && self.is_share(hold, tally.people)
    }

    fn is_share(&self, hold: u64, of: u64) -> bool {
        hold.saturating_mul(100) >= of.saturating_mul(self.share)
    }
}

/// Everybody who counts, by their attributes.
pub struct Colleagues {
    wanted: Wanted,
    now: DateTime<Utc>,
    /// The rows of those who are alike.
    groups: BTreeMap<Values, Vec<u32>>,
    not_counted: NotCounted,
}

/// A value for each attribute that was asked for, as far as known.
type Values = Vec<Option<String>>;

impl Colleagues {
    /// Nobody yet; `now` tells who has left.
    pub fn new(wanted: Wanted, now: DateTime<Utc>) -> Colleagues {
        Colleagues {
            wanted,
            now,
            groups: BTreeMap::new(),
            not_counted: NotCounted::default(),
        }
    }

    /// One more; whoever the graph does not have is left out.
    pub fn add(&mut self, graph: &Graph, person: &Identity) {
        let Some(row) = graph.identity(&person.id) else {
            return;
        };
        let not_counted = &mut self.not_counted;
        let why = match OwnerState::of(person.status, person.end_date, self.now) {
            _ if person.kind != IdentityKind::Person => Some(&mut not_counted.not_people),
            _ if person.employer_id.is_some() => Some(&mut not_counted.outsiders),
            OwnerState::Present | OwnerState::OnLeave => None,
            OwnerState::NotYet => Some(&mut not_counted.not_begun),
            OwnerState::Left
            | OwnerState::Ended
            | OwnerState::Absent
            | OwnerState::InDoubt
            | OwnerState::Unknown => Some(&mut not_counted.left),
        };
        if let Some(count) = why {
            *count += 1;
            return;
        }
        let holder = Holder::from(person);
        let value = |name: &String| match name.strip_prefix('#') {
            Some(tag) => holder.tags.get(tag).cloned(),
            None => holder.attributes.get(name).cloned(),
        };
        let values = self.wanted.attributes.iter().map(value).collect();
        self.groups.entry(values).or_default().push(row);
    }

    /// How many were given, whether they count or not.
    pub fn everybody(&self) -> usize {
        let NotCounted {
            not_people,
            outsiders,
            left,
            not_begun,
        } = &self.not_counted;
        let others = not_people + outsiders + left + not_begun;
        let others = usize::try_from(others).unwrap_or(usize::MAX);
        others.saturating_add(self.groups.values().map(Vec::len).sum())
    }
}

/// Who holds what in a group.
#[derive(Clone, Debug, Default)]
struct Tally {
    people: u64,
    holders: HashMap<u32, u64>,
    /// The places of the groups that one attribute more makes of it.
    parts: Vec<usize>,
}

impl Tally {
    fn hold(&self, entitlement: u32) -> u64 {
        self.holders.get(&entitlement).copied().unwrap_or(0)
    }
}

/// Which attributes make a group, and their values; of the others any.
type Group = (Vec<usize>, Values);

/// What people with the same attributes hold at a moment.
pub fn suggest(graph: &Graph, colleagues: &Colleagues, at: DateTime<Utc>) -> Suggested {
    let wanted = &colleagues.wanted;
    let (groups, tallies) = tallied(graph, colleagues, at);
    let mut found: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    let places: HashMap<&Group, usize> = groups.iter().zip(0..).collect();
    for (place, (by, values)) in groups.iter().enumerate() {
        let Some(tally) = tallies.get(place).filter(|_| is_known(by, values)) else {
            continue;
        };
        // What a wider group is given already is not suggested again.
        let wider = subsets(by)
            .into_iter()
            .filter(|wider| wider.len() < by.len());
        let wider: Vec<&BTreeSet<u32>> = wider
            .filter_map(|wider| {
                let values = only(&wider, values);
                found.get(places.get(&(wider, values))?)
            })
            .collect();
        let parts = || tally.parts.iter().filter_map(|part| tallies.get(*part));
        let telling = |part: &&Tally| part.people >= wanted.support;
        let enough = tally.holders.keys().copied().filter(|entitlement| {
            wanted.is_enough(tally, *entitlement)
                && !wider.iter().any(|wider| wider.contains(entitlement))
                && parts()
                    .filter(telling)
                    .all(|part| wanted.is_share(part.hold(*entitlement), part.people))
        });
        let enough: BTreeSet<u32> = enough.collect();
        if !enough.is_empty() {
            found.insert(place, enough);
        }
    }
    let mut suggestions: Vec<Suggestion> = Vec::new();
    let mut numbers: HashMap<(usize, u32), usize> = HashMap::new();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for (place, entitlements) in &found {
        for entitlement in entitlements {
            let (Some(group), Some(tally)) = (groups.get(*place), tallies.get(*place)) else {
                continue;
            };
            numbers.insert((*place, *entitlement), suggestions.len());
            let mut one = suggestion(graph, wanted, group, tally, *entitlement);
            // Odd values may read alike.
            while !ids.insert(one.policy.clone()) {
                one.policy.push('\'');
            }
            suggestions.push(one);
        }
    }
    let mut without: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); suggestions.len()];
    let mut exceptions = Exceptions::new(graph);
    let mut counted = Column::filled(false, graph.identities.len());
    let mut holdings = Holdings::new(graph, at);
    let mut people = 0;
    for (values, rows) in &colleagues.groups {
        let all = subsets(&(0..values.len()).collect::<Vec<_>>());
        let of = all.into_iter().filter_map(|by| {
            let values = only(&by, values);
            let place = places.get(&(by, values))?;
            Some((*place, found.get(place)?))
        });
        let of: Vec<(usize, &BTreeSet<u32>)> = of.collect();
        for row in rows {
            *counted.at_mut(*row) = true;
            people += 1;
            let held = holdings.of(*row);
            let lacks = |entitlement: &&u32| held.binary_search(entitlement).is_err();
            for (place, entitlements) in &of {
                for entitlement in entitlements.iter().filter(lacks) {
                    let number = numbers.get(&(*place, *entitlement));
                    if let Some(one) = number.and_then(|number| without.get_mut(*number)) {
                        first_of(one, *row);
                    }
                }
            }
            let given = |entitlement: &&u32| of.iter().any(|(_, all)| all.contains(entitlement));
            for entitlement in held.iter().filter(|entitlement| !given(entitlement)) {
                exceptions.of_colleague(*entitlement, *row);
            }
        }
    }
    for (one, rows) in suggestions.iter_mut().zip(without) {
        let names = rows
            .iter()
            .map(|row| graph.identity_ids.at(*row).to_owned());
        one.without = names.collect();
    }
    for row in (0..graph.identities.len()).filter(|row| !counted.at(*row)) {
        for entitlement in holdings.of(row) {
            exceptions.of_other(*entitlement, row);
        }
    }
    let (exceptions, exceptions_left_out) = exceptions.listed();
    let nobodys = graph.accounts.values().iter();
    let nobodys = nobodys.filter(|account| account.identity == NONE);
    Suggested {
        people,
        not_counted: colleagues.not_counted.clone(),
        nobodys_accounts: count(nobodys.count()),
        nobody_has: nobody_has(colleagues),
        suggestions,
        exceptions,
        exceptions_left_out,
    }
}

/// Everybody by all attributes and by fewer, where so many are alike that it tells: the widest groups
/// first, and who holds what in each.
fn tallied(graph: &Graph, colleagues: &Colleagues, at: DateTime<Utc>) -> (Vec<Group>, Vec<Tally>) {
    let mut tallies: HashMap<Group, Tally> = HashMap::new();
    let attributes: Vec<usize> = (0..colleagues.wanted.attributes.len()).collect();
    let all = subsets(&attributes);
    for (values, rows) in &colleagues.groups {
        for by in &all {
            let tally = tallies.entry((by.clone(), only(by, values))).or_default();
            tally.people += count(rows.len());
        }
    }
    // Of a million people most groups by all attributes are a few: what these hold is no suggestion,
    // and says nothing against one.
    tallies.retain(|_, tally| tally.people >= colleagues.wanted.support);
    let mut holdings = Holdings::new(graph, at);
    for (values, rows) in &colleagues.groups {
        let groups = all.iter().map(|by| (by.clone(), only(by, values)));
        let groups: Vec<Group> = groups.filter(|group| tallies.contains_key(group)).collect();
        let mut holders: HashMap<u32, u64> = HashMap::new();
        for row in rows {
            for entitlement in holdings.of(*row) {
                *holders.entry(*entitlement).or_default() += 1;
            }
        }
        for group in &groups {
            let Some(tally) = tallies.get_mut(group) else {
                continue;
            };
            for (entitlement, hold) in &holders {
                *tally.holders.entry(*entitlement).or_default() += hold;
            }
        }
    }
    let mut both: Vec<(Group, Tally)> = tallies.into_iter().collect();
    both.sort_by(|((a, of_a), _), ((b, of_b), _)| (a.len(), a, of_a).cmp(&(b.len(), b, of_b)));
    let (groups, mut tallies): (Vec<Group>, Vec<Tally>) = both.into_iter().unzip();
    let places: HashMap<&Group, usize> = groups.iter().zip(0..).collect();
    for (part, (by, values)) in groups.iter().enumerate() {
        for left_out in by {
            let wider: Vec<usize> = by.iter().copied().filter(|one| one != left_out).collect();
            let values = only(&wider, values);
            let wider = places.get(&(wider, values)).copied();
            if let Some(tally) = wider.and_then(|wider| tallies.get_mut(wider)) {
                tally.parts.push(part);
            }
        }
    }
    (groups, tallies)
}

/// Some of these, in every way; the fewest first.
fn subsets(all: &[usize]) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    for one in all {
        let with = found.iter().map(|some| [some.as_slice(), &[*one]].concat());
        let with: Vec<Vec<usize>> = with.collect();
        found.extend(with);
    }
    found.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    found
}

/// The values of these attributes, in their places; of the others any.
fn only(by: &[usize], values: &Values) -> Values {
    let places = values.iter().enumerate();
    let values = places.map(|(place, value)| value.clone().filter(|_| by.contains(&place)));
    values.collect()
}

/// Whether a value is known of each of these attributes: nobody can be permitted by what is not.
fn is_known(by: &[usize], values: &Values) -> bool {
    by.iter()
        .all(|place| values.get(*place).is_some_and(Option::is_some))
}

fn suggestion(
    graph: &Graph,
    wanted: &Wanted,
    (_, values): &Group,
    tally: &Tally,
    entitlement: u32,
) -> Suggestion {
    let (system, id) = names(graph, entitlement);
    let people = wanted.attributes.iter().zip(values);
    let people: Vec<(String, String)> = people
        .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
        .collect();
    let who = match people.is_empty() {
        true => "everybody".to_owned(),
        false => people_in_words(&people),
    };
    Suggestion {
        policy: format!("{who}: {system}:{id}"),
        system: system.to_owned(),
        id: id.to_owned(),
        privileged: graph.entitlements.at(entitlement).privileged,
        people,
        hold: tally.hold(entitlement),
        of: tally.people,
        without: Vec::new(),
    }
}

/// `department Finance, title Clerk`.
pub(super) fn people_in_words(people: &[(String, String)]) -> String {
    let words = people.iter().map(|(name, value)| format!("{name} {value}"));
    words.collect::<Vec<_>>().join(", ")
}

/// Attributes of which nobody who counts has a value.
fn nobody_has(colleagues: &Colleagues) -> Vec<String> {
    let attributes = colleagues.wanted.attributes.iter().enumerate();
    let has = |place: usize| {
        let mut values = colleagues
            .groups
            .keys()
            .filter_map(|values| values.get(place));
        values.any(Option::is_some)
    };
    let without = attributes.filter(|(place, _)| !has(*place));
    without.map(|(_, name)| name.clone()).collect()
}

/// What is held by people for whom it is not suggested.
struct Exceptions<'g> {
    graph: &'g Graph,
    /// Colleagues, others, and the first rows of both.
    of: BTreeMap<u32, (u64, u64, BTreeSet<u32>)>,
}

impl<'g> Exceptions<'g> {
    fn new(graph: &'g Graph) -> Self {
        Exceptions {
            graph,
            of: BTreeMap::new(),
        }
    }

    fn of_colleague(&mut self, entitlement: u32, row: u32) {
        let one = self.of.entry(entitlement).or_default();
        one.0 += 1;
        first_of(&mut one.2, row);
    }

    fn of_other(&mut self, entitlement: u32, row: u32) {
        let one = self.of.entry(entitlement).or_default();
        one.1 += 1;
        first_of(&mut one.2, row);
    }

    /// Those that most hold, and how many more there are.
    fn listed(self) -> (Vec<Exception>, u64) {
        let graph = self.graph;
        let all = self.of.into_iter().map(|(entitlement, one)| {
            let (people, others, rows) = one;
            let (system, id) = names(graph, entitlement);
            let identities = rows
                .iter()
                .map(|row| graph.identity_ids.at(*row).to_owned());
            Exception {
                system: system.to_owned(),
                id: id.to_owned(),
                people,
                others,
                identities: identities.collect(),
            }
        });
        let mut all: Vec<Exception> = all.collect();
        // Stable: of equals the first by system and id stays first.
        all.sort_by_key(|one| std::cmp::Reverse(one.people + one.others));
        let left_out = count(all.len().saturating_sub(LISTED));
        all.truncate(LISTED);
        (all, left_out)
    }
}

fn first_of(rows: &mut BTreeSet<u32>, row: u32) {
    rows.insert(row);
    if rows.len() > NAMED {
        rows.pop_last();
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
