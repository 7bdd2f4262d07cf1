//! Values of conditions: numbers, times, addresses, ARNs. What is not of the kind compares to none.

use super::operator::{Family, Order};
use super::pattern_of;
use crate::context::Known;
use crate::pattern::{Case, Fit, Pattern, Piece, Version};
use base64::Engine;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use core::net::IpAddr;

/// A value of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Literal {
    pub(crate) text: String,
    /// Of operators that know wildcards or variables.
    pub(crate) pattern: Option<Pattern>,
}

impl Literal {
    pub(crate) fn parse(family: Family, text: String, version: Version) -> Result<Literal, String> {
        let pattern = pattern_of(family, &text, version)?;
        Ok(Literal { text, pattern })
    }
}

/// A decimal number in billionths.
pub(crate) fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(part) || whole.len() > 20 || part.len() > 9 {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let part: i128 = format!("{part:0<9}").parse().ok()?;
    let value = whole * 1_000_000_000 + part;
    Some(if negative { -value } else { value })
}

pub(super) fn number(request: &str, policy: &str, order: Order) -> Option<bool> {
    Some(order.holds(decimal(request)?.cmp(&decimal(policy)?)))
}

/// Nanoseconds since 1970, of an ISO 8601 time or of seconds since then.
pub(crate) fn moment(text: &str) -> Option<i128> {
    let seconds = |seconds: i64| i128::from(seconds) * 1_000_000_000;
    if let Ok(epoch) = text.parse::<i64>()
        && text.len() > 4
    {
        return Some(seconds(epoch));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(seconds(time.timestamp()) + i128::from(time.timestamp_subsec_nanos()));
    }
    let to_the_minute = text
        .strip_suffix('Z')
        .and_then(|text| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok());
    if let Some(time) = to_the_minute {
        return Some(seconds(time.and_utc().timestamp()));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(seconds(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp()))
}

pub(super) fn date(request: &str, policy: &str, order: Order) -> Option<bool> {
    Some(order.holds(moment(request)?.cmp(&moment(policy)?)))
}

pub(super) fn boolean(request: &str, policy: &str) -> Option<bool> {
    let value = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    Some(value(request)? == value(policy)?)
}

pub(super) fn binary(request: &str, policy: &str) -> Option<bool> {
    let bytes = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).ok();
    Some(bytes(request)? == bytes(policy)?)
}

/// Whether the address is the policy's, or in its range.
pub(super) fn address(request: &str, policy: &str) -> Option<bool> {
    let asked: IpAddr = request.parse().ok()?;
    let (range, length) = match policy.split_once('/') {
        Some((range, length)) => (range, Some(length.parse::<u32>().ok()?)),
        None => (policy, None),
    };
    let range: IpAddr = range.parse().ok()?;
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((asked, asked_bits), (range, width)) = (bits(asked), bits(range));
    let length = length.unwrap_or(width);
    if length > width {
        return None;
    }
    let same = |shift: u32| {
        let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
        cut(asked) == cut(range)
    };
    Some(asked_bits == width && same(width - length))
}

/// Each of the six segments for itself; None where one of the two is no ARN.
pub(super) fn arn(request: &str, policy: &Pattern, known: Known<'_>) -> Option<Fit> {
    let parts: Vec<&str> = request.splitn(6, ':').collect();
    let mut patterns = vec![Vec::new()];
    for piece in &policy.pieces {
        if *piece == Piece::Letter(':') && patterns.len() < 6 {
            patterns.push(Vec::new());
        } else if let Some(last) = patterns.last_mut() {
            last.push(piece.clone());
        }
    }
    if parts.len() != 6 || patterns.len() != 6 || parts.first() != Some(&"arn") {
        return None;
    }
    let mut unknown = Vec::new();
    let mut missing = None;
    let mut fits = true;
    for (pieces, part) in patterns.into_iter().zip(parts) {
        match (Pattern { pieces }).fits(part, known, Case::Kept) {
            Fit::Yes => {}
            Fit::No => fits = false,
            Fit::NoValue(key) => missing = Some(key),
            Fit::Unknown(keys) => unknown.extend(keys),
        }
    }
    Some(match missing {
        Some(key) => Fit::NoValue(key),
        None if !fits => Fit::No,
        None if unknown.is_empty() => Fit::Yes,
        None => Fit::Unknown(unknown),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let order = |one: &str, other: &str| Some(decimal(one)?.cmp(&decimal(other)?));
        use std::cmp::Ordering::{Equal, Greater, Less};
        assert_eq!(order("10", "9.5"), Some(Greater));
        assert_eq!(order("1.50", "1.5"), Some(Equal));
        assert_eq!(order("-2", "-1.9"), Some(Less));
        for odd in ["", "1e3", "12abc", ".5", "1.", "+1", "0x10"] {
            assert_eq!(decimal(odd), None, "{odd}");
        }
    }

    #[test]
    fn moments() {
        let base = moment("2026-01-01T00:00:00Z");
        for same in [
            "1767225600",
            "2026-01-01",
            "2026-01-01T00:00Z",
            "2026-01-01T01:00:00+01:00",
            "2026-01-01T00:00:00.000Z",
        ] {
            assert_eq!(moment(same), base, "{same}");
        }
        assert!(moment("2026-01-01T00:00:00.5Z") > base);
        for odd in ["", "tomorrow", "2026", "2026-13-01"] {
            assert_eq!(moment(odd), None, "{odd}");
        }
    }

    #[test]
    fn addresses() {
        let cases = [
            ("203.0.113.9", "203.0.113.0/24", Some(true)),
            ("203.0.113.9", "203.0.113.77/24", Some(true)),
            ("203.0.114.9", "203.0.113.0/24", Some(false)),
            ("203.0.113.9", "203.0.113.9", Some(true)),
            ("8.8.8.8", "0.0.0.0/0", Some(true)),
            ("2001:db8::1", "0.0.0.0/0", Some(false)),
            ("2001:DB8::1", "2001:db8:0:0::1", Some(true)),
            ("2001:db8::1", "2001:db8::/32", Some(true)),
            ("::1", "::/0", Some(true)),
            ("8.8.8.8", "::/0", Some(false)),
            ("203.0.113.9", "203.0.113.0/33", None),
            ("somewhere", "203.0.113.0/24", None),
        ];
        for (request, policy, expected) in cases {
            assert_eq!(address(request, policy), expected, "{request} in {policy}");
        }
    }

    #[test]
    fn bytes_and_switches() {
        assert_eq!(binary("QmluYXJ5", "QmluYXJ5"), Some(true));
        assert_eq!(binary("QmluYXJ5", "QmluYXJ6"), Some(false));
        assert_eq!(binary("?", "QmluYXJ5"), None);
        assert_eq!(boolean("True", "true"), Some(true));
        assert_eq!(boolean("false", "true"), Some(false));
        assert_eq!(boolean("1", "true"), None);
    }
}
