//! The name of something that is owned, as people type it and as decisions keep it.

use lastkey_contract::facts::ObjectType;
use std::fmt;

/// An object by its native id. The system of an identity is the source that has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    pub kind: ObjectType,
    pub system: String,
    pub id: String,
}

impl ObjectName {
    pub fn new(kind: ObjectType, system: impl Into<String>, id: impl Into<String>) -> Self {
        ObjectName {
            kind,
            system: system.into(),
            id: id.into(),
        }
    }

    /// `account:SYSTEM:ID`, `credential:SYSTEM:ID`, `location:SYSTEM:PATH`,
    /// `entitlement:SYSTEM:ID`, `identity:ID` or `identity:SOURCE:ID`. A bare identity's system
    /// is empty, and an identity's id is all that stands behind the word: whoever knows the
    /// sources takes it apart.
    pub fn parse(text: &str) -> Option<ObjectName> {
        let (word, rest) = text.split_once([':', ' '])?;
        let kind = ObjectType::from_word(word)?;
        if rest.is_empty() {
            return None;
        }
        match kind {
            ObjectType::Identity => Some(ObjectName::new(kind, "", rest)),
            ObjectType::Account
            | ObjectType::Credential
            | ObjectType::Location
            | ObjectType::Entitlement => {
                let (system, id) = rest.split_once(':')?;
                let whole = !system.is_empty() && !id.is_empty();
                whole.then(|| ObjectName::new(kind, system, id))
            }
        }
    }

    /// The form that `parse` reads.
    pub fn argument(&self) -> String {
        if self.system.is_empty() {
            return format!("{}:{}", self.kind, self.id);
        }
        format!("{}:{}:{}", self.kind, self.system, self.id)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.system.is_empty() || self.kind == ObjectType::Identity {
            return write!(f, "{} {}", self.kind, self.id);
        }
        write!(f, "{} {}:{}", self.kind, self.system, self.id)
    }
}
