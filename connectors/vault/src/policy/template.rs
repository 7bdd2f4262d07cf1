//! Templates in paths: `{{identity.entity.name}}` and its kin, filled in for one holder.

use std::collections::BTreeMap;

/// Whom a policy is filled in for: the entity of a token, and the groups it is in, also through
/// other groups. A token without an entity holds nothing that is templated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    pub id: String,
    pub name: String,
    pub metadata: BTreeMap<String, String>,
    pub aliases: Vec<Alias>,
    pub groups: Vec<Group>,
}

/// A name of the entity at one way of signing in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alias {
    pub id: String,
    pub name: String,
    pub mount_accessor: String,
    pub metadata: BTreeMap<String, String>,
    pub custom_metadata: BTreeMap<String, String>,
}

/// A group that the entity is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub metadata: BTreeMap<String, String>,
}

/// Whether a path has a template in it.
pub fn is_templated(path: &str) -> bool {
    path.contains("{{") && path.contains("}}")
}

/// The path for this holder; None where a template has no value for it, so that the rule does
/// not count for it.
pub fn fill(path: &str, holder: Option<&Holder>) -> Option<String> {
    let mut pieces = path.split("{{");
    let mut filled = pieces.next()?.to_owned();
    if filled.contains("}}") {
        return None;
    }
    for piece in pieces {
        let mut halves = piece.split("}}");
        let (name, rest) = (halves.next()?, halves.next()?);
        if halves.next().is_some() {
            return None;
        }
        filled.push_str(&value(name.trim(), holder?)?);
        filled.push_str(rest);
    }
    Some(filled)
}

fn value(name: &str, holder: &Holder) -> Option<String> {
    match name.strip_prefix("identity.") {
        Some(identity) => match identity.split_once('.')? {
            ("entity", of) => of_entity(of, holder),
            ("groups", of) => of_group(of, holder),
            _ => None,
        },
        // `time.now` and its sums: no path that is asked for names a second
        None => None,
    }
}

fn of_entity(name: &str, holder: &Holder) -> Option<String> {
    match name {
        "id" => filled(&holder.id),
        "name" => filled(&holder.name),
        _ => match name.split_once('.')? {
            ("metadata", key) => holder.metadata.get(key).cloned(),
            ("aliases", of) => {
                let (accessor, name) = of.split_once('.')?;
                let alias = holder
                    .aliases
                    .iter()
                    .find(|a| a.mount_accessor == accessor)?;
                of_alias(name, alias)
            }
            _ => None,
        },
    }
}

fn of_alias(name: &str, alias: &Alias) -> Option<String> {
    match name {
        "id" => filled(&alias.id),
        "name" => filled(&alias.name),
        _ => match name.split_once('.')? {
            ("metadata", key) => alias.metadata.get(key).cloned(),
            ("custom_metadata", key) => alias.custom_metadata.get(key).cloned(),
            _ => None,
        },
    }
}

fn of_group(name: &str, holder: &Holder) -> Option<String> {
    let (by, rest) = name.split_once('.')?;
    let (key, what) = rest.split_once('.')?;
    let group = match by {
        "ids" => holder.groups.iter().find(|g| g.id == key)?,
        "names" => holder.groups.iter().find(|g| g.name == key)?,
        _ => return None,
    };
    match what {
        "id" => Some(group.id.clone()),
        "name" => filled(&group.name),
        _ => group.metadata.get(what.strip_prefix("metadata.")?).cloned(),
    }
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        let map = |k: &str, v: &str| BTreeMap::from([(k.to_owned(), v.to_owned())]);
        Holder {
            id: "e1".to_owned(),
            name: "ann".to_owned(),
            metadata: map("team.x", "db"),
            aliases: vec![Alias {
                id: "a1".to_owned(),
                name: "ann@x".to_owned(),
                mount_accessor: "auth_userpass_1".to_owned(),
                metadata: map("m", "1"),
                custom_metadata: map("c", "2"),
            }],
            groups: vec![Group {
                id: "g1".to_owned(),
                name: "ops".to_owned(),
                metadata: map("room", "7"),
            }],
        }
    }

    #[track_caller]
    fn check(path: &str, says: Option<&str>) {
        assert_eq!(fill(path, Some(&holder())).as_deref(), says, "{path}");
    }

    #[test]
    fn templates_have_the_holders_values() {
        check("plain/*", Some("plain/*"));
        check(
            "s/{{identity.entity.id}}/{{ identity.entity.name }}",
            Some("s/e1/ann"),
        );
        check("s/{{identity.entity.metadata.team.x}}", Some("s/db"));
        check(
            "s/{{identity.entity.aliases.auth_userpass_1.name}}",
            Some("s/ann@x"),
        );
        check(
            "s/{{identity.entity.aliases.auth_userpass_1.metadata.m}}",
            Some("s/1"),
        );
        check(
            "s/{{identity.entity.aliases.auth_userpass_1.custom_metadata.c}}",
            Some("s/2"),
        );
        check("s/{{identity.groups.ids.g1.name}}", Some("s/ops"));
        check("s/{{identity.groups.names.ops.metadata.room}}", Some("s/7"));
    }

    #[test]
    fn a_template_without_a_value_takes_the_rule_away() {
        for path in [
            "{{identity.entity.metadata.none}}",
            "{{identity.entity.metadata}}",
            "{{identity.entity.groups.names}}",
            "{{identity.entity.aliases.other.name}}",
            "{{identity.entity.aliases.auth_userpass_1}}",
            "{{identity.groups.names.other.id}}",
            "{{identity.groups.ops}}",
            "{{a}}b}}",
            "a}}{{identity.entity.id}}",
        ] {
            check(path, None);
        }
        assert_eq!(fill("s/{{identity.entity.id}}", None), None);
        assert_eq!(fill("s/x", None).as_deref(), Some("s/x"));
    }
}
