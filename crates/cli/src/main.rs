//! The program `lastkey`.
fn main() {}
