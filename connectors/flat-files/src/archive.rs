//! What a zip must be before one byte of it is believed (threats.md, "Files that lie").
//!
//! Refused as a whole: names that leave the archive, links, duplicate names, encrypted
//! entries, sizes or ratios out of bounds, local headers that differ from the listing,
//! overlapping entries. Nothing is unpacked to disk.

use crate::columns::kind_of_file;
use crate::error::{broken, unreadable};
use flate2::read::DeflateDecoder;
use lastkey_contract::{ConnectorError, Kind};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// Bounds: entries in an archive, bytes of all entries unpacked, and how much an entry of
/// more than a megabyte may grow.
const MAX_ENTRIES: usize = 1_000;
const MAX_UNPACKED: u64 = 8 * 1024 * 1024 * 1024;
const MAX_RATIO: u64 = 200;
const RATIO_FROM: u64 = 1024 * 1024;

/// One entry that can be streamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    start: u64,
    packed: u64,
    unpacked: u64,
    method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
}

/// What an archive holds.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub files: Vec<(Kind, Entry)>,
    pub unknown: Vec<String>,
}

/// Lists an archive, or says which rule it breaks.
pub fn list(shown: &str, path: &Path) -> Result<Listing, ConnectorError> {
    const OPERATION: &str = "open the zip";
    let refuse = |message: String, hint: &str| broken(shown, OPERATION, message, hint);
    let odd = |e: zip::result::ZipError| {
        broken(
            shown,
            OPERATION,
            format!("`{shown}` is not a zip that can be trusted: {e}"),
            "make the zip anew, or give the folder itself",
        )
    };
    let file = File::open(path).map_err(|e| unreadable(shown, OPERATION, shown, &e))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(odd)?;
    if archive.has_duplicate_names() {
        return Err(refuse(
            format!("`{shown}` lists one name twice"),
            "make the zip anew, or give the folder itself",
        ));
    }
    if archive.len() > MAX_ENTRIES {
        return Err(refuse(
            format!(
                "`{shown}` has {} entries; at most {MAX_ENTRIES} are read",
                archive.len()
            ),
            "put only the CSV files into the zip",
        ));
    }
    archive.validate_header_consistency().map_err(odd)?;
    let mut listing = Listing::default();
    let mut total = 0u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(odd)?;
        let name = entry.name().map_err(odd)?.into_owned();
        let unsafe_name = name.is_empty()
            || name.starts_with('/')
            || name.contains(['\\', ':'])
            || name.chars().any(char::is_control)
            || name
                .trim_end_matches('/')
                .split('/')
                .any(|part| matches!(part, "" | "." | ".."));
        if unsafe_name {
            return Err(refuse(
                format!("`{shown}` has an entry `{name}` whose name leaves the archive"),
                "do not use this zip; ask who made it",
            ));
        }
        if entry.is_symlink() {
            return Err(refuse(
                format!("`{shown}` has a link `{name}`"),
                "put the file itself into the zip",
            ));
        }
        if entry.encrypted() {
            return Err(refuse(
                format!("`{shown}` has an encrypted entry `{name}`"),
                "make the zip without a password",
            ));
        }
        if entry.is_dir() {
            continue;
        }
        let (packed, unpacked) = (entry.compressed_size(), entry.size());
        total = total.saturating_add(unpacked);
        if total > MAX_UNPACKED || unpacked > RATIO_FROM && unpacked / packed.max(1) > MAX_RATIO {
            return Err(refuse(
                format!("`{shown}` unpacks `{name}` to more than is believable"),
                "give the folder itself if the files are really that large",
            ));
        }
        let method = match entry.compression() {
            CompressionMethod::Stored => Some(Method::Stored),
            CompressionMethod::Deflated => Some(Method::Deflated),
            _ => None,
        };
        // The files may stand at the top or in one folder of their own.
        let depth = name.split('/').count();
        let kind = name
            .rsplit('/')
            .next()
            .and_then(kind_of_file)
            .filter(|_| depth <= 2);
        match (kind, method, entry.data_start()) {
            (None, _, _) => listing.unknown.push(name),
            (Some(_), None, _) | (Some(_), _, None) => {
                return Err(refuse(
                    format!("`{shown}` packs `{name}` in a way that is not read"),
                    "make the zip with the usual method (deflate)",
                ));
            }
            (Some(kind), Some(method), Some(start)) => {
                if listing.files.iter().any(|(k, _)| *k == kind) {
                    return Err(refuse(
                        format!("`{shown}` has more than one `{}.csv`", kind.plural()),
                        "put one set of files into the zip",
                    ));
                }
                let entry = Entry {
                    name,
                    start,
                    packed,
                    unpacked,
                    method,
                };
                listing.files.push((kind, entry));
            }
        }
    }
    Ok(listing)
}

/// The entry's bytes from its start; never more than it declares, and an error if it holds more.
pub fn open(path: &Path, entry: &Entry) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(entry.start))?;
    let packed = BufReader::new(file).take(entry.packed);
    let bytes: Box<dyn Read + Send> = match entry.method {
        Method::Stored => Box::new(packed),
        Method::Deflated => Box::new(DeflateDecoder::new(packed)),
    };
    Ok(Box::new(Bounded {
        bytes,
        left: entry.unpacked,
    }))
}

/// Exactly as many bytes as the entry declares.
struct Bounded {
    bytes: Box<dyn Read + Send>,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.bytes.read(buffer)? as u64;
        if got == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::other(
                "an entry of the zip is shorter than it says",
            ));
        }
        self.left = self
            .left
            .checked_sub(got)
            .ok_or_else(|| io::Error::other("an entry of the zip is longer than it says"))?;
        Ok(got as usize)
    }
}
