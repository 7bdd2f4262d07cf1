//! Who holds which policies together: entities with their ways of signing in, and lone tokens.

use crate::api::Got;
use crate::map::token_account;
use crate::objects::{Entity, Mount, Objects};
use crate::policy::{Alias, Group, Holder};
use crate::reach::{Reach, Together};
use crate::ways::WAYS;
use chrono::{DateTime, Utc};
use lastkey_contract::ConnectorError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The path of a userpass user or of an AppRole.
pub fn login_path(mount: &Mount, name: &str) -> String {
    match mount.kind.as_str() {
        "userpass" => format!("auth/{}users/{name}", mount.path),
        _ => format!("auth/{}role/{name}", mount.path),
    }
}

/// The accounts of this vault through which an entity signs in, and whether there are others.
pub fn logins(entity: &Entity, mounts: &[Mount]) -> (Vec<String>, crate::map::Outside) {
    let mut logins = Vec::new();
    let mut outside = crate::map::Outside::None;
    if entity.aliases.is_empty() {
        outside = crate::map::Outside::Some;
    }
    for alias in &entity.aliases {
        let mount = mounts.iter().find(|m| m.accessor == alias.mount_accessor);
        let name = match mount.map(|m| m.kind.as_str()) {
            Some("userpass") => Some(&alias.name),
            // The alias of an AppRole is its role ID; its name is told beside it.
            Some("approle") => alias.metadata.get("role_name"),
            Some(_) | None => None,
        };
        match mount.zip(name) {
            Some((mount, name)) => logins.push(login_path(mount, name)),
            None => outside = crate::map::Outside::Some,
        }
    }
    logins.sort_unstable();
    logins.dedup();
    (logins, outside)
}

/// The users of other auth methods by whose names an entity signs in.
pub fn users_elsewhere(entity: &Entity, mounts: &[Mount]) -> Vec<String> {
    let of_alias = |alias: &crate::objects::Alias| {
        let mount = mounts.iter().find(|m| m.accessor == alias.mount_accessor)?;
        let way = WAYS
            .into_iter()
            .find(|way| way.of_users() && way.kind == mount.method())?;
        Some(way.path(&mount.path, &alias.name))
    };
    entity.aliases.iter().filter_map(of_alias).collect()
}

/// What a look at everyone gave: the answer, and what this login could not see.
pub struct Everyone {
    pub reach: Reach,
    pub unseen: BTreeSet<String>,
}

/// Reads policies and everyone who holds any. What was read before in the session is not read
/// again.
pub async fn everyone(
    objects: &mut Objects,
    now: DateTime<Utc>,
) -> Result<Everyone, ConnectorError> {
    let mut unseen = BTreeSet::new();
    let mut texts = BTreeMap::new();
    for name in names(objects, "sys/policies/acl", &mut unseen).await? {
        let text = match name.as_str() {
            crate::policy::Policy::ROOT => Some(String::new()),
            _ => seen(objects.policy(&name).await?, "a policy", &mut unseen).map(|t| t.to_string()),
        };
        if let Some(text) = text {
            texts.insert(name, text);
        }
    }
    let held = holders(objects, &mut unseen).await?;
    Ok(Everyone {
        reach: Reach::new(&texts, held, now),
        unseen,
    })
}

async fn holders(
    objects: &mut Objects,
    unseen: &mut BTreeSet<String>,
) -> Result<Vec<Together>, ConnectorError> {
    let mounts = objects.mounts().await?;
    let mut gives: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mount in mounts
        .auth
        .iter()
        .filter(|m| m.kind == "userpass" || m.kind == "approle")
    {
        let folder = login_path(mount, "");
        for name in names(objects, folder.trim_end_matches('/'), unseen).await? {
            let path = format!("{folder}{name}");
            if let Some(role) = seen(objects.role(&path).await?, "a way to sign in", unseen) {
                gives.insert(path, role.gives().into_iter().collect());
            }
        }
    }
    let mut held = Vec::new();
    let mut of_entities: BTreeMap<String, (Holder, BTreeSet<String>)> = BTreeMap::new();
    let mut entered: BTreeSet<String> = BTreeSet::new();
    let default = || BTreeSet::from(["default".to_owned()]);
    for id in names(objects, "identity/entity/id", unseen).await? {
        let Some(entity) = seen(objects.entity(&id).await?, "an entity", unseen) else {
            continue;
        };
        let (holder, own) = holder(objects, &entity, unseen).await?;
        let (logins, outside) = logins(&entity, &mounts.auth);
        let mut class = |first: BTreeSet<String>, account: Option<&String>| {
            held.push(Together {
                policies: first.into_iter().chain(own.iter().cloned()).collect(),
                accounts: account.into_iter().chain([&entity.id]).cloned().collect(),
                holder: Some(holder.clone()),
            });
        };
        for login in &logins {
            class(
                gives.get(login).cloned().unwrap_or_else(default),
                Some(login),
            );
        }
        if outside == crate::map::Outside::Some {
            let mut given = default();
            for user in users_elsewhere(&entity, &mounts.auth) {
                // Nobody's user of that name is no lack: most methods know none by name.
                if let Got::Found(user) = objects.role(&user).await? {
                    given.extend(user.gives());
                }
            }
            class(given, None);
        }
        entered.extend(logins);
        of_entities.insert(entity.id.clone(), (holder, own));
    }
    for (login, policies) in gives {
        // No entity yet: the first sign-in makes one, which has no policies of its own.
        if !entered.contains(&login) {
            held.push(Together {
                policies,
                accounts: BTreeSet::from([login]),
                holder: None,
            });
        }
    }
    for accessor in names(objects, "auth/token/accessors", unseen).await? {
        let Some(token) = seen(objects.token(&accessor).await?, "a token", unseen) else {
            continue;
        };
        let policies = token
            .policies
            .iter()
            .chain(&token.identity_policies)
            .cloned();
        let (account, holder, own) = match of_entities.get(&token.entity_id) {
            Some((holder, own)) => (token.entity_id.clone(), Some(holder.clone()), own.clone()),
            None if token.entity_id.is_empty() => (token_account(&accessor), None, BTreeSet::new()),
            // The entity is gone, and with it whatever the token allowed.
            None => continue,
        };
        held.push(Together {
            policies: policies.chain(own).collect(),
            accounts: BTreeSet::from([account]),
            holder,
        });
    }
    Ok(held)
}

/// Whom templates are filled in for, and the policies of the entity and of its groups.
async fn holder(
    objects: &mut Objects,
    entity: &Entity,
    unseen: &mut BTreeSet<String>,
) -> Result<(Holder, BTreeSet<String>), ConnectorError> {
    let mut policies: BTreeSet<String> = entity.policies.iter().cloned().collect();
    let mut groups = Vec::new();
    for id in &entity.group_ids {
        if let Some(group) = seen(objects.group(id).await?, "a group", unseen) {
            policies.extend(group.policies.iter().cloned());
            groups.push(Group {
                id: group.id.clone(),
                name: group.name.clone(),
                metadata: group.metadata.clone(),
            });
        }
    }
    let aliases = entity.aliases.iter().map(|alias| Alias {
        id: alias.id.clone(),
        name: alias.name.clone(),
        mount_accessor: alias.mount_accessor.clone(),
        metadata: alias.metadata.clone(),
        custom_metadata: alias.custom_metadata.clone(),
    });
    let holder = Holder {
        id: entity.id.clone(),
        name: entity.name.clone(),
        metadata: entity.metadata.clone(),
        aliases: aliases.collect(),
        groups,
    };
    Ok((holder, policies))
}

async fn names(
    objects: &mut Objects,
    path: &str,
    unseen: &mut BTreeSet<String>,
) -> Result<Vec<String>, ConnectorError> {
    Ok(
        match objects
            .api
            .list(path, "see who holds which policies")
            .await?
        {
            Got::Found(names) => names,
            Got::Absent => Vec::new(),
            Got::Refused => {
                unseen.insert(format!("the list of `{path}`"));
                Vec::new()
            }
        },
    )
}

fn seen<T: ?Sized>(got: Got<Arc<T>>, what: &str, unseen: &mut BTreeSet<String>) -> Option<Arc<T>> {
    match got {
        Got::Found(value) => Some(value),
        Got::Absent => None,
        Got::Refused => {
            unseen.insert(what.to_owned());
            None
        }
    }
}
