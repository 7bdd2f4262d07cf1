//! Rows that wait for their turn: a table whose place in the archive comes later than its rows.

use super::content::EvidenceError;
use lastkey_verify::Part;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// A file beside the package that only its owner may read; gone when this is dropped, and on
/// Unix without a name from the start, so that a kill leaves nothing.
pub(super) struct Spool {
    /// Taken away after the file is closed, which not every system can do before.
    out: BufWriter<File>,
    _part: Option<Part>,
}

impl Spool {
    pub(super) fn beside(target: &Path, name: &str) -> Result<Self, EvidenceError> {
        let (part, file) = Part::beside(target, name).map_err(EvidenceError::Spool)?;
        Ok(Self {
            out: BufWriter::new(file),
            // Dropped here, the name is gone and the file is not.
            _part: (!cfg!(unix)).then_some(part),
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
