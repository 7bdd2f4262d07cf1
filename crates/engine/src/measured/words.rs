//! Times for people, in the largest unit that tells them well.

use chrono::TimeDelta;

/// A time that is known to be no shorter: rounded down.
pub fn at_least(time: TimeDelta) -> String {
    in_units(time, |seconds, unit| seconds / unit)
}

/// A time that is known to be no longer: rounded up.
pub fn at_most(time: TimeDelta) -> String {
    in_units(time, |seconds, unit| (seconds + unit - 1) / unit)
}

fn in_units(time: TimeDelta, round: fn(i64, i64) -> i64) -> String {
    const DAY: i64 = 86_400;
    let seconds = time.num_seconds();
    match seconds {
        s if s >= 3 * DAY => format!("{} days", round(s, DAY)),
        s if s >= 7_200 => format!("{} h", round(s, 3_600)),
        s if s >= 120 => format!("{} min", round(s, 60)),
        s => format!("{s} s"),
    }
}
