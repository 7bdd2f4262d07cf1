//! Orders that look accidental and can be asked in both directions, without a list.

/// A number that looks accidental, the same each time; `salt` keeps uses apart.
pub(super) fn odd(salt: u64, number: u64) -> u64 {
    let mut z = number
        .wrapping_add(salt.wrapping_mul(0xd1b5_4a32_d192_ed03))
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number from `low` to `high`, both included.
pub(super) fn between(salt: u64, number: u64, low: i64, high: i64) -> i64 {
    let span = u64::try_from(high - low + 1).unwrap_or(1).max(1);
    low + i64::try_from(odd(salt, number) % span).unwrap_or(0)
}

/// One of the words.
pub(super) fn one<T: Copy + Default>(of: &[T], number: u64) -> T {
    let count = u64::try_from(of.len()).unwrap_or(1).max(1);
    let at = usize::try_from(number % count).unwrap_or(0);
    of.get(at).copied().unwrap_or_default()
}

fn common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A step that visits each number below `count` once before it comes back.
pub(super) fn stride(count: u64, salt: u64) -> u64 {
    if count < 3 {
        return 1;
    }
    // Near the golden section, so that neighbours come far apart.
    let mut step = (count * 618 / 1000 + odd(salt, count) % (count / 8 + 1)) % count;
    while step == 0 || common(step, count) != 1 {
        step = (step + 1) % count;
    }
    step
}

/// Every number below `count` at another place: `place(rank)` and `rank(place)` undo each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    count: u64,
    step: u64,
    back: u64,
}

impl Mix {
    pub(super) fn new(count: u64, salt: u64) -> Mix {
        let count = count.max(1);
        let step = stride(count, salt);
        Mix {
            count,
            step,
            back: inverse(step, count),
        }
    }

    pub(super) fn place(&self, rank: u64) -> u64 {
        rank * self.step % self.count
    }

    pub(super) fn rank(&self, place: u64) -> u64 {
        place * self.back % self.count
    }
}

/// The number whose product with `step` leaves 1, by Euclid.
fn inverse(step: u64, count: u64) -> u64 {
    let modulus = i128::from(count);
    let (mut old, mut new) = ((i128::from(step), 1_i128), (modulus, 0_i128));
    while new.0 != 0 {
        let whole = old.0 / new.0;
        (old, new) = (new, (old.0 - whole * new.0, old.1 - whole * new.1));
    }
    u64::try_from(old.1.rem_euclid(modulus)).unwrap_or(1)
}
