//! Identities by the things that name them, and whose an account is.
//!
//! Compact: a million identities take about a hundred bytes each. Numbers count the identities
//! in the order in which they were added.

use super::changed::{Before, EARLIER_VALUE};
use super::employers::FormerEmployers;
use super::index::Index;
use super::led::Led;
use super::left::{Left, Past, Standing};
use super::persons::Persons;
use super::rules::{DECISION, Rule, default_rules};
use super::seen::{AccountSeen, Seen};
use super::several::{FEW, Once, Several};
use super::values::{Compare, IdentityKeys, Take};
use crate::access::columns::Texts;
use crate::lifecycle::Basis;
use lastkey_contract::facts::IdentityKind;
use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

/// What holds beside identities and persons.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// Sources by row, those that were removed too.
    pub source_names: HashMap<i64, String>,
    /// The rules of sources, by row, that have rules of their own.
    pub rules: BTreeMap<i64, Vec<Rule>>,
    /// By system and native id of the account.
    pub decisions: HashMap<(String, String), AccountDecision>,
    /// Records, by source row and id, whose id may have been given to somebody else; and when somebody
    /// else was last seen to have it.
    pub reused: HashMap<(i64, String), Option<String>>,
    /// Ids that were listed once and are not now, with the rows of their sources.
    pub gone: HashMap<String, Vec<i64>>,
    /// What records that are not listed now had last, and what records had before.
    pub past: Arc<[Past]>,
    /// The same of the records of sources that were removed: they count where the person has another
    /// record.
    pub removed: Arc<[Past]>,
    /// Whom people worked for of whom sources say nothing now.
    pub employers: FormerEmployers,
    /// Names of sources that were removed and that no other one has.
    pub removed_names: HashSet<String>,
}

impl Ground {
    /// Takes in what counts of sources that were removed: the records of these persons.
    fn keep_of_removed(&mut self, persons: &Persons) {
        let removed = std::mem::take(&mut self.removed);
        let counts = |past: &&Past| persons.person_of(past.keys.source, &past.keys.id).is_some();
        let removed: Vec<Past> = removed.iter().filter(counts).cloned().collect();
        for past in removed
            .iter()
            .filter(|past| past.standing == Standing::Gone)
        {
            let rows = self.gone.entry(past.keys.id.clone()).or_default();
            rows.push(past.keys.source);
        }
        self.past = self.past.iter().cloned().chain(removed).collect();
    }
}

/// What somebody decided of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDecision {
    pub number: i64,
    /// Source row and id of the identity; nobody's where empty.
    pub to: Option<(i64, String)>,
    pub account_seen: AccountSeen,
    pub identity_seen: Seen,
}

/// Why something that fits is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The rule only suggests.
    Suggested,
    /// What should agree differs.
    Differs,
    /// The id may have been given to somebody else since.
    Reused,
    /// Somebody else had the same value before.
    Left,
    /// The account had values of somebody else before.
    Changed,
    /// The account has led to somebody else since it was decided whose it is.
    Decided,
}

impl Doubt {
    pub fn word(self) -> &'static str {
        match self {
            Doubt::Suggested => "suggested",
            Doubt::Differs => "differs",
            Doubt::Reused => "reused",
            Doubt::Left => "left",
            Doubt::Changed => "changed",
            Doubt::Decided => "decided",
        }
    }

    /// As a sentence goes on with it.
    pub fn in_words(self) -> &'static str {
        match self {
            Doubt::Suggested => "the rule only suggests",
            Doubt::Differs => "what should agree differs",
            Doubt::Reused => "this id may have been reused",
            Doubt::Left => "somebody else had the same value before",
            Doubt::Changed => "the account had values of somebody else before",
            Doubt::Decided => {
                "the account has changed since that was decided, and leads to somebody else now"
            }
        }
    }

    pub fn from_word(word: &str) -> Option<Doubt> {
        [
            Doubt::Suggested,
            Doubt::Differs,
            Doubt::Reused,
            Doubt::Left,
            Doubt::Changed,
            Doubt::Decided,
        ]
        .into_iter()
        .find(|d| d.word() == word)
    }
}

/// What was found for one account; identities and rules by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    One {
        identity: u32,
        rule: u16,
    },
    /// Several persons fit.
    Ambiguous {
        candidates: Several,
        rule: u16,
    },
    /// Something fits, and something speaks against it.
    Possible {
        candidates: Several,
        rule: u16,
        doubt: Doubt,
    },
    /// One fits, and so did others before. Of many, that one may be among those.
    HandedOn {
        identity: u32,
        before: Several,
        rule: u16,
        doubt: Doubt,
    },
    /// Nobody's, as somebody decided.
    Nobodys,
    /// Of a record that no source lists now, nor another one of the same person.
    Gone {
        source: i64,
        id: String,
        rule: u16,
    },
    None,
}

/// A rule with the numbers of what it looks into.
pub(super) struct ReadyRule {
    pub(super) rule: Rule,
    pub(super) name: u16,
    /// Rows of `indexes`, one for each take of the identity.
    pub(super) indexes: Vec<usize>,
    /// Rows of `compared`, one for each pair that must agree.
    pub(super) compared: Vec<usize>,
    /// Rows of sources.
    pub(super) sources: Vec<i64>,
}

/// Identities by the things that name them.
pub struct Identities {
    pub(super) ground: Ground,
    pub(super) persons: Persons,
    pub(super) hasher: RandomState,
    pub(super) sources: Vec<i64>,
    pub(super) kinds: Vec<IdentityKind>,
    pub(super) ids: Texts,
    pub(super) by_id: Index,
    /// No id stands twice.
    pub(super) each_once: bool,
    /// Some id may read as the `source:id` of somebody else.
    pub(super) any_qualified: bool,
    pub(super) indexes: Vec<Index>,
    /// Hashes, by identity; 0 where not known.
    pub(super) compared: Vec<Vec<u64>>,
    /// Of each identity the first of the same person's; empty where everybody has one record.
    pub(super) leads: Vec<u32>,
    pub(super) left: Left,
    /// Of those whom a decision names, or whose id or values may have been given on.
    pub(super) seen: HashMap<u32, Seen>,
    pub(super) reused: HashMap<u32, Option<String>>,
    /// What accounts had before leads to, by a number of the account.
    pub(super) before: HashMap<u64, Vec<Before>>,
    /// What more than so many have is found once.
    pub(super) few: usize,
    /// How many have, or had, the value that most have.
    pub(super) most: usize,
    pub(super) once: Once,
    /// What values lead to that many people have, or had.
    pub(super) led: Mutex<HashMap<u64, Led>>,
    /// Names of rules; after the first `named_rules` the same again for earlier values.
    pub(super) rule_names: Vec<String>,
    pub(super) named_rules: usize,
    pub(super) ready: HashMap<i64, Vec<ReadyRule>>,
    pub(super) otherwise: Vec<ReadyRule>,
}

/// Takes identities one by one.
pub struct Gathering {
    pub(super) known: Identities,
    pub(super) takes: Vec<(Take, Compare)>,
    agrees: Vec<Take>,
    ids: Vec<(u64, u32)>,
    values: Vec<Vec<(u64, u32)>>,
    watched: HashSet<(i64, String)>,
    /// Hashes of the ids and values that are asked for.
    pub(super) asked: HashSet<u64>,
    /// Values of which those who had them before are asked for.
    pub(super) asked_before: HashSet<u64>,
}

impl Gathering {
    pub fn new(ground: Ground) -> Self {
        let mut takes: Vec<(Take, Compare)> = Vec::new();
        let mut agrees: Vec<Take> = Vec::new();
        let mut rule_names = vec![DECISION.to_owned()];
        let rows: HashMap<&str, i64> = ground
            .source_names
            .iter()
            .map(|(row, name)| (name.as_str(), *row))
            .collect();
        let mut ready = |rules: &[Rule]| -> Vec<ReadyRule> {
            rules
                .iter()
                .map(|rule| {
                    let compare = rule.compare;
                    let wanted = rule.identity.iter().map(|take| (take.clone(), compare));
                    ReadyRule {
                        name: number_of(&mut rule_names, rule.name.clone()) as u16,
                        indexes: match rule.is_of_identity_id() {
                            true => Vec::new(),
                            false => wanted.map(|w| number_of(&mut takes, w)).collect(),
                        },
                        compared: rule
                            .agree
                            .iter()
                            .map(|(_, of_identity)| number_of(&mut agrees, of_identity.clone()))
                            .collect(),
                        // A source that is not there has no identities: no row is 0.
                        sources: rule
                            .sources
                            .iter()
                            .map(|name| rows.get(name.as_str()).copied().unwrap_or(0))
                            .collect(),
                        rule: rule.clone(),
                    }
                })
                .collect()
        };
        let of_sources = ground
            .rules
            .iter()
            .map(|(source, rules)| (*source, ready(rules)))
            .collect();
        let otherwise = ready(&default_rules());
        let named_rules = rule_names.len();
        let earlier = rule_names
            .iter()
            .map(|name| format!("{name}{EARLIER_VALUE}"));
        let earlier: Vec<String> = earlier.collect();
        rule_names.extend(earlier);
        let mut watched: HashSet<_> = ground.reused.keys().cloned().collect();
        watched.extend(ground.decisions.values().filter_map(|d| d.to.clone()));
        let left = Left::new(
            match ground.removed.is_empty() {
                true => ground.past.clone(),
                false => ground
                    .past
                    .iter()
                    .chain(&*ground.removed)
                    .cloned()
                    .collect(),
            },
            &takes,
        );
        Self {
            values: vec![Vec::new(); takes.len()],
            ids: Vec::new(),
            watched,
            asked: HashSet::new(),
            asked_before: HashSet::new(),
            known: Identities {
                hasher: RandomState::new(),
                sources: Vec::new(),
                kinds: Vec::new(),
                ids: Texts::default(),
                by_id: Index::default(),
                each_once: false,
                any_qualified: false,
                indexes: Vec::new(),
                compared: vec![Vec::new(); agrees.len()],
                leads: Vec::new(),
                left,
                seen: HashMap::new(),
                reused: HashMap::new(),
                before: HashMap::new(),
                few: FEW,
                most: 0,
                once: Once::default(),
                led: Mutex::default(),
                rule_names,
                named_rules,
                ready: of_sources,
                otherwise,
                persons: Persons::default(),
                ground,
            },
            takes,
            agrees,
        }
    }

    /// Makes room for about so many more.
    pub fn expect(&mut self, more: usize) {
        self.known.sources.reserve(more);
        self.known.kinds.reserve(more);
        self.known.ids.expect(more);
        self.ids.reserve(more);
        for values in &mut self.values {
            values.reserve(more);
        }
        for column in &mut self.known.compared {
            column.reserve(more);
        }
    }

    /// Adds an identity; its number.
    pub fn add(&mut self, identity: &IdentityKeys) -> u32 {
        let known = &mut self.known;
        let number = known.ids.push(&identity.id);
        known.sources.push(identity.source);
        known.kinds.push(identity.kind);
        known.any_qualified |= identity.id.contains(':');
        let hash = |text: &str| known.hasher.hash_one(text);
        self.ids.push((hash(&identity.id), number));
        let mut given_on = false;
        let takes = self.takes.iter().zip(&mut self.values);
        for (taken, ((take, compare), values)) in takes.enumerate() {
            if let Some(value) = identity.take(take, *compare) {
                values.push((hash(&value), number));
                given_on |= !known.left.is_empty() && known.left.had(taken, &value);
            }
        }
        if given_on {
            known.seen.insert(number, Seen::of_identity(identity));
        }
        for (take, column) in self.agrees.iter().zip(&mut known.compared) {
            let value = identity.take(take, Compare::Folded);
            column.push(value.map_or(0, |value| hash(&value)));
        }
        if !self.watched.is_empty() {
            let key = (identity.source, identity.id.clone());
            if self.watched.contains(&key) {
                known.seen.insert(number, Seen::of_identity(identity));
                if let Some(last_seen) = known.ground.reused.get(&key) {
                    known.reused.insert(number, last_seen.clone());
                }
            }
        }
        number
    }

    /// All that were added, by what names them.
    pub fn done(self, persons: Persons) -> Identities {
        let Gathering {
            mut known,
            ids,
            values,
            takes,
            agrees: _,
            watched: _,
            asked: _,
            asked_before: _,
        } = self;
        known.indexes = values.into_iter().map(Index::new).collect();
        known.by_id = Index::new(ids);
        known.each_once = known.by_id.has_each_once();
        if !known.ground.removed.is_empty() {
            known.ground.keep_of_removed(&persons);
            known.left = Left::new(known.ground.past.clone(), &takes);
        }
        let most = known.indexes.iter().map(Index::most).max();
        known.most = most.unwrap_or(0).max(known.left.most());
        known.persons = persons;
        known.find_leads();
        known
    }
}

fn number_of<T: PartialEq>(all: &mut Vec<T>, wanted: T) -> usize {
    if let Some(number) = all.iter().position(|one| *one == wanted) {
        return number;
    }
    all.push(wanted);
    all.len() - 1
}

impl Identities {
    fn find_leads(&mut self) {
        let mut leads: Vec<u32> = Vec::new();
        for (_, records) in self.persons.all() {
            let numbers: Vec<u32> = records
                .iter()
                .filter_map(|(source, id)| self.record(*source, id))
                .collect();
            let Some(lead) = numbers.first() else {
                continue;
            };
            if leads.is_empty() {
                leads = (0..self.ids.len()).collect();
            }
            for number in &numbers {
                if let Some(slot) = leads.get_mut(*number as usize) {
                    *slot = *lead;
                }
            }
        }
        self.leads = leads;
    }

    /// The identity with this id of this source.
    pub fn record(&self, source: i64, id: &str) -> Option<u32> {
        self.with_id(id).find(|n| self.source(*n) == source)
    }

    pub(super) fn with_id(&self, id: &str) -> impl Iterator<Item = u32> {
        self.by_id
            .find(self.hasher.hash_one(id))
            .filter(move |n| self.ids.at(*n) == id)
    }

    /// The row of an identity's source; 0 for a number that is nobody's.
    pub fn source(&self, identity: u32) -> i64 {
        self.sources.get(identity as usize).copied().unwrap_or(0)
    }

    /// The name of an identity's source.
    pub fn source_name(&self, identity: u32) -> &str {
        self.name_of_source(self.source(identity))
    }

    /// The name of the source with this row.
    pub fn name_of_source(&self, source: i64) -> &str {
        let name = self.ground.source_names.get(&source);
        name.map_or("", String::as_str)
    }

    /// The id of an identity in its source.
    pub fn id(&self, identity: u32) -> &str {
        self.ids.at(identity)
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.ids.len()
    }

    /// Lets go of what only accounts are found by.
    pub fn forget_values(&mut self) {
        self.indexes = Vec::new();
        self.compared = Vec::new();
        self.led = Mutex::default();
        self.once = Once::default();
    }

    /// The record whose name the identity's person has: its own, where that is the only one.
    pub fn lead(&self, identity: u32) -> u32 {
        let lead = self.leads.get(identity as usize);
        lead.copied().unwrap_or(identity)
    }

    /// The name of an identity's person: bare where nobody else has the id, else `source:id`.
    pub fn shown(&self, identity: u32) -> String {
        self.called(identity).into_owned()
    }

    /// The same, borrowed where it is bare.
    pub fn called(&self, identity: u32) -> Cow<'_, str> {
        let lead = self.lead(identity);
        let id = self.id(lead);
        let alone = || self.with_id(id).all(|n| self.lead(n) == lead);
        match self.each_once || alone() && !self.reads_as_another(id) {
            true => id.into(),
            false => format!("{}:{id}", self.source_name(lead)).into(),
        }
    }

    /// Whether an id reads as the `source:id` of somebody else.
    fn reads_as_another(&self, id: &str) -> bool {
        id.split_once(':').is_some_and(|(source, id)| {
            let mut others = self.with_id(id);
            others.any(|n| self.source_name(n) == source)
        })
    }

    /// How a link by a rule to an account of a source is known.
    pub fn basis(&self, source: i64, rule: u16) -> Basis {
        let rules = self.ready.get(&source).unwrap_or(&self.otherwise);
        let rule = match rule {
            0 => return Basis::Attested,
            _ => rules.iter().find(|ready| ready.name == rule),
        };
        rule.map_or(Basis::Assumed, |ready| ready.rule.basis())
    }

    /// Whether any rule of a source goes by the identity that its accounts name.
    pub fn goes_by_identity_id(&self, source: i64) -> bool {
        let rules = self.ready.get(&source).unwrap_or(&self.otherwise);
        rules.iter().any(|ready| ready.rule.is_of_identity_id())
    }

    /// The name of a rule.
    pub fn rule_name(&self, rule: u16) -> &str {
        self.rule_names
            .get(usize::from(rule))
            .map_or("", String::as_str)
    }

    /// The persons that a reference of a source can mean: the bare id, its own source before
    /// others; or `source:id`, which may be a bare id of somebody else as well. One record of each.
    pub fn named(&self, text: &str, source: i64) -> Vec<u32> {
        let mut found: Vec<u32> = self.with_id(text).collect();
        if let Some(own) = found.iter().find(|n| self.source(**n) == source) {
            return vec![*own];
        }
        if let Some((name, id)) = text.split_once(':') {
            found.extend(self.with_id(id).filter(|n| self.source_name(*n) == name));
        }
        self.one_each(found)
    }

    /// One record of each person.
    pub(super) fn one_each(&self, mut found: Vec<u32>) -> Vec<u32> {
        found.sort_unstable();
        found.dedup();
        if !self.leads.is_empty() {
            let mut persons = HashSet::new();
            found.retain(|n| persons.insert(self.lead(*n)));
        }
        found
    }
}
