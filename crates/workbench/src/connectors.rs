//! The list of connectors: the one place that names them all.

use crate::failure::Failure;
use lastkey_contract::{
    Connector, ConnectorError, Descriptor, ErrorKind, Script, Secret, SecretNeed, SettingSpec,
    Settings,
};
use lastkey_engine::collect::{OWN_SETTINGS, Rules};
use lastkey_engine::views::{SettingView, SourceKindView};

type Configure = fn(&Settings, Option<Secret>) -> Result<Box<dyn Connector>, ConnectorError>;

/// One connector as the programs know it.
#[derive(Clone, Copy)]
struct Listed {
    descriptor: &'static Descriptor,
    configure: Configure,
    /// The least rights as texts for the system's own administrator.
    scripts: fn(&Settings) -> Vec<Script>,
}

fn all() -> [Listed; 3] {
    [
        Listed {
            descriptor: &lastkey_flat_files::DESCRIPTOR,
            configure: lastkey_flat_files::configure,
            // Files are readable or not: no rights to grant.
            scripts: |_| Vec::new(),
        },
        Listed {
            descriptor: &lastkey_ldap::DESCRIPTOR,
            configure: lastkey_ldap::configure,
            scripts: lastkey_ldap::scripts,
        },
        Listed {
            descriptor: &lastkey_vault::DESCRIPTOR,
            configure: lastkey_vault::configure,
            scripts: lastkey_vault::scripts,
        },
    ]
}

/// The kinds of source that can be added.
pub fn source_kinds() -> Vec<SourceKindView> {
    descriptors().into_iter().map(kind_view).collect()
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
    }
}

fn kind_view(descriptor: &Descriptor) -> SourceKindView {
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
    }
}
