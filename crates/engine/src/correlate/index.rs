//! Which identities have a value: 16 bytes for each, whatever the value's length.
//!
//! Values are kept as 64-bit hashes under a random key, so that nobody can make two that meet;
//! by chance two of two million do so once in four million estates.

/// Numbers by hash.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By hash, then number; none twice.
    entries: Vec<(u64, u32)>,
    /// Where the entries of each upper part of a hash begin.
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    pub(super) fn new(entries: Vec<(u64, u32)>) -> Self {
        // One or two entries for each upper part.
        let bits = entries.len().checked_ilog2().unwrap_or(0).clamp(1, 30);
        let shift = u64::BITS - bits;
        let parts = 1usize << bits;
        let mut entries = sorted(entries, parts, shift);
        entries.dedup();
        let mut starts = Vec::with_capacity(parts + 1);
        let mut at = 0;
        for part in 0..=parts as u64 {
            while entries
                .get(at)
                .is_some_and(|(hash, _)| hash >> shift < part)
            {
                at += 1;
            }
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        Self {
            entries,
            starts,
            shift,
        }
    }

    /// Whether no two numbers have one hash.
    pub(super) fn has_each_once(&self) -> bool {
        let mut neighbours = self.entries.iter().zip(self.entries.iter().skip(1));
        neighbours.all(|((a, _), (b, _))| a != b)
    }

    /// How many numbers have the hash that most have.
    pub(super) fn most(&self) -> usize {
        let alike = self.entries.chunk_by(|(a, _), (b, _)| a == b);
        alike.map(<[_]>::len).max().unwrap_or(0)
    }

    /// The numbers that have this hash, ascending.
    pub(super) fn find(&self, hash: u64) -> impl Iterator<Item = u32> {
        let part = (hash >> self.shift) as usize;
        let place = |part: usize| self.starts.get(part).copied().unwrap_or(0) as usize;
        let range = self.entries.get(place(part)..place(part + 1));
        let range = range.unwrap_or(&[]);
        // Thousands may have one hash, and stand before another of the same part.
        let first = range.partition_point(|(h, _)| *h < hash);
        range
            .get(first..)
            .unwrap_or(&[])
            .iter()
            .take_while(move |(h, _)| *h == hash)
            .map(|(_, number)| *number)
    }
}

/// The entries in order: put where their upper parts belong, and the few of each part sorted.
/// Hashes are spread evenly.
fn sorted(entries: Vec<(u64, u32)>, parts: usize, shift: u32) -> Vec<(u64, u32)> {
    let part_of = |hash: u64| (hash >> shift) as usize;
    // Where the next entry of each part goes.
    let mut next = vec![0u32; parts + 1];
    for (hash, _) in &entries {
        if let Some(count) = next.get_mut(part_of(*hash) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut next {
        sum += *start;
        *start = sum;
    }
    let mut placed = vec![(0, 0); entries.len()];
    for entry in entries {
        if let Some(place) = next.get_mut(part_of(entry.0)) {
            if let Some(slot) = placed.get_mut(*place as usize) {
                *slot = entry;
            }
            *place += 1;
        }
    }
    for few in placed.chunk_by_mut(|a, b| part_of(a.0) == part_of(b.0)) {
        few.sort_unstable();
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_under_its_hash_and_none_under_another() {
        for count in [0u64, 1, 2, 3, 100, 5000] {
            let hash = |n: u64| (n / 2).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let entries = (0..count).map(|n| (hash(n), n as u32)).collect();
            let index = Index::new(entries);
            for n in 0..count {
                let found: Vec<u32> = index.find(hash(n)).collect();
                let first = (n / 2 * 2) as u32;
                let both: Vec<u32> = (first..(first + 2).min(count as u32)).collect();
                assert_eq!(found, both, "{n} of {count}");
            }
            assert_eq!(index.find(12345).count(), 0);
            assert_eq!(index.find(u64::MAX).count(), 0);
        }
    }
}
