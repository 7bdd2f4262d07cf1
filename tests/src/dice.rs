//! Chance that can be had again: the same seed gives the same throws.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// LASTKEY_SEED, or this seed where it is not set.
    pub fn of(seed: u64) -> Self {
        let given = std::env::var("LASTKEY_SEED");
        Self(
            given
                .ok()
                .and_then(|text| text.parse().ok())
                .unwrap_or(seed),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// From 0 to 1.
    pub fn part(&mut self) -> f64 {
        let steps = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(steps) / f64::from(u32::MAX)
    }
}
