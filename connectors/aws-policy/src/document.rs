//! A policy document, parsed as strictly as AWS takes it: what AWS would refuse to store is a fault
//! with its place, never a document that says less.

use crate::condition::Condition;
use crate::json::{Node, below};
use crate::pattern::{Case, Pattern, Version, Wildcards, glob};
use crate::principal::Named;
use crate::resource::ResourcePattern;
use std::fmt;
use std::sync::Arc;

/// What a document is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of a user, a group or a role; inline or managed.
    Identity,
    Boundary,
    Session,
    /// A service control policy of an organisation.
    ServiceControl,
    /// A resource control policy of an organisation.
    ResourceControl,
    /// Of a secret, a key, a bucket and the like.
    Resource,
    /// Who may assume a role.
    Trust,
}

impl Kind {
    /// Letters that AWS takes at most, without white space where it does not count it; raised on
    /// request for some, so that a longer document is noted and not refused.
    fn documented_limit(self) -> usize {
        match self {
            Kind::Identity => 10_240,
            Kind::Boundary => 6_144,
            Kind::Session => 2_048,
            Kind::Trust => 4_096,
            Kind::ServiceControl | Kind::ResourceControl => 10_240,
            Kind::Resource => 32_768,
        }
    }

    fn names_principals(self) -> bool {
        match self {
            Kind::Identity | Kind::Boundary | Kind::Session | Kind::ServiceControl => false,
            Kind::ResourceControl | Kind::Resource | Kind::Trust => true,
        }
    }
}

/// Longer than any policy; a document that claims to be one is not read.
const LONGEST: usize = 256 * 1024;

/// Why a document could not be read, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub document: String,
    /// `Statement[2].Condition.StringEquals`, or line and column where it is no JSON; may be empty.
    pub place: String,
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault {
            document,
            place,
            problem,
        } = self;
        if place.is_empty() {
            write!(out, "`{document}`: {problem}")
        } else {
            write!(out, "`{document}` at {place}: {problem}")
        }
    }
}

impl std::error::Error for Fault {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// A document, compiled once and held against many requests.
#[derive(Debug)]
pub struct Policy {
    pub(crate) name: Arc<str>,
    pub(crate) statements: Vec<Statement>,
    notes: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) index: usize,
    pub(crate) sid: Option<Arc<str>>,
    pub(crate) effect: Effect,
    pub(crate) principals: Option<Listed<Named>>,
    pub(crate) actions: Listed<ActionPattern>,
    /// None where the kind of document says it: a trust policy is about its role.
    pub(crate) resources: Option<Listed<ResourcePattern>>,
    pub(crate) conditions: Vec<Condition>,
}

/// A list, or all but a list (`NotAction`).
#[derive(Debug)]
pub(crate) struct Listed<T> {
    pub(crate) except: bool,
    pub(crate) items: Vec<T>,
}

/// `service:Name` with wildcards in the name; letters of both cases are the same.
#[derive(Debug)]
pub(crate) struct ActionPattern {
    /// None is every service.
    service: Option<String>,
    name: Pattern,
}

impl ActionPattern {
    fn parse(text: &str) -> Result<ActionPattern, String> {
        let name = |text: &str| Pattern::parse(text, Version::V2008, Wildcards::Read);
        if text == "*" || text == "*:*" {
            return Ok(ActionPattern {
                service: None,
                name: name("*")?,
            });
        }
        let Some((service, action)) = text.split_once(':') else {
            return Err(format!("`{text}` names no service"));
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if service.is_empty() || !service.chars().all(plain) {
            return Err(format!("`{service}` is no service"));
        }
        let named = |c: char| plain(c) || matches!(c, '*' | '?' | '_' | '.');
        if action.is_empty() || !action.chars().all(named) {
            return Err(format!("`{action}` is no action"));
        }
        Ok(ActionPattern {
            service: Some(service.to_ascii_lowercase()),
            name: name(action)?,
        })
    }

    pub(crate) fn fits(&self, service: &str, name: &str) -> bool {
        self.service
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(service))
            && glob(&self.name.pieces, name, Case::Folded)
    }
}

impl Policy {
    /// The document that `text` is, or where it is none. `name` is what a person is shown.
    pub fn parse(kind: Kind, name: &str, text: &str) -> Result<Policy, Fault> {
        let fault = |place: String, problem: String| Fault {
            document: name.to_owned(),
            place,
            problem,
        };
        if text.len() > LONGEST {
            return Err(fault(String::new(), "it is longer than any policy".into()));
        }
        let node: Node = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            fault(place, "it is no JSON".into())
        })?;
        let reader = Reader {
            kind,
            version: Version::V2008,
        };
        let mut policy = reader
            .policy(&node)
            .map_err(|Wrong { place, problem }| fault(place, problem))?;
        policy.name = name.into();
        let letters = text.chars().filter(|c| !c.is_whitespace()).count();
        let limit = kind.documented_limit();
        if letters > limit {
            policy.notes.push(format!(
                "it has {letters} letters, and AWS documents at most {limit} for its kind"
            ));
        }
        Ok(policy)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a statement allows any action of a service, on whatever resource and condition.
    pub fn can_allow(&self, service: &str) -> bool {
        let allows = self.statements.iter().filter(|s| s.effect == Effect::Allow);
        allows.into_iter().any(|statement| {
            let actions = &statement.actions;
            let of = |action: &ActionPattern| {
                let wanted = action.service.as_ref();
                wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(service))
            };
            // All but some actions: some of the service are left as a rule.
            actions.except || actions.items.iter().any(of)
        })
    }

    /// What is odd about the document and stops nothing.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

struct Wrong {
    place: String,
    problem: String,
}

fn wrong<T>(place: &str, problem: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        place: place.to_owned(),
        problem: problem.into(),
    })
}

struct Reader {
    kind: Kind,
    version: Version,
}

impl Reader {
    fn policy(mut self, node: &Node) -> Result<Policy, Wrong> {
        let Node::Map(entries) = node else {
            return wrong("", "it is no JSON object");
        };
        if let Some(place) = node.twice("") {
            return wrong(&place, "the same key stands twice");
        }
        let mut statements = None;
        for (key, node) in entries {
            match (key.as_str(), node) {
                ("Version", Node::Text(version)) => {
                    self.version = match version.as_str() {
                        "2012-10-17" => Version::V2012,
                        "2008-10-17" => Version::V2008,
                        other => return wrong(key, format!("`{other}` is no version")),
                    }
                }
                ("Id", Node::Text(_)) => {}
                ("Statement", Node::List(list)) => statements = Some(list.as_slice()),
                ("Statement", Node::Map(_)) => statements = Some(std::slice::from_ref(node)),
                _ => return wrong(key, "AWS has no such element here"),
            }
        }
        let Some(statements) = statements.filter(|statements| !statements.is_empty()) else {
            return wrong("", "it has no Statement");
        };
        let statements = statements
            .iter()
            .enumerate()
            .map(|(index, node)| self.statement(index, node))
            .collect::<Result<_, _>>()?;
        Ok(Policy {
            name: "".into(),
            statements,
            notes: Vec::new(),
        })
    }

    fn statement(&self, index: usize, node: &Node) -> Result<Statement, Wrong> {
        let place = format!("Statement[{index}]");
        let Node::Map(entries) = node else {
            return wrong(&place, "it is no JSON object");
        };
        let (mut sid, mut effect) = (None, None);
        let (mut actions, mut resources, mut principals) = (None, None, None);
        let mut conditions = Vec::new();
        for (key, node) in entries {
            let here = below(&place, key);
            let except = key.starts_with("Not");
            match key.as_str() {
                "Sid" => sid = Some(text(&here, node)?.into()),
                "Effect" => {
                    effect = Some(match text(&here, node)? {
                        "Allow" => Effect::Allow,
                        "Deny" => Effect::Deny,
                        other => return wrong(&here, format!("`{other}` is no effect")),
                    });
                }
                "Action" | "NotAction" => {
                    let items = texts(&here, node)?
                        .into_iter()
                        .map(|text| ActionPattern::parse(text).or_else(|why| wrong(&here, why)))
                        .collect::<Result<_, _>>()?;
                    once(&here, &mut actions, Listed { except, items })?;
                }
                "Resource" | "NotResource" if self.kind != Kind::Trust => {
                    let items = texts(&here, node)?
                        .into_iter()
                        .map(|text| {
                            ResourcePattern::parse(text, self.version)
                                .or_else(|why| wrong(&here, why))
                        })
                        .collect::<Result<_, _>>()?;
                    once(&here, &mut resources, Listed { except, items })?;
                }
                "NotPrincipal" if self.kind != Kind::Resource => {
                    return wrong(&here, "AWS has no such element here");
                }
                "Principal" | "NotPrincipal" if self.kind.names_principals() => {
                    let items = principal_list(&here, node)?;
                    once(&here, &mut principals, Listed { except, items })?;
                }
                "Condition" => conditions = self.conditions(&here, node)?,
                _ => return wrong(&here, "AWS has no such element here"),
            }
        }
        let Some(effect) = effect else {
            return wrong(&place, "it has no Effect");
        };
        let Some(actions) = actions else {
            return wrong(&place, "it has neither Action nor NotAction");
        };
        let about_itself = matches!(self.kind, Kind::Trust | Kind::Resource);
        if resources.is_none() && !about_itself {
            return wrong(&place, "it has neither Resource nor NotResource");
        }
        if principals.is_none() && self.kind.names_principals() {
            return wrong(&place, "it has neither Principal nor NotPrincipal");
        }
        if self.kind == Kind::ResourceControl && effect == Effect::Allow {
            let all = resources
                .as_ref()
                .is_some_and(|listed: &Listed<ResourcePattern>| !listed.except);
            if !all || !conditions.is_empty() {
                return wrong(&place, "a resource control policy only denies");
            }
        }
        Ok(Statement {
            index,
            sid,
            effect,
            principals,
            actions,
            resources,
            conditions,
        })
    }

    fn conditions(&self, place: &str, node: &Node) -> Result<Vec<Condition>, Wrong> {
        let Node::Map(operators) = node else {
            return wrong(place, "it is no JSON object");
        };
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let here = below(place, operator);
            let Node::Map(keys) = keys else {
                return wrong(&here, "it is no JSON object");
            };
            for (key, values) in keys {
                let here = below(&here, key);
                let values = plain_values(&here, values)?;
                let condition = Condition::parse(operator, key, values, self.version)
                    .or_else(|why| wrong(&here, why))?;
                conditions.push(condition);
            }
        }
        Ok(conditions)
    }
}

fn once<T>(place: &str, slot: &mut Option<T>, value: T) -> Result<(), Wrong> {
    if slot.replace(value).is_some() {
        return wrong(place, "an element and its opposite exclude each other");
    }
    Ok(())
}

fn text<'a>(place: &str, node: &'a Node) -> Result<&'a str, Wrong> {
    match node {
        Node::Text(text) => Ok(text),
        _ => wrong(place, "it is no text"),
    }
}

/// A text, or a list of texts with at least one.
fn texts<'a>(place: &str, node: &'a Node) -> Result<Vec<&'a str>, Wrong> {
    let list = match node {
        Node::List(list) => list.as_slice(),
        node => std::slice::from_ref(node),
    };
    if list.is_empty() {
        return wrong(place, "the list is empty");
    }
    list.iter().map(|node| text(place, node)).collect()
}

/// Values of a condition: texts, numbers, true and false.
fn plain_values(place: &str, node: &Node) -> Result<Vec<String>, Wrong> {
    let list = match node {
        Node::List(list) => list.as_slice(),
        node => std::slice::from_ref(node),
    };
    let one = |node: &Node| match node {
        Node::Text(text) | Node::Number(text) => Ok(text.clone()),
        Node::Bool(value) => Ok(value.to_string()),
        Node::Null | Node::List(_) | Node::Map(_) => {
            wrong(place, "it is no text, number, true or false")
        }
    };
    list.iter().map(one).collect()
}

fn principal_list(place: &str, node: &Node) -> Result<Vec<Named>, Wrong> {
    match node {
        Node::Text(all) if all == "*" => Ok(vec![Named::Everyone]),
        Node::Map(types) if !types.is_empty() => {
            let mut list = Vec::new();
            for (kind, node) in types {
                let here = below(place, kind);
                for text in texts(&here, node)? {
                    list.push(Named::parse(kind, text).or_else(|why| wrong(&here, why))?);
                }
            }
            Ok(list)
        }
        _ => wrong(place, "it is neither `*` nor an object of principals"),
    }
}
