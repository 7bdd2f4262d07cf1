//! Two policies side by side: what would change for whom if the other one counted.
//!
//! People and entitlements that neither policy tells apart are asked about once; only those are
//! asked about to whom a rule could apply that one of the two lacks. Counts cover everybody, lines
//! are as many as asked for.

use super::asked::Holding;
use super::crowd::{Alike, Crowd};
use super::decide::{Decider, Decision, Entitlements, Held, HolderClass, HoldingClass};
use super::review::{Catalogue, PolicyWord, held_by};
use super::rules::{AccessPolicy, Effect, Rule};
use crate::access::graph::Graph;
use chrono::{DateTime, Utc};
use lastkey_contract::IdentityId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use ts_rs::TS;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Change {
    NewlyAllowed,
    NoLongerAllowed,
    BirthrightGained,
    BirthrightLost,
    /// Not permitted, where no policy spoke or nothing was decided.
    NewlyRefused,
    /// Not permitted before, and now no policy speaks or nothing is decided.
    NoLongerRefused,
    /// No policy speaks where nothing was decided, or the other way round.
    JudgedOtherwise,
    /// The same answer, which was an assumption or is one now.
    Certainty,
}

impl Change {
    pub const ALL: [Change; 8] = [
        Change::NewlyAllowed,
        Change::NoLongerAllowed,
        Change::BirthrightGained,
        Change::BirthrightLost,
        Change::NewlyRefused,
        Change::NoLongerRefused,
        Change::JudgedOtherwise,
        Change::Certainty,
    ];

    /// As people say it.
    pub fn in_words(self) -> &'static str {
        match self {
            Change::NewlyAllowed => "newly allowed",
            Change::NoLongerAllowed => "no longer allowed",
            Change::BirthrightGained => "birthright gained",
            Change::BirthrightLost => "birthright lost",
            Change::NewlyRefused => "newly refused",
            Change::NoLongerRefused => "no longer refused",
            Change::JudgedOtherwise => "judged otherwise",
            Change::Certainty => "as before, but for how sure that is",
        }
    }
}

/// How much changes in one way; each identity with each entitlement counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ChangeCount {
    pub change: Change,
    /// Identities with entitlements.
    pub pairs: u64,
    pub identities: u64,
    pub entitlements: u64,
    /// Of the pairs, those where the identity holds the entitlement at the moment.
    pub held: u64,
}

/// What changes for an identity and an entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ChangeLine {
    pub identity: String,
    pub system: String,
    pub id: String,
    /// Whether the identity holds it at the moment.
    pub held: bool,
    pub changes: Vec<Change>,
    pub before: PolicyWord,
    pub after: PolicyWord,
}

/// What another policy would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Differences {
    pub identities: u64,
    /// How many kinds of people the policies tell apart.
    pub kinds_of_people: u64,
    pub entitlements: u64,
    /// One of each change, none left out.
    pub counts: Vec<ChangeCount>,
    /// First what is held and would be refused, then birthrights that would be missing, then what
    /// else is held, then the rest; of each by identity, system and id.
    pub lines: Vec<ChangeLine>,
    /// How many more pairs change than there are lines.
    pub truncated: u64,
    /// Systems in which something changes.
    #[serde(skip)]
    pub systems: BTreeSet<String>,
}

/// What would change if `after` counted and not `before`, for whom and what they hold at a moment;
/// no more than `limit` lines. `crowd` is everybody, by both policies.
pub fn compare(
    graph: &Graph,
    before: &AccessPolicy,
    after: &AccessPolicy,
    mut crowd: Crowd,
    facts: &HashMap<(String, String), Holding>,
    at: DateTime<Utc>,
    limit: usize,
) -> Differences {
    crowd.in_order();
    let mut classing = Decider::new(&crowd.both);
    let catalogue = Catalogue::new(graph, &mut classing, facts);
    let mut sides = Sides::new(before, after, graph, &catalogue, facts);
    let mut found = Found::new(limit);
    for (number, people) in crowd.groups.iter().enumerate() {
        let changed = sides.changed_for(people, catalogue.all());
        found.add(graph, &catalogue, number, people, &changed, at);
    }
    let lines = std::mem::take(&mut found.lines);
    let lines: Vec<ChangeLine> = lines
        .into_iter()
        .filter_map(|((rank, row, entitlement), (group, changed))| {
            let holders = sides.holders(crowd.groups.get(group)?);
            let (system, id) = catalogue.name(graph, entitlement);
            let [before, after] = sides.words(holders, catalogue.all().class_of(entitlement)?);
            Some(ChangeLine {
                identity: graph.identity_ids.at(row).to_owned(),
                system: system.to_owned(),
                id: id.to_owned(),
                held: rank.is_held(),
                changes: changed.changes(),
                before,
                after,
            })
        })
        .collect();
    let systems = found.classes.values().flatten();
    let systems = systems.filter_map(|class| {
        let number = catalogue.all().alike(*class).next()?;
        Some(catalogue.name(graph, number).0.to_owned())
    });
    let systems: BTreeSet<String> = systems.collect();
    let counts = Change::ALL.map(|change| found.count(change, catalogue.all()));
    Differences {
        identities: count(crowd.people()),
        kinds_of_people: count(crowd.groups.len()),
        entitlements: u64::from(graph.entitlements.len()) + count(catalogue.only_named().len()),
        counts: counts.into(),
        truncated: found.pairs.saturating_sub(count(lines.len())),
        lines,
        systems,
    }
}

/// An answer as far as it can change: the word, and whether it is for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Answer {
    held: Held,
    is_sure: bool,
}

impl From<&Decision> for Answer {
    fn from(decision: &Decision) -> Self {
        Answer {
            held: decision.held,
            is_sure: decision.unknown.is_empty(),
        }
    }
}

/// Two answers that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Changed {
    before: Answer,
    after: Answer,
}

impl Changed {
    /// Which changes that is; at least one.
    fn changes(self) -> Vec<Change> {
        let (before, after) = (self.before.held, self.after.held);
        if before == after {
            return vec![Change::Certainty];
        }
        let mut changes = Vec::new();
        match (before.is_permitted(), after.is_permitted()) {
            (false, true) => changes.push(Change::NewlyAllowed),
            (true, false) => changes.push(Change::NoLongerAllowed),
            (true, true) => {}
            (false, false) => changes.push(match (before, after) {
                (_, Held::NotPermitted) => Change::NewlyRefused,
                (Held::NotPermitted, _) => Change::NoLongerRefused,
                _ => Change::JudgedOtherwise,
            }),
        }
        if after == Held::Birthright {
            changes.push(Change::BirthrightGained);
        }
        if before == Held::Birthright {
            changes.push(Change::BirthrightLost);
        }
        changes
    }

    fn rank(self, held: bool) -> Rank {
        let moved = self.before.held != self.after.held;
        match (held, self.after.held) {
            (true, Held::NotPermitted) if moved => Rank::HeldAndRefused,
            (false, Held::Birthright) if moved => Rank::Missing,
            (true, _) => Rank::Held,
            (false, _) => Rank::Other,
        }
    }
}

/// What is shown first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    HeldAndRefused,
    Missing,
    Held,
    Other,
}

impl Rank {
    fn is_held(self) -> bool {
        match self {
            Rank::HeldAndRefused | Rank::Held => true,
            Rank::Missing | Rank::Other => false,
        }
    }
}

/// Both policies, and what of them differs.
struct Sides<'p> {
    deciders: [Decider<'p>; 2],
    /// Rules that the other side lacks.
    own: [Vec<&'p Rule>; 2],
    /// Entitlements of systems for which only one side speaks.
    respoken: Vec<HoldingClass>,
    /// Of each class of entitlements the classes of the sides.
    holdings: HashMap<HoldingClass, [HoldingClass; 2]>,
}

impl<'p> Sides<'p> {
    fn new(
        before: &'p AccessPolicy,
        after: &'p AccessPolicy,
        graph: &Graph,
        catalogue: &Catalogue,
        facts: &HashMap<(String, String), Holding>,
    ) -> Sides<'p> {
        let mut deciders = [Decider::new(before), Decider::new(after)];
        let all = catalogue.all();
        let mut holdings = HashMap::new();
        for class in all.every_class() {
            let Some(number) = all.alike(class).next() else {
                continue;
            };
            let (system, id) = catalogue.name(graph, number);
            let known = facts.get(&(system.to_owned(), id.to_owned()));
            let bare = || Holding::named(system, id);
            let holding = known.cloned().unwrap_or_else(bare);
            let classes = deciders.each_mut().map(|side| side.holding(&holding));
            holdings.insert(class, classes);
        }
        let respoken = all
            .by_system()
            .filter(|(system, _)| before.speaks_for(system) != after.speaks_for(system));
        let respoken = respoken.flat_map(|(_, classes)| classes).copied();
        Sides {
            own: [lacking(before, after), lacking(after, before)],
            respoken: respoken.collect(),
            deciders,
            holdings,
        }
    }

    fn holders(&mut self, people: &Alike) -> [HolderClass; 2] {
        self.deciders
            .each_mut()
            .map(|side| side.holder(&people.holder))
    }

    /// What changes for these people, by class of entitlements.
    fn changed_for(
        &mut self,
        people: &Alike,
        all: &Entitlements,
    ) -> BTreeMap<HoldingClass, Changed> {
        let holders = self.holders(people);
        let mut asked: BTreeSet<HoldingClass> = self.respoken.iter().copied().collect();
        for ((side, own), holder) in self.deciders.iter().zip(&self.own).zip(holders) {
            let could = own.iter().filter(|rule| side.could_apply(rule, holder));
            asked.extend(could.flat_map(|rule| all.classes_in(&rule.needs.place)));
        }
        let mut changed = BTreeMap::new();
        for class in asked {
            let Some([before, after]) = self.answers(holders, class) else {
                continue;
            };
            if before != after {
                changed.insert(class, Changed { before, after });
            }
        }
        changed
    }

    fn answers(&mut self, holders: [HolderClass; 2], class: HoldingClass) -> Option<[Answer; 2]> {
        let [before, after] = &mut self.deciders;
        let [of_before, of_after] = *self.holdings.get(&class)?;
        let [by_before, by_after] = holders;
        Some([
            before.decide(by_before, of_before).into(),
            after.decide(by_after, of_after).into(),
        ])
    }

    fn words(&mut self, holders: [HolderClass; 2], class: HoldingClass) -> [PolicyWord; 2] {
        let classes = self.holdings.get(&class).copied().unwrap_or([class; 2]);
        let [before, after] = &mut self.deciders;
        let ([by_before, by_after], [of_before, of_after]) = (holders, classes);
        [
            before.decide(by_before, of_before).into(),
            after.decide(by_after, of_after).into(),
        ]
    }
}

/// The rules of one policy that another lacks, whatever they are called.
fn lacking<'p>(policy: &'p AccessPolicy, other: &AccessPolicy) -> Vec<&'p Rule> {
    let said = |rule: &Rule| -> Option<(Effect, bool, String)> {
        Some((rule.effect, rule.birthright, rule.form()?.to_string()))
    };
    let others: HashSet<_> = other.rules().iter().filter_map(said).collect();
    let rules = policy.rules().iter();
    let own = rules.filter(|rule| said(rule).is_none_or(|said| !others.contains(&said)));
    own.collect()
}

type Lines = BTreeMap<(Rank, u32, u32), (usize, Changed)>;

/// What was found so far.
struct Found {
    limit: usize,
    lines: Lines,
    pairs: u64,
    counts: BTreeMap<Change, (u64, u64, u64)>,
    /// Classes of entitlements in which something changes, by change.
    classes: BTreeMap<Change, BTreeSet<HoldingClass>>,
}

impl Found {
    fn new(limit: usize) -> Found {
        Found {
            limit,
            lines: Lines::new(),
            pairs: 0,
            counts: BTreeMap::new(),
            classes: BTreeMap::new(),
        }
    }

    fn add(
        &mut self,
        graph: &Graph,
        catalogue: &Catalogue,
        group: usize,
        people: &Alike,
        changed: &BTreeMap<HoldingClass, Changed>,
        at: DateTime<Utc>,
    ) {
        let all = catalogue.all();
        let many = count(people.rows.len());
        let mut seen = BTreeSet::new();
        for (class, one) in changed {
            let pairs = many.saturating_mul(count(all.alike(*class).count()));
            self.pairs = self.pairs.saturating_add(pairs);
            for change in one.changes() {
                let of_change = self.counts.entry(change).or_default();
                of_change.0 = of_change.0.saturating_add(pairs);
                self.classes.entry(change).or_default().insert(*class);
                if seen.insert(change) {
                    of_change.1 += many;
                }
            }
        }
        if changed.is_empty() {
            return;
        }
        let ranks = changed.values().map(|one| one.rank(false));
        let ranks: BTreeSet<Rank> = ranks.collect();
        for row in &people.rows {
            let id = IdentityId::new(graph.identity_ids.at(*row));
            let held = held_by(graph, &id, at);
            for entitlement in held.keys() {
                let class = all.class_of(*entitlement);
                let Some(one) = class.and_then(|class| changed.get(&class)) else {
                    continue;
                };
                for change in one.changes() {
                    self.counts.entry(change).or_default().2 += 1;
                }
                self.line((one.rank(true), *row, *entitlement), (group, *one));
            }
            // Who comes later stands later: of a million nearly all are beyond.
            if ranks.iter().all(|rank| self.is_beyond((*rank, *row, 0))) {
                continue;
            }
            for (class, one) in changed {
                let rank = one.rank(false);
                for entitlement in all.alike(*class).filter(|one| !held.contains_key(one)) {
                    self.line((rank, *row, entitlement), (group, *one));
                }
            }
        }
    }

    fn is_beyond(&self, place: (Rank, u32, u32)) -> bool {
        let last = self.lines.last_key_value();
        self.lines.len() >= self.limit && last.is_none_or(|(last, _)| *last < place)
    }

    fn line(&mut self, place: (Rank, u32, u32), line: (usize, Changed)) {
        if self.is_beyond(place) {
            return;
        }
        self.lines.insert(place, line);
        if self.lines.len() > self.limit {
            self.lines.pop_last();
        }
    }

    fn count(&self, change: Change, all: &Entitlements) -> ChangeCount {
        let (pairs, identities, held) = self.counts.get(&change).copied().unwrap_or_default();
        let classes = self.classes.get(&change).into_iter().flatten();
        ChangeCount {
            change,
            pairs,
            identities,
            entitlements: classes.map(|class| count(all.alike(*class).count())).sum(),
            held,
        }
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
