//! Who holds what: policies, groups and roles.

use crate::api::Got;
use crate::make::{dynamic, got, principals, way};
use crate::map::{self, Outside, holder, policy_id};
use crate::objects::{Objects, Role};
use crate::people::{self, Everyone, login_path};
use crate::place::Section;
use crate::policy::{Capabilities, Policy};
use lastkey_contract::facts::{Assignment, Principal, PrincipalType};
use lastkey_contract::{ConnectorError, Fact, NoteKind, Notes};
use std::collections::BTreeSet;

/// The grants that one name of a section tells.
pub async fn grants(
    objects: &mut Objects,
    everyone: Option<&Everyone>,
    section: &Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, ConnectorError> {
    let system = objects.vault.system.clone();
    let account = |id: &str| holder(&system, PrincipalType::Account, id);
    let entitlement = |id: &str| holder(&system, PrincipalType::Entitlement, id);
    let policies = |principal: Principal, policies: &[String]| {
        let held: BTreeSet<&String> = policies.iter().collect();
        held.into_iter()
            .map(move |policy| Fact::Grant(map::grant(principal.clone(), &policy_id(policy))))
            .collect::<Vec<_>>()
    };
    Ok(match section {
        Section::Entities => {
            let mounts = objects.mounts().await?;
            let entity = got!(objects.entity(name).await?, notes, "an entity", name);
            let mut held = entity.policies.clone();
            // Who signs in elsewhere gets `default`, unless the role there says otherwise.
            if people::logins(&entity, &mounts.auth).1 == Outside::Some {
                held.push("default".to_owned());
            }
            let mut made = policies(account(name), &held);
            for user in people::users_elsewhere(&entity, &mounts.auth) {
                if let Got::Found(_) = objects.role(&user).await? {
                    made.push(Fact::Grant(map::grant(account(name), &user)));
                }
            }
            made
        }
        Section::Groups => {
            let group = got!(objects.group(name).await?, notes, "a group", name);
            let members = group.member_entity_ids.iter().map(|id| account(id));
            let nested = group.member_group_ids.iter().map(|id| entitlement(id));
            let mut made = policies(entitlement(name), &group.policies);
            made.extend(
                members
                    .chain(nested)
                    .map(|who| Fact::Grant(map::grant(who, name))),
            );
            made
        }
        Section::Users(mount) | Section::AppRoles(mount) => {
            let mounts = objects.mounts().await?;
            let Some(mount) = mounts.auth.iter().find(|m| m.path == *mount) else {
                return Ok(Vec::new());
            };
            let path = login_path(mount, name);
            let role = got!(objects.role(&path).await?, notes, "a way to sign in", path);
            policies(account(&path), &role.gives())
        }
        Section::Roles(mount, folder) => {
            let Some(way) = way(objects, mount, folder).await? else {
                return Ok(Vec::new());
            };
            let path = way.path(mount, name);
            let role = got!(objects.role(&path).await?, notes, "a way to sign in", path);
            if way.makes_tokens() {
                let given = given(objects, &role, notes).await?;
                let mut made = policies(entitlement(&path), &given);
                let create = format!("auth/{mount}create/{name}");
                let paths = [(create, Capabilities::UPDATE.with(Capabilities::CREATE))];
                made.extend(usable(objects, everyone, &path, &paths, notes));
                return Ok(made);
            }
            let mut made = policies(entitlement(&path), &role.gives());
            for group in &role.groups {
                let group = format!("auth/{mount}groups/{group}");
                made.push(Fact::Grant(map::grant(entitlement(&path), &group)));
            }
            made
        }
        Section::Tokens => {
            let token = got!(objects.token(name).await?, notes, "a token", name);
            match token.entity_id.as_str() {
                "" => policies(account(&map::token_account(name)), &token.policies),
                entity => {
                    if let Got::Absent = objects.entity(entity).await? {
                        // The vault refuses a token whose entity is gone.
                        return Ok(Vec::new());
                    }
                    let otherwise = held_otherwise(objects, entity).await?;
                    let own = token.policies.iter().filter(|p| !otherwise.contains(*p));
                    own.map(|policy| Fact::Grant(map::grant_by_token(&system, &token, policy)))
                        .collect()
                }
            }
        }
        Section::Dynamic(mount, folder) => {
            let Some(roles) = dynamic(objects, mount, folder).await? else {
                return Ok(Vec::new());
            };
            let role = roles.path(mount, name);
            usable(objects, everyone, &role, &roles.used_at(mount, name), notes)
        }
        Section::Policies
        | Section::Secrets(_)
        | Section::Leases(_)
        | Section::Statics(_, _)
        | Section::Keys(_)
        | Section::Certificates(_) => Vec::new(),
    })
}

/// The policies that an entity holds without any token: its own, and those of its logins.
async fn held_otherwise(
    objects: &mut Objects,
    entity: &str,
) -> Result<BTreeSet<String>, ConnectorError> {
    let mounts = objects.mounts().await?;
    let mut held = BTreeSet::from(["default".to_owned()]);
    if let Got::Found(entity) = objects.entity(entity).await? {
        held.extend(entity.policies.iter().cloned());
        for login in people::logins(&entity, &mounts.auth).0 {
            if let Got::Found(role) = objects.role(&login).await? {
                held.extend(role.gives());
            }
        }
    }
    Ok(held)
}

/// The policies that a token can have that is made with a role. Patterns stand for the policies
/// there are now; `root` is given by none of them.
async fn given(
    objects: &mut Objects,
    role: &Role,
    notes: &mut Notes,
) -> Result<Vec<String>, ConnectorError> {
    let mut given = role.allowed_policies.clone();
    let limited = !given.is_empty() || !role.allowed_policies_glob.is_empty();
    if limited && !role.token_no_default_policy {
        given.push("default".to_owned());
    }
    if role.allowed_policies_glob.is_empty() {
        return Ok(given);
    }
    let path = "sys/policies/acl";
    match objects.api.list(path, "list policies").await? {
        Got::Found(names) => given.extend(names.into_iter().filter(|name| {
            let of = |pattern: &String| matches(pattern, name);
            let refused = role.disallowed_policies.contains(name)
                || role.disallowed_policies_glob.iter().any(of);
            name != Policy::ROOT && !refused && role.allowed_policies_glob.iter().any(of)
        })),
        Got::Absent => {}
        Got::Refused => {
            let reason = "this login may not list the policies that a role names by a pattern";
            notes.add(NoteKind::Clipped, reason, Some(path.to_owned()));
        }
    }
    Ok(given)
}

/// Whether a name fits a pattern, in which each `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(last)
}

/// Who may use a role, as the policies say about the paths where it is used, each with the rights
/// of which one is enough.
pub fn usable(
    objects: &Objects,
    everyone: Option<&Everyone>,
    role: &str,
    paths: &[(String, Capabilities)],
    notes: &mut Notes,
) -> Vec<Fact> {
    let Some(everyone) = everyone else {
        return Vec::new();
    };
    if !everyone.unseen.is_empty() || !everyone.reach.undecided.is_empty() {
        let reason = "who may use a role is not known whole: a policy or a holder could not be read or decided";
        notes.add(NoteKind::Clipped, reason, Some(role.to_owned()));
    }
    let mut met: BTreeSet<Principal> = BTreeSet::new();
    let mut made = Vec::new();
    for (path, wanted) in paths {
        let who = everyone.reach.who(path, *wanted);
        for (principal, attributes) in principals(objects, who) {
            if met.insert(principal.clone()) {
                let mut grant = map::grant(principal, role);
                // It turns into access when it is used.
                grant.assignment = Some(Assignment::Eligible);
                grant.attributes = attributes;
                grant.attributes.insert("by".to_owned(), path.clone());
                made.push(Fact::Grant(grant));
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_of_policies() {
        for (pattern, name, fits) in [
            ("db-*", "db-read", true),
            ("db-*", "web", false),
            ("*", "any", true),
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("a*b*c", "axbyc", true),
            ("a*b*c", "axc", false),
            ("*-read", "db-read", true),
            ("db", "db", true),
            ("db", "db-read", false),
            ("ab*bc", "abc", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
