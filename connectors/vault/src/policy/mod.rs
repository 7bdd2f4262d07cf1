//! What a policy of the vault allows: pure, from its text to an answer for a path.
//!
//! It promises the server's own answer, capability for capability: the text is read as the server
//! reads it (HCL of the first version, or JSON), rules of one pattern merge as there, and of
//! several patterns that match, the one that the server prefers decides. Held against the real
//! server's `sys/capabilities` for thousands of random policies. What cannot be decided from the
//! text is an error with its reason, or a limit that the rule carries; never a guess.

mod acl;
mod hcl;
mod rule;
mod template;

pub use acl::{Acl, Asked};
pub use rule::{Limits, Policy, Rule};
pub use template::{Alias, Group, Holder};

/// What may be done on a path: a set of the server's capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    pub const NONE: Capabilities = Capabilities(0);
    pub const CREATE: Capabilities = Capabilities(1);
    pub const DELETE: Capabilities = Capabilities(1 << 1);
    pub const DENY: Capabilities = Capabilities(1 << 2);
    pub const LIST: Capabilities = Capabilities(1 << 3);
    pub const PATCH: Capabilities = Capabilities(1 << 4);
    pub const READ: Capabilities = Capabilities(1 << 5);
    pub const ROOT: Capabilities = Capabilities(1 << 6);
    pub const SCAN: Capabilities = Capabilities(1 << 7);
    pub const SUDO: Capabilities = Capabilities(1 << 8);
    pub const UPDATE: Capabilities = Capabilities(1 << 9);

    const WORDS: [(&'static str, Capabilities); 10] = [
        ("create", Self::CREATE),
        ("delete", Self::DELETE),
        ("deny", Self::DENY),
        ("list", Self::LIST),
        ("patch", Self::PATCH),
        ("read", Self::READ),
        ("root", Self::ROOT),
        ("scan", Self::SCAN),
        ("sudo", Self::SUDO),
        ("update", Self::UPDATE),
    ];

    /// The capability with this word.
    pub fn from_word(word: &str) -> Option<Capabilities> {
        Self::WORDS
            .iter()
            .find(|(w, _)| *w == word)
            .map(|(_, c)| *c)
    }

    /// The words, sorted as the server sorts them; `deny` where nothing is allowed.
    pub fn words(self) -> Vec<&'static str> {
        let said = match self {
            Self::NONE => Self::DENY,
            _ if self.has(Self::DENY) => Self::DENY,
            _ if self.has(Self::ROOT) => Self::ROOT,
            some => some,
        };
        Self::WORDS
            .iter()
            .filter(|(_, c)| said.has(*c))
            .map(|(w, _)| *w)
            .collect()
    }

    /// All of both.
    pub const fn with(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 | other.0)
    }

    /// Whether any of `other` is among these.
    pub fn has(self, other: Capabilities) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether any of `wanted` is allowed: `deny` takes all away, `root` gives all.
    pub fn allow(self, wanted: Capabilities) -> bool {
        !self.has(Self::DENY) && (self.has(Self::ROOT) || self.has(wanted))
    }
}
