//! A connector that does everything as it should, over a small world in memory and a real HTTPS
//! server before it, and that can be told to do each thing wrong.
//!
//! [`World`] is what exists; [`Server`] answers for it on 127.0.0.1; [`connector`] reads it;
//! [`Seeded`] is the subject of the suite. [`Flaw`] is a defect that one case must find.

mod client;
mod company;
mod flaw;
mod server;
mod subject;
#[cfg(test)]
mod tests;
mod transport;
mod world;

pub use client::connector;
pub use company::{company, large};
pub use flaw::Flaw;
pub use server::{Account, Server};
pub use subject::Seeded;
pub use world::World;
