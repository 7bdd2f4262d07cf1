//! HTTP for connectors: one origin, one request at a time, over verified TLS.
//!
//! It promises that nothing is sent anywhere but to the configured host and port, that no answer
//! is taken that is larger than asked for or packed, and that what was received is wiped. It
//! follows no redirect, tries nothing again, reads no proxy from the environment, and its errors
//! speak of the server in the connector's own words. What an answer means is each connector's own.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod answer;
mod client;
mod origin;
mod server;

pub use answer::Answer;
pub use client::{Client, LARGEST, secret_header};
pub use origin::Origin;
pub use server::{Server, refusal};

/// The methods and headers that requests are made of.
pub use hyper::Method;
pub use hyper::http::request::Builder;

/// A text as it stands in a part of a path or in a query.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escaped("a b/ü?#%~"), "a%20b%2F%C3%BC%3F%23%25~");
    }
}
