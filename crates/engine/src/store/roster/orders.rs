//! The orders of lists: identities sorted by each column, ties by id, then source.

use super::{Person, ROWS, number};
use crate::access::Texts;
use crate::correlate::folded;

/// The columns that identities can be sorted or filtered by, in the order of `Columns::texts`.
const NAMES: [&str; 11] = [
    "id",
    "source",
    "kind",
    "status",
    "display_name",
    "email",
    "department",
    "title",
    "end_date",
    "manager_id",
    "employer_id",
];

/// How texts of a column are compared.
pub(in super::super) fn key_of(column: &str, text: &str) -> String {
    match column {
        "display_name" | "email" | "department" | "title" => folded(text),
        _ => text.to_owned(),
    }
}

/// The columns of all identities, by number.
#[derive(Default)]
pub(super) struct Columns {
    rows: Vec<i64>,
    texts: [Texts; NAMES.len()],
}

impl Columns {
    pub fn take(&mut self, row: i64, source: &str, person: &Person<'_>) {
        self.rows.push(row);
        let values = [
            Some(person.id.as_ref()),
            Some(source),
            Some(person.kind),
            person.status,
            person.display_name.as_deref(),
            person.email.as_deref(),
            person.department.as_deref(),
            person.title.as_deref(),
            person.end_date,
            person.manager_id.as_deref(),
            person.employer_id.as_deref(),
        ];
        for ((texts, name), value) in self.texts.iter_mut().zip(NAMES).zip(values) {
            let value = value.unwrap_or_default();
            match name {
                "display_name" | "email" | "department" | "title" => texts.push(&folded(value)),
                _ => texts.push(value),
            };
        }
    }

    /// Name, bytes, and bytes for each number of every order.
    pub fn orders(self) -> Vec<(&'static str, Vec<u8>, usize)> {
        let mut made = vec![(ROWS, number::wide(&self.rows), 8)];
        let [ids, sources, ..] = &self.texts;
        let every: Vec<u32> = (0u32..).take(self.rows.len()).collect();
        let by_source = sorted(sources, &every);
        let by_id = sorted(ids, &by_source);
        for (name, texts) in NAMES.into_iter().zip(&self.texts) {
            let order = match name {
                "id" => by_id.clone(),
                _ => sorted(texts, &by_id),
            };
            made.push((name, number::narrow(&order), 4));
        }
        made
    }
}

/// The numbers sorted by their texts; those of one text stay as they were.
fn sorted(texts: &Texts, before: &[u32]) -> Vec<u32> {
    // The first bytes as a number tell most texts apart without looking at them.
    let mut keys: Vec<(u64, u32)> = before
        .iter()
        .map(|number| (first_bytes(texts.at(*number)), *number))
        .collect();
    keys.sort_by(|(a_first, a), (b_first, b)| {
        a_first
            .cmp(b_first)
            .then_with(|| texts.at(*a).cmp(texts.at(*b)))
    });
    keys.into_iter().map(|(_, number)| number).collect()
}

/// The first eight bytes as a number that sorts as they do.
pub(super) fn first_bytes(text: &str) -> u64 {
    let mut first = [0u8; 8];
    for (to, from) in first.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(first)
}
