//! What a rule cannot do without, read off its conditions.
//!
//! A rule that is a conjunction is satisfied only where each part is; where a part asks whether one
//! attribute is one of a few texts, or whether the entitlement is in a system, it can be told
//! without Cedar that the rule does not apply. What is not understood here is asked of Cedar.

use serde_json::Value;
use std::collections::BTreeSet;

/// Whose attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Of {
    Principal,
    Resource,
}

/// Where a rule can apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    Systems(BTreeSet<String>),
    /// As `system:id`.
    Entitlements(BTreeSet<String>),
}

impl Place {
    pub(super) fn is_within(&self, system: &str) -> bool {
        match self {
            Place::Anywhere => true,
            Place::Systems(names) => names.contains(system),
            Place::Entitlements(ids) => ids.iter().any(|id| is_of(id, system)),
        }
    }

    /// Within both, as far as one of them is narrower.
    fn and(self, other: Place) -> Place {
        match (self, other) {
            (Place::Anywhere, narrower) | (narrower, Place::Anywhere) => narrower,
            (Place::Systems(a), Place::Systems(b)) => Place::Systems(&a & &b),
            (Place::Entitlements(a), Place::Entitlements(b)) => Place::Entitlements(&a & &b),
            (Place::Entitlements(ids), Place::Systems(names))
            | (Place::Systems(names), Place::Entitlements(ids)) => {
                let within = |id: &String| names.iter().any(|system| is_of(id, system));
                Place::Entitlements(ids.into_iter().filter(within).collect())
            }
        }
    }
}

/// Whether `system:id` is of the system, whose own name may hold colons.
fn is_of(id: &str, system: &str) -> bool {
    let rest = id.strip_prefix(system);
    rest.is_some_and(|rest| rest.starts_with(':'))
}

/// An attribute or tag has to be one of these texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OneOf {
    pub of: Of,
    pub field: Field,
    pub texts: BTreeSet<String>,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    Attribute(String),
    Tag(String),
}

/// Everything that conditions ask about, whomever of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    pub attributes: BTreeSet<(Of, String)>,
    pub tags: BTreeSet<(Of, String)>,
    /// A tag whose name is computed: any could be meant.
    pub any_tag: bool,
    pub identities: BTreeSet<String>,
    pub entitlements: BTreeSet<String>,
}

impl Mentions {
    pub(super) fn also(&mut self, other: &Mentions) {
        self.attributes.extend(other.attributes.iter().cloned());
        self.tags.extend(other.tags.iter().cloned());
        self.any_tag |= other.any_tag;
        self.identities.extend(other.identities.iter().cloned());
        self.entitlements.extend(other.entitlements.iter().cloned());
    }
}

/// What a rule needs.
#[derive(Clone, Debug)]
pub(super) struct Needs {
    pub place: Place,
    /// The only identities that it can apply to, where it names them.
    pub identities: Option<BTreeSet<String>>,
    pub one_of: Vec<OneOf>,
    pub mentions: Mentions,
}

impl Needs {
    /// What a rule needs, from its form in JSON as Cedar writes it.
    pub(super) fn of(rule: &Value) -> Needs {
        let mut needs = Needs {
            place: Place::Anywhere,
            identities: None,
            one_of: Vec::new(),
            mentions: Mentions::default(),
        };
        needs.scope(Of::Principal, rule.get("principal"));
        needs.scope(Of::Resource, rule.get("resource"));
        let conditions = rule.get("conditions").and_then(Value::as_array);
        for condition in conditions.into_iter().flatten() {
            let Some(body) = condition.get("body") else {
                continue;
            };
            needs.mention(body);
            if condition.get("kind").and_then(Value::as_str) == Some("when") {
                needs.every(body);
            }
        }
        needs
    }

    fn scope(&mut self, of: Of, scope: Option<&Value>) {
        let Some(scope) = scope else { return };
        self.mention(scope);
        let within = scope.get("in").unwrap_or(scope);
        let entities: Vec<&Value> = within.get("entity").into_iter().collect();
        if !entities.is_empty() {
            self.is_among(of, &entities);
        }
    }

    /// The parts of a conjunction.
    fn every(&mut self, body: &Value) {
        if let Some((left, right)) = sides(body, "&&") {
            self.every(left);
            self.every(right);
        } else if let Some((of, entities)) = entities_asked(body) {
            self.is_among(of, &entities);
        } else if let Some(one_of) = one_of(body) {
            self.one_of.push(one_of);
        }
    }

    fn is_among(&mut self, of: Of, entities: &[&Value]) {
        let named = |wanted: &str| -> Option<BTreeSet<String>> {
            let of_type = |entity: &&Value| {
                let (kind, id) = entity_named(entity)?;
                (kind == wanted).then(|| id.to_owned())
            };
            entities.iter().map(of_type).collect()
        };
        match of {
            Of::Principal => {
                if let Some(ids) = named("Identity") {
                    self.identities = Some(match self.identities.take() {
                        Some(before) => &before & &ids,
                        None => ids,
                    });
                }
            }
            Of::Resource => {
                let place = named("Entitlement")
                    .map(Place::Entitlements)
                    .or_else(|| named("System").map(Place::Systems));
                let before = std::mem::replace(&mut self.place, Place::Anywhere);
                self.place = before.and(place.unwrap_or(Place::Anywhere));
            }
        }
    }

    /// Everything that an expression asks about.
    fn mention(&mut self, expression: &Value) {
        match expression {
            Value::Array(parts) => parts.iter().for_each(|part| self.mention(part)),
            Value::Object(parts) => {
                if let Some((kind, id)) = entity_named(expression) {
                    match kind {
                        "Identity" => self.mentions.identities.insert(id.to_owned()),
                        "Entitlement" => self.mentions.entitlements.insert(id.to_owned()),
                        _ => false,
                    };
                }
                for (word, part) in parts {
                    match word.as_str() {
                        "." | "has" => self.mention_attribute(part),
                        "getTag" | "hasTag" => self.mention_tag(part),
                        _ => {}
                    }
                    self.mention(part);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn mention_attribute(&mut self, part: &Value) {
        let attributes = part.get("attr");
        let attributes = attributes.and_then(Value::as_str).into_iter();
        for attribute in attributes {
            for of in whose(part) {
                self.mentions.attributes.insert((of, attribute.to_owned()));
            }
        }
    }

    fn mention_tag(&mut self, part: &Value) {
        let tag = part.get("right").and_then(|right| right.get("Value"));
        match tag.and_then(Value::as_str) {
            Some(tag) => {
                for of in whose(part) {
                    self.mentions.tags.insert((of, tag.to_owned()));
                }
            }
            None => self.mentions.any_tag = true,
        }
    }
}

/// Whose attribute is asked for; of either, where that is computed.
fn whose(part: &Value) -> Vec<Of> {
    match part.get("left").and_then(variable) {
        Some(of) => vec![of],
        None => vec![Of::Principal, Of::Resource],
    }
}

fn variable(expression: &Value) -> Option<Of> {
    match expression.get("Var")?.as_str()? {
        "principal" => Some(Of::Principal),
        "resource" => Some(Of::Resource),
        _ => None,
    }
}

fn sides<'v>(expression: &'v Value, operator: &str) -> Option<(&'v Value, &'v Value)> {
    let both = expression.get(operator)?;
    Some((both.get("left")?, both.get("right")?))
}

/// Type and id of an entity, as it stands in a scope or in an expression.
fn entity_named(value: &Value) -> Option<(&str, &str)> {
    let value = value.get("Value").unwrap_or(value);
    let value = value.get("__entity").unwrap_or(value);
    Some((value.get("type")?.as_str()?, value.get("id")?.as_str()?))
}

/// `resource == e`, `resource in e`, `resource in [e, f]`, `resource.system == s`; the same of the principal.
fn entities_asked(body: &Value) -> Option<(Of, Vec<&Value>)> {
    if let Some((left, right)) = sides(body, "==") {
        let (asked, value) = match entity_named(right) {
            Some(_) => (left, right),
            None => (right, left),
        };
        entity_named(value)?;
        let of = variable(asked).or_else(|| match field(asked)? {
            (Of::Resource, Field::Attribute(name)) if name == "system" => Some(Of::Resource),
            _ => None,
        })?;
        return Some((of, vec![value]));
    }
    let (left, right) = sides(body, "in")?;
    let of = variable(left)?;
    match right.get("Set").and_then(Value::as_array) {
        Some(several) => Some((of, several.iter().collect())),
        None => Some((of, vec![right])),
    }
}

/// `x.a == "t"`, `["t", "u"].contains(x.a)`, or several of one attribute with `||` between.
fn one_of(body: &Value) -> Option<OneOf> {
    if let Some((left, right)) = sides(body, "||") {
        let (mut left, right) = (one_of(left)?, one_of(right)?);
        if (left.of, &left.field) != (right.of, &right.field) {
            return None;
        }
        left.texts.extend(right.texts);
        return Some(left);
    }
    // `x has a && x.a == "t"` inside an alternative
    if let Some((left, right)) = sides(body, "&&") {
        return one_of(right).or_else(|| one_of(left));
    }
    if let Some((left, right)) = sides(body, "==") {
        let (asked, value) = match text(right) {
            Some(_) => (left, right),
            None => (right, left),
        };
        let (of, field) = field(asked)?;
        let texts = BTreeSet::from([text(value)?.to_owned()]);
        return Some(OneOf { of, field, texts });
    }
    let (set, asked) = sides(body, "contains")?;
    let (of, field) = field(asked)?;
    let texts = set.get("Set")?.as_array()?.iter();
    let texts = texts.map(|one| text(one).map(str::to_owned));
    Some(OneOf {
        of,
        field,
        texts: texts.collect::<Option<_>>()?,
    })
}

fn text(value: &Value) -> Option<&str> {
    value.get("Value")?.as_str()
}

fn field(asked: &Value) -> Option<(Of, Field)> {
    if let Some(part) = asked.get(".") {
        let name = part.get("attr")?.as_str()?;
        return Some((
            variable(part.get("left")?)?,
            Field::Attribute(name.to_owned()),
        ));
    }
    let (left, right) = sides(asked, "getTag")?;
    Some((variable(left)?, Field::Tag(text(right)?.to_owned())))
}
