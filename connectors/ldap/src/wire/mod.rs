//! The connection itself: TCP, StartTLS, TLS, and a gate between the directory and the LDAP client.
//!
//! The client of the crate ldap3 trusts what it decodes: deeply nested messages end the process,
//! messages with parts missing make it panic, and it holds whatever is sent. So nothing reaches it
//! that `message` did not find well-made, that is larger than an answer can be, or that answers
//! a question nobody asked. Whatever ends the connection is kept, so that the call that waits can
//! say it.

mod gate;
mod message;
mod open;

pub use message::is_shallow;
pub use open::{Wire, open};
