//! Nodes in the making: numbered as they come, put in id order at the end.

use super::columns::{Column, NONE, Texts};
use super::making::Number;
use super::places::Places;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Nodes of one kind in the order in which they came, found by their numbers.
pub(super) struct Nodes<T> {
    pub places: Places,
    pub listed: Listed<T>,
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Nodes {
            places: Places::default(),
            listed: Listed::default(),
        }
    }
}

impl<T> Nodes<T> {
    /// Makes room for about so many more.
    pub fn expect(&mut self, more: usize) {
        self.places.expect_named(more);
        self.listed.expect(more);
    }

    /// Adds a node unless there is one of this number; the place of the one that stands.
    pub fn add(&mut self, number: Number, system: u32, id: &str, row: impl FnOnce() -> T) -> u32 {
        let place = self.places.add(number);
        if place == self.listed.len() {
            self.listed.push(system, id, row());
        }
        place
    }

    pub fn place(&self, number: Option<Number>) -> u32 {
        number
            .and_then(|number| self.places.get(number))
            .unwrap_or(NONE)
    }
}

/// Nodes of one kind in the order in which they came.
pub(super) struct Listed<T> {
    pub systems: Vec<u32>,
    pub ids: Texts,
    pub rows: Vec<T>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Listed {
            systems: Vec::new(),
            ids: Texts::default(),
            rows: Vec::new(),
        }
    }
}

impl<T> Listed<T> {
    /// Makes room for about so many more.
    pub fn expect(&mut self, more: usize) {
        self.systems.reserve(more);
        self.ids.expect(more);
        self.rows.reserve(more);
    }

    pub fn len(&self) -> u32 {
        self.ids.len()
    }

    pub fn push(&mut self, system: u32, id: &str, row: T) {
        self.systems.push(system);
        self.ids.push(id);
        self.rows.push(row);
    }

    pub fn row_mut(&mut self, place: u32) -> Option<&mut T> {
        self.rows.get_mut(place as usize)
    }

    /// The places in the order of system and id, and the row that each place becomes.
    pub fn in_order(&self, systems: &Column<u32>) -> Order {
        let mut keys: Vec<Key> = (0..)
            .zip(&self.systems)
            .map(|(place, system)| Key {
                first: first_bytes(self.ids.at(place)),
                system: *systems.at(*system),
                place,
            })
            .collect();
        keys.sort_unstable_by(|a, b| {
            let by_key = (a.system, a.first).cmp(&(b.system, b.first));
            match by_key {
                Ordering::Equal => self.ids.at(a.place).cmp(self.ids.at(b.place)),
                Ordering::Less | Ordering::Greater => by_key,
            }
        });
        let mut rows = Column::filled(NONE, self.len());
        for (row, key) in (0..).zip(&keys) {
            *rows.at_mut(key.place) = row;
        }
        Order {
            places: keys.iter().map(|key| key.place).collect(),
            rows,
        }
    }
}

/// What is compared before texts are.
struct Key {
    first: [u64; 2],
    system: u32,
    place: u32,
}

/// Where the nodes of one kind go.
pub(super) struct Order {
    pub places: Vec<u32>,
    pub rows: Column<u32>,
}

impl Order {
    pub fn row(&self, place: u32) -> u32 {
        match place < self.rows.len() {
            true => *self.rows.at(place),
            false => NONE,
        }
    }

    pub fn texts(&self, ids: &Texts) -> Texts {
        let mut texts = Texts::as_long_as(ids);
        for place in &self.places {
            texts.push(ids.at(*place));
        }
        texts
    }

    pub fn column<T, R>(&self, rows: &[T], turn: impl Fn(&T) -> R) -> Column<R> {
        let mut column = Vec::with_capacity(self.places.len());
        let rows = self
            .places
            .iter()
            .filter_map(|place| rows.get(*place as usize));
        column.extend(rows.map(turn));
        Column::new(column)
    }
}

/// The first sixteen bytes as numbers that sort as they do.
fn first_bytes(text: &str) -> [u64; 2] {
    let mut first = [0u8; 16];
    for (to, from) in first.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    let both = u128::from_be_bytes(first);
    [(both >> 64) as u64, both as u64]
}

/// Numbers of texts that occur often.
#[derive(Default)]
pub(super) struct Numbered {
    pub texts: Texts,
    pub rows: HashMap<Box<str>, u32>,
    /// The text that was asked for last: facts that stand together name the same ones.
    pub last: Option<(Box<str>, u32)>,
}

impl Numbered {
    pub fn row(&mut self, text: &str) -> u32 {
        if let Some((_, row)) = self.last.as_ref().filter(|(last, _)| **last == *text) {
            return *row;
        }
        let row = match self.rows.get(text) {
            Some(row) => *row,
            None => {
                let row = self.texts.push(text);
                self.rows.insert(text.into(), row);
                row
            }
        };
        self.last = Some((text.into(), row));
        row
    }

    pub fn row_of_some(&mut self, text: Option<&str>) -> u32 {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => self.row(text),
            None => NONE,
        }
    }
}
