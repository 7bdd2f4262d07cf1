//! The list of connectors: the one place that names them all.

use crate::failure::Failure;
use lastkey_contract::{
    Connector, ConnectorError, Descriptor, ErrorKind, ProbeSpec, Prober, Script, Secret,
    SecretNeed, SettingSpec, Settings,
};
use lastkey_engine::collect::{CONSENT, OWN_SETTINGS, Rules};
use lastkey_engine::views::{OnlyWith, SettingView, SourceKindView};

type Configure = fn(&Settings, Option<Secret>) -> Result<Box<dyn Connector>, ConnectorError>;

/// One connector as the programs know it.
#[derive(Clone, Copy)]
struct Listed {
    descriptor: &'static Descriptor,
    configure: Configure,
    /// The least rights as texts for the system's own administrator.
    scripts: fn(&Settings) -> Vec<Script>,
    values: Values,
    /// How credentials can be tried, and what tries them.
    probes: &'static [ProbeSpec],
    prober: MakeProber,
}

type MakeProber = fn(&str, &Settings) -> Result<Box<dyn Prober>, ConnectorError>;

/// Whether a kind of system keeps values that can be reduced to fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    Kept,
    None,
}

fn all() -> [Listed; 9] {
    [
        Listed {
            descriptor: &lastkey_flat_files::DESCRIPTOR,
            configure: lastkey_flat_files::configure,
            // Files are readable or not: no rights to grant.
            scripts: |_| Vec::new(),
            values: Values::None,
            probes: &[],
            prober: no_prober,
        },
        Listed {
            descriptor: &lastkey_aws::DESCRIPTOR,
            configure: lastkey_aws::configure,
            scripts: lastkey_aws::scripts,
            values: Values::Kept,
            probes: &[],
            prober: no_prober,
        },
        Listed {
            descriptor: &lastkey_github::DESCRIPTOR,
            configure: lastkey_github::configure,
            scripts: lastkey_github::scripts,
            // Nobody is given the value of a secret.
            values: Values::None,
            probes: &[],
            prober: no_prober,
        },
        Listed {
            descriptor: &lastkey_kubernetes::DESCRIPTOR,
            configure: lastkey_kubernetes::configure,
            scripts: lastkey_kubernetes::scripts,
            values: Values::Kept,
            probes: &[],
            prober: no_prober,
        },
        Listed {
            descriptor: &lastkey_ldap::DESCRIPTOR,
            configure: lastkey_ldap::configure,
            scripts: lastkey_ldap::scripts,
            values: Values::None,
            probes: lastkey_ldap::PROBES,
            prober: lastkey_ldap::prober,
        },
        Listed {
            descriptor: &lastkey_postgresql::DESCRIPTOR,
            configure: lastkey_postgresql::configure,
            scripts: lastkey_postgresql::scripts,
            values: Values::None,
            probes: lastkey_postgresql::PROBES,
            prober: lastkey_postgresql::prober,
        },
        Listed {
            descriptor: &lastkey_ssh::DESCRIPTOR,
            configure: lastkey_ssh::configure,
            // Nothing is read, and there is no login to give rights to.
            scripts: |_| Vec::new(),
            values: Values::None,
            probes: lastkey_ssh::PROBES,
            prober: lastkey_ssh::prober,
        },
        Listed {
            descriptor: &lastkey_vault::DESCRIPTOR,
            configure: lastkey_vault::configure,
            scripts: lastkey_vault::scripts,
            values: Values::Kept,
            probes: lastkey_vault::PROBES,
            prober: lastkey_vault::prober,
        },
        Listed {
            descriptor: &lastkey_workstation::DESCRIPTOR,
            configure: lastkey_workstation::configure,
            // Files are readable or not: no rights to grant.
            scripts: |_| Vec::new(),
            values: Values::Kept,
            probes: &[],
            prober: no_prober,
        },
    ]
}

/// The kinds of source that can be added.
pub fn source_kinds() -> Vec<SourceKindView> {
    all()
        .into_iter()
        .map(|listed| kind_view(listed.descriptor, listed.values))
        .collect()
}

/// All descriptors.
pub(crate) fn descriptors() -> Vec<&'static Descriptor> {
    all().into_iter().map(|listed| listed.descriptor).collect()
}

/// The descriptor of a kind.
pub(crate) fn descriptor(kind: &str) -> Result<&'static Descriptor, Failure> {
    find(kind).map(|listed| listed.descriptor)
}

/// The ready texts of a kind for the system's own administrator.
pub(crate) fn scripts(kind: &str, settings: &Settings) -> Result<Vec<Script>, Failure> {
    Ok((find(kind)?.scripts)(&of_the_connector(settings)))
}

/// A configured connector.
pub(crate) fn configure(
    kind: &str,
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, Failure> {
    find(kind)?;
    Ok(try_configure(kind, settings, secret)?)
}

/// The same, with the connector's own error.
pub(crate) fn try_configure(
    kind: &str,
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    let listed = find(kind).map_err(|failure| {
        ConnectorError::new(ErrorKind::ConfigInvalid, kind, "configure", failure.message)
    })?;
    Rules::of(settings)?;
    (listed.configure)(&of_the_connector(settings), secret)
}

/// How credentials can be tried at a kind of system.
pub(crate) fn probe_specs(kind: &str) -> &'static [ProbeSpec] {
    find(kind).map_or(&[], |listed| listed.probes)
}

/// What tries credentials of a source in one of these ways; it never has the source's own.
pub(crate) fn prober(
    kind: &str,
    how: &str,
    settings: &Settings,
) -> Result<Box<dyn Prober>, Failure> {
    let mut settings = of_the_connector(settings);
    settings.0.remove(CONSENT);
    Ok((find(kind)?.prober)(how, &settings)?)
}

fn no_prober(how: &str, _: &Settings) -> Result<Box<dyn Prober>, ConnectorError> {
    Err(ConnectorError::new(
        ErrorKind::Unsupported,
        how,
        "probe",
        "no credential can be tried here",
    ))
}

fn of_the_connector(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.0.retain(|key, _| !Rules::owns(key));
    settings
}

fn find(kind: &str) -> Result<Listed, Failure> {
    all()
        .into_iter()
        .find(|listed| listed.descriptor.kind == kind)
        .ok_or_else(|| {
            let known: Vec<_> = descriptors().iter().map(|d| d.kind).collect();
            Failure::bad_input(format!("`{kind}` is not a kind of source"))
                .hint(format!("kinds: {}", known.join(", ")))
        })
}

/// What a person can choose for a setting, by the name of its key.
fn chooser(key: &str) -> &'static str {
    match key {
        "path" => "file_or_folder",
        _ if key.ends_with("_file") => "file",
        _ if key.ends_with("folder") || key.ends_with("_dir") => "folder",
        _ => "",
    }
}

/// A setting as forms show it; `part` says who reads it.
fn setting_view(spec: &SettingSpec, part: &str) -> SettingView {
    SettingView {
        key: spec.key.to_owned(),
        label: spec.label.to_owned(),
        help: spec.help.to_owned(),
        required: spec.required,
        default: spec.default.to_owned(),
        choices: spec.choices.iter().map(|c| (*c).to_owned()).collect(),
        chooser: chooser(spec.key).to_owned(),
        part: part.to_owned(),
        only_with: spec
            .only_with
            .iter()
            .map(|(key, value)| OnlyWith {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
    }
}

fn kind_view(descriptor: &Descriptor, values: Values) -> SourceKindView {
    let Descriptor {
        kind,
        title,
        summary,
        settings,
        secret,
        secret_label,
        reads,
    } = descriptor;
    SourceKindView {
        kind: (*kind).to_owned(),
        title: (*title).to_owned(),
        summary: (*summary).to_owned(),
        settings: settings
            .iter()
            .map(|spec| setting_view(spec, "system"))
            .chain(
                OWN_SETTINGS
                    .iter()
                    .map(|spec| setting_view(spec, "reading")),
            )
            .collect(),
        secret: match secret {
            SecretNeed::None => "none",
            SecretNeed::Optional => "optional",
            SecretNeed::Required => "required",
        }
        .to_owned(),
        secret_label: (*secret_label).to_owned(),
        reads: reads.iter().map(|kind| kind.plural().to_owned()).collect(),
        keeps_values: values == Values::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_keeps_values_where_its_connector_can_read_them() {
        for listed in all() {
            // A cluster is named by its address, or by a file.
            let kind = listed.descriptor.kind;
            let needed = |key: &str| (kind, key) == ("kubernetes", "address");
            let settings = listed.descriptor.settings.iter();
            let pairs = settings.filter(|s| s.required || needed(s.key));
            let pairs = pairs.map(|s| {
                let value = match s.key {
                    "address" if matches!(listed.descriptor.kind, "kubernetes" | "vault") => {
                        "https://h"
                    }
                    "access_key_id" => "AKIAIOSFODNN7EXAMPLE",
                    "regions" => "eu-west-1",
                    "url" => "ldaps://h",
                    "path" => "/",
                    "base_dn" => "dc=x",
                    "host_key" => "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
                    "username" if listed.descriptor.kind == "vault" => "",
                    _ => "x",
                };
                (s.key.to_owned(), value.to_owned())
            });
            let settings = Settings(pairs.filter(|(_, value)| !value.is_empty()).collect());
            let needs = listed.descriptor.secret != SecretNeed::None;
            let secret = needs.then(|| Secret::new("a secret".to_owned()));
            let connector = (listed.configure)(&settings, secret).expect("it can be configured");
            let said = listed.values == Values::Kept;
            assert_eq!(connector.value_reader(None).is_some(), said, "{kind}");
        }
    }
}
