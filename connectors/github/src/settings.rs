//! Settings of an organisation, parsed once into an [`Organization`].

use crate::error::config;
use crate::http::SERVER;
use lastkey_contract::{
    ConnectorError, Descriptor, Kind, Must, SecretNeed, SettingSpec, Settings, SystemName, listed,
    shown_address,
};
use lastkey_http::Origin;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "github",
    title: "GitHub organisation",
    summary: "Members, teams and rights on repositories, deploy keys, tokens and the names of secrets of one organisation, never a value.",
    settings: &[
        SettingSpec::text(
            "organization",
            "Organisation",
            "the organisation's name as in its address: example in github.com/example",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "system",
            "System name",
            "the name of the system whose accounts these are, such as corp-github",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "address",
            "Address",
            "https://host[:port] of the API; for an Enterprise server its own host",
            Must::No,
            "https://api.github.com",
        ),
        SettingSpec::text(
            "ca_file",
            "Own CA",
            "PEM file with the CA of an Enterprise server, trusted beside the system's",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "repositories",
            "Repositories",
            "names of the repositories to read, with commas between; all where empty",
            Must::No,
            "",
        ),
        SettingSpec {
            key: "member_keys",
            label: "SSH keys of members",
            help: "yes to read each member's public SSH keys, at one request for each member",
            required: false,
            default: "no",
            choices: &["yes", "no"],
            only_with: &[],
        },
        SettingSpec {
            key: "audit_log",
            label: "Audit log",
            help: "yes to take each account's last use from the newest 2,000 entries of the audit log, where it is licensed",
            required: false,
            default: "no",
            choices: &["yes", "no"],
            only_with: &[],
        },
        SettingSpec::text(
            "leave_out",
            "Parts the organisation lacks",
            "what its plan does not have, with commas between: apps, authorizations, custom_roles, dependabot, environments, invitations, organization_roles, tokens",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "timeout",
            "Timeout",
            "seconds to wait for one answer of GitHub, 1 to 600",
            Must::No,
            "30",
        ),
    ],
    secret: SecretNeed::Required,
    secret_label: "Token",
    reads: &[
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
    ],
};

/// A part of an organisation that its plan may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Apps,
    Authorizations,
    CustomRoles,
    Dependabot,
    Environments,
    Invitations,
    OrganizationRoles,
    Tokens,
}

impl Part {
    pub const ALL: [Part; 8] = [
        Part::Apps,
        Part::Authorizations,
        Part::CustomRoles,
        Part::Dependabot,
        Part::Environments,
        Part::Invitations,
        Part::OrganizationRoles,
        Part::Tokens,
    ];

    /// The word of `leave_out`.
    pub fn word(self) -> &'static str {
        match self {
            Part::Apps => "apps",
            Part::Authorizations => "authorizations",
            Part::CustomRoles => "custom_roles",
            Part::Dependabot => "dependabot",
            Part::Environments => "environments",
            Part::Invitations => "invitations",
            Part::OrganizationRoles => "organization_roles",
            Part::Tokens => "tokens",
        }
    }
}

/// Whether something that costs many requests is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    Read,
    Leave,
}

/// A configured organisation, without its token.
#[derive(Clone, Debug)]
pub struct Organization {
    pub origin: Origin,
    /// What stands before every path: empty, or `/api/v3`.
    pub base: String,
    pub name: String,
    pub ca_file: Option<PathBuf>,
    pub system: SystemName,
    /// In small letters; None reads all.
    pub repositories: Option<BTreeSet<String>>,
    pub member_keys: Extra,
    pub audit_log: Extra,
    pub leave_out: BTreeSet<Part>,
    pub timeout: Duration,
}

impl Organization {
    /// Parses the settings; every value that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings) -> Result<Organization, ConnectorError> {
        settings.validate(&DESCRIPTOR, &[])?;
        let text = |key: &str| settings.or_default(key, &DESCRIPTOR).trim().to_owned();
        let (origin, base) = origin(&text("address"))?;
        let system = settings.system(&DESCRIPTOR, "corp-github")?;
        let name = text("organization");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(config(
                format!(
                    "`{}` is not the name of an organisation",
                    shown_address(&name)
                ),
                "give it as it stands in its address: example in github.com/example",
            ));
        }
        let repositories: BTreeSet<String> = listed(&text("repositories"))
            .map(|name| name.rsplit('/').next().unwrap_or_default().to_lowercase())
            .collect();
        let extra = |key: &str| match text(key).as_str() {
            "yes" => Extra::Read,
            _ => Extra::Leave,
        };
        Ok(Organization {
            origin,
            base,
            name,
            ca_file: settings.get("ca_file").map(PathBuf::from),
            system,
            repositories: Some(repositories).filter(|r| !r.is_empty()),
            member_keys: extra("member_keys"),
            audit_log: extra("audit_log"),
            leave_out: DESCRIPTOR.left_out(&text("leave_out"), &Part::ALL, |part| part.word())?,
            timeout: settings.timeout(&DESCRIPTOR)?,
        })
    }

    /// Whether a part is to be read.
    pub fn reads(&self, part: Part) -> bool {
        !self.leave_out.contains(&part)
    }
}

/// The origin of an address and the beginning of every path.
fn origin(address: &str) -> Result<(Origin, String), ConnectorError> {
    let (origin, path) = SERVER.origin(address)?;
    let host = match origin.host.to_lowercase().as_str() {
        "github.com" | "www.github.com" => "api.github.com".to_owned(),
        _ => origin.host,
    };
    // A server of one's own answers below this path; github.com and its data residencies have a
    // host for the API alone.
    let base = match path {
        "api/v3" => "/api/v3",
        "" if host.to_lowercase().starts_with("api.") => "",
        "" => "/api/v3",
        _ => return Err(SERVER.not_an_address(address)),
    };
    let origin = Origin { host, ..origin };
    Ok((origin, base.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Organization, ConnectorError> {
        let mut settings = Settings::default();
        for (key, value) in [("organization", "example"), ("system", "corp-github")]
            .iter()
            .chain(pairs)
        {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        Organization::from_settings(&settings)
    }

    #[track_caller]
    fn check(address: &str, host: &str, port: u16, base: &str) {
        let made = parsed(&[("address", address)]).unwrap();
        assert_eq!(
            (
                made.origin.host.as_str(),
                made.origin.port,
                made.base.as_str()
            ),
            (host, port, base),
            "{address}"
        );
    }

    #[test]
    fn addresses_of_github_and_of_servers_of_ones_own() {
        check("", "api.github.com", 443, "");
        check("https://github.com", "api.github.com", 443, "");
        check("https://api.github.com/", "api.github.com", 443, "");
        check("https://api.corp.ghe.com", "api.corp.ghe.com", 443, "");
        check("https://git.example.org", "git.example.org", 443, "/api/v3");
        check(
            "https://git.example.org:8443/api/v3/",
            "git.example.org",
            8443,
            "/api/v3",
        );
        check("https://[::1]:8443", "::1", 8443, "/api/v3");
    }

    #[test]
    fn what_cannot_count_is_refused_with_what_to_write() {
        for pairs in [
            [("address", "http://git.example.org")],
            [("address", "git.example.org")],
            [("address", "https://git.example.org/example")],
            [("organization", "github.com/example")],
            [("organization", "ex ample")],
            [("system", "Corp GitHub")],
            [("leave_out", "apps, everything")],
            [("timeout", "0")],
            [("audit_log", "perhaps")],
        ] {
            let error = parsed(&pairs).unwrap_err();
            assert!(
                error.hint.is_some() && error.kind.is_of_settings(),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_login_in_an_address_is_not_shown() {
        let error = parsed(&[("address", "https://ann:hunter2@git.example.org")]).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn lists_are_taken_apart() {
        let made = parsed(&[
            ("repositories", "example/Shop, site"),
            ("leave_out", "tokens,apps"),
            ("member_keys", "yes"),
        ]);
        let made = made.unwrap();
        let names: Vec<String> = made.repositories.clone().unwrap().into_iter().collect();
        assert_eq!(names, ["shop", "site"]);
        assert!(!made.reads(Part::Tokens) && made.reads(Part::Invitations));
        assert_eq!(
            (made.member_keys, made.audit_log),
            (Extra::Read, Extra::Leave)
        );
    }
}
