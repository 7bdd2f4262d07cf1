//! Settings of a scan, parsed once at the edge.

use crate::error::config;
use ignore::overrides::{Override, OverrideBuilder};
use lastkey_contract::{
    ConnectorError, Descriptor, Kind, Must, SecretNeed, SettingSpec, Settings, SystemName,
};
use std::path::{Path, PathBuf};

/// A setting with a closed set of words.
const fn choice(
    key: &'static str,
    label: &'static str,
    help: &'static str,
    default: &'static str,
    choices: &'static [&'static str],
) -> SettingSpec {
    SettingSpec {
        key,
        label,
        help,
        required: false,
        default,
        choices,
        only_with: &[],
    }
}

/// What a workstation scan is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "workstation",
    title: "Workstation scan",
    summary: "Places in files where credentials stand: a home folder, a repository or a server tree, with who can read them. Values are looked at in memory and kept nowhere.",
    settings: &[
        SettingSpec::text(
            "folder",
            "Folder",
            "the top of what is scanned: a home folder, a repository, a server tree",
            Must::Yes,
            "",
        ),
        SettingSpec::text(
            "system",
            "System name",
            "what this machine is called here: ws-ann",
            Must::Yes,
            "",
        ),
        choice(
            "scan",
            "What to scan",
            "home: caches, downloads of package managers and the bin are left out, and that is said; tree: everything (home if not said)",
            "home",
            &["home", "tree"],
        ),
        choice(
            "gitignore",
            "Leave out what .gitignore names",
            "no: read all the same, since .env files are mostly ignored; yes: leave it out (no if not said)",
            "no",
            &["no", "yes"],
        ),
        SettingSpec::text(
            "largest_mib",
            "Largest file",
            "in MiB, from 1 to 4096: a larger file is skipped, and the read is not complete (256 if not said)",
            Must::No,
            "256",
        ),
        SettingSpec::text(
            "exclude",
            "Left out",
            "patterns as in .gitignore with commas between them: *.log, build/",
            Must::No,
            "",
        ),
        SettingSpec::text(
            "accounts_folder",
            "Folder with passwd and group",
            "where the accounts of the machine are listed; of a server tree mounted here, its own etc (/etc if not said)",
            Must::No,
            "/etc",
        ),
        SettingSpec::text(
            "aws_system",
            "System name of the AWS account",
            "so that an access key that stands here is the one that AWS lists, by its id; without it the key is told here",
            Must::No,
            "",
        ),
    ],
    secret: SecretNeed::None,
    secret_label: "",
    reads: &[
        Kind::Account,
        Kind::Entitlement,
        Kind::Grant,
        Kind::Credential,
        Kind::Location,
        Kind::Reader,
    ],
};

/// What of a folder is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Without caches, packages and the bin.
    Home,
    Tree,
}

/// Whether what `.gitignore` names is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    Read,
    LeftOut,
}

/// A configured scan.
#[derive(Clone, Debug)]
pub struct Scan {
    pub folder: PathBuf,
    /// How the place is called in errors: the last part of the path.
    pub shown: String,
    pub system: SystemName,
    pub scope: Scope,
    pub ignored: Ignored,
    /// In bytes.
    pub largest: u64,
    pub exclude: Vec<String>,
    pub accounts: PathBuf,
    pub aws: Option<SystemName>,
}

impl Scan {
    /// Parses the settings; every value that cannot count is an error with what to write instead.
    pub fn from_settings(settings: &Settings) -> Result<Scan, ConnectorError> {
        settings.validate(&DESCRIPTOR, &[])?;
        let text = |key: &str| settings.or_default(key, &DESCRIPTOR).trim().to_owned();
        let folder = PathBuf::from(text("folder"));
        let shown = folder.file_name().unwrap_or(folder.as_os_str());
        let shown = shown.to_string_lossy().into_owned();
        let mib = text("largest_mib");
        let Some(largest) = mib.parse::<u64>().ok().filter(|n| (1..=4096).contains(n)) else {
            return Err(config(
                format!("`{mib}` is not a size"),
                "give whole MiB from 1 to 4096",
            ));
        };
        let exclude: Vec<String> = text("exclude")
            .split(',')
            .map(|pattern| pattern.trim().to_owned())
            .filter(|pattern| !pattern.is_empty())
            .collect();
        let scan = Scan {
            folder,
            shown,
            system: name(&text("system"))?,
            scope: match text("scan").as_str() {
                "tree" => Scope::Tree,
                _ => Scope::Home,
            },
            ignored: match text("gitignore").as_str() {
                "yes" => Ignored::LeftOut,
                _ => Ignored::Read,
            },
            largest: largest * 1024 * 1024,
            exclude,
            accounts: PathBuf::from(text("accounts_folder")),
            aws: Some(text("aws_system"))
                .filter(|given| !given.is_empty())
                .map(|given| name(&given))
                .transpose()?,
        };
        scan.left_out(&scan.folder)?;
        Ok(scan)
    }

    /// The patterns of what is left out below the top.
    pub fn left_out(&self, top: &Path) -> Result<Override, ConnectorError> {
        let mut patterns = OverrideBuilder::new(top);
        for pattern in &self.exclude {
            // Here a pattern without `!` would be what alone is read.
            let added = match pattern.starts_with('!') {
                true => None,
                false => patterns.add(&format!("!{pattern}")).ok(),
            };
            if added.is_none() {
                return Err(odd_pattern(pattern));
            }
        }
        patterns
            .build()
            .map_err(|_| odd_pattern(&self.exclude.join(", ")))
    }
}

fn odd_pattern(pattern: &str) -> ConnectorError {
    config(
        format!("`{pattern}` is not a pattern"),
        "write it as in .gitignore, without `!`: *.log, build/",
    )
}

fn name(text: &str) -> Result<SystemName, ConnectorError> {
    match SystemName::is_well_formed(text) {
        true => Ok(SystemName::new(text)),
        false => Err(config(
            format!("`{text}` is not a system name"),
            "use small letters, digits, `.`, `_` and `-`: ws-ann",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], says: &str) {
        let base = [("folder", "/home/ann"), ("system", "ws-ann")];
        let mut settings = Settings::default();
        for (key, value) in base.iter().chain(pairs) {
            settings.0.insert((*key).to_owned(), (*value).to_owned());
        }
        match Scan::from_settings(&settings) {
            Ok(_) => assert_eq!(says, "", "{pairs:?} was taken"),
            Err(error) => {
                let fits = !says.is_empty() && error.message.contains(says);
                assert!(fits, "{pairs:?}: {error}");
                assert!(error.hint.is_some());
            }
        }
    }

    #[test]
    fn settings_that_would_confuse_are_refused() {
        check(&[], "");
        check(&[("exclude", "*.log, build/,,")], "");
        check(&[("aws_system", "corp-aws"), ("scan", "tree")], "");
        check(&[("folder", "")], "folder");
        check(&[("system", "Ann's")], "not a system name");
        check(&[("aws_system", "AWS")], "not a system name");
        check(&[("scan", "all")], "not allowed");
        check(&[("gitignore", "maybe")], "not allowed");
        check(&[("largest_mib", "0")], "not a size");
        check(&[("largest_mib", "5 MB")], "not a size");
        check(&[("exclude", "a[")], "not a pattern");
        check(&[("exclude", "!a")], "not a pattern");
        check(&[("path", "/x")], "not a setting");
    }
}
