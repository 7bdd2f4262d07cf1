//! The cases: one small function each, and what they share.

pub(crate) mod access;
pub(crate) mod cursors;
pub(crate) mod ground;
pub(crate) mod honesty;
pub(crate) mod reading;
pub(crate) mod trouble;
pub(crate) mod web;
