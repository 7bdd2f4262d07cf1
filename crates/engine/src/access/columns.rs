//! The compact shapes that the graph is made of: columns, adjacency rows, texts, marks.
//!
//! Rows are addressed by `u32`; every index comes from the graph that owns the column.

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// One value per row.
#[derive(Clone, Debug)]
pub(crate) struct Column<T>(Vec<T>);

impl<T> Column<T> {
    pub(crate) fn new(values: Vec<T>) -> Self {
        Self(values)
    }

    /// A row count that fits: past `u32::MAX - 1` rows the rest is out of reach, which no estate attains.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(NONE - 1)
    }

    // INVARIANT: `row` was handed out by the owner of the column.
    #[expect(
        clippy::indexing_slicing,
        reason = "row numbers are handed out by the owner of the column"
    )]
    pub(crate) fn at(&self, row: u32) -> &T {
        &self.0[row as usize]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "row numbers are handed out by the owner of the column"
    )]
    pub(crate) fn at_mut(&mut self, row: u32) -> &mut T {
        &mut self.0[row as usize]
    }

    pub(crate) fn push(&mut self, value: T) -> u32 {
        let row = self.len();
        self.0.push(value);
        row
    }

    pub(crate) fn values(&self) -> &[T] {
        &self.0
    }
}

impl<T: Clone> Column<T> {
    pub(crate) fn filled(value: T, rows: u32) -> Self {
        Self(vec![value; rows as usize])
    }
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Several values per row, stored end to end. The order within a row is the order of insertion.
#[derive(Clone, Debug)]
pub(crate) struct Rows<T> {
    starts: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> Rows<T> {
    /// Sorts pairs of (row, value) into `rows` rows, in two passes: counted, then put in place.
    pub(crate) fn build(rows: u32, mut pairs: Vec<(u32, T)>) -> Self {
        pairs.retain(|pair| pair.0 < rows);
        let mut starts = vec![0u32; rows as usize + 1];
        for (row, _) in &pairs {
            if let Some(count) = starts.get_mut(*row as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0u32;
        for start in &mut starts {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        let mut next = starts.clone();
        let mut values: Vec<T> = match pairs.first() {
            // Each place gets its own value below.
            Some((_, any)) => vec![*any; pairs.len()],
            None => Vec::new(),
        };
        for (row, value) in pairs {
            if let Some(place) = next.get_mut(row as usize) {
                if let Some(slot) = values.get_mut(*place as usize) {
                    *slot = value;
                }
                *place += 1;
            }
        }
        Self { starts, values }
    }

    pub(crate) fn row(&self, row: u32) -> &[T] {
        let from = self.starts.get(row as usize).copied().unwrap_or(0);
        let to = self.starts.get(row as usize + 1).copied().unwrap_or(from);
        self.values.get(from as usize..to as usize).unwrap_or(&[])
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            starts: Vec::new(),
            values: Vec::new(),
        }
    }
}

/// How many bytes an id has, for making room.
const AN_ID: usize = 24;

/// Many texts in one allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    all: String,
    /// Where each ends: four gigabytes of ids are more than an estate has.
    ends: Vec<u32>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        let row = u32::try_from(self.ends.len()).unwrap_or(NONE - 1);
        self.all.push_str(text);
        self.ends
            .push(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        row
    }

    /// Empty, with room for as much as another holds.
    pub(crate) fn as_long_as(other: &Texts) -> Texts {
        Texts {
            all: String::with_capacity(other.all.len()),
            ends: Vec::with_capacity(other.ends.len()),
        }
    }

    /// Makes room for so many more like those that are there: what grows by doubling is moved, and
    /// its memory touched anew, again and again.
    pub(crate) fn expect(&mut self, more: usize) {
        self.all.reserve(match self.ends.len() {
            0 => more.saturating_mul(AN_ID),
            had => self.all.len().saturating_mul(more) / had,
        });
        self.ends.reserve(more);
    }

    pub(crate) fn at(&self, row: u32) -> &str {
        let row = row as usize;
        let from = match row.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let to = self.ends.get(row).copied().unwrap_or(from);
        self.all.get(from as usize..to as usize).unwrap_or("")
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(NONE - 1)
    }
}

/// A number per row of a large table, cheap to clear: only what was set is reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    values: Column<u32>,
    touched: Vec<u32>,
}

impl Marks {
    pub(crate) fn new(rows: u32) -> Self {
        Self {
            values: Column::filled(0, rows),
            touched: Vec::new(),
        }
    }

    pub(crate) fn get(&self, row: u32) -> Option<u32> {
        self.values.at(row).checked_sub(1)
    }

    pub(crate) fn set(&mut self, row: u32, value: u32) {
        *self.values.at_mut(row) = value.saturating_add(1);
        self.touched.push(row);
    }

    pub(crate) fn clear(&mut self) {
        for row in self.touched.drain(..) {
            *self.values.at_mut(row) = 0;
        }
    }
}
