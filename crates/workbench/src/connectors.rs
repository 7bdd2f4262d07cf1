//! The list of connectors: the one place that names them all.

use crate::failure::Failure;
use lastkey_contract::{Connector, ConnectorError, Descriptor, Secret, SecretNeed, Settings};
use lastkey_engine::collect::Rules;
use lastkey_engine::views::{SettingView, SourceKindView};

type Configure = fn(&Settings, Option<Secret>) -> Result<Box<dyn Connector>, ConnectorError>;

fn all() -> [(&'static Descriptor, Configure); 3] {
    [
        (
            &lastkey_flat_files::DESCRIPTOR,
            lastkey_flat_files::configure,
        ),
        (&lastkey_ldap::DESCRIPTOR, lastkey_ldap::configure),
        (&lastkey_vault::DESCRIPTOR, lastkey_vault::configure),
    ]
}

/// The kinds of source that can be added.
pub fn source_kinds() -> Vec<SourceKindView> {
    all().into_iter().map(|(d, _)| kind_view(d)).collect()
}

/// All descriptors.
pub(crate) fn descriptors() -> Vec<&'static Descriptor> {
    all()
        .into_iter()
        .map(|(descriptor, _)| descriptor)
        .collect()
}

/// The descriptor of a kind.
pub(crate) fn descriptor(kind: &str) -> Result<&'static Descriptor, Failure> {
    find(kind).map(|(descriptor, _)| descriptor)
}

/// A configured connector.
pub(crate) fn configure(
    kind: &str,
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, Failure> {
    let (_, configure) = find(kind)?;
    let mut settings = settings.clone();
    Rules::of(&settings)?;
    settings.0.retain(|key, _| !Rules::owns(key));
    Ok(configure(&settings, secret)?)
}

fn find(kind: &str) -> Result<(&'static Descriptor, Configure), Failure> {
    all()
        .into_iter()
        .find(|(descriptor, _)| descriptor.kind == kind)
        .ok_or_else(|| {
            let known: Vec<_> = all().iter().map(|(d, _)| d.kind).collect();
            Failure::bad_input(format!("`{kind}` is not a kind of source"))
                .hint(format!("kinds: {}", known.join(", ")))
        })
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
            .map(|s| SettingView {
                key: s.key.to_owned(),
                label: s.label.to_owned(),
                help: s.help.to_owned(),
                required: s.required,
                default: s.default.to_owned(),
                choices: s.choices.iter().map(|c| (*c).to_owned()).collect(),
            })
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
