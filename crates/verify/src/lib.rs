//! The audit package: its format (version 1), its writer, its signature and its verifier.
//!
//! A package is a zip that a stranger can check with unzip, sha256sum and openssl, without
//! Lastkey: `how-to-check.md` is the page that says how, and it is in every package.
//! `layout` is the format. The writer never leaves a half package under the final name; the
//! verifier says what is wrong and in which file, reads with constant memory and never panics.
//! Nothing here knows the store, the policy or what the tables mean, and nothing calls out.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod archive;
mod directory;
mod hex;
mod key;
pub mod layout;
mod part;
mod report;
mod seal;
mod text;
mod unpack;
mod verify;
mod write;

pub use key::{Fingerprint, FingerprintError, PackageKey};
pub use layout::{FileLine, MadeBy, Manifest, Period, Previous, Snapshot};
pub use part::Part;
pub use report::{PackageState, Problem, VerifyError, VerifyReport};
pub use text::{cell, visible, visible_source};
pub use verify::{VerifyOptions, previous_of, verify_package};
pub use write::{FileWriter, PackageError, PackageHeader, PackageWriter, Sealed};
