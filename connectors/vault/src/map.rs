//! The vault's objects as facts: pure.
//!
//! Ids: an entity and a group have the vault's own id; a userpass user and an AppRole the path
//! below `auth/`; a policy `policy/NAME`; a token its accessor; a secret its path as people write
//! it, `secret/db/prod`, without `data/`.

use crate::objects::{Alias, Entity, Group, KvMetadata, Lease, Mount, SecretId, Texts, Token};
use chrono::DateTime;
use lastkey_contract::facts::{
    Account, AccountKind, Assignment, Attributes, Control, ControlMeans, Credential,
    CredentialKind, Entitlement, EntitlementKind, Grant, Location, LocationKind, Principal,
    PrincipalType, Reader, Session,
};
use lastkey_contract::{SystemName, When};

/// The id of a policy among entitlements.
pub fn policy_id(name: &str) -> String {
    format!("policy/{name}")
}

/// The id of the account that a token without an entity stands for.
pub fn token_account(accessor: &str) -> String {
    format!("token/{accessor}")
}

/// A time as the vault writes it; its year 1 and an empty text are none.
pub fn when(text: &str) -> Option<When> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (at.timestamp() > 0).then_some(When::At(at))
}

/// A time in seconds since 1970; None where there is none.
pub fn seconds(at: i64) -> Option<When> {
    (at > 0)
        .then(|| DateTime::from_timestamp(at, 0))
        .flatten()
        .map(When::At)
}

/// An account of nobody in particular, enabled or not known.
pub fn account(system: &SystemName, id: &str, name: &str, kind: Option<AccountKind>) -> Account {
    Account {
        name: Some(name.to_owned()).filter(|n| !n.is_empty()),
        kind,
        ..Account::of(system.clone(), id)
    }
}

/// An entity. `logins` are the accounts of this vault through which it signs in; `outside` says
/// whether it also has names at other ways of signing in.
pub fn entity(
    system: &SystemName,
    entity: &Entity,
    logins: &[String],
    outside: Outside,
) -> Account {
    let mut made = account(system, &entity.id, &entity.name, None);
    made.enabled = Some(!entity.disabled);
    made.created_at = when(&entity.creation_time);
    made.email = mail(entity);
    // One way in, and it is an account of this vault: then that account is the door.
    if let ([only], Outside::None) = (logins, outside) {
        made.local_sign_in = Some(false);
        made.signs_in_through_system = Some(system.clone());
        made.signs_in_through_id = Some(only.as_str().into());
    }
    made.kind = match (logins, outside) {
        ([only], Outside::None) if only.contains("/role/") => Some(AccountKind::Service),
        _ => kind_of(&entity.aliases),
    };
    put(&mut made.attributes, "metadata", &entity.metadata);
    for (number, alias) in entity.aliases.iter().enumerate() {
        let key = format!("alias.{}", number + 1);
        made.attributes
            .insert(key, format!("{}{}", alias.mount_path, alias.name));
    }
    made
}

/// Whether an entity has names at ways of signing in that are not accounts of this vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    None,
    Some,
}

fn kind_of(aliases: &[Alias]) -> Option<AccountKind> {
    let of = |kinds: &[&str]| {
        !aliases.is_empty()
            && aliases
                .iter()
                .all(|a| kinds.contains(&a.mount_type.as_str()))
    };
    if of(&[
        "userpass", "ldap", "oidc", "okta", "github", "radius", "kerberos",
    ]) {
        Some(AccountKind::Human)
    } else if of(&[
        "approle",
        "kubernetes",
        "aws",
        "gcp",
        "azure",
        "cert",
        "jwt",
    ]) {
        Some(AccountKind::Service)
    } else {
        None
    }
}

fn mail(entity: &Entity) -> Option<String> {
    let texts = std::iter::once(&entity.metadata).chain(entity.aliases.iter().map(|a| &a.metadata));
    texts
        .filter_map(|t| t.get("email").or_else(|| t.get("mail")))
        .find(|text| text.contains('@'))
        .cloned()
}

fn put(attributes: &mut Attributes, prefix: &str, texts: &Texts) {
    for (key, value) in texts {
        attributes.insert(format!("{prefix}.{key}"), value.clone());
    }
}

/// The account that stands for a token without an entity.
pub fn token_as_account(system: &SystemName, token: &Token) -> Account {
    let id = token_account(&token.accessor);
    let kind = Some(AccountKind::Service);
    let mut made = account(system, &id, &token.display_name, kind);
    made.enabled = Some(true);
    made.privileged = token.policies.iter().any(|p| p == "root").then_some(true);
    made.created_at = seconds(token.creation_time);
    made.expires_at = token.expire_time.as_deref().and_then(when);
    let stands_for = match token.wraps() {
        true => "a wrapped answer",
        false => "a token without an entity",
    };
    made.attributes
        .insert("stands_for".to_owned(), stands_for.to_owned());
    made
}

/// What became of the entity that a token was given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityOf {
    /// It was given to none.
    Nobody,
    There,
    /// The vault keeps the token and refuses it until the entity is switched on again.
    Disabled,
    /// The vault keeps the token and refuses it.
    Gone,
    Unknown,
}

/// A token, described; its account is its entity, or stands for the token itself.
pub fn token(system: &SystemName, token: &Token, entity: EntityOf) -> Credential {
    let account = match token.entity_id.as_str() {
        "" => token_account(&token.accessor),
        entity => entity.to_owned(),
    };
    let mut made = Credential::of(
        system.clone(),
        token.accessor.as_str(),
        CredentialKind::Token,
        &account,
    );
    made.name = Some(token.display_name.clone()).filter(|n| !n.is_empty());
    let (enabled, said) = match entity {
        EntityOf::Nobody | EntityOf::There => (Some(true), None),
        EntityOf::Disabled => (Some(false), Some("disabled")),
        EntityOf::Gone => (Some(false), Some("gone")),
        EntityOf::Unknown => (None, Some("not known")),
    };
    made.enabled = enabled;
    if let Some(said) = said {
        made.attributes.insert("entity".to_owned(), said.to_owned());
    }
    // Whoever has it can fetch what was asked for there, once.
    if token.wraps() {
        made.attributes
            .insert("wraps".to_owned(), token.path.clone());
    }
    made.created_at = seconds(token.creation_time);
    made.expires_at = token.expire_time.as_deref().and_then(when);
    put(&mut made.attributes, "meta", &token.meta);
    for (key, value) in [
        ("policies", token.policies.join(" ")),
        ("path", token.path.clone()),
        ("type", token.kind.clone()),
        ("orphan", token.orphan.to_string()),
        ("renewable", token.renewable.to_string()),
    ] {
        made.attributes.insert(key.to_owned(), value);
    }
    if token.num_uses > 0 {
        made.attributes
            .insert("uses_left".to_owned(), token.num_uses.to_string());
    }
    if let Some(at) = seconds(token.last_renewal_time) {
        made.attributes
            .insert("renewed_at".to_owned(), at.to_text());
    }
    made
}

/// The password of a userpass user: there is always one.
pub fn password(system: &SystemName, user: &str) -> Credential {
    Credential::of(
        system.clone(),
        format!("{user}/password"),
        CredentialKind::Password,
        user,
    )
}

/// A secret ID, by its accessor.
pub fn secret_id(system: &SystemName, role: &str, accessor: &str, id: &SecretId) -> Credential {
    let mut made = Credential::of(
        system.clone(),
        format!("{role}/secret-id/{accessor}"),
        CredentialKind::ClientSecret,
        role,
    );
    made.created_at = when(&id.creation_time);
    made.expires_at = when(&id.expiration_time);
    made.rotated_at = when(&id.last_updated_time).filter(|at| Some(*at) != made.created_at);
    put(&mut made.attributes, "metadata", &id.metadata);
    if id.secret_id_num_uses > 0 {
        made.attributes
            .insert("uses_left".to_owned(), id.secret_id_num_uses.to_string());
    }
    if !id.cidr_list.is_empty() {
        made.attributes
            .insert("cidr_list".to_owned(), id.cidr_list.join(" "));
    }
    made
}

/// An AppRole that asks for no secret ID: its role ID alone opens it.
pub fn role_id_alone(system: &SystemName, role: &str) -> Credential {
    let mut made = Credential::of(
        system.clone(),
        format!("{role}/role-id"),
        CredentialKind::Secret,
        role,
    );
    made.attributes
        .insert("bind_secret_id".to_owned(), "false".to_owned());
    made
}

/// A policy; privileged where it is known to be.
pub fn policy(system: &SystemName, name: &str, privileged: Option<bool>) -> Entitlement {
    Entitlement {
        system: system.clone(),
        id: policy_id(name).into(),
        name: Some(name.to_owned()),
        kind: Some(EntitlementKind::Policy),
        privileged,
        environment: None,
        attributes: Attributes::new(),
    }
}

pub fn group(system: &SystemName, group: &Group) -> Entitlement {
    let mut attributes = Attributes::new();
    put(&mut attributes, "metadata", &group.metadata);
    attributes.insert("type".to_owned(), group.kind.clone());
    Entitlement {
        system: system.clone(),
        id: group.id.as_str().into(),
        name: Some(group.name.clone()).filter(|n| !n.is_empty()),
        kind: Some(EntitlementKind::Group),
        privileged: None,
        environment: None,
        attributes,
    }
}

/// A role of an auth method whose accounts are elsewhere.
pub fn role(
    system: &SystemName,
    path: &str,
    attributes: Attributes,
    privileged: Option<bool>,
) -> Entitlement {
    Entitlement {
        system: system.clone(),
        id: path.into(),
        name: path.rsplit('/').next().map(str::to_owned),
        kind: Some(EntitlementKind::Role),
        privileged,
        environment: None,
        attributes,
    }
}

pub fn holder(system: &SystemName, kind: PrincipalType, id: &str) -> Principal {
    Principal::of(system.clone(), kind, id)
}

/// A principal holds an entitlement.
pub fn grant(principal: Principal, entitlement: &str) -> Grant {
    Grant {
        assignment: Some(Assignment::Active),
        ..Grant::of(principal, entitlement)
    }
}

/// What an entity holds only as long as one of its tokens lives.
pub fn grant_by_token(system: &SystemName, token: &Token, policy: &str) -> Grant {
    let principal = holder(system, PrincipalType::Account, &token.entity_id);
    let mut made = grant(principal, &policy_id(policy));
    made.granted_at = seconds(token.creation_time);
    made.expires_at = token.expire_time.as_deref().and_then(when);
    made.attributes
        .insert("token".to_owned(), token.accessor.clone());
    made
}

/// A secret's place; of the first version, nothing but the name is known without its value.
pub fn location(
    system: &SystemName,
    mount: &Mount,
    below: &str,
    kv: Option<&KvMetadata>,
) -> Location {
    let mut attributes = Attributes::new();
    let mut add = |key: &str, value: String| attributes.insert(key.to_owned(), value);
    add("kv", if mount.versioned() { "2" } else { "1" }.to_owned());
    if let Some(kv) = kv {
        add("version", kv.current_version.to_string());
        if let Some(at) = when(&kv.created_time) {
            add("created_at", at.to_text());
        }
        let latest = kv.versions.get(&kv.current_version.to_string());
        let state = match latest {
            Some(version) if version.destroyed => "destroyed",
            Some(version) if when(&version.deletion_time).is_some() => "deleted",
            Some(_) => "present",
            None => "empty",
        };
        add("state", state.to_owned());
        if state == "deleted" {
            add("note", "who may write here can bring it back".to_owned());
        }
        for (key, value) in &kv.custom_metadata {
            attributes.insert(format!("custom.{key}"), value.clone());
        }
    }
    // `updated_time` also moves when a version is deleted: the value's own time is its version's.
    let rotated = kv.and_then(|kv| {
        let latest = kv.versions.get(&kv.current_version.to_string());
        latest
            .and_then(|version| when(&version.created_time))
            .or_else(|| when(&kv.updated_time))
    });
    Location {
        last_rotated_at: rotated,
        attributes,
        ..Location::of(
            system.clone(),
            format!("{}{below}", mount.path),
            LocationKind::Vault,
        )
    }
}

/// A principal that can read a secret.
pub fn reader(principal: Principal, path: &str, attributes: Attributes) -> Reader {
    Reader {
        attributes,
        ..Reader::of(principal, path)
    }
}

/// A principal that can take over an account.
pub fn control(
    principal: Principal,
    account: &str,
    means: ControlMeans,
    attributes: Attributes,
) -> Control {
    Control {
        system: principal.system.clone(),
        account_id: account.into(),
        principal,
        means,
        attributes,
    }
}

/// A lease of a dynamic secret: a login elsewhere that lives until the lease ends.
pub fn lease(system: &SystemName, id: &str, lease: &Lease) -> Session {
    let (role, _) = id.rsplit_once('/').unwrap_or((id, ""));
    Session {
        system: system.clone(),
        account_id: role.into(),
        id: id.into(),
        started_at: when(&lease.issue_time),
        last_seen_at: lease.last_renewal.as_deref().and_then(when),
        expires_at: lease.expire_time.as_deref().and_then(when),
        attributes: Attributes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mount(version: &str) -> Mount {
        Mount {
            path: "secret/".to_owned(),
            kind: "kv".to_owned(),
            accessor: String::new(),
            options: Texts::from([("version".to_owned(), version.to_owned())]),
        }
    }

    #[test]
    fn years_before_time_are_none() {
        assert_eq!(when("0001-01-01T00:00:00Z"), None);
        assert_eq!(when(""), None);
        assert!(when("2026-01-01T00:00:00.123456789Z").is_some());
    }

    #[test]
    fn a_deleted_secret_says_so_and_keeps_its_rotation() {
        let kv: KvMetadata = serde_json::from_value(json!({
            "created_time": "2026-01-01T00:00:00Z", "updated_time": "2026-03-01T00:00:00Z",
            "current_version": 2, "custom_metadata": {"owner": "ann"},
            "versions": {
                "1": {"created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": false},
                "2": {"created_time": "2026-02-01T00:00:00Z", "deletion_time": "2026-03-01T00:00:00Z", "destroyed": false}
            }
        }))
        .unwrap();
        let made = location(&"v".into(), &mount("2"), "db/prod", Some(&kv));
        assert_eq!(made.path.as_str(), "secret/db/prod");
        assert_eq!(made.attributes["state"], "deleted");
        assert_eq!(made.attributes["custom.owner"], "ann");
        assert_eq!(made.last_rotated_at, when("2026-02-01T00:00:00Z"));
        let plain = location(&"v".into(), &mount("1"), "db/prod", None);
        assert_eq!((plain.last_rotated_at, plain.attributes.len()), (None, 1));
    }

    #[test]
    fn an_entity_with_one_login_of_the_vault_has_no_sign_in_of_its_own() {
        let read: Entity = serde_json::from_value(json!({
            "id": "e", "name": "ann", "metadata": {"email": "ann@example.org"}, "policies": null,
            "aliases": [{"id": "a", "name": "ann", "mount_path": "auth/userpass/", "mount_type": "userpass", "metadata": null}]
        }))
        .unwrap();
        let login = ["auth/userpass/users/ann".to_owned()];
        let made = entity(&"v".into(), &read, &login, Outside::None);
        assert_eq!(made.local_sign_in, Some(false));
        assert_eq!(made.kind, Some(AccountKind::Human));
        assert_eq!(made.email.as_deref(), Some("ann@example.org"));
        let made = entity(&"v".into(), &read, &login, Outside::Some);
        assert_eq!((made.local_sign_in, made.signs_in_through_id), (None, None));
    }
}
