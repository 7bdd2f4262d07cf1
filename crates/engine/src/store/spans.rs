//! Rows that lie close together: as runs in memory, and as few bytes in the store.

use std::ops::Range;

/// Numbers one after the other.
pub(super) type Run<T> = Range<T>;

/// Rows as differences to the one before, seven bits a byte. A difference of zero, which there is
/// not between two rows, stands before the number of further rows that each are one more.
pub(super) fn pack(ids: &[i64]) -> Vec<u8> {
    let mut runs: Vec<Run<i64>> = ids.iter().map(|id| *id..*id + 1).collect();
    sort(&mut runs);
    bytes_of(&runs)
}

/// The same of rows in runs.
pub(super) fn packed(rows: &[Run<i64>]) -> Vec<u8> {
    let mut runs = rows.to_vec();
    sort(&mut runs);
    bytes_of(&runs)
}

/// Brings runs in order and joins those that touch.
pub(super) fn sort(runs: &mut Vec<Run<i64>>) {
    runs.sort_unstable_by_key(|run| run.start);
    runs.dedup_by(|next, run| {
        let touches = next.start <= run.end;
        if touches {
            run.end = run.end.max(next.end);
        }
        touches
    });
}

/// Whether a row is in one of these sorted runs.
pub(super) fn has(runs: &[Run<i64>], row: i64) -> bool {
    let after = runs.partition_point(|run| run.start <= row);
    after
        .checked_sub(1)
        .and_then(|at| runs.get(at))
        .is_some_and(|run| run.contains(&row))
}

fn bytes_of(runs: &[Run<i64>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(runs.len() * 4);
    let mut put = |number: u64| {
        let mut rest = number;
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    };
    let mut before = 0i64;
    for run in runs {
        put(run.start.wrapping_sub(before).cast_unsigned());
        before = run.start;
        let further = run.end.wrapping_sub(run.start).wrapping_sub(1);
        match further {
            ..=0 => {}
            // As short as saying that it is a run.
            1 | 2 => (0..further).for_each(|_| put(1)),
            _ => {
                put(0);
                put(further.cast_unsigned());
            }
        }
        before = before.wrapping_add(further.max(0));
    }
    bytes
}

/// The rows that were packed, one by one.
pub(super) fn unpack(bytes: &[u8]) -> Vec<i64> {
    unpacked(bytes).into_iter().flatten().collect()
}

/// The rows that were packed, as runs in order.
pub(super) fn unpacked(bytes: &[u8]) -> Vec<Run<i64>> {
    let (mut runs, mut value, mut shift) = (Vec::<Run<i64>>::new(), 0u64, 0u32);
    let (mut before, mut counts) = (0i64, false);
    for byte in bytes {
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 != 0 {
            continue;
        }
        let number = value.cast_signed();
        (value, shift) = (0, 0);
        match (counts, number) {
            (false, 0) => counts = true,
            (false, step) => {
                before = before.wrapping_add(step);
                match runs.last_mut() {
                    Some(run) if run.end == before => run.end = before.wrapping_add(1),
                    _ => runs.push(before..before.wrapping_add(1)),
                }
            }
            (true, further) => {
                counts = false;
                if let Some(run) = runs.last_mut() {
                    before = before.wrapping_add(further);
                    run.end = before.wrapping_add(1);
                }
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packed_rows_come_back() {
        for ids in [
            vec![],
            vec![1],
            vec![7, 3, 300, 1_000_000, i64::MAX - 1],
            vec![4096, 4097, 4098, 4099, 9000, 9001, 9003],
        ] {
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            assert_eq!(unpack(&pack(&ids)), sorted);
        }
        let thousand: Vec<i64> = (1..=1000).collect();
        assert_eq!(unpack(&pack(&thousand)), thousand);
        assert!(pack(&thousand).len() <= 5);
    }

    #[test]
    fn rows_as_they_were_packed_before_there_were_runs_are_understood() {
        assert_eq!(unpack(&[5, 1, 1, 0x80, 1, 2]), [5, 6, 7, 135, 137]);
    }

    proptest! {
        #[test]
        fn runs_say_what_their_rows_say(rows in proptest::collection::btree_set(1i64..300, 0..200)) {
            let list: Vec<i64> = rows.iter().copied().collect();
            let packed_runs = pack(&list);
            prop_assert_eq!(&unpack(&packed_runs), &list);
            let runs = unpacked(&packed_runs);
            prop_assert_eq!(&packed(&runs), &packed_runs);
            for row in 0..301 {
                prop_assert_eq!(has(&runs, row), rows.contains(&row));
            }
        }
    }
}
