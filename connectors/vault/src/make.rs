//! From one name to its facts: what is fetched for it, and what is noted where it cannot be.

use crate::api::Got;
use crate::map::{self, Outside, holder, policy_id};
use crate::objects::{KvMetadata, Mount, Objects, SecretId};
use crate::people::{self, ELSEWHERE, Everyone, login_path};
use crate::place::Section;
use crate::policy::{Capabilities, Limits, Policy};
use crate::reach::Who;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{AccountKind, Attributes, ControlMeans, Principal, PrincipalType};
use lastkey_contract::{ConnectorError, Fact, Kind, NoteKind, Notes};
use std::collections::BTreeSet;

/// What is known of the whole vault, beside the objects themselves.
#[derive(Default)]
pub struct Maker {
    everyone: Option<Everyone>,
}

/// Where a fact of this vault belongs.
macro_rules! got {
    ($got:expr, $notes:expr, $what:expr, $name:expr) => {
        match $got {
            Got::Found(value) => value,
            Got::Absent => {
                $notes.add(
                    NoteKind::Remark,
                    concat!($what, " was removed while being read"),
                    Some($name.to_owned()),
                );
                return Ok(Vec::new());
            }
            Got::Refused => {
                $notes.add(
                    NoteKind::Skipped,
                    concat!("this login may not read ", $what),
                    Some($name.to_owned()),
                );
                return Ok(Vec::new());
            }
        }
    };
}

impl Maker {
    /// Reads everyone, once in a session; says on the first page what could not be seen.
    pub async fn know_everyone(
        &mut self,
        objects: &mut Objects,
        now: DateTime<Utc>,
        kind: Kind,
        first: bool,
        notes: &mut Notes,
    ) -> Result<(), ConnectorError> {
        if self.everyone.is_none() {
            self.everyone = Some(people::everyone(objects, now).await?);
        }
        let Some(everyone) = self.everyone.as_ref().filter(|_| first) else {
            return Ok(());
        };
        for what in &everyone.unseen {
            let reason = format!("who may is not known whole: this login may not read {what}");
            notes.add(NoteKind::Clipped, &reason, None);
        }
        for (policy, why) in &everyone.reach.undecided {
            let reason = format!("a policy could not be decided: {why}");
            let example = Some(policy.clone());
            // Counted once; for controls the same policies stand in the way.
            match kind {
                Kind::Reader => notes.add(NoteKind::Failed, &reason, example),
                _ => notes.add(NoteKind::Clipped, &reason, example),
            }
        }
        Ok(())
    }

    /// The facts of one name.
    pub async fn make(
        &self,
        objects: &mut Objects,
        kind: Kind,
        section: &Section,
        name: &str,
        notes: &mut Notes,
    ) -> Result<Vec<Fact>, ConnectorError> {
        match kind {
            Kind::Account => self.accounts(objects, section, name, notes).await,
            Kind::Entitlement => entitlements(objects, section, name, notes).await,
            Kind::Grant => grants(objects, section, name, notes).await,
            Kind::Credential => credentials(objects, section, name, notes).await,
            Kind::Location => locations(objects, section, name, notes).await,
            Kind::Reader => self.readers(objects, section, name).await,
            Kind::Control => self.controls(objects, section, name, notes).await,
            Kind::Session => {
                let Section::Leases(mount) = section else {
                    return Ok(Vec::new());
                };
                let id = format!("{mount}{name}");
                let lease = got!(objects.lease(&id).await?, notes, "a lease", id);
                Ok(vec![Fact::Session(map::lease(
                    &objects.vault.system,
                    &id,
                    &lease,
                ))])
            }
            Kind::Identity | Kind::Owner | Kind::Task => Ok(Vec::new()),
        }
    }

    async fn accounts(
        &self,
        objects: &mut Objects,
        section: &Section,
        name: &str,
        notes: &mut Notes,
    ) -> Result<Vec<Fact>, ConnectorError> {
        let system = objects.vault.system.clone();
        let made = match section {
            Section::Entities => {
                let mounts = objects.mounts().await?;
                let entity = got!(objects.entity(name).await?, notes, "an entity", name);
                let (logins, outside) = people::logins(&entity, &mounts.auth);
                map::entity(&system, &entity, &logins, outside)
            }
            Section::Tokens => {
                let token = got!(objects.token(name).await?, notes, "a token", name);
                if !token.entity_id.is_empty() {
                    return Ok(Vec::new());
                }
                map::token_as_account(&system, &token)
            }
            Section::Users(_) | Section::AppRoles(_) => {
                let (path, kind) = match section {
                    Section::Users(mount) => {
                        (format!("auth/{mount}users/{name}"), AccountKind::Human)
                    }
                    Section::AppRoles(mount) => {
                        (format!("auth/{mount}role/{name}"), AccountKind::Service)
                    }
                    _ => return Ok(Vec::new()),
                };
                let mut made = map::account(&system, &path, name, Some(kind));
                made.local_sign_in = Some(true);
                made.enabled = Some(true);
                made
            }
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Fact::Account(made)])
    }

    async fn readers(
        &self,
        objects: &mut Objects,
        section: &Section,
        name: &str,
    ) -> Result<Vec<Fact>, ConnectorError> {
        let (Some(mount), Some(everyone)) = (store(objects, section).await?, &self.everyone) else {
            return Ok(Vec::new());
        };
        let who = everyone.reach.who(&mount.value(name), Capabilities::READ);
        let path = format!("{}{name}", mount.path);
        Ok(principals(objects, who)
            .map(|(principal, attributes)| Fact::Reader(map::reader(principal, &path, attributes)))
            .collect())
    }

    /// Who can take over an account: by setting its password, minting a secret ID, adding a name
    /// of one's own to an entity; and the entity that a login of this vault signs in as.
    async fn controls(
        &self,
        objects: &mut Objects,
        section: &Section,
        name: &str,
        notes: &mut Notes,
    ) -> Result<Vec<Fact>, ConnectorError> {
        let Some(everyone) = &self.everyone else {
            return Ok(Vec::new());
        };
        let mut made = Vec::new();
        let (account, ways) = match section {
            Section::Users(mount) => {
                let path = format!("auth/{mount}users/{name}");
                let password = format!("{path}/password");
                (
                    path.clone(),
                    vec![
                        (path, ControlMeans::ResetPassword),
                        (password, ControlMeans::ResetPassword),
                    ],
                )
            }
            Section::AppRoles(mount) => {
                let path = format!("auth/{mount}role/{name}");
                let ids = ["secret-id", "custom-secret-id"].map(|id| format!("{path}/{id}"));
                (
                    path,
                    ids.into_iter()
                        .map(|id| (id, ControlMeans::MintCredential))
                        .collect(),
                )
            }
            Section::Entities => {
                let mounts = objects.mounts().await?;
                let entity = got!(objects.entity(name).await?, notes, "an entity", name);
                for login in people::logins(&entity, &mounts.auth).0 {
                    let principal = holder(&objects.vault.system, PrincipalType::Account, &login);
                    let attributes = Attributes::from([("by".to_owned(), "signing in".to_owned())]);
                    let means = ControlMeans::Assume;
                    made.push(Fact::Control(map::control(
                        principal, name, means, attributes,
                    )));
                }
                let way = (
                    "identity/entity-alias".to_owned(),
                    ControlMeans::Impersonate,
                );
                (name.to_owned(), vec![way])
            }
            _ => return Ok(Vec::new()),
        };
        let wanted = Capabilities::UPDATE.with(Capabilities::CREATE);
        let mut met: BTreeSet<(Principal, ControlMeans)> = BTreeSet::new();
        for (path, means) in ways {
            let who = everyone.reach.who(&path, wanted);
            for (principal, attributes) in principals(objects, who) {
                if met.insert((principal.clone(), means)) && principal.id != account {
                    made.push(Fact::Control(map::control(
                        principal, &account, means, attributes,
                    )));
                }
            }
        }
        Ok(made)
    }
}

/// Policies and accounts as principals, sorted.
fn principals(objects: &Objects, who: Who) -> impl Iterator<Item = (Principal, Attributes)> {
    let system = objects.vault.system.clone();
    let limited = |limits: Limits, mut attributes: Attributes| {
        if limits != Limits::default() {
            attributes.insert("limits".to_owned(), limits.words().join(" "));
        }
        attributes
    };
    let by_account = system.clone();
    let policies = who.policies.into_iter().map(move |(name, limits)| {
        let principal = holder(&system, PrincipalType::Entitlement, &policy_id(&name));
        (principal, limited(limits, Attributes::new()))
    });
    let accounts = who.accounts.into_iter().map(move |(id, (by, limits))| {
        let by = by.into_iter().collect::<Vec<_>>().join(" ");
        let attributes = Attributes::from([("by_policies".to_owned(), by)]);
        let principal = holder(&by_account, PrincipalType::Account, &id);
        (principal, limited(limits, attributes))
    });
    policies.chain(accounts)
}

/// The key-value store of a section.
async fn store(objects: &mut Objects, section: &Section) -> Result<Option<Mount>, ConnectorError> {
    let Section::Secrets(path) = section else {
        return Ok(None);
    };
    let mounts = objects.mounts().await?;
    Ok(mounts.engines.iter().find(|m| m.path == *path).cloned())
}

async fn entitlements(
    objects: &mut Objects,
    section: &Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, ConnectorError> {
    let system = objects.vault.system.clone();
    let made = match section {
        Section::Policies if name == Policy::ROOT => map::policy(&system, name, Some(true)),
        Section::Policies => {
            let text = got!(objects.policy(name).await?, notes, "a policy", name);
            map::policy(&system, name, privileged(name, &text))
        }
        Section::Groups => {
            let group = got!(objects.group(name).await?, notes, "a group", name);
            map::group(&system, &group)
        }
        Section::Roles(mount, folder) => {
            let kind = ELSEWHERE
                .iter()
                .find(|(_, f)| f == folder)
                .map_or("", |(kind, _)| kind);
            map::role(&system, &format!("auth/{mount}{folder}/{name}"), kind)
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Fact::Entitlement(made)])
}

/// Whether a policy lets its holder become more: sudo anywhere, or a hand on policies, entities,
/// auth methods or the audit. None where its text cannot be decided.
fn privileged(name: &str, text: &str) -> Option<bool> {
    let policy = Policy::parse(name, text).ok()?;
    let change = Capabilities::CREATE
        .with(Capabilities::UPDATE)
        .with(Capabilities::PATCH)
        .with(Capabilities::DELETE);
    let own = [
        "auth/token/",
        "sys/leases/renew",
        "sys/leases/lookup",
        "sys/renew",
        "sys/wrapping",
        "sys/tools",
        "sys/capabilities-self",
        "sys/control-group",
        "identity/oidc",
    ];
    Some(policy.rules.iter().any(|rule| {
        let head = rule.path.trim_start_matches('/');
        let head = head.split(['*', '+', '{']).next().unwrap_or_default();
        let over_others = ["sys/", "auth/", "identity/"]
            .iter()
            .any(|area| head.starts_with(area) || area.starts_with(head));
        let harmless = own.iter().any(|path| head.starts_with(path)) && head != "auth/token/create";
        !rule.can.has(Capabilities::DENY)
            && (rule.can.has(Capabilities::SUDO)
                || (rule.can.has(change) && over_others && !harmless))
    }))
}

async fn grants(
    objects: &mut Objects,
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
            policies(account(name), &held)
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
            let path = format!("auth/{mount}{folder}/{name}");
            let role = got!(objects.role(&path).await?, notes, "a way to sign in", path);
            policies(entitlement(&path), &role.gives())
        }
        Section::Tokens => {
            let token = got!(objects.token(name).await?, notes, "a token", name);
            match token.entity_id.as_str() {
                "" => policies(account(&map::token_account(name)), &token.policies),
                entity => {
                    let otherwise = held_otherwise(objects, entity).await?;
                    let own = token.policies.iter().filter(|p| !otherwise.contains(*p));
                    own.map(|policy| Fact::Grant(map::grant_by_token(&system, &token, policy)))
                        .collect()
                }
            }
        }
        Section::Policies | Section::Secrets(_) | Section::Leases(_) => Vec::new(),
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

async fn credentials(
    objects: &mut Objects,
    section: &Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, ConnectorError> {
    let system = objects.vault.system.clone();
    Ok(match section {
        Section::Tokens => {
            let token = got!(objects.token(name).await?, notes, "a token", name);
            vec![Fact::Credential(map::token(&system, &token))]
        }
        Section::Users(mount) => {
            let user = format!("auth/{mount}users/{name}");
            vec![Fact::Credential(map::password(&system, &user))]
        }
        Section::AppRoles(mount) => {
            let path = format!("auth/{mount}role/{name}");
            let role = got!(objects.role(&path).await?, notes, "a way to sign in", path);
            let mut made = Vec::new();
            if !role.bind_secret_id {
                made.push(Fact::Credential(map::role_id_alone(&system, &path)));
            }
            let operation = "read secret ID accessors";
            let accessors = match objects
                .api
                .list(&format!("{path}/secret-id"), operation)
                .await?
            {
                Got::Found(accessors) => accessors,
                Got::Absent => Vec::new(),
                Got::Refused => {
                    let reason = "this login may not list the secret IDs of an AppRole";
                    notes.add(NoteKind::Clipped, reason, Some(path.clone()));
                    Vec::new()
                }
            };
            for accessor in accessors {
                match objects
                    .api
                    .secret_id::<SecretId>(&path, &accessor, operation)
                    .await?
                {
                    Got::Found(id) => {
                        made.push(Fact::Credential(map::secret_id(
                            &system, &path, &accessor, &id,
                        )));
                    }
                    // Ended since the list was made; the vault tidies up later.
                    Got::Absent => {}
                    Got::Refused => {
                        let reason = "this login may not describe a secret ID";
                        notes.add(NoteKind::Skipped, reason, Some(path.clone()));
                    }
                }
            }
            made
        }
        _ => Vec::new(),
    })
}

async fn locations(
    objects: &mut Objects,
    section: &Section,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<Fact>, ConnectorError> {
    let Some(mount) = store(objects, section).await? else {
        return Ok(Vec::new());
    };
    let path = mount.metadata(name);
    let kv = match mount.versioned() {
        // Of the first version nothing but the value could be read, and it is not.
        false => None,
        true => match objects
            .api
            .read::<KvMetadata>(&path, "read a secret's metadata")
            .await?
        {
            Got::Found(kv) => Some(kv),
            Got::Absent => {
                let reason = "a secret was removed while being read";
                notes.add(NoteKind::Remark, reason, Some(path));
                return Ok(Vec::new());
            }
            Got::Refused => {
                // That it is there was seen in the list; what is missing is when it changed.
                let reason =
                    "this login may not read a secret's metadata, so its times are not known";
                notes.add(NoteKind::Clipped, reason, Some(path));
                None
            }
        },
    };
    let made = map::location(&objects.vault.system, &mount, name, kv.as_ref());
    Ok(vec![Fact::Location(made)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, says: Option<bool>) {
        assert_eq!(privileged("p", text), says, "{text}");
    }

    #[test]
    fn privileged_policies() {
        check(
            r#"path "secret/*" { capabilities = ["create", "update", "delete"] }"#,
            Some(false),
        );
        check(
            r#"path "secret/*" { capabilities = ["read", "sudo"] }"#,
            Some(true),
        );
        check(
            r#"path "sys/policies/acl/*" { capabilities = ["update"] }"#,
            Some(true),
        );
        check(r#"path "auth/*" { capabilities = ["create"] }"#, Some(true));
        check(r#"path "*" { capabilities = ["update"] }"#, Some(true));
        check(
            r#"path "auth/token/renew-self" { capabilities = ["update"] }"#,
            Some(false),
        );
        check(
            r#"path "auth/token/create" { capabilities = ["update"] }"#,
            Some(true),
        );
        check(r#"path "sys/*" { capabilities = ["deny"] }"#, Some(false));
        check("path {", None);
    }
}
