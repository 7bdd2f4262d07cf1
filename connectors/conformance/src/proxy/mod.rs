//! The fault proxy: real sockets on 127.0.0.1 between a connector and its server, that do to an
//! answer what networks, gateways and evil servers do.
//!
//! [`TcpProxy`] knows bytes and TLS and serves every protocol; [`HttpProxy`] ends the TLS and
//! knows requests. [`BadTls`] is no proxy but a server that shows what must be refused. Each runs
//! on a thread of its own, so that a test that blocks does not stop it, and ends with its value.
//! Promises: what it counts and records is what arrived. Never: a socket outside 127.0.0.1.

mod answers;
mod background;
mod bad_tls;
mod body;
mod certificates;
mod http;
mod record;
mod tcp;
#[cfg(test)]
mod tests;

pub use answers::{Garbage, HttpFault, RedirectTo, RetryAfter, Rule};
pub use bad_tls::BadTls;
pub use certificates::{Authority, Certificate, Validity};
pub use http::{HttpProxy, Upstream};
pub use record::{Place, Record};

pub use tcp::{TcpFault, TcpProxy};

pub(crate) use background::{Background, listen};
pub(crate) use certificates::client;
pub(crate) use record::lock;
