//! Settings of a directory, parsed once into a [`Directory`].

use crate::error::config;
use crate::root::Server;
use lastkey_contract::{
    ConnectorError, Descriptor, Kind, Must, SecretNeed, SettingSpec, Settings, SystemName,
    shown_address,
};
use lastkey_tls::host_and_port;
use std::path::PathBuf;
use std::time::Duration;

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "ldap",
    title: "LDAP directory",
    summary: "People, groups and nested memberships of an LDAP directory, over TLS.",
    settings: &[
        SettingSpec::text(
            "url",
            "Address",
            "ldaps://host[:port], or ldap://host[:port] with starttls=true",
            Must::Yes,
            "",
        ),
        SettingSpec {
            key: "starttls",
            label: "StartTLS",
            help: "for ldap:// addresses: switch to TLS before signing in (plain LDAP is never used)",
            required: false,
            default: "false",
            choices: &["true", "false"],
            only_with: &[],
        },
        SettingSpec::text(
            "bind_dn",
            "Sign in as",
            "DN of the reading account; empty for anonymous",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "base_dn",
            "Base",
            "DN below which people and groups are read",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "ca_file",
            "Own CA",
            "PEM file with the CA of the directory, trusted beside the system's",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "system",
            "System name",
            "the name of the system whose accounts these are, such as corp-ldap",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "people_filter",
            "Filter for people",
            "which entries are accounts",
            Must::No,
            PEOPLE,
        ),
        SettingSpec::text(
            "group_filter",
            "Filter for groups",
            "which entries are groups",
            Must::No,
            GROUPS,
        ),
        SettingSpec {
            key: "identities",
            label: "Source of truth",
            help: "yes if the directory also says who exists: its people are then identities too",
            required: false,
            default: "no",
            choices: &["yes", "no"],
            only_with: &[],
        },
        SettingSpec::text(
            "id_attribute",
            "Id attribute",
            "the attribute that never changes; auto is entryUUID, or nsUniqueId on a 389 Directory Server",
            Must::No,
            AUTO,
        ),
        SettingSpec::text(
            "identity_attribute",
            "Identity attribute",
            "the attribute that holds the id of the identity",
            Must::No,
            "employeeNumber",
        ),
        SettingSpec {
            key: "incremental",
            label: "Changes only",
            help: "auto reads only what changed since the last read, where the directory tells it; no reads everything each time",
            required: false,
            default: AUTO,
            choices: &[AUTO, "no"],
            only_with: &[],
        },
        SettingSpec::text(
            "timeout",
            "Timeout",
            "seconds to wait for the directory, 1 to 600",
            Must::No,
            "30",
        ),
    ],
    secret: SecretNeed::Optional,
    secret_label: "Bind password",
    reads: &[
        Kind::Identity,
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
    ],
};

const PEOPLE: &str = "(|(objectClass=inetOrgPerson)(objectClass=person)(objectClass=posixAccount))";
const GROUPS: &str = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)(objectClass=posixGroup)(objectClass=groupOfURLs))";
const AUTO: &str = "auto";

/// How the connection becomes TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    Ldaps,
    StartTls,
}

/// Whether the directory's people are identities too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identities {
    Read,
    Leave,
}

/// Whether a read may be of changes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incremental {
    WhereTold,
    Never,
}

/// A configured directory, without its password.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The address, for sentences.
    pub url: String,
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// None signs in anonymously.
    pub bind_dn: Option<String>,
    pub base_dn: String,
    pub ca_file: Option<PathBuf>,
    pub system: SystemName,
    pub people: String,
    pub groups: String,
    pub identities: Identities,
    /// Empty until the directory said which it keeps, where the settings leave it open.
    pub id_attribute: String,
    pub identity_attribute: String,
    pub incremental: Incremental,
    pub timeout: Duration,
}

impl Directory {
    /// The directory with what it said of itself filled in.
    pub fn knowing(mut self, server: &Server) -> Directory {
        if self.id_attribute.is_empty() {
            server.id_attribute().clone_into(&mut self.id_attribute);
        }
        self
    }

    /// Parses the settings; every value that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings, secret: bool) -> Result<Directory, ConnectorError> {
        settings.validate(&DESCRIPTOR, &[])?;
        let text = |key: &str| settings.or_default(key, &DESCRIPTOR);
        let url = text("url");
        let starttls = text("starttls") == "true";
        let (security, host) = match (url.split_once("://"), starttls) {
            (Some(("ldaps", host)), false) => (Security::Ldaps, host),
            (Some(("ldap", host)), true) => (Security::StartTls, host),
            (Some(("ldaps", _)), true) => {
                return Err(config(
                    "an ldaps:// address is TLS from the start and takes no starttls",
                    "leave starttls out, or write ldap://",
                ));
            }
            (Some(("ldap", _)), false) => {
                return Err(config(
                    "plain ldap:// would send the password in clear and is not used",
                    "write ldaps://, or set starttls=true",
                ));
            }
            (Some(_) | None, _) => {
                return Err(config(
                    format!("`{}` is not an address of a directory", shown_address(&url)),
                    "write ldaps://host or ldaps://host:636",
                ));
            }
        };
        let place = host.trim_end_matches('/');
        let usual_port = match security {
            Security::Ldaps => 636,
            Security::StartTls => 389,
        };
        let Some((host, port)) = host_and_port(place, usual_port) else {
            return Err(config(
                format!("`{}` is not an address of a directory", shown_address(&url)),
                "write only the scheme, the host and the port: ldaps://host:636",
            ));
        };
        let system = settings.system(&DESCRIPTOR, "corp-ldap")?;
        let bind_dn = Some(text("bind_dn")).filter(|dn| !dn.is_empty());
        // A simple bind with a DN and no password succeeds as anonymous: it must never be sent.
        if bind_dn.is_some() && !secret {
            return Err(config(
                "a bind DN is given and no password",
                "give the password, or leave bind_dn out to read anonymously",
            ));
        }
        for key in ["id_attribute", "identity_attribute"] {
            let name = text(key);
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(config(
                    format!("`{name}` is not an attribute's name"),
                    format!("give {key} as the directory's schema names it"),
                ));
            }
            if name.eq_ignore_ascii_case("userPassword") {
                return Err(config(
                    "the value of userPassword is never read",
                    format!("name another attribute as {key}"),
                ));
            }
        }
        Ok(Directory {
            url: format!("{}://{place}", if starttls { "ldap" } else { "ldaps" }),
            host,
            port,
            security,
            bind_dn,
            base_dn: text("base_dn"),
            ca_file: settings.get("ca_file").map(PathBuf::from),
            system,
            people: text("people_filter"),
            groups: text("group_filter"),
            identities: match text("identities").as_str() {
                "yes" => Identities::Read,
                _ => Identities::Leave,
            },
            id_attribute: Some(text("id_attribute"))
                .filter(|name| name != AUTO)
                .unwrap_or_default(),
            incremental: match text("incremental").as_str() {
                AUTO => Incremental::WhereTold,
                _ => Incremental::Never,
            },
            identity_attribute: text("identity_attribute"),
            timeout: settings.timeout(&DESCRIPTOR)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], says: &str) {
        let mut settings = Settings::default();
        for (key, value) in [
            ("url", "ldaps://h"),
            ("base_dn", "dc=x"),
            ("system", "corp"),
        ]
        .iter()
        .chain(pairs)
        {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        match Directory::from_settings(&settings, false) {
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
        check(&[("url", "ldap://h"), ("starttls", "true")], "");
        check(&[("url", "ldap://h")], "in clear");
        check(&[("url", "ldap://h"), ("starttls", "false")], "in clear");
        check(&[("starttls", "true")], "takes no starttls");
        check(&[("url", "http://h")], "not an address");
        check(&[("url", "ldaps://me:pw@h")], "not an address");
        check(&[("url", "ldaps://")], "not an address");
        check(&[("url", "ldaps://h:99999")], "not an address");
        check(&[("bind_dn", "cn=x")], "no password");
        check(&[("system", "Corp AD")], "not a system name");
        check(&[("timeout", "0")], "not a timeout");
        check(&[("id_attribute", "userpassword")], "never read");
        check(&[("verify", "false")], "not a setting");
    }
}
