//! GitHub's objects as facts: pure.
//!
//! Ids are GitHub's own numbers, which stay when something is renamed: a person `583231`, an
//! invitation `invitation/7`, an installed app `installation/9`, a deploy key `deploy-key/3`, a
//! team `team/4`, a right on a repository `repository/5/write`. Names are what people see.

mod accounts;
mod credentials;
mod rights;
mod secrets;

pub use accounts::{collaborator, installation, invited, key_as_account, member};
pub use credentials::{authorization, deploy_key, member_key, personal_token};
pub use rights::{grant, repository_right, role, scope, team};
pub use secrets::{Shelf, location, reader};

use crate::estate::Role;
use crate::objects::Moment;
use chrono::DateTime;
use lastkey_contract::facts::{Attributes, Principal, PrincipalType};
use lastkey_contract::{SystemName, When};

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

pub fn holder(system: &SystemName, kind: PrincipalType, id: &str) -> Principal {
    Principal::of(system.clone(), kind, id)
}
