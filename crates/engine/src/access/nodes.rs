//! Nodes in the making: numbered as they come, put in id order at the end.

use super::columns::{Column, NONE, Texts};
use super::making::Number;
use lastkey_contract::AsTheyAre;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Nodes of one kind in the order in which they came.
pub(super) struct Nodes<T> {
    pub places: HashMap<Number, u32, AsTheyAre>,
    pub systems: Vec<u32>,
    pub ids: Texts,
    pub rows: Vec<T>,
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Nodes {
            places: HashMap::default(),
            systems: Vec::new(),
            ids: Texts::default(),
            rows: Vec::new(),
        }
    }
}

impl<T> Nodes<T> {
    /// Makes room for about so many more.
    pub fn expect(&mut self, more: usize) {
        self.places.reserve(more);
        self.systems.reserve(more);
        self.rows.reserve(more);
    }

    /// Adds a node unless there is one of this number; the place of the one that stands.
    pub fn add(&mut self, number: Number, system: u32, id: &str, row: impl FnOnce() -> T) -> u32 {
        let next = u32::try_from(self.rows.len()).unwrap_or(NONE - 1);
        let place = *self.places.entry(number).or_insert(next);
        if place == next {
            self.systems.push(system);
            self.ids.push(id);
            self.rows.push(row());
        }
        place
    }

    pub fn place(&self, number: Option<Number>) -> u32 {
        number
            .and_then(|number| self.places.get(&number))
            .copied()
            .unwrap_or(NONE)
    }

    pub fn row_mut(&mut self, place: u32) -> Option<&mut T> {
        self.rows.get_mut(place as usize)
    }

    /// The places in the order of system and id, and the row that each place becomes.
    pub fn in_order(&self, systems: &Column<u32>) -> Order {
        let key = |place: u32| {
            let system = self.systems.get(place as usize).copied();
            (
                system.map(|s| *systems.at(s)),
                first_bytes(self.ids.at(place)),
            )
        };
        let mut places: Vec<((Option<u32>, u64), u32)> = (0..self.ids.len())
            .map(|place| (key(place), place))
            .collect();
        places.sort_unstable_by(|(a_key, a), (b_key, b)| match a_key.cmp(b_key) {
            Ordering::Equal => self.ids.at(*a).cmp(self.ids.at(*b)),
            other => other,
        });
        let places: Vec<u32> = places.into_iter().map(|(_, place)| place).collect();
        let mut rows = Column::filled(NONE, self.ids.len());
        for (row, place) in (0..).zip(&places) {
            *rows.at_mut(*place) = row;
        }
        Order { places, rows }
    }
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
        let mut texts = Texts::default();
        for place in &self.places {
            texts.push(ids.at(*place));
        }
        texts
    }

    pub fn column<T, R>(&self, rows: &[T], turn: impl Fn(&T) -> R) -> Column<R> {
        let rows = self
            .places
            .iter()
            .filter_map(|place| rows.get(*place as usize));
        Column::new(rows.map(turn).collect())
    }
}

/// The first eight bytes as a number that sorts as they do.
fn first_bytes(text: &str) -> u64 {
    let mut first = [0u8; 8];
    for (to, from) in first.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(first)
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
