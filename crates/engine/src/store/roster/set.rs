//! A set of identities by their numbers: a bit for each.

/// Which of the numbered identities are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Set {
    bits: Vec<u64>,
    size: usize,
}

impl Set {
    pub fn none(size: usize) -> Set {
        Set {
            bits: vec![0; size.div_ceil(64)],
            size,
        }
    }

    pub fn all(size: usize) -> Set {
        let mut all = Set {
            bits: vec![u64::MAX; size.div_ceil(64)],
            size,
        };
        if let Some(last) = all.bits.last_mut()
            && !size.is_multiple_of(64)
        {
            *last = (1 << (size % 64)) - 1;
        }
        all
    }

    /// Takes one out.
    pub fn leave_out(&mut self, number: u32) {
        if let Some(bits) = self.bits.get_mut(number as usize / 64) {
            *bits &= !(1 << (number % 64));
        }
    }

    /// Adds one; a number that there is not changes nothing.
    pub fn add(&mut self, number: u32) {
        let number = number as usize;
        if number < self.size
            && let Some(bits) = self.bits.get_mut(number / 64)
        {
            *bits |= 1 << (number % 64);
        }
    }

    pub fn has(&self, number: u32) -> bool {
        self.bits
            .get(number as usize / 64)
            .is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    /// The numbers that are in it, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        (0u32..)
            .zip(&self.bits)
            .filter(|(_, bits)| **bits != 0)
            .flat_map(|(place, bits)| {
                let bits = *bits;
                (0..64).filter_map(move |bit| (bits >> bit & 1 == 1).then_some(place * 64 + bit))
            })
    }

    /// Keeps only what is in the other one as well.
    pub fn keep(&mut self, other: &Set) {
        for (place, bits) in self.bits.iter_mut().enumerate() {
            *bits &= other.bits.get(place).copied().unwrap_or(0);
        }
    }

    pub fn len(&self) -> usize {
        self.bits
            .iter()
            .map(|bits| bits.count_ones() as usize)
            .sum()
    }
}
