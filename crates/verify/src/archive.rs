//! The zip records of a package, as bytes that follow from the entries.
//!
//! There is exactly one archive for a list of entries and their packed bytes. The writer
//! writes these records and the verifier compares with them, so no bit of an archive is free.

/// How an entry's bytes stand in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// The content. Its sizes are written as 64 bits before the data, for they are not known
    /// before they are written.
    Deflated,
    /// The seal.
    Stored,
}

/// One file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub name: String,
    pub packing: Packing,
    pub crc: u32,
    pub bytes: u64,
    pub packed: u64,
    /// Where its local header starts.
    pub offset: u64,
}

pub(crate) const LOCAL: [u8; 4] = [0x50, 0x4b, 3, 4];
pub(crate) const CENTRAL: [u8; 4] = [0x50, 0x4b, 1, 2];
pub(crate) const END: [u8; 4] = [0x50, 0x4b, 5, 6];
pub(crate) const END_64: [u8; 4] = [0x50, 0x4b, 6, 6];
pub(crate) const LOCATOR_64: [u8; 4] = [0x50, 0x4b, 6, 7];
const FULL: u32 = u32::MAX;
/// 1980-01-01 in the format of DOS.
const DATE: u16 = 0x0021;
/// A plain file that its owner may write and everybody may read, in the way of Unix.
const ATTRIBUTES: u32 = 0o100_644 << 16;
const MADE_BY: u16 = (3 << 8) | 45;

struct Record(Vec<u8>);

impl Record {
    fn new(signature: [u8; 4]) -> Self {
        Self(signature.to_vec())
    }
    fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn bytes(mut self, value: &[u8]) -> Self {
        self.0.extend(value);
        self
    }
}

/// The value if it fits, else the mark that says that it stands in the 64-bit field.
fn short(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(FULL)
}

fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

fn needed(packing: Packing) -> u16 {
    match packing {
        Packing::Deflated => 45,
        Packing::Stored => 20,
    }
}

fn method(packing: Packing) -> u16 {
    match packing {
        Packing::Deflated => 8,
        Packing::Stored => 0,
    }
}

/// What stands before an entry's data.
pub(crate) fn local_header(entry: &Entry) -> Vec<u8> {
    let (packed, bytes, extra) = match entry.packing {
        Packing::Deflated => {
            let extra = Record(Vec::new()).u16(1).u16(16);
            (FULL, FULL, extra.u64(entry.bytes).u64(entry.packed).0)
        }
        Packing::Stored => (short(entry.packed), short(entry.bytes), Vec::new()),
    };
    Record::new(LOCAL)
        .u16(needed(entry.packing))
        .u16(0)
        .u16(method(entry.packing))
        .u16(0)
        .u16(DATE)
        .u32(entry.crc)
        .u32(packed)
        .u32(bytes)
        .u16(length(entry.name.as_bytes()))
        .u16(length(&extra))
        .bytes(entry.name.as_bytes())
        .bytes(&extra)
        .0
}

/// An entry's record in the directory at the end.
pub(crate) fn central_header(entry: &Entry) -> Vec<u8> {
    let mut long = Record(Vec::new());
    for value in [entry.bytes, entry.packed, entry.offset] {
        if short(value) == FULL {
            long = long.u64(value);
        }
    }
    let extra = match long.0.is_empty() {
        true => Vec::new(),
        false => {
            Record(Vec::new())
                .u16(1)
                .u16(length(&long.0))
                .bytes(&long.0)
                .0
        }
    };
    Record::new(CENTRAL)
        .u16(MADE_BY)
        .u16(needed(entry.packing))
        .u16(0)
        .u16(method(entry.packing))
        .u16(0)
        .u16(DATE)
        .u32(entry.crc)
        .u32(short(entry.packed))
        .u32(short(entry.bytes))
        .u16(length(entry.name.as_bytes()))
        .u16(length(&extra))
        .u16(0)
        .u16(0)
        .u16(0)
        .u32(ATTRIBUTES)
        .u32(short(entry.offset))
        .bytes(entry.name.as_bytes())
        .bytes(&extra)
        .0
}

/// The directory's records.
pub(crate) fn directory(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(central_header).collect()
}

/// What ends the archive after a directory of this size at this place.
pub(crate) fn ending(count: usize, directory_at: u64, directory_bytes: u64) -> Vec<u8> {
    let count_64 = u64::try_from(count).unwrap_or(u64::MAX);
    let count_16 = u16::try_from(count).unwrap_or(u16::MAX);
    let mut bytes = Vec::new();
    if count_16 == u16::MAX || short(directory_at) == FULL || short(directory_bytes) == FULL {
        let end_64_at = directory_at.saturating_add(directory_bytes);
        bytes = Record::new(END_64)
            .u64(44)
            .u16(MADE_BY)
            .u16(45)
            .u32(0)
            .u32(0)
            .u64(count_64)
            .u64(count_64)
            .u64(directory_bytes)
            .u64(directory_at)
            .bytes(&LOCATOR_64)
            .u32(0)
            .u64(end_64_at)
            .u32(1)
            .0;
    }
    let end = Record::new(END)
        .u16(0)
        .u16(0)
        .u16(count_16)
        .u16(count_16)
        .u32(short(directory_bytes))
        .u32(short(directory_at))
        .u16(0);
    bytes.extend(end.0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_beyond_4_gib_go_into_the_64_bit_fields() {
        let small = Entry {
            name: "a".to_owned(),
            packing: Packing::Deflated,
            crc: 1,
            bytes: 2,
            packed: 3,
            offset: 4,
        };
        let large = Entry {
            bytes: 5 << 30,
            offset: 6 << 30,
            ..small.clone()
        };
        assert_eq!(central_header(&small).len(), 47);
        assert_eq!(central_header(&large).len(), 47 + 4 + 16);
        assert_eq!(local_header(&small).len(), local_header(&large).len());
        assert_eq!(ending(1, 100, 100).len(), 22);
        assert_eq!(ending(1, 5 << 30, 100).len(), 56 + 20 + 22);
    }
}
