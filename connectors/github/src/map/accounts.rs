//! Accounts: people, invitations, installed apps, and what stands for deploy keys.

use super::{app_id, invitation_id, key_id, moment, named, put, time};
use crate::estate::Member;
use crate::objects::{DeployKey, Installation, Invitation, Repository, User};
use chrono::DateTime;
use lastkey_contract::facts::{Account, AccountKind};
use lastkey_contract::{SystemName, When};

fn account(system: &SystemName, id: &str, name: &str, kind: Option<AccountKind>) -> Account {
    Account {
        name: named(name),
        kind,
        ..Account::of(system.clone(), id)
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
pub fn far_reaching(what: &str, how: &str) -> bool {
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
