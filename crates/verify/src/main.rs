//! The program `lastkey-verify`.
fn main() {}
