//! The shell of the window: only wiring. Commands parse, call the workbench and convert;
//! nothing is decided here.
//!
//! - `commands`: the one list of commands; both sides are generated from it
//! - `desk`: the open store and what is running
//! - `rendering`: which way of drawing suits this machine
//! - `settings`: what a person chose for the window (no secrets)
//! - `start`: command line and window
//! - `wire`: how Rust types are called in TypeScript

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod commands;
mod desk;
mod rendering;
mod settings;
mod start;
mod watching;
mod wire;

pub use start::run;
