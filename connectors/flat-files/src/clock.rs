//! How a source writes dates and times, and in which zone they are meant.

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{
    DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use lastkey_contract::When;

/// A way of writing times that an admin gave, in strftime signs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Form {
    text: String,
    has_time: bool,
    has_seconds: bool,
    has_offset: bool,
}

/// The zone of bare dates and of times without an offset, and how times are written beside RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    pub zone: Tz,
    forms: Vec<Form>,
}

/// Why a form cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormFault {
    Signless,
    Dateless,
    /// It has times, of which nobody said in which zone they are.
    Unzoned,
    /// It has the name of a zone, which says nothing for certain: CST is three.
    NamedZone,
}

impl Clock {
    /// Forms are parted by ` | `; without `named` nobody said which zone holds.
    pub fn new(zone: Tz, forms: &str, named: bool) -> Result<Clock, (String, FormFault)> {
        let texts = forms.split(" | ").map(str::trim);
        let forms = texts.filter(|text| !text.is_empty()).map(|text| {
            let form = Form::of(text).map_err(|fault| (text.to_owned(), fault))?;
            match form.has_time && !form.has_offset && !named {
                true => Err((text.to_owned(), FormFault::Unzoned)),
                false => Ok(form),
            }
        });
        Ok(Clock {
            zone,
            forms: forms.collect::<Result<_, _>>()?,
        })
    }

    /// The forms as they were given.
    pub fn written(&self) -> String {
        let texts: Vec<&str> = self.forms.iter().map(|form| form.text.as_str()).collect();
        texts.join(" | ")
    }

    /// RFC 3339, a bare date as a day in the source's zone, a day as tables of packages have it, or as
    /// one of the forms has it.
    pub fn time(&self, text: &str) -> Option<When> {
        if text.len() == 10
            && text.starts_with(|first: char| first.is_ascii_digit())
            && let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        {
            return When::day(date, &self.zone);
        }
        if text.contains('/')
            && let Some(day) = When::parse(text)
        {
            return Some(day).filter(|day| day.earliest() <= day.latest());
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(When::At(at.with_timezone(&Utc)));
        }
        let mut read = self
            .forms
            .iter()
            .filter_map(|form| form.read(text, self.zone));
        let first = read.next()?;
        // 09/11/26 is one day by one form and another by the next: nobody knows which is meant.
        read.all(|other| other == first).then_some(first)
    }
}

fn is_offset(item: &Item<'_>) -> bool {
    use Fixed::{
        RFC2822, RFC3339, TimezoneOffset, TimezoneOffsetColon, TimezoneOffsetColonZ,
        TimezoneOffsetDoubleColon, TimezoneOffsetTripleColon, TimezoneOffsetZ,
    };
    matches!(
        item,
        Item::Numeric(Numeric::Timestamp, _)
            | Item::Fixed(
                TimezoneOffset
                    | TimezoneOffsetColon
                    | TimezoneOffsetColonZ
                    | TimezoneOffsetDoubleColon
                    | TimezoneOffsetTripleColon
                    | TimezoneOffsetZ
                    | RFC2822
                    | RFC3339
            )
    )
}

impl Form {
    fn of(text: &str) -> Result<Form, FormFault> {
        let items: Vec<Item<'_>> = StrftimeItems::new(text).collect();
        let signs = items
            .iter()
            .any(|item| matches!(item, Item::Numeric(..) | Item::Fixed(_)));
        if !signs || items.contains(&Item::Error) {
            return Err(FormFault::Signless);
        }
        if items.contains(&Item::Fixed(Fixed::TimezoneName)) {
            return Err(FormFault::NamedZone);
        }
        let is_time = |item: &Item<'_>| {
            matches!(
                item,
                Item::Numeric(
                    Numeric::Hour
                        | Numeric::Hour12
                        | Numeric::Minute
                        | Numeric::Second
                        | Numeric::Timestamp,
                    _
                ) | Item::Fixed(Fixed::RFC2822 | Fixed::RFC3339)
            )
        };
        let is_second = |item: &Item<'_>| {
            matches!(
                item,
                Item::Numeric(Numeric::Second | Numeric::Timestamp, _)
                    | Item::Fixed(Fixed::RFC2822 | Fixed::RFC3339)
            )
        };
        let form = Form {
            text: text.to_owned(),
            has_time: items.iter().any(is_time),
            has_seconds: items.iter().any(is_second),
            has_offset: items.iter().any(is_offset),
        };
        // What it writes of a moment it must be able to read back.
        let some = DateTime::from_timestamp(1_790_000_000, 0).ok_or(FormFault::Dateless)?;
        let written = some.format(text).to_string();
        let read = form.read(&written, Tz::UTC).map(When::earliest);
        let same_day = read.is_some_and(|at| at.date_naive() == some.date_naive());
        match same_day {
            true => Ok(form),
            false => Err(FormFault::Dateless),
        }
    }

    fn read(&self, text: &str, zone: Tz) -> Option<When> {
        // A year of two digits under %Y is no year of ours.
        let years = 1900..=9999;
        self.read_any(text, zone)
            .filter(|when| years.contains(&when.earliest().year()))
    }

    fn read_any(&self, text: &str, zone: Tz) -> Option<When> {
        if !self.has_time {
            let date = NaiveDate::parse_from_str(text, &self.text).ok()?;
            return When::day(date, &zone);
        }
        let (from, until) = match DateTime::parse_from_str(text, &self.text) {
            Ok(at) => (at.with_timezone(&Utc), at.with_timezone(&Utc)),
            // An offset that is none is not left out.
            Err(_) if self.has_offset => return None,
            Err(_) => {
                let local = NaiveDateTime::parse_from_str(text, &self.text).ok()?;
                // When clocks go back an hour comes twice, and it is not known which is meant.
                match zone.from_local_datetime(&local) {
                    MappedLocalTime::Single(at) => (at.with_timezone(&Utc), at.with_timezone(&Utc)),
                    MappedLocalTime::Ambiguous(a, b) => {
                        (a.with_timezone(&Utc), b.with_timezone(&Utc))
                    }
                    MappedLocalTime::None => return None,
                }
            }
        };
        // Without seconds it is some moment of its minute.
        let until = match self.has_seconds {
            true => until,
            false => until.checked_add_signed(TimeDelta::minutes(1))?,
        };
        Some(match from == until {
            true => When::At(from),
            false => When::Day { from, until },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(forms: &str) -> Clock {
        Clock::new(Tz::Europe__Zurich, forms, true).unwrap()
    }

    #[test]
    fn times_as_ticket_systems_write_them_are_of_the_zone_of_the_source() {
        for (form, text, expected) in [
            (
                "%d/%b/%y %I:%M %p",
                "09/Sep/26 4:12 PM",
                "2026-09-09T14:12:00Z/2026-09-09T14:13:00Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S",
                "2026-09-09 16:12:05",
                "2026-09-09T14:12:05Z",
            ),
            (
                "%d.%m.%Y",
                "09.09.2026",
                "2026-09-08T22:00:00Z/2026-09-09T22:00:00Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S %z",
                "2026-09-09 16:12:05 +0000",
                "2026-09-09T16:12:05Z",
            ),
            // The clocks go back: 02:30 comes twice.
            (
                "%Y-%m-%d %H:%M:%S",
                "2026-10-25 02:30:00",
                "2026-10-25T00:30:00Z/2026-10-25T01:30:00Z",
            ),
            ("%s", "1790000000", "2026-09-21T14:13:20Z"),
        ] {
            let read = clock(form).time(text).map(When::to_text);
            assert_eq!(read.as_deref(), Some(expected), "{form} {text}");
        }
        // The clocks go forward: 02:30 does not come.
        assert_eq!(clock("%Y-%m-%d %H:%M:%S").time("2026-03-29 02:30:00"), None);
        // What needs no form is read beside them.
        let two = clock("%d/%b/%y | %d.%m.%Y %H:%M");
        for text in [
            "2026-09-09T16:12:05+02:00",
            "2026-09-09",
            "09/Sep/26",
            "09.09.2026 16:12",
        ] {
            assert!(two.time(text).is_some(), "{text}");
        }
        assert_eq!(two.time("09.09.2026"), None);
        // Both forms read it, as two days; and where both read one day it is that.
        let both = clock("%m/%d/%y | %d/%m/%y");
        assert_eq!(both.time("09/11/26"), None);
        for text in ["13/11/26", "11/13/26", "11/11/26"] {
            assert!(both.time(text).is_some(), "{text}");
        }
        for (form, text) in [
            ("%d/%m/%Y", "10/09/30"),
            ("%Y-%m-%d", "-200-01-01"),
            ("%Y-%m-%d %H:%M %z", "2026-09-09 16:12 -9959"),
            ("%Y-%m-%d %H:%M %z", "2026-09-09 16:12 CEST"),
        ] {
            assert_eq!(clock(form).time(text), None, "{form} {text}");
        }
        assert_eq!(two.time("0123456789"), None);
    }

    #[test]
    fn a_form_that_tells_no_date_or_no_zone_is_refused() {
        for (form, named, fault) in [
            ("day", true, FormFault::Signless),
            ("%Q", true, FormFault::Signless),
            ("%Y-%m-%d %H:%M %Z", true, FormFault::NamedZone),
            ("%H:%M", true, FormFault::Dateless),
            ("%m-%d", true, FormFault::Dateless),
            ("%Y-%m-%d %H:%M", false, FormFault::Unzoned),
        ] {
            let refused = Clock::new(Tz::UTC, form, named);
            assert_eq!(refused, Err((form.to_owned(), fault)));
        }
        assert!(Clock::new(Tz::UTC, "%d.%m.%Y | %Y-%m-%dT%H:%M:%S%z", false).is_ok());
    }
}
