//! GitHub's objects as facts: pure.
//!
//! Ids are GitHub's own numbers, which stay when something is renamed: a person `583231`, an
//! invitation `invitation/7`, an installed app `installation/9`, a deploy key `deploy-key/3`, a
//! team `team/4`, a right on a repository `repository/5/write`. Names are what people see.

use crate::estate::{Member, Role};
use crate::objects::{
    Authorization, CustomRole, DeployKey, Installation, Invitation, Moment, PersonalToken,
    PublicKey, Repository, SecretName, Team, User,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chrono::DateTime;
use lastkey_contract::facts::{
    Account, AccountKind, Assignment, Attributes, Credential, CredentialKind, Entitlement,
    EntitlementKind, Grant, Location, LocationKind, Principal, PrincipalType, Reader,
};
use lastkey_contract::{SystemName, When};
use sha2::{Digest, Sha256};

/// The organisation's owners, and whoever is in it.
pub const OWNER: &str = "role/owner";
pub const MEMBER: &str = "role/member";
/// Whoever may write to any repository; to any that is not public.
pub const SECRETS_OF_ALL: &str = "secrets/all-repositories";
pub const SECRETS_OF_PRIVATE: &str = "secrets/private-repositories";

/// The rights on a repository that GitHub has ready, the least first.
pub const RIGHTS: [&str; 5] = ["read", "triage", "write", "maintain", "admin"];
/// Those of them that can change a workflow, and so read what it may use.
pub const WRITERS: [&str; 3] = ["write", "maintain", "admin"];

/// A right as GitHub calls it now; older answers say pull and push.
pub fn right(word: &str) -> &str {
    match word {
        "pull" => "read",
        "push" => "write",
        word => word,
    }
}

pub fn right_id(repository: u64, right: &str) -> String {
    format!("repository/{repository}/{right}")
}

pub fn team_id(team: u64) -> String {
    format!("team/{team}")
}

pub fn app_id(installation: u64) -> String {
    format!("installation/{installation}")
}

pub fn key_id(key: u64) -> String {
    format!("deploy-key/{key}")
}

pub fn invitation_id(invitation: u64) -> String {
    format!("invitation/{invitation}")
}

pub fn scope_id(scope: &str) -> String {
    format!("app-permission/{scope}")
}

/// The id of a role of the organisation.
pub fn role_id(role: &Role) -> String {
    match role {
        Role::Owner => OWNER.to_owned(),
        Role::Member => MEMBER.to_owned(),
        Role::SecretsOfAll => SECRETS_OF_ALL.to_owned(),
        Role::SecretsOfPrivate => SECRETS_OF_PRIVATE.to_owned(),
        Role::Own(role) => format!("organization-role/{}", role.id),
    }
}

/// A time as GitHub writes it.
pub fn when(text: &str) -> Option<When> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (at.timestamp() > 0).then_some(When::At(at))
}

fn time(text: &Option<String>) -> Option<When> {
    text.as_deref().and_then(when)
}

fn moment(at: &Option<Moment>) -> Option<When> {
    match at {
        Some(Moment::Text(text)) => when(text),
        Some(Moment::Seconds(seconds)) => DateTime::from_timestamp(*seconds, 0).map(When::At),
        None => None,
    }
}

fn named(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn put(attributes: &mut Attributes, key: &str, value: Option<impl Into<String>>) {
    let value = value
        .map(Into::into)
        .filter(|value: &String| !value.is_empty());
    if let Some(value) = value {
        attributes.insert(key.to_owned(), value);
    }
}

fn account(system: &SystemName, id: &str, name: &str, kind: Option<AccountKind>) -> Account {
    Account {
        system: system.clone(),
        id: id.into(),
        name: named(name),
        kind,
        identity_id: None,
        email: None,
        enabled: None,
        local_sign_in: None,
        signs_in_through_system: None,
        signs_in_through_id: None,
        mfa: None,
        privileged: None,
        environment: None,
        created_at: None,
        created_by: None,
        last_used_at: None,
        last_interactive_at: None,
        disabled_at: None,
        expires_at: None,
        attributes: Attributes::new(),
    }
}

fn kind_of(user: &User) -> Option<AccountKind> {
    match user.kind.as_str() {
        "User" => Some(AccountKind::Human),
        "Bot" => Some(AccountKind::Service),
        _ => None,
    }
}

/// A member. That a person's account at GitHub may do less than being a member says is not known.
pub fn member(system: &SystemName, member: &Member) -> Account {
    let user = &member.user;
    let mut made = account(system, &user.id.to_string(), &user.login, kind_of(user));
    made.enabled = Some(true);
    made.mfa = member.mfa;
    made.privileged = member.owner.then_some(true);
    made.last_used_at = member
        .last_used
        .and_then(DateTime::from_timestamp_millis)
        .map(When::At);
    let role = if member.owner { "owner" } else { "member" };
    put(&mut made.attributes, "membership", Some(role));
    put(
        &mut made.attributes,
        "site_admin",
        user.site_admin.then_some("true"),
    );
    made
}

/// Somebody who is no member, and has rights on some repository.
pub fn collaborator(system: &SystemName, user: &User) -> Account {
    let mut made = account(system, &user.id.to_string(), &user.login, kind_of(user));
    made.enabled = Some(true);
    put(
        &mut made.attributes,
        "membership",
        Some("outside collaborator"),
    );
    made
}

/// Whoever an invitation waits for: it can be taken up until it ends or is taken back.
pub fn invited(system: &SystemName, invitation: &Invitation) -> Account {
    let name = invitation.login.as_ref().or(invitation.email.as_ref());
    let id = invitation_id(invitation.id);
    let name = name.map_or("", String::as_str);
    let mut made = account(system, &id, name, Some(AccountKind::Human));
    made.email.clone_from(&invitation.email);
    made.created_at = time(&invitation.created_at);
    made.created_by = invitation
        .inviter
        .as_ref()
        .and_then(|who| who.login.clone());
    put(&mut made.attributes, "membership", Some("invited"));
    put(
        &mut made.attributes,
        "invited_as",
        Some(invitation.role.as_str()),
    );
    put(
        &mut made.attributes,
        "failed_at",
        invitation.failed_at.clone(),
    );
    put(
        &mut made.attributes,
        "invitation_source",
        invitation.invitation_source.clone(),
    );
    made
}

/// Whether a permission lets an app become more, or read what only owners should.
fn far_reaching(what: &str, how: &str) -> bool {
    let over_others = [
        "administration",
        "members",
        "organization_administration",
        "organization_custom_roles",
        "organization_custom_org_roles",
        "organization_secrets",
        "organization_self_hosted_runners",
        "secrets",
        "environments",
        "workflows",
    ];
    how == "admin" || (how == "write" && over_others.contains(&what))
}

/// An app with rights in the organisation.
pub fn installation(system: &SystemName, app: &Installation) -> Account {
    let service = Some(AccountKind::Service);
    let mut made = account(system, &app_id(app.id), &app.app_slug, service);
    made.enabled = Some(app.suspended_at.is_none());
    made.disabled_at = time(&app.suspended_at);
    made.created_at = moment(&app.created_at);
    let far = app
        .permissions
        .iter()
        .any(|(what, how)| far_reaching(what, how));
    made.privileged = Some(far);
    put(
        &mut made.attributes,
        "stands_for",
        Some("an installed GitHub App"),
    );
    put(
        &mut made.attributes,
        "app_id",
        app.app_id.map(|id| id.to_string()),
    );
    put(
        &mut made.attributes,
        "repositories",
        app.repository_selection.clone(),
    );
    put(
        &mut made.attributes,
        "changed_at",
        moment(&app.updated_at).map(When::to_text),
    );
    let by = app.suspended_by.as_ref().and_then(|who| who.login.clone());
    put(&mut made.attributes, "suspended_by", by);
    made
}

/// The account that a deploy key stands for: it opens one repository and nobody signs in to it.
pub fn key_as_account(system: &SystemName, repository: &Repository, key: &DeployKey) -> Account {
    let service = Some(AccountKind::Service);
    let mut made = account(system, &key_id(key.id), &key.title, service);
    made.enabled = Some(key.enabled != Some(false));
    made.created_at = time(&key.created_at);
    made.created_by.clone_from(&key.added_by);
    made.last_used_at = None;
    put(&mut made.attributes, "stands_for", Some("a deploy key"));
    put(
        &mut made.attributes,
        "repository",
        Some(repository.name.as_str()),
    );
    made
}

/// A deploy key.
pub fn deploy_key(system: &SystemName, repository: &Repository, key: &DeployKey) -> Credential {
    let id = key_id(key.id);
    let mut made = Credential::of(system.clone(), id.as_str(), CredentialKind::SshKey, &id);
    made.name = named(&key.title);
    made.enabled = Some(key.enabled != Some(false));
    made.created_at = time(&key.created_at);
    made.created_by.clone_from(&key.added_by);
    made.last_used_at = time(&key.last_used);
    put(
        &mut made.attributes,
        "repository",
        Some(repository.name.as_str()),
    );
    put(&mut made.attributes, "key_sha256", public_key(&key.key));
    put(
        &mut made.attributes,
        "read_only",
        key.read_only.map(|yes| yes.to_string()),
    );
    put(
        &mut made.attributes,
        "verified",
        key.verified.map(|yes| yes.to_string()),
    );
    made
}

/// A public SSH key of a member, good wherever their account is.
pub fn member_key(system: &SystemName, user: &User, key: &PublicKey) -> Credential {
    let mut made = Credential::of(
        system.clone(),
        format!("ssh-key/{}", key.id),
        CredentialKind::SshKey,
        &user.id.to_string(),
    );
    made.name = Some(format!("SSH key of {}", user.login));
    made.created_at = time(&key.created_at);
    made.last_used_at = time(&key.last_used);
    put(&mut made.attributes, "key_sha256", public_key(&key.key));
    made
}

/// The fingerprint of a public key as `ssh-keygen -l` shows it.
fn public_key(text: &str) -> Option<String> {
    let blob = STANDARD.decode(text.split_whitespace().nth(1)?).ok()?;
    Some(format!(
        "SHA256:{}",
        STANDARD_NO_PAD.encode(Sha256::digest(blob))
    ))
}

/// A fine-grained token with access to the organisation.
pub fn personal_token(system: &SystemName, token: &PersonalToken) -> Credential {
    let mut made = Credential::of(
        system.clone(),
        format!("fine-grained-token/{}", token.id),
        CredentialKind::Token,
        &token.owner.id.to_string(),
    );
    made.name = token.token_name.clone().filter(|name| !name.is_empty());
    made.enabled = Some(!token.token_expired);
    made.expires_at = time(&token.token_expires_at);
    made.last_used_at = time(&token.token_last_used_at);
    let words = |permissions: &std::collections::BTreeMap<String, String>| {
        let words: Vec<String> = permissions
            .iter()
            .map(|(what, how)| format!("{what}:{how}"))
            .collect();
        words.join(" ")
    };
    for (of, permissions) in &token.permissions {
        put(
            &mut made.attributes,
            &format!("permissions.{of}"),
            Some(words(permissions)),
        );
    }
    put(
        &mut made.attributes,
        "repositories",
        token.repository_selection.clone(),
    );
    put(
        &mut made.attributes,
        "access_granted_at",
        time(&token.access_granted_at).map(When::to_text),
    );
    put(
        &mut made.attributes,
        "token_id",
        token.token_id.map(|id| id.to_string()),
    );
    made
}

/// A classic token or SSH key that was let through the single sign-on. `account` is whose it is,
/// where the organisation knows the login.
pub fn authorization(
    system: &SystemName,
    authorized: &Authorization,
    account: Option<&str>,
) -> Credential {
    let kind = match authorized.credential_type.to_lowercase().as_str() {
        "ssh key" => CredentialKind::SshKey,
        _ => CredentialKind::Token,
    };
    let mut made = Credential::of(
        system.clone(),
        format!("authorization/{}", authorized.credential_id),
        kind,
        account.unwrap_or_default(),
    );
    made.account_id = account.map(Into::into);
    let said = [
        &authorized.authorized_credential_note,
        &authorized.authorized_credential_title,
    ];
    made.name = said
        .into_iter()
        .flatten()
        .find(|text| !text.is_empty())
        .cloned();
    made.expires_at = time(&authorized.authorized_credential_expires_at);
    made.last_used_at = time(&authorized.credential_accessed_at);
    put(
        &mut made.attributes,
        "login",
        Some(authorized.login.as_str()),
    );
    put(
        &mut made.attributes,
        "type",
        Some(authorized.credential_type.as_str()),
    );
    put(
        &mut made.attributes,
        "scopes",
        Some(authorized.scopes.join(" ")),
    );
    put(
        &mut made.attributes,
        "key_fingerprint",
        authorized.fingerprint.clone(),
    );
    put(
        &mut made.attributes,
        "authorized_at",
        time(&authorized.credential_authorized_at).map(When::to_text),
    );
    let id = authorized.authorized_credential_id.map(|id| id.to_string());
    put(&mut made.attributes, "token_id", id);
    made
}

fn entitlement(system: &SystemName, id: &str, name: &str, kind: EntitlementKind) -> Entitlement {
    Entitlement {
        system: system.clone(),
        id: id.into(),
        name: named(name),
        kind: Some(kind),
        privileged: None,
        environment: None,
        attributes: Attributes::new(),
    }
}

/// A role of the organisation.
pub fn role(system: &SystemName, role: &Role) -> Entitlement {
    let id = role_id(role);
    let fixed = |name: &str, kind, privileged| Entitlement {
        privileged: Some(privileged),
        ..entitlement(system, &id, name, kind)
    };
    match role {
        Role::Owner => fixed("Organisation owner", EntitlementKind::Role, true),
        Role::Member => fixed("Organisation member", EntitlementKind::Role, false),
        Role::SecretsOfAll => fixed(
            "Writes to some repository",
            EntitlementKind::Permission,
            false,
        ),
        Role::SecretsOfPrivate => fixed(
            "Writes to some repository that is not public",
            EntitlementKind::Permission,
            false,
        ),
        Role::Own(own) => {
            let harmless = |word: &String| word.starts_with("read_") || word.starts_with("view_");
            let admin = own.base_role.as_deref() == Some("admin");
            let far = admin || own.permissions.iter().any(|word| !harmless(word));
            let mut made = fixed(&own.name, EntitlementKind::Role, far);
            put(&mut made.attributes, "description", own.description.clone());
            put(&mut made.attributes, "base_role", own.base_role.clone());
            put(&mut made.attributes, "source", own.source.clone());
            put(
                &mut made.attributes,
                "permissions",
                Some(own.permissions.join(" ")),
            );
            made
        }
    }
}

pub fn team(system: &SystemName, team: &Team) -> Entitlement {
    let name = match team.name.as_str() {
        "" => &team.slug,
        name => name,
    };
    let mut made = entitlement(system, &team_id(team.id), name, EntitlementKind::Team);
    put(&mut made.attributes, "slug", Some(team.slug.as_str()));
    put(
        &mut made.attributes,
        "description",
        team.description.clone(),
    );
    put(&mut made.attributes, "privacy", team.privacy.clone());
    made
}

/// A right on a repository; `custom` where the organisation made it.
pub fn repository_right(
    system: &SystemName,
    repository: &Repository,
    right: &str,
    custom: Option<&CustomRole>,
) -> Entitlement {
    let name = format!("{} on {}", right, repository.name);
    let id = right_id(repository.id, right);
    let mut made = entitlement(system, &id, &name, EntitlementKind::Permission);
    made.privileged = Some(right == "admin");
    put(
        &mut made.attributes,
        "repository",
        Some(repository.name.as_str()),
    );
    put(
        &mut made.attributes,
        "visibility",
        Some(repository.visibility()),
    );
    put(
        &mut made.attributes,
        "archived",
        repository.archived.then_some("true"),
    );
    put(
        &mut made.attributes,
        "disabled",
        repository.disabled.then_some("true"),
    );
    put(
        &mut made.attributes,
        "description",
        repository.description.clone(),
    );
    if let Some(custom) = custom {
        put(
            &mut made.attributes,
            "base_role",
            Some(custom.base_role.as_str()),
        );
        put(
            &mut made.attributes,
            "permissions",
            Some(custom.permissions.join(" ")),
        );
    }
    made
}

/// Something that apps may: `contents:write`.
pub fn scope(system: &SystemName, scope: &str) -> Entitlement {
    let (what, how) = scope.split_once(':').unwrap_or((scope, ""));
    Entitlement {
        privileged: Some(far_reaching(what, how)),
        ..entitlement(system, &scope_id(scope), scope, EntitlementKind::Scope)
    }
}

pub fn holder(system: &SystemName, kind: PrincipalType, id: &str) -> Principal {
    Principal {
        kind,
        system: system.clone(),
        id: id.to_owned(),
    }
}

pub fn grant(principal: Principal, entitlement: &str) -> Grant {
    Grant {
        system: principal.system.clone(),
        entitlement_id: entitlement.into(),
        principal,
        assignment: Some(Assignment::Active),
        granted_at: None,
        granted_by: None,
        approved_by: None,
        ticket: None,
        reason: None,
        last_used_at: None,
        expires_at: None,
        attributes: Attributes::new(),
    }
}

/// Where a secret's name stands.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'a> {
    /// `actions` or `dependabot`.
    pub store: &'a str,
    pub organization: &'a str,
    pub repository: Option<&'a str>,
    pub environment: Option<&'a str>,
}

impl Shelf<'_> {
    /// `example/shop/actions/NAME`, `example/shop/environments/production/NAME`,
    /// `example/actions/NAME`.
    pub fn path(&self, name: &str) -> String {
        let mut path = self.organization.to_owned();
        if let Some(repository) = self.repository {
            path = format!("{path}/{repository}");
        }
        match self.environment {
            Some(environment) => {
                let environment = environment.replace('%', "%25").replace('/', "%2F");
                format!("{path}/environments/{environment}/{name}")
            }
            None => format!("{path}/{}/{name}", self.store),
        }
    }
}

/// A secret's name and times; its value is asked for nowhere, and GitHub gives it to nobody.
pub fn location(system: &SystemName, shelf: Shelf<'_>, secret: &SecretName) -> Location {
    let mut attributes = Attributes::new();
    put(&mut attributes, "name", Some(secret.name.as_str()));
    put(&mut attributes, "store", Some(shelf.store));
    put(&mut attributes, "visibility", secret.visibility.clone());
    put(
        &mut attributes,
        "created_at",
        time(&secret.created_at).map(When::to_text),
    );
    Location {
        system: system.clone(),
        path: shelf.path(&secret.name).into(),
        credential_system: None,
        credential_id: None,
        kind: Some(LocationKind::CiVariable),
        environment: shelf.environment.map(str::to_owned),
        fingerprint: None,
        last_rotated_at: time(&secret.updated_at),
        attributes,
    }
}

pub fn reader(principal: Principal, path: &str, attributes: Attributes) -> Reader {
    Reader {
        system: principal.system.clone(),
        path: path.into(),
        principal,
        attributes,
    }
}
