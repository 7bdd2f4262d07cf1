//! Secrets engines beside key-value stores: roles with which logins are made on request, logins
//! whose password the vault changes, keys that never leave it, and certificates that it issued.

use crate::map::when;
use crate::objects::Mount;
use crate::policy::Capabilities;
use crate::ways::told;
use lastkey_contract::SystemName;
use lastkey_contract::facts::{
    Attributes, Credential, CredentialKind, Entitlement, EntitlementKind, Location, LocationKind,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const READ: Capabilities = Capabilities::READ;
const WRITE: Capabilities = Capabilities::CREATE.with(Capabilities::UPDATE);

/// Roles of a secrets engine: whoever uses one gets a login or a certificate.
#[derive(Clone, Copy, Debug)]
pub struct Dynamic {
    /// The type of the engine, which is also where it stands unless somebody says otherwise.
    pub kind: &'static str,
    /// The folder that lists the names.
    pub list: &'static str,
    /// The folder that describes one of them.
    pub read: &'static str,
    /// Where one is used, `{}` standing for its name, and the rights of which one is enough.
    uses: &'static [(&'static str, Capabilities)],
    /// What is told of it.
    told: &'static [&'static str],
    /// What says whom it makes, as the system takes it in.
    makes: Option<&'static str>,
}

/// Every one that is read. Those of `aws`, `azure` and `gcp` are HashiCorp Vault's alone.
pub const DYNAMIC: [Dynamic; 9] = [
    Dynamic {
        kind: "aws",
        list: "roles",
        read: "roles",
        uses: &[("creds/{}", READ.with(WRITE)), ("sts/{}", READ.with(WRITE))],
        told: &[
            "credential_type",
            "credential_types",
            "default_sts_ttl",
            "iam_groups",
            "max_sts_ttl",
            "permissions_boundary_arn",
            "policy_arns",
            "role_arns",
        ],
        makes: Some("policy_document"),
    },
    Dynamic {
        kind: "azure",
        list: "roles",
        read: "roles",
        uses: &[("creds/{}", READ)],
        told: &["application_object_id", "max_ttl", "ttl"],
        makes: Some("azure_roles"),
    },
    Dynamic {
        kind: "database",
        list: "roles",
        read: "roles",
        uses: &[("creds/{}", READ)],
        told: &["credential_type", "db_name", "default_ttl", "max_ttl"],
        makes: Some("creation_statements"),
    },
    Dynamic {
        kind: "gcp",
        list: "rolesets",
        read: "roleset",
        uses: &[
            ("roleset/{}/token", READ.with(WRITE)),
            ("roleset/{}/key", READ.with(WRITE)),
        ],
        told: &["project", "secret_type", "service_account_email"],
        makes: Some("bindings"),
    },
    Dynamic {
        kind: "kubernetes",
        list: "roles",
        read: "roles",
        uses: &[("creds/{}", WRITE)],
        told: &[
            "allowed_kubernetes_namespace_selector",
            "allowed_kubernetes_namespaces",
            "kubernetes_role_name",
            "kubernetes_role_type",
            "service_account_name",
            "token_default_ttl",
            "token_max_ttl",
        ],
        makes: Some("generated_role_rules"),
    },
    Dynamic {
        kind: "ldap",
        list: "role",
        read: "role",
        uses: &[("creds/{}", READ)],
        told: &["default_ttl", "max_ttl"],
        makes: Some("creation_ldif"),
    },
    Dynamic {
        kind: "pki",
        list: "roles",
        read: "roles",
        uses: &[("issue/{}", WRITE), ("sign/{}", WRITE)],
        told: &[
            "allow_any_name",
            "allow_glob_domains",
            "allow_subdomains",
            "allowed_domains",
            "client_flag",
            "issuer_ref",
            "max_ttl",
            "no_store",
            "server_flag",
            "ttl",
        ],
        makes: None,
    },
    Dynamic {
        kind: "rabbitmq",
        list: "roles",
        read: "roles",
        uses: &[("creds/{}", READ)],
        told: &["tags", "vhost_topics", "vhosts"],
        makes: None,
    },
    Dynamic {
        kind: "ssh",
        list: "roles",
        read: "roles",
        uses: &[("sign/{}", WRITE), ("issue/{}", WRITE), ("creds/{}", WRITE)],
        told: &[
            "allow_host_certificates",
            "allow_user_certificates",
            "allowed_domains",
            "allowed_users",
            "default_user",
            "key_type",
            "max_ttl",
            "ttl",
        ],
        makes: None,
    },
];

/// Logins whose password the vault changes: a place where a password stands.
#[derive(Clone, Copy, Debug)]
pub struct Static {
    pub kind: &'static str,
    /// The folder that lists and describes the logins.
    pub folder: &'static str,
    /// The folder whose reading gives the password.
    value: &'static str,
}

pub const STATICS: [Static; 2] = [
    Static {
        kind: "database",
        folder: "static-roles",
        value: "static-creds",
    },
    Static {
        kind: "ldap",
        folder: "static-role",
        value: "static-cred",
    },
];

/// Whether anything of a type of engine is read.
pub fn is_known(mount: &Mount) -> bool {
    mount.key_value()
        || mount.kind == "transit"
        || DYNAMIC.iter().any(|roles| roles.kind == mount.kind)
}

impl Dynamic {
    /// The roles of a mount with this folder.
    pub fn of(mount: &Mount, list: &str) -> Option<Dynamic> {
        DYNAMIC
            .into_iter()
            .find(|m| m.kind == mount.kind && m.list == list)
    }

    /// The path that describes a role, which is also its id.
    pub fn path(&self, mount: &str, name: &str) -> String {
        format!("{mount}{}/{name}", self.read)
    }

    /// Where a role is used.
    pub fn used_at(&self, mount: &str, name: &str) -> Vec<(String, Capabilities)> {
        self.uses
            .iter()
            .map(|(place, rights)| (format!("{mount}{}", place.replace("{}", name)), *rights))
            .collect()
    }

    /// A role as it is described.
    pub fn role(
        &self,
        system: &SystemName,
        path: &str,
        said: &BTreeMap<String, Value>,
    ) -> Entitlement {
        let mut attributes = told(said, self.told);
        attributes.insert("engine".to_owned(), self.kind.to_owned());
        let makes = self.makes.and_then(|key| makes(said.get(key)?));
        attributes.extend(makes.map(|makes| ("makes".to_owned(), makes)));
        Entitlement {
            system: system.clone(),
            id: path.into(),
            name: path.rsplit('/').next().map(str::to_owned),
            kind: Some(EntitlementKind::Role),
            privileged: None,
            environment: None,
            attributes,
        }
    }
}

impl Static {
    pub fn of(mount: &Mount, folder: &str) -> Option<Static> {
        STATICS
            .into_iter()
            .find(|s| s.kind == mount.kind && s.folder == folder)
    }

    /// The path whose reading gives the password.
    pub fn value(&self, mount: &str, name: &str) -> String {
        format!("{mount}{}/{name}", self.value)
    }

    /// The place of a login's password.
    pub fn location(
        &self,
        system: &SystemName,
        path: String,
        said: &BTreeMap<String, Value>,
    ) -> Location {
        let mut attributes = told(said, &["db_name", "dn", "rotation_period", "username"]);
        attributes.insert("engine".to_owned(), self.kind.to_owned());
        let rotated = said.get("last_vault_rotation").and_then(Value::as_str);
        Location {
            last_rotated_at: rotated.and_then(when),
            attributes,
            ..Location::of(system.clone(), path, LocationKind::Vault)
        }
    }
}

/// The longest text about whom a role makes.
const LONGEST: usize = 1_000;

/// Whom a role makes, as the system takes it in. What stands in quotes or for a password is hidden
/// unless the vault fills it in: somebody may have written a secret there.
fn makes(said: &Value) -> Option<String> {
    let text = match said {
        Value::String(text) => text.clone(),
        Value::Array(all) if all.iter().all(Value::is_string) => {
            let lines: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            lines.join("\n")
        }
        Value::Null => return None,
        other => return Some(other.to_string().chars().take(LONGEST).collect()),
    };
    let lines: Vec<String> = text.lines().map(hidden).collect();
    let text = lines.join("\n");
    let text: String = text.trim().chars().take(LONGEST).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// A line of a statement or of LDIF without what could be a secret.
fn hidden(line: &str) -> String {
    let filled_in = |text: &str| text.contains("{{");
    if let Some((attribute, value)) = line.split_once(':') {
        let attribute = attribute.to_lowercase();
        let word = attribute.bytes().all(|b| b.is_ascii_alphanumeric());
        if word && (attribute.contains("pass") || attribute.contains("pwd")) && !filled_in(value) {
            return format!("{attribute}: (hidden)");
        }
    }
    let parts: Vec<String> = line
        .split('\'')
        .enumerate()
        .map(|(at, part)| match at % 2 == 1 && !filled_in(part) {
            true => "(hidden)".to_owned(),
            false => part.to_owned(),
        })
        .collect();
    parts.join("'")
}

/// A key of a transit engine, described without its material.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TransitKey {
    #[serde(default)]
    exportable: bool,
    #[serde(default)]
    allow_plaintext_backup: bool,
    #[serde(default)]
    soft_deleted: bool,
    #[serde(default)]
    supports_encryption: bool,
    #[serde(default)]
    supports_signing: bool,
    #[serde(default)]
    latest_version: u64,
    /// By version: when it was made, or a description with that.
    #[serde(default)]
    keys: BTreeMap<String, Value>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl TransitKey {
    fn made_at(&self, version: &str) -> Option<lastkey_contract::When> {
        match self.keys.get(version)? {
            Value::Number(at) => crate::map::seconds(at.as_i64()?),
            other => when(other.get("creation_time")?.as_str()?),
        }
    }

    /// The key; whose it is, only the policies say.
    pub fn credential(&self, system: &SystemName, path: &str) -> Credential {
        let mut made = Credential::of(system.clone(), path, CredentialKind::Secret, "");
        made.account_id = None;
        made.name = path.rsplit('/').next().map(str::to_owned);
        made.enabled = Some(!self.soft_deleted);
        let oldest = self.keys.keys().filter_map(|v| v.parse::<u64>().ok()).min();
        made.created_at = oldest.and_then(|version| self.made_at(&version.to_string()));
        made.rotated_at = (self.latest_version > 1)
            .then(|| self.made_at(&self.latest_version.to_string()))
            .flatten();
        let kept = [
            "auto_rotate_period",
            "derived",
            "imported_key",
            "min_available_version",
            "min_decryption_version",
            "min_encryption_version",
            "type",
        ];
        made.attributes = told(&self.rest, &kept);
        let deletion = self.rest.get("deletion_allowed").and_then(Value::as_bool);
        for (key, value) in [
            ("engine", "transit".to_owned()),
            ("exportable", self.exportable.to_string()),
            (
                "allow_plaintext_backup",
                self.allow_plaintext_backup.to_string(),
            ),
            ("deletion_allowed", deletion.unwrap_or_default().to_string()),
            ("latest_version", self.latest_version.to_string()),
            ("versions", self.keys.len().to_string()),
        ] {
            made.attributes.insert(key.to_owned(), value);
        }
        made
    }

    /// The paths whose reading gives the material, the usual one first.
    pub fn exports(&self, mount: &str, name: &str) -> Vec<String> {
        let mut paths = Vec::new();
        if self.exportable {
            let mut sorts = vec!["hmac-key"];
            if self.supports_signing {
                sorts.insert(0, "signing-key");
            }
            if self.supports_encryption {
                sorts.insert(0, "encryption-key");
            }
            for sort in sorts {
                paths.push(format!("{mount}export/{sort}/{name}"));
                paths.push(format!("{mount}export/{sort}/{name}/latest"));
            }
        }
        if self.allow_plaintext_backup {
            paths.push(format!("{mount}backup/{name}"));
        }
        paths
    }

    /// The place where the material of a key can be had.
    pub fn location(&self, system: &SystemName, path: &str, key: &str) -> Location {
        Location {
            credential_id: Some(key.into()),
            last_rotated_at: self.made_at(&self.latest_version.to_string()),
            attributes: Attributes::from([("engine".to_owned(), "transit".to_owned())]),
            ..Location::of(system.clone(), path, LocationKind::Vault)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(said: Value, makes_this: Option<&str>) {
        assert_eq!(makes(&said).as_deref(), makes_this, "{said}");
    }

    #[test]
    fn whom_a_role_makes_holds_no_secret() {
        check(
            json!(["CREATE ROLE \"{{name}}\" PASSWORD '{{password}}'; GRANT ops TO \"{{name}}\""]),
            Some("CREATE ROLE \"{{name}}\" PASSWORD '{{password}}'; GRANT ops TO \"{{name}}\""),
        );
        check(
            json!("ALTER ROLE app PASSWORD 'hunter2'"),
            Some("ALTER ROLE app PASSWORD '(hidden)'"),
        );
        check(
            json!("dn: cn={{.Username}}\nuserPassword: hunter2\nsn: x"),
            Some("dn: cn={{.Username}}\nuserpassword: (hidden)\nsn: x"),
        );
        check(
            json!("unicodePwd:: {{.Password | base64}}"),
            Some("unicodePwd:: {{.Password | base64}}"),
        );
        check(json!(""), None);
        check(Value::Null, None);
        check(
            json!([{"role_name": "Reader"}]),
            Some(r#"[{"role_name":"Reader"}]"#),
        );
        assert_eq!(makes(&json!("x".repeat(9_000))).unwrap().len(), LONGEST);
    }

    #[test]
    fn only_keys_that_can_leave_have_paths_to_leave_by() {
        let key = |said: Value| serde_json::from_value::<TransitKey>(said).unwrap();
        let kept = key(json!({ "supports_encryption": true, "latest_version": 1 }));
        assert!(kept.exports("transit/", "k").is_empty());
        let leaves = key(json!({ "exportable": true, "supports_signing": true }));
        let paths = leaves.exports("transit/", "k");
        assert_eq!(paths[0], "transit/export/signing-key/k");
        assert!(paths.contains(&"transit/export/hmac-key/k/latest".to_owned()));
        assert!(!paths.iter().any(|path| path.contains("encryption")));
        let backup = key(json!({ "allow_plaintext_backup": true }));
        assert_eq!(backup.exports("t/", "k"), ["t/backup/k"]);
    }

    #[test]
    fn a_key_is_described_by_its_versions() {
        let key: TransitKey = serde_json::from_value(json!({
            "type": "rsa-2048", "latest_version": 3, "deletion_allowed": true,
            "min_available_version": 0, "auto_rotate_period": 86400,
            "keys": {
                "2": 1_795_394_732,
                "3": { "creation_time": "2026-11-24T00:00:00Z", "public_key": "-----BEGIN" }
            }
        }))
        .unwrap();
        let made = key.credential(&"v".into(), "transit/keys/k");
        assert_eq!(made.created_at, crate::map::seconds(1_795_394_732));
        assert_eq!(made.rotated_at, when("2026-11-24T00:00:00Z"));
        let said = &made.attributes;
        assert_eq!(
            (said["type"].as_str(), said["versions"].as_str()),
            ("rsa-2048", "2")
        );
        assert_eq!(said["auto_rotate_period"], "86400 s");
        assert_eq!(
            (
                said["exportable"].as_str(),
                said["deletion_allowed"].as_str()
            ),
            ("false", "true")
        );
        assert!(!format!("{made:?}").contains("BEGIN"));
    }
}
