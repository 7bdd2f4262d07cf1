//! Writing a package: to a file beside the target, moved to its name once it is whole.
//!
//! A full disk or a kill leaves no half package under the final name, and what stood
//! there before stays until the new one is complete.

use crate::archive::{self, Entry, Packing};
use crate::hex::to_hex;
use crate::key::{Fingerprint, PackageKey};
use crate::layout::{
    self, FORMAT, FileLine, HOW_TO_CHECK, HOW_TO_CHECK_TEXT, MadeBy, Manifest, Period, Previous,
    Snapshot, VERSION,
};
use crate::part::Part;
use flate2::{Compress, Compression, FlushCompress, Status};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What the manifest says about the package as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageHeader {
    /// RFC 3339, UTC. The only thing that may differ between two packages of the same content.
    pub made_at: String,
    pub made_by: MadeBy,
    pub previous: Option<Previous>,
    pub scope: String,
    pub period: Period,
    pub snapshot: Snapshot,
}

/// Why a package could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("`{path}` cannot be written: {reason}")]
    CannotWrite { path: PathBuf, reason: String },
    #[error("`{0}` is a directory, and a package is a file")]
    IsDirectory(PathBuf),
    #[error("`{0}` cannot be a file of a package")]
    BadName(String),
    #[error(
        "`{name}` comes after `{after}`, but the files of a package are written in the order of their names"
    )]
    OutOfOrder { name: String, after: String },
    #[error("`{0}` was begun and not finished")]
    Unfinished(String),
    #[error("`{0}` holds so much repetition that a verifier would take it for an attack")]
    TooRepetitive(String),
    #[error("a package has room for {} files", layout::MAX_FILES)]
    TooMany,
    #[error("a record of the package cannot be written as json: {0}")]
    Json(#[from] serde_json::Error),
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub path: PathBuf,
    pub bytes: u64,
    /// Of the whole file.
    pub sha256: String,
    pub package_id: String,
    pub signer: Fingerprint,
    /// All files, the seal included.
    pub files: u64,
}

/// A package being written. Dropped before `seal`, it leaves nothing behind.
pub struct PackageWriter {
    target: PathBuf,
    part: Part,
    out: BufWriter<File>,
    header: PackageHeader,
    entries: Vec<Entry>,
    lines: Vec<FileLine>,
    at: u64,
    open: Option<String>,
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> PackageError + '_ {
    move |error| PackageError::CannotWrite {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

impl PackageWriter {
    /// Begins a package that will stand at `target`. The page on how to check comes first.
    pub fn create(target: &Path, header: PackageHeader) -> Result<Self, PackageError> {
        if target.is_dir() {
            return Err(PackageError::IsDirectory(target.to_owned()));
        }
        let (part, file) = Part::beside(target, "zip").map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory => PackageError::IsDirectory(target.to_owned()),
            _ => cannot_write(target)(error),
        })?;
        let mut writer = Self {
            target: target.to_owned(),
            part,
            out: BufWriter::with_capacity(1 << 17, file),
            header,
            entries: Vec::new(),
            lines: Vec::new(),
            at: 0,
            open: None,
        };
        writer.add(HOW_TO_CHECK, HOW_TO_CHECK_TEXT.as_bytes(), None)?;
        Ok(writer)
    }

    /// A whole file at once.
    pub fn add(&mut self, path: &str, bytes: &[u8], rows: Option<u64>) -> Result<(), PackageError> {
        let target = self.target.clone();
        let mut file = self.file(path)?;
        file.write_all(bytes).map_err(cannot_write(&target))?;
        file.finish(rows)
    }

    /// Begins a file. Names come in byte order; `finish` ends it.
    pub fn file(&mut self, path: &str) -> Result<FileWriter<'_>, PackageError> {
        if let Some(open) = &self.open {
            return Err(PackageError::Unfinished(open.clone()));
        }
        if !layout::is_path(path) || layout::SEAL.contains(&path) {
            return Err(PackageError::BadName(path.to_owned()));
        }
        if self.entries.len() + layout::SEAL.len() >= layout::MAX_FILES {
            return Err(PackageError::TooMany);
        }
        if let Some(last) = self
            .entries
            .last()
            .filter(|last| last.name.as_str() >= path)
        {
            return Err(PackageError::OutOfOrder {
                name: path.to_owned(),
                after: last.name.clone(),
            });
        }
        let entry = Entry {
            name: path.to_owned(),
            packing: Packing::Deflated,
            crc: 0,
            bytes: 0,
            packed: 0,
            offset: self.at,
        };
        self.out
            .write_all(&archive::local_header(&entry))
            .map_err(cannot_write(&self.target))?;
        self.open = Some(path.to_owned());
        Ok(FileWriter {
            package: self,
            entry,
            compress: Compress::new(Compression::new(6), false),
            block: Vec::with_capacity(BLOCK),
            content: Sha256::new(),
            packed: Sha256::new(),
            crc: crc32fast::Hasher::new(),
        })
    }

    /// Signs, ends the archive and moves it to its name.
    pub fn seal(mut self, key: &PackageKey) -> Result<Sealed, PackageError> {
        if let Some(open) = self.open.take() {
            return Err(PackageError::Unfinished(open));
        }
        let header = self.header.clone();
        let mut manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            package_id: String::new(),
            made_at: header.made_at,
            time_fields: vec!["made_at".to_owned()],
            made_by: header.made_by,
            previous: header.previous,
            scope: header.scope,
            period: header.period,
            snapshot: header.snapshot,
            files: std::mem::take(&mut self.lines),
        };
        manifest.package_id = layout::package_id(&manifest)?;
        let manifest_bytes = layout::json(&manifest)?;
        let sums = layout::sums(&manifest, &manifest_bytes);
        let statement = layout::statement(&manifest, &manifest_bytes, &sums)?;
        let pae = layout::pae(&statement);
        let signature = key.sign(&pae);
        let signer = key.fingerprint();
        let envelope = layout::envelope(&statement, &signer, &signature)?;
        let pem = key.public_key_pem();
        let seal: [&[u8]; 7] = [
            &manifest_bytes,
            &sums,
            &statement,
            &pae,
            &envelope,
            &signature,
            pem.as_bytes(),
        ];
        let target = self.target.clone();
        for (name, bytes) in layout::SEAL.into_iter().zip(seal) {
            self.store(name, bytes).map_err(cannot_write(&target))?;
        }
        let (bytes, sha256) = self.end().map_err(cannot_write(&target))?;
        Ok(Sealed {
            path: target,
            bytes,
            sha256,
            package_id: manifest.package_id,
            signer,
            files: u64::try_from(manifest.files.len() + layout::SEAL.len()).unwrap_or(u64::MAX),
        })
    }

    fn store(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let entry = Entry {
            name: name.to_owned(),
            packing: Packing::Stored,
            crc: crc32fast::hash(bytes),
            bytes: size,
            packed: size,
            offset: self.at,
        };
        let head = archive::local_header(&entry);
        self.out.write_all(&head)?;
        self.out.write_all(bytes)?;
        self.at += len(&head) + size;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the directory, makes everything durable, moves it, and gives size and digest.
    fn end(mut self) -> io::Result<(u64, String)> {
        let directory = archive::directory(&self.entries);
        let ending = archive::ending(self.entries.len(), self.at, len(&directory));
        self.out.write_all(&directory)?;
        self.out.write_all(&ending)?;
        self.out.flush()?;
        let file = self.out.get_mut();
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let mut hash = Sha256::new();
        let mut block = vec![0; 1 << 17];
        let mut bytes = 0;
        loop {
            let count = file.read(&mut block)?;
            if count == 0 {
                break;
            }
            hash.update(block.get(..count).unwrap_or_default());
            bytes += len(block.get(..count).unwrap_or_default());
        }
        self.part.become_target(&self.target)?;
        sync_directory(&self.target);
        Ok((bytes, to_hex(&hash.finalize())))
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Makes the new name durable where the system can; the content is durable already.
fn sync_directory(target: &Path) {
    #[cfg(unix)]
    if let Some(folder) = target.parent() {
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        if let Ok(folder) = File::open(folder) {
            // a file system that cannot do this has moved the file all the same
            let _ = folder.sync_all();
        }
    }
    #[cfg(not(unix))]
    let _ = target;
}

/// One file of the content being written.
pub struct FileWriter<'a> {
    package: &'a mut PackageWriter,
    entry: Entry,
    compress: Compress,
    block: Vec<u8>,
    content: Sha256,
    packed: Sha256,
    crc: crc32fast::Hasher,
}

/// The compressor is fed in blocks of this size, so that its output does not depend on how
/// the content was cut into writes.
const BLOCK: usize = 1 << 16;

impl FileWriter<'_> {
    /// Ends the file. `rows` counts the records of a table without its header.
    pub fn finish(mut self, rows: Option<u64>) -> Result<(), PackageError> {
        self.end().map_err(cannot_write(&self.package.target))?;
        let entry = self.entry;
        if entry.bytes > layout::RATIO_FROM && entry.bytes / layout::MAX_RATIO > entry.packed {
            return Err(PackageError::TooRepetitive(entry.name));
        }
        self.package.lines.push(FileLine {
            path: entry.name.clone(),
            sha256: to_hex(&self.content.finalize()),
            bytes: entry.bytes,
            rows,
            packed_sha256: to_hex(&self.packed.finalize()),
            packed_bytes: entry.packed,
        });
        self.package.at += len(&archive::local_header(&entry)) + entry.packed;
        self.package.entries.push(entry);
        self.package.open = None;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.pack(FlushCompress::Finish)?;
        self.entry.crc = std::mem::take(&mut self.crc).finalize();
        // the header before the data gets the sizes that are known now
        let head = archive::local_header(&self.entry);
        let out = &mut self.package.out;
        out.seek(SeekFrom::Start(self.entry.offset))?;
        out.write_all(&head)?;
        out.seek(SeekFrom::Start(
            self.entry.offset + len(&head) + self.entry.packed,
        ))?;
        Ok(())
    }

    /// Compresses the block that is full, or the last one.
    fn pack(&mut self, flush: FlushCompress) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        self.content.update(&block);
        self.crc.update(&block);
        self.entry.bytes += len(&block);
        let mut rest = block.as_slice();
        let mut room = vec![0; BLOCK];
        loop {
            let (taken, given) = (self.compress.total_in(), self.compress.total_out());
            let status = self
                .compress
                .compress(rest, &mut room, flush)
                .map_err(io::Error::other)?;
            let taken = usize::try_from(self.compress.total_in() - taken).unwrap_or(usize::MAX);
            let given = usize::try_from(self.compress.total_out() - given).unwrap_or(usize::MAX);
            let packed = room.get(..given).unwrap_or_default();
            self.packed.update(packed);
            self.entry.packed += len(packed);
            self.package.out.write_all(packed)?;
            rest = rest.get(taken..).unwrap_or_default();
            let done = match flush {
                FlushCompress::Finish => matches!(status, Status::StreamEnd),
                _ => rest.is_empty(),
            };
            if done {
                break;
            }
        }
        self.block = block;
        self.block.clear();
        Ok(())
    }
}

impl Write for FileWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BLOCK - self.block.len();
        let taken = room.min(bytes.len());
        self.block.extend(bytes.get(..taken).unwrap_or_default());
        if self.block.len() == BLOCK {
            self.pack(FlushCompress::None)?;
        }
        Ok(taken)
    }
    /// Keeps what is not a full block: the output must not depend on when somebody flushes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
