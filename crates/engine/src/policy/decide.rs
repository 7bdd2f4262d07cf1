//! May this identity hold this entitlement, should it, and which policies say so?
//!
//! People who are alike in everything that the policies ask about get one answer, and so do
//! entitlements: of a million identities and millions of grants a few thousand questions are put.
//! Rules that plainly do not apply are left out before Cedar is asked; Cedar decides the rest.

use super::asked::{Class, Holder, Holding, said, uid};
use super::needs::{Of, Place};
use super::rules::{AccessPolicy, Effect, Rule};
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, Entity, EntityUid, PolicyId, PolicySet,
    Request,
};
use std::collections::{BTreeSet, HashMap};

/// What the policy says of holding something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// It may be held, and should be.
    Birthright,
    Permitted,
    NotPermitted,
    /// No policy speaks for the system: neither right nor wrong.
    NoPolicy,
    /// A policy that could have settled it could not be evaluated.
    Undecided,
}

impl Held {
    /// The word as it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Held::Birthright => "birthright",
            Held::Permitted => "permitted",
            Held::NotPermitted => "not_permitted",
            Held::NoPolicy => "no_policy",
            Held::Undecided => "undecided",
        }
    }

    /// Whether holding it is allowed for certain.
    pub fn is_permitted(self) -> bool {
        match self {
            Held::Birthright | Held::Permitted => true,
            Held::NotPermitted | Held::NoPolicy | Held::Undecided => false,
        }
    }
}

/// An answer with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    pub held: Held,
    /// The ids of the policies that decided, in the order of the text; none where no permit matches.
    pub because: Vec<String>,
    /// What nobody knows and what could have changed the answer; then it is an assumption.
    pub unknown: Vec<String>,
    /// What went wrong, where it is undecided.
    pub error: Option<String>,
    /// What went wrong in a rule that could make it a birthright.
    pub birthright_error: Option<String>,
}

/// People who are alike to the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderClass(u32);

/// Entitlements that are alike to the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldingClass(u32);

struct KnownHolding {
    class: Class,
    bearing: Vec<u32>,
    spoken_for: bool,
}

/// So many answers are remembered; of more than that all are forgotten and begun anew.
const REMEMBERED: usize = 2_000_000;

/// Answers of one policy, remembered.
pub struct Decider<'p> {
    policy: &'p AccessPolicy,
    authorizer: Authorizer,
    action: Option<EntityUid>,
    holders: HashMap<Class, u32>,
    holder_classes: Vec<Class>,
    holdings: HashMap<Class, u32>,
    holding_classes: Vec<KnownHolding>,
    sets: HashMap<Vec<u32>, PolicySet>,
    answers: HashMap<(u32, u32), u32>,
    /// Each decision once.
    decisions: Vec<Decision>,
    numbers: HashMap<Decision, u32>,
    asked: u64,
    /// By people who are alike: what went wrong in rules that could give them a birthright.
    undecided_birthrights: BTreeSet<(u32, String)>,
}

/// Whether a rule can apply.
enum Bears {
    No,
    /// Only if what nobody knows were so.
    IfKnown(Vec<String>),
    Ask,
}

impl<'p> Decider<'p> {
    pub fn new(policy: &'p AccessPolicy) -> Decider<'p> {
        Decider {
            policy,
            authorizer: Authorizer::new(),
            action: uid("Action", "hold"),
            holders: HashMap::new(),
            holder_classes: Vec::new(),
            holdings: HashMap::new(),
            holding_classes: Vec::new(),
            sets: HashMap::new(),
            answers: HashMap::new(),
            decisions: Vec::new(),
            numbers: HashMap::new(),
            asked: 0,
            undecided_birthrights: BTreeSet::new(),
        }
    }

    /// Whose answers these are.
    pub fn policy(&self) -> &'p AccessPolicy {
        self.policy
    }

    /// How often Cedar itself was asked so far.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// The identity among those that are alike.
    pub fn holder(&mut self, holder: &Holder) -> HolderClass {
        let class = Class::of_holder(holder, &self.policy.mentions);
        let next = number(self.holder_classes.len());
        let classes = &mut self.holder_classes;
        HolderClass(*self.holders.entry(class).or_insert_with_key(|class| {
            classes.push(class.clone());
            next
        }))
    }

    /// The entitlement among those that are alike.
    pub fn holding(&mut self, holding: &Holding) -> HoldingClass {
        let policy = self.policy;
        let class = Class::of_holding(holding, &policy.mentions);
        let next = number(self.holding_classes.len());
        let classes = &mut self.holding_classes;
        HoldingClass(*self.holdings.entry(class).or_insert_with_key(|class| {
            classes.push(KnownHolding {
                bearing: policy.bearing_on(&class.system, class.named().unwrap_or_default()),
                spoken_for: policy.speaks_for(&class.system),
                class: class.clone(),
            });
            next
        }))
    }

    /// What the policy says of an identity and an entitlement.
    pub fn decide_for(&mut self, holder: &Holder, holding: &Holding) -> Decision {
        let (holder, holding) = (self.holder(holder), self.holding(holding));
        self.decide(holder, holding).clone()
    }

    /// The same of those who are alike.
    pub fn decide(&mut self, holder: HolderClass, holding: HoldingClass) -> &Decision {
        let of = (holder.0, holding.0);
        let known = self.answers.get(&of).copied();
        let number = known.unwrap_or_else(|| {
            let decision = self.ask(holder, holding);
            let next = number(self.decisions.len());
            let decisions = &mut self.decisions;
            let number = *self.numbers.entry(decision).or_insert_with_key(|decision| {
                decisions.push(decision.clone());
                next
            });
            if self.answers.len() >= REMEMBERED {
                self.answers.clear();
            }
            self.answers.insert(of, number);
            number
        });
        self.decisions.get(number as usize).unwrap_or(&LOST)
    }

    /// Which of these entitlements the identity should hold, in the order given.
    pub fn birthrights(&mut self, holder: HolderClass, all: &Entitlements) -> Vec<u32> {
        let policy = self.policy;
        let mut found = BTreeSet::new();
        for rule in policy.rules.iter().filter(|rule| rule.birthright) {
            let Some(class) = self.holder_classes.get(holder.0 as usize) else {
                continue;
            };
            if matches!(holder_bears(rule, class), Bears::No | Bears::IfKnown(_)) {
                continue;
            }
            for class in all.classes_in(&rule.needs.place) {
                let decision = self.decide(holder, class);
                let is_birthright = decision.held == Held::Birthright;
                let error = decision.birthright_error.clone().filter(|_| !is_birthright);
                if is_birthright {
                    found.extend(all.alike(class));
                }
                if let Some(error) = error {
                    self.undecided_birthrights.insert((holder.0, error));
                }
            }
        }
        found.into_iter().collect()
    }

    /// What nobody knows of these people and what could make something their birthright; with rules that
    /// failed when their birthrights were asked for.
    pub fn birthrights_unknown(&self, holder: HolderClass) -> Vec<String> {
        let class = self.holder_classes.get(holder.0 as usize);
        let rules = self.policy.rules.iter().filter(|rule| rule.birthright);
        let unknown = rules.filter_map(|rule| match holder_bears(rule, class?) {
            Bears::IfKnown(unknown) => Some(unknown),
            Bears::No | Bears::Ask => None,
        });
        let mut unknown: BTreeSet<String> = unknown.flatten().collect();
        let errors = self.undecided_birthrights.iter();
        let errors = errors.filter(|(of, _)| *of == holder.0);
        unknown.extend(errors.map(|(_, error)| error.clone()));
        unknown.into_iter().collect()
    }

    /// Whether a rule of the policy could apply to these people at all.
    pub(super) fn could_apply(&self, rule: &Rule, holder: HolderClass) -> bool {
        let class = self.holder_classes.get(holder.0 as usize);
        class.is_some_and(|class| !matches!(holder_bears(rule, class), Bears::No))
    }

    fn ask(&mut self, holder: HolderClass, holding: HoldingClass) -> Decision {
        let policy = self.policy;
        let (Some(who), Some(what)) = (
            self.holder_classes.get(holder.0 as usize),
            self.holding_classes.get(holding.0 as usize),
        ) else {
            return LOST.clone();
        };
        let mut asked = Vec::new();
        // What rules of each effect would have needed to know.
        let mut doubts: HashMap<Effect, BTreeSet<String>> = HashMap::new();
        for number in &what.bearing {
            let Some(rule) = policy.rule(*number) else {
                continue;
            };
            match bears(rule, who, &what.class) {
                Bears::No => {}
                Bears::IfKnown(unknown) => doubts.entry(rule.effect).or_default().extend(unknown),
                Bears::Ask => asked.push(*number),
            }
        }
        let mut satisfied: Vec<&Rule> = Vec::new();
        let mut failed: Vec<(&Rule, String)> = Vec::new();
        if !asked.is_empty() {
            self.asked += 1;
            let set = self.sets.entry(asked.clone()).or_insert_with(|| {
                let rules = asked.iter().filter_map(|number| policy.rule(*number));
                PolicySet::from_policies(rules.map(|rule| rule.policy.clone())).unwrap_or_default()
            });
            let request = self
                .action
                .clone()
                .and_then(|action| request(who, &what.class, action));
            let Some((request, entities)) = request else {
                return LOST.clone();
            };
            let response = self.authorizer.is_authorized(&request, set, &entities);
            let numbered = |id: &PolicyId| AsRef::<str>::as_ref(id).parse::<u32>().ok();
            let reasons = response.diagnostics().reason();
            let reasons: BTreeSet<u32> = reasons.filter_map(numbered).collect();
            satisfied.extend(reasons.iter().filter_map(|number| policy.rule(*number)));
            for error in response.diagnostics().errors() {
                let AuthorizationError::PolicyEvaluationError(error) = error;
                let rule = numbered(error.policy_id()).and_then(|number| policy.rule(number));
                failed.extend(rule.map(|rule| (rule, error.to_string())));
            }
            // Cedar names those that decided: permits are not named where a forbid holds.
            let others = asked.iter().filter(|number| !reasons.contains(number));
            for rule in others.filter_map(|number| policy.rule(*number)) {
                let mentions = &rule.needs.mentions;
                let unknown = who.unknown(Of::Principal, mentions).into_iter();
                let unknown = unknown.chain(what.class.unknown(Of::Resource, mentions));
                doubts.entry(rule.effect).or_default().extend(unknown);
            }
        }
        let first_failed = |effect: Effect| {
            let of_effect = failed.iter().find(|(rule, _)| rule.effect == effect);
            of_effect.map(|(rule, error)| format!("policy `{}`: {error}", rule.name))
        };
        let names = |effect: Effect| -> Vec<String> {
            let of_effect = satisfied.iter().filter(|rule| rule.effect == effect);
            of_effect.map(|rule| rule.name.clone()).collect()
        };
        let mut doubted = |effect: Effect| -> Vec<String> {
            doubts
                .remove(&effect)
                .unwrap_or_default()
                .into_iter()
                .collect()
        };
        let of_birthright = failed.iter().find(|(rule, _)| rule.birthright);
        let birthright_error =
            of_birthright.map(|(rule, error)| format!("policy `{}`: {error}", rule.name));
        let decided = |held, because, unknown| Decision {
            held,
            because,
            unknown,
            error: None,
            birthright_error: birthright_error.clone(),
        };
        let undecided = |error: String| Decision {
            held: Held::Undecided,
            because: Vec::new(),
            unknown: Vec::new(),
            error: Some(error),
            birthright_error: birthright_error.clone(),
        };
        let (forbids, permits) = (names(Effect::Forbid), names(Effect::Permit));
        if !forbids.is_empty() {
            return decided(Held::NotPermitted, forbids, Vec::new());
        }
        if !permits.is_empty() {
            if let Some(error) = first_failed(Effect::Forbid) {
                return undecided(error);
            }
            let birthright = satisfied.iter().any(|rule| rule.birthright);
            let held = if birthright {
                Held::Birthright
            } else {
                Held::Permitted
            };
            return decided(held, permits, doubted(Effect::Forbid));
        }
        if let Some(error) = first_failed(Effect::Permit) {
            return undecided(error);
        }
        if !what.spoken_for {
            return decided(Held::NoPolicy, Vec::new(), Vec::new());
        }
        decided(Held::NotPermitted, Vec::new(), doubted(Effect::Permit))
    }
}

/// Entitlements of one decider, numbered as they were added.
#[derive(Clone, Debug, Default)]
pub struct Entitlements {
    alike: HashMap<HoldingClass, Vec<u32>>,
    classes: Vec<HoldingClass>,
    /// Classes by system, and by the `system:id` that a rule names.
    in_system: HashMap<String, BTreeSet<HoldingClass>>,
    named: HashMap<String, HoldingClass>,
}

impl Entitlements {
    /// Adds one; gives back its class.
    pub fn add(&mut self, decider: &mut Decider<'_>, holding: &Holding) -> HoldingClass {
        let class = decider.holding(holding);
        let next = number(self.classes.len());
        self.alike.entry(class).or_default().push(next);
        self.classes.push(class);
        let system = self.in_system.entry(holding.system.clone()).or_default();
        system.insert(class);
        let full = holding.full_id();
        if decider.policy.names(&full) {
            self.named.insert(full, class);
        }
        class
    }

    /// The class of the one with a number.
    pub fn class_of(&self, number: u32) -> Option<HoldingClass> {
        self.classes.get(number as usize).copied()
    }

    /// Every class, in the order in which they came.
    pub(super) fn every_class(&self) -> BTreeSet<HoldingClass> {
        self.alike.keys().copied().collect()
    }

    /// The classes of each system, in no order.
    pub(super) fn by_system(&self) -> impl Iterator<Item = (&str, &BTreeSet<HoldingClass>)> {
        let systems = self.in_system.iter();
        systems.map(|(system, classes)| (system.as_str(), classes))
    }

    /// The numbers of those of a class, ascending.
    pub(super) fn alike(&self, class: HoldingClass) -> impl Iterator<Item = u32> + '_ {
        self.alike.get(&class).into_iter().flatten().copied()
    }

    /// The classes of what stands at a place, where rules name it.
    pub(super) fn classes_in(&self, place: &Place) -> Vec<HoldingClass> {
        match place {
            Place::Anywhere => self.in_system.values().flatten().copied().collect(),
            Place::Systems(names) => {
                let systems = names.iter().filter_map(|name| self.in_system.get(name));
                systems.flatten().copied().collect()
            }
            Place::Entitlements(ids) => ids
                .iter()
                .filter_map(|id| self.named.get(id))
                .copied()
                .collect(),
        }
    }
}

/// What cannot happen: a class of another decider, or a type of ours that does not parse.
static LOST: Decision = Decision {
    held: Held::Undecided,
    because: Vec::new(),
    unknown: Vec::new(),
    error: None,
    birthright_error: None,
};

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn bears(rule: &Rule, who: &Class, what: &Class) -> Bears {
    let place_fits = match &rule.needs.place {
        Place::Anywhere => true,
        Place::Systems(names) => names.contains(&what.system),
        Place::Entitlements(ids) => what.named().is_some_and(|id| ids.contains(id)),
    };
    if !place_fits {
        return Bears::No;
    }
    let mut unknown = match holder_bears(rule, who) {
        Bears::No => return Bears::No,
        Bears::IfKnown(unknown) => unknown,
        Bears::Ask => Vec::new(),
    };
    match side_bears(rule, Of::Resource, what) {
        Bears::No => return Bears::No,
        Bears::IfKnown(more) => unknown.extend(more),
        Bears::Ask => {}
    }
    if unknown.is_empty() {
        Bears::Ask
    } else {
        Bears::IfKnown(unknown)
    }
}

fn holder_bears(rule: &Rule, who: &Class) -> Bears {
    if let Some(ids) = &rule.needs.identities
        && !ids.contains(who.id())
    {
        return Bears::No;
    }
    side_bears(rule, Of::Principal, who)
}

fn side_bears(rule: &Rule, of: Of, class: &Class) -> Bears {
    let mut unknown = Vec::new();
    for needed in rule.needs.one_of.iter().filter(|needed| needed.of == of) {
        match class.value(&needed.field) {
            Some(value) if needed.texts.contains(value) => {}
            Some(_) => return Bears::No,
            None if class.is_unknown(of, &needed.field) => unknown.push(said(of, &needed.field)),
            None => return Bears::No,
        }
    }
    if unknown.is_empty() {
        Bears::Ask
    } else {
        Bears::IfKnown(unknown)
    }
}

fn request(who: &Class, what: &Class, action: EntityUid) -> Option<(Request, Entities)> {
    let principal = who.principal()?;
    let [resource, system] = what.resource()?;
    let (of, to) = (principal.uid(), resource.uid());
    let all: [Entity; 3] = [principal, resource, system];
    let entities = Entities::from_entities(all, None).ok()?;
    let request = Request::new(of, action, to, Context::empty(), None).ok()?;
    Some((request, entities))
}
