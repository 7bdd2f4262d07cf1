//! Rows that wait for their turn: a table whose place in the archive comes later than its rows.

use super::content::EvidenceError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file beside the package that only its owner may read; gone when this is dropped, and on
/// Unix without a name from the start, so that a kill leaves nothing.
pub(super) struct Spool {
    path: Option<PathBuf>,
    out: BufWriter<File>,
}

impl Spool {
    pub(super) fn beside(target: &Path, name: &str) -> Result<Self, EvidenceError> {
        let stem = target
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let path = target.with_file_name(format!(".{stem}.{}.{name}", std::process::id()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(EvidenceError::Spool)?;
        let path = match cfg!(unix) && fs::remove_file(&path).is_ok() {
            true => None,
            false => Some(path),
        };
        Ok(Self {
            path,
            out: BufWriter::new(file),
        })
    }

    /// Everything that was written, into the archive.
    pub(super) fn pour(&mut self, into: &mut impl Write) -> Result<(), EvidenceError> {
        let mut pour = || -> io::Result<()> {
            self.out.flush()?;
            let file = self.out.get_mut();
            file.seek(SeekFrom::Start(0))?;
            io::copy(file, into)?;
            Ok(())
        };
        pour().map_err(EvidenceError::Spool)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // nothing more can be done about a file that cannot be removed
            let _ = fs::remove_file(path);
        }
    }
}
