//! Taking people out of the lists of words and into others, part by part, where few have changed.

use super::super::StoreError;
use super::words::{
    BEGINNING, DEEPEST, FULL, each_sign, each_word, next, people_in, put_entry, put_list,
    sign_word, unpacked,
};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

/// The names of all lists that one stands in who has these texts, the id first: words, the signs of
/// the id, and beginnings of words, of which only some have a list.
pub(super) fn names_of(texts: &[&String]) -> BTreeSet<Vec<u8>> {
    let mut names = BTreeSet::new();
    if let Some(id) = texts.first() {
        each_sign(id, |sign| {
            names.insert(sign_word(sign).into_bytes());
        });
    }
    for text in texts {
        each_word(text, |word| {
            names.insert(word.as_bytes().to_vec());
            let ends = word.char_indices().filter(|(from, _)| *from < DEEPEST);
            for end in ends.map(|(from, one)| from + one.len_utf8()) {
                let mut name = vec![BEGINNING];
                name.extend_from_slice(word.as_bytes().get(..end).unwrap_or_default());
                names.insert(name);
            }
        });
    }
    names
}

/// Who goes out of a list, and who comes into it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Edit {
    pub out: BTreeSet<u32>,
    pub into: BTreeSet<u32>,
}

impl Edit {
    fn of(&self, list: &[u8]) -> Vec<u32> {
        let mut people: Vec<u32> = people_in(list)
            .filter(|person| !self.out.contains(person))
            .collect();
        people.extend(&self.into);
        people.sort_unstable();
        people
    }
}

/// Edits by the name of the list.
pub(super) type Edits = BTreeMap<Vec<u8>, Edit>;

/// A part as it is to be: its first name and its bytes; None where nothing is left in it.
pub(super) type Part = (i64, Option<(Vec<u8>, Vec<u8>)>);

/// The parts that differ after the edits. None where a part has grown so long that all are
/// better made anew.
pub(super) async fn parts(
    connection: &mut SqliteConnection,
    edits: &Edits,
) -> Result<Option<Vec<Part>>, StoreError> {
    if edits.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let firsts: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT id, first FROM roster_words ORDER BY first")
            .fetch_all(&mut *connection)
            .await?;
    let mut by_part: BTreeMap<i64, Vec<(&[u8], &Edit)>> = BTreeMap::new();
    for (name, edit) in edits {
        // What goes before all of them stands in the first.
        let after = firsts.partition_point(|(_, first)| first <= name);
        let Some((id, _)) = firsts.get(after.saturating_sub(1)) else {
            return Ok(None);
        };
        by_part.entry(*id).or_default().push((name, edit));
    }
    let mut parts = Vec::with_capacity(by_part.len());
    for (id, edits) in by_part {
        let (bytes,): (Vec<u8>,) = sqlx::query_as("SELECT bytes FROM roster_words WHERE id = ?1")
            .bind(id)
            .fetch_one(&mut *connection)
            .await?;
        let before = unpacked(&bytes)?;
        let Some(after) = edited(&before, &edits) else {
            return Ok(None);
        };
        if after.bytes == before {
            continue;
        }
        let packed = lz4_flex::compress_prepend_size(&after.bytes);
        parts.push((id, after.first.map(|first| (first, packed))));
    }
    Ok(Some(parts))
}

#[derive(Default)]
struct Edited {
    first: Option<Vec<u8>>,
    bytes: Vec<u8>,
    /// Of the longest entry.
    longest: usize,
}

impl Edited {
    fn put(&mut self, name: &[u8], list: &[u8]) {
        let before = self.bytes.len();
        self.first.get_or_insert_with(|| name.to_vec());
        put_entry(&mut self.bytes, name, list);
        self.longest = self.longest.max(self.bytes.len() - before);
    }

    /// A list that nobody was in. Beginnings that have none are found word by word.
    fn put_new(&mut self, name: &[u8], edit: &Edit) {
        if name.first() != Some(&BEGINNING) && !edit.into.is_empty() {
            let people: Vec<u32> = edit.into.iter().copied().collect();
            let mut list = Vec::new();
            put_list(&mut list, &people);
            self.put(name, &list);
        }
    }
}

/// A part after edits, which are in the order of names. None where it has grown too long.
fn edited(before: &[u8], edits: &[(&[u8], &Edit)]) -> Option<Edited> {
    let mut after = Edited::default();
    let mut edits = edits.iter().peekable();
    let mut rest = before;
    while let Some((name, list)) = next(&mut rest) {
        while let Some((new, edit)) = edits.next_if(|(new, _)| *new < name) {
            after.put_new(new, edit);
        }
        match edits.next_if(|(same, _)| *same == name) {
            None => after.put(name, list),
            Some((_, edit)) => {
                let people = edit.of(list);
                if !people.is_empty() {
                    let mut list = Vec::with_capacity(list.len());
                    put_list(&mut list, &people);
                    after.put(name, &list);
                }
            }
        }
    }
    for (new, edit) in edits {
        after.put_new(new, edit);
    }
    (after.bytes.len() - after.longest <= 4 * FULL).then_some(after)
}

/// Writes them.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    parts: &[Part],
) -> Result<(), StoreError> {
    for (id, part) in parts {
        let write = match part {
            Some((first, bytes)) => {
                sqlx::query("UPDATE roster_words SET first = ?2, bytes = ?3 WHERE id = ?1")
                    .bind(id)
                    .bind(first)
                    .bind(bytes)
            }
            None => sqlx::query("DELETE FROM roster_words WHERE id = ?1").bind(id),
        };
        write.execute(&mut *connection).await?;
    }
    Ok(())
}
