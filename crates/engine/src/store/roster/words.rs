//! The words of identities' ids, names and addresses, and who has them.
//!
//! Words are folded (case, accents) and sorted; each stands with the numbers of those that have
//! it. Beginnings that very many words share stand there too, so that a search for a single
//! letter is one list as well.

use super::numbering::Numbering;
use super::orders::first_bytes;
use super::set::Set;
use super::{StoreError, number};
use sqlx::SqliteConnection;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A longer word is cut here, in what is kept and in what is searched.
const LONGEST: usize = 64;
/// A beginning that more words share than this has a list of its own.
const MANY: usize = 2_048;
/// Beginnings of up to so many bytes may have one.
pub(super) const DEEPEST: usize = 24;
/// A part that holds so many bytes takes no more.
pub(super) const FULL: usize = 48 * 1024;
/// What the name of a list of a beginning starts with: no word does.
pub(super) const BEGINNING: u8 = 0;

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
pub(super) fn each_word(text: &str, mut take: impl FnMut(&str)) {
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

/// What the name of a list of a sign starts with: no word does, nor a beginning.
const SIGN: char = '\u{1}';

/// The name of the list of those that have a sign in their id.
pub(in super::super) fn sign_word(sign: char) -> String {
    [SIGN, sign].iter().collect()
}

/// Every sign of an id: what is no part of a word.
pub(super) fn each_sign(id: &str, take: impl FnMut(char)) {
    id.chars().filter(|c| !c.is_alphanumeric()).for_each(take);
}

/// All words, each once, and who has them as they are met.
#[derive(Default)]
pub(super) struct Words {
    words: Vocabulary,
    /// Word and person, in the order of persons; in pieces, so that nothing is moved as they grow.
    met: Vec<Vec<(u32, u32)>>,
    people: u32,
}

/// How many are in one piece.
const PIECE: usize = 1 << 16;

impl Words {
    /// The texts of the next identity, the id first.
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
            each_word(text, |word| self.note_word(person, word));
        }
        let [id, ..] = texts;
        if let Some(id) = id.filter(|id| !id.bytes().all(|b| b.is_ascii_alphanumeric())) {
            each_sign(id, |sign| self.note_word(person, &sign_word(sign)));
        }
    }

    fn note_word(&mut self, person: u32, word: &str) {
        let one = (self.words.number(word), person);
        match self.met.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(one),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(one);
                self.met.push(piece);
            }
        }
    }

    /// The parts, each with the first word that it holds.
    pub fn parts(self, numbering: &Numbering) -> Vec<(Vec<u8>, Vec<u8>)> {
        let (order, rank) = self.words.sorted();
        // Where the people of each word begin, in the order of the words.
        let mut starts = vec![0usize; order.len() + 1];
        let ranked = || {
            let all = self.met.iter().flatten();
            all.map(|(word, person)| (rank.get(*word as usize).copied().unwrap_or(0), *person))
        };
        for (word, _) in ranked() {
            if let Some(count) = starts.get_mut(word as usize + 1) {
                *count += 1;
            }
        }
        let mut all = 0;
        for start in &mut starts {
            all += *start;
            *start = all;
        }
        let (mut next, mut having) = (starts.clone(), vec![0u32; all]);
        for (word, person) in ranked() {
            let Some(at) = next.get_mut(word as usize) else {
                continue;
            };
            if let Some(slot) = having.get_mut(*at) {
                *slot = numbering.of(person);
            }
            *at += 1;
        }
        for bounds in starts.windows(2) {
            let [from, to] = bounds else { continue };
            // Nearly always they are in order.
            if let Some(people) = having.get_mut(*from..*to) {
                people.sort_unstable();
            }
        }
        let word_at = |word: usize| order.get(word).map_or("", |word| self.words.at(*word));
        let people_of = |words: Range<usize>| {
            let bound = |word: usize| starts.get(word).copied().unwrap_or(all);
            having
                .get(bound(words.start)..bound(words.end))
                .unwrap_or_default()
        };
        let mut writer = Writer::default();
        let mut shared = Vec::new();
        beginnings(&word_at, 0..order.len(), 1, &mut shared);
        shared.sort_unstable_by_key(|(beginning, _)| *beginning);
        for (beginning, words) in shared {
            let mut name = vec![BEGINNING];
            name.extend_from_slice(beginning.as_bytes());
            let mut people = people_of(words).to_vec();
            people.sort_unstable();
            writer.put(&name, &people);
        }
        for word in 0..order.len() {
            writer.put(word_at(word).as_bytes(), people_of(word..word + 1));
        }
        writer.end()
    }
}

/// Words by number, each once.
#[derive(Default)]
struct Vocabulary {
    text: String,
    /// Where each word ends.
    ends: Vec<usize>,
    /// The upper half of a word's hash above its number, counted from one; zero is empty. As many
    /// as a power of two, and at most half of them taken.
    slots: Vec<u64>,
    hashes: RandomState,
}

impl Vocabulary {
    fn at(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).and_then(|one| self.ends.get(one));
        let end = self.ends.get(number).copied().unwrap_or(0);
        self.text
            .get(start.copied().unwrap_or(0)..end)
            .unwrap_or_default()
    }

    fn number(&mut self, word: &str) -> u32 {
        if self.ends.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let tag = self.hashes.hash_one(word) & TAG;
        let mut at = self.slot(tag);
        loop {
            match self.slots.get(at).copied().unwrap_or(0) {
                0 => break,
                taken if taken & TAG == tag => {
                    let number = (taken & !TAG) as u32 - 1;
                    if self.at(number) == word {
                        return number;
                    }
                }
                _ => {}
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        let number = self.ends.len() as u32;
        self.text.push_str(word);
        self.ends.push(self.text.len());
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = tag | (u64::from(number) + 1);
        }
        number
    }

    /// Where a word with this hash would stand.
    fn slot(&self, tag: u64) -> usize {
        let bits = self.slots.len().trailing_zeros();
        tag.checked_shr(64 - bits).unwrap_or(0) as usize
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 4).max(1 << 12);
        let taken = std::mem::replace(&mut self.slots, vec![0; size]);
        for taken in taken.into_iter().filter(|taken| *taken != 0) {
            let mut at = self.slot(taken & TAG);
            loop {
                match self.slots.get_mut(at) {
                    Some(slot) if *slot == 0 => {
                        *slot = taken;
                        break;
                    }
                    _ => at = (at + 1) & (size - 1),
                }
            }
        }
    }

    /// The words in order, and the place of each in that order.
    fn sorted(&self) -> (Vec<u32>, Vec<u32>) {
        let mut keys: Vec<(u64, u32)> = (0u32..)
            .take(self.ends.len())
            .map(|number| (first_bytes(self.at(number)), number))
            .collect();
        keys.sort_unstable_by(|(a_first, a), (b_first, b)| {
            (a_first.cmp(b_first)).then_with(|| self.at(*a).cmp(self.at(*b)))
        });
        let order: Vec<u32> = keys.into_iter().map(|(_, number)| number).collect();
        let mut rank = vec![0; order.len()];
        for (place, number) in (0u32..).zip(&order) {
            if let Some(rank) = rank.get_mut(*number as usize) {
                *rank = place;
            }
        }
        (order, rank)
    }
}

const TAG: u64 = 0xffff_ffff_0000_0000;

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
    list: Vec<u8>,
}

impl Writer {
    /// A word with its people in order; one that has it twice is noted once.
    fn put(&mut self, name: &[u8], people: &[u32]) {
        if self.bytes.is_empty() {
            self.first = name.to_vec();
        }
        self.list.clear();
        put_list(&mut self.list, people);
        put_entry(&mut self.bytes, name, &self.list);
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

/// People in order; one that stands twice is noted once.
pub(super) fn put_list(list: &mut Vec<u8>, people: &[u32]) {
    let mut before = None;
    for person in people {
        if before != Some(*person) {
            number::put(list, person.wrapping_sub(before.unwrap_or(0)));
            before = Some(*person);
        }
    }
}

pub(super) fn put_entry(bytes: &mut Vec<u8>, name: &[u8], list: &[u8]) {
    number::put(bytes, name.len() as u32);
    bytes.extend_from_slice(name);
    number::put(bytes, list.len() as u32);
    bytes.extend_from_slice(list);
}

/// The next word of a part, and the list of those that have it.
pub(super) fn next<'p>(bytes: &mut &'p [u8]) -> Option<(&'p [u8], &'p [u8])> {
    let length = number::take(bytes)? as usize;
    let (name, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let length = number::take(bytes)? as usize;
    let (list, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some((name, list))
}

fn add(set: &mut Set, list: &[u8]) {
    people_in(list).for_each(|person| set.add(person));
}

/// The people of a list, in order.
pub(super) fn people_in(mut list: &[u8]) -> impl Iterator<Item = u32> {
    let mut person = 0u32;
    std::iter::from_fn(move || {
        person = person.wrapping_add(number::take(&mut list)?);
        Some(person)
    })
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

pub(super) fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
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
