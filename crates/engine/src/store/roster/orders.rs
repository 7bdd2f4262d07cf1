//! The orders of lists: identities sorted by each column, ties by id, then source.

use super::super::outline::IdentityOutline;
use super::numbering::Numbering;
use super::{ROWS, number};
use crate::access::Texts;
use crate::correlate::folded;
use lastkey_contract::facts::IdentityStatus;
use std::collections::HashMap;

/// The columns that identities can be sorted or filtered by, in the order of `Columns::texts`.
pub(super) const NAMES: [&str; 11] = [
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

/// What an identity has in each of the columns.
pub(super) fn values<'p>(
    source: &'p str,
    person: &'p IdentityOutline<'_>,
) -> [Option<&'p str>; NAMES.len()] {
    [
        Some(&*person.id),
        Some(source),
        Some(person.kind.word()),
        person.status.map(IdentityStatus::word),
        person.display_name.as_deref(),
        person.email.as_deref(),
        person.department.as_deref(),
        person.title.as_deref(),
        person.end_date.as_deref(),
        person.manager_id.as_deref(),
        person.employer_id.as_deref(),
    ]
}

/// After so many it is known how long the texts are.
const TELLING: usize = 1_000;

impl Columns {
    /// The next of about `all` identities.
    pub fn take(&mut self, all: usize, row: i64, source: &str, person: &IdentityOutline<'_>) {
        self.rows.push(row);
        if self.rows.len() == TELLING {
            let more = all.saturating_sub(TELLING);
            self.rows.reserve(more);
            self.texts.iter_mut().for_each(|texts| texts.expect(more));
        }
        let values = values(source, person);
        for ((texts, name), value) in self.texts.iter_mut().zip(NAMES).zip(values) {
            let value = value.unwrap_or_default();
            match name {
                "display_name" | "email" | "department" | "title" => texts.push(&folded(value)),
                _ => texts.push(value),
            };
        }
    }

    /// The rows in the order in which they were taken.
    pub fn rows(&self) -> &[i64] {
        &self.rows
    }

    /// Name, bytes, and bytes for each number of every order.
    pub fn orders(self, numbering: &Numbering) -> Vec<(&'static str, Vec<u8>, usize)> {
        let mut made = vec![(ROWS, number::wide(&numbering.arranged(&self.rows)), 8)];
        let [ids, sources, ..] = &self.texts;
        let every: Vec<u32> = (0u32..).take(self.rows.len()).collect();
        let by_source = sorted(sources, &every);
        let by_id = sorted(ids, &by_source);
        for (name, texts) in NAMES.into_iter().zip(&self.texts) {
            let order = match name {
                "id" => by_id.clone(),
                _ => sorted(texts, &by_id),
            };
            let order: Vec<u32> = order.into_iter().map(|taken| numbering.of(taken)).collect();
            made.push((name, number::narrow(&order), 4));
        }
        made
    }
}

/// The numbers sorted by their texts; those of one text stay as they were. Texts are gone through
/// as they stand: in another order each is looked for in memory.
fn sorted(texts: &Texts, before: &[u32]) -> Vec<u32> {
    if let Some(few) = sorted_by_few(texts, before) {
        return few;
    }
    // The first bytes as a number tell most texts apart without looking at them.
    let every = (0u32..).take(before.len());
    let firsts: Vec<u128> = every.map(|n| first_sixteen(texts.at(n))).collect();
    let first_of = |number: &u32| firsts.get(*number as usize).copied().unwrap_or_default();
    let mut keys: Vec<(u128, u32)> = before.iter().map(|n| (first_of(n), *n)).collect();
    keys.sort_by(|(a_first, a), (b_first, b)| {
        a_first
            .cmp(b_first)
            .then_with(|| texts.at(*a).cmp(texts.at(*b)))
    });
    keys.into_iter().map(|(_, number)| number).collect()
}

/// With more texts than these they are sorted one by one.
const FEW: usize = 1_024;

/// The same where there are few texts, which many have: they are dealt out. None where there are
/// many.
fn sorted_by_few(texts: &Texts, before: &[u32]) -> Option<Vec<u32>> {
    let mut pile_of: HashMap<&str, u32> = HashMap::new();
    let mut piles: Vec<u32> = Vec::with_capacity(before.len());
    let mut last: Option<(&str, u32)> = None;
    for number in (0u32..).take(before.len()) {
        let text = texts.at(number);
        let pile = match last.filter(|(same, _)| *same == text) {
            Some((_, pile)) => pile,
            None => {
                let next = u32::try_from(pile_of.len()).ok()?;
                *pile_of.entry(text).or_insert(next)
            }
        };
        if pile_of.len() > FEW {
            return None;
        }
        last = Some((text, pile));
        piles.push(pile);
    }
    let mut order: Vec<(&str, u32)> = pile_of.into_iter().collect();
    order.sort_unstable();
    let mut dealt: Vec<Vec<u32>> = vec![Vec::new(); order.len()];
    for number in before {
        let pile = piles.get(*number as usize)?;
        dealt.get_mut(*pile as usize)?.push(*number);
    }
    let in_order = order
        .iter()
        .filter_map(|(_, pile)| dealt.get(*pile as usize));
    Some(in_order.flatten().copied().collect())
}

/// The first sixteen bytes as a number that sorts as they do.
fn first_sixteen(text: &str) -> u128 {
    let mut first = [0u8; 16];
    let length = text.len().min(first.len());
    if let (Some(to), Some(from)) = (first.get_mut(..length), text.as_bytes().get(..length)) {
        to.copy_from_slice(from);
    }
    u128::from_be_bytes(first)
}

/// The first eight bytes as a number that sorts as they do.
pub(super) fn first_bytes(text: &str) -> u64 {
    let mut first = [0u8; 8];
    for (to, from) in first.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(first)
}
