//! Reading what an archive lists, leniently, so that a damaged one can still be explained;
//! and comparing the archive, byte for byte, with the only one that this list allows.

use crate::archive::{self, Entry, Packing};
use crate::layout;
use crate::report::Problem;
use crate::text::visible;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// One line of the archive's directory, as it stands there.
pub(crate) struct Listed {
    /// Safe to print; equal to the name in the archive if that is a path of a package.
    pub name: String,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub bytes: u64,
    pub packed: u64,
    pub offset: u64,
    pub attributes: u32,
}

/// What the end of the archive says.
pub(crate) struct Directory {
    pub listed: Vec<Listed>,
    at: u64,
    raw: Vec<u8>,
}

/// How large the directory may be.
const MAX_DIRECTORY: u64 = 16 << 20;
/// Where the end record can begin at the earliest, counted from the end.
const TAIL: u64 = 22 + 65_535;

/// A problem of the archive as a whole.
pub(crate) fn whole(message: impl Into<String>) -> Problem {
    Problem {
        file: None,
        message: message.into(),
    }
}

/// A problem of one file.
pub(crate) fn about(file: &str, message: impl Into<String>) -> Problem {
    Problem {
        file: Some(file.to_owned()),
        message: message.into(),
    }
}

/// Little-endian fields, taken one by one.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

fn read_at(file: &mut File, at: u64, count: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The archive's directory, or the one problem that hides it.
pub(crate) fn read(file: &mut File, len: u64) -> io::Result<Result<Directory, Problem>> {
    if len == 0 {
        return Ok(Err(whole("the file is empty")));
    }
    let tail_at = len.saturating_sub(TAIL);
    let tail = read_at(file, tail_at, TAIL)?;
    let Some(end_at) = (0..tail.len()).rev().find(|at| {
        tail.get(*at..)
            .is_some_and(|rest| rest.starts_with(&archive::END))
    }) else {
        let head = read_at(file, 0, 4)?;
        return Ok(Err(whole(if head == archive::LOCAL {
            "the end of the archive is missing: the file is cut off or damaged"
        } else {
            "this is not a zip archive"
        })));
    };
    let Some((count, bytes, at)) = tail.get(end_at..).and_then(end_record) else {
        return Ok(Err(whole("the record that ends the archive is cut off")));
    };
    let end_at = tail_at + u64::try_from(end_at).unwrap_or(0);
    let (bytes, at) = match (bytes, at) {
        (u32::MAX, _) | (_, u32::MAX) => match end_record_64(file, end_at)? {
            Some(found) => found,
            None => {
                return Ok(Err(whole(
                    "the 64-bit record at the end of the archive is missing or damaged",
                )));
            }
        },
        (bytes, at) => (u64::from(bytes), u64::from(at)),
    };
    if bytes > MAX_DIRECTORY || usize::from(count) > layout::MAX_FILES {
        return Ok(Err(whole(
            "the archive lists more files than a package may have",
        )));
    }
    if at.checked_add(bytes).is_none_or(|end| end > end_at) {
        return Ok(Err(whole(
            "the archive's directory is not where its end says: the file is cut off or damaged",
        )));
    }
    let raw = read_at(file, at, bytes)?;
    let mut fields = Fields(&raw);
    let mut listed = Vec::new();
    while !fields.0.is_empty() {
        match line(&mut fields) {
            Some(line) if listed.len() < layout::MAX_FILES => listed.push(line),
            Some(_) => {
                return Ok(Err(whole(
                    "the archive lists more files than a package may have",
                )));
            }
            None => {
                return Ok(Err(whole(format!(
                    "the archive's directory is damaged after {} files",
                    listed.len()
                ))));
            }
        }
    }
    Ok(Ok(Directory { listed, at, raw }))
}

/// Count, size and place of the directory.
fn end_record(bytes: &[u8]) -> Option<(u16, u32, u32)> {
    let mut fields = Fields(bytes);
    fields.take(10)?;
    let count = fields.u16()?;
    let found = (count, fields.u32()?, fields.u32()?);
    fields.u16()?;
    Some(found)
}

/// Size and place of the directory where they do not fit into 32 bits.
fn end_record_64(file: &mut File, end_at: u64) -> io::Result<Option<(u64, u64)>> {
    let Some(locator_at) = end_at.checked_sub(20) else {
        return Ok(None);
    };
    let locator = read_at(file, locator_at, 20)?;
    let place = |bytes: &[u8]| {
        let mut fields = Fields(bytes);
        (fields.take(4)? == archive::LOCATOR_64).then_some(())?;
        fields.u32()?;
        fields.u64()
    };
    let Some(at) = place(&locator) else {
        return Ok(None);
    };
    let record = read_at(file, at, 56)?;
    let found = |bytes: &[u8]| {
        let mut fields = Fields(bytes);
        (fields.take(4)? == archive::END_64).then_some(())?;
        fields.take(36)?;
        Some((fields.u64()?, fields.u64()?))
    };
    Ok(found(&record))
}

fn line(fields: &mut Fields<'_>) -> Option<Listed> {
    (fields.take(4)? == archive::CENTRAL).then_some(())?;
    fields.take(4)?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.take(4)?;
    let crc = fields.u32()?;
    let packed = fields.u32()?;
    let bytes = fields.u32()?;
    let name_len = usize::from(fields.u16()?);
    let extra_len = usize::from(fields.u16()?);
    let comment_len = usize::from(fields.u16()?);
    fields.take(4)?;
    let attributes = fields.u32()?;
    let offset = fields.u32()?;
    let name = fields.take(name_len)?;
    let extra = fields.take(extra_len)?;
    fields.take(comment_len)?;
    let mut long = Fields(long_field(extra));
    let mut wide = |value: u32| match value {
        u32::MAX => long.u64(),
        value => Some(u64::from(value)),
    };
    Some(Listed {
        name: visible(&String::from_utf8_lossy(name)),
        flags,
        method,
        crc,
        bytes: wide(bytes)?,
        packed: wide(packed)?,
        offset: wide(offset)?,
        attributes,
    })
}

/// The 64-bit values of an entry, in the order in which the 32-bit ones are full.
fn long_field(extra: &[u8]) -> &[u8] {
    let mut fields = Fields(extra);
    while let (Some(tag), Some(size)) = (fields.u16(), fields.u16()) {
        match fields.take(usize::from(size)) {
            Some(value) if tag == 1 => return value,
            Some(_) => {}
            None => break,
        }
    }
    &[]
}

/// Where an entry's data start, by its own local header; None if that is damaged.
pub(crate) fn data_at(file: &mut File, offset: u64) -> io::Result<Option<u64>> {
    let head = read_at(file, offset, 30)?;
    let lengths = |bytes: &[u8]| {
        let mut fields = Fields(bytes);
        (fields.take(4)? == archive::LOCAL).then_some(())?;
        fields.take(22)?;
        Some((fields.u16()?, fields.u16()?))
    };
    Ok(lengths(&head)
        .and_then(|(name, extra)| offset.checked_add(30 + u64::from(name) + u64::from(extra))))
}

/// The archive against the only one that its list allows: records, order, no byte before,
/// between or after. The entries' data are not looked at here.
pub(crate) fn shape(file: &mut File, len: u64, directory: &Directory) -> io::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut entries = Vec::new();
    let mut at = 0_u64;
    let seal_from = directory.listed.len().saturating_sub(layout::SEAL.len());
    for (place, listed) in directory.listed.iter().enumerate() {
        let entry = Entry {
            name: listed.name.clone(),
            packing: match place < seal_from {
                true => Packing::Deflated,
                false => Packing::Stored,
            },
            crc: listed.crc,
            bytes: listed.bytes,
            packed: listed.packed,
            offset: at,
        };
        let head = archive::local_header(&entry);
        let head_len = u64::try_from(head.len()).unwrap_or(u64::MAX);
        if listed.offset != at {
            problems.push(about(
                &listed.name,
                "it does not follow the file before it: bytes were put in, taken out or reordered",
            ));
        }
        if read_at(file, listed.offset, head_len)? != head {
            problems.push(about(
                &listed.name,
                "the record before its data is not the one that this package format writes",
            ));
        }
        at = listed
            .offset
            .saturating_add(head_len)
            .saturating_add(listed.packed);
        entries.push(Entry {
            offset: listed.offset,
            ..entry
        });
    }
    if directory.at != at {
        problems.push(whole(
            "bytes stand between the last file and the archive's directory",
        ));
    }
    let content: Vec<&str> = directory
        .listed
        .iter()
        .take(seal_from)
        .map(|l| l.name.as_str())
        .collect();
    for pair in content.windows(2) {
        if let [before, after] = pair
            && before >= after
        {
            problems.push(about(
                after,
                format!("it stands after `{before}`: the files are not in order"),
            ));
        }
    }
    let seal: Vec<&str> = directory
        .listed
        .iter()
        .skip(seal_from)
        .map(|l| l.name.as_str())
        .collect();
    if seal != layout::SEAL {
        problems.push(whole(format!(
            "the archive does not end with {}",
            layout::SEAL.join(", ")
        )));
    }
    problems.extend(records(file, len, directory, &entries)?);
    Ok(problems)
}

/// The directory and the ending, byte for byte.
fn records(
    file: &mut File,
    len: u64,
    directory: &Directory,
    entries: &[Entry],
) -> io::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut expected = Fields(&[]);
    let whole_directory = archive::directory(entries);
    let mut actual = Fields(&directory.raw);
    for entry in entries {
        let record = archive::central_header(entry);
        if actual.take(record.len()) != Some(record.as_slice()) {
            problems.push(about(
                &entry.name,
                "its line in the archive's directory is not the one that this package format writes",
            ));
            break;
        }
        expected = Fields(actual.0);
    }
    if problems.is_empty() && !expected.0.is_empty() {
        problems.push(whole(
            "the archive's directory has more in it than its files",
        ));
    }
    let size = u64::try_from(whole_directory.len()).unwrap_or(u64::MAX);
    let ending = archive::ending(entries.len(), directory.at, size);
    let directory_end = directory
        .at
        .saturating_add(u64::try_from(directory.raw.len()).unwrap_or(u64::MAX));
    let want = u64::try_from(ending.len()).unwrap_or(u64::MAX);
    let rest = read_at(file, directory_end, want.saturating_add(1))?;
    if rest.get(..ending.len()) != Some(ending.as_slice()) {
        problems.push(whole("the record that ends the archive is not the one that this package format writes (a comment, an added record or a flipped bit)"));
    } else if directory_end.saturating_add(want) != len {
        problems.push(whole("bytes stand after the end of the archive"));
    }
    Ok(problems)
}
