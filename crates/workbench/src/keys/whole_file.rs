//! Small files that are written whole or not at all, readable by their owner only.

use crate::failure::Failure;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The path with a few letters behind it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Puts the content in the file's place, whole: a kill leaves the old file or the new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::not_possible(format!("`{}` cannot be written: {error}", path.display()))
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let temporary = beside(path, ".new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&temporary, path)
    });
    if let Err(error) = written {
        let _half_a_file_is_of_no_use = std::fs::remove_file(&temporary);
        return Err(failed(error));
    }
    flush_folder(path);
    Ok(())
}

/// Renames, and makes the renaming last.
pub(crate) fn put_in_place(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::rename(from, to).map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be written: {error}", to.display()))
    })?;
    flush_folder(to);
    Ok(())
}

/// An absent file is fine.
pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::not_possible(format!(
            "`{}` cannot be removed: {error}",
            path.display()
        ))),
    }
}

/// Names last once their folder is written. Not every system can do this for a folder, and
/// where it cannot the rename is as good as it gets.
fn flush_folder(path: &Path) {
    if let Some(folder) = path.parent()
        && let Ok(folder) = std::fs::File::open(folder)
    {
        let _best_effort = folder.sync_all();
    }
}
