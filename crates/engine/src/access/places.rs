//! Where the things of many numbers stand: twelve to twenty bytes each.
//!
//! Numbers are hashes under a random key, or count up; nobody can choose some that meet.

use super::columns::NONE;
use super::making::Number;

/// Numbers in the order in which they came, and the place of each.
#[derive(Default)]
pub(super) struct Places {
    numbers: Vec<Number>,
    /// Places, each at or soon after where its number belongs; `NONE` where none is. A number that
    /// is its own place needs no entry.
    table: Vec<u32>,
    entries: usize,
}

/// Spreads numbers that count up.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Places {
    /// Makes room for about so many more.
    pub fn expect(&mut self, more: usize) {
        self.numbers.reserve(more);
    }

    /// Makes room for about so many more whose numbers are not their places.
    pub fn expect_named(&mut self, more: usize) {
        self.expect(more);
        self.widen(self.entries + more);
    }

    /// The slot where a number belongs; the next ones follow, the first after the last.
    fn first_slot(&self, number: Number) -> usize {
        let shift = u64::BITS - self.table.len().trailing_zeros();
        let spread = number.cast_unsigned().wrapping_mul(SPREAD);
        spread.checked_shr(shift).unwrap_or(0) as usize
    }

    fn widen(&mut self, entries: usize) {
        let slots = (entries.max(8) * 2).next_power_of_two();
        if slots <= self.table.len() {
            return;
        }
        self.table = vec![NONE; slots];
        for place in 0..self.len() {
            if let Some(number) = self.numbers.get(place as usize).copied()
                && number != Number::from(place)
            {
                self.enter(number, place);
            }
        }
    }

    fn enter(&mut self, number: Number, place: u32) {
        let mut at = self.first_slot(number);
        // Half of all slots are free.
        while let Some(slot) = self.table.get_mut(at) {
            if *slot == NONE {
                *slot = place;
                return;
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    pub fn len(&self) -> u32 {
        u32::try_from(self.numbers.len()).unwrap_or(NONE - 1)
    }

    /// The place of a number.
    pub fn get(&self, number: Number) -> Option<u32> {
        let is_at = |place: u32| self.numbers.get(place as usize) == Some(&number);
        if let Some(place) = u32::try_from(number).ok().filter(|place| is_at(*place)) {
            return Some(place);
        }
        let mut at = self.first_slot(number);
        while let Some(place) = self.table.get(at).copied().filter(|place| *place != NONE) {
            if is_at(place) {
                return Some(place);
            }
            at = (at + 1) & (self.table.len() - 1);
        }
        None
    }

    /// The places of many numbers, `NONE` of those that have none.
    ///
    /// One step for all of them after the other: so the memory that each step looks into is fetched
    /// for several at once.
    pub fn get_all(&self, numbers: &[Number], places: &mut Vec<u32>) {
        places.clear();
        let first = |number: &Number| self.table.get(self.first_slot(*number)).copied();
        places.extend(numbers.iter().map(|number| first(number).unwrap_or(NONE)));
        for (place, number) in places.iter_mut().zip(numbers) {
            if self.numbers.get(*place as usize) != Some(number) {
                *place = self.get(*number).unwrap_or(NONE);
            }
        }
    }

    /// Gives a number the next place, unless it has one; its place.
    pub fn add(&mut self, number: Number) -> u32 {
        if let Some(place) = self.get(number) {
            return place;
        }
        let place = self.len();
        self.numbers.push(number);
        if number != Number::from(place) {
            self.entries += 1;
            if self.entries * 2 > self.table.len() {
                self.widen(self.entries);
            } else {
                self.enter(number, place);
            }
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn each_number_has_the_place_at_which_it_first_came(
            numbers in prop::collection::vec(prop_oneof![0i64..60, -3i64..3, any::<i64>()], 0..120),
            expected in 0usize..40,
        ) {
            let (mut places, mut known) = (Places::default(), HashMap::new());
            places.expect_named(expected);
            for number in numbers {
                let next = known.len() as u32;
                let place = *known.entry(number).or_insert(next);
                prop_assert_eq!(places.add(number), place);
                prop_assert_eq!(places.len(), known.len() as u32);
            }
            for number in (-3..60).chain([i64::MIN, i64::MAX]).chain(known.keys().copied()) {
                prop_assert_eq!(places.get(number), known.get(&number).copied());
            }
            let asked: Vec<Number> = (-3..60).chain(known.keys().copied()).collect();
            let mut all = Vec::new();
            places.get_all(&asked, &mut all);
            let one_by_one = asked.iter().map(|number| places.get(*number).unwrap_or(NONE));
            prop_assert_eq!(all, one_by_one.collect::<Vec<_>>());
        }
    }
}
