//! Reading the files of an archive with constant memory: digests always, bytes of the seal only.

use crate::directory::{Listed, about, data_at};
use crate::hex::to_hex;
use crate::layout;
use crate::report::Problem;
use flate2::read::DeflateDecoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

/// What an archive may hold at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub total_bytes: u64,
    pub ratio: u64,
    pub ratio_from: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            total_bytes: layout::MAX_TOTAL_BYTES,
            ratio: layout::MAX_RATIO,
            ratio_from: layout::RATIO_FROM,
        }
    }
}

/// What a file of the archive is.
pub(crate) struct Content {
    pub sha256: String,
    pub packed_sha256: String,
    pub bytes: u64,
    pub packed: u64,
    /// Records after the first, as RFC 4180 counts them.
    pub rows: u64,
    /// The whole file, where it belongs to the seal.
    pub kept: Option<Vec<u8>>,
}

const CHUNK: usize = 1 << 16;
const ENCRYPTED: u16 = 1 | (1 << 6) | (1 << 13);
const FORMAT_MASK: u32 = 0o170_000 << 16;
const PLAIN: u32 = 0o100_000 << 16;

/// One file, or why it is not read. Errors are the disk's.
pub(crate) fn content(
    file: &mut File,
    len: u64,
    listed: &Listed,
    bounds: Bounds,
) -> io::Result<Result<Content, Problem>> {
    let refuse = |message: &str| Ok(Err(about(&listed.name, message)));
    if listed.flags & ENCRYPTED != 0 {
        return refuse("it is encrypted, which no file of a package is");
    }
    let format = listed.attributes & FORMAT_MASK;
    if format != 0 && format != PLAIN {
        return refuse("it is a link, a directory or a device, which no file of a package is");
    }
    let seal = layout::SEAL.contains(&listed.name.as_str());
    if seal && listed.bytes.max(listed.packed) > layout::MAX_SEAL_BYTES {
        return refuse("it is larger than a file of the seal may be");
    }
    if listed.bytes > bounds.ratio_from && listed.bytes / bounds.ratio > listed.packed {
        return refuse("it unpacks to far more than it holds, as an attack would");
    }
    let Some(at) = data_at(file, listed.offset)? else {
        return refuse("the record before its data is missing or damaged");
    };
    if at.checked_add(listed.packed).is_none_or(|end| end > len) {
        return refuse("its data reach beyond the end of the archive");
    }
    file.seek(SeekFrom::Start(at))?;
    let packed = Packed {
        inner: BufReader::with_capacity(CHUNK, file.by_ref()).take(listed.packed),
        hash: Sha256::new(),
        failed: None,
    };
    match listed.method {
        0 => {
            let mut packed = packed;
            let read = Reading::run(&mut packed, listed, seal);
            packed.done(read, listed)
        }
        8 => {
            let mut inflate = DeflateDecoder::new(packed);
            let read = Reading::run(&mut inflate, listed, seal);
            inflate.into_inner().done(read, listed)
        }
        _ => refuse("it is compressed in a way that no file of a package is"),
    }
}

/// The packed bytes on their way, hashed. Keeps the disk's error apart from the decompressor's.
struct Packed<'a> {
    inner: Take<BufReader<&'a mut File>>,
    hash: Sha256,
    failed: Option<io::Error>,
}

impl Read for Packed<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(room) {
            Ok(count) => {
                self.hash.update(room.get(..count).unwrap_or_default());
                Ok(count)
            }
            Err(error) => {
                self.failed = Some(io::Error::new(error.kind(), error.to_string()));
                Err(error)
            }
        }
    }
}

impl Packed<'_> {
    fn done(
        mut self,
        read: Result<Reading, &'static str>,
        listed: &Listed,
    ) -> io::Result<Result<Content, Problem>> {
        // what the decompressor left unread counts: it is in the archive
        let drained = io::copy(&mut self, &mut io::sink());
        if let Some(error) = self.failed {
            return Err(error);
        }
        drained?;
        Ok(match read {
            Ok(read) => Ok(Content {
                sha256: to_hex(&read.hash.finalize()),
                packed_sha256: to_hex(&self.hash.finalize()),
                bytes: read.bytes,
                packed: listed.packed,
                rows: read.rows.rows(),
                kept: read.kept,
            }),
            Err(message) => Err(about(&listed.name, message)),
        })
    }
}

struct Reading {
    hash: Sha256,
    crc: crc32fast::Hasher,
    bytes: u64,
    rows: Rows,
    kept: Option<Vec<u8>>,
}

impl Reading {
    fn run(from: &mut impl Read, listed: &Listed, seal: bool) -> Result<Self, &'static str> {
        let mut read = Self {
            hash: Sha256::new(),
            crc: crc32fast::Hasher::new(),
            bytes: 0,
            rows: Rows::default(),
            kept: seal.then(Vec::new),
        };
        let mut room = vec![0; CHUNK];
        loop {
            let count = match from.read(&mut room) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err("its compressed data are damaged"),
            };
            let chunk = room.get(..count).unwrap_or_default();
            read.bytes += u64::try_from(count).unwrap_or(u64::MAX);
            if read.bytes > listed.bytes {
                return Err("it unpacks to more than the archive says");
            }
            read.hash.update(chunk);
            read.crc.update(chunk);
            read.rows.count(chunk);
            if let Some(kept) = &mut read.kept {
                kept.extend(chunk);
            }
        }
        if read.bytes != listed.bytes {
            return Err("it unpacks to less than the archive says");
        }
        if read.crc.clone().finalize() != listed.crc {
            return Err("its content differs from the archive's check sum");
        }
        Ok(read)
    }
}

/// Counts records: line ends outside quotes.
#[derive(Default)]
struct Rows {
    ends: u64,
    quoted: bool,
    open: bool,
}

impl Rows {
    fn count(&mut self, chunk: &[u8]) {
        for byte in chunk {
            match byte {
                b'"' => {
                    self.quoted = !self.quoted;
                    self.open = true;
                }
                b'\n' if !self.quoted => {
                    self.ends += 1;
                    self.open = false;
                }
                _ => self.open = true,
            }
        }
    }
    fn rows(&self) -> u64 {
        (self.ends + u64::from(self.open)).saturating_sub(1)
    }
}
