//! A secret value on its way from the keychain to a server: hidden by type, wiped on drop.

use std::fmt;
use zeroize::Zeroizing;

/// A secret. Its `Debug` shows nothing, it has no `Display` and no serialisation.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller's copy should be wiped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
    /// The value, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
