//! How the files of the estate are added as sources.

use std::collections::BTreeMap;

/// A source to add. Paths in the settings are relative to the folder of the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstateSource {
    pub name: &'static str,
    pub kind: &'static str,
    pub settings: BTreeMap<String, String>,
    /// Whether the folder is a series of dated rosters.
    pub series: bool,
    /// What the source is and why it is there.
    pub why: &'static str,
}

pub(super) fn sources() -> Vec<EstateSource> {
    [
        (
            "hr",
            true,
            "source of truth for people: fourteen monthly rosters",
        ),
        (
            "vendor-register",
            false,
            "source of truth for vendors, their contracts and their people",
        ),
        (
            "workload-registry",
            false,
            "source of truth for workloads and agents, and who owns them",
        ),
        (
            "corp-ad",
            false,
            "directory: people, administrators, service accounts, nested groups",
        ),
        (
            "vault",
            false,
            "places where secrets stand, and who can read them",
        ),
        (
            "cloud",
            false,
            "cloud account: roles, access keys, sign-in through the directory",
        ),
        (
            "code-host",
            false,
            "code host: teams, pipelines, tokens, agents",
        ),
        (
            "ledger-db",
            false,
            "database: local accounts of people and workloads",
        ),
        (
            "provisioning",
            false,
            "what the provisioning process claims to have done",
        ),
    ]
    .into_iter()
    .map(|(name, series, why)| EstateSource {
        name,
        kind: "flat-files",
        settings: BTreeMap::from([("path".to_owned(), name.to_owned())]),
        series,
        why,
    })
    .collect()
}
