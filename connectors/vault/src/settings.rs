//! Settings of a vault, parsed once into a [`Vault`].

use crate::error::config;
use crate::http::SERVER;
use lastkey_contract::{
    ConnectorError, Descriptor, Kind, Must, SecretNeed, SettingSpec, Settings, SystemName,
};
use lastkey_http::Origin;
use std::path::PathBuf;
use std::time::Duration;

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "vault",
    title: "HashiCorp Vault or OpenBao",
    summary: "Who can read which secret: policies, entities, groups, tokens and the names of secrets, never a value.",
    settings: &[
        SettingSpec::text(
            "address",
            "Address",
            "https://host[:port] of the vault, as in VAULT_ADDR",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "system",
            "System name",
            "the name of the system whose accounts these are, such as corp-vault",
            Must::Yes,
            "",
        ),
        SettingSpec {
            key: "auth",
            label: "Sign in by",
            help: "how to sign in: with an AppRole, as a userpass user, or with a token",
            required: false,
            default: "approle",
            choices: &["approle", "userpass", "token"],
            only_with: &[],
        },
        SettingSpec {
            only_with: &[("auth", "approle"), ("auth", "userpass")],
            ..SettingSpec::text(
                "auth_mount",
                "Where to sign in",
                "path of the auth method below auth/; its type's name where empty",
                Must::No,
                "",
            )
        },
        SettingSpec {
            only_with: &[("auth", "approle")],
            ..SettingSpec::text(
                "role_id",
                "Role ID",
                "for approle: the role's ID; its secret ID is the secret",
                Must::Yes,
                "",
            )
        },
        SettingSpec {
            only_with: &[("auth", "userpass")],
            ..SettingSpec::text(
                "username",
                "User name",
                "for userpass: the user; its password is the secret",
                Must::Yes,
                "",
            )
        },
        SettingSpec::text(
            "namespace",
            "Namespace",
            "the namespace to read; the root namespace where empty",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "mounts",
            "Key-value stores",
            "paths of the key-value stores to read, with commas between; all where empty",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "ca_file",
            "Own CA",
            "PEM file with the CA of the vault, trusted beside the system's",
            Must::No,
            "",
        ),
        SettingSpec {
            key: "leases",
            label: "Leases",
            help: "yes to read leases of dynamic secrets as sessions; the vault wants sudo for their list",
            required: false,
            default: "no",
            choices: &["yes", "no"],
            only_with: &[],
        },
        SettingSpec::text(
            "values_role_id",
            "Role ID for fingerprints",
            "where fingerprints are switched on: the AppRole that reads values; its secret is then a token where this is empty",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "timeout",
            "Timeout",
            "seconds to wait for one answer of the vault, 1 to 600",
            Must::No,
            "30",
        ),
    ],
    secret: SecretNeed::Required,
    secret_label: "Secret ID, password or token",
    reads: &[
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
        Kind::Control,
        Kind::Session,
    ],
};

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    Token,
    AppRole { mount: String, role_id: String },
    UserPass { mount: String, username: String },
}

/// Whether leases are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leases {
    Read,
    Leave,
}

/// A configured vault, without its secret.
#[derive(Clone, Debug)]
pub struct Vault {
    pub origin: Origin,
    /// Without slashes at its ends; empty for the root namespace.
    pub namespace: String,
    pub sign_in: SignIn,
    /// How the reader of values signs in.
    pub values_sign_in: SignIn,
    pub ca_file: Option<PathBuf>,
    pub system: SystemName,
    /// Each with a slash at its end; None reads all.
    pub mounts: Option<Vec<String>>,
    pub leases: Leases,
    pub timeout: Duration,
}

impl Vault {
    /// Parses the settings; every value that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings) -> Result<Vault, ConnectorError> {
        settings.validate(&DESCRIPTOR, &[])?;
        let text = |key: &str| settings.or_default(key, &DESCRIPTOR).trim().to_owned();
        let address = text("address");
        let (origin, path) = SERVER.origin(&address)?;
        if !path.is_empty() {
            return Err(SERVER.not_an_address(&address));
        }
        let system = settings.system(&DESCRIPTOR, "corp-vault")?;
        let namespace = text("namespace").trim_matches('/').to_owned();
        if !plain(&namespace) {
            return Err(config(
                format!("`{namespace}` is not a namespace"),
                "give its path, such as team/payments",
            ));
        }
        let mounts: Vec<String> = text("mounts")
            .split(',')
            .map(|path| path.trim().trim_matches('/'))
            .filter(|path| !path.is_empty())
            .map(|path| format!("{path}/"))
            .collect();
        let values_sign_in = match text("values_role_id") {
            none if none.is_empty() => SignIn::Token,
            role_id => SignIn::AppRole {
                mount: mount(&text("auth_mount"), "approle")?,
                role_id,
            },
        };
        Ok(Vault {
            origin,
            namespace,
            sign_in: sign_in(&text)?,
            values_sign_in,
            ca_file: settings.get("ca_file").map(PathBuf::from),
            system,
            mounts: Some(mounts).filter(|m| !m.is_empty()),
            leases: match text("leases").as_str() {
                "yes" => Leases::Read,
                _ => Leases::Leave,
            },
            timeout: settings.timeout(&DESCRIPTOR)?,
        })
    }
}

fn sign_in(text: &dyn Fn(&str) -> String) -> Result<SignIn, ConnectorError> {
    let needed = |key: &str, what: &str| match text(key) {
        empty if empty.is_empty() => Err(config(
            format!("`{key}` is missing"),
            format!("give it with --set {key}=…: {what}"),
        )),
        value => Ok(value),
    };
    let unused = |keys: &[&str], how: &str| match keys.iter().find(|key| !text(key).is_empty()) {
        Some(key) => Err(config(
            format!("`{key}` has no meaning where the sign-in is by {how}"),
            format!("leave {key} out, or choose another `auth`"),
        )),
        None => Ok(()),
    };
    match text("auth").as_str() {
        "token" => {
            unused(&["role_id", "username"], "token")?;
            Ok(SignIn::Token)
        }
        "userpass" => {
            unused(&["role_id"], "userpass")?;
            let username = needed("username", "the user to sign in as")?;
            Ok(SignIn::UserPass {
                mount: mount(&text("auth_mount"), "userpass")?,
                username,
            })
        }
        _ => {
            unused(&["username"], "approle")?;
            Ok(SignIn::AppRole {
                mount: mount(&text("auth_mount"), "approle")?,
                role_id: needed("role_id", "the ID of the role to sign in with")?,
            })
        }
    }
}

/// The path of an auth method below `auth/`, as somebody wrote it; the default where empty.
pub fn mount(given: &str, default: &str) -> Result<String, ConnectorError> {
    let path = given.trim_matches('/');
    let path = path.strip_prefix("auth/").unwrap_or(path);
    match path {
        "" => Ok(default.to_owned()),
        path if plain(path) => Ok(path.to_owned()),
        path => Err(config(
            format!("`{path}` is not the path of an auth method"),
            "give it as `bao auth list` shows it",
        )),
    }
}

/// Whether a path can stand in an address as it is.
fn plain(path: &str) -> bool {
    path.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.'))
        && !path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Vault, ConnectorError> {
        let base = [
            ("address", "https://h:8200"),
            ("system", "corp-vault"),
            ("role_id", "r"),
        ];
        let mut settings = Settings::default();
        for (key, value) in base.iter().chain(pairs) {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        Vault::from_settings(&settings)
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], says: &str) {
        match parsed(pairs) {
            Ok(_) => assert_eq!(says, "", "{pairs:?} was taken"),
            Err(error) => {
                assert!(
                    !says.is_empty() && error.message.contains(says),
                    "{pairs:?}: {error}"
                );
                assert!(error.hint.is_some());
            }
        }
    }

    #[test]
    fn settings_that_would_weaken_or_confuse_are_refused() {
        check(&[], "");
        check(&[("address", "http://h:8200")], "in clear");
        check(&[("address", "h:8200")], "not an address");
        check(&[("address", "https://me:pw@h")], "not an address");
        check(&[("address", "https://h/v1")], "not an address");
        check(&[("address", "https://h:99999")], "not an address");
        check(&[("address", "https://")], "not an address");
        check(&[("address", "https://[::1]:8200/")], "");
        check(&[("system", "Corp Vault")], "not a system name");
        check(&[("timeout", "0")], "not a timeout");
        check(&[("role_id", "")], "`role_id` is missing");
        check(
            &[("auth", "userpass"), ("username", "u")],
            "`role_id` has no meaning",
        );
        check(
            &[("auth", "userpass"), ("role_id", "")],
            "`username` is missing",
        );
        check(&[("auth", "token")], "`role_id` has no meaning");
        check(&[("auth", "cert")], "not allowed");
        check(&[("namespace", "a b")], "not a namespace");
        check(&[("auth_mount", "../sys")], "not the path");
        check(&[("tls_skip_verify", "true")], "not a setting");
    }

    #[test]
    fn paths_are_taken_as_people_write_them() {
        let vault = parsed(&[
            ("auth_mount", "auth/machines/"),
            ("mounts", " secret/, team/kv "),
            ("namespace", "/a/b/"),
        ])
        .unwrap();
        assert_eq!(
            vault.sign_in,
            SignIn::AppRole {
                mount: "machines".to_owned(),
                role_id: "r".to_owned()
            }
        );
        assert_eq!(vault.mounts.unwrap(), ["secret/", "team/kv/"]);
        assert_eq!(vault.namespace, "a/b");
        let six = parsed(&[("address", "https://[::1]:8200")]).unwrap();
        assert_eq!((six.origin.host.as_str(), six.origin.port), ("::1", 8200));
        assert_eq!(six.origin.address(), "https://[::1]:8200");
    }
}
