//! Settings of a PostgreSQL server, parsed once into a [`Server`].

use lastkey_contract::{
    ConnectorError, Descriptor, Kind, Must, SecretNeed, SettingSpec, Settings, SystemName,
};
use lastkey_tls::{authority, host_alone};
use std::path::PathBuf;
use std::time::Duration;

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "postgresql",
    title: "PostgreSQL",
    summary: "Roles, memberships, open sessions and who may use which database and schema, over TLS.",
    settings: &[
        SettingSpec::text(
            "address",
            "Address",
            "name or IP address of the server, as its certificate carries it",
            Must::Yes,
            "",
        ),
        SettingSpec::text("port", "Port", "port of the server", Must::No, "5432"),
        SettingSpec::text(
            "database",
            "Database",
            "the database to connect to; its schemas are read",
            Must::No,
            "postgres",
        ),
        SettingSpec::text(
            "username",
            "Sign in as",
            "role of the reading account; its password is the secret",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "ca_file",
            "Own CA",
            "PEM file with the CA of the server, trusted beside the system's",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "system",
            "System name",
            "the name of the system whose accounts these are, such as corp-db",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "timeout",
            "Timeout",
            "seconds to wait for one answer of the server, 1 to 600",
            Must::No,
            "30",
        ),
    ],
    secret: SecretNeed::Required,
    secret_label: "Password",
    reads: &[
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Session,
    ],
};

/// A configured server, without its password.
#[derive(Clone, Debug)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub username: String,
    pub ca_file: Option<PathBuf>,
    pub system: SystemName,
    pub timeout: Duration,
}

impl Server {
    /// `host:port`, for sentences.
    pub fn shown(&self) -> String {
        authority(&self.host, self.port)
    }

    /// Parses the settings; every value that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings) -> Result<Server, ConnectorError> {
        settings.validate(&DESCRIPTOR, &[])?;
        let text = |key: &str| settings.or_default(key, &DESCRIPTOR).trim().to_owned();
        let port = settings.port(&DESCRIPTOR)?;
        let system = settings.system(&DESCRIPTOR, "corp-db")?;
        Ok(Server {
            host: host_alone(&text("address"), &DESCRIPTOR)?,
            port,
            database: text("database"),
            username: text("username"),
            ca_file: settings.get("ca_file").map(PathBuf::from),
            system,
            timeout: settings.timeout(&DESCRIPTOR)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], says: &str) {
        let base = [("address", "h"), ("username", "lastkey"), ("system", "db")];
        let mut settings = Settings::default();
        for (key, value) in base.iter().chain(pairs) {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        match Server::from_settings(&settings) {
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
        check(&[("address", "::1")], "");
        check(&[("address", "[::1]")], "");
        check(&[("address", "h:5432")], "not the name of a server");
        check(&[("address", "me:pw@h")], "not the name of a server");
        check(&[("address", "postgres://h")], "not the name of a server");
        check(&[("port", "70000")], "not a port");
        check(&[("username", "")], "username");
        check(&[("system", "Corp DB")], "not a system name");
        check(&[("timeout", "0")], "not a timeout");
        check(&[("sslmode", "disable")], "not a setting");
    }
}
