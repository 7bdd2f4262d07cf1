//! What arrived where, so that a credential that follows a redirect is seen.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Which of the proxy's ports a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The address that the connector was given.
    Proxy,
    /// Another address, over TLS: nothing may come here.
    OtherHost,
    /// Another address, in clear: nothing may come here.
    InClear,
}

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub place: Place,
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// How long after the start of the proxy.
    pub after: Duration,
    /// The status that was answered; None while, or because, none was.
    pub status: Option<u16>,
}

impl Record {
    /// The value of a header, if it came; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a text stands anywhere in it: path, header names, header values.
    pub fn holds(&self, text: &str) -> bool {
        self.path.contains(text)
            || self
                .headers
                .iter()
                .any(|(key, value)| key.contains(text) || value.contains(text))
    }
}

/// The requests of a proxy, in the order of their arrival.
pub(super) struct Recorder {
    since: Instant,
    records: Mutex<Vec<Record>>,
}

impl Recorder {
    pub(super) fn new() -> Recorder {
        Recorder {
            since: Instant::now(),
            records: Mutex::new(Vec::new()),
        }
    }

    /// Keeps a request; gives back its number.
    pub(super) fn arrived(&self, place: Place, head: &hyper::http::request::Parts) -> usize {
        let record = Record {
            place,
            method: head.method.to_string(),
            path: head
                .uri
                .path_and_query()
                .map_or_else(|| head.uri.to_string(), ToString::to_string),
            headers: head
                .headers
                .iter()
                .map(|(key, value)| {
                    (
                        key.as_str().to_owned(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            after: self.since.elapsed(),
            status: None,
        };
        let mut records = lock(&self.records);
        records.push(record);
        records.len() - 1
    }

    /// Keeps what a request was answered.
    pub(super) fn answered(&self, number: usize, status: u16) {
        if let Some(record) = lock(&self.records).get_mut(number) {
            record.status = Some(status);
        }
    }

    pub(super) fn all(&self) -> Vec<Record> {
        lock(&self.records).clone()
    }

    pub(super) fn forget(&self) {
        lock(&self.records).clear();
    }
}

/// A lock that a panicked thread left is still good: the values under it are whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
