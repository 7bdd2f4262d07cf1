//! Files beside a package while it is written.
//!
//! Only their owner may read them: a package is a map of everything worth attacking. A writer
//! that is killed cannot take its own away, so whoever next writes to the same target does:
//! each file is locked by its writer, and the system lets go of the lock of one that has ended.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A file beside the target; removed when dropped, unless it became the target.
pub struct Part {
    path: PathBuf,
    keep: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.keep {
            // nothing more can be done about a file that cannot be removed
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Part {
    /// A new file beside the target, after those that killed writers left there are gone.
    pub fn beside(target: &Path, what: &str) -> io::Result<(Part, File)> {
        let name = target
            .file_name()
            .ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
        remove_abandoned(target, name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut attempt = 0;
        loop {
            let mut own = beginning(name);
            own.push(format!("{}-{attempt}.{what}{ENDING}", std::process::id()));
            let path = target.with_file_name(own);
            match options.open(&path) {
                Ok(file) => {
                    let part = Part { path, keep: false };
                    // Where a file system knows no locks, nobody takes the file for abandoned.
                    let _ = file.try_lock();
                    // Between its making and its lock another writer may have taken it for
                    // abandoned.
                    if part.path.exists() {
                        return Ok((part, file));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            attempt += 1;
            if attempt > 100 {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
        }
    }

    /// Moves the file to its name, over what stood there.
    pub fn become_target(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.keep = true;
        Ok(())
    }
}

const ENDING: &str = ".part";

/// `.package.zip.`: what the names of all parts of one target begin with.
fn beginning(name: &OsStr) -> std::ffi::OsString {
    let mut beginning = std::ffi::OsString::from(".");
    beginning.push(name);
    beginning.push(".");
    beginning
}

fn remove_abandoned(target: &Path, name: &OsStr) {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let beginning = beginning(name);
    // A folder that cannot be listed is left as it is: writing will say what is wrong with it.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let found = found.as_encoded_bytes();
        let ours = found.starts_with(beginning.as_encoded_bytes())
            && found.ends_with(ENDING.as_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        if !ours {
            continue;
        }
        let file = OpenOptions::new().write(true).open(entry.path());
        if file.is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<_> = entries
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_writer_left_is_removed_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("p.zip");
        let (alive, _file) = Part::beside(&target, "zip").unwrap();
        for name in [
            ".p.zip.1-0.zip.part",
            ".p.zip.1.items.csv",
            ".q.zip.1-0.zip.part",
        ] {
            fs::write(folder.path().join(name), "left").unwrap();
        }
        let (second, _file) = Part::beside(&target, "zip").unwrap();
        assert_eq!(names(folder.path()).len(), 4, "{:?}", names(folder.path()));
        assert!(!folder.path().join(".p.zip.1-0.zip.part").exists());
        second.become_target(&target).unwrap();
        drop(alive);
        assert_eq!(
            names(folder.path()),
            [".p.zip.1.items.csv", ".q.zip.1-0.zip.part", "p.zip"]
        );
    }
}
