//! GitHub's objects as it answers them. Fields that are not named here are passed over; one that
//! is null or absent is not known.

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// One thing of a list, with what tells it apart there.
pub trait Item {
    fn key(&self) -> String;
}

macro_rules! keyed_by_id {
    ($($name:ident),+ $(,)?) => {$(
        impl Item for $name {
            fn key(&self) -> String {
                self.id.to_string()
            }
        }
    )+};
}

keyed_by_id!(
    User,
    Invitation,
    Installation,
    Team,
    Repository,
    DeployKey,
    PersonalToken,
    OrganizationRole,
    CustomRole,
    PublicKey,
);

/// A person or a bot as lists name them.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub id: u64,
    pub login: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub site_admin: bool,
    /// In lists of collaborators: what they may on the repository.
    pub role_name: Option<String>,
    /// The same by its parts, as older servers tell it.
    pub permissions: Option<BTreeMap<String, bool>>,
    /// In lists of an organisation role's holders: `direct`, `indirect` or `mixed`.
    pub assignment: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Invitation {
    pub id: u64,
    pub login: Option<String>,
    pub email: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub role: String,
    pub created_at: Option<String>,
    pub failed_at: Option<String>,
    pub inviter: Option<Named>,
    #[serde(default, deserialize_with = "or_default")]
    pub team_count: u64,
    pub invitation_source: Option<String>,
}

/// Somebody of whom nothing but the name matters.
#[derive(Clone, Debug, Deserialize)]
pub struct Named {
    pub login: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Installation {
    pub id: u64,
    pub app_id: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    pub app_slug: String,
    pub repository_selection: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub permissions: BTreeMap<String, String>,
    pub created_at: Option<Moment>,
    pub updated_at: Option<Moment>,
    pub suspended_at: Option<String>,
    pub suspended_by: Option<Named>,
}

/// A time as text, or as seconds since 1970.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    Text(String),
    Seconds(i64),
}

#[derive(Clone, Debug, Deserialize)]
pub struct Team {
    pub id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    pub slug: String,
    pub description: Option<String>,
    pub privacy: Option<String>,
    pub parent: Option<Parent>,
    /// In lists of an organisation role's holders: `direct`, `indirect` or `mixed`.
    pub assignment: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Parent {
    pub id: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Repository {
    pub id: u64,
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub full_name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub private: bool,
    /// `public`, `private` or `internal`.
    pub visibility: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub archived: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub disabled: bool,
    pub description: Option<String>,
    /// In lists of a team's repositories: what the team may.
    pub role_name: Option<String>,
    /// What the reading token may; in lists of a team's repositories, what the team may.
    pub permissions: Option<BTreeMap<String, bool>>,
}

impl Repository {
    pub fn visibility(&self) -> &str {
        match (&self.visibility, self.private) {
            (Some(told), _) => told,
            (None, true) => "private",
            (None, false) => "public",
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct DeployKey {
    pub id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub title: String,
    pub read_only: Option<bool>,
    pub verified: Option<bool>,
    pub enabled: Option<bool>,
    pub created_at: Option<String>,
    pub last_used: Option<String>,
    pub added_by: Option<String>,
}

/// A fine-grained token with access to the organisation.
#[derive(Clone, Debug, Deserialize)]
pub struct PersonalToken {
    pub id: u64,
    pub owner: User,
    pub repository_selection: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub permissions: BTreeMap<String, BTreeMap<String, String>>,
    pub access_granted_at: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub token_expired: bool,
    pub token_expires_at: Option<String>,
    pub token_last_used_at: Option<String>,
    pub token_id: Option<u64>,
    pub token_name: Option<String>,
}

/// A classic token or an SSH key that somebody let through the single sign-on. The last eight
/// letters of a token, which GitHub tells as well, are not taken in.
#[derive(Clone, Debug, Deserialize)]
pub struct Authorization {
    pub login: String,
    pub credential_id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub credential_type: String,
    pub credential_authorized_at: Option<String>,
    pub credential_accessed_at: Option<String>,
    pub authorized_credential_id: Option<u64>,
    pub authorized_credential_title: Option<String>,
    pub authorized_credential_note: Option<String>,
    pub authorized_credential_expires_at: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub scopes: Vec<String>,
    /// Of an SSH key: of the public key.
    pub fingerprint: Option<String>,
}

impl Item for Authorization {
    fn key(&self) -> String {
        format!("{}/{}", self.login, self.credential_id)
    }
}

/// A role of the organisation: its own, or one that GitHub has ready.
#[derive(Clone, Debug, Deserialize)]
pub struct OrganizationRole {
    pub id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    pub description: Option<String>,
    pub base_role: Option<String>,
    pub source: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub permissions: Vec<String>,
}

/// A role on repositories that the organisation made.
#[derive(Clone, Debug, Deserialize)]
pub struct CustomRole {
    pub id: u64,
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub base_role: String,
    #[serde(default, deserialize_with = "or_default")]
    pub permissions: Vec<String>,
}

/// The name of a secret, and when it was set.
#[derive(Clone, Debug, Deserialize)]
pub struct SecretName {
    pub name: String,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    /// Of an organisation's: `all`, `private` or `selected`.
    pub visibility: Option<String>,
}

impl Item for SecretName {
    fn key(&self) -> String {
        self.name.clone()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Environment {
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub protection_rules: Vec<Protection>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Protection {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
}

impl Item for Environment {
    fn key(&self) -> String {
        self.name.clone()
    }
}

/// A public key of a member.
#[derive(Clone, Debug, Deserialize)]
pub struct PublicKey {
    pub id: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub key: String,
    pub created_at: Option<String>,
    pub last_used: Option<String>,
}

/// One entry of the audit log.
#[derive(Clone, Debug, Deserialize)]
pub struct Logged {
    /// Milliseconds since 1970.
    #[serde(rename = "@timestamp")]
    pub at: Option<i64>,
    pub actor: Option<String>,
    #[serde(rename = "_document_id")]
    pub id: Option<String>,
}

impl Item for Logged {
    fn key(&self) -> String {
        self.id.clone().unwrap_or_default()
    }
}

/// The organisation itself, as far as this token may see it.
#[derive(Clone, Debug, Deserialize)]
pub struct OwnPage {
    pub login: String,
    pub default_repository_permission: Option<String>,
    pub two_factor_requirement_enabled: Option<bool>,
    pub total_private_repos: Option<u64>,
    pub plan: Option<Plan>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Plan {
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// What a user is in the organisation.
#[derive(Clone, Debug, Deserialize)]
pub struct Membership {
    pub state: String,
    pub role: String,
}

/// What an installation token is let to.
#[derive(Clone, Debug, Deserialize)]
pub struct Selection {
    pub repository_selection: String,
}

/// A value, or its type's own where GitHub says null.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}
