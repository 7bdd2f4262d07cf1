//! Which number each identity has: the one that it had before, where it can keep it, so that what is
//! made of numbers stays what it was where nothing has changed.

use std::collections::HashMap;

/// The numbers of identities, each by the place at which it was taken.
#[derive(Debug)]
pub(super) struct Numbering(Option<Vec<u32>>);

/// Where more than one of so many is another, numbers are given out anew.
const FEW_OF: usize = 8;

/// What the last making and this one do not have in common.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Number and row of those that are gone.
    pub gone: Vec<(u32, i64)>,
    /// Place and row of those that are new.
    pub fresh: Vec<(u32, i64)>,
    /// The number of each that stayed, by its place.
    numbers: Vec<u32>,
}

/// A place that has no number yet.
const NO_ONE: u32 = u32::MAX;

impl Changes {
    /// `before` are the rows by number, `now` those that stand, in ascending order. None where too
    /// little is the same.
    pub fn between(before: &[i64], now: &[i64]) -> Option<Changes> {
        let mut had: Vec<(i64, u32)> = before.iter().copied().zip(0u32..).collect();
        had.sort_unstable();
        let mut had = had.into_iter().peekable();
        let mut changes = Changes::default();
        for (place, row) in (0u32..).zip(now) {
            while let Some((gone, number)) = had.next_if(|(one, _)| one < row) {
                changes.gone.push((number, gone));
            }
            match had.next_if(|(one, _)| one == row) {
                Some((_, number)) => changes.numbers.push(number),
                None => {
                    changes.numbers.push(NO_ONE);
                    changes.fresh.push((place, *row));
                }
            }
        }
        changes.gone.extend(had.map(|(row, number)| (number, row)));
        let others = changes.gone.len() + changes.fresh.len();
        (others <= now.len() / FEW_OF).then_some(changes)
    }
}

impl Numbering {
    /// Each has the place at which it was taken.
    pub fn anew() -> Numbering {
        Numbering(None)
    }

    /// Those that stayed keep their numbers; `same` are rows that are gone with the new ones that
    /// have taken their place; others fill what is left.
    pub fn kept(changes: Changes, same: &HashMap<i64, i64>) -> Numbering {
        let Changes {
            gone,
            fresh,
            mut numbers,
        } = changes;
        let size = numbers.len() as u32;
        let places: HashMap<i64, u32> = fresh.iter().map(|(place, row)| (*row, *place)).collect();
        let mut free: Vec<u32> = Vec::new();
        for (number, row) in gone {
            let taken = same
                .get(&row)
                .and_then(|new| places.get(new))
                .and_then(|place| numbers.get_mut(*place as usize))
                .filter(|slot| **slot == NO_ONE && number < size);
            match taken {
                Some(slot) => *slot = number,
                None => free.push(number),
            }
        }
        // Numbers that were never given out come after the others.
        let before =
            (numbers.iter().filter(|number| **number != NO_ONE).count() + free.len()) as u32;
        free.extend(before..size.max(before));
        free.retain(|number| *number < size);
        free.sort_unstable_by(|a, b| b.cmp(a));
        for number in &mut numbers {
            if *number >= size {
                *number = free.pop().unwrap_or(NO_ONE);
            }
        }
        Numbering(Some(numbers))
    }

    /// The number of the one that was taken at a place.
    pub fn of(&self, place: u32) -> u32 {
        match &self.0 {
            None => place,
            Some(numbers) => numbers.get(place as usize).copied().unwrap_or(place),
        }
    }

    /// What was taken place by place, by number.
    pub fn arranged(&self, taken: &[i64]) -> Vec<i64> {
        let mut by_number = taken.to_vec();
        for (place, one) in (0u32..).zip(taken) {
            if let Some(slot) = by_number.get_mut(self.of(place) as usize) {
                *slot = *one;
            }
        }
        by_number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_is_had_once_and_kept_where_it_can_be(
            before in Just((0..64i64).collect::<Vec<_>>()).prop_shuffle(),
            gone in proptest::collection::btree_set(0..64i64, 0..4),
            fresh in 0..4i64,
        ) {
            let mut now: Vec<i64> = before.iter().copied().filter(|row| !gone.contains(row)).collect();
            now.sort_unstable();
            now.extend((0..fresh).map(|n| 100 + n));
            // The first new one takes the place of the first that is gone.
            let same: HashMap<i64, i64> = gone
                .first()
                .filter(|_| fresh > 0)
                .map(|row| (*row, 100))
                .into_iter()
                .collect();
            let changes = Changes::between(&before, &now).unwrap();
            let numbering = Numbering::kept(changes, &same);
            let rows = numbering.arranged(&now);
            let mut all = rows.clone();
            all.sort_unstable();
            prop_assert_eq!(&all, &now, "each stands once");
            for (number, row) in before.iter().enumerate().filter(|(n, _)| *n < now.len()) {
                let row = same.get(row).unwrap_or(row);
                if now.binary_search(row).is_ok() {
                    prop_assert_eq!(rows[number], *row);
                }
            }
        }
    }

    #[test]
    fn where_much_is_new_numbers_are_given_out_anew() {
        assert!(Changes::between(&[1, 2, 3], &[4, 5, 6]).is_none());
        assert!(Changes::between(&[], &[4, 5, 6]).is_none());
        assert!(Changes::between(&[], &[]).is_some());
    }
}
