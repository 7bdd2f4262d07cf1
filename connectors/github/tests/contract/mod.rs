//! A contract server: what GitHub's documentation says of paging, limits, marks and refusals, where
//! no real server can be had. It proves behaviour; that requests have the right shape is proved
//! against GitHub's own OpenAPI document.

pub mod company;
pub mod server;
pub mod world;

pub use company::*;
