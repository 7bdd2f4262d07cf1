//! Seeded chance: splitmix64, enough for tests and the same everywhere.

pub struct Dice(u64);

impl Dice {
    /// Dice of their own for each world, so that any world can be thrown again alone.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice(seed ^ number.wrapping_mul(0xA076_1D64_78BD_642F));
        dice.next();
        dice
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() % (most - least + 1) as u64) as usize
    }
    /// True in `percent` of a hundred throws.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.between(0, 99) < percent
    }
    /// One of them.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.between(0, from.len() - 1)].clone()
    }
    /// One of them in `percent` of a hundred throws, else none.
    pub fn maybe<T: Clone>(&mut self, percent: usize, from: &[T]) -> Option<T> {
        if self.chance(percent) {
            Some(self.pick(from))
        } else {
            None
        }
    }
}
