//! Settings of a source as plain data, so that window and terminal can ask for them.

use crate::error::{ConnectorError, ErrorKind};
use crate::ids::SystemName;
use crate::kind::Kind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One setting a connector understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingSpec {
    /// The key of `--set key=value`.
    pub key: &'static str,
    /// What a form shows beside the field.
    pub label: &'static str,
    /// One sentence: meaning, unit, default.
    pub help: &'static str,
    pub required: bool,
    /// The value that counts where none is given; empty where there is none.
    pub default: &'static str,
    /// The allowed words, where the set is closed.
    pub choices: &'static [&'static str],
    /// The setting has a meaning only where another has one of these values; always where empty.
    pub only_with: &'static [(&'static str, &'static str)],
}

/// Whether a setting must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Must {
    Yes,
    No,
}

impl SettingSpec {
    /// A setting that takes any text and always has a meaning.
    pub const fn text(
        key: &'static str,
        label: &'static str,
        help: &'static str,
        must: Must,
        default: &'static str,
    ) -> SettingSpec {
        SettingSpec {
            key,
            label,
            help,
            required: matches!(must, Must::Yes),
            default,
            choices: &[],
            only_with: &[],
        }
    }

    /// Whether it has a meaning beside these settings. Where one is not given, its default counts.
    pub fn matters(&self, settings: &Settings, descriptor: &Descriptor) -> bool {
        self.only_with.is_empty()
            || self.only_with.iter().any(|(key, value)| {
                let default = descriptor.settings.iter().find(|s| s.key == *key);
                settings.get(key).or(default.map(|s| s.default)) == Some(*value)
            })
    }
}

/// Whether a source needs a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretNeed {
    None,
    Optional,
    Required,
}

/// What a connector is, before anything is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Descriptor {
    /// The word of `lastkey source add KIND`.
    pub kind: &'static str,
    pub title: &'static str,
    /// One sentence for the list of kinds.
    pub summary: &'static str,
    pub settings: &'static [SettingSpec],
    pub secret: SecretNeed,
    /// What the secret is called in forms: "Password".
    pub secret_label: &'static str,
    pub reads: &'static [Kind],
}

impl Descriptor {
    /// A setting that cannot count, with what to write instead.
    pub fn invalid(&self, message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
        ConnectorError::new(ErrorKind::ConfigInvalid, self.kind, "configure", message).hint(hint)
    }

    /// The parts of a source that a setting leaves out, by their words, parted by commas.
    pub fn left_out<P: Copy + Ord>(
        &self,
        text: &str,
        all: &[P],
        word: impl Fn(P) -> &'static str,
    ) -> Result<BTreeSet<P>, ConnectorError> {
        let of = |named: &str| {
            let part = all.iter().copied().find(|part| word(*part) == named);
            part.ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|part| word(*part)).collect();
                self.invalid(
                    format!("`{named}` is not a part that can be left out"),
                    format!("parts: {}", known.join(", ")),
                )
            })
        };
        listed(text).map(of).collect()
    }
}

/// The words of a setting that is a list, parted by commas.
pub fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// A ready text for the system's own administrator: the least rights that reading needs, as
/// the system takes them in. Made from the settings; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Script {
    /// What it does, in a few words: "Least rights for reading".
    pub title: String,
    /// How it is used: "run with ldapmodify", "save as lastkey.hcl".
    pub usage: String,
    /// The file name to save it under: `lastkey-reader.ldif`.
    pub file_name: String,
    pub text: String,
}

/// An address as it may be shown: a name and password that somebody wrote into it are hidden.
pub fn shown_address(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}(hidden)@{host}"),
        None => address.to_owned(),
    }
}

/// The settings of one source: text by key. Never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<String, String>);

impl Settings {
    /// The value of a key, if it is there and not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// The value of a key as it was given, or its default.
    pub fn or_default(&self, key: &str, descriptor: &Descriptor) -> String {
        let default = descriptor.settings.iter().find(|s| s.key == key);
        self.get(key)
            .or(default.map(|s| s.default))
            .unwrap_or_default()
            .to_owned()
    }

    /// The setting `timeout`: whole seconds from 1 to 600.
    pub fn timeout(&self, descriptor: &Descriptor) -> Result<Duration, ConnectorError> {
        let seconds = self.or_default("timeout", descriptor);
        seconds
            .trim()
            .parse::<u64>()
            .ok()
            .filter(|s| (1..=600).contains(s))
            .map(Duration::from_secs)
            .ok_or_else(|| {
                descriptor.invalid(
                    format!("`{seconds}` is not a timeout"),
                    "give whole seconds from 1 to 600",
                )
            })
    }

    /// The setting `system`: a well-formed name; `example` is one for the hint.
    pub fn system(
        &self,
        descriptor: &Descriptor,
        example: &str,
    ) -> Result<SystemName, ConnectorError> {
        let system = self.or_default("system", descriptor);
        let system = system.trim();
        match SystemName::is_well_formed(system) {
            true => Ok(SystemName::new(system)),
            false => Err(descriptor.invalid(
                format!("`{system}` is not a system name"),
                format!("use small letters, digits, `.`, `_` and `-`: {example}"),
            )),
        }
    }

    /// The setting `port`.
    pub fn port(&self, descriptor: &Descriptor) -> Result<u16, ConnectorError> {
        let port = self.or_default("port", descriptor);
        let port = port.trim();
        match port.parse::<u16>().ok().filter(|port| *port > 0) {
            Some(port) => Ok(port),
            None => Err(descriptor.invalid(
                format!("`{port}` is not a port"),
                "give a number from 1 to 65535",
            )),
        }
    }

    /// Keys and required values against the descriptor; also refuses a value outside a closed set.
    /// `prefixes` are keys that stand for a family, such as `map.`.
    pub fn validate(
        &self,
        descriptor: &Descriptor,
        prefixes: &[&str],
    ) -> Result<(), ConnectorError> {
        let invalid = |message: String, hint: String| descriptor.invalid(message, hint);
        for (key, value) in &self.0 {
            let family = prefixes.iter().any(|p| key.starts_with(p));
            match descriptor.settings.iter().find(|s| s.key == key) {
                None if !family => {
                    let known: Vec<_> = descriptor.settings.iter().map(|s| s.key).collect();
                    return Err(invalid(
                        format!("`{key}` is not a setting of {}", descriptor.kind),
                        format!("known settings: {}", known.join(", ")),
                    ));
                }
                Some(spec)
                    if !spec.choices.is_empty()
                        && !value.is_empty()
                        && !spec.choices.contains(&value.as_str()) =>
                {
                    return Err(invalid(
                        format!("`{value}` is not allowed for `{key}`"),
                        format!("allowed: {}", spec.choices.join(", ")),
                    ));
                }
                Some(_) | None => {}
            }
        }
        match descriptor
            .settings
            .iter()
            .find(|s| s.required && self.get(s.key).is_none() && s.matters(self, descriptor))
        {
            Some(spec) => Err(invalid(
                format!("`{}` is missing", spec.key),
                format!("give it with --set {}=…: {}", spec.key, spec.help),
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shown_address;

    #[test]
    fn a_login_in_an_address_is_not_shown() {
        for (written, shown) in [
            ("ldaps://dir.example.org:636", "ldaps://dir.example.org:636"),
            (
                "ldaps://cn=x:p4ss@w0rd@host:636",
                "ldaps://(hidden)@host:636",
            ),
            ("https://user:p/4?#ss@host/", "https://(hidden)@host/"),
            ("user:pass@host", "(hidden)@host"),
            ("", ""),
        ] {
            assert_eq!(shown_address(written), shown);
        }
    }
}
