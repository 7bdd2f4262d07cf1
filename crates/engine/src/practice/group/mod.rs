//! The large practice estate: a group of a million identities around the small company.
//!
//! The small company's files stand in it unchanged, with every planted defect. The group around
//! it has systems of its own and is meant to be in order: its leavers' accounts are disabled, its
//! credentials rotated, its machines owned, and its offboarding plan holds its limits.
//!
//! Nothing is kept: every row is a function of its number, so that files are written as they are
//! made, whatever their size, and the same bytes each time. Pure: the writer is handed in.

mod claims;
mod directory;
mod extent;
mod federated;
mod local;
mod machines;
mod memberships;
mod mix;
mod people;
mod sheet;

mod third_parties;

#[cfg(test)]
mod tests;

pub(super) use extent::Extent;

use super::sources::EstateSource;
use sheet::Sheet;
use std::collections::BTreeMap;
use std::io;

type Rows = fn(&Extent, &mut Sheet<'_>) -> io::Result<()>;

/// A file that is too large to be kept as text: it is written row by row.
#[derive(Clone, Debug)]
pub struct StreamedFile {
    /// Path within the folder of the estate.
    pub path: &'static str,
    /// Rows without the header.
    pub rows: u64,
    columns: &'static str,
    extent: Extent,
    make: Rows,
}

impl StreamedFile {
    /// Writes the whole file: RFC 4180, as the small company's files are.
    pub fn write_to(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let mut sheet = Sheet::new(out, self.columns);
        (self.make)(&self.extent, &mut sheet)?;
        sheet.end()
    }
}

/// The folders of the group, each a source, in the order in which they are best read.
const FOLDERS: [(&str, &str); 10] = [
    (
        "group-hr",
        "source of truth for the group's people: one roster, leavers stay in it",
    ),
    (
        "group-vendors",
        "source of truth for the group's vendors and their people",
    ),
    (
        "group-registry",
        "source of truth for the group's workloads and agents, and who owns them",
    ),
    (
        "group-ad",
        "the group's directory: people, administrators, service accounts, groups in six levels",
    ),
    (
        "group-cloud",
        "the group's cloud: roles, access keys, sign-in through the directory",
    ),
    (
        "group-code-host",
        "the group's code host: teams and agents, sign-in through the directory",
    ),
    (
        "group-mainframe",
        "the group's mainframe: accounts and passwords of its own",
    ),
    (
        "group-erp",
        "the group's business software: single and composite roles, accounts of its own",
    ),
    (
        "group-vault",
        "places where the group's secrets stand, and who can read them",
    ),
    (
        "group-provisioning",
        "what the group's provisioning process claims to have done",
    ),
];

/// How the files are added as sources.
pub(super) fn sources() -> Vec<EstateSource> {
    FOLDERS
        .into_iter()
        .map(|(name, why)| EstateSource {
            name,
            kind: "flat-files",
            settings: BTreeMap::from([("path".to_owned(), name.to_owned())]),
            series: false,
            why,
        })
        .collect()
}

/// The group's part of the offboarding plan.
pub(super) const PLAN: &str = include_str!("plan.toml");

/// Every file of the group, sorted by path.
pub(super) fn files(extent: Extent) -> Vec<StreamedFile> {
    let mut files: Vec<StreamedFile> = [
        people::files(&extent),
        third_parties::files(&extent),
        machines::files(&extent),
        directory::files(&extent),
        memberships::files(&extent),
        federated::files(&extent),
        local::files(&extent),
        claims::files(&extent),
    ]
    .into_iter()
    .flatten()
    .map(|(path, rows, columns, make)| StreamedFile {
        path,
        rows,
        columns,
        extent,
        make,
    })
    .collect();
    files.sort_by_key(|file| file.path);
    files
}

/// Path, rows, header and how the rows are made.
type File = (&'static str, u64, &'static str, Rows);
