//! Times around the fixed reference date. No clock.

use chrono::{Datelike, NaiveDate, TimeDelta};

/// The moment that is "now" in the practice estate.
pub const PRACTICE_DATE: &str = "2026-11-20T06:00:00Z";

/// The months of the roster series, oldest first.
pub(super) const MONTHS: [(i32, u32); 14] = [
    (2025, 10),
    (2025, 11),
    (2025, 12),
    (2026, 1),
    (2026, 2),
    (2026, 3),
    (2026, 4),
    (2026, 5),
    (2026, 6),
    (2026, 7),
    (2026, 8),
    (2026, 9),
    (2026, 10),
    (2026, 11),
];

/// A date; years, months and days are constants of this module's users.
pub(super) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or(NaiveDate::MIN)
}

/// The day so many days before the reference date (after it, if negative).
pub(super) fn day(ago: i64) -> NaiveDate {
    date(2026, 11, 20) - TimeDelta::days(ago)
}

/// A moment on that day, always before 06:00.
pub(super) fn ago(days: i64) -> String {
    format!("{}T05:{:02}:00Z", day(days), (days * 37).rem_euclid(60))
}

/// A moment of office hours on a date.
pub(super) fn on(date: NaiveDate, hour: u32) -> String {
    format!("{date}T{hour:02}:{:02}:00Z", (date.ordinal() * 7) % 60)
}
