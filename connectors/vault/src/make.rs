//! From one name to its facts: what is fetched for it, and what is noted where it cannot be.

use crate::api::Got;
use crate::certificates::{self, Issued};
use crate::engines::{Dynamic, TransitKey};
use crate::grants;
use crate::map::{self, EntityOf, holder, policy_id};
use crate::objects::{Objects, SecretId, Token};
use crate::people::{self, Everyone};
use crate::place::Section;
use crate::places;
use crate::policy::{Capabilities, Limits, Policy};
use crate::reach::Who;
use crate::ways::{Way, told_of_way};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{AccountKind, Attributes, ControlMeans, Principal, PrincipalType};
use lastkey_contract::{ConnectorError, Fact, Kind, NoteKind, Notes};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the whole vault, beside the objects themselves.
#[derive(Default)]
pub struct Maker {
    everyone: Option<Everyone>,
}

/// What was fetched, or no facts and a note on why not.
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

pub(crate) use got;

impl Maker {
    /// Reads everyone, once in a session.
    pub async fn meet_everyone(
        &mut self,
        objects: &mut Objects,
        now: DateTime<Utc>,
    ) -> Result<(), ConnectorError> {
        if self.everyone.is_none() {
            self.everyone = Some(people::everyone(objects, now).await?);
        }
        Ok(())
    }

    /// Reads everyone, once in a session; says on the first page what could not be seen.
    pub async fn know_everyone(
        &mut self,
        objects: &mut Objects,
        now: DateTime<Utc>,
        kind: Kind,
        first: bool,
        notes: &mut Notes,
    ) -> Result<(), ConnectorError> {
        self.meet_everyone(objects, now).await?;
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
            Kind::Grant => {
                let everyone = self.everyone.as_ref();
                grants::grants(objects, everyone, section, name, notes).await
            }
            Kind::Credential => credentials(objects, section, name, notes).await,
            Kind::Location => places::locations(objects, section, name, notes).await,
            Kind::Reader => match &self.everyone {
                Some(everyone) => places::readers(objects, everyone, section, name, notes).await,
                None => Ok(Vec::new()),
            },
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
pub fn principals(objects: &Objects, who: Who) -> impl Iterator<Item = (Principal, Attributes)> {
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
            let Some(way) = way(objects, mount, folder).await? else {
                return Ok(Vec::new());
            };
            let path = way.path(mount, name);
            let operation = "read a role of an auth method";
            let told = objects.api.read(&path, operation).await?;
            let told = described(told, notes, &path);
            let privileged = privileged_way(way, &told);
            map::role(&system, &path, told_of_way(way, &told), privileged)
        }
        Section::Dynamic(mount, folder) => {
            let Some(roles) = dynamic(objects, mount, folder).await? else {
                return Ok(Vec::new());
            };
            let path = roles.path(mount, name);
            let told = objects.api.read(&path, "read a role of an engine").await?;
            let made = roles.role(&system, &path, &described(told, notes, &path));
            if made.attributes.contains_key("no_store") {
                let reason = "the certificates of a role are not kept, so that they are in no list";
                notes.add(NoteKind::Remark, reason, Some(path));
            }
            made
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Fact::Entitlement(made)])
}

/// What became of the entity that a token was given to.
async fn entity_of(
    objects: &mut Objects,
    token: &Token,
    notes: &mut Notes,
) -> Result<EntityOf, ConnectorError> {
    if token.entity_id.is_empty() {
        return Ok(EntityOf::Nobody);
    }
    Ok(match objects.entity(&token.entity_id).await? {
        Got::Found(entity) if entity.disabled => EntityOf::Disabled,
        Got::Found(_) => EntityOf::There,
        Got::Absent => {
            let reason = "a token outlives its entity: the vault keeps it and refuses it";
            notes.add(NoteKind::Remark, reason, Some(token.accessor.clone()));
            EntityOf::Gone
        }
        Got::Refused => {
            let reason = "this login may not read the entity of a token, so whether the token outlives it is not known";
            notes.add(NoteKind::Clipped, reason, Some(token.accessor.clone()));
            EntityOf::Unknown
        }
    })
}

/// The way of signing in that a section goes through.
pub async fn way(
    objects: &mut Objects,
    mount: &str,
    folder: &str,
) -> Result<Option<Way>, ConnectorError> {
    let mounts = objects.mounts().await?;
    let mount = mounts.auth.iter().find(|m| m.path == mount);
    Ok(mount.and_then(|mount| Way::of(mount, folder)))
}

/// The sort of roles that a section of an engine holds.
pub async fn dynamic(
    objects: &mut Objects,
    mount: &str,
    folder: &str,
) -> Result<Option<Dynamic>, ConnectorError> {
    let mounts = objects.mounts().await?;
    let mount = mounts.engines.iter().find(|m| m.path == mount);
    Ok(mount.and_then(|mount| Dynamic::of(mount, folder)))
}

/// What describes a thing that a list names. Where it cannot be had, the thing is there all the
/// same, and a note says what is missing.
pub fn described<T: Default>(got: Got<T>, notes: &mut Notes, path: &str) -> T {
    match got {
        Got::Found(found) => found,
        Got::Absent => {
            let reason = "what a list names was removed while being read";
            notes.add(NoteKind::Remark, reason, Some(path.to_owned()));
            T::default()
        }
        Got::Refused => {
            let reason =
                "this login may not read what a list names, so nothing but its name is known";
            notes.add(NoteKind::Clipped, reason, Some(path.to_owned()));
            T::default()
        }
    }
}

/// Whether a role of an auth method makes tokens that may do everything; None where only its
/// policies say.
fn privileged_way(way: Way, told: &BTreeMap<String, Value>) -> Option<bool> {
    let root = |list: &str| {
        told.get(list)
            .and_then(Value::as_array)
            .is_some_and(|names| names.iter().any(|name| name == Policy::ROOT))
    };
    (way.makes_tokens() && root("allowed_policies")).then_some(true)
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
            let entity = entity_of(objects, &token, notes).await?;
            vec![Fact::Credential(map::token(&system, &token, entity))]
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
        Section::Keys(mount) => {
            let path = format!("{mount}keys/{name}");
            let key: TransitKey = got!(
                objects.api.read(&path, "read a key").await?,
                notes,
                "a key",
                path
            );
            vec![Fact::Credential(key.credential(&system, &path))]
        }
        Section::Certificates(mount) => {
            let path = format!("{mount}cert/{name}");
            let issued: Issued = got!(
                objects.api.read(&path, "read a certificate").await?,
                notes,
                "a certificate",
                path
            );
            match certificates::certificate(&system, mount, name, &issued) {
                Some(made) => vec![Fact::Credential(made)],
                None => {
                    let reason = "a certificate could not be understood";
                    notes.add(NoteKind::Failed, reason, Some(path));
                    Vec::new()
                }
            }
        }
        _ => Vec::new(),
    })
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
