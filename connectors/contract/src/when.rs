//! Times as sources give them: a moment, or a bare date, which is an interval of one day.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat, TimeZone, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// A time as a source gave it.
///
/// A bare date is resolved with the source's time zone by the connector that
/// reads it, into the interval `[from, until)`; the middle stays pure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// A moment.
    At(DateTime<Utc>),
    /// A whole day: from its start up to, and without, the start of the next.
    Day {
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    },
}

impl When {
    /// The day `date` in the zone `zone`. None after the last day that can be counted. A day that
    /// the zone skipped begins and ends with the next one.
    pub fn day<Z: TimeZone>(date: NaiveDate, zone: &Z) -> Option<When> {
        let next = date.succ_opt()?;
        Some(When::Day {
            from: start_of_day(date, zone)?,
            until: start_of_day(next, zone)?,
        })
    }

    /// The earliest moment it can mean.
    pub fn earliest(self) -> DateTime<Utc> {
        match self {
            When::At(at) => at,
            When::Day { from, .. } => from,
        }
    }

    /// The latest moment it can mean; for a day, the start of the next day.
    pub fn latest(self) -> DateTime<Utc> {
        match self {
            When::At(at) => at,
            When::Day { until, .. } => until,
        }
    }

    /// As an expiry it counts to its end.
    pub fn as_expiry(self) -> DateTime<Utc> {
        self.latest()
    }

    /// As a revocation it counts from its start.
    pub fn as_revocation(self) -> DateTime<Utc> {
        self.earliest()
    }

    /// The date that a source wrote for a day. None for a moment, and for a day that may have been
    /// written in either of two zones, on both sides of the date line.
    pub fn date(self) -> Option<NaiveDate> {
        let When::Day { from, until } = self else {
            return None;
        };
        let hours = until.signed_duration_since(from).num_hours();
        let evening = match from.num_seconds_from_midnight() {
            0..36_000 => false,
            36_000..43_200 => return None,
            43_200.. => true,
        };
        let date = from.date_naive();
        match (hours, evening) {
            (23..=25, false) => Some(date),
            (23..=25, true) => date.succ_opt(),
            _ => None,
        }
    }

    /// The text form: RFC 3339 with Z, or `from/until` for a day. `parse` reads it back.
    pub fn to_text(self) -> String {
        match self {
            When::At(at) => rfc3339(at),
            When::Day { from, until } => format!("{}/{}", rfc3339(from), rfc3339(until)),
        }
    }

    /// Reads what `to_text` wrote. None for anything else.
    pub fn parse(text: &str) -> Option<When> {
        match text.split_once('/') {
            None => Some(When::At(moment(text)?)),
            Some((from, until)) => Some(When::Day {
                from: moment(from)?,
                until: moment(until)?,
            }),
        }
    }
}

/// A moment as it stands in stores and exports: RFC 3339, UTC, `Z`, no more fraction than needed.
/// RFC 3339 knows the years 0 to 9999: what lies outside (the end of 9999-12-31, by which many
/// systems say that there is no end) is written as the first or last second of them.
pub fn rfc3339(at: DateTime<Utc>) -> String {
    within_years(at).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The moment itself, or the first or last second of the years that RFC 3339 can write.
pub fn within_years(at: DateTime<Utc>) -> DateTime<Utc> {
    let bound = |year, month, day, hour, minute| {
        let at = Utc.with_ymd_and_hms(year, month, day, hour, minute, minute);
        at.single()
    };
    let nearest = match at.year() {
        ..0 => bound(0, 1, 1, 0, 0),
        0..=9999 => None,
        10_000.. => bound(9999, 12, 31, 23, 59),
    };
    nearest.unwrap_or(at)
}

/// Years with a sign are read as well: earlier versions wrote them.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let at = match text.starts_with(['+', '-']) {
        true => text.parse::<DateTime<FixedOffset>>(),
        false => DateTime::parse_from_rfc3339(text),
    };
    at.ok().map(|at| within_years(at.with_timezone(&Utc)))
}

/// The first moment of a day in a zone; where midnight falls into a gap, the end of the gap. A zone
/// that goes over to the other side of the date line lacks a whole day: that gap ends a day later.
fn start_of_day<Z: TimeZone>(date: NaiveDate, zone: &Z) -> Option<DateTime<Utc>> {
    let days = [Some(date), date.succ_opt()].into_iter().flatten();
    days.flat_map(|date| (0..24 * 4).map(move |quarter| (date, quarter)))
        .find_map(|(date, quarter)| {
            let time = date.and_hms_opt(quarter / 4, (quarter % 4) * 15, 0)?;
            zone.from_local_datetime(&time)
                .earliest()
                .map(|at| at.with_timezone(&Utc))
        })
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        When::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not a time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_an_interval_in_the_zone_of_its_source() {
        let date = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
        let zone = chrono::FixedOffset::east_opt(2 * 3600).unwrap();
        let day = When::day(date, &zone).unwrap();
        assert_eq!(day.to_text(), "2026-03-30T22:00:00Z/2026-03-31T22:00:00Z");
        assert_eq!(When::parse(&day.to_text()), Some(day));
        assert_eq!(rfc3339(day.as_expiry()), "2026-03-31T22:00:00Z");
        assert_eq!(rfc3339(day.as_revocation()), "2026-03-30T22:00:00Z");
    }

    #[test]
    fn the_date_of_a_day_is_the_one_that_was_written() {
        let dates = [(2026, 3, 1), (2026, 3, 29), (2026, 10, 25), (2024, 2, 29)];
        for (y, m, d) in dates {
            let date = NaiveDate::from_ymd_opt(y, m, d).unwrap();
            for zone in [
                chrono_tz::UTC,
                chrono_tz::Europe::Berlin,
                chrono_tz::America::Los_Angeles,
                chrono_tz::Asia::Kolkata,
                chrono_tz::Pacific::Fiji,
            ] {
                assert_eq!(When::day(date, &zone).unwrap().date(), Some(date), "{zone}");
            }
            // Ten o'clock is midnight in Kiribati and in Hawaii.
            for zone in [chrono_tz::Pacific::Kiritimati, chrono_tz::Pacific::Honolulu] {
                assert_eq!(When::day(date, &zone).unwrap().date(), None, "{zone}");
            }
        }
        let moment = When::parse("2026-03-01T00:00:00Z").unwrap();
        let week = When::parse("2026-03-01T00:00:00Z/2026-03-08T00:00:00Z").unwrap();
        assert_eq!([moment.date(), week.date()], [None, None]);
    }

    #[test]
    fn a_day_that_a_zone_lacks_begins_and_ends_with_the_next() {
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let apia = chrono_tz::Pacific::Apia;
        for (day, expected) in [
            (
                date(2011, 12, 29),
                "2011-12-29T10:00:00Z/2011-12-30T10:00:00Z",
            ),
            (
                date(2011, 12, 30),
                "2011-12-30T10:00:00Z/2011-12-30T10:00:00Z",
            ),
            (
                date(2011, 12, 31),
                "2011-12-30T10:00:00Z/2011-12-31T10:00:00Z",
            ),
        ] {
            assert_eq!(When::day(day, &apia).unwrap().to_text(), expected);
        }
        // Midnight alone is missing.
        let day = When::day(date(2018, 11, 4), &chrono_tz::America::Sao_Paulo).unwrap();
        assert_eq!(day.to_text(), "2018-11-04T03:00:00Z/2018-11-05T02:00:00Z");
        assert_eq!(When::day(NaiveDate::MAX, &Utc), None);
    }

    #[test]
    fn every_time_that_is_written_can_be_read_and_stays_as_it_was_read() {
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let zone = |hours| FixedOffset::east_opt(hours * 3600).unwrap();
        let days = [date(9999, 12, 31), date(0, 1, 1), date(2026, 6, 1)];
        for (day, hours) in days.into_iter().flat_map(|d| [-11, 0, 14].map(|h| (d, h))) {
            let day = When::day(day, &zone(hours)).unwrap();
            let read = When::parse(&day.to_text()).unwrap_or_else(|| panic!("`{day}`"));
            assert_eq!(When::parse(&read.to_text()), Some(read));
        }
        let open = When::day(date(9999, 12, 31), &Utc).unwrap();
        assert_eq!(open.to_text(), "9999-12-31T00:00:00Z/9999-12-31T23:59:59Z");
        // As earlier versions wrote it.
        let old = "9999-12-31T00:00:00Z/+10000-01-01T00:00:00Z";
        assert_eq!(When::parse(old).unwrap().to_text(), open.to_text());
        let old = When::parse("-0001-12-31T10:00:00Z").unwrap();
        assert_eq!(old.to_text(), "0000-01-01T00:00:00Z");
    }

    #[test]
    fn anything_else_is_not_a_time() {
        for text in ["", "2026-03-31", "yesterday", "2026-03-31T00:00:00Z/"] {
            assert_eq!(When::parse(text), None, "`{text}`");
        }
    }
}
