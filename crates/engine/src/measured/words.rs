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

/// Whether an id tells people nothing: a number, a UUID, or a long row of letters and digits.
pub(super) fn says_nothing(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let digits = id.chars().filter(char::is_ascii_digit).count();
    let long = id.len() >= 16 && digits > 0 && id.chars().all(plain);
    long || (digits > 0 && digits == id.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_tell_nothing() {
        for (id, nothing) in [
            ("2a89af4a-7b27-1041-85e3-f77ed7a9151a", true),
            ("16384", true),
            ("00u1a2b3c4d5e6f7g8h9", true),
            ("AIDAQ3EGUX4EXAMPLE77", true),
            ("rosa.papadopoulos2", false),
            ("ann", false),
            ("x-v03-001", false),
            ("CN=Ann Lee 4,OU=People,DC=corp", false),
            ("", false),
        ] {
            assert_eq!(says_nothing(id), nothing, "{id}");
        }
    }
}
