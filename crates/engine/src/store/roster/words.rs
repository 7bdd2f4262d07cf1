//! The words of identities' ids, names and addresses, and who has them.
//!
//! Words are folded (case, accents) and sorted; each stands with the numbers of those that have
//! it. Beginnings that very many words share stand there too, so that a search for a single
//! letter is one list as well.

use super::orders::first_bytes;
use super::set::Set;
use super::{StoreError, number};
use sqlx::SqliteConnection;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A longer word is cut here, in what is kept and in what is searched.
const LONGEST: usize = 64;
/// A beginning that more words share than this has a list of its own.
const MANY: usize = 2_048;
/// Beginnings of up to so many bytes may have one.
const DEEPEST: usize = 24;
/// A part that holds so many bytes takes no more.
const FULL: usize = 48 * 1024;
/// What the name of a list of a beginning starts with: no word does.
const BEGINNING: u8 = 0;

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Wanted {
    Word(String),
    Beginning(String),
}

/// The words of a search: each part between spaces may end within a word.
pub(in super::super) fn wanted(search: &str) -> Vec<Wanted> {
    let mut all = Vec::new();
    for part in search.split_whitespace() {
        let mut pieces = Vec::new();
        each_word(part, |word| pieces.push(word.to_owned()));
        let last = pieces.pop();
        all.extend(pieces.into_iter().map(Wanted::Word));
        all.extend(last.map(Wanted::Beginning));
    }
    all
}

/// Every word of a text, folded.
fn each_word(text: &str, mut take: impl FnMut(&str)) {
    if text.is_ascii() {
        let mut buffer = [0u8; LONGEST];
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut length = 0;
            for (to, from) in buffer.iter_mut().zip(word.bytes()) {
                *to = from.to_ascii_lowercase();
                length += 1;
            }
            let word = buffer
                .get(..length)
                .and_then(|b| std::str::from_utf8(b).ok());
            word.filter(|word| !word.is_empty())
                .into_iter()
                .for_each(&mut take);
        }
        return;
    }
    let plain: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    for word in plain.split(|c: char| !c.is_alphanumeric()) {
        let end = word.floor_char_boundary(LONGEST);
        word.get(..end)
            .filter(|word| !word.is_empty())
            .into_iter()
            .for_each(&mut take);
    }
}

/// All words as they are met.
#[derive(Default)]
pub(super) struct Words {
    text: String,
    met: Vec<Met>,
    people: u32,
}

/// One word of one identity.
#[derive(Clone, Copy)]
struct Met {
    first: u64,
    at: u32,
    length: u8,
    person: u32,
}

impl Words {
    /// The texts of the next identity.
    pub fn take(&mut self, texts: [Option<&str>; 3]) {
        let person = self.people;
        self.people += 1;
        self.note(person, texts);
    }

    /// More texts of the one that was taken last.
    pub fn take_more(&mut self, texts: [Option<&str>; 3]) {
        self.note(self.people.saturating_sub(1), texts);
    }

    fn note(&mut self, person: u32, texts: [Option<&str>; 3]) {
        for text in texts.into_iter().flatten() {
            each_word(text, |word| {
                // A text of more than four gigabytes is no list of people.
                let Ok(at) = u32::try_from(self.text.len()) else {
                    return;
                };
                self.text.push_str(word);
                self.met.push(Met {
                    first: first_bytes(word),
                    at,
                    length: word.len() as u8,
                    person,
                });
            });
        }
    }

    fn word(&self, met: &Met) -> &str {
        let at = met.at as usize;
        self.text
            .get(at..at + usize::from(met.length))
            .unwrap_or_default()
    }

    /// The parts, each with the first word that it holds.
    pub fn parts(mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut met = std::mem::take(&mut self.met);
        met.sort_unstable_by(|a, b| {
            (a.first.cmp(&b.first))
                .then_with(|| self.word(a).cmp(self.word(b)))
                .then_with(|| a.person.cmp(&b.person))
        });
        // Where each word begins in the list.
        let mut starts: Vec<usize> = Vec::new();
        let mut last: Option<&Met> = None;
        for (place, one) in met.iter().enumerate() {
            if last.is_none_or(|last| self.word(last) != self.word(one)) {
                starts.push(place);
            }
            last = Some(one);
        }
        starts.push(met.len());
        let people = |range: Range<usize>| -> Vec<u32> {
            let mut people: Vec<u32> = met
                .get(range)
                .into_iter()
                .flatten()
                .map(|one| one.person)
                .collect();
            people.sort_unstable();
            people.dedup();
            people
        };
        let word_at = |word: usize| {
            let first = starts.get(word).and_then(|place| met.get(*place));
            first.map_or("", |one| self.word(one))
        };
        let mut writer = Writer::default();
        let words = starts.len() - 1;
        let mut shared = Vec::new();
        beginnings(&word_at, 0..words, 1, &mut shared);
        shared.sort_unstable_by_key(|(beginning, _)| *beginning);
        for (beginning, range) in shared {
            let mut name = vec![BEGINNING];
            name.extend_from_slice(beginning.as_bytes());
            let places = starts.get(range.start).copied().unwrap_or(0)
                ..starts.get(range.end).copied().unwrap_or(met.len());
            writer.put(&name, &people(places));
        }
        for (word, range) in starts.windows(2).enumerate() {
            let [from, to] = range else { continue };
            writer.put(word_at(word).as_bytes(), &people(*from..*to));
        }
        writer.end()
    }
}

/// The beginnings that more than `MANY` of the words share, with the words that have each.
fn beginnings<'w>(
    word_at: &impl Fn(usize) -> &'w str,
    words: Range<usize>,
    length: usize,
    found: &mut Vec<(&'w str, Range<usize>)>,
) {
    let mut from = words.start;
    while from < words.end && length <= DEEPEST {
        let word = word_at(from);
        let Some(beginning) = word.get(..word.ceil_char_boundary(length)) else {
            from += 1;
            continue;
        };
        if beginning.len() < length {
            // The word that is no longer than what all of these share.
            from += 1;
            continue;
        }
        // All words with this beginning stand together.
        let (mut low, mut high) = (from, words.end);
        while low < high {
            let middle = low + (high - low) / 2;
            match word_at(middle).as_bytes().starts_with(beginning.as_bytes()) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        if low - from > MANY {
            found.push((beginning, from..low));
            beginnings(word_at, from..low, beginning.len() + 1, found);
        }
        from = low;
    }
}

/// Writes words in order into parts.
#[derive(Default)]
struct Writer {
    parts: Vec<(Vec<u8>, Vec<u8>)>,
    first: Vec<u8>,
    bytes: Vec<u8>,
}

impl Writer {
    fn put(&mut self, name: &[u8], people: &[u32]) {
        if self.bytes.is_empty() {
            self.first = name.to_vec();
        }
        let mut list = Vec::with_capacity(people.len() + 4);
        let mut before = 0u32;
        for person in people {
            number::put(&mut list, person.wrapping_sub(before));
            before = *person;
        }
        number::put(&mut self.bytes, name.len() as u32);
        self.bytes.extend_from_slice(name);
        number::put(&mut self.bytes, list.len() as u32);
        self.bytes.extend_from_slice(&list);
        if self.bytes.len() >= FULL {
            self.close();
        }
    }

    fn close(&mut self) {
        if !self.bytes.is_empty() {
            let packed = lz4_flex::compress_prepend_size(&self.bytes);
            self.parts.push((std::mem::take(&mut self.first), packed));
            self.bytes.clear();
        }
    }

    fn end(mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.close();
        self.parts
    }
}

/// The next word of a part, and the list of those that have it.
fn next<'p>(bytes: &mut &'p [u8]) -> Option<(&'p [u8], &'p [u8])> {
    let length = number::take(bytes)? as usize;
    let (name, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let length = number::take(bytes)? as usize;
    let (list, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some((name, list))
}

fn add(set: &mut Set, mut list: &[u8]) {
    let mut person = 0u32;
    while let Some(step) = number::take(&mut list) {
        person = person.wrapping_add(step);
        set.add(person);
    }
}

/// Who has a word.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    size: usize,
) -> Result<Set, StoreError> {
    let mut set = Set::none(size);
    match wanted {
        Wanted::Word(word) => {
            find_named(connection, word.as_bytes(), &mut set).await?;
        }
        Wanted::Beginning(beginning) => {
            let mut name = vec![BEGINNING];
            name.extend_from_slice(beginning.as_bytes());
            if !find_named(connection, &name, &mut set).await? {
                find_beginning(connection, beginning.as_bytes(), &mut set).await?;
            }
        }
    }
    Ok(set)
}

/// The part in which a name would stand.
async fn part_of(
    connection: &mut SqliteConnection,
    name: &[u8],
) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT id, bytes FROM roster_words WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
    )
    .bind(name)
    .fetch_optional(connection)
    .await?)
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    lz4_flex::decompress_size_prepended(bytes)
        .map_err(|_| StoreError::damaged("a part of the search index cannot be unpacked"))
}

/// Adds those of the list with exactly this name; whether there is one.
async fn find_named(
    connection: &mut SqliteConnection,
    name: &[u8],
    set: &mut Set,
) -> Result<bool, StoreError> {
    let Some((_, bytes)) = part_of(connection, name).await? else {
        return Ok(false);
    };
    let bytes = unpacked(&bytes)?;
    let mut rest = bytes.as_slice();
    while let Some((one, list)) = next(&mut rest) {
        if one == name {
            add(set, list);
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds those of all words that begin so.
async fn find_beginning(
    connection: &mut SqliteConnection,
    beginning: &[u8],
    set: &mut Set,
) -> Result<(), StoreError> {
    let mut part = match part_of(&mut *connection, beginning).await? {
        Some(part) => Some(part),
        None => part_after(&mut *connection, 0).await?,
    };
    while let Some((id, bytes)) = part {
        let bytes = unpacked(&bytes)?;
        let mut rest = bytes.as_slice();
        while let Some((one, list)) = next(&mut rest) {
            if one.starts_with(beginning) {
                add(set, list);
            } else if one > beginning {
                return Ok(());
            }
        }
        part = part_after(&mut *connection, id).await?;
    }
    Ok(())
}

/// The part after another one: they were written in order.
async fn part_after(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    Ok(
        sqlx::query_as("SELECT id, bytes FROM roster_words WHERE id > ?1 ORDER BY id LIMIT 1")
            .bind(id)
            .fetch_optional(connection)
            .await?,
    )
}
