//! Settings of a server, parsed once into a [`Server`].

use crate::error::config;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use lastkey_contract::{ConnectorError, Descriptor, Must, SecretNeed, SettingSpec, Settings};
use lastkey_tls::{authority, host_alone};
use std::time::Duration;

/// What the connector is, for forms and `lastkey source add`.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "ssh",
    title: "SSH server",
    summary: "A server whose keys can be tried; nothing is read from it.",
    settings: &[
        SettingSpec::text(
            "address",
            "Address",
            "name or IP address of the server",
            Must::Yes,
            "",
        ),
        SettingSpec::text("port", "Port", "port of the SSH server", Must::No, "22"),
        SettingSpec::text(
            "host_key",
            "Host key",
            "SHA-256 fingerprint of the server's host key, as `ssh-keygen -lf` shows it: SHA256:…",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "system",
            "System name",
            "the name of the system whose accounts these are, such as web-1",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "timeout",
            "Timeout",
            "seconds to wait for the server, 1 to 600",
            Must::No,
            "10",
        ),
    ],
    secret: SecretNeed::None,
    secret_label: "",
    reads: &[],
};

/// A configured server.
#[derive(Clone, Debug)]
pub struct Server {
    pub host: String,
    pub port: u16,
    /// `SHA256:` and base64 without padding, as OpenSSH writes it.
    pub host_key: String,
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
        settings.system(&DESCRIPTOR, "web-1")?;
        let host_key = text("host_key");
        let digest = host_key
            .strip_prefix("SHA256:")
            .map(|digest| digest.trim_end_matches('='));
        let whole = digest.and_then(|digest| STANDARD_NO_PAD.decode(digest).ok());
        let (Some(digest), Some(32)) = (digest, whole.map(|bytes| bytes.len())) else {
            return Err(config(
                format!("`{host_key}` is not the SHA-256 fingerprint of a host key"),
                "take it from the server itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
            ));
        };
        Ok(Server {
            host: host_alone(&text("address"), &DESCRIPTOR)?,
            port,
            host_key: format!("SHA256:{digest}"),
            timeout: settings.timeout(&DESCRIPTOR)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

    #[track_caller]
    fn check(pairs: &[(&str, &str)], says: &str) {
        let base = [("address", "h"), ("host_key", KEY), ("system", "web-1")];
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
        check(&[("address", "h:22")], "not the name of a server");
        check(&[("address", "ssh://h")], "not the name of a server");
        check(&[("address", "me@h")], "not the name of a server");
        check(&[("port", "0")], "not a port");
        check(&[("host_key", "")], "host_key");
        check(&[("host_key", "SHA256:abc")], "not the SHA-256 fingerprint");
        check(
            &[(
                "host_key",
                "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            )],
            "not the SHA-256 fingerprint",
        );
        check(&[("system", "Web 1")], "not a system name");
        check(&[("timeout", "0")], "not a timeout");
        check(&[("strict", "no")], "not a setting");
    }
}
