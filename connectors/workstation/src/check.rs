//! The check: that the top and the lists of accounts are there, and what a scan of them is worth.

use crate::error::{config, unreadable};
use crate::people::People;
use crate::settings::{Ignored, Scan, Scope};
use lastkey_contract::{CheckReport, ConnectorError};
use std::path::PathBuf;

/// The top itself, no link, if it can be listed.
pub fn top(scan: &Scan) -> Result<PathBuf, ConnectorError> {
    let failed = |error| unreadable(&scan.shown, "open the folder", &scan.shown, &error);
    let top = std::fs::canonicalize(&scan.folder).map_err(failed)?;
    if !std::fs::metadata(&top).map_err(failed)?.is_dir() {
        return Err(config(
            format!("`{}` is not a folder", scan.shown),
            "give the folder whose files are looked through",
        ));
    }
    std::fs::read_dir(&top).map_err(failed)?;
    Ok(top)
}

/// Looks, and changes nothing.
pub fn look(scan: &Scan) -> Result<CheckReport, ConnectorError> {
    let top = top(scan)?;
    let people = People::of(&scan.accounts, &scan.shown)?;
    let mut remarks = vec![
        "a file that this user may not read is skipped, and the read is then not complete"
            .to_owned(),
        format!(
            "{} accounts are listed on this machine; those of a directory are told by their numbers",
            people.accounts.len()
        ),
    ];
    if scan.scope == Scope::Home {
        remarks.push(
            "caches, packages of others and the bin are left out; `scan=tree` reads them"
                .to_owned(),
        );
    }
    let mut warnings = Vec::new();
    if scan.ignored == Ignored::LeftOut {
        warnings.push(
            "what .gitignore names is left out, and that is where secrets mostly lie".to_owned(),
        );
    }
    if top.parent().is_none() && scan.scope == Scope::Home {
        warnings.push(
            "the folder is the top of the machine, and no home folder: say scan=tree".to_owned(),
        );
    }
    Ok(CheckReport {
        signed_in_as: None,
        server: None,
        missing_rights: Vec::new(),
        excess_rights: Vec::new(),
        // Files say what may be read only when they are read.
        rights_known: false,
        warnings,
        remarks,
    })
}
