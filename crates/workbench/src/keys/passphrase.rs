//! A passphrase on its way to the key: hidden by type, wiped on drop.

use super::key_file;
use crate::failure::Failure;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// What a person knows, beside what the keychain holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text.into_bytes()))
    }

    /// From a file with mode 0600.
    pub fn from_file(path: &Path) -> Result<Self, Failure> {
        Ok(Self(key_file::read(path)?))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Asked of new ones only.
    pub(super) fn long_enough(&self) -> Result<(), Failure> {
        if self.0.len() < key_file::MIN_BYTES {
            return Err(Failure::bad_input(format!(
                "the passphrase is shorter than {} letters",
                key_file::MIN_BYTES
            ))
            .hint("take a few words that stand in no book together")
            .state("passphrase_short"));
        }
        Ok(())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(hidden)")
    }
}
