//! The mark of a store that is being made. Whoever finds it without its maker knows that nothing
//! was ever in the store, and may begin anew instead of asking for a backup.

use crate::failure::Failure;
use crate::keys::sidecar_path;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Stands beside the store and is locked by its maker; the lock ends with the process.
pub(crate) struct Making {
    path: PathBuf,
    store: PathBuf,
    /// A store that somebody else put there is not ours to take away.
    was_there: bool,
    _locked: File,
}

impl Making {
    pub(crate) fn begin(store: &Path) -> Result<Making, Failure> {
        let path = beside(store, ".making");
        let was_there = store.exists();
        let failed = |error: std::io::Error| {
            Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
        };
        let file = File::create(&path).map_err(failed)?;
        // Where a file system knows no locks, the mark alone must do.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(being_made());
        }
        Ok(Making {
            path,
            store: store.to_owned(),
            was_there,
            _locked: file,
        })
    }

    /// Takes away what of the store was made before its making failed.
    pub(crate) fn clear_store(&self) {
        if self.was_there {
            return;
        }
        for path in store_files(&self.store) {
            let _absent_is_fine = std::fs::remove_file(path);
        }
    }

    /// The store is made, or nothing is left of it.
    pub(crate) fn done(self) {
        let _left_it_does_no_harm = std::fs::remove_file(&self.path);
    }
}

/// Takes away what a maker left that was killed before its store held anything.
pub(crate) fn clear_unfinished(store: &Path) -> Result<(), Failure> {
    let mark = beside(store, ".making");
    let Ok(file) = OpenOptions::new().write(true).open(&mark) else {
        return Ok(());
    };
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(being_made());
    }
    let empty = std::fs::metadata(store).map_or(true, |meta| meta.len() == 0);
    if empty {
        // The keys never locked anything up.
        for path in store_files(store) {
            let _absent_is_fine = std::fs::remove_file(path);
        }
        let _absent_is_fine = std::fs::remove_file(sidecar_path(store));
    }
    let _left_it_does_no_harm = std::fs::remove_file(mark);
    Ok(())
}

fn being_made() -> Failure {
    Failure::not_possible("another process is making this store just now")
        .hint("try again in a moment")
}

fn store_files(store: &Path) -> [PathBuf; 3] {
    [
        store.to_owned(),
        beside(store, "-wal"),
        beside(store, "-shm"),
    ]
}

fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_begun_is_cleared_and_what_holds_something_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("s.lastkey");
        for (content, stays) in [("", false), ("something", true)] {
            drop(Making::begin(&store).unwrap());
            std::fs::write(&store, content).unwrap();
            std::fs::write(sidecar_path(&store), "{}").unwrap();
            clear_unfinished(&store).unwrap();
            assert_eq!(store.exists(), stays, "{content}");
            assert_eq!(sidecar_path(&store).exists(), stays, "{content}");
            assert!(!beside(&store, ".making").exists());
        }
        // Without the mark, an empty store is one that lost its content.
        std::fs::write(&store, "").unwrap();
        clear_unfinished(&store).unwrap();
        assert!(store.exists());
        let _maker = Making::begin(&store).unwrap();
        assert!(clear_unfinished(&store).is_err(), "its maker is at work");
    }
}
