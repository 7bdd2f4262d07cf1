//! Where each number of a long list stands: for numbers that are hashes already, as stamps and
//! numbers of names are.
//!
//! Made in one go of a whole list, at a fraction of what a table costs that grows entry by entry.

/// Zero in a list stands for no number.
pub const NO_NUMBER: i64 = 0;

/// The places of the numbers of one list.
#[derive(Debug, Default)]
pub struct Places {
    /// How far a number is shifted to the number of its drawer.
    shift: u32,
    /// Where each drawer begins in `entries`, and where the last one ends.
    starts: Vec<u32>,
    /// The lower half of a number above its place; within a drawer in the order of the list.
    entries: Vec<u64>,
}

/// How many numbers share a drawer, about.
const IN_A_DRAWER: usize = 4;

impl Places {
    /// The places of a list's numbers; of those beyond four thousand million nothing is known.
    pub fn of(list: &[i64]) -> Places {
        let drawers = (list.len() / IN_A_DRAWER).max(1).next_power_of_two();
        let shift = 64 - drawers.trailing_zeros();
        let mut places = Places {
            shift,
            starts: vec![0; drawers + 1],
            entries: Vec::new(),
        };
        let numbers = || {
            (0u32..=u32::MAX)
                .zip(list)
                .filter(|(_, number)| **number != NO_NUMBER)
        };
        for (_, number) in numbers() {
            let drawer = places.drawer(*number);
            if let Some(count) = places.starts.get_mut(drawer) {
                *count += 1;
            }
        }
        let mut all = 0u32;
        for count in &mut places.starts {
            let here = *count;
            *count = all;
            all += here;
        }
        let mut next = places.starts.clone();
        places.entries = vec![0; all as usize];
        for (place, number) in numbers() {
            let Some(at) = next.get_mut(places.drawer(*number)) else {
                continue;
            };
            if let Some(entry) = places.entries.get_mut(*at as usize) {
                *entry = tag(*number) | u64::from(place);
            }
            *at += 1;
        }
        places
    }

    fn drawer(&self, number: i64) -> usize {
        number.cast_unsigned().checked_shr(self.shift).unwrap_or(0) as usize
    }

    /// Where a number stands in the list that this was made of, in order.
    pub fn find(&self, list: &[i64], number: i64) -> impl Iterator<Item = u32> {
        let drawer = self.drawer(number);
        let bound = |at: usize| self.starts.get(at).map_or(0, |start| *start as usize);
        let entries = match number {
            NO_NUMBER => &[],
            _ => self
                .entries
                .get(bound(drawer)..bound(drawer + 1))
                .unwrap_or_default(),
        };
        let wanted = tag(number);
        entries
            .iter()
            .filter(move |entry| *entry & TAG == wanted)
            .map(|entry| (entry & !TAG) as u32)
            .filter(move |place| list.get(*place as usize) == Some(&number))
    }
}

const TAG: u64 = 0xffff_ffff_0000_0000;

fn tag(number: i64) -> u64 {
    number.cast_unsigned() << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &[i64]) {
        let places = Places::of(list);
        let others = [NO_NUMBER, 1, -1, i64::MIN, 0x77 << 32];
        for number in list.iter().chain(&others) {
            let expected: Vec<u32> = (0u32..)
                .zip(list)
                .filter(|(_, one)| *one == number && **one != NO_NUMBER)
                .map(|(place, _)| place)
                .collect();
            let found: Vec<u32> = places.find(list, *number).collect();
            assert_eq!(found, expected, "{number} in {list:?}");
        }
    }

    #[test]
    fn every_number_is_found_wherever_it_stands() {
        check(&[]);
        check(&[NO_NUMBER]);
        check(&[7]);
        check(&[7, NO_NUMBER, 7, 8, i64::MIN, -1, 7]);
        // Numbers of one drawer, some with the same lower half.
        check(&[1 << 40, 1 << 41, 5 | 1 << 40, 5 | 1 << 41, 5]);
        let many: Vec<i64> = (1..5_000i64)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> (n % 3))
            .chain([3, 3, 3])
            .collect();
        check(&many);
    }
}
