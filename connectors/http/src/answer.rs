//! An answer, read to its end.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Wiped when the answer is let go.
    pub body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// An answer as it was recorded. Headers that are none are left out.
    pub fn recorded(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                map.append(name, value);
            }
        }
        Answer {
            status,
            headers: map,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    /// A header's value, cut to a sentence's length.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        Some(value.chars().take(300).collect())
    }

    /// The answer's own clock, in seconds since 1970: what a time in its headers is judged by.
    pub fn clock(&self) -> Option<i64> {
        let date = self.header("date")?;
        let at = chrono::DateTime::parse_from_rfc2822(&date).ok()?;
        Some(at.timestamp())
    }

    /// `Retry-After` in milliseconds; a date counts from the answer's own.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let wanted = self.header("retry-after")?;
        let seconds = match wanted.trim().parse::<u64>() {
            Ok(seconds) => seconds,
            Err(_) => {
                let until = chrono::DateTime::parse_from_rfc2822(&wanted).ok()?;
                u64::try_from(until.timestamp() - self.clock()?).ok()?
            }
        };
        Some(seconds.saturating_mul(1000))
    }

    /// Whether it is a page where JSON was asked for: a sign-in page or a proxy answers any path
    /// with a page of its own.
    pub(crate) fn is_a_page(&self) -> bool {
        let other = self
            .header("content-type")
            .is_some_and(|kind| !kind.starts_with("application/json"));
        other && self.status < 300 && !self.body.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[track_caller]
    fn check(headers: &[(&str, &str)], waits: Option<u64>) {
        let answer = Answer::recorded(429, headers, "");
        assert_eq!(answer.retry_after_ms(), waits, "{headers:?}");
    }

    #[test]
    fn a_wait_is_a_number_or_a_date() {
        let date = ("date", "Sun, 22 Nov 2026 10:00:00 GMT");
        check(&[], None);
        check(&[("retry-after", "7")], Some(7_000));
        check(&[("retry-after", " 0 ")], Some(0));
        check(&[("retry-after", "soon")], None);
        let until = ("retry-after", "Sun, 22 Nov 2026 10:00:09 GMT");
        check(&[until], None);
        check(&[date, until], Some(9_000));
        check(
            &[date, ("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT")],
            None,
        );
    }

    #[test]
    fn a_page_is_told_from_json() {
        let page = |status, kind, body| {
            Answer::recorded(status, &[("content-type", kind)], body).is_a_page()
        };
        assert!(page(200, "text/html", "<html>"));
        assert!(!page(200, "application/json; charset=utf-8", "{}"));
        assert!(!page(200, "text/html", ""));
        assert!(!page(502, "text/html", "<html>"));
        assert!(!Answer::recorded(200, &[], "{}").is_a_page());
    }
}
