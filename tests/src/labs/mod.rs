//! Labs: real servers on loopback, started and stopped by the test that needs them.
//!
//! Each lab takes free ports and a folder of its own, and ends with its value. A server that is
//! not installed fails the test and says what to install: nothing is skipped in silence.

mod certificates;
mod ds389;
mod relay;
mod slapd;

pub use ds389::Ds389;
pub use relay::{Relay, Then};
pub use slapd::{Extras, HangingServer, Seed, Slapd};
