//! Facts: what a source says exists, one struct per kind, columns as in import-format.md.
//!
//! `None` is "not known". Columns that no field names are kept in `attributes`.
//! A fact never holds a secret value; a credential is described, not stored.

use crate::ids::*;
use crate::kind::Kind;
use crate::when::When;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Unknown columns and vendor attributes, kept as they were.
pub type Attributes = BTreeMap<String, String>;

/// A closed set of words: the enum, its words, and its parser.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every word of the set, in the order of the documents.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it stands in files and JSON.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
            /// The value with exactly this word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What an identity is.
    IdentityKind { Person = "person", Vendor = "vendor", Workload = "workload", Agent = "agent" }
}
words! {
    /// Whether an identity is there.
    IdentityStatus { Active = "active", Inactive = "inactive", Pending = "pending", OnLeave = "on_leave" }
}
words! {
    /// How a person leaves.
    LeaverKind { Voluntary = "voluntary", Involuntary = "involuntary" }
}
words! {
    /// What an account is for.
    AccountKind { Human = "human", Service = "service", Shared = "shared", System = "system" }
}
words! {
    /// What an entitlement is.
    EntitlementKind {
        Group = "group", Role = "role", Policy = "policy", Permission = "permission",
        Team = "team", Scope = "scope", Tool = "tool", Trust = "trust",
    }
}
words! {
    /// Who holds a grant, reads a location or controls an account.
    PrincipalType { Account = "account", Entitlement = "entitlement" }
}
words! {
    /// Whether a grant holds now or has to be activated first.
    Assignment { Active = "active", Eligible = "eligible" }
}
words! {
    /// What a credential is.
    CredentialKind {
        Password = "password", ApiKey = "api_key", AccessKey = "access_key", Token = "token",
        Certificate = "certificate", SshKey = "ssh_key", ClientSecret = "client_secret",
        Secret = "secret",
    }
}
words! {
    /// What a location is.
    LocationKind {
        Vault = "vault", CiVariable = "ci_variable", KubernetesSecret = "kubernetes_secret",
        File = "file", Code = "code", Document = "document",
    }
}
words! {
    /// How one principal controls an account.
    ControlMeans {
        ResetPassword = "reset_password", MintCredential = "mint_credential",
        Impersonate = "impersonate", Assume = "assume", ManageMembers = "manage_members",
    }
}
words! {
    /// What is owned.
    ObjectType {
        Identity = "identity", Account = "account", Credential = "credential",
        Location = "location", Entitlement = "entitlement",
    }
}
words! {
    /// In which role somebody owns something. A custodian knows the credential without a location.
    OwnerRole { Business = "business", Technical = "technical", Sponsor = "sponsor", Custodian = "custodian" }
}
words! {
    /// A lifecycle event, as plans and claims name it.
    LifecycleEvent {
        Joiner = "joiner", Mover = "mover", Leaver = "leaver", VendorExit = "vendor_exit",
        WorkloadRetired = "workload_retired", AgentRetired = "agent_retired",
        OwnerChange = "owner_change", LeaveStart = "leave_start", LeaveEnd = "leave_end",
        Rehire = "rehire", Extension = "extension", Renamed = "renamed",
    }
}
words! {
    /// What the provisioning process says became of a task.
    TaskStatus { Done = "done", Failed = "failed", Skipped = "skipped", Pending = "pending" }
}

/// The words of a column that takes no others.
pub fn words(kind: Kind, column: &str) -> Option<&'static [&'static str]> {
    Some(match (kind, column) {
        (Kind::Identity, "kind") => IdentityKind::WORDS,
        (Kind::Identity, "status") => IdentityStatus::WORDS,
        (Kind::Identity, "leaver_kind") => LeaverKind::WORDS,
        (Kind::Account, "kind") => AccountKind::WORDS,
        (Kind::Entitlement, "kind") => EntitlementKind::WORDS,
        (Kind::Grant, "assignment") => Assignment::WORDS,
        (Kind::Grant | Kind::Reader | Kind::Control, "principal_type") => PrincipalType::WORDS,
        (Kind::Credential, "kind") => CredentialKind::WORDS,
        (Kind::Location, "kind") => LocationKind::WORDS,
        (Kind::Control, "means") => ControlMeans::WORDS,
        (Kind::Owner, "object_type") => ObjectType::WORDS,
        (Kind::Owner, "role") => OwnerRole::WORDS,
        (Kind::Task, "event") => LifecycleEvent::WORDS,
        (Kind::Task, "status") => TaskStatus::WORDS,
        (_, _) => return None,
    })
}

/// A person, a third party, a workload or an AI agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub id: IdentityId,
    pub kind: IdentityKind,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub status: Option<IdentityStatus>,
    pub department: Option<String>,
    pub title: Option<String>,
    pub manager_id: Option<IdentityId>,
    /// A vendor identity.
    pub employer_id: Option<IdentityId>,
    pub location: Option<String>,
    pub start_date: Option<When>,
    /// The last day, inclusive.
    pub end_date: Option<When>,
    pub leaver_kind: Option<LeaverKind>,
    pub purpose: Option<String>,
    pub allowed_tools: Option<String>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A login in one target system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub system: SystemName,
    pub id: AccountId,
    pub name: Option<String>,
    pub kind: Option<AccountKind>,
    pub identity_id: Option<IdentityId>,
    pub email: Option<String>,
    pub enabled: Option<bool>,
    pub local_sign_in: Option<bool>,
    /// Empty in the file means the account's own system; connectors fill it in where an id is given.
    pub signs_in_through_system: Option<SystemName>,
    pub signs_in_through_id: Option<AccountId>,
    pub mfa: Option<bool>,
    pub privileged: Option<bool>,
    pub environment: Option<String>,
    pub created_at: Option<When>,
    pub created_by: Option<String>,
    pub last_used_at: Option<When>,
    pub last_interactive_at: Option<When>,
    pub disabled_at: Option<When>,
    pub expires_at: Option<When>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Account {
    /// An account of which nothing is known but that it is there.
    pub fn of(system: SystemName, id: impl Into<AccountId>) -> Account {
        Account {
            system,
            id: id.into(),
            name: None,
            kind: None,
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
}

/// Something that can be held: a group, role, policy, permission, team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    pub system: SystemName,
    pub id: EntitlementId,
    pub name: Option<String>,
    pub kind: Option<EntitlementKind>,
    pub privileged: Option<bool>,
    pub environment: Option<String>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// Who holds a grant, reads a location or controls an account. The id is an
/// account's or an entitlement's, as `kind` says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Principal {
    pub kind: PrincipalType,
    pub system: SystemName,
    pub id: String,
}

impl Principal {
    pub fn of(system: SystemName, kind: PrincipalType, id: impl Into<String>) -> Principal {
        Principal {
            kind,
            system,
            id: id.into(),
        }
    }
}

/// A principal holds an entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The entitlement's system.
    pub system: SystemName,
    pub entitlement_id: EntitlementId,
    pub principal: Principal,
    pub assignment: Option<Assignment>,
    pub granted_at: Option<When>,
    pub granted_by: Option<String>,
    pub approved_by: Option<String>,
    pub ticket: Option<String>,
    pub reason: Option<String>,
    pub last_used_at: Option<When>,
    pub expires_at: Option<When>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Grant {
    /// A grant of the principal's own system, of which nothing is known but that it is there.
    pub fn of(principal: Principal, entitlement: impl Into<EntitlementId>) -> Grant {
        Grant {
            system: principal.system.clone(),
            entitlement_id: entitlement.into(),
            principal,
            assignment: None,
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
}

/// A password, key, token or certificate: described, never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub system: SystemName,
    pub id: CredentialId,
    pub kind: CredentialKind,
    pub account_id: Option<AccountId>,
    pub name: Option<String>,
    pub enabled: Option<bool>,
    pub environment: Option<String>,
    pub created_at: Option<When>,
    pub created_by: Option<String>,
    pub rotated_at: Option<When>,
    pub revoked_at: Option<When>,
    pub expires_at: Option<When>,
    pub last_used_at: Option<When>,
    pub fingerprint: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Credential {
    /// A credential with nothing known but whose it is.
    pub fn of(
        system: SystemName,
        id: impl Into<CredentialId>,
        kind: CredentialKind,
        account: &str,
    ) -> Credential {
        Credential {
            system,
            id: id.into(),
            kind,
            account_id: Some(account.into()),
            name: None,
            enabled: None,
            environment: None,
            created_at: None,
            created_by: None,
            rotated_at: None,
            revoked_at: None,
            expires_at: None,
            last_used_at: None,
            fingerprint: None,
            attributes: Attributes::new(),
        }
    }
}

/// A place where a credential is stored. Several lines for several secrets at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub system: SystemName,
    pub path: LocationPath,
    /// None means the location's own system.
    pub credential_system: Option<SystemName>,
    pub credential_id: Option<CredentialId>,
    pub kind: Option<LocationKind>,
    pub environment: Option<String>,
    pub fingerprint: Option<Fingerprint>,
    pub last_rotated_at: Option<When>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Location {
    /// A place of which nothing is known but its sort.
    pub fn of(system: SystemName, path: impl Into<LocationPath>, kind: LocationKind) -> Location {
        Location {
            system,
            path: path.into(),
            credential_system: None,
            credential_id: None,
            kind: Some(kind),
            environment: None,
            fingerprint: None,
            last_rotated_at: None,
            attributes: Attributes::new(),
        }
    }
}

/// Who can read the secret at a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    pub system: SystemName,
    pub path: LocationPath,
    pub principal: Principal,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Reader {
    /// A principal that reads a place of its own system.
    pub fn of(principal: Principal, path: impl Into<LocationPath>) -> Reader {
        Reader {
            system: principal.system.clone(),
            path: path.into(),
            principal,
            attributes: Attributes::new(),
        }
    }
}

/// Delegated administration: who can take over an account, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The controlled account's system.
    pub system: SystemName,
    pub account_id: AccountId,
    pub principal: Principal,
    pub means: ControlMeans,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// Who answers for an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub object_type: ObjectType,
    /// None for an identity.
    pub system: Option<SystemName>,
    pub object_id: String,
    pub owner_id: IdentityId,
    pub role: OwnerRole,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A session of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub system: SystemName,
    pub account_id: AccountId,
    pub id: SessionId,
    pub started_at: Option<When>,
    pub last_seen_at: Option<When>,
    pub expires_at: Option<When>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// What the provisioning process claims to have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    pub system: SystemName,
    pub event: LifecycleEvent,
    pub identity_id: Option<IdentityId>,
    pub account_id: Option<AccountId>,
    pub action: Option<String>,
    pub status: Option<TaskStatus>,
    pub retries: Option<u32>,
    pub requested_at: Option<When>,
    pub approved_by: Option<String>,
    pub closed_at: Option<When>,
    pub closed_by: Option<String>,
    /// The column `override`: who or what overrode the task.
    #[serde(rename = "override")]
    pub overridden: Option<String>,
    pub ticket: Option<String>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// One fact of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    Identity(Identity),
    Account(Account),
    Entitlement(Entitlement),
    Grant(Grant),
    Credential(Credential),
    Location(Location),
    Reader(Reader),
    Control(Control),
    Owner(Owner),
    Session(Session),
    Task(Task),
}

impl Fact {
    /// The kind of the fact.
    pub fn kind(&self) -> Kind {
        match self {
            Fact::Identity(_) => Kind::Identity,
            Fact::Account(_) => Kind::Account,
            Fact::Entitlement(_) => Kind::Entitlement,
            Fact::Grant(_) => Kind::Grant,
            Fact::Credential(_) => Kind::Credential,
            Fact::Location(_) => Kind::Location,
            Fact::Reader(_) => Kind::Reader,
            Fact::Control(_) => Kind::Control,
            Fact::Owner(_) => Kind::Owner,
            Fact::Session(_) => Kind::Session,
            Fact::Task(_) => Kind::Task,
        }
    }

    /// The key that tells objects of one kind apart within a source. Its parts are
    /// joined with U+001F, which keys of well-formed sources do not contain. Kinds
    /// that `may_repeat` can have several rows of one key.
    pub fn key(&self) -> String {
        fn join(parts: &[&str]) -> String {
            parts.join("\u{1f}")
        }
        fn principal(p: &Principal) -> [&str; 3] {
            [p.kind.word(), p.system.as_str(), p.id.as_str()]
        }
        match self {
            Fact::Identity(x) => x.id.as_str().to_owned(),
            Fact::Account(x) => join(&[x.system.as_str(), x.id.as_str()]),
            Fact::Entitlement(x) => join(&[x.system.as_str(), x.id.as_str()]),
            Fact::Grant(x) => {
                let [kind, system, id] = principal(&x.principal);
                join(&[
                    x.system.as_str(),
                    x.entitlement_id.as_str(),
                    kind,
                    system,
                    id,
                ])
            }
            Fact::Credential(x) => join(&[x.system.as_str(), x.id.as_str()]),
            Fact::Location(x) => join(&[
                x.system.as_str(),
                x.path.as_str(),
                x.credential_system.as_ref().map_or("", |s| s.as_str()),
                x.credential_id.as_ref().map_or("", |s| s.as_str()),
            ]),
            Fact::Reader(x) => {
                let [kind, system, id] = principal(&x.principal);
                join(&[x.system.as_str(), x.path.as_str(), kind, system, id])
            }
            Fact::Control(x) => {
                let [kind, system, id] = principal(&x.principal);
                join(&[
                    x.system.as_str(),
                    x.account_id.as_str(),
                    kind,
                    system,
                    id,
                    x.means.word(),
                ])
            }
            Fact::Owner(x) => join(&[
                x.object_type.word(),
                x.system.as_ref().map_or("", |s| s.as_str()),
                &x.object_id,
                x.owner_id.as_str(),
                x.role.word(),
            ]),
            Fact::Session(x) => join(&[x.system.as_str(), x.account_id.as_str(), x.id.as_str()]),
            Fact::Task(x) => x.id.as_str().to_owned(),
        }
    }

    /// The system the object belongs to; none for identities and owners of identities.
    pub fn system(&self) -> Option<&SystemName> {
        match self {
            Fact::Identity(_) => None,
            Fact::Account(x) => Some(&x.system),
            Fact::Entitlement(x) => Some(&x.system),
            Fact::Grant(x) => Some(&x.system),
            Fact::Credential(x) => Some(&x.system),
            Fact::Location(x) => Some(&x.system),
            Fact::Reader(x) => Some(&x.system),
            Fact::Control(x) => Some(&x.system),
            Fact::Owner(x) => x.system.as_ref(),
            Fact::Session(x) => Some(&x.system),
            Fact::Task(x) => Some(&x.system),
        }
    }
}
