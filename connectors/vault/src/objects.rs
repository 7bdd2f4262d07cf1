//! The vault's objects as it answers them, each fetched once in a session.

use crate::api::{Api, Got, Lookup};
use crate::settings::Vault;
use lastkey_contract::ConnectorError;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Texts by name, such as metadata.
pub type Texts = BTreeMap<String, String>;

/// An auth method or a secrets engine, at its path (with a slash at its end).
#[derive(Clone, Debug, Deserialize)]
pub struct Mount {
    #[serde(skip)]
    pub path: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub accessor: String,
    #[serde(default, deserialize_with = "or_default")]
    pub options: Texts,
}

impl Mount {
    /// Whether it is a key-value store of the second version, with metadata apart from values.
    pub fn versioned(&self) -> bool {
        self.options.get("version").is_some_and(|v| v == "2")
    }

    /// The type of an auth method; one that every namespace has is called `ns_…` there.
    pub fn method(&self) -> &str {
        self.kind.strip_prefix("ns_").unwrap_or(&self.kind)
    }

    /// Whether it keeps names and values.
    pub fn key_value(&self) -> bool {
        self.kind == "kv" || self.kind == "generic"
    }

    /// Whether every vault has it, for its own use.
    pub fn built_in(&self) -> bool {
        let kind = self.kind.strip_prefix("ns_").unwrap_or(&self.kind);
        matches!(kind, "cubbyhole" | "identity" | "system")
    }

    /// The path to list or describe what is below it, without values.
    pub fn metadata(&self, below: &str) -> String {
        match self.versioned() {
            true => format!("{}metadata/{below}", self.path),
            false => format!("{}{below}", self.path),
        }
    }

    /// The path whose reading gives the value.
    pub fn value(&self, below: &str) -> String {
        match self.versioned() {
            true => format!("{}data/{below}", self.path),
            false => format!("{}{below}", self.path),
        }
    }
}

/// Which mounts there are, sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Mounts {
    pub engines: Vec<Mount>,
    pub auth: Vec<Mount>,
    /// Whether these are all, or those that this login may see.
    pub all: bool,
}

impl Mounts {
    /// The auth methods of a type.
    pub fn auth_of(&self, kind: &str) -> Vec<Mount> {
        self.auth
            .iter()
            .filter(|m| m.method() == kind)
            .cloned()
            .collect()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Alias {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub mount_accessor: String,
    #[serde(default)]
    pub mount_path: String,
    #[serde(default)]
    pub mount_type: String,
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Texts,
    #[serde(default, deserialize_with = "or_default")]
    pub custom_metadata: Texts,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Entity {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub disabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub aliases: Vec<Alias>,
    #[serde(default, deserialize_with = "or_default")]
    pub policies: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub group_ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Texts,
    #[serde(default)]
    pub creation_time: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Group {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub policies: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub member_entity_ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub member_group_ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Texts,
}

/// What a way of signing in gives: an AppRole, a userpass user, a role or group of another method.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Role {
    #[serde(default, deserialize_with = "names")]
    pub token_policies: Vec<String>,
    /// As older servers, and methods that map outside groups, call them; GitHub's teams `value`.
    #[serde(default, deserialize_with = "names", alias = "value")]
    pub policies: Vec<String>,
    /// Groups of the same method that a user of it is in.
    #[serde(default, deserialize_with = "names")]
    pub groups: Vec<String>,
    /// What a token may be given that is made with this role.
    #[serde(default, deserialize_with = "names")]
    pub allowed_policies: Vec<String>,
    #[serde(default, deserialize_with = "names")]
    pub allowed_policies_glob: Vec<String>,
    #[serde(default, deserialize_with = "names")]
    pub disallowed_policies: Vec<String>,
    #[serde(default, deserialize_with = "names")]
    pub disallowed_policies_glob: Vec<String>,
    #[serde(default)]
    pub token_no_default_policy: bool,
    #[serde(default = "yes")]
    pub bind_secret_id: bool,
}

impl Role {
    /// The policies of a token from here, but for those of its entity.
    pub fn gives(&self) -> Vec<String> {
        let mut policies = self.token_policies.clone();
        policies.extend(self.policies.iter().cloned());
        if !self.token_no_default_policy {
            policies.push("default".to_owned());
        }
        policies.sort_unstable();
        policies.dedup();
        policies
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Token {
    #[serde(default)]
    pub accessor: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub entity_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub policies: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub identity_policies: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub meta: Texts,
    #[serde(default)]
    pub orphan: bool,
    #[serde(default)]
    pub path: String,
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub renewable: bool,
    #[serde(default)]
    pub num_uses: i64,
    /// Seconds since 1970.
    #[serde(default)]
    pub creation_time: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub last_renewal_time: i64,
    #[serde(default)]
    pub expire_time: Option<String>,
}

impl Token {
    /// Whether it is there for one answer that the vault keeps, wrapped, for whoever has it.
    pub fn wraps(&self) -> bool {
        matches!(self.policies.as_slice(), [only] if only == "response-wrapping")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct SecretId {
    #[serde(default)]
    pub creation_time: String,
    #[serde(default)]
    pub expiration_time: String,
    #[serde(default)]
    pub last_updated_time: String,
    #[serde(default)]
    pub secret_id_num_uses: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub cidr_list: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Texts,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct KvMetadata {
    #[serde(default)]
    pub created_time: String,
    #[serde(default)]
    pub updated_time: String,
    #[serde(default)]
    pub current_version: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub custom_metadata: Texts,
    #[serde(default, deserialize_with = "or_default")]
    pub versions: BTreeMap<String, KvVersion>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct KvVersion {
    #[serde(default)]
    pub created_time: String,
    #[serde(default)]
    pub deletion_time: String,
    #[serde(default)]
    pub destroyed: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Lease {
    #[serde(default)]
    pub issue_time: String,
    #[serde(default)]
    pub expire_time: Option<String>,
    #[serde(default)]
    pub last_renewal: Option<String>,
}

#[derive(Deserialize)]
struct PolicyText {
    policy: String,
}

fn yes() -> bool {
    true
}

/// Names in a list, or in a text with commas between.
fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        List(Vec<String>),
        Text(String),
        None,
    }
    Ok(match Written::deserialize(from)? {
        Written::List(names) => names,
        Written::Text(text) => text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        Written::None => Vec::new(),
    })
}

/// A value, or its type's own where the vault says null.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// What was fetched in a session.
pub struct Objects {
    pub api: Api,
    pub vault: Vault,
    mounts: Option<Arc<Mounts>>,
    entities: HashMap<String, Arc<Entity>>,
    groups: HashMap<String, Arc<Group>>,
    roles: HashMap<String, Arc<Role>>,
    tokens: HashMap<String, Arc<Token>>,
    policies: HashMap<String, Arc<str>>,
}

/// One of the caches, and what it lacks fetched.
macro_rules! once {
    ($self:ident, $cache:ident, $key:expr, $fetch:expr) => {{
        if let Some(known) = $self.$cache.get($key) {
            return Ok(Got::Found(Arc::clone(known)));
        }
        Ok(match $fetch {
            Got::Found(value) => {
                let value = Arc::new(value);
                $self.$cache.insert($key.to_owned(), Arc::clone(&value));
                Got::Found(value)
            }
            Got::Absent => Got::Absent,
            Got::Refused => Got::Refused,
        })
    }};
}

impl Objects {
    pub fn new(vault: Vault, api: Api) -> Objects {
        Objects {
            api,
            vault,
            mounts: None,
            entities: HashMap::new(),
            groups: HashMap::new(),
            roles: HashMap::new(),
            tokens: HashMap::new(),
            policies: HashMap::new(),
        }
    }

    /// The mounts; where this login may not list all, those that it may use.
    pub async fn mounts(&mut self) -> Result<Arc<Mounts>, ConnectorError> {
        if let Some(mounts) = &self.mounts {
            return Ok(Arc::clone(mounts));
        }
        let operation = "list the mounts";
        let engines = self
            .api
            .read::<HashMap<String, Mount>>("sys/mounts", operation)
            .await?;
        let auth = self
            .api
            .read::<HashMap<String, Mount>>("sys/auth", operation)
            .await?;
        let mounts = match (engines, auth) {
            (Got::Found(engines), Got::Found(auth)) => Mounts {
                engines: sorted(engines),
                auth: sorted(auth),
                all: true,
            },
            _ => {
                #[derive(Default, Deserialize)]
                struct Visible {
                    #[serde(default)]
                    secret: HashMap<String, Mount>,
                    #[serde(default)]
                    auth: HashMap<String, Mount>,
                }
                let visible: Visible = self
                    .api
                    .read("sys/internal/ui/mounts", operation)
                    .await?
                    .found()
                    .unwrap_or_default();
                Mounts {
                    engines: sorted(visible.secret),
                    auth: sorted(visible.auth),
                    all: false,
                }
            }
        };
        let mounts = Arc::new(mounts);
        self.mounts = Some(Arc::clone(&mounts));
        Ok(mounts)
    }

    pub async fn entity(&mut self, id: &str) -> Result<Got<Arc<Entity>>, ConnectorError> {
        let path = format!("identity/entity/id/{id}");
        once!(
            self,
            entities,
            id,
            self.api.read(&path, "read an entity").await?
        )
    }

    pub async fn group(&mut self, id: &str) -> Result<Got<Arc<Group>>, ConnectorError> {
        let path = format!("identity/group/id/{id}");
        once!(
            self,
            groups,
            id,
            self.api.read(&path, "read a group").await?
        )
    }

    /// A role, user or group of an auth method, at its whole path.
    pub async fn role(&mut self, path: &str) -> Result<Got<Arc<Role>>, ConnectorError> {
        once!(
            self,
            roles,
            path,
            self.api.read(path, "read a way to sign in").await?
        )
    }

    pub async fn token(&mut self, accessor: &str) -> Result<Got<Arc<Token>>, ConnectorError> {
        let body = serde_json::json!({ "accessor": accessor });
        once!(
            self,
            tokens,
            accessor,
            self.api
                .look_up::<Token>(Lookup::Token, &body, "look up a token")
                .await?
        )
    }

    /// Where the vault records who asks for what, each by its path with its type. Told to the root
    /// namespace alone.
    pub async fn audit_devices(&mut self) -> Result<Got<BTreeMap<String, String>>, ConnectorError> {
        #[derive(Deserialize)]
        struct Device {
            #[serde(rename = "type")]
            kind: String,
        }
        if !self.vault.namespace.is_empty() {
            return Ok(Got::Absent);
        }
        let operation = "list audit devices";
        let got = self
            .api
            .read::<BTreeMap<String, Device>>("sys/audit", operation)
            .await?;
        Ok(match got {
            Got::Found(devices) => Got::Found(
                devices
                    .into_iter()
                    .map(|(path, device)| (path, device.kind))
                    .collect(),
            ),
            Got::Absent => Got::Absent,
            Got::Refused => Got::Refused,
        })
    }

    /// The text of a policy.
    pub async fn policy(&mut self, name: &str) -> Result<Got<Arc<str>>, ConnectorError> {
        if let Some(known) = self.policies.get(name) {
            return Ok(Got::Found(Arc::clone(known)));
        }
        let path = format!("sys/policies/acl/{name}");
        Ok(
            match self.api.read::<PolicyText>(&path, "read a policy").await? {
                Got::Found(read) => {
                    let text: Arc<str> = read.policy.into();
                    self.policies.insert(name.to_owned(), Arc::clone(&text));
                    Got::Found(text)
                }
                Got::Absent => Got::Absent,
                Got::Refused => Got::Refused,
            },
        )
    }

    pub async fn lease(&mut self, id: &str) -> Result<Got<Lease>, ConnectorError> {
        let body = serde_json::json!({ "lease_id": id });
        self.api
            .look_up(Lookup::Lease, &body, "look up a lease")
            .await
    }
}

fn sorted(mounts: HashMap<String, Mount>) -> Vec<Mount> {
    let mut sorted: Vec<Mount> = mounts
        .into_iter()
        .map(|(path, mount)| Mount { path, ..mount })
        .collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    sorted
}
