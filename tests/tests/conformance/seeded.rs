//! The suite's own connector, over its own server.

use lastkey_conformance::seeded::{Flaw, Seeded};

#[test]
fn seeded_conforms() {
    crate::conforms(&Seeded::start(Flaw::None).unwrap());
}
