//! `<store>.keys`: what must be known before the store can be opened. It holds no secret.

use super::key_file::Wrapped;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file beside the store.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sidecar {
    pub version: u32,
    pub store_id: String,
    pub kept_in: KeptIn,
}

/// Where the root key is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptIn {
    Keychain,
    KeyFile(Wrapped),
}

/// Where the file stands.
pub fn sidecar_path(store_path: &Path) -> PathBuf {
    let mut name = store_path.as_os_str().to_owned();
    name.push(".keys");
    PathBuf::from(name)
}

impl Sidecar {
    pub(super) fn read(store_path: &Path) -> Result<Sidecar, Failure> {
        let path = sidecar_path(store_path);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::key(format!("`{}` cannot be read: {error}", path.display())).hint(
                "the file stands beside the store and belongs to it: put it back from a backup",
            )
        })?;
        let sidecar: Sidecar = serde_json::from_str(&text).map_err(|_| {
            Failure::key(format!("`{}` is damaged", path.display()))
                .hint("put it back from a backup of the store")
        })?;
        if sidecar.version != 1 {
            return Err(
                Failure::key(format!("`{}` was made by a newer version", path.display()))
                    .hint("open the store with that version of Lastkey"),
            );
        }
        Ok(sidecar)
    }

    /// Written whole or not at all; an existing file is never replaced.
    pub(super) fn write(&self, store_path: &Path) -> Result<(), Failure> {
        let path = sidecar_path(store_path);
        let failed = |error: std::io::Error| {
            Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
        };
        let text = serde_json::to_string_pretty(self)
            .map_err(|_| Failure::not_possible("the file of keys could not be written"))?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&path).map_err(failed)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            drop(file);
            let _half_a_file_is_of_no_use = std::fs::remove_file(&path);
            return Err(failed(error));
        }
        Ok(())
    }
}
