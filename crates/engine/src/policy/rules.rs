//! A policy text that was found good: its rules in the order of the text, and where each is looked for.

use super::asked::{OF_IDENTITIES, schema_name};
use super::needs::{Mentions, Needs, Of, Place};
use cedar_policy::Policy;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Whether a rule allows or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    Permit,
    Forbid,
}

/// One rule of the text.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its `@id`, or `line 12` where it has none.
    pub name: String,
    pub effect: Effect,
    /// Whether what it permits should be held as well.
    pub birthright: bool,
    /// The line on which it begins.
    pub line: u32,
    pub(super) policy: Policy,
    pub(super) needs: Needs,
}

impl Rule {
    fn permits_everything(&self) -> bool {
        let form = self.form().unwrap_or_default();
        let op = |of: &str| form.get(of)?.get("op")?.as_str();
        let any = |of: &str| op(of) == Some("All");
        let conditions = form.get("conditions").and_then(Value::as_array);
        let asks = conditions.is_none_or(|all| !all.is_empty());
        self.effect == Effect::Permit && any("principal") && any("resource") && !asks
    }

    /// What it says, whatever it is called: Cedar's form of it without annotations.
    pub(super) fn form(&self) -> Option<Value> {
        let mut form = self.policy.to_json().ok()?;
        form.as_object_mut()?.remove("annotations");
        Some(form)
    }
}

/// An access policy without a mistake.
#[derive(Clone, Debug, Default)]
pub struct AccessPolicy {
    pub(super) rules: Vec<Rule>,
    /// What is strange and no mistake, with its place.
    pub(super) remarks: Vec<super::PolicyError>,
    /// Everything that any rule asks about.
    pub(super) mentions: Mentions,
    by_entitlement: HashMap<String, Vec<u32>>,
    by_system: HashMap<String, Vec<u32>>,
    anywhere: Vec<u32>,
}

impl AccessPolicy {
    pub(super) fn new(rules: Vec<Rule>, remarks: Vec<super::PolicyError>) -> AccessPolicy {
        let mut policy = AccessPolicy {
            remarks,
            ..AccessPolicy::default()
        };
        for (number, rule) in (0u32..).zip(&rules) {
            policy.mentions.also(&rule.needs.mentions);
            match &rule.needs.place {
                Place::Anywhere => policy.anywhere.push(number),
                Place::Entitlements(ids) => {
                    for id in ids {
                        let at = policy.by_entitlement.entry(id.clone()).or_default();
                        at.push(number);
                    }
                }
                Place::Systems(names) => {
                    for name in names {
                        policy
                            .by_system
                            .entry(name.clone())
                            .or_default()
                            .push(number);
                    }
                }
            }
        }
        policy.rules = rules;
        policy
    }

    /// The rules in the order of the text.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule that permits everybody everything, where there is one.
    pub fn permits_everything(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.permits_everything())
    }

    /// What is strange and no mistake: a rule that can never apply, a word that means nothing here.
    pub fn remarks(&self) -> &[super::PolicyError] {
        &self.remarks
    }

    /// Systems that rules name, sorted; whether any permit speaks for every system stands apart.
    pub fn systems_named(&self) -> BTreeSet<&str> {
        let of_entitlements = self
            .by_entitlement
            .keys()
            .filter_map(|id| id.split_once(':'));
        let systems = self.by_system.keys().map(String::as_str);
        systems
            .chain(of_entitlements.map(|(system, _)| system))
            .collect()
    }

    /// Entitlements that rules name as `system:id`, sorted.
    pub fn entitlements_named(&self) -> BTreeSet<&str> {
        self.by_entitlement.keys().map(String::as_str).collect()
    }

    /// Whether a permit speaks for the system: names it or something in it, or names no system.
    pub fn speaks_for(&self, system: &str) -> bool {
        self.rules
            .iter()
            .filter(|rule| rule.effect == Effect::Permit)
            .any(|rule| rule.needs.place.is_within(system))
    }

    /// Whether a change of this attribute or column of somebody could change any answer, or is at
    /// least one that every identity can have.
    pub fn knows_of_identities(&self, name: &str) -> bool {
        let name = schema_name(name);
        OF_IDENTITIES.contains(&name)
            || self.mentions.any_tag
            || self
                .mentions
                .tags
                .contains(&(Of::Principal, name.to_owned()))
    }

    /// The rules that can bear on an entitlement, in the order of the text.
    pub(super) fn bearing_on(&self, system: &str, entitlement: &str) -> Vec<u32> {
        let none = Vec::new();
        let named = self.by_entitlement.get(entitlement).unwrap_or(&none);
        let of_system = self.by_system.get(system).unwrap_or(&none);
        let mut all: Vec<u32> = [named, of_system, &self.anywhere]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether some rule names exactly this entitlement, so that it is like no other.
    pub(super) fn names(&self, entitlement: &str) -> bool {
        self.mentions.entitlements.contains(entitlement)
    }

    pub(super) fn rule(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize)
    }
}
