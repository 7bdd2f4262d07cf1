//! Whom and what a policy is asked about: an identity and an entitlement, as Cedar takes them.

use super::needs::{Field, Mentions, Of};
use crate::access::Graph;
use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use lastkey_contract::IdentityId;
use lastkey_contract::facts::{Attributes, Entitlement, Identity};
use std::collections::HashSet;
use std::str::FromStr;

/// Attributes of an identity that a policy may ask about, in the order of the schema.
pub(crate) const OF_IDENTITIES: &[&str] = &[
    "kind",
    "name",
    "email",
    "status",
    "department",
    "title",
    "manager",
    "employer",
    "location",
    "purpose",
];
/// The same of an entitlement.
const OF_ENTITLEMENTS: &[&str] = &["system", "id", "name", "kind", "privileged", "environment"];

/// Whoever works for no vendor has no employer: that is known, not unknown.
const ABSENT_IS_NONE: &str = "employer";

/// An identity, as far as policies may ask about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub id: String,
    /// By the schema's names; what nobody knows is absent.
    pub attributes: Attributes,
    /// Columns that no field names.
    pub tags: Attributes,
}

/// An entitlement, as far as policies may ask about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    pub system: String,
    pub id: String,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub privileged: Option<bool>,
    pub environment: Option<String>,
    pub tags: Attributes,
}

/// Somebody of a source with the names that the graph has for them and for whom they refer to: the
/// source's own record first, as everywhere.
pub fn as_named(graph: &Graph, source: &str, mut fact: Identity) -> Identity {
    let refer = |id: IdentityId| {
        let own = IdentityId::new(format!("{source}:{id}"));
        match graph.identity_kind(&own) {
            Some(_) => own,
            None => id,
        }
    };
    fact.manager_id = fact.manager_id.map(refer);
    fact.employer_id = fact.employer_id.map(refer);
    fact.id = refer(fact.id);
    fact
}

impl From<&Identity> for Holder {
    fn from(identity: &Identity) -> Self {
        let Identity {
            id,
            kind,
            display_name,
            email,
            status,
            department,
            title,
            manager_id,
            employer_id,
            location,
            start_date: _,
            end_date: _,
            leaver_kind: _,
            purpose,
            allowed_tools: _,
            attributes,
        } = identity;
        let known = [
            ("kind", Some(kind.word().to_owned())),
            ("name", display_name.clone()),
            ("email", email.clone()),
            ("status", status.map(|status| status.word().to_owned())),
            ("department", department.clone()),
            ("title", title.clone()),
            ("manager", manager_id.as_ref().map(ToString::to_string)),
            ("employer", employer_id.as_ref().map(ToString::to_string)),
            ("location", location.clone()),
            ("purpose", purpose.clone()),
        ];
        let known = known
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Holder {
            id: id.to_string(),
            attributes: known.collect(),
            tags: attributes.clone(),
        }
    }
}

impl Holder {
    /// The same with one attribute as it is afterwards; none to take it away. Columns of files are
    /// known by their names there, too.
    pub fn set(&mut self, name: &str, value: Option<String>) {
        let name = schema_name(name);
        let all = match OF_IDENTITIES.contains(&name) {
            true => &mut self.attributes,
            false => &mut self.tags,
        };
        match value {
            Some(value) => all.insert(name.to_owned(), value),
            None => all.remove(name),
        };
    }
}

/// The schema's name of an identity's column.
pub(super) fn schema_name(column: &str) -> &str {
    match column {
        "display_name" => "name",
        "manager_id" => "manager",
        "employer_id" => "employer",
        other => other,
    }
}

impl From<&Entitlement> for Holding {
    fn from(entitlement: &Entitlement) -> Self {
        let Entitlement {
            system,
            id,
            name,
            kind,
            privileged,
            environment,
            attributes,
        } = entitlement;
        Holding {
            system: system.to_string(),
            id: id.to_string(),
            name: name.clone(),
            kind: kind.map(|kind| kind.word().to_owned()),
            privileged: *privileged,
            environment: environment.clone(),
            tags: attributes.clone(),
        }
    }
}

impl Holding {
    /// An entitlement of which only the name is known: a grant or a policy names it.
    pub fn named(system: &str, id: &str) -> Holding {
        Holding {
            system: system.to_owned(),
            id: id.to_owned(),
            name: None,
            kind: None,
            privileged: None,
            environment: None,
            tags: Attributes::new(),
        }
    }

    /// `system:id`.
    pub fn full_id(&self) -> String {
        format!("{}:{}", self.system, self.id)
    }

    fn attribute(&self, name: &str) -> Option<String> {
        match name {
            "system" => Some(self.system.clone()),
            "id" => Some(self.id.clone()),
            "name" => self.name.clone(),
            "kind" => self.kind.clone(),
            "privileged" => self.privileged.map(|flag| flag.to_string()),
            "environment" => self.environment.clone(),
            _ => None,
        }
    }
}

/// What a policy can tell two of them apart by: equal ones get equal answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    /// Only where a rule names it, else empty.
    id: String,
    pub system: String,
    /// What rules ask about and is known, by name.
    attributes: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

impl Class {
    pub(super) fn of_holder(holder: &Holder, mentions: &Mentions) -> Class {
        let asked = |name: &str| asked(mentions, Of::Principal, name);
        Class {
            id: if mentions.identities.contains(&holder.id) {
                holder.id.clone()
            } else {
                String::new()
            },
            system: String::new(),
            attributes: OF_IDENTITIES
                .iter()
                .filter(|name| asked(name))
                .filter_map(|name| {
                    Some(((*name).to_owned(), holder.attributes.get(*name)?.clone()))
                })
                .collect(),
            tags: tags(&holder.tags, mentions, Of::Principal),
        }
    }

    pub(super) fn of_holding(holding: &Holding, mentions: &Mentions) -> Class {
        let full = holding.full_id();
        let asked = |name: &str| asked(mentions, Of::Resource, name);
        Class {
            id: if mentions.entitlements.contains(&full) {
                full
            } else {
                String::new()
            },
            system: holding.system.clone(),
            attributes: OF_ENTITLEMENTS
                .iter()
                .filter(|name| asked(name))
                .filter_map(|name| Some(((*name).to_owned(), holding.attribute(name)?)))
                .collect(),
            tags: tags(&holding.tags, mentions, Of::Resource),
        }
    }

    /// The entitlement's `system:id` where a rule names it.
    pub(super) fn named(&self) -> Option<&str> {
        (!self.id.is_empty()).then_some(self.id.as_str())
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn value(&self, field: &Field) -> Option<&str> {
        let (values, name) = match field {
            Field::Attribute(name) => (&self.attributes, name),
            Field::Tag(name) => (&self.tags, name),
        };
        let found = values.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    /// What of this a rule asks about and nobody knows, in words.
    pub(super) fn unknown(&self, of: Of, mentions: &Mentions) -> Vec<String> {
        let attributes = mentions.attributes.iter();
        let attributes = attributes
            .filter(|(whose, _)| *whose == of)
            .map(|(_, name)| Field::Attribute(name.clone()));
        let tags = mentions.tags.iter();
        let tags = tags
            .filter(|(whose, _)| *whose == of)
            .map(|(_, name)| Field::Tag(name.clone()));
        attributes
            .chain(tags)
            .filter(|field| self.is_unknown(of, field))
            .map(|field| said(of, &field))
            .collect()
    }

    pub(super) fn is_unknown(&self, of: Of, field: &Field) -> bool {
        let known = match (of, field) {
            (Of::Principal, Field::Attribute(name)) => {
                name == ABSENT_IS_NONE || !OF_IDENTITIES.contains(&name.as_str())
            }
            (Of::Resource, Field::Attribute(name)) => !OF_ENTITLEMENTS.contains(&name.as_str()),
            (Of::Principal | Of::Resource, Field::Tag(_)) => false,
        };
        !known && self.value(field).is_none()
    }

    /// The identity as Cedar takes it.
    pub(super) fn principal(&self) -> Option<Entity> {
        let uid = uid("Identity", &self.id)?;
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| (name.clone(), text(value)));
        Entity::new_with_tags(uid, attributes, [], self.tags_of()).ok()
    }

    /// The entitlement as Cedar takes it, and its system.
    pub(super) fn resource(&self) -> Option<[Entity; 2]> {
        let uid_of_system = uid("System", &self.system)?;
        let attributes = self.attributes.iter().map(|(name, value)| {
            let value = match name.as_str() {
                "system" => RestrictedExpression::new_entity_uid(uid_of_system.clone()),
                "privileged" => RestrictedExpression::new_bool(value == "true"),
                _ => text(value),
            };
            (name.clone(), value)
        });
        let parents = HashSet::from([uid_of_system.clone()]);
        let uid = uid("Entitlement", &self.id)?;
        let entitlement = Entity::new_with_tags(uid, attributes, parents, self.tags_of()).ok()?;
        Some([entitlement, Entity::with_uid(uid_of_system)])
    }

    fn tags_of(&self) -> impl Iterator<Item = (String, RestrictedExpression)> + '_ {
        let tags = self.tags.iter();
        tags.map(|(name, value)| (name.clone(), text(value)))
    }
}

/// `department of the identity`.
pub(super) fn said(of: Of, field: &Field) -> String {
    let (Field::Attribute(name) | Field::Tag(name)) = field;
    match of {
        Of::Principal => format!("{name} of the identity"),
        Of::Resource => format!("{name} of the entitlement"),
    }
}

fn asked(mentions: &Mentions, of: Of, name: &str) -> bool {
    mentions.attributes.contains(&(of, name.to_owned()))
}

fn tags(all: &Attributes, mentions: &Mentions, of: Of) -> Vec<(String, String)> {
    all.iter()
        .filter(|(name, _)| mentions.any_tag || mentions.tags.contains(&(of, (*name).clone())))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// Types are ours and parse.
pub(super) fn uid(kind: &str, id: &str) -> Option<EntityUid> {
    let kind = EntityTypeName::from_str(kind).ok()?;
    Some(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}
