//! What is answered, and by which statement.

use std::fmt;
use std::sync::Arc;

/// A kind of policy that has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    Identity,
    Boundary,
    Session,
    Resource,
    ServiceControl,
    ResourceControl,
}

impl fmt::Display for Layer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Layer::Identity => "identity policy",
            Layer::Boundary => "permissions boundary",
            Layer::Session => "session policy",
            Layer::Resource => "resource policy",
            Layer::ServiceControl => "service control policy",
            Layer::ResourceControl => "resource control policy",
        })
    }
}

/// A statement of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cited {
    pub layer: Layer,
    pub document: Arc<str>,
    /// From 0, as it stands in the document.
    pub index: usize,
    pub sid: Option<Arc<str>>,
}

impl fmt::Display for Cited {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} `{}`, statement {}",
            self.layer,
            self.document,
            self.index + 1
        )?;
        match &self.sid {
            Some(sid) => write!(out, " (`{sid}`)"),
            None => Ok(()),
        }
    }
}

/// A layer in which nothing allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lack {
    pub layer: Layer,
    /// Where on the path of the organisation.
    pub level: Option<String>,
}

/// Why it cannot be decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The value of a condition key is not known.
    Key(String),
    /// AWS's documentation does not say what this gives.
    Unclear(String),
    /// A document could not be read.
    Unread { document: String, why: String },
    /// Something that was not given.
    NotGiven(String),
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Key(key) => write!(out, "the value of `{key}` is not known"),
            Why::Unclear(what) => write!(out, "{what}: AWS does not document what this gives"),
            Why::Unread { document, why } => write!(out, "`{document}` could not be read: {why}"),
            Why::NotGiven(what) => write!(out, "{what}"),
        }
    }
}

/// One reason for not deciding, and the statement that it hangs on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    pub why: Why,
    pub at: Option<Cited>,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(cited) => write!(out, "{} ({cited})", self.why),
            None => self.why.fmt(out),
        }
    }
}

/// May this principal do this on this resource?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, and by these statements. None where no permission is needed, and for an account's root.
    Allowed {
        by: Vec<Cited>,
    },
    Denied(Denial),
    /// It depends on what is not known.
    Undecided {
        reasons: Vec<Reason>,
    },
}

/// Why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    /// Statements that deny: an explicit denial.
    pub by: Vec<Cited>,
    /// An implicit denial: one of these allowing would do, or all of them must, where none alone
    /// does. Beside statements that deny: those hold for some values of what is unknown, and
    /// without them nothing allows.
    pub lacking: Vec<Lack>,
}

impl Denial {
    pub fn is_explicit(&self) -> bool {
        !self.by.is_empty() && self.lacking.is_empty()
    }
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        matches!(self, Decision::Allowed { .. })
    }

    pub fn is_denied(&self) -> bool {
        matches!(self, Decision::Denied(_))
    }

    pub fn is_undecided(&self) -> bool {
        matches!(self, Decision::Undecided { .. })
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: fmt::Display>(items: &[T]) -> String {
            let shown: Vec<String> = items.iter().map(T::to_string).collect();
            shown.join("; ")
        }
        match self {
            Decision::Allowed { by } if by.is_empty() => out.write_str("allowed"),
            Decision::Allowed { by } => write!(out, "allowed by {}", list(by)),
            Decision::Denied(Denial { by, lacking }) if lacking.is_empty() => {
                write!(out, "denied by {}", list(by))
            }
            Decision::Denied(Denial { lacking, .. }) => {
                write!(out, "not allowed by any {}", list(lacking))
            }
            Decision::Undecided { reasons } => write!(out, "undecided: {}", list(reasons)),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.level {
            Some(level) => write!(out, "{} of `{level}`", self.layer),
            None => self.layer.fmt(out),
        }
    }
}
