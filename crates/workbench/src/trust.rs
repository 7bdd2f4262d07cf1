//! Whose signatures this person trusts: fingerprints of public keys, one a line, with a name.
//!
//! Exporting enrols one's own key, so that `verify` on the same workstation knows it.
//! Verifying needs no store: the list stands in the settings folder and is not secret.

use crate::failure::Failure;
use crate::places::settings_folder;
use std::path::PathBuf;

/// The fingerprints on the list; empty where there is none.
pub(crate) fn trusted() -> Vec<String> {
    file()
        .and_then(|path| std::fs::read_to_string(path).ok())
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| !word.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Puts a fingerprint on the list, once.
pub(crate) fn enrol(fingerprint: &str, name: &str) -> Result<(), Failure> {
    if trusted().iter().any(|known| known == fingerprint) {
        return Ok(());
    }
    let path = file().ok_or_else(|| {
        Failure::not_possible("this system names no folder for the list of trusted signers")
    })?;
    let failed = |error: std::io::Error| {
        Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut list = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(failed)?;
    std::io::Write::write_all(&mut list, format!("{fingerprint} {name}\n").as_bytes())
        .map_err(failed)
}

fn file() -> Option<PathBuf> {
    settings_folder().map(|folder| folder.join("trusted-signers"))
}
