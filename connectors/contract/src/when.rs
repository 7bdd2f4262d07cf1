//! Times as sources give them: a moment, or a bare date, which is an interval of one day.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeZone, Utc};
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
    /// The day `date` in the zone `zone`. None where the zone has no such midnight either side
    /// within a day (no IANA zone lacks one entirely).
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
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

/// The first moment of a day in a zone; where midnight falls into a gap, the end of the gap.
fn start_of_day<Z: TimeZone>(date: NaiveDate, zone: &Z) -> Option<DateTime<Utc>> {
    (0..24 * 4).find_map(|quarter| {
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
    fn anything_else_is_not_a_time() {
        for text in ["", "2026-03-31", "yesterday", "2026-03-31T00:00:00Z/"] {
            assert_eq!(When::parse(text), None, "`{text}`");
        }
    }
}
