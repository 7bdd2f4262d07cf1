//! How the columns of a block are written: numbers and hashes one after the other, texts
//! compressed together.

use super::super::StoreError;
use super::super::objects::ContentHash;
use std::cell::RefCell;

/// Eight bytes for each number, the lowest first.
pub(in super::super) fn numbers(list: impl Iterator<Item = i64>) -> Vec<u8> {
    list.flat_map(i64::to_le_bytes).collect()
}

/// A number that says there is none: as a real name's it is no likelier than any other.
pub(super) const NONE: i64 = 0;

/// Where references lead; nothing at all where none of them leads anywhere.
pub(super) fn references(list: impl Iterator<Item = Option<i64>> + Clone) -> Vec<u8> {
    match list.clone().any(|number| number.is_some()) {
        true => numbers(list.map(|number| number.unwrap_or(NONE))),
        false => Vec::new(),
    }
}

pub(in super::super) fn read_numbers(bytes: &[u8]) -> Vec<i64> {
    let (numbers, _) = bytes.as_chunks::<8>();
    numbers.iter().copied().map(i64::from_le_bytes).collect()
}

/// The texts of a block, as they were before they were compressed.
#[derive(Debug)]
pub(in super::super) struct Texts {
    bytes: Vec<u8>,
    /// Where each text ends, counted from the first text's start.
    ends: Vec<usize>,
    start: usize,
}

thread_local! {
    /// Buffers of texts that were let go of: a graph unpacks thousands of blocks one after the
    /// other, and fresh memory for each takes longer than unpacking.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// How many buffers are kept, and how long one may be.
const SPARES: usize = 32;
const SPARE_LENGTH: usize = 4 << 20;

impl Drop for Texts {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() > SPARE_LENGTH {
            return;
        }
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.len() < SPARES
            {
                spare.push(bytes);
            }
        });
    }
}

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (size, rest) = lz4_flex::block::uncompressed_size(packed).ok()?;
    // Nothing that was packed is longer than 255 times what it was packed into.
    if size > rest.len().saturating_mul(256) {
        return None;
    }
    let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    let mut bytes = spare.ok().flatten().unwrap_or_default();
    bytes.resize(size, 0);
    let read = lz4_flex::block::decompress_into(rest, &mut bytes).ok()?;
    (read == size).then_some(bytes)
}

/// How many texts, then the length of each in four bytes, then the texts; compressed as one.
pub(super) fn texts<'t>(list: impl Iterator<Item = &'t [u8]> + Clone) -> Vec<u8> {
    let mut plain = Vec::new();
    plain.extend((list.clone().count() as u32).to_le_bytes());
    for text in list.clone() {
        plain.extend((text.len() as u32).to_le_bytes());
    }
    for text in list {
        plain.extend_from_slice(text);
    }
    lz4_flex::compress_prepend_size(&plain)
}

/// The outlines of a block; nothing at all where all of them are empty.
pub(super) fn outlines(list: &[&[u8]]) -> Vec<u8> {
    match list.iter().all(|outline| outline.is_empty()) {
        true => Vec::new(),
        false => texts(list.iter().copied()),
    }
}

impl Texts {
    pub(super) fn read(packed: &[u8]) -> Result<Texts, StoreError> {
        let damaged = || StoreError::damaged("a block of objects cannot be unpacked");
        let bytes = unpack(packed).ok_or_else(damaged)?;
        let (words, _) = bytes.as_chunks::<4>();
        let count = words
            .first()
            .map(|word| u32::from_le_bytes(*word) as usize)
            .ok_or_else(damaged)?;
        let mut end = 0usize;
        let ends: Vec<usize> = words
            .get(1..=count)
            .ok_or_else(damaged)?
            .iter()
            .map(|word| {
                end = end.saturating_add(u32::from_le_bytes(*word) as usize);
                end
            })
            .collect();
        let start = (count + 1) * 4;
        if start.saturating_add(end) != bytes.len() {
            return Err(damaged());
        }
        Ok(Texts { bytes, ends, start })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them, one after the other.
    pub(in super::super) fn all(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The text at a place.
    pub(in super::super) fn get(&self, place: usize) -> Result<&str, StoreError> {
        std::str::from_utf8(self.bytes_at(place)?)
            .map_err(|_| StoreError::damaged("a block of objects lacks a text"))
    }

    /// What stands at a place, whether it is text or not.
    pub(in super::super) fn bytes_at(&self, place: usize) -> Result<&[u8], StoreError> {
        let before = match place.checked_sub(1) {
            None => 0,
            Some(one) => self.ends.get(one).copied().unwrap_or(usize::MAX),
        };
        self.ends
            .get(place)
            .and_then(|end| {
                self.bytes
                    .get(self.start.checked_add(before)?..self.start.checked_add(*end)?)
            })
            .ok_or_else(|| StoreError::damaged("a block of objects lacks a text"))
    }
}

pub(super) fn hashes<'h>(list: impl Iterator<Item = &'h ContentHash>) -> Vec<u8> {
    list.flatten().copied().collect()
}

pub(super) fn read_hashes(bytes: &[u8]) -> Vec<ContentHash> {
    let (hashes, _) = bytes.as_chunks::<16>();
    hashes.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(list in proptest::collection::vec(".{0,40}", 0..50), ids in proptest::collection::vec(any::<i64>(), 0..50)) {
            let packed = texts(list.iter().map(String::as_bytes));
            let read = Texts::read(&packed).unwrap();
            prop_assert_eq!(read.len(), list.len());
            for (n, text) in list.iter().enumerate() {
                prop_assert_eq!(read.get(n).unwrap(), text);
            }
            prop_assert!(read.get(list.len()).is_err());
            prop_assert_eq!(read_numbers(&numbers(ids.iter().copied())), ids);
        }

        #[test]
        fn odd_bytes_are_damage_and_no_more(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let plain = lz4_flex::compress_prepend_size(&bytes);
            if let Ok(read) = Texts::read(&plain) {
                for n in 0..read.len() + 1 {
                    let _ = read.get(n);
                }
            }
        }
    }
}
