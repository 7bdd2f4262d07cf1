//! Where the files are: a folder, a zip, or one CSV file; opened, fingerprinted, never written.

use crate::archive::{self, Entry};
use crate::columns::{file_name, kind_of_file};
use crate::error::{broken, unreadable};
use crate::header::Shape;
use crate::misspelt::{is_table, known_as};
use crate::recipes::{self, Rows};
use crate::series;
use crate::settings::Source;
use lastkey_contract::{ConnectorError, Kind};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

impl Found {
    /// The files that speak of a kind, in reading order.
    pub fn of(&self, kind: Kind) -> Vec<Stored> {
        let of_kind = self.files.iter().filter(|(of, _)| *of == kind);
        of_kind.map(|(_, stored)| stored.clone()).collect()
    }
}

/// One file of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// As messages name it: `accounts.csv`.
    pub name: String,
    pub shape: Shape,
    path: PathBuf,
    entry: Option<Entry>,
    /// How its rows are read by a recipe.
    pub rows: Option<Rows>,
}

/// What a place holds.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In reading order; of a recipe, several files may speak of one kind.
    pub files: Vec<(Kind, Stored)>,
    /// Names that are not ours and are left alone.
    pub unknown: Vec<String>,
}

/// A file's outside: as long as it stays the same, the file is taken to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    length: u64,
    modified: Option<SystemTime>,
}

/// A file's inside, from one pass over its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    pub sha256: String,
    /// Rows after the header, where quotes are balanced.
    pub rows: Option<u64>,
}

/// The SHA-256 of each file that is there.
pub fn contents(source: &Source) -> Result<Vec<String>, ConnectorError> {
    let found = survey(source)?;
    let of = |(_, stored): &(Kind, Stored)| {
        let inside = stored.sha256().map_err(|e| {
            let path = source.path.to_string_lossy();
            unreadable(&source.shown, "look at the content", &path, &e)
        })?;
        Ok(inside)
    };
    found.files.iter().map(of).collect()
}

/// Looks what is there.
pub fn survey(source: &Source) -> Result<Found, ConnectorError> {
    if let Some(recipe) = source.recipe {
        return recipes::survey(source, recipe);
    }
    let (path, shown) = (&source.path, source.shown.as_str());
    let failed = |e: io::Error| unreadable(shown, "open", &path.to_string_lossy(), &e);
    let meta = fs::metadata(path).map_err(failed)?;
    let mut found = if meta.is_dir() {
        folder(path).map_err(failed)?
    } else if is_zip(path).map_err(failed)? {
        let listing = archive::list(shown, path)?;
        Found {
            files: listing
                .files
                .into_iter()
                .map(|(kind, entry)| {
                    let name = file_name(kind);
                    (
                        kind,
                        Stored {
                            name,
                            shape: Shape::Folder,
                            path: path.clone(),
                            entry: Some(entry),
                            rows: None,
                        },
                    )
                })
                .collect(),
            unknown: listing.unknown,
        }
    } else {
        let stored = Stored {
            name: shown.to_owned(),
            shape: Shape::Single,
            path: path.clone(),
            entry: None,
            rows: None,
        };
        Found {
            files: vec![(source.single, stored)],
            unknown: Vec::new(),
        }
    };
    if found.files.is_empty() {
        let names: Vec<_> = Kind::ALL.iter().map(|k| file_name(*k)).collect();
        let tables = found.unknown.iter().filter(|name| is_table(name));
        let meant: Vec<String> = tables
            .filter_map(|name| {
                known_as(name).map(|known| format!("`{name}`: did you mean `{known}`?"))
            })
            .collect();
        return Err(broken(
            shown,
            "open",
            format!("`{shown}` holds none of the files that can be read"),
            &match recipes::known_at(path).as_slice() {
                [] if !meant.is_empty() => meant.join("; "),
                [] if series::dated_files(path).is_ok() => {
                    "it holds dated rosters: import it with --series".to_owned()
                }
                [] => format!("put at least one of them there: {}", names.join(", ")),
                known => format!(
                    "a recipe knows what is there: --recipe {}",
                    known.join(" or ")
                ),
            },
        ));
    }
    found.files.sort_by_key(|(kind, _)| *kind);
    found.unknown.sort();
    Ok(found)
}

fn folder(path: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match kind_of_file(&name) {
            Some(kind) => found.files.push((
                kind,
                Stored {
                    name,
                    shape: Shape::Folder,
                    path: entry.path(),
                    entry: None,
                    rows: None,
                },
            )),
            None => found.unknown.push(name),
        }
    }
    Ok(found)
}

fn is_zip(path: &Path) -> io::Result<bool> {
    // What is called a zip is never taken for a table, whatever it holds.
    if path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("zip"))
    {
        return Ok(true);
    }
    let mut start = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06"))
}

impl Inside {
    /// The insides of several files as that of one, as which they are read.
    pub fn together(insides: &[Inside]) -> Inside {
        let hashes: Vec<&str> = insides.iter().map(|one| one.sha256.as_str()).collect();
        Inside {
            sha256: together(&hashes),
            rows: insides.iter().map(|inside| inside.rows).sum(),
        }
    }
}

/// What files that are read as one hash to now.
pub fn sha256_of_all(files: &[Stored]) -> io::Result<String> {
    let hashes: Vec<String> = files
        .iter()
        .map(Stored::sha256)
        .collect::<io::Result<_>>()?;
    let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
    Ok(together(&hashes))
}

fn together(hashes: &[&str]) -> String {
    match hashes {
        [one] => (*one).to_owned(),
        _ => {
            let mut hash = Sha256::new();
            for one in hashes {
                hash.update(one.as_bytes());
            }
            hex(hash)
        }
    }
}

impl Stored {
    /// A file that a recipe reads.
    pub fn of_recipe(name: String, shape: Shape, path: PathBuf, rows: Rows) -> Stored {
        Stored {
            name,
            shape,
            path,
            entry: None,
            rows: Some(rows),
        }
    }

    /// The file's bytes from its start.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match &self.entry {
            Some(entry) => archive::open(&self.path, entry),
            None => Ok(Box::new(File::open(&self.path)?)),
        }
    }

    /// The file's outside as it is now.
    pub fn outside(&self) -> io::Result<Outside> {
        let meta = fs::metadata(&self.path)?;
        Ok(Outside {
            length: meta.len(),
            modified: meta.modified().ok(),
        })
    }

    /// The SHA-256 of the file as it is now.
    fn sha256(&self) -> io::Result<String> {
        let mut hash = Sha256::new();
        self.each_part(|part| hash.update(part))?;
        Ok(hex(hash))
    }

    /// Hands over the file's bytes as they are now, part by part.
    fn each_part(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut bytes = self.open()?;
        let mut buffer = vec![0u8; 256 * 1024];
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(got) => take(buffer.get(..got).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The file's inside as it is now: hash and number of rows, in one pass, in little memory.
    pub fn inside(&self) -> io::Result<Inside> {
        let (mut hash, mut count) = (Sha256::new(), Counting::default());
        self.each_part(|part| {
            hash.update(part);
            count.part(part);
        })?;
        Ok(Inside {
            sha256: hex(hash),
            rows: count.rows(),
        })
    }
}

/// Counts rows without understanding them.
#[derive(Default)]
struct Counting {
    records: u64,
    quoted: bool,
    /// Whether the record that was begun holds anything.
    filled: bool,
}

impl Counting {
    fn part(&mut self, part: &[u8]) {
        if !self.quoted && memchr::memchr(b'"', part).is_none() {
            // Line by line: nearly every part has no quotes.
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', part) {
                self.begin(part.get(start..end).unwrap_or_default());
                self.end();
                start = end + 1;
            }
            self.begin(part.get(start..).unwrap_or_default());
            return;
        }
        for byte in part {
            match byte {
                b'\n' if !self.quoted => self.end(),
                b'\r' => {}
                b'"' => {
                    self.quoted = !self.quoted;
                    self.filled = true;
                }
                _ => self.filled = true,
            }
        }
    }

    fn begin(&mut self, line: &[u8]) {
        self.filled |= line.iter().any(|byte| *byte != b'\r');
    }

    fn end(&mut self) {
        self.records += u64::from(self.filled);
        self.filled = false;
    }

    /// Rows after the header, where quotes are balanced.
    fn rows(mut self) -> Option<u64> {
        self.end();
        (!self.quoted).then(|| self.records.saturating_sub(1))
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
