//! What an evil or broken HTTP server answers.

use super::body::Feed;
use flate2::{Compress, Compression, FlushCompress};
use hyper::body::Bytes;
use hyper::http::HeaderValue;
use hyper::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER,
};
use hyper::{Response, StatusCode};
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

/// Which requests a fault strikes, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub fault: HttpFault,
    /// Only requests whose path and query hold this.
    pub path: Option<String>,
    /// Only requests of this method.
    pub method: Option<String>,
    /// So many matching requests are let through before it strikes.
    pub after: u32,
    /// How often it strikes; None is always.
    pub times: Option<u32>,
}

impl Rule {
    /// Strikes every request.
    pub fn always(fault: HttpFault) -> Rule {
        Rule {
            fault,
            path: None,
            method: None,
            after: 0,
            times: None,
        }
    }
    /// Only requests whose path and query hold this.
    pub fn path(mut self, part: impl Into<String>) -> Rule {
        self.path = Some(part.into());
        self
    }
    /// Only requests of this method.
    pub fn method(mut self, method: impl Into<String>) -> Rule {
        self.method = Some(method.into());
        self
    }
    /// Lets so many matching requests through first.
    pub fn after(mut self, requests: u32) -> Rule {
        self.after = requests;
        self
    }
    /// Strikes only so often.
    pub fn times(mut self, times: u32) -> Rule {
        self.times = Some(times);
        self
    }

    /// Whether it strikes this request; counts it.
    pub(super) fn strikes(&mut self, method: &str, path: &str) -> bool {
        let meant = self.path.as_ref().is_none_or(|part| path.contains(part))
            && self.method.as_ref().is_none_or(|word| word == method);
        if !meant {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// How long a 429 asks to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Says nothing about it.
    Missing,
    Seconds(u32),
    /// As an HTTP date, so many seconds from now.
    Date(u32),
    /// Something that is neither.
    Odd(String),
}

/// Where a redirect leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RedirectTo {
    /// Another port of this machine, over TLS with a certificate that is trusted.
    OtherHost,
    /// Another port, in clear.
    InClear,
    /// The same address, the same path: round and round.
    Itself,
}

/// A body that is not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Garbage {
    /// A page for people, with status 200.
    Html,
    /// JSON that ends in the middle.
    CutJson,
    /// Bytes that are not even text.
    Bytes,
    /// JSON of another shape: a number where a list belongs.
    OtherShape,
    /// 100,000 lists in each other.
    Nested,
    /// Nothing at all, with status 200.
    Empty,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// 429.
    TooMany(RetryAfter),
    /// This status, with a short JSON body.
    Status(u16),
    /// 307 to another place; what arrives there is recorded and answered as the server would.
    Redirect(RedirectTo),
    /// The server's own answer with one text replaced by another, everywhere in its body and
    /// headers. `{other}` and `{clear}` in the new text stand for the addresses of the two traps.
    Replace {
        find: String,
        with: String,
    },
    /// One more header; `{other}` and `{clear}` as above.
    Header {
        name: String,
        value: String,
    },
    /// A gzip body of 1 GiB of zeros.
    Bomb,
    /// A JSON list that never ends.
    Endless,
    /// The right body under a length that is too long (true for the connection: it breaks off).
    TooLong,
    /// The right body, cut where a length that is too short says.
    TooShort,
    /// The server's answer breaks off after so many bytes of its body.
    CutAfter(usize),
    /// The server's answer, so many bytes at a time.
    Slow {
        bytes: usize,
        every: Duration,
    },
    /// The answer waits so long.
    Latency(Duration),
    /// No answer.
    Hang,
    Garbage(Garbage),
    /// 200 with this body.
    Body(String),
}

/// The addresses that an evil answer leads to.
#[derive(Clone, Debug)]
pub(super) struct Traps {
    pub other: String,
    pub clear: String,
}

impl Traps {
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{other}", &self.other)
            .replace("{clear}", &self.clear)
    }
}

/// An answer of the server, read to its end.
pub(super) type Whole = Response<Bytes>;

pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Whole {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// An answer that needs no server.
pub(super) fn made(fault: &HttpFault, traps: &Traps, path: &str) -> Option<Response<Feed>> {
    let whole = |answer: Whole| Some(answer.map(Feed::whole));
    match fault {
        HttpFault::TooMany(after) => {
            let mut answer = json(
                StatusCode::TOO_MANY_REQUESTS,
                r#"{"errors":["too many requests"]}"#,
            );
            let value = match after {
                RetryAfter::Missing => None,
                RetryAfter::Seconds(seconds) => Some(seconds.to_string()),
                RetryAfter::Date(seconds) => Some(http_date(*seconds)),
                RetryAfter::Odd(text) => Some(text.clone()),
            };
            if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
                answer.headers_mut().insert(RETRY_AFTER, value);
            }
            whole(answer)
        }
        HttpFault::Status(code) => whole(json(
            StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            r#"{"errors":["failed on purpose"]}"#,
        )),
        HttpFault::Redirect(to) => {
            let location = match to {
                RedirectTo::OtherHost => format!("{}{path}", traps.other),
                RedirectTo::InClear => format!("{}{path}", traps.clear),
                RedirectTo::Itself => path.to_owned(),
            };
            let mut answer = json(StatusCode::TEMPORARY_REDIRECT, "{}");
            if let Ok(value) = HeaderValue::from_str(&location) {
                answer.headers_mut().insert(LOCATION, value);
            }
            whole(answer)
        }
        HttpFault::Bomb => {
            let mut answer = json(StatusCode::OK, bomb());
            answer
                .headers_mut()
                .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            whole(answer)
        }
        HttpFault::Endless => {
            let again = Bytes::from(vec![b' '; 64 * 1024]);
            let answer = json(StatusCode::OK, Bytes::new());
            Some(answer.map(|_| Feed::endless(Bytes::from_static(b"{\"data\":[1"), again)))
        }
        HttpFault::Garbage(garbage) => whole(json(StatusCode::OK, rubbish(*garbage))),
        HttpFault::Body(text) => whole(json(StatusCode::OK, traps.fill(text))),
        HttpFault::Replace { .. }
        | HttpFault::Header { .. }
        | HttpFault::TooLong
        | HttpFault::TooShort
        | HttpFault::CutAfter(_)
        | HttpFault::Slow { .. }
        | HttpFault::Latency(_)
        | HttpFault::Hang => None,
    }
}

/// The server's own answer with something done to it.
pub(super) fn spoilt(fault: &HttpFault, traps: &Traps, answer: Whole) -> Response<Feed> {
    let (mut head, body) = answer.into_parts();
    let announce = |head: &mut hyper::http::response::Parts, length: usize| {
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    };
    let body = match fault {
        HttpFault::Replace { find, with } => {
            let with = traps.fill(with);
            for value in head.headers.values_mut() {
                let Ok(text) = value.to_str() else { continue };
                if let Ok(changed) = HeaderValue::from_str(&text.replace(find.as_str(), &with)) {
                    *value = changed;
                }
            }
            let text = String::from_utf8_lossy(&body).replace(find.as_str(), &with);
            Feed::whole(text)
        }
        HttpFault::Header { name, value } => {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(&traps.fill(value));
            if let (Ok(name), Ok(value)) = (name, value) {
                head.headers.append(name, value);
            }
            Feed::whole(body)
        }
        HttpFault::TooLong => {
            announce(&mut head, body.len() + 1000);
            Feed::cut(body)
        }
        HttpFault::TooShort => {
            announce(&mut head, body.len() / 2);
            Feed::slowly(body, usize::MAX, Duration::ZERO)
        }
        HttpFault::CutAfter(bytes) => {
            announce(&mut head, body.len());
            Feed::cut(body.slice(..(*bytes).min(body.len().saturating_sub(1))))
        }
        HttpFault::Slow { bytes, every } => {
            announce(&mut head, body.len());
            Feed::slowly(body, *bytes, *every)
        }
        HttpFault::TooMany(_)
        | HttpFault::Status(_)
        | HttpFault::Redirect(_)
        | HttpFault::Bomb
        | HttpFault::Endless
        | HttpFault::Latency(_)
        | HttpFault::Hang
        | HttpFault::Garbage(_)
        | HttpFault::Body(_) => Feed::whole(body),
    };
    Response::from_parts(head, body)
}

fn rubbish(garbage: Garbage) -> Bytes {
    match garbage {
        Garbage::Html => Bytes::from_static(
            b"<!doctype html><title>Sign in</title><script>alert(1)</script><p>Please sign in.",
        ),
        Garbage::CutJson => Bytes::from_static(b"{\"data\":{\"keys\":[\"a\",\"b\""),
        Garbage::Bytes => Bytes::from_static(b"\xff\xfe\x00\x1b]0;title\x07\x80\x80"),
        Garbage::OtherShape => Bytes::from_static(b"{\"data\":42,\"keys\":{\"a\":[]},\"auth\":7}"),
        Garbage::Nested => {
            let mut text = b"{\"data\":".to_vec();
            text.resize(text.len() + 100_000, b'[');
            text.resize(text.len() + 100_000, b']');
            text.push(b'}');
            text.into()
        }
        Garbage::Empty => Bytes::new(),
    }
}

/// One GiB of zeros, packed once.
fn bomb() -> Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    BOMB.get_or_init(|| packed_zeros().unwrap_or_default())
        .clone()
}

/// A gzip of 1024 times the same MiB of zeros: it is packed once, and its block, which stands by
/// itself, is repeated, so that making the bomb costs nothing.
fn packed_zeros() -> io::Result<Bytes> {
    const MIB: u32 = 1024 * 1024;
    let zeros = vec![0u8; 1024 * 1024];
    let mut block = Vec::with_capacity(64 * 1024);
    Compress::new(Compression::best(), false)
        .compress_vec(&zeros, &mut block, FlushCompress::Full)
        .map_err(io::Error::other)?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(&zeros);
    let one = sum.clone();
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    packed.extend_from_slice(&block);
    for _ in 1..1024 {
        packed.extend_from_slice(&block);
        sum.combine(&one);
    }
    packed.extend_from_slice(&[0x03, 0x00]); // an empty last block
    packed.extend_from_slice(&sum.finalize().to_le_bytes());
    packed.extend_from_slice(&(1024 * MIB).to_le_bytes());
    Ok(packed.into())
}

/// A moment as HTTP writes it, so many seconds from now.
fn http_date(seconds: u32) -> String {
    let at = chrono::Utc::now() + chrono::Duration::seconds(i64::from(seconds));
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    #[test]
    fn the_bomb_is_a_gib_of_zeros() {
        let packed = super::bomb();
        assert!(packed.len() < 4 * 1024 * 1024, "{}", packed.len());
        let mut reader = flate2::read::GzDecoder::new(packed.as_ref());
        let mut buffer = vec![1u8; 1024 * 1024];
        let mut size = 0;
        loop {
            let count = reader.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            assert!(buffer[..count].iter().all(|byte| *byte == 0));
            size += count;
        }
        assert_eq!(size, 1 << 30, "and its check sum is right");
    }
}
